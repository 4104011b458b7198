"""The lines that use a symbol, for each compiler, level, DWARF format and machine."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import Dict, Set

import pytest

import needs
from debugsources import (
    CPP_SOURCE,
    FCNTL64,
    PIDFD_OPEN,
    ZIG,
    clang,
    compiled,
    found,
    line,
    needs_gxx,
)
from elfbuilding import needs_gcc
from manyshim.audit.facts import SourceLine

MODES = ["", "-ffunction-sections -fdata-sections", "-fPIC", "-fno-plt -fPIC", "-fno-pic", "-gz"]


@needs_gcc
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("dwarf", ["-gdwarf-2", "-gdwarf-3", "-gdwarf-4", "-gdwarf-5", "-g1"])
@pytest.mark.parametrize("level", ["-O0", "-O2", "-O3"])
def test_gcc_and_every_line(project: Path, level: str, dwarf: str, mode: str) -> None:
    compiled(project, level, dwarf, *mode.split())
    expected = set(PIDFD_OPEN)
    if level == "-O0":  # nothing is inlined: the header's function has its own code
        expected = {
            use._replace(function="inline_open") if use.file[-1] == "h" else use for use in expected
        }
    assert found(project) == {"pidfd_open": tuple(sorted(expected)), "fcntl64": FCNTL64}


@pytest.mark.parametrize("flags", ["", "-gdwarf-4", "-gdwarf-5 -ffunction-sections", "-fPIC"])
@pytest.mark.parametrize("level", ["-O0", "-O2", "-O3"])
def test_clang_and_every_line(project: Path, level: str, flags: str) -> None:
    first, *others = clang()
    compiled(project, *others, level, "-g", *flags.split(), compiler=first)
    places = found(project)
    assert {use[:2] for use in places["pidfd_open"]} == {use[:2] for use in PIDFD_OPEN}
    assert places["fcntl64"] == FCNTL64


@pytest.mark.parametrize(
    "target",
    [
        "aarch64-linux-gnu",
        "arm-linux-gnueabihf",
        "loongarch64-linux-gnu",
        "powerpc64le-linux-gnu",
        "riscv64-linux-gnu",
        "s390x-linux-gnu",
        "x86-linux-gnu",
        "x86_64-linux-musl",
    ],
)
def test_other_machines(project: Path, target: str) -> None:
    """Each has its own relocations. Some have 32 bits, are big-endian, or allow relaxation."""
    needs.module("ziglang")
    for flags in (["-O2", "-ffunction-sections"], ["-O0", "-gdwarf-4"]):
        compiled(project, *ZIG[1:], "-target", target, "-g", *flags, compiler=ZIG[0])
        places = found(project)
        assert {PIDFD_OPEN[0], PIDFD_OPEN[1]} <= set(places["pidfd_open"])
        assert places["fcntl64"] == FCNTL64


@needs_gxx
@pytest.mark.parametrize("flags", ["-O0", "-O2", "-O2 -ffunction-sections -gdwarf-4 -fPIC"])
def test_cpp(project: Path, flags: str) -> None:
    compiled(project, "-g", *flags.split(), source="src/_y.cpp", compiler="g++")
    places = set(found(project)["pidfd_open"])
    functions: Dict[int, Set[str]] = {}
    for use in places:
        assert use.file == "src/_y.cpp"
        functions.setdefault(use.line, set()).add(use.function)
    tags = ("hidden", "method", "template", "plain")
    assert set(functions) == {line(CPP_SOURCE, tag) for tag in tags}
    assert functions[line(CPP_SOURCE, "plain")] == {"plain"}
    assert "room::Process::open" in functions[line(CPP_SOURCE, "method")]
    boxes = functions[line(CPP_SOURCE, "template")]
    assert boxes == {"_ZN4room3BoxIiE4openEv", "_ZN4room3BoxIlE4openEv"}, "they stay mangled"
    if flags == "-O0":
        hidden = functions[line(CPP_SOURCE, "hidden")]
        assert hidden == {"room::(anonymous namespace)::hidden"}


@needs_gcc
def test_lto(project: Path) -> None:
    """Object files for link-time optimisation have no code to read, unless they are fat."""
    compiled(project, "-O2", "-g", "-flto", "-fno-fat-lto-objects")
    assert found(project) == {}
    compiled(project, "-O2", "-g", "-flto", "-ffat-lto-objects")
    assert found(project)["fcntl64"] == FCNTL64


@needs_gcc
def test_split_debug_information_still_has_the_lines(project: Path) -> None:
    compiled(project, "-O2", "-g", "-gsplit-dwarf")
    assert found(project)["fcntl64"] == FCNTL64


@needs_gcc
def test_unreadable_debug_information_leaves_the_file(project: Path) -> None:
    """The compressed sections of old GNU tools: no line, and no hint that -g is missing."""
    compiled(project, "-O2", "-g", "-gz=zlib-gnu")
    use = found(project)["fcntl64"]
    assert use == (SourceLine("_x.c", 0, "two_on_two_lines"),)


@needs_gxx
@pytest.mark.parametrize("flags", ["-O0", "-O2 -fPIC", "-O2 -ffunction-sections -gdwarf-4"])
def test_objdump_agrees_on_every_symbol_of_a_cpp_object(project: Path, flags: str) -> None:
    """Compare the symbols without a marker: of exceptions, templates and headers."""
    text = (
        "#include <map>\n#include <string>\n#include <vector>\n#include <iostream>\n"
        "int f(std::string s) { std::map<std::string, std::vector<int>> m; m[s].push_back(1);"
        "\nstd::cout << s;\nreturn (int)m.size(); }\n"
    )
    (project / "src" / "_t.cpp").write_text(text)
    target = compiled(project, "-g", *flags.split(), source="src/_t.cpp", compiler="g++")
    listing = [needs.tool("objdump", "binutils"), "-drl", "--no-show-raw-insn", str(target)]
    output = subprocess.run(listing, check=True, stdout=subprocess.PIPE, text=True).stdout
    expected: Dict[str, Set[int]] = {}
    number = 0
    for row in output.splitlines():
        # The file is not compared: binutils 2.40 reports line 599 of a source of seven lines.
        source = re.match(r"\S+:(\d+)(?: \(discriminator \d+\))?\Z", row)
        relocation = re.search(r": R_\w+\s+([\w@]+)(?:[-+]0x[0-9a-f]+)?\Z", row)
        if source:
            number = int(source.group(1))
        elif relocation:
            expected.setdefault(relocation.group(1), set()).add(number)
    places = found(project, *expected)
    assert len(places) >= 15
    for name, uses_of_it in places.items():
        assert {use.line for use in uses_of_it if use.line} == expected[name]
