"""Libraries that dyld finds in the installed wheel and in macOS, and those that it does not."""

from __future__ import annotations

from typing import Any, List, Mapping, NamedTuple, Tuple

import pytest

from manyshim.audit.nativefacts import IOS, MACHO_PROGRAM, MachoFile
from nativerules import LIBRARY, MODULE, SCRIPT, Row, findings, macho, part, rows, said

HOMEBREW = "/opt/homebrew/opt/xz/lib/liblzma.5.dylib"
FRAMEWORK = "/Library/Frameworks/Python.framework/Versions/3.11/Python"
PLATLIB = "demo-1.0.data/platlib/pkg/liby.dylib"


class Case(NamedTuple):
    """Files of a wheel for arm64, and the findings; `more` is for the facts of the wheel."""

    files: List[MachoFile]
    found: List[Row]
    more: Mapping[str, Any] = {}


def missing(name: str, severity: str = "error", path: str = MODULE) -> List[Row]:
    return [(severity, "MACOS_LIBRARY", path, name)]


def program(path: str, *needed: str, **facts: Any) -> MachoFile:
    return macho(path, part(type=MACHO_PROGRAM, needed=needed, **facts))


def needing(*names: str, path: str = MODULE, **facts: Any) -> MachoFile:
    return macho(path, part(needed=names, **facts))


CASES = {
    "the system's": Case([needing("/usr/lib/libSystem.B.dylib", "/System/Library/F/F")], []),
    "beside it": Case([needing("@loader_path/libx.dylib"), macho(LIBRARY)], []),
    "in another folder": Case(
        [needing("@loader_path/../demo.libs/l.dylib"), macho("demo.libs/l.dylib")], []
    ),
    "below .data/platlib": Case([needing("@loader_path/liby.dylib"), macho(PLATLIB)], []),
    "not beside it": Case(
        [needing("@loader_path/libz.dylib"), macho(LIBRARY)], missing("@loader_path/libz.dylib")
    ),
    "outside of the wheel": Case(
        [needing("@loader_path/../../other/l.dylib")], missing("@loader_path/../../other/l.dylib")
    ),
    "Homebrew's": Case([needing(HOMEBREW)], missing(HOMEBREW)),
    "a plain name": Case([needing("libfoo.dylib")], missing("libfoo.dylib")),
    "weak": Case([macho(MODULE, part(weak=(HOMEBREW,)))], []),
    "by its own search path": Case(
        [needing("@rpath/l.dylib", rpaths=("@loader_path/lib",)), macho("pkg/lib/l.dylib")], []
    ),
    "by the second search path": Case(
        [
            needing("@rpath/l.dylib", rpaths=("/opt", "@loader_path/a", "@loader_path/lib/")),
            macho("pkg/lib/l.dylib"),
        ],
        [("info", "RPATH_LEAK", MODULE, "/opt")],
    ),
    "by no search path": Case(
        [needing("@rpath/libx.dylib"), macho(LIBRARY)], missing("@rpath/libx.dylib")
    ),
    "by an absolute search path": Case(
        [needing("@rpath/libx.dylib", rpaths=("/opt/lib",))],
        [*missing("@rpath/libx.dylib"), ("info", "RPATH_LEAK", MODULE, "/opt/lib")],
    ),
    "by the system's": Case([needing("@rpath/libswiftCore.dylib", rpaths=("/usr/lib/swift",))], []),
    "by its loader's search path": Case(
        [
            needing("@rpath/libx.dylib", rpaths=("@loader_path", "@loader_path/lib")),
            needing("@rpath/l.dylib", path=LIBRARY),
            macho("pkg/lib/l.dylib"),
        ],
        [],
    ),
    "by its loader's loader's": Case(
        [
            macho("pkg/lib/l.dylib"),
            needing("@rpath/l.dylib", path="pkg/liby.dylib"),
            needing("@loader_path/liby.dylib", path=LIBRARY),
            needing("@rpath/libx.dylib", rpaths=("@loader_path", "@loader_path/lib")),
        ],
        [],
    ),
    "two files that load each other": Case(
        [
            needing("@rpath/b.dylib", path="pkg/a.dylib", rpaths=("@loader_path",)),
            needing("@rpath/a.dylib", "@rpath/c.dylib", path="pkg/b.dylib"),
        ],
        missing("@rpath/c.dylib", "warning", "pkg/b.dylib"),
    ),
    "of a library that a module loads": Case(
        [needing("@loader_path/libx.dylib"), needing(HOMEBREW, path=LIBRARY)],
        missing(HOMEBREW, path=LIBRARY),
    ),
    "of a library that nothing loads": Case(
        [macho(MODULE), needing(HOMEBREW, path=LIBRARY)], missing(HOMEBREW, "warning", LIBRARY)
    ),
    "of a library, without a module": Case(
        [needing(HOMEBREW, path=LIBRARY)], missing(HOMEBREW, "warning", LIBRARY)
    ),
    "of lib*.so, which is no module": Case(
        [needing(HOMEBREW, path="pkg/libfoo.so")], missing(HOMEBREW, "warning", "pkg/libfoo.so")
    ),
    "of a library that is loaded weakly": Case(
        [macho(MODULE, part(weak=("@loader_path/libx.dylib",))), needing(HOMEBREW, path=LIBRARY)],
        missing(HOMEBREW, "warning", LIBRARY),
    ),
    "of a script": Case([program(SCRIPT, HOMEBREW)], missing(HOMEBREW, path=SCRIPT)),
    "of another program": Case(
        [program("pkg/bin/tool", HOMEBREW)], missing(HOMEBREW, "warning", "pkg/bin/tool")
    ),
    "beside a program": Case(
        [program("pkg/bin/tool", "@executable_path/../l.dylib"), macho("pkg/l.dylib")], []
    ),
    "beside the executable, which is Python": Case(
        [needing("@executable_path/libx.dylib"), macho(LIBRARY)],
        missing("@executable_path/libx.dylib"),
    ),
    "from the scripts into the package": Case(
        [program(SCRIPT, "@loader_path/../pkg/libx.dylib"), macho(LIBRARY)],
        missing("@loader_path/../pkg/libx.dylib", path=SCRIPT),
    ),
    "of a required project": Case(
        [needing("@rpath/libmlx.dylib")],
        missing("@rpath/libmlx.dylib", "warning"),
        {"requires": ("numpy", "mlx-metal")},
    ),
    "of a required project, under another name": Case(
        [needing("@rpath/libtorch.dylib", "@rpath/libc10.dylib")],
        [*missing("@rpath/libc10.dylib", "warning"), *missing("@rpath/libtorch.dylib", "warning")],
        {"requires": ("torch",)},
    ),
    "of a required project with a short name": Case(
        [needing("@rpath/libz3.dylib")],
        missing("@rpath/libz3.dylib", "warning"),
        {"requires": ("z3-solver",)},
    ),
    "of no required project with a short name": Case(
        [needing("@rpath/libgz3x.dylib")],
        missing("@rpath/libgz3x.dylib"),
        {"requires": ("z3-solver",)},
    ),
    "of a required project, in its folder": Case(
        [needing("@rpath/QtCore.framework/QtCore", rpaths=("@loader_path/Qt5/lib",))],
        missing("@rpath/QtCore.framework/QtCore", "warning"),
        {"requires": ("pyqt5-qt5",)},
    ),
    "of no required project, in a folder of another": Case(
        [needing("@rpath/libfoo.dylib", rpaths=("@loader_path/lib",))],
        missing("@rpath/libfoo.dylib"),
    ),
    "in a folder of the wheel": Case(
        [needing("@rpath/libfoo.dylib", rpaths=("@loader_path/lib",)), macho("pkg/lib/l.dylib")],
        *(missing("@rpath/libfoo.dylib"), {"requires": ("numpy",)}),
    ),
    "in a folder outside of the packages": Case(
        [needing("@rpath/libfoo.dylib", rpaths=("@loader_path/../../lib", "@loader_path/.."))],
        *(missing("@rpath/libfoo.dylib"), {"requires": ("numpy",)}),
    ),
    "of a project that other files need": Case(
        [
            needing("@rpath/libpyside6.dylib", "@rpath/QtCharts", rpaths=("@loader_path",)),
            needing("@rpath/QtCore", "/opt/libfoo.dylib", path="pkg/QtCharts"),
        ],
        [
            *missing("@rpath/libpyside6.dylib", "warning"),
            *missing("@rpath/QtCore", "warning", "pkg/QtCharts"),
            *missing("/opt/libfoo.dylib", path="pkg/QtCharts"),
        ],
        {"requires": ("pyside6-essentials",)},
    ),
    "the name of a folder": Case(
        [needing("/numpy/libomp.dylib")], missing("/numpy/libomp.dylib"), {"requires": ("numpy",)}
    ),
    "the system's by its name alone, of an old SDK": Case(
        [needing("@rpath/libc++.1.dylib", "/opt/local/lib/libz.1.dylib", sdk=12)], []
    ),
    "the system's by its name alone, of a new SDK": Case(
        [needing("@rpath/libc++.1.dylib", sdk=13)], missing("@rpath/libc++.1.dylib")
    ),
    "another name, of an old SDK": Case([needing(HOMEBREW, sdk=12)], missing(HOMEBREW)),
    "of no required project": Case(
        [needing("@rpath/libomp.dylib")], missing("@rpath/libomp.dylib"), {"requires": ("numpy",)}
    ),
    "by its install name": Case(
        [needing("libx.1.dylib"), macho(LIBRARY, part(install_name="libx.1.dylib"))],
        missing("libx.1.dylib", "info"),
    ),
    "Python's framework": Case([needing(FRAMEWORK)], [("error", "LIBPYTHON", MODULE, FRAMEWORK)]),
    "libpython": Case(
        [needing("@rpath/libpython3.11.dylib")],
        [("error", "LIBPYTHON", MODULE, "@rpath/libpython3.11.dylib")],
    ),
    "libpython, of a library": Case(
        [needing(FRAMEWORK, path=LIBRARY)], [("warning", "LIBPYTHON", LIBRARY, FRAMEWORK)]
    ),
    "libpython of the wheel": Case(
        [needing("@loader_path/libpython3.11.dylib"), macho("pkg/libpython3.11.dylib")], []
    ),
    "a member that is no Mach-O file": Case(
        [needing("@loader_path/libx.dylib")], [], {"paths": (LIBRARY,)}
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_libraries(name: str) -> None:
    case = CASES[name]
    assert rows(findings("macosx_11_0_arm64", *case.files, **case.more)) == sorted(case.found)


def test_each_architecture_is_resolved_by_itself() -> None:
    file = macho(MODULE, part("x86_64", (10, 9)), part(needed=(HOMEBREW,)))
    (found,) = findings("macosx_10_9_universal2", file)
    assert f"needs {HOMEBREW} on arm64, which is neither" in said([found])
    both = macho(MODULE, part("x86_64", (10, 9), needed=(HOMEBREW,)), part(needed=(HOMEBREW,)))
    (found,) = findings("macosx_10_9_universal2", both)
    assert f"needs {HOMEBREW}, which is neither" in said([found])


def test_a_library_of_another_architecture_is_not_reached() -> None:
    """What loads it there is missing here, which is a finding of its own."""
    module = macho(MODULE, part("x86_64", (10, 9), needed=("@loader_path/libx.dylib",)), part())
    library = macho(LIBRARY, part("x86_64", (10, 9)), part(needed=(HOMEBREW,)))
    (found,) = findings("macosx_10_9_universal2", module, library)
    assert (found.severity, found.path) == ("warning", LIBRARY)


def test_the_libraries_of_ios_are_not_judged() -> None:
    file = needing("@rpath/Python.framework/Python", system=IOS, version=(13, 0))
    assert findings("ios_13_0_arm64_iphoneos", file) == []


def hostile() -> Tuple[MachoFile, ...]:
    """Return files with many names and search paths that load each other."""
    paths = tuple(f"@loader_path/{number}" for number in range(1000))
    names = tuple(f"@rpath/f{number}.dylib" for number in range(100))
    return tuple(needing(*names, path=f"pkg/f{one}.dylib", rpaths=paths) for one in range(100))


def test_many_search_paths_take_bounded_time() -> None:
    found = findings("macosx_11_0_arm64", *hostile(), requires=[f"word{n}" for n in range(300)])
    assert len(found) == 1000, "no more findings of one rule are made"
