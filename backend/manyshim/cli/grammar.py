"""What a command line may have: options and other words, as data that `reading` reads it by.

argparse writes the help from the same declarations (arguments.py, releasing.py). It is not imported
for other lines: with what it imports and builds, it takes more instructions than an audit.
"""

from __future__ import annotations

from types import SimpleNamespace

from manyshim.cli.manner import AUTO, COLORS
from manyshim.values import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable, List, Optional, Sequence, Tuple, Union

# Word processors write these for two hyphens.
DASHES = ("\u2013", "\u2014", "\u2212")

# What is asked for instead of a command.
_ASK = ("help", "version")


class WrongValueError(ValueError):
    """The value of an option is wrong. The message is what to write."""


class Argument(NamedTuple):
    """An option, or another word that a command takes. The fields are those of argparse's actions.

    `nargs` is 0 for an option without a value, and None, "?", "*" or "+" for others.
    """

    option_strings: Tuple[str, ...]
    dest: str
    action: str
    nargs: Union[str, int, None]
    default: Any
    type: Optional[Callable[[str], Any]]
    choices: Optional[Sequence[str]]
    required: bool
    metavar: Optional[str]
    help: object


class Grammar:
    """The arguments of a command, or what is before it, in the order in which they were added."""

    def __init__(self) -> None:
        self.actions: List[Argument] = []
        self.add_argument("-h", "--help", action="help", help="show this help message and exit")

    def add_argument(  # noqa: PLR0913 (those of argparse)
        self,
        *names: str,
        action: str = "store",
        nargs: Optional[str] = None,
        default: Any = None,  # noqa: ANN401
        type: Optional[Callable[[str], Any]] = None,  # noqa: A002
        choices: Optional[Sequence[str]] = None,
        required: bool = False,
        metavar: Optional[str] = None,
        help: object = "",  # noqa: A002
    ) -> None:
        """Add an argument, as argparse does."""
        dest = names[-1].lstrip("-").replace("-", "_")
        options = names if names[0].startswith("-") else ()
        takes = 0 if action not in ("store", "append") else nargs
        given = False if action == "store_true" else default
        rest = (type, choices, required, metavar, help)
        self.actions.append(Argument(options, dest, action, takes, given, *rest))

    def option(self, name: str) -> Optional[Argument]:
        """Return an option; None if there is no such option."""
        for one in self.actions:
            if name in one.option_strings:
                return one
        return None

    @property
    def options(self) -> List[str]:
        """The names of all options."""
        return [name for one in self.actions for name in one.option_strings]

    @property
    def takes(self) -> List[Argument]:
        """What the command takes besides options, in this order."""
        return [one for one in self.actions if not one.option_strings]

    def filled(
        self, options: Sequence[Tuple[Argument, str]], others: Sequence[str]
    ) -> SimpleNamespace:
        """Return the values of all arguments, as argparse does, from verified words.

        `options` are those that are given, with their values.
        """
        values = {one.dest: one.default for one in self.actions if one.action not in _ASK}
        for one, text in options:
            value = one.type(text) if one.type else text
            if one.action == "append":
                value = [*(values[one.dest] or ()), value]  # a new list: the default is shared
            values[one.dest] = one.nargs == 0 or value
        for at, one in enumerate(self.takes):
            if one.nargs in ("*", "+"):
                values[one.dest] = list(others[at:]) or one.default or []
            elif at < len(others):
                values[one.dest] = others[at]
        return SimpleNamespace(**values)


def add_common(parser: Grammar) -> None:
    """Add the options that may be before and after the command."""
    parser.add_argument(
        "--color", choices=COLORS, default=AUTO, metavar="WHEN",
        help="use colours: auto (on a terminal), always or never",
    )  # fmt: skip
    parser.add_argument("-q", "--quiet", action="store_true", help="print only errors")


def add_json(parser: Grammar) -> None:
    """Add the option for output that programs read."""
    parser.add_argument("--json", action="store_true", help="print JSON")


def before_command() -> Grammar:
    """Return the grammar of what is before the command."""
    grammar = Grammar()
    grammar.add_argument("-V", "--version", action="version", help="print the version")
    add_common(grammar)
    return grammar
