"""The other systems have the Python, the libc and the architecture of their names."""

from __future__ import annotations

import json
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from time import sleep
from typing import Any, List, Mapping

import pytest

from debian import making
from elfbuilding import LINUX
from foreignbuilding import Tools, compile_module, zig
from frontends import Runner
from systems import NAMES, system

pytestmark = [
    pytest.mark.skipif(not LINUX, reason="the other systems run on Linux"),
    pytest.mark.network,
]

# The pointer size in bytes, the byte order and the suffix of modules for each architecture.
FACTS = {
    "x86_64": (8, "little", "x86_64-linux-gnu"),
    "aarch64": (8, "little", "aarch64-linux-gnu"),
    "armv7l": (4, "little", "arm-linux-gnueabihf"),
    "i686": (4, "little", "i386-linux-gnu"),
    "ppc64le": (8, "little", "powerpc64le-linux-gnu"),
    "riscv64": (8, "little", "riscv64-linux-gnu"),
    "s390x": (8, "big", "s390x-linux-gnu"),
}
PRINT_FACTS = """
import json, os, struct, sys, sysconfig
try:
    libc = os.confstr("CS_GNU_LIBC_VERSION")
except (ValueError, OSError):
    libc = None
maps = [line.split()[-1] for line in open("/proc/self/maps") if ".so" in line]
suffix = sysconfig.get_config_var("EXT_SUFFIX")
size = struct.calcsize("P")
print(json.dumps([sys.version_info[:2], libc, size, sys.byteorder, suffix, sys.path, maps]))
"""
# A function of the C++ ABI whose result depends on its argument. It needs the whole library.
CPLUSPLUS = """
import ctypes
library = ctypes.CDLL("libstdc++.so.6")
name = library.__cxa_demangle
name.restype = ctypes.c_char_p
print(name(b"_ZNSt6vectorIiE4sizeEv", None, None, None).decode())
"""
FEW = ("bookworm-arm64", "bullseye-amd64")


def _names(*more: str) -> List[Any]:
    names = (*NAMES, *more)
    return [name if name in FEW else pytest.param(name, marks=pytest.mark.full) for name in names]


# Compiling the Python for musl takes minutes while other tests run.
@pytest.mark.timeout(3000)
@pytest.mark.parametrize("name", _names("musl-amd64", "musl-arm64"))
def test_a_system_has_the_properties_of_its_name(name: str, tmp_path: Path) -> None:
    found = system(name)
    assert found.name == name
    version, libc, size, order, suffix, path, maps = json.loads(found.run(PRINT_FACTS, tmp_path))
    triple = FACTS[found.arch][2]
    if found.libc.startswith("musl"):
        assert libc is None
        triple = triple.replace("gnu", "musl")
        loader = found.command[: found.command.index("--library-path")]
        usage = subprocess.run(loader, stderr=subprocess.PIPE, text=True, check=False).stderr
        assert f"\nVersion {found.libc[5:]}\n" in usage
    else:
        assert libc == found.libc
    assert tuple(version) == found.python
    assert (size, order) == FACTS[found.arch][:2]
    assert suffix == ".cpython-{}{}-{}.so".format(*found.python, triple)
    # The process imports no file of this machine. Only qemu may map one.
    assert path[:2] == ["", str(tmp_path)]
    assert all(one.startswith(str(found.home)) for one in path[2:])
    assert maps
    assert all(one.startswith((str(found.root), str(found.home))) for one in maps)


@pytest.mark.parametrize("name", _names())
def test_a_system_has_the_runtime_of_cplusplus(name: str) -> None:
    assert system(name).run(CPLUSPLUS) == "std::vector<int>::size()\n"


def test_a_failure_is_reported() -> None:
    old = system("bullseye-amd64")
    assert old.attempt("raise SystemExit(3)").returncode == 3
    with pytest.raises(AssertionError, match=r"(?s)bullseye-amd64: 1\n.*ZeroDivisionError"):
        old.run("1 / 0")
    assert old.run("import os; print(os.environ['A'])", environ={"A": "1"}) == "1\n"


@pytest.mark.parametrize(
    ("name", "tag"),
    [
        ("bullseye-amd64", "manylinux_2_31_x86_64"),
        ("bookworm-arm64", "manylinux_2_36_aarch64"),
        pytest.param("musl-amd64", "musllinux_1_2_x86_64", marks=pytest.mark.full),
    ],
)
def test_installers_on_a_system_accept_wheels_with_its_tag(
    name: str, tag: str, tmp_path: Path, uv: Runner, clean_environment: Mapping[str, str]
) -> None:
    found = system(name)
    # The system's Python may be too old for the newest packaging.
    wanted = ("--python-version", "{}.{}".format(*found.python), "--target", str(tmp_path))
    uv("pip", "install", "--no-config", "-q", *wanted, "packaging", env=clean_environment)
    code = "from packaging.tags import platform_tags; print(*platform_tags())"
    tags = found.run(code, tmp_path).split()
    # The newest tag comes first, except linux_*.
    assert next(found for found in tags if not found.startswith("linux_")) == tag


@pytest.mark.full
def test_zigs_musl_is_newer_than_the_loader(tmp_path: Path) -> None:
    found = system("musl-amd64")
    tools = Tools(zig("x86_64-linux-musl"), None)
    old = compile_module(tools, tmp_path / "old", "#include <unistd.h>", 'getpid() ? "old" : ""')
    assert found.run("import outer; print(outer.answer())", old.parent) == "old\n"
    declared = "#define _GNU_SOURCE\n#include <sys/uio.h>"
    new = compile_module(tools, tmp_path / "new", declared, 'preadv2(0, 0, 0, 0, 0) ? "new" : ""')
    done = found.attempt("import outer", new.parent)
    assert "ImportError: Error relocating" in done.stderr
    assert "preadv2: symbol not found" in done.stderr


def test_an_incomplete_folder_is_created_again(tmp_path: Path) -> None:
    folder = tmp_path / "deep" / "folder"

    def fill(name: str) -> None:
        with making(folder) as new:
            if new:
                assert list(folder.iterdir()) == []
                (folder / name).touch()
            if name == "first":
                raise KeyError

    with pytest.raises(KeyError):
        fill("first")
    fill("second")
    fill("third")
    assert sorted(path.name for path in folder.iterdir()) == ["done", "second"]


def test_one_of_many_threads_creates_the_folder(tmp_path: Path) -> None:
    def make(_: int) -> bool:
        with making(tmp_path / "folder") as new:
            sleep(0.01)
            return new

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(make, range(8))) == 1
