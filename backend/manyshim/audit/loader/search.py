"""The dynamic loader's search, simulated inside the wheel as it lies after installation.

Sources: glibc elf/dl-load.c and elf/dl-deps.c; musl ldso/dynlink.c; ld.so(8).
"""

from __future__ import annotations

from typing import Dict, FrozenSet, Iterable, List, Mapping, Optional, Set, Tuple

from manyshim.audit.facts import ElfFile
from manyshim.audit.identity import is_loader
from manyshim.audit.loader.installed import Installed
from manyshim.audit.tags import MUSL
from manyshim.values import NamedTuple

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


_SYSTEM_EDGE = Edge(SYSTEM)
_LOADER_EDGE = Edge(LOADER)


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
        return self.edges.get((path, library), _SYSTEM_EDGE)

    def targets(self, path: str, library: str) -> Tuple[str, ...]:
        """List the members that provide `library` to the file at `path`, in whichever process."""
        return self.several.get((path, library), (self.provider(path, library).target,))


def simulate(
    elfs: Iterable[ElfFile], libc: str, arch: str, distribution: str, paths: Iterable[str] = ()
) -> Loading:
    """Load every root of a wheel.

    `distribution` is the `NAME-VERSION` of its .data folder; `paths` are its other members, whose
    folders are there too.
    """
    world = Installed({elf.path: elf for elf in elfs}, libc, arch, distribution, paths)
    runs = [_Run(world, path) for path in world.roots()]
    visited: Set[str] = {path for run in runs for path in run.loader}
    for path in world.files:
        # What no root reaches, as two libraries that need each other, is opened by name.
        if path not in visited:
            runs.append(_Run(world, path))
            visited.update(runs[-1].loader)
    processes = tuple(run.process() for run in runs)
    return Loading(_merge(world, runs), processes, _several(runs))


class _Run:
    """One root's breadth-first load."""

    def __init__(self, world: Installed, root: str) -> None:
        self.world = world
        self.root = root
        # Each loaded member, in load order, with the one that pulled it in.
        self.loader: Dict[str, str] = {root: ""}
        self.edges: Dict[Tuple[str, str], Edge] = {}
        self._names: Dict[str, Edge] = {}
        self._remember(Edge(INTERNAL, root), "")
        queue = [root]
        for path in queue:
            world.count(8 * len(world.needs[path]))
            for key in world.needs[path]:
                target = self._load(key)
                if target and target not in self.loader:
                    self.loader[target] = path
                    queue.append(target)
        for path in queue:
            world.count(8 * len(world.versions[path]))
            for key in world.versions[path]:
                if key not in self.edges:
                    self.edges[key] = self._known(key[1]) or self._outside(key[1])

    def process(self) -> Process:
        outside = {
            name
            for (_, name), edge in self.edges.items()
            if edge.kind in (SYSTEM, BY_NAME_ONLY, PATH)
        }
        resolved = {edge.target for edge in self.edges.values() if edge.kind == INTERNAL}
        return Process(self.root, tuple(self.loader), frozenset(outside), frozenset(resolved))

    def _remember(self, edge: Edge, name: str) -> None:
        soname = self.world.files[edge.target].soname
        # musl knows a library by the name that it was asked for alone.
        for known in (name, soname if self.world.libc != MUSL else None):
            if known:
                self._names.setdefault(known, edge)

    def _load(self, key: Tuple[str, str]) -> Optional[str]:
        edge = self._resolve(*key)
        self.edges[key] = edge
        if edge.kind != INTERNAL:
            return None
        self._remember(edge, key[1])
        return edge.target

    def _resolve(self, path: str, name: str) -> Edge:
        if "/" in name:
            return Edge(PATH)
        known = self._known(name)
        if known:
            return known
        chain, loader = [path], self.loader[path]
        while loader and name in self.world.holders:
            chain.append(loader)
            loader = self.loader[loader]
        target = self.world.find(chain, name)
        return Edge(INTERNAL, target) if target else self._outside(name)

    def _known(self, name: str) -> Optional[Edge]:
        """Tell who provides a name without any search; None where it takes one."""
        if is_loader(self.world.libc, self.world.arch, name):
            return _LOADER_EDGE
        if self.world.loaded_before(name):
            return _SYSTEM_EDGE
        return self._names.get(name)

    def _outside(self, name: str) -> Edge:
        target = self.world.named.get(name)
        return Edge(BY_NAME_ONLY, target) if target else _SYSTEM_EDGE


def _merge(world: Installed, runs: List[_Run]) -> Dict[Tuple[str, str], Edge]:
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


def _loaders(world: Installed, runs: List[_Run]) -> Dict[str, Set[str]]:
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
