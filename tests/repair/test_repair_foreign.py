"""Wheels for another architecture are repaired with libraries from a sysroot."""

from __future__ import annotations

import json
import os
import re
import subprocess
import zipfile
from pathlib import Path
from typing import Tuple

import pytest

import needs
from debian import cache, debian
from elfbuilding import LINUX, gcc, needs_gcc
from foreignbuilding import (
    Repaired,
    Tools,
    aarch64,
    build_chain,
    compile_module,
    pack,
    repair,
)
from foreignverify import compare_with_originals, facts, load_module, mapped, unpacked
from manyshim.audit.request import Request
from manyshim.checking import check

pytestmark = pytest.mark.skipif(not LINUX, reason="only Linux has such compilers and loaders")

MULTIARCH = "usr/lib/aarch64-linux-gnu"
PYTHON = ("python3.11-minimal", "libpython3.11-stdlib", "libyaml-0-2")

# Debian's libraries, each with a C declaration and a call that returns its version as text.
CALLS = {
    "libyaml-0.so.2": (
        "const char *yaml_get_version_string(void);",
        "yaml_get_version_string()",
    ),
    "libz.so.1": ("const char *zlibVersion(void);", "zlibVersion()"),
    # This one needs libcrypto.
    "libssl.so.3": (
        "void *TLS_method(void);\nconst char *OpenSSL_version(int);",
        'TLS_method() ? OpenSSL_version(0) : ""',
    ),
}


@pytest.fixture(scope="module")
def tools() -> Tools:
    return aarch64()


@pytest.fixture(scope="module")
def sysroot(tools: Tools, tmp_path_factory: pytest.TempPathFactory) -> Tuple[Path, Path]:
    """Return a folder with libraries for aarch64, and a wheel that needs them."""
    root = tmp_path_factory.mktemp("foreign") / "root"
    module = build_chain(tools, root, MULTIARCH)
    return root, pack(module, root.parent / "in", "aarch64")


@pytest.fixture(scope="module")
def repaired(sysroot: Tuple[Path, Path], tmp_path_factory: pytest.TempPathFactory) -> Repaired:
    root, source = sysroot
    return repair(source, tmp_path_factory.mktemp("out"), "--sysroot", str(root))


def test_copies_come_from_the_sysroot(
    repaired: Repaired, sysroot: Tuple[Path, Path], tmp_path: Path
) -> None:
    root, source = sysroot
    assert repaired.code == 0, repaired.output
    assert repaired.path is not None
    assert (
        repaired.path.name == "demo-1.0-cp38-abi3-manylinux2014_aarch64.manylinux_2_17_aarch64.whl"
    )
    plan = repaired.wheel["plan"]
    copies = {os.path.basename(copy["source"]): copy for copy in plan["copies"]}
    assert {name: copy["found"] for name, copy in copies.items()} == {
        "libinner.so.1": "sysroot",
        "libmiddle.so.1": "sysroot",
    }
    assert copies["libinner.so.1"]["source"] == str(root / MULTIARCH / "libinner.so.1")
    assert copies["libinner.so.1"]["needed_by"] == [copies["libmiddle.so.1"]["member"]]
    found = facts(repaired.path)
    assert {one.ident.machine for one in found.values()} == {183}
    assert found["outer.so"].rpath == ("$ORIGIN/../demo.libs",)
    assert found["libmiddle.so.1"].rpath == ("$ORIGIN",)
    # The dynamic loader may be needed but is never copied.
    guarded = {name for name, one in found.items() if "ld-linux-aarch64.so.1" in one.needed}
    assert guarded in (set(), set(found))
    assert compare_with_originals(repaired, source, tmp_path) == sorted(
        ["pkg/outer.so", *(copy["member"] for copy in copies.values())]
    )
    assert check(str(repaired.path), Request()).code == 0
    with zipfile.ZipFile(repaired.path) as archive:
        (sbom,) = [name for name in archive.namelist() if "/sboms/" in name]
        assert len(json.loads(archive.read(sbom))["components"]) == 2


def test_the_foreign_loader_maps_the_copies(
    tools: Tools, repaired: Repaired, tmp_path: Path
) -> None:
    output = load_module(tools, repaired, tmp_path)
    assert output.startswith("answer 321\n")
    names = [os.path.basename(copy["member"]) for copy in repaired.wheel["plan"]["copies"]]
    assert mapped(output, tmp_path / "installed") == sorted([*names, "outer.so"])


def test_folders_of_this_machine_are_not_searched(
    tools: Tools, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """This holds even if they contain files for the right architecture."""
    here = tmp_path / "here"
    module = build_chain(tools, here, "lib", f"-Wl,-rpath,{here}/lib", "-Wl,--disable-new-dtags")
    assert list(facts(pack(module, tmp_path / "x", "aarch64"))["outer.so"].rpath) == [f"{here}/lib"]
    monkeypatch.setenv("LD_LIBRARY_PATH", str(here / "lib"))
    source = pack(module, tmp_path / "in", "aarch64")
    (tmp_path / "empty").mkdir()
    for number, arguments in enumerate(((), ("--sysroot", str(tmp_path / "empty")))):
        done = repair(source, tmp_path / str(number), *arguments)
        assert done.wheel["plan"]["lacking"] == {
            "libmiddle.so.1": "it was not found; name its folder with library-path"
        }
        assert "libmiddle.so.1 is not copied: it was not found" in done.output
        assert "skipped" not in done.output
        assert (done.code, done.path) == (1, None)
    done = repair(source, tmp_path / "given", "--library-path", str(here / "lib"))
    assert done.code == 0, done.output
    assert {copy["found"] for copy in done.wheel["plan"]["copies"]} == {"library-path"}


@needs_gcc
def test_a_library_of_another_architecture_is_skipped(
    sysroot: Tuple[Path, Path], tmp_path: Path
) -> None:
    root, source = sysroot
    wrong = tmp_path / "wrong"
    wrong.mkdir()
    (wrong / "x.c").write_text("int middle(void) { return 5; }\n")
    gcc(wrong, "-shared", "-fPIC", "x.c", "-o", "libmiddle.so.1")
    asked = ("--library-path", str(wrong))
    done = repair(source, tmp_path / "none", *asked)
    assert f"skipped: {wrong}/libmiddle.so.1 is for x86_64" in done.output
    assert (done.code, done.path) == (1, None)
    done = repair(source, tmp_path / "some", *asked, "--sysroot", str(root))
    assert done.code == 0, done.output
    assert {copy["found"] for copy in done.wheel["plan"]["copies"]} == {"sysroot"}
    assert "x86_64" not in done.output


@pytest.mark.full
@pytest.mark.network
@pytest.mark.parametrize("library", sorted(CALLS))
def test_debian_s_python_of_another_architecture_imports_it(
    tools: Tools, tmp_path: Path, library: str
) -> None:
    qemu = needs.tool("qemu-aarch64-static", "qemu-user-static")
    root = debian(cache("repair-arm64"), "arm64", PYTHON)
    folders = [root / "lib/aarch64-linux-gnu", root / MULTIARCH]
    names = [library, *(["libcrypto.so.3"] if library == "libssl.so.3" else [])]
    link = [str(next(f / name for f in folders if (f / name).exists())) for name in names]
    search = [f"-Wl,-rpath-link,{folder}" for folder in folders]
    module = compile_module(tools, tmp_path / "source", *CALLS[library], *link, *search)
    source = pack(module, tmp_path / "in", "aarch64")
    done = repair(source, tmp_path / "out", "--sysroot", str(root))
    assert done.code == 0, done.output
    assert done.path is not None
    copies = [os.path.basename(copy["member"]) for copy in done.wheel["plan"]["copies"]]
    # Every manylinux policy allows zlib, so the system's own is used.
    wanted = [] if library == "libz.so.1" else [name.partition(".")[0] for name in names]
    assert sorted(re.sub(r"-[0-9a-f]{8}\..*", "", name) for name in copies) == sorted(wanted)
    assert all(copy["found"] == "sysroot" for copy in done.wheel["plan"]["copies"])
    assert re.search(r"-manylinux\w*_aarch64", done.path.name)
    assert check(str(done.path), Request()).code == 0
    if copies:
        assert compare_with_originals(done, source, tmp_path / "comparison")
    installed = unpacked(done.path, tmp_path / "installed")
    code = "from pkg import outer; print(outer.answer()); print(open('/proc/self/maps').read())"
    ran = subprocess.run(
        [qemu, "-L", str(root), str(next(root.glob("usr/bin/python3.*"))), "-c", code],
        capture_output=True,
        text=True,
        check=False,
        env={"PYTHONPATH": str(installed), "PYTHONHOME": str(root / "usr"), "PATH": os.defpath},
    )
    assert ran.returncode == 0, ran.stderr
    assert re.match(r"\d+\.\d+\.\d+\n|OpenSSL 3", ran.stdout)
    assert mapped(ran.stdout, installed) == sorted([*copies, "outer.abi3.so"])
    for name in names:
        from_root = re.search(rf" {re.escape(str(root))}/\S*{re.escape(name)}", ran.stdout)
        assert bool(from_root) == (not copies), ran.stdout
