"""A CPython for musl, compiled by zig from Debian's sources: no package registry has one."""

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

# zig's musl is newer than the loader of Debian's musl 1.2.3. configure must not find the functions
# that the loader lacks. Debian has the functions of crypt.h in another library.
_NOT_IN_LOADER = ("func_preadv2", "func_pwritev2", "func_statx", "header_crypt_h", "func_crypt_r")
# Answers for configure, which would run programs to find them.
_CROSS = ("file__dev_ptmx=yes", "file__dev_ptc=no", "buggy_getaddrinfo=no")
# Flags of every call, also of links: with other flags zig would compile its libraries again.
# Without -fno-sanitize=all it would add a runtime, and without the last one __DATE__ would be an
# error.
_FLAGS = ("-dynamic", "-fPIC", "-O2", "-g0", "-s", "-fno-sanitize=all", "-Wno-error=date-time")
# The flags for zlib's files, which are compiled without zlib's own configure.
_ZLIB = ("-w", "-D_LARGEFILE64_SOURCE=1", "-DHAVE_UNISTD_H", "-c")
_LEFT_OUT = ("__pycache__", "test", "tests", "idlelib", "tkinter", "lib2to3", "turtledemo")

# This Python has no ssl, bz2, lzma, sqlite3, readline and curses; Debian's Pythons have them.
COMPLETE = """
import array, asyncio, binascii, ctypes, dataclasses, datetime, decimal, email.message, hashlib
import importlib.metadata, json, math, multiprocessing, pickle, random, select, socket, struct
import subprocess, tempfile, threading, typing, unicodedata, unittest, uuid
import xml.etree.ElementTree, zipfile, zlib
hashlib.sha256(), ctypes.CDLL(None).getpid()
"""


class MuslPython(NamedTuple):
    """The paths of musl's loader, and of the home and the program of a Python for it."""

    loader: Path
    home: Path
    program: Path


def musl_python(folder: Path, machine: str, arch: str, native: Optional[Path]) -> MuslPython:
    """Return a Python for a machine, Debian's `arch`; compile it if it does not exist.

    For another machine than this one, `native` is the same Python for this machine.
    """
    root = debian(folder / "debian", arch, ("musl",))
    home = folder / "python"
    made = MuslPython(root / f"lib/ld-musl-{machine}.so.1", home, home / "bin" / _PYTHON)
    if not made.program.exists():
        _Build(folder / "work", machine, made, native).all()
        shutil.rmtree(str(folder / "work"))
    return made


class _Build:
    """Compile zlib, libffi and Python in this order, in a temporary folder."""

    def __init__(
        self, folder: Path, machine: str, made: MuslPython, native: Optional[Path]
    ) -> None:
        needs.tool("make", "make")
        if not native and platform.machine() != machine:
            pytest.skip(f"the first Python for musl is compiled on {machine} only")
        self.made = made
        self.native = native
        self.folder = folder
        self.libraries = folder / "libraries"
        self.platform = f"linux-{machine}"
        tools = zig(f"{machine}-linux-musl")
        self.compiler = (*tools, *_FLAGS)
        # The command of the compiler ends with `cc -target TRIPLE`; zig's other tools replace that.
        self.archiver = (*tools[:-3], "ar")
        # configure uses the name of the build system for the suffix -linux-musl of modules.
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
            # pkg-config would find this machine's libraries.
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
        # libffi's static trampolines call a function that libffi declares for glibc only.
        chosen = ("--disable-shared", "--disable-docs", "--disable-exec-static-tramp")
        prefix = f"--prefix={self.libraries}"
        self.run(source, "./configure", *self.systems, *chosen, prefix)
        self.run(source, "make", "-j2", "install")

    def python(self) -> Path:
        source = debian_source(self.folder / "python", _PYTHON)
        setup = source / "setup.py"
        # setup.py would search headers of this machine or of the compiler before the target's.
        calls = r"self\.add_(multiarch|cross_compiling)_paths\(\)"
        text, count = re.subn(rf"^(\s+){calls}$", r"\1pass", setup.read_text(), flags=re.MULTILINE)
        assert count == 2
        setup.write_text(text)
        # The program can be started directly, and uses the loader in the folder.
        loader = f"-Wl,--dynamic-linker={self.made.loader}"
        chosen: List[str] = [
            *(f"--prefix={self.made.home}", "--disable-test-modules", "--without-ensurepip"),
            *(f"ac_cv_{name}=no" for name in _NOT_IN_LOADER),
            f"CPPFLAGS=-I{self.libraries}/include",
            f"LDFLAGS=-L{self.libraries}/lib {loader}",
            f"ZLIB_CFLAGS=-I{self.libraries}/include",
            f"ZLIB_LIBS=-L{self.libraries}/lib -lz",
        ]
        if self.native:
            chosen.append(f"--with-build-python={self.native}")
            chosen.extend(f"ac_cv_{answer}" for answer in _CROSS)
            # readelf reads files of any machine, but configure refuses the plain name.
            chosen.append(f"READELF={needs.tool('readelf', 'binutils')}")
        self.run(source, "./configure", *self.systems, *chosen)
        # With this variable, setup.py does not search libraries in the folders of this machine.
        host_platform = f"_PYTHON_HOST_PLATFORM={self.platform}"
        self.run(source, "make", "-j2", host_platform, "python", "sharedmods")
        return source

    def install(self, source: Path) -> None:
        """Copy the files of the Python; `make install` would compile its tests for minutes."""
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


def command(made: MuslPython) -> Tuple[str, ...]:
    """Return the command that starts a Python with its loader and the loader's libraries only."""
    return (str(made.loader), "--library-path", str(made.loader.parent), str(made.program))
