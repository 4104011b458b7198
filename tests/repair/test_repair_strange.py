"""Libraries with unusual names, modes, cycles or layouts."""

from __future__ import annotations

import ctypes
import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import List

import pytest

from commandline import run
from elfbuilding import needs_gcc
from repairing import NAME, WAYS, RepairProject, facts, members, shared, unpacked
from wheelwriter import save, wheel, wheel_name

pytestmark = needs_gcc

CALL = "import ctypes, sys; print(ctypes.CDLL(sys.argv[1]).top())"
TOP = "int deep(void); int top(void) { return deep() + 4; }"


@pytest.fixture
def project(tmp_path: Path) -> RepairProject:
    return RepairProject(tmp_path / "project")


def top(project: RepairProject, *options: str, name: str = "libtop.so") -> Path:
    target = project.folder / "top" / name
    return shared(target, TOP, f"-L{project.libs}", *options)


def called(tree: Path, name: str = "demo/libtop.so") -> int:
    """Call a library's function in a new process without LD_LIBRARY_PATH."""
    done = subprocess.run(
        [sys.executable, "-c", CALL, str(tree / name)],
        capture_output=True, text=True, check=True, env={"PATH": os.defpath},
    )  # fmt: skip
    return int(done.stdout)


def copies(wheel: Path) -> List[str]:
    return [name for name in members(wheel) if name.startswith("demo.libs/")]


@WAYS
@pytest.mark.parametrize("name", ["libtäuf-深い.so.1", "libwith blank.so.1", "-l.so.1", "@at.so.1"])
def test_unusual_names_are_copied(
    project: RepairProject, way: str, name: str, tmp_path: Path
) -> None:
    shared(project.libs / "libdeep.so.1", "int deep(void) { return 3; }", soname=name)
    project.pack({"demo/libtop.so": top(project, "-l:libdeep.so.1")})
    (project.libs / "libdeep.so.1").rename(project.libs / name)
    wheel, _ = project.repaired(way)
    (copy,) = copies(wheel)
    assert copy.startswith(f"demo.libs/{name.partition('.')[0]}-")
    tree = unpacked(wheel, tmp_path / "tree")
    (project.libs / name).unlink()
    assert called(tree) == 7
    assert facts(tree / copy).soname == copy.rpartition("/")[2]


@WAYS
@pytest.mark.parametrize("raw", [b"lib\xff\xe9.so.1", b"lib\xc3.so.1"])
def test_names_that_are_not_utf8_are_refused(project: RepairProject, way: str, raw: bytes) -> None:
    name = os.fsdecode(raw)
    shared(project.libs / "libdeep.so.1", "int deep(void) { return 3; }", soname=name)
    data = project.pack({"demo/libtop.so": top(project, "-l:libdeep.so.1")})
    (project.libs / "libdeep.so.1").rename(project.libs / name)
    output = project.stays(way, project.run(way), data)
    assert "is not copied: its name is not valid UTF-8" in output


@WAYS
def test_a_read_only_library_is_copied(project: RepairProject, way: str, tmp_path: Path) -> None:
    project.simple()
    library = project.libs / "libdeep.so.1"
    library.chmod(0o444)
    before = library.read_bytes()
    wheel, _ = project.repaired(way)
    assert (library.read_bytes(), library.stat().st_mode & 0o777) == (before, 0o444)
    assert called(unpacked(wheel, tmp_path / "tree")) == 7


@WAYS
def test_two_libraries_with_one_name_are_both_copied(
    project: RepairProject, way: str, tmp_path: Path
) -> None:
    files = {}
    for number in (1, 2):
        folder = project.folder / f"other{number}"
        shared(folder / "libdeep.so.1", f"int deep(void) {{ return {number}0; }}")
        options = (f"-L{folder}", "-l:libdeep.so.1", f"-Wl,-rpath,{folder}")
        files[f"demo/libtop{number}.so"] = top(project, *options, name=f"libtop{number}.so")
    project.pack(files)
    wheel, _ = project.repaired(way)
    for number in (1, 2):
        (project.folder / f"other{number}").rename(project.folder / f"hidden{number}")
    tree = unpacked(wheel, tmp_path / "tree")
    assert len(copies(wheel)) == 2
    for number in (1, 2):
        assert called(tree, f"demo/libtop{number}.so") == 10 * number + 4
    # Both are also loaded into one process, where only their new names differ.
    first, second = (ctypes.CDLL(str(tree / "demo" / f"libtop{n}.so")).top() for n in (1, 2))
    assert (first, second) == (14, 24)


@WAYS
def test_one_file_with_two_names_is_copied_once(
    project: RepairProject, way: str, tmp_path: Path
) -> None:
    shared(project.libs / "libdeep.so.1", "int deep(void) { return 3; }", soname="-")
    (project.libs / "libsame.so.1").symlink_to("libdeep.so.1")
    options = ("-Wl,--no-as-needed", "-l:libdeep.so.1", "-l:libsame.so.1")
    project.pack({"demo/libtop.so": top(project, *options)})
    wheel, _ = project.repaired(way)
    (copy,) = copies(wheel)
    tree = unpacked(wheel, tmp_path / "tree")
    assert facts(tree / "demo" / "libtop.so").needed[0] == copy.rpartition("/")[2]
    assert called(tree) == 7


@WAYS
@pytest.mark.parametrize("which", ["copy", "member"])
def test_a_file_without_section_headers_is_repaired(
    project: RepairProject, way: str, which: str, tmp_path: Path
) -> None:
    project.simple()
    files = {"copy": project.libs / "libdeep.so.1", "member": project.folder / "top" / "libtop.so"}
    headless(files[which])
    project.pack({"demo/libtop.so": files["member"]})
    wheel, _ = project.repaired(way)
    assert called(unpacked(wheel, tmp_path / "tree")) == 7


@WAYS
def test_a_soname_with_a_path_stays_in_the_folder(
    project: RepairProject, way: str, tmp_path: Path
) -> None:
    """The copy is in the wheel's folder of libraries, whatever path the name contains."""
    shared(project.libs / "libdeep.so.1", "int deep(void) { return 3; }")
    user = top(project, "-l:libdeep.so.1")
    name = "../../evil/libdeep.so.1"
    shared(project.libs / "libdeep.so.1", "int deep(void) { return 3; }", soname=name)
    project.pack({"demo/libtop.so": user})
    wheel, _ = project.repaired(way)
    (copy,) = (path for path in members(wheel) if "libdeep" in path)
    assert copy.startswith("demo.libs/libdeep-")
    assert called(unpacked(wheel, tmp_path / "tree")) == 7


@WAYS
def test_folder_names_cannot_forge_lines_of_output(project: RepairProject, way: str) -> None:
    """Control characters and bytes that are not text are escaped in all output."""
    project.simple()
    folder = project.folder / os.fsdecode(b"\xff\nmanyshim: error: forged\x1b[31m")
    project.libs.rename(folder)
    wheel, output = project.repaired(way, {"library-path": [str(folder)]})
    assert len(copies(wheel)) == 1
    assert "\x1b" not in output
    assert not [line for line in output.splitlines() if line.startswith("manyshim: error")]


@WAYS
def test_libraries_that_need_each_other_are_copied(
    project: RepairProject, way: str, tmp_path: Path
) -> None:
    below = f"-L{project.libs}"
    shared(project.libs / "libx.so.1", "int x(void) { return 1; }")
    text = "int x(void); int deep(void) { return 2 + x(); }"
    shared(project.libs / "libdeep.so.1", text, below, "-l:libx.so.1")
    text = "int deep(void); int x(void) { return 1; } int z(void) { return deep(); }"
    shared(project.libs / "libx.so.1", text, below, "-l:libdeep.so.1")
    user = top(project, "-l:libdeep.so.1", f"-Wl,-rpath-link,{project.libs}")
    project.pack({"demo/libtop.so": user})
    wheel, _ = project.repaired(way)
    assert len(copies(wheel)) == 2
    (project.libs / "libx.so.1").unlink()
    (project.libs / "libdeep.so.1").unlink()
    assert called(unpacked(wheel, tmp_path / "tree")) == 7


@WAYS
@pytest.mark.parametrize("option", ["--filter", "--auxiliary"])
def test_the_library_behind_a_filter_is_copied(
    project: RepairProject, way: str, option: str, tmp_path: Path
) -> None:
    shared(project.libs / "libimpl.so.1", "int deep(void) { return 2; }")
    filtered = (f"-Wl,{option},libimpl.so.1", f"-L{project.libs}")
    shared(project.libs / "libdeep.so.1", "int deep(void) { return 1; }", *filtered)
    user = top(project, "-l:libdeep.so.1")
    project.pack({"demo/libtop.so": user})
    wheel, _ = project.repaired(way)
    assert any(name.endswith("/libimpl.so.1") for name in copies(wheel))
    (project.libs / "libimpl.so.1").unlink()
    (project.libs / "libdeep.so.1").unlink()
    assert called(unpacked(wheel, tmp_path / "tree")) == 6


@WAYS
def test_what_is_not_a_regular_file_is_skipped(project: RepairProject, way: str) -> None:
    data = project.simple()
    library = project.libs / "libdeep.so.1"
    library.unlink()
    library.mkdir()
    makers = (lambda: os.mkfifo(library), lambda: library.symlink_to(library.name))
    for words, make in zip(
        ("Is a directory", "not a regular file", "Too many levels"), (*makers, None)
    ):
        output = project.stays(way, project.run(way), data)
        assert "libdeep.so.1 is not copied: it was not found" in output
        assert re.search(f"skipped: {re.escape(str(library))} cannot be .*{words}", output)
        if library.is_dir():
            library.rmdir()
        else:
            library.unlink()
        if way != "cli":
            (project.dist / NAME).unlink()
        if make:
            make()


@WAYS
def test_a_library_found_through_the_environment_is_reported(
    project: RepairProject, way: str
) -> None:
    project.simple()
    environ = {"LD_LIBRARY_PATH": str(project.libs)}
    done = project.run(way, {"library-path": ["/nowhere"]}, environ=environ)
    output = done.stdout + done.stderr
    assert done.returncode == 0, output
    assert "warning: libdeep.so.1 was found through LD_LIBRARY_PATH" in output


def test_a_second_repair_changes_nothing(project: RepairProject, tmp_path: Path) -> None:
    project.simple()
    wheel, _ = project.repaired("cli")
    command = [str(project.python), "-m", "manyshim", "repair", str(wheel), "-w"]

    def again(*options: str) -> Path:
        folder = tmp_path / "".join(options or ("plain",))
        run = [*command, str(folder), *options]
        subprocess.run(run, check=True, capture_output=True, env=project.environment())
        return folder / wheel.name

    assert again().read_bytes() == wheel.read_bytes()
    for what in ("debug", "all"):
        assert called(unpacked(again("--strip", what), tmp_path / what)) == 7


def headless(path: Path) -> None:
    """Zero e_shoff, e_shnum and e_shstrndx."""
    data = bytearray(path.read_bytes())
    assert data[4] == 2, "64 bits"
    data[40:48] = bytes(8)
    data[60:64] = bytes(4)
    path.write_bytes(data)


def test_a_library_that_is_in_the_archive_twice_is_repaired_once(tmp_path: Path) -> None:
    library = shared(tmp_path / "lib.so", "int f(void) { return 1; }", "-g").read_bytes()
    pairs = [("demo/lib.so", library), ("demo/lib.so", library)]
    path = save(tmp_path, wheel(pairs), wheel_name())
    options = ("--strip", "debug", "--allow", "DUP_MEMBER:*", "-w", tmp_path / "out")
    done = run("repair", path, *options)
    assert done.returncode == 0, done.stderr
    (made,) = (tmp_path / "out").iterdir()
    with zipfile.ZipFile(made) as archive:
        assert archive.namelist().count("demo/lib.so") == 1
