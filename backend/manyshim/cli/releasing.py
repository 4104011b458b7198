"""The arguments and options of `release` and `ci`. Nothing of the audit is loaded for them."""

from __future__ import annotations

from manyshim.cli.arguments import add_folder, number
from manyshim.cli.grammar import Grammar, WrongValueError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Sequence, Tuple

SERVICES = ("github", "gitlab")

_MAX_DIGITS = 4


def release(parser: Grammar, _given: Sequence[str]) -> None:
    """Add what `release` takes."""
    add_folder(parser)
    parser.add_argument(
        "-o",
        "--out-dir",
        metavar="DIR",
        help="the folder for the sdist and the wheels (default: dist in the project)",
    )
    parser.add_argument(
        "--only",
        metavar="GLOB",
        help="build these wheels only, by names such as cp313-manylinux_2_17_x86_64",
    )
    parser.add_argument(
        "--jobs",
        type=number,
        default=0,
        metavar="N",
        help="how many wheels are built at a time (default: one per CPU)",
    )
    parser.add_argument(
        "--sdist", metavar="FILE", help="build from this sdist instead of making it"
    )
    parser.add_argument(
        "--shard",
        type=shard,
        metavar="K/N",
        help="build part K of N, for N machines; give each the same --sdist",
    )
    parser.add_argument(
        "--like",
        metavar="OTHER",
        help="a folder or a list of the files of an earlier release: none of its Pythons and "
        "platforms may be missing",
    )
    parser.add_argument(
        "--systems",
        metavar="DIR",
        help="a folder with systems of other machines; their Pythons run test-command",
    )
    parser.add_argument("--no-test", action="store_true", help="do not run test-command")
    parser.add_argument(
        "--dry-run", action="store_true", help="list the wheels, and those that are there"
    )
    parser.add_argument(
        "--matrix", action="store_true", help="print the platforms as JSON, a job of CI for each"
    )


def ci(parser: Grammar, _given: Sequence[str]) -> None:
    """Add what `ci` takes."""
    parser.add_argument("service", choices=SERVICES, metavar="SERVICE", help="github or gitlab")
    add_folder(parser)
    parser.add_argument(
        "--write", action="store_true", help="make the change (without this it is only printed)"
    )


def shard(text: str) -> Tuple[int, int]:
    """Return the number of a part and of all parts. Raises WrongValueError."""
    part, _, parts = text.partition("/")
    if not (_is_number(part) and _is_number(parts) and 1 <= int(part) <= int(parts)):
        raise WrongValueError("write the part and the number of parts, such as 1/3")
    return int(part), int(parts)


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= _MAX_DIGITS
