"""Which folders the dynamic loader of a target searches, and which files it accepts.

Sources: ld.so(8); glibc elf/dl-load.c; musl ldso/dynlink.c.
"""

from __future__ import annotations

import re
from typing import Dict, Iterable, Iterator, Sequence, Tuple

from manyshim.audit.facts import SHARED, ElfFile
from manyshim.audit.identity import OS_ABIS, family, identify
from manyshim.audit.tags import ARCHES, MACHINES, MUSL
from manyshim.repair.system import System

CONFIGURED = "ld.so.conf"
DEFAULT = "default folder"

# The kernel's PATH_MAX in bytes, including the NUL.
_MAX_PATH = 4096

_TOKEN = re.compile(r"\$(?:(ORIGIN|LIB|PLATFORM)(?![A-Za-z0-9_])|\{(ORIGIN|LIB|PLATFORM)\})")
# musl expands only ORIGIN; any other variable makes it ignore the whole search path.
_MUSL_TOKEN = re.compile(r"\$(?:(ORIGIN)|\{(ORIGIN)\})")
_MUSL_EXPANDS = re.compile(r"(?s)(?:[^$]|\$ORIGIN|\$\{ORIGIN\})*")

# AT_PLATFORM (Linux, arch/*/include/asm/elf.h). On POWER and s390x it names the processor model;
# libraries in such folders do not run on every machine of the architecture, so they are left out.
_PLATFORMS = {
    "x86_64": "x86_64",
    "i686": "i686",
    "aarch64": "aarch64",
    "armv7l": "v7l",
    "loongarch64": "loongarch",
}


class LoaderRules:
    """The dynamic loader's rules for one architecture (a key of ARCHES) and libc family."""

    def __init__(self, arch: str, libc: str) -> None:
        self.arch = arch
        self.musl = libc == MUSL
        self._libc = libc
        cpu, abi = ARCHES[arch].triplet, "gnu"
        if arch == "armv7l":
            abi = "gnueabihf"
        # musl names architectures as Debian does, except 32-bit ARM (musl arch/*/reloc.h).
        self._ldso_arch = "armhf" if arch == "armv7l" else cpu
        wide = ("lib64",) if ARCHES[arch].bits == 64 else ()
        # Debian's multiarch folder, the lib64 of other 64-bit distributions, and plain lib.
        self._libs = (f"lib/{cpu}-linux-{abi}", *wide, "lib")

    def folders(self, system: System) -> Iterator[Tuple[str, str]]:
        """Yield the folders that are searched for every file, each with its source first.

        Folders below glibc-hwcaps are never searched: their libraries run only on some machines
        of the architecture, and a grafted library must run on all of them.
        """
        if self.musl:
            name = f"ld-musl-{self._ldso_arch}.path"
            configured = system.configured_musl(name)
            if configured is None:
                name, configured = DEFAULT, ("/lib", "/usr/local/lib", "/usr/lib")
            for folder in configured:
                yield name, folder
            return
        for folder in system.configured():
            yield CONFIGURED, folder
        for lib in self._libs:
            yield DEFAULT, f"/{lib}"
            yield DEFAULT, f"/usr/{lib}"

    def environment(self, text: str) -> Iterator[str]:
        """Yield the absolute folders of an LD_LIBRARY_PATH."""
        if self.musl:
            for path in re.split("[:\n]", text):
                if path.startswith("/"):
                    yield path.rstrip("/")
        else:
            # In LD_LIBRARY_PATH, $ORIGIN is the program's folder; the program is not known here.
            for path, _ in self.expand(re.split("[:;]", text), ""):
                yield path

    def expand(self, entries: Sequence[str], origin: str) -> Iterator[Tuple[str, bool]]:
        """Yield the absolute folders of an RPATH or RUNPATH, each with whether it used $ORIGIN.

        Entries with $ORIGIN are left out if `origin` is empty.
        """
        if self.musl:
            if not all(map(_MUSL_EXPANDS.fullmatch, entries)):
                return
            entries = [part for entry in entries for part in entry.split("\n")]
        token = _MUSL_TOKEN if self.musl else _TOKEN
        for entry in entries:
            # The kernel refuses longer paths. Empty and relative ones mean the current folder.
            if len(entry) >= _MAX_PATH or not entry.startswith(("/", "$")):
                continue
            names = {match.group(1) or match.group(2) for match in token.finditer(entry)}
            for values in self._values(names, origin):
                path = _replace(token, entry, values)
                if path.startswith("/"):
                    yield path.rstrip("/"), "ORIGIN" in names

    def _values(self, names: Iterable[str], origin: str) -> Iterator[Dict[str, str]]:
        """Yield the possible values of the variables; nothing if one of them has no value."""
        # The value of LIB depends on the system, so every candidate is tried.
        for lib in self._libs if "LIB" in names else ("",):
            known = {"ORIGIN": origin, "LIB": lib, "PLATFORM": _PLATFORMS.get(self.arch, "")}
            if all(known[name] for name in names):
                yield known

    def rejection_reason(self, facts: ElfFile) -> str:
        """Return why the loader or this libc would not accept a file; "" if it would."""
        ident = facts.ident
        if ident.machine not in MACHINES:
            return f"is for machine {ident.machine}"
        identity = identify(ident)
        libc = family(facts)
        reason = ""
        if identity.problem:
            reason = f"is not for {self.arch}: {identity.problem}"
        elif identity.arch != self.arch:
            reason = f"is for {identity.arch}"
        elif ident.os_abi not in OS_ABIS:
            reason = f"is for another system: its OS ABI is {ident.os_abi}"
        elif not facts.loadable or not facts.dynamic or ident.type != SHARED or facts.pie:
            reason = "is not a shared library"
        elif facts.android:
            reason = "is for Android"
        elif libc not in (None, self._libc):
            reason = f"is for {libc}"
        return reason


def _replace(token: re.Pattern[str], entry: str, values: Dict[str, str]) -> str:
    return token.sub(lambda match: values[match.group(1) or match.group(2)], entry)
