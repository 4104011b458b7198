"""Wheels for tests of rewriting, and other tools that check the results."""

from __future__ import annotations

import io
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any, Dict, Optional

import needs
from elfwriter import Elf, Symbol, write
from manyshim.formats.wheel.rewrite import Edits, rewrite
from manyshim.formats.wheel.wheel import Wheel
from wheelwriter import wheel, wheel_name

PLATFORMS = ("manylinux2014_x86_64", "manylinux_2_17_x86_64")
FOLDER = "demo-1.0.dist-info"
WHEEL, RECORD = f"{FOLDER}/WHEEL", f"{FOLDER}/RECORD"
SO = "demo/_x.cpython-311-x86_64-linux-gnu.so"
ELF = write(Elf(needed=("libc.so.6",), symbols=(Symbol("malloc", "libc.so.6", "GLIBC_2.17"),)))
MEMBERS = {
    "demo/__init__.py": b"VALUE = 42\n" * 40,
    SO: ELF,
    "demo/data/empty.txt": b"",
    "demo-1.0.data/scripts/tool": b"#!python\nprint(42)\n",
}
MODES = {"demo-1.0.data/scripts/tool": 0o755, SO: 0o775}


def built(extra: Optional[Dict[str, bytes]] = None, **changes: Any) -> bytes:
    return wheel({**MEMBERS, **(extra or {})}, modes=MODES, **changes)


def contents(data: bytes) -> Dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return {info.filename: archive.read(info) for info in archive.infolist()}


def without_row(text: str) -> str:
    return "".join(line for line in text.splitlines(keepends=True) if SO not in line)


def rewritten(folder: Path, data: bytes, name: str = wheel_name(), **edits: Any) -> Path:
    folder.mkdir(exist_ok=True)
    source = folder / name
    source.write_bytes(data)
    out = folder / "out"
    out.mkdir()
    with Wheel(str(source)) as opened:
        return Path(rewrite(opened, str(out), Edits(PLATFORMS, **edits)))


def run(*command: str) -> str:
    """Return the complaints of a tool about a wheel."""
    done = subprocess.run(
        command, check=False, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    return f"{command}: {done.stdout}" if done.returncode else ""


def python(*command: str) -> str:
    return run(sys.executable, "-m", *command)


def installer(path: Path, folder: Path) -> str:
    """Validate like `--validate-record all`, an option that older releases do not have."""
    needs.module("installer")
    from installer.sources import WheelFile

    with WheelFile.open(path) as source:
        try:
            source.validate_record(validate_contents=True)
        except source.validation_error as error:
            return str(error)
    destination = ("--no-compile-bytecode", "--destdir", str(folder / "installed"))
    return python("installer", *destination, str(path))


def python_zipfile(path: Path, _: Path) -> str:
    with zipfile.ZipFile(path) as archive:
        return archive.testzip() or ""
