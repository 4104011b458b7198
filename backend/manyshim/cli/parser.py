"""The parsers of argparse, which write the help. Shells and man get theirs from them, too."""

from __future__ import annotations

import argparse
import os
import sys

from manyshim import __version__
from manyshim.cli.commands import COMMANDS, EXIT_CODES
from manyshim.cli.grammar import add_common, add_json

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_DESCRIPTION = "Audit Linux wheels and write the manylinux or musllinux tag that is proved."
_USUAL_WIDTH = 80
_MORE = "`manyshim COMMAND --help` lists the options of a command."


def _width() -> int:
    """Return the width of the terminal in columns, as shutil does, which imports bz2."""
    try:
        width = int(os.environ.get("COLUMNS", ""))
    except ValueError:
        width = 0
    if width > 0:
        return width
    try:
        return os.get_terminal_size(1).columns or _USUAL_WIDTH
    except OSError:
        return _USUAL_WIDTH


class _Formatter(argparse.HelpFormatter):
    """Wraps each line of a text by itself; those that are indented stay as they are."""

    def __init__(self, *given: Any, **settings: Any) -> None:  # noqa: ANN401 (those of argparse)
        # Two columns less, as argparse does.
        super().__init__(*given, **{"width": _width() - 2, **settings})

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        import textwrap  # noqa: PLC0415 (as argparse does)

        return "\n".join(
            line if line.startswith(" ") else textwrap.fill(line, width, initial_indent=indent)
            for line in text.split("\n")
        )


class Parser(argparse.ArgumentParser):
    """A parser that takes what `arguments` declares."""

    def __init__(self, **settings: Any) -> None:  # noqa: ANN401 (those of argparse)
        super().__init__(**{"formatter_class": _Formatter, "allow_abbrev": False, **settings})

    def add_argument(self, *names: Any, **settings: Any) -> argparse.Action:  # noqa: ANN401
        """Add an argument, as argparse does; the help may be any object that is a text."""
        if "help" in settings:
            settings["help"] = str(settings["help"])
        return super().add_argument(*names, **settings)

    def _print_message(self, message: str, file: Any = None) -> None:  # noqa: ANN401
        """Print the help. argparse hides that standard output cannot be written."""
        if file is sys.stdout:
            file.write(message)
        else:
            super()._print_message(message, file)


def _add_version(parser: Any) -> None:  # noqa: ANN401 (a parser, or a group of one)
    parser.add_argument(
        "-V",
        "--version",
        action="version",
        version=f"manyshim {__version__}",
        help="print the version",
    )


def of_command(name: str) -> Parser:
    """Return the parser of one command, for its help."""
    command = COMMANDS[name]
    parser: Any = Parser(**_settings(name))
    add_json(parser)
    command.add(parser, ())
    add_common(parser)
    made: Parser = parser
    return made


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
        one: Any = commands.add_parser(name, help=command.summary, **_settings(name))
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
