"""Create a private folder with everything for a build: compilers, headers, sysconfig."""

from __future__ import annotations

import os
import shlex
import sys
import sysconfig
from typing import Dict, Mapping, Tuple

import manyshim
from manyshim.config import Config
from manyshim.errors import ConfigError, ToolError
from manyshim.host import host_arch
from manyshim.toolchain.compiler.target_options import TargetOptions
from manyshim.toolchain.compiler.wrapper import Job
from manyshim.toolchain.python import sysconfig as target_sysconfig
from manyshim.toolchain.python.headers import link_headers
from manyshim.toolchain.systems.apply import Tools
from manyshim.toolchain.target import Target
from manyshim.toolchain.zig import Zig
from manyshim.values import NamedTuple

# It runs without site and without PYTHON* variables, so that no project can change the compiler.
_WRAPPER = """\
import sys

sys.path.insert(0, {package!r})
from manyshim.toolchain.compiler.target_options import TargetOptions
from manyshim.toolchain.compiler.wrapper import Job, main

main(sys.argv[1], {job!r}, sys.argv[2:])
"""

_NO_FORTRAN = (
    "the build asks for a Fortran compiler, and zig has none. If the project needs one, build it "
    "in a container, or set FC to a compiler for the target"
)
_SYSTEM_LIBRARIES = ("/usr/lib", "/lib")


class BuildEnvironment(NamedTuple):
    """The environment variables for the wrapped backend, and the path of the compilers' notes.

    `tools` are for build systems that need more than variables.
    """

    environ: Dict[str, str]
    notes: str
    tools: Tools


def create(
    folder: str, target: Target, config: Config, zig: Zig, environ: Mapping[str, str]
) -> BuildEnvironment:
    """Fill a private folder with the tools for a target, and return the environment that uses them.

    `environ` contains ZIG_GLOBAL_CACHE_DIR. Raises ConfigError if the sysroot is missing or the
    headers are not for the target, and ToolError if Python.h is missing or a file cannot be
    written.
    """
    try:
        paths = {name: _folder(folder, name) for name in ("bin", "include", "lib", "python")}
        python_headers = link_headers(paths["include"], target, config.python_headers)
        options = TargetOptions(
            triple=target.triple,
            cpu=target.port.cpu,
            arch=target.tag.arch,
            native=(target.tag.arch, target.tag.libc) == (host_arch(), config.libc),
            headers=paths["include"],
            python_headers=python_headers,
            python_libraries=_python_libraries(),
            sysroot=_sysroot(config),
            multiarch=target.triplet,
            prefix_maps=_prefix_maps(paths["include"]),
        )
        notes = os.path.join(folder, "notes")
        cache = environ["ZIG_GLOBAL_CACHE_DIR"]
        key = f"manyshim-{zig.version}-{target.triple}-{target.port.cpu}"
        tools = _write_tools(folder, paths["bin"], Job(zig.path, options, notes, cache, key))
        module = target_sysconfig.module_name(target)
        host, python = sysconfig.get_config_vars(), sys.version_info[:2]
        variables = target_sysconfig.variables(
            host, target, python, tools, paths["include"], paths["lib"]
        )
        target_sysconfig.write_sysconfig(paths["python"], module, variables)
        resolved = target_sysconfig.environment(
            environ,
            target,
            tools=tools,
            path=paths["python"],
            cache=cache,
            sysroot=options.sysroot,
            libraries=paths["lib"],
            module=module,
            native=options.native,
            extra_config=_write_extra_config(folder, target, environ),
        )
        # A compiler that the user names stays. This machine's would link its own libraries.
        resolved.setdefault("FC", _write_refusal(paths["bin"], "fortran", notes, _NO_FORTRAN))
        if not options.native:
            resolved["CONFIG_SITE"] = os.path.join(folder, "config.site")
            with open(resolved["CONFIG_SITE"], "w", encoding="utf-8") as file:
                file.write(target_sysconfig.config_site(target, environ.get("CONFIG_SITE", "")))
    except OSError as error:
        raise ToolError(f"{folder}: cannot be written: {error.strerror}") from error
    suffix = str(variables["EXT_SUFFIX"])
    found = Tools(tools, paths["include"], suffix, options.sysroot, options.native)
    return BuildEnvironment(resolved, notes, found)


def _folder(parent: str, name: str) -> str:
    path = os.path.join(parent, name)
    os.mkdir(path)
    return path


def _sysroot(config: Config) -> str:
    if config.sysroot is None:
        return ""
    if not os.path.isdir(config.sysroot):
        raise ConfigError(
            f"sysroot = {config.sysroot!r} is not a folder; give an absolute path, because a build "
            "may run in a temporary copy of the source tree"
        )
    return os.path.abspath(config.sysroot)


def _python_libraries() -> Tuple[str, ...]:
    """List the library folders of the building Python, except those of the system."""
    folders = (sysconfig.get_config_var("LIBDIR"), sysconfig.get_config_var("LIBPL"))
    prefixes = (os.path.join(sys.base_prefix, "lib"), os.path.join(sys.base_exec_prefix, "lib"))
    found = dict.fromkeys(folder for folder in (*folders, *prefixes) if folder)
    # The Python of a distribution shares the system's folders with all other libraries.
    return tuple(folder for folder in found if not folder.startswith(_SYSTEM_LIBRARIES))


def _prefix_maps(headers: str) -> Tuple[Tuple[str, str], ...]:
    """Return the replacements for this machine's folders in the output (-ffile-prefix-map)."""
    return (
        (sys.base_prefix, "python"),
        (sys.prefix, "environment"),
        (headers, "python"),
        (os.getcwd(), "."),
    )


def _write_extra_config(folder: str, target: Target, environ: Mapping[str, str]) -> str:
    own_config = environ.get("DIST_EXTRA_CONFIG", "")
    text = ""
    if own_config and os.path.isfile(own_config):
        with open(own_config, encoding="utf-8") as file:
            text = file.read()
    path = os.path.join(folder, "extra.cfg")
    with open(path, "w", encoding="utf-8") as file:
        file.write(target_sysconfig.extra_config(text, target))
    return path


def _write_refusal(binaries: str, name: str, notes: str, note: str) -> str:
    """Write a compiler that fails, and leaves a note for the user; return its path."""
    path, line = os.path.join(binaries, name), shlex.quote(note)
    with open(path, "w", encoding="utf-8") as file:
        file.write(f"#!/bin/sh\nprintf '%s\\n' {line} >>{shlex.quote(notes)}\n")
        file.write(f"printf '%s\\n' {line} >&2\nexit 1\n")
    os.chmod(path, 0o700)
    return path


def _write_tools(folder: str, binaries: str, job: Job) -> Dict[str, str]:
    """Write a script for each compiler and archiver tool; return their paths by variable.

    Each path is one word, because build tools split CC at spaces.
    """
    wrapper = os.path.join(folder, "wrapper.py")
    package = os.path.dirname(os.path.dirname(os.path.abspath(manyshim.__file__)))
    with open(wrapper, "w", encoding="utf-8") as file:
        file.write(_WRAPPER.format(package=package, job=job))
    compiler = (sys.executable, "-ISs", wrapper)
    tools = {}
    for variable, name, command in (
        ("CC", "cc", (*compiler, "cc")),
        ("CXX", "c++", (*compiler, "c++")),
        ("AR", "ar", (job.zig, "ar")),
        ("RANLIB", "ranlib", (job.zig, "ranlib")),
        # Each link line has -s already, and the strip of this machine cannot read foreign files.
        ("STRIP", "strip", ("true",)),
    ):
        path = os.path.join(binaries, name)
        with open(path, "w", encoding="utf-8") as file:
            file.write(f'#!/bin/sh\nexec {" ".join(map(shlex.quote, command))} "$@"\n')
        os.chmod(path, 0o700)
        tools[variable] = path
    if not os.access(tools["CC"], os.X_OK):
        raise ToolError(
            f"{binaries}: programs cannot run from this folder (noexec?); set TMPDIR to a folder "
            "that allows it"
        )
    return tools
