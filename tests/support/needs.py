"""Require tools: without one a test is skipped and names the package; in CI it fails.

A test calls one of the functions before it uses a tool. `mark` is for a whole test or module.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
from functools import lru_cache
from importlib.util import find_spec
from typing import Any, Callable, NoReturn, Tuple

import pytest

LINUX = sys.platform.startswith("linux")
DEBIAN, PYPI = "Debian", "PyPI"


def missing(what: str, package: str, source: str = DEBIAN) -> NoReturn:
    """Skip the test and name the package to install; fail in CI."""
    unmet(f"{what} is not installed ({source}: {package})")


def unmet(reason: str) -> NoReturn:
    """Skip the test with a reason; fail in CI, where everything is installed."""
    if os.environ.get("CI", "").lower() in ("true", "1"):
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)


def tool(name: str, package: str, source: str = DEBIAN) -> str:
    """Return the path of a program. Those of PyPI's packages may be beside the interpreter."""
    folders = [os.environ.get("PATH", os.defpath)]
    if source == PYPI:
        folders.insert(0, os.path.dirname(sys.executable))
    found = shutil.which(name, path=os.pathsep.join(folders))
    if found is None:
        missing(name, package, source)
    return found


@lru_cache(maxsize=None)
def llvm(name: str) -> str:
    """Return the path of a tool of llvm. Debian puts some of them on PATH with a version only."""
    command = [tool("llvm-config", "llvm"), "--bindir"]
    folder = subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    found = shutil.which(name, path=folder)
    if found is None:
        missing(name, "llvm")
    return found


def compiler(name: str = "gcc") -> str:
    """Return the path of gcc or g++. On other systems than Linux they make no ELF files."""
    if not LINUX:
        pytest.skip(f"{name} makes ELF files on Linux only")
    return tool(name, name)


def header(name: str, package: str) -> None:
    """Require a C header that the machine's compiler finds."""
    command = [compiler(), "-E", "-include", name, "-x", "c", os.devnull]
    if subprocess.run(command, capture_output=True, check=False).returncode:
        missing(name, package)


def file(path: str, package: str) -> None:
    """Require a file at a path, which a Debian package installs."""
    if not os.path.exists(path):
        missing(path, package)


def packages(*names: str) -> None:
    """Require Debian packages that are installed, for tests that need no certain file of them."""
    query = [tool("dpkg-query", "dpkg"), "-W", "-f", "${db:Status-Status}\n"]
    absent = []
    for name in names:
        done = subprocess.run([*query, name], capture_output=True, text=True, check=False)
        if "installed" not in done.stdout.splitlines():
            absent.append(name)
    if absent:
        unmet(f"not installed (Debian: {' '.join(absent)})")


def module(name: str, package: str = "", since: Tuple[int, int] = (3, 8)) -> None:
    """Require a Python package of the dev group; `since` is the oldest Python that it supports."""
    if sys.version_info < since:
        pytest.skip("{} needs Python {}.{}".format(name, *since))
    if find_spec(name) is None:
        missing(name, package or name, PYPI)


def zig() -> None:
    """Require zig, on PATH or from the dev group."""
    if not shutil.which("zig"):
        module("ziglang")


def python_headers() -> str:
    """Return the folder of this interpreter's Python.h."""
    folder = sysconfig.get_paths()["include"]
    if not os.path.isfile(os.path.join(folder, "Python.h")):
        missing(f"{folder}/Python.h", "python{}.{}-dev".format(*sys.version_info))
    return folder


def debian_python() -> str:
    """Return the path of Debian 12's own Python, which has its headers, too."""
    file("/usr/bin/python3.11", "python3.11-dev")
    file("/usr/include/python3.11/Python.h", "python3.11-dev")
    return "/usr/bin/python3.11"


def extension() -> None:
    """Require a compiler and the headers of this interpreter, for extension modules."""
    python_headers()
    tool(str(sysconfig.get_config_var("CC") or "cc").split()[0], "gcc")


def mark(check: Callable[..., object], *arguments: Any) -> pytest.MarkDecorator:
    """Return a mark for a test, a parameter or a module; `check` is called before fixtures."""
    # A mark that is called with a function alone would decorate that function.
    return pytest.mark.needs.with_args(check, *arguments)


def meet(item: pytest.Item) -> None:
    """Call the checks in the marks of a test."""
    for one in item.iter_markers("needs"):
        check, *arguments = one.args
        check(*arguments)
