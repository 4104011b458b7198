"""DLLs that Windows, Python and the wheel have, and those that are missing."""

from __future__ import annotations

from typing import Any, List, Mapping, NamedTuple

import pytest

from manyshim.audit.nativefacts import PeFile
from manyshim.audit.nativenames import words
from nativerules import DLL, EXE, PYD, Row, findings, pe, rows, said


class Case(NamedTuple):
    """Files of a wheel, the findings, and what else is in the facts of the wheel."""

    files: List[PeFile]
    found: List[Row]
    more: Mapping[str, Any] = {}
    platform: str = "win_amd64"
    tags: str = "cp311-cp311"


def missing(name: str, severity: str = "error", path: str = PYD) -> List[Row]:
    return [(severity, "WINDOWS_LIBRARY", path, name)]


OF_SYSTEM = (
    *("KERNEL32.dll", "api-ms-win-crt-runtime-l1-1-0.dll", "ext-ms-win-ntuser-l1-1-0.dll"),
    *("WINSPOOL.DRV", "joy.cpl", "OPENGL32.dll", "VCRUNTIME140.dll", "VCRUNTIME140_1.dll"),
    *("ucrtbase.dll", "msvcrt.dll", "python311.dll", "python3.dll"),
)
RUNTIMES = (
    *("msvcp140.dll", "msvcp140_1.dll", "concrt140.dll", "vcomp140.dll", "mfc140u.dll"),
    *("vcruntime140_threads.dll", "vcamp140.dll", "mfcm140u.dll", "mfc140deu.dll"),
    *("vccorlib140.dll", "msvcr90.dll", "msvcr100.dll", "msvcr110.dll", "msvcr120.dll"),
)
DEBUG = (
    *("vcruntime140d.dll", "vcruntime140_1d.dll", "msvcp140d.dll", "ucrtbased.dll"),
    *("concrt140d.dll", "python311_d.dll", "msvcp140_1d.dll", "msvcp140d_atomic_wait.dll"),
    *("mfc140ud.dll", "msvcr100d.dll", "vcomp140d.dll", "vcruntime140_threadsd.dll"),
)
CASES = {
    "the system's": Case([pe(PYD, *OF_SYSTEM)], []),
    "the system's on x86": Case(
        [pe("pkg/_x.cp311-win32.pyd", "OPENGL32.dll", "msvcrt.dll", machine="x86")],
        *([], {}, "win32"),
    ),
    "the system's on arm64": Case(
        [pe("pkg/_x.cp311-win_arm64.pyd", "opengl32.dll", machine="arm64")], *([], {}, "win_arm64")
    ),
    "missing": Case([pe(PYD, "Foo.dll")], missing("foo.dll")),
    "missing in a program of the scripts": Case([pe(EXE, "foo.dll")], missing("foo.dll", path=EXE)),
    "in the wheel, in any folder": Case([pe(PYD, "X.DLL"), pe(DLL)], []),
    "of a DLL that a module loads": Case(
        [pe(PYD, "x.dll"), pe(DLL, "foo.dll")], missing("foo.dll", path=DLL)
    ),
    "of a DLL that nothing loads": Case(
        [pe(PYD), pe(DLL, "foo.dll")], missing("foo.dll", "warning", DLL)
    ),
    "of a DLL that is loaded later": Case(
        [pe(PYD, delayed=("x.dll",)), pe(DLL, "foo.dll")], missing("foo.dll", "warning", DLL)
    ),
    "of a program of the package": Case(
        [pe("pkg/tool.exe", "foo.dll")], missing("foo.dll", "warning", "pkg/tool.exe")
    ),
    "of a debug module": Case(
        [pe("pkg/_x_d.cp311-win_amd64.pyd", "foo.dll")],
        missing("foo.dll", "warning", "pkg/_x_d.cp311-win_amd64.pyd"),
    ),
    "loaded later": Case([pe(PYD, delayed=("foo.dll",))], missing("foo.dll", "info")),
    "loaded later, of the system": Case([pe(PYD, delayed=("ole32.dll", "MSVCP140.dll"))], []),
    "of a required project": Case(
        [pe(PYD, "torch_cpu.dll", "c10.dll")],
        [*missing("c10.dll", "warning"), *missing("torch_cpu.dll", "warning")],
        {"requires": ("numpy", "torch")},
    ),
    "of a project that other files need": Case(
        [pe(PYD, "pyside6.abi3.dll", "x.dll"), pe(DLL, "qt6core.dll")],
        [*missing("pyside6.abi3.dll", "warning"), *missing("qt6core.dll", "warning", DLL)],
        {"requires": ("pyside6",)},
    ),
    "of no required project": Case([pe(PYD, "foo.dll")], missing("foo.dll"), {"requires": ("a",)}),
    "of another architecture": Case([pe(PYD, "acwow64.dll")], missing("acwow64.dll", "warning")),
    "of an older Windows": Case(
        [pe(PYD, "api-foo.dll", "aaclient.dll")],
        [*missing("api-foo.dll"), *missing("aaclient.dll", "warning")],
    ),
    "what Windows has for itself": Case(
        [pe(PYD, "libcrypto.dll", "mfc42.dll", "msvcp60.dll")],
        [*missing("libcrypto.dll"), *missing("mfc42.dll"), *missing("msvcp60.dll")],
    ),
    "a payload for another machine": Case([pe(DLL, "foo.dll", machine="x86")], []),
    "names without an extension": Case(
        [pe(PYD, "KERNEL32", "x", "foo", delayed=("ole32", "bar")), pe(DLL)],
        [*missing("foo.dll"), *missing("bar.dll", "info")],
    ),
    "a driver": Case([pe(PYD), pe("pkg/x.sys", "ntoskrnl.exe", "NDIS.SYS")], []),
    ".NET": Case([pe(PYD, "foo.dll", managed=True)], []),
    "a wheel for macOS": Case([pe(DLL, "foo.dll")], [], {}, "macosx_11_0_arm64"),
    "a runtime in the wheel": Case([pe(PYD, "MSVCP140.dll")], [], {"paths": ("pkg/msvcp140.dll",)}),
    "a debug runtime in the wheel": Case(
        [pe(PYD, "ucrtbased.dll")],
        [("error", "DEBUG_RUNTIME", PYD, "ucrtbased.dll")],
        {"paths": ("pkg/UCRTBASED.dll",)},
    ),
    "the second runtime before CPython 3.9": Case(
        [pe(PYD, "vcruntime140_1.dll")],
        [("warning", "VC_RUNTIME", PYD, "vcruntime140_1.dll")],
        *({}, "win_amd64", "cp38-abi3"),
    ),
    "the runtime of CPython 2.7": Case([pe(PYD, "MSVCR90.dll")], [], {}, "win32", "cp27-cp27m"),
    "the runtime of CPython 3.4": Case([pe(PYD, "msvcr100.dll")], [], {}, "win32", "cp34-cp34m"),
    "the runtimes of every Python 2": Case(
        [pe("pkg/_x_py27.pyd", "msvcr90.dll")], [], {}, "win32", "py2.py3-none"
    ),
    "the runtime of an older CPython": Case(
        [pe(PYD, "msvcr90.dll")],
        [("warning", "VC_RUNTIME", PYD, "msvcr90.dll")],
        *({}, "win_amd64", "cp34-cp34m"),
    ),
    "the runtime of some of the CPythons": Case(
        [pe(PYD, "msvcr100.dll")],
        [("warning", "VC_RUNTIME", PYD, "msvcr100.dll")],
        *({}, "win_amd64", "cp34.cp35-none"),
    ),
    "the runtime of the first of all CPythons": Case(
        [pe(PYD, "msvcr100.dll")],
        [("warning", "VC_RUNTIME", PYD, "msvcr100.dll")],
        *({}, "win_amd64", "cp34-abi3"),
    ),
    "a runtime that a required project may bring": Case(
        [pe(PYD, "qt6core.dll", "msvcp140.dll")],
        [("warning", "VC_RUNTIME", PYD, "msvcp140.dll"), *missing("qt6core.dll", "warning")],
        {"requires": ("pyqt6-qt6",)},
    ),
    "PyPy's": Case([pe(PYD, "libpypy3.9-c.dll")], *([], {}, "win_amd64", "pp39-pypy39_pp73")),
}


@pytest.mark.parametrize("name", CASES)
def test_libraries(name: str) -> None:
    case = CASES[name]
    found = findings(case.platform, *case.files, tags=case.tags, **case.more)
    kinds = ("WINDOWS_LIBRARY", "VC_RUNTIME", "DEBUG_RUNTIME")
    assert rows([one for one in found if one.kind in kinds]) == sorted(case.found)


@pytest.mark.parametrize("name", RUNTIMES)
def test_another_runtime_of_visual_c_is_a_warning(name: str) -> None:
    assert rows(findings("win_amd64", pe(PYD, name))) == [("warning", "VC_RUNTIME", PYD, name)]
    (unreached,) = findings("win_amd64", pe(PYD), pe(DLL, name), strict=True)
    assert unreached.severity == "info"
    assert rows(findings("win_amd64", pe(DLL, name))) == [("warning", "VC_RUNTIME", DLL, name)]


@pytest.mark.parametrize("name", DEBUG)
def test_a_debug_runtime_is_an_error_where_a_module_loads_it(name: str) -> None:
    assert rows(findings("win_amd64", pe(PYD, name))) == [("error", "DEBUG_RUNTIME", PYD, name)]
    found = findings("win_amd64", pe(PYD), pe(DLL, name))
    assert rows(found) == [("warning", "DEBUG_RUNTIME", DLL, name)]


def test_one_runtime_is_one_line() -> None:
    first, second = findings("win_amd64", pe("a.pyd", "MSVCP140.dll"), pe("b.pyd", "msvcp140.dll"))
    assert first._replace(path="") == second._replace(path="")


def test_two_dlls_of_one_name_are_both_reached() -> None:
    files = (pe(PYD, "x.dll"), pe("a/x.dll", "foo.dll"), pe("b/x.dll", "bar.dll"))
    assert [one.severity for one in findings("win_amd64", *files)] == ["error", "error"]
    other = pe("a/x.dll", "foo.dll", machine="arm64")
    assert findings("win_amd64", pe(PYD, "x.dll"), other) == []


def test_of_two_copies_one_is_enough() -> None:
    """Such wheels have a DLL twice, and delvewheel has changed one of them."""
    files = (pe(PYD, "x.dll"), pe("pkg/x.dll", "foo.dll"), pe(DLL, "kernel32.dll"))
    (found,) = findings("win_amd64", *files)
    assert (found.severity, found.path) == ("warning", "pkg/x.dll")
    assert "another file of this name in the wheel finds all" in said([found])


def test_the_project_of_a_file_that_nothing_loads_is_named() -> None:
    found = findings("win_amd64", pe(DLL, "nvjitlink_120_0.dll"), requires=("nvidia-nvjitlink",))
    assert "it may come with nvidia-nvjitlink, which the wheel requires" in said(found)


def test_the_sentence_names_the_project() -> None:
    found = findings("win_amd64", pe(PYD, "torch_cpu.dll"), requires=("torch",))
    assert "needs torch_cpu.dll, which is not in the wheel; it may come with torch" in said(found)


def test_a_word_is_in_one_name() -> None:
    known = words(("nvidia-abcd",))
    assert known.project_for(("xab", "cd.dll")) == ""
    assert known.project_for(("xab", "xabcdx.dll")) == "nvidia-abcd"
