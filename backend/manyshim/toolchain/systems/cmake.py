"""The toolchain file of CMake for a target, and the modules with which CMake finds its Python.

Source: cmake-toolchains(7), and FindPython for what it asks of a Python of the target.
"""

from __future__ import annotations

from typing import Dict, Iterator, Mapping, Sequence, Tuple

from manyshim.toolchain.systems.machine import Machine
from manyshim.values import NamedTuple

_PYTHONS = ("Python", "Python3")

# CMake's FindPython asks no interpreter when CMake cross-compiles, and refuses one by the policy
# CMP0190. But the interpreter of a build answers for the target: its sysconfig is the target's. So
# this module hides that CMake cross-compiles, and the size of a pointer, which FindPython compares.
_MODULE = """\
set(_manyshim_cross "${{CMAKE_CROSSCOMPILING}}")
set(_manyshim_pointer "${{CMAKE_SIZEOF_VOID_P}}")
set(_manyshim_path "${{CMAKE_MODULE_PATH}}")
set(_manyshim_finds TRUE)
set(CMAKE_CROSSCOMPILING FALSE)
set(CMAKE_SIZEOF_VOID_P "")
list(REMOVE_ITEM CMAKE_MODULE_PATH "${{CMAKE_CURRENT_LIST_DIR}}")
include({name})
set(CMAKE_CROSSCOMPILING "${{_manyshim_cross}}")
set(CMAKE_SIZEOF_VOID_P "${{_manyshim_pointer}}")
set(CMAKE_MODULE_PATH "${{_manyshim_path}}")
set(_manyshim_finds FALSE)
"""

# Projects replace CMAKE_MODULE_PATH after project(). The modules must stay in it.
_WATCH = """\
list(INSERT CMAKE_MODULE_PATH 0 {folder})
list(REMOVE_DUPLICATES CMAKE_MODULE_PATH)
macro(_manyshim_keep_modules variable access)
  if("${{access}}" STREQUAL "MODIFIED_ACCESS" AND NOT _manyshim_finds
      AND NOT ";${{CMAKE_MODULE_PATH}};" MATCHES {pattern})
    set(CMAKE_MODULE_PATH {folder} ${{CMAKE_MODULE_PATH}})
  endif()
endmacro()
variable_watch(CMAKE_MODULE_PATH _manyshim_keep_modules)
"""

# What a user names explicitly is searched, too.
_ROOTS = """\
set(CMAKE_FIND_ROOT_PATH {roots} ${{CMAKE_FIND_ROOT_PATH}} ${{CMAKE_PREFIX_PATH}})
if(DEFINED ENV{{CMAKE_PREFIX_PATH}})
  string(REPLACE ":" ";" _manyshim_prefixes "$ENV{{CMAKE_PREFIX_PATH}}")
  list(APPEND CMAKE_FIND_ROOT_PATH ${{_manyshim_prefixes}})
endif()
list(REMOVE_DUPLICATES CMAKE_FIND_ROOT_PATH)
"""

# Backends build in temporary folders, and CMake writes the build folder into files. In flags, CMake
# does not quote a space. As an option it does, but only below the directory of the first project().
_SAME_BYTES = """\
set(_manyshim_map "-ffile-prefix-map=${CMAKE_BINARY_DIR}=build")
if(_manyshim_map MATCHES "^[-A-Za-z0-9_/.,:+=@%]*$")
  foreach(_manyshim_language C CXX ASM)
    set(CMAKE_${_manyshim_language}_FLAGS_INIT "${_manyshim_map}")
  endforeach()
elseif(NOT _manyshim_map MATCHES "[$<>;]" AND NOT CMAKE_SCRIPT_MODE_FILE)
  add_compile_options("$<$<COMPILE_LANGUAGE:C,CXX,ASM>:${_manyshim_map}>")
endif()
"""


class Python(NamedTuple):
    """The Python of a build, as CMake's modules ask for it.

    `program` is the interpreter of the build, `headers` the folder of the target's Python.h,
    `suffix` that of the target's extension modules, and `library` an archive without members: a
    module for Linux takes the functions of Python from the process that loads it.
    """

    program: str
    headers: str
    suffix: str
    library: str
    debug: bool = False


class Places(NamedTuple):
    """Where CMake searches: below `roots` only, and for its modules in the folder `modules` first.

    `multiarch` is the name of a folder in lib, as Debian has it; "" if the target has none.
    """

    roots: Sequence[str]
    modules: str
    multiarch: str = ""


def toolchain_file(
    machine: Machine, tools: Mapping[str, str], python: Python, places: Places, *, native: bool
) -> str:
    """Return the text of a toolchain file.

    `tools` are the paths of CC, CXX, AR, RANLIB and STRIP. With `native`, CMake does not
    cross-compile. A variable that the user has defined keeps the user's value.
    """
    values = {**({} if native else _machine(machine)), **_programs(tools), **_rules(places)}
    return "".join(
        (
            *(_block(name, value) for name, value in values.items()),
            # Those of scikit-build-core are in the cache before.
            *(f'set({n} {_quoted(v)} CACHE STRING "")\n' for n, v in _python(python, machine)),
            _ROOTS.format(roots=" ".join(map(_quoted, places.roots))),
            _watch(places.modules),
            _SAME_BYTES,
        )
    )


def modules() -> Dict[str, str]:
    """Return the modules that precede those of CMake, by file name."""
    return {f"Find{name}.cmake": _MODULE.format(name=f"Find{name}") for name in _PYTHONS}


def _machine(machine: Machine) -> Dict[str, str]:
    values = {"CMAKE_SYSTEM_NAME": "Linux", "CMAKE_SYSTEM_PROCESSOR": machine.arch}
    if machine.emulator is not None:
        # Without a command, CMake would not run a program that this machine can run.
        values["CMAKE_CROSSCOMPILING_EMULATOR"] = ";".join(machine.emulator or ("/usr/bin/env",))
    return values


def _programs(tools: Mapping[str, str]) -> Dict[str, str]:
    values = {
        "CMAKE_C_COMPILER": tools["CC"],
        "CMAKE_CXX_COMPILER": tools["CXX"],
        "CMAKE_ASM_COMPILER": tools["CC"],
        "CMAKE_STRIP": tools["STRIP"],
    }
    for tool in ("AR", "RANLIB"):
        # CMake has names of its own for those that archive files for link-time optimization.
        names = (f"CMAKE_{tool}", f"CMAKE_C_COMPILER_{tool}", f"CMAKE_CXX_COMPILER_{tool}")
        values.update(dict.fromkeys(names, tools[tool]))
    return values


def _rules(places: Places) -> Dict[str, str]:
    kinds = ("LIBRARY", "INCLUDE", "PACKAGE")
    values = {f"CMAKE_FIND_ROOT_PATH_MODE_{kind}": "ONLY" for kind in kinds}
    if places.multiarch:
        values["CMAKE_LIBRARY_ARCHITECTURE"] = places.multiarch
    return {
        **values,
        "CMAKE_FIND_ROOT_PATH_MODE_PROGRAM": "NEVER",
        # The length of another path would change the files that are linked to a library.
        "CMAKE_BUILD_RPATH_USE_ORIGIN": "ON",
        # zig has no scanner for the modules of C++.
        "CMAKE_CXX_SCAN_FOR_MODULES": "OFF",
    }


def _python(python: Python, machine: Machine) -> Iterator[Tuple[str, str]]:
    yield "PYTHON_EXECUTABLE", python.program
    yield "PYTHON_INCLUDE_DIR", python.headers
    yield "PYTHON_LIBRARY", python.library
    for name in _PYTHONS:
        yield f"{name}_EXECUTABLE", python.program
        yield f"{name}_INCLUDE_DIR", python.headers
        yield f"{name}_LIBRARY", python.library
        # For projects that ask for no interpreter.
        yield f"{name}_SOABI", python.suffix[1:].rpartition(".")[0]
        yield f"{name}_SOSABI", "abi3"
    # pybind11 asks the interpreter, but would compare the size of its pointers with the target's.
    yield "PYBIND11_USE_CROSSCOMPILING", "OFF" if machine.bits == 64 else "ON"
    yield "PYTHON_MODULE_EXTENSION", python.suffix
    yield "PYTHON_MODULE_DEBUG_POSTFIX", ""
    yield "PYTHON_IS_DEBUG", "1" if python.debug else "0"


def _watch(folder: str) -> str:
    escaped = "".join(f"[{one}]" if one in ".+*?()$|" else one for one in folder)
    return _WATCH.format(folder=_quoted(folder), pattern=_quoted(f";{escaped};"))


def _block(name: str, value: str) -> str:
    return f"if(NOT DEFINED CACHE{{{name}}})\n  set({name} {_quoted(value)})\nendif()\n"


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("$", "\\$")
    return f'"{escaped}"'
