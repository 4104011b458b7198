"""Modules of Windows wheels for another Python or another machine than the tags name."""

from __future__ import annotations

from typing import List, NamedTuple, Tuple

import pytest

from manyshim.audit.nativefacts import PeFile
from manyshim.audit.windows.loading import Suffix, parse_suffix
from manyshim.audit.windows.systemdlls import PythonDll, parse_python
from nativerules import DLL, EXE, PYD, findings, pe, said

PLAIN = "pkg/_x.pyd"


class Case(NamedTuple):
    """A Python tag with its ABI, files, and the severity and path of each finding."""

    tags: str
    files: List[PeFile]
    found: List[Tuple[str, str]]
    platform: str = "win_amd64"


PYTHONS = {
    "its own": Case("cp311-cp311", [pe(PYD, "python311.dll")], []),
    "the stable ABI's": Case("cp311-cp311", [pe(PYD, "python3.dll")], []),
    "the stable ABI's in abi3": Case("cp39-abi3", [pe(PLAIN, "python3.dll")], []),
    "one version in abi3": Case("cp39-abi3", [pe(PLAIN, "python39.dll")], [("error", PLAIN)]),
    "one version in abi3, by its suffix": Case("cp39-abi3", [pe(PYD, "python311.dll")], []),
    "another version": Case("cp311-cp311", [pe(PYD, "Python310.dll")], [("error", PYD)]),
    "one of two": Case("cp310.cp311-none", [pe(PYD, "python310.dll")], []),
    "free-threaded": Case("cp314-cp314t", [pe(PLAIN, "python314t.dll")], []),
    "not free-threaded": Case("cp314-cp314t", [pe(PLAIN, "python314.dll")], [("error", PLAIN)]),
    "free-threaded alone": Case("cp314-cp314", [pe(PLAIN, "python314t.dll")], [("error", PLAIN)]),
    "any ABI": Case("cp314-none", [pe(PLAIN, "python314t.dll")], []),
    "any Python": Case("py3-none", [pe(PYD, "python311.dll")], [("info", PYD)]),
    "Python 2 and 3": Case("py2.py3-none", [pe(PYD, "python311.dll")], [("info", PYD)]),
    "PyPy": Case("pp311-pypy311_pp73", [pe(PLAIN, "python311.dll")], []),
    "a library": Case(
        "cp311-cp311", [pe(PYD, "x.dll"), pe(DLL, "python310.dll")], [("error", DLL)]
    ),
    "a program with its own Python": Case(
        "cp311-cp311", [pe("pkg/tool.exe", "python312.dll"), pe("pkg/python312.dll")], []
    ),
    "a script with its own Python": Case(
        "cp311-cp311", [pe(EXE, "python312.dll"), pe("pkg/python312.dll")], [("error", EXE)]
    ),
    "a module for each Python": Case(
        "cp311-cp311",
        [pe(PYD, "python311.dll"), pe("pkg/_x.cp310-win_amd64.pyd", "python310.dll")],
        [],
    ),
    "no tag of CPython": Case("py37-none", [pe(PYD, "python37.dll")], []),
}


@pytest.mark.parametrize("name", PYTHONS)
def test_the_dll_of_python(name: str) -> None:
    case = PYTHONS[name]
    found = findings(case.platform, *case.files, tags=case.tags)
    of_kind = [one for one in found if one.kind == "PYTHON_DLL"]
    assert [(one.severity, one.path) for one in of_kind] == case.found


ARM, X86 = "pkg/_x.cp311-win_arm64.pyd", "pkg/_x.cp311-win32.pyd"
MACHINES = {
    "its own": Case("cp311-cp311", [pe(PYD)], []),
    "by header": Case("cp311-cp311", [pe(PLAIN, machine="x86")], [("error", PLAIN)]),
    "an unknown machine": Case("cp311-cp311", [pe(PLAIN, machine="0x1c4")], [("error", PLAIN)]),
    "by suffix": Case("cp311-cp311", [pe(ARM)], [("error", ARM)]),
    "by suffix under the ABI none": Case("cp311-none", [pe(ARM)], []),
    "by both": Case("cp311-cp311", [pe(ARM, machine="arm64")], [("error", ARM)]),
    "a module for each machine": Case("cp311-cp311", [pe(PYD), pe(ARM, machine="arm64")], []),
    "for both machines of the tags": Case(
        *("cp311-cp311", [pe(PYD), pe(X86, machine="x86")], [], "win_amd64.win32")
    ),
    "a DLL": Case("cp311-cp311", [pe(PYD), pe(DLL, machine="x86")], []),
    "a program": Case("cp311-cp311", [pe(EXE, machine="x86")], []),
    "a module among data": Case(
        "cp311-cp311", [pe("demo-1.0.data/data/x.pyd", machine="arm64")], []
    ),
}


@pytest.mark.parametrize("name", MACHINES)
def test_the_machine_of_a_module(name: str) -> None:
    case = MACHINES[name]
    found = findings(case.platform, *case.files, tags=case.tags)
    assert [(one.severity, one.path) for one in found] == case.found
    assert {one.kind for one in found} <= {"MIXED_ARCH"}


def test_names_beyond_the_stable_abi_are_found() -> None:
    file = pe(PLAIN, "python3.dll", python_names=("PyLong_AsInt", "PyUnicode_New", "malloc"))
    found = findings("win_amd64", file, tags="cp39-abi3")
    assert [(one.severity, one.kind, one.symbols) for one in found] == [
        ("warning", "ABI3", ("PyUnicode_New",)),
        ("error", "ABI3", ("PyLong_AsInt",)),
    ]
    (strict, _) = findings("win_amd64", file, tags="cp39-abi3", strict=True)
    assert strict.severity == "error"
    assert findings("win_amd64", file, tags="cp311-cp311") == []
    own = file._replace(path=PYD)
    assert findings("win_amd64", own, tags="cp39-abi3") == [], "the suffix is that of one Python"


def test_names_of_the_stable_abi_are_none() -> None:
    names = ("PyLong_AsLong", "PyErr_SetFromWindowsErr", "_Py_NoneStruct", "PyType_FromSpec")
    assert findings("win_amd64", pe(PLAIN, python_names=names), tags="cp39-abi3") == []


def test_file_names_of_modules() -> None:
    assert parse_suffix("_x.cp313t-win_amd64.pyd") == Suffix("cp313t", "win_amd64", debug=False)
    assert parse_suffix("_X_D.CP311-WIN32.PYD") == Suffix("cp311", "win32", debug=True)
    assert parse_suffix("_x.pyd") == parse_suffix("_x.abi3.pyd") == Suffix("", "", debug=False)
    assert parse_suffix("_x.cp313-win_amd64.pyd").version == (3, 13)
    assert parse_suffix("_x.pypy39-pp73-win_amd64.pyd").platform == "win_amd64"


def test_names_of_python_dlls() -> None:
    assert parse_python("PYTHON311.dll") == PythonDll(3, 11, free_threaded=False, debug=False)
    assert parse_python("python3t.dll") == PythonDll(3, None, free_threaded=True, debug=False)
    assert parse_python("python314t_d.dll") == PythonDll(3, 14, free_threaded=True, debug=True)
    for name in ("python.dll", "python311.pyd", "xpython311.dll", "python39999.dll"):
        assert parse_python(name) is None


def test_the_sentence_has_the_tags_as_the_file_name_has_them() -> None:
    found = findings("win_amd64", pe(PYD, "python312.dll"), tags="cp310.cp311-none")
    assert "needs python312.dll, but the wheel is for cp310.cp311-none" in said(found)
