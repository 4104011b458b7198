"""A new wheel is only kept if the disk holds what was written."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Callable, Dict, List

import pytest

from manyshim.errors import ToolError
from manyshim.formats.zip.archive import Archive
from rewriting import RECORD, SO, WHEEL, built, rewritten

if TYPE_CHECKING:
    from pathlib import Path


def header(name: str, offset: int) -> Callable[[str], int]:
    """Find a byte of a member's local header."""

    def place(path: str) -> int:
        with Archive(path) as archive:
            return next(one.offset for one in archive.entries if one.name == name) + offset

    return place


def payload(name: str) -> Callable[[str], int]:
    def place(path: str) -> int:
        with Archive(path) as archive:
            return archive.payload(next(one for one in archive.entries if one.name == name))

    return place


def directory(offset: int) -> Callable[[str], int]:
    def place(path: str) -> int:
        with Archive(path) as archive:
            return archive.directory + offset

    return place


DAMAGE: Dict[str, Callable[[str], int]] = {
    "signature": header(SO, 0),
    "CRC": header(SO, 14),
    "size": header(SO, 22),
    "name": header(SO, 30),
    "name of RECORD": header(RECORD, 30),
    "WHEEL": payload(WHEEL),
    "RECORD": payload(RECORD),
    "CRC in the directory": directory(16),
    "mode in the directory": directory(38),
    "offset in the directory": directory(42),
    "name in the directory": directory(46),
    "end record": lambda path: os.path.getsize(path) - 22,
    "number of entries": lambda path: os.path.getsize(path) - 12,
    "comment": os.path.getsize,
}


@pytest.mark.parametrize("case", DAMAGE)
def test_damage_is_detected(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, case: str) -> None:
    """A disk that stores other bytes than were written."""
    synced: List[int] = []

    def damaging(descriptor: int) -> None:
        synced.append(descriptor)
        path = str(next((tmp_path / "out").iterdir()))
        place = DAMAGE[case](path)
        with open(path, "r+b") as file:
            file.seek(place)
            byte = file.read(1) or b"\0"
            file.seek(place)
            file.write(bytes([byte[0] ^ 0x40]))

    monkeypatch.setattr(os, "fsync", damaging)
    with pytest.raises(ToolError, match="is not what was written"):
        rewritten(tmp_path, built())
    assert synced
