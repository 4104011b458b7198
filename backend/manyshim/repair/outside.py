"""Find the libraries that stay outside of a wheel, where its files found them before a repair."""

from __future__ import annotations

from typing import Dict, FrozenSet, Iterator, Mapping, Sequence, Set, Tuple

from manyshim.audit.facts import ElfFile
from manyshim.errors import ToolError
from manyshim.formats.elf.edits import Patch
from manyshim.repair.ldso import CONFIGURED, DEFAULT
from manyshim.repair.plan import Plan
from manyshim.repair.search import Requester, Search
from manyshim.values import NamedTuple


class Outside(NamedTuple):
    """What the files of a wheel take from this machine, by the name in NEEDED.

    `names` are the libraries that the patched files still need. `places` are the paths of those
    that lie in no folder that the loader searches by itself: an RPATH or LD_LIBRARY_PATH leads to
    them. `originals` are the paths of the libraries that are copied into the wheel, if they lie in
    such a place; only the original files need them.
    """

    names: FrozenSet[str] = frozenset()
    places: Mapping[str, str] = {}
    originals: Mapping[str, str] = {}


def find_outside(elfs: Sequence[ElfFile], plan: Plan, search: Search) -> Outside:
    """Find what stays outside of a wheel with these files after the plan is carried out.

    `search` is that of this machine. `places` has no name of a file in the wheel, and no name of
    the original of a copy, also if a library outside needs it: a patched file that does not find
    its copy must not find the original instead.
    """
    members = {elf.path: elf for elf in elfs}
    in_wheel = {elf.name for elf in elfs} | {copy.name for copy in plan.copies}
    copied = {name for copy in plan.copies for name in copy.names}
    waiting = list(_needs(members, plan))
    names: Set[str] = set()
    places: Dict[str, str] = {}
    searched: Set[Tuple[str, Tuple[Requester, ...]]] = set()
    for name, chain in waiting:
        if not name or name in in_wheel or (name, chain) in searched:
            continue
        searched.add((name, chain))
        names.add(name)
        if name in places or name in copied:
            continue
        try:
            found = search.find_own(name, chain)
        except ToolError:
            continue
        if found:
            places[name] = found.path
            waiting += [
                (needed, (Requester.of(found.facts), *chain)) for needed in found.facts.needed
            ]
    return Outside(frozenset(names), places, _originals(plan, in_wheel))


def _needs(
    members: Mapping[str, ElfFile], plan: Plan
) -> Iterator[Tuple[str, Tuple[Requester, ...]]]:
    """Yield what each patched file needs, with the search paths that the original had."""
    for path, elf in members.items():
        for name in plan.patches.get(path, Patch()).applied(elf).libraries:
            yield name, (Requester.of(elf),)
    for copy in plan.copies:
        users = (members[user] for user in copy.needed_by if user in members)
        chain = tuple(map(Requester.of, (copy.library.elf, *users)))
        for name in copy.patch.applied(copy.library.elf).libraries:
            yield name, chain


def _originals(plan: Plan, in_wheel: Set[str]) -> Dict[str, str]:
    """Return the originals of copies that the loader does not find by itself.

    A name that leads to two files is left out: the search paths of the files decide.
    """
    found: Dict[str, Set[str]] = {}
    by_itself = set(in_wheel)
    for copy in plan.copies:
        how = copy.library.how
        if how in (CONFIGURED, DEFAULT) or how.startswith("ld-musl-"):
            by_itself.update(copy.names)
        for name in copy.names:
            found.setdefault(name, set()).add(copy.library.real)
    return {
        name: min(paths)
        for name, paths in found.items()
        if len(paths) == 1 and name not in by_itself
    }
