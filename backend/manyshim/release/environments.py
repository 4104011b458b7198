"""Fresh environments for the tests of wheels, on this machine or for another system."""

from __future__ import annotations

import os
import shlex
import sys
from typing import Dict, List, Mapping, Optional, Sequence, Tuple

from manyshim.audit.tags import GLIBC, PlatformTag
from manyshim.errors import ToolError
from manyshim.release.emulation import Runner
from manyshim.release.table import python_key
from manyshim.values import NamedTuple

# The versions of glibc that uv knows for --python-platform, by architecture.
_UV_GLIBC = (*range(40, 30, -1), 28, 17)
_UV_MANYLINUX = ("x86_64", "aarch64")
_OLDEST_GLIBC = 5
_STARTER = """\
#!/bin/sh
exec {command} "$@"
"""
# Python takes its program's path for sys.executable, and that cannot be started without a loader.
_EXECUTABLE = "import sys; sys.executable = {path!r}\n"
_HOME = """\
home = {home}
include-system-site-packages = false
version = {version}
"""


class Environment(NamedTuple):
    """An environment: its folder, and the commands that make it and install packages into it.

    `site` is where packages for another system are put.
    """

    folder: str
    create: Optional[Tuple[str, ...]]
    install: Tuple[str, ...]
    site: str = ""

    @property
    def bin(self) -> str:
        """The folder of its programs."""
        return os.path.join(self.folder, "bin")


def native(folder: str, python: str, uv: Optional[str]) -> Environment:
    """Return a venv of a Python of this machine."""
    own = os.path.join(folder, "bin", "python")
    if uv:
        create = (uv, "venv", "--quiet", "--no-project", "--python", python, folder)
        return Environment(folder, create, (uv, "pip", "install", "--python", own))
    return Environment(folder, (python, "-m", "venv", folder), (own, "-m", "pip", "install"))


def foreign(
    folder: str, runner: Runner, tag: PlatformTag, uv: Optional[str], pip: Optional[str]
) -> Environment:
    """Create the environment of a Python of another system.

    It looks like a venv, and its `python` is a script of the shell. `pip` is a Python that has pip.
    Raises ToolError.
    """
    site = os.path.join(folder, "lib", f"python{runner.version}", "site-packages")
    installer = _installer(runner, tag, uv, pip)
    name = f"python{runner.version}"
    program = os.path.join(folder, "libexec", name)
    try:
        for one in ("bin", "libexec", site):
            os.makedirs(os.path.join(folder, one))
        os.symlink(runner.python.path, program)
        text = _HOME.format(home=os.path.dirname(runner.python.path), version=runner.version)
        _write(os.path.join(folder, "pyvenv.cfg"), text)
        own = os.path.join(folder, "bin", "python")
        for path in (own, f"{own}3", os.path.join(folder, "bin", name)):
            _write_starter(path, (*runner.before, program))
        _write(os.path.join(site, "_manyshim.pth"), _EXECUTABLE.format(path=own))
    except OSError as error:
        raise ToolError(f"{folder}: cannot be written: {error.strerror}") from error
    return Environment(folder, None, (*installer, "--target", site), site)


def link_scripts(environment: Environment) -> None:
    """Let the installed scripts of an environment for another system run with its Python."""
    scripts = os.path.join(environment.site, "bin")
    if not environment.site or not os.path.isdir(scripts):
        return
    for name in os.listdir(scripts):
        path = os.path.join(scripts, name)
        with open(path, "rb") as file:
            is_python = file.read(2) == b"#!" and b"python" in file.readline()
        target = os.path.join(environment.bin, name)
        if is_python and not os.path.exists(target):
            _write_starter(target, (os.path.join(environment.bin, "python"), path))


def variables(environ: Mapping[str, str], environment: Environment) -> Dict[str, str]:
    """Return the variables of a test: those of the user without Python's and manyshim's own."""
    kept = {
        name: value
        for name, value in environ.items()
        if not name.startswith(("PYTHON", "MANYSHIM_", "__PYVENV")) and name != "CONDA_PREFIX"
    }
    path = os.pathsep.join((environment.bin, environ.get("PATH", os.defpath)))
    return {**kept, "VIRTUAL_ENV": environment.folder, "PATH": path}


def _installer(
    runner: Runner, tag: PlatformTag, uv: Optional[str], pip: Optional[str]
) -> Tuple[str, ...]:
    """Return the command that installs wheels for a Python of another system."""
    minor, free = python_key(runner.version)
    only = ("--only-binary", ":all:", "--python-version", f"3.{minor}")
    platform = uv_platform(tag, runner.libc_version) if uv and not free else None
    if uv and platform:
        given = ("--python", sys.executable, "--python-platform", platform)
        return (uv, "pip", "install", *given, *only)
    if pip is None:
        raise ToolError(
            f"only pip installs wheels for CPython {runner.version} on {tag.arch}, and no Python "
            "has it; run python -m ensurepip"
        )
    abis = (f"cp3{minor}t", "none") if free else (f"cp3{minor}", "abi3", "none")
    words = ["--no-compile", "--implementation", "cp", *_each("--abi", abis)]
    words += _each("--platform", pip_platforms(tag, runner.libc_version))
    return (pip, "-m", "pip", "install", *only, *words)


def uv_platform(tag: PlatformTag, version: Tuple[int, int]) -> Optional[str]:
    """Return the name that uv has for a system; None if it has none that takes the tag's wheels."""
    if tag.libc != GLIBC:
        return f"{tag.arch}-unknown-linux-musl" if tag.arch in _UV_MANYLINUX else None
    if tag.arch == "riscv64":
        # uv takes it for a system with glibc 2.39.
        return "riscv64-unknown-linux" if tag.version <= (2, 39) <= version else None
    if tag.arch not in _UV_MANYLINUX:
        return None
    minor = next((one for one in _UV_GLIBC if (2, one) <= version), 0)
    return f"{tag.arch}-manylinux_2_{minor}" if (2, minor) >= tag.version else None


def pip_platforms(tag: PlatformTag, version: Tuple[int, int]) -> List[str]:
    """Return the platforms whose wheels a system takes, the newest first."""
    major, minor = version
    if tag.libc != GLIBC:
        return [f"musllinux_{major}_{one}_{tag.arch}" for one in range(minor, -1, -1)]
    tags = (PlatformTag(GLIBC, major, one, tag.arch) for one in range(minor, _OLDEST_GLIBC - 1, -1))
    return [name for one in tags for name in (str(one), *one.aliases)]


def _each(option: str, values: Sequence[str]) -> List[str]:
    return [word for one in values for word in (option, one)]


def _write(path: str, text: str) -> None:
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)


def _write_starter(path: str, command: Sequence[str]) -> None:
    _write(path, _STARTER.format(command=" ".join(map(shlex.quote, command))))
    os.chmod(path, 0o755)  # noqa: S103 (a program)
