"""How a file of an installed wheel reaches the wheel's libraries, and which programs must move."""

from __future__ import annotations

import posixpath
from typing import Collection, Dict, Iterable, Mapping, Optional

from manyshim.audit.facts import ElfFile, InstallPath, install_path
from manyshim.audit.loader.installed import used_entries
from manyshim.audit.names import escapes_wheel
from manyshim.audit.tags import WheelName

# Installers replace the first line with the path of the interpreter. Python ignores two signals,
# which the program would inherit. The program is searched from the launcher's own folder: above it
# for `pip install --target`, and as far from it as the interpreter's packages from its scripts for
# `--prefix` and virtual environments. `--user` has its packages on sys.path.
_LAUNCHER = """#!python
import os
import signal
import sys
import sysconfig

if __name__ == "__main__":
    scripts, packages = sysconfig.get_path("scripts"), sysconfig.get_path("platlib")
    here = os.path.dirname(os.path.realpath(__file__))
    own = os.path.normpath(os.path.join(here, os.path.relpath(packages, scripts)))
    folders = [os.path.dirname(here), own, *sys.path, packages]
    programs = [os.path.join(folder, *{path!r}) for folder in folders]
    program = next(filter(os.path.isfile, programs), programs[1])
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
    try:
        os.execv(program, sys.argv)
    except OSError as error:
        sys.exit(f"{{sys.argv[0]}}: {{program}}: {{error.strerror}}")
"""


def launcher(member: str) -> str:
    """Return the text of the script that starts the program at `member`."""
    return _LAUNCHER.format(path=tuple(member.split("/")))


def moves(
    folders: Mapping[str, Iterable[str]],
    programs: Collection[str],
    name: WheelName,
    distribution: str,
) -> Dict[str, str]:
    """Return the programs of the scripts folder that must move, each with its new member.

    `folders` are those that each file must search. No fixed path leads from the scripts folder to
    those of the package. Other files cannot move, because only a program can have a launcher.
    """
    found = {}
    for path in folders.keys() & set(programs):
        place = install_path(path, distribution)
        roots = {_place(folder, distribution).root for folder in folders[path]}
        if place.root == "scripts" and "site" in roots:
            found[path] = f"{name.name}.scripts/{place.path}"
    return found


def search_path(
    elf: ElfFile, member: str, folders: Iterable[str], libc: str, distribution: str
) -> Optional[str]:
    """Return an RPATH from `member` to `folders` of the wheel; None if no fixed path leads there.

    Entries that stay inside the wheel are kept, unless the file moves to `member`.
    """
    place = install_path(member, distribution)
    here = posixpath.dirname(place.path)
    entries = []
    for folder in sorted(folders):
        there = _place(folder, distribution)
        if there.root == place.root:
            relative = posixpath.relpath(posixpath.dirname(there.path) or ".", here or ".")
            entries.append("$ORIGIN" if relative == "." else f"$ORIGIN/{relative}")
    if not entries:
        return None
    kept = (
        entry
        for entry in (used_entries(elf, libc) if member == elf.path else ())
        if not escapes_wheel(elf, entry, distribution)
    )
    return ":".join(dict.fromkeys((*kept, *entries)))


def _place(folder: str, distribution: str) -> InstallPath:
    """Return where a file in a folder of the wheel is installed."""
    return install_path(posixpath.join(folder, "file"), distribution)
