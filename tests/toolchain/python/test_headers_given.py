"""Headers from the option python-headers, pyconfig.h for several machines, missing headers."""

from __future__ import annotations

import sys
import sysconfig
from pathlib import Path
from typing import Any, Callable, Dict, List, Mapping, Tuple

import pytest

from foreignheaders import target_of
from manyshim.errors import ConfigError, ToolError
from manyshim.toolchain.python.headers import link_headers
from manyshim.toolchain.python.pyconfig import guards, overlay

pytestmark = pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="only Linux is built for"
)

HERE = sys.version_info[:2]
VERSION = "{}.{}".format(*HERE)
PATCHLEVEL = "#define PY_MAJOR_VERSION\t%d\n#define PY_MINOR_VERSION\t%d\n"


def put(folder: Path, files: Mapping[str, str]) -> Path:
    """Write headers into a system's folder; return the folder of Python.h."""
    for name, text in files.items():
        path = folder / name.replace("@", f"python{VERSION}")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder / f"python{VERSION}"


def given(folder: Path, **changed: str) -> Path:
    """Write a target's headers, with some files changed; "-" leaves a file out."""
    free = "#define Py_GIL_DISABLED 1\n" if sysconfig.get_config_var("Py_GIL_DISABLED") else ""
    files = {
        "Python": "",
        "patchlevel": PATCHLEVEL % HERE,
        "pyconfig": f"#define SIZEOF_VOID_P 4\n{free}",
        **changed,
    }
    return put(folder, {f"@/{name}.h": f"{text}\n" for name, text in files.items() if text != "-"})


def test_given_headers_are_used_unchanged(tmp_path: Path) -> None:
    folder = given(tmp_path / "x", Python="/* given */")
    (tmp_path / "include").mkdir()
    known = link_headers(str(tmp_path / "include"), target_of("manylinux_2_17_armv7l"), str(folder))
    assert (tmp_path / "include" / "Python.h").read_text() == "/* given */\n"
    text = (folder / "pyconfig.h").read_text()
    assert (tmp_path / "include" / "pyconfig.h").read_text() == text + guards(HERE)
    # Build tools pass the interpreter's own folders to the compiler.
    assert sysconfig.get_config_var("INCLUDEPY") in known
    assert str(folder) not in known


REFUSED: List[Tuple[Dict[str, str], str, str]] = [
    ({"Python": "-"}, "armv7l", " has no Python.h; set it to the folder of the target's Python.h"),
    ({"pyconfig": "-"}, "armv7l", " has no pyconfig.h; set it to the folder of the target's Py"),
    ({"patchlevel": "-"}, "armv7l", " has no patchlevel.h; set it to the folder"),
    (
        {"patchlevel": PATCHLEVEL % (3, 7)},
        "armv7l",
        f" is from CPython 3.7, but the building interpreter is CPython {VERSION}",
    ),
    ({"patchlevel": " "}, "armv7l", " is from another Python: its patchlevel.h has no version"),
    ({}, "s390x", " is for 32 bits, but s390x has 64"),
    (
        {"pyconfig": "#define SIZEOF_VOID_P 8"},
        "s390x",
        " is for another byte order than that of s390x",
    ),
    (
        {"pyconfig": "#define SIZEOF_VOID_P 4\n#define DOUBLE_IS_BIG_ENDIAN_IEEE754 1"},
        "i686",
        " is for another byte order than that of i686",
    ),
    ({"pyconfig": "#define SIZEOF_VOID_P 8"}, "i686", " is for 64 bits, but i686 has 32"),
    ({"pyconfig": " "}, "i686", ": its pyconfig.h has no SIZEOF_VOID_P"),
    (
        {"pyconfig": "#include <i386-linux-gnu/python3.11/pyconfig.h>"},
        "armv7l",
        ": its pyconfig.h includes one for each architecture, and the one for arm-linux-gnueabihf ",
    ),
]


@pytest.mark.parametrize(("changed", "arch", "sentence"), REFUSED)
def test_given_headers_are_refused(
    tmp_path: Path, changed: Dict[str, str], arch: str, sentence: str
) -> None:
    folder = given(tmp_path / "x{0}", **changed)
    (tmp_path / "include").mkdir()
    with pytest.raises(ConfigError) as caught:
        link_headers(str(tmp_path / "include"), target_of(f"manylinux_2_17_{arch}"), str(folder))
    assert str(caught.value).startswith(f"python-headers = {str(folder)!r}{sentence}")
    assert list((tmp_path / "include").iterdir()) == []


def test_given_headers_must_have_a_gil_if_the_interpreter_has_one(tmp_path: Path) -> None:
    free = bool(sysconfig.get_config_var("Py_GIL_DISABLED"))
    other = "" if free else "#define Py_GIL_DISABLED 1\n"
    folder = given(tmp_path / "x", pyconfig=f"#define SIZEOF_VOID_P 4\n{other}")
    with pytest.raises(ConfigError, match=f"from a Python {'with' if free else 'without'} a GIL"):
        link_headers(str(tmp_path), target_of("manylinux_2_17_armv7l"), str(folder))


BY_MULTIARCH = "".join(
    f"#if defined(__{arch}__)\n#  include <{arch}-linux-gnu/python{VERSION}/pyconfig.h>\n#endif\n"
    for arch in ("x86_64", "aarch64")
)
BY_WORD_SIZE = (
    '#if __WORDSIZE == 32\n#include "pyconfig-32.h"\n#else\n#include "pyconfig-64.h"\n#endif\n'
)


@pytest.mark.parametrize(
    ("tag", "config", "name"),
    [
        ("manylinux_2_17_aarch64", BY_MULTIARCH, "aarch64-linux-gnu/@/pyconfig.h"),
        ("manylinux_2_17_x86_64", BY_MULTIARCH, "x86_64-linux-gnu/@/pyconfig.h"),
        ("manylinux_2_17_s390x", BY_WORD_SIZE, "@/pyconfig-64.h"),
        ("musllinux_1_2_armv7l", BY_WORD_SIZE, "@/pyconfig-32.h"),
    ],
)
@pytest.mark.parametrize("linked", [False, True])
def test_one_pyconfig_h_for_several_machines(
    tmp_path: Path, tag: str, config: str, name: str, *, linked: bool
) -> None:
    bits = 4 if "armv7l" in tag else 8
    order = "#define DOUBLE_IS_BIG_ENDIAN_IEEE754 1\n" if "s390x" in tag else ""
    folder = given(tmp_path / "x", pyconfig=config)
    real = given(tmp_path / "y", pyconfig=f"#define SIZEOF_VOID_P {bits}\n{order}") / "pyconfig.h"
    put(tmp_path / "x", {name: real.read_text()})
    if linked:
        (tmp_path / "z").symlink_to(folder)
        folder = tmp_path / "z"
    (tmp_path / "include").mkdir()
    link_headers(str(tmp_path / "include"), target_of(tag), str(folder))
    text = (tmp_path / "include" / "pyconfig.h").read_text()
    assert text.startswith(f"#define SIZEOF_VOID_P {bits}\n")


def sysconfig_of(folder: Path, multiarch: str) -> Dict[str, Any]:
    """Return the answers of sysconfig for an interpreter whose headers are in a folder."""
    variables = {
        "INCLUDEPY": str(folder),
        "CONFINCLUDEPY": str(folder),
        "MULTIARCH": multiarch,
    }
    return {
        "get_config_var": variables.get,
        "get_path": lambda _name: str(folder),
        "get_config_h_filename": lambda: str(folder / "pyconfig.h"),
    }


@pytest.fixture
def host(monkeypatch: pytest.MonkeyPatch) -> Callable[[Path, str], None]:
    """Return a function that moves the interpreter's headers."""

    def move(folder: Path, multiarch: str) -> None:
        for name, answer in sysconfig_of(folder, multiarch).items():
            monkeypatch.setattr(sysconfig, name, answer)

    return move


def test_the_pyconfig_h_that_the_hosts_own_includes_is_used(
    tmp_path: Path, host: Callable[[Path, str], None]
) -> None:
    folder = given(tmp_path / "x", pyconfig=BY_MULTIARCH)
    real = put(tmp_path / "x/x86_64-linux-gnu", {"@/pyconfig.h": "/* real */\n"})
    host(folder, "x86_64-linux-gnu")
    (tmp_path / "include").mkdir()
    known = link_headers(str(tmp_path / "include"), target_of("manylinux_2_17_s390x"))
    assert known == (str(folder), str(real))
    text = (tmp_path / "include" / "pyconfig.h").read_text()
    assert text == "/* real */\n" + overlay(HERE, "glibc") + guards(HERE)


@pytest.mark.parametrize("missing", ["Python.h", "pyconfig.h"])
def test_the_error_about_missing_headers_says_what_to_install(
    tmp_path: Path, host: Callable[[Path, str], None], missing: str
) -> None:
    folder = given(tmp_path / "x", **{missing[:-2]: "-"})
    host(folder, "x86_64-linux-gnu")
    target = target_of("manylinux_2_17_armv7l")
    with pytest.raises(ToolError) as caught:
        link_headers(str(tmp_path), target)
    assert str(caught.value) == (
        f"{missing} of CPython {VERSION} is not found in {folder}; install it (Debian: "
        f"python{VERSION}-dev, Fedora: python3-devel), or set python-headers to a folder with the "
        "target's headers"
    )
    # Given headers are enough.
    (tmp_path / "include").mkdir()
    known = link_headers(str(tmp_path / "include"), target, str(given(tmp_path / "y")))
    assert known == (str(folder),)
