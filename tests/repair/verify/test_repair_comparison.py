"""The comparison reports all damage by patchelf or strip, and accepts every good patch."""

from __future__ import annotations

import glob
import os
import re
import shutil
import struct
import subprocess
import sys
from pathlib import Path
from typing import Callable, Dict, List, Tuple

import pytest

import needs
from elfbuilding import build_chain, gcc, needs_gcc, patchelf
from elfwriter import Elf, write
from manyshim.audit.facts import ElfFile
from manyshim.errors import ToolError
from manyshim.formats.elf import dynamic as dynamics
from manyshim.formats.elf import reader
from manyshim.formats.elf.edits import Patch
from manyshim.formats.elf.image import Image
from manyshim.formats.zip.window import Window
from manyshim.repair.patch import clear_execstack
from manyshim.repair.strip import strip
from manyshim.repair.trial import load_failures
from manyshim.repair.verify.comparison import damage
from manyshim.repair.verify.dynamic_tables import Tables

pytestmark = needs_gcc

FOLDER = "/usr/lib/x86_64-linux-gnu"
SYSTEM = (
    *("libssl", "libcrypto", "libstdc++", "libpython3", "libz", "libm", "libgcc_s", "libX11"),
    *("libglib-2.0", "libgio-2.0", "libsqlite3", "libxml2", "libcurl", "libpng16", "libjpeg"),
    *("libfreetype", "libgnutls", "libicudata", "libicuuc", "libLLVM", "libbz2", "liblzma"),
    *("libzstd", "libffi", "libexpat", "libuuid", "libncursesw", "libc", "libgomp"),
)
PT_LOAD, PT_INTERP, PT_TLS, PT_PHDR = 1, 3, 7, 6
PT_STACK, PT_RELRO = 0x6474E551, 0x6474E552


def plan(facts: ElfFile) -> Patch:
    return Patch(
        tuple((name, f"x-0123abcd-{name}") for name in facts.needed),
        (),
        f"y-0123abcd-{facts.soname}" if facts.soname else None,
        "$ORIGIN/../project.libs",
    )


def facts_of(path: Path) -> ElfFile:
    with path.open("rb") as file:
        return reader.read(path.name, Window(file, 0, 0, path.stat().st_size, 0)).facts


def patched(source: Path, folder: Path) -> Tuple[Path, Patch]:
    target = folder / f"patched-{source.name}"
    shutil.copy(source, target)
    change = plan(facts_of(source))
    patchelf().apply(str(target), change)
    return target, change


@pytest.fixture(scope="module")
def chain(tmp_path_factory: pytest.TempPathFactory) -> Dict[str, Path]:
    return build_chain(tmp_path_factory.mktemp("chain"))


def versions(name: str) -> List[str]:
    """Return the files of a library on this machine, sorted."""
    return sorted(glob.glob(f"{FOLDER}/{glob.escape(name)}[.-]*so.*"))


@pytest.mark.parametrize("name", [name for name in SYSTEM if versions(name)])
def test_a_good_patch_of_a_system_library_is_good(tmp_path: Path, name: str) -> None:
    source = Path(versions(name)[-1]).resolve()
    target, change = patched(source, tmp_path)
    assert damage(str(source), str(target), change) == []
    shutil.copy(source, tmp_path / "stripped")
    strip(str(tmp_path / "stripped"), "all", "x86_64", "x86_64")
    patchelf().apply(str(tmp_path / "stripped"), change)
    assert damage(str(source), str(tmp_path / "stripped"), change, stripped=True) == []


@pytest.mark.parametrize("name", [sys.executable, "/bin/ls"])
def test_a_good_patch_of_a_program_is_good(tmp_path: Path, name: str) -> None:
    source = Path(name).resolve()
    target, change = patched(source, tmp_path)
    assert damage(str(source), str(target), change) == []


@pytest.mark.parametrize("short", ["a1", "b2", "c3", "main"])
def test_a_good_patch_of_small_files_is_good(
    tmp_path: Path, chain: Dict[str, Path], short: str
) -> None:
    source = chain[short]
    target, change = patched(source, tmp_path)
    assert damage(str(source), str(target), change) == []
    again = change._replace(soname="z" * 300, rpath="$ORIGIN/" + "z" * 9000)
    patchelf().apply(str(target), again._replace(replace_needed=()))
    assert damage(str(source), str(target), again) == []


def test_a_good_patch_of_cpp_code_is_good(tmp_path: Path) -> None:
    text = '#include <string>\n#include <stdexcept>\nthread_local std::string s = "x";\n'
    text += "int f(int x) { try { return std::stoi(s); } catch (std::exception &) { return x; } }\n"
    (tmp_path / "x.cc").write_text(text)
    gcc(tmp_path, "-shared", "-fPIC", "x.cc", "-o", "x.so", tool="g++")
    target, change = patched(tmp_path / "x.so", tmp_path)
    assert damage(str(tmp_path / "x.so"), str(target), change) == []


def test_each_difference_from_the_plan_is_reported(tmp_path: Path, chain: Dict[str, Path]) -> None:
    source = chain["a1"]
    target, change = patched(source, tmp_path)
    for other, words in (
        (change._replace(soname="other"), "soname"),
        (change._replace(soname=None), "soname"),
        (change._replace(rpath="$ORIGIN"), "RPATH"),
        (change._replace(rpath=None), "RPATH"),
        (change._replace(rpath=""), "RPATH"),
        (change._replace(replace_needed=()), "it needs"),
        (change._replace(replace_needed=change.replace_needed[1:]), "it needs"),
        (change._replace(remove_needed=("libb2.so.1",)), "it needs"),
    ):
        found = damage(str(source), str(target), other)
        assert any(words in one for one in found), (other, found)
    shutil.copy(source, target)
    change = Patch(remove_needed=("libb2.so.1",))
    patchelf().apply(str(target), change)
    (only,) = damage(str(source), str(target), change)
    assert "versions of libb2.so.1" in only


def test_a_cleared_execstack_is_reported_unless_it_was_planned(tmp_path: Path) -> None:
    (tmp_path / "x.c").write_text("int x;\n")
    gcc(tmp_path, "-shared", "-fPIC", "-z", "execstack", "x.c", "-o", "x.so")
    target, change = patched(tmp_path / "x.so", tmp_path)
    clear_execstack(str(target))
    pair = str(tmp_path / "x.so"), str(target)
    assert "PT_GNU_STACK" in damage(*pair, change)[0]
    assert damage(*pair, change, execstack_cleared=True) == []
    assert "PT_GNU_STACK" in damage(pair[0], pair[0], Patch(), execstack_cleared=True)[0]


class Editor:
    """Changes single parts of a patched 64-bit little-endian file."""

    def __init__(self, path: Path) -> None:
        self.data = bytearray(path.read_bytes())
        with path.open("rb") as file:
            self.image = Image(Window(file, 0, 0, len(self.data), 0))
            self.dynamic = dynamics.read(self.image)
            assert self.dynamic is not None
            self.ranges = Tables(self.dynamic).ranges()
        (self.headers,) = struct.unpack_from("<Q", self.data, 32)

    def flip(self, address: int) -> None:
        offset, _ = self.image.locate(address, "byte")
        self.data[offset] ^= 1

    def table(self, tag: int, place: int) -> None:
        self.flip(self.ranges[tag][0] + place)

    def clear(self, tag: int, place: int) -> None:
        offset, _ = self.image.locate(self.ranges[tag][0] + place, "half word")
        self.data[offset : offset + 2] = bytes(2)

    def segment(self, kind: int, field: int, change: Callable[[int], int], number: int = 0) -> None:
        """Change type, flags, offset, address, physical, file size, memory size or alignment."""
        found = [i for i, one in enumerate(self.image.segments) if one.type == kind]
        place = self.headers + found[number] * 56
        fields = list(struct.unpack_from("<IIQQQQQQ", self.data, place))
        fields[field] = change(fields[field])
        struct.pack_into("<IIQQQQQQ", self.data, place, *fields)

    def entry(self, tag: int, change: Callable[[int], Tuple[int, int]]) -> None:
        (segment,) = self.image.dynamic_segment()
        for place in range(segment.offset, segment.offset + segment.file_size, 16):
            found, value = struct.unpack_from("<QQ", self.data, place)
            if found == tag:
                struct.pack_into("<QQ", self.data, place, *change(value))
                return
        pytest.fail(f"no entry {tag}")

    def address(self, flags: int, where: float = 0.5) -> int:
        load = next(one for one in self.image.of_type(PT_LOAD) if one.flags == flags)
        return load.address + int(load.file_size * where)

    def value(self, tag: int) -> int:
        assert self.dynamic is not None
        return self.dynamic.get(tag) or 0


DAMAGES: Dict[str, Tuple[str, Callable[[Editor], object], str]] = {
    "code": ("a1", lambda e: e.flip(e.address(5)), "code at"),
    "last code": ("a1", lambda e: e.flip(e.address(5, 1) - 1), "code at"),
    "init function": ("a1", lambda e: e.flip(e.value(12)), "code at"),
    "init array": ("a1", lambda e: e.flip(e.value(25)), "data at"),
    "read-only data": ("main", lambda e: e.flip(e.image.locate(0x2000, "")[0]), "read-only"),
    "symbol value": ("b2", lambda e: e.table(6, 24 * 6 + 8), "dynamic symbol"),
    "symbol size": ("b2", lambda e: e.table(6, 24 * 6 + 16), "dynamic symbol"),
    "symbol binding": ("b2", lambda e: e.table(6, 24 * 6 + 4), "dynamic symbol"),
    "symbol name": ("b2", lambda e: e.table(5, 3), "symbol"),
    "undefined": ("b2", lambda e: e.clear(6, 24 * 6 + 6), "dynamic symbol"),
    "symbol version": ("b2", lambda e: e.table(0x6FFFFFF0, 2), "versions"),
    "version definition": ("b2", lambda e: e.table(0x6FFFFFFC, 8), "version definitions"),
    "version need": ("a1", lambda e: e.table(0x6FFFFFFE, 16), "version needs"),
    "weak version need": ("a1", lambda e: e.table(0x6FFFFFFE, 20), "version needs"),
    "hash": ("b2", lambda e: e.table(0x6FFFFEF5, 16), "GNU hash"),
    "relocation": ("a1", lambda e: e.table(7, 16), "relocations"),
    "procedure relocation": ("a1", lambda e: e.table(23, 16), "relocations"),
    "shorter relocations": ("a1", lambda e: e.entry(8, lambda v: (8, v - 24)), "relocations"),
    "no relocations": ("a1", lambda e: e.entry(7, lambda v: (0x6FFFFDF0, v)), "is missing"),
    "init": ("a1", lambda e: e.entry(12, lambda v: (12, v + 1)), "type 0xc"),
    "fini array": ("a1", lambda e: e.entry(26, lambda v: (26, v + 8)), "type 0x1a"),
    "init array size": ("a1", lambda e: e.entry(27, lambda v: (27, v - 8)), "type 0x1b"),
    "second search path": ("a1", lambda e: e.entry(0x6FFFFFF9, lambda _: (29, 1)), "DT_RUNPATH"),
    "second soname": ("a1", lambda e: e.entry(0x6FFFFFF9, lambda _: (14, 1)), "soname"),
    "symbolic flag": ("a1", lambda e: e.entry(0x6FFFFFF9, lambda _: (16, 0)), "type 0x10"),
    "thread-local size": ("c3", lambda e: e.segment(PT_TLS, 6, lambda v: v + 8), "PT_TLS"),
    "thread-local align": ("c3", lambda e: e.segment(PT_TLS, 7, lambda v: v * 4), "PT_TLS"),
    "relro": ("a1", lambda e: e.segment(PT_RELRO, 6, lambda v: v + 4096), "RELRO"),
    "no relro": ("a1", lambda e: e.segment(PT_RELRO, 0, lambda _: 0), "PT_GNU_RELRO is missing"),
    "stack": ("a1", lambda e: e.segment(PT_STACK, 1, lambda v: v | 1), "PT_GNU_STACK"),
    "unwinding": ("a1", lambda e: e.segment(0x6474E550, 3, lambda v: v + 4), "EH_FRAME"),
    "flags": ("a1", lambda e: e.segment(PT_LOAD, 1, lambda _: 4, 1), "mapped as"),
    "writable code": ("a1", lambda e: e.segment(PT_LOAD, 1, lambda _: 7, 1), "writable"),
    "alignment": ("a1", lambda e: e.segment(PT_LOAD, 7, lambda _: 1 << 21, -1), "aligned"),
    "small alignment": ("a1", lambda e: e.segment(PT_LOAD, 7, lambda _: 1 << 9, -1), "pages"),
    "no power of two": ("a1", lambda e: e.segment(PT_LOAD, 7, lambda _: 0x3000, 0), "aligned"),
    "order": ("a1", lambda e: e.segment(PT_LOAD, 3, lambda v: v + (1 << 30), 1), "higher"),
    "overlap": ("a1", lambda e: e.segment(PT_LOAD, 6, lambda v: v + (1 << 20), 0), "overlaps"),
    "zeros": ("a1", lambda e: e.segment(PT_LOAD, 6, lambda v: v - 60000, 3), "no longer mapped"),
    "beyond the file": ("a1", lambda e: e.segment(PT_LOAD, 5, lambda v: v + 4096, -1), "beyond"),
    "truncated": ("a1", lambda e: e.data.__delitem__(slice(-600, None)), "beyond the file"),
    "interpreter": ("main", lambda e: e.segment(PT_INTERP, 2, lambda v: v + 1), "interpreter"),
    "program headers": ("main", lambda e: e.segment(PT_PHDR, 2, lambda v: v + 56), "PT_PHDR"),
    "headers' place": ("main", lambda e: e.segment(PT_PHDR, 3, lambda v: v + 4096), "5.18"),
    "entry": ("main", lambda e: e.data.__setitem__(24, e.data[24] ^ 4), "entry point"),
    "machine": ("a1", lambda e: e.data.__setitem__(18, 183), "machine"),
    "type": ("a1", lambda e: e.data.__setitem__(16, 2), "type"),
    "abi": ("a1", lambda e: e.data.__setitem__(7, 9), "ABI"),
    "sections": ("a1", lambda e: e.data.__setitem__(46, 9), "section header table"),
    "note": ("a1", lambda e: e.segment(4, 2, lambda v: v + 16), "notes changed"),
}


@pytest.mark.parametrize("name", DAMAGES)
def test_each_damage_is_reported(tmp_path: Path, chain: Dict[str, Path], name: str) -> None:
    short, spoil, words = DAMAGES[name]
    target, change = patched(chain[short], tmp_path)
    editor = Editor(target)
    spoil(editor)
    assert bytes(editor.data) != target.read_bytes()
    target.write_bytes(editor.data)
    found = damage(str(chain[short]), str(target), change)
    assert any(words in one for one in found), found


@pytest.mark.parametrize("step", range(7))
def test_no_byte_of_code_or_data_is_overlooked(
    tmp_path: Path, chain: Dict[str, Path], step: int
) -> None:
    """Change every fiftieth byte of segments without tables."""
    target, change = patched(chain["b2"], tmp_path)
    good = target.read_bytes()
    editor = Editor(target)
    for load in list(editor.image.of_type(PT_LOAD))[1:3]:
        for place in range(load.offset + step * 7, load.offset + load.file_size, 50):
            spoiled = bytearray(good)
            spoiled[place] ^= 0x80
            target.write_bytes(spoiled)
            assert damage(str(chain["b2"]), str(target), change), hex(place)


def code_first(folder: Path) -> Path:
    """Link code before the loader's tables, as some linkers do.

    If the program headers grow, there is no table after them that could be moved.
    """
    command = [needs.tool("ld", "binutils"), "-shared", "--verbose"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    script = done.stdout.split("=" * 50)[1]
    parts: List[str] = re.split(
        r"(?m)^(?=  \.gnu\.hash  |  \.init  |  \. = SEGMENT_START\(.rod)", script
    )
    if len(parts) != 4:
        pytest.skip("this release of ld has another linker script")
    head, tables, code, rest = parts
    line, _, rest = rest.partition("\n")
    tables = tables.replace(". = ALIGN(CONSTANT (MAXPAGESIZE));", "")
    (folder / "first.ld").write_text(f"{head}\n{code}\n{line}\n{tables}\n{rest}")
    (folder / "x.c").write_text("int abs(int); int f(int x) { return abs(x); }\n")
    flags = ("-shared", "-fPIC", "-Wl,-soname,x.so", "-Wl,-T,first.ld")
    gcc(folder, *flags, "x.c", "-o", "x.so")
    return folder / "x.so"


BREAKERS: Dict[str, Callable[[Path], Path]] = {
    "code first": code_first,
    "pages of 64 KiB": lambda folder: linked(folder, "-Wl,-z,max-page-size=65536"),
    "pages of 2 MiB": lambda folder: linked(folder, "-Wl,-z,max-page-size=2097152"),
    "code and tables together": lambda folder: linked(folder, "-Wl,-z,noseparate-code"),
    "no build id": lambda folder: linked(folder, "-Wl,--build-id=none"),
    "System V hash": lambda folder: linked(folder, "-Wl,--hash-style=sysv"),
    "both hashes": lambda folder: linked(folder, "-Wl,--hash-style=both"),
    "packed relocations": lambda folder: linked(folder, "-Wl,-z,pack-relative-relocs"),
    "shared name": lambda folder: linked(folder, "-Wl,-rpath,/opt/foo"),
}


def linked(folder: Path, *flags: str) -> Path:
    text = 'int abs(int); static char z[99999]; const char *p[] = {"a"}; __thread int t = 3;\n'
    text += "__attribute__((constructor)) static void c(void) { z[abs(-1)] = 1; t++; }\n"
    (folder / "x.c").write_text(text + "int foo(int x) { return abs(x) + z[x]; }\n")
    gcc(folder, "-shared", "-fPIC", "-Wl,-soname,x.so", *flags, "x.c", "-o", "x.so")
    return folder / "x.so"


@pytest.mark.parametrize("then", ["patched", "stripped before", "stripped after", "three times"])
@pytest.mark.parametrize("name", BREAKERS)
def test_what_the_loader_refuses_is_reported_as_damage(
    tmp_path: Path, name: str, then: str
) -> None:
    """Whether a layout breaks depends on the releases of the tools; the loader shows if it did.

    patchelf 0.14 to 0.18 overwrite the code of "code first", 0.18 that of files with large pages.
    GNU strip 2.40 after patchelf 0.19 breaks "code first" too.
    """
    source = BREAKERS[name](tmp_path)
    target = tmp_path / "target.so"
    shutil.copy(source, target)
    change = Patch((), (), "y-0123abcd.so", "$ORIGIN/../x.libs")
    if then == "stripped before":
        strip(str(target), "all", "x86_64", "x86_64")
    if then == "three times":
        for length in (100, 9000):
            patchelf().apply(str(target), Patch((), (), "s" * length, "$ORIGIN/" + "r" * length))
    patchelf().apply(str(target), change)
    if then == "stripped after":
        strip_tool = needs.tool("strip", "binutils")
        subprocess.run([strip_tool, "-s", str(target)], check=True, stderr=subprocess.DEVNULL)
    found = damage(str(source), str(target), change, stripped=then.startswith("stripped"))
    fails = load_failures([(str(source), str(target))], 20)
    assert bool(found) == bool(fails), (found, fails)


def test_patchelf_reports_missing_section_headers(tmp_path: Path) -> None:
    data = bytearray(linked(tmp_path).read_bytes())
    data[40:48], data[58:64] = bytes(8), bytes(6)
    (tmp_path / "x.so").write_bytes(data)
    with pytest.raises(ToolError, match="section headers"):
        patchelf().apply(str(tmp_path / "x.so"), Patch(soname="y.so"))


def test_an_unreadable_file_is_an_error_or_damage(tmp_path: Path) -> None:
    good, bad = tmp_path / "good", tmp_path / "bad"
    good.write_bytes(write(Elf(soname="x")))
    bad.write_bytes(b"\x7fELF" + bytes(99))
    assert damage(str(good), str(good), Patch()) == []
    assert "no longer be read" in damage(str(good), str(bad), Patch())[0]
    with pytest.raises(ToolError, match="cannot be read"):
        damage(str(bad), str(good), Patch())
    with pytest.raises(ToolError, match="cannot be read"):
        damage(str(good), os.path.join(tmp_path, "missing"), Patch())
