"""Small wheels of Python files, and a tester for them with Pythons of the tests' systems."""

from __future__ import annotations

import os
import sys
import threading
from pathlib import Path
from typing import Callable, Dict, Optional, Sequence

from frontends import clean
from manyshim.release.children import Children
from manyshim.release.emulation import runner, this_machine
from manyshim.release.ledger import Entry, Ledger, Made
from manyshim.release.local import pip_python
from manyshim.release.matrix import Cell
from manyshim.release.places import Places
from manyshim.release.sdist import digest
from manyshim.release.systems import find
from manyshim.release.table import Tests
from manyshim.release.testing import Setup, Tested, Tester
from systems import System
from wheelwriter import wheel

PURE = "py3-none-any"


def pure_wheel(folder: Path, name: str = "tested", requires: str = "", scripts: str = "") -> Path:
    """Write a wheel with one module; `requires` is a requirement, `scripts` a console script."""
    info = f"{name}-1.0.dist-info"
    more = f"Requires-Dist: {requires}\n" if requires else ""
    text = f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n{more}"
    members = {
        f"{name}.py": b"def main():\n    print(__file__)\n",
        f"{info}/METADATA": text.encode(),
    }
    if scripts:
        members[f"{info}/entry_points.txt"] = f"[console_scripts]\n{scripts}\n".encode()
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}-1.0-{PURE}.whl"
    path.write_bytes(wheel(members, name=name, tag=PURE, purelib=True))
    return path


def own_cell() -> Cell:
    """Return the cell of this interpreter on this machine."""
    machine = this_machine()
    family = {"glibc": "manylinux_2_17", "musl": "musllinux_1_1"}[str(machine.libc)]
    return Cell(f"3.{sys.version_info[1]}", f"{family}_{machine.arch}")


class Bench:
    """Tests wheels below a folder, without an index: requirements are found in `links`."""

    def __init__(self, folder: Path, uv: Optional[str], systems: Sequence[System] = ()) -> None:
        self.folder = folder
        self.links = folder / "links"
        self.links.mkdir(parents=True)
        self.children = Children()
        self.uv = uv
        (folder / "project").mkdir()
        (folder / "private").mkdir()
        self._systems = find(str(linked(folder / "systems", systems))) if systems else []

    def test(
        self, path: Path, cell: Cell, command: str, *requires: str, seconds: int = 120
    ) -> Tested:
        """Test a wheel for a cell."""
        return self.tester(Tests(command, requires, seconds), path).test(str(path), cell)

    def tester(self, tests: Tests, path: Path) -> Tester:
        """Return a tester, whose ledger has a wheel."""
        native: Callable[[str], Optional[str]] = self._native
        places = Places(this_machine(), native, self._systems, runner)
        private, project = str(self.folder / "private"), str(self.folder / "project")
        setup = Setup(tests, project, private, self._environ(), places, self.uv, pip_python)
        ledger = Ledger(str(path.parent))
        if path.name not in ledger.files:
            ledger.add("cell", Made(path.name, ""), Entry(digest(str(path)), ""))
        return Tester(setup, self.children, ledger)

    def later(self, seconds: float) -> None:
        """End all children after some seconds."""
        threading.Timer(seconds, self.children.end_all).start()

    def _native(self, version: str) -> Optional[str]:
        return sys.executable if version == own_cell().python else None

    def _environ(self) -> Dict[str, str]:
        offline = {"UV_OFFLINE": "1", "PIP_NO_INDEX": "1", "PYTHONPATH": "no folder"}
        links = {"UV_FIND_LINKS": str(self.links), "PIP_FIND_LINKS": str(self.links)}
        return {**clean(), **offline, **links}


def linked(folder: Path, systems: Sequence[System]) -> Path:
    """Create a folder with links to the roots of systems, as a user has them."""
    folder.mkdir()
    for one in systems:
        # The Python for musl is beside the root of its loader, whose path it knows.
        root = os.path.commonpath([str(one.root), str(one.home)])
        (folder / one.name).symlink_to(root)
    return folder
