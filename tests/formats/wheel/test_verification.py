"""Hashes and CRCs of all members, and the rows of RECORD that a rewrite cannot copy."""

from __future__ import annotations

import hashlib
from base64 import urlsafe_b64encode
from pathlib import Path
from typing import Callable, Dict, NamedTuple, Tuple

import pytest

import strict_index_samples as samples
from manyshim.formats.wheel.rewrite import Edits, rewrite
from manyshim.formats.wheel.wheel import Wheel
from rewriting import ELF, MEMBERS, PLATFORMS, RECORD, SO, WHEEL, built, contents, without_row
from strict_index import problems
from wheelwriter import wheel, wheel_name

TEXT = "demo/__init__.py"


def hashed(algorithm: str, data: bytes) -> str:
    """Return a hash as RECORD writes it."""
    digest = hashlib.new(algorithm, data).digest()
    return f"{algorithm}={urlsafe_b64encode(digest).rstrip(b'=').decode()}"


def row(path: str, digest: str = "", size: str = "") -> Callable[[str], str]:
    """Return an edit of RECORD that replaces the row of a member."""
    new = f"{path},{digest},{size or len(MEMBERS.get(path, b''))}\n"

    def edit(text: str) -> str:
        lines = text.splitlines(keepends=True)
        return "".join(new if line.startswith(f"{path},") else line for line in lines)

    return edit


def last(line: str) -> Callable[[str], str]:
    """Return an edit of RECORD that adds a row at the end."""
    return lambda text: f"{text}{line}\n"


WRONG = hashed("sha256", b"other")


class Case(NamedTuple):
    """An edit of RECORD; the members with a wrong and with a weak hash; what is corrected."""

    edit: Callable[[str], str]
    wrong: Tuple[str, ...] = ()
    weak: Tuple[str, ...] = ()
    corrections: str = ""


CASES: Dict[str, Case] = {
    "as built": Case(str),
    "sorted": Case(lambda text: "".join(sorted(text.splitlines(keepends=True)))),
    "CRLF": Case(lambda text: text.replace("\n", "\r\n")),
    "wrong hash": Case(row(TEXT, WRONG), (TEXT,)),
    "wrong hash in another order": Case(
        lambda text: "".join(sorted(row(SO, WRONG)(text).splitlines(keepends=True))), (SO,)
    ),
    "padded hash": Case(row(TEXT, hashed("sha256", MEMBERS[TEXT]) + "="), (TEXT,)),
    "wrong hash and size": Case(row(TEXT, WRONG, "7"), (TEXT,), (), "1 size corrected"),
    "wrong size": Case(row(TEXT, hashed("sha256", MEMBERS[TEXT]), "7"), (), (), "1 size corrected"),
    "no hash": Case(row(TEXT), (), (), "1 hash corrected"),
    "row missing": Case(without_row, (), (), "1 row added"),
    "surplus row": Case(last("demo/ghost.py,sha256=x,1"), (), (), "1 row removed"),
    "path in another form": Case(
        lambda text: text.replace(TEXT, f"./{TEXT}"), (), (), "1 row added, 1 row removed"
    ),
    "row twice": Case(
        last(f"{TEXT},{hashed('sha256', MEMBERS[TEXT])},{len(MEMBERS[TEXT])}"),
        *((), (), "1 row removed"),
    ),
    "the last of two rows is wrong": Case(
        last(f"{TEXT},{WRONG},{len(MEMBERS[TEXT])}"), (TEXT,), (), "1 row removed"
    ),
    "blank line": Case(lambda text: f"\n{text}", (), (), "1 blank line removed"),
    "sha512": Case(row(TEXT, hashed("sha512", MEMBERS[TEXT])), (), (), "1 hash corrected"),
    "wrong sha512": Case(row(TEXT, hashed("sha512", b"other")), (TEXT,), (), "1 hash corrected"),
    "blake2b": Case(row(TEXT, hashed("blake2b", MEMBERS[TEXT])), (), (), "1 hash corrected"),
    "sha3_256": Case(row(TEXT, hashed("sha3_256", MEMBERS[TEXT])), (), (), "1 hash corrected"),
    "wrong blake2s": Case(row(TEXT, hashed("blake2s", b"other")), (TEXT,), (), "1 hash corrected"),
    "sha224": Case(row(TEXT, hashed("sha224", MEMBERS[TEXT])), (), (TEXT,), "1 hash corrected"),
    "sha3_224": Case(row(TEXT, hashed("sha3_224", MEMBERS[TEXT])), (), (TEXT,), "1 hash corrected"),
    "upper case": Case(
        row(TEXT, hashed("sha256", MEMBERS[TEXT]).replace("sha", "SHA")),
        *((), (TEXT,), "1 hash corrected"),
    ),
    "size with zeros": Case(
        row(TEXT, hashed("sha256", MEMBERS[TEXT]), f"00{len(MEMBERS[TEXT])}"), (), (), ""
    ),
    "md5": Case(row(TEXT, hashed("md5", MEMBERS[TEXT])), (), (TEXT,), "1 hash corrected"),
    "wrong sha1": Case(row(TEXT, hashed("sha1", b"other")), (TEXT,), (TEXT,), "1 hash corrected"),
    "unknown algorithm": Case(row(TEXT, "crc=1234"), (), (TEXT,), "1 hash corrected"),
    "without a fixed length": Case(row(TEXT, "shake_128=1234"), (), (TEXT,), "1 hash corrected"),
    "own row with a hash": Case(row(RECORD, WRONG, "9"), (), (RECORD,), "1 size corrected"),
}


def opened(folder: Path, data: bytes) -> Wheel:
    path = folder / wheel_name()
    path.write_bytes(data)
    return Wheel(str(path))


@pytest.mark.parametrize("case", CASES)
def test_members_are_compared_with_their_rows(case: str, tmp_path: Path) -> None:
    edit, wrong, weak, corrections = CASES[case]
    with opened(tmp_path, built(edit_record=edit)) as source:
        assert source.corrections() == corrections
        facts = source.facts(verify=True)
        assert (facts.record.wrong_hash, facts.record.weak_hash) == (wrong, weak)
        assert facts.record.wrong_crc == ()
        plain = facts._replace(record=source.facts().record)
        assert plain == facts, "reading to the end changes no other fact"


@pytest.mark.parametrize("case", CASES)
def test_a_rebuilt_record_is_that_of_the_archive(case: str, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    with opened(tmp_path, built(edit_record=CASES[case].edit)) as source:
        source.facts(verify=True)
        source.rebuild_record()
        path = Path(rewrite(source, str(tmp_path / "out"), Edits(PLATFORMS)))
    assert problems(path.name, path.read_bytes()) == []
    with Wheel(str(path)) as result:
        record = result.facts(verify=True).record
        assert not any(record), record
        assert result.in_order
    plain = tmp_path / "plain"
    plain.mkdir()
    with opened(plain, built()) as source:
        expected = Path(rewrite(source, str(plain), Edits(PLATFORMS)))
    assert contents(path.read_bytes())[RECORD] == contents(expected.read_bytes())[RECORD]


def test_all_hashes_are_rebuilt_from_one_reading(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    with opened(tmp_path, built(edit_record=row(TEXT, WRONG))) as source:
        source.facts(verify=True)
        source.rebuild_record()
        assert source.rebuilt == (TEXT,)
        assert source.corrections() == "1 hash corrected"
        assert set(source.digests) == {TEXT}
        rewrite(source, str(tmp_path / "out"), Edits(PLATFORMS))


@pytest.mark.parametrize("damage", [b"print(41)", b"xxxxxxxxx"])
def test_a_member_that_is_damaged(damage: bytes, tmp_path: Path) -> None:
    data = built(compress=False)
    assert data.count(b"print(42)") == 1
    with opened(tmp_path, data.replace(b"print(42)", damage)) as source:
        record = source.facts(verify=True).record
    script = "demo-1.0.data/scripts/tool"
    assert (record.wrong_crc, record.wrong_hash) == ((script,), (script,))


def test_a_member_whose_header_is_missing(tmp_path: Path) -> None:
    with opened(tmp_path, samples.patched(built(), 0, "<I", 0)) as source:
        facts = source.facts(verify=True)
    assert facts.record.wrong_crc == (TEXT,)
    assert [one.path for one in facts.unreadable] == [TEXT]


def test_signatures_have_no_row(tmp_path: Path) -> None:
    signatures = {f"{RECORD}.jws": b"{}", f"{RECORD}.p7s": b"signed"}
    with opened(tmp_path, built(signatures, edit_record=_without_signatures)) as source:
        record = source.facts(verify=True).record
        assert (record.unlisted, record.wrong_hash, source.corrections()) == ((), (), "")
    with opened(tmp_path, built(signatures)) as source:
        assert source.corrections() == "2 rows removed"
        assert not source.facts(verify=True).record.wrong_hash


def _without_signatures(text: str) -> str:
    return "".join(one for one in text.splitlines(keepends=True) if f"{RECORD}." not in one)


def test_folders_have_no_row(tmp_path: Path) -> None:
    with opened(tmp_path, built({"demo/": b"", "demo/sub/": b""})) as source:
        assert source.corrections() == ""
        assert not any(source.facts(verify=True).record)
    listed = built({"demo/sub/": b""}, edit_record=last("demo/sub/,,"))
    with opened(tmp_path, listed) as source:
        assert source.corrections() == "1 row removed"


@pytest.mark.parametrize("stated", [b"old", b"last"])
def test_of_a_name_that_occurs_twice_the_last_counts(stated: bytes, tmp_path: Path) -> None:
    pairs = [("demo/a.py", b"old"), (SO, ELF), ("demo/a.py", b"last")]
    digest = hashed("sha256", stated)
    data = wheel(pairs, edit_record=last(f"demo/a.py,{digest},{len(stated)}"))
    with opened(tmp_path, data) as source:
        wrong = source.facts(verify=True).record.wrong_hash
    assert wrong == (() if stated == b"last" else ("demo/a.py",))


def test_without_tags_only_record_is_written(tmp_path: Path) -> None:
    text = "Wheel-Version: 1.0\r\nGenerator: x\nRoot-Is-Purelib: true\nTag: a-b-c\n\nrest\n"
    (tmp_path / "out").mkdir()
    with opened(tmp_path, built(wheel_text=text, edit_record=without_row)) as source:
        path = Path(rewrite(source, str(tmp_path / "out"), Edits(())))
    assert path.name == wheel_name()
    before = contents((tmp_path / wheel_name()).read_bytes())
    after = contents(path.read_bytes())
    assert {name for name in before if before[name] != after[name]} == {RECORD}
    assert after[WHEEL] == text.encode()
    assert SO.encode() in after[RECORD]
