"""The sentences about files that are no wheels, each with the fix; used only after an error."""

from __future__ import annotations

import glob
import os
import re
import stat
from typing import Optional

from manyshim.audit.releases import is_sdist
from manyshim.audit.tags import parse_wheel_name
from manyshim.errors import ConfigError, InvalidWheelError, shorten
from manyshim.files import open_regular
from manyshim.inputs import stands_for_files
from manyshim.optiontypes import closest

_BUILD = "build a wheel of the project (uv build --wheel)"
# The file names of one project are alike in any case.
_ALIKE = 0.8

# What a file is, by the end of its name, and the fix.
_BY_END = (
    ((".so", ".dylib", ".pyd", ".o", ".a"), f"a library or program alone has no tag; {_BUILD}"),
    ((".zip",), "not a wheel: if it holds wheels, unzip it first, and give these"),
    ((".egg",), "an egg, which the package index does not take; convert it (wheel convert)"),
    ((".conda",), f"a conda package needs no manylinux tag; for the package index, {_BUILD}"),
    (("pyproject.toml", "setup.py", "setup.cfg"), f"a project is not a wheel; {_BUILD}"),
)
_FORM = "NAME-VERSION-PYTHON-ABI-PLATFORM.whl, as the build named it"

_KINDS = (
    (stat.S_ISFIFO, "a named pipe"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
)


def mistake(path: str, command: str) -> Optional[InvalidWheelError]:
    """Return the error for a path that cannot be a wheel; None if its content has to tell."""
    if not path:
        return InvalidWheelError("an empty name was given; is a variable of the shell not set?")
    if command == "check" and stands_for_files(path):
        return None  # it had no files, and the error says so
    try:
        text = _mistake(path, command)
    except (OSError, ValueError):
        return None
    return InvalidWheelError(f"{shorten(path)}: {text}") if text else None


def _mistake(path: str, command: str) -> Optional[str]:
    if not os.path.exists(path):
        return missing(path, command)
    if os.path.isdir(path):
        return _folder(path, command)
    mode = os.stat(path).st_mode
    special = next((word for test, word in _KINDS if test(mode)), None)
    if special:
        return f"cannot be opened: {special} is not a wheel; write its content to a file first"
    if not _is_readable(path):
        return f"you have no permission to read it; chmod u+r {shorten(path)}, or ask its owner"
    if not os.path.getsize(path):
        return "an empty file; build or download it again"
    return _by_name(path, command) or _by_content(path)


def missing(path: str, command: str) -> str:
    """Return the sentence about a path where there is nothing."""
    if re.match(r"[a-z]+://", path):
        return "a URL, not a file; download it first"
    if os.path.islink(path):
        return f"a link to {shorten(os.readlink(path))}, which does not exist"
    if glob.has_magic(path):
        return _pattern(path, command)
    folder = os.path.dirname(path)
    if not os.path.isdir(folder or "."):
        return f"no such file, and no folder {shorten(folder)}"
    near = _nearest(path)
    return f"no such file; {near or 'build first (uv build), or give the path of a file'}"


def _nearest(path: str) -> str:
    """Return a hint with a path that is alike in the same folder; empty if there is none."""
    folder, name = os.path.split(path)
    try:
        near = closest(name, os.listdir(folder or "."), _ALIKE)
    except OSError:
        return ""
    return f"did you mean {shorten(os.path.join(folder, near))}?" if near else ""


def project(path: str, command: str) -> Optional[ConfigError]:
    """Return the error for a path that is no folder of a project; None for a folder."""
    name = os.path.basename(path)
    text = "not a folder: name the folder of the project"
    if os.path.isdir(path):
        return None
    if not os.path.lexists(path):
        text = f"no such folder; {_nearest(path) or 'name the folder of the project'}"
    elif name in ("pyproject.toml", "setup.py", "setup.cfg"):
        text += f": manyshim {command} {shorten(os.path.dirname(path) or '.')}"
    elif name.endswith(".whl"):
        text = f"a wheel, not a folder; {command} is for projects, and manyshim show for wheels"
    return ConfigError(f"{shorten(path)}: {text}")


def _pattern(path: str, command: str) -> str:
    """Return the sentence about a pattern that is given as it is: shells leave it if none fits."""
    if glob.glob(path):
        right = f"manyshim {command} {shorten(path)}"
        return f"the shell did not expand the pattern; write it without quotes: {right}"
    folder = os.path.dirname(path) or "."
    where = "" if glob.has_magic(folder) or os.path.isdir(folder) else f"; there is no {folder}"
    return f"no file matches the pattern{shorten(where)}; {_BUILD}, or correct the pattern"


def _folder(path: str, command: str) -> str:
    if path.lower().endswith(".whl"):
        return "cannot be opened: a folder, and a wheel is a file; build or download it again"
    wheels = os.path.join(path, "*.whl")
    if not glob.glob(os.path.join(glob.escape(path), "*.whl")):
        if os.path.exists(os.path.join(path, "pyproject.toml")):
            return f"a folder without wheels; {_BUILD}, then give dist/*.whl"
        return f"a folder without wheels; give {command} the wheels themselves"
    if command == "check":
        return f"a folder that is named like a file; give its files: {shorten(wheels)}"
    return f"a folder; give its wheels: {shorten(wheels)}, or manyshim check {shorten(path)}"


def _by_name(path: str, command: str) -> Optional[str]:
    name = os.path.basename(path).lower()
    if name.endswith(".whl"):
        wrong = parse_wheel_name(os.path.basename(path)) is None
        return f"its name is not that of a wheel (PEP 427); rename it to {_FORM}" if wrong else None
    for ends, text in _BY_END:
        if name.endswith(ends) and not (command == "check" and is_sdist(name)):
            return text
    if _starts(path, b"\x7fELF"):
        return _BY_END[0][1]
    if command == "check":
        return None if is_sdist(name) else "neither a wheel (.whl) nor an sdist (.tar.gz)"
    if is_sdist(name):
        return f"an sdist has no tag; {_BUILD}, or verify the sdist with manyshim check"
    return f"its name does not end with .whl, so it is no wheel; {_BUILD}"


def _by_content(path: str) -> Optional[str]:
    """Return the sentence about a file that is named like a wheel, and is none."""
    if _starts(path, b"PK\x03\x04"):
        return None if _has_end(path) else "the end is missing; build or download it again"
    if _starts(path, b"<"):
        return "a web page, not a wheel; download the wheel again"
    return "not a zip file, as wheels are; build or download it again"


def _is_readable(path: str) -> bool:
    try:
        open_regular(path).close()
    except PermissionError:
        return False
    return True


def _starts(path: str, magic: bytes) -> bool:
    with open_regular(path) as file:
        return file.read(len(magic)) == magic


def _has_end(path: str) -> bool:
    """Whether the end record of a zip archive is among the last bytes (APPNOTE.TXT)."""
    with open_regular(path) as file:
        file.seek(max(0, os.path.getsize(path) - _MAX_END))
        return b"PK\x05\x06" in file.read()


# The end record has 22 bytes, and a comment of at most 65,535.
_MAX_END = 22 + 65_535
