"""The variables of sysconfig and the environment for a target."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Any, Callable, Dict, Mapping, Tuple

import pytest

import needs
from foreignheaders import GLIBC, MUSL, SUFFIXES, target_of
from manyshim.errors import ConfigError, ToolError
from manyshim.toolchain.python import sysconfig

pytestmark = pytest.mark.skipif(os.name == "nt", reason="Windows has no such paths")

TOOLS = {"CC": "/w/cc", "CXX": "/w/c++", "AR": "/w/ar", "RANLIB": "/w/ranlib"}

# The variables of Debian's Python, with the most misleading values of others.
HOST: Mapping[str, Any] = {
    "ABIFLAGS": "",
    "AR": "x86_64-linux-gnu-gcc-ar",
    "ARFLAGS": "rcs",
    "BINDIR": "/usr/bin",
    "BINLIBDEST": "/usr/lib/x86_64-linux-gnu/python3.11",
    "BLDSHARED": "gcc -shared -L/opt/pythons/lib -Wl,-rpath,/opt/pythons/lib",
    "BUILD_GNU_TYPE": "x86_64-pc-linux-gnu",
    "CC": "x86_64-linux-gnu-gcc",
    "CFLAGS": "-DNDEBUG -g -fwrapv -O2 -Wall -fstack-protector-strong -I/opt/pythons/include",
    "CONFIGURE_CFLAGS": "-march=native",
    "CONFIG_ARGS": "'--host=x86_64-linux-gnu' 'CFLAGS=-march=native'",
    "EXT_SUFFIX": ".cpython-311-x86_64-linux-gnu.so",
    "HAVE_FORK": 1,
    "HOST_GNU_TYPE": "x86_64-pc-linux-gnu",
    "INCLUDEPY": "/usr/include/python3.11",
    "LDLIBRARY": "libpython3.11.so",
    "LDSHARED": "gcc -shared -Wl,-Bsymbolic-functions",
    "LDVERSION": "3.11",
    "LIBDIR": "/usr/lib/x86_64-linux-gnu",
    "LIBRARY": "libpython3.11.a",
    "LINKCC": "gcc",
    "MODULE__TKINTER_CFLAGS": "-I/usr/include/tcl8.6",
    "MULTIARCH": "x86_64-linux-gnu",
    "Py_DEBUG": 0,
    "Py_ENABLE_SHARED": 1,
    "SHLIB_SUFFIX": ".so",
    "SIZEOF_LONG": 8,
    "SIZEOF_INT": 4,
    "SO": ".cpython-311-x86_64-linux-gnu.so",
    "SOABI": "cpython-311-x86_64-linux-gnu",
    "TZPATH": "/usr/share/zoneinfo",
    "XCRESULT": "/x86_64-linux-gnu.xcresult",
    "base": "/venv",
    "nothing": None,
    "prefix": "/usr",
    "srcdir": "/usr/lib/python3.11/config-3.11-x86_64-linux-gnu",
    "userbase": "/opt/user",
}


def variables(tag: str, python: Tuple[int, int] = (3, 11), **host: Any) -> sysconfig.Variables:
    """Return the variables for a target, with some of the host's changed."""
    return sysconfig.variables({**HOST, **host}, target_of(tag), python, TOOLS, "/w/h", "/w/l")


@pytest.mark.parametrize("python", [(3, 8), (3, 10), (3, 11), (3, 13)])
@pytest.mark.parametrize("arch", SUFFIXES)
@pytest.mark.parametrize("libc", ["gnu", "musl"])
def test_the_suffix(python: Tuple[int, int], arch: str, libc: str) -> None:
    (tag,) = (tag for tag in (MUSL if libc == "musl" else GLIBC) if tag.endswith(f"_{arch}"))
    name = "cpython-{}{}".format(*python)
    multiarch = SUFFIXES[arch][libc == "musl" and python >= (3, 11)]
    values = variables(tag, python, SOABI=f"{name}-x86_64-linux-gnu")
    assert values["SOABI"] == f"{name}-{multiarch}"
    assert values["EXT_SUFFIX"] == f".{name}-{multiarch}.so"
    assert values["MULTIARCH"] == multiarch
    assert str(values["HOST_GNU_TYPE"]).endswith(
        f"-unknown-linux-{SUFFIXES[arch][libc == 'musl'].split('-')[2]}"
    )


@pytest.mark.parametrize(
    ("soabi", "suffix"),
    [
        ("cpython-313t-x86_64-linux-gnu", ".cpython-313t-aarch64-linux-gnu.so"),
        ("cpython-313td-x86_64-linux-musl", ".cpython-313td-aarch64-linux-gnu.so"),
        ("cpython-38d-x86_64-linux-gnu", ".cpython-38d-aarch64-linux-gnu.so"),
        ("cpython-311", ".cpython-311-aarch64-linux-gnu.so"),
    ],
)
def test_the_suffix_has_the_abi_flags_of_the_interpreter(soabi: str, suffix: str) -> None:
    assert variables("manylinux_2_17_aarch64", SOABI=soabi)["EXT_SUFFIX"] == suffix


@pytest.mark.parametrize("soabi", ["pypy310-pp73", None, "graalpy240-310-native-x86_64-linux"])
def test_other_interpreters_are_refused(soabi: Any) -> None:
    with pytest.raises(ConfigError, match="supports CPython only, and SOABI here is"):
        variables("manylinux_2_17_aarch64", SOABI=soabi)


def test_variables_of_the_host_are_kept_or_replaced() -> None:
    values = variables("manylinux_2_17_armv7l")
    kept = {name for name, value in values.items() if value == HOST.get(name, "new")}
    assert " ".join(sorted(kept)) == (
        "ABIFLAGS ARFLAGS BINDIR HAVE_FORK LDVERSION LIBRARY Py_DEBUG SHLIB_SUFFIX SIZEOF_INT "
        "TZPATH base prefix"
    )
    assert {name: value for name, value in values.items() if name not in kept} == {
        **TOOLS,
        **dict.fromkeys(("LINKCC", "MAINCC"), "/w/cc"),
        **dict.fromkeys(("LDSHARED", "BLDSHARED"), "/w/cc -shared"),
        **dict.fromkeys(("CFLAGS", "PY_CFLAGS", "OPT"), "-fwrapv -DNDEBUG -O3 -Wall"),
        **dict.fromkeys(("CCSHARED", "CFLAGSFORSHARED"), "-fPIC"),
        **dict.fromkeys(("BASECFLAGS", "CPPFLAGS", "LDFLAGS", "PY_LDFLAGS", "LIBS"), ""),
        **dict.fromkeys(("CONFIGURE_CFLAGS", "CONFIG_ARGS", "MODULE__TKINTER_CFLAGS"), ""),
        **dict.fromkeys(("XCRESULT", "LIBPYTHON", "PY3LIBRARY"), ""),
        **dict.fromkeys(("INCLUDEPY", "CONFINCLUDEPY", "INCLUDEDIR", "CONFINCLUDEDIR"), "/w/h"),
        **dict.fromkeys(("LIBDIR", "LIBPL", "LIBPC"), "/w/l"),
        **dict.fromkeys(("LDLIBRARY", "INSTSONAME"), "libpython3.11.a"),
        **dict.fromkeys(("Py_ENABLE_SHARED", "PY_ENABLE_SHARED"), 0),
        **dict.fromkeys(("HOST_GNU_TYPE", "BUILD_GNU_TYPE"), "arm-unknown-linux-gnueabihf"),
        "LDCXXSHARED": "/w/c++ -shared",
        "LIBM": "-lm",
        "GNULD": "yes",
        "MULTIARCH": "arm-linux-gnueabihf",
        "SOABI": "cpython-311-arm-linux-gnueabihf",
        "EXT_SUFFIX": ".cpython-311-arm-linux-gnueabihf.so",
        "BINLIBDEST": "/usr/lib/arm-linux-gnueabihf/python3.11",
        "SIZEOF_LONG": 4,
    }


def test_extensions_for_a_debug_interpreter_have_assertions() -> None:
    assert "NDEBUG" not in str(variables("manylinux_2_17_s390x", Py_DEBUG=1)["CFLAGS"])
    assert "-fno-strict-overflow" in str(variables("manylinux_2_17_s390x", (3, 12))["CFLAGS"])


def test_a_path_with_a_space_is_one_word() -> None:
    tools = {name: path.replace("/w", "/w w") for name, path in TOOLS.items()}
    target = target_of("manylinux_2_17_s390x")
    values = sysconfig.variables(HOST, target, (3, 11), tools, "/w/h", "/w/l")
    assert values["LDSHARED"] == "'/w w/cc' -shared"
    assert values["CXX"] == "'/w w/c++'"


def test_each_target_has_its_own_module_name() -> None:
    assert (
        sysconfig.module_name(target_of("manylinux_2_17_armv7l"))
        == "_sysconfigdata__manyshim_arm_linux_gnueabihf_2_17"
    )
    names = {sysconfig.module_name(target_of(tag)) for tag in (*GLIBC, *MUSL)}
    assert len(names) == len(GLIBC) + len(MUSL)
    assert all(name.isidentifier() for name in names)


def test_sysconfigs_module_is_complete_and_deterministic(tmp_path: Path) -> None:
    values: sysconfig.Variables = {"B": "caf\xe9 '\"\\\n", "A": 1, "C": "\udce9"}
    sysconfig.write_sysconfig(str(tmp_path), "data", values)
    first = (tmp_path / "data.py").read_bytes()
    sysconfig.write_sysconfig(str(tmp_path), "data", dict(sorted(values.items())))
    assert [path.name for path in tmp_path.iterdir()] == ["data.py"]
    assert (tmp_path / "data.py").read_bytes() == first
    space: Dict[str, Any] = {}
    exec(first, space)  # noqa: S102 (the module under test)
    assert space["build_time_vars"] == values
    with pytest.raises(ToolError, match="cannot be written"):
        sysconfig.write_sysconfig(str(tmp_path / "missing"), "data", values)


Environment = Callable[..., Dict[str, str]]


@pytest.fixture
def environment() -> Environment:
    """Return a function that returns the environment for aarch64, with some arguments changed."""

    def give(environ: Mapping[str, str], **changed: Any) -> Dict[str, str]:
        arguments: Dict[str, Any] = {
            "tools": TOOLS,
            "path": "/w/p",
            "cache": "/c",
            "sysroot": "",
            "libraries": "/w/l",
            "module": "data",
            "native": False,
            "extra_config": "/w/extra.cfg",
            **changed,
        }
        return sysconfig.environment(environ, target_of("manylinux_2_17_aarch64"), **arguments)

    return give


def test_the_environment(environment: Environment) -> None:
    host_only = (
        *("CPATH", "C_INCLUDE_PATH", "CPLUS_INCLUDE_PATH", "OBJC_INCLUDE_PATH", "LIBRARY_PATH"),
        *("SETUPTOOLS_EXT_SUFFIX", "PKG_CONFIG_PATH", "PKG_CONFIG_SYSROOT_DIR", "CPP"),
        "_PYTHON_SYSCONFIGDATA_PATH",
    )
    kept = {"CFLAGS": "-DX", "LDFLAGS": "-s", "CPPFLAGS": "-DY", "PATH": "/bin", "HOME": "/h"}
    environ = {**kept, **dict.fromkeys(host_only, "/host"), "PYTHONPATH": "/a:/b", "CC": "gcc"}
    before = dict(environ)
    assert environment(environ) == {
        **kept,
        **TOOLS,
        "LDSHARED": "/w/cc -shared",
        "LDCXXSHARED": "/w/c++ -shared",
        "PYTHONPATH": "/w/p:/a:/b",
        "DIST_EXTRA_CONFIG": "/w/extra.cfg",
        "PKG_CONFIG_LIBDIR": "/w/l",
        "ZIG_GLOBAL_CACHE_DIR": "/c",
        "_PYTHON_HOST_PLATFORM": "linux-aarch64",
        "_PYTHON_SYSCONFIGDATA_NAME": "data",
    }
    assert environ == before
    for empty in ({}, {"PYTHONPATH": ""}):
        assert environment(empty)["PYTHONPATH"] == "/w/p"


@pytest.mark.parametrize("sysroot", ["", "/"])
def test_a_native_build_uses_the_users_pkg_config_folders(
    environment: Environment, sysroot: str
) -> None:
    users = {"PKG_CONFIG_PATH": "/opt/pkgconfig", "PKG_CONFIG_LIBDIR": "/lib/pkgconfig"}
    given = environment(users, native=True, sysroot=sysroot)
    assert {name: given[name] for name in given if name.startswith("PKG_")} == users


def test_pkg_config_finds_no_library_of_the_host_in_a_native_build_without_a_sysroot(
    environment: Environment,
) -> None:
    given = environment({"PKG_CONFIG_PATH": "/opt/pkgconfig"}, native=True, sysroot="")
    assert given["PKG_CONFIG_LIBDIR"] == "/w/l"
    assert given["PKG_CONFIG_PATH"] == "/opt/pkgconfig"


@pytest.mark.parametrize("native", [False, True])
def test_a_sysroot_has_its_own_pkg_config(
    environment: Environment, tmp_path: Path, *, native: bool
) -> None:
    folders = [
        str(tmp_path / "usr" / lib / "pkgconfig")
        for lib in ("lib/aarch64-linux-gnu", "lib64", "lib", "share")
    ]
    for count in range(5):
        for folder in folders[:count]:
            os.makedirs(folder, exist_ok=True)
        given = environment({"PKG_CONFIG_PATH": "/h"}, native=native, sysroot=str(tmp_path))
        assert {name: given[name] for name in given if name.startswith("PKG_")} == {
            "PKG_CONFIG_LIBDIR": ":".join(folders[:count]) or "/w/l",
            "PKG_CONFIG_SYSROOT_DIR": str(tmp_path),
            "PKG_CONFIG_SYSTEM_INCLUDE_PATH": (
                f"{tmp_path}/usr/include:/usr/include:"
                f"{tmp_path}/usr/include/aarch64-linux-gnu:/usr/include/aarch64-linux-gnu"
            ),
        }


def test_pkg_config_reads_the_sysroot(environment: Environment, tmp_path: Path) -> None:
    pkg_config = needs.tool("pkg-config", "pkg-config")
    folder = tmp_path / "usr/lib/aarch64-linux-gnu/pkgconfig"
    folder.mkdir(parents=True)
    (folder / "foo.pc").write_text(
        "Name: foo\nDescription: foo\nVersion: 1\nCflags: -I/usr/include/aarch64-linux-gnu "
        "-I/usr/include -I/usr/include/foo\nLibs: -L/usr/lib/aarch64-linux-gnu/foo -lfoo\n"
    )
    environ = environment(os.environ, sysroot=str(tmp_path))
    done = subprocess.run(
        [pkg_config, "--cflags", "--libs", "foo"],
        stdout=subprocess.PIPE,
        text=True,
        check=True,
        env=environ,
    )
    assert done.stdout.split() == [
        f"-I{tmp_path}/usr/include/foo",
        f"-L{tmp_path}/usr/lib/aarch64-linux-gnu/foo",
        "-lfoo",
    ]
    # It lists no library of the host.
    listed = subprocess.run(
        [pkg_config, "--list-all"], stdout=subprocess.PIPE, check=True, env=environ
    )
    assert listed.stdout.split()[0] == b"foo"
    assert len(listed.stdout.splitlines()) == 1


def test_the_sysroot_may_be_the_root_of_the_machine(environment: Environment) -> None:
    given = environment({}, sysroot="/")
    assert "PKG_CONFIG_SYSROOT_DIR" not in given
    assert not [folder for folder in given["PKG_CONFIG_LIBDIR"].split(":") if "x86_64" in folder]


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        ("", "aarch64-unknown-linux-gnu yes"),
        ("host_alias=other", "other yes"),
    ],
)
def test_autoconf_cross_compiles_for_the_target(tmp_path: Path, given: str, wanted: str) -> None:
    users = tmp_path / "the user's site"
    users.write_text("cross_compiling=no\n", encoding="utf-8")
    target = target_of("manylinux_2_17_aarch64")
    site = tmp_path / "site"
    site.write_text(sysconfig.config_site(target, str(users)), encoding="utf-8")
    script = f'{given}\n. "{site}"\necho "$host_alias $cross_compiling"'
    done = subprocess.run(["sh", "-c", script], stdout=subprocess.PIPE, check=True, text=True)
    assert done.stdout == f"{wanted}\n"
