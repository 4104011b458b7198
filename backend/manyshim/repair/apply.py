"""Carries out a plan: copies, strips, patches and proves files in a private folder."""

from __future__ import annotations

import os
import shutil
from typing import Dict, List, Mapping, Sequence

from manyshim.audit.facts import ElfFile, install_path
from manyshim.errors import DamageError, InvalidWheelError, ToolError
from manyshim.formats.wheel.wheel import Wheel
from manyshim.formats.zip.archive import Entry
from manyshim.formats.zip.digest import digest_of, file_portions
from manyshim.formats.zip.window import MemberError
from manyshim.repair import patch as patching
from manyshim.repair.plan import Patch, Plan
from manyshim.repair.strip import strip
from manyshim.repair.trial import refused
from manyshim.repair.verify.comparison import damage
from manyshim.values import NamedTuple

_READ_AT_ONCE = 1 << 20
_SECONDS_TO_LOAD = 30.0

# What stands in the scripts folder for a program that has moved; installers write the first line.
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
    """How files are patched: what is stripped of them, and on which machine.

    `native` says that the wheel's files can be loaded here.
    """

    arch: str
    host_arch: str
    native: bool
    strip: str
    environ: Mapping[str, str]


def graft(
    wheel: Wheel, elfs: Sequence[ElfFile], plan: Plan, folder: str, options: PatchOptions
) -> Dict[str, str]:
    """Make the files that a plan changes or adds, below the private `folder`; name them by member.

    Raises ToolError where a tool is missing or fails, DamageError where a file does not come out as
    planned or is not loaded any more.
    """
    try:
        return _Work(wheel, elfs, plan, folder, options).run()
    except OSError as error:
        where = error.filename or folder
        raise ToolError(f"{where}: {error.strerror}; the wheel is not repaired") from error


class _Work:
    """The private folder: `before` and `after` hold the wheel's ELF files as they are installed."""

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
        """Do the work in the order in which nothing can be overlooked."""
        patches = dict(self._stripped())
        for path in self._unpacked(patches):
            self._unpack(path)
        for copy in self.plan.copies:
            self._copy(copy.library.real, copy.library.digest, self._place(copy.member))
            patches[copy.member] = copy.patch
        self._patch(patches)
        self._try(patches)
        moved = {old: new for old, new in self.plan.launchers.items() if old in patches}
        files = {moved.get(path, path): self._new(path) for path in patches}
        files.update(self._write_launchers(moved))
        return files

    def _stripped(self) -> Dict[str, Patch]:
        """List the members that change; strip takes all of them."""
        if self.options.strip == "none":
            return dict(self.plan.patches)
        return {elf.path: self.plan.patches.get(elf.path, Patch()) for elf in self.elfs}

    def _unpacked(self, patches: Mapping[str, Patch]) -> List[str]:
        """List what must lie in the folder; a trial needs the libraries beside a module, too."""
        return [elf.path for elf in self.elfs if self.options.native or elf.path in patches]

    def _place(self, member: str) -> str:
        """Name a member's place after installation, each root a folder of its own."""
        member = self.plan.launchers.get(member, member)
        place = install_path(member, self.distribution)
        if place.path.startswith(("/", "../")) or place.path == "..":
            raise InvalidWheelError(f"{member} leads out of the wheel")
        return os.path.join(place.root, place.path)

    def _new(self, member: str) -> str:
        return os.path.join(self.after, self._place(member))

    def _unpack(self, member: str) -> None:
        entry = self.entries[member]
        place = self._place(member)
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
                window.read(start, min(_READ_AT_ONCE, entry.size - start))
                for start in range(0, entry.size, _READ_AT_ONCE)
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
                    f"{source} was there when the repair was planned, and cannot be read now: "
                    f"{error.strerror}"
                ) from error
        if sha256(target) != digest:
            raise ToolError(f"{source} has changed since the repair was planned; repair again")

    def _patch(self, patches: Mapping[str, Patch]) -> None:
        tool = None
        for member, patch in sorted(patches.items()):
            path = self._new(member)
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
            before = os.path.join(self.before, self._place(member))
            found = damage(
                before,
                path,
                patch,
                stripped=self.options.strip != "none",
                execstack_cleared=patch.plain_stack,
            )
            if found:
                raise DamageError(f"{member} is damaged by patching it: {'; '.join(found[:5])}")

    def _try(self, patches: Mapping[str, Patch]) -> None:
        """Load what was patched, where this machine can."""
        if not self.options.native:
            return
        programs = {elf.path for elf in self.elfs if elf.executable}
        pairs = {
            self._new(member): (os.path.join(self.before, self._place(member)), member)
            for member in sorted(patches)
            if member not in programs
        }
        failed = refused([(old, new) for new, (old, _) in pairs.items()], _SECONDS_TO_LOAD)
        for path, reason in failed.items():
            raise DamageError(f"{pairs[path][1]} is not loaded after patching it: {reason}")

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
    """Hash a file in bounded memory; hexadecimal digits. Raises OSError."""
    return digest_of(file_portions(path)).hash.hex()
