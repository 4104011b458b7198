"""The end of a build: which wheel arrives, under which name, and what is said about it."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path
from typing import Any, Dict, List, Optional, Tuple

import pytest

import strict_index_samples as samples
from elfwriter import TARGETS, Elf, Symbol, write
from manyshim import build
from manyshim.audit.request import Allowance
from manyshim.audit.tags import parse_platform
from manyshim.config import Config
from manyshim.errors import InvalidWheelError, NotCompliantError, ToolError
from manyshim.options import STRICT
from manyshim.workspace import private_folder
from wheelwriter import wheel, wheel_name

NAME = wheel_name()
FOLDER = "demo-1.0.dist-info"
SO = "demo/_x.cpython-311-x86_64-linux-gnu.so"
LIBC = Symbol("malloc", "libc.so.6", "GLIBC_2.17")
INIT = Symbol("PyInit__x", defined=True)
ELF = write(Elf(needed=("libc.so.6",), symbols=(LIBC, INIT)))
NEWER = write(Elf(symbols=(Symbol("gettid", "libc.so.6", "GLIBC_2.30"), INIT)))
EXTERNAL = write(Elf(needed=("libc.so.6", "libfoo.so.1", b"lib\xff.so"), symbols=(LIBC, INIT)))
GOOD = wheel({SO: ELF})
NEW = "demo-1.0-cp311-cp311-manylinux2014_x86_64.manylinux_2_17_x86_64.whl"


def finished(
    folder: Path,
    data: bytes,
    name: str = NAME,
    **options: Any,
) -> Tuple[build.Result, bytes]:
    """Finish a wheel as the hook does; return what was said, and the one file that arrived."""
    dist = folder / "dist"
    with private_folder(str(dist)) as private:
        built = Path(private, name)
        built.write_bytes(data)
        result = build.finish(str(built), str(dist), Config(**options))
    assert os.listdir(dist) == [result.filename], "nothing else is left in the folder"
    return result, (dist / result.filename).read_bytes()


def unchanged(folder: Path, data: bytes, name: str = NAME, **options: Any) -> List[str]:
    """Require that the wheel is delivered unchanged; return the lines."""
    result, arrived = finished(folder, data, name, **options)
    assert (result.filename, arrived == data) == (name, True)
    return result.lines


def refused(folder: Path, error: type, data: bytes, name: str = NAME, **options: Any) -> str:
    """Require an error of strict that leaves no wheel; return its message."""
    with pytest.raises(error) as caught:
        finished(folder / "strict", data, name, strict=True, **options)
    assert os.listdir(folder / "strict" / "dist") == []
    assert f"(strict {STRICT})" in str(caught.value)
    return str(caught.value)


def test_retag(tmp_path: Path) -> None:
    result, data = finished(tmp_path, GOOD)
    assert result == (NEW, [f"{NAME} -> {NEW}"])
    assert data != GOOD


def test_retag_says_what_would_have_been_older(tmp_path: Path) -> None:
    result, _ = finished(tmp_path, wheel({SO: NEWER}))
    assert result.filename == NAME.replace("linux", "manylinux_2_31")
    assert "manylinux_2_28 is ruled out:" in result.lines
    assert any("gettid@GLIBC_2.30" in line and SO in line for line in result.lines)


def test_audit(tmp_path: Path) -> None:
    for strict in (False, True):
        lines = unchanged(tmp_path / str(strict), GOOD, mode="audit", strict=strict)
        assert lines[0].startswith(f"{NAME}: manylinux_2_17_x86_64 is proved; mode = audit")
    broken = wheel({SO: ELF[:99]})
    assert "ELF_CORRUPT" in str(unchanged(tmp_path / "b", broken, mode="audit", strict=True))


@pytest.mark.parametrize("data", [GOOD, b"no archive", wheel({SO: ELF[:99]})])
def test_off_looks_at_nothing(tmp_path: Path, data: bytes) -> None:
    assert unchanged(tmp_path, data, mode="off", strict=True) == []


def test_an_older_wheel_of_the_name_is_replaced(tmp_path: Path) -> None:
    dist = tmp_path / "dist"
    dist.mkdir()
    (dist / NEW).write_bytes(b"older")
    _, data = finished(tmp_path, GOOD)
    assert data[:4] == b"PK\3\4"


@pytest.mark.parametrize("payload", [{"demo/a.py": b"A = 1\n"}, {"demo/linux.so": ELF}])
@pytest.mark.parametrize(
    "platform", ["macosx_11_0_arm64", "win_amd64", "any", "ios_13_0_arm64_iphoneos"]
)
def test_other_systems_pass_through(
    tmp_path: Path, platform: str, payload: Dict[str, bytes]
) -> None:
    """A wheel for another system may well carry a Linux library as its payload."""
    tag = f"cp311-cp311-{platform}"
    data = wheel(payload, tag=tag)
    if platform == "any" and "demo/linux.so" in payload:
        assert "ELF_IN_PURE_WHEEL" in str(unchanged(tmp_path, data, wheel_name(tag=tag)))
        refused(tmp_path, NotCompliantError, data, wheel_name(tag=tag))
    else:
        assert unchanged(tmp_path, data, wheel_name(tag=tag), strict=True) == []


def test_linux_wheel_without_machine_code(tmp_path: Path) -> None:
    data = wheel({"demo/a.py": b""})
    assert "NO_ELF" in str(unchanged(tmp_path, data))
    assert "NO_ELF" in refused(tmp_path, NotCompliantError, data)


BROKEN: Dict[str, Tuple[bytes, str]] = {
    "no zip": (b"no archive at all", "not a zip file"),
    "empty": (b"", "not a zip file"),
    "truncated": (GOOD[:-30], "not a zip file"),
    "no dist-info": (samples.pack({SO: ELF}), "this one has none"),
    "two dist-info": (wheel({SO: ELF, "other-2.dist-info/WHEEL": b""}), "has 2: demo-1.0"),
    "encrypted": (samples.both(GOOD, SO, flags=1), "is encrypted"),
    "lzma": (samples.both(GOOD, SO, method=14), "method 14"),
    "no RECORD": (wheel({SO: ELF}, record=False), f"no {FOLDER}/RECORD"),
    "no WHEEL": (samples.pack({SO: ELF, f"{FOLDER}/RECORD": b""}), f"no {FOLDER}/WHEEL"),
    "WHEEL of bytes": (wheel({SO: ELF, f"{FOLDER}/WHEEL": b"\xff"}), "not UTF-8"),
    "RECORD of bytes": (wheel({SO: ELF, f"{FOLDER}/RECORD": b"\xff"}), "RECORD cannot be read"),
    "RECORD's quotes": (wheel({SO: ELF, f"{FOLDER}/RECORD": b'"a\n'}), "RECORD cannot be read"),
}


@pytest.mark.parametrize("case", BROKEN)
def test_broken_archives(tmp_path: Path, case: str) -> None:
    data, gist = BROKEN[case]
    (line,) = unchanged(tmp_path, data)
    assert line.startswith("error: ")
    assert gist in line
    assert line.endswith("; the wheel is delivered unchanged")
    assert gist in refused(tmp_path, InvalidWheelError, data)


def test_name_that_is_no_wheel_s(tmp_path: Path) -> None:
    assert "not that of a wheel" in str(unchanged(tmp_path, GOOD, "demo-1.0.whl"))


NUL_NAME = wheel({SO: ELF, "demo/a~.py": b""}).replace(b"a~.py", b"a\0.py")
NOT_COMPLIANT: Dict[str, Tuple[bytes, str]] = {
    "truncated ELF": (wheel({SO: ELF[:200]}), "ELF_CORRUPT"),
    "truncated ELF beside a good one": (wheel({SO: ELF, "demo/b.so": ELF[:200]}), "ELF_CORRUPT"),
    "climbing name": (wheel({SO: ELF, "../evil.py": b""}), "BAD_PATH"),
    "climbing inside": (wheel({SO: ELF, "demo/../../evil.py": b""}), "BAD_PATH"),
    "absolute name": (wheel({SO: ELF, "/etc/evil": b""}), "BAD_PATH"),
    "drive": (wheel({SO: ELF, "C:/evil": b""}), "BAD_PATH"),
    "NUL in a name": (NUL_NAME, "BAD_PATH"),
    "climbing without ELF": (wheel({"../evil.py": b""}), "BAD_PATH"),
    "twice": (wheel([(SO, ELF), ("demo/a.py", b"1"), ("demo/a.py", b"2")]), "DUP_MEMBER"),
    "symbolic link": (
        wheel({SO: ELF, "demo/l.so": b"x.so"}, modes={"demo/l.so": stat.S_IFLNK | 0o777}),
        "SYMLINK_MEMBER",
    ),
    "two machines": (wheel({SO: ELF, "demo/b.so": write(TARGETS["aarch64"])}), "MIXED_ARCH"),
    "cut payload": (samples.both(GOOD, SO, compressed=9), "ELF_CORRUPT"),
}


@pytest.mark.parametrize("case", NOT_COMPLIANT)
def test_what_is_wrong_is_named(tmp_path: Path, case: str) -> None:
    data, kind = NOT_COMPLIANT[case]
    lines = unchanged(tmp_path, data)
    assert lines[0].startswith(f"{NAME} stays as it is: ")
    assert any(line.startswith("error: ") and f"[{kind}]" in line for line in lines)
    assert kind in refused(tmp_path, NotCompliantError, data)


def test_accepted_errors_are_said_and_do_not_block(tmp_path: Path) -> None:
    data, kind = NOT_COMPLIANT["two machines"]
    result, _ = finished(tmp_path, data, strict=True, allow=(Allowance(kind, "demo/*"),))
    assert result.filename == NEW
    assert any("(allowed)" in line for line in result.lines)


@pytest.mark.parametrize(
    ("asked", "written"),
    [
        ("manylinux_2_17", "manylinux2014_x86_64.manylinux_2_17_x86_64"),
        ("manylinux2014", "manylinux2014_x86_64.manylinux_2_17_x86_64"),
        ("manylinux_2_28", "manylinux_2_28_x86_64"),
        ("manylinux_2_39_x86_64", "manylinux_2_39_x86_64"),
        ("manylinux_2_12", None),
        ("manylinux_2_28_aarch64", None),
        ("musllinux_1_2", None),
    ],
)
def test_platform_requests(tmp_path: Path, asked: str, written: Optional[str]) -> None:
    platform = parse_platform(asked)
    if written is None:
        assert asked in unchanged(tmp_path, GOOD, platform=platform)[0]
        assert asked in refused(tmp_path, NotCompliantError, GOOD, platform=platform)
    else:
        result, _ = finished(tmp_path, GOOD, platform=platform, strict=True)
        assert result.filename == f"demo-1.0-cp311-cp311-{written}.whl"


def reported(folder: Path, data: bytes, name: str = NAME, **options: Any) -> Dict[str, Any]:
    path = folder / "report.json"
    finished(folder, data, name, report=str(path), **options)
    assert sorted(os.listdir(folder)) == ["dist", "report.json"], "no part of it is left"
    text = path.read_text("utf-8")
    assert text.endswith("\n")
    report = json.loads(text)
    assert (report["version"], len(report["wheels"])) == (2, 1)
    found: Dict[str, Any] = report["wheels"][0]
    return found


def test_report_file(tmp_path: Path) -> None:
    found = reported(tmp_path, wheel({SO: NEWER}))
    assert "Debian 11" in found.pop("runs_on")
    assert "Debian 10" in found.pop("not_on")
    findings = found.pop("findings")
    (too_new,) = (row for row in findings if row["kind"] == "TOO_NEW")
    assert found == {
        "wheel": NAME,
        "file": NAME,
        "claimed": ["linux_x86_64"],
        "arch": "x86_64",
        "libc": "glibc",
        "policy": "manylinux_2_31_x86_64",
        "tag": "manylinux_2_31_x86_64",
        "tags": ["manylinux_2_31_x86_64"],
        "reason": None,
        "external": [],
        "right_tags": [],
        "musl_minimum": None,
        "blocked": {
            "policy": "manylinux_2_28_x86_64",
            "without": "manylinux_2_5_x86_64",
            "findings": [findings.index(too_new)],
        },
        "written": NAME.replace("linux_x86_64", "manylinux_2_31_x86_64"),
        "notes": [],
        "error": None,
        "internal": False,
    }
    assert all(isinstance(too_new.pop(key), str) for key in ("message", "fix"))
    assert too_new == {
        "kind": "TOO_NEW",
        "severity": "policy",
        "path": SO,
        "policy": "manylinux_2_28_x86_64",
        "subject": "GLIBC_2.30",
        "library": "libc.so.6",
        "symbols": ["gettid"],
        "places": [],
        "allowed": False,
    }


def test_report_of_a_wheel_that_stays(tmp_path: Path) -> None:
    found = reported(tmp_path, wheel({SO: ELF[:99]}))
    assert (found["arch"], found["policy"], found["tag"], found["tags"]) == (None, None, None, [])
    assert [row["kind"] for row in found["findings"]] == ["ELF_CORRUPT"]


def test_report_of_names_that_are_no_utf8(tmp_path: Path) -> None:
    found = reported(tmp_path, wheel({SO: EXTERNAL}))
    assert found["tag"] is None
    assert "libfoo.so.1" in found["external"]
    assert len(found["external"]) == 2


def test_report_of_what_cannot_be_read(tmp_path: Path) -> None:
    """The report has `error` set and nothing else."""
    found = reported(tmp_path, b"no archive")
    assert "not a zip file" in found["error"]
    assert not any(value for key, value in found.items() if key not in ("error", "wheel", "file"))


def test_report_that_cannot_be_written(tmp_path: Path) -> None:
    with pytest.raises(ToolError, match=r"absent.report\.json: the report cannot be written"):
        finished(tmp_path, GOOD, report=str(tmp_path / "absent" / "report.json"))
    assert os.listdir(tmp_path / "dist") == []
