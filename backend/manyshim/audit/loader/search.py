"""Simulates the search of the dynamic loader in the installed wheel.

Sources: glibc elf/dl-load.c and elf/dl-deps.c; musl ldso/dynlink.c; ld.so(8).
"""

from __future__ import annotations

from manyshim.audit.facts import ElfFile
from manyshim.audit.identity import is_loader
from manyshim.audit.loader.installed import Installed
from manyshim.audit.tags import MUSL
from manyshim.values import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Container, Dict, FrozenSet, Iterable, List, Mapping, Optional, Set, Tuple

INTERNAL = "internal"
BY_NAME_ONLY = "by name only"
SYSTEM = "system"
LOADER = "loader"
PATH = "path"


class Edge(NamedTuple):
    """Who provides one NEEDED library of a file; `target` is the member, if it is in the wheel.

    `preloaded` is for BY_NAME_ONLY: it is true if another root finds the target on a search path,
    and no program needs it.
    """

    kind: str
    target: str = ""
    preloaded: bool = False


_SYSTEM_EDGE = Edge(SYSTEM)
_LOADER_EDGE = Edge(LOADER)


class Process(NamedTuple):
    """What the loading of one root loads: `members` of the wheel, in load order, and others.

    `outside` are the needed names that no search path finds in the wheel, without the loader and,
    for musl, without musl itself. `resolved` are the members that a search path finds. `program`
    tells whether the root is a program, which loads its libraries at its start.
    """

    root: str
    members: Tuple[str, ...]
    outside: FrozenSet[str]
    resolved: FrozenSet[str]
    program: bool = False


class Loading(NamedTuple):
    """The result: who provides each (file, library), and the process of each root.

    `several` has the members that provide a library to a file, if different roots find different
    ones.
    """

    edges: Mapping[Tuple[str, str], Edge]
    processes: Tuple[Process, ...]
    several: Mapping[Tuple[str, str], Tuple[str, ...]] = {}

    def by_file(self) -> Dict[str, List[Tuple[str, str]]]:
        """Return, by file, the names that it asks for, each with the kind of its edge."""
        found: Dict[str, List[Tuple[str, str]]] = {}
        for (path, name), edge in self.edges.items():
            found.setdefault(path, []).append((name, edge.kind))
        return found

    def provider(self, path: str, library: str) -> Edge:
        """Return who provides `library` to the file at `path`."""
        # If two members have the same name, only the last one is simulated. Such an archive has an
        # error anyway (DUP_MEMBER).
        return self.edges.get((path, library), _SYSTEM_EDGE)

    def targets(self, path: str, library: str) -> Tuple[str, ...]:
        """Return the members that provide `library` to the file at `path` in any process."""
        return self.several.get((path, library), (self.provider(path, library).target,))


def simulate(  # noqa: PLR0913, PLR0917 (what a loader has to know)
    elfs: Iterable[ElfFile],
    libc: str,
    arch: str,
    distribution: str,
    paths: Iterable[str] = (),
    promised: Container[str] = (),
) -> Loading:
    """Load every root of a wheel.

    `distribution` is the `NAME-VERSION` of its .data folder. `paths` are the other members, because
    their folders exist too. `promised` are the libraries that a policy promises: the system has
    them, so a copy in the wheel that no search path finds does not matter. Raises InvalidWheelError
    if the dependencies are too many.
    """
    files = {elf.path: elf for elf in elfs}
    installed = Installed(files, libc, arch, distribution, paths, promised)
    merged = _Merged(installed.programs())
    for path in installed.roots():
        merged.add(_Run(installed, path))
    for path in installed.files:
        # A file that no root loads is a root too, such as two libraries that need each other.
        if path not in merged.visited:
            merged.add(_Run(installed, path))
    return merged.result()


class _Run:
    """The loading of one root, breadth first."""

    def __init__(self, installed: Installed, root: str) -> None:
        self.installed = installed
        self.root = root
        # Each loaded member, in load order, with the file that loaded it.
        self.loader: Dict[str, str] = {root: ""}
        self.edges: Dict[Tuple[str, str], Edge] = {}
        self._names: Dict[str, Edge] = {}
        self._remember(Edge(INTERNAL, root), "")
        queue = [root]
        for path in queue:
            installed.count(8 * len(installed.needs[path]))
            for key in installed.needs[path]:
                self._load(key, queue)
            for key in installed.auxiliary.get(path, ()):
                installed.count(8)
                if self._resolve(*key).kind == INTERNAL:
                    self._load(key, queue)
        for path in queue:
            installed.count(8 * len(installed.versions[path]))
            for key in installed.versions[path]:
                if key not in self.edges:
                    self.edges[key] = self._known(key[1]) or self._outside(key[1])

    def process(self, *, program: bool) -> Process:
        outside = {
            name
            for (_, name), edge in self.edges.items()
            if edge.kind in (SYSTEM, BY_NAME_ONLY, PATH)
        }
        resolved = {edge.target for edge in self.edges.values() if edge.kind == INTERNAL}
        members = tuple(self.loader)
        share = self.installed.share
        return Process(self.root, members, share(outside), share(resolved), program)

    def _remember(self, edge: Edge, name: str) -> None:
        soname = self.installed.files[edge.target].soname
        # musl compares the requested name only, not the soname.
        for known in (name, soname if self.installed.libc != MUSL else None):
            if known:
                self._names.setdefault(known, edge)

    def _load(self, key: Tuple[str, str], queue: List[str]) -> None:
        edge = self._resolve(*key)
        self.edges[key] = edge
        if edge.kind == INTERNAL:
            self._remember(edge, key[1])
            if edge.target not in self.loader:
                self.loader[edge.target] = key[0]
                queue.append(edge.target)

    def _resolve(self, path: str, name: str) -> Edge:
        if "/" in name:
            return Edge(PATH)
        known = self._known(name)
        if known:
            return known
        chain, loader = [path], self.loader[path]
        while loader and name in self.installed.holders:
            chain.append(loader)
            loader = self.loader[loader]
        target = self.installed.find(chain, name)
        return Edge(INTERNAL, target) if target else self._outside(name)

    def _known(self, name: str) -> Optional[Edge]:
        """Return who provides a name without a search; None if a search is needed."""
        if is_loader(self.installed.libc, self.installed.arch, name):
            return _LOADER_EDGE
        if self.installed.loaded_before(name):
            return _SYSTEM_EDGE
        return self._names.get(name)

    def _outside(self, name: str) -> Edge:
        """Return the edge of a name that no search path finds in the wheel."""
        target = self.installed.named.get(name) if name not in self.installed.promised else None
        return Edge(BY_NAME_ONLY, target) if target else _SYSTEM_EDGE


class _Merged:
    """The results of the runs so far: a wheel may have 10,000 roots, so no run is kept.

    Each edge has its worst result over the roots that load the file.
    """

    def __init__(self, programs: FrozenSet[str]) -> None:
        self.visited: Set[str] = set()
        self._programs = programs
        self._processes: List[Process] = []
        self._edges: Dict[Tuple[str, str], Edge] = {}
        self._by_name: List[Tuple[str, Tuple[str, str], Edge]] = []
        # The members that roots find for a file and a library.
        self._targets: Dict[Tuple[str, str], Set[str]] = {}
        # By member, the roots that find it on a search path and are not programs.
        self._loaders: Dict[str, Set[str]] = {}

    def add(self, run: _Run) -> None:
        program = run.root in self._programs
        self._processes.append(run.process(program=program))
        self.visited.update(run.loader)
        for key, edge in run.edges.items():
            if edge.kind == BY_NAME_ONLY:
                self._by_name.append((run.root, key, edge))
                continue
            self._edges.setdefault(key, edge)
            if edge.kind == INTERNAL:
                self._targets.setdefault(key, set()).add(edge.target)
                if not program:
                    self._loaders.setdefault(edge.target, set()).add(run.root)

    def result(self) -> Loading:
        for root, key, edge in self._by_name:
            # A program is a process of its own, so nothing is loaded before its libraries.
            before = self._loaders.get(edge.target, set()) - {root}
            others = before if root not in self._programs else set()
            known = self._edges.get(key)
            if known is None or known.kind != BY_NAME_ONLY or known.preloaded:
                self._edges[key] = edge._replace(preloaded=bool(others))
        several = {key: tuple(sorted(one)) for key, one in self._targets.items() if len(one) > 1}
        return Loading(self._edges, tuple(self._processes), several)
