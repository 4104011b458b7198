"""Prepares a release: the project, its sdist, and a folder that has nothing else in it."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from contextlib import contextmanager
from typing import Any, Dict, Iterator, List, Mapping, Sequence

from manyshim import pyproject
from manyshim.audit.releases import ReleaseFile, is_release_file, parse_release_file, version_key
from manyshim.errors import ConfigError, ToolError, shorten
from manyshim.release import sdist as sdists
from manyshim.release.children import Children
from manyshim.release.frontend import Frontend, reason
from manyshim.release.ledger import Entry, Ledger, Made
from manyshim.release.matrix import Cell, is_for
from manyshim.release.sdist import Sdist
from manyshim.release.table import Settings
from manyshim.workspace import parent_of, publish, subfolder

# The ledger's cell of the sdist.
_SDIST = "sdist"
# The variables that shape a wheel beside our own, and the own ones that do not.
_SHAPING = ("SOURCE_DATE_EPOCH", "CFLAGS", "CXXFLAGS", "CPPFLAGS", "LDFLAGS", "CMAKE_ARGS")
_FOR_READERS = ("MANYSHIM_DEBUG", "MANYSHIM_EXPLAIN")
_FIX = "remove what does not belong to the release, or name another folder with -o"


def verify_backend(document: Mapping[str, Any]) -> None:
    """Verify that manyshim builds the project. Raises ConfigError."""
    backend = pyproject.build_system(document).get("build-backend", "")
    if not isinstance(backend, str) or not pyproject.is_manyshim(backend):
        raise ConfigError(
            f"the project builds with {backend or 'setuptools'}, which makes no manylinux wheels: "
            "switch it to manyshim first (manyshim init --write)"
        )


@contextmanager
def only_one(folder: str) -> Iterator[None]:
    """Create a folder, and keep other runs out of it. Raises ToolError."""
    try:
        if not os.path.exists(folder):
            os.makedirs(folder)
            # As uv does: some backends put all that git does not ignore into the sdist.
            with open(os.path.join(folder, ".gitignore"), "w", encoding="utf-8") as file:
                file.write("*\n")
        descriptor = os.open(folder, os.O_RDONLY)
    except OSError as error:
        raise ToolError(f"{folder}: cannot be written: {error.strerror}") from error
    try:
        _lock(descriptor, folder)
        yield
    finally:
        os.close(descriptor)


def _lock(descriptor: int, folder: str) -> None:
    try:
        import fcntl  # noqa: PLC0415 (not on Windows)

        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except ImportError:
        return
    except BlockingIOError:
        raise ToolError(f"{folder}: another `manyshim release` is running in this folder") from None
    except OSError:
        return  # the file system has no locks


def build_sdist(
    project: str, private: str, frontend: Frontend, children: Children, environ: Mapping[str, str]
) -> Sdist:
    """Build the sdist of a project into a private folder. Raises ToolError if the build fails."""
    folder = subfolder(private, "sdist")
    log = os.path.join(private, "sdist.log")
    ended = children.run(frontend.sdist(project, folder), log, project, environ)
    if ended.code:
        with open(log, encoding="utf-8", errors="replace") as file:
            raise ToolError("the sdist cannot be built:", *reason(file.read()))
    names = [name for name in os.listdir(folder) if name.endswith(sdists.EXTENSION)]
    if len(names) != 1:
        raise ToolError(f"the build of the sdist gave {len(names)} sdists")
    found = sdists.read(os.path.join(folder, names[0]))
    _verify_outputs(found, project, parent_of(private))
    return found


def _verify_outputs(sdist: Sdist, project: str, out: str) -> None:
    """Verify that an sdist has no files of the release itself. Raises ConfigError."""
    folder = os.path.relpath(os.path.realpath(out), os.path.realpath(project))
    found = sdists.outputs(sdist, folder.replace(os.sep, "/"))
    if found:
        raise ConfigError(
            f"the sdist would contain {shorten(found[0])} of the release itself: exclude the "
            "folder from the sdist (for most backends in .gitignore), or name one outside of the "
            "project with -o"
        )


def adopt_sdist(found: Sdist, out: str, private: str, ledger: Ledger) -> Sdist:
    """Put an sdist into the folder of the release, unless one with these contents is there.

    The times in an sdist change with each build of it; that is no new release. Wheels of an older
    sdist are removed. `private` is a folder in `out`. Raises ToolError if a file cannot be written.
    """
    path = os.path.join(out, os.path.basename(found.path))
    entry = ledger.files.get(os.path.basename(path))
    if os.path.isfile(path):
        there = sdists.read(path)
        if there.content == found.content:
            found = there
        elif entry is None or entry.digest != there.digest:
            raise ConfigError(f"{path}: is not the sdist of this project as it is now; {_FIX}")
    for name in ledger.outdated(found.content):
        if os.path.join(out, name) != found.path:
            os.unlink(os.path.join(out, name))
        ledger.forget(name)
    # First, so that a run that is killed in between leaves no file that nobody has built.
    ledger.add(_SDIST, Made(os.path.basename(path), ""), Entry(found.digest, found.content))
    if found.path != path:
        part = os.path.join(private, os.path.basename(path))
        try:
            shutil.copyfile(found.path, part)
        except OSError as error:
            raise ToolError(f"{path}: cannot be written: {error.strerror}") from error
        publish(part, path)
    return found._replace(path=os.path.abspath(path))


def verify_folder(out: str, sdist: str, ledger: Ledger, cells: Sequence[Cell]) -> None:
    """Verify that a folder has no files of another project or version, and no foreign wheels.

    A wheel for a cell that no run has built may be of any source tree. Raises ConfigError.
    """
    own = _release_file(sdist)
    for name in files(out):
        other = parse_release_file(name)
        if other is None or other.project != own.project:
            raise ConfigError(f"{os.path.join(out, name)}: is not of {own.project}; {_FIX}")
        if version_key(other.version) != version_key(own.version):
            which = f"is of version {shorten(other.version)}, and the sdist of {own.version}"
            raise ConfigError(f"{os.path.join(out, name)}: {which}; {_FIX}")
        if name not in ledger.files and _is_ours(other, cells):
            raise ConfigError(f"{os.path.join(out, name)}: no release has built it; {_FIX}")


def project_name(sdist: str) -> str:
    """Return the canonical name of an sdist's project (PEP 503). Raises ConfigError."""
    return _release_file(sdist).project


def _release_file(sdist: str) -> ReleaseFile:
    """Return what the file name of an sdist states. Raises ConfigError if it is none."""
    name = os.path.basename(sdist)
    found = parse_release_file(name)
    if found is None:
        raise ConfigError(f"{shorten(name)}: is no file name of an sdist")
    return found


def verify_project(document: Mapping[str, Any], sdist: str) -> None:
    """Verify that an sdist is of the project, if that states its name. Raises ConfigError."""
    project = document.get("project", {})
    name = project.get("name") if isinstance(project, dict) else None
    own = parse_release_file(f"{str(name).replace('-', '_')}-0.tar.gz")
    if isinstance(name, str) and own is not None and own.project != project_name(sdist):
        what = f"is of {project_name(sdist)}, and this project is {own.project}"
        raise ConfigError(f"{os.path.basename(sdist)}: {what}")


def _is_ours(file: ReleaseFile, cells: Sequence[Cell]) -> bool:
    return any(one.is_linux and is_for(file.targets, one) for one in cells)


def files(out: str) -> List[str]:
    """Return the names of the wheels and sdists in a folder, sorted."""
    names = sorted(os.listdir(out)) if os.path.isdir(out) else []
    return [name for name in names if is_release_file(name) and not name.startswith(".")]


def environment(environ: Mapping[str, str], sdist: Sdist) -> Dict[str, str]:
    """Return the environment of the builds: SOURCE_DATE_EPOCH is that of the sdist, unless set."""
    return {"SOURCE_DATE_EPOCH": str(sdist.epoch), **environ}


def settings(cell: Cell, project: str, own: Settings) -> Settings:
    """Return the settings of a cell's build; the project's own come last.

    `{platform}` and `{python}` in their values stand for those of the cell.
    """
    given: Settings = {
        key: _filled(value, cell)
        if isinstance(value, str)
        else tuple(_filled(one, cell) for one in value)
        for key, value in own.items()
    }
    return {
        "manyshim.compiler": "zig",
        "manyshim.platform": cell.platform,
        "manyshim.strict": "true",
        "manyshim.project": project,
        **given,
    }


def _filled(text: str, cell: Cell) -> str:
    return text.replace("{platform}", cell.platform).replace("{python}", cell.python)


def recipe(given: Settings, version: str, environ: Mapping[str, str]) -> str:
    """Return a hash of all that shapes a wheel, beside its sdist and the cell.

    Of the environment, these are our own variables, the time, and flags of compilers.
    """
    variables = [one for one in environ.items() if _shapes(one[0])]
    text = json.dumps([sorted(given.items()), version, sorted(variables)])
    return hashlib.sha256(text.encode()).hexdigest()


def _shapes(variable: str) -> bool:
    own = variable.startswith("MANYSHIM_") and variable not in _FOR_READERS
    return own or variable in _SHAPING
