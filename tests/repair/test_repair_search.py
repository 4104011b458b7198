"""The order in which external libraries are searched, compared with the real loader."""

from __future__ import annotations

import glob
import os
import platform
import re
import subprocess
import sysconfig
from pathlib import Path
from typing import Any, Dict, List, Mapping, Optional, Tuple

import pytest

from manyshim.formats.elf.reader import read
from manyshim.formats.zip.window import Window
from manyshim.repair.search import Requester, Search
from searching import NAME, below, make_folders, make_requester, path_of, put

pytestmark = pytest.mark.skipif(os.name == "nt", reason="Windows has no such links and paths")

LOADER = "/lib64/ld-linux-x86-64.so.2"


# RPATH and RUNPATH of the file that needs the library, the same of the file that loads it,
# LD_LIBRARY_PATH, library-path, the folder that is found first, and the rule. The folders are a to
# e; e is empty. "-" means that the tag is missing.
ORDER = [
    ("a", "-", "-", "-", "c", "", "a", "RPATH of ask.so"),
    ("a", "-", "-", "-", "c", "d", "d", "library-path"),
    ("-", "b", "-", "-", "c", "", "c", "LD_LIBRARY_PATH"),
    ("-", "b", "-", "-", "", "", "b", "RUNPATH of ask.so"),
    ("a", "b", "-", "-", "c", "", "c", "LD_LIBRARY_PATH"),
    ("a", "b", "-", "-", "", "", "b", "RUNPATH of ask.so"),
    ("-", "-", "a", "-", "c", "", "a", "RPATH of load.so"),
    ("-", "-", "a", "b", "c", "", "c", "LD_LIBRARY_PATH"),
    ("-", "-", "a", "b", "", "", None, ""),
    ("-", "-", "-", "b", "", "", None, ""),
    ("-", "b", "a", "-", "", "", "b", "RUNPATH of ask.so"),
    ("-", "e", "a", "-", "", "", None, ""),
    ("e", "-", "a", "-", "", "", "a", "RPATH of load.so"),
    ("b:a", "-", "-", "-", "", "", "b", "RPATH of ask.so"),
    ("", "-", "a", "-", "", "", "a", "RPATH of load.so"),
    ("a", "", "a", "-", "", "", None, ""),
    ("-", "-", "-", "-", "e:c", "", "c", "LD_LIBRARY_PATH"),
    ("-", "-", "-", "-", "e;c", "", "c", "LD_LIBRARY_PATH"),
]
# musl treats both tags alike, inherits both, and searches LD_LIBRARY_PATH first.
MUSL_ORDER = [
    ("a", "-", "-", "-", "c", "", "c", "LD_LIBRARY_PATH"),
    ("a", "-", "-", "-", "c", "d", "d", "library-path"),
    ("a", "b", "-", "-", "", "", "b", "RUNPATH of ask.so"),
    ("-", "-", "-", "b", "", "", "b", "RUNPATH of load.so"),
    ("-", "e", "a", "-", "", "", "a", "RPATH of load.so"),
    ("-", "-", "a", "-", "", "", "a", "RPATH of load.so"),
    ("-", "-", "-", "-", "e\nc", "", "c", "LD_LIBRARY_PATH"),
    ("-", "-", "-", "-", "e;c", "", None, ""),
]


def requester(root: Path, name: str, rpath: str, runpath: str) -> Requester:
    return make_requester(
        root / name,
        "" if rpath == "-" else path_of(root, rpath),
        None if runpath == "-" else path_of(root, runpath),
    )


@pytest.mark.parametrize(
    ("libc", "row"), [*(("glibc", row) for row in ORDER), *(("musl", row) for row in MUSL_ORDER)]
)
def test_the_order(tmp_path: Path, libc: str, row: Tuple[str, ...]) -> None:
    root = make_folders(tmp_path / "w")
    rpath, runpath, loader_rpath, loader_runpath, environ, given, taken, how = row
    chain = [
        requester(root, "ask.so", rpath, runpath),
        requester(root, "load.so", loader_rpath, loader_runpath),
    ]
    search = Search(
        "x86_64",
        libc,
        native=True,
        library_path=[str(root / given)] if given else [],
        environ={"LD_LIBRARY_PATH": path_of(root, environ)},
    )
    found = search.find(NAME, chain)
    assert below(root, found) == (taken and f"{taken}/{NAME}")
    assert not found or found.how.replace(f"{root}/", "") == how
    assert search.skipped == []


@pytest.mark.skipif(
    platform.machine() != "x86_64" or not os.path.exists(LOADER),
    reason="runs glibc's loader",
)
@pytest.mark.parametrize("row", [row for row in ORDER if not row[5]])
def test_the_order_is_the_loader_s(tmp_path: Path, row: Tuple[str, ...]) -> None:
    """The same rows as files, loaded by glibc."""
    root = make_folders(tmp_path / "w")
    tags: List[Dict[str, Any]] = [
        {
            "rpath": None if rpath == "-" else path_of(root, rpath),
            "runpath": None if runpath == "-" else path_of(root, runpath),
        }
        for rpath, runpath in (row[:2], row[2:4])
    ]
    put(root / "ask.so", needed=(NAME,), **tags[0])
    top = put(root / "load.so", needed=(str(root / "ask.so"),), **tags[1])
    environ = {"LD_LIBRARY_PATH": path_of(root, row[4])}
    assert loaded(top, environ) == (row[6] and str(root / row[6] / NAME))


def loaded(top: Path, environ: Mapping[str, str]) -> Optional[str]:
    done = subprocess.run(
        [LOADER, "--list", str(top)], env=dict(environ), capture_output=True, text=True, check=False
    )
    match = re.search(rf"{re.escape(NAME)} => (/\S+) \(", done.stdout)
    return match and match.group(1)


@pytest.mark.skipif(
    platform.machine() != "x86_64" or not os.path.exists(LOADER),
    reason="runs glibc's loader",
)
def test_libraries_of_this_machine_are_found() -> None:
    """The search finds the same libraries as the loader for the interpreter's modules."""
    folder = os.path.join(sysconfig.get_path("platstdlib"), "lib-dynload")
    search = Search("x86_64", "glibc", native=True)
    for module in glob.glob(os.path.join(folder, "_*.so")):
        done = subprocess.run(
            [LOADER, "--list", module], env={}, capture_output=True, text=True, check=True
        )
        listed = dict(re.findall(r"(\S+) => (/\S+) \(", done.stdout))
        with open(module, "rb") as file:
            size = os.path.getsize(module)
            facts = read(module, Window(file, 0, size, size, 0)).facts
        queue = [(facts, [Requester(module, facts.rpath, facts.runpath)])]
        asked = set()
        for facts, chain in queue:
            for name in facts.needed:
                if name in listed and name not in asked:
                    asked.add(name)
                    found = search.find(name, chain)
                    assert found is not None, (module, name)
                    assert found.real == os.path.realpath(listed[name])
                    other = Requester(found.path, found.facts.rpath, found.facts.runpath)
                    queue.append((found.facts, [other, *chain]))
        assert asked == set(listed)


def test_a_foreign_target_does_not_search_the_host(tmp_path: Path) -> None:
    root = make_folders(tmp_path / "w")
    chain = [make_requester("", str(root / "a")), make_requester(root / "b" / "y.so", "$ORIGIN")]
    environ = {"LD_LIBRARY_PATH": str(root / "c")}
    search = Search("x86_64", "glibc", native=False, environ=environ)
    assert search.find(NAME, chain) is None
    assert search.find("libc.so.6", chain) is None
    given = Search("x86_64", "glibc", native=False, library_path=[str(root / "d")])
    found = given.find(NAME, chain)
    assert found is not None
    assert (found.path, found.how) == (str(root / "d" / NAME), "library-path")
    assert found.facts.soname == NAME
    assert search.skipped == given.skipped == []


def test_origin_is_used_inside_library_path(tmp_path: Path) -> None:
    for folder in ("lib/private", "other"):
        put(tmp_path / folder / f"lib{folder[-1]}.so")
    search = Search("x86_64", "glibc", native=False, library_path=[str(tmp_path / "lib")])
    chain = [make_requester(tmp_path / "lib" / "y.so", "$ORIGIN/private:$ORIGIN/../other")]
    assert below(tmp_path, search.find("libe.so", chain)) == "lib/private/libe.so"
    assert search.find("libr.so", chain) is None
