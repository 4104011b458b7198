"""The simulated search of the loader, with facts of the test.

Each row states how one NEEDED entry is satisfied. The rules are those of glibc's elf/dl-load.c and
musl's ldso/dynlink.c.
"""

from __future__ import annotations

from typing import Any, Callable, Dict, List, Sequence, Tuple

import pytest

from manyshim.audit.facts import EXECUTABLE, SHARED, ElfFile, ElfIdent, VersionNeed, install_path
from manyshim.audit.loader.search import (
    BY_NAME_ONLY,
    INTERNAL,
    LOADER,
    PATH,
    SYSTEM,
    Edge,
    Loading,
    simulate,
)
from manyshim.audit.tags import GLIBC, MUSL

EXT = "pkg/_x.cpython-311-x86_64-linux-gnu.so"
OTHER = "pkg/_y.cpython-311-x86_64-linux-gnu.so"
GLIBC_LOADER = "/lib64/ld-linux-x86-64.so.2"


def elf(path: str, *needed: str, **facts: Any) -> ElfFile:
    ident = ElfIdent(64, True, 62, facts.pop("kind", SHARED), 0, 0, 0)
    return ElfFile(path, ident, dynamic=True, needed=needed)._replace(**facts)


def load(*files: ElfFile, libc: str = GLIBC) -> Loading:
    return simulate(files, libc, "x86_64", "demo-1.0")


Outcome = Callable[[str], Edge]


def found(target: str) -> Edge:
    return Edge(INTERNAL, target)


def by_name(target: str, *, preloaded: bool = False) -> Edge:
    return Edge(BY_NAME_ONLY, target, preloaded)


@pytest.mark.parametrize(
    ("entries", "library", "edge"),
    [
        # (entries of the search path, path of the library, how it is found)
        (["$ORIGIN"], "pkg/liby.so", found),
        (["${ORIGIN}"], "pkg/liby.so", found),
        (["$ORIGIN/"], "pkg/liby.so", found),
        (["$ORIGIN/."], "pkg/liby.so", found),
        (["$ORIGIN/libs"], "pkg/libs/liby.so", found),
        (["$ORIGIN//libs/"], "pkg/libs/liby.so", found),
        (["$ORIGIN/../demo.libs"], "demo.libs/liby.so", found),
        (["${ORIGIN}/../demo.libs"], "demo.libs/liby.so", found),
        (["$ORIGIN/.."], "liby.so", found),
        (["$ORIGIN/../pkg/../demo.libs"], "demo.libs/liby.so", found),
        (["$ORIGIN/missing/../libs"], "pkg/libs/liby.so", by_name),
        (["$ORIGIN/../../site-packages/demo.libs"], "demo.libs/liby.so", by_name),
        (["$ORIGIN/../../../.."], "liby.so", by_name),
        (["/opt/lib", "$ORIGIN/libs"], "pkg/libs/liby.so", found),
        (["", "$ORIGIN/libs"], "pkg/libs/liby.so", found),
        (["$ORIGIN/other"], "pkg/libs/liby.so", by_name),
        (["$ORIGINAL/libs"], "pkg/libs/liby.so", by_name),
        (["$ORIGIN.libs"], "pkg.libs/liby.so", by_name),
        (["./$ORIGIN/libs"], "pkg/libs/liby.so", by_name),
        (["$LIB"], "pkg/liby.so", by_name),
        (["/pkg/libs"], "pkg/libs/liby.so", by_name),
        (["pkg/libs"], "pkg/libs/liby.so", by_name),
        (["."], "pkg/liby.so", by_name),
        ([""], "pkg/liby.so", by_name),
        ([], "pkg/liby.so", by_name),
    ],
)
@pytest.mark.parametrize("field", ["rpath", "runpath"])
def test_search_path(field: str, entries: List[str], library: str, edge: Outcome) -> None:
    extension = elf(EXT, "liby.so", **{field: tuple(entries)})
    assert load(extension, elf(library)).provider(EXT, "liby.so") == edge(library)


def test_origin_of_a_file_at_the_root_of_the_wheel() -> None:
    extension = elf("_x.abi3.so", "liba.so", "libb.so", rpath=("$ORIGIN", "$ORIGIN/demo.libs"))
    loading = load(extension, elf("liba.so"), elf("demo.libs/libb.so"))
    assert loading.provider("_x.abi3.so", "liba.so") == found("liba.so")
    assert loading.provider("_x.abi3.so", "libb.so") == found("demo.libs/libb.so")


def test_one_unknown_variable_makes_musl_ignore_the_whole_search_path() -> None:
    """Musl's fixup_rpath stops at any `$` except $ORIGIN; glibc skips only that entry."""
    extension = elf(EXT, "liby.so", runpath=("$ORIGIN/libs", "$LIB"))
    for libc, edge in ((GLIBC, found), (MUSL, by_name)):
        loading = load(extension, elf("pkg/libs/liby.so"), libc=libc)
        assert loading.provider(EXT, "liby.so") == edge("pkg/libs/liby.so"), libc


A, B = "libs/liba.so", "libs/libb.so"
LIBS = ("$ORIGIN/../libs",)


@pytest.mark.parametrize(
    ("extension", "library", "on_glibc", "on_musl"),
    [
        # (search paths of EXT, which needs liba.so, and of liba.so, which needs libb.so;
        # how liba.so finds its library)
        ({"rpath": LIBS}, {}, found, found),
        ({"runpath": LIBS}, {}, by_name, found),
        ({"rpath": LIBS, "runpath": LIBS}, {}, by_name, found),
        ({"rpath": LIBS}, {"rpath": ("$ORIGIN/x",)}, found, found),
        ({"rpath": LIBS}, {"runpath": ("$ORIGIN/x",)}, by_name, found),
        ({"rpath": LIBS}, {"runpath": ("",)}, by_name, found),
        ({"runpath": LIBS}, {"runpath": ("$ORIGIN",)}, found, found),
        ({"runpath": LIBS}, {"rpath": ("$ORIGIN",)}, found, found),
        ({"rpath": LIBS}, {"runpath": ("$ORIGIN/x",), "rpath": ("$ORIGIN",)}, by_name, found),
    ],
)
def test_inherited_search_path(
    extension: Dict[str, Tuple[str, ...]],
    library: Dict[str, Tuple[str, ...]],
    on_glibc: Outcome,
    on_musl: Outcome,
) -> None:
    files = (elf(EXT, "liba.so", **extension), elf(A, "libb.so", **library), elf(B))
    for libc, edge in ((GLIBC, on_glibc), (MUSL, on_musl)):
        loading = load(*files, libc=libc)
        assert loading.provider(EXT, "liba.so") == found(A), libc
        assert loading.provider(A, "libb.so") == edge(B), libc


def test_rpath_is_inherited_from_the_file_that_loaded_it_first() -> None:
    """EXT loads liba.so by a RUNPATH. So OTHER's RPATH applies to it only in OTHER's process."""
    files = [
        elf(EXT, "liba.so", runpath=LIBS),
        elf(OTHER, "liba.so", rpath=LIBS),
        elf(A, "libb.so"),
        elf(B),
    ]
    assert load(*files).provider(A, "libb.so") == by_name(B, preloaded=True)
    assert load(*files[1:]).provider(A, "libb.so") == found(B)


DATA = "demo-1.0.data"


@pytest.mark.parametrize(
    ("path", "entry", "library", "edge"),
    [
        (f"{DATA}/platlib/pkg/_x.abi3.so", "$ORIGIN/../libs", "libs/liby.so", found),
        (f"{DATA}/purelib/pkg/_x.abi3.so", "$ORIGIN/../libs", "libs/liby.so", found),
        ("pkg/_x.abi3.so", "$ORIGIN/../libs", f"{DATA}/platlib/libs/liby.so", found),
        (f"{DATA}/platlib/_x.abi3.so", "$ORIGIN/../libs", f"{DATA}/libs/liby.so", by_name),
        ("other-1.0.data/platlib/pkg/_x.abi3.so", "$ORIGIN/../libs", "libs/liby.so", by_name),
        (f"{DATA}/scripts/tool", "$ORIGIN/../libs", "libs/liby.so", by_name),
        (f"{DATA}/scripts/tool", "$ORIGIN/libs", "libs/liby.so", by_name),
        (f"{DATA}/scripts/tool", "$ORIGIN/../../libs", "libs/liby.so", by_name),
        (
            f"{DATA}/scripts/tool",
            "$ORIGIN/../platlib/libs",
            f"{DATA}/platlib/libs/liby.so",
            by_name,
        ),
        (f"{DATA}/scripts/tool", "$ORIGIN", f"{DATA}/scripts/liby.so", found),
        (f"{DATA}/data/bin/tool", "$ORIGIN/../lib", f"{DATA}/data/lib/liby.so", found),
        (f"{DATA}/data/bin/tool", "$ORIGIN/../lib", "lib/liby.so", by_name),
        ("pkg/tool", "$ORIGIN/libs", "pkg/libs/liby.so", found),
    ],
)
def test_search_in_the_installed_layout(path: str, entry: str, library: str, edge: Outcome) -> None:
    loading = load(elf(path, "liby.so", rpath=(entry,)), elf(library))
    assert loading.provider(path, "liby.so") == edge(library)


def test_scheme_roots_are_distinct() -> None:
    members = ["pkg/a", *(f"{DATA}/{name}/pkg/a" for name in ("platlib", "scripts", "headers"))]
    roots = ["site", "site", "scripts", "headers"]
    assert [install_path(path, "demo-1.0") for path in members] == [(r, "pkg/a") for r in roots]


@pytest.mark.parametrize(
    ("libc", "name", "edge"),
    [
        (GLIBC, "libz.so.1", Edge(SYSTEM)),
        (GLIBC, "ld-linux-x86-64.so.2", Edge(LOADER)),
        (GLIBC, "ld-linux-aarch64.so.1", Edge(SYSTEM)),
        (GLIBC, "/opt/lib/liby.so", Edge(PATH)),
        (GLIBC, "libs/liby.so", Edge(PATH)),
        (MUSL, "libc.so", Edge(LOADER)),
        (MUSL, "libc.musl-x86_64.so.1", Edge(LOADER)),
        (MUSL, "libpthread.so.0", Edge(LOADER)),
        (MUSL, "ld-musl-x86_64.so.1", Edge(LOADER)),
        (MUSL, "libz.so.1", Edge(SYSTEM)),
    ],
)
def test_libraries_outside_the_wheel(libc: str, name: str, edge: Edge) -> None:
    files = (elf(EXT, name, rpath=("$ORIGIN",)), elf("pkg/libs/liby.so"))
    loading = load(*files, libc=libc)
    assert loading.provider(EXT, name) == edge
    assert loading.processes[0].outside == ({name} if edge.kind != LOADER else set())


NEAR = ("$ORIGIN",)
LIB = "pkg/liby.so"
PROGRAM = {"interpreter": GLIBC_LOADER}


@pytest.mark.parametrize(
    ("others", "preloaded"),
    [
        ([], False),
        ([elf(OTHER, "liby.so")], False),
        ([elf(OTHER, "liby.so", rpath=NEAR)], True),
        ([elf("pkg/libz.so", "liby.so", rpath=NEAR)], True),
        ([elf("pkg/tool", "liby.so", rpath=NEAR, **PROGRAM)], False),
        ([elf("pkg/tool", "liby.so", rpath=NEAR, kind=EXECUTABLE)], False),
        ([elf("pkg/tool", "liby.so", rpath=NEAR, pie=True)], False),
        ([elf(OTHER, "libz.so", rpath=NEAR), elf("pkg/libz.so", "liby.so")], True),
    ],
)
def test_another_root_loads_it_first(others: List[ElfFile], preloaded: bool) -> None:  # noqa: FBT001
    loading = load(elf(EXT, "liby.so"), elf(LIB), *others)
    assert loading.provider(EXT, "liby.so") == by_name(LIB, preloaded=preloaded)


MODULE = elf(EXT, "liby.so", rpath=NEAR)


@pytest.mark.parametrize(
    ("tool", "preloaded"),
    [
        (elf("tool", "liby.so", **PROGRAM), False),
        (elf("tool", "liby.so", kind=EXECUTABLE), False),
        (elf("tool", "liby.so", pie=True), False),
        # A library with an interpreter, as Qt has them.
        (elf("tool", "liby.so", soname="tool", **PROGRAM), True),
    ],
)
def test_nothing_is_loaded_before_the_libraries_of_a_program(
    tool: ElfFile, *, preloaded: bool
) -> None:
    loading = load(tool, MODULE, elf(LIB))
    assert loading.provider("tool", "liby.so") == by_name(LIB, preloaded=preloaded)


def test_a_library_that_a_program_cannot_find_is_not_preloaded_for_others() -> None:
    """The module finds it. The program loads the same library, which then does not."""
    middle = elf("pkg/libm1.so", "liby.so")
    tool = elf("pkg/tool", "libm1.so", rpath=NEAR, runpath=NEAR, **PROGRAM)
    module = elf(EXT, "liby.so", "libm1.so", rpath=NEAR)
    assert load(module, middle, elf(LIB)).provider(middle.path, "liby.so") == found(LIB)
    loading = load(tool, module, middle, elf(LIB))
    assert loading.provider(middle.path, "liby.so") == by_name(LIB)


def test_a_file_that_others_need_is_no_program() -> None:
    """A library without a soname, whose interpreter lets it be run, too."""
    needed = elf("pkg/libz1.so", "liby.so", rpath=NEAR, **PROGRAM)
    user = elf(OTHER, "libz1.so", rpath=NEAR)
    loading = load(elf(EXT, "liby.so"), elf(LIB), needed, user)
    assert loading.provider(EXT, "liby.so") == by_name(LIB, preloaded=True)


@pytest.mark.parametrize(
    ("files", "libc", "path", "edge"),
    [
        # A library that is loaded satisfies every file that needs its soname.
        ([elf(EXT, "liba.so", "real.so.1", rpath=NEAR)], GLIBC, EXT, found("pkg/liba.so")),
        # musl compares only the name that was requested.
        ([elf(EXT, "liba.so", "real.so.1", rpath=NEAR)], MUSL, EXT, by_name("pkg/liba.so")),
        # The order of loading is breadth first, not depth first.
        (
            [elf(EXT, "libb.so", "liba.so", runpath=NEAR), elf("pkg/libb.so", "liba.so")],
            GLIBC,
            "pkg/libb.so",
            found("pkg/liba.so"),
        ),
        # The root's own name counts as loaded.
        (
            [
                elf(EXT, "libb.so", runpath=NEAR, soname="liba.so"),
                elf("pkg/libb.so", "liba.so"),
            ],
            GLIBC,
            "pkg/libb.so",
            found(EXT),
        ),
    ],
)
def test_already_loaded_name(files: Sequence[ElfFile], libc: str, path: str, edge: Edge) -> None:
    name = "real.so.1" if path == EXT else "liba.so"
    loading = load(*files, elf("pkg/liba.so", soname="real.so.1"), libc=libc)
    assert loading.provider(path, name) == edge


@pytest.mark.parametrize("libc", [GLIBC, MUSL])
def test_cycle_is_loaded_once_in_breadth_first_order(libc: str) -> None:
    files = [
        elf(EXT, "liba.so", "libb.so", rpath=NEAR),
        elf("pkg/liba.so", "libb.so", "libc3.so"),
        elf("pkg/libb.so", "liba.so", "libb.so"),
        elf("pkg/libc3.so", "liba.so"),
    ]
    loading = load(*files, libc=libc)
    members = (EXT, "pkg/liba.so", "pkg/libb.so", "pkg/libc3.so")
    assert [process.members for process in loading.processes] == [members]
    assert {edge.kind for edge in loading.edges.values()} == {INTERNAL}


@pytest.mark.parametrize("runpath", [NEAR, ()])
def test_libraries_that_need_each_other_are_opened_by_name(runpath: Tuple[str, ...]) -> None:
    a, b = "pkg/liba.so", "pkg/libb.so"
    loading = load(elf(a, "libb.so", runpath=runpath), elf(b, "liba.so", runpath=runpath))
    edge = found if runpath else by_name
    assert loading.provider(a, "libb.so") == edge(b)
    assert loading.provider(b, "liba.so") == edge(a)
    assert {path for one in loading.processes for path in one.members} == {a, b}


def test_version_of_a_library_without_a_needed_entry_is_looked_up_in_the_process() -> None:
    need = VersionNeed("liby.so", "Y_1")
    library = elf("pkg/liba.so", versions_needed=(need, VersionNeed("libm.so.6", "GLIBC_2.2.5")))
    loading = load(elf(EXT, "liba.so", "liby.so", rpath=NEAR), library, elf(LIB))
    assert loading.provider("pkg/liba.so", "liby.so") == found(LIB)
    assert loading.provider("pkg/liba.so", "libm.so.6") == Edge(SYSTEM)
