"""The lines that use a symbol, in small sources compiled by real compilers."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import List

import pytest

import needs
from debugsources import FCNTL64, compiled, found, run
from elfbuilding import needs_gcc
from manyshim.audit.facts import SourceLine
from manyshim.formats.elf import debuginfo, relocatable
from manyshim.formats.elf.debuginfo import uses
from paths import BACKEND


def test_a_use_as_text() -> None:
    assert str(SourceLine("src/_x.c", 42, "helper")) == "src/_x.c:42 in helper()"
    assert str(SourceLine("", 0, "helper")) == "in helper() (compiled without -g)"
    assert str(SourceLine("src/_x.c", 0, "helper")) == "src/_x.c in helper()"
    assert str(SourceLine("src/_x.c", 0, "")) == "src/_x.c"
    assert str(SourceLine("src/_x.c", 42, "")) == "src/_x.c:42"


@pytest.mark.parametrize(
    ("name", "readable"),
    [
        ("helper", "helper"),
        ("helper.cold", "helper"),
        ("helper.constprop.0", "helper"),
        ("_Z6helperi", "helper"),
        ("_ZL6helperi", "helper"),
        ("_ZN3foo3barEv", "foo::bar"),
        ("_ZNK3foo12long_name_12Ev", "foo::long_name_12"),
        ("_ZN3fooC1Ev", "_ZN3fooC1Ev"),
        ("_Z3fooIiEvT_", "_Z3fooIiEvT_"),
        ("_Z3fooB5cxx11v", "_Z3fooB5cxx11v"),
        ("_ZN3foo99barEv", "_ZN3foo99barEv"),
        ("_ZN3foo", "_ZN3foo"),
        ("_ZplRK1AS1_", "_ZplRK1AS1_"),
        ("", ""),
    ],
)
def test_readable_names(name: str, readable: str) -> None:
    assert relocatable.readable(name) == readable


@needs_gcc
@pytest.mark.parametrize("flags", [["-O2"], ["-O2", "-ffunction-sections"], ["-O0"]])
def test_without_debug_information_the_function_is_known(project: Path, flags: List[str]) -> None:
    compiled(project, *flags)
    places = found(project)
    assert places["fcntl64"] == (SourceLine("", 0, "two_on_two_lines"),)
    assert {use.function for use in places["pidfd_open"]} >= {"helper", "tail", "pointer"}
    assert all(str(use).endswith("() (compiled without -g)") for use in places["pidfd_open"])


@needs_gcc
def test_a_table_of_pointers_has_a_file_and_no_line(project: Path) -> None:
    text = "extern int pidfd_open(int, unsigned);\nvoid *table[] = {0, pidfd_open};\n"
    (project / "src" / "_t.c").write_text(text)
    compiled(project, "-g", source="src/_t.c")
    assert found(project) == {"pidfd_open": (SourceLine("src/_t.c", 0, ""),)}
    compiled(project, source="src/_t.c")
    assert found(project) == {}


@needs_gcc
def test_objects_joined_by_the_linker(project: Path) -> None:
    """Two units in one file: their code and lines follow each other."""
    (project / "src" / "_t.c").write_text(
        "extern int fcntl64(int, int);\nint x(void)\n{\n"
        "    return fcntl64(0, 0) + 1; /* LINE:t */\n}\n"
    )
    parts = [compiled(project, "-O2", "-g", source=name) for name in ("src/_t.c", "src/_x.c")]
    run(project, needs.tool("ld", "binutils"), "-r", *map(str, parts), "-o", "build/joined.o")
    for part in parts:
        part.unlink()
    assert found(project)["fcntl64"] == (SourceLine("src/_t.c", 4, "x"), *FCNTL64)


@needs_gcc
def test_versions_in_the_names(project: Path) -> None:
    """A version in the report's symbol, and one in an object file (.symver)."""
    text = (
        '__asm__(".symver old_memcpy,memcpy@GLIBC_2.2.5");\n'
        "extern void *old_memcpy(void *, const void *, unsigned long);\n"
        "void *copy(void *to, void *from, long n)\n{\n"
        "    return old_memcpy(to, from, n);\n}\n"
    )
    (project / "src" / "_t.c").write_text(text)
    compiled(project, "-g", source="src/_t.c")
    place = (SourceLine("src/_t.c", 5, "copy"),)
    names = ("memcpy", "memcpy@GLIBC_2.2.5", "memcpy@@GLIBC_2.14", "mem", "old_memcpy")
    assert found(project, *names) == dict.fromkeys(names[:3], place)


@needs_gcc
def test_only_whole_names_of_undefined_symbols(project: Path) -> None:
    text = (
        "extern int pidfd_open_not(int);\n"
        "__attribute__((noinline)) int fcntl64(int a, int b) { return a + b; }\n"
        "int x(void) { return pidfd_open_not(1) + fcntl64(1, 2); }\n"
    )
    (project / "src" / "_t.c").write_text(text)
    compiled(project, "-g", "-fPIC", source="src/_t.c")
    assert found(project) == {}


@needs_gcc
def test_folders_relative_to_the_build(project: Path) -> None:
    """As meson and ninja compile: from the folder of the build, "../src/_x.c"."""
    for dwarf in ("-gdwarf-4", "-gdwarf-5"):
        run(project / "build", "gcc", "-O2", dwarf, "-c", "../src/_x.c", "-o", "x.o")
        assert found(project)["fcntl64"] == FCNTL64
        assert uses([str(project)], ["fcntl64"], root=str(project / "src"))["fcntl64"] == tuple(
            use._replace(file="_x.c") for use in FCNTL64
        )
    outside = uses([str(project)], ["fcntl64"], root=str(project / "build"))["fcntl64"]
    assert {use.file for use in outside} == {os.path.realpath(str(project / "src" / "_x.c"))}


@needs_gcc
def test_the_root_may_be_a_link_and_is_the_working_directory_by_default(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    compiled(project, "-g", "-O2")
    link = project.parent / f"{project.name}-link"
    link.symlink_to(project, target_is_directory=True)
    assert uses([str(link)], ["fcntl64"], root=str(link))["fcntl64"] == FCNTL64
    monkeypatch.chdir(project)
    assert uses(["build"], ["fcntl64"])["fcntl64"] == FCNTL64


@needs_gcc
def test_a_mapped_prefix_stays_as_recorded(project: Path) -> None:
    compiled(project, "-g", "-O2", f"-ffile-prefix-map={os.path.realpath(str(project))}=.")
    assert found(project)["fcntl64"] == FCNTL64


@needs_gcc
def test_the_same_place_once(project: Path) -> None:
    target = compiled(project, "-g", "-O2")
    for name in ("again.os", "again.obj", "no-suffix"):
        shutil.copy(str(target), str(project / "build" / name))
    folders = [str(project / "build"), str(project), str(project / "build")]
    assert uses(folders, ["fcntl64"], root=str(project)) == {"fcntl64": FCNTL64}


def test_nothing_to_find(project: Path) -> None:
    assert found(project) == {}
    assert uses([], ["pidfd_open"]) == {}
    assert uses([str(project / "missing")], ["pidfd_open"]) == {}
    assert uses([str(project)], []) == {}


@needs_gcc
@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no pipes in folders")
def test_loops_pipes_and_unreadable_files(project: Path) -> None:
    compiled(project, "-g", "-O2")
    build = project / "build"
    (build / "loop").symlink_to(project, target_is_directory=True)
    (build / "self.o").symlink_to(build / "self.o")
    (build / "dangling.o").symlink_to(project / "nowhere")
    os.mkfifo(str(build / "pipe.o"))
    (build / "locked.o").write_bytes(b"\x7fELF")
    (build / "locked.o").chmod(0)
    assert found(project)["fcntl64"] == FCNTL64


@needs_gcc
def test_damaged_files_are_ignored(project: Path) -> None:
    """Change bytes of the header and all tables, and truncate the file. Nothing is raised."""
    whole = compiled(project, "-g", "-O2").read_bytes()
    (project / "damaged").mkdir()
    tables = int.from_bytes(whole[40:48], "little")
    for place in [*range(64), *range(tables, len(whole), 61), *range(64, tables, 397)]:
        for value in (0, 0xFF):
            changed = whole[:place] + bytes([value]) + whole[place + 1 :]
            (project / "damaged" / "changed.o").write_bytes(changed)
            uses([str(project / "damaged")], ["fcntl64"])
    for length in range(0, len(whole), 701):
        (project / "damaged" / "cut.o").write_bytes(whole[:length])
        places = uses([str(project)], ["fcntl64"], root=str(project))
        assert set(FCNTL64) <= set(places["fcntl64"])


@needs_gcc
def test_limits(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    compiled(project, "-g", "-O2")
    assert uses([str(project)], ["fcntl64"], seconds=0) == {}
    for limit in ("_MAX_FILES", "_MAX_OBJECTS", "_MAX_OBJECT"):
        with monkeypatch.context() as patch:
            patch.setattr(debuginfo, limit, 0)
            assert found(project) == {}
    monkeypatch.setattr(debuginfo, "_BYTES_A_SECOND", 0)
    assert found(project)["fcntl64"] == (SourceLine("src/_x.c", 0, "two_on_two_lines"),)


@needs_gcc
def test_a_large_file_is_read_in_time(project: Path) -> None:
    lines = [f"int f{n}(int a)\n{{\n    return a + g({n});\n}}\n" for n in range(500)]
    (project / "src" / "_t.c").write_text("extern int g(int);\n" + "".join(lines))
    compiled(project, "-g", "-O2", source="src/_t.c")
    start = time.monotonic()
    assert len(found(project, "g")["g"]) == 500
    assert time.monotonic() - start < 30, "about a third of a second on an idle machine"


def test_pyelftools_is_loaded_only_when_asked() -> None:
    code = "import sys, manyshim.formats.elf.debuginfo; sys.exit('elftools' in sys.modules)"
    environment = {**os.environ, "PYTHONPATH": str(BACKEND)}
    subprocess.run([sys.executable, "-c", code], env=environment, check=True)
