"""An ELF member's bytes into facts: what it needs, from whom, and what it offers.

Sources: ELF gABI chapter 5; LSB "Symbol Versioning"; glibc elf/ for the GNU hash table.
"""

from __future__ import annotations

import struct
from typing import Dict, FrozenSet, Iterator, List, Optional, Set, Tuple

from manyshim.audit.facts import ElfFile, VersionNeed
from manyshim.audit.tags import MACHINES
from manyshim.formats import notes
from manyshim.formats.image import DT_NEEDED, MAGIC, PT_INTERP, Dynamic, ElfError, Image
from manyshim.formats.symbols import STB_GLOBAL, Symbol, count, symbols, undefined_end
from manyshim.formats.window import Window

_DT_SONAME = 14
_DT_RPATH = 15
_DT_RUNPATH = 29
_DT_RELR = 36
_DT_FLAGS_1 = 0x6FFFFFFB
_DT_VERDEF = 0x6FFFFFFC
_DT_VERDEFNUM = 0x6FFFFFFD
_DT_VERNEED = 0x6FFFFFFE
_DT_VERNEEDNUM = 0x6FFFFFFF
_DF_1_PIE = 0x08000000
_VER_FLG_BASE = 1
_VER_FLG_WEAK = 2
# More version nodes than any library has; glibc itself defines about fifty.
_VERSIONS_AT_MOST = 100_000


def is_elf(head: bytes) -> bool:
    """Whether a member begins as an ELF file does; its name says nothing."""
    return head.startswith(MAGIC)


def read(path: str, window: Window) -> ElfFile:
    """Read the facts of one member.

    Raises ElfError or MemberError where the loader would not find what it needs.
    """
    image = Image(window)
    facts = ElfFile(path, image.ident)
    if not image.ident.loadable or image.ident.machine not in MACHINES:
        return facts
    image.keep_tables()
    isa_level, android, damage = notes.read(image)
    facts = facts._replace(
        interpreter=_interpreter(image),
        isa_level=isa_level,
        android=android,
        damage=tuple(filter(None, (image.section_damage(), *damage))),
    )
    dynamic = image.dynamic()
    return facts if dynamic is None else _dynamic_facts(facts, dynamic)


def defined(window: Window, names: FrozenSet[str]) -> FrozenSet[str]:
    """Find which of `names` a shared object defines for others (bind and visibility allow it)."""
    image = Image(window)
    image.keep_tables()
    dynamic = image.dynamic()
    if dynamic is None:
        return frozenset()
    found: Set[str] = set()
    for batch in symbols(dynamic, 1, count(dynamic), versym=False):
        offered = [symbol.name for symbol in batch if symbol.exported]
        found.update(names.intersection(dynamic.strings(offered).values()))
    return frozenset(found)


def _dynamic_facts(facts: ElfFile, dynamic: Dynamic) -> ElfFile:
    needs = list(_version_needs(dynamic))
    by_version, unversioned = _undefined(facts, dynamic)
    defines = list(_version_definitions(dynamic))
    soname = dynamic.get(_DT_SONAME)
    flags_1 = dynamic.get(_DT_FLAGS_1) or 0
    indexes = [index for index, _, _, _ in needs]
    versions = [
        VersionNeed(
            library,
            version,
            weak=bool(flags & _VER_FLG_WEAK),
            symbols=tuple(sorted(by_version.get(index, {}))),
            only_weak=index in by_version and not any(by_version[index].values()),
        )
        for index, library, version, flags in needs
    ]
    strong = (
        name
        for index in indexes
        for name, is_strong in by_version.get(index, {}).items()
        if is_strong
    )
    return facts._replace(
        dynamic=True,
        needed=tuple(dynamic.string(index) for index in dynamic.all(DT_NEEDED)),
        soname=None if soname is None else dynamic.string(soname),
        rpath=_search_path(dynamic, _DT_RPATH),
        runpath=_search_path(dynamic, _DT_RUNPATH),
        versions_needed=tuple(versions),
        versions_defined=tuple(defines),
        undefined=tuple(sorted(unversioned)),
        strong_versioned=frozenset(strong),
        relr=dynamic.get(_DT_RELR) is not None,
        pie=bool(flags_1 & _DF_1_PIE),
    )


def _search_path(dynamic: Dynamic, tag: int) -> Tuple[str, ...]:
    index = dynamic.get(tag)
    return () if index is None else tuple(dynamic.string(index).split(":"))


def _interpreter(image: Image) -> Optional[str]:
    for segment in image.of_type(PT_INTERP):
        if segment.offset + segment.file_size > image.window.size:
            raise ElfError("the name of its interpreter lies behind the file")
        length = min(segment.file_size, 4096)
        return image.text(image.bytes_at(segment.offset, length), "interpreter's name")
    return None


def _version_needs(dynamic: Dynamic) -> Iterator[Tuple[int, str, str, int]]:
    """Yield each required version as (index, library, version, flags)."""
    image, found = dynamic.image, []
    entry = struct.Struct(image.layout.order + "HHIII")
    node = struct.Struct(image.layout.order + "IHHII")
    address = dynamic.get(_DT_VERNEED)
    count = dynamic.get(_DT_VERNEEDNUM) or 0
    while address is not None and count:
        _, nodes, library, first, step = entry.unpack(image.at(address, 16, "version needs"))
        place = address + first
        while nodes:
            _, flags, index, name, next_node = node.unpack(image.at(place, 16, "version needs"))
            found.append((index & 0x7FFF, library, name, flags))
            if len(found) > _VERSIONS_AT_MOST:
                raise ElfError(f"it requires more than {_VERSIONS_AT_MOST} versions")
            nodes = nodes - 1 if next_node else 0
            place += next_node
        count = count - 1 if step else 0
        address += step
    names = dynamic.strings([index for row in found for index in row[1:3]])
    for index, library, name, flags in found:
        yield index, names[library], names[name], flags


def _version_definitions(dynamic: Dynamic) -> Iterator[str]:
    """Yield the names of the defined versions, without the file's own (VER_FLG_BASE)."""
    image, found = dynamic.image, []
    entry = struct.Struct(image.layout.order + "HHHHIII")
    address = dynamic.get(_DT_VERDEF)
    count = dynamic.get(_DT_VERDEFNUM) or 0
    while address is not None and count:
        _, flags, _, names, _, first, step = entry.unpack(
            image.at(address, entry.size, "version definitions")
        )
        if names and not flags & _VER_FLG_BASE:
            word = image.at(address + first, 4, "version definitions")
            found.append(struct.unpack(image.layout.order + "I", word)[0])
        if len(found) > _VERSIONS_AT_MOST:
            raise ElfError(f"it defines more than {_VERSIONS_AT_MOST} versions")
        count = count - 1 if step else 0
        address += step
    names_of = dynamic.strings(found)
    return (names_of[index] for index in found)


def _undefined(facts: ElfFile, dynamic: Dynamic) -> Tuple[Dict[int, Dict[str, bool]], List[str]]:
    """Collect the undefined names.

    By version index, each with whether a reference is strong; and the strong ones without version.
    """
    wanted: List[Symbol] = []
    for batch in symbols(dynamic, 1, undefined_end(facts, dynamic), versym=True):
        wanted += [symbol for symbol in batch if symbol.undefined]
    names = dynamic.strings([symbol.name for symbol in wanted])
    by_version: Dict[int, Dict[str, bool]] = {}
    unversioned: List[str] = []
    for symbol in wanted:
        strong = symbol.bind == STB_GLOBAL
        if symbol.version > 1:
            uses = by_version.setdefault(symbol.version, {})
            uses[names[symbol.name]] = strong or uses.get(names[symbol.name], False)
        elif strong:
            unversioned.append(names[symbol.name])
    return by_version, unversioned
