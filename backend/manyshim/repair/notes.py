"""The lines for the user about a plan, and its values for JSON."""

from __future__ import annotations

from typing import Any, Collection, Dict, Iterator, List, Mapping, Sequence

from manyshim.audit.reasons import describe, join_names
from manyshim.errors import escape, shorten
from manyshim.formats.elf.edits import Patch
from manyshim.repair.plan import Plan
from manyshim.repair.search import ENVIRONMENT

_MAX_FILES_SHOWN = 3


def notes(plan: Plan, skipped: Sequence[str], *, dry_run: bool = False) -> List[str]:
    """Return the lines about what a plan changes, or about what it could not change.

    `skipped` are the files that were found but not accepted. A dry run changes nothing.
    """
    done = bool(plan.decision.tag) and not dry_run
    lines = [
        f"{'copies' if done else 'would copy'} {copy.library.real} as {copy.member} "
        f"({copy.library.how})"
        for copy in plan.copies
    ]
    lines += [
        f"warning: {copy.names[0]} was found through LD_LIBRARY_PATH"
        for copy in plan.copies
        if copy.library.how == ENVIRONMENT
    ]
    lines += [f"{name} is not copied: {reason}" for name, reason in sorted(plan.not_copied.items())]
    if plan.not_copied:
        lines += [f"skipped: {reason}" for reason in skipped]
    if plan.decision.tag:
        lines += [
            f"{'moved' if done else 'would move'} {old} to {new}; a launcher takes its place"
            for old, new in sorted(plan.launchers.items())
        ]
        verb = "fixed" if done else "would fix"
        copies = {copy.member: copy.patch._replace(rpath=None) for copy in plan.copies}
        names = {copy.name for copy in plan.copies}
        lines += changes({**plan.patches, **copies}, verb, names)
    elif not plan.empty:
        why = describe(plan.decision.reason, plan.decision.details)
        lines.append(f"not repaired: even with these changes, {why}")
    return list(map(escape, lines))


def changes(patches: Mapping[str, Patch], verb: str, copies: Collection[str] = ()) -> List[str]:
    """Return a line for each change of files; files with the same change share it.

    The new names of `copies` are left out, because the line of each copy has them.
    """
    files: Dict[str, List[str]] = {}
    for path, patch in sorted(patches.items()):
        new = tuple(pair for pair in patch.replace_needed if pair[1] not in copies)
        for change in _changes(patch._replace(replace_needed=new)):
            files.setdefault(change, []).append(path)
    return [
        escape(f"{verb} {join_names(tuple(paths), _MAX_FILES_SHOWN)}: {change}")
        for change, paths in files.items()
    ]


def _changes(patch: Patch) -> Iterator[str]:
    """Yield the changes of one file, in words."""
    if patch.plain_stack:
        yield "no executable stack"
    if patch.rpath is not None:
        yield f"search path {patch.rpath}" if patch.rpath else "search path removed"
    for name in patch.remove_needed:
        yield f"{name} removed from NEEDED"
    for old, new in patch.replace_needed:
        yield f"{new} instead of {old} in NEEDED"


def alternatives(plan: Plan) -> List[str]:
    """Return a line for each copy: the policy that would be met if the environment provided it."""
    met = plan.policy or "no policy"
    return [
        f"{shorten(copy.names[0])}: {met} with the copy, {other or 'no policy'} "
        "if the environment provides it (exclude)"
        for copy, other in plan.alternatives
    ]


def to_dict(plan: Plan) -> Dict[str, Any]:
    """Return a plan as values for JSON; sorted, so that equal plans give equal bytes."""
    others = {copy.member: str(other) for copy, other in plan.alternatives if other}
    return {
        "policy": str(plan.policy) if plan.policy else None,
        "copies": [
            {
                "source": copy.library.real,
                "found": copy.library.how,
                "member": copy.member,
                "sha256": copy.library.digest,
                "needed_by": list(copy.needed_by),
                "excluded": others.get(copy.member),
            }
            for copy in plan.copies
        ],
        "patches": {
            path: {
                "needed": dict(patch.replace_needed),
                "removed": list(patch.remove_needed),
                "rpath": patch.rpath,
                "stack": patch.plain_stack,
            }
            for path, patch in sorted(plan.patches.items())
        },
        "launchers": dict(sorted(plan.launchers.items())),
        "lacking": dict(sorted(plan.not_copied.items())),
    }
