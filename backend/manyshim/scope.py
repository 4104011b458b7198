"""Decides whether release keys hold in a build, or were meant for another project.

Frontends hand the settings of one build to others: uv passes `-C` and [tool.uv] config-settings to
every package that it builds, and all of them pass the environment.
"""

from __future__ import annotations

import os
import re
from typing import Any, Callable, Iterator, Mapping, Optional, Tuple

from manyshim.files import open_regular
from manyshim.known_backends import normalized
from manyshim.values import NamedTuple

# bford.info/cachedir. uv 0.13 writes nothing else into the file, cargo adds lines.
_CACHE_TAG = b"Signature: 8a477f597d28d172789f06886806bc55"
# uv's cache: where wheels are built to be installed, and the sources of what it builds.
_BUILDS = re.compile(r"builds-v\d+")
_SOURCES = re.compile(r"(sdists|git)-v\d+")
# `uv build` unpacks the sdist that it has just built in sdists-v*, below such a name.
_TEMPORARY = ".tmp"

_FOR_INSTALLATION = "uv builds this wheel to install it, not as the result of `uv build`"
# Enough for the headers of PKG-INFO; a description may follow.
_MAX_HEADER_BYTES = 1 << 16


class Scope(NamedTuple):
    """Why release keys have no effect in this build; empty texts if they have.

    `unless_built` is the reason that holds if the finished wheel is another project's: the name is
    not known before.
    """

    reason: str = ""
    unless_built: str = ""


def decide(
    projects: Tuple[str, ...],
    document: Mapping[str, Any],
    folder: str,
    wheel_directory: Optional[str],
) -> Scope:
    """Decide whether release keys hold for the source tree `folder`.

    `projects` are the names that the option `project` gives: they take precedence. Otherwise a
    folder in uv's cache shows that the wheel is built to be installed. A hook without
    `wheel_directory` has only the place of the source tree to decide by.
    """
    if projects:
        name = project_name(document, folder)
        asked = f"manyshim.project is {', '.join(projects)}"
        if name is None:
            return Scope(unless_built=f"{asked}, and this is another project")
        return Scope() if is_named(name, projects) else Scope(f"{asked}, and this is {name}")
    if wheel_directory is None:
        return Scope(_FOR_INSTALLATION if _is_source_of_uv(folder) else "")
    return Scope(_FOR_INSTALLATION if _is_cache_of_uv(wheel_directory) else "")


def is_named(name: str, projects: Tuple[str, ...]) -> bool:
    """Whether a project is one of those that the option `project` names."""
    return normalized(name) in map(normalized, projects)


def project_name(document: Mapping[str, Any], folder: str) -> Optional[str]:
    """Return the name of the project in a source tree; None if only a build can tell it.

    An sdist always has PKG-INFO. setuptools writes one in a folder *.egg-info, too.
    """
    tools = document.get("tool", {})
    places: Tuple[Callable[[], Optional[str]], ...] = (
        lambda: _text(document, "project", "name"),
        lambda: _text(tools, "poetry", "name"),
        lambda: _text(tools, "flit", "metadata", "dist-name"),
        lambda: _text(tools, "flit", "metadata", "module"),
        lambda: _text(tools, "sip", "metadata", "name"),
        lambda: _from_metadata(os.path.join(folder, "PKG-INFO")),
        lambda: _from_setup_cfg(os.path.join(folder, "setup.cfg")),
        lambda: _from_egg_info(folder),
    )
    return next(filter(None, (place() for place in places)), None)


def _text(table: Any, *path: str) -> Optional[str]:  # noqa: ANN401 (any value of TOML)
    for key in path:
        table = table.get(key) if isinstance(table, dict) else None
    return table if isinstance(table, str) else None


def _from_metadata(path: str) -> Optional[str]:
    text = _start_of(path).decode("utf-8", "replace")
    headers = re.split(r"\r?\n\r?\n", text, maxsplit=1)[0]
    found = re.search(r"^Name:[ \t]*(\S+)[ \t]*\r?$", headers, re.MULTILINE | re.IGNORECASE)
    return found[1] if found else None


def _from_setup_cfg(path: str) -> Optional[str]:
    text = _start_of(path)
    if b"metadata" not in text:
        return None
    import configparser  # noqa: PLC0415 (for old projects only)

    parser = configparser.RawConfigParser()
    try:
        parser.read_string(text.decode("utf-8", "replace"))
        return parser.get("metadata", "name", fallback=None) or None
    except configparser.Error:
        return None


def _from_egg_info(folder: str) -> Optional[str]:
    """Return the name that setuptools wrote; None for none, or for different ones."""
    names = {name for path in _egg_infos(folder) for name in [_from_metadata(path)] if name}
    return names.pop() if len(names) == 1 else None


def _egg_infos(folder: str) -> Iterator[str]:
    for parent in (folder, os.path.join(folder, "src")):
        try:
            names = os.listdir(parent)
        except OSError:
            continue
        for name in names:
            if name.endswith(".egg-info"):
                yield os.path.join(parent, name, "PKG-INFO")


def _start_of(path: str) -> bytes:
    """Return the beginning of a file; nothing if it cannot be read."""
    try:
        with open_regular(path) as file:
            return file.read(_MAX_HEADER_BYTES)
    except OSError:
        return b""


def _is_cache_of_uv(wheel_directory: str) -> bool:
    """Whether a folder is `<uv's cache>/builds-v*/.tmp*`. The tag of caches alone tells nothing."""
    parent, name = os.path.split(os.path.abspath(wheel_directory))
    cache, bucket = os.path.split(parent)
    return name.startswith(_TEMPORARY) and bool(_BUILDS.fullmatch(bucket)) and _has_tag(cache)


def _is_source_of_uv(folder: str) -> bool:
    """Whether a source tree is one that uv has fetched into its cache."""
    path, name = os.path.split(os.path.abspath(folder))
    while name:
        cache, bucket = os.path.split(path)
        if _SOURCES.fullmatch(bucket) and not name.startswith(_TEMPORARY) and _has_tag(cache):
            return True
        path, name = cache, bucket
    return False


def _has_tag(cache: str) -> bool:
    return _start_of(os.path.join(cache, "CACHEDIR.TAG")).startswith(_CACHE_TAG)
