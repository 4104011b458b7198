"""Read the facts of an ELF member: what it needs, from which libraries, and what it defines.

Sources: ELF gABI chapter 5; LSB "Symbol Versioning"; glibc elf/ for the GNU hash table.
"""

from __future__ import annotations

import struct

from manyshim.audit.facts import SHARED, ElfFile, VersionNeed
from manyshim.audit.tags import MACHINES
from manyshim.formats.elf import dynamic as dynamics
from manyshim.formats.elf import notes
from manyshim.formats.elf.constants import (
    DF_1_PIE,
    DF_STATIC_TLS,
    DF_TEXTREL,
    DT_ANDROID_RELR,
    DT_AUXILIARY,
    DT_FILTER,
    DT_FLAGS,
    DT_FLAGS_1,
    DT_NEEDED,
    DT_RELR,
    DT_RPATH,
    DT_RUNPATH,
    DT_SONAME,
    DT_TEXTREL,
    DT_VERDEF,
    DT_VERNEED,
    EM_AARCH64,
    MAGIC,
    PF_X,
    PT_GNU_STACK,
    PT_INTERP,
    PT_LOAD,
    PT_TLS,
    VER_FLG_BASE,
    VER_FLG_WEAK,
)
from manyshim.formats.elf.dynamic import Dynamic
from manyshim.formats.elf.image import ElfError, Image
from manyshim.formats.elf.symbols import Import, defines, exports, imports, static_tls
from manyshim.formats.zip.window import Window
from manyshim.values import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Dict, FrozenSet, List, Optional, Set, Tuple

    _Uses = Dict[int, Dict[str, bool]]  # by version: its names, and if a strong reference needs it

# The gABI's tag, and Android's older one.
_RELR_TAGS = (DT_RELR, DT_ANDROID_RELR)
_W_X = 0x3
# No glibc has less room for static thread-local storage that is opened later, in bytes.
_ANY_SURPLUS = 1664
# No library has so many version nodes; glibc itself defines about fifty.
_MAX_VERSIONS = 10_000
_MAX_MODULE_NAME = 255  # characters


def is_elf(head: bytes) -> bool:
    """Return whether a member begins with ELF's magic bytes. Its name does not matter."""
    return head.startswith(MAGIC)


class Reading(NamedTuple):
    """The facts of a member, what its exports are looked up in, and if Rust's compiler made it."""

    facts: ElfFile
    dynamic: Optional[Dynamic] = None
    rust: bool = False

    def defined(self, names: FrozenSet[str]) -> FrozenSet[str]:
        """Return which of `names` the file exports. Raises as `read` does."""
        found: Set[str] = set()
        if self.dynamic is not None:
            for offsets in exports(self.dynamic):
                found.update(self.dynamic.strings_among(names, offsets))
            self.dynamic.image.discard()
        return frozenset(found)


def read(path: str, window: Window, known: Optional[Dict[str, str]] = None) -> Reading:
    """Read the facts of one member. Names that are `known` from other files are not kept twice.

    Raises ElfError or MemberError if the loader would not find what it needs.
    """
    image = Image(window)
    facts = ElfFile(path, image.ident)
    if not image.ident.loadable or image.ident.machine not in MACHINES:
        return Reading(facts)
    image.retain_tables()
    isa_level, android, damage = notes.read(image)
    facts = facts._replace(
        interpreter=_interpreter(image),
        isa_level=isa_level,
        android=android,
        tls_size=sum(segment.memory_size for segment in image.of_type(PT_TLS)),
        executable_stack=_executable_stack(image),
        writable_code=any(load.flags & _W_X == _W_X for load in image.of_type(PT_LOAD)),
        page_size=image.page_size(),
        damage=tuple(filter(None, (image.section_damage(), image.overlap_damage(), *damage))),
    )
    if image.detached():
        return Reading(facts._replace(detached=True))
    dynamic = dynamics.read(image)
    rust = dynamic is not None and image.made_by_rust()
    if dynamic is not None:
        facts = _dynamic_facts(facts, dynamic, known)
        dynamic.discard()
    else:
        image.discard()
        if facts.extension_module:
            facts = facts._replace(module_init=False)
    return Reading(facts, dynamic, rust)


def _dynamic_facts(facts: ElfFile, dynamic: Dynamic, known: Optional[Dict[str, str]]) -> ElfFile:
    """Read all tables first and then all names: mostly, each byte is then inflated only once."""
    undefined = imports(facts, dynamic)
    # Linkers put the versions of the symbols before the tables of versions.
    defines = _version_definitions(dynamic)
    needs = _version_needs(dynamic)
    single = {tag: dynamic.get(tag) for tag in (DT_SONAME, DT_RPATH, DT_RUNPATH)}
    needed, auxiliary, filters = map(dynamic.all, (DT_NEEDED, DT_AUXILIARY, DT_FILTER))
    flags = dynamic.get(DT_FLAGS) or 0
    fixed = bool(flags & DF_STATIC_TLS)
    own, others = static_tls(dynamic) if fixed or _may_be_fixed(facts) else (False, [])
    names = dynamic.strings(
        [
            *needed,
            *auxiliary,
            *filters,
            *(index for index in single.values() if index is not None),
            *(index for need in needs for index in (need.library, need.name)),
            *defines,
            *(name for name, _, _ in undefined),
            *others,
        ],
        known,
    )
    named = {tag: None if index is None else names[index] for tag, index in single.items()}
    versioned, unversioned = _by_version(undefined, names, {need.version for need in needs})
    return facts._replace(
        dynamic=True,
        needed=tuple(names[index] for index in needed),
        auxiliary=tuple(names[index] for index in auxiliary),
        filters=tuple(names[index] for index in filters),
        soname=named[DT_SONAME],
        rpath=_search_path(named[DT_RPATH]),
        runpath=_search_path(named[DT_RUNPATH]),
        versions_needed=tuple(_version_need(need, names, versioned) for need in needs),
        versions_defined=tuple(names[index] for index in defines),
        undefined=unversioned,
        strong_versioned=frozenset(
            name
            for need in needs
            for name, strong in versioned.get(need.version, {}).items()
            if strong
        ),
        relr=any(dynamic.get(tag) is not None for tag in _RELR_TAGS),
        textrel=dynamic.get(DT_TEXTREL) is not None or bool(flags & DF_TEXTREL),
        static_tls=fixed or own,
        own_static_tls=own and facts.tls_size > 0,
        static_tls_imports=tuple(sorted({names[index] for index in others})),
        module_init=_module_init(facts, dynamic),
        pie=bool((dynamic.get(DT_FLAGS_1) or 0) & DF_1_PIE),
    )


def _may_be_fixed(facts: ElfFile) -> bool:
    """Whether the relocations of a file without DF_STATIC_TLS are worth reading: it costs much."""
    # GNU ld for aarch64 does not set the flag.
    opened = facts.ident.type == SHARED and facts.interpreter is None
    return opened and facts.ident.machine == EM_AARCH64 and facts.tls_size > _ANY_SURPLUS


def _executable_stack(image: Image) -> Optional[bool]:
    """Return whether PT_GNU_STACK asks for an executable stack, or None without one."""
    stacks = [segment.flags for segment in image.of_type(PT_GNU_STACK)]
    return bool(stacks[-1] & PF_X) if stacks else None


def _module_init(facts: ElfFile, dynamic: Dynamic) -> Optional[bool]:
    """Return whether an extension module has its init function (PEP 489, PEP 793).

    None if the file is not an extension module, or its name is not an identifier.
    """
    name = facts.module_name
    # Encoding takes quadratic time. No file system has longer names.
    if not facts.extension_module or len(name) > _MAX_MODULE_NAME or not name.isidentifier():
        return None
    names = [f"{prefix}_{name}" for prefix in facts.init_functions]
    if not name.isascii():
        code = name.encode("punycode").decode().replace("-", "_")
        names = [f"{prefix}U_{code}" for prefix in facts.init_functions]
    return any(defines(dynamic, one) for one in names)


def _search_path(text: Optional[str]) -> Tuple[str, ...]:
    return () if text is None else tuple(text.split(":"))


def _by_version(
    undefined: List[Import], names: Dict[int, str], needed: Set[int]
) -> Tuple[_Uses, Tuple[str, ...]]:
    """Return the undefined names by version index, and the strong ones without a version."""
    versioned: _Uses = {}
    unversioned: Set[str] = set()
    for index, strong, version in undefined:
        name = names[index]
        if version in needed:
            uses = versioned.setdefault(version, {})
            uses[name] = strong or uses.get(name, False)
        elif strong:
            unversioned.add(name)
    return versioned, tuple(sorted(unversioned))


def _version_need(need: _Need, names: Dict[int, str], versioned: _Uses) -> VersionNeed:
    uses = versioned.get(need.version, {})
    return VersionNeed(
        names[need.library],
        names[need.name],
        weak=bool(need.flags & VER_FLG_WEAK),
        symbols=tuple(sorted(uses)),
        only_weak=bool(uses) and not any(uses.values()),
    )


def _interpreter(image: Image) -> Optional[str]:
    for segment in image.of_type(PT_INTERP):
        if segment.offset + segment.file_size > image.window.size:
            raise ElfError("the name of its interpreter extends beyond the end of the file")
        length = min(segment.file_size, 4096)
        return image.text(image.bytes_at(segment.offset, length), "interpreter's name")
    return None


class _Need:
    """A required version: its index, and its library and name as offsets in the string table."""

    def __init__(self, version: int, library: int, name: int, flags: int) -> None:
        self.version = version
        self.library = library
        self.name = name
        self.flags = flags


def _version_needs(dynamic: Dynamic) -> List[_Need]:
    image = dynamic.image
    found: List[_Need] = []
    entry = struct.Struct(image.layout.order + "HHIII")
    node = struct.Struct(image.layout.order + "IHHII")
    address = dynamic.get(DT_VERNEED)
    seen = 0
    # The loader follows the offsets and does not read the counts (glibc elf/dl-version.c).
    while address is not None:
        _, _, library, first, step = entry.unpack(image.at(address, 16, "version needs"))
        place = address + first
        while True:
            _, flags, version, name, next_node = node.unpack(image.at(place, 16, "version needs"))
            found.append(_Need(version & 0x7FFF, library, name, flags))
            seen += 1
            if seen > _MAX_VERSIONS:
                raise ElfError(f"it requires more than {_MAX_VERSIONS} versions")
            if not next_node:
                break
            place += next_node
        if not step:
            break
        address += step
    return found


def _version_definitions(dynamic: Dynamic) -> List[int]:
    """Return the name offsets of the defined versions, without the file's own (VER_FLG_BASE)."""
    image = dynamic.image
    found: List[int] = []
    entry = struct.Struct(image.layout.order + "HHHHIII")
    word = struct.Struct(image.layout.order + "I")
    address = dynamic.get(DT_VERDEF)
    for _ in range(_MAX_VERSIONS):
        if address is None:
            return found
        _, flags, _, names, _, first, step = entry.unpack(
            image.at(address, entry.size, "version definitions")
        )
        if names and not flags & VER_FLG_BASE:
            found += word.unpack(image.at(address + first, 4, "version definitions"))
        address = address + step if step else None
    raise ElfError(f"it defines more than {_MAX_VERSIONS} versions")
