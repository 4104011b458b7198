"""Wheels for musl are repaired on a machine with glibc, and loaded by musl's own loader."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Tuple

import pytest

from elfbuilding import LINUX, gcc, needs_gcc
from foreignbuilding import build_chain, musl, musl_tools, pack, repair
from foreignverify import compare_with_originals, facts, load_module, mapped
from manyshim.audit.request import Request
from manyshim.checking import check

pytestmark = pytest.mark.skipif(not LINUX, reason="only Linux has such compilers and loaders")


@pytest.mark.parametrize("fix", [False, True], ids=["libc.so", "musl-soname"])
@pytest.mark.parametrize("compiler", musl())
def test_a_wheel_for_musl_is_repaired_and_loaded(
    compiler: Tuple[str, Tuple[str, ...]], tmp_path: Path, *, fix: bool
) -> None:
    tools = musl_tools(*compiler)
    root = tmp_path / "root"
    module = build_chain(tools, root, "usr/lib")
    source = pack(module, tmp_path / "in", "x86_64")
    assert facts(source)["outer.so"].needed == ("libmiddle.so.1", "libc.so")
    asked = ("--fix", "musl-soname") if fix else ()
    done = repair(source, tmp_path / "out", "--sysroot", str(root), *asked)
    assert done.code == 0, done.output
    assert done.path is not None
    assert re.search(r"-musllinux_1_\d_x86_64\.whl\Z", done.path.name)
    found = facts(done.path)
    assert set(found) == {"outer.so", "libmiddle.so.1", "libinner.so.1"}
    assert found["outer.so"].needed[1] == ("libc.musl-x86_64.so.1" if fix else "libc.so")
    assert compare_with_originals(done, source, tmp_path / "comparison")
    assert check(str(done.path), Request()).code == 0
    output = load_module(tools, done, tmp_path)
    assert output.startswith("answer 321\n")
    copies = [os.path.basename(copy["member"]) for copy in done.wheel["plan"]["copies"]]
    assert mapped(output, tmp_path / "installed") == sorted([*copies, "outer.so"])


@needs_gcc
@pytest.mark.parametrize("compiler", musl())
def test_for_musl_libraries_for_glibc_are_skipped(
    compiler: Tuple[str, Tuple[str, ...]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = build_chain(musl_tools(*compiler), tmp_path / "root", "usr/lib")
    source = pack(module, tmp_path / "in", "x86_64")
    wrong = tmp_path / "wrong"
    wrong.mkdir()
    (wrong / "x.c").write_text('int puts(const char *);\nint middle(void) { return puts(""); }\n')
    gcc(wrong, "-shared", "-fPIC", "x.c", "-o", "libmiddle.so.1")
    monkeypatch.setenv("LD_LIBRARY_PATH", str(wrong))
    done = repair(source, tmp_path / "out")
    assert "libmiddle.so.1 is not copied: it was not found" in done.output
    assert (done.code, done.path) == (1, None)
    done = repair(source, tmp_path / "out", "--library-path", str(wrong))
    assert f"skipped: {wrong}/libmiddle.so.1 is for glibc" in done.output
    assert (done.code, done.path) == (1, None)
