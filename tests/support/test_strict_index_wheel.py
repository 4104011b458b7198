"""The strict index checks the dist-info files: RECORD, WHEEL, METADATA, entry points."""

from __future__ import annotations

import pytest

import strict_index_samples as samples
from strict_index import problems
from strict_index_cases import case, check
from strict_index_samples import CODE, DIST_INFO, GOOD


def test_dist_info_has_the_name_of_the_file() -> None:
    other = GOOD.replace("1.0", "1.1")
    check(other, samples.good(), f"WHEEL not found at probe-1.1.dist-info/WHEEL in {other}")


@pytest.mark.parametrize(
    ("data", "gist"),
    [
        case(
            "not UTF-8",
            samples.pack({**samples.members_for(), f"{DIST_INFO}/RECORD": b"\xff"}),
            "cannot be decoded",
        ),
        case("missing", samples.pack(samples.members_for()), "RECORD not found"),
        case("blank line", samples.record_with(lambda rows: [*rows, "\n"]), "three fields"),
        case("row missing", samples.record_with(lambda rows: rows[1:]), f"not list '{CODE}'"),
        case("itself missing", samples.record_with(lambda rows: rows[:-1]), "RECORD'"),
        case("surplus", samples.record_with(lambda rows: [*rows, "gone.py,,\n"]), "gone.py"),
        case("folder", samples.record_with(lambda rows: [*rows, "probe/,,\n"]), "'probe/'"),
        case("twice", samples.record_with(lambda rows: [rows[0], *rows]), "twice"),
        case(
            "hash",
            samples.record_with(lambda rows: [samples.record_line(CODE, b"x" * 99), *rows[1:]]),
            "hash of 'probe/__init__.py'",
        ),
        case(
            "size",
            samples.record_with(lambda rows: [rows[0].replace(",99", ",98"), *rows[1:]]),
            "size of 'probe/__init__.py'",
        ),
        case("no hash", samples.record_with(lambda rows: [f"{CODE},,\n", *rows[1:]]), "or weak"),
        case(
            "own hash",
            samples.record_with(lambda rows: [*rows[:-1], f"{DIST_INFO}/RECORD,,9\n"]),
            "for itself",
        ),
        case("CRLF", samples.record_with(lambda rows: [r.replace("\n", "\r\n") for r in rows])),
        case(
            "signed",
            samples.pack(
                {**samples.with_record(samples.members_for()), f"{DIST_INFO}/RECORD.jws": b"{}"}
            ),
        ),
        case("signature listed", samples.replaced(**{"RECORD.jws": b"{}"}), "RECORD.jws"),
    ],
)
def test_record(data: bytes, gist: str) -> None:
    check(GOOD, data, gist)


TAG = "Tag: py3-none-manylinux_2_17_x86_64\n"


def wheel_file(text: str) -> bytes:
    """Return a wheel with another WHEEL file."""
    return samples.replaced(WHEEL=text.encode("utf-8"))


@pytest.mark.parametrize(
    ("data", "gist"),
    [
        case(
            "stale", wheel_file("Wheel-Version: 1.0\nTag: py3-none-linux_x86_64\n"), "has the tag"
        ),
        case("more", wheel_file(f"Wheel-Version: 1.0\n{TAG}Tag: py3-none-any\n"), "has the tags"),
        case("none", wheel_file("Wheel-Version: 1.0\n"), "WHEEL has the tags"),
        case(
            "packed",
            wheel_file("Wheel-Version: 1.0\n" + TAG.replace("py3", "py2.py3")),
            "not expanded",
        ),
        case("future", wheel_file(f"Wheel-Version: 2.0\n{TAG}"), "unsupported Wheel-Version 2.0"),
        case("unversioned", wheel_file(TAG), "unsupported Wheel-Version None"),
        case("minor", wheel_file(f"Wheel-Version: 1.9\n{TAG}")),
        case("WHEEL", samples.replaced(WHEEL=None), f"WHEEL not found at {DIST_INFO}/WHEEL"),
        case("METADATA", samples.replaced(METADATA=None), "METADATA not found"),
        case("licence", samples.replaced(**{"licenses/LICENSE": None}), "License-File LICENSE"),
        case("no scripts", samples.replaced(**{"entry_points.txt": None})),
        case("colon", samples.replaced(**{"entry_points.txt": b"[x]\na: b\n"}), "cannot be read"),
        case(
            "script",
            samples.replaced(**{"entry_points.txt": b"[gui_scripts]\na/b = c:d\n"}),
            "invalid name in gui_scripts: 'a/b'",
        ),
        case("plugin", samples.replaced(**{"entry_points.txt": b"[plugins]\na/b = c:d\n"})),
        case(
            "two",
            samples.pack(
                samples.with_record({**samples.members_for(), "b-1.dist-info/WHEEL": b""})
            ),
            "Multiple .dist-info",
        ),
    ],
)
def test_metadata_files(data: bytes, gist: str) -> None:
    check(GOOD, data, gist)


def test_older_metadata_may_name_missing_license_files() -> None:
    metadata = b"Metadata-Version: 2.1\nName: probe\nVersion: 1.0\nLicense-File: LICENSE\n"
    members = {"METADATA": metadata, "licenses/LICENSE": None}
    assert problems(GOOD, samples.replaced(**members)) == []
