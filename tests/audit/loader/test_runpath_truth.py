"""Empty entries of RPATH and RUNPATH, shown by the real loaders, and as the audit judges them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, List, Optional, Tuple

import pytest

from elfvariants import read
from elfwriter import Elf, write
from loaders import GLIBC, MUSL, PROGRAM, put, start
from manyshim.audit.findings import Evidence
from manyshim.audit.request import Request
from manyshim.audit.verdict import audit
from rulefacts import elf, libc, wheel
from rulefacts import musl as musl_file

if TYPE_CHECKING:
    from pathlib import Path

    from manyshim.audit.facts import ElfFile

LIBRARY = Elf(sections=False)
STARTER = replace(PROGRAM, needed=("liba.so",))
# Search paths, and whether glibc's current folder is one of their folders.
PATHS = [("", False), (":", True), ("/nowhere:", True), (":/nowhere", True), ("/a::/b", True)]


@pytest.mark.parametrize("kind", ["rpath", "runpath"])
@pytest.mark.parametrize(("text", "current"), PATHS)
@pytest.mark.parametrize("loader", [*GLIBC, *MUSL])
def test_the_current_folder(
    loader: str,
    text: str,
    current: bool,  # noqa: FBT001
    kind: str,
    tmp_path: Path,
) -> None:
    put(tmp_path, {"program": replace(STARTER, **{kind: text}), "liba.so": LIBRARY})  # type: ignore[arg-type]
    assert start(loader, tmp_path, "program").started is (current and loader in GLIBC)


@pytest.mark.parametrize("loader", [*GLIBC, *MUSL])
def test_an_empty_runpath_replaces_the_rpath(loader: str, tmp_path: Path) -> None:
    put(tmp_path, {"program": replace(STARTER, rpath="$ORIGIN"), "liba.so": LIBRARY})
    assert start(loader, tmp_path, "program").started
    put(tmp_path, {"program": replace(STARTER, rpath="$ORIGIN", runpath="")})
    assert not start(loader, tmp_path, "program").started


def leaks(*files: ElfFile) -> List[Tuple[str, str, Optional[Evidence]]]:
    report = audit(wheel(*files), Request())
    found = [one for one in report.findings if one.kind == "RPATH_LEAK"]
    return [(one.path, one.subject, one.evidence) for one in found]


@pytest.mark.parametrize("kind", ["rpath", "runpath"])
@pytest.mark.parametrize(("text", "current"), PATHS)
def test_empty_entries(kind: str, text: str, current: bool) -> None:  # noqa: FBT001
    facts = read(write(replace(LIBRARY, **{kind: text}))).facts  # type: ignore[arg-type]
    path = getattr(facts, kind)
    empty = [(libc().path, "", Evidence.EMPTY_ENTRY)] if current else []
    absolute = [(libc().path, entry, Evidence.ABSOLUTE_ENTRY) for entry in text.split(":") if entry]
    key = str
    assert sorted(leaks(libc(**{kind: path})), key=key) == sorted(empty + absolute, key=key)
    assert leaks(musl_file(**{kind: path})) == absolute


def test_an_rpath_beside_a_runpath_is_not_read() -> None:
    assert leaks(libc(rpath=("/opt",), runpath=("",))) == []
    assert leaks(elf("pkg/liby.so", runpath=("/opt",), rpath=("/usr",))) == [
        ("pkg/liby.so", "/opt", Evidence.ABSOLUTE_ENTRY)
    ]
