"""Plan the patches of a wheel's files, patch each, and say how the patch was made."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from elftools.common.exceptions import ELFError
from elftools.elf.elffile import ELFFile

import _evidence  # noqa: F401 (it adds the folder of the next imports to the path)
from manyshim.formats.elf.edits import Patch
from manyshim.formats.elf.image import ElfError
from manyshim.formats.elf.patch import patch_file
from manyshim.repair.verify import differences
from patchjudges import names
from patchruns import planned
from patchways import way

# Longer than the bytes that the string tables have to spare.
PREFIX = "manyshim-patched-"
_BLOCK = 1 << 16


def plan(root: str, files: Iterable[str]) -> dict[str, Patch]:
    """Return a patch for each file with a dynamic section: new names, and one more folder.

    A library that other files need gets a new name, and so do the needs. Files are paths that
    begin with a slash, below `root`.
    """
    there = {one: names(Path(root + one)) for one in files if _is_dynamic(root + one)}
    own = {os.path.basename(one) for one in there}
    renamed = own & {needed for one in there.values() for needed in one.needed}
    patches = {}
    for one, found in there.items():
        # A renamed library is not found in the system's folders, where the old name was.
        paths = (found.rpath, found.runpath, "$ORIGIN", f"$ORIGIN/{PREFIX}folder")
        patches[one] = Patch(
            replace_needed=tuple(
                (name, PREFIX + name) for name in dict.fromkeys(found.needed) if name in renamed
            ),
            soname=PREFIX + found.soname if found.soname else None,
            rpath=":".join(filter(None, paths)),
        )
    return patches


def rename(root: str, patches: Mapping[str, Patch]) -> int:
    """Give the renamed libraries their new names, and return their number.

    A link keeps the old name, because Python code may name the file.
    """
    new = {old for patch in patches.values() for old, _ in patch.replace_needed}
    count = 0
    for one in patches:
        folder, name = os.path.split(root + one)
        if name in new:
            os.rename(root + one, os.path.join(folder, PREFIX + name))
            os.symlink(PREFIX + name, root + one)
            count += 1
    return count


def examine(before: str, after: str, patch: Patch) -> dict[str, Any]:
    """Patch a file; return how it was done and what is wrong. A refused file is copied."""
    result: dict[str, Any] = {"wrong": [], "refused": ""}
    try:
        patch_file(before, after, patch)
    except ElfError as error:
        return {**result, "refused": str(error).replace(before, "").lstrip(": ")}
    result["wrong"] += differences(before, after, patch)
    expected, read = planned(names(Path(before)), patch), names(Path(after))
    if read != expected:
        result["wrong"].append(f"names: {read}, not {expected}")
    return {
        **result,
        "way": way(Path(before), Path(after)),
        "size": os.path.getsize(before),
        "growth": os.path.getsize(after) - os.path.getsize(before),
        "edited": _edited(before, after),
    }


def _is_dynamic(path: str) -> bool:
    with open(path, "rb") as file:
        try:
            elf = ELFFile(file)
        except ELFError:
            return False
        kinds = [one["p_type"] for one in elf.iter_segments()]
    return "PT_DYNAMIC" in kinds and elf["e_type"] in ("ET_DYN", "ET_EXEC")


def _edited(before: str, after: str) -> int:
    """Count the bytes of a file that another one does not have at the same offset."""
    count = 0
    with open(before, "rb") as first, open(after, "rb") as second:
        while True:
            old = first.read(_BLOCK)
            new = second.read(len(old))
            if not old:
                return count
            if old != new:
                count += sum(a != b for a, b in zip(old, new))
