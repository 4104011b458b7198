"""Run commands in a clean environment, and find the Pythons of this machine."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Callable, Dict, Iterator, List, Mapping, Optional

from constraints import constraint_variables
from strict_index import find_uv

# The CPython versions that the project supports or will support.
MINORS = range(8, 16)
_SCRUBBED = re.compile(
    r"(UV|PIP|MANYSHIM|TWINE|PYTHON)(_|\Z)|PYTHON|VIRTUAL_ENV\Z|CIBUILDWHEEL\Z|CONDA_BUILD\Z"
    r"|(RPM_|DH_INTERNAL_|DEB_|NIX_BUILD_TOP|NIX_LOG_FD|EBUILD_PHASE|PORTAGE_BUILDDIR)"
    r"|AUDITWHEEL_PLAT\Z|SOURCE_DATE_EPOCH\Z|_PYPROJECT_HOOKS|(C|CXX|CPP|LD)FLAGS\Z|(CC|CXX)\Z"
)
# The variables for the package index and for caches of downloads.
_KEPT = re.compile(
    r"(PIP|UV)_(.*INDEX.*|CERT|CLIENT_CERT|TRUSTED_HOST|.*TIMEOUT|FIND_LINKS|CACHE_DIR"
    r"|CONFIG_FILE|NATIVE_TLS|SYSTEM_CERTS|INSECURE_HOST|PYTHON_INSTALL_DIR)\Z"
)
_QUIET = {
    "NO_COLOR": "1",
    "UV_PYTHON_DOWNLOADS": "never",
    "UV_NO_PROGRESS": "1",
    "PIP_DISABLE_PIP_VERSION_CHECK": "1",
}
Runner = Callable[..., "subprocess.CompletedProcess[str]"]


def clean() -> Dict[str, str]:
    kept = {
        name: value
        for name, value in os.environ.items()
        if not _SCRUBBED.match(name) or _KEPT.match(name)
    }
    return {**kept, **_QUIET, **constraint_variables()}


def run_command(
    command: List[str],
    *,
    env: Optional[Mapping[str, str]] = None,
    cwd: Optional[Path] = None,
    ok: bool = True,
) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        command,
        check=False,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        env=clean() if env is None else dict(env),
        cwd=cwd,
    )
    if ok:
        assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return done


def candidates(minor: int) -> Iterator[str]:
    if sys.version_info[:2] == (3, minor):
        yield sys.executable
    for root in filter(None, (os.environ.get("PYENV_ROOT"), said("pyenv", "root"))):
        yield from sorted(map(str, Path(root).glob(f"versions/3.{minor}.*/bin/python3.{minor}")))
    on_path = shutil.which(f"python3.{minor}")
    if on_path:
        yield on_path
    uv = find_uv()
    if uv:
        yield from filter(None, [said(uv, "python", "find", "--system", f"3.{minor}")])


def said(*command: str) -> str:
    """Return the output of a command; an empty string if it is missing or fails."""
    try:
        done = run_command(list(command), ok=False)
    except OSError:
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""


def compiles(python: str, minor: int) -> bool:
    code = (
        "import os, sys, sysconfig as s; print(sys.implementation.name, sys.version_info[:2], "
        "os.path.isfile(os.path.join(s.get_path('include'), 'Python.h')))"
    )
    return said(python, "-c", code) == f"cpython (3, {minor}) True"
