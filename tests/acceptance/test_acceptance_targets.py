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

    `sizes` are those of a pointer, of long, size_t and wchar_t, in bytes; `cplusplus` is the
    platform to compile C++ for, where it is another one; `minor` is the Python of the system.
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
        """The Python of the system, twice, as in the tags of a wheel."""
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
    """Take these always, all of them with the marker."""
    return [
        pytest.param(one, id=one.system, marks=() if one.system in few else pytest.mark.full)
        for one in PLACES
    ]


@pytest.mark.parametrize("place", places("bookworm-arm64", "bookworm-i386"))
def test_the_sample_is_used_on_every_system(
    place: Place, tmp_path: Path, frontend: Frontend, pythons: Mapping[int, str]
) -> None:
    python, there = cpython(pythons, place.minor), system(place.system)
    sample = copy(REPOSITORY / "sample_project", tmp_path / "sample")
    done = frontend.build(sample, python, place.platform)
    assert tags(done) == f"{place.python}-{place.tag}"
    assert there.run(DRAW, unpacked(done)) == f"{WAVE}\n"


@pytest.mark.full
@pytest.mark.parametrize("place", places())
def test_c_and_cplusplus_see_the_target_on_every_system(
    place: Place, probe: Path, frontend: Frontend, pythons: Mapping[int, str]
) -> None:
    """The compiler and Python's headers agree on what the system is like."""
    python, there = cpython(pythons, place.minor), system(place.system)
    done = frontend.build(probe, python, place.cplusplus or place.platform)
    assert tags(done) == f"{place.python}-{place.cplusplus or place.tag}"
    wanted = f"{place.sizes} {place.sizes} ({place.big}, {place.big}) 1 x 1\n"
    assert there.run(USE, unpacked(done)) == wanted


@pytest.mark.full
def test_c_alone_sees_power_with_an_older_glibc_and_cplusplus_is_refused(
    probe: Path, tmp_path: Path, frontend: Frontend, pythons: Mapping[int, str]
) -> None:
    python, there = cpython(pythons, 11), system("bookworm-ppc64el")
    refused = frontend.build(probe, python, POWER)
    assert refused.wheel is None
    (line,) = (line for line in refused.said.splitlines() if line.endswith("[UNDEFINED]"))
    assert re.search(r"probe/_cxx\.\S* needs .*__snprintfieee128", line)
    done = frontend.build(copy(PROBE, tmp_path / "c"), python, POWER, environ=C_ONLY)
    assert tags(done) == f"cp311-cp311-{POWER}"
    code = "import probe._c; facts = probe._c.facts(); print(facts['headers'], facts['big'])"
    assert there.run(code, unpacked(done)) == "(8, 8, 8, 4) (0, 0)\n"


HERE = "(8, 8, 8, 4) (8, 8, 8, 4) (0, 0) 1 x 1\n"


def held(run: Runner, python: str, done: Done) -> None:
    """Look at a wheel of the probe for this machine, and use it here."""
    minor = run([python, "-c", "import sys; print(sys.version_info[1])"]).stdout.strip()
    tag = f"cp3{minor}-cp3{minor}-manylinux2014_x86_64.manylinux_2_17_x86_64"
    assert tags(done) == tag, done.said
    assert done.wheel is not None
    found = elfs(done.wheel)
    assert sorted(found) == [
        f"probe/{name}.cpython-3{minor}-x86_64-linux-gnu.so" for name in ("_c", "_cxx")
    ]
    for path, elf in found.items():
        assert not [name for name in elf.undefined if "ubsan" in name]
        assert not [name for name in elf.needed if "++" in name]
        assert elf.rpath + elf.runpath == ()
        # Neither as a name that is defined.
        assert b"__ubsan" not in members(done.wheel)[path]
    assert here(run, python, USE, unpacked(done)) == HERE


def test_the_python_of_debian_compiles(probe: Path, frontend: Frontend, run: Runner) -> None:
    """Its pyconfig.h leads to others, and its linker's flags are not those of every linker."""
    python = needs.debian_python()
    held(run, python, frontend.build(probe, python, X86))


def test_cpython_3_8_compiles(
    probe: Path, frontend: Frontend, run: Runner, pythons: Mapping[int, str]
) -> None:
    """Its Python.h includes crypt.h, which is no part of glibc any more."""
    python = cpython(pythons, 8)
    held(run, python, frontend.build(probe, python, X86))


def test_an_old_setuptools_compiles_cplusplus_with_the_c_compiler(
    probe: Path, frontend: Frontend, run: Runner, pythons: Mapping[int, str]
) -> None:
    require(probe, "setuptools==59.6.0", "wheel==0.45.1")
    # It does not read [project].
    script = (probe / "setup.py").read_text(encoding="utf-8")
    named = script.replace("setup(package", 'setup(name="probe", version="1.0", package')
    (probe / "setup.py").write_text(named, encoding="utf-8")
    python = cpython(pythons, 9)
    done = unpinned(frontend).build(probe, python, X86)
    assert done.name.startswith("probe-1.0-")
    held(run, python, done)


def test_cflags_may_take_the_place_of_pythons_own(
    probe: Path, frontend: Frontend, run: Runner, pythons: Mapping[int, str]
) -> None:
    """As they do in this setuptools: without -O zig would add what no module can be loaded with."""
    require(probe, "setuptools==80.9.0")
    python = cpython(pythons, 9)
    held(run, python, unpinned(frontend).build(probe, python, X86, environ={"CFLAGS": "-DX"}))
