"""Carry out a plan: copy, strip, patch and verify files in a private folder."""

from __future__ import annotations

import os
import shutil
import tempfile
from typing import Callable, Dict, Iterator, List, Mapping, Optional, Sequence

from manyshim.audit.facts import ElfFile, install_path
from manyshim.errors import DamageError, InvalidWheelError, ToolError
from manyshim.formats.elf.edits import Patch
from manyshim.formats.elf.image import ElfError
from manyshim.formats.elf.patch import check_patch, patch_file
from manyshim.formats.wheel.wheel import Wheel
from manyshim.formats.zip.deflate import largest_first
from manyshim.formats.zip.digest import sha256
from manyshim.formats.zip.window import MemberError
from manyshim.repair.outside import Outside
from manyshim.repair.plan import Plan
from manyshim.repair.programs import launcher
from manyshim.repair.strip import strip
from manyshim.repair.trial import Trial, notes, try_loading
from manyshim.repair.verify import differences
from manyshim.repair.verify_strip import strip_differences
from manyshim.values import NamedTuple
from manyshim.workspace import parent_of


class PatchOptions(NamedTuple):
    """How files are patched.

    `arch` is the wheel's architecture, `host_arch` that of this machine. `strip` is "none", "debug"
    or "all". `outside` is what the files take from this machine when they are loaded for a trial;
    None if they are not loaded.
    """

    arch: str
    host_arch: str
    strip: str
    environ: Mapping[str, str]
    outside: Optional[Outside] = None


def graft(  # noqa: PLR0913, PLR0917 (one step of a repair)
    wheel: Wheel,
    elfs: Sequence[ElfFile],
    plan: Plan,
    folder: str,
    options: PatchOptions,
    finished: Callable[[str, str], None],
) -> List[str]:
    """Write the files that a plan changes or adds into the private `folder`, the largest first.

    Each is passed to `finished` as soon as it is verified: its member in the wheel, and its path.
    Then all are loaded. Returns lines for the user.

    Raises ToolError if a tool is missing or fails. Raises DamageError if a file differs from the
    plan or can no longer be loaded.
    """
    try:
        return _Workspace(wheel, elfs, plan, folder, options).run(finished)
    except OSError as error:
        where = error.filename or parent_of(os.path.dirname(folder))
        raise ToolError(f"{where}: {error.strerror}; the wheel was not repaired") from error


def refusals(wheel: Wheel, plan: Plan) -> Iterator[str]:
    """Yield why files of a plan cannot be patched, without a change of any file.

    Raises InvalidWheelError if a member cannot be read, OSError if another file cannot be.
    """
    entries = {entry.name: entry for entry in wheel.entries}
    for member, patch in sorted(plan.patches.items()):
        with tempfile.TemporaryFile() as file:
            try:
                file.writelines(wheel.archive.portions(entries[member]))
                check_patch(file, patch)
            except MemberError as error:
                raise InvalidWheelError(f"{wheel.path}: {member}: {error}") from error
            except ElfError as error:
                yield f"{member} cannot be patched: {error}"
    for copy in plan.copies:
        with open(copy.library.real, "rb") as library:
            try:
                check_patch(library, copy.patch)
            except ElfError as error:
                yield f"{copy.member} cannot be patched: {error}"


class _Workspace:
    """The private folder.

    Its folders `before` and `after` hold the wheel's ELF files at their places after installation.
    """

    def __init__(
        self, wheel: Wheel, elfs: Sequence[ElfFile], plan: Plan, folder: str, options: PatchOptions
    ) -> None:
        self.wheel, self.plan, self.folder, self.options = wheel, plan, folder, options
        # Of several members with one name, the last one is written.
        self.elfs = list({elf.path: elf for elf in elfs if elf.loadable}.values())
        self.before = os.path.join(folder, "before")
        self.stripped = os.path.join(folder, "stripped")
        self.after = os.path.join(folder, "after")
        self.distribution = wheel.dist_info[: -len(".dist-info")]
        self.launchers = os.path.join(folder, "launchers")
        self.entries = {entry.name: entry for entry in wheel.entries}

    def run(self, finished: Callable[[str, str], None]) -> List[str]:
        """Unpack, copy, patch and load the files; return lines for the user."""
        patches = self._changed()
        copies = {copy.member: copy.library for copy in self.plan.copies}
        sizes = {path: self.entries[path].size for path in patches}
        sizes.update((member, library.size) for member, library in copies.items())
        patches.update((copy.member, copy.patch) for copy in self.plan.copies)
        moved = {old: new for old, new in self.plan.launchers.items() if old in patches}
        for member in largest_first(sizes):
            if member in copies:
                self._copy(copies[member].real, copies[member].digest, member)
            else:
                self._unpack(member, changes=True)
            found = self._patch(member, patches[member])
            if found:
                raise DamageError(f"patching damaged {member}: {'; '.join(found[:5])}")
            finished(moved.get(member, member), self._path(self.after, member))
        for member, path in self._write_launchers(moved).items():
            finished(member, path)
        if self.options.outside is None:
            return []
        # A library is loaded with those beside it.
        for elf in self.elfs:
            if elf.path not in patches:
                self._unpack(elf.path, changes=False)
        return self._load_patched(patches, self.options.outside)

    def _changed(self) -> Dict[str, Patch]:
        """Return the members that change; with `strip` that is every ELF file."""
        if self.options.strip == "none":
            return dict(self.plan.patches)
        return {elf.path: self.plan.patches.get(elf.path, Patch()) for elf in self.elfs}

    def _path(self, tree: str, member: str) -> str:
        """Return a member's path in one of the folders: that after installation, below its root."""
        member = self.plan.launchers.get(member, member)
        place = install_path(member, self.distribution)
        if place.path.startswith(("/", "../")) or place.path == "..":
            raise InvalidWheelError(f"{member}: its path leads out of the wheel")
        return os.path.join(tree, place.root, place.path)

    def _make_room(self, member: str) -> str:
        """Create the folders for a member; return its path in `before`."""
        for tree in (self.before, self.stripped, self.after):
            os.makedirs(os.path.dirname(self._path(tree, member)), exist_ok=True)
        return self._path(self.before, member)

    def _unpack(self, member: str, *, changes: bool) -> None:
        """Write a member into `before`, and into `after` if it does not change."""
        before = self._make_room(member)
        try:
            with open(before, "xb") as file:
                file.writelines(self.wheel.archive.portions(self.entries[member]))
        except MemberError as error:
            raise InvalidWheelError(f"{self.wheel.path}: {member}: {error}") from error
        if not changes:
            shutil.copyfile(before, self._path(self.after, member))

    def _copy(self, source: str, digest: str, member: str) -> None:
        """Write a library of the system into `before`."""
        target = self._make_room(member)
        try:
            shutil.copyfile(source, target)
        except OSError as error:
            if error.filename != source or error.filename2:
                # shutil names the source first, also if the target cannot be written.
                raise OSError(error.errno, error.strerror, target) from error
            raise ToolError(
                f"{source} was readable when the repair was planned, but cannot be read now: "
                f"{error.strerror}"
            ) from error
        if sha256(target) != digest:
            raise ToolError(
                f"{source} has changed since the repair was planned; run the repair again"
            )

    def _patch(self, member: str, patch: Patch) -> List[str]:
        """Write the stripped and patched file into `after`; return what was not planned."""
        before = self._path(self.before, member)
        options = self.options
        if options.strip != "none":
            original = before
            before = self._path(self.stripped, member)
            shutil.copyfile(original, before)
            strip(
                before, options.strip, options.arch, options.host_arch, options.environ, name=member
            )
            found = strip_differences(original, before)
            if found:
                return found
        after = self._path(self.after, member)
        try:
            patch_file(before, after, patch)
        except ElfError as error:
            raise DamageError(f"{member} cannot be patched: {error}") from error
        return differences(before, after, patch)

    def _load_patched(self, patches: Mapping[str, Patch], outside: Outside) -> List[str]:
        """Load each patched library; return lines about those that could not be tested."""
        programs = {elf.path for elf in self.elfs if elf.executable}
        members = {*patches, *(elf.path for elf in self.elfs)}
        old = {one: self._path(self.before, one) for one in members}
        new = {one: self._path(self.after, one) for one in members}
        files = [Trial(one, old[one], new[one]) for one in sorted(patches) if one not in programs]
        names = {tree[one]: one for tree in (old, new) for one in members}
        tried = try_loading(files, outside, self.folder, names)
        for member, reason in tried.failures.items():
            raise DamageError(f"{member} can no longer be loaded after patching: {reason}")
        return notes(tried.not_loaded)

    def _write_launchers(self, moved: Mapping[str, str]) -> Dict[str, str]:
        written: Dict[str, str] = {}
        for number, (old, new) in enumerate(sorted(moved.items())):
            path = os.path.join(self.launchers, str(number))
            os.makedirs(self.launchers, exist_ok=True)
            with open(path, "x", encoding="utf-8") as file:
                file.write(launcher(new))
            written[old] = path
        return written
