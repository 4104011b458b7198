"""Wheels that need external libraries, and the three entry points that repair them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path
from typing import Any, Dict, List, Mapping, Sequence, Tuple

import pytest

import needs
from elfbuilding import LINUX, gcc
from manyshim import __file__ as package
from manyshim.audit.facts import ElfFile
from manyshim.formats.elf import reader
from manyshim.formats.zip.window import Window
from manyshim.host import host_arch
from wheelwriter import wheel, wheel_name

BACKEND = os.path.dirname(os.path.dirname(package))
TAG = f"py3-none-linux_{host_arch() if LINUX else 'x86_64'}"
NAME = wheel_name(tag=TAG)

# The entry points of a repair, and the exit code of a ToolError in each.
WAYS = pytest.mark.parametrize("way", ["cli", "hook", "build"])
CODES = {"cli": 4, "hook": 4, "build": 1}
_HOOK = (
    "import json, sys, manyshim.backend as b; b.build_wheel(sys.argv[1], json.loads(sys.argv[2]))"
)
_WRAPPED = """\
import os, shutil

def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):
    (name,) = (name for name in os.listdir("built") if name.endswith(".whl"))
    shutil.copy(os.path.join("built", name), wheel_directory)
    return name
"""
_PYPROJECT = """\
[build-system]
requires = []
build-backend = "manyshim.backend"

[tool.manyshim]
backend = "wrapped"
"""


def shared(target: Path, text: str, *options: str, soname: str = "") -> Path:
    """Compile a shared library; its soname is its file name by default, "-" means none."""
    target.parent.mkdir(parents=True, exist_ok=True)
    source = target.with_name("source.c")
    source.write_text(text)
    named = [] if soname == "-" else [f"-Wl,-soname={soname or target.name}"]
    command = ("-O1", "-shared", "-fPIC", "-w", "source.c", "-o", target.name)
    gcc(target.parent, *command, *named, *options)
    source.unlink()
    return target


def facts(path: Path) -> ElfFile:
    with path.open("rb") as file:
        return reader.read(path.name, Window(file, 0, 0, path.stat().st_size, 0)).facts


def members(path: Path) -> Dict[str, bytes]:
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def unpacked(path: Path, folder: Path) -> Path:
    with zipfile.ZipFile(path) as archive:
        archive.extractall(folder)
    return folder


def script(folder: Path, body: str, name: str) -> str:
    """Write a shell script; return its folder, for PATH."""
    folder.mkdir(exist_ok=True)
    path = folder / name
    path.write_text(f"#!/bin/sh\nPATH=/usr/bin:/bin\n{body}\n")
    path.chmod(0o755)
    return str(folder)


class RepairProject:
    """A project whose build returns a prepared wheel; `libs` holds its external libraries."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.libs, self.dist = folder, folder / "libs", folder / "dist"
        self.root = folder / "project"
        self.source = self.root / "built" / NAME
        self.python = folder / "python" / "python3"
        for made in (self.libs, self.source.parent, self.python.parent):
            made.mkdir(parents=True)
        self.python.symlink_to(os.path.realpath(sys.executable))
        (self.root / "pyproject.toml").write_text(_PYPROJECT)
        (self.root / "wrapped.py").write_text(_WRAPPED)
        self.path = "/usr/bin:/bin"
        self.python_path: List[str] = []

    def pack(self, files: Mapping[str, Path]) -> bytes:
        """Write the wheel with these members, which may be executed; return its bytes."""
        contents = {name: path.read_bytes() for name, path in files.items()}
        data = wheel(contents, tag=TAG, modes=dict.fromkeys(files, 0o755))
        self.source.write_bytes(data)
        return data

    def simple(self) -> bytes:
        """Write a wheel with one library, which needs one external library; return its bytes."""
        shared(self.libs / "libdeep.so.1", "int deep(void) { return 3; }")
        top = shared(
            self.folder / "top" / "libtop.so",
            "int deep(void); int top(void) { return deep() + 4; }",
            f"-L{self.libs}",
            "-l:libdeep.so.1",
        )
        return self.pack({"demo/libtop.so": top})

    def environment(self, **more: str) -> Dict[str, str]:
        paths = [*self.python_path, BACKEND, str(self.root), sysconfig.get_path("purelib")]
        kept = {name: os.environ[name] for name in ("HOME", "TMPDIR") if name in os.environ}
        return {
            **kept,
            "PATH": self.path,
            "PYTHONPATH": os.pathsep.join(paths),
            "PYTHONDONTWRITEBYTECODE": "1",
            "NO_COLOR": "1",
            **more,
        }

    def command(self, way: str, settings: Mapping[str, Sequence[str]]) -> List[str]:
        """Return the command for a repair with these settings, or for another `mode`."""
        mode = settings.get("mode", ["repair"])[0]
        found = [str(self.python)]
        rest = {key: values for key, values in settings.items() if key != "mode"}
        if way == "cli":
            found += ["-m", "manyshim", mode, str(self.source), "-w", str(self.dist)]
            for key, values in rest.items():
                if key in ("strict", "verbose"):
                    found.append(f"--{key}")
                else:
                    found += (word for value in values for word in (f"--{key}", value))
            return found
        given = {
            f"manyshim.{key}": list(values) for key, values in {"mode": [mode], **rest}.items()
        }
        if way == "build":
            needs.module("build")
            found += ["-m", "build", "--wheel", "-nx", "-o", str(self.dist), str(self.root)]
            for key, values in given.items():
                found += (word for value in values for word in ("-C", f"{key}={value}"))
            return found
        single = {key: values[0] if len(values) == 1 else values for key, values in given.items()}
        return [*found, "-c", _HOOK, str(self.dist), json.dumps(single)]

    def start(self, way: str, settings: Mapping[str, Sequence[str]], **more: Any) -> Any:
        settings = {"library-path": [str(self.libs)], **settings}
        if settings.get("mode", ["repair"]) != ["repair"]:
            settings = {key: one for key, one in settings.items() if key != "library-path"}
        pipe = subprocess.PIPE
        return subprocess.Popen(
            self.command(way, settings),
            stdin=subprocess.DEVNULL, stdout=pipe, stderr=pipe, text=True, cwd=self.root,
            env=self.environment(**more.pop("environ", {})), **more,
        )  # fmt: skip

    def run(self, way: str, settings: Mapping[str, Sequence[str]] = {}, **more: Any) -> Any:
        with self.start(way, settings, **more) as child:
            out, err = child.communicate(timeout=300)
        assert "Traceback" not in out + err, out + err
        return subprocess.CompletedProcess([], child.returncode, out, err)

    def wheels(self) -> List[str]:
        """Return the names of all files in the output folder, sorted."""
        return sorted(os.listdir(self.dist)) if self.dist.is_dir() else []

    def repaired(self, way: str, settings: Mapping[str, Sequence[str]] = {}) -> Tuple[Path, str]:
        """Repair; check that one manylinux or musllinux wheel results; return it and the output."""
        done = self.run(way, settings)
        output = done.stdout + done.stderr
        assert done.returncode == 0, output
        (name,) = self.wheels()
        assert "linux_" in name, output
        assert name != NAME, output
        return self.dist / name, output

    def failed(self, way: str, done: Any, data: bytes) -> str:
        """Check that a ToolError left no files behind; return its line."""
        output: str = done.stdout + done.stderr
        assert done.returncode == CODES[way], output
        lines = [line for line in output.splitlines() if line.startswith("manyshim: error: ")]
        assert len(lines) == 1, output
        assert self.wheels() == []
        assert self.source.read_bytes() == data
        return lines[0]

    def stays(self, way: str, done: Any, data: bytes) -> str:
        """Check that the wheel is unchanged; return the output."""
        output: str = done.stdout + done.stderr
        assert done.returncode == (1 if way == "cli" else 0), output
        assert self.source.read_bytes() == data
        assert self.wheels() == ([] if way == "cli" else [NAME])
        if way != "cli":
            assert (self.dist / NAME).read_bytes() == data
        return output
