"""Run builds with compiler = zig in child processes."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import zipfile
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Dict, List, Mapping, NamedTuple, Optional

import needs
from manyshim.audit.facts import ElfFile
from manyshim.audit.request import Request
from manyshim.audit.verdict import Report
from manyshim.formats.wheel.wheel import Wheel
from manyshim.operations import inspect
from paths import BACKEND, PROJECTS

PROBE = PROJECTS / "probe"

# Variables that would change a build.
_SCRUBBED = ("CFLAGS", "CPPFLAGS", "LDFLAGS", "CC", "CXX", "AR", "PYTHONPATH", "DIST_EXTRA_CONFIG")

_HOOK = (
    "import sys, json, manyshim.backend as b; "
    "print(b.build_wheel(sys.argv[1], json.loads(sys.argv[2])))"
)


class Done(NamedTuple):
    """A build's exit code, its stderr and stdout, and its wheel."""

    code: int
    errors: str
    output: str
    wheel: Optional[Path]

    @property
    def name(self) -> str:
        """The wheel's file name."""
        assert self.wheel is not None, self.errors + self.output
        return self.wheel.name

    @property
    def lines(self) -> List[str]:
        """The lines of manyshim itself, without the prefix."""
        return [line[10:] for line in self.errors.splitlines() if line.startswith("manyshim: ")]


def zig() -> str:
    """Return the path of this environment's zig; skip the test without one."""
    needs.module("ziglang")
    spec = find_spec("ziglang")
    assert spec is not None
    assert spec.submodule_search_locations
    return str(Path(spec.submodule_search_locations[0]) / "zig")


def clean(environ: Optional[Mapping[str, Optional[str]]] = None) -> Dict[str, str]:
    """Return an environment for builds, with zig on PATH; None removes a variable."""
    needs.python_headers()
    kept = {
        name: value
        for name, value in os.environ.items()
        if name not in _SCRUBBED and not name.startswith(("MANYSHIM_", "PROBE_"))
    }
    kept["PATH"] = os.pathsep.join((str(Path(zig()).parent), kept.get("PATH", "")))
    kept["PYTHONPATH"] = str(BACKEND)
    for name, value in (environ or {}).items():
        kept.pop(name, None)
        if value is not None:
            kept[name] = value
    return kept


def copy(source: Path, folder: Path) -> Path:
    """Copy a project without files that a build has written."""
    built = shutil.ignore_patterns("__pycache__", "*.egg-info", "build", "dist", "*.so")
    shutil.copytree(str(source), str(folder), ignore=built)
    return folder


def compile_wheel(
    project: Path,
    platform: str,
    *,
    environ: Optional[Mapping[str, Optional[str]]] = None,
    python: str = sys.executable,
    others: Optional[Mapping[str, Any]] = None,
    **settings: Any,
) -> Done:
    """Call the hook in the project's folder, as frontends do.

    `others` are settings of the wrapped backend.
    """
    import json

    given = {"compiler": "zig", "platform": platform, **settings}
    keyed = {f"manyshim.{key.replace('_', '-')}": value for key, value in given.items()}
    keyed.update(others or {})
    dist = project / "dist"
    shutil.rmtree(str(dist), ignore_errors=True)
    done = subprocess.run(
        [python, "-c", _HOOK, str(dist), json.dumps(keyed)],
        cwd=str(project),
        env=clean(environ),
        capture_output=True,
        text=True,
        check=False,
    )
    wheels = list(dist.glob("*.whl"))
    assert list(dist.glob(".manyshim-*")) == []
    wheel = wheels[0] if wheels else None
    return Done(done.returncode, done.stderr, done.stdout, wheel)


def audited(wheel: Path, libc: str = "glibc") -> Report:
    """Audit a wheel as the command line does."""
    with Wheel(str(wheel)) as opened:
        return inspect(opened, Request(libc=libc))


def elfs(wheel: Path) -> Dict[str, ElfFile]:
    """Return a wheel's ELF files by path."""
    with Wheel(str(wheel)) as opened:
        return {elf.path: elf for elf in opened.facts().elfs}


def members(wheel: Path) -> Dict[str, bytes]:
    """Return the contents of a wheel's members by path."""
    with zipfile.ZipFile(wheel) as archive:
        return {name: archive.read(name) for name in archive.namelist()}
