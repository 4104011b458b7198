"""ELF files in wheels for other systems: only those that would be imported or run are errors."""

from __future__ import annotations

from types import MappingProxyType
from typing import FrozenSet, Mapping, NamedTuple, Tuple

import pytest

from manyshim.audit.facts import ElfFile, Unreadable
from manyshim.audit.findings import ERROR
from manyshim.audit.gate.platforms import undecided, wrong_platform
from manyshim.audit.messages import sentence
from rulefacts import elf, wheel

MAC = "macosx_12_0_arm64"
INIT = frozenset(("PyInit__x",))


class Case(NamedTuple):
    """A wheel, and the members that are errors."""

    platform: str
    elfs: Tuple[ElfFile, ...]
    wrong: Tuple[str, ...] = ()
    more: Tuple[str, ...] = ()
    exports: Mapping[str, FrozenSet[str]] = MappingProxyType({})


MODULE = elf("pkg/_x.abi3.so")
LINUX = elf("pkg/_x.cpython-311-x86_64-linux-gnu.so")
BARE = elf("pkg/_x.so")
SCRIPT = "demo-1.0.data/scripts/tool"
PROGRAM = elf(SCRIPT, interpreter="/lib64/ld-linux-x86-64.so.2")
PAYLOAD = elf("pkg/bin/tool", interpreter="/lib64/ld-linux-x86-64.so.2")

CASES = {
    "stable ABI": Case(MAC, (MODULE,), ("pkg/_x.abi3.so",)),
    "name of Darwin": Case(MAC, (elf("_x.cpython-311-darwin.so"),), ("_x.cpython-311-darwin.so",)),
    "only for Linux": Case(MAC, (LINUX,), (LINUX.path,)),
    "iOS": Case("ios_13_0_arm64_iphoneos", (MODULE,), (MODULE.path,)),
    "Emscripten": Case("pyodide_2024_0_wasm32", (MODULE,), (MODULE.path,)),
    "WASI": Case("wasi_0_0_0_wasm32", (MODULE,), (MODULE.path,)),
    "Windows": Case("win_amd64", (elf("pkg/_x.pyd"),), ("pkg/_x.pyd",)),
    "two systems": Case("win_amd64.macosx_12_0_arm64", (MODULE,), (MODULE.path,)),
    "bare name": Case(MAC, (BARE,), (BARE.path,), exports={BARE.path: INIT}),
    "script": Case(MAC, (PROGRAM,), (SCRIPT,)),
    "platlib": Case(
        MAC, (elf("demo-1.0.data/platlib/_x.abi3.so"),), ("demo-1.0.data/platlib/_x.abi3.so",)
    ),
    # Payloads.
    "a library": Case(MAC, (elf("pkg/lib/libfoo.so.1"), elf("pkg/libfoo.so"))),
    "bare name without init function": Case(MAC, (BARE,), exports={BARE.path: frozenset()}),
    "a program in the package": Case(MAC, (PAYLOAD,)),
    "an object file": Case(MAC, (elf("pkg/_x.abi3.so", type=1),)),
    "debug information": Case(MAC, (elf("pkg/_x.abi3.so", detached=True),)),
    "leftover beside the module": Case(MAC, (LINUX,), more=("pkg/_x.cpython-311-darwin.so",)),
    "several systems in one wheel": Case(
        "win_amd64", (elf("pkg/linux/_x.abi3.so"),), more=("pkg/windows/_x.pyd",)
    ),
    "data folder": Case(MAC, (elf("demo-1.0.data/data/share/_x.abi3.so"),)),
    "a library in scripts": Case(MAC, (elf("demo-1.0.data/scripts/libfoo.so"),)),
    # Systems with ELF files, wheels that also are for such a system, and wheels for all.
    "Android": Case("android_24_arm64_v8a", (MODULE, PROGRAM)),
    "FreeBSD": Case("freebsd_14_2_release_amd64", (MODULE,)),
    "unknown system": Case("strange_9", (MODULE,)),
    "Linux": Case("linux_x86_64", (MODULE,)),
    "any": Case("any", (MODULE,)),
    "Linux and macOS": Case(f"linux_x86_64.{MAC}", (MODULE,)),
    "Android and macOS": Case(f"android_24_x86_64.{MAC}", (MODULE,)),
}


@pytest.mark.parametrize("case", CASES)
def test_wrong_platform(case: str) -> None:
    platform, elfs, wrong, more, exports = CASES[case]
    facts = wheel(*elfs, platform=platform, exports=exports)
    facts = facts._replace(paths=(*facts.paths, *more))
    found = list(wrong_platform(facts))
    assert tuple(one.path for one in found) == wrong
    assert {(one.kind, one.severity) for one in found} <= {("WRONG_PLATFORM", ERROR)}


@pytest.mark.parametrize("machine", [247, 190, 224, 8])
def test_code_for_devices_and_unknown_machines_is_data(machine: int) -> None:
    facts = MODULE._replace(ident=MODULE.ident._replace(machine=machine))
    assert list(wrong_platform(wheel(facts, platform=MAC))) == []


def test_a_symbolic_link_has_a_finding_of_its_own() -> None:
    assert list(wrong_platform(wheel(MODULE, platform=MAC, symlinks=(MODULE.path,)))) == []


def test_an_unreadable_file_is_no_module_of_the_system() -> None:
    other = Unreadable("pkg/_x.cpython-311-darwin.so", "damaged")
    facts = wheel(LINUX, platform=MAC, unreadable=(other,))
    (found,) = wrong_platform(facts._replace(paths=(*facts.paths, other.path)))
    assert found.path == LINUX.path


def test_only_bare_names_are_undecided() -> None:
    asked = undecided(wheel(BARE, MODULE, elf("pkg/libfoo.so.1"), platform=MAC))
    assert asked == {BARE.path: frozenset(("PyInit__x", "PyModExport__x"))}
    assert undecided(wheel(BARE, platform="android_24_x86_64")) == {}
    assert undecided(wheel(BARE)) == {}


def test_the_sentence_names_the_system_and_the_file() -> None:
    (found,) = wrong_platform(wheel(MODULE, platform=MAC))
    text = sentence(found)
    assert "format of Linux (ELF), which macOS does not load" in text.message
    assert "build the module for macOS" in text.fix


def test_the_findings_are_bounded() -> None:
    elfs = tuple(elf(f"pkg/_m{number}.abi3.so") for number in range(1500))
    assert len(list(wrong_platform(wheel(*elfs, platform=MAC)))) == 1000
