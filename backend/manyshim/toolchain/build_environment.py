"""A private folder with all that a build for a target is given: compilers, headers, sysconfig."""

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
from manyshim.toolchain.target import Target
from manyshim.toolchain.zig import Zig
from manyshim.values import NamedTuple

# Started without site and the environment's PYTHON*, so that no project changes its compiler.
_WRAPPER = """\
import sys

sys.path.insert(0, {package!r})
from manyshim.toolchain.compiler.target_options import TargetOptions
from manyshim.toolchain.compiler.wrapper import Job, main

main(sys.argv[1], {job!r}, sys.argv[2:])
"""

_SYSTEM_LIBRARIES = ("/usr/lib", "/lib")


class BuildEnvironment(NamedTuple):
    """The environment for the wrapped backend, and the file of what its compilers have to say."""

    environ: Dict[str, str]
    notes: str


def create(
    folder: str, target: Target, config: Config, zig: Zig, environ: Mapping[str, str]
) -> BuildEnvironment:
    """Fill a private folder, and settle the environment that leads to it.

    `environ` names zig's cache. Raises ConfigError for a sysroot or headers that are not the
    target's, ToolError where Python.h is missing or a file cannot be written.
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
        if not options.native:
            resolved["CONFIG_SITE"] = os.path.join(folder, "config.site")
            with open(resolved["CONFIG_SITE"], "w", encoding="utf-8") as file:
                file.write(target_sysconfig.config_site(target, environ.get("CONFIG_SITE", "")))
    except OSError as error:
        raise ToolError(f"{folder}: cannot be written: {error.strerror}") from error
    return BuildEnvironment(resolved, notes)


def _folder(parent: str, name: str) -> str:
    path = os.path.join(parent, name)
    os.mkdir(path)
    return path


def _sysroot(config: Config) -> str:
    if config.sysroot is None:
        return ""
    if not os.path.isdir(config.sysroot):
        raise ConfigError(
            f"sysroot = {config.sysroot!r} is no folder; name it from the root on, as a build may "
            "run in a temporary copy of the source tree"
        )
    return os.path.abspath(config.sysroot)


def _python_libraries() -> Tuple[str, ...]:
    """List the building Python's library folders, which its own link commands search."""
    folders = (sysconfig.get_config_var("LIBDIR"), sysconfig.get_config_var("LIBPL"))
    prefixes = (os.path.join(sys.base_prefix, "lib"), os.path.join(sys.base_exec_prefix, "lib"))
    found = dict.fromkeys(folder for folder in (*folders, *prefixes) if folder)
    # A Python of the system shares them with everything else.
    return tuple(folder for folder in found if not folder.startswith(_SYSTEM_LIBRARIES))


def _prefix_maps(headers: str) -> Tuple[Tuple[str, str], ...]:
    """Say what stands for this machine's folders where a source names its own file."""
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


def _write_tools(folder: str, binaries: str, job: Job) -> Dict[str, str]:
    """Write the compilers and the archiver, each a file of one word for CC and the like."""
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
    ):
        path = os.path.join(binaries, name)
        with open(path, "w", encoding="utf-8") as file:
            file.write(f'#!/bin/sh\nexec {" ".join(map(shlex.quote, command))} "$@"\n')
        os.chmod(path, 0o700)
        tools[variable] = path
    if not os.access(tools["CC"], os.X_OK):
        raise ToolError(
            f"{binaries}: nothing can be run from there (noexec?); set TMPDIR to a folder of which "
            "programs may be run"
        )
    return tools
