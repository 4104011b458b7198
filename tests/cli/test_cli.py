"""The command line: text for people, JSON for scripts, and exit codes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any, Dict, List, Tuple

import pytest

import needs
from commandline import run
from elfwriter import TARGETS, Elf, Symbol, write
from manyshim.audit.gate.index import SIZE_LIMIT
from manyshim.audit.gate.indextags import index_takes
from manyshim.options import BY_KEY, STRICT
from wheelwriter import save, wheel, wheel_name

EXTENSION = "demo/_x.cpython-311-x86_64-linux-gnu.so"
INIT = Symbol("PyInit__x", defined=True)

SYSTEMS = (
    "  runs on glibc 2.34 and later: RHEL 9, Ubuntu 22.04, Debian 12; "
    "not on RHEL 8, Ubuntu 20.04, Debian 11"
)
LIMIT_31 = "from libc.so.6; manylinux_2_31 allows at most GLIBC_2.31 [TOO_NEW]"
LIMIT_12 = "from libc.so.6; manylinux_2_12 allows at most GLIBC_2.12 [TOO_NEW]"
FIX = (
    "compile for an older glibc (C or C++: -C manyshim.compiler=zig) or on an older system, avoid "
    "the symbol, or accept the newer tag"
)


def library(version: str = "GLIBC_2.2.5", *more: Symbol, **fields: Any) -> bytes:
    """Write an extension module that needs one symbol of one version of libc."""
    symbols = (INIT, Symbol("used", library="libc.so.6", version=version), *more)
    return write(Elf(**{"needed": ("libc.so.6",), "symbols": symbols, **fields}))


def make(folder: Path, tag: str = "cp311-cp311-linux_x86_64", **fields: Any) -> Path:
    """Write a wheel with one extension; return its path."""
    member = fields.pop("elf", library())
    files = {"demo/__init__.py": b"", fields.pop("extension", EXTENSION): member}
    folder.mkdir(exist_ok=True)
    return save(folder, wheel(files, tag=tag, **fields), wheel_name(tag=tag))


def kinds(result: subprocess.CompletedProcess[str]) -> List[str]:
    """List the kinds of the errors in a JSON report."""
    report = json.loads(result.stdout)["wheels"][0]
    return sorted({one["kind"] for one in report["findings"] if one["severity"] == "error"})


def test_show_prints_the_tag_its_systems_and_what_rules_out_older_tags(tmp_path: Path) -> None:
    path = make(tmp_path, elf=library("GLIBC_2.34", Symbol("old", "libc.so.6", "GLIBC_2.14")))
    result = run("show", path)
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout.splitlines() == [
        path.name,
        "  manylinux_2_34_x86_64",
        SYSTEMS,
        "  manylinux_2_31 and older: ruled out",
        f"    {EXTENSION} needs used@GLIBC_2.34 {LIMIT_31}",
        f"      {FIX}",
        "  manylinux_2_12 and older: ruled out",
        f"    {EXTENSION} needs old@GLIBC_2.14 {LIMIT_12}",
        f"      {FIX}",
    ]


def test_json_has_the_documented_shape_and_equal_bytes(tmp_path: Path) -> None:
    path = make(tmp_path, elf=library("GLIBC_2.34", needed=("libfoo.so.1", "libc.so.6")))
    first, second = run("show", "--json", path), run("show", "--json", path)
    assert first.stdout == second.stdout
    data = json.loads(first.stdout)
    assert data["version"] == 2
    (report,) = data["wheels"]
    assert list(report) == [
        *(
            "wheel",
            "file",
            "claimed",
            "arch",
            "libc",
            "policy",
            "tag",
            "tags",
            "right_tags",
            "reason",
        ),
        *(
            "runs_on",
            "not_on",
            "external",
            "musl_minimum",
            "findings",
            "blocked",
            "written",
            "notes",
        ),
        *("error", "internal"),
    ]
    assert (report["wheel"], report["file"]) == (path.name, str(path))
    assert report["claimed"] == ["linux_x86_64"]
    assert (report["arch"], report["libc"], report["policy"]) == ("x86_64", "glibc", None)
    assert report["external"] == ["libfoo.so.1"]
    found = {one["kind"]: one for one in report["findings"]}
    assert found["TOO_NEW"] == {
        "kind": "TOO_NEW",
        "severity": "policy",
        "path": EXTENSION,
        "policy": "manylinux_2_31_x86_64",
        "subject": "GLIBC_2.34",
        "library": "libc.so.6",
        "symbols": ["used"],
        "places": [],
        "allowed": False,
        "message": "needs used@GLIBC_2.34 from libc.so.6; manylinux_2_31 allows at most GLIBC_2.31",
        "fix": FIX,
    }
    assert found["EXTERNAL_LIBRARY"]["policy"] == "manylinux_2_41_x86_64"


GOOD = "cp311-cp311-manylinux_2_5_x86_64"


def stale_hash(text: str) -> str:
    """Change the hash of one member in RECORD."""
    lines = text.splitlines(keepends=True)
    at = next(i for i, line in enumerate(lines) if line.startswith("demo/__init__.py"))
    lines[at] = "demo/__init__.py,sha256=47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFV,0\n"
    return "".join(lines)


REFUSED: Dict[str, Tuple[Dict[str, Any], List[str]]] = {
    "a tag that is older than the proved one": (
        {"tag": GOOD, "elf": library("GLIBC_2.34")},
        ["FALSE_TAG"],
    ),
    "a linux tag": ({}, ["INDEX_TAG"]),
    "manylinux1 of another architecture": (
        {"tag": "cp311-cp311-manylinux1_aarch64", "elf": write(TARGETS["aarch64"])},
        ["INDEX_TAG"],
    ),
    "an architecture that the index does not take": (
        {"tag": "cp311-cp311-manylinux_2_36_loongarch64", "elf": write(TARGETS["loongarch64"])},
        ["INDEX_TAG"],
    ),
    "WHEEL says another tag": (
        {
            "tag": GOOD,
            "wheel_text": "Wheel-Version: 1.0\nRoot-Is-Purelib: false\n"
            "Tag: cp311-cp311-linux_x86_64\n",
        },
        ["WHEEL_TAGS"],
    ),
    "RECORD has another hash": ({"tag": GOOD, "edit_record": stale_hash}, ["RECORD"]),
}


@pytest.mark.parametrize("case", REFUSED)
def test_check_refuses(case: str, tmp_path: Path) -> None:
    fields, expected = REFUSED[case]
    result = run("check", "--json", make(tmp_path, **fields))
    assert kinds(result) == expected
    assert result.returncode == 1


def test_check_refuses_a_file_over_the_limit(tmp_path: Path) -> None:
    files = {EXTENSION: library(), "demo/data.bin": bytes(SIZE_LIMIT)}
    path = save(tmp_path, wheel(files, tag=GOOD, compress=False), wheel_name(tag=GOOD))
    result = run("check", "--json", path)
    assert kinds(result) == ["TOO_LARGE"]


def test_check_accepts_what_is_proved_and_can_require_more(tmp_path: Path) -> None:
    path = make(tmp_path, tag=GOOD)
    assert run("check", path).returncode == 0
    assert run("check", "--platform", "manylinux_2_17", path).returncode == 0
    required = run("check", "--json", "--platform", "musllinux_1_2", path)
    assert (required.returncode, kinds(required)) == (1, ["FALSE_TAG"])


def test_a_wheel_without_libc_evidence_may_have_tags_of_both_families(tmp_path: Path) -> None:
    tag = "cp311-cp311-manylinux_2_5_x86_64.musllinux_1_1_x86_64"
    member = write(Elf(symbols=(INIT,)))
    path = make(tmp_path, tag=tag, elf=member, extension="demo/_x.abi3.so")
    result = run("check", "--json", path)
    assert (result.returncode, kinds(result)) == (0, [])


def test_a_suffix_is_evidence_against_the_tag_of_the_other_family(tmp_path: Path) -> None:
    tag = "cp311-cp311-manylinux_2_5_x86_64.musllinux_1_1_x86_64"
    result = run("check", "--json", make(tmp_path, tag=tag, elf=write(Elf(symbols=(INIT,)))))
    assert (result.returncode, kinds(result)) == (1, ["FALSE_TAG"])


def test_check_accepts_the_tag_of_an_architecture_without_policies(tmp_path: Path) -> None:
    member = write(replace(TARGETS["armv7l"], needed=("libc.so.6",), symbols=(INIT,)))
    path = make(tmp_path, "py3-none-linux_armv6l", elf=member, extension="demo/_x.abi3.so")
    result = run("check", "--json", path)
    assert (result.returncode, kinds(result)) == (0, [])
    report = run("show", path)
    assert "no tag: no policy is defined for the architecture armv6l" in report.stdout


@pytest.mark.parametrize(
    ("platform", "taken"),
    [
        ("any", True),
        ("linux_x86_64", False),
        ("linux_armv7l", True),
        ("manylinux1_aarch64", False),
        ("manylinux2014_riscv64", False),
        ("manylinux_2_17_riscv64", True),
        ("musllinux_1_2_ppc64", False),
        ("manylinux_2_36_loongarch64", False),
        ("macosx_11_0_arm64", True),
        ("macosx_16_0_arm64", False),
        ("win_arm64", True),
        ("pyodide_2025_0_wasm32", False),
        ("pyemscripten_2025_0_wasm32", True),
    ],
)
def test_platform_tags_of_the_index(platform: str, taken: bool) -> None:  # noqa: FBT001
    assert index_takes(platform) is taken


def test_two_wheels_that_get_one_name(tmp_path: Path) -> None:
    one, other = make(tmp_path / "a"), make(tmp_path / "b", elf=library() + b"\n")
    out = tmp_path / "out"
    done = run("retag", "--json", one, other, "-w", out)
    assert done.returncode == 4
    first, second = json.loads(done.stdout)["wheels"]
    assert (first["written"], Path(second["written"]).parent) == (None, out)
    assert done.stderr == (
        f"manyshim: error: {one} and {other}: both were written as {second['written']}, so only "
        "the second is there; use two folders\n"
    )


def test_retag_writes_the_proved_tag_and_nothing_without_one(tmp_path: Path) -> None:
    good, out = make(tmp_path / "in"), tmp_path / "out"
    bad = make(tmp_path / "bad", elf=library(needed=("libfoo.so.1", "libc.so.6")))
    result = run("retag", good, bad, "-w", out)
    assert result.returncode == 1
    assert [path.name for path in out.iterdir()] == [
        "demo-1.0-cp311-cp311-manylinux1_x86_64.manylinux_2_5_x86_64.whl"
    ]
    assert "libfoo.so.1" in result.stdout
    assert run("check", *out.iterdir()).returncode == 0


def test_retag_exact_writes_an_unlisted_policy(tmp_path: Path) -> None:
    path = make(tmp_path, elf=library("GLIBC_2.29"))
    run("retag", "--naming", "exact", path, "-w", tmp_path / "out")
    (written,) = (tmp_path / "out").iterdir()
    assert written.name == "demo-1.0-cp311-cp311-manylinux_2_29_x86_64.whl"


def test_one_wheel_that_cannot_be_read_does_not_stop_the_others(tmp_path: Path) -> None:
    broken = tmp_path / "broken-1.0-py3-none-any.whl"
    broken.write_bytes(b"no zip")
    good = make(tmp_path)
    result = run("show", broken, tmp_path / "absent-1.0-py3-none-any.whl", good)
    assert result.returncode == 3
    assert result.stderr.count("manyshim: error:") == 2
    assert "Traceback" not in result.stderr
    assert "manylinux_2_5_x86_64" in result.stdout
    data = json.loads(run("show", "--json", broken, good).stdout)["wheels"]
    assert [bool(one["error"]) for one in data] == [True, False]


def test_several_processes_keep_the_order(tmp_path: Path) -> None:
    padding = {f"demo/{number}.bin": os.urandom(3 << 20) for number in range(2)}
    paths = []
    for number in range(4):
        files = {EXTENSION: library(f"GLIBC_2.{14 + number}"), **padding}
        name = wheel_name(version=f"1.{number}")
        paths.append(save(tmp_path, wheel(files, version=f"1.{number}", compress=False), name))
    alone, together = run("show", "--jobs", "1", *paths), run("show", "--jobs", "4", *paths)
    assert alone.stdout == together.stdout
    assert alone.stdout.count("GLIBC_2.14") == 1


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["show"], "no wheel is given; for example: manyshim show dist/*.whl"),
        (["shwo", "x.whl"], "'shwo' is not a command; did you mean 'show'?"),
        (["show", "--platform", "manylinux_2_300x", "x.whl"], "platform"),
        (["show", "--platform", "manylinux2010_aarch64", "x.whl"], "platform"),
        (["show", "--allow", "NEEDEDPATH:*", "x.whl"], "did you mean 'NEEDED_PATH'?"),
        (["retag", "x.whl"], "--wheel-dir"),
    ],
)
def test_bad_usage_is_exit_code_two(arguments: List[str], words: str) -> None:
    result = run(*arguments)
    assert result.returncode == 2
    assert words in result.stderr
    assert "Traceback" not in result.stderr


def test_what_is_no_file_is_said(tmp_path: Path) -> None:
    missing = run("show", tmp_path / "*.whl")
    assert missing.returncode == 3
    assert "*.whl: no file matches the pattern; " in missing.stderr
    folder = run("show", tmp_path)
    assert folder.returncode == 3
    assert "a folder without wheels; give show the wheels" in folder.stderr


def test_a_value_of_a_list_may_have_commas(tmp_path: Path) -> None:
    """As in `-C` and in variables."""
    path = make(tmp_path)
    once = run("show", "--json", "-v", path, "--exclude", "libx.so.1,liby.so.1")
    twice = run("show", "--json", "-v", path, "--exclude", "libx.so.1", "--exclude", "liby.so.1")
    assert once.stdout == twice.stdout
    fixed = run("retag", path, "-w", tmp_path / "out", "--fix", "rpath,execstack")
    assert fixed.returncode == 0, fixed.stderr


@pytest.mark.parametrize("command", ["show", "check", "retag", "repair"])
def test_the_help_has_the_meaning_of_the_options(command: str) -> None:
    text = " ".join(run(command, "--help").stdout.split())
    for key in ("platform", "exclude", "allow"):
        assert BY_KEY[key].meaning.replace("`", "") in text
    # No command fails a build: the help has the part of the meaning that holds for wheels.
    assert BY_KEY["strict"].in_commands in text
    assert STRICT not in text


def test_policies_lists_all_policies() -> None:
    result = run("policies", "--arch", "ppc64")
    assert result.stdout.splitlines() == [
        "policy          alias                architecture",
        "manylinux_2_17  manylinux2014_ppc64  ppc64",
    ]
    everything = json.loads(run("policies", "--json").stdout)["policies"]
    assert len(everything) == 104 + 15


def test_colour_is_for_terminals_and_for_force_color(tmp_path: Path) -> None:
    needs.module("rich")
    path = make(tmp_path)
    assert "\x1b[" not in run("show", path).stdout
    assert "\x1b[" in run("show", path, FORCE_COLOR="1", TERM="xterm").stdout
    assert "\x1b[" not in run("show", path, FORCE_COLOR="1", NO_COLOR="1", TERM="dumb").stdout
    assert "\x1b[" not in run("show", "--json", path, FORCE_COLOR="1", TERM="xterm").stdout


def test_a_closed_pipe_is_not_an_error() -> None:
    shell = f'"{sys.executable}" -m manyshim policies | head -n 1'
    result = subprocess.run(shell, shell=True, capture_output=True, text=True, check=True)  # noqa: S602
    assert result.stderr == ""


def test_check_accepts_what_allow_names(tmp_path: Path) -> None:
    text = b"Metadata-Version: 2.1\nName: other\nVersion: 1.0\n"
    files = {"demo-1.0.dist-info/METADATA": text, "demo.py": b""}
    path = save(tmp_path, wheel(files, tag="py3-none-any"), wheel_name(tag="py3-none-any"))
    refused, accepted = run("check", path), run("check", path, "--allow", "METADATA:*")
    assert (refused.returncode, accepted.returncode) == (1, 0)
    assert "'other'" in refused.stdout
    assert "warning: METADATA states" in accepted.stdout


def test_a_version_of_thousands_of_digits_is_no_traceback(tmp_path: Path) -> None:
    path = save(tmp_path, wheel({EXTENSION: library(f"GLIBC_2.{'9' * 5000}")}), wheel_name())
    done = run("show", path)
    assert done.returncode == 0
    assert "Traceback" not in done.stderr
    assert "[TOO_NEW]" in done.stdout
