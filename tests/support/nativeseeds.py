"""Good Mach-O and PE files of each form, from which damaged ones are made."""

from __future__ import annotations

from typing import List

import machowriter as m
import pewriter

COMMANDS = (
    m.build(1, 11),
    m.dylib("@rpath/libdemo.dylib"),
    m.dylib("/usr/local/lib/libx.dylib", m.WEAK),
    m.rpath("@loader_path/../lib"),
    m.plain(m.CHAINED),
    m.extent(m.SIGNATURE, 0, 16),
)
IMPORTS = {"KERNEL32.dll": ("Sleep", 3), "python3.dll": ("PyLong_AsLong",), "foo.dll": ("f",)}


def mach_o() -> List[bytes]:
    """Return a file for each architecture, and fat files."""
    thin = [m.thin(*COMMANDS, arch=arch, kind=m.BUNDLE) for arch in m.CPUS]
    return [*thin, *(m.fat(thin[1:4], wide=wide, align=4) for wide in (False, True))]


def portable() -> List[bytes]:
    """Return a file for each machine, in the new and in the old form."""
    return [
        pewriter.write(IMPORTS, delayed=("a.dll",), machine=machine, absolute=absolute)
        for machine in pewriter.MACHINES
        for absolute in (False, True)
    ]
