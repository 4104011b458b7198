"""The lists of names against real loaders: which references without a version glibc accepts.

Small files ask for the names, and Python opens them as it opens modules (RTLD_NOW).
"""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Dict, List, Tuple

import pytest

from elfwriter import TARGETS, Symbol, write
from manyshim.audit.definitions import glibc_definitions, runtime_definitions
from manyshim.audit.policy import glibc_version
from systems import system

if TYPE_CHECKING:
    from pathlib import Path

# The system, its architecture, the type of a relocation of data (R_*_GLOB_DAT), and its glibc.
SYSTEMS = {
    "bullseye-amd64": ("x86_64", (2, 31)),
    "bookworm-amd64": ("x86_64", (2, 36)),
    "bookworm-i386": ("i686", (2, 36)),
}
GLOB_DAT = 6
OPEN = """if 1:
    import ctypes, json, os
    found = {}
    for path in json.loads(open(os.environ["PATHS"]).read()):
        try:
            ctypes.CDLL(path, mode=2)
            found[path] = ""
        except OSError as error:
            found[path] = str(error)
    print(json.dumps(found))
"""
Asked = Tuple[str, Tuple[str, ...]]

# A name, what its file needs, and whether each system's loader binds it.
CXX, GCC, RESOLV = ("libstdc++.so.6",), ("libgcc_s.so.1",), ("libresolv.so.2",)
RT = ("librt.so.1",)
FACTS: Dict[Asked, Tuple[bool, bool, bool]] = {
    # One default version, and old ones beside it.
    ("dlvsym", ()): (True, True, True),
    ("memcpy", ()): (True, True, True),
    ("fcntl", ()): (True, True, True),
    # Only an old version, which is of the oldest node: 2.2.5, or 2.0 on i686.
    ("__malloc_hook", ()): (True, True, True),
    ("sys_errlist", ()): (True, True, True),
    # Only an old version, of a later node.
    ("__exp_finite", ()): (False, False, False),
    ("pthread_mutex_consistent_np", ()): (True, False, False),
    ("xdr_u_longlong_t", ()): (True, True, False),
    # New ones.
    ("preadv2", ()): (True, True, True),
    ("arc4random", ()): (False, True, True),
    # In another library, or moved into libc in 2.34.
    ("dn_expand", ()): (False, True, True),
    ("dn_expand", RESOLV): (False, True, True),
    ("aio_read", ()): (False, True, True),
    ("aio_read", RT): (True, True, True),
    ("ns_name_ntol", ()): (False, False, False),
    ("ns_name_ntol", RESOLV): (True, True, True),
    # libstdc++ and libgcc_s are loaded only if something needs them.
    ("_ZNSt8ios_base4InitC1Ev", ()): (False, False, False),
    ("_ZNSt8ios_base4InitC1Ev", CXX): (True, True, True),
    ("_Unwind_Resume", ()): (False, False, False),
    ("_Unwind_Resume", GCC): (True, True, True),
    ("_Unwind_Resume", CXX): (True, True, True),
    # Nobody's.
    ("nosuch", CXX): (False, False, False),
}


def opened(name: str, asked: List[Tuple[List[str], Tuple[str, ...]]], folder: Path) -> List[str]:
    """Return the errors of a system's Python, which opens files that ask for names."""
    arch = SYSTEMS[name][0]
    paths = []
    for number, (symbols, needed) in enumerate(asked):
        elf = replace(
            TARGETS[arch],
            needed=needed,
            symbols=(*map(Symbol, symbols), Symbol("answer", defined=True)),
            relocations=".rela.dyn" if arch == "x86_64" else ".rel.dyn",
            relocation_type=GLOB_DAT,
        )
        paths.append(folder / f"lib{number}.so")
        paths[-1].write_bytes(write(elf))
    (folder / "paths").write_text(json.dumps(list(map(str, paths))))
    found = json.loads(system(name).run(OPEN, environ={"PATHS": str(folder / "paths")}))
    return [found[str(path)] for path in paths]


def listed(name: str, symbol: str, needed: Tuple[str, ...]) -> bool:
    """Whether the lists say that a system has a name."""
    arch, glibc = SYSTEMS[name]
    loaded = {"libc.so.6", "libm.so.6", *needed, *(GCC if needed == CXX else ())}
    found = [*glibc_definitions(arch).get(symbol, ())]
    found += runtime_definitions(arch, [symbol]).get(symbol, ()) if needed else ()
    return any(
        one.library in loaded and (glibc_version(one.version) or (2, 0)) <= glibc for one in found
    )


@pytest.mark.parametrize("name", SYSTEMS)
def test_a_name_is_bound_as_the_lists_say(name: str, tmp_path: Path) -> None:
    expected = [row[list(SYSTEMS).index(name)] for row in FACTS.values()]
    errors = opened(name, [([symbol], needed) for symbol, needed in FACTS], tmp_path)
    assert [not error for error in errors] == expected
    assert [error for error in errors if error and "undefined symbol" not in error] == []
    # A name that newer releases do not give is in no list, although an old release has it.
    given_up = [asked for asked, row in FACTS.items() if row[0] and not all(row[1:])]
    said = [listed(name, *asked) for asked in FACTS if asked not in given_up]
    assert said == [yes for asked, yes in zip(FACTS, expected) if asked not in given_up]


@pytest.mark.parametrize("name", SYSTEMS)
def test_all_names_of_the_list_are_bound(name: str, tmp_path: Path) -> None:
    arch = SYSTEMS[name][0]
    names = [one for one in glibc_definitions(arch) if listed(name, one, ())]
    assert len(names) > 3000
    assert opened(name, [(names, ())], tmp_path) == [""]
