"""Fuzz targets: tags, the configuration, and the databases of package managers."""

from __future__ import annotations

import os
from functools import lru_cache
from typing import Any, Container, Dict, Optional, Tuple

from archives import SEPARATOR
from manyshim import config, project
from manyshim.audit import suffixes, tags
from manyshim.cli import requests
from manyshim.errors import ConfigError
from manyshim.repair.sbom import copyright as notices
from manyshim.repair.sbom import licenses
from manyshim.repair.sbom.packages import Packages
from outcome import READ, REFUSED, agree, folder, stored, text

# The longest file name of Linux, in bytes.
_MAX_NAME = 255
_LIBRARY = "/usr/lib/libdemo.so.1"
# The files of a system, in the order of an input's parts.
_FILES = (
    "var/lib/dpkg/status",
    "var/lib/dpkg/info/libdemo1:amd64.list",
    "var/lib/dpkg/diversions",
    "usr/share/doc/libdemo1/copyright",
    "etc/os-release",
    "lib/apk/db/installed",
)


def tag(data: bytes) -> str:
    """Parse a text as a wheel's name, a platform tag and a module's suffix, and print each."""
    name = text(data)
    platform = tags.parse_platform(name)
    if platform is not None:
        agree("platform", tags.parse_platform(str(platform)), platform)
        agree("spellings", str(platform) in platform.spellings, platform.without_arch != "")
    wheel = tags.parse_wheel_name(name) if len(data) <= _MAX_NAME else None
    if wheel is not None:
        agree("wheel", str(wheel)[:-4], name[:-4])
        agree("tags", bool(wheel.tags), bool(wheel.pythons))
        for found in (wheel.linux, wheel.pure):
            agree("type", isinstance(found, bool), True)
        _known(wheel.header_arch, frozenset(tags.SAME_HEADERS.values()))
        _known(wheel.libc, (tags.GLIBC, tags.MUSL))
    suffix = suffixes.parse_module_suffix(name)
    if suffix is not None:
        _known(suffix.libc, (tags.GLIBC, tags.MUSL))
    tags.platform_arch(name)
    suffixes.parse_cpython(name)
    return READ if platform or wheel or suffix else REFUSED


def _known(value: Optional[str], known: Container[str]) -> None:
    agree("known", value is None or value in known, True)


def configuration(data: bytes) -> str:
    """Read pyproject.toml, then lines `KEY=VALUE`: settings, and variables in capitals."""
    table, *rest = data.split(SEPARATOR)
    where = os.path.dirname(stored("config", "pyproject.toml", table))
    settings, environ = _settings(text(SEPARATOR.join(rest)))
    outcome = READ
    for load in (
        lambda: config.load(settings, environ, where).request,
        lambda: project.wrapped_backend(where),
        lambda: requests.environment_platform(environ, []),
    ):
        try:
            load()
        except ConfigError as error:
            agree("a message", bool(str(error)), True)
            outcome = REFUSED
    config.without_own(settings)
    return outcome


def _settings(lines: str) -> Tuple[Dict[str, Any], Dict[str, str]]:
    """Return the settings as frontends pass them, and the environment variables."""
    settings: Dict[str, Any] = {}
    environ: Dict[str, str] = {}
    for line in lines.split("\n"):
        key, equals, value = line.partition("=")
        if key.isupper():
            environ[key] = value
        elif key in settings:
            # pip and build pass a list for a repeated key.
            before = settings[key]
            settings[key] = [*(before if isinstance(before, list) else [before]), value]
        elif equals:
            settings[key] = value
    return settings, environ


def packages(data: bytes) -> str:
    """Find the package of a library in the databases of dpkg and apk."""
    root = _system()
    for name, part in zip(_FILES, [*data.split(SEPARATOR), *[b""] * len(_FILES)]):
        stored("packages", name, part)
    found = Packages(root, search_path=root).owner(root + _LIBRARY)
    if found is None:
        return REFUSED
    agree("kind", found.kind in ("deb", "apk"), True)
    licenses.choice(found.kind, found.licenses)
    return READ


@lru_cache(maxsize=None)
def _system() -> str:
    """Return the root folder of a system with the library; it has no package yet."""
    root = folder("packages")
    for name in (*_FILES, _LIBRARY[1:]):
        os.makedirs(os.path.join(root, os.path.dirname(name)), exist_ok=True)
    stored("packages", _LIBRARY[1:], b"")
    return root


def copyright_file(data: bytes) -> str:
    """Read the licences of a copyright file, and write them for each package manager."""
    notice = text(data)
    found = notices.licences(notice, "libz.so.1", "zlib")
    agree("sorted", found, tuple(sorted(set(found))))
    for kind in ("deb", "rpm", "apk"):
        licenses.choice(kind, found)
        licenses.choice(kind, (notice,))
        licenses.choice(kind, (notice, *found))
    for name in ("License", "Files"):
        notices.field(notice, name)
    return READ if found else REFUSED
