"""Check repaired foreign wheels against their originals and the target's dynamic loader."""

from __future__ import annotations

import os
import re
import subprocess
import zipfile
from pathlib import Path
from typing import Dict, List

import needs
from foreignbuilding import Repaired, Tools
from manyshim.audit.facts import ElfFile
from manyshim.formats.elf import reader
from manyshim.formats.elf.edits import Patch
from manyshim.formats.wheel.wheel import Wheel
from manyshim.formats.zip.window import Window
from manyshim.repair.verify import differences

# Loads the file in its argument, prints the result of answer() and the mapped files.
LOADER = """\
#include <dlfcn.h>
#include <stdio.h>
int main(int count, char **words)
{
    char line[4096];
    void *module = dlopen(words[1], RTLD_NOW);
    int (*answer)(void) = module ? dlsym(module, "answer") : 0;
    FILE *maps = fopen("/proc/self/maps", "r");
    if (!answer || !maps) {
        puts(dlerror());
        return 1;
    }
    printf("answer %d\\n", answer());
    while (fgets(line, sizeof line, maps))
        fputs(line, stdout);
    return 0;
}
"""


def unpacked(path: Path, folder: Path) -> Path:
    with zipfile.ZipFile(path) as archive:
        archive.extractall(folder)
    return folder


def facts(path: Path) -> Dict[str, ElfFile]:
    """Return the facts of a wheel's ELF files, by file name without hash."""
    with Wheel(str(path)) as wheel:
        found = wheel.facts().elfs
    return {re.sub(r"-[0-9a-f]{8}\.", ".", os.path.basename(one.path)): one for one in found}


def compare_with_originals(repaired: Repaired, source: Path, folder: Path) -> List[str]:
    """Compare every patched file of a repaired wheel with its original; return the members."""
    assert repaired.path is not None
    before, after = unpacked(source, folder / "before"), unpacked(repaired.path, folder / "after")
    plan = repaired.wheel["plan"]
    originals = {path: before / path for path in plan["patches"]}
    originals.update({copy["member"]: Path(copy["source"]) for copy in plan["copies"]})
    for member, original in originals.items():
        with open(original, "rb") as file:
            was = reader.read("was", Window(file, 0, 0, original.stat().st_size, 0)).facts
        with open(after / member, "rb") as file:
            now = reader.read("now", Window(file, 0, 0, (after / member).stat().st_size, 0)).facts
        renamed = tuple((a, b) for a, b in zip(was.needed, now.needed) if a != b)
        rpath = (
            ":".join(now.rpath) if (was.rpath, was.runpath) != (now.rpath, now.runpath) else None
        )
        soname = now.soname if was.soname != now.soname else None
        patch = Patch(renamed, (), soname, rpath)
        assert differences(str(original), str(after / member), patch) == []
    return sorted(originals)


def load_module(tools: Tools, repaired: Repaired, folder: Path) -> str:
    """Load the installed module; return its answer and the mapped files."""
    if tools.run is None:
        needs.missing(*tools.missing)
    assert repaired.path is not None
    installed = unpacked(repaired.path, folder / "installed")
    (folder / "loader.c").write_text(LOADER)
    tools.program().compile(folder, "loader.c", "-o", "loader", "-ldl")
    (module,) = installed.glob("pkg/outer*.so")
    done = subprocess.run(
        [*tools.run, str(folder / "loader"), str(module)],
        capture_output=True,
        text=True,
        check=False,
        env={name: value for name, value in os.environ.items() if name != "LD_LIBRARY_PATH"},
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def mapped(text: str, installed: Path) -> List[str]:
    """Return the names of the mapped files below a folder, sorted."""
    found = re.findall(rf" ({re.escape(str(installed))}/\S+)$", text, re.MULTILINE)
    return sorted({os.path.basename(path) for path in found})
