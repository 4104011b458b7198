"""Files that a real loader refuses, although their tables look valid.

Each was run on glibc 2.36, which printed `version not found` or `undefined symbol`, or failed in
an assertion of ld.so.
"""

from __future__ import annotations

import io
import json
import struct
from pathlib import Path

import pytest

from commandline import run
from elfwriter import Elf, Symbol, write
from manyshim.audit.decision import choose
from manyshim.audit.request import Request
from manyshim.audit.tags import parse_platform
from manyshim.audit.verdict import audit
from manyshim.build import finish
from manyshim.config import Config
from manyshim.formats.elf import reader
from manyshim.formats.elf.image import ElfError
from manyshim.formats.zip.window import Window
from rulefacts import EXT, NEAR, elf, libc, need
from rulefacts import wheel as facts_of
from wheelwriter import save, wheel, wheel_name

PT_DYNAMIC, PT_GNU_STACK = 2, 0x6474E551


def kinds(facts: object, **request: object) -> set[str]:
    return {found.kind for found in audit(facts, Request(**request)).findings}  # type: ignore[arg-type]


def test_a_weak_node_that_a_strong_reference_uses_counts() -> None:
    strong = need("GLIBC_2.34", weak=True, symbols=("pthread_create",))
    weak = need("GLIBC_2.34", weak=True, symbols=("pthread_create",), only_weak=True)
    assert str(audit(facts_of(libc(EXT, strong)), Request()).policy) == "manylinux_2_34_x86_64"
    assert str(audit(facts_of(libc(EXT, weak)), Request()).policy) == "manylinux_2_5_x86_64"


def test_a_copy_of_glibc_in_the_wheel_is_not_used() -> None:
    """The process has loaded the system's libc.so.6, and the loader uses that one."""
    copy = elf("pkg/libc.so.6", soname="libc.so.6", versions_defined=("GLIBC_2.99",))
    report = audit(facts_of(libc(EXT, need("GLIBC_2.99"), rpath=NEAR), copy), Request())
    assert report.policy is None


def test_a_version_of_an_unloaded_library_is_a_requirement() -> None:
    """The loader looks the library up before it looks at the flag."""
    for weak in (False, True):
        asked = need("FOO_1", "libfoo.so.1", weak=weak)
        report = audit(facts_of(libc(EXT, asked)._replace(needed=("libc.so.6",))), Request())
        assert report.external == ("libfoo.so.1",)
        assert report.policy is None


@pytest.mark.parametrize(
    ("arch", "node"), [("aarch64", "GLIBC_2.5"), ("riscv64", "GLIBC_2.5"), ("x86_64", "GLIBC_2.20")]
)
def test_a_node_that_no_glibc_has_is_no_proof(arch: str, node: str) -> None:
    facts = facts_of(libc(EXT, need(node), arch=arch), platform=f"linux_{arch}")
    for request in (Request(exact=True), Request(platform=parse_platform("manylinux_2_40"))):
        assert choose(audit(facts, request), request).tag is None


def test_each_root_s_library_must_have_the_version() -> None:
    """Two roots load libx.so, and each loads another liby.so: one of these lacks the version."""
    lib = elf("x/libx.so", "liby.so", versions_needed=(need("Y_1", "liby.so"),))
    files = [lib]
    for folder, versions in (("a", ("Y_1",)), ("b", ())):
        path = ("$ORIGIN", "$ORIGIN/../x")
        files += [
            elf(f"{folder}/_m.abi3.so", "libx.so", rpath=path),
            elf(f"{folder}/liby.so", versions_defined=versions),
        ]
    found = [one for one in audit(facts_of(*files), Request()).findings if "VERDEF" in one.kind]
    assert [one.library for one in found] == ["b/liby.so"]


@pytest.mark.parametrize(
    ("path", "level", "refused"),
    [
        (EXT, 1, False),
        (EXT, 4, True),
        (EXT, 0x10, True),
        ("pkg/glibc-hwcaps/x86-64-v3/liby.so", 4, False),
        ("pkg/glibc-hwcaps/x86-64-v2/liby.so", 4, True),
        ("pkg/glibc-hwcaps/x86-64-v3/_x.abi3.so", 4, True),
    ],
)
def test_isa_levels(path: str, level: int, refused: bool) -> None:  # noqa: FBT001
    assert ("ISA" in kinds(facts_of(libc(path, isa_level=level)))) is refused


def test_a_static_program_relocates_itself() -> None:
    program = elf("pkg/tool", relr=True, pie=True)
    assert str(audit(facts_of(program), Request()).policy) == "manylinux_2_5_x86_64"


def read(data: bytes) -> reader.Reading:
    return reader.read(EXT, Window(io.BytesIO(data), 0, len(data), len(data), 0))


def test_the_last_dynamic_segment_counts() -> None:
    """A decoy PT_DYNAMIC takes the place of PT_GNU_STACK, before the real one."""
    symbols = (Symbol("f", "libc.so.6", "GLIBC_2.34"),)
    data = bytearray(write(Elf(needed=("libc.so.6",), symbols=symbols, sections=False)))
    count = struct.unpack_from("<H", data, 56)[0]
    rows = {struct.unpack_from("<I", data, 64 + 56 * row)[0]: 64 + 56 * row for row in range(count)}
    real, decoy = sorted((rows[PT_DYNAMIC], rows[PT_GNU_STACK]), reverse=True)
    entry = bytes(data[rows[PT_DYNAMIC] : rows[PT_DYNAMIC] + 56])
    data[real : real + 56] = entry
    # The decoy is the end of the real table: a dynamic section without entries.
    offset, address, size = (struct.unpack_from("<Q", entry, at)[0] for at in (8, 16, 32))
    null = struct.pack(
        "<IIQQQQQQ", PT_DYNAMIC, 6, offset + size - 16, address + size - 16, 0, 16, 16, 8
    )
    data[decoy : decoy + 56] = null
    facts = read(bytes(data)).facts
    assert [one.version for one in facts.versions_needed] == ["GLIBC_2.34"]


def test_names_that_share_bytes_have_a_limit() -> None:
    """Twenty thousand names, each an end of one long string, would take gigabytes."""
    dynamic = read(write(Elf(symbols=(Symbol("x" * 900_000),)))).dynamic
    assert dynamic is not None
    assert len(dynamic.strings(list(range(1, 10)))) == 9
    with pytest.raises(ElfError, match="names take more than 16 MiB"):
        dynamic.strings(list(range(1, 20_000)))


def test_a_failing_search_for_source_lines_changes_no_verdict(tmp_path: Path) -> None:
    """The library's last bytes do not match its CRC, and the audit does not read them."""
    symbols = (Symbol("f", "libc.so.6", "GLIBC_2.34"),)
    member = write(Elf(needed=("libc.so.6",), symbols=symbols)) + b"tail"
    data = wheel({"demo/x.so": member}, compress=False).replace(b"tail", b"TAIL")
    built = save(tmp_path, data, wheel_name())
    (tmp_path / "dist").mkdir()
    result = finish(str(built), str(tmp_path / "dist"), Config(report=str(tmp_path / "report")))
    assert result.filename == wheel_name(tag="cp311-cp311-manylinux_2_34_x86_64")


def test_check_reports_the_errors_of_both_families(tmp_path: Path) -> None:
    """No libc evidence, text relocations: musl refuses what glibc takes."""
    tag = "cp311-cp311-manylinux_2_5_x86_64.musllinux_1_1_x86_64"
    member = write(Elf(symbols=(Symbol("PyInit__x", defined=True),), textrel=True))
    files = {"demo/_x.abi3.so": member}
    done = run("check", "--json", save(tmp_path, wheel(files, tag=tag), wheel_name(tag=tag)))
    found = json.loads(done.stdout)["wheels"][0]["findings"]
    assert done.returncode == 1
    assert "TEXTREL" in {one["kind"] for one in found if one["severity"] == "error"}


@pytest.mark.parametrize("more", [[], ["--json"]])
def test_a_name_that_the_terminal_cannot_print_is_escaped(more: list[str], tmp_path: Path) -> None:
    member = write(Elf(needed=("lib\xe9.so",), symbols=(Symbol("PyInit__x", defined=True),)))
    path = save(tmp_path, wheel({"demo/_x.abi3.so": member}), wheel_name())
    done = run("show", *more, path, PYTHONIOENCODING="ascii")
    assert (done.returncode, done.stderr) == (0, "")
    assert "lib\\" in done.stdout


def test_check_requires_the_folder_of_the_index(tmp_path: Path) -> None:
    tag = "cp311-cp311-manylinux_2_5_x86_64"
    member = write(Elf(needed=("libc.so.6",), symbols=(Symbol("PyInit__x", defined=True),)))
    data = wheel({"demo/_x.abi3.so": member}, name="other", tag=tag)
    done = run("check", "--json", save(tmp_path, data, wheel_name(tag=tag)))
    found = json.loads(done.stdout)["wheels"][0]["findings"]
    assert [one["path"] for one in found if one["kind"] == "BAD_PATH"] == ["other-1.0.dist-info"]


def test_a_blank_line_in_record_is_refused(tmp_path: Path) -> None:
    tag = "cp311-cp311-manylinux_2_5_x86_64"
    member = write(Elf(needed=("libc.so.6",), symbols=(Symbol("PyInit__x", defined=True),)))
    data = wheel({"demo/_x.abi3.so": member}, tag=tag, edit_record=lambda text: text + "\n")
    done = run("check", "--json", save(tmp_path, data, wheel_name(tag=tag)))
    found = json.loads(done.stdout)["wheels"][0]["findings"]
    assert "blank line" in {one["subject"] for one in found if one["kind"] == "RECORD"}
