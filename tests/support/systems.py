"""Complete Pythons of other systems: older ones, other architectures, and another libc."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Mapping, NamedTuple, Optional, Tuple

import muslpython
import needs
from debian import cache, debian, making

# The glibc and the Python of each suite.
_SUITES = {
    "bullseye": ("glibc 2.31", (3, 9)),
    "bookworm": ("glibc 2.36", (3, 11)),
    "trixie": ("glibc 2.41", (3, 13)),
}
# Debian's architectures, with their names in wheels and in qemu.
_MACHINES = {
    "amd64": ("x86_64", "x86_64"),
    "arm64": ("aarch64", "aarch64"),
    "armhf": ("armv7l", "arm"),
    "i386": ("i686", "i386"),
    "ppc64el": ("ppc64le", "ppc64le"),
    "riscv64": ("riscv64", "riscv64"),
    "s390x": ("s390x", "s390x"),
}
NAMES = (
    *("bookworm-arm64", "bullseye-amd64", "bookworm-amd64", "trixie-amd64", "bookworm-i386"),
    *("bookworm-armhf", "bookworm-s390x", "bookworm-ppc64el", "trixie-riscv64"),
)

# Modules of a complete Python. Many need a C library or an extension module.
_COMPLETE = """
import array, asyncio, binascii, bz2, ctypes, curses, dataclasses, datetime, decimal, email.message
import hashlib, importlib.metadata, json, lzma, math, multiprocessing, pickle, random, readline
import select, socket, sqlite3, ssl, struct, subprocess, tempfile, threading, typing, unicodedata
import unittest, uuid, xml.etree.ElementTree, zipfile, zlib
hashlib.sha256(), hashlib.new("sha512"), ctypes.CDLL("libstdc++.so.6")
"""


class System(NamedTuple):
    """A Python that runs with the loader and the libraries of its own system.

    `arch` is spelled as in a wheel's tag, and `libc` as os.confstr and musl's loader print it.
    """

    name: str
    arch: str
    libc: str
    python: Tuple[int, int]
    root: Path
    home: Path
    command: Tuple[str, ...]

    def attempt(
        self, code: str, *paths: Path, environ: Optional[Mapping[str, str]] = None
    ) -> subprocess.CompletedProcess[str]:
        """Run code with folders to import from; return the finished process."""
        return subprocess.run(
            # Debian's site module would add the folders of this machine's packages.
            [*self.command, "-S", "-c", code],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            env={
                "PATH": os.defpath,
                "LC_ALL": "C.UTF-8",
                "PYTHONHOME": str(self.home),
                "PYTHONPATH": os.pathsep.join(map(str, paths)),
                "PYTHONDONTWRITEBYTECODE": "1",
                **(environ or {}),
            },
        )

    def run(self, code: str, *paths: Path, environ: Optional[Mapping[str, str]] = None) -> str:
        """Run code that must succeed; return its output."""
        done = self.attempt(code, *paths, environ=environ)
        assert done.returncode == 0, f"{self.name}: {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done.stdout


def system(name: str) -> System:
    """Return a system, created at the first call; skip the test if it cannot be created."""
    suite, _, arch = name.partition("-")
    if suite == "musl":
        return _musl(name, arch)
    libc, python = _SUITES[suite]
    machine, qemu = _MACHINES[arch]
    version = ".".join(map(str, python))
    packages = (f"python{version}-minimal", f"libpython{version}-stdlib", "libstdc++6")
    folder = cache(name)
    with making(folder) as new:
        root = debian(folder / "debian", arch, packages, suite)
        made = System(name, machine, libc, python, root, root / "usr", ())
        made = made._replace(command=_starter(_command(root, f"python{version}"), qemu))
        if new:
            # Debian compiles modules when it installs them. Here, the most used ones are compiled.
            made.run(_COMPLETE, environ={"PYTHONDONTWRITEBYTECODE": ""})
    return made


def _musl(name: str, arch: str) -> System:
    machine, qemu = _MACHINES[arch]
    native = system("musl-amd64") if arch != "amd64" else None
    folder = cache(name)
    with making(folder) as new:
        program = Path(native.command[-1]) if native else None
        built = muslpython.musl_python(folder, machine, arch, program)
        made = System(
            *(name, machine, "musl 1.2.3", muslpython.VERSION, built.loader.parents[1], built.home),
            _starter(muslpython.command(built), qemu),
        )
        if new:
            made.run(muslpython.COMPLETE, environ={"PYTHONDONTWRITEBYTECODE": ""})
    return made


def _command(root: Path, python: str) -> Tuple[str, ...]:
    """Return the command for a Python with its own loader, which searches only its own folders."""
    folders = [path for top in ("lib", "usr/lib") for path in root.glob(f"{top}/*-linux-*")]
    (loader,) = (path for folder in folders for path in folder.glob("ld*.so.[0-9]"))
    search = os.pathsep.join(map(str, folders))
    return (str(loader), "--library-path", search, str(root / "usr/bin" / python))


def _starter(command: Tuple[str, ...], qemu: str) -> Tuple[str, ...]:
    try:
        subprocess.run([*command, "--version"], stdout=subprocess.DEVNULL, check=True)
    except OSError:
        # The kernel cannot run the program, and no emulator is registered for it.
        return (needs.tool(f"qemu-{qemu}-static", "qemu-user-static"), *command)
    return command
