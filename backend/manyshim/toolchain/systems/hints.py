"""Why a build for another machine failed, as the last output of CMake and its tools tells it."""

from __future__ import annotations

import re
from typing import Callable, Optional, Tuple

_RUN = (
    "install qemu-user-static and name a sysroot with the target's loader (manyshim.sysroot), or "
    "build on such a machine"
)
_FIND = (
    "is searched in the sysroot, in the project and in Python packages only: name a system for the "
    "target (manyshim.sysroot), or an own build of it in CMAKE_PREFIX_PATH"
)
_CONTAINER = "build in a manylinux container (cibuildwheel) with the system's compiler"
_ERROR = r"^CMake Error at [^\n]*\n\s+"
# More of the same message.
_MORE = r"(?:(?!CMake (?:Error|Warning))[^\x00]){0,999}?"
_ANSI = re.compile(r"\x1b\[[0-9;]*m")

Sentence = Callable[["re.Match[str]"], str]


def _try_run(found: re.Match[str]) -> str:
    names = re.findall(r"^ +(\w+) \(advanced\)$", found["names"], re.MULTILINE)
    given = " ".join(f"-C cmake.define.{name}=..." for name in names)
    return (
        f"CMake runs a test program, and this machine cannot: {_RUN}; or tell its result: {given}"
    )


def _crash(found: re.Match[str]) -> str:
    return (
        f"CMake ended in the test {found['name']}, which runs a program: CMake 3.25.0 and 3.25.1 "
        f"crash there when they cannot run it. Use another CMake, or {_RUN}; or tell the result: "
        f"-C cmake.define.{found['name']}=..."
    )


def _runs(found: re.Match[str]) -> str:
    name = next(filter(None, found.groups()), "a program")
    return (
        f"the build runs {name}, which it compiled for the target, and this machine cannot: {_RUN}"
    )


def _no_command(found: re.Match[str]) -> str:
    return (
        f"the build runs {found[1]}, which is not found. If the build compiles it for the target, "
        f"this machine cannot run it: {_RUN}; otherwise install it"
    )


def _not_found(found: re.Match[str]) -> str:
    return f"{next(filter(None, found.groups()))} {_FIND}"


# The first pattern that fits counts. Without an emulator, CMake writes the name of a target in
# place of its path, so that the shell does not find it.
_HINTS: Tuple[Tuple[re.Pattern[str], Sentence], ...] = tuple(
    (re.compile(pattern, re.MULTILINE), sentence)
    for pattern, sentence in (
        (
            r"(?i:try_run\(\)) invoked in cross-compiling mode.*\n(?P<names>(?: +\w+ .*\n)+)",
            _try_run,
        ),
        (
            (
                r"^-- Performing Test (?P<name>\w+)\n+(?:\*\*\* CMake configuration failed|"
                r"An error occurred while configuring with CMake|Segmentation fault)"
            ),
            _crash,
        ),
        (
            (
                r"CLANG_SCAN_DEPS-NOTFOUND|sources that may use modules|"
                r"does not provide a way to discover the import graph"
            ),
            lambda _: (
                "zig has no scanner for C++ modules (FILE_SET CXX_MODULES): build without "
                f"them, or {_CONTAINER}"
            ),
        ),
        (
            _ERROR + r"Could NOT find OpenMP",
            lambda _: f"zig has no OpenMP runtime: build without OpenMP, or {_CONTAINER}",
        ),
        (
            r"^FAILED: [^\n]*\n[^\n]*\bstubgen\b|^  File \"[^\"\n]*stubgen[^\"\n]*\", line",
            lambda _: (
                "the build imports a module that it compiled for the target, to write its "
                "stubs, and this Python cannot: turn the stubs off, or keep them in the sources"
            ),
        ),
        (
            r"(\S+): (?:\d+: )?(?:Exec format error|cannot execute(?: binary file|: required))",
            _runs,
        ),
        (r"qemu-\w+(?:-static)?: Could not open '\S+ld\S+'", _runs),
        (
            r"&& ([\w.+-]+)(?: [^\n]*)?\n/bin/sh: (?:\d+: |line \d+: )?\1: (?:command )?not found",
            _no_command,
        ),
        (r"^g?make(?:\[\d+\])?: ([\w.+-]+): No such file or directory", _no_command),
        (_ERROR + r"Could NOT find (?!Python)(\w+)", _not_found),
        # Packages that a project can do without are missing, too, but they are no errors.
        (
            (
                r"(?:No package|Package) '([^'\n]+)'[^\n]* (?:not )?found[^\n]*\n(?:[^\n]*\n){0,2}?"
                rf"{_ERROR}A required package was not found"
            ),
            _not_found,
        ),
        (_ERROR + r"The following required packages were not found:\s+- ([^\s<>=]+)", _not_found),
        (
            rf"{_ERROR}{_MORE}package\s+configuration\s+file\s+provided\s+by\s+\"([^\"]+)\"",
            _not_found,
        ),
    )
)


def hint(output: str, sysroot: Optional[str] = None) -> Optional[str]:
    """Return a sentence with the cause of a failure and its fix; None if there is none known.

    `output` is the end of what the build printed. With the sysroot `/`, a library that was not
    found is missing on this machine, as the backend says.
    """
    plain = _ANSI.sub("", output).replace("\r\n", "\n")
    for pattern, sentence in _HINTS:
        found = pattern.search(plain)
        if found:
            return None if sentence is _not_found and sysroot == "/" else sentence(found)
    return None
