"""ELF files in many variants, and their comparison with pyelftools."""

from __future__ import annotations

import io
from dataclasses import replace
from typing import Any, Dict, FrozenSet, Iterator, List, Tuple

from elftools.elf.elffile import ELFFile
from elftools.elf.enums import ENUM_E_MACHINE, ENUM_E_TYPE, ENUM_EI_OSABI

from elftables import HIDDEN, OBJECT
from elfwriter import TARGETS, Elf, Symbol
from manyshim.audit.facts import ElfFile
from manyshim.formats.elf import reader
from manyshim.formats.zip.window import Window

PIE = 0x08000000
SYMBOLS = (
    Symbol("PyInit_demo", defined=True),
    Symbol("malloc", "libc.so.6", "GLIBC_2.17"),
    Symbol("free", "libc.so.6", "GLIBC_2.17", weak=True),
    Symbol("demo_new", version="DEMO_2", defined=True),
    Symbol("gettid", "libc.so.6", "GLIBC_2.30", weak=True),
    Symbol("PyErr_Occurred"),
    Symbol("sin", "libm.so.6", "GLIBC_2.17"),
    Symbol("demo_state", defined=True, kind=OBJECT, unique=True),
    Symbol("demo_hidden", defined=True, visibility=HIDDEN),
    Symbol("__gmon_start__", weak=True),
)
FULL = Elf(
    soname="libdemo.so.1",
    needed=("libc.so.6", "libm.so.6"),
    rpath="/opt/lib:",
    runpath="$ORIGIN/../libs:${ORIGIN}",
    symbols=SYMBOLS,
    versions_defined=("DEMO_1", "DEMO_2"),
    version_needs=(("libc.so.6", "GLIBC_2.36"),),
    weak_versions=frozenset({("libc.so.6", "GLIBC_2.30")}),
    notes=((b"GNU", 3, b"12345"),),
    isa=2,
)
IMPORTS = tuple(symbol for symbol in SYMBOLS if not symbol.defined)
VARIANTS: Dict[str, Dict[str, Any]] = {
    "full": {},
    "System V hash": {"sysv_hash": True, "gnu_hash": False},
    "both hashes": {"sysv_hash": True},
    "tables last": {"tables_last": True, "padding": 70_000},
    "RELR": {"relr": True},
    "program": {"type": 2, "interp": "/lib/ld.so", "dt_flags": 8},
    "PIE": {"interp": "/lib/ld.so", "dt_flags_1": PIE},
    "static PIE": {"dt_flags_1": PIE | 1, "needed": ()},
    "plt slot": {"type": 2, "interp": "/l", "symbols": (*SYMBOLS, Symbol("f", value=0x401000))},
    "no imports": {"symbols": (), "version_needs": ()},
    "not UTF-8": {"needed": (b"lib\xff.so",), "soname": b"\xfe", "symbols": (Symbol(b"\xfdx"),)},
    "no names": {"soname": None, "rpath": "", "runpath": None, "needed": ()},
    "as ld.rela": {"symbols": IMPORTS, "empty_hash_like_ld": True, "relocations": ".rela.dyn"},
    "as ld.rel": {"symbols": IMPORTS, "empty_hash_like_ld": True, "relocations": ".rel.dyn"},
    "as ld.rela.plt": {"symbols": IMPORTS, "empty_hash_like_ld": True, "relocations": ".rela.plt"},
    "as ld.rel.plt": {"symbols": IMPORTS, "empty_hash_like_ld": True, "relocations": ".rel.plt"},
}


def described(arch: str, **changes: Any) -> Elf:
    target = TARGETS[arch]
    same = {name: getattr(target, name) for name in ("bits", "little", "machine", "flags")}
    return replace(FULL, page_align=target.page_align, **{**same, **changes})


def read(data: bytes) -> reader.Reading:
    return reader.read("x.so", Window(io.BytesIO(data), 0, len(data), len(data), 0))


# The facts that both readers report, by name, so that a difference has a name.
Summary = Dict[str, object]


def summary(facts: ElfFile) -> Summary:
    return {
        **facts.ident._asdict(),
        "interp": facts.interpreter,
        "dynamic": facts.dynamic,
        "needed": list(facts.needed),
        "soname": facts.soname,
        "rpath": ":".join(facts.rpath),
        "runpath": ":".join(facts.runpath),
        "needs": [(need.library, need.version, need.weak) for need in facts.versions_needed],
        "used": {
            (need.library, need.version): (list(need.symbols), need.only_weak)
            for need in facts.versions_needed
        },
        "strong": sorted(facts.strong_versioned),
        "undefined": list(facts.undefined),
        "defined": list(facts.versions_defined),
        "relr": facts.relr,
        "pie": facts.pie,
    }


class Judge:
    """The facts of one file, as pyelftools reads it."""

    def __init__(self, data: bytes) -> None:
        self.elf: Any = ELFFile(io.BytesIO(data))
        self.sections: Dict[str, Any] = {
            section["sh_type"]: section for section in self.elf.iter_sections()
        }
        self.tags: List[Any] = []
        segment: Any
        for segment in self.elf.iter_segments("PT_DYNAMIC"):
            self.tags = list(segment.iter_tags())

    def text(self, name: str, attribute: str) -> Any:
        found = [getattr(tag, attribute) for tag in self.tags if tag["d_tag"] == name]
        return found[-1] if found else None

    def versions(self, kind: str) -> Iterator[Tuple[Any, Any]]:
        section = self.sections.get(kind)
        for entry, nodes in section.iter_versions() if section else ():
            yield entry, list(nodes)

    def symbols(self) -> Iterator[Tuple[Any, int]]:
        table, versions = self.sections.get("SHT_DYNSYM"), self.sections.get("SHT_GNU_versym")
        for index, symbol in enumerate(table.iter_symbols() if table else ()):
            version = versions.get_symbol(index)["ndx"] if versions else 1
            yield symbol, version & 0x7FFF if isinstance(version, int) else 1

    def exports(self) -> FrozenSet[str]:
        binds, escape = ("STB_GLOBAL", "STB_WEAK", "STB_LOOS"), ("STV_DEFAULT", "STV_PROTECTED")
        return frozenset(
            symbol.name
            for symbol, _ in self.symbols()
            if symbol["st_shndx"] != "SHN_UNDEF"
            and symbol["st_info"]["bind"] in binds
            and symbol["st_other"]["visibility"] in escape
        )

    def summary(self) -> Summary:
        header, ident = self.elf.header, self.elf.header["e_ident"]
        needs = [
            (need.name, node.name, bool(node["vna_flags"] & 2), node["vna_other"] & 0x7FFF)
            for need, nodes in self.versions("SHT_GNU_verneed")
            for node in nodes
        ]
        uses: Dict[int, Dict[str, bool]] = {}
        undefined = set()
        for symbol, version in self.symbols():
            bind = symbol["st_info"]["bind"]
            if symbol["st_shndx"] != "SHN_UNDEF" or not symbol.name or bind == "STB_LOCAL":
                continue
            strong = bind == "STB_GLOBAL"
            if version > 1:
                names = uses.setdefault(version, {})
                names[symbol.name] = strong or names.get(symbol.name, False)
            elif strong:
                undefined.add(symbol.name)
        indexes = {index for *_, index in needs}
        flags = self.text("DT_FLAGS_1", "entry")
        interps = [segment.get_interp_name() for segment in self.elf.iter_segments("PT_INTERP")]
        used = {(library, node): uses.get(index, {}) for library, node, _, index in needs}
        return {
            "bits": self.elf.elfclass,
            "little_endian": self.elf.little_endian,
            "machine": ENUM_E_MACHINE.get(header["e_machine"], header["e_machine"]),
            "type": ENUM_E_TYPE.get(header["e_type"], header["e_type"]),
            "os_abi": ENUM_EI_OSABI.get(ident["EI_OSABI"], ident["EI_OSABI"]),
            "abi_version": ident["EI_ABIVERSION"],
            "flags": header["e_flags"],
            "interp": interps[0] if interps else None,
            "dynamic": bool(self.tags),
            "needed": [tag.needed for tag in self.tags if tag["d_tag"] == "DT_NEEDED"],
            "soname": self.text("DT_SONAME", "soname"),
            "rpath": self.text("DT_RPATH", "rpath") or "",
            "runpath": self.text("DT_RUNPATH", "runpath") or "",
            "needs": [tuple(row[:3]) for row in needs],
            "used": {
                need: (sorted(names), bool(names) and not any(names.values()))
                for need, names in used.items()
            },
            "strong": sorted(
                {n for index in indexes for n, strong in uses.get(index, {}).items() if strong}
            ),
            "undefined": sorted(undefined),
            "defined": [
                nodes[0].name
                for entry, nodes in self.versions("SHT_GNU_verdef")
                if not entry["vd_flags"] & 1
            ],
            "relr": self.text("DT_RELR", "entry") is not None,
            "pie": bool(flags and flags["d_val"] & PIE),
        }


def differences(data: bytes) -> List[str]:
    """List the facts on which the two readers differ."""
    judge = Judge(data)
    reading = read(data)
    actual, expected = summary(reading.facts), judge.summary()
    found = [
        f"{key}: {actual[key]} != {value}"
        for key, value in expected.items()
        if actual[key] != value
    ]
    exports = judge.exports()
    if reading.defined(exports | {"absent name"}) != exports:
        found.append("exports")
    return found
