"""The dynamic loader's search, simulated inside the wheel as it lies after installation.

Sources: glibc elf/dl-load.c and elf/dl-deps.c; musl ldso/dynlink.c; ld.so(8).
"""

from __future__ import annotations

import posixpath
import re
from typing import Dict, FrozenSet, Iterable, List, Mapping, NamedTuple, Optional, Set, Tuple

from manyshim.audit.facts import ElfFile, InstallPath, install_path
from manyshim.audit.identity import GLIBC_OWN, is_loader
from manyshim.audit.tags import MUSL

_ORIGIN = re.compile(r"\$(?:ORIGIN|\{ORIGIN\})(?P<rest>|/.*)", re.DOTALL)
_EXPANDS = re.compile(r"(?:[^$]|\$ORIGIN|\$\{ORIGIN\})*", re.DOTALL)

INTERNAL = "internal"
BY_NAME_ONLY = "by name only"
SYSTEM = "system"
LOADER = "loader"
PATH = "path"


class Edge(NamedTuple):
    """How one NEEDED entry of a file is satisfied; `target` is the member that does it.

    `preloaded` says of a BY_NAME_ONLY edge that another root loads the target by a resolved one.
    """

    kind: str
    target: str = ""
    preloaded: bool = False


class Process(NamedTuple):
    """What one root pulls in: its members in load order, and what comes from outside.

    `outside` leaves out the loader, and in musl musl itself; `resolved` are the members that were
    found by a search path.
    """

    root: str
    members: Tuple[str, ...]
    outside: FrozenSet[str]
    resolved: FrozenSet[str]


class Loading(NamedTuple):
    """The simulation's result: each (file, library) that is asked for, and each root's process.

    `several` are the members that satisfy an edge, where that differs from root to root.
    """

    edges: Mapping[Tuple[str, str], Edge]
    processes: Tuple[Process, ...]
    several: Mapping[Tuple[str, str], Tuple[str, ...]] = {}

    def provider(self, path: str, library: str) -> Edge:
        """Tell who provides `library` to the file at `path`."""
        # Of members with one name only the last is simulated; the archive is refused for that.
        return self.edges.get((path, library), Edge(SYSTEM))

    def targets(self, path: str, library: str) -> Tuple[str, ...]:
        """List the members that provide `library` to the file at `path`, in whichever process."""
        return self.several.get((path, library), (self.provider(path, library).target,))

    def closures(self, path: str) -> List[Process]:
        """List the processes that a member is loaded into."""
        return [process for process in self.processes if path in process.members]


def simulate(
    elfs: Iterable[ElfFile], libc: str, arch: str, distribution: str, paths: Iterable[str] = ()
) -> Loading:
    """Load every root of a wheel.

    `distribution` is the `NAME-VERSION` of its .data folder; `paths` are its other members, whose
    folders are there too.
    """
    world = _World({elf.path: elf for elf in elfs}, libc, arch, distribution, paths)
    runs = [_Run(world, path) for path in world.roots()]
    visited: Set[str] = {path for run in runs for path in run.loader}
    for path in world.files:
        # What no root reaches, as two libraries that need each other, is opened by name.
        if path not in visited:
            runs.append(_Run(world, path))
            visited.update(runs[-1].loader)
    processes = tuple(run.process() for run in runs)
    return Loading(_merge(world, runs), processes, _several(runs))


class _World:
    """The files of one architecture and family, by path, name and place."""

    def __init__(
        self,
        files: Dict[str, ElfFile],
        libc: str,
        arch: str,
        distribution: str,
        paths: Iterable[str],
    ) -> None:
        self.files = files
        self.libc = libc
        self.arch = arch
        self.places = {path: install_path(path, distribution) for path in files}
        self.at = {place: path for path, place in self.places.items()}
        self.named: Dict[str, str] = {}
        for path in sorted(files, reverse=True):
            self.named[files[path].name] = path
        for path in sorted(files, reverse=True):
            self.named[files[path].soname or files[path].name] = path
        self._folders = {(root, "") for root in ("site", "scripts", "data", "headers")}
        for place in (install_path(path, distribution) for path in (*paths, *files)):
            folder = posixpath.dirname(place.path)
            while folder and (place.root, folder) not in self._folders:
                self._folders.add((place.root, folder))
                folder = posixpath.dirname(folder)
        self._searched = {path: self._search_path(elf) for path, elf in files.items()}

    def roots(self) -> List[str]:
        """List what is entered from outside: modules, programs, and what no file asks for."""
        asked = {name for elf in self.files.values() for name in elf.needed}
        return [
            path
            for path, elf in self.files.items()
            if elf.extension_module
            or elf.executable
            or not asked.intersection((elf.name, elf.soname or elf.name))
        ]

    def loaded_before(self, name: str) -> bool:
        """Whether every process has the system's library of that name, so that no copy counts."""
        return self.libc != MUSL and name in GLIBC_OWN

    def _search_path(self, elf: ElfFile) -> Tuple[InstallPath, ...]:
        """Expand the folders of the wheel that a file's own RPATH or RUNPATH names, in order."""
        entries = elf.runpath or elf.rpath
        if self.libc == MUSL and not all(map(_EXPANDS.fullmatch, entries)):
            return ()  # one variable that musl does not know voids the whole path
        place = self.places[elf.path]
        folders: Dict[InstallPath, None] = {}
        for entry in entries:
            match = _ORIGIN.fullmatch(entry)
            folder = match and self._walk(place, match.group("rest"))
            if folder is not None:
                folders[InstallPath(place.root, folder)] = None
        return tuple(folders)

    def _walk(self, place: InstallPath, rest: str) -> Optional[str]:
        """Follow a path from a file's folder as the kernel does: each step must be there."""
        folder = posixpath.dirname(place.path)
        for step in filter(lambda step: step not in ("", "."), rest.split("/")):
            if step == ".." and not folder:
                return None
            folder = posixpath.dirname(folder) if step == ".." else posixpath.join(folder, step)
            if (place.root, folder) not in self._folders:
                return None
        return folder

    def find(self, chain: List[str], name: str) -> Optional[str]:
        """Search for `name` as the loader does for the first file of `chain`, its loader next."""
        requester = self.files[chain[0]]
        if self.libc != MUSL and requester.runpath:
            chain = chain[:1]
        for path in chain:
            if self.libc != MUSL and path != chain[0] and self.files[path].runpath:
                continue
            for folder in self._searched[path]:
                candidate = InstallPath(folder.root, posixpath.join(folder.path, name))
                if candidate in self.at:
                    return self.at[candidate]
        return None


class _Run:
    """One root's breadth-first load."""

    def __init__(self, world: _World, root: str) -> None:
        self.world = world
        self.root = root
        # Each loaded member, in load order, with the one that pulled it in.
        self.loader: Dict[str, str] = {root: ""}
        self.edges: Dict[Tuple[str, str], Edge] = {}
        self._names: Dict[str, str] = {}
        self._remember(root, "")
        queue = [root]
        for path in queue:
            for name in world.files[path].needed:
                target = self._load(path, name)
                if target and target not in self.loader:
                    self.loader[target] = path
                    queue.append(target)
        for path in queue:
            for need in world.files[path].versions_needed:
                self.edges.setdefault((path, need.library), self._present(need.library))

    def process(self) -> Process:
        outside = {
            name
            for (_, name), edge in self.edges.items()
            if edge.kind in (SYSTEM, BY_NAME_ONLY, PATH)
        }
        resolved = {edge.target for edge in self.edges.values() if edge.kind == INTERNAL}
        return Process(self.root, tuple(self.loader), frozenset(outside), frozenset(resolved))

    def _remember(self, path: str, name: str) -> None:
        soname = self.world.files[path].soname
        # musl knows a library by the name that it was asked for alone.
        for known in (name, soname if self.world.libc != MUSL else None):
            if known:
                self._names.setdefault(known, path)

    def _load(self, path: str, name: str) -> Optional[str]:
        edge = self._resolve(path, name)
        self.edges[path, name] = edge
        if edge.kind != INTERNAL:
            return None
        self._remember(edge.target, name)
        return edge.target

    def _resolve(self, path: str, name: str) -> Edge:
        if "/" in name:
            return Edge(PATH)
        known = self._known(name)
        if known:
            return known
        chain, loader = [path], self.loader[path]
        while loader:
            chain.append(loader)
            loader = self.loader[loader]
        target = self.world.find(chain, name)
        return Edge(INTERNAL, target) if target else self._outside(name)

    def _present(self, name: str) -> Edge:
        return self._known(name) or self._outside(name)

    def _known(self, name: str) -> Optional[Edge]:
        """Tell who provides a name without any search; None where it takes one."""
        if is_loader(self.world.libc, self.world.arch, name):
            return Edge(LOADER)
        if self.world.loaded_before(name):
            return Edge(SYSTEM)
        if name in self._names:
            return Edge(INTERNAL, self._names[name])
        return None

    def _outside(self, name: str) -> Edge:
        target = self.world.named.get(name)
        return Edge(BY_NAME_ONLY, target) if target else Edge(SYSTEM)


def _merge(world: _World, runs: List[_Run]) -> Dict[Tuple[str, str], Edge]:
    """Give each edge its worst outcome over the roots that reach it."""
    loaders = _loaders(world, runs)
    edges: Dict[Tuple[str, str], Edge] = {}
    for run in runs:
        for key, edge in run.edges.items():
            if edge.kind == BY_NAME_ONLY:
                others = loaders.get(edge.target, set()) - {run.root}
                known = edges.get(key)
                if known is None or known.kind != BY_NAME_ONLY or known.preloaded:
                    edges[key] = edge._replace(preloaded=bool(others))
            else:
                edges.setdefault(key, edge)
    return edges


def _loaders(world: _World, runs: List[_Run]) -> Dict[str, Set[str]]:
    """Collect, by member, the roots that load it by a resolved edge and are no programs."""
    loaders: Dict[str, Set[str]] = {}
    for run in runs:
        if not world.files[run.root].executable:
            for edge in run.edges.values():
                if edge.kind == INTERNAL:
                    loaders.setdefault(edge.target, set()).add(run.root)
    return loaders


def _several(runs: List[_Run]) -> Dict[Tuple[str, str], Tuple[str, ...]]:
    """Collect the edges that different roots resolve to different members."""
    targets: Dict[Tuple[str, str], Set[str]] = {}
    for run in runs:
        for key, edge in run.edges.items():
            if edge.kind == INTERNAL:
                targets.setdefault(key, set()).add(edge.target)
    return {key: tuple(sorted(found)) for key, found in targets.items() if len(found) > 1}
