"""`fix` and `strip` on the command line and in builds, checked in the resulting files."""

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
from repairing import WAYS, RepairProject, facts, members, script, shared, unpacked

pytestmark = needs_gcc

TOP = "int top(void) { return 7; }"
SO = "demo/libtop.so"


@pytest.fixture
def project(tmp_path: Path) -> RepairProject:
    return RepairProject(tmp_path / "project")


def readelf(path: Path, option: str) -> str:
    command = [needs.tool("readelf", "binutils"), "-W", option, str(path)]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def fixed(project: RepairProject, way: str, tmp_path: Path, **settings: str) -> Tuple[Path, str]:
    """Repair a wheel that needs no external library; return its library and the output."""
    name = {key.replace("_", "-"): [value] for key, value in settings.items()}
    wheel_path, output = project.repaired(way, {"mode": ["retag"], **name})
    assert not any(member.startswith("demo.libs/") for member in members(wheel_path))
    folder = tmp_path / "tree"
    shutil.rmtree(str(folder), ignore_errors=True)
    return unpacked(wheel_path, folder) / SO, output


@WAYS
def test_execstack_changes_one_byte_in_place(
    project: RepairProject, way: str, tmp_path: Path
) -> None:
    old = shared(project.folder / "top" / "libtop.so", TOP, "-Wl,-z,execstack")
    assert re.search(r"GNU_STACK .* RWE ", readelf(old, "-l"))
    project.pack({SO: old})
    # This fix needs no tool.
    project.path = str(project.folder)
    new, output = fixed(project, way, tmp_path, fix="execstack")
    assert f"fixed {SO}: no executable stack" in output
    assert re.search(r"GNU_STACK .* RW  ", readelf(new, "-l"))
    before, after = old.read_bytes(), new.read_bytes()
    assert len(before) == len(after)
    places = [index for index, pair in enumerate(zip(before, after)) if pair[0] != pair[1]]
    # The bit is in the lowest of the four bytes of p_flags.
    assert len(places) == 1
    assert (before[places[0]], after[places[0]]) == (7, 6)


@WAYS
def test_without_the_fix_an_executable_stack_is_reported(project: RepairProject, way: str) -> None:
    old = shared(project.folder / "top" / "libtop.so", TOP, "-Wl,-z,execstack")
    project.pack({SO: old})
    done = project.run(way, {"mode": ["retag"]})
    output = done.stdout + done.stderr
    assert "EXECSTACK" in output
    assert "fixed" not in output


@WAYS
def test_rpath_keeps_entries_inside_the_wheel(
    project: RepairProject, way: str, tmp_path: Path
) -> None:
    paths = "-Wl,-rpath,/usr/local/lib:$ORIGIN/../demo.libs:$ORIGIN/../../../../lib"
    old = shared(project.folder / "top" / "libtop.so", TOP, paths)
    assert len(facts(old).runpath + facts(old).rpath) == 3
    project.pack(
        {SO: old, "demo.libs/libother.so": shared(project.folder / "o" / "libother.so", TOP)}
    )
    done, output = project.repaired(way, {"mode": ["retag"], "fix": ["rpath"]})
    new = unpacked(done, tmp_path / "tree") / SO
    assert f"fixed {SO}: search path $ORIGIN/../demo.libs" in output
    found = facts(new)
    assert found.rpath + found.runpath == ("$ORIGIN/../demo.libs",)
    assert "/usr/local/lib" not in readelf(new, "-d")


@WAYS
def test_rpath_is_removed_if_all_entries_leave_the_wheel(
    project: RepairProject, way: str, tmp_path: Path
) -> None:
    old = shared(project.folder / "top" / "libtop.so", TOP, "-Wl,-rpath,/usr/local/lib")
    project.pack({SO: old})
    new, output = fixed(project, way, tmp_path, fix="rpath")
    assert f"fixed {SO}: search path removed" in output
    assert not re.search(r"\((RPATH|RUNPATH)\)", readelf(new, "-d"))


@WAYS
def test_musl_s_libc_gets_alpine_s_name(project: RepairProject, way: str, tmp_path: Path) -> None:
    libc = shared(
        project.folder / "musl" / "libc.so", "int stdin_used; int atoi(char *s) { return 4; }"
    )
    old = shared(
        project.folder / "top" / "libtop.so",
        'int atoi(const char *); int top(void) { return atoi("4"); }',
        *("-nostdlib", f"-L{libc.parent}", "-l:libc.so"),
    )
    assert "Shared library: [libc.so]" in readelf(old, "-d")
    data = project.pack({SO: old})
    settings = {"mode": ["retag"], "fix": ["musl-soname"], "platform": ["musllinux_1_2"]}
    wheel_path, output = project.repaired(way, settings)
    assert "musllinux_1_2" in wheel_path.name
    new = unpacked(wheel_path, tmp_path / "tree") / SO
    (needed,) = facts(new).needed
    assert re.fullmatch(r"libc\.musl-\w+\.so\.1", needed)
    assert f"fixed {SO}: {needed} instead of libc.so in NEEDED" in output
    assert f"Shared library: [{needed}]" in readelf(new, "-d")
    assert project.source.read_bytes() == data


def sections(path: Path) -> str:
    return readelf(path, "-S")


@WAYS
@pytest.mark.parametrize("what", ["none", "debug", "all"])
def test_strip(project: RepairProject, way: str, what: str, tmp_path: Path) -> None:
    text = "static int helper(void) { return 3; } int (*p)(void) = helper; " + TOP
    old = shared(project.folder / "top" / "libtop.so", text, "-g")
    project.pack({SO: old})
    new, _ = fixed(project, way, tmp_path, strip=what)
    kept = sections(new)
    assert (".debug_info" in kept) == (what == "none")
    assert (".symtab" in kept) == (what != "all")
    assert (new.read_bytes() == old.read_bytes()) == (what == "none")
    assert readelf(old, "--dyn-syms") == readelf(new, "--dyn-syms")


@WAYS
def test_strip_and_copies_together(project: RepairProject, way: str, tmp_path: Path) -> None:
    """Files are stripped before patching; a copy's name has the hash of the original library."""
    library = shared(project.libs / "libdeep.so.1", "int deep(void) { return 3; }", "-g")
    text = "int deep(void); int top(void) { return deep() + 4; }"
    options = ("-g", f"-L{project.libs}", "-l:libdeep.so.1", "-Wl,-rpath,/nowhere/lib")
    old = shared(project.folder / "top" / "libtop.so", text, *options, "-Wl,-z,execstack")
    project.pack({SO: old})
    settings = {"strip": ["all"], "fix": ["execstack", "rpath"]}
    wheel_path, output = project.repaired(way, settings)
    assert "fixed demo/libtop.so: no executable stack" in output
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
def test_a_missing_or_failing_strip_is_an_error(project: RepairProject, way: str) -> None:
    data = project.pack({SO: shared(project.folder / "top" / "libtop.so", TOP)})
    settings = {"mode": ["retag"], "strip": ["all"]}
    project.path = str(project.folder)
    output = project.failed(way, project.run(way, settings), data)
    assert f"{SO} cannot be stripped: no strip for" in output
    body = (
        'case $1 in --version) echo "GNU strip (GNU Binutils) 2.99";; *) echo "$*"; exit 4;; esac'
    )
    project.path = script(project.folder / "bin", body, name="strip")
    output = project.failed(way, project.run(way, settings), data)
    reason = "strip failed with exit code 4: strip --strip-all ./libtop.so"
    assert f"{SO} cannot be stripped by GNU strip (GNU Binutils) 2.99: {reason}" in output


@WAYS
def test_a_strip_that_removes_too_much_is_detected(project: RepairProject, way: str) -> None:
    """The wheel gets its tag but is not stripped, and the output gives the reason."""
    old = shared(project.folder / "top" / "libtop.so", TOP)
    project.pack({SO: old})
    body = 'for file; do :; done\nprintf "\\377" | dd of="$file" bs=1 seek=40 conv=notrunc'
    body += '; objcopy -R .dynsym "$file"; : > "$file"'
    project.path = script(project.folder / "bin", body, name="strip")
    wheel_path, output = project.repaired(way, {"mode": ["retag"], "strip": ["all"]})
    assert "not repaired: patching damaged demo/libtop.so" in output
    assert members(wheel_path)[SO] == old.read_bytes()


# On the command line, show and check only audit.
@pytest.mark.parametrize("way", ["hook", "build"])
def test_audit_changes_nothing(project: RepairProject, way: str) -> None:
    old = shared(project.folder / "top" / "libtop.so", TOP, "-Wl,-rpath,/usr/local/lib")
    data = project.pack({SO: old})
    done = project.run(way, {"mode": ["audit"], "fix": ["rpath"], "strip": ["all"]})
    project.stays(way, done, data)
    assert "fixed" not in done.stdout + done.stderr


def test_no_build_requires_a_tool_for_a_repair(project: RepairProject) -> None:
    code = (
        "import json, sys, manyshim.backend as b\n"
        "print(json.dumps(b.get_requires_for_build_wheel(json.loads(sys.argv[1]))))"
    )
    project.path = str(project.folder)
    for settings in ('{"manyshim.mode": "repair"}', '{"manyshim.fix": "rpath"}'):
        command = [str(project.python), "-c", code, settings]
        done = subprocess.run(
            command, capture_output=True, text=True, check=True,
            env=project.environment(), cwd=project.root,
        )  # fmt: skip
        assert done.stdout.strip() == "[]"
