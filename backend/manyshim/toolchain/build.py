"""Run the wrapped backend for a target: with zig, in a child process."""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from typing import Any, Callable, Dict, List, Mapping, Optional, Sequence, Set

from manyshim import pyproject
from manyshim.audit.request import Compiled
from manyshim.config import Config
from manyshim.errors import BackendError, ConfigError, ToolError
from manyshim.host import host_arch
from manyshim.toolchain import zig
from manyshim.toolchain.build_environment import create
from manyshim.toolchain.systems import stale
from manyshim.toolchain.systems.apply import apply, is_meson
from manyshim.toolchain.systems.hints import hint
from manyshim.toolchain.target import Target, resolve
from manyshim.values import NamedTuple
from manyshim.workspace import private_folder

PrintLines = Callable[[Sequence[str]], None]

# The target's tools replace these variables of the environment.
_REPLACED = ("CC", "CXX", "LDSHARED", "LDCXXSHARED", "AR", "RANLIB")

_POLL_SECONDS = 0.1
_CHUNK_BYTES = _TAIL_BYTES = 1 << 16
_STDOUT, _STDERR = 1, 2

# The child gets the path of its request. It can import manyshim only after sys.path is set. Before
# its first import of a file it drops the current folder, where the project may have a json.py.
_START = (
    "import sys; sys.path[:] = filter(None, sys.path); "
    "import json; request = json.load(open(sys.argv[1], encoding='utf-8')); "
    "sys.path[:] = request['path']; from manyshim.toolchain import child; child.main(request)"
)


class Call(NamedTuple):
    """The arguments of the build_wheel hook that is forwarded (PEP 517)."""

    folder: str
    settings: Optional[Mapping[str, Any]]
    metadata_directory: Optional[str]


class Built(NamedTuple):
    """The file name of the wrapped backend's wheel, and the configuration to audit it with."""

    name: str
    config: Config


def missing_requirements(config: Config, environ: Mapping[str, str]) -> List[str]:
    """List the requirements that a build for the target lacks: zig, if none is found.

    Raises ConfigError if zig does not support the target, so that zig is not downloaded in vain.
    """
    _target(config)
    return zig.missing_requirements(environ)


def build_wheel(
    config: Config, call: Call, environ: Mapping[str, str], print_lines: PrintLines
) -> Built:
    """Call the wrapped backend's build_wheel in an environment that is set up for the target.

    `print_lines` gets each message for the user during the build. Raises ConfigError for a target
    that zig does not support, ToolError if zig or its cache is missing, and BackendError if the
    backend fails. The backend has then printed its own error.
    """
    target = _target(config)
    found = zig.find(environ)
    environ = {**environ, "ZIG_GLOBAL_CACHE_DIR": zig.cache_folder(environ)}
    replaced = [name for name in _REPLACED if environ.get(name)]
    if replaced:
        print_lines([f"compiler = zig replaces {', '.join(replaced)} from the environment"])
    folders = stale.folders(call.settings, environ)
    stale.discard(folders)
    with ExitStack() as stack:
        stack.callback(stale.discard, folders)  # when the private folder is removed
        private = stack.enter_context(private_folder(_temporary_folder()))
        made = create(private, target, config, found, environ)
        notes = _Notes(made.notes, print_lines)
        applied = apply(private, target, made.tools, config.backend, call.settings, made.environ)
        print_lines(applied.lines)
        call = call._replace(settings=applied.settings)
        answer = _run_backend(private, config, call, applied.environ, notes)
        called = os.path.exists(made.notes)
    if "error" in answer:
        raise BackendError(answer["error"])
    compiled = Compiled(
        target.multiarch(sys.version_info[:2]),
        tuple(answer["modules"]),
        called,
        zig.glibc_names(found, environ),
    )
    return Built(answer["name"], config._replace(platform=target.tag, compiled=compiled))


def _target(config: Config) -> Target:
    if sys.implementation.name != "cpython":
        raise ConfigError(
            f"compiler = zig supports CPython only, and this is {sys.implementation.name}"
        )
    return resolve(config.platform, host_arch(), config.libc or "")


def _temporary_folder() -> str:
    """Return the folder for temporary files.

    Raises ToolError for a space or a colon in its name. Build tools split the compiler's path at
    spaces, and Python splits PYTHONPATH at colons.
    """
    folder = os.path.abspath(tempfile.gettempdir())
    if folder.split() != [folder] or os.pathsep in folder:
        raise ToolError(
            f"the folder for temporary files, {folder!r}, has a space or a colon in its name, and "
            "build tools split a compiler's path there; set TMPDIR to another folder"
        )
    return folder


class _Notes:
    """The file in which the compilers leave their notes for the user."""

    def __init__(self, path: str, print_lines: PrintLines) -> None:
        self.path = path
        self._print_lines = print_lines
        self._offset = 0
        self._printed: Set[str] = set()

    def print_new(self) -> None:
        """Print the complete lines that were added since the last call, each text once."""
        try:
            with open(self.path, "rb") as file:
                file.seek(self._offset)
                added = file.read()
        except FileNotFoundError:
            return
        complete = added[: added.rfind(b"\n") + 1]
        self._offset += len(complete)
        for line in os.fsdecode(complete).splitlines():
            if line not in self._printed:
                self._printed.add(line)
                self._print_lines([line])

    def print_hint(self, output: str, *, sysroot: Optional[str]) -> None:
        """Print the cause of a failure, if the last output tells it."""
        cause = hint(output, sysroot=sysroot)
        if cause:
            self._print_lines([cause])


class _Tail:
    """The end of a build's output."""

    def __init__(self) -> None:
        self._kept = b""

    def add(self, data: bytes) -> None:
        self._kept = (self._kept + data)[-_TAIL_BYTES:]

    def text(self) -> str:
        return self._kept.decode(errors="replace")


def _run_backend(
    private: str, config: Config, call: Call, environ: Mapping[str, str], notes: _Notes
) -> Dict[str, Any]:
    """Run the child process until it ends, and return the answer that it wrote to a file."""
    request, answer = os.path.join(private, "request"), os.path.join(private, "answer")
    # Each frontend has its own way to make in-tree backends importable.
    document = pyproject.read(os.curdir)
    in_tree = pyproject.frontend_path(document, os.curdir)
    with open(request, "w", encoding="utf-8") as file:
        json.dump(
            {
                "path": [environ["PYTHONPATH"].split(os.pathsep)[0], *in_tree, *sys.path],
                "backend": config.backend,
                "backend_path": config.backend_path,
                "folder": os.path.abspath(call.folder),
                "settings": call.settings,
                "meson": is_meson(config.backend, document),
                "notes": notes.path,
                "metadata_directory": call.metadata_directory,
                "answer": answer,
            },
            file,
            default=str,
        )
    tail = _Tail()
    code = _run_child(request, environ, notes, tail)
    if code or not os.path.isfile(answer):
        notes.print_hint(tail.text(), sysroot=config.sysroot)
        reason = f"exit code {code}" if code >= 0 else f"signal {-code}"
        raise BackendError(f"{config.backend} failed with {reason}; see its output above")
    with open(answer, encoding="utf-8") as file:
        read: Dict[str, Any] = json.load(file)
    return read


def _run_child(request: str, environ: Mapping[str, str], notes: _Notes, tail: _Tail) -> int:
    """Run the child process until it ends, and return its exit code, negative for a signal.

    The child's output passes through this process, which prints the compilers' notes between lines
    only. In the middle of a line, people and programs would not find a note. `tail` gets a copy.
    """
    command = [sys.executable, "-c", _START, request]
    merged = _is_one_output()
    if os.isatty(_STDOUT):
        # Python writes lines to a terminal at once, and to a pipe only with -u.
        command.insert(1, "-u")
    with subprocess.Popen(  # noqa: S603 (this Python)
        command,
        env=dict(environ),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT if merged else subprocess.PIPE,
    ) as process:
        try:
            _forward_output(process, notes, tail)
        except BaseException:
            process.kill()
            raise
    notes.print_new()
    return process.returncode


def _is_one_output() -> bool:
    """Tell whether stdout and stderr are one terminal, pipe or file, so that their lines mix."""
    try:
        return os.path.sameopenfile(_STDOUT, _STDERR)
    except OSError:  # one of them is closed
        return False


def _forward_output(process: subprocess.Popen[bytes], notes: _Notes, tail: _Tail) -> None:
    """Copy the child's output to this process's until the child ends; print notes between lines.

    What is one output goes to stderr. A last line of stderr without an end gets one.
    """
    assert process.stdout is not None  # noqa: S101 (it is a pipe)
    copied = {process.stdout.fileno(): _STDOUT if process.stderr else _STDERR}
    if process.stderr:
        copied[process.stderr.fileno()] = _STDERR
    poll = select.poll()
    for pipe in copied:
        poll.register(pipe, select.POLLIN)
    line_complete = True
    while copied:
        # Asked before the pipes are polled, so that the last output is not lost.
        ended = process.poll() is not None
        ready = poll.poll(0 if ended else _POLL_SECONDS * 1000)
        for pipe, _ in ready:
            chunk = os.read(pipe, _CHUNK_BYTES)
            tail.add(chunk)
            output = copied[pipe]
            if not chunk or not _write(output, chunk):
                poll.unregister(pipe)
                del copied[pipe]
            elif output == _STDERR:
                line_complete = chunk.endswith(b"\n")
        if ended and not ready:  # a process that the child left behind may keep the pipe open
            break
        if line_complete:
            notes.print_new()
    if not line_complete:
        _write(_STDERR, b"\n")


def _write(output: int, data: bytes) -> bool:
    """Write bytes to an output of this process; return False if it cannot be written to."""
    try:
        while data:
            data = data[os.write(output, data) :]
    except OSError:
        return False
    return True
