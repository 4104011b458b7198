"""Search paths, moved programs and the reasons against a plan, from facts made by hand."""

from __future__ import annotations

from typing import Any, Dict, List, Optional, Sequence

import pytest

from manyshim.advice import after_repair
from manyshim.audit.facts import EXECUTABLE, ElfFile, VersionNeed
from manyshim.audit.findings import Evidence
from manyshim.audit.messages import sentence
from manyshim.audit.request import Allowance, Compiled
from manyshim.audit.tags import parse_platform
from manyshim.config import Config
from manyshim.formats.elf.edits import Patch
from manyshim.repair import run
from manyshim.repair.closure import plan
from manyshim.repair.fixes import fixes
from manyshim.repair.notes import notes, to_dict
from manyshim.repair.plan import Plan
from planning import EXT, Libraries, by_name, elf, libc, library, policy, repair_request

DATA, SCRIPTS, HEADERS = (f"demo-1.0.data/{name}" for name in ("data", "scripts", "headers"))
LOADER = "/lib64/ld-linux-x86-64.so.2"


def program(path: str, *needed: str, **facts: Any) -> ElfFile:
    return elf(path, *needed, interpreter=LOADER, **facts)


def planned(*elfs: ElfFile, libraries: Sequence[Any] = (), **options: Any) -> Plan:
    return plan(repair_request(Libraries(*libraries), *elfs, **options))


# Each row: the path of a program, that of a library, where the program moves, and its search path.
PROGRAMS = [
    (f"{SCRIPTS}/tool", "pkg/libown.so", "demo.scripts/tool", "$ORIGIN/../pkg"),
    (f"{SCRIPTS}/tool", "libown.so", "demo.scripts/tool", "$ORIGIN/.."),
    (f"{SCRIPTS}/tool", "demo-1.0.data/platlib/a/libown.so", "demo.scripts/tool", "$ORIGIN/../a"),
    (f"{SCRIPTS}/deep/tool", "pkg/libown.so", "demo.scripts/deep/tool", "$ORIGIN/../../pkg"),
    ("pkg/bin/tool", "pkg/lib/libown.so", None, "$ORIGIN/../lib"),
    ("demo-1.0.data/platlib/pkg/tool", "pkg/libown.so", None, "$ORIGIN"),
    (f"{DATA}/bin/tool", f"{DATA}/lib/libown.so", None, "$ORIGIN/../lib"),
    (f"{SCRIPTS}/tool", f"{SCRIPTS}/libown.so", None, "$ORIGIN"),
]


@pytest.mark.parametrize(("path", "library_path", "moved", "rpath"), PROGRAMS)
@pytest.mark.parametrize("kind", ["interpreted", "ET_EXEC", "musl"])
def test_a_program_gets_a_search_path_of_its_own(
    path: str, library_path: str, moved: Optional[str], rpath: str, kind: str
) -> None:
    """A module of the wheel finds the library, but a program is a process of its own."""
    tool = program(path, "libown.so")
    module = elf("pkg/_x.abi3.so", "libown.so", runpath=("$ORIGIN", "$ORIGIN/.."))
    own = elf(library_path)
    files = [tool, own] if library_path.startswith((DATA, SCRIPTS)) else [tool, own, module]
    if kind == "ET_EXEC":
        files[0] = tool._replace(ident=tool.ident._replace(type=EXECUTABLE))
    if kind == "musl":
        musl = "libc.musl-x86_64.so.1"
        files = [one._replace(needed=(*one.needed[:-1], musl), versions_needed=()) for one in files]
        files[0] = files[0]._replace(interpreter="/lib/ld-musl-x86_64.so.1")
    made = planned(*files)
    assert made.launchers == ({path: moved} if moved else {})
    assert made.patches[path].rpath == rpath
    assert made.decision.tag is not None
    assert made.blockers == ()


def test_a_program_finds_copies_and_libraries_of_the_wheel() -> None:
    tool = program(f"{SCRIPTS}/tool", "libown.so", "liba.so.1")
    made = planned(
        tool, elf(EXT, "liba.so.1"), elf("pkg/libown.so"), libraries=[library("liba.so.1")]
    )
    assert made.patches[f"{SCRIPTS}/tool"] == Patch(
        replace_needed=(("liba.so.1", "liba-01234567.so.1"),),
        rpath="$ORIGIN/../demo.libs:$ORIGIN/../pkg",
    )
    assert made.launchers == {f"{SCRIPTS}/tool": "demo.scripts/tool"}
    assert made.policy == policy("manylinux_2_17")


def test_libraries_that_a_found_library_needs_are_found_too() -> None:
    """The audit follows a library only where it is found, so each round may find another need."""
    names = [f"libown{number}.so" for number in range(4)]
    own = [
        elf(f"pkg/{n}/{name}", *needed) for n, (name, *needed) in enumerate(zip(names, names[1:]))
    ]
    made = planned(program("tool", names[0]), *own, elf(f"last/{names[-1]}"))
    assert {path: patch.rpath for path, patch in made.patches.items()} == {
        "tool": "$ORIGIN/pkg/0",
        "pkg/0/libown0.so": "$ORIGIN/../1",
        "pkg/1/libown1.so": "$ORIGIN/../2",
        "pkg/2/libown2.so": "$ORIGIN/../../last",
    }
    assert made.policy == policy("manylinux_2_17")


def test_a_copy_finds_a_library_of_the_wheel() -> None:
    libraries = [library("liba.so.1", "libown.so")]
    made = planned(elf(EXT, "liba.so.1"), elf("pkg/libown.so"), libraries=libraries)
    assert by_name(made)["liba.so.1"].patch.rpath == "$ORIGIN/../pkg"
    assert made.policy == policy("manylinux_2_17")


# Each row: a file that needs a library, the path of that library, and the folder that is not fixed.
UNREACHABLE = [
    (program(f"{DATA}/bin/tool", "libown.so"), "pkg/libown.so", "data"),
    (program("pkg/tool", "libown.so"), f"{DATA}/lib/libown.so", "site"),
    (program(f"{SCRIPTS}/tool", "libown.so"), f"{DATA}/lib/libown.so", "scripts"),
    (elf(f"{SCRIPTS}/libplug.so", "libown.so"), "pkg/libown.so", "scripts"),
    (elf(f"{HEADERS}/libplug.so", "libown.so"), "pkg/libown.so", "headers"),
    (elf(EXT, "libown.so"), f"{DATA}/lib/libown.so", "site"),
]


@pytest.mark.parametrize(("file", "own", "folder"), UNREACHABLE)
def test_no_search_path_leads_into_another_install_folder(
    file: ElfFile, own: str, folder: str
) -> None:
    made = planned(file, elf(own))
    assert made.decision.tag is None
    (found,) = made.blockers
    assert (found.kind, found.evidence) == ("BY_NAME_ONLY", Evidence.OTHER_FOLDER)
    text = sentence(*after_repair(made.blockers))
    assert f"no fixed path leads there from the folder {folder} of an installation" in text.message
    assert "put the file into the package" in text.fix
    assert "manyshim repair" not in text.fix
    assert made.patches == {}


@pytest.mark.parametrize("path", [f"{DATA}/bin/tool", f"{DATA}/lib/libplug.so"])
def test_a_file_of_the_data_folder_reaches_no_copy(path: str) -> None:
    libraries = [library("liba.so.1")]
    made = planned(program(path, "liba.so.1"), libraries=libraries)
    (found,) = made.blockers
    assert (found.path, found.library) == (path, "demo.libs/liba-01234567.so.1")
    assert found.evidence == Evidence.OTHER_FOLDER
    lines = notes(made, ())
    assert lines == [
        "would copy /usr/lib/liba.so.1 as demo.libs/liba-01234567.so.1 (default folder)",
        "not repaired: even with these changes, the wheel meets no policy",
    ]


def test_what_is_loaded_before_gets_no_search_path_into_another_folder() -> None:
    loader = elf(EXT, "libown.so", runpath=("$ORIGIN",))
    made = planned(loader, elf("pkg/libown.so"), elf(f"{DATA}/lib/libplug.so", "libown.so"))
    assert made.patches == {}
    assert made.policy == policy("manylinux_2_17")


def test_an_accepted_program_stays_where_it_is() -> None:
    path = f"{SCRIPTS}/tool"
    allow = (Allowance("BY_NAME_ONLY", path),)
    made = planned(program(path, "libown.so"), elf("pkg/libown.so"), allow=allow)
    assert (made.launchers, made.patches) == ({}, {})
    assert made.policy == policy("manylinux_2_17")


def test_a_program_does_not_replace_a_member() -> None:
    tool = program(f"{SCRIPTS}/tool", "libown.so")
    made = planned(tool, elf("pkg/libown.so"), program("demo.scripts/tool"))
    assert [found.kind for found in made.blockers] == ["DUP_MEMBER"]


@pytest.mark.parametrize(
    ("entries", "rpath"),
    [
        (("",), "$ORIGIN/../demo.libs"),
        (("", "$ORIGIN"), "$ORIGIN:$ORIGIN/../demo.libs"),
        (("$ORIGIN/a",), "$ORIGIN/a:$ORIGIN/../demo.libs"),
    ],
)
@pytest.mark.parametrize("tag", ["rpath", "runpath"])
def test_an_empty_search_path_is_none(entries: Sequence[str], rpath: str, tag: str) -> None:
    facts: Dict[str, Any] = {tag: tuple(entries)}
    made = planned(elf(EXT, "liba.so.1", **facts), libraries=[library("liba.so.1")])
    assert made.patches[EXT].rpath == rpath


@pytest.mark.parametrize(
    ("entries", "expected"),
    [((), None), (("",), None), (("", "$ORIGIN"), "$ORIGIN"), (("/opt/lib",), "")],
)
def test_the_fix_rpath_removes_only_what_the_loader_reads(
    entries: Sequence[str], expected: Optional[str]
) -> None:
    request = repair_request(Libraries(), elf(EXT, runpath=tuple(entries)))
    patches = fixes(request.facts, request.report, ("rpath",))
    assert patches == ({} if expected is None else {EXT: Patch(rpath=expected)})


PRIVATE = libc("GLIBC_PRIVATE", "__libc_secret")
# Each row: facts of a library that is copied, options, and the kind and words of the reason.
BLOCKED: List[Any] = [
    ({"versions_needed": (PRIVATE,)}, {}, "TOO_NEW", "belongs to one build of glibc"),
    (
        {"version": "GLIBC_2.34"},
        {"platform": parse_platform("manylinux_2_28_x86_64")},
        "TOO_NEW",
        "allows at most GLIBC_2.3",
    ),
    ({"executable_stack": True}, {}, "EXECSTACK", "requests an executable stack"),
    ({"needed": ("libno.so.1",)}, {}, "EXTERNAL_LIBRARY", "needs libno.so.1"),
    ({"needed": ("/opt/lib/libx.so",)}, {}, "NEEDED_PATH", "which is a path"),
]


@pytest.mark.parametrize(("given", "options", "kind", "words"), BLOCKED)
def test_the_reason_against_a_copy(
    given: Dict[str, Any], options: Dict[str, Any], kind: str, words: str
) -> None:
    copied = library("liba.so.1", **given)
    made = planned(elf(EXT, "liba.so.1"), libraries=[copied], **options)
    assert made.decision.tag is None
    (found,) = made.blockers
    assert (found.kind, found.path) == (kind, "demo.libs/liba-01234567.so.1")
    text = sentence(*after_repair(made.blockers))
    assert words in text.message
    assert "repair" not in text.fix
    assert notes(made, ())[-1].startswith("not repaired: even with these changes, ")


def test_a_fix_covers_copies() -> None:
    copied = library("liba.so.1", executable_stack=True)
    made = planned(elf(EXT, "liba.so.1"), libraries=[copied], fix=("execstack",))
    assert by_name(made)["liba.so.1"].patch.plain_stack
    assert made.decision.tag == policy("manylinux_2_17")
    assert "fixed demo.libs/liba-01234567.so.1: no executable stack" in notes(made, ())


def test_a_newer_policy_may_not_need_a_copy_that_is_refused() -> None:
    """The policies have libexpat since manylinux_2_12."""
    copied = library("libexpat.so.1", executable_stack=True)
    file = elf(EXT, "libexpat.so.1", version="GLIBC_2.4")
    made = planned(file, libraries=[copied])
    assert (made.copies, made.decision.tag) == ((), policy("manylinux_2_12"))


def test_libpython_stays_needed_if_a_file_needs_versions_of_it() -> None:
    """The process stops in glibc if a library with needed versions is not loaded."""
    name = "libpython3.11.so.1.0"
    file = elf(EXT, name)
    versioned = file._replace(versions_needed=(*file.versions_needed, VersionNeed(name, "V1")))
    assert planned(file).patches == {EXT: Patch(remove_needed=(name,))}
    made = planned(versioned)
    assert made.patches == {}
    assert made.not_copied[name].endswith(f"never copied, and {EXT} needs symbol versions of it")
    assert [found.kind for found in made.blockers] == ["LIBPYTHON"]


def test_two_libpythons_are_both_removed() -> None:
    names = ("libpython3.11.so.1.0", "libpython3.so")
    assert planned(elf(EXT, *names)).patches[EXT].remove_needed == names


def test_each_change_has_a_line() -> None:
    files = [elf(f"pkg/lib{number}.so", "liba.so.1", "libown.so") for number in range(5)]
    tool = program(f"{SCRIPTS}/tool", "libown.so", executable_stack=True)
    python = elf(EXT, "libpython3.11.so.1.0")
    made = planned(
        *(*files, tool, python, elf("pkg/own/libown.so")),
        libraries=[library("liba.so.1")],
        fix=("execstack",),
    )
    several = "pkg/lib0.so, pkg/lib1.so, pkg/lib2.so and 2 more"
    done = [
        "copies /usr/lib/liba.so.1 as demo.libs/liba-01234567.so.1 (default folder)",
        f"moved {SCRIPTS}/tool to demo.scripts/tool; a launcher takes its place",
        f"fixed {SCRIPTS}/tool: no executable stack",
        f"fixed {SCRIPTS}/tool: search path $ORIGIN/../pkg/own",
        f"fixed {EXT}: libpython3.11.so.1.0 removed from NEEDED",
        f"fixed {several}: search path $ORIGIN/../demo.libs:$ORIGIN/own",
    ]
    assert notes(made, ()) == done
    future = (
        ("copies /", "would copy /"),
        ("moved demo", "would move demo"),
        ("fixed ", "would fix "),
    )
    for now, later in future:
        done = [line.replace(now, later, 1) for line in done]
    assert notes(made, (), dry_run=True) == done
    patch = to_dict(made)["patches"][f"{SCRIPTS}/tool"]
    assert (patch["rpath"], patch["stack"]) == ("$ORIGIN/../pkg/own", True)


@pytest.mark.parametrize("libraries", [(), ("liba.so.1",)])
def test_a_search_path_that_is_an_error_is_removed(
    libraries: Sequence[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Meson writes the folder of a sysroot into a module. In a build for a target, it is an error.

    The fix removes it, and so does a repair that gives the module another search path.
    """
    module = elf(EXT, *libraries, runpath=("/sysroot/usr/lib",))
    found = Libraries(*map(library, libraries))
    request = repair_request(found, module, compiled=Compiled("x86_64-linux-gnu"))
    assert [one.kind for one in request.report.errors] == ["RPATH_LEAK"]
    mode, fix = ("repair", ()) if libraries else ("retag", ("rpath",))
    monkeypatch.setattr(run, "_Finder", lambda _: found)
    config = Config(mode=mode, fix=fix, compiled=request.request.compiled)
    planned, _ = run.make_plan(request.facts, request.report, config)
    assert planned.patches[EXT].rpath == ("$ORIGIN/../demo.libs" if libraries else "")
    unchanged, _ = run.make_plan(
        request.facts, request.report, config._replace(mode="retag", fix=())
    )
    assert unchanged.empty
