"""What the last output of a build tells about its failure; the texts are those of real builds."""

from __future__ import annotations

from typing import List

import pytest

from manyshim.toolchain.systems.hints import hint

ERROR = "CMake Error at /m/FindPackageHandleStandardArgs.cmake:230 (message):\n  "
REQUIRED = f"{ERROR}A required package was not found\n"
PACKAGE = (
    '  By not providing "Findfmt.cmake" in CMAKE_MODULE_PATH this project has\n'
    '  asked CMake to find a package configuration file provided by "fmt",\n'
    "  but CMake did not find one.\n\n  Could not find a package configuration file\n"
    '  provided by "fmt" with any of the following names:\n\n    fmtConfig.cmake\n'
)


@pytest.mark.parametrize(
    ("output", "words"),
    [
        (
            (
                "CMake Error: TRY_RUN() invoked in cross-compiling mode, please set the following "
                "cache variables appropriately:\n   RUNS_EXITCODE (advanced)\n"
                "   RUNS_EXITCODE__TRYRUN_OUTPUT (advanced)\nFor details see /b/Results.cmake\n"
            ),
            ["qemu-user-static", "sysroot", "-C cmake.define.RUNS_EXITCODE=..."],
        ),
        (
            (
                "CMake Error: try_run() invoked in cross-compiling mode, please set the following "
                "cache variables appropriately:\n   RUNS_EXITCODE (advanced)\n"
            ),
            ["qemu-user-static", "-C cmake.define.RUNS_EXITCODE=..."],
        ),
        (
            "-- Performing Test RUNS_HERE\n\n\x1b[1m*** CMake configuration failed\x1b[0m\n",
            ["3.25.1 crash", "-C cmake.define.RUNS_HERE=..."],
        ),
        (
            "FAILED: made.c /b/made.c \ncd /b && gen made.c\n/bin/sh: 1: gen: not found\n",
            ["runs gen,", "qemu-user-static", "sysroot", "build on such a machine"],
        ),
        ("/bin/sh: 1: /b/gen: Exec format error\n", ["runs /b/gen,", "qemu-user-static"]),
        ("bash: ./gen: cannot execute: required file not found\n", ["runs ./gen,"]),
        (
            "qemu-aarch64-static: Could not open '/lib/ld-linux-aarch64.so.1': No such file\n",
            ["runs a program,", "sysroot"],
        ),
        (
            "make[2]: gen: No such file or directory\n",
            ["runs gen, which is not found. If", "otherwise install it"],
        ),
        (f"{ERROR}Could NOT find OpenMP_C (missing: OpenMP_C_FLAGS)\n", ["no OpenMP runtime"]),
        ("/bin/sh: 1: CMAKE_CXX_COMPILER_CLANG_SCAN_DEPS-NOTFOUND: not found\n", ["C++ modules"]),
        (
            "FAILED: n.pyi /b/n.pyi \ncd /b && python /v/nanobind/stubgen.py -q -m n -o n.pyi\n",
            ["turn the stubs off"],
        ),
        (f"{ERROR}Could NOT find ZLIB (missing: ZLIB_LIBRARY)\n", ["ZLIB is searched", "sysroot"]),
        (
            f"CMake Error at CMakeLists.txt:9 (find_package):\n{PACKAGE}",
            ["fmt is searched", "CMAKE_PREFIX_PATH"],
        ),
        (f"--   No package 'zlib' found\n{REQUIRED}", ["zlib is searched"]),
        (
            f"--   Package 'zlib', required by 'virtual:world', not found\n{REQUIRED}",
            ["zlib is searched"],
        ),
        (
            f"{ERROR}The following required packages were not found:\n\n   - zlib>=1\n   - a\n",
            ["zlib is searched"],
        ),
    ],
)
def test_a_cause_is_told_with_its_fix(output: str, words: List[str]) -> None:
    sentence = hint(f"[1/2] Building C object x.c.o\n{output}ninja: build stopped\n")
    assert sentence is not None
    assert "\n" not in sentence
    assert all(word in sentence for word in words), sentence


@pytest.mark.parametrize(
    "output",
    [
        "",
        "x.c:1:2: error: expected ';'\nninja: build stopped: subcommand failed.\n",
        "-- Could NOT find ZLIB (missing: ZLIB_LIBRARY)\nx.c:1:2: error: expected ';'\n",
        "-- Could NOT find OpenMP (missing: OpenMP_C_FOUND)\nx.c:1:2: error: expected ';'\n",
        "-- Performing Test A\n-- Performing Test A - Success\n*** CMake configuration failed\n",
        f"{ERROR}Could NOT find Python (missing: Interpreter)\n",
        "/bin/sh: 1: flex: not found\n",
        # Packages that the project can do without.
        "--   No package 'zlib' found\nx.c:1:2: error: expected ';'\n",
        f"CMake Warning at CMakeLists.txt:9 (find_package):\n{PACKAGE}\nx.c:1:2: error: no\n",
        f"{ERROR}other\n\nCMake Warning at CMakeLists.txt:9 (find_package):\n{PACKAGE}",
        "--   No package 'zlib' found\n" + "CMake Error at a:1 (b):\n  x\n" * 2000,
    ],
)
def test_another_failure_is_left_to_its_own_message(output: str) -> None:
    assert hint(output) is None


def test_all_of_this_machine_was_searched() -> None:
    output = f"{ERROR}Could NOT find ZLIB (missing: ZLIB_LIBRARY)\n"
    assert hint(output, sysroot="/") is None
    assert hint(output, sysroot="/other") is not None
