"""How many bytes are inflated and written. These counts are the same on every machine."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

import needs
from elfwriter import TARGETS, write
from manyshim.formats.elf import reader
from manyshim.formats.wheel.rewrite import Edits, rewrite
from manyshim.formats.wheel.wheel import Wheel
from wheelwriter import save, wheel, wheel_name


@pytest.fixture(scope="module")
def debuggable(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """Compile a library whose debug information is larger than its code, as -g makes it."""
    folder = tmp_path_factory.mktemp("debug")
    body = "".join(
        f"struct s{n} {{ int a; double b[{n}]; }};\n"
        f'int f{n}(struct s{n} *p) {{ printf("%d", p->a); return (int)p->b[{n} - 1]; }}\n'
        for n in range(1, 400)
    )
    (folder / "many.c").write_text(f"#include <stdio.h>\n{body}", encoding="utf-8")
    command = [needs.compiler("gcc"), "-shared", "-fPIC", "-g3", "-O2", "many.c", "-o", "many.so"]
    subprocess.run(command, cwd=str(folder), check=True)
    return (folder / "many.so").read_bytes()


def test_debug_information_is_not_inflated(debuggable: bytes, tmp_path: Path) -> None:
    path = save(tmp_path, wheel({"demo/many.so": debuggable}), wheel_name())
    with Wheel(str(path)) as opened:
        entry = next(one for one in opened.entries if one.name == "demo/many.so")
        window = opened.archive.window(entry)
        assert reader.read(entry.name, window).facts.needed == ("libc.so.6",)
        assert window.inflated <= 0.4 * entry.size


def test_only_the_first_bytes_are_read_of_a_member_that_is_no_elf(tmp_path: Path) -> None:
    files = {"demo/data.bin": os.urandom(4 << 20), "demo/x.so": write(TARGETS["x86_64"])}
    path = save(tmp_path, wheel(files), wheel_name())
    with Wheel(str(path)) as opened:
        entry = next(one for one in opened.entries if one.name == "demo/data.bin")
        window = opened.archive.window(entry)
        window.read(0, 8)
        assert window.inflated <= 4096


def test_a_rewrite_changes_the_size_by_its_two_members_only(tmp_path: Path) -> None:
    path = save(tmp_path, wheel({"demo/data.bin": os.urandom(1 << 20)}), wheel_name())
    (tmp_path / "out").mkdir()
    with Wheel(str(path)) as opened:
        written = rewrite(opened, str(tmp_path / "out"), Edits(("manylinux_2_28_x86_64",)))
    before, after = os.path.getsize(str(path)), os.path.getsize(written)
    assert abs(after - before) < 256
