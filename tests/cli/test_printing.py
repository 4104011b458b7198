"""What others named is escaped and bounded wherever it is printed; no name begins a line."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Dict, List

import pytest

import needs
from commandline import run
from elfwriter import Elf, Symbol, write
from manyshim.errors import ToolError, printable, shorten
from manyshim.process import run as run_tool
from wheelwriter import save, wheel, wheel_name

EXTENSION = "demo/_x.cpython-311-x86_64-linux-gnu.so"
INIT = Symbol("PyInit__x", defined=True)
ELF = write(Elf(needed=("libc.so.6",), symbols=(INIT,)))
# Sets the title of a terminal, forges a line, and turns the direction of the text.
EVIL = "\x1b]0;title\x07\r\nmanyshim: forged\u202egnp\u2028\x9b1m\u2066"
NAME = wheel_name()


def is_clean(text: str) -> bool:
    return all(line.isprintable() for line in text.split("\n")) and "\nmanyshim: forged" not in text


def broken_wheels(folder: Path) -> Dict[str, Path]:
    """Make wheels whose errors and findings quote names of others."""
    info = "demo-1.0.dist-info"
    kinds = {
        "two dist-info folders": wheel({EXTENSION: ELF, f"{EVIL}.dist-info/x": b""}),
        "an own dist-info folder": wheel({f"{EVIL}.dist-info/x": b""}, record=False).replace(
            info.encode(), b"demo-1.0.dist-infa"
        ),
        "a member": wheel({EXTENSION: ELF, f"demo/{EVIL}": b""}),
        "a module": wheel({f"demo/{EVIL}.cpython-310-x86_64-linux-gnu.so": ELF}),
        "a needed library": wheel({EXTENSION: write(Elf(needed=(EVIL,), symbols=(INIT,)))}),
        "a search path": wheel({EXTENSION: write(Elf(needed=("libc.so.6",), runpath=EVIL))}),
        "a tag": wheel({EXTENSION: ELF}, wheel_text=f"Wheel-Version: 1.0\nTag: {EVIL}\n"),
        "a row": wheel({EXTENSION: ELF}, edit_record=lambda text: f'"a{EVIL}",,\n{text}'),
        "a large member": wheel({EXTENSION: ELF, f"{info}/WHEEL": EVIL.encode() * 10_000}),
        "a cut member": wheel({EXTENSION: ELF[:99], f"demo/{EVIL}.so": ELF[:80]}),
    }
    paths = {}
    for number, (kind, data) in enumerate(kinds.items()):
        (folder / str(number)).mkdir()
        paths[kind] = save(folder / str(number), data, NAME)
    return paths


@pytest.mark.parametrize("command", ["show", "check", "retag", "repair"])
@pytest.mark.parametrize("colour", [False, True])
def test_names_in_wheels(command: str, colour: bool, tmp_path: Path) -> None:  # noqa: FBT001
    if colour:
        needs.module("rich")
    paths = broken_wheels(tmp_path)
    out = ["-w", tmp_path / "out"] if command in ("retag", "repair") else []
    settings = {"FORCE_COLOR": "1", "TERM": "xterm", "NO_COLOR": "1"} if colour else {}
    done = run(command, "-v", *paths.values(), *out, **settings)
    assert done.stdout.count(NAME) + done.stderr.count(NAME) >= len(paths)
    text = done.stdout + done.stderr
    # Without colours rich still makes titles bold.
    for own in ("\x1b[0m", "\x1b[1m", "\x1b[2m"):
        text = text.replace(own, "")
    assert is_clean(text), [line for line in text.split("\n") if not line.isprintable()]
    assert "\\x1b]0;title\\x07" in text
    assert "\\u202e" in text


def test_names_in_json(tmp_path: Path) -> None:
    done = run("check", "--json", *broken_wheels(tmp_path).values())
    assert is_clean(done.stderr)
    for one in json.loads(done.stdout)["wheels"]:
        texts = [
            one["error"] or "",
            *(str(value) for row in one["findings"] for value in row.values()),
        ]
        assert all(map(is_clean, texts))


@pytest.mark.parametrize(
    "arguments",
    [
        [EVIL],
        ["show", f"{EVIL}.whl"],
        ["show", f"--{EVIL}", "x.whl"],
        ["show", "--platform", EVIL, "x.whl"],
        ["show", "--naming", EVIL, "x.whl"],
        ["show", "--allow", EVIL, "x.whl"],
        ["show", "--jobs", EVIL, "x.whl"],
        ["retag", "-w", "x", "--fix", EVIL, "x.whl"],
        ["retag", "-w", "x", "--compression-level", "9" * 5000, "x.whl"],
        ["repair", "-w", "x", "--sysroot", EVIL, "x.whl"],
    ],
)
def test_arguments(arguments: List[str]) -> None:
    done = run(*arguments)
    assert done.returncode in (2, 3)
    assert is_clean(done.stdout + done.stderr)
    assert len(done.stderr) < 6000
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("name", ["AUDITWHEEL_PLAT", "MANYSHIM_PLATFORM", "SOURCE_DATE_EPOCH"])
@pytest.mark.parametrize("value", [EVIL, "9" * 5000, "1" * 100_000])
def test_variables(name: str, value: str, tmp_path: Path) -> None:
    path = save(tmp_path, wheel({EXTENSION: ELF}), NAME)
    done = run("retag", path, "-w", tmp_path / "out", **{name: value})
    assert done.returncode == (0 if name == "AUDITWHEEL_PLAT" else 2)
    assert is_clean(done.stdout + done.stderr)
    assert len(done.stderr) < 6000


@pytest.mark.skipif(os.name == "nt", reason="a shell script is run")
def test_the_output_of_a_tool(tmp_path: Path) -> None:
    tool = tmp_path / "tool"
    tool.write_text(f"#!{sys.executable}\nprint({EVIL!r})\nprint('second')\nraise SystemExit(1)\n")
    tool.chmod(0o755)
    with pytest.raises(ToolError) as raised:
        run_tool([str(tool), EVIL], os.environ, 60)
    first, *quoted = raised.value.lines
    assert first.startswith("tool failed with exit code 1: tool ")
    assert quoted[-1] == "  second"
    assert all(line.isprintable() for line in raised.value.lines)
    assert not any(line.startswith("manyshim") for line in quoted)


@pytest.mark.parametrize("naming", ["listed", "exact"])
def test_numbers_of_many_digits(naming: str, tmp_path: Path) -> None:
    """In versions, suffixes and RECORD; the other wheel keeps its verdict."""
    used = Symbol("m", library="libc.so.6", version="GLIBC_2." + "9" * 5000)
    elf = write(Elf(needed=("libc.so.6",), symbols=(INIT, used)))
    suffixes = (
        "cpython-" + "3" * 200,
        "pypy" + "3" * 100 + "-pp" + "7" * 100,
        "cpython-" + "3" * 5000,
    )
    files = {f"demo/_x.{suffix}.so": elf for suffix in suffixes}
    data = wheel(files, edit_record=lambda text: text.replace(f",{len(elf)}\n", f",{'1' * 5000}\n"))
    paths = [save(tmp_path, data, NAME)]
    good = wheel({EXTENSION: ELF}, version="2.0")
    paths.append(save(tmp_path, good, wheel_name(version="2.0")))
    done = run("show", "--naming", naming, *paths)
    assert (done.returncode, done.stderr) == (0, "")
    assert "[TOO_NEW]" in done.stdout
    assert "[BAD_PATH]" in done.stdout
    assert "the size that RECORD states" in done.stdout
    assert "  manylinux1_x86_64 manylinux_2_5_x86_64\n" in done.stdout


def test_lines_and_names_are_bounded() -> None:
    assert printable("  ::error::x ##[add-mask]y ##vso[z]") == (
        "  :\\x3aerror::x #\\x23[add-mask]y #\\x23vso[z]"
    )
    assert printable("std::pow # 1") == "std::pow # 1"
    assert printable("a" * 2000) == "a" * 2000
    assert printable("a" * 2001) == "a" * 2000 + "..."
    assert len(printable("\x00" * 10**6)) == 2003
    assert shorten("a" * 200) == "a" * 200
    assert shorten("a" * 150 + "b" * 150) == "a" * 100 + "..." + "b" * 100
    assert len(shorten("\U000e0001" * 100)) == 203
    assert len(shorten("\x1b" * 10**6)) == 203


def test_long_names_keep_the_line_readable(tmp_path: Path) -> None:
    """The kind of the finding is still at the end of the line."""
    version = "GLIBC_2." + "9" * 5000
    used = Symbol("n" * 5000, library="libc.so.6", version=version)
    elf = write(Elf(needed=("libc.so.6", "l" * 5000), symbols=(INIT, used)))
    done = run("show", "-v", save(tmp_path, wheel({EXTENSION: elf}), NAME))
    assert max(map(len, done.stdout.split("\n"))) < 1200
    assert "[TOO_NEW]" in done.stdout
    assert "[EXTERNAL_LIBRARY]" in done.stdout
