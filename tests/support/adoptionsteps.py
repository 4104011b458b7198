"""Adopt manyshim in a real project, build it with every frontend, and compare the results."""

from __future__ import annotations

import re
import shutil
import sys
import tarfile
import tempfile
import zipfile
from pathlib import Path
from typing import Any, Callable, Dict, List, Mapping, NamedTuple, Set, Tuple

from packaging.requirements import Requirement

from adoptionprojects import Project
from frontends import run_command

if sys.version_info >= (3, 11):
    import tomllib as tomli
else:
    import tomli

# Both sides are built with these. Without debug information and with a fixed time, most compilers
# and backends write the same bytes again. Without optimisation the builds take less time.
_FLAGS = "-O0 -g0"
_VARIABLES = {
    "CFLAGS": _FLAGS,
    "CXXFLAGS": _FLAGS,
    "SOURCE_DATE_EPOCH": "1700000000",
    "PIP_NO_COMPILE": "1",
}
# Written by manyshim: the tag is in the first, and the hash of the first is in the second.
_OWN = re.compile(r"[^/]+\.dist-info/(WHEEL|RECORD)\Z")
_LAST_LINES = 40
_MAX_REASON = 300
_NOBODY = ("-c", "user.name=nobody", "-c", "user.email=nobody@example.org")
_GIT = (("init", "-q"), ("add", "-A", "-f"), (*_NOBODY, "commit", "-qm", "release"))


class StepError(Exception):
    """A command of a frontend failed; the argument is the end of its output."""


class Bench(NamedTuple):
    """What all steps of one project share. `folder` is empty at the start."""

    project: Project
    uv: str
    environ: Mapping[str, str]
    folder: Path

    def run(self, *command: str, cwd: Path | None = None) -> str:
        """Run a command; return its output. uv reads no settings of this repository there."""
        environ = {**self.environ, **_VARIABLES, **self.project.environ}
        done = run_command(list(command), env=environ, cwd=cwd or self.folder, ok=False)
        text = done.stdout + done.stderr
        if done.returncode:
            raise StepError("\n".join(text.splitlines()[-_LAST_LINES:]))
        return text

    def lay(self, tree: Path, name: str = "tree") -> Path:
        """Copy a source tree to the path of that name; return the copy.

        The path is the same for both sides, because compilers write paths into files.
        """
        place = self.folder / name / self.project.name
        if place.exists():
            shutil.rmtree(str(place))
        shutil.copytree(str(tree), str(place), symlinks=True)
        if self.project.repository:
            for command in _GIT:
                self.run("git", *command, cwd=place)
        return place

    def new(self) -> Path:
        """Return a new folder. Its name was never used, so no cache of a frontend knows it."""
        return Path(tempfile.mkdtemp(dir=str(self.folder)))


class Built(NamedTuple):
    """An sdist and a wheel, and what the frontend printed."""

    sdist: Path
    wheel: Path
    output: str


def build_with_uv(bench: Bench, tree: Path) -> Built:
    """Build the sdist, and the wheel from it."""
    out = bench.new()
    place = str(bench.lay(tree))
    said = bench.run(bench.uv, "build", "--python", sys.executable, "-o", str(out), place)
    return _built(out, said)


def wheel_with_uv(bench: Bench, tree: Path) -> Path:
    """Build a wheel from the source tree, at a path that is always the same."""
    out = bench.new()
    command = (bench.uv, "build", "--wheel", "--python", sys.executable, "-o", str(out))
    bench.run(*command, str(bench.lay(tree)))
    return _only(out, "*.whl")


def build_with_build(bench: Bench, tree: Path) -> Built:
    """Build the sdist, and the wheel from it."""
    out = bench.new()
    place = str(bench.lay(tree))
    said = bench.run(sys.executable, "-m", "build", "-o", str(out), place)
    return _built(out, said)


def wheel_with_pip(bench: Bench, sdist: Path) -> Path:
    """Build a wheel from an sdist."""
    out, copy = bench.new(), shutil.copy(str(sdist), str(bench.new()))
    bench.run(sys.executable, "-m", "pip", "wheel", "--no-deps", "-w", str(out), str(copy))
    return _only(out, "*.whl")


def install_with_pip(bench: Bench, sdist: Path) -> None:
    """Install an sdist into a new environment, and use the project there."""
    copy, python = shutil.copy(str(sdist), str(bench.new())), _environment(bench)
    bench.run(sys.executable, "-m", "pip", "--python", python, "install", str(copy))
    _use(bench, python)


def install_editable(bench: Bench, tree: Path) -> None:
    """Install a source tree with `uv pip install -e`, and use the project."""
    place, python = bench.lay(tree, "editable"), _environment(bench)
    bench.run(bench.uv, "pip", "install", "--python", python, "-e", str(place))
    _use(bench, python)


def sync(bench: Bench, tree: Path) -> None:
    """Run `uv sync` in a source tree, and use the project."""
    place = bench.lay(tree, "sync")
    bench.run(bench.uv, "sync", "--no-dev", "--python", sys.executable, cwd=place)
    _use(bench, str(place / ".venv" / "bin" / "python"))


def attempt(step: Callable[[Bench, Path], Any], bench: Bench, own: Path, original: Path) -> str:
    """Return `ok`, or the error if the step fails with the original backend, too.

    Raises: StepError, if the step fails with manyshim only.
    """
    try:
        step(bench, own)
    except StepError:
        try:
            step(bench, original)
        except StepError as error:
            return _reason(str(error), bench.folder)
        raise
    return "ok"


def initialise(bench: Bench, tree: Path) -> str:
    """Run `manyshim init --write` on a source tree; return its output."""
    return bench.run(sys.executable, "-m", "manyshim", "init", str(tree), "--write")


def build_system(tree: Path) -> Dict[str, Any]:
    """Return the project's `[build-system]` table, and whether there is a `[project]` table."""
    path = tree / "pyproject.toml"
    document = tomli.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    return {**document.get("build-system", {}), "project": "project" in document}


def wheel_differences(one: Path, other: Path) -> Set[str]:
    """Return the members of two wheels that are not equal, except WHEEL and RECORD.

    METADATA with requirements that are only spelled in another way counts as equal.
    """
    members = _wheel_members(one), _wheel_members(other)
    found = {name for name in _differences(*members) if not _OWN.match(name)}
    return found - respelled(one, other)


def respelled(one: Path, other: Path) -> Set[str]:
    """Return the METADATA files that differ only in how requirements are spelled."""
    members = _wheel_members(one), _wheel_members(other)
    return {
        name
        for name in _differences(*members)
        if name.endswith(".dist-info/METADATA")
        and all(name in side for side in members)
        and _meaning(members[0][name][1]) == _meaning(members[1][name][1])
    }


def sdist_differences(one: Path, other: Path) -> Set[str]:
    """Return the members of two sdists that are not equal, without their first folder.

    A list of sources that differs only by the line of pyproject.toml counts as equal.
    """
    members = _sdist_members(one), _sdist_members(other)
    return {
        name
        for name in _differences(*members)
        if not (
            name.endswith("/SOURCES.txt")
            and _other_lines(members[0].get(name, b"")) == _other_lines(members[1].get(name, b""))
        )
    }


def wheel_names(path: Path) -> List[str]:
    """Return the names of a wheel's members, sorted."""
    with zipfile.ZipFile(path) as archive:
        return sorted(archive.namelist())


def _built(out: Path, said: str) -> Built:
    return Built(_only(out, "*.tar.gz"), _only(out, "*.whl"), said)


def _only(folder: Path, pattern: str) -> Path:
    (found,) = folder.glob(pattern)
    return found


def _environment(bench: Bench) -> str:
    """Return the Python of a new environment without any package."""
    folder = bench.new() / "venv"
    bench.run(bench.uv, "venv", "--python", sys.executable, str(folder))
    return str(folder / "bin" / "python")


def _use(bench: Bench, python: str) -> None:
    if bench.project.needs:
        bench.run(bench.uv, "pip", "install", "--python", python, *bench.project.needs)
    bench.run(python, "-I", "-c", bench.project.use, cwd=bench.new())


def _reason(output: str, folder: Path) -> str:
    """Return the end of an output from the last line that names an error.

    Absolute paths are the machine's own: only their last part is kept.
    """
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    named = [at for at, line in enumerate(lines) if re.match(r"\S*[Ee]rror\b", line)]
    text = " ".join(lines[named[-1] :] if named else lines[-1:])
    text = text.replace(f"{folder}/", "")
    return re.sub(r"(?<![\w.:/-])/(?:[^\s'\"/]+/)+", ".../", text)[:_MAX_REASON]


def _differences(one: Mapping[str, object], other: Mapping[str, object]) -> Set[str]:
    return {name for name in one.keys() | other.keys() if one.get(name) != other.get(name)}


def _wheel_members(path: Path) -> Dict[str, Tuple[int, bytes]]:
    """Return the permissions and the bytes of each member."""
    with zipfile.ZipFile(path) as archive:
        rows = archive.infolist()
        return {row.filename: (row.external_attr >> 16, archive.read(row)) for row in rows}


def _sdist_members(path: Path) -> Dict[str, bytes]:
    members = {}
    with tarfile.open(path) as archive:
        for member in archive.getmembers():
            file = archive.extractfile(member) if member.isfile() else None
            if file is not None:
                members[member.name.partition("/")[2]] = file.read()
    return members


def _meaning(metadata: bytes) -> List[str]:
    """Return the lines of METADATA, with every requirement in its normal form."""
    lines = metadata.decode("utf-8").splitlines()
    field = "Requires-Dist: "
    return [
        f"{field}{Requirement(line[len(field) :])}" if line.startswith(field) else line
        for line in lines
    ]


def _other_lines(text: bytes) -> List[bytes]:
    return sorted(line for line in text.splitlines() if line != b"pyproject.toml")
