"""Find an external tool, and run it for a limited time."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
import tempfile
from contextlib import contextmanager, suppress
from typing import (
    Callable,
    Iterable,
    Iterator,
    List,
    Mapping,
    Optional,
    Sequence,
    Tuple,
    TypeVar,
)

from manyshim.errors import ToolError
from manyshim.values import NamedTuple

_Tool = TypeVar("_Tool")

_MAX_QUOTED_LINES = 5
_MAX_QUOTED_COLUMNS = 300
_LEAST_SECONDS = 60.0
_BYTES_A_SECOND = 1 << 20


class Limits(NamedTuple):
    """How many bytes a tool may have in memory and may print."""

    memory: int
    output: int


def run(
    command: Sequence[str],
    environ: Mapping[str, str],
    seconds: float,
    limits: Optional[Limits] = None,
    folder: Optional[str] = None,
) -> str:
    """Run a command and return what it printed on both streams.

    `folder` is its current folder, without limits only. Raises ToolError if it cannot be started,
    fails, is killed or takes longer than `seconds`. After that time its children are killed, too.
    """
    if limits:
        return _run_limited(command, environ, seconds, limits)
    name = os.path.basename(command[0])
    arguments = [os.fsencode(argument) for argument in command]
    try:
        process = subprocess.Popen(  # noqa: S603 (a tool found before, without a shell)
            arguments,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=dict(environ),
            cwd=folder,
            start_new_session=True,
        )
    except OSError as error:
        raise ToolError(f"{command[0]}: cannot be run: {error.strerror}") from error
    with process:
        try:
            output, _ = process.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            raise ToolError(
                f"{name} was stopped after {seconds:.0f} seconds: {_command_line(command)}"
            ) from None
        finally:
            if process.returncode is None:
                _kill(process)
    text = output.decode("utf-8", "replace")
    if process.returncode:
        quoted = (f"  {line}" for line in _last_lines(text))
        how = ending(process.returncode)
        raise ToolError(f"{name} {how}: {_command_line(command)}", *quoted)
    return text


def _run_limited(
    command: Sequence[str], environ: Mapping[str, str], seconds: float, limits: Limits
) -> str:
    """Run a command as `run` does; the system kills it beyond the limits (on Linux)."""
    try:
        return _output_within(command, environ, seconds, limits)
    except OSError as error:
        raise ToolError(f"{command[0]}: cannot be run: {error.strerror}") from error


def _output_within(
    command: Sequence[str], environ: Mapping[str, str], seconds: float, limits: Limits
) -> str:
    with tempfile.TemporaryFile() as output:
        process = subprocess.Popen(  # noqa: S603 (as in `run`)
            list(map(os.fsencode, command)),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.DEVNULL,
            env=dict(environ),
            start_new_session=True,
        )
        with process:
            try:
                _limit(process.pid, limits)
                process.wait(seconds)
            except (OSError, subprocess.TimeoutExpired):
                pass
            finally:
                if process.returncode is None:
                    _kill(process)
        if process.returncode:
            raise ToolError(f"{os.path.basename(command[0])} {ending(process.returncode)}")
        output.seek(0)
        return output.read(limits.output).decode("utf-8", "replace")


def _limit(process: int, limits: Limits) -> None:
    if sys.platform == "linux":
        import resource  # noqa: PLC0415 (not on Windows)

        resource.prlimit(process, resource.RLIMIT_AS, (limits.memory, limits.memory))
        resource.prlimit(process, resource.RLIMIT_FSIZE, (limits.output, limits.output))
        resource.prlimit(process, resource.RLIMIT_CORE, (0, 0))


def first_good(paths: Iterable[str], judge: Callable[[str], _Tool], missing: str) -> _Tool:
    """Return what `judge` returns for the first path that it does not raise ToolError for.

    If it raises for all of them, the first error is raised again. Without any path, ToolError has
    the text `missing`.
    """
    problem: Optional[ToolError] = None
    for path in paths:
        try:
            return judge(path)
        except ToolError as error:
            problem = problem or error
    raise problem or ToolError(missing)


def seconds_for(path: str) -> float:
    """Return how long a tool may take to read and write a file, in seconds."""
    return _LEAST_SECONDS + os.path.getsize(path) / _BYTES_A_SECOND


def operand(path: str) -> str:
    """Return a path in a form that no tool takes as an option or a file of options."""
    return path if os.path.isabs(path) else os.path.join(os.curdir, path)


@contextmanager
def writable(path: str, name: str = "") -> Iterator[None]:
    """Let the owner write to a file within the block. Raises ToolError if that is not possible.

    `name` is printed instead of the path.
    """
    try:
        mode = stat.S_IMODE(os.stat(path).st_mode)
        os.chmod(path, mode | stat.S_IRUSR | stat.S_IWUSR)
        try:
            yield
        finally:
            with suppress(FileNotFoundError):
                os.chmod(path, mode)
    except OSError as error:
        raise ToolError(f"{name or path}: cannot be written: {error.strerror}") from error


def _kill(process: subprocess.Popen[bytes]) -> None:
    with suppress(OSError):
        os.killpg(process.pid, signal.SIGKILL)
    with suppress(OSError):
        process.kill()


def ending(code: int) -> str:
    """Return how a process ended, in words, by its exit code as in `subprocess`."""
    if code > 0:
        return f"failed with exit code {code}"
    try:
        return f"was killed by {signal.Signals(-code).name}"
    except ValueError:
        return f"was killed by signal {-code}"


def _last_lines(text: str) -> List[str]:
    lines = [line.rstrip() for line in text.splitlines() if line.strip()]
    return [line[:_MAX_QUOTED_COLUMNS] for line in lines[-_MAX_QUOTED_LINES:]]


def _command_line(command: Sequence[str]) -> str:
    words: Tuple[str, ...] = (os.path.basename(command[0]), *command[1:])
    return " ".join(word.encode("utf-8", "backslashreplace").decode() for word in words)
