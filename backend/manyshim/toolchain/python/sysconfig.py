"""The sysconfig variables and the environment with which backends build for the target."""

from __future__ import annotations

import configparser
import io
import os
import re
import shlex
from typing import Any, Dict, Iterator, Mapping, Tuple, Union

from manyshim.audit.tags import ARCHES, MUSL
from manyshim.errors import ConfigError, ToolError
from manyshim.toolchain.target import Target

Variables = Dict[str, Union[str, int]]

# sysconfig computes these in every process.
_COMPUTED = frozenset(("SO", "srcdir", "projectbase", "userbase"))

# The places of the interpreter and of installed files. Build tools and some modules of the
# standard library read them.
_PLACES = frozenset(
    (
        *("prefix", "exec_prefix", "base", "platbase", "installed_base", "installed_platbase"),
        *("BINDIR", "LIBDEST", "BINLIBDEST", "DESTLIB", "MACHDESTLIB", "DESTSHARED", "SCRIPTDIR"),
        *("MANDIR", "datarootdir", "multiarchsubdir", "TZPATH", "WHEEL_PKG_DIR", "SHLIB_SUFFIX"),
    )
)
_PLAIN = re.compile(r"[A-Za-z0-9_.+, ]*")
_IMPLEMENTATION = re.compile(r"cpython-\d+[a-z]*")

# Variables that would make a compiler, or the choice of one, use the host.
_HOST_ONLY = frozenset(
    (
        *("CPATH", "C_INCLUDE_PATH", "CPLUS_INCLUDE_PATH", "OBJC_INCLUDE_PATH", "LIBRARY_PATH"),
        *("CPP", "SETUPTOOLS_EXT_SUFFIX", "_PYTHON_SYSCONFIGDATA_PATH"),
    )
)
_PKG_CONFIG = frozenset(("PKG_CONFIG_PATH", "PKG_CONFIG_LIBDIR", "PKG_CONFIG_SYSROOT_DIR"))


def variables(  # noqa: PLR0913, PLR0917 (each is a place or a name of its own)
    host: Mapping[str, Any],
    target: Target,
    python: Tuple[int, int],
    tools: Mapping[str, str],
    headers: str,
    libraries: str,
) -> Variables:
    """Return sysconfig's variables for the target, computed from those of the host.

    `tools` are the paths of CC, CXX, AR and RANLIB, `headers` is the folder of Python.h, and
    `libraries` is an empty folder. Strings of the host are kept if they are plain words or name a
    place of the interpreter. Flags, commands and names of machines are replaced or emptied. Raises
    ConfigError if the host is not CPython.
    """
    multiarch = target.multiarch(python)
    own = str(host.get("MULTIARCH") or "")
    machine = own.partition("-")[0]
    result: Variables = {}
    for name, value in host.items():
        if name in _COMPUTED or not isinstance(value, (str, int)):
            continue
        if isinstance(value, int):
            result[name] = int(value)
        elif name in _PLACES:
            result[name] = value.replace(own, multiarch) if own else value
        else:
            plain = _PLAIN.fullmatch(value) and not (machine and machine in value)
            result[name] = value if plain else ""
    implementation = _IMPLEMENTATION.match(str(host.get("SOABI")))
    if not implementation:
        raise ConfigError(
            f"compiler = zig supports CPython only, and SOABI here is {host.get('SOABI')!r}"
        )
    soabi = f"{implementation.group()}-{multiarch}"
    machine_type = target.triplet.replace("-linux-", "-unknown-linux-")
    result.update(_commands(tools))
    result.update(_flags(python, debug=bool(host.get("Py_DEBUG"))))
    result.update(dict.fromkeys(("INCLUDEPY", "CONFINCLUDEPY"), headers))
    result.update(dict.fromkeys(("INCLUDEDIR", "CONFINCLUDEDIR"), headers))
    result.update(dict.fromkeys(("LIBDIR", "LIBPL", "LIBPC"), libraries))
    # A Python without a shared library has the name of the static library here.
    static = str(host.get("LIBRARY") or "libpython{}.{}.a".format(*python))
    result.update(dict.fromkeys(("LDLIBRARY", "INSTSONAME"), static), LIBPYTHON="", PY3LIBRARY="")
    result.update(dict.fromkeys(("Py_ENABLE_SHARED", "PY_ENABLE_SHARED"), 0), GNULD="yes")
    result.update(SOABI=soabi, EXT_SUFFIX=f".{soabi}.so", MULTIARCH=multiarch)
    result.update(dict.fromkeys(("HOST_GNU_TYPE", "BUILD_GNU_TYPE"), machine_type))
    result.update((name, size) for name, size in _measured(target, python).items() if name in host)
    return result


def _commands(tools: Mapping[str, str]) -> Dict[str, str]:
    """Return the commands for sysconfig and the environment, quoted for a shell."""
    quoted = {name: shlex.quote(path) for name, path in tools.items()}
    cc, cxx = quoted["CC"], quoted["CXX"]
    linking = {"LDSHARED": f"{cc} -shared", "LDCXXSHARED": f"{cxx} -shared"}
    return {**quoted, **linking, "BLDSHARED": f"{cc} -shared", "LINKCC": cc, "MAINCC": cc}


def _flags(python: Tuple[int, int], *, debug: bool) -> Dict[str, str]:
    """Return those flags of CPython's own compilation that matter to extensions."""
    overflow = "-fno-strict-overflow" if python >= (3, 12) else "-fwrapv"
    cflags = " ".join((overflow, *(() if debug else ("-DNDEBUG",)), "-O3", "-Wall"))
    shared = dict.fromkeys(("CCSHARED", "CFLAGSFORSHARED"), "-fPIC")
    empty = dict.fromkeys(("BASECFLAGS", "CPPFLAGS", "LDFLAGS", "PY_LDFLAGS", "LIBS"), "")
    return {
        **dict.fromkeys(("CFLAGS", "PY_CFLAGS", "OPT"), cflags),
        **shared,
        **empty,
        "LIBM": "-lm",
    }


def _measured(target: Target, python: Tuple[int, int]) -> Dict[str, int]:
    """Return the values that pyconfig.h has after the overlay; sysconfig has them, too."""
    arch, musl = target.tag.arch, target.tag.libc == MUSL
    word, little = ARCHES[arch].bits // 8, ARCHES[arch].little_endian
    wide, x87 = word == 8, arch in ("x86_64", "i686")
    # On POWER, musl's long double is a double.
    long_double = {"i686": 12, "armv7l": 8}.get(arch, 8 if musl and arch == "ppc64le" else 16)
    trampoline = arch in ("x86_64", "aarch64") and not musl and python >= (3, 12)
    words = ("LONG", "VOID_P", "UINTPTR_T", "SIZE_T", "PTHREAD_T")
    return {
        **{f"SIZEOF_{name}": word for name in words},
        "SIZEOF_LONG_DOUBLE": long_double,
        "SIZEOF_TIME_T": 8 if musl else word,
        "ALIGNOF_LONG": word,
        "ALIGNOF_SIZE_T": word,
        "ALIGNOF_MAX_ALIGN_T": 8 if arch in ("armv7l", "s390x") else 16,
        "HAVE_LARGEFILE_SUPPORT": int(not wide),
        "HAVE_GCC_UINT128_T": int(wide),
        "HAVE_GCC_ASM_FOR_X64": int(arch == "x86_64"),
        "HAVE_GCC_ASM_FOR_X87": int(x87),
        "X87_DOUBLE_ROUNDING": int(arch == "i686"),
        "FLOAT_WORDS_BIGENDIAN": int(not little and python < (3, 13)),
        "DOUBLE_IS_BIG_ENDIAN_IEEE754": int(not little),
        "DOUBLE_IS_LITTLE_ENDIAN_IEEE754": int(little),
        "HAVE_USABLE_WCHAR_T": int(arch in ("aarch64", "armv7l")),
        "PYLONG_BITS_IN_DIGIT": 0,
        "PY_HAVE_PERF_TRAMPOLINE": int(trampoline),
        "PY_SUPPORT_TIER": 0,
    }


def module_name(target: Target) -> str:
    """Return the name of the module that sysconfig imports for the target."""
    return "_sysconfigdata__manyshim_" + re.sub(r"\W", "_", target.triple)


def write_sysconfig(folder: str, name: str, values: Variables) -> None:
    """Write the module that sysconfig imports. Raises ToolError."""
    lines = (f"    {key!a}: {value!a},\n" for key, value in sorted(values.items()))
    path = os.path.join(folder, f"{name}.py")
    try:
        with open(f"{path}.part", "w", encoding="ascii") as file:
            file.write("".join(("build_time_vars = {\n", *lines, "}\n")))
        os.replace(f"{path}.part", path)
    except OSError as error:
        raise ToolError(f"{path}: cannot be written: {error.strerror}") from error


def environment(  # noqa: PLR0913 (each is a place or a name of its own)
    environ: Mapping[str, str],
    target: Target,
    *,
    tools: Mapping[str, str],
    path: str,
    cache: str,
    sysroot: str,
    libraries: str,
    module: str,
    native: bool,
    extra_config: str,
) -> Dict[str, str]:
    """Return the environment of the child process that builds.

    `path` is the folder of the `module` that sysconfig imports, `cache` is zig's cache, `libraries`
    is an empty folder, and `extra_config` is a configuration file for distutils. `sysroot` is "" if
    there is none.
    """
    result = {name: value for name, value in environ.items() if name not in _HOST_ONLY}
    # Without a sysroot, zig does not search this machine's libraries. A folder that the user names
    # in PKG_CONFIG_PATH is still searched.
    if native and not sysroot:
        result.setdefault("PKG_CONFIG_LIBDIR", libraries)
    # By default pkg-config finds the host's libraries, which a foreign target cannot use.
    elif not native or sysroot not in ("", "/"):
        for name in _PKG_CONFIG:
            result.pop(name, None)
        folders = list(_pkg_config_folders(sysroot, target)) if sysroot else []
        result["PKG_CONFIG_LIBDIR"] = os.pathsep.join(folders) or libraries
        if sysroot not in ("", "/"):
            result["PKG_CONFIG_SYSROOT_DIR"] = sysroot
            # If pkg-config printed these with -I, another libc's headers would precede zig's.
            folders = [f"{root}/usr/include" for root in (sysroot, "")]
            folders += [f"{folder}/{target.triplet}" for folder in folders]
            result["PKG_CONFIG_SYSTEM_INCLUDE_PATH"] = os.pathsep.join(folders)
    commands = _commands(tools)
    for name in ("CC", "CXX", "LDSHARED", "LDCXXSHARED", "AR", "RANLIB"):
        result[name] = commands[name]
    result.update(
        _PYTHON_HOST_PLATFORM=target.host_platform,
        _PYTHON_SYSCONFIGDATA_NAME=module,
        # The old value stays, because frontends isolate builds with it.
        PYTHONPATH=os.pathsep.join(filter(None, (path, environ.get("PYTHONPATH")))),
        ZIG_GLOBAL_CACHE_DIR=cache,
        DIST_EXTRA_CONFIG=extra_config,
    )
    return result


def _pkg_config_folders(sysroot: str, target: Target) -> Iterator[str]:
    """Yield the folders of a sysroot that contain files for pkg-config."""
    # Debian's folder, then that of other distributions for 64 bits.
    wide = ("lib64",) if ARCHES[target.tag.arch].bits == 64 else ()
    for lib in (f"lib/{target.triplet}", *wide, "lib", "share"):
        folder = os.path.join(sysroot, "usr", lib, "pkgconfig")
        if os.path.isdir(folder):
            yield folder


class _CaseSensitiveParser(configparser.RawConfigParser):
    """A parser that keeps the case of option names, as distutils does."""

    def optionxform(self, optionstr: str) -> str:
        return optionstr


def config_site(target: Target, site_file: str) -> str:
    """Return a CONFIG_SITE file for cross compilation (autoconf manual, Site Defaults).

    Without it, configure scripts assume that the programs they compile run on this machine.
    `site_file` is the file that the user's CONFIG_SITE names, or "".
    """
    arch, _, rest = target.triplet.partition("-")
    lines = (
        *((f". {shlex.quote(site_file)}",) if site_file else ()),
        f'test -n "$host_alias" || host_alias={arch}-unknown-{rest}',
        "cross_compiling=yes",
        # configure would run a program to find these. They hold for glibc and musl.
        "ac_cv_func_malloc_0_nonnull=yes",
        "ac_cv_func_realloc_0_nonnull=yes",
    )
    return "\n".join((*lines, ""))


def extra_config(text: str, target: Target) -> str:
    """Return a distutils configuration with a build folder for the target, if it names none.

    `text` is the user's own configuration. Without a separate folder, distutils would reuse an
    extension in build/ that was compiled for another libc or another glibc.
    """
    parser = _CaseSensitiveParser()
    try:
        parser.read_string(text)
    except configparser.Error:
        return text  # setuptools reads it too, and reports the error better
    if not parser.has_section("build"):
        parser.add_section("build")
    if not any(parser.has_option("build", name) for name in ("build_base", "build-base")):
        parser.set("build", "build_base", f"build/zig-{target.triple}")
    merged = io.StringIO()
    parser.write(merged)
    return merged.getvalue()
