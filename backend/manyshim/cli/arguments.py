"""The arguments and options of each command. Nothing of the audit is loaded for them."""

from __future__ import annotations

from manyshim.cli.grammar import Grammar, WrongValueError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Sequence

SHELLS = ("bash", "zsh", "fish")
TEXT, JSON, GITHUB, SARIF, JUNIT = FORMATS = ("text", "json", "github", "sarif", "junit")

# The architectures of the policies; a test compares them with those of the audit.
ARCHES = (
    *("aarch64", "armv7l", "i686", "loongarch64", "ppc64", "ppc64le", "riscv64", "s390x"),
    "x86_64",
)


class Meaning:
    """The meaning of an option for the help, without Markdown. Other lines do not load it."""

    def __init__(self, key: str, form: str = "{}") -> None:
        self._key = key
        self._form = form

    def __str__(self) -> str:
        from manyshim.options import BY_KEY  # noqa: PLC0415

        option = BY_KEY[self._key]
        return self._form.format((option.in_commands or option.meaning).replace("`", ""))


def show(parser: Grammar, _given: Sequence[str]) -> None:
    """Add what `show` takes."""
    _add_wheels(parser)
    _add_format(parser)


def check(parser: Grammar, _given: Sequence[str]) -> None:
    """Add what `check` takes."""
    parser.add_argument(
        "files",
        nargs="+",
        metavar="FILE",
        help="a wheel, an sdist, a folder of them, or a pattern such as 'dist/*.whl'",
    )
    parser.add_argument(
        "--like",
        metavar="OTHER",
        help="a folder, or a text file with one file name on each line: the files must be for the "
        "same Pythons and platforms as these, and more are accepted",
    )
    _add_audit(parser)
    _add_format(parser)


def retag(parser: Grammar, _given: Sequence[str]) -> None:
    """Add what `retag` takes."""
    _add_wheels(parser)
    _add_writing(parser, needed=True)


def repair(parser: Grammar, given: Sequence[str]) -> None:
    """Add what `repair` takes; a dry run does not need the folder."""
    _add_wheels(parser)
    _add_writing(parser, needed="--dry-run" not in given)
    parser.add_argument(
        "--bundle", action="append", metavar="GLOB", help=Meaning("bundle", "{} (default: all)")
    )
    parser.add_argument(
        "--library-path", action="append", default=[], metavar="DIR", help=Meaning("library-path")
    )
    parser.add_argument("--sysroot", metavar="DIR", help=Meaning("sysroot"))
    parser.add_argument("--no-sbom", action="store_true", help=Meaning("sbom", "do not {}"))
    parser.add_argument("--dry-run", action="store_true", help="print the plan and write nothing")


def init(parser: Grammar, _given: Sequence[str]) -> None:
    """Add what `init` takes."""
    add_folder(parser)
    parser.add_argument(
        "--write", action="store_true", help="make the change (without this it is only printed)"
    )
    parser.add_argument(
        "--in-tree",
        action="store_true",
        help="keep a copy of manyshim in the project instead of a requirement",
    )
    parser.add_argument(
        "--undo", action="store_true", help="print the reverse change (with --write: make it)"
    )
    parser.add_argument(
        "--build",
        action="store_true",
        help="build a wheel in a copy of the project, with the change, and show its report",
    )
    parser.add_argument(
        "--force", action="store_true", help="also change a project that compiles nothing"
    )


def config(parser: Grammar, _given: Sequence[str]) -> None:
    """Add what `config` takes."""
    parser.add_argument(
        "projects",
        nargs="*",
        default=["."],
        metavar="FOLDER",
        help="the folder of a project, or its pyproject.toml (default: the current folder)",
    )
    parser.add_argument(
        "-C",
        "--config-setting",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="a setting as you pass it to a build, e.g. manyshim.strict=true",
    )


def policies(parser: Grammar, _given: Sequence[str]) -> None:
    """Add what `policies` takes."""
    parser.add_argument(
        "--arch",
        choices=ARCHES,
        metavar="ARCH",
        help=f"list one architecture only: {', '.join(ARCHES)}",
    )


def explain(parser: Grammar, _given: Sequence[str]) -> None:
    """Add what `explain` takes."""
    parser.add_argument(
        "kinds",
        nargs="*",
        metavar="KIND",
        help="a kind of finding, such as TOO_NEW; without one, all kinds are listed",
    )


def completion(parser: Grammar, _given: Sequence[str]) -> None:
    """Add what `completion` takes."""
    parser.add_argument("shell", choices=SHELLS, metavar="SHELL", help="bash, zsh or fish")


def add_folder(parser: Grammar) -> None:
    """Add the folder of a project."""
    parser.add_argument(
        "folder",
        nargs="?",
        default=".",
        metavar="FOLDER",
        help="the folder of the project (default: the current one)",
    )


def _add_wheels(parser: Grammar) -> None:
    parser.add_argument("wheels", nargs="+", metavar="WHEEL", help="a wheel (*.whl)")
    _add_audit(parser)


def _add_audit(parser: Grammar) -> None:
    parser.add_argument("--platform", metavar="POLICY", help=Meaning("platform"))
    parser.add_argument(
        "--exclude", action="append", default=[], metavar="GLOB", help=Meaning("exclude")
    )
    parser.add_argument(
        "--allow", action="append", default=[], metavar="KIND:GLOB", help=Meaning("allow")
    )
    parser.add_argument(
        "--naming", choices=("listed", "exact"), default="listed", help=Meaning("naming")
    )
    parser.add_argument("--strict", action="store_true", help=Meaning("strict"))
    parser.add_argument(
        "--jobs",
        type=number,
        default=0,
        metavar="N",
        help="how many processes share the files (default: one per CPU)",
    )
    parser.add_argument(
        "-v", "--verbose", action="store_true", help="also show informational findings"
    )


def _add_format(parser: Grammar) -> None:
    parser.add_argument(
        "--format",
        choices=FORMATS,
        metavar="FORMAT",
        help="the format of the output: text (default), json, github (annotations of a workflow on "
        "GitHub), sarif (for code scanning) or junit (a list of tests for CI)",
    )
    parser.add_argument(
        "--explain",
        choices=("auto", "always", "never"),
        default="auto",
        metavar="WHEN",
        help="find the source lines that use the reported symbols, for libraries with debug "
        "information: auto (for github and sarif), always or never",
    )


def _add_writing(parser: Grammar, *, needed: bool) -> None:
    """Add the folder for the wheels, and the options that change them.

    `needed` makes the folder a required option.
    """
    parser.add_argument(
        "-w", "--wheel-dir", metavar="DIR", required=needed, help="the folder for the new wheels"
    )
    parser.add_argument("--fix", action="append", default=[], metavar="NAME", help=Meaning("fix"))
    parser.add_argument(
        "--strip", choices=("none", "debug", "all"), default="none", help=Meaning("strip")
    )
    parser.add_argument(
        "--no-trial",
        action="store_true",
        help="do not load changed libraries, for wheels that you do not trust; without this "
        "option, `repair`, --fix and --strip run code of the wheel on this machine",
    )
    parser.add_argument(
        "--compression-level",
        default="6",
        metavar="0-9",
        help=Meaning("compression-level", "{} (default: 6)"),
    )
    parser.add_argument(
        "--rebuild-record",
        action="store_true",
        help="write RECORD anew from the archive, even if it states other hashes",
    )


def number(text: str) -> int:
    """Return a number of processes. Raises WrongValueError for less than 1, and for a word."""
    if not (text.isascii() and text.isdigit() and text.strip("0")) or len(text) > _MAX_DIGITS:
        what = "write how many processes, at least 1 (without --jobs: one per CPU)"
        raise WrongValueError(what)
    return int(text)


_MAX_DIGITS = 6
