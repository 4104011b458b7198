"""Patterns of the options exclude and bundle that match no library, and what comes near them."""

from __future__ import annotations

import posixpath
import re
from typing import AbstractSet, Dict, Iterable, Iterator, List, Sequence, Set, Tuple

from manyshim.audit.facts import ElfFile
from manyshim.audit.names import matches
from manyshim.audit.reasons import join_names
from manyshim.errors import shorten
from manyshim.values import NamedTuple

# Many libraries have short names that differ in one letter, such as libssl and libssh.
_LONG_ENOUGH = 5
# A hostile wheel may need 500,000 names.
_MAX_COMPARED = 2000


class Pattern(NamedTuple):
    """A pattern of an option, whether it matches a library, and else the libraries near it."""

    option: str
    glob: str
    matched: bool
    near: Tuple[str, ...] = ()


def needed_names(elfs: Iterable[ElfFile]) -> Set[str]:
    """Return the names of the libraries that files need."""
    return {name for elf in elfs for name in elf.libraries}


def compared(
    option: str, globs: Sequence[str], names: AbstractSet[str], promised: AbstractSet[str]
) -> Tuple[Pattern, ...]:
    """Compare the patterns of an option with the libraries that the files of a wheel need.

    `promised` are libraries that some policy promises. Nobody needs a pattern for these, so a
    similar name is no reason to warn.
    """
    wanted = [glob for glob in globs if glob.strip("*")]
    unused = {name for name in names if not any(matches(name, glob) for glob in globs)}
    found: List[Pattern] = []
    for glob in wanted:
        if any(matches(name, glob) for name in names):
            found.append(Pattern(option, glob, matched=True))
        else:
            found.append(Pattern(option, glob, False, tuple(_near(glob, unused, promised))))
    return tuple(found)


def lines(patterns: Iterable[Pattern], *, verbose: bool = False) -> List[str]:
    """Return a line for each pattern that matches nothing in any of several wheels.

    A pattern may be meant for other wheels, so without `verbose` it has a line only if a library
    comes near it.
    """
    groups: Dict[Tuple[str, str], List[Pattern]] = {}
    for one in patterns:
        groups.setdefault((one.option, one.glob), []).append(one)
    found: List[str] = []
    for (option, glob), group in groups.items():
        near = tuple(sorted({name for one in group for name in one.near}))
        if any(one.matched for one in group) or not (near or verbose):
            continue
        text = f"{option} {shorten(glob)} matches no library"
        found.append(f"warning: {text}; near: {join_names(near)}" if near else text)
    return found


def _near(glob: str, names: AbstractSet[str], promised: AbstractSet[str]) -> Iterator[str]:
    """Yield the names that a pattern was probably meant for.

    These are names that continue it, that differ in their version, path or case, or that have a
    wrong letter.
    """
    plain = posixpath.basename(glob).lower()
    if not plain:
        return
    stem = _stem(plain)
    for name in sorted(names)[:_MAX_COMPARED]:
        text = posixpath.basename(name).lower()
        if (
            any(matches(text, f"{one}*") for one in (plain, f"lib{plain}"))
            or stem == _stem(text)
            or (name not in promised and _may_be_misspelled(plain, text))
        ):
            yield name


def _stem(name: str) -> str:
    """Return a library's name or a pattern for it without the version and without stars."""
    return name.partition(".so")[0].strip("*?")


def _may_be_misspelled(glob: str, name: str) -> bool:
    """Whether one letter is wrong, missing, surplus, or in the place of the next one.

    In a short name, that is another library unless the version is the same: libgomp.so.1 is not
    meant for libgmp.so.10. libcuda and libx265 are not meant for libcudart and libx264.
    """
    one, other = (re.sub("^lib", "", _stem(text)) for text in (glob, name))
    if one.startswith(other) or other.startswith(one) or one[0] != other[0]:
        return False
    if re.sub(r"\d+", "0", one) == re.sub(r"\d+", "0", other):
        return False
    same_version = name.partition(".so")[2] == glob.partition(".so")[2] != ""
    shortest = 3 if same_version else _LONG_ENOUGH
    return min(len(one), len(other)) >= shortest and _is_one_slip(one, other)


def _is_one_slip(one: str, other: str) -> bool:
    """Whether two different texts differ by one letter, or by the order of two."""
    start = len(posixpath.commonprefix((one, other)))
    one, other = one[start:], other[start:]
    end = len(posixpath.commonprefix((one[::-1], other[::-1])))
    one, other = one[: len(one) - end], other[: len(other) - end]
    return max(len(one), len(other)) <= 1 or (len(one) == 2 and one == other[::-1])
