"""A real frontend that builds with compiler = zig, and helpers that use its wheels."""

from __future__ import annotations

import os
import re
import sys
import zipfile
from pathlib import Path
from typing import Dict, Mapping, NamedTuple, Sequence

import pytest

import needs
from compiling import Done, zig
from constraints import without_constraints
from frontends import Runner
from sdists import fetch, wrapped
from strict_index import find_uv, problems

# The tests compare with this machine's own compiler and file names.
on_x86_64 = [
    pytest.mark.network,
    pytest.mark.timeout(1800),
    pytest.mark.skipif(
        not (sys.platform.startswith("linux") and os.uname().machine == "x86_64"),
        reason="the cases are for Linux on x86_64",
    ),
]

X86 = "manylinux_2_17_x86_64"
ARM64 = "manylinux_2_17_aarch64"
MUSL = "musllinux_1_2_x86_64"


class Frontend(NamedTuple):
    """uv, and an environment in which it finds manyshim's wheel and zig."""

    run: Runner
    environ: Mapping[str, str]

    def build(
        self,
        project: Path,
        python: str,
        platform: str = "",
        *,
        environ: Mapping[str, str] = {},
        **settings: str,
    ) -> Done:
        """Build a wheel, with zig if a platform is given; `strict` is true by default."""
        dist = project / "dist"
        given = {"compiler": "zig", "platform": platform, "strict": "true", **settings}
        keyed = [f"-Cmanyshim.{key}={value}" for key, value in given.items()] if platform else []
        done = self.run(
            [
                *(str(find_uv()), "build", "--wheel", "--no-sources", "--python", python),
                *("--out-dir", str(dist), *keyed),
            ],
            cwd=project,
            env={**self.environ, **environ},
            ok=False,
        )
        wheels = list(dist.glob("*.whl"))
        assert list(dist.glob(".manyshim-*")) == []
        traced = [line for line in done.stderr.splitlines() if line.lstrip().startswith('File "')]
        assert not [line for line in traced if "/manyshim/" in line], done.stderr
        for wheel in wheels if platform else ():
            if "-linux_" not in wheel.name:
                assert problems(wheel.name, wheel.read_bytes()) == [], "the index takes it"
        return Done(done.returncode, done.stderr, done.stdout, wheels[0] if wheels else None)


def frontend_with(run: Runner, environ: Mapping[str, str]) -> Frontend:
    """Return a frontend; skip the test without uv or zig."""
    needs.tool("uv", "uv", needs.PYPI)
    path = os.pathsep.join((str(Path(zig()).parent), environ["PATH"]))
    return Frontend(run, {**environ, "PATH": path})


def cpython(pythons: Mapping[int, str], minor: int) -> str:
    """Return the CPython of a minor version; skip the test if the machine has none."""
    if minor not in pythons:
        pytest.skip(f"this machine has no CPython 3.{minor} with headers")
    return pythons[minor]


def tags(wheel: Done) -> str:
    """Return the tags in the wheel's file name."""
    return wheel.name[: -len(".whl")].split("-", 2)[2]


def release(name: str, version: str, folder: Path) -> Path:
    """Unpack a release, and make manyshim its build backend."""
    project = fetch(name, version, folder)
    wrapped(project)
    return project


def unpinned(frontend: Frontend) -> Frontend:
    """Return the frontend for a project that requires other versions than the pinned ones."""
    return frontend._replace(environ=without_constraints(frontend.environ))


def unpacked(done: Done) -> Path:
    """Unpack a wheel into a folder of its project, without an installer; return the folder."""
    assert done.wheel is not None, done.errors + done.output
    folder = done.wheel.parent.parent / "unpacked"
    with zipfile.ZipFile(done.wheel) as archive:
        archive.extractall(folder)
    return folder


def require(project: Path, *requirements: str) -> None:
    """Add build requirements to a project that requires manyshim only."""
    path = project / "pyproject.toml"
    text = path.read_text(encoding="utf-8")
    wanted = ", ".join(f'"{one}"' for one in ("manyshim", *requirements))
    assert 'requires = ["manyshim"]' in text
    path.write_text(text.replace('requires = ["manyshim"]', f"requires = [{wanted}]"), "utf-8")


def findings(done: Done, kind: str, severity: str = "error") -> Sequence[str]:
    """List the printed findings of one kind, on separate lines or below the error of a build."""
    lines = (re.sub(r"^(manyshim:)? *", "", line) for line in done.errors.splitlines())
    return [
        line for line in lines if line.startswith(f"{severity}: ") and line.endswith(f"[{kind}]")
    ]


def here(run: Runner, python: str, code: str, *paths: Path) -> str:
    """Run code with a Python of this machine and folders to import from; return its output."""
    environ: Dict[str, str] = {
        "PATH": os.defpath,
        "PYTHONPATH": os.pathsep.join(map(str, paths)),
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    return run([python, "-c", code], env=environ).stdout
