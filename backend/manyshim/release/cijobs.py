"""The rows of a workflow's matrix: where each platform is built, and what its tests need."""

from __future__ import annotations

import re
from typing import Any, Dict, List, Mapping, Sequence

from manyshim.values import NamedTuple

_LINUX = {"aarch64": "ubuntu-24.04-arm"}
_LINUX_DEFAULT = "ubuntu-24.04"
_MACOS = {"x86_64": "macos-15-intel", "arm64": "macos-15", "universal2": "macos-15"}
_WINDOWS = {"arm64": "windows-11-arm"}
_WINDOWS_DEFAULT = "windows-2025"

# The architectures for which there are images of Python, in the words of these.
_IMAGES = {
    "x86_64": "amd64",
    "i686": "386",
    "aarch64": "arm64",
    "armv7l": "arm",
    "ppc64le": "ppc64le",
    "riscv64": "riscv64",
    "s390x": "s390x",
}
_IMAGE_OF_LIBC = {"glibc": "slim", "musl": "alpine"}

_MAC = re.compile(r"macosx_(\d+)_(\d+)_(\w+)", re.ASCII)

# One row of a matrix, in the order of its keys.
Row = Mapping[str, str]


class Rows(NamedTuple):
    """The rows for Linux, and those of other systems."""

    linux: List[Row]
    others: List[Row]


def rows(jobs: Sequence[Mapping[str, Any]], native: Mapping[str, str], *, tests: bool) -> Rows:
    """Return the rows of jobs, as `matrix.jobs` returns them.

    `native` names the runners that run wheels of an architecture and of glibc without an emulator;
    `tests` is whether there are tests, which need a Python of each target.
    """
    found = Rows([], [])
    for one in jobs:
        row = {"platform": str(one["platform"]), "pythons": " ".join(one["pythons"])}
        if one["system"] == "linux":
            arch, libc = str(one["arch"]), str(one["libc"])
            row["runner"] = native.get(arch, _LINUX_DEFAULT)
            runs = arch in native and libc == "glibc"
            if tests and not runs and arch in _IMAGES:
                row["image"] = _IMAGE_OF_LIBC[libc]
                row["image-arch"] = _IMAGES[arch]
            found.linux.append(row)
        else:
            found.others.append({**row, **_other(one)})
    return found


def github_runners() -> Dict[str, str]:
    """Return the runners of GitHub for the architectures of Linux that they have."""
    return {"x86_64": _LINUX_DEFAULT, **_LINUX}


def _other(job: Mapping[str, Any]) -> Dict[str, str]:
    """Return the runner of a job for macOS or Windows, and the variables of its compiler."""
    arch = str(job["arch"])
    mac = _MAC.fullmatch(str(job["platform"]))
    if mac:
        target = f"{mac[1]}.{mac[2]}"
        arches = ("arm64", "x86_64") if arch == "universal2" else (arch,)
        return {
            "runner": _MACOS[arch],
            "deployment-target": target,
            "archflags": " ".join(f"-arch {one}" for one in arches),
            "host-platform": f"macosx-{target}-{arch}",
        }
    row = {"runner": _WINDOWS.get(arch, _WINDOWS_DEFAULT)}
    if arch == "x86":
        # The runner has 64 bits, and takes the Python of its own architecture otherwise.
        names = (f"cpython-{one}-windows-x86-none" for one in job["pythons"])
        row["pythons"] = " ".join(names)
    return row
