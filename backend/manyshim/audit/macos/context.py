"""What the rules for macOS and iOS share: the files, the promises, and what dyld finds."""

from __future__ import annotations

from typing import Dict, Iterator, List, Mapping, Tuple

from manyshim.audit.facts import WheelFacts
from manyshim.audit.macos.loading import Loading, simulate
from manyshim.audit.macos.promises import (
    BIG_SUR,
    Promise,
    Version,
    ios_tag,
    minimum,
    promises,
    tagged_version,
)
from manyshim.audit.nativefacts import MACOS, MachoFile, Slice
from manyshim.values import NamedTuple


class Context(NamedTuple):
    """The input of the rules.

    `loadings` are those of macOS, by architecture. `incomplete` are the files without code for an
    architecture that the tags promise, where a process of it may open them.
    """

    facts: WheelFacts
    machos: Tuple[MachoFile, ...]
    promises: Tuple[Promise, ...]
    loadings: Mapping[str, Loading]
    incomplete: Tuple[Tuple[MachoFile, Promise], ...]

    @property
    def for_macos(self) -> bool:
        """Whether a tag is for macOS."""
        return bool(self.loadings)


def context(facts: WheelFacts, machos: Tuple[MachoFile, ...]) -> Context:
    """Return the context of a wheel."""
    found = promises(facts.name)
    arches = [promise.arch for promise in found if promise.system == MACOS]
    loadings = {arch: simulate(facts, machos, arch) for arch in arches}
    incomplete = tuple(
        (file, promise)
        for file in machos
        for promise in found
        if promise.arch not in file.arches and not _left_out(file, promise.arch, loadings)
    )
    return Context(facts, machos, found, loadings, incomplete)


def _left_out(file: MachoFile, arch: str, loadings: Mapping[str, Loading]) -> bool:
    """Whether a library is there for another architecture only.

    Modules of that architecture load it, and no slice of this one asks for it: both have a library
    of their own, as the Fortran runtimes of old and new compilers.
    """
    here = loadings.get(arch)
    if here is None or file.module or file.program or file.path in here.asked:
        return False
    return any(file.path in there.reached for there in loadings.values())


def right_tags(found: Context) -> Tuple[str, ...]:
    """Return the platform tags of macOS and iOS that the files prove, sorted; empty without any.

    They are for the promised architectures that no file lacks, each with the newest release that a
    file needs. One tag stands for both architectures of macOS if it says the same about them.
    """
    newest: Dict[str, Version] = {}
    of_ios: List[str] = []
    for one in found.promises:
        lacks = any(promise == one for _, promise in found.incomplete)
        if not found.machos or lacks:
            continue
        needs = (minimum(part, one.system) for part in _slices(found, one.arch))
        oldest = max((need for need in needs if need), default=one.oldest)
        if one.system == MACOS:
            newest[one.arch] = tagged_version(oldest)
        else:
            of_ios.append(ios_tag(one, oldest))
    return tuple(sorted((*_packed(newest), *of_ios)))


def _slices(found: Context, arch: str) -> Iterator[Slice]:
    for file in found.machos:
        one = file.slice_for(arch)
        if one:
            yield one


def _packed(newest: Mapping[str, Version]) -> Iterator[str]:
    rest = dict(newest)
    if "arm64" in rest:
        rest["arm64"] = max(rest["arm64"], BIG_SUR)
    both = "x86_64" in rest and "arm64" in rest
    if both and rest["arm64"] == max(rest["x86_64"], BIG_SUR):
        rest["universal2"] = rest.pop("x86_64")
        rest.pop("arm64")
    for arch, (major, minor) in rest.items():
        yield f"macosx_{major}_{minor}_{arch}"
