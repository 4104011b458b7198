"""The command line: parses the arguments and runs the module of one command."""

from __future__ import annotations

import argparse
import os
import sys
from contextlib import suppress
from importlib import import_module
from typing import List, NoReturn, Optional, Sequence, TextIO

from manyshim import __version__
from manyshim.errors import ManyshimError, ToolError, printable

# The modules of this package that are commands, each with its line of help.
_COMMANDS = {
    "show": "show the tag that is proved for each wheel, and what rules out older tags",
    "check": "verify a release before its upload: each file, and that none is missing",
    "retag": "write each wheel under the tag that is proved for it",
    "repair": "copy external libraries into each wheel, then retag it",
    "explain": "tell what a kind of finding means, why it matters, and how to fix it",
    "init": "make manyshim the build backend of a project, around its own backend",
    "policies": "list the policies, oldest first",
    "config": "list the options of a project's builds, with their values and where they are set",
}


def main(arguments: Optional[Sequence[str]] = None) -> int:
    """Run the command line; return the exit code, the highest of all wheels."""
    _open_standard_streams()
    # A character that the terminal's encoding cannot show is escaped.
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    try:
        given = sys.argv[1:] if arguments is None else list(arguments)
        options = _parser(given).parse_args(given)
        code: int = options.run(options)
    except ManyshimError as error:
        code = error.exit_code
        _print_error(error.lines)
    except KeyboardInterrupt:
        return 130
    except OSError as error:
        return _not_written(error)
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        # The reader (`head`, for example) has closed the pipe.
        _discard(sys.stdout)
    except OSError as error:
        return _not_written(error)
    return code


def _print_error(lines: Sequence[str]) -> None:
    first, *more = lines
    with suppress(OSError):
        print("\n".join((f"manyshim: error: {first}", *more)), file=sys.stderr)


def _not_written(error: OSError) -> int:
    _print_error((f"cannot write the output: {error.strerror}",))
    _discard(sys.stdout)
    return ToolError.exit_code


def _discard(stream: TextIO) -> None:
    from manyshim.cli.screen import discard  # noqa: PLC0415 (only after an error)

    with suppress(OSError):
        discard(stream)


def _open_standard_streams() -> None:
    """Open the standard streams that the caller closed, so that no file of ours takes their place.

    Output then fails with an error, as that of other programs does. Messages are lost.
    """
    for descriptor in range(3):
        try:
            os.fstat(descriptor)
        except OSError:
            # The lowest free number is taken. What is written to standard output has to fail.
            os.open(os.devnull, (os.O_WRONLY, os.O_RDONLY, os.O_WRONLY)[descriptor])
    if sys.stdout is None:
        sys.stdout = open(1, "w", closefd=False)  # noqa: SIM115 (for the whole process)
    if sys.stderr is None:
        sys.stderr = open(2, "w", closefd=False)  # noqa: SIM115


class _Parser(argparse.ArgumentParser):
    """A parser whose errors are escaped, because they quote the command line."""

    def error(self, message: str) -> NoReturn:
        super().error(printable(message))


def _parser(given: List[str]) -> argparse.ArgumentParser:
    """Make the parser of the given command, else of all: each takes a millisecond."""
    parser = _Parser(
        prog="manyshim",
        description="Audit Linux wheels and write the manylinux or musllinux tag that is proved.",
        epilog="exit codes: 0 success; 1 not compliant; 2 wrong usage; 3 a file cannot be read; "
        "4 a tool or the file system failed; 6 an internal error. "
        "The highest code of all files is returned.",
    )
    parser.add_argument("--version", action="version", version=f"manyshim {__version__}")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    asked = next((word for word in given if not word.startswith("-")), "")
    for name in [asked] if asked in _COMMANDS else _COMMANDS:
        summary = _COMMANDS[name]
        command = commands.add_parser(name, help=summary, description=summary)
        command.add_argument("--json", action="store_true", help="print JSON")
        module = import_module(f"manyshim.cli.{name}")
        module.add_arguments(command, given)
        command.set_defaults(run=module.run, command=name)
    return parser
