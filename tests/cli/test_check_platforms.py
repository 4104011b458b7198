"""Real wheels for other systems and for variants, through the command line."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Dict, List, Tuple

import pytest

from commandline import run
from elfwriter import Elf, Symbol, write
from wheelwriter import save, wheel, wheel_name

INIT = Symbol("PyInit__x", defined=True)
LINUX = write(Elf(needed=("libc.so.6",), symbols=(INIT,)))
MODULE, BARE = "demo/_x.abi3.so", "demo/_x.so"


def make(folder: Path, tag: str, member: str, elf: bytes = LINUX) -> Path:
    """Write a wheel with one ELF file."""
    files = {"demo/__init__.py": b"", member: elf}
    return save(folder, wheel(files, tag=tag), wheel_name(tag=tag))


# By tag and member: the kinds of the errors, and words of the lines.
CASES: Dict[Tuple[str, str], Tuple[List[str], str]] = {
    ("cp311-abi3-macosx_12_3_arm64", MODULE): (
        ["INDEX_TAG", "WRONG_PLATFORM"],
        "use macosx_12_0_arm64",
    ),
    ("cp311-abi3-pyodide_2024_0_wasm32", MODULE): (
        ["INDEX_TAG", "WRONG_PLATFORM"],
        "use pyemscripten_YEAR_PATCH_wasm32",
    ),
    ("cp311-abi3-ios_13_0_arm64_iphoneos", MODULE): (
        ["WRONG_PLATFORM"],
        f"{MODULE} is an extension module in the format of Linux (ELF), which iOS does not load",
    ),
    ("cp311-cp311-win_amd64", "demo/_x.pyd"): (["WRONG_PLATFORM"], "Windows does not load"),
    ("cp311-cp311-macosx_11_0_arm64", BARE): (["WRONG_PLATFORM"], "macOS does not load"),
    ("cp311-cp311-macosx_11_0_arm64", "demo/payload.so"): ([], "ok"),
    ("cp311-abi3-android_24_arm64_v8a", MODULE): ([], "ok"),
    ("cp311-abi3-freebsd_14_0_amd64", MODULE): (["INDEX_TAG"], "for FreeBSD, it accepts no wheels"),
}


@pytest.mark.parametrize("case", CASES)
def test_check_of_a_wheel_for_another_system(case: Tuple[str, str], tmp_path: Path) -> None:
    tag, member = case
    expected, words = CASES[case]
    path = make(tmp_path, tag, member)
    result = run("check", "--json", path)
    (report,) = json.loads(result.stdout)["wheels"]
    assert sorted({one["kind"] for one in report["findings"]}) == expected
    assert result.returncode == (1 if expected else 0)
    assert words in run("check", path).stdout


@pytest.mark.parametrize(
    ("platform", "system"),
    [
        ("android_24_arm64_v8a", "Android"),
        ("pyemscripten_2026_0_wasm32", "Emscripten"),
        ("wasi_0_0_0_wasm32", "WASI"),
        ("cygwin_3_5_0_x86_64", "Cygwin"),
    ],
)
def test_show_names_the_system(platform: str, system: str, tmp_path: Path) -> None:
    path = make(tmp_path, f"cp311-abi3-{platform}", MODULE)
    result = run("show", path)
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout.splitlines() == [path.name, f"  for {system}: not audited"]


def variant(folder: Path, tag: str, label: str, elf: bytes = LINUX) -> Path:
    variants = {"demo-1.0.dist-info/variant.json": b'{"variants": {}}\n'}
    files = {MODULE: elf, **variants}
    return save(folder, wheel(files, tag=tag), wheel_name(tag=f"{tag}-{label}"))


@pytest.mark.parametrize("label", ["x86_64_v3", "null", "openblas_and_a_long_label"])
def test_check_says_that_the_index_takes_no_variant(label: str, tmp_path: Path) -> None:
    path = variant(tmp_path, "cp311-abi3-manylinux_2_17_x86_64", label)
    result = run("check", path)
    assert (result.returncode, result.stderr) == (1, "")
    assert f"the name has the variant label {label}" in result.stdout
    accepted = run("check", path, "--allow", "FILE_NAME:*")
    assert accepted.returncode == 0
    assert "(allowed)" in accepted.stdout


@pytest.mark.parametrize("command", ["retag", "repair"])
@pytest.mark.parametrize("label", ["x86_64_v3", "null", "openblas_and_a_long_label"])
def test_the_label_and_its_file_are_kept(command: str, label: str, tmp_path: Path) -> None:
    path = variant(tmp_path, "cp311-abi3-linux_x86_64", label)
    out = tmp_path / "out"
    result = run(command, path, "-w", out)
    assert (result.returncode, result.stderr) == (0, "")
    (written,) = out.iterdir()
    assert written.name == f"demo-1.0-cp311-abi3-manylinux1_x86_64.manylinux_2_5_x86_64-{label}.whl"
    with zipfile.ZipFile(path) as before, zipfile.ZipFile(written) as after:
        name = "demo-1.0.dist-info/variant.json"
        assert after.read(name) == before.read(name)
        assert name in after.read("demo-1.0.dist-info/RECORD").decode()
        tags = after.read("demo-1.0.dist-info/WHEEL").decode().splitlines()
    assert [line for line in tags if line.startswith("Tag:")] == [
        "Tag: cp311-abi3-manylinux1_x86_64",
        "Tag: cp311-abi3-manylinux_2_5_x86_64",
    ]


def test_json_of_a_false_tag_has_the_file_the_symbol_and_the_library(tmp_path: Path) -> None:
    newer = Symbol("fcntl64", library="libc.so.6", version="GLIBC_2.28")
    elf = write(Elf(needed=("libc.so.6",), symbols=(INIT, newer)))
    path = make(tmp_path, "cp311-abi3-manylinux_2_17_x86_64", MODULE, elf)
    result = run("check", "--json", path)
    (report,) = json.loads(result.stdout)["wheels"]
    (found,) = [one for one in report["findings"] if one["kind"] == "FALSE_TAG"]
    assert (found["path"], found["library"]) == (MODULE, "libc.so.6")
    assert found["symbols"] == ["fcntl64"]
    said = f"{MODULE} needs fcntl64@GLIBC_2.28 from libc.so.6; manylinux_2_17 allows at most"
    assert said in found["message"]
    assert f"    {said} GLIBC_2.17 [TOO_NEW]" in run("check", path).stdout.splitlines()
