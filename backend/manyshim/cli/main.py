"""The command line: parses the arguments, and runs the module of one command."""

from __future__ import annotations

import argparse
import os
import sys
from contextlib import suppress
from importlib import import_module
from typing import List, Optional, Sequence

from manyshim import __version__
from manyshim.errors import ManyshimError, ToolError

# The modules of this package that are commands, with the line that help shows of each.
_COMMANDS = {
    "show": "say which tag each wheel has earned, and what stands before",
    "check": "prove that each wheel may carry the tags in its name",
    "retag": "write each wheel under the tag that it has earned",
    "repair": "copy the external libraries into each wheel, then retag it",
    "policies": "list the policies, oldest first",
}


def main(arguments: Optional[Sequence[str]] = None) -> int:
    """Run the command line; return the exit code, the highest over all wheels."""
    # A name that the terminal's encoding lacks is escaped, and no error.
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
        # Whoever read the output has seen enough; the interpreter must not try to flush it again.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except OSError as error:
        with suppress(OSError):
            print(f"manyshim: error: cannot write the output: {error.strerror}", file=sys.stderr)
        return ToolError.exit_code
    return code


def _parser(given: List[str]) -> argparse.ArgumentParser:
    """Make the parser of the command that is asked for, or of all: each takes a millisecond."""
    parser = argparse.ArgumentParser(
        prog="manyshim",
        description="Audit Linux wheels and give them the manylinux or musllinux tag that they "
        "have earned.",
        epilog="exit codes: 0 yes; 1 a wheel says no; 2 bad usage; 3 a wheel that cannot be read; "
        "4 a tool or the disk; the highest over all wheels wins",
    )
    parser.add_argument("--version", action="version", version=f"manyshim {__version__}")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    asked = next((word for word in given if not word.startswith("-")), "")
    for name in [asked] if asked in _COMMANDS else _COMMANDS:
        summary = _COMMANDS[name]
        command = commands.add_parser(name, help=summary, description=summary)
        command.add_argument("--json", action="store_true", help="for machines")
        module = import_module(f"manyshim.cli.{name}")
        module.add_arguments(command, given)
        command.set_defaults(run=module.run)
    return parser
