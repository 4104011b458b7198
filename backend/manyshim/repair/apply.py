"""Carry out a plan: copy, strip, patch and verify files in a private folder."""

from __future__ import annotations

import os
import shutil
from typing import Dict, List, Mapping, Sequence

from manyshim.audit.facts import ElfFile, install_path
from manyshim.errors import DamageError, InvalidWheelError, ToolError
from manyshim.formats.elf.edits import Patch
from manyshim.formats.wheel.wheel import Wheel
from manyshim.formats.zip.digest import digest_of, file_portions
from manyshim.formats.zip.directory import Entry
from manyshim.formats.zip.window import MemberError
from manyshim.repair import patch as patching
from manyshim.repair.plan import Plan
from manyshim.repair.strip import strip
from manyshim.repair.trial import load_failures
from manyshim.repair.verify.comparison import damage
from manyshim.values import NamedTuple

_CHUNK_BYTES = 1 << 20
_MAX_LOAD_SECONDS = 30.0

# The launcher in the scripts folder, for a program that has moved to another folder.
# Installers replace its first line with the path of the interpreter.
_LAUNCHER = """#!python
import os
import sys
import sysconfig

if __name__ == "__main__":
    folders = [*sys.path, sysconfig.get_path("platlib")]
    programs = [os.path.join(folder, *{path!r}) for folder in folders]
    program = next(filter(os.path.isfile, programs), programs[-1])
    os.execv(program, [program, *sys.argv[1:]])
"""


class PatchOptions(NamedTuple):
    """How files are patched.

    `arch` is the wheel's architecture, `host_arch` that of this machine. `native` says that this
    machine can load the wheel's files. `strip` is "none", "debug" or "all".
    """

    arch: str
    host_arch: str
    native: bool
    strip: str
    environ: Mapping[str, str]


def graft(
    wheel: Wheel, elfs: Sequence[ElfFile], plan: Plan, folder: str, options: PatchOptions
) -> Dict[str, str]:
    """Write the files that a plan changes or adds into the private `folder`.

    Returns the path of each file, by its member name in the wheel. Raises ToolError if a tool is
    missing or fails. Raises DamageError if a file differs from the plan or can no longer be loaded.
    """
    try:
        return _Workspace(wheel, elfs, plan, folder, options).run()
    except OSError as error:
        where = error.filename or folder
        raise ToolError(f"{where}: {error.strerror}; the wheel was not repaired") from error


class _Workspace:
    """The private folder.

    Its folders `before` and `after` hold the wheel's ELF files at their places after installation.
    """

    def __init__(
        self, wheel: Wheel, elfs: Sequence[ElfFile], plan: Plan, folder: str, options: PatchOptions
    ) -> None:
        self.wheel, self.plan, self.options = wheel, plan, options
        self.elfs = [elf for elf in elfs if elf.loadable]
        self.before = os.path.join(folder, "before")
        self.after = os.path.join(folder, "after")
        self.distribution = wheel.dist_info[: -len(".dist-info")]
        self.launchers = os.path.join(folder, "launchers")
        self.entries = {entry.name: entry for entry in wheel.entries}

    def run(self) -> Dict[str, str]:
        """Unpack, copy, patch and load the files; return the new files by member."""
        patches = dict(self._changed())
        for path in self._to_unpack(patches):
            self._unpack(path)
        for copy in self.plan.copies:
            self._copy(copy.library.real, copy.library.digest, self._installed_path(copy.member))
            patches[copy.member] = copy.patch
        self._patch(patches)
        self._load_patched(patches)
        moved = {old: new for old, new in self.plan.launchers.items() if old in patches}
        files = {moved.get(path, path): self._patched_path(path) for path in patches}
        files.update(self._write_launchers(moved))
        return files

    def _changed(self) -> Dict[str, Patch]:
        """Return the members that change; with `strip` that is every ELF file."""
        if self.options.strip == "none":
            return dict(self.plan.patches)
        return {elf.path: self.plan.patches.get(elf.path, Patch()) for elf in self.elfs}

    def _to_unpack(self, patches: Mapping[str, Patch]) -> List[str]:
        """List the members to unpack; a trial also needs the libraries beside a module."""
        return [elf.path for elf in self.elfs if self.options.native or elf.path in patches]

    def _installed_path(self, member: str) -> str:
        """Return a member's path after installation, with a folder for each root."""
        member = self.plan.launchers.get(member, member)
        place = install_path(member, self.distribution)
        if place.path.startswith(("/", "../")) or place.path == "..":
            raise InvalidWheelError(f"{member}: its path leads out of the wheel")
        return os.path.join(place.root, place.path)

    def _patched_path(self, member: str) -> str:
        return os.path.join(self.after, self._installed_path(member))

    def _unpack(self, member: str) -> None:
        entry = self.entries[member]
        place = self._installed_path(member)
        before, after = (os.path.join(tree, place) for tree in (self.before, self.after))
        os.makedirs(os.path.dirname(before), exist_ok=True)
        os.makedirs(os.path.dirname(after), exist_ok=True)
        try:
            self._extract(entry, before)
        except MemberError as error:
            raise InvalidWheelError(f"{self.wheel.path}: {member}: {error}") from error
        shutil.copyfile(before, after)

    def _extract(self, entry: Entry, target: str) -> None:
        window = self.wheel.archive.window(entry)
        with open(target, "xb") as file:
            file.writelines(
                window.read(start, min(_CHUNK_BYTES, entry.size - start))
                for start in range(0, entry.size, _CHUNK_BYTES)
            )

    def _copy(self, source: str, digest: str, place: str) -> None:
        for tree in (self.before, self.after):
            target = os.path.join(tree, place)
            os.makedirs(os.path.dirname(target), exist_ok=True)
            try:
                shutil.copyfile(source, target)
            except OSError as error:
                if error.filename != source:
                    raise
                raise ToolError(
                    f"{source} was readable when the repair was planned, but cannot be read now: "
                    f"{error.strerror}"
                ) from error
        if sha256(target) != digest:
            raise ToolError(
                f"{source} has changed since the repair was planned; run the repair again"
            )

    def _patch(self, patches: Mapping[str, Patch]) -> None:
        tool = None
        for member, patch in sorted(patches.items()):
            path = self._patched_path(member)
            if self.options.strip != "none":
                strip(
                    path,
                    self.options.strip,
                    self.options.arch,
                    self.options.host_arch,
                    self.options.environ,
                )
            if patch._replace(plain_stack=False) != Patch():
                tool = tool or patching.find(self.options.environ)
                tool.apply(path, patch)
            if patch.plain_stack:
                patching.clear_execstack(path)
            before = os.path.join(self.before, self._installed_path(member))
            found = damage(
                before,
                path,
                patch,
                stripped=self.options.strip != "none",
                execstack_cleared=patch.plain_stack,
            )
            if found:
                raise DamageError(f"patching damaged {member}: {'; '.join(found[:5])}")

    def _load_patched(self, patches: Mapping[str, Patch]) -> None:
        """Load each patched library, if this machine can load it."""
        if not self.options.native:
            return
        programs = {elf.path for elf in self.elfs if elf.executable}
        pairs = {
            self._patched_path(member): (
                os.path.join(self.before, self._installed_path(member)),
                member,
            )
            for member in sorted(patches)
            if member not in programs
        }
        failed = load_failures([(old, new) for new, (old, _) in pairs.items()], _MAX_LOAD_SECONDS)
        for path, reason in failed.items():
            raise DamageError(f"{pairs[path][1]} can no longer be loaded after patching: {reason}")

    def _write_launchers(self, moved: Mapping[str, str]) -> Dict[str, str]:
        written: Dict[str, str] = {}
        for number, (old, new) in enumerate(sorted(moved.items())):
            path = os.path.join(self.launchers, str(number))
            os.makedirs(self.launchers, exist_ok=True)
            with open(path, "x", encoding="utf-8") as file:
                file.write(_LAUNCHER.format(path=tuple(new.split("/"))))
            written[old] = path
        return written


def sha256(path: str) -> str:
    """Return the SHA-256 of a file in hexadecimal digits, in bounded memory. Raises OSError."""
    return digest_of(file_portions(path)).hash.hex()
