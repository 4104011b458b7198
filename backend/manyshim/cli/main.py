"""The command line: parses the arguments and runs the module of one command."""

from __future__ import annotations

import atexit
import gc
import os
import sys
from contextlib import suppress
from importlib import import_module

from manyshim import __version__
from manyshim.cli import manner, reading
from manyshim.errors import ConfigError, ManyshimError, ToolError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Optional, Sequence, TextIO


def main(arguments: Optional[Sequence[str]] = None) -> int:
    """Run the command line; return the exit code, the highest of all wheels."""
    if arguments is None:
        _collect_rarely()
    _open_standard_streams()
    # A character that the terminal's encoding cannot show is escaped.
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    try:
        code = _run(sys.argv[1:] if arguments is None else list(arguments))
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


def _collect_rarely() -> None:
    """Let Python search for cycles of garbage after more objects, and not at exit.

    A run makes next to none, and its process ends. This saves 9 % of the instructions of a short
    run, and 1 % of those of an audit of numpy.
    """
    if sys.implementation.name == "cpython":
        gc.set_threshold(_OBJECTS)
        atexit.register(gc.freeze)


# By default 700, or 2,000 in newer Pythons.
_OBJECTS = 10_000


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


def _run(given: Sequence[str]) -> int:
    """Run what a command line asks for; return the exit code. Raises ConfigError if it is wrong."""
    line = reading.read(given)
    options = line.options
    if line.version:
        print(f"manyshim {__version__}")
        return 0
    if line.help or line.command is None:
        return _print_help(line)
    kept = ("title", "tag") if line.command == "show" else ()
    manner.use(manner.Manner(options.color, quiet=options.quiet, kept=kept))
    options.command = line.command
    code: int = import_module(f"manyshim.cli.{line.command}").run(options)
    return code


def _print_help(line: reading.Line) -> int:
    """Print the help. Without a command it is on standard error, as with other tools (uv, ruff)."""
    from manyshim.cli import parser as parsers  # noqa: PLC0415 (only the help needs argparse)

    parser = (
        parsers.complete(arguments=False)
        if line.command is None
        else parsers.of_command(line.command)
    )
    with manner.colors_of_help(line.options.color):
        parser.print_help(sys.stdout if line.help else sys.stderr)
    return 0 if line.help else ConfigError.exit_code
