"""The tables of arguments, tested with the real zig: it accepts everything that is not refused."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import sys
from pathlib import Path
from typing import List

import pytest

import needs
from argumenttables import (
    COMPILING,
    DEBIAN_CFLAGS,
    DEBIAN_LDFLAGS,
    FEDORA_CFLAGS,
    FEDORA_LDFLAGS,
    LINKING,
    NATIVE,
    PROCESSORS,
    SETTINGS,
    Cpu,
    Row,
)
from manyshim.toolchain.compiler.arguments import adapt
from manyshim.toolchain.compiler.target_options import TargetOptions

pytestmark = needs.mark(needs.module, "ziglang")

# The other rows name libraries of this machine, or leave nothing to link.
LINKED = [row for row in LINKING if row.real and row.arch != "aarch64"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with sources and a version script."""
    made = tmp_path_factory.mktemp("zig")
    (made / "x.c").write_text("int a(void);\nint f(void) { return 1; }\n")
    (made / "a.c").write_text("int a(void) { return 2; }\n")
    (made / "x.cpp").write_text("#include <string>\nstd::string f() { return __DATE__; }\n")
    (made / "z.c").write_text("#include <zlib.h>\nint z(void) { return *zlibVersion(); }\n")
    (made / "v").write_text("{ global: PyInit_*; f; missing; local: *; };\n")
    return made


def zig(folder: Path, driver: str, written: List[str], options: TargetOptions) -> str:
    """Call zig as the wrapper does, and return its warnings."""
    adapted = adapt(driver, written, options)
    assert adapted.refusal == ""
    command = [sys.executable, "-m", "ziglang", adapted.driver, *adapted.arguments]
    cache = os.environ.get("ZIG_GLOBAL_CACHE_DIR") or str(folder.parent / "zig-cache")
    env = {**os.environ, "ZIG_GLOBAL_CACHE_DIR": cache, "ZIG_LOCAL_CACHE_DIR": cache}
    done = subprocess.run(
        command, check=False, capture_output=True, text=True, cwd=folder, env=env,
        stdin=subprocess.DEVNULL,
    )  # fmt: skip
    assert done.returncode == 0, f"{command}\n{done.stderr}"
    return done.stderr


def objects(folder: Path, arch: str) -> Path:
    """Return a folder with x.o and liba.a for a target, created once."""
    made = folder / arch
    if not made.exists():
        shutil.copytree(
            str(folder), str(made), ignore=lambda _, names: [n for n in names if "." not in n[1:]]
        )
        shutil.copy(str(folder / "v"), str(made / "v"))
        for name in ("x", "a"):
            zig(made, "cc", ["-fPIC", "-c", f"{name}.c", "-o", f"{name}.o"], SETTINGS[arch])
        archiver = [sys.executable, "-m", "ziglang", "ar", "rcs", "liba.a", "a.o"]
        subprocess.run(archiver, check=True, cwd=made)
    return made


@pytest.mark.parametrize("row", COMPILING, ids=lambda row: f"{row.arch} {row.written}")
def test_zig_compiles_with(row: Row, folder: Path) -> None:
    written = ["-c", *row.written.split(), "x.c", "-o", "x.o"]
    assert "warning" not in zig(folder, "cc", written, SETTINGS[row.arch])


@pytest.mark.parametrize("row", PROCESSORS, ids=lambda row: f"{row.arch} {row.written}")
def test_zig_knows_the_processor(row: Cpu, folder: Path) -> None:
    written = ["-c", *row.written.split(), "x.c", "-o", "x.o"]
    assert "warning" not in zig(folder, "cc", written, SETTINGS[row.arch])


@pytest.mark.parametrize("row", LINKED, ids=lambda row: f"{row.arch} {row.written}")
def test_zig_links_with(row: Row, folder: Path) -> None:
    written = ["-shared", "x.o", *row.written.split(), "-o", "x.so"]
    output = zig(objects(folder, row.arch), "cc", written, SETTINGS[row.arch])
    assert "unable to open library directory" in output or "warning" not in output


@pytest.mark.parametrize(
    ("compiling", "linking"),
    [(FEDORA_CFLAGS, f"{FEDORA_CFLAGS} {FEDORA_LDFLAGS}"), (DEBIAN_CFLAGS, DEBIAN_LDFLAGS)],
    ids=["Fedora", "Debian"],
)
def test_zig_accepts_the_flags_of_a_distribution(
    compiling: str, linking: str, folder: Path
) -> None:
    made = objects(folder, "x86_64")
    zig(made, "cc", ["-c", "-fPIC", *compiling.split(), "x.c", "-o", "y.o"], NATIVE)
    zig(made, "cc", ["-shared", *linking.split(), "y.o", "liba.a", "-o", "x.so"], NATIVE)


@pytest.mark.parametrize(
    ("driver", "written"),
    [
        ("cc", "--version"),
        ("cc", "-v"),
        ("cc", "-dumpmachine"),
        ("cc", "-print-search-dirs"),
        ("cc", "-Wl,--version"),
        ("cc", "-E -dM -"),
        ("c++", "-E -dM -"),
        ("cc", "-E -v -x c -"),
        ("cc", "-fsyntax-only x.c"),
        ("cc", "-### -c x.c"),
        ("cc", "-c x.cpp -o y.o -std=c99"),
        ("c++", "-c x.c -o y.o -std=c++17"),
        ("cc", "-M x.c"),
    ],
)
@pytest.mark.parametrize("arch", ["x86_64", "i686"])
def test_zig_accepts_an_unusual_call(driver: str, written: str, arch: str, folder: Path) -> None:
    zig(folder, driver, written.split(), SETTINGS[arch])


def test_only_the_project_defines_ndebug(folder: Path) -> None:
    (folder / "n.c").write_text("#ifdef NDEBUG\n#error\n#endif\n")
    zig(folder, "cc", ["-c", "-O3", "n.c", "-o", "n.o"], NATIVE)
    (folder / "n.c").write_text("#ifndef NDEBUG\n#error\n#endif\n")
    zig(folder, "cc", ["-c", "-DNDEBUG", "n.c", "-o", "n.o"], NATIVE)


@pytest.mark.full
@pytest.mark.parametrize("arch", SETTINGS)
def test_zig_links_for_every_target(arch: str, folder: Path) -> None:
    flags = f"{DEBIAN_LDFLAGS} x.o -L. -la -lm -Wl,-rpath,/py/lib:$ORIGIN -o x.so"
    zig(objects(folder, arch), "cc", flags.split(), SETTINGS[arch])


@pytest.mark.full
@pytest.mark.parametrize("arch", SETTINGS)
def test_zig_links_cxx_for_every_target(arch: str, folder: Path) -> None:
    """Options for strip mode, processor and optimisation do not make zig build another libc++."""
    options = SETTINGS[arch]
    zig(folder, "cc", ["-fPIC", "-c", "x.cpp", "-o", "x.o"], options)
    for more in ("", "-s -Os -g -flto -mavx2 -Wl,-S"):
        written = ["-shared", *more.split(), "x.o", "-o", "x.so"]
        zig(folder, "c++", written, options)


@pytest.mark.skipif(platform.machine() != "x86_64", reason="the libraries are of x86_64")
def test_zlib_is_found_in_the_system(folder: Path) -> None:
    needs.file("/usr/lib/x86_64-linux-gnu/libz.so", "zlib1g-dev")
    system = NATIVE._replace(sysroot="/")
    zig(folder, "cc", ["-fPIC", "-c", "z.c", "-o", "z.o"], system)
    zig(folder, "cc", ["-shared", "z.o", "-lz", "-lm", "-o", "z.so"], system)
    assert b"libz.so" in (folder / "z.so").read_bytes()


@pytest.mark.parametrize("arch", ["x86_64", "musl", "i686"])
def test_a_module_may_have_objects_that_ask_for_nothing(arch: str, folder: Path) -> None:
    """The objects of a static library are compiled without -fPIC, as CMake does."""
    (folder / "p.c").write_text("static int table[4];\nint *get(void) { return table; }\n")
    for words in (["-c", "p.c", "-o", "p.o"], ["-shared", "-o", "p.so", "p.o"]):
        zig(folder, "cc", words, SETTINGS[arch])
