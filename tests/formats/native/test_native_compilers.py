"""What zig and llvm make: our facts are those of the judges, and each rule has its twin."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Dict, List, Tuple

import pytest

import needs
from commandline import run
from manyshim.formats import macho, pe
from manyshim.formats.bounds import Bound
from nativebuilding import Builder
from nativejudges import (
    lief_imports,
    lief_parts,
    llvm_imports,
    llvm_parts,
    our_imports,
    our_parts,
)
from wheelwriter import save, wheel, wheel_name
from zipwindows import STORED, window

pytestmark = [needs.mark(needs.zig), needs.mark(needs.llvm, "llvm-objdump")]

HOMEBREW = "/opt/homebrew/lib/libdep.dylib"
NEAR = "@loader_path/libdep.dylib"
LIBPYTHON = "@rpath/libpython3.11.dylib"


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Builder:
    """Compile all files once."""
    made = Builder(tmp_path_factory.mktemp("native"))
    made.macho("arm.so", "aarch64-macos.11.0")
    made.macho("intel.so", "x86_64-macos.10.13")
    made.macho("new.so", "x86_64-macos.13.3")
    made.macho("libdep.dylib", "aarch64-macos.11.0", f"-Wl,-install_name,{HOMEBREW}")
    made.macho("far.so", "aarch64-macos.11.0", "libdep.dylib", "-Wl,-rpath,@loader_path/lib")
    made.renamed("far.so", "near.so", HOMEBREW, NEAR)
    made.unsigned("arm.so", "unsigned.so")
    made.macho("ios.so", "aarch64-ios.13.0")
    made.macho("py.dylib", "aarch64-macos.11.0", f"-Wl,-install_name,{LIBPYTHON}")
    made.macho("python.so", "aarch64-macos.11.0", "py.dylib")
    made.lipo("both.so", "arm.so", "intel.so")
    made.pe("found.pyd", "amd64", "KERNEL32.dll", "python3.dll")
    made.pe("nowhere.pyd", "amd64", "nowhere.dll")
    made.pe("other.pyd", "x86", "KERNEL32.dll")
    made.pe("arm.pyd", "arm64", "KERNEL32.dll", "msvcp140.dll")
    made.pe("debug.pyd", "amd64", "ucrtbased.dll")
    made.pe("one.pyd", "amd64", "python311.dll:PyList_New")
    made.pe("new.pyd", "amd64", "python3.dll:PyUnicode_AsUTF8", "python3.dll:PyList_New")
    made.pe("stable.pyd", "amd64", "python3.dll:PyList_New")
    return made


MACHOS = (
    *("arm.so", "intel.so", "new.so", "libdep.dylib", "far.so", "near.so", "both.so"),
    *("unsigned.so", "ios.so", "py.dylib", "python.so"),
)
PES = (
    *("found.pyd", "nowhere.pyd", "other.pyd", "arm.pyd"),
    *("debug.pyd", "one.pyd", "new.pyd", "stable.pyd"),
)


@pytest.mark.parametrize("name", MACHOS)
def test_all_readers_agree_about_mach_o(name: str, built: Builder) -> None:
    path = built.folder / name
    own = our_parts(macho.read(name, window(path.read_bytes(), STORED), Bound(1000)))
    assert own
    assert own == llvm_parts(path)
    assert own == lief_parts(path)


@pytest.mark.parametrize("name", PES)
def test_all_readers_agree_about_pe(name: str, built: Builder) -> None:
    path = built.folder / name
    file = pe.read(name, window(path.read_bytes(), STORED), Bound(1000))
    assert file
    assert our_imports(file) == llvm_imports(path) == lief_imports(path)


MAC, INTEL, BOTH = "macosx_11_0_arm64", "macosx_10_13_x86_64", "macosx_10_13_universal2"
IOS = "ios_13_0_arm64_iphoneos"
MODULE, PYD = "demo/_x.abi3.so", "demo/_x.pyd"
# By platform and members, built files: the errors and warnings of `check`.
WHEELS: Dict[str, Tuple[str, Dict[str, str], List[str]]] = {
    "true": (MAC, {MODULE: "arm.so"}, []),
    "true for both": (BOTH, {MODULE: "both.so"}, []),
    "one slice": (BOTH, {MODULE: "intel.so"}, ["MISSING_SLICE"]),
    "the tag's version": (INTEL, {MODULE: "intel.so"}, []),
    "a newer version": (INTEL, {MODULE: "new.so"}, ["MACOS_VERSION"]),
    "a minor version": ("macosx_13_0_x86_64", {MODULE: "new.so"}, ["MACOS_VERSION"]),
    "a library elsewhere": (MAC, {MODULE: "far.so"}, ["MACOS_LIBRARY"]),
    "a library beside it": (MAC, {MODULE: "near.so", "demo/libdep.dylib": "libdep.dylib"}, []),
    "a library that is not there": (MAC, {MODULE: "near.so"}, ["MACOS_LIBRARY"]),
    "no signature": (MAC, {MODULE: "unsigned.so"}, ["UNSIGNED"]),
    "for iOS": (IOS, {MODULE: "ios.so"}, []),
    "for another system": (MAC, {MODULE: "ios.so"}, ["WRONG_PLATFORM"]),
    "Python's library": (MAC, {MODULE: "python.so"}, ["LIBPYTHON"]),
    "DLLs of Windows": ("win_amd64", {PYD: "found.pyd"}, []),
    "a DLL that is nowhere": ("win_amd64", {PYD: "nowhere.pyd"}, ["WINDOWS_LIBRARY"]),
    "a DLL in the wheel": (
        *("win_amd64", {PYD: "nowhere.pyd", "demo.libs/nowhere.dll": "found.pyd"}, []),
    ),
    "another machine": ("win_amd64", {PYD: "other.pyd"}, ["MIXED_ARCH"]),
    "its machine": ("win32", {PYD: "other.pyd"}, []),
    "a runtime": ("win_arm64", {PYD: "arm.pyd"}, ["VC_RUNTIME"]),
    "a debug runtime": ("win_amd64", {PYD: "debug.pyd"}, ["DEBUG_RUNTIME"]),
    "the DLL of one Python": ("win_amd64", {PYD: "one.pyd"}, ["PYTHON_DLL"]),
    "a name newer than the tag": ("win_amd64", {PYD: "new.pyd"}, ["ABI3"]),
    "names of the stable ABI": ("win_amd64", {PYD: "stable.pyd"}, []),
}
# The tags that the files prove, if these are others than that of the wheel.
RIGHT = {
    "one slice": [INTEL],
    "a newer version": ["macosx_13_0_x86_64"],
    "another machine": ["win32"],
}
WARNINGS = ("a minor version", "a runtime", "a name newer than the tag")


@pytest.mark.parametrize("name", WHEELS)
def test_each_rule_and_its_twin(name: str, built: Builder, tmp_path: Path) -> None:
    platform, members, expected = WHEELS[name]
    tag = f"cp311-abi3-{platform}"
    files = {path: (built.folder / file).read_bytes() for path, file in members.items()}
    path = save(tmp_path, wheel(files, tag=tag), wheel_name(tag=tag))
    for command in ("check", "show"):
        done = run(command, "--json", path)
        (report,) = json.loads(done.stdout)["wheels"]
        found = [one["kind"] for one in report["findings"] if one["severity"] != "info"]
        assert found == expected
        fails = command == "check" and bool(expected) and name not in WARNINGS
        assert done.returncode == int(fails)
        audited = "audited, with errors" if expected and name not in WARNINGS else "audited, no"
        assert audited in report["reason"]
        assert report["right_tags"] == RIGHT.get(name, [platform])
