"""Python's headers for the target: a folder of links to real ones, with a pyconfig.h of its own.

The headers themselves are the same for every machine; what configure measured on one stands in
pyconfig.h alone, and a compiler knows it by itself.
"""

from __future__ import annotations

import os
import re
import sys
import sysconfig
from typing import Dict, Iterable, Iterator, Optional, Tuple

from manyshim.audit.tags import ARCHES
from manyshim.errors import ConfigError, ToolError
from manyshim.host import host_arch, interpreter_libc
from manyshim.toolchain.python.pyconfig import guards, overlay
from manyshim.toolchain.target import Target
from manyshim.values import NamedTuple

_CONFIG = "pyconfig.h"

# A pyconfig.h that stands for those of several machines names them: Debian's by multiarch,
# <aarch64-linux-gnu/python3.11/pyconfig.h>, Fedora's by size, "pyconfig-64.h".
_NAMED = re.compile(r'(?m)^[ \t]*#[ \t]*include[ \t]*[<"]([^<>"\n]*\bpyconfig[^<>"\n]*)[>"]')
_NUMBER = re.compile(r"(?m)^[ \t]*#[ \t]*define[ \t]+(\w+)[ \t]+(\d+)[ \t]*$")


class _Headers(NamedTuple):
    """A folder with Python.h, and the pyconfig.h of one machine that goes with it."""

    folder: str
    config: str


def link_headers(folder: str, target: Target, given: Optional[str] = None) -> Tuple[str, ...]:
    """Fill an empty folder with the headers of the building interpreter, as the target needs them.

    `given` is a folder with the target's own. Returns the folders that hold the interpreter's,
    which a compiler may be told to search. Raises ToolError where it has none, and ConfigError
    where the given ones are not the target's.
    """
    python = sys.version_info[:2]
    known = tuple(dict.fromkeys(_known()))
    if given is not None:
        headers = _given(os.path.abspath(given), given, target)
        tail = guards(python)
    else:
        headers = _own(known)
        tail = "" if _native(target) else overlay(python, target.tag.libc)
        tail += guards(python)
        known = tuple(dict.fromkeys((*known, *_aliases(headers))))
    text = _read(headers.config)
    try:
        for name in sorted(os.listdir(headers.folder)):
            if name != _CONFIG:
                os.symlink(os.path.join(headers.folder, name), os.path.join(folder, name))
        with open(
            os.path.join(folder, _CONFIG), "w", encoding="utf-8", errors="surrogateescape"
        ) as file:
            file.write(text + tail)
    except OSError as error:
        raise ToolError(f"{folder}: cannot be written: {error.strerror}") from error
    return known


def _native(target: Target) -> bool:
    return (target.tag.arch, target.tag.libc) == (host_arch(), interpreter_libc())


def _known() -> Iterator[str]:
    """Yield where sysconfig says that the interpreter's headers are, whether they are or not."""
    for name in ("INCLUDEPY", "CONFINCLUDEPY"):
        value = sysconfig.get_config_var(name)
        if value:
            yield str(value)
    # An interpreter that was moved knows its folders by these only.
    yield sysconfig.get_path("include")
    yield sysconfig.get_path("platinclude")
    yield os.path.dirname(sysconfig.get_config_h_filename())


def _aliases(headers: _Headers) -> Iterator[str]:
    for path in (headers.folder, os.path.dirname(headers.config)):
        yield path
        yield os.path.realpath(path)


def _version() -> str:
    return "{}.{}".format(*sys.version_info)


def _own(known: Iterable[str]) -> _Headers:
    version = _version()
    folders = list(known)
    folder = _holding("Python.h", folders)
    config = folder and _holding(_CONFIG, [folder, *folders])
    real = config and _resolve(
        os.path.join(config, _CONFIG),
        str(sysconfig.get_config_var("MULTIARCH")),
        64 if sys.maxsize > 2**32 else 32,
    )
    if not folder or not real:
        name = _CONFIG if folder else "Python.h"
        raise ToolError(
            f"{name} of CPython {version} is not found in {folder or folders[0]}; install it "
            f"(Debian: python{version}-dev, Fedora: python3-devel), or name the target's with "
            "python-headers"
        )
    return _Headers(folder, real)


def _given(folder: str, given: str, target: Target) -> _Headers:
    option = f"python-headers = {given!r}"
    for name in ("Python.h", "patchlevel.h", _CONFIG):
        if not _holding(name, [folder]):
            raise ConfigError(
                f"{option} has no {name}; name the folder of the target's Python.h, such as "
                f"SYSROOT/usr/include/python{_version()}"
            )
    arch = ARCHES[target.tag.arch]
    bits = arch.bits
    real = _resolve(os.path.join(folder, _CONFIG), target.triplet, bits)
    if not real:
        raise ConfigError(
            f"{option}: its pyconfig.h includes that of each architecture, and that of "
            f"{target.triplet} is not found beside {folder}"
        )
    found = _numbers(_read(os.path.join(folder, "patchlevel.h")))
    version = found.get("PY_MAJOR_VERSION"), found.get("PY_MINOR_VERSION")
    if None in version:
        raise ConfigError(f"{option} is of another Python: its patchlevel.h has no version")
    if version != sys.version_info[:2]:
        raise ConfigError(
            f"{option} is of CPython {version[0]}.{version[1]}, but CPython {_version()} builds"
        )
    config = _numbers(_read(real))
    if "SIZEOF_VOID_P" not in config:
        raise ConfigError(f"{option}: its pyconfig.h has no SIZEOF_VOID_P")
    pointer = config["SIZEOF_VOID_P"] * 8
    if pointer != bits:
        raise ConfigError(f"{option} is for {pointer} bits, but {arch.name} has {bits}")
    if bool(config.get("DOUBLE_IS_BIG_ENDIAN_IEEE754")) == arch.little_endian:
        raise ConfigError(f"{option} is for another byte order than {arch.name} has")
    free = bool(sysconfig.get_config_var("Py_GIL_DISABLED"))
    if bool(config.get("Py_GIL_DISABLED")) != free:
        raise ConfigError(
            f"{option} is of a Python {'with' if free else 'without'} a GIL, but one "
            f"{'without' if free else 'with'} builds"
        )
    return _Headers(folder, real)


def _holding(name: str, folders: Iterable[str]) -> str:
    """Return the first folder that has a file; "" where none has."""
    return next((path for path in folders if os.path.isfile(os.path.join(path, name))), "")


def _resolve(path: str, multiarch: str, bits: int) -> str:
    """Follow a pyconfig.h that stands for several machines to that of one; "" where it is missing.

    Any other is its own answer.
    """
    named = _NAMED.findall(_read(path))
    if not named:
        return path
    for name in named:
        for here in dict.fromkeys((os.path.dirname(path), os.path.dirname(os.path.realpath(path)))):
            debian = name.startswith(f"{multiarch}/")
            real = os.path.join(os.path.dirname(here) if debian else here, name)
            if (debian or name == f"pyconfig-{bits}.h") and os.path.isfile(real):
                return real
    return ""


def _numbers(text: str) -> Dict[str, int]:
    return {name: int(value) for name, value in _NUMBER.findall(text)}


def _read(path: str) -> str:
    try:
        with open(path, encoding="utf-8", errors="surrogateescape") as file:
            return file.read()
    except OSError as error:
        raise ToolError(f"{path}: cannot be read: {error.strerror}") from error
