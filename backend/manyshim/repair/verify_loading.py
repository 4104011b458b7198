"""Compare where the files of a wheel find their libraries before and after a repair."""

from __future__ import annotations

from typing import Dict, Iterator, List, Mapping, Optional, Tuple

from manyshim.audit.facts import WheelFacts
from manyshim.audit.loader.search import BY_NAME_ONLY, INTERNAL, Loading
from manyshim.audit.request import Request
from manyshim.audit.verdict import load
from manyshim.errors import shorten
from manyshim.formats.elf.edits import Patch
from manyshim.repair.plan import Plan

# A file of the repaired wheel, and a library that it asks for.
_Need = Tuple[str, str]


def wrong_loading(before: WheelFacts, after: WheelFacts, plan: Plan, request: Request) -> List[str]:
    """Return which libraries the files of a repaired wheel do not find where the plan says.

    A copied library must be found in its copy, and any other one where it was found before. Raises
    InvalidWheelError if the libraries depend on each other in too many ways.
    """
    members = {*before.paths, *plan.launchers.values(), *(copy.member for copy in plan.copies)}
    lost = [f"{shorten(path)} is missing" for path in sorted(members.difference(after.paths))]
    was, now = load(before, request), load(after, request)
    if was is None:
        return lost
    if now is None:
        return [*lost, "no file is left that a loader accepts"]
    copied = dict(_copied(before, plan))
    there, here = was.context.loading, now.context.loading
    return [*lost, *_wrong_copies(copied, here), *_changes(plan, copied, there, here)]


def _copied(before: WheelFacts, plan: Plan) -> Iterator[Tuple[_Need, str]]:
    """Yield what must be found in a copy, and the copy's member."""
    elfs = {elf.path: elf for elf in before.elfs}
    elfs.update((copy.member, copy.library.elf) for copy in plan.copies)
    patches = {**plan.patches, **{copy.member: copy.patch for copy in plan.copies}}
    for copy in plan.copies:
        for user in copy.needed_by:
            elf = elfs[user]
            for name in set(elf.libraries).intersection(copy.names):
                yield (plan.launchers.get(user, user), _renamed(patches, user, name)), copy.member


def _wrong_copies(copied: Mapping[_Need, str], now: Loading) -> Iterator[str]:
    for (path, name), member in sorted(copied.items()):
        if now.provider(path, name).kind != INTERNAL or now.targets(path, name) != (member,):
            where = _where(now, path, name)
            yield f"{shorten(path)} needs {shorten(name)}, which is {where}, not {shorten(member)}"


def _changes(plan: Plan, copied: Mapping[_Need, str], was: Loading, now: Loading) -> Iterator[str]:
    """Yield what files of the original wheel ask for or find in another place than before."""
    asked_now = now.by_file()
    for path, names in sorted(was.by_file().items()):
        place = plan.launchers.get(path, path)
        removed = plan.patches.get(path, Patch()).remove_needed
        wanted: Dict[str, str] = {
            _renamed(plan.patches, path, name): name for name, _ in names if name not in removed
        }
        asked = {name for name, _ in asked_now.get(place, ())}
        planned = {name for user, name in copied if user == place}
        for name in sorted(asked.symmetric_difference(wanted) - planned):
            verb = "no longer asks" if name in wanted else "asks"
            yield f"{shorten(place)} {verb} for {shorten(name)}"
        for new, name in sorted(wanted.items()):
            if new not in asked or new in planned:
                continue
            if not _is_found_again(plan, was, now, (path, name), (place, new)):
                there = _where(was, path, name), _where(now, place, new)
                yield f"{shorten(place)} needs {shorten(new)}: it was {there[0]}, now {there[1]}"


def _is_found_again(plan: Plan, was: Loading, now: Loading, before: _Need, after: _Need) -> bool:
    old, new = was.provider(*before), now.provider(*after)
    inside = old.kind in (INTERNAL, BY_NAME_ONLY)
    if not inside:
        return new.kind not in (INTERNAL, BY_NAME_ONLY)
    targets = {plan.launchers.get(one, one) for one in was.targets(*before)}
    # A search path may have been added for what was found by its name only.
    return new.kind in (INTERNAL, old.kind) and set(now.targets(*after)) == targets


def _renamed(patches: Mapping[str, Patch], path: str, name: str) -> str:
    patch: Optional[Patch] = patches.get(path)
    return dict(patch.replace_needed).get(name, name) if patch else name


def _where(loading: Loading, path: str, name: str) -> str:
    """Return where a file finds a library, in words."""
    edge = loading.provider(path, name)
    if edge.kind not in (INTERNAL, BY_NAME_ONLY):
        return "outside of the wheel"
    found = ", ".join(map(shorten, loading.targets(path, name)))
    return f"in {found}" if edge.kind == INTERNAL else f"on no search path ({found})"
