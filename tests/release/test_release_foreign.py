"""Wheels are tested with complete Pythons of other systems: musl, an older glibc, and by qemu."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Optional

import pytest

import needs
from manyshim.release.matrix import Cell
from manyshim.release.testing import FAILED, NOT_TESTED, PASSED
from systems import system
from testedwheels import Bench, pure_wheel

pytestmark = [
    pytest.mark.network,
    pytest.mark.skipif(not needs.LINUX, reason="wheels for Linux are tested on Linux"),
]

# What a test may do with its Python: start it by each of its names, and in other processes.
_CODE = """\
import json, multiprocessing, os, subprocess, sys, sysconfig
import tested

def square(number):
    return number * number

if __name__ == "__main__":
    ask = "import sys, tested; print(sys.prefix)"
    words = ([sys.executable], [sys.executable, "-I"], ["python"], ["python3"])
    for command in (*words, ["python3.%d" % sys.version_info[1]]):
        found = subprocess.run([*command, "-c", ask], stdout=subprocess.PIPE, check=True)
        assert found.stdout.decode().strip() == sys.prefix == os.environ["VIRTUAL_ENV"]
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        assert pool.map(square, [3]) == [9]
    assert tested.__file__.startswith(sys.prefix)
    print(json.dumps([os.uname().machine, sys.executable, sysconfig.get_path("purelib")]))
"""
_CELLS = {
    "musl-amd64": Cell("3.11", "musllinux_1_2_x86_64"),
    "bullseye-amd64": Cell("3.9", "manylinux_2_17_x86_64"),
    "bookworm-i386": Cell("3.11", "manylinux_2_17_i686"),
    "bookworm-arm64": Cell("3.11", "manylinux_2_17_aarch64"),
    "bookworm-armhf": Cell("3.11", "manylinux_2_17_armv7l"),
    "trixie-riscv64": Cell("3.13", "manylinux_2_39_riscv64"),
}


def uv() -> Optional[str]:
    return needs.tool("uv", "uv", needs.PYPI)


# Its Python is compiled first.
_MUSL = pytest.param("musl-amd64", marks=pytest.mark.full)
# Each system is downloaded first; one of them is enough for each run.
_OTHERS = [name for name in _CELLS if name not in ("musl-amd64", "bookworm-arm64")]


@pytest.mark.parametrize(
    "name",
    [
        _MUSL,
        "bookworm-arm64",
        *(pytest.param(name, marks=pytest.mark.full) for name in _OTHERS),
    ],
)
def test_a_wheel_passes_on_another_system(tmp_path: Path, name: str) -> None:
    bench = Bench(tmp_path / "bench", uv(), [system(name)])
    path = pure_wheel(tmp_path / "dist")
    pure_wheel(bench.links, "wanted", scripts="wanted = wanted:main")
    (bench.folder / "project/use.py").write_text(_CODE)
    command = "wanted && python {project}/use.py && python -S -c 'import sys'"
    done = bench.test(path, _CELLS[name], command, "wanted")
    assert (done.status, done.reason, done.system) == (PASSED, (), name)


@pytest.mark.parametrize("name", [_MUSL, "bookworm-arm64"])
def test_a_failure_on_another_system(tmp_path: Path, name: str) -> None:
    bench = Bench(tmp_path / "bench", uv(), [system(name)])
    path = pure_wheel(tmp_path / "dist")
    failed = bench.test(path, _CELLS[name], "python -c 'import os; os.abort()'")
    assert (failed.status, failed.system) == (FAILED, name)
    assert failed.reason[-1] == "ended by SIGABRT"


def test_a_test_that_hangs_in_qemu_is_ended(tmp_path: Path) -> None:
    bench = Bench(tmp_path / "bench", uv(), [system("bookworm-arm64")])
    path = pure_wheel(tmp_path / "dist")
    code = "import os, time; open('{project}/pid', 'w').write(str(os.getpid())); time.sleep(1000)"
    hung = bench.test(path, _CELLS["bookworm-arm64"], f'python -c "{code}"', seconds=10)
    assert (hung.status, hung.reason) == (FAILED, ("ended after 10 s (test-timeout)",))
    assert is_gone(int((bench.folder / "project/pid").read_text()))


def is_gone(process: int, seconds: float = 10) -> bool:
    """Whether a process ends soon: it was killed, and the system removes it a little later."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            os.kill(process, 0)
        except ProcessLookupError:
            return True
        time.sleep(0.05)
    return False


def test_a_requirement_without_a_wheel_for_the_system(tmp_path: Path) -> None:
    bench = Bench(tmp_path / "bench", uv(), [system("bookworm-arm64")])
    path = pure_wheel(tmp_path / "dist")
    done = bench.test(path, _CELLS["bookworm-arm64"], "true", "missing")
    assert done.status == NOT_TESTED
    assert done.reason[0] == "it cannot be installed from wheels only, with test-requires:"


def test_a_system_has_not_the_wanted_python(tmp_path: Path) -> None:
    bench = Bench(tmp_path / "bench", uv(), [system("bookworm-arm64")])
    path = pure_wheel(tmp_path / "dist")
    done = bench.test(path, Cell("3.12", "manylinux_2_17_aarch64"), "true")
    assert done.reason == (
        "no system of --systems has a CPython 3.12 for aarch64 with glibc; add one",
    )
    older = bench.test(path, Cell("3.11", "manylinux_2_39_aarch64"), "true")
    assert older.reason == (
        "bookworm-arm64 has glibc 2.36, too old for manylinux_2_39; add a newer system",
    )


def test_without_qemu_the_fix_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = system("bookworm-arm64")
    monkeypatch.setenv("PATH", str(tmp_path))
    bench = Bench(tmp_path / "bench", "/bin/false", [found])
    done = bench.test(pure_wheel(tmp_path / "dist"), _CELLS["bookworm-arm64"], "true")
    assert done.reason == ("qemu-aarch64 is not found; install qemu-user-static",)
