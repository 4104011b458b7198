"""The ELF reader compared with pyelftools, on written files and on files of the machine."""

from __future__ import annotations

import glob
import os
import struct
import sys
import sysconfig
from dataclasses import replace
from typing import Any, Callable, Dict, List, Optional

import pytest

import elfdamage as damage
from elfvariants import FULL, PIE, VARIANTS, described, differences, read, summary
from elfwriter import TARGETS, Elf, Symbol, write
from manyshim.audit.tags import MACHINES
from manyshim.formats.elf.constants import DT_HASH, PT_NOTE


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("arch", TARGETS)
def test_written_files(arch: str, variant: str) -> None:
    data = write(described(arch, **VARIANTS[variant]))
    if variant == "not UTF-8":
        facts = read(data).facts
        names = (facts.needed[0], facts.soname or "", facts.undefined[0])
        raw = [name.encode("utf-8", "surrogateescape") for name in names]
        assert raw == [b"lib\xff.so", b"\xfe", b"\xfdx"]
        return
    assert differences(data) == []


@pytest.mark.parametrize("arch", TARGETS)
def test_the_facts_are_those_that_were_written(arch: str) -> None:
    facts = read(write(described(arch, relr=True, dt_flags_1=PIE, interp="/lib/ld.so"))).facts
    assert summary(facts)["used"] == {
        ("libc.so.6", "GLIBC_2.17"): (["free", "malloc"], False),
        ("libc.so.6", "GLIBC_2.30"): (["gettid"], True),
        ("libc.so.6", "GLIBC_2.36"): ([], False),
        ("libm.so.6", "GLIBC_2.17"): (["sin"], False),
    }
    assert [need.weak for need in facts.versions_needed] == [False, True, False, False]
    assert (facts.relr, facts.pie, facts.interpreter) == (True, True, "/lib/ld.so")
    assert (facts.undefined, facts.versions_defined) == (("PyErr_Occurred",), ("DEMO_1", "DEMO_2"))
    assert facts.rpath == ("/opt/lib", "")
    assert facts.isa_level == (2 if arch in ("x86_64", "i686") else 0)
    assert facts.damage == ()


@pytest.mark.parametrize("arch", TARGETS)
def test_sections_are_not_needed(arch: str) -> None:
    data = write(described(arch))
    facts = read(data).facts
    assert read(damage.blank_sections(data)).facts == facts
    assert read(damage.scrambled_section_names(data)).facts == facts
    beyond = read(damage.section_table_past_end(data)).facts
    assert beyond.damage == ("its section header table extends beyond the end of the file",)
    assert beyond._replace(damage=()) == facts


def test_notes_for_four_bytes_in_a_segment_for_eight() -> None:
    """Mold 1 puts .note.gnu.property, for 8 bytes, and the other notes into one PT_NOTE."""
    notes = ((b"GNU", 3, bytes(20)), (b"GNU", 1, bytes(16)))
    data = write(described("x86_64", notes=notes))
    mixed = damage.with_segment(data, PT_NOTE, 0, align=8)
    assert mixed != data
    assert read(mixed).facts == read(data).facts
    assert read(mixed).facts.damage == ()


@pytest.mark.parametrize("interp", [None, "/lib/ld.so"])
def test_a_hash_table_of_lld_for_s390x(interp: Optional[str]) -> None:
    """Its words have 4 bytes. Those of GNU ld have 8."""
    data = write(described("s390x", sysv_hash=True, gnu_hash=False, interp=interp))
    start = damage.table_offset(data, DT_HASH)
    buckets, chains = struct.unpack_from(">2Q", data, start)
    words = struct.unpack_from(f">{2 + buckets + chains}Q", data, start)
    narrow = struct.pack(f">{len(words)}I", *words)
    changed = (
        data[:start] + narrow.ljust(2 * len(narrow), b"\xff") + data[start + 2 * len(narrow) :]
    )
    assert read(changed).facts == read(data).facts


# The type of the relocation that stores a thread-local variable's offset from the thread pointer,
# as in glibc's elf/elf.h, and the section that has it.
TPOFF = {
    "x86_64": (18, ".rela.dyn"),
    "i686": (14, ".rel.dyn"),
    "aarch64": (1030, ".rela.dyn"),
    "armv7l": (19, ".rel.dyn"),
    "ppc64le": (73, ".rela.dyn"),
    "ppc64": (73, ".rela.dyn"),
    "s390x": (56, ".rela.dyn"),
    "riscv64": (11, ".rela.dyn"),
    "loongarch64": (11, ".rela.dyn"),
}
STATIC_TLS = 0x10


@pytest.mark.parametrize("arch", TARGETS)
@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"relocated": "no symbol"}, True),
        ({"relocated": "defined"}, True),
        ({"relocated": "undefined"}, False),
        ({"relocated": "no symbol", "relocation_type": 1}, False),
        ({"relocated": "no symbol", "relocations": None}, False),
        ({"relocated": "no symbol", "tls_size": None}, False),
        ({"relocated": "no symbol", "dt_flags": 0}, False),
    ],
)
def test_own_static_tls(arch: str, changes: Dict[str, Any], expected: bool) -> None:  # noqa: FBT001
    kind, section = TPOFF[arch]
    same = {"relocation_type": kind, "relocations": section, "tls_size": 8, "dt_flags": STATIC_TLS}
    facts = read(write(described(arch, **{**same, **changes}))).facts
    assert facts.own_static_tls is expected


@pytest.mark.parametrize(("arch", "expected"), [("aarch64", True), ("x86_64", False)])
def test_aarch64_needs_no_flag_for_large_static_tls(arch: str, *, expected: bool) -> None:
    """GNU ld sets DF_STATIC_TLS for other architectures only."""
    kind, section = TPOFF[arch]
    same = {"relocation_type": kind, "relocations": section, "relocated": "no symbol"}
    facts = read(write(described(arch, **same, tls_size=2000))).facts
    assert (facts.static_tls, facts.own_static_tls) == (expected, expected)


@pytest.mark.parametrize("arch", TARGETS)
def test_static_tls_of_another_file(arch: str) -> None:
    kind, section = TPOFF[arch]
    same = {"relocation_type": kind, "relocations": section, "dt_flags": STATIC_TLS}
    facts = read(write(described(arch, **same, symbols=(Symbol("theirs"),)))).facts
    assert (facts.own_static_tls, facts.static_tls_imports) == (False, ("theirs",))


@pytest.mark.parametrize("arch", TARGETS)
def test_filters(arch: str) -> None:
    facts = read(write(described(arch, auxiliary=("liba.so", "libb.so"), filters=("libc",)))).facts
    assert (facts.auxiliary, facts.filters) == (("liba.so", "libb.so"), ("libc",))
    assert facts._replace(auxiliary=(), filters=()) == read(write(described(arch))).facts


def test_static_files_and_others_that_no_loader_opens() -> None:
    static = read(write(Elf(type=2, dynamic=False)))
    assert (static.facts.static, static.facts.dynamic, static.dynamic) == (True, False, None)
    assert static.defined(frozenset(("a",))) == frozenset()
    for changes in ({"type": 1}, {"type": 4}, {"machine": 190}):
        facts = read(damage.with_header(write(FULL), **changes)).facts
        assert (facts.needed, facts.dynamic) == ((), False)


def test_detached_debug_information_is_no_library() -> None:
    """As objcopy --only-keep-debug writes it: the segments exist and are empty."""
    data = write(replace(FULL, sections=False))
    for kind in (1, 2):
        for nth in range(3 if kind == 1 else 1):
            data = damage.with_segment(data, kind, nth, filesz=0)
    facts = read(data).facts
    assert (facts.detached, facts.loadable, facts.needed) == (True, False, ())


def libraries() -> List[str]:
    """Find shared libraries in the folders where systems have them."""
    multiarch = sysconfig.get_config_var("MULTIARCH") or ""
    folders = [os.path.join(root, multiarch) for root in ("/lib", "/usr/lib", "/lib64")]
    folders += [str(sysconfig.get_config_var("LIBDIR"))]
    folders += [os.path.join(sysconfig.get_path("platstdlib"), "lib-dynload")]
    return [path for folder in folders for path in glob.glob(os.path.join(folder, "*.so*"))]


def programs() -> List[str]:
    return [*glob.glob("/usr/bin/*"), *glob.glob("/sbin/*"), sys.executable]


def sample(paths: List[str], most: int) -> Dict[str, bytes]:
    """Read up to `most` different ELF files of moderate size, spread over the list."""
    found: Dict[str, bytes] = {}
    real = sorted({os.path.realpath(path) for path in paths})
    real = [path for path in real if os.path.isfile(path) and os.path.getsize(path) < 4 << 20]
    for path in real[:: len(real) // most + 1]:
        with open(path, "rb") as file:
            data = file.read()
        if data[:4] == b"\x7fELF":
            found[path] = data
    return found


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="looks for ELF files")
@pytest.mark.parametrize(("find", "most"), [(libraries, 200), (programs, 50)])
def test_files_of_the_machine(find: Callable[[], List[str]], most: int) -> None:
    files = sample(find(), most)
    readings = {path: read(data).facts for path, data in files.items()}
    known = {path: files[path] for path in files if readings[path].ident.machine in MACHINES}
    if not known:
        pytest.skip("no ELF file of a known architecture was found")
    wrong = {path: differences(data) for path, data in known.items()}
    assert {path: found for path, found in wrong.items() if found} == {}
    assert any(facts.dynamic for facts in readings.values())
