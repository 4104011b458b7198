"""The third step of the survey: opens each library of a wheel under the Python that it is for."""

from __future__ import annotations

import json
import os
import re
import subprocess
import tempfile
import zipfile
from pathlib import Path
from typing import Any

from survey_elf import read_elf
from survey_oracle import installed
from survey_rows import platform_of

_LIMIT = 600  # seconds for all files of a wheel
_ANY_VERSION = (3, 11)  # opens wheels that are for each version of Python 3
_ELF = b"\x7fELF"
# Free-threaded Pythons, and Python 2.7 with 16-bit characters, are other builds.
_OTHER_BUILD = re.compile(r"cp\d+t|cp27m")
# Runs under each Python since 2.7. A child opens each file: a file that is open changes what the
# next one finds, and a crash must cost one file only.
_OPENER = r"""
import ctypes, json, os, signal, sys
for line in json.load(sys.stdin):
    reader, writer = os.pipe()
    child = os.fork()
    if not child:
        os.close(reader)
        signal.alarm(60)
        said = ""
        try:
            ctypes.CDLL(line, 2)
        except BaseException as error:
            said = str(error) or repr(error)
        os.write(writer, said.encode("utf-8")[:4000])
        os._exit(1 if said else 0)
    os.close(writer)
    parts = []
    while True:
        part = os.read(reader, 65536)
        if not part:
            break
        parts.append(part)
    os.close(reader)
    status = os.waitpid(child, 0)[1]
    said = b"".join(parts).decode("utf-8", "replace")
    if status & 127:
        said = "signal %d" % (status & 127)
    print(json.dumps([line, said]))
    sys.stdout.flush()
"""


def python_for(filename: str, versions: Path) -> Path | None:
    """Return the interpreter below `versions` that opens a wheel; None if there is none.

    The folder has a folder for each version, named by its number, as pyenv lays them out.
    """
    platform = platform_of(filename)
    if platform.arch != "x86_64" or platform.libc == "musl":
        return None
    python, abi = filename[: -len(".whl")].split("-")[-3:-1]
    there = sorted(
        (tuple(map(int, folder.name.split("."))), folder)
        for folder in (versions.iterdir() if versions.is_dir() else ())
        if re.fullmatch(r"[\d.]+", folder.name)
    )
    for version, folder in there:
        if _fits(version[:2], python, abi):
            return folder / "bin" / "python"
    return None


def _fits(version: tuple[int, ...], python: str, abi: str) -> bool:
    if python.startswith("py"):
        return version == ((2, 7) if python == "py2" else _ANY_VERSION)
    number = re.match(r"cp(\d)(\d*)", python)
    if number is None or _OTHER_BUILD.fullmatch(abi):
        return False
    wanted = (int(number[1]), int(number[2] or 0))
    newer = abi == "abi3" and version[0] == wanted[0] and version >= wanted
    return newer or version == wanted


def open_all(path: Path, python: Path) -> dict[str, Any]:
    """Return, for each library of a wheel, the loader's message; empty if it was opened."""
    with tempfile.TemporaryDirectory(prefix="manyshim-survey-") as root:
        members = unpack(path, root)
        libraries = [place for place, member in members.items() if ".so" in Path(member).name]
        results, error = opened(root, libraries, python)
        needed = {members[place]: _needed(place) for place in members}
    return {
        "wheel": path.name,
        "python": python.parent.parent.name,
        "error": error,
        "files": {
            members[place]: results[place].replace(root, "")
            for place in libraries
            if place in results
        },
        "needed": needed,
    }


def opened(root: str, libraries: list[str], python: Path) -> tuple[dict[str, str], str]:
    """Open libraries below a folder; return the loader's message for each, and Python's error."""
    done = subprocess.run(
        [str(python), "-c", _OPENER],
        input=json.dumps(libraries), check=False, capture_output=True, text=True,
        timeout=_LIMIT, cwd=root, env={"PATH": os.defpath, "LC_ALL": "C", "HOME": root},
    )  # fmt: skip
    results = dict(json.loads(line) for line in done.stdout.splitlines() if line[:1] == "[")
    return results, done.stderr[-2000:] if done.returncode else ""


def _needed(place: str) -> list[str]:
    elf = read_elf(place, Path(place).read_bytes())
    return list(elf.needed) if elf else []


def unpack(path: Path, root: str) -> dict[str, str]:
    """Install a wheel's files into a folder; return the ELF files as place -> member."""
    elfs = {}
    with zipfile.ZipFile(path) as archive:
        for member in archive.infolist():
            if member.is_dir():
                continue
            place = root + os.path.normpath(installed(member.filename))
            os.makedirs(os.path.dirname(place), exist_ok=True)
            with archive.open(member) as file, open(place, "wb") as out:
                head = file.read(4)
                out.write(head)
                while block := file.read(1 << 20):
                    out.write(block)
            if head == _ELF:
                elfs[place] = member.filename
    return elfs
