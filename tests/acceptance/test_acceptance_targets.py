"""Small projects, compiled with zig for many targets and by many Pythons, and imported there."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, Dict, List, Mapping, NamedTuple, Tuple

import pytest

import needs
from acceptance import (
    ARM64,
    MUSL,
    X86,
    Frontend,
    cpython,
    frontend_with,
    here,
    on_x86_64,
    require,
    tags,
    unpacked,
    unpinned,
)
from compiling import PROBE, Done, copy, elfs, members
from drawing import DRAW, WAVE
from frontends import Runner
from paths import REPOSITORY
from systems import system

pytestmark = on_x86_64

C_ONLY = {"PROBE_MODULES": "_c"}
POWER = "manylinux_2_24_ppc64le"
USE = """
import probe._c, probe._cxx
facts = probe._c.facts()
print(facts["compiler"], facts["headers"], facts["big"], facts["stat"], probe._cxx.caught("x"))
"""


@pytest.fixture(scope="module")
def frontend(run: Runner, build_environment: Dict[str, str]) -> Frontend:
    return frontend_with(run, build_environment)


@pytest.fixture
def probe(tmp_path: Path) -> Path:
    return copy(PROBE, tmp_path / "probe")


class Place(NamedTuple):
    """A system, the platform to compile for, and the tag of the file name.

    `sizes` are those of a pointer, long, size_t and wchar_t, in bytes. `cplusplus` is the platform
    to compile C++ for, if it is another one. `minor` is the minor version of the system's Python.
    """

    system: str
    platform: str
    tag: str
    sizes: Tuple[int, int, int, int]
    big: int = 0
    cplusplus: str = ""
    minor: int = 11

    @property
    def python(self) -> str:
        """The Python tag and the ABI tag of a wheel for the system."""
        return f"cp3{self.minor}-cp3{self.minor}"


_WIDE, _NARROW = (8, 8, 8, 4), (4, 4, 4, 4)
PLACES = (
    Place("bookworm-amd64", X86, f"manylinux2014_x86_64.{X86}", _WIDE),
    Place("bookworm-arm64", ARM64, f"manylinux2014_aarch64.{ARM64}", _WIDE),
    Place(
        "bookworm-armhf",
        "manylinux_2_17_armv7l",
        "manylinux2014_armv7l.manylinux_2_17_armv7l",
        _NARROW,
    ),
    Place(
        "bookworm-s390x",
        "manylinux_2_17_s390x",
        "manylinux2014_s390x.manylinux_2_17_s390x",
        _WIDE,
        big=1,
    ),
    Place(
        "bookworm-i386",
        "manylinux_2_17_i686",
        "manylinux2014_i686.manylinux_2_17_i686",
        _NARROW,
    ),
    Place(
        "bookworm-ppc64el",
        POWER,
        POWER,
        _WIDE,
        # libc++ calls the functions for IEEE's long double, which came with glibc 2.32.
        cplusplus="manylinux_2_34_ppc64le",
    ),
    Place(
        "trixie-riscv64",
        "manylinux_2_31_riscv64",
        "manylinux_2_31_riscv64",
        _WIDE,
        minor=13,
    ),
    Place("musl-amd64", MUSL, MUSL, _WIDE),
)


def places(*few: str) -> List[Any]:
    """Return all places as parameters; the unnamed ones run only with the marker `full`."""
    return [
        pytest.param(one, id=one.system, marks=() if one.system in few else pytest.mark.full)
        for one in PLACES
    ]


@pytest.mark.parametrize("place", places("bookworm-arm64", "bookworm-i386"))
def test_the_sample_is_used_on_every_system(
    place: Place, tmp_path: Path, frontend: Frontend, pythons: Mapping[int, str]
) -> None:
    python, target = cpython(pythons, place.minor), system(place.system)
    sample = copy(REPOSITORY / "sample_project", tmp_path / "sample")
    done = frontend.build(sample, python, place.platform)
    assert tags(done) == f"{place.python}-{place.tag}"
    assert target.run(DRAW, unpacked(done)) == f"{WAVE}\n"


@pytest.mark.full
@pytest.mark.parametrize("place", places())
def test_c_and_cplusplus_have_the_sizes_of_every_system(
    place: Place, probe: Path, frontend: Frontend, pythons: Mapping[int, str]
) -> None:
    """The compiler and Python's headers have the same sizes and byte order."""
    python, target = cpython(pythons, place.minor), system(place.system)
    done = frontend.build(probe, python, place.cplusplus or place.platform)
    assert tags(done) == f"{place.python}-{place.cplusplus or place.tag}"
    wanted = f"{place.sizes} {place.sizes} ({place.big}, {place.big}) 1 x 1\n"
    assert target.run(USE, unpacked(done)) == wanted


@pytest.mark.full
def test_an_older_glibc_on_power_is_for_c_only(
    probe: Path, tmp_path: Path, frontend: Frontend, pythons: Mapping[int, str]
) -> None:
    python, target = cpython(pythons, 11), system("bookworm-ppc64el")
    refused = frontend.build(probe, python, POWER)
    assert refused.wheel is None
    (line,) = (line for line in refused.errors.splitlines() if line.endswith("[UNDEFINED]"))
    assert re.search(r"probe/_cxx\.\S* needs .*__snprintfieee128", line)
    done = frontend.build(copy(PROBE, tmp_path / "c"), python, POWER, environ=C_ONLY)
    assert tags(done) == f"cp311-cp311-{POWER}"
    code = "import probe._c; facts = probe._c.facts(); print(facts['headers'], facts['big'])"
    assert target.run(code, unpacked(done)) == "(8, 8, 8, 4) (0, 0)\n"


HERE = "(8, 8, 8, 4) (8, 8, 8, 4) (0, 0) 1 x 1\n"


def check_native_wheel(run: Runner, python: str, done: Done) -> None:
    """Check a wheel of the probe for this machine, and use it on this machine."""
    minor = run([python, "-c", "import sys; print(sys.version_info[1])"]).stdout.strip()
    tag = f"cp3{minor}-cp3{minor}-manylinux2014_x86_64.manylinux_2_17_x86_64"
    assert tags(done) == tag, done.errors
    assert done.wheel is not None
    found = elfs(done.wheel)
    assert sorted(found) == [
        f"probe/{name}.cpython-3{minor}-x86_64-linux-gnu.so" for name in ("_c", "_cxx")
    ]
    for path, elf in found.items():
        assert not [name for name in elf.undefined if "ubsan" in name]
        assert not [name for name in elf.needed if "++" in name]
        assert elf.rpath + elf.runpath == ()
        # It defines no such symbol either.
        assert b"__ubsan" not in members(done.wheel)[path]
    assert here(run, python, USE, unpacked(done)) == HERE


def test_debians_python_compiles(probe: Path, frontend: Frontend, run: Runner) -> None:
    """Debian's pyconfig.h includes others, and not every linker accepts Debian's flags."""
    python = needs.debian_python()
    check_native_wheel(run, python, frontend.build(probe, python, X86))


def test_cpython_3_8_compiles(
    probe: Path, frontend: Frontend, run: Runner, pythons: Mapping[int, str]
) -> None:
    """Its Python.h includes crypt.h, which current versions of glibc do not have."""
    python = cpython(pythons, 8)
    check_native_wheel(run, python, frontend.build(probe, python, X86))


def test_an_old_setuptools_compiles_cplusplus_with_the_c_compiler(
    probe: Path, frontend: Frontend, run: Runner, pythons: Mapping[int, str]
) -> None:
    require(probe, "setuptools==59.6.0", "wheel==0.45.1")
    # This setuptools does not read [project].
    script = (probe / "setup.py").read_text(encoding="utf-8")
    changed = script.replace("setup(package", 'setup(name="probe", version="1.0", package')
    (probe / "setup.py").write_text(changed, encoding="utf-8")
    python = cpython(pythons, 9)
    done = unpinned(frontend).build(probe, python, X86)
    assert done.name.startswith("probe-1.0-")
    check_native_wheel(run, python, done)


def test_cflags_may_replace_those_of_python(
    probe: Path, frontend: Frontend, run: Runner, pythons: Mapping[int, str]
) -> None:
    """In this setuptools they do. Without -O, zig would add a sanitizer, and imports would fail."""
    require(probe, "setuptools==80.9.0")
    python = cpython(pythons, 9)
    check_native_wheel(
        run, python, unpinned(frontend).build(probe, python, X86, environ={"CFLAGS": "-DX"})
    )
