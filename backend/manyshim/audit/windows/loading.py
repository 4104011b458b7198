"""The files of a Windows wheel, and which of them its modules and programs load."""

from __future__ import annotations

import re
from typing import Dict, FrozenSet, Iterable, List, Optional, Set, Tuple

from manyshim.audit.facts import WheelFacts, install_path
from manyshim.audit.nativefacts import PeFile
from manyshim.audit.suffixes import STABLE_ABIS, parse_cpython
from manyshim.audit.tags import WheelName
from manyshim.values import NamedTuple

MACHINES = {"win32": "x86", "win_amd64": "amd64", "win_arm64": "arm64"}
# CPython 2.6 to 3.2 bring the first, 3.3 and 3.4 the second.
_MSVCR90, _MSVCR100 = "msvcr90.dll", "msvcr100.dll"
_FIRST_WITH_MSVCR100 = (3, 3)
_FIRST_WITH_UCRT = (3, 5)
# x.pyd, x_d.pyd, x.cp311-win_amd64.pyd, x.cp313t-win_amd64.pyd, x_d.cp311-win32.pyd
_SUFFIX = re.compile(r"(?:\.(cp\d+t?|pp\w+|pypy[\w-]+?|graalpy[\w-]+?)-(win32|win_\w+))?\.pyd")


TAGS = {machine: platform for platform, machine in MACHINES.items()}


class Suffix(NamedTuple):
    """The interpreter and the platform in the file name of a module; both may be empty."""

    python: str
    platform: str
    debug: bool

    @property
    def version(self) -> Optional[Tuple[int, int]]:
        """The version of CPython that the suffix names."""
        found = parse_cpython(self.python)
        return found[:2] if found else None


def parse_suffix(name: str) -> Suffix:
    """Return what the file name of a module states."""
    stem, dot, rest = name.lower().partition(".")
    match = _SUFFIX.fullmatch(dot + rest)
    debug = stem.endswith("_d")
    return Suffix(match[1] or "", match[2] or "", debug) if match else Suffix("", "", debug)


class Context(NamedTuple):
    """The input of the rules for Windows.

    `machines` are those of the tags. `oldest` is the oldest CPython of the tags, if they name one.
    `runtimes` are the C runtimes that CPythons before 3.5 bring, if the tags are for such.
    `names` are the names of all members in lower case. `reached` are the files that a module or a
    program of the scripts folder loads, and these themselves.
    """

    facts: WheelFacts
    pes: Tuple[PeFile, ...]
    machines: FrozenSet[str]
    oldest: Optional[Tuple[int, int]]
    runtimes: FrozenSet[str]
    names: FrozenSet[str]
    reached: FrozenSet[str]

    @property
    def abis(self) -> Set[str]:
        """The ABI tags in lower case."""
        return set(map(str.lower, self.facts.name.abis))

    def in_site(self, file: PeFile) -> bool:
        """Whether a file is installed where Python looks for modules."""
        return install_path(file.path, self.facts.distribution).root == "site"


def context(facts: WheelFacts, pes: Tuple[PeFile, ...]) -> Context:
    """Return the context of a wheel. Files for .NET and drivers are left out.

    The kernel loads drivers (.sys), and finds the modules of its own that they name.
    """
    judged = (file for file in pes if not (file.managed or file.name.endswith(".sys")))
    native = tuple(map(_with_extensions, judged))
    platforms = map(str.lower, facts.name.platforms)
    machines = frozenset(MACHINES[one] for one in platforms if one in MACHINES)
    names = frozenset(path.rpartition("/")[2].lower() for path in facts.paths)
    reached = frozenset(_reached(facts, native))
    pythons = _pythons(facts.name)
    oldest = min(pythons) if pythons else None
    return Context(facts, native, machines, oldest, _runtimes(facts.name), names, reached)


def _with_extensions(file: PeFile) -> PeFile:
    """Return a file whose imports all have an extension: Windows adds .dll to bare names."""
    lists = (file.imports, file.delayed)
    if all("." in name for names in lists for name in names):
        return file
    imports, delayed = (
        tuple(name if "." in name else f"{name}.dll" for name in names) for names in lists
    )
    return file._replace(imports=imports, delayed=delayed)


def right_tags(found: Context) -> Tuple[str, ...]:
    """Return the platform tags of Windows that the modules prove; empty without any.

    Without a module they are those of the name: a DLL of another machine may be data.
    """
    machines = {file.machine for file in found.pes if file.module and found.in_site(file)}
    machines = machines or (set(found.machines) if found.pes else set())
    if len(machines) > 1:
        return ()
    return tuple(TAGS[machine] for machine in machines if found.machines and machine in TAGS)


def _pythons(name: WheelName) -> Set[Tuple[int, int]]:
    tags = (parse_cpython(python.lower()) for python in name.pythons)
    return {tag[:2] for tag in tags if tag}


def _runtimes(name: WheelName) -> FrozenSet[str]:
    """Return the C runtimes that the Pythons of the tags bring, if these are old CPythons.

    A wheel for every Python 2 may have files for each CPython of its time. The stable ABI is for
    newer ones, too.
    """
    if any(python.lower() == "py2" for python in name.pythons):
        return frozenset((_MSVCR90, _MSVCR100))
    pythons = _pythons(name)
    others = any(not python.lower().startswith("cp") for python in name.pythons)
    if not pythons or others or {abi.lower() for abi in name.abis} & set(STABLE_ABIS):
        return frozenset()
    if max(pythons) < _FIRST_WITH_MSVCR100:
        return frozenset((_MSVCR90,))
    old = min(pythons) >= _FIRST_WITH_MSVCR100 and max(pythons) < _FIRST_WITH_UCRT
    return frozenset((_MSVCR100,) if old else ())


def _reached(facts: WheelFacts, pes: Iterable[PeFile]) -> Set[str]:
    """Return the members that modules and programs load. A name matches in any folder."""
    by_name: Dict[Tuple[str, str], List[PeFile]] = {}
    queue: List[PeFile] = []
    for file in pes:
        by_name.setdefault((file.machine, file.name), []).append(file)
        root = install_path(file.path, facts.distribution).root
        module = file.module and root == "site" and not parse_suffix(file.name).debug
        if module or (root == "scripts" and not file.dll):
            queue.append(file)
    found = {file.path for file in queue}
    while queue:
        file = queue.pop()
        for name in file.imports:
            # All files of one name are taken at once.
            for other in by_name.pop((file.machine, name.lower()), ()):
                if other.path not in found:
                    found.add(other.path)
                    queue.append(other)
    return found
