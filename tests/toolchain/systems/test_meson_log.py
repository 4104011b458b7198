"""The reasons of a failure in Meson's log."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from manyshim.toolchain.systems.meson_log import reasons
from paths import BACKEND

RUN = "../meson.build:5:0: ERROR: Can not run test applications in this cross environment.\n"
WRAPPER = (
    "ERROR: An exe_wrapper is needed for build/my-maker but was not found. Please define one "
    "in cross file and check the command and/or add it to PATH.\n"
)


@pytest.mark.parametrize(
    ("log", "program"),
    [
        (f"Checking if it runs\n\n{RUN}", "a program"),
        (WRAPPER, "my-maker"),
        (f"{WRAPPER}{WRAPPER}", "my-maker"),
        ("Message: Can not run test applications in this cross environment\n", ""),
        ("", ""),
    ],
)  # fmt: skip
def test_a_reason_is_named_with_its_fix(log: str, program: str) -> None:
    found = reasons(log)
    assert len(found) == bool(program)
    for line in found:
        assert line.startswith(f"the build runs {program} that it has compiled for the target")
        assert "qemu-user-static" in line


@pytest.mark.parametrize(
    ("log", "name"),
    [
        ('../meson.build:3:69: ERROR: Dependency "yaml-0.1" not found (tried\n', "yaml-0.1"),
        ("ERROR: Dependency lookup for openblas with method 'pkgconfig' failed\n", "openblas"),
        ('ERROR: Dependency "OpenMP" not found (tried system)\n', ""),
        ('ERROR: Dependency "numpy" not found\n', ""),
        ("Run-time dependency yaml-0.1 found: NO\n", ""),
    ],
)  # fmt: skip
def test_a_library_that_was_not_found_needs_a_sysroot(log: str, name: str) -> None:
    lines = reasons(log)
    assert [line.partition(":")[0] for line in lines] == ([f"{name} was not found"] if name else [])
    assert all("sysroot" in line for line in lines)


CODE = """
import sys, tempfile, os
from manyshim.toolchain.systems.meson_log import Watch
watch = Watch({settings})
with tempfile.TemporaryDirectory() as folder:
    os.mkdir(os.path.join(folder, "meson-logs"))
    with open(os.path.join(folder, "meson-logs", "meson-log.txt"), "w") as file:
        file.write({log!r})
print(len(watch.reasons()))
"""


@pytest.mark.parametrize(("log", "count"), [(RUN, 1), ("fine", 0)])
def test_a_log_is_read_before_its_folder_is_removed(log: str, count: int) -> None:
    code = CODE.format(settings=None, log=log)
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={"PYTHONPATH": str(BACKEND)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == f"{count}\n"


def test_a_log_in_a_named_folder_is_read(tmp_path: Path) -> None:
    (tmp_path / "meson-logs").mkdir()
    (tmp_path / "meson-logs" / "meson-log.txt").write_text(RUN, encoding="utf-8")
    code = CODE.format(settings={"build-dir": str(tmp_path), "builddir": 1}, log="")
    run = [sys.executable, "-c", code]
    environ = {"PYTHONPATH": str(BACKEND)}
    done = subprocess.run(run, env=environ, capture_output=True, text=True, check=True)
    assert done.stdout == "1\n"
    shutil.rmtree(str(tmp_path / "meson-logs"))
