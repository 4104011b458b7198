"""Verify that an sdist contains the in-tree backends that will build it."""

from __future__ import annotations

import os
import posixpath
import tarfile
from typing import Iterator, List, Sequence, Set, Tuple

from manyshim import intree, pyproject
from manyshim.errors import BackendError, ConfigError
from manyshim.project import Wrapped

_SHOWN = 3


def verify(path: str, wrapped: Wrapped, folder: str = ".") -> None:
    """Remove the sdist `path` and raise BackendError if it lacks a backend of the source tree.

    Nobody can build from such an sdist. Another archive than .tar.gz is not judged, and no sdist
    with another build system in its pyproject.toml than the source tree has.
    """
    needed = _needed(wrapped, folder)
    if not needed or not path.endswith(".tar.gz"):
        return
    try:
        with tarfile.open(path) as archive:
            members, text = _read(archive)
    except (OSError, EOFError, tarfile.TarError):
        return
    if not _builds_alike(text, folder):
        return
    not_found = [name for name in needed if not _has(members, name)]
    if not not_found:
        return
    os.remove(path)
    more = f" and {len(not_found) - _SHOWN} more files" if len(not_found) > _SHOWN else ""
    raise BackendError(
        f"the sdist {os.path.basename(path)} lacks {', '.join(not_found[:_SHOWN])}{more}, so "
        "nobody could build from it; it is removed. With setuptools, write in MANIFEST.in:",
        "",
        *(f"    {line}" for line in _manifest(not_found, folder)),
    )


def _read(archive: tarfile.TarFile) -> Tuple[Set[str], bytes]:
    """Return the names of all files below the sdist's folder, and the bytes of pyproject.toml."""
    members, text = set(), b""
    for member in archive:
        name = posixpath.normpath(member.name).partition("/")[2]
        if not member.isdir():
            members.add(name)
        file = archive.extractfile(member) if name == "pyproject.toml" else None
        text = file.read() if file else text
    return members, text


def _builds_alike(text: bytes, folder: str) -> bool:
    """Whether the pyproject.toml of an sdist has the build system of the source tree."""
    looked_at = (pyproject.build_system, pyproject.own_table)
    try:
        packed = pyproject.parse(text.decode())
        found = [look(packed) for look in looked_at]
    except (UnicodeDecodeError, ConfigError):
        return False
    document = pyproject.read(folder)
    return found == [look(document) for look in looked_at]


def _needed(wrapped: Wrapped, folder: str) -> List[str]:
    """List the files of in-tree backends by their paths in the source tree."""
    document = pyproject.read(folder)
    frontend = pyproject.build_system(document).get("build-backend")
    found = list(_files(wrapped.name, wrapped.folders))
    if isinstance(frontend, str):
        found += _files(frontend, pyproject.frontend_path(document, folder))
    return sorted(os.path.relpath(path, folder).replace(os.sep, "/") for path in found)


def _files(name: str, folders: Sequence[str]) -> Iterator[str]:
    """Yield the files of a backend's own module, and every file of a copy of manyshim."""
    package, *parts = name.partition(":")[0].split(".")
    spec = intree.package_spec(package, folders) if folders else None
    if spec is None:
        return
    locations = spec.submodule_search_locations
    if locations is None:
        yield from filter(None, [spec.origin])
    elif package == "manyshim":
        for location in locations:
            yield from _every_file(location)
    else:
        for location in locations:
            base = location
            yield from filter(os.path.isfile, [os.path.join(base, "__init__.py")])
            for part in parts:
                base = os.path.join(base, part)
                yield from filter(os.path.isfile, [f"{base}.py", os.path.join(base, "__init__.py")])


def _every_file(folder: str) -> Iterator[str]:
    for path, _, names in os.walk(folder):
        yield from (os.path.join(path, name) for name in names if name.endswith((".py", ".txt")))


def _has(members: Set[str], name: str) -> bool:
    """Whether an archive has a file, or a link in the place of one of its folders."""
    parts = name.split("/")
    return any("/".join(parts[:end]) in members for end in range(1, len(parts) + 1))


def _manifest(not_found: Sequence[str], folder: str) -> Iterator[str]:
    """Yield the lines of MANIFEST.in that add files."""
    for top in sorted({name.partition("/")[0] for name in not_found}):
        is_folder = os.path.isdir(os.path.join(folder, top))
        yield f"graft {top}" if is_folder else f"include {top}"
        if is_folder:
            yield "global-exclude *.py[cod]"
