"""dyld simulated inside an installed wheel: which file provides each library to each file."""

from __future__ import annotations

import posixpath
from typing import Dict, FrozenSet, Iterable, List, Optional, Set, Tuple

from manyshim.audit.facts import InstallPath, WheelFacts, install_path
from manyshim.audit.nativefacts import MACHO_PROGRAM, MACOS, Dylib, MachoFile, Slice
from manyshim.values import NamedTuple

SYSTEM_PLACES = ("/usr/lib/", "/System/")
_SYSTEM_FOLDERS = ("/usr/lib", "/System")
# For a file that was built with an older SDK, dyld also looks in /usr/lib for the last part of a
# name that it does not find (`forEachDylibFallback` in Apple's dyld). Every macOS has these there.
_FIRST_SDK_WITHOUT_FALLBACKS = (13, 0, 0)
_FALLBACKS = frozenset(
    ("libSystem.B.dylib", "libc++.1.dylib", "libc++abi.dylib", "libobjc.A.dylib", "libz.1.dylib")
)
# Each round may find files through the search paths of the files that load them. No published
# wheel needs more than three.
_MAX_ROUNDS = 8
# The search paths of a file and of those that load it.
_MAX_FOLDERS = 16

# An install folder and the path below it, or a folder of the system.
Folder = Tuple[str, str]
_OF_SYSTEM: Folder = ("system", "")


class Loading(NamedTuple):
    """What dyld finds for one architecture.

    `missing` has, by member, the libraries that it must find and does not. `reached` are the
    members that a module or a program of the scripts folder loads, and these themselves. `asked`
    are all members that a file loads. `unused` has, by member, the search paths in the folders of
    Python packages where the wheel has no file.
    """

    missing: Dict[str, Tuple[Dylib, ...]]
    reached: FrozenSet[str]
    asked: FrozenSet[str]
    unused: Dict[str, Tuple[str, ...]]


class _Node:
    """A slice at its place, with its search paths and the files that it loads."""

    def __init__(self, file: MachoFile, one: Slice, place: InstallPath) -> None:
        self.path = file.path
        self.place = place
        self.program = one.type == MACHO_PROGRAM
        self.folders: Dict[Folder, None] = {}
        self.loads: Set[str] = set()
        self.unresolved: List[Dylib] = [dylib for dylib in one.needed if not dylib.optional]
        self.module = file.module and place.root == "site"
        self.root = self.module or (self.program and place.root == "scripts")
        built = one.built_for(MACOS)
        self.falls_back = built is None or built.sdk < _FIRST_SDK_WITHOUT_FALLBACKS
        for rpath in one.rpaths[:_MAX_FOLDERS]:
            folder = self._folder(rpath)
            if folder:
                self.folders[folder] = None

    def relative(self, name: str) -> Optional[InstallPath]:
        """Return the place of a name that begins with @loader_path; None for another name."""
        begin, _, rest = name.partition("/")
        if begin == "@loader_path" or (begin == "@executable_path" and self.program):
            folder = posixpath.dirname(self.place.path)
            return InstallPath(self.place.root, posixpath.normpath(posixpath.join(folder, rest)))
        return None

    def _folder(self, rpath: str) -> Optional[Folder]:
        if rpath.startswith(SYSTEM_PLACES) or rpath in _SYSTEM_FOLDERS:
            return _OF_SYSTEM
        place = self.relative(rpath)
        return (place.root, place.path) if place else None

    def inherit(self, folders: Iterable[Folder]) -> bool:
        """Add the search paths of a file that loads this one; return whether any is new."""
        before = len(self.folders)
        for folder in folders if before < _MAX_FOLDERS else ():
            self.folders[folder] = None
        return len(self.folders) > before


def simulate(facts: WheelFacts, machos: Tuple[MachoFile, ...], arch: str) -> Loading:
    """Resolve the libraries of all slices of an architecture."""
    members: Dict[InstallPath, str] = {
        install_path(path, facts.distribution): path for path in facts.paths
    }
    nodes: Dict[str, _Node] = {}
    for file in machos:
        one = file.slice_for(arch)
        if one:
            nodes[file.path] = _Node(file, one, install_path(file.path, facts.distribution))
    waiting = list(nodes.values())
    for _ in range(_MAX_ROUNDS):
        for node in waiting:
            _resolve(node, members)
        waiting = _inherited(nodes)
        if not waiting:
            break
    missing = {node.path: tuple(node.unresolved) for node in nodes.values() if node.unresolved}
    asked = frozenset(path for node in nodes.values() for path in node.loads)
    folders = {(place.root, posixpath.dirname(place.path)) for place in members}
    unused = {path: _unused(nodes[path], folders) for path in missing}
    return Loading(missing, frozenset(_reached(nodes)), asked, unused)


def _unused(node: _Node, used: Set[Folder]) -> Tuple[str, ...]:
    """Return the search paths of a file in which only other wheels can install files."""
    found = (path for root, path in node.folders if root == "site" and (root, path) not in used)
    return tuple(path for path in found if path != "." and path.partition("/")[0] != "..")


def _resolve(node: _Node, members: Dict[InstallPath, str]) -> None:
    """Move what a file finds from its unresolved libraries to those that it loads."""
    left: List[Dylib] = []
    for dylib in node.unresolved:
        found, target = _find(node, dylib.name, members)
        if not found:
            left.append(dylib)
        elif target:
            node.loads.add(target)
    node.unresolved = left


def _find(node: _Node, name: str, members: Dict[InstallPath, str]) -> Tuple[bool, Optional[str]]:
    """Return whether a library is there, and the member that it is, if it is one."""
    if name.startswith(SYSTEM_PLACES):
        return True, None
    found, target = False, None
    place = node.relative(name)
    if place:
        found, target = place in members, members.get(place)
    elif name.startswith("@rpath/"):
        found, target = _by_search_paths(node, name[len("@rpath/") :], members)
    return found or (node.falls_back and posixpath.basename(name) in _FALLBACKS), target


def _by_search_paths(
    node: _Node, name: str, members: Dict[InstallPath, str]
) -> Tuple[bool, Optional[str]]:
    for root, folder in node.folders:
        if (root, folder) == _OF_SYSTEM and name.startswith("libswift"):
            return True, None
        there = InstallPath(root, posixpath.normpath(posixpath.join(folder, name)))
        if there in members:
            return True, members[there]
    return False, None


def _inherited(nodes: Dict[str, _Node]) -> List[_Node]:
    """Give each file the search paths of those that load it; return those that may find more."""
    changed: Dict[str, _Node] = {}
    queue = list(nodes.values())
    while queue:
        node = queue.pop()
        for path in node.loads:
            other = nodes.get(path)
            if other and other is not node and other.inherit(node.folders):
                changed[path] = other
                queue.append(other)
    return [node for node in changed.values() if node.unresolved]


def _reached(nodes: Dict[str, _Node]) -> Set[str]:
    queue = [node for node in nodes.values() if node.root]
    found = {node.path for node in queue}
    while queue:
        for path in queue.pop().loads:
            if path in nodes and path not in found:
                found.add(path)
                queue.append(nodes[path])
    return found
