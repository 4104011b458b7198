"""The linked headers, checked with compilers and against Debian's real headers of each machine."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import sysconfig
from pathlib import Path
from typing import Any, Tuple

import pytest

import needs
from debian import cache, debian
from foreignheaders import GLIBC, MUSL, Made, expansions, make, target_of, zig
from frontends import MINORS
from manyshim.host import host_arch, interpreter_libc
from manyshim.toolchain.python.headers import link_headers
from manyshim.toolchain.python.pyconfig import guards, overlay

pytestmark = pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="only Linux has such compilers and headers"
)

needs_headers = needs.mark(needs.python_headers)
HERE = sys.version_info[:2]
VERSION = "{}.{}".format(*HERE)

# fmt: off
TYPES = {
    "SHORT": "short", "INT": "int", "LONG": "long", "LONG_LONG": "long long", "_BOOL": "_Bool",
    "FLOAT": "float", "DOUBLE": "double", "LONG_DOUBLE": "long double", "VOID_P": "void *",
    "UINTPTR_T": "uintptr_t", "SIZE_T": "size_t", "WCHAR_T": "wchar_t", "TIME_T": "time_t",
    "OFF_T": "off_t", "FPOS_T": "fpos_t", "PID_T": "pid_t", "PTHREAD_T": "pthread_t",
    "PTHREAD_KEY_T": "pthread_key_t",
}
# fmt: on
MODULE = """\
#include <Python.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <time.h>
#include <wchar.h>
%s
#if PY_VERSION_HEX >= 0x030A0000
_Static_assert(_Alignof(long) == ALIGNOF_LONG, "long");
_Static_assert(_Alignof(size_t) == ALIGNOF_SIZE_T, "size_t");
#endif
_Static_assert(PY_BIG_ENDIAN == (__BYTE_ORDER__ == __ORDER_BIG_ENDIAN__), "order");
_Static_assert(PY_LITTLE_ENDIAN == !PY_BIG_ENDIAN, "order");
_Static_assert(sizeof(Py_ssize_t) == sizeof(void *), "Py_ssize_t");
static struct PyModuleDef module = {PyModuleDef_HEAD_INIT, "module", NULL, -1, NULL};
PyMODINIT_FUNC PyInit_module(void) { return PyModule_Create(&module); }
"""
SIZES = "\n".join(
    f'_Static_assert(sizeof({kind}) == SIZEOF_{name}, "{kind}");' for name, kind in TYPES.items()
)
# For these, sysconfig and pyconfig.h must have the same value. An undefined macro is 0.
SHARED = re.compile(
    r"(SIZEOF|ALIGNOF|DOUBLE_IS|X87)_\w+|FLOAT_WORDS_BIGENDIAN|HAVE_GCC_\w+"
    r"|HAVE_LARGEFILE_SUPPORT|HAVE_USABLE_WCHAR_T|PY_HAVE_PERF_TRAMPOLINE"
)

# The support tier also depends on the compiler. The other macro is manyshim's own.
NOT_COMPARED = {"PY_SUPPORT_TIER", "MANYSHIM_PYCONFIG_H"}

FIVE = (
    *("manylinux_2_17_aarch64", "manylinux_2_17_armv7l", "manylinux_2_17_s390x"),
    *("manylinux_2_17_i686", "musllinux_1_2_x86_64"),
)


def compile_errors(made: Made, folder: Path) -> str:
    """Compile a module with all assertions, and return the compiler's errors."""
    values = "".join(
        f'#if ({name} + 0) != {value}\n#error "{name} is not {value}"\n#endif\n'
        for name, value in made.values.items()
        if SHARED.fullmatch(name)
    )
    source = folder / f"{made.target.tag}.c"
    source.write_text(MODULE % (SIZES + "\n" + values))
    done = subprocess.run(
        [
            *(*zig(made.target), "-c", "-O1", "-g0", "-Wall", "-Werror", "-fno-sanitize=all"),
            *(f"-I{made.headers}", str(source), "-o", str(source.with_suffix(".o"))),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stderr if done.returncode else ""


@pytest.mark.parametrize("python", MINORS, indirect=True)
def test_modules_compile_with_the_linked_headers(tmp_path: Path, python: str) -> None:
    for made in make(python, tmp_path, FIVE):
        assert compile_errors(made, tmp_path) == "", made.target.triple


def test_modules_compile_with_the_linked_headers_of_debian(tmp_path: Path) -> None:
    for made in make(needs.debian_python(), tmp_path, ["manylinux_2_17_x86_64", *FIVE]):
        assert compile_errors(made, tmp_path) == "", made.target.triple


@pytest.mark.full
@pytest.mark.parametrize("python", MINORS, indirect=True)
def test_modules_compile_for_every_target_of_zig(tmp_path: Path, python: str) -> None:
    for made in make(python, tmp_path, [*GLIBC, *MUSL]):
        assert compile_errors(made, tmp_path) == "", made.target.triple


def marked(arch: str, tag: str, multiarch: str) -> Any:
    marks = () if arch == "i386" else (pytest.mark.full,)
    return pytest.param((arch, tag, multiarch), id=arch, marks=marks)


DEBIANS = [
    marked("arm64", "manylinux_2_17_aarch64", "aarch64-linux-gnu"),
    marked("armhf", "manylinux_2_17_armv7l", "arm-linux-gnueabihf"),
    marked("i386", "manylinux_2_17_i686", "i386-linux-gnu"),
    marked("ppc64el", "manylinux_2_19_ppc64le", "powerpc64le-linux-gnu"),
    marked("s390x", "manylinux_2_17_s390x", "s390x-linux-gnu"),
]


@pytest.mark.network
@pytest.mark.parametrize("python", [11], indirect=True)
@pytest.mark.parametrize("machine", DEBIANS)
def test_the_values_are_those_of_debians_headers(
    tmp_path: Path, python: str, machine: Tuple[str, str, str]
) -> None:
    arch, tag, multiarch = machine
    root = debian(cache(f"headers-{arch}"), arch, ("libpython3.11-dev",))
    real = root / "usr/include" / multiarch / "python3.11/pyconfig.h"
    # Debian configures its Pythons alike on all machines. With one of them, no value may differ.
    own = "/usr/bin/python3.11"
    same = os.path.exists(f"/usr/include/{sysconfig.get_config_var('MULTIARCH')}/python3.11")
    (made,) = make(own if same and os.path.exists(own) else python, tmp_path, [tag])
    text = (made.headers / "pyconfig.h").read_text() + real.read_text()
    names = sorted(set(re.findall(r"#\s*(?:define|undef)\s+(\w+)", text)) - NOT_COMPARED)
    if not same:
        abi = re.compile(r"\w*(SIZEOF|ALIGNOF|ENDIAN|WCHAR_T|_GCC_|X87|LARGEFILE|PYLONG)\w*")
        names = [name for name in names if abi.fullmatch(name)]
    assert len(names) > 30
    found = expansions(made.target, made.headers / "pyconfig.h", names, tmp_path)
    assert found == expansions(made.target, real, names, tmp_path)


@needs_headers
def test_the_overlay_changes_no_value_for_the_building_machine(tmp_path: Path) -> None:
    libc = interpreter_libc()
    tag = next(tag for tag in (*GLIBC, *MUSL) if tag.endswith(f"_{host_arch()}"))
    target = target_of(tag.replace("manylinux_2_17", "musllinux_1_2") if libc == "musl" else tag)
    for name in ("plain", "covered"):
        (tmp_path / name).mkdir()
    known = link_headers(str(tmp_path / "plain"), target)
    assert sysconfig.get_config_var("INCLUDEPY") in known
    text = (tmp_path / "plain" / "pyconfig.h").read_text()
    assert text.endswith(guards(HERE))
    assert overlay(HERE, str(libc)) not in text
    (tmp_path / "covered" / "pyconfig.h").write_text(text + overlay(HERE, str(libc)))
    names = sorted(set(re.findall(r"#\s*(?:define|undef)\s+(\w+)", text)) - NOT_COMPARED)
    plain, covered = (
        expansions(target, tmp_path / name / "pyconfig.h", names, tmp_path)
        for name in ("plain", "covered")
    )
    assert plain == covered


@pytest.mark.skipif(HERE > (3, 13), reason="its pyconfig.h was not reviewed yet")
@needs_headers
def test_the_overlay_replaces_only_macros_of_pyconfig_h(tmp_path: Path) -> None:
    link_headers(str(tmp_path), target_of("manylinux_2_17_armv7l"))
    text = (tmp_path / "pyconfig.h").read_text()
    undefined = set(re.findall(r"#\s*undef\s+(\w+)", overlay(HERE, "glibc")))
    before = text[: text.index(overlay(HERE, "glibc"))]
    assert undefined <= set(re.findall(r"#\s*(?:define|undef)\s+(\w+)", before))


@needs_headers
def test_the_folder_has_links_and_one_file(tmp_path: Path) -> None:
    known = link_headers(str(tmp_path), target_of("manylinux_2_17_s390x"))
    files = sorted(path.name for path in tmp_path.iterdir() if not path.is_symlink())
    assert files == ["pyconfig.h"]
    assert (tmp_path / "Python.h").samefile(Path(known[0]) / "Python.h")
    assert {path.name for path in tmp_path.iterdir()} == {*os.listdir(known[0]), "pyconfig.h"}


@pytest.mark.parametrize(
    ("text", "tail"), [("", ""), ("#define HAVE_CRYPT_H 1", "#undef HAVE_CRYPT_H")]
)
def test_crypt_h_matters_to_old_pythons_only(text: str, tail: str) -> None:
    assert tail in guards((3, 8) if text else (3, 9))
    assert bool(guards((3, 8))) != bool(guards((3, 9)))
    assert "HAVE_CRYPT_H" not in overlay((3, 8), "glibc")
