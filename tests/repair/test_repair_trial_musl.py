"""A trial by a Python for musl, with libraries for musl."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any, Dict

import pytest

import needs
from elfbuilding import LINUX
from manyshim import __file__ as package
from systems import system
from trying import running

pytestmark = [
    pytest.mark.skipif(not LINUX, reason="only Linux has these loaders"),
    # It compiles Python first.
    pytest.mark.full,
    needs.mark(needs.tool, "musl-gcc", "musl-tools"),
]

CODE = """
import json, os, sys
from manyshim.formats.elf import reader
from manyshim.formats.zip.window import Window
from manyshim.host import host_arch, interpreter_libc
from manyshim.repair.outside import Outside, find_outside
from manyshim.repair.plan import Plan
from manyshim.repair.search import Search
from manyshim.repair.trial import Limits, Trial, try_loading

folder, *pairs = json.loads(os.environ["GIVEN"])
elfs = []
for member, original, patched in pairs:
    with open(original, "rb") as file:
        elfs.append(reader.read(member, Window(file, 0, 0, os.path.getsize(original), 0)).facts)
search = Search(host_arch(), interpreter_libc(), native=True, environ=os.environ)
outside = find_outside(elfs, Plan(), search)
files = [Trial(*pair) for pair in pairs]
names = {path: member for member, *both in pairs for path in both}
found = try_loading(files, outside, folder, names, Limits(2, 60))
print(json.dumps([outside.places, dict(found.failures), dict(found.not_loaded)]))
"""
CONSTRUCTOR = (
    "#include <stdio.h>\n#include <stdlib.h>\n#include <unistd.h>\n"
    "__attribute__((constructor)) static void f(void) "
)


class Libraries:
    """Pairs of libraries for musl, in a private folder with `before` and `after`."""

    def __init__(self, folder: Path) -> None:
        self.private = folder / "private"
        self.away = folder / "away"
        self.pairs: Dict[str, Any] = {}
        self.compile(self.away / "libaway.so.1", "int away;", "-Wl,-soname,libaway.so.1")

    def compile(self, path: Path, text: str, *options: str) -> str:
        path.parent.mkdir(parents=True, exist_ok=True)
        (path.parent / "x.c").write_text(text)
        command = ["musl-gcc", "-shared", "-fPIC", "-w", "-Wl,--no-as-needed", "x.c"]
        subprocess.run([*command, "-o", str(path), *options], cwd=str(path.parent), check=True)
        return str(path)

    def pair(self, name: str, before: str, after: str, *options: str, also: str = "-O1") -> None:
        """Compile an original, with an option of its own, and what is patched."""
        original = self.compile(self.private / "before" / name, before, *options, also)
        self.pairs[name] = (original, self.compile(self.private / "after" / name, after, *options))

    def attempt(self, **environ: str) -> Any:
        given = [str(self.private), *((f"pkg/{name}", *both) for name, both in self.pairs.items())]
        backend = Path(package).parents[1]
        values = {"GIVEN": json.dumps(given), **environ}
        return json.loads(system("musl-amd64").run(CODE, backend, environ=values))


@pytest.mark.timeout(1800)
def test_libraries_for_musl(tmp_path: Path) -> None:
    made = Libraries(tmp_path)
    ids = tmp_path / "ids"
    leave = f'FILE *x = fopen("{ids}", "w"); fprintf(x, "%d", getpid()); fclose(x); sleep(300);'
    needs_away = (f"-L{made.away}", "-l:libaway.so.1")
    made.pair("good.so", "int x;", "int x;")
    made.pair("outside.so", "int x;", "int x;", *needs_away, also=f"-Wl,-rpath,{made.away}")
    made.pair("bad.so", "int x;", "extern int nowhere; int *p = &nowhere;")
    made.pair("crash.so", "int x;", CONSTRUCTOR + "{ abort(); }")
    made.pair("hang.so", "int x;", CONSTRUCTOR + "{ for (;;) pause(); }")
    daemon = CONSTRUCTOR + '{ if (!fork()) { setsid(); %s } while (access("%s", 0)); }'
    made.pair("fork.so", "int x;", daemon % (leave, ids))
    both = "extern int nowhere; int *p = &nowhere;"
    made.pair("both.so", both, both)
    places, failures, not_loaded = made.attempt()
    assert places == {"libaway.so.1": str(made.away / "libaway.so.1")}
    assert set(failures) == {"pkg/bad.so", "pkg/crash.so", "pkg/hang.so"}
    assert failures["pkg/bad.so"] == "Error relocating pkg/bad.so: nowhere: symbol not found"
    assert "SIGABRT" in failures["pkg/crash.so"]
    assert "after 2 seconds" in failures["pkg/hang.so"]
    assert not_loaded == {}
    assert ids.read_text()
    assert not running(ids)


@pytest.mark.timeout(1800)
def test_a_library_outside_is_found_in_the_environment_or_not_at_all(tmp_path: Path) -> None:
    made = Libraries(tmp_path)
    made.pair("x.so", "int x;", "int x;", f"-L{made.away}", "-l:libaway.so.1")
    environ = {"LD_LIBRARY_PATH": str(made.away)}
    assert made.attempt(**environ) == [
        {"libaway.so.1": str(made.away / "libaway.so.1")},
        {},
        {},
    ]
    reason = "libaway.so.1, which it needs, was not found on this machine"
    assert made.attempt() == [{}, {}, {"pkg/x.so": reason}]
    os.unlink(made.away / "libaway.so.1")
    assert made.attempt(**environ) == [{}, {}, {"pkg/x.so": reason}]
