"""Every tool accepts a rewritten wheel, and only WHEEL and RECORD differ from the source."""

from __future__ import annotations

import stat
import zipfile
from pathlib import Path
from typing import Any, Callable, Dict, Optional, Tuple

import pytest

import needs
import strict_index_samples as samples
from manyshim.formats.wheel.rewrite import Edits, rewrite
from manyshim.formats.wheel.wheel import Wheel
from manyshim.formats.zip.archive import Archive
from manyshim.formats.zip.deflate import Deflater
from manyshim.formats.zip.directory import numbers
from rewriting import (
    ELF,
    FOLDER,
    MEMBERS,
    MODES,
    PLATFORMS,
    RECORD,
    SO,
    WHEEL,
    built,
    contents,
    installer,
    python,
    python_zipfile,
    rewritten,
    run,
    without_row,
)
from strict_index import problems
from wheelwriter import wheel, wheel_name

NAME = "demo-1.0-cp311-cp311-manylinux2014_x86_64.manylinux_2_17_x86_64.whl"


def repacked(**options: Any) -> bytes:
    """Return the wheel as another program would have zipped it."""
    return samples.pack(contents(built()), **options)


def stamped(info: zipfile.ZipInfo) -> None:
    """Add to an entry what no wheel should have, and another time and mode."""
    info.comment, info.extra = b"comment", b"UT\x05\x00\x01" + bytes(4)
    info.date_time, info.external_attr = (2021, 7, 5, 9, 8, 6), 0o100600 << 16


def commented(archive: zipfile.ZipFile) -> None:
    archive.comment = b"comment"


def with_weak_row(text: str) -> str:
    rows = text.splitlines(keepends=True)
    return "".join(f"{SO},md5=abc,{len(ELF)}\n" if SO in row else row for row in rows)


def cp437() -> bytes:
    """Return the wheel with a name in the encoding of old DOS tools."""
    return samples.pack({**contents(built()), "demo/caf~.txt": b""}).replace(b"caf~", b"caf\x82")


def sorted_rows(text: str) -> str:
    return "".join(sorted(text.splitlines(keepends=True)))


def own_row_first(text: str) -> str:
    *rows, own = text.splitlines(keepends=True)
    return "".join((own, *rows))


SOURCES: Dict[str, Callable[[], bytes]] = {
    "plain": built,
    "stored": lambda: built(compress=False),
    "data descriptors": lambda: repacked(sink=samples.Pipe()),
    "stamped entries": lambda: repacked(stamp=stamped),
    "archive comment": lambda: repacked(finish=commented),
    "prefix": lambda: b"#!/bin/sh\n" + built(),
    "trailing bytes": lambda: built() + bytes(7),
    "non-ASCII names": lambda: built({"demo/żółw-ø.txt": b"turtle"}),
    "cp437 name": cp437,
    "odd names": lambda: built({'demo/a,b "c".txt': b"1", "demo/ d .txt": b"2"}),
    "folders": lambda: built({"demo/": b"", "demo/sub/": b""}),
    "row missing": lambda: built(edit_record=without_row),
    "row of a ghost": lambda: built(edit_record=lambda text: f"demo/ghost.py,,\n{text}"),
    "wrong size": lambda: built(edit_record=lambda text: text.replace(f",{len(ELF)}", ",7")),
    "weak hash": lambda: built(edit_record=with_weak_row),
    "blank lines": lambda: built(edit_record=lambda text: f"\n{text}\n\n"),
    "CRLF": lambda: built(edit_record=lambda text: text.replace("\n", "\r\n")),
    "rows sorted": lambda: built(edit_record=sorted_rows),
    "own row first": lambda: built(edit_record=own_row_first),
    "own row hashed": lambda: built(edit_record=lambda text: text.replace("RECORD,", "RECORD,a=b")),
    "last line not ended": lambda: built(edit_record=str.rstrip),
    "a field too many": lambda: built(edit_record=lambda text: text.replace(f",{len(ELF)}", ",7,")),
    "WHEEL first": lambda: wheel({WHEEL: contents(built())[WHEEL], **MEMBERS}, modes=MODES),
    "strange local header": lambda: samples.patched(built(), 4, "<H", 10),
    "purelib": lambda: built(purelib=True),
    "more tags": lambda: built(extra_tags=("py3-none-any",)),
    "no tags": lambda: built(wheel_text="Wheel-Version: 1.0\nRoot-Is-Purelib: true\n\n"),
    "folded tag": lambda: built(
        wheel_text="Wheel-Version: 1.0\nTag:\n cp311-cp311-linux_x86_64\nRoot-Is-Purelib: false\n"
    ),
    "lines behind the fields": lambda: built(
        wheel_text="Wheel-Version: 1.0\nRoot-Is-Purelib: false\n\nTag: py3-none-any\n"
    ),
    "line separator in WHEEL": lambda: built(
        wheel_text="Wheel-Version: 1.0\nGenerator: a\u2028Tag: b\nRoot-Is-Purelib: false\n"
    ),
    "CRLF in WHEEL": lambda: built(
        wheel_text="Wheel-Version: 1.0\r\nRoot-Is-Purelib: false\r\nTag: a-b-c\r\n"
    ),
}


# The rewrite was not asked to change this field.
PURE = ("purelib", "no tags")

CHECKS: Dict[str, Callable[[Path, Path], str]] = {
    "index": lambda path, _: "\n".join(problems(path.name, path.read_bytes())),
    "zipfile": python_zipfile,
    "installer": installer,
    "wheel": lambda path, to: python("wheel", "unpack", "-d", str(to / "unpacked"), str(path)),
}
# Tools that may be missing, with Debian's packages.
OPTIONAL = {"unzip": (["-tq"], "unzip"), "7z": (["t"], "p7zip-full")}


@pytest.mark.parametrize("case", SOURCES)
def test_checks_find_nothing(tmp_path: Path, case: str) -> None:
    path = rewritten(tmp_path, SOURCES[case]())
    assert path.name == NAME
    found = {name: check(path, tmp_path) for name, check in CHECKS.items()}
    assert {name: text for name, text in found.items() if text} == {}
    with zipfile.ZipFile(path) as archive:
        lines = archive.read(WHEEL).decode().split("\n")
        names = archive.namelist()
    tags = [f"cp311-cp311-{platform}" for platform in PLATFORMS]
    assert [line for line in lines if line.startswith("Tag: ")] == [f"Tag: {tag}" for tag in tags]
    purelib = "true" if case in PURE else "false"
    assert [line for line in lines if "Purelib" in line] == [f"Root-Is-Purelib: {purelib}"]
    assert names == list(contents(SOURCES[case]())), "order and folders stay"


@pytest.mark.parametrize("tool", OPTIONAL)
@pytest.mark.parametrize("case", SOURCES)
def test_other_tools_find_nothing(tmp_path: Path, case: str, tool: str) -> None:
    arguments, package = OPTIONAL[tool]
    program = needs.tool(tool, package)
    assert run(program, *arguments, str(rewritten(tmp_path, SOURCES[case]()))) == ""


@pytest.mark.parametrize("case", SOURCES)
def test_check_wheel_contents_finds_nothing(tmp_path: Path, case: str) -> None:
    needs.module("check_wheel_contents", "check-wheel-contents", (3, 10))
    path = str(rewritten(tmp_path, SOURCES[case]()))
    assert python("check_wheel_contents", "--no-config", path) == ""


def raw_members(path: Path) -> Dict[str, Tuple[Any, ...]]:
    """Return what a rewrite must not change, by name."""
    with Archive(str(path)) as archive:
        return {
            entry.name: (
                entry._replace(
                    form=entry.form._replace(flags=0),
                    numbers=numbers(entry.crc, entry.compressed, entry.size),
                ),
                archive.bytes_at(archive.payload(entry), entry.compressed),
            )
            for entry in archive.entries
        }


@pytest.mark.parametrize("case", SOURCES)
def test_other_members_stay_byte_for_byte(tmp_path: Path, case: str) -> None:
    path = rewritten(tmp_path, SOURCES[case]())
    before, after = raw_members(tmp_path / wheel_name()), raw_members(path)
    for name, (entry, payload) in before.items():
        if name in (WHEEL, RECORD):
            assert after[name][0].name == entry.name
            assert after[name][0].form._replace(method=0) == entry.form._replace(method=0)
        else:
            assert after[name] == (entry, payload)


@pytest.mark.parametrize("case", SOURCES)
def test_no_fast_path_changes_a_byte(tmp_path: Path, case: str) -> None:
    quick = rewritten(tmp_path, SOURCES[case]())
    (tmp_path / "slow").mkdir()
    with Wheel(str(tmp_path / wheel_name())) as opened:
        opened.in_order, opened.archive.contiguous_prefix = False, 0
        slow = rewrite(opened, str(tmp_path / "slow"), Edits(PLATFORMS))
    assert quick.read_bytes() == Path(slow).read_bytes()


def test_programs_stay_executable(tmp_path: Path) -> None:
    with zipfile.ZipFile(rewritten(tmp_path, built())) as archive:
        modes = {info.filename: info.external_attr >> 16 for info in archive.infolist()}
    assert {path: stat.S_IMODE(modes[path]) for path in MODES} == MODES


def test_equal_input_gives_equal_bytes(tmp_path: Path) -> None:
    one, other = (rewritten(tmp_path / name, built()).read_bytes() for name in ("a", "b"))
    assert one == other
    assert rewritten(tmp_path / "c", built(), level=0).stat().st_size > len(one)


@pytest.mark.parametrize(
    ("epoch", "moment"),
    [
        (None, (1980, 1, 1, 0, 0, 0)),
        (0, (1980, 1, 1, 0, 0, 0)),
        (1_700_000_001, (2023, 11, 14, 22, 13, 20)),
        (4_354_819_199, (2107, 12, 31, 23, 59, 58)),
        (4_354_819_200, (2107, 12, 31, 23, 59, 58)),
        # Milliseconds, and more than any clock takes.
        (1_700_000_000_000, (2107, 12, 31, 23, 59, 58)),
        (10**30, (2107, 12, 31, 23, 59, 58)),
    ],
)
def test_epoch(tmp_path: Path, epoch: Optional[int], moment: Tuple[int, ...]) -> None:
    with zipfile.ZipFile(rewritten(tmp_path, built(), epoch=epoch)) as archive:
        times = {info.filename: info.date_time for info in archive.infolist()}
    assert {times.pop(WHEEL), times.pop(RECORD)} == {moment}
    assert set(times.values()) == {(1980, 1, 1, 0, 0, 0)}


def test_signatures_are_kept_and_not_listed(tmp_path: Path) -> None:
    signatures = {f"{RECORD}.jws": b"{}", f"{RECORD}.p7s": b"signed"}
    path = rewritten(tmp_path, built(signatures))
    found = contents(path.read_bytes())
    assert {name: found[name] for name in signatures} == signatures
    assert b".jws" not in found[RECORD]
    assert problems(path.name, path.read_bytes()) == []


def test_build_tag_is_kept(tmp_path: Path) -> None:
    lines = "Wheel-Version: 1.0\nRoot-Is-Purelib: false\nTag: a-b-c\nBuild: 7_local\nTag: d-e-f\n"
    path = rewritten(tmp_path, built(wheel_text=lines), wheel_name(build="7_local"))
    assert path.name == NAME.replace("1.0-", "1.0-7_local-")
    tags = "".join(f"Tag: cp311-cp311-{platform}\n" for platform in PLATFORMS)
    head = "Wheel-Version: 1.0\nRoot-Is-Purelib: false\n"
    assert contents(path.read_bytes())[WHEEL].decode() == f"{head}{tags}Build: 7_local\n"


def test_machine_code_at_the_root_makes_it_impure(tmp_path: Path) -> None:
    path = rewritten(tmp_path, built(purelib=True), impure=True)
    assert b"Root-Is-Purelib: false\n" in contents(path.read_bytes())[WHEEL]


def test_a_name_that_occurs_twice_is_kept_once_with_new_files(tmp_path: Path) -> None:
    source, new = tmp_path / wheel_name(), tmp_path / "new"
    source.write_bytes(wheel([("demo/a.py", b"old"), (SO, ELF), ("demo/a.py", b"last")]))
    new.write_bytes(b"library")
    with Wheel(str(source)) as opened, Deflater(str(tmp_path / "deflated"), 6) as deflater:
        deflater.add("demo.libs/new.so", str(new))
        texts = {f"{FOLDER}/sboms/new.json": b"{}"}
        edits = Edits(PLATFORMS, files=deflater.finish(), texts=texts)
        path = Path(rewrite(opened, str(tmp_path), edits))
    assert problems(path.name, path.read_bytes()) == []
    found = contents(path.read_bytes())
    assert found["demo/a.py"] == b"last"
    assert found["demo.libs/new.so"] == b"library"
    assert found[f"{FOLDER}/sboms/new.json"] == b"{}"
