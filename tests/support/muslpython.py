"""A CPython for musl: nobody's registry has one, so zig compiles it from Debian's sources."""

from __future__ import annotations

import os
import platform
import re
import shutil
import subprocess
from pathlib import Path
from typing import List, NamedTuple, Optional, Tuple

import pytest

import needs
from debian import debian, debian_source
from foreignbuilding import zig

VERSION = (3, 11)
_PYTHON = "python{}.{}".format(*VERSION)

# zig's musl is newer than the loader of Debian's musl 1.2.3: what that lacks must not be found.
# Debian has the functions of crypt.h elsewhere.
_LATER = ("func_preadv2", "func_pwritev2", "func_statx", "header_crypt_h", "func_crypt_r")
# What configure would find out by running programs.
_CROSS = ("file__dev_ptmx=yes", "file__dev_ptc=no", "buggy_getaddrinfo=no")
# The same on each line, links too: other flags would make zig compile its libraries once more.
# Without -fno-sanitize=all it would add a runtime, and __DATE__ would be an error.
_FLAGS = ("-dynamic", "-fPIC", "-O2", "-g0", "-s", "-fno-sanitize=all", "-Wno-error=date-time")
# zlib's files, but for the one that needs what is written by its own configure.
_ZLIB = ("-w", "-D_LARGEFILE64_SOURCE=1", "-DHAVE_UNISTD_H", "-c")
_LEFT_OUT = ("__pycache__", "test", "tests", "idlelib", "tkinter", "lib2to3", "turtledemo")

# Debian's Pythons have more: here is no ssl, bz2, lzma, sqlite3, readline and curses.
COMPLETE = """
import array, asyncio, binascii, ctypes, dataclasses, datetime, decimal, email.message, hashlib
import importlib.metadata, json, math, multiprocessing, pickle, random, select, socket, struct
import subprocess, tempfile, threading, typing, unicodedata, unittest, uuid
import xml.etree.ElementTree, zipfile, zlib
hashlib.sha256(), ctypes.CDLL(None).getpid()
"""


class Made(NamedTuple):
    loader: Path
    home: Path
    program: Path


def musl_python(folder: Path, machine: str, arch: str, native: Optional[Path]) -> Made:
    """Return a Python for a machine that is Debian's `arch`, compiled unless it is there.

    For another machine than this one, `native` is a Python like it that runs here.
    """
    root = debian(folder / "debian", arch, ("musl",))
    home = folder / "python"
    made = Made(root / f"lib/ld-musl-{machine}.so.1", home, home / "bin" / _PYTHON)
    if not made.program.exists():
        _Build(folder / "work", machine, made, native).all()
        shutil.rmtree(str(folder / "work"))
    return made


class _Build:
    """Compile zlib, libffi and Python, one after another, in a folder that is thrown away."""

    def __init__(self, folder: Path, machine: str, made: Made, native: Optional[Path]) -> None:
        needs.tool("make", "make")
        if not native and platform.machine() != machine:
            pytest.skip(f"musl's first Python is compiled on {machine} only")
        self.made = made
        self.native = native
        self.folder = folder
        self.libraries = folder / "libraries"
        self.platform = f"linux-{machine}"
        tools = zig(f"{machine}-linux-musl")
        self.compiler = (*tools, *_FLAGS)
        # The tools that come with the compiler, whose words end with `cc -target TRIPLE`.
        self.archiver = (*tools[:-3], "ar")
        # configure asks the build's system whether a module's name ends with -linux-musl.
        built_on = f"{platform.machine()}-linux-musl"
        self.systems = (f"--build={built_on}", f"--host={machine}-linux-musl")
        kept = ("PATH", "HOME", "TMPDIR", "XDG_CACHE_HOME", "ZIG_GLOBAL_CACHE_DIR")
        self.environ = {
            **{name: os.environ[name] for name in kept if name in os.environ},
            "LC_ALL": "C",
            "SOURCE_DATE_EPOCH": "0",
            "CC": " ".join(self.compiler),
            "AR": " ".join(self.archiver),
            "RANLIB": " ".join((*tools[:-3], "ranlib")),
            "CFLAGS": "-O2",
            "OPT": "-DNDEBUG -fwrapv",
            # Its answers would be about this machine's libraries.
            "PKG_CONFIG": "false",
        }

    def all(self) -> None:
        self.zlib()
        self.libffi()
        self.install(self.python())

    def run(self, folder: Path, *command: str) -> None:
        done = subprocess.run(
            command,
            cwd=str(folder),
            env=self.environ,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            check=False,
        )
        assert done.returncode == 0, f"{command}\n{done.stdout[-5000:]}"

    def zlib(self) -> None:
        source = debian_source(self.folder / "zlib", "zlib")
        files = sorted(path.name for path in source.glob("*.c"))
        self.run(source, *self.compiler, *_ZLIB, *files)
        for name in ("lib", "include"):
            (self.libraries / name).mkdir(parents=True)
        objects = sorted(path.name for path in source.glob("*.o"))
        self.run(source, *self.archiver, "rcs", str(self.libraries / "lib/libz.a"), *objects)
        for name in ("zlib.h", "zconf.h"):
            shutil.copy(str(source / name), str(self.libraries / "include"))

    def libffi(self) -> None:
        source = debian_source(self.folder / "libffi", "libffi")
        # Its trampolines call a function that it declares for glibc only.
        chosen = ("--disable-shared", "--disable-docs", "--disable-exec-static-tramp")
        prefix = f"--prefix={self.libraries}"
        self.run(source, "./configure", *self.systems, *chosen, prefix)
        self.run(source, "make", "-j2", "install")

    def python(self) -> Path:
        source = debian_source(self.folder / "python", _PYTHON)
        setup = source / "setup.py"
        # It would put headers of this machine or of the compiler before those of the target.
        asks = r"self\.add_(multiarch|cross_compiling)_paths\(\)"
        text, count = re.subn(rf"^(\s+){asks}$", r"\1pass", setup.read_text(), flags=re.MULTILINE)
        assert count == 2
        setup.write_text(text)
        # The program starts as it is, on the loader in the folder.
        loader = f"-Wl,--dynamic-linker={self.made.loader}"
        chosen: List[str] = [
            *(f"--prefix={self.made.home}", "--disable-test-modules", "--without-ensurepip"),
            *(f"ac_cv_{name}=no" for name in _LATER),
            f"CPPFLAGS=-I{self.libraries}/include",
            f"LDFLAGS=-L{self.libraries}/lib {loader}",
            f"ZLIB_CFLAGS=-I{self.libraries}/include",
            f"ZLIB_LIBS=-L{self.libraries}/lib -lz",
        ]
        if self.native:
            chosen.append(f"--with-build-python={self.native}")
            chosen.extend(f"ac_cv_{answer}" for answer in _CROSS)
            # Any machine's does, but configure refuses one by that bare name.
            chosen.append(f"READELF={needs.tool('readelf', 'binutils')}")
        self.run(source, "./configure", *self.systems, *chosen)
        # Told a platform, setup.py looks for no library in the folders of this machine.
        told = f"_PYTHON_HOST_PLATFORM={self.platform}"
        self.run(source, "make", "-j2", told, "python", "sharedmods")
        return source

    def install(self, source: Path) -> None:
        """Copy what a Python consists of; `make install` would take minutes to compile tests."""
        home = self.made.home
        library = home / "lib" / _PYTHON
        shutil.copytree(
            str(source / "Lib"), str(library), ignore=shutil.ignore_patterns(*_LEFT_OUT)
        )
        (library / "lib-dynload").mkdir()
        built = source / (source / "pybuilddir.txt").read_text()
        for pattern in ("*.so", "_sysconfigdata*.py"):
            for path in built.glob(pattern):
                shutil.copy(str(path), str(library / "lib-dynload"))
        shutil.copytree(str(source / "Include"), str(home / "include" / _PYTHON))
        shutil.copy(str(source / "pyconfig.h"), str(home / "include" / _PYTHON))
        self.made.program.parent.mkdir()
        shutil.copy(str(source / "python"), str(self.made.program))


def command(made: Made) -> Tuple[str, ...]:
    """Start it by its loader, which is told to look nowhere else for a library."""
    return (str(made.loader), "--library-path", str(made.loader.parent), str(made.program))
