"""Lets the wrapped backend build for a target: with zig, in a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from typing import Any, Callable, Dict, List, Mapping, Optional, Sequence

from manyshim.audit.request import Compiled
from manyshim.config import Config, backend_path
from manyshim.errors import BackendError, ConfigError, ToolError
from manyshim.host import host_arch
from manyshim.toolchain import zig
from manyshim.toolchain.build_environment import create
from manyshim.toolchain.target import Target, resolve
from manyshim.values import NamedTuple
from manyshim.workspace import private_folder

Say = Callable[[Sequence[str]], None]

# What the target's compilers take the place of.
_REPLACED = ("CC", "CXX", "LDSHARED", "LDCXXSHARED", "AR", "RANLIB")

_POLL_SECONDS = 0.1

# Run with the path of the request: only then is manyshim to be found.
_START = (
    "import json, sys; request = json.load(open(sys.argv[1], encoding='utf-8')); "
    "sys.path[:] = request['path']; from manyshim.toolchain import child; child.main(request)"
)


class Call(NamedTuple):
    """The arguments of the hook that is passed on (PEP 517, build_wheel)."""

    folder: str
    settings: Optional[Mapping[str, Any]]
    metadata_directory: Optional[str]


class Built(NamedTuple):
    """The file name of the wrapped backend's wheel, and the configuration that it is judged by."""

    name: str
    config: Config


def missing_requirements(config: Config, environ: Mapping[str, str]) -> List[str]:
    """List what a build for the target lacks: zig, unless there is one.

    Raises ConfigError where zig does not have the target, before anyone downloads it.
    """
    _target(config)
    return zig.missing_requirements(environ)


def build_wheel(config: Config, call: Call, environ: Mapping[str, str], say: Say) -> Built:
    """Call the wrapped backend's build_wheel where everything is set for the target.

    `say` is given each line for the one who builds as soon as there is one. Raises ConfigError for
    a target that zig does not have, ToolError without zig or its cache, and BackendError where
    the backend fails, which has then said so itself.
    """
    target = _target(config)
    found = zig.find(environ)
    environ = {**environ, "ZIG_GLOBAL_CACHE_DIR": zig.cache_folder(environ)}
    replaced = [name for name in _REPLACED if environ.get(name)]
    if replaced:
        say([f"compiler = zig takes the place of {', '.join(replaced)} from the environment"])
    with private_folder(_temporary()) as private:
        made = create(private, target, config, found, environ)
        answer = _ask(
            private,
            config.backend,
            call,
            made.environ,
            _Reader(made.notes, say),
        )
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
            f"compiler = zig knows the settings of CPython only, not of {sys.implementation.name}"
        )
    return resolve(config.platform, host_arch(), config.libc or "")


def _temporary() -> str:
    """Name the folder for temporary files: compilers are split at spaces, PYTHONPATH at colons."""
    folder = os.path.abspath(tempfile.gettempdir())
    if folder.split() != [folder] or os.pathsep in folder:
        raise ToolError(
            f"the folder for temporary files, {folder!r}, has a space or a colon in its name, at "
            "which the path of a compiler is split; set TMPDIR to another one"
        )
    return folder


class _Reader:
    """Passes on what the compilers leave in their file of notes, each line once."""

    def __init__(self, path: str, say: Say) -> None:
        self._path = path
        self._print_lines = say
        self._place = 0
        self._said: Dict[str, None] = {}

    def read(self) -> None:
        """Say the new lines."""
        try:
            with open(self._path, "rb") as file:
                file.seek(self._place)
                new = file.read()
        except FileNotFoundError:
            return
        whole = new[: new.rfind(b"\n") + 1]
        self._place += len(whole)
        for line in os.fsdecode(whole).splitlines():
            if line not in self._said:
                self._said[line] = None
                self._print_lines([line])


def _ask(
    private: str, backend: str, call: Call, environ: Mapping[str, str], reader: _Reader
) -> Dict[str, Any]:
    """Run the child until it ends, and read what it wrote down."""
    request, answer = os.path.join(private, "request"), os.path.join(private, "answer")
    with open(request, "w", encoding="utf-8") as file:
        json.dump(
            {
                # Frontends find in-tree backends in ways of their own.
                "path": [environ["PYTHONPATH"].split(os.pathsep)[0], *backend_path(), *sys.path],
                "backend": backend,
                "folder": os.path.abspath(call.folder),
                "settings": call.settings,
                "metadata_directory": call.metadata_directory,
                "answer": answer,
            },
            file,
            default=str,
        )
    command: List[str] = [sys.executable, "-c", _START, request]
    with subprocess.Popen(command, env=dict(environ)) as process:  # noqa: S603 (this Python)
        try:
            while _running(process):
                reader.read()
        except BaseException:
            process.kill()
            raise
    reader.read()
    if process.returncode or not os.path.isfile(answer):
        how = (
            f"exit code {process.returncode}"
            if process.returncode >= 0
            else (f"signal {-process.returncode}")
        )
        raise BackendError(f"{backend} failed with {how}; what it said stands above")
    with open(answer, encoding="utf-8") as file:
        read: Dict[str, Any] = json.load(file)
    return read


def _running(process: subprocess.Popen[bytes]) -> bool:
    try:
        process.wait(_POLL_SECONDS)
    except subprocess.TimeoutExpired:
        return True
    return False
