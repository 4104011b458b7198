"""Whether Rust made a file, by `.comment`, and the advice that depends on it."""

from __future__ import annotations

import io
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Optional, Tuple

import pytest

import needs
from casewheels import EXT, PIDFD, module
from elfdamage import patched
from elfwriter import TARGETS, Elf, Symbol, write
from manyshim import build, operations
from manyshim.audit.names import is_copy
from manyshim.audit.request import Compiled, Request
from manyshim.audit.tags import parse_platform
from manyshim.config import Config
from manyshim.formats.elf import reader
from manyshim.formats.zip.window import MemberError, Window
from manyshim.workspace import private_folder
from wheelwriter import save, wheel, wheel_name

GCC = b"GCC: (GNU) 14.2.1\0"
RUST = GCC + b"rustc version 1.90.0 (1159e78c4 2025-09-14)\0"
MATHS = module(Symbol("pow", "libm.so.6", "GLIBC_2.29"), needed=("libm.so.6",))
COPY = "demo.libs/libfoo-1a2b3c4d.so.1"


def by_rust(data: bytes) -> bool:
    return reader.read(EXT, Window(io.BytesIO(data), 0, len(data), len(data), 0)).rust


@pytest.mark.parametrize("arch", TARGETS)
@pytest.mark.parametrize("comment", [RUST, b"\0" + GCC + b"\0" + RUST])
def test_rust_is_known_on_each_architecture(arch: str, comment: bytes) -> None:
    assert by_rust(write(replace(TARGETS[arch], comment=comment)))
    assert not by_rust(write(replace(TARGETS[arch], comment=GCC)))


@pytest.mark.parametrize("comment", [GCC, b"", b"in rustc version 1", b"rustc version"])
def test_others_are_not_taken_for_rust(comment: bytes) -> None:
    assert not by_rust(write(Elf(comment=comment)))


@pytest.mark.parametrize("field", [40, 58, 60, 62])
@pytest.mark.parametrize("number", [0, 1, 0x7FFF, 0xFFFF])
def test_section_headers_do_not_matter(field: int, number: int) -> None:
    """The fields are e_shoff, e_shentsize, e_shnum and e_shstrndx."""
    data = write(Elf(comment=RUST))
    assert by_rust(patched(data, field, number.to_bytes(2, "little")))


class Cut(Window):
    """A member whose bytes from `place` on cannot be read."""

    place = 0

    def read(self, offset: int, length: int) -> bytes:
        if offset + length > self.place:
            raise MemberError("it does not inflate")
        return super().read(offset, length)


def test_a_file_is_good_whose_comment_cannot_be_read() -> None:
    """The loader does not read it, so only the advice depends on it."""
    data = write(replace(MATHS, comment=RUST))
    window = Cut(io.BytesIO(data), 0, len(data), len(data), 0)
    window.place = data.index(RUST)
    reading = reader.read(EXT, window)
    assert reading.facts.needed == ("libc.so.6", "libm.so.6")
    assert not reading.rust


@pytest.mark.parametrize(
    ("linker", "flags"),
    [("bfd", ()), ("bfd", ("-s",)), ("gold", ()), ("lld", ()), ("lld", ("-s",)), ("mold", ("-s",))],
)
def test_the_place_is_the_one_that_linkers_choose(
    tmp_path: Path, linker: str, flags: Tuple[str, ...]
) -> None:
    """LLD puts other sections before it. mold puts symbols there, unless they are stripped."""
    needs.tool("gcc", "gcc")
    if linker != "bfd":
        needs.tool(f"ld.{linker}", "binutils" if linker == "gold" else linker)
    source = tmp_path / "x.c"
    source.write_text('__asm__(".ident \\"rustc version 1.90.0\\""); int big[9000] = {1};\n')
    target = tmp_path / "x.so"
    command = ["gcc", "-g", "-shared", "-fPIC", f"-fuse-ld={linker}", *flags, "-o", str(target)]
    subprocess.run([*command, str(source)], check=True)
    assert by_rust(target.read_bytes())


def fix_of(folder: Path, elf: bytes, path: str = EXT) -> str:
    folder.mkdir(exist_ok=True)
    built = save(folder, wheel({path: elf, "demo/__init__.py": b""}), wheel_name())
    (found,) = (
        one
        for one in operations.show(str(built), Request()).data["findings"]
        if one["kind"] == "TOO_NEW"
    )
    return str(found["fix"])


def test_the_advice_fits_who_made_the_file(tmp_path: Path) -> None:
    rust = fix_of(tmp_path, write(replace(MATHS, comment=RUST)))
    assert rust.startswith("build with cargo-zigbuild")
    assert "compiler=zig" in fix_of(tmp_path, write(MATHS))
    assert "whose copy is older" in fix_of(tmp_path, write(module(PIDFD, comment=RUST)), COPY)


def test_no_compiler_is_advised_for_a_name_that_no_older_glibc_has(tmp_path: Path) -> None:
    for comment in (GCC, RUST):
        fix = fix_of(tmp_path, write(module(PIDFD, comment=comment)))
        assert fix == (
            "no older glibc has the function: avoid it, or look it up at run time (dlsym), or "
            "accept the newer tag"
        )
    # Headers made this name of fcntl, and older headers do not.
    fcntl = write(module(Symbol("fcntl64", "libc.so.6", "GLIBC_2.28")))
    assert "compiler=zig" in fix_of(tmp_path, fcntl)
    # One symbol of two is new: an older build helps with the other one.
    both = write(module(PIDFD, Symbol("pow", "libc.so.6", "GLIBC_2.36")))
    assert "compiler=zig" in fix_of(tmp_path, both)


def test_a_build_gives_the_same_advice(tmp_path: Path) -> None:
    with private_folder(str(tmp_path / "dist")) as private:
        data = wheel({EXT: write(replace(MATHS, comment=RUST)), "demo/__init__.py": b""})
        built = save(Path(private), data, wheel_name())
        lines = build.finish(str(built), str(tmp_path / "dist"), Config()).lines
    assert sum("cargo-zigbuild" in line for line in lines) == 1
    assert not any("compiler=zig" in line for line in lines)


@pytest.mark.parametrize(
    ("platform", "fix"),
    [("manylinux_2_17_x86_64", "it comes from another compiler"), ("manylinux_2_31_x86_64", None)],
)
def test_zig_is_not_to_blame_for_more_than_its_target(
    tmp_path: Path, platform: str, fix: Optional[str]
) -> None:
    """The symbol is of glibc 2.29. For a target of 2.31, zig may have chosen it."""
    target = parse_platform(platform)
    config = Config(platform=target, compiled=Compiled("x86_64-linux-gnu"), explain="always")
    with private_folder(str(tmp_path / "dist")) as private:
        data = wheel({EXT: write(MATHS), "demo/__init__.py": b""})
        built = save(Path(private), data, wheel_name())
        lines = build.finish(str(built), str(tmp_path / "dist"), config).lines
    expected = fix or "request an older platform"
    assert sum(expected in line for line in lines) == 1


@pytest.mark.parametrize(
    ("path", "copy"),
    [
        (COPY, True),
        ("scipy.libs/libgfortran-040039e1.so.5.0.0", True),
        ("numpy.libs/libscipy_openblas64_-99b71e71.so", True),
        ("a/demo.libs/libfoo-1a2b3c4d.so", True),
        ("demo.libs/libfoo.so.1", False),
        ("demo.libs/libfoo-1a2b3c4.so", False),
        ("demo.libs/libfoo-1a2b3c4g.so", False),
        ("demo/libfoo-1a2b3c4d.so.1", False),
        ("demo.libs/", False),
        ("", False),
    ],
)
def test_copies_are_known_by_their_names(path: str, *, copy: bool) -> None:
    assert is_copy(path) is copy
