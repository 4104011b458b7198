"""Linked headers and sysconfig's data for targets, created by one of the machine's CPythons."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any, Dict, List, Mapping, NamedTuple, Sequence, Tuple

import needs
from manyshim.audit.tags import parse_platform
from manyshim.toolchain.target import Target
from paths import BACKEND

# Every architecture and libc that zig has.
GLIBC = [
    *(f"manylinux_2_17_{arch}" for arch in ("x86_64", "i686", "aarch64", "armv7l", "s390x")),
    *("manylinux_2_19_ppc64le", "manylinux_2_27_riscv64", "manylinux_2_36_loongarch64"),
]
MUSL = [f"musllinux_1_2_{tag.split('_', 3)[3]}" for tag in GLIBC]

# By architecture: the name on glibc, and on musl since CPython 3.11. Until 3.10, CPython uses the
# name of glibc on musl, too.
SUFFIXES = {
    "x86_64": ("x86_64-linux-gnu", "x86_64-linux-musl"),
    "aarch64": ("aarch64-linux-gnu", "aarch64-linux-musl"),
    "i686": ("i386-linux-gnu", "i386-linux-musl"),
    "armv7l": ("arm-linux-gnueabihf", "arm-linux-musleabihf"),
    "ppc64le": ("powerpc64le-linux-gnu", "powerpc64le-linux-musl"),
    "s390x": ("s390x-linux-gnu", "s390x-linux-musl"),
    "riscv64": ("riscv64-linux-gnu", "riscv64-linux-musl"),
    "loongarch64": ("loongarch64-linux-gnu", "loongarch64-linux-musl"),
}
_SCRIPT = """
import json, os, sys, sysconfig
from manyshim.audit.tags import parse_platform
from manyshim.toolchain.python import headers
from manyshim.toolchain.python import sysconfig as target_sysconfig
from manyshim.toolchain.target import Target

made = {}
for folder, tag in json.loads(sys.argv[1]):
    target = Target(parse_platform(tag))
    places = {name: os.path.join(folder, name) for name in ("headers", "libraries", "path")}
    for place in places.values():
        os.makedirs(place)
    known = headers.link_headers(places["headers"], target)
    tools = {"CC": "/w/cc", "CXX": "/w/c++", "AR": "/w/ar", "RANLIB": "/w/ranlib"}
    values = target_sysconfig.variables(
        sysconfig.get_config_vars(),
        target,
        sys.version_info[:2],
        tools,
        places["headers"],
        places["libraries"],
    )
    target_sysconfig.write_sysconfig(places["path"], target_sysconfig.module_name(target), values)
    environ = target_sysconfig.environment(
        dict(os.environ),
        target,
        tools=tools,
        path=places["path"],
        cache="/w/cache",
        sysroot="",
        libraries=places["libraries"],
        module=target_sysconfig.module_name(target),
        native=False,
        extra_config="/w/extra.cfg",
    )
    made[tag] = {"known": known, "values": values, "environ": environ}
host = sysconfig.get_config_vars()
print(json.dumps({"made": made, "host": {name: str(host[name]) for name in host}}))
"""


class Made(NamedTuple):
    """A CPython's files for a target: the headers, sysconfig's data, and the environment."""

    target: Target
    headers: Path
    known: Sequence[str]
    values: Mapping[str, Any]
    environ: Dict[str, str]
    host: Mapping[str, str]


def target_of(tag: str) -> Target:
    platform = parse_platform(tag)
    assert platform is not None
    return Target(platform)


def make(python: str, folder: Path, tags: Sequence[str]) -> List[Made]:
    """Let a CPython create headers and sysconfig's data for each of the targets."""
    if python == sys.executable:
        needs.python_headers()
    places = [(str(folder / tag), tag) for tag in tags]
    done = subprocess.run(
        [python, "-c", _SCRIPT, json.dumps(places)],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": str(BACKEND)},
    )
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    return [
        Made(
            target_of(tag),
            folder / tag / "headers",
            answer["made"][tag]["known"],
            answer["made"][tag]["values"],
            answer["made"][tag]["environ"],
            answer["host"],
        )
        for tag in tags
    ]


def zig(target: Target) -> Tuple[str, ...]:
    """Return zig's command for a target; skip the test without zig."""
    needs.zig()
    found = shutil.which("zig")
    command = (found,) if found else (sys.executable, "-m", "ziglang")
    return (*command, "cc", "-target", target.triple, f"-mcpu={target.port.cpu}")


def expansions(target: Target, header: Path, names: Sequence[str], folder: Path) -> Dict[str, str]:
    """Return the expansions of macros after a header; an undefined macro expands to its name."""
    source = folder / "expand.c"
    lines = (f'"{name}" {name}' for name in names)
    source.write_text("\n".join((f'#include "{header}"', *lines, "")))
    done = subprocess.run(
        [*zig(target), "-E", "-P", str(source)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return dict(re.findall(r'(?m)^"(\w+)" ?(.*)$', done.stdout))
