"""Explanations of what Windows asks of a wheel."""

from __future__ import annotations

from typing import Dict

from manyshim.audit.explanations.explanation import NOT_NEEDED, Explanation
from manyshim.audit.findings import problem_finding
from manyshim.audit.windows.libraries import DllProblem
from manyshim.audit.windows.modules import PythonProblem

_MODULE = "demo/_fast.cp311-win_amd64.pyd"

EXPLANATIONS: Dict[str, Explanation] = {
    "WINDOWS_LIBRARY": Explanation(
        summary="needs a DLL that is neither in the wheel nor in Windows",
        meaning="The file imports from a DLL. No file of the wheel has this name, and neither "
        "Windows 10 nor 11 brings it. It is a warning if no module loads the file, if some "
        "Windows has the DLL, or if a required project may bring it.",
        example=problem_finding(DllProblem.MISSING, _MODULE, subject="libssl-3-x64.dll"),
        why="The import fails with `DLL load failed`: the specified module could not be found. On "
        "the machine of the build, PATH or a folder of the compiler had the DLL.",
        fix="- Let delvewheel copy the DLLs into the wheel: `delvewheel repair dist/demo.whl`.\n"
        "- Or link the library statically.\n"
        "- With MinGW, `-static-libgcc -static-libstdc++` leaves out its runtime.",
        allow="Rarely: if your users have the DLL, for example that of a driver. "
        '`--allow "WINDOWS_LIBRARY:demo/*"` accepts it.',
    ),
    "DEBUG_RUNTIME": Explanation(
        summary="needs a debug runtime of Visual C++ or Python",
        meaning="The file was built in debug mode. The runtimes for that come with Visual Studio, "
        "and nobody may pass them on. It is a warning if no module and no program of the wheel "
        "loads the file.",
        example=problem_finding(DllProblem.DEBUG, _MODULE, subject="vcruntime140d.dll"),
        why="The import fails on every machine without Visual Studio.",
        fix="- Build in release mode: `/MD` instead of `/MDd`, or `CMAKE_BUILD_TYPE=Release`.\n"
        "- If only one file is from a debug build, take its release build or leave it out.",
        allow="Rarely: if the wheel is for developers who have Visual Studio. "
        '`--allow "DEBUG_RUNTIME:demo/*"` accepts it.',
    ),
    "PYTHON_DLL": Explanation(
        summary="needs the DLL of another Python than the tag names",
        meaning="On Windows a module names the DLL of its Python. An abi3 module must name "
        "`python3.dll`, every other one the DLL of the version in the tag. With the tag py3, it is "
        "only a note.",
        example=problem_finding(
            PythonProblem.IN_STABLE, "demo/_fast.pyd", "cp39-abi3", subject="python311.dll"
        ),
        why="In a process of another Python, Windows does not find the DLL: the import fails. If "
        "it does find it, two Pythons are in one process, which crashes.",
        fix="- For abi3, define `Py_LIMITED_API` in every source file.\n"
        "- Otherwise build with the Python of the tag, from a clean folder.",
        allow="Rarely: if the package never imports the file, and starts it in another process. "
        '`--allow "PYTHON_DLL:demo/embedded/*"` accepts it.',
    ),
    "VC_RUNTIME": Explanation(
        summary="needs a Visual C++ runtime that Python does not bring",
        meaning="CPython brings `vcruntime140.dll`. This file needs another library of Visual C++, "
        "often `msvcp140.dll`. Many machines have it, but Windows alone does not. In a wheel with "
        "modules, it is only a note for a file that none of them loads.",
        example=problem_finding(DllProblem.RUNTIME, _MODULE, subject="msvcp140.dll"),
        why="On a machine without the Visual C++ Redistributable the import fails with "
        "`DLL load failed`.",
        fix="- Let delvewheel copy the DLL into the wheel, under a name of its own.\n"
        "- Or link the C++ runtime statically, and keep the C runtime: `/MT` with "
        "`/NODEFAULTLIB:libucrt.lib` and `ucrt.lib`.",
        allow=NOT_NEEDED,
    ),
}
