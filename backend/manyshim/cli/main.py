"""The command line: parses the arguments and runs the module of one command."""

from __future__ import annotations

import argparse
import os
import sys
from contextlib import suppress
from importlib import import_module
from typing import List, Optional, Sequence

from manyshim import __version__
from manyshim.errors import ManyshimError, ToolError

# The modules of this package that are commands, each with its line of help.
_COMMANDS = {
    "show": "show the tag that is proved for each wheel, and what rules out older tags",
    "check": "verify the tags in each wheel's name, and that the index accepts the wheel",
    "retag": "write each wheel under the tag that is proved for it",
    "repair": "copy external libraries into each wheel, then retag it",
    "policies": "list the policies, oldest first",
}


def main(arguments: Optional[Sequence[str]] = None) -> int:
    """Run the command line; return the exit code, the highest of all wheels."""
    # A character that the terminal's encoding cannot show is escaped.
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    try:
        given = sys.argv[1:] if arguments is None else list(arguments)
        options = _parser(given).parse_args(given)
        code: int = options.run(options)
        sys.stdout.flush()
    except ManyshimError as error:
        print(f"manyshim: error: {error}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        # The reader (`head`, for example) has closed the pipe. Without this, the interpreter would
        # flush it again at exit, and fail.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except OSError as error:
        with suppress(OSError):
            print(f"manyshim: error: cannot write the output: {error.strerror}", file=sys.stderr)
        return ToolError.exit_code
    return code


def _parser(given: List[str]) -> argparse.ArgumentParser:
    """Make the parser of the given command, else of all: each takes a millisecond."""
    parser = argparse.ArgumentParser(
        prog="manyshim",
        description="Audit Linux wheels and write the manylinux or musllinux tag that is proved.",
        epilog="exit codes: 0 success; 1 not compliant; 2 wrong usage; 3 a wheel cannot be read; "
        "4 a tool or the file system failed. The highest code of all wheels is returned.",
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
        command.set_defaults(run=module.run)
    return parser
