"""entry_points.txt as it is read, with hostile contents."""

from __future__ import annotations

import time
from pathlib import Path
from typing import List

import pytest

from commandline import run
from manyshim.formats.wheel import entrypoints
from manyshim.formats.wheel.wheel import Wheel
from strict_index_wheel import entry_point_problems
from wheelwriter import save, wheel, wheel_name

TAG = "py3-none-any"


def written(folder: Path, text: bytes) -> Path:
    members = {"demo.py": b"", "demo-1.0.dist-info/entry_points.txt": text}
    return save(folder, wheel(members, tag=TAG), wheel_name(tag=TAG))


@pytest.mark.parametrize(
    ("text", "scripts"),
    [
        (b"", []),
        (b"[console_scripts]\na = b:c\nA=b:c [x]\n", ["a b:c", "A b:c [x]"]),
        (b"[gui_scripts]\na = b:%(c)s\n[other]\n../x = y\n", ["a b:%(c)s"]),
        (b"[DEFAULT]\nz = y:y\n[console_scripts]\na = b:c\n", ["z y:y", "a b:c"]),
    ],
)
def test_scripts_are_read(text: bytes, scripts: List[str], tmp_path: Path) -> None:
    with Wheel(str(written(tmp_path, text))) as opened:
        read = entrypoints.read(opened)
    assert read is not None
    assert [f"{one.name} {one.reference}" for one in read.scripts] == scripts
    assert read.problem == ""


@pytest.mark.parametrize(
    "text",
    [
        b"[console_scripts]\na: b\n",
        b"[console_scripts]\na\n",
        b"[console_scripts]\na = b:c\na = b:c\n",
        b"[x]\n[x]\n",
        b"a = b:c\n",
        b"\xef\xbb\xbf[console_scripts]\na = b:c\n",
        b"[console_scripts]\na\xff = b:c\n",
        b"[console_scripts]\na = b:c\n\0\n",
    ],
)
def test_what_the_index_cannot_read(text: bytes) -> None:
    assert entrypoints.parse(text).problem
    assert list(entry_point_problems(text))


@pytest.mark.parametrize(
    "text",
    [
        b"[console_scripts]\na" + b" " * 500_000 + b"b\n",
        b"[console_scripts]\na" + b" =" * 250_000 + b"b\n",
        b"[console_scripts]\n" + b"x" * 500_000 + b"\n",
        b"[console_scripts]\n" + b"".join(b"a%d = b:c\n" % number for number in range(50_000)),
        b"[console_scripts]\na = b\n" + b"  c\n" * 100_000,
        b"[" * 500_000,
    ],
)
def test_hostile_text_takes_linear_time(text: bytes) -> None:
    begin = time.process_time()
    entrypoints.parse(text)
    assert time.process_time() - begin < 5


def test_check_refuses_a_script_that_climbs(tmp_path: Path) -> None:
    done = run("check", written(tmp_path, b"[console_scripts]\n../evil = a:b\n"))
    assert done.returncode == 1
    assert "[ENTRY_POINTS]" in done.stdout
    assert "'../evil'" in done.stdout
