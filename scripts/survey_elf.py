"""What the survey's own audit reads from an ELF file, with pyelftools."""

from __future__ import annotations

import io
import posixpath
import struct
from collections.abc import Iterator
from typing import Any, NamedTuple

from elftools.elf.dynamic import DynamicSegment
from elftools.elf.elffile import ELFFile
from elftools.elf.segments import InterpSegment

_MACHINES = {
    ("EM_X86_64", 64): "x86_64",
    ("EM_386", 32): "i686",
    ("EM_AARCH64", 64): "aarch64",
    ("EM_ARM", 32): "armv7l",
    ("EM_PPC64", 64): "ppc64le",
    ("EM_S390", 64): "s390x",
    ("EM_RISCV", 64): "riscv64",
    ("EM_LOONGARCH", 64): "loongarch64",
}
_VER_FLG_WEAK = 2
_WEAK = 2


class Need(NamedTuple):
    """A symbol version that a file requires of a library."""

    library: str
    version: str


class Elf(NamedTuple):
    """An ELF file at its path after installation."""

    path: str
    arch: str
    soname: str
    interpreter: str
    needed: tuple[str, ...]
    runpath: tuple[str, ...]
    has_runpath: bool
    relr: bool
    needs: tuple[Need, ...]
    imports: frozenset[str]


def read_elf(path: str, data: bytes) -> Elf | None:
    """Return the facts of a program or a library; None for object files and the like."""
    elf = ELFFile(io.BytesIO(data))
    if elf.header["e_type"] not in ("ET_DYN", "ET_EXEC"):
        return None
    arch = _MACHINES.get((elf.header["e_machine"], elf.elfclass), "")
    interpreter, dynamic = "", None
    for segment in elf.iter_segments():
        if isinstance(segment, InterpSegment):
            interpreter = str(segment.get_interp_name())
        elif isinstance(segment, DynamicSegment):
            dynamic = segment
    tags: dict[str, list[Any]] = {}
    for tag in dynamic.iter_tags() if dynamic else ():
        tags.setdefault(str(tag.entry.d_tag), []).append(tag)
    runpath = [one.runpath for one in tags.get("DT_RUNPATH", ())]
    rpath = [one.rpath for one in tags.get("DT_RPATH", ())]
    folders = ":".join(runpath or rpath).split(":")
    return Elf(
        path,
        arch,
        next((one.soname for one in tags.get("DT_SONAME", ())), ""),
        interpreter,
        tuple(one.needed for one in tags.get("DT_NEEDED", ())),
        tuple(_expand(folder, path) for folder in folders if folder),
        bool(runpath),
        "DT_RELR" in tags,
        tuple(_needs(elf, dynamic, tags)),
        frozenset(_imports(elf)),
    )


def _expand(folder: str, path: str) -> str:
    origin = posixpath.dirname(path)
    return posixpath.normpath(folder.replace("${ORIGIN}", origin).replace("$ORIGIN", origin))


def _needs(elf: ELFFile, dynamic: Any, tags: dict[str, list[Any]]) -> Iterator[Need]:  # noqa: ANN401 (pyelftools has no types)
    """Yield the required versions, without those that may be missing (VER_FLG_WEAK)."""
    if "DT_VERNEED" not in tags:
        return
    order = "<" if elf.little_endian else ">"
    head, item = struct.Struct(f"{order}HHIII"), struct.Struct(f"{order}IHHII")
    strings = dynamic._get_stringtable()  # noqa: SLF001 (there is no public name for it)
    offset = next(elf.address_offsets(tags["DT_VERNEED"][0].entry.d_val))
    while True:
        _, count, file, first, following = head.unpack(_at(elf, offset, head.size))
        auxiliary = offset + first
        for _ in range(count):
            _, flags, _, name, step = item.unpack(_at(elf, auxiliary, item.size))
            if not flags & _VER_FLG_WEAK:
                yield Need(strings.get_string(file), strings.get_string(name))
            auxiliary += step
        if not following:
            return
        offset += following


def _at(elf: ELFFile, offset: int, size: int) -> bytes:
    elf.stream.seek(offset)
    return bytes(elf.stream.read(size))


def _imports(elf: ELFFile) -> Iterator[str]:
    """Yield the undefined names that are not weak."""
    section = next(
        (one for one in elf.iter_sections() if one.header["sh_type"] == "SHT_DYNSYM"), None
    )
    if section is None:
        return
    order = "<" if elf.little_endian else ">"
    layout = f"{order}IBBHQQ" if elf.elfclass == 64 else f"{order}IIIBBH"
    strings = elf.get_section(section.header["sh_link"]).data()
    for fields in struct.iter_unpack(layout, section.data()):
        if elf.elfclass == 64:
            name, info, _, index, _, _ = fields
        else:
            name, _, _, info, _, index = fields
        if name and not index and info >> 4 != _WEAK:
            yield strings[name : strings.index(b"\0", name)].decode("utf-8", "replace")
