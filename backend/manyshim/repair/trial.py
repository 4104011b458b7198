"""Load patched files with this machine's own dynamic loader, in child processes.

Missing data symbols fail in both files, so such a file is skipped.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import tempfile
from contextlib import suppress
from typing import Dict, FrozenSet, List, Mapping, Sequence

from manyshim.errors import ToolError, shorten
from manyshim.process import ending
from manyshim.repair import member_names
from manyshim.repair.outside import Outside
from manyshim.values import NamedTuple

# The module is imported, so that Python compiles it once only. A script is compiled each time.
_START = "import sys; sys.path.append(sys.argv[1]); import trial_process; trial_process.main()"
_FOLDER = os.path.dirname(os.path.abspath(__file__))
# How long the interpreter may take to start and to end, in seconds.
_START_SECONDS = 60.0
_LIBRARY_PATH = "LD_LIBRARY_PATH"
# What the loaders of glibc and musl say if they do not find a library.
_MISSING = re.compile(
    r"(?P<glibc>[^:]+): cannot open shared object file"
    r"|Error loading shared library (?P<musl>[^:]+): No such file"
)
_MAX_MEMBERS_IN_NOTE = 3


class Trial(NamedTuple):
    """A patched library: its member in the wheel, and the paths of the two files."""

    member: str
    original: str
    patched: str


class TrialResult(NamedTuple):
    """The reasons by member.

    `failures` are the patched files that cannot be loaded though their originals can. `not_loaded`
    could not be tested. All other files were loaded, or their originals cannot be loaded either.
    """

    failures: Mapping[str, str]
    not_loaded: Mapping[str, str]


class Limits(NamedTuple):
    """How long loading may take in seconds: one file, and all originals or all patched files."""

    file: float
    all: float


# A wheel of two thousand libraries takes less than a minute.
LIMITS = Limits(30.0, 600.0)


def try_loading(
    files: Sequence[Trial],
    outside: Outside,
    folder: str,
    names: Mapping[str, str] = {},
    limits: Limits = LIMITS,
) -> TrialResult:
    """Load each patched file; where that fails, load its original too.

    Both get the libraries that stay outside of the wheel. Only the originals get the originals of
    the copies, so a patched file is loaded only if it finds its copies itself. Links to these
    libraries are made in the private `folder`. In the reasons, `names` replace the paths of files
    in this folder. Raises ToolError if the links cannot be made.
    """
    if not files:
        return TrialResult({}, {})
    own = _interpreter_libraries(os.environ)
    patched = _Loader(folder, "after", {**own, **outside.places}, limits)
    reasons = patched.load([file.patched for file in files])
    failures: Dict[str, str] = {}
    not_loaded: Dict[str, str] = {}
    failed: List[Trial] = []
    for file in files:
        reason = reasons[file.patched]
        if reason.not_tried:
            not_loaded[file.member] = reason.text
        elif missing_library(reason.text) in outside.names:
            library = shorten(missing_library(reason.text))
            not_loaded[file.member] = f"{library}, which it needs, was not found on this machine"
        elif reason.text:
            failed.append(file)
    if failed:
        libraries = {**own, **outside.originals, **outside.places}
        originals = _Loader(folder, "before", libraries, limits)
        broken = originals.load([file.original for file in failed])
        renamed = {**names, **patched.names}
        for file in failed:
            if broken[file.original].not_tried:
                not_loaded[file.member] = broken[file.original].text
            elif not broken[file.original].text:
                text = reasons[file.patched].text
                failures[file.member] = member_names.readable(text, folder, renamed)
    return TrialResult(failures, not_loaded)


def missing_library(message: str) -> str:
    """Return the library that a loader did not find by its message, "" for another message."""
    found = _MISSING.match(message)
    return (found.group("glibc") or found.group("musl")) if found else ""


def notes(not_loaded: Mapping[str, str]) -> List[str]:
    """Return a line for each reason why files were not loaded."""
    members: Dict[str, List[str]] = {}
    for member, reason in sorted(not_loaded.items()):
        members.setdefault(reason, []).append(member)
    lines = []
    for reason, listed in members.items():
        text = ", ".join(map(shorten, listed[:_MAX_MEMBERS_IN_NOTE]))
        more = len(listed) - _MAX_MEMBERS_IN_NOTE
        lines.append(f"not loaded: {text}{f' and {more} more' if more > 0 else ''}: {reason}")
    return lines


class _Reason(NamedTuple):
    """Why a file cannot be loaded, "" if it can; or why that was not tried."""

    text: str
    not_tried: bool = False


class _Loader:
    """Loads files in a process that finds the given libraries, by name, before the system's.

    `names` are the paths of the links to these libraries, and where they lead.
    """

    def __init__(
        self, folder: str, side: str, libraries: Mapping[str, str], limits: Limits
    ) -> None:
        self.limits = limits
        self.names: Dict[str, str] = {}
        try:
            self.folder = tempfile.mkdtemp("", f"{side}-", os.path.abspath(folder))
            for name, path in libraries.items():
                link = os.path.join(self.folder, name)
                os.symlink(os.path.abspath(path), link)
                self.names[link] = path
        except OSError as error:
            where = error.filename2 or error.filename
            raise ToolError(f"{where}: cannot be written: {error.strerror}") from error

    def load(self, paths: Sequence[str]) -> Dict[str, _Reason]:
        """Load each file; return the reason for each path."""
        # With -I the interpreter ignores PYTHON* variables and the working directory.
        without_bytecode = ("-B",) if sys.dont_write_bytecode else ()
        command = [sys.executable, "-I", "-S", *without_bytecode, "-c", _START, _FOLDER]
        given = (repr(self.limits.file), repr(self.limits.all), *map(os.path.abspath, paths))
        try:
            output = self._run(command, b"\0".join(map(os.fsencode, given)))
        except OSError as error:
            output = b""
            reason = f"{sys.executable} cannot be started: {error.strerror}"
        else:
            reason = "the process that loads files was ended"
        found: Dict[str, _Reason] = {}
        for line in output.rpartition(b"\n")[0].splitlines():
            if line == b"limit":
                reason = f"loading all files was not finished after {self.limits.all:g} seconds"
                continue
            index, hung, status, message = line.split(b" ")
            text = bytes.fromhex(message.decode()).decode("utf-8", "replace")
            found[paths[int(index)]] = _Reason(
                _problem(text, int(status), self.limits.file, hung=hung == b"1")
            )
        return {path: found.get(path, _Reason(reason, not_tried=True)) for path in paths}

    def _run(self, command: Sequence[str], given: bytes) -> bytes:
        """Return what a command prints; end it and its children. Raises OSError."""
        process = subprocess.Popen(  # noqa: S603 (the running interpreter)
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=self._environ(),
            cwd=self.folder,
            start_new_session=True,
        )
        with process:
            try:
                return process.communicate(given, _START_SECONDS + self.limits.all)[0]
            except subprocess.TimeoutExpired as error:
                return bytes(error.output or b"")
            finally:
                if process.returncode is None:
                    with suppress(OSError):
                        os.killpg(process.pid, signal.SIGKILL)

    def _environ(self) -> Dict[str, str]:
        environ = {
            name: value
            for name, value in os.environ.items()
            if name in ("PATH", "LANG") or name.startswith("LC_")
        }
        if self.names:
            # These characters cannot be in a library path. The folder is the current one.
            strange = re.search("[:;$\n]", self.folder)
            environ[_LIBRARY_PATH] = os.curdir if strange else self.folder
        return environ


def _interpreter_libraries(environ: Mapping[str, str]) -> Dict[str, str]:
    """Return the libraries that this process found through LD_LIBRARY_PATH, by name.

    The interpreter of the child process may not start without them.
    """
    found: Dict[str, str] = {}
    folders = filter(os.path.isabs, re.split("[:;]", environ.get(_LIBRARY_PATH, "")))
    loaded = _mapped_files() if environ.get(_LIBRARY_PATH) else frozenset()
    for folder in folders:
        with suppress(OSError):
            for name in os.listdir(folder):
                path = os.path.join(folder, name)
                if os.path.realpath(path) in loaded:
                    found.setdefault(name, path)
    return found


def _mapped_files() -> FrozenSet[str]:
    """Return the paths of the files that are mapped in this process, without links (proc(5))."""
    with suppress(OSError), open("/proc/self/maps", "rb") as file:
        return frozenset(os.fsdecode(line[line.find(b"/") :].rstrip(b"\n")) for line in file)
    return frozenset()


def _problem(output: str, status: int, timeout: float, *, hung: bool) -> str:
    if hung:
        return f"loading it was not finished after {timeout:g} seconds"
    if os.WIFSIGNALED(status):
        return f"the process that loaded it {ending(-os.WTERMSIG(status))}"
    if output:
        return output[1:] if output.startswith("-") else ""
    return f"it ended the process that loaded it (exit code {os.WEXITSTATUS(status)})"
