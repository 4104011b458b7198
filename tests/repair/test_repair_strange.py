"""Libraries that are strange in name, mode, number or make."""

from __future__ import annotations

import ctypes
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import List

import pytest

from elfbuilding import needs_gcc
from repairing import NAME, WAYS, Place, facts, members, shared, unpacked

pytestmark = needs_gcc

CALL = "import ctypes, sys; print(ctypes.CDLL(sys.argv[1]).top())"
TOP = "int deep(void); int top(void) { return deep() + 4; }"


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path / "place")


def top(place: Place, *options: str, name: str = "libtop.so") -> Path:
    target = place.folder / "top" / name
    return shared(target, TOP, f"-L{place.libs}", *options)


def called(tree: Path, name: str = "demo/libtop.so") -> int:
    """Call a library in a process of its own, which no environment leads to others."""
    done = subprocess.run(
        [sys.executable, "-c", CALL, str(tree / name)],
        capture_output=True, text=True, check=True, env={"PATH": os.defpath},
    )  # fmt: skip
    return int(done.stdout)


def copies(wheel: Path) -> List[str]:
    return [name for name in members(wheel) if name.startswith("demo.libs/")]


@WAYS
@pytest.mark.parametrize("name", ["libtäuf-深い.so.1", "libwith blank.so.1", "-l.so.1", "@at.so.1"])
def test_names_that_are_text(place: Place, way: str, name: str, tmp_path: Path) -> None:
    shared(place.libs / "libdeep.so.1", "int deep(void) { return 3; }", soname=name)
    place.pack({"demo/libtop.so": top(place, "-l:libdeep.so.1")})
    (place.libs / "libdeep.so.1").rename(place.libs / name)
    wheel, _ = place.repaired(way)
    (copy,) = copies(wheel)
    assert copy.startswith(f"demo.libs/{name.partition('.')[0]}-")
    tree = unpacked(wheel, tmp_path / "tree")
    (place.libs / name).unlink()
    assert called(tree) == 7
    assert facts(tree / copy).soname == copy.rpartition("/")[2]


@WAYS
@pytest.mark.parametrize("raw", [b"lib\xff\xe9.so.1", b"lib\xc3.so.1"])
def test_names_that_are_no_text_are_refused(place: Place, way: str, raw: bytes) -> None:
    name = os.fsdecode(raw)
    shared(place.libs / "libdeep.so.1", "int deep(void) { return 3; }", soname=name)
    data = place.pack({"demo/libtop.so": top(place, "-l:libdeep.so.1")})
    (place.libs / "libdeep.so.1").rename(place.libs / name)
    said = place.stays(way, place.run(way), data)
    assert "stays outside: its name is not UTF-8" in said


@WAYS
def test_a_library_that_nobody_may_write(place: Place, way: str, tmp_path: Path) -> None:
    place.simple()
    library = place.libs / "libdeep.so.1"
    library.chmod(0o444)
    before = library.read_bytes()
    wheel, _ = place.repaired(way)
    assert (library.read_bytes(), library.stat().st_mode & 0o777) == (before, 0o444)
    assert called(unpacked(wheel, tmp_path / "tree")) == 7


@WAYS
def test_two_libraries_of_one_name(place: Place, way: str, tmp_path: Path) -> None:
    files = {}
    for number in (1, 2):
        folder = place.folder / f"other{number}"
        shared(folder / "libdeep.so.1", f"int deep(void) {{ return {number}0; }}")
        options = (f"-L{folder}", "-l:libdeep.so.1", f"-Wl,-rpath,{folder}")
        files[f"demo/libtop{number}.so"] = top(place, *options, name=f"libtop{number}.so")
    place.pack(files)
    wheel, _ = place.repaired(way)
    for number in (1, 2):
        (place.folder / f"other{number}").rename(place.folder / f"hidden{number}")
    tree = unpacked(wheel, tmp_path / "tree")
    assert len(copies(wheel)) == 2
    for number in (1, 2):
        assert called(tree, f"demo/libtop{number}.so") == 10 * number + 4
    # And both in one process, where only their new names tell them apart.
    first, second = (ctypes.CDLL(str(tree / "demo" / f"libtop{n}.so")).top() for n in (1, 2))
    assert (first, second) == (14, 24)


@WAYS
def test_one_file_of_two_names(place: Place, way: str, tmp_path: Path) -> None:
    shared(place.libs / "libdeep.so.1", "int deep(void) { return 3; }", soname="-")
    (place.libs / "libsame.so.1").symlink_to("libdeep.so.1")
    options = ("-Wl,--no-as-needed", "-l:libdeep.so.1", "-l:libsame.so.1")
    place.pack({"demo/libtop.so": top(place, *options)})
    wheel, _ = place.repaired(way)
    (copy,) = copies(wheel)
    tree = unpacked(wheel, tmp_path / "tree")
    assert facts(tree / "demo" / "libtop.so").needed[0] == copy.rpartition("/")[2]
    assert called(tree) == 7


@WAYS
@pytest.mark.parametrize("which", ["copy", "member"])
def test_no_section_headers(place: Place, way: str, which: str) -> None:
    """Without them patchelf fails."""
    place.simple()
    files = {"copy": place.libs / "libdeep.so.1", "member": place.folder / "top" / "libtop.so"}
    headless(files[which])
    data = place.pack({"demo/libtop.so": files["member"]})
    done = place.run(way)
    # What patchelf says of it stands in lines of its own below ours.
    assert "patchelf failed with exit code 1" in place.failed(way, done, data)
    assert "section headers" in done.stdout + done.stderr


@WAYS
def test_a_soname_with_a_path(place: Place, way: str, tmp_path: Path) -> None:
    """The copy lies in the wheel's folder of libraries, wherever the name would lead."""
    shared(place.libs / "libdeep.so.1", "int deep(void) { return 3; }")
    user = top(place, "-l:libdeep.so.1")
    name = "../../evil/libdeep.so.1"
    shared(place.libs / "libdeep.so.1", "int deep(void) { return 3; }", soname=name)
    place.pack({"demo/libtop.so": user})
    wheel, _ = place.repaired(way)
    (copy,) = (path for path in members(wheel) if "libdeep" in path)
    assert copy.startswith("demo.libs/libdeep-")
    assert called(unpacked(wheel, tmp_path / "tree")) == 7


@WAYS
def test_folders_that_would_forge_lines(place: Place, way: str) -> None:
    """Control characters and bytes that are no text are escaped, wherever they are said."""
    place.simple()
    folder = place.folder / os.fsdecode(b"\xff\nmanyshim: error: forged\x1b[31m")
    place.libs.rename(folder)
    wheel, said = place.repaired(way, {"library-path": [str(folder)]})
    assert len(copies(wheel)) == 1
    assert "\x1b" not in said
    assert not [line for line in said.splitlines() if line.startswith("manyshim: error")]


@WAYS
def test_libraries_that_need_each_other(place: Place, way: str, tmp_path: Path) -> None:
    below = f"-L{place.libs}"
    shared(place.libs / "libx.so.1", "int x(void) { return 1; }")
    text = "int x(void); int deep(void) { return 2 + x(); }"
    shared(place.libs / "libdeep.so.1", text, below, "-l:libx.so.1")
    text = "int deep(void); int x(void) { return 1; } int z(void) { return deep(); }"
    shared(place.libs / "libx.so.1", text, below, "-l:libdeep.so.1")
    user = top(place, "-l:libdeep.so.1", f"-Wl,-rpath-link,{place.libs}")
    place.pack({"demo/libtop.so": user})
    wheel, _ = place.repaired(way)
    assert len(copies(wheel)) == 2
    (place.libs / "libx.so.1").unlink()
    (place.libs / "libdeep.so.1").unlink()
    assert called(unpacked(wheel, tmp_path / "tree")) == 7


@WAYS
def test_what_is_no_file_to_copy(place: Place, way: str) -> None:
    data = place.simple()
    library = place.libs / "libdeep.so.1"
    library.unlink()
    library.mkdir()
    makers = (lambda: os.mkfifo(library), lambda: library.symlink_to(library.name))
    for words, make in zip(
        ("no regular file", "no regular file", "Too many levels"), (*makers, None)
    ):
        said = place.stays(way, place.run(way), data)
        assert "libdeep.so.1 stays outside: it is not found" in said
        assert re.search(f"passed over: {re.escape(str(library))} cannot be .*{words}", said)
        if library.is_dir():
            library.rmdir()
        else:
            library.unlink()
        if way != "cli":
            (place.dist / NAME).unlink()
        if make:
            make()


@WAYS
def test_where_the_environment_decided_it_is_said(place: Place, way: str) -> None:
    place.simple()
    environ = {"LD_LIBRARY_PATH": str(place.libs)}
    done = place.run(way, {"library-path": ["/nowhere"]}, environ=environ)
    said = done.stdout + done.stderr
    assert done.returncode == 0, said
    assert "warning: LD_LIBRARY_PATH decided where libdeep.so.1 was found" in said


def test_what_is_repaired_stays_as_it_is_when_repaired_again(place: Place, tmp_path: Path) -> None:
    place.simple()
    wheel, _ = place.repaired("cli")
    command = [str(place.python), "-m", "manyshim", "repair", str(wheel), "-w"]

    def again(*options: str) -> Path:
        folder = tmp_path / "".join(options or ("plain",))
        run = [*command, str(folder), *options]
        subprocess.run(run, check=True, capture_output=True, env=place.environment())
        return folder / wheel.name

    assert again().read_bytes() == wheel.read_bytes()
    # GNU strip may damage what patchelf has laid out; then nothing is stripped.
    for what in ("debug", "all"):
        assert called(unpacked(again("--strip", what), tmp_path / what)) == 7


def headless(path: Path) -> None:
    """Zero e_shoff, e_shnum and e_shstrndx."""
    data = bytearray(path.read_bytes())
    assert data[4] == 2, "64 bits"
    data[40:48] = bytes(8)
    data[60:64] = bytes(4)
    path.write_bytes(data)
