"""Create a folder with Python's headers for the target: links, and a pyconfig.h of its own.

The headers are the same on every machine, except pyconfig.h. It holds what configure measured,
and the compiler knows these values for its target.
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

# A pyconfig.h for several machines includes one for each: Debian's by the multiarch name,
# <aarch64-linux-gnu/python3.11/pyconfig.h>, Fedora's by the word size, "pyconfig-64.h".
_INCLUDED = re.compile(r'(?m)^[ \t]*#[ \t]*include[ \t]*[<"]([^<>"\n]*\bpyconfig[^<>"\n]*)[>"]')
_NUMBER = re.compile(r"(?m)^[ \t]*#[ \t]*define[ \t]+(\w+)[ \t]+(\d+)[ \t]*$")


class _Headers(NamedTuple):
    """A folder with Python.h, and the path of the pyconfig.h for one machine."""

    folder: str
    config: str


def link_headers(folder: str, target: Target, given: Optional[str] = None) -> Tuple[str, ...]:
    """Link Python's headers into an empty folder, and write a pyconfig.h for the target there.

    `given` is a folder with the target's own headers; without it, those of the building interpreter
    are used. Returns the header folders of the building interpreter: build tools pass these to the
    compiler. Raises ToolError if the interpreter has no headers, and ConfigError if the given ones
    are not for the target.
    """
    python = sys.version_info[:2]
    known = tuple(dict.fromkeys(_sysconfig_folders()))
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


def _sysconfig_folders() -> Iterator[str]:
    """Yield the header folders that sysconfig has for the interpreter; they may be missing."""
    for name in ("INCLUDEPY", "CONFINCLUDEPY"):
        value = sysconfig.get_config_var(name)
        if value:
            yield str(value)
    # For an interpreter that was moved, only these are correct.
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
    folder = _folder_with("Python.h", folders)
    config = folder and _folder_with(_CONFIG, [folder, *folders])
    real = config and _resolve(
        os.path.join(config, _CONFIG),
        str(sysconfig.get_config_var("MULTIARCH")),
        64 if sys.maxsize > 2**32 else 32,
    )
    if not folder or not real:
        name = _CONFIG if folder else "Python.h"
        raise ToolError(
            f"{name} of CPython {version} is not found in {folder or folders[0]}; install it "
            f"(Debian: python{version}-dev, Fedora: python3-devel), or set python-headers to a "
            "folder with the target's headers"
        )
    return _Headers(folder, real)


def _given(folder: str, given: str, target: Target) -> _Headers:
    option = f"python-headers = {given!r}"
    for name in ("Python.h", "patchlevel.h", _CONFIG):
        if not _folder_with(name, [folder]):
            raise ConfigError(
                f"{option} has no {name}; set it to the folder of the target's Python.h, such as "
                f"SYSROOT/usr/include/python{_version()}"
            )
    arch = ARCHES[target.tag.arch]
    bits = arch.bits
    real = _resolve(os.path.join(folder, _CONFIG), target.triplet, bits)
    if not real:
        raise ConfigError(
            f"{option}: its pyconfig.h includes one for each architecture, and the one for "
            f"{target.triplet} is not found beside {folder}"
        )
    found = _numbers(_read(os.path.join(folder, "patchlevel.h")))
    version = found.get("PY_MAJOR_VERSION"), found.get("PY_MINOR_VERSION")
    if None in version:
        raise ConfigError(f"{option} is from another Python: its patchlevel.h has no version")
    if version != sys.version_info[:2]:
        raise ConfigError(
            f"{option} is from CPython {version[0]}.{version[1]}, but the building interpreter is "
            f"CPython {_version()}"
        )
    config = _numbers(_read(real))
    if "SIZEOF_VOID_P" not in config:
        raise ConfigError(f"{option}: its pyconfig.h has no SIZEOF_VOID_P")
    pointer = config["SIZEOF_VOID_P"] * 8
    if pointer != bits:
        raise ConfigError(f"{option} is for {pointer} bits, but {arch.name} has {bits}")
    if bool(config.get("DOUBLE_IS_BIG_ENDIAN_IEEE754")) == arch.little_endian:
        raise ConfigError(f"{option} is for another byte order than that of {arch.name}")
    free = bool(sysconfig.get_config_var("Py_GIL_DISABLED"))
    if bool(config.get("Py_GIL_DISABLED")) != free:
        raise ConfigError(
            f"{option} is from a Python {'with' if free else 'without'} a GIL, but the building "
            f"interpreter is {'without' if free else 'with'} one"
        )
    return _Headers(folder, real)


def _folder_with(name: str, folders: Iterable[str]) -> str:
    """Return the first folder that contains a file with this name; "" if none does."""
    return next((path for path in folders if os.path.isfile(os.path.join(path, name))), "")


def _resolve(path: str, multiarch: str, bits: int) -> str:
    """Return the pyconfig.h for one machine from one that may include those of several machines.

    Returns `path` itself if it includes no other, and "" if the file for the machine is missing.
    """
    included = _INCLUDED.findall(_read(path))
    if not included:
        return path
    for name in included:
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
