"""Small libraries in folders, and searches for them."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any, Optional

from elfwriter import TARGETS, write
from manyshim.repair.search import Found, Requester, Search

NAME = "libx.so.1"


def put(path: Path, arch: str = "x86_64", **changes: Any) -> Path:
    """Write a library for an architecture; without `changes` it needs no libc."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(write(replace(TARGETS[arch], soname=path.name, **changes)))
    return path


def text(path: Path, content: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content, encoding="utf-8")


def make_requester(path: object = "", rpath: str = "", runpath: Optional[str] = None) -> Requester:
    return Requester(
        str(path),
        tuple(rpath.split(":")) if rpath else (),
        () if runpath is None else tuple(runpath.split(":")),
    )


def below(root: Path, found: Optional[Found]) -> Optional[str]:
    """Return the path of the accepted file, relative to a folder."""
    return found and str(Path(found.path).relative_to(root))


def search_sysroot(root: Path, arch: str = "x86_64", libc: str = "glibc", **options: Any) -> Search:
    return Search(arch, libc, native=False, sysroot=str(root), **options)


def make_folders(root: Path) -> Path:
    for folder in "abcd":
        put(root / folder / NAME)
    (root / "e").mkdir()
    return root


def path_of(root: Path, folders: str) -> str:
    return re.sub(r"[a-e]", lambda match: str(root / match.group()), folders)
