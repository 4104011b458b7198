"""The comparison of stripped files accepts what strip does, and names what a loader misses."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Callable, Dict, List, Tuple

import pytest

import needs
from elfbuilding import build_chain, gcc, needs_gcc
from elfdamage import blank_sections, with_header, with_segment
from elfmodel import TARGETS, Elf
from elftables import Symbol
from elfwriter import write
from manyshim.errors import ToolError
from manyshim.formats.elf.edits import Patch
from manyshim.formats.elf.patch import patch_file
from manyshim.repair.outside import Outside
from manyshim.repair.trial import Trial, try_loading
from manyshim.repair.verify_strip import strip_differences

PT_LOAD, PT_NOTE, PT_PHDR, PT_TLS, PT_GNU_STACK = 1, 4, 6, 7, 0x6474E551
COMMANDS = {
    "strip -s": "binutils",
    "strip -g": "binutils",
    "llvm-strip -s": "llvm",
    "llvm-strip -g": "llvm",
    "eu-strip": "elfutils",
    "eu-strip -g": "elfutils",
}
SYSTEMS = {
    "x86_64-linux-gnu": "libc6",
    "aarch64-linux-gnu": "libc6-arm64-cross",
    "arm-linux-gnueabihf": "libc6-armhf-cross",
    "riscv64-linux-gnu": "libc6-riscv64-cross",
    "s390x-linux-gnu": "libc6-s390x-cross",
    "powerpc64le-linux-gnu": "libc6-ppc64el-cross",
}


def stripped(source: Path, folder: Path, command: str, package: str) -> Path:
    """Strip a copy of a file."""
    tool, *options = command.split()
    target = folder / "stripped.so"
    shutil.copyfile(source, target)
    subprocess.run(
        [needs.tool(tool, package), *options, str(target)],
        check=True,
        stderr=subprocess.DEVNULL,
    )
    return target


def compared(before: Path, after: Path) -> List[str]:
    return strip_differences(str(before), str(after))


@needs_gcc
@pytest.mark.parametrize("command", COMMANDS)
def test_stripping_small_files_is_good(tmp_path: Path, command: str) -> None:
    chain = build_chain(tmp_path)
    (tmp_path / "t.c").write_text("__thread int t = 3; char z[99999]; int f(void) { return t; }\n")
    gcc(tmp_path, "-g", "-shared", "-fPIC", "t.c", "-o", "t.so")
    gcc(
        tmp_path, "-g", "main.c", "-no-pie", "-L.", "-l:liba1.so.1", "-Wl,-rpath-link,.", "-o", "no"
    )
    for source in (*chain.values(), tmp_path / "t.so", tmp_path / "no"):
        target = stripped(source, tmp_path, command, COMMANDS[command])
        assert compared(source, target) == [], source
        assert compared(source, source) == [], source


@pytest.mark.parametrize("command", ["strip -s", "strip -g", "llvm-strip -s", "eu-strip"])
@pytest.mark.parametrize("system", SYSTEMS)
def test_stripping_libraries_of_a_system_is_good(tmp_path: Path, system: str, command: str) -> None:
    folder = "/usr/lib/x86_64-linux-gnu" if system.startswith("x86") else f"/usr/{system}/lib"
    needs.file(f"{folder}/libc.so.6", SYSTEMS[system])
    native = command.startswith("strip") and not system.startswith("x86")
    package = f"binutils-{system}" if native else COMMANDS[command]
    for name in ("libc.so.6", "libm.so.6", "libpthread.so.0"):
        source = Path(folder, name).resolve()
        target = stripped(source, tmp_path, f"{system}-{command}" if native else command, package)
        assert compared(source, target) == [], name


@needs_gcc
@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize(
    "flags",
    [(), ("-Wl,-z,max-page-size=65536",), ("-Wl,-z,noseparate-code",), ("-Wl,--build-id=none",)],
)
def test_the_verdict_is_the_loader_s(tmp_path: Path, flags: Tuple[str, ...], command: str) -> None:
    """Whether strip breaks a file that was patched before depends on the releases of the tools."""
    (tmp_path / "x.c").write_text(
        "int abs(int); char z[9999]; int f(int x) { return abs(x) + *z; }\n"
    )
    gcc(tmp_path, "-shared", "-fPIC", "-Wl,-soname,x.so", *flags, "x.c", "-o", "x.so")
    path = tmp_path / "x.so"
    for number in range(3):
        target = stripped(path, tmp_path, command, COMMANDS[command])
        found = compared(path, target)
        trials = [Trial("x", str(path), str(target))]
        fails = try_loading(trials, Outside(), str(tmp_path)).failures
        assert bool(found) == bool(fails), (found, fails)
        patch = Patch((), (), f"{'y' * 99 * number}.so", "$ORIGIN/x")
        patch_file(str(path), str(tmp_path / f"{number}.so"), patch)
        path = tmp_path / f"{number}.so"


BASE = Elf(
    soname="libfoo.so.1",
    needed=("libc.so.6",),
    symbols=(Symbol("foo"),),
    notes=((b"GNU", 3, b"12345678"),),
    interp="/lib/ld.so",
    tls_size=8,
    strings_last=True,
    code=bytes(range(256)),
)
DAMAGES: Dict[str, Tuple[Callable[[bytes], bytes], str]] = {
    "code": (lambda data: flipped(data, data.index(bytes(range(256))) + 5), "section .text at"),
    "strings": (lambda data: flipped(data, data.index(b"libc.so.6")), "its needed: mibc.so.6"),
    "a misaligned segment": (
        lambda data: with_segment(data, PT_LOAD, 3, offset=0x10),
        "is at offset 0x10, not aligned to 0x1000",
    ),
    "an empty misaligned segment": (
        lambda data: with_segment(data, PT_LOAD, 2, offset=7, filesz=0, memsz=0),
        "is at offset 0x7, which cannot be mapped there",
    ),
    "a segment without bytes": (
        lambda data: with_segment(data, PT_LOAD, 2, filesz=0, memsz=0),
        "its section .data at 0x2470 is in no segment",
    ),
    "a lost segment": (
        lambda data: with_segment(data, PT_LOAD, 1, type=0),
        "segments of type 0x1 have other",
    ),
    "a segment elsewhere": (
        lambda data: with_segment(data, PT_LOAD, 1, vaddr=0x9000),
        "is no longer mapped",
    ),
    "flags": (lambda data: with_segment(data, PT_LOAD, 1, flags=4), "segments of type 0x1 have"),
    "alignment": (lambda data: with_segment(data, PT_LOAD, 1, align=16), "type 0x1 have other"),
    "thread-local data": (lambda data: with_segment(data, PT_TLS, memsz=16), "its tls size"),
    "the stack": (lambda data: with_segment(data, PT_GNU_STACK, flags=7), "executable stack"),
    "a note": (lambda data: flipped(data, data.index(b"12345678")), "its notes changed"),
    "the program headers": (
        lambda data: with_segment(data, PT_PHDR, offset=0x80),
        "its PT_PHDR is not at its program header table",
    ),
    "their place": (lambda data: with_segment(data, PT_PHDR, vaddr=0x80), "kernels before 5.18"),
    "the entry point": (lambda data: with_header(data, entry=64), "its entry point is 0x40, not"),
    "the machine": (lambda data: with_header(data, machine=183), "its ident: changed"),
    "the end": (lambda data: data[:900], "it can no longer be read: its segment"),
}


def flipped(data: bytes, offset: int) -> bytes:
    return data[:offset] + bytes((data[offset] ^ 1,)) + data[offset + 1 :]


@pytest.mark.parametrize("name", DAMAGES)
def test_each_damage_is_named(tmp_path: Path, name: str) -> None:
    spoil, words = DAMAGES[name]
    before, after = tmp_path / "before.so", tmp_path / "after.so"
    data = write(BASE)
    before.write_bytes(data)
    after.write_bytes(spoil(data))
    assert compared(before, before) == []
    found = compared(before, after)
    assert any(words in one for one in found), found


def test_bytes_of_no_section_may_change(tmp_path: Path) -> None:
    """The file header, the section headers and sections that are not loaded belong to strip."""
    before, after = tmp_path / "before.so", tmp_path / "after.so"
    data = write(replace(BASE, comment=b"GCC 1\0", tls_size=None))
    before.write_bytes(data)
    after.write_bytes(blank_sections(data.replace(b"GCC 1", b"GCC 2")))
    assert compared(before, after) == []
    assert compared(after, before) == []


@pytest.mark.parametrize("arch", ["x86_64", "armv7l", "s390x"])
def test_without_sections_all_loaded_bytes_count(tmp_path: Path, arch: str) -> None:
    before, after = tmp_path / "before.so", tmp_path / "after.so"
    elf = replace(TARGETS[arch], soname="x.so", code=bytes(range(256)), sections=False)
    data = write(elf)
    before.write_bytes(data)
    assert compared(before, before) == []
    for place in range(data.index(bytes(range(256))), len(data) - 16, 32):
        after.write_bytes(flipped(data, place))
        assert compared(before, after), hex(place)
    after.write_bytes(with_segment(data, PT_LOAD, 1, memsz=16, filesz=16))
    assert compared(before, after)


def test_an_unreadable_file_is_an_error_or_a_sentence(tmp_path: Path) -> None:
    good, bad = tmp_path / "good", tmp_path / "bad"
    good.write_bytes(write(BASE))
    for data in (b"", b"\x7fELF" + bytes(99), b"text" * 99):
        bad.write_bytes(data)
        assert "it can no longer be read" in compared(good, bad)[0]
        with pytest.raises(ToolError, match="cannot be read"):
            compared(bad, good)
    with pytest.raises(ToolError, match="cannot be read"):
        compared(tmp_path / "missing", good)


@needs_gcc
def test_data_behind_all_sections_would_be_lost(tmp_path: Path) -> None:
    """A program that carries its data looks for them at the end of its file."""
    (tmp_path / "main.c").write_text("int main(void) { return 0; }\n")
    gcc(tmp_path, "-g", "main.c", "-o", "main")
    program = tmp_path / "main"
    program.write_bytes(program.read_bytes() + b"PAYLOAD8")
    after = stripped(program, tmp_path, "strip -s", "binutils")
    (sentence,) = compared(program, after)
    assert sentence.startswith("its last 8 bytes are in no segment and no section")
