"""The frontend that builds: uv where it is installed, else build (PEP 517)."""

from __future__ import annotations

import os
import shutil
import sys
import tarfile
from functools import lru_cache
from typing import Iterator, List, Mapping, Optional

from manyshim.errors import ToolError, bounded
from manyshim.release.asking import VERSION, answer
from manyshim.release.table import Settings, values
from manyshim.values import NamedTuple

_MAX_LINES = 20
# How our errors begin, and how they end if another backend has told why.
_OWN = "manyshim: error: "
_ABOVE = "see its output above"
# What follows them: more of ours, and the last words of uv and of build. Findings also begin with
# `error: `.
_OTHERS = ("manyshim: ", "error: Failed to build", "  \N{MULTIPLICATION SIGN}", "ERROR ")


class Frontend(NamedTuple):
    """A frontend. `uv` is the path of uv; None for build."""

    uv: Optional[str]

    def sdist(self, project: str, folder: str) -> List[str]:
        """Return the command that builds the sdist of a project into a folder."""
        if self.uv:
            return [self.uv, "build", "--sdist", project, "-o", folder]
        return [sys.executable, "-m", "build", "--sdist", project, "--outdir", folder]

    def wheel(
        self, sdist: str, python: str, settings: Settings, folder: str, source: str
    ) -> List[str]:
        """Return the command that builds a wheel of an sdist into a folder.

        build takes no sdist, so it is unpacked into the folder `source`. Raises ToolError if there
        is no such Python, or no build for it.
        """
        given: List[str] = []
        for key, value in settings.items():
            given += [word for one in values(value) for word in ("-C", f"{key}={one}")]
        interpreter = find_python(python)
        if self.uv:
            # Without one, uv takes its own, and may download it. It would also look on PATH, where
            # some names start no Python (pyenv).
            which = [interpreter] if interpreter else [python, "--managed-python"]
            return [self.uv, "build", "--wheel", sdist, "-o", folder, *given, "--python", *which]
        if _is_python(sys.executable, python):
            interpreter = sys.executable  # it has build
        if interpreter is None:
            raise ToolError(
                f"no CPython {python} is found on PATH or under pyenv; install it, or install uv, "
                f"which downloads it (uv python install {python})"
            )
        _verify_build(interpreter)
        unpacked = _unpack(sdist, source)
        return [interpreter, "-m", "build", "--wheel", unpacked, "--outdir", folder, *given]


def find(environ: Mapping[str, str]) -> Frontend:
    """Return uv if it is installed, else build. Raises ToolError if none is."""
    beside = os.path.dirname(sys.executable)
    for path in (environ.get("PATH"), beside):
        uv = shutil.which("uv", path=path)
        if uv:
            return Frontend(uv)
    _verify_build(sys.executable)
    return Frontend(None)


@lru_cache(maxsize=None)
def find_python(version: str) -> Optional[str]:
    """Return the path of a CPython on PATH or under pyenv; `3.13t` is the free-threaded 3.13."""
    return next((path for path in _candidates(version) if _is_python(path, version)), None)


def _candidates(version: str) -> Iterator[str]:
    found = shutil.which(f"python{version}")
    if found:
        yield found
    if _is_python(sys.executable, version):
        yield sys.executable
    root = os.environ.get("PYENV_ROOT") or os.path.expanduser("~/.pyenv")
    versions = os.path.join(root, "versions")
    number, end = (version[:-1], "t") if version.endswith("t") else (version, "")
    names = sorted(os.listdir(versions), reverse=True) if os.path.isdir(versions) else []
    for name in names:
        if name.startswith(f"{number}.") and name.endswith("t") == bool(end):
            yield os.path.join(versions, name, "bin", "python")


def _is_python(path: str, version: str) -> bool:
    return answer(path, "-c", VERSION) == f"cpython {version}"


def _verify_build(interpreter: str) -> None:
    if answer(interpreter, "-c", "import build") is None:
        raise ToolError(
            f"neither uv nor build is installed for {interpreter}: pip install uv, or run "
            f"{interpreter} -m pip install build"
        )


def _unpack(sdist: str, folder: str) -> str:
    """Unpack an sdist; return the folder in it (PEP 625: it has one). Raises ToolError."""
    try:
        with tarfile.open(sdist, "r:gz") as archive:
            # Python 3.12 warns without a filter, and older ones may have none.
            archive.extraction_filter = getattr(tarfile, "data_filter", lambda one, _: one)
            archive.extractall(folder)  # noqa: S202 (the project's own sdist, which is built next)
    except (OSError, EOFError, tarfile.TarError) as error:
        raise ToolError(f"{sdist}: cannot be unpacked: {error}") from error
    names = os.listdir(folder)
    if len(names) != 1:
        raise ToolError(f"{sdist}: has {len(names)} top-level entries and not one folder")
    return os.path.join(folder, names[0])


def reason(log: str) -> List[str]:
    """Return the lines of a failed build that tell why.

    They are the error of manyshim with what belongs to it; without one, they are the last lines.
    """
    lines = [bounded(line.rstrip()) for line in log.splitlines() if line.strip()]
    first = next((at for at, line in enumerate(lines) if line.startswith(_OWN)), len(lines))
    if first == len(lines) or lines[first].endswith(_ABOVE):
        return lines[: first + 1][-_MAX_LINES:]
    later = (at for at, line in enumerate(lines) if at > first and line.startswith(_OTHERS))
    return lines[first : next(later, len(lines))][:_MAX_LINES]
