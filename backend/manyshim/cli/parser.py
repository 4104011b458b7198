"""The parsers of argparse, which write the help and read a command line that is verified."""

from __future__ import annotations

import argparse
import sys
import textwrap

from manyshim import __version__
from manyshim.cli.arguments import add_common, add_json
from manyshim.cli.commands import COMMANDS, EXIT_CODES
from manyshim.errors import ConfigError, shorten

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, List, NoReturn, Optional, Sequence

_DESCRIPTION = "Audit Linux wheels and write the manylinux or musllinux tag that is proved."
_MORE = "`manyshim COMMAND --help` lists the options of a command."


class _Formatter(argparse.HelpFormatter):
    """Wraps each line of a text by itself; those that are indented stay as they are."""

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        return "\n".join(
            line if line.startswith(" ") else textwrap.fill(line, width, initial_indent=indent)
            for line in text.split("\n")
        )


class Parser(argparse.ArgumentParser):
    """A parser that lists its actions, and whose errors are one sentence."""

    def __init__(self, **settings: Any) -> None:  # noqa: ANN401 (those of argparse)
        self.actions: List[argparse.Action] = []
        super().__init__(**{"formatter_class": _Formatter, "allow_abbrev": False, **settings})

    def add_argument(self, *names: Any, **settings: Any) -> argparse.Action:  # noqa: ANN401
        """Add an argument, as argparse does."""
        action = super().add_argument(*names, **settings)
        self.actions.append(action)
        return action

    def _print_message(self, message: str, file: Any = None) -> None:  # noqa: ANN401
        """Print the help. argparse hides that standard output cannot be written."""
        if file is sys.stdout:
            file.write(message)
        else:
            super()._print_message(message, file)

    def option(self, name: str) -> Optional[argparse.Action]:
        """Return the action of an option; None if there is no such option."""
        return next((one for one in self.actions if name in one.option_strings), None)

    @property
    def options(self) -> List[str]:
        """The names of all options."""
        return [name for one in self.actions for name in one.option_strings]

    @property
    def takes(self) -> List[argparse.Action]:
        """What the command takes besides options, in this order."""
        return [one for one in self.actions if not one.option_strings]

    def error(self, message: str) -> NoReturn:
        """Raise ConfigError: what argparse refuses although `reading` did not."""
        raise ConfigError(shorten(message), f"try {self.prog} --help")


def top() -> Parser:
    """Return the parser of what is before the command."""
    parser = Parser(prog="manyshim")
    _add_version(parser)
    add_common(parser)
    return parser


def _add_version(parser: Any) -> None:  # noqa: ANN401 (a parser, or a group of one)
    parser.add_argument(
        "-V",
        "--version",
        action="version",
        version=f"manyshim {__version__}",
        help="print the version",
    )


def of_command(name: str, given: Sequence[str] = ()) -> Parser:
    """Return the parser of one command; `given` are the words of its command line."""
    command = COMMANDS[name]
    parser = Parser(**_settings(name))
    add_json(parser)
    command.add(parser, given)
    add_common(parser)
    return parser


def complete(*, arguments: bool = True) -> Parser:
    """Return the parser of all commands, for the help; without `arguments` for their list only.

    The commands are above the options, because a user looks for them first.
    """
    parser = Parser(
        prog="manyshim",
        usage="manyshim [OPTIONS] COMMAND ...",
        description=_DESCRIPTION,
        epilog=f"{_MORE}\n\n{EXIT_CODES}",
        add_help=False,
    )
    commands = parser.add_subparsers(
        title="commands", metavar="COMMAND", prog="manyshim", dest="command"
    )
    options: Any = parser.add_argument_group("options")
    options.add_argument("-h", "--help", action="help", help="show this help message and exit")
    _add_version(options)
    add_common(options)
    for name, command in COMMANDS.items():
        one = commands.add_parser(name, help=command.summary, **_settings(name))
        if arguments:
            add_json(one)
            command.add(one, ())
            add_common(one)
    return parser


def _settings(name: str) -> Any:  # noqa: ANN401 (those of argparse)
    command = COMMANDS[name]
    example = f"example ({command.about}):\n  manyshim {name} {command.example}"
    return {
        "prog": f"manyshim {name}",
        "usage": f"manyshim {name} [OPTIONS] {command.synopsis}".rstrip(),
        "description": command.summary,
        "epilog": "\n\n".join(filter(None, (command.notes, example))),
    }
