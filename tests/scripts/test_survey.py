"""scripts/survey.py: its second opinion on tags, what it explains, and what it asks for."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any, Dict, List, Optional, Tuple

import pytest

from casewheels import EXT, EXT_MUSL, LIB, NEAR, PIDFD, module, musl
from datascripts import SCRIPTS
from elfwriter import Elf, Symbol, write
from wheelwriter import save, wheel

if sys.version_info < (3, 10):
    pytest.skip("the script needs Python 3.10", allow_module_level=True)

pytest.importorskip("auditwheel", reason="the second opinion uses its data")

from survey_explain import EXPLAINED, OPENED, UNEXPLAINED, explain
from survey_open import open_all, python_for
from survey_oracle import judge
from survey_page import Judged, compare, firings, tag_of
from survey_rows import Platform, platform_of

GLIBC = "demo-1.0-cp311-cp311-manylinux_2_17_x86_64.whl"
MUSL = "demo-1.0-cp311-cp311-musllinux_1_2_x86_64.whl"
OLD = Symbol("f", "liby.so", "Y_1")
NAMED = Judged([], {}, [])


@pytest.mark.parametrize(
    ("tag", "expected"),
    [
        ("cp311-cp311-manylinux_2_17_x86_64.manylinux2014_x86_64", Platform("x86_64", "glibc")),
        ("cp27-cp27mu-manylinux1_i686", Platform("i686", "glibc")),
        ("py3-none-musllinux_1_1_armv7l", Platform("armv7l", "musl")),
        ("py3-none-linux_armv6l", Platform("armv6l", "")),
        ("py3-none-macosx_11_0_arm64", Platform("", "")),
        ("py3-none-any", Platform("", "")),
    ],
)
def test_the_name_says_for_which_platform_a_wheel_is(tag: str, expected: Platform) -> None:
    assert platform_of(f"demo-1.0-{tag}.whl") == expected


@pytest.mark.parametrize(
    ("filename", "members", "tag"),
    [
        (GLIBC, {EXT: module()}, "manylinux_2_5_x86_64"),
        (GLIBC, {EXT: module(PIDFD)}, "manylinux_2_36_x86_64"),
        (GLIBC, {EXT: module(relr=True)}, "manylinux_2_36_x86_64"),
        (
            GLIBC,
            {EXT: module(PIDFD, weak_versions={("libc.so.6", "GLIBC_2.36")})},
            "manylinux_2_5_x86_64",
        ),
        (GLIBC, {EXT: module(needed=("libfoo.so.1",))}, "linux_x86_64"),
        (GLIBC, {EXT: module(Symbol("inflate_table"), needed=("libz.so.1",))}, "linux_x86_64"),
        (
            GLIBC,
            {EXT: module(OLD, needed=("liby.so",), rpath=NEAR), LIB: Elf(soname="liby.so")},
            "manylinux_2_5_x86_64",
        ),
        (
            GLIBC,
            {EXT: module(OLD, needed=("liby.so",)), LIB: Elf(soname="liby.so")},
            "linux_x86_64",
        ),
        (MUSL, {EXT_MUSL: musl("malloc")}, "musllinux_1_1_x86_64"),
        (MUSL, {EXT_MUSL: musl("malloc", "statx")}, "musllinux_1_2_x86_64"),
        (GLIBC, {EXT: module(), LIB: musl("malloc")}, "linux_x86_64"),
        (MUSL, {"demo/aarch64.so": Elf(machine=183)}, ""),
    ],
)
def test_the_second_opinion(
    filename: str, members: Dict[str, Elf], tag: str, tmp_path: Path
) -> None:
    assert judge(_saved(tmp_path, filename, members)).tag == tag


def test_an_rpath_holds_for_what_the_file_loads_and_a_runpath_does_not(tmp_path: Path) -> None:
    below = Elf(soname="liby.so", needed=("libz9.so",))
    members = {LIB: below, "demo.libs/libz9.so": Elf(soname="libz9.so")}
    inherited = {EXT: module(needed=("liby.so",), rpath=NEAR), **members}
    alone = {EXT: module(needed=("liby.so",), runpath=NEAR), **members}
    assert judge(_saved(tmp_path, GLIBC, inherited)).tag == "manylinux_2_5_x86_64"
    assert judge(_saved(tmp_path, GLIBC, alone)).reasons == ("needs libz9.so",)


@pytest.mark.parametrize(
    ("tag", "version"),
    [
        ("cp310-cp310-manylinux1_x86_64", "3.10.1"),
        ("cp36-cp36m-manylinux1_x86_64", "3.6.2"),
        ("cp32-abi3-manylinux1_x86_64", "3.6.2"),
        ("py2.py3-none-manylinux1_x86_64", "3.11.0"),
        ("cp310-none-manylinux1_x86_64", "3.10.1"),
        ("cp310-cp310t-manylinux1_x86_64", ""),
        ("cp312-cp312-manylinux1_x86_64", ""),
        ("pp310-pypy310_pp73-manylinux1_x86_64", ""),
        ("cp310-cp310-musllinux_1_2_x86_64", ""),
        ("cp310-cp310-manylinux2014_aarch64", ""),
    ],
)
def test_a_wheel_is_opened_under_the_python_that_it_is_for(
    tag: str, version: str, tmp_path: Path
) -> None:
    for one in ("2.7.18", "3.6.2", "3.10.1", "3.11.0", "notes"):
        (tmp_path / one).mkdir()
    found = python_for(f"demo-1.0-{tag}.whl", tmp_path)
    assert found == (tmp_path / version / "bin" / "python" if version else None)


@pytest.mark.skipif(sys.platform != "linux", reason="it opens libraries for Linux")
def test_each_library_is_opened_in_a_process_of_its_own(tmp_path: Path) -> None:
    members = {"demo/a.so": write(Elf(needed=("absent.so.1",))), "demo/b.txt": b"text"}
    path = Path(save(tmp_path, wheel(members), GLIBC))
    opened = open_all(path, Path(sys.executable))
    assert list(opened["files"]) == ["demo/a.so"]
    assert opened["files"]["demo/a.so"].startswith("absent.so.1: cannot open shared object file")
    assert opened["needed"] == {"demo/a.so": ["absent.so.1"]}


ABSENT = "{}: cannot open shared object file: No such file or directory"


@pytest.mark.parametrize(
    ("message", "findings", "label"),
    [
        ("", [], OPENED),
        (ABSENT.format("liba.so.1"), [], UNEXPLAINED),
        (ABSENT.format("liba.so.1"), [("EXTERNAL_LIBRARY", "demo/a.so", "liba.so.1")], EXPLAINED),
        (ABSENT.format("liba.so.1"), [("EXTERNAL_LIBRARY", "demo/a.so", "other")], UNEXPLAINED),
        (ABSENT.format("liba.so.1"), [("EXTERNAL_LIBRARY", "demo/b.so", "liba.so.1")], UNEXPLAINED),
        ("version `GLIBC_2.38' not found", [("TOO_NEW", "demo/a.so", "GLIBC_2.38")], EXPLAINED),
        ("undefined symbol: f", [("UNDEFINED", "demo/a.so", "f")], EXPLAINED),
    ],
)
def test_a_finding_about_what_is_missing_explains_a_failure(
    message: str, findings: List[Any], label: str
) -> None:
    opened = {"wheel": GLIBC, "files": {"demo/a.so": message}, "needed": {"demo/a.so": []}}
    report = {
        "findings": [
            {"kind": kind, "path": path, "subject": subject, "library": "", "symbols": []}
            for kind, path, subject in findings
        ]
    }
    (found,) = explain(opened, report, [])
    assert found.label == label


def test_a_library_that_fails_alone_is_explained_by_a_file_that_loads_it() -> None:
    opened = {
        "wheel": GLIBC,
        "files": {"a.so": "", "l/b.so": ABSENT.format("c.so"), "l/d.so": ABSENT.format("e.so")},
        "needed": {"a.so": ["b.so"], "l/b.so": ["c.so"], "l/d.so": ["e.so"]},
    }
    labels = {one.path: one.label for one in explain(opened, {}, [])}
    assert labels == {"a.so": OPENED, "l/b.so": EXPLAINED, "l/d.so": UNEXPLAINED}


@pytest.mark.parametrize(
    ("tags", "label"),
    [
        (("manylinux_2_5_x86_64",) * 3, "equal"),
        (("manylinux_2_5_x86_64", "manylinux_2_12_x86_64", "manylinux_2_5_x86_64"), ""),
        (("musllinux_1_1_x86_64", "musllinux_1_2_x86_64", "musllinux_1_1_x86_64"), "better"),
        (("musllinux_1_1_x86_64", "musllinux_1_2_x86_64", "musllinux_1_2_x86_64"), ""),
    ],
)
def test_a_difference_without_a_judgement_has_no_label(tags: Any, label: str) -> None:
    assert compare(*_result(*tags), NAMED).label == label


@pytest.mark.parametrize(
    ("name", "tag", "expected"),
    [
        ("linux_armv6l", None, "linux_armv6l"),
        ("linux_armv8l", "manylinux_2_17_armv7l", "manylinux_2_17_armv7l"),
        ("linux_armv7l", None, "manylinux_2_17_armv7l"),
        ("manylinux_2_31_armv7l", None, "manylinux_2_17_armv7l"),
    ],
)
def test_a_name_for_an_architecture_without_policies_is_the_verdict(
    name: str, tag: Optional[str], expected: str
) -> None:
    policy = "manylinux_2_17_armv7l"
    show = {"claimed": [name], "arch": "armv7l", "policy": policy, "tag": tag}
    assert tag_of(show) == expected


def test_a_judgement_is_of_a_kind_in_a_file_of_a_wheel() -> None:
    judged = Judged([["demo-*", "better", "why"]], {"ISA": [["demo-*", "*.so", "right", "so"]]}, [])
    result, other = _result("a", "b", "c")
    assert compare(result, other, judged)[-3:-1] == ("better", "why")
    assert [one.judged for one in firings(result, judged)] == ["right", ""]


def test_the_page_is_not_written_without_results(tmp_path: Path) -> None:
    page = SCRIPTS.parent / "docs" / "evidence" / "survey.md"
    before = page.read_bytes() if page.is_file() else None
    done = subprocess.run(
        [sys.executable, str(SCRIPTS / "survey.py"), "page", "--cache", str(tmp_path)],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1, done.stderr
    assert "there is no result; run the step judge" in done.stdout
    assert (page.read_bytes() if page.is_file() else None) == before


def test_the_list_names_each_wheel_once() -> None:
    listed = json.loads((SCRIPTS / "data" / "survey.json").read_text(encoding="utf-8"))
    linux = [one for one in listed if platform_of(one["filename"]).arch]
    assert len({one["filename"] for one in listed}) == len(listed)
    assert len(linux) >= 310
    assert len({one["project"].lower() for one in linux}) >= 200


def _saved(folder: Path, filename: str, members: Dict[str, Elf]) -> Path:
    files = {name: write(elf) for name, elf in members.items()}
    return Path(save(folder, wheel(files), filename))


def _result(proved: str, reference: str, second: str) -> Tuple[Dict[str, Any], Dict[str, Any]]:
    found = [
        {"kind": kind, "severity": "error", "path": "a.so", "message": ""}
        for kind in ("ISA", "EXECSTACK")
    ]
    result = {
        "wheel": GLIBC,
        "show": {"policy": proved, "arch": "x86_64"},
        "check": {"findings": [*found, {"kind": "STATIC_TLS", "severity": "info"}]},
        "oracle": {"tag": second, "reasons": []},
    }
    return result, {"tag": reference, "error": "", "crashed": False}
