"""What `retag` and the hook write is a good archive, whatever came in."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path
from typing import Callable, Dict, List

import pytest

import needs
import strict_index_samples as samples
from manyshim import build, config, retagging
from manyshim.workspace import private_folder
from rewriting import ELF, RECORD, SO, built, contents
from strict_index import problems
from wheelwriter import wheel, wheel_name

Edit = Callable[[str], str]
LISTED = f"{RECORD}.jws"


def packed(**options: object) -> bytes:
    return samples.pack(contents(built()), **options)  # type: ignore[arg-type]


def stamped(info: zipfile.ZipInfo) -> None:
    info.comment, info.extra = b"a comment", b"UT\x05\x00\x01" + bytes(4)


def padded() -> bytes:
    """Return a wheel with bytes before its last member."""
    members = contents(built())
    last = members.popitem()

    def finish(archive: zipfile.ZipFile) -> None:
        assert archive.fp is not None
        archive.fp.seek(archive.start_dir)
        archive.fp.write(bytes(4))
        archive.start_dir += 4
        archive.writestr(*last)

    return samples.pack(members, finish=finish)


def needless_zip64() -> bytes:
    """Return a wheel with zip64 sizes that no field asks for."""
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w") as archive:
        for path, data in contents(built()).items():
            with archive.open(zipfile.ZipInfo(path), "w", force_zip64=True) as member:
                member.write(data)
    return sink.getvalue()


def record(edit: Edit) -> Callable[[], bytes]:
    return lambda: built(edit_record=edit)


def row(edit: Edit) -> Callable[[], bytes]:
    """Return a wheel with another row for its extension module."""

    def change(text: str) -> str:
        lines = text.splitlines(keepends=True)
        return "".join(edit(line) if line.startswith(f"{SO},") else line for line in lines)

    return record(change)


def twice(data: bytes) -> Callable[[], bytes]:
    """Return a wheel with one more member of a name that it has."""
    return lambda: wheel([(SO, data), ("demo/a.py", b"A = 1\n"), (SO, ELF)], edit_record=once)


def once(text: str) -> str:
    """Drop the first row of RECORD."""
    return text.partition("\n")[2]


def tagged(lines: str) -> Callable[[], bytes]:
    return lambda: built(wheel_text=f"Wheel-Version: 1.0\nRoot-Is-Purelib: false\n{lines}\n")


SOURCES: Dict[str, Callable[[], bytes]] = {
    "good": built,
    "data descriptors": lambda: packed(sink=samples.Pipe()),
    "needless zip64 sizes": needless_zip64,
    "comments and extra fields": lambda: packed(stamp=stamped),
    "prefix": lambda: b"#!/bin/sh\n" + built(),
    "padding": padded,
    "trailing bytes": lambda: built() + b"more",
    "stale local CRC": lambda: samples.local(built(), SO, crc=5),
    "stale local sizes": lambda: samples.local(built(), SO, size=5, compressed=5),
    "stale local method": lambda: samples.local(built(), SO, method=0),
    "flag for UTF-8": lambda: samples.both(built(), SO, flags=0x800),
    "flags of the compression level": lambda: samples.both(built(), SO, flags=6),
    "folder entries": lambda: built({"demo/": b"", "demo/sub/": b""}),
    "member twice, same contents": twice(ELF),
    "member twice, other contents": twice(b"VALUE"),
    "folded Tag": tagged("Tag:\n cp311-cp311-linux_x86_64"),
    "Tag that is not expanded": tagged("Tag: cp311.cp312-cp311-linux_x86_64"),
    "no Tag": tagged("Generator: none"),
    "RECORD: CRLF": record(lambda text: text.replace("\n", "\r\n")),
    "RECORD: byte order mark": record(lambda text: f"\ufeff{text}"),
    "RECORD: blank lines": record(lambda text: f"\n{text}\n\n"),
    "RECORD: two columns": row(lambda line: line.rpartition(",")[0] + "\n"),
    "RECORD: four columns": row(lambda line: line.rstrip() + ",\n"),
    "RECORD: a row twice": row(lambda line: line * 2),
    "RECORD: no size": row(lambda line: line.rpartition(",")[0] + ",\n"),
    "RECORD: absent file": record(lambda text: f"demo/gone.py,,\n{text}"),
    "RECORD: own hash": record(lambda text: text.replace("RECORD,,", "RECORD,sha256=A,1")),
    "RECORD: signature": lambda: built({LISTED: b"{}"}),
}


@pytest.mark.parametrize("case", SOURCES)
def test_retag_writes_a_good_archive(case: str, tmp_path: Path) -> None:
    source = tmp_path / wheel_name()
    source.write_bytes(SOURCES[case]())
    out = tmp_path / "out"
    out.mkdir()
    done = retagging.retag(str(source), str(out), settings(tmp_path))
    assert [line.text for line in done.lines if done.code] == []
    assert complaints(out) == []


@pytest.mark.parametrize("case", SOURCES)
def test_a_build_writes_a_good_archive(case: str, tmp_path: Path) -> None:
    dist = tmp_path / "dist"
    with private_folder(str(dist)) as private:
        source = Path(private, wheel_name())
        source.write_bytes(SOURCES[case]())
        build.finish(str(source), str(dist), settings(tmp_path))
    assert complaints(dist) == []


def settings(folder: Path) -> config.Config:
    """Return the options of a build, which accept a member that is there twice."""
    (folder / "pyproject.toml").write_text('[tool.manyshim]\nallow = ["DUP_MEMBER:*"]\n')
    return config.load({}, {}, str(folder))


def complaints(folder: Path) -> List[str]:
    """Return what the strict index, zipfile and installer say about the one wheel in a folder."""
    needs.module("installer")
    from installer.sources import WheelFile

    (path,) = folder.glob("*.whl")
    found = problems(path.name, path.read_bytes())
    with zipfile.ZipFile(path) as archive:
        found += [str(archive.testzip() or "")]
    with WheelFile.open(path) as source:
        try:
            source.validate_record(validate_contents=True)
        except source.validation_error as error:
            found += [str(error)]
    return [one for one in found if one]
