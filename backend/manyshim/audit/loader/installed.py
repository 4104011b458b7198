"""The installed files of a wheel, and where the dynamic loaders of both libcs search for them.

Sources: glibc elf/dl-load.c; musl ldso/dynlink.c; ld.so(8).
"""

from __future__ import annotations

import posixpath
from bisect import bisect_left

from manyshim.audit.facts import ElfFile, InstallPath, install_path
from manyshim.audit.identity import GLIBC_OWN
from manyshim.audit.tags import MUSL
from manyshim.errors import InvalidWheelError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import (
        Container,
        Dict,
        FrozenSet,
        Iterable,
        Iterator,
        List,
        Optional,
        Sequence,
        Set,
        Tuple,
    )

# The limit of the work, some seconds in all: 8 steps for each edge of a process, and 1 for each
# file of a search. A need of a file counts more, because it may become a finding. The 260 files of
# vtk take 1.5 million steps.
_MAX_STEPS = 6_000_000
_STEPS_PER_NEED = 100
_STEPS_PER_FOLDER = 4

_SPELLINGS = ("${ORIGIN}", "$ORIGIN")
# The kernel opens no longer path (PATH_MAX).
_MAX_PATH = 4096


class Installed:
    """The files of one architecture and libc family, by path, name and place."""

    def __init__(  # noqa: PLR0913, PLR0917 (those of `simulate`)
        self,
        files: Dict[str, ElfFile],
        libc: str,
        arch: str,
        distribution: str,
        paths: Iterable[str],
        promised: Container[str],
    ) -> None:
        self.files = files
        self.libc = libc
        self.arch = arch
        self.promised = promised
        self.places = {path: install_path(path, distribution) for path in files}
        self.at = {place: path for path, place in self.places.items()}
        backwards = sorted(files, reverse=True)
        self.named = {files[path].name: path for path in backwards}
        self.named.update((files[path].soname or files[path].name, path) for path in backwards)
        # A path that no file can have gives no name.
        self.named.pop("", None)
        self._paths = paths
        self._distribution = distribution
        self._places: List[InstallPath] = []
        self._steps = 0
        self._shared: Dict[FrozenSet[str], FrozenSet[str]] = {}
        # These lists are made once, because many roots load the same files.
        self.needs = {path: [(path, name) for name in elf.needed] for path, elf in files.items()}
        # The libraries that are loaded only if they are found.
        self.auxiliary: Dict[str, List[Tuple[str, str]]] = {}
        # musl does not read these entries.
        for path, elf in files.items() if libc != MUSL else ():
            self.needs[path] += [(path, name) for name in elf.filters]
            if elf.auxiliary:
                self.auxiliary[path] = [(path, name) for name in elf.auxiliary]
        lists = (*self.needs.values(), *self.auxiliary.values())
        self._needed = {name for listed in lists for _, name in listed}
        # By the name of a file that another one needs, the folders that have one.
        self.holders: Dict[str, Set[InstallPath]] = {}
        for place in self.at:
            folder, _, name = place.path.rpartition("/")
            if name in self._needed:
                self.holders.setdefault(name, set()).add(InstallPath(place.root, folder))
        self.count(_STEPS_PER_NEED * sum(map(len, lists)))
        self._searched = {path: self._search_path(elf) for path, elf in files.items()}
        self.versions = {path: self._versions(elf) for path, elf in files.items()}

    def share(self, names: Set[str]) -> FrozenSet[str]:
        """Return a set as a constant. Equal ones are kept once: many roots load the same files."""
        constant = frozenset(names)
        return self._shared.setdefault(constant, constant)

    def _versions(self, elf: ElfFile) -> List[Tuple[str, str]]:
        """Return the libraries that a file needs versions of; most of them are among its needs."""
        known = dict(zip((name for _, name in self.needs[elf.path]), self.needs[elf.path]))
        libraries = dict.fromkeys(need.library for need in elf.versions_needed)
        return [known.get(name) or (elf.path, name) for name in libraries]

    def roots(self) -> List[str]:
        """Return where loading begins: modules, programs, and files that no other file needs."""
        return [
            path
            for path, elf in self.files.items()
            if elf.extension_module or elf.executable or not self._is_needed(elf)
        ]

    def programs(self) -> FrozenSet[str]:
        """Return the files that run in a process of their own: programs that no file needs."""
        return frozenset(
            path for path, elf in self.files.items() if elf.executable and not self._is_needed(elf)
        )

    def _is_needed(self, elf: ElfFile) -> bool:
        return not self._needed.isdisjoint((elf.name, elf.soname or elf.name))

    def loaded_before(self, name: str) -> bool:
        """Whether every process has loaded the system's library of that name already."""
        return self.libc != MUSL and name in GLIBC_OWN

    def _search_path(self, elf: ElfFile) -> Tuple[InstallPath, ...]:
        """Return the folders of the wheel in a file's own RPATH or RUNPATH, in order."""
        place = self.places[elf.path]
        folders: Dict[InstallPath, None] = {}
        if not elf.name:
            return ()
        for rest in after_origin(used_entries(elf, self.libc)):
            folder = self._walk(place, rest)
            if folder is not None:
                folders[InstallPath(place.root, folder)] = None
        return tuple(folders)

    def _walk(self, place: InstallPath, rest: str) -> Optional[str]:
        """Follow a path from a file's folder as the kernel does: every folder on it must exist."""
        folder = posixpath.dirname(place.path)
        for step in filter(lambda step: step not in ("", "."), rest.split("/")):
            self.count(_STEPS_PER_FOLDER)
            if step == ".." and not folder:
                return None
            folder = posixpath.dirname(folder) if step == ".." else posixpath.join(folder, step)
            if not self._has(InstallPath(place.root, folder)):
                return None
        return folder

    def _has(self, folder: InstallPath) -> bool:
        """Whether a folder exists: some member is in it or below it."""
        if not folder.path:
            return True
        if not self._places:
            places = {install_path(path, self._distribution) for path in self._paths}
            self._places = sorted(places.union(self.places.values()))
        below = InstallPath(folder.root, folder.path + "/")
        at = bisect_left(self._places, below)
        found = self._places[at] if at < len(self._places) else InstallPath("", "")
        return found.root == below.root and found.path.startswith(below.path)

    def count(self, steps: int) -> None:
        """Count steps of work. Raises InvalidWheelError above the limit."""
        self._steps += steps
        if self._steps > _MAX_STEPS:
            raise InvalidWheelError("its libraries depend on each other in too many ways")

    def find(self, chain: List[str], name: str) -> Optional[str]:
        """Search for a library as the dynamic loader does; return its path, or None.

        `chain` is the file that needs it, then the file that loaded that one, and so on.
        """
        requester = self.files[chain[0]]
        if self.libc != MUSL and requester.runpath:
            chain = chain[:1]
        holders = self.holders.get(name, set())
        for path in chain if holders else ():
            self.count(1 + len(self._searched[path]) // 8)
            if self.libc != MUSL and path != chain[0] and self.files[path].runpath:
                continue
            for folder in self._searched[path]:
                if folder in holders:
                    return self.at[InstallPath(folder.root, posixpath.join(folder.path, name))]
        return None


def used_entries(elf: ElfFile, libc: str) -> Tuple[str, ...]:
    """Return the entries of a file's RPATH or RUNPATH that the loader reads, in order.

    With a RUNPATH, even an empty one, no loader reads the RPATH. glibc ignores a RUNPATH that is
    empty as a whole; an empty entry is its current folder. musl skips every empty entry, and
    ignores all entries if one of them has a variable other than `$ORIGIN`.
    """
    entries = elf.runpath or elf.rpath
    if libc == MUSL:
        return tuple(filter(None, entries)) if all(map(_expands, entries)) else ()
    return () if entries == ("",) else entries


def after_origin(entries: Sequence[str]) -> Iterator[str]:
    """Yield the rest of each entry that begins with `$ORIGIN`.

    Other entries cannot lead to a file of the wheel.
    """
    for entry in entries:
        spelling = next(filter(entry.startswith, _SPELLINGS), "")
        rest = entry[len(spelling) :]
        if spelling and rest[:1] in ("", "/") and len(entry) < _MAX_PATH:
            yield rest


def _expands(entry: str) -> bool:
    """Whether an entry has no variable other than `$ORIGIN`, as musl spells it."""
    for spelling in _SPELLINGS:
        entry = entry.replace(spelling, "/")
    return "$" not in entry
