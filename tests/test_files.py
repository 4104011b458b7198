"""Only regular files are opened: nothing waits for a pipe or reads a device without end."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import Callable, Dict, List

import pytest

from commandline import run
from elfwriter import Elf, Symbol, write
from faults import PACKAGE
from manyshim.errors import InvalidWheelError, ToolError
from manyshim.files import open_regular
from manyshim.formats.zip.archive import Archive
from manyshim.repair.sbom.packages import Packages
from manyshim.repair.search import Search
from manyshim.workspace import write_whole
from wheelwriter import save, wheel, wheel_name

if os.name == "nt":
    pytest.skip("makes pipes, sockets and links to devices", allow_module_level=True)


def device(path: Path) -> None:
    path.symlink_to("/dev/zero")


def unix_socket(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as one:
        one.bind(str(path))


ODD: Dict[str, Callable[[Path], None]] = {
    "pipe": os.mkfifo,
    "device": device,
    "socket": unix_socket,
    "folder": lambda path: path.mkdir(),
}
kinds = pytest.mark.parametrize("kind", ODD)


@kinds
def test_others_are_refused_at_once(kind: str, tmp_path: Path) -> None:
    ODD[kind](tmp_path / "x")
    before = len(os.listdir("/dev/fd"))
    with pytest.raises(OSError, match=r"regular file|Is a directory"):
        open_regular(str(tmp_path / "x"))
    assert len(os.listdir("/dev/fd")) == before


def test_regular_files_are_read(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"\r\nabc")
    (tmp_path / "link").symlink_to("x")
    with open_regular(str(tmp_path / "link")) as file:
        assert file.read() == b"\r\nabc"
    with pytest.raises(FileNotFoundError):
        open_regular(str(tmp_path / "absent"))
    with pytest.raises(OSError, match="null"):
        open_regular("a\0b")


@kinds
@pytest.mark.parametrize("command", ["show", "check", "retag"])
def test_a_wheel(kind: str, command: str, tmp_path: Path) -> None:
    ODD[kind](tmp_path / wheel_name())
    out = ["-w", tmp_path / "out"] if command == "retag" else []
    good = save(tmp_path, wheel({"x.py": b""}, version="2.0"), wheel_name(version="2.0"))
    done = run(command, tmp_path / wheel_name(), good, *out)
    assert done.returncode == 3
    assert done.stderr.startswith(f"manyshim: error: {tmp_path / wheel_name()}: cannot be opened: ")
    assert done.stderr.count("\n") == 1
    assert good.name in done.stdout


@kinds
def test_pyproject(kind: str, tmp_path: Path) -> None:
    ODD[kind](tmp_path / "pyproject.toml")
    script = "from manyshim import backend; backend.build_wheel('dist')"
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": PACKAGE},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 2
    assert done.stderr.startswith("manyshim: error: pyproject.toml cannot be read: ")
    assert done.stderr.count("\n") == 1


@kinds
def test_a_library_and_its_package(kind: str, tmp_path: Path) -> None:
    """A repair opens candidates on the library path, ld.so.conf, and the files of dpkg."""
    ODD[kind](tmp_path / "libx.so")
    for folder, name in (("etc", "ld.so.conf"), ("var/lib/dpkg", "diversions")):
        (tmp_path / folder).mkdir(parents=True)
        ODD[kind](tmp_path / folder / name)
    folders = (str(tmp_path),)
    search = Search("x86_64", "glibc", native=False, library_path=folders, sysroot=str(tmp_path))
    assert search.find("libx.so", []) is None
    assert len(search.skipped) == 1
    assert Packages(str(tmp_path)).owner(str(tmp_path / "libx.so")) is None


def test_diversions_with_nul(tmp_path: Path) -> None:
    """The damaged lines are skipped; those of other files count."""
    info = tmp_path / "var/lib/dpkg/info"
    info.mkdir(parents=True)
    library = tmp_path / "usr/lib/libx.so.1"
    library.parent.mkdir(parents=True)
    library.write_bytes(b"")
    (info / "libx.list").write_text("/usr/lib/libx.so.1\n")
    status = "Package: libx\nStatus: install ok installed\nArchitecture: amd64\nVersion: 1\n"
    (info.parent / "status").write_text(status)
    lines = "/usr/lib/a\0b/libx.so.1\n/usr/lib/c\0d/libx.so.1\nother\n"
    (info.parent / "diversions").write_text(lines)
    package = Packages(str(tmp_path)).owner(str(library))
    assert package is not None
    assert (package.name, package.version) == ("libx", "1")


@kinds
def test_a_report_replaces_files_only(kind: str, tmp_path: Path) -> None:
    ODD[kind](tmp_path / "report.json")
    with pytest.raises(ToolError, match="not a regular file"):
        write_whole("{}", str(tmp_path / "report.json"))
    assert os.listdir(tmp_path) == ["report.json"]


def test_a_report_removes_no_file_of_others(tmp_path: Path) -> None:
    (tmp_path / f"report.json.{os.getpid()}.part").write_text("mine")
    write_whole("{}", str(tmp_path / "report.json"))
    assert (tmp_path / "report.json").read_text() == "{}"
    assert (tmp_path / f"report.json.{os.getpid()}.part").read_text() == "mine"


def test_an_archive_is_closed_after_an_error(tmp_path: Path) -> None:
    (tmp_path / "x.zip").write_bytes(b"PK")
    before = len(os.listdir("/dev/fd"))
    with pytest.raises(InvalidWheelError):
        Archive(str(tmp_path / "x.zip"))
    assert len(os.listdir("/dev/fd")) == before


ELF = write(Elf(needed=("libc.so.6",), symbols=(Symbol("PyInit__x", defined=True),)))


@pytest.mark.parametrize("options", [["--strip", "debug"], ["--fix", "rpath"], ["--strip", "all"]])
def test_an_elf_file_with_nul_in_its_name_is_not_repaired(
    options: List[str], tmp_path: Path
) -> None:
    data = wheel({"demo/_x.abi3.so": ELF, "demo/yQz.so": ELF}).replace(b"yQz", b"y\0z")
    path = save(tmp_path, data, wheel_name())
    done = run("retag", path, "-w", tmp_path / "out", *options)
    assert (done.returncode, done.stderr) == (1, "")
    assert "[BAD_PATH]" in done.stdout
    assert not (tmp_path / "out").exists() or os.listdir(tmp_path / "out") == []


@pytest.mark.parametrize("machine", [8, 190])
def test_strip_of_a_machine_that_no_tag_names(machine: int, tmp_path: Path) -> None:
    elf = bytearray(ELF)
    elf[18:20] = machine.to_bytes(2, "little")
    path = save(tmp_path, wheel({"demo/_x.abi3.so": bytes(elf)}), wheel_name())
    done = run("retag", "--strip", "debug", path, "-w", tmp_path / "out")
    assert done.returncode == 1
    assert done.stderr == ""
    assert "no tag" in done.stdout
