"""CPythons and setuptools in the environment for a target."""

from __future__ import annotations

import configparser
import json
import re
import subprocess
import sys
import sysconfig
from pathlib import Path
from typing import Any, Dict, List, Mapping, Tuple

import pytest

import needs
from foreignheaders import SUFFIXES, Made, make, target_of
from frontends import MINORS
from manyshim.toolchain.python import sysconfig as target_sysconfig

pytestmark = pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="only Linux is built for"
)

# Run by each CPython in the environment for a target.
PRINT_SYSCONFIG = """
import json, sys, sysconfig
try:
    from distutils import sysconfig as distutils
    suffix = distutils.get_config_var("EXT_SUFFIX")
except ImportError:
    suffix = None
print(json.dumps({
    "variables": {name: value for name, value in sysconfig.get_config_vars().items()},
    "platform": sysconfig.get_platform(),
    "include": sysconfig.get_config_var("INCLUDEPY"),
    "distutils": suffix,
    "prefix": sys.prefix,
}))
"""
PLACES = {"MACHDESTLIB", "BINLIBDEST", "DESTSHARED", "DESTLIB", "LIBDEST"}
RUNTIME = {"srcdir", "userbase", "projectbase"}
TARGETS = ["manylinux_2_17_x86_64", "manylinux_2_17_aarch64", "musllinux_1_2_armv7l"]
FLAGS = re.compile(
    r"\w*(FLAGS|SHARED|LIBS|ARGS|LIBRARY|OPT|CC|CXX|AR|LD|CPP|RANLIB|INCLUDES|RPATH|CONFIG)\w*"
)


def read_sysconfig(python: str, made: Made) -> Dict[str, Any]:
    done = subprocess.run(
        [python, "-W", "ignore", "-c", PRINT_SYSCONFIG],
        capture_output=True,
        text=True,
        check=False,
        env=made.environ,
    )
    assert done.returncode == 0, done.stderr
    answer: Dict[str, Any] = json.loads(done.stdout)
    return answer


@pytest.mark.parametrize("python", MINORS, indirect=True)
def test_a_cpython_has_the_variables_of_the_target(tmp_path: Path, python: str) -> None:
    for made in make(python, tmp_path, TARGETS):
        check(python, made, str(tmp_path))


def test_debians_python_has_the_variables_of_the_target(tmp_path: Path) -> None:
    python = needs.debian_python()
    for made in make(python, tmp_path, TARGETS):
        check(python, made, str(tmp_path))


def check(python: str, made: Made, folder: str) -> None:
    answer = read_sysconfig(python, made)
    found, host, arch = answer["variables"], made.host, made.target.tag.arch
    gnu, musl = SUFFIXES[arch]
    multiarch = (
        musl if made.target.tag.libc == "musl" and int(host["py_version_nodot"][1:]) >= 11 else gnu
    )
    own = re.match(r"cpython-\d+\w*", host["SOABI"])
    assert own is not None
    assert found["SOABI"] == f"{own.group()}-{multiarch}"
    assert found["EXT_SUFFIX"] == f".{own.group()}-{multiarch}.so"
    assert answer["distutils"] in (None, found["EXT_SUFFIX"])
    assert found.get("SO", found["EXT_SUFFIX"]) == found["EXT_SUFFIX"]
    assert answer["platform"] == f"linux-{arch}"
    assert answer["include"] == str(made.headers)
    assert (found["CC"], found["LDCXXSHARED"]) == ("/w/cc", "/w/c++ -shared")
    assert (found["LDFLAGS"], found["Py_ENABLE_SHARED"]) == ("", 0)
    # The places of the interpreter are unchanged.
    for name in ("prefix", "exec_prefix", "base", "BINDIR", "py_version", "userbase"):
        assert found[name] == host[name]
    # No variable is lost, and sysconfig has all values of the module.
    assert set(host) - set(found) <= RUNTIME
    assert {name: found[name] for name in made.values} == made.values
    check_no_host(found, host, folder, arch)


def check_no_host(
    found: Mapping[str, Any], host: Mapping[str, str], folder: str, arch: str
) -> None:
    """Check that no variable names the host's compilers, headers or libraries."""
    tools = re.compile(r"(?:^|[\s/-])(?:gcc|g\+\+|cc|c\+\+|clang|ar|ld)(?:-\d+)?(?=\s|$)")
    for name, value in found.items():
        if not isinstance(value, str) or name in RUNTIME:
            continue
        for word in value.replace(folder, "").split():
            assert not word.startswith(("-I", "-L", "-Wl,", "-march", "-isystem")), (name, value)
        if FLAGS.fullmatch(name) and name not in PLACES:
            rest = value.replace(folder, "").replace("/w/", "")
            assert "/" not in rest, (name, value)
        assert not tools.search(
            value.replace("/w/cc", "").replace("/w/c++", "").replace("/w/ar", "")
        ), (name, value)
        if arch != "x86_64":
            assert "x86_64" not in value.replace(folder, ""), (name, value)
    assert host["CC"] != found["CC"]


OWN = {"build_base": "build/zig-aarch64-linux-gnu.2.17"}
MERGED: List[Tuple[str, Dict[str, Dict[str, str]]]] = [
    ("", {"build": OWN}),
    ("[Build_Ext]\nDebug = 1\n", {"Build_Ext": {"Debug": "1"}, "build": OWN}),
    ("# why\n[build]\nforce = 1\n  2\n", {"build": {"force": "1\n2", **OWN}}),
    ("[build]\nbuild_base = own\n", {"build": {"build_base": "own"}}),
    ("[build]\nbuild-base: own\n", {"build": {"build-base": "own"}}),
    ("[DEFAULT]\nx = %d\n[build]\n", {"build": {"x": "%d", **OWN}}),
]


@pytest.mark.parametrize(("text", "sections"), MERGED)
def test_each_target_has_its_own_build_folder(
    text: str, sections: Dict[str, Dict[str, str]]
) -> None:
    merged = target_sysconfig.extra_config(text, target_of("manylinux_2_17_aarch64"))
    parser = configparser.RawConfigParser()
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read_string(merged)
    assert {name: dict(parser.items(name)) for name in parser.sections()} == sections


def test_an_invalid_configuration_is_not_changed() -> None:
    for text in ("[build\n", "[a]\nx = 1\nx = 2\n", "no section\n"):
        assert target_sysconfig.extra_config(text, target_of("manylinux_2_17_aarch64")) == text


def test_setuptools_uses_the_build_folder_and_the_names_of_the_target(tmp_path: Path) -> None:
    """A script replaces the compiler; the rest is a real build."""
    (made,) = make(sys.executable, tmp_path, ["manylinux_2_17_aarch64"])
    project = tmp_path / "project"
    project.mkdir()
    (project / "a.c").write_text("")
    (project / "setup.py").write_text(
        "from setuptools import Extension, setup\n"
        "setup(name='a', version='1', ext_modules=[Extension('a', ['a.c'])], py_modules=[])\n"
    )
    extra = tmp_path / "extra.cfg"
    extra.write_text(target_sysconfig.extra_config("", made.target))
    (tmp_path / "cc").write_text(
        '#!/bin/sh\necho "$@" >> ../calls\n'
        'while [ "$1" != -o ]; do shift; done\nmkdir -p "$(dirname "$2")"; echo > "$2"\n'
    )
    (tmp_path / "cc").chmod(0o700)
    commands = {"CC": f"{tmp_path}/cc", "LDSHARED": f"{tmp_path}/cc -shared"}
    done = subprocess.run(
        [sys.executable, "setup.py", "-q", "bdist_wheel"],
        cwd=project,
        capture_output=True,
        text=True,
        check=False,
        env={**made.environ, **commands, "DIST_EXTRA_CONFIG": str(extra)},
    )
    assert done.returncode == 0, done.stderr
    (wheel,) = (project / "dist").iterdir()
    assert wheel.name.endswith("-linux_aarch64.whl")
    (library,) = project.rglob("*.so")
    folder, _, name = str(library.relative_to(project)).rpartition("/")
    assert folder.startswith("build/zig-aarch64-linux-gnu.2.17/lib.linux-aarch64-")
    suffix = str(sysconfig.get_config_var("EXT_SUFFIX"))
    assert name == "a" + re.sub(r"-[^-.]+-linux-\w+", "-aarch64-linux-gnu", suffix)
    assert [path.name for path in (project / "build").iterdir()] == ["zig-aarch64-linux-gnu.2.17"]
    compiling, linking = (tmp_path / "calls").read_text().splitlines()
    assert f"-I{made.headers}" in compiling
    assert "-fPIC" in compiling
    for call in (compiling, linking):
        assert not [word for word in call.split() if word.startswith(("-L", "-Wl,"))], call
