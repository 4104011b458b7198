"""What becomes of builds with odd ends. The frontend is a script that writes empty wheels."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any, Dict, List, Mapping, NamedTuple, Optional, Sequence

import pytest

from manyshim.release import run as runs
from manyshim.release.children import Children
from manyshim.release.ledger import Ledger
from manyshim.release.matrix import Cell, cells
from manyshim.release.run import Release, Result, Work
from manyshim.release.sdist import Sdist
from manyshim.release.table import Table

X86 = "manylinux_2_17_x86_64"
_SCRIPT = """
import os, sys, time
python, platform, folder, tags, text, seconds = sys.argv[1:]
time.sleep(float(seconds))
name = "x-1.0-" + tags + "-" + platform + ".whl"
with open(os.path.join(folder, name), "w") as file:
    file.write(text)
"""


class Fake(NamedTuple):
    """A frontend: by Python, the tags of the wheel that it writes, its text, and its seconds."""

    plan: Mapping[str, Sequence[str]]

    def wheel(
        self, _sdist: str, python: str, settings: Mapping[str, str], folder: str, _source: str
    ) -> List[str]:
        platform = settings["platform"]
        return [sys.executable, "-c", _SCRIPT, python, platform, folder, *self.plan[python]]


def build(
    out: Path,
    plan: Mapping[str, Sequence[str]],
    *,
    todo: Optional[Sequence[Cell]] = None,
) -> List[Result]:
    """Build a release into a folder."""
    private = out / "private"
    private.mkdir(parents=True, exist_ok=True)
    matrix = cells(Table((X86,), tuple(plan), {}))
    frontend: Any = Fake(plan)
    work = Work(
        str(out),
        str(out),
        str(private),
        Sdist("x-1.0.tar.gz", "content", "digest", 0),
        frontend,
        dict(os.environ),
        lambda cell: {"platform": cell.platform},
        lambda _: "recipe",
        lambda _: "",
    )
    release = Release(work, Ledger(str(out)), Children(), lambda *_: None)
    return release.run(matrix if todo is None else todo, matrix, 2)


def said(results: Sequence[Result]) -> Dict[str, str]:
    return {one.cell.name: f"{one.status} {one.wheel}".strip() for one in results}


MIXED = {
    "3.9": ("cp39-cp39", "a", "0"),
    "3.10": ("cp310-abi3", "of 3.10", "0.6"),
    "3.11": ("cp310-abi3", "of 3.11", "0"),
    "3.12": ("cp310-abi3", "of 3.12", "0"),
}


@pytest.mark.parametrize("slow", ["3.10", "3.11"])
def test_the_same_wheel_of_two_pythons_at_once(tmp_path: Path, slow: str) -> None:
    """The older one's counts, whichever ends first, and their contents may be different."""
    plan = {key: (*one[:2], "0.6" if key == slow else "0") for key, one in MIXED.items()}
    found = said(build(tmp_path, plan))
    stable = f"x-1.0-cp310-abi3-{X86}.whl"
    assert found == {
        f"cp39-{X86}": f"built x-1.0-cp39-cp39-{X86}.whl",
        f"cp310-{X86}": f"built {stable}",
        f"cp311-{X86}": f"covered {stable}",
        f"cp312-{X86}": f"covered {stable}",
    }
    assert (tmp_path / stable).read_text(encoding="utf-8") == "of 3.10"
    assert {one.split()[0] for one in said(build(tmp_path, plan)).values()} == {"kept"}


def test_a_wheel_that_cannot_be_published(tmp_path: Path) -> None:
    """It has failed, and so the next Python builds the wheel."""
    name = f"x-1.0-cp39-abi3-{X86}.whl"
    (tmp_path / name / "full").mkdir(parents=True)
    plan = {"3.9": ("cp39-abi3", "a", "0"), "3.10": ("cp310-cp310", "b", "0")}
    results = build(tmp_path, plan)
    assert [one.status for one in results] == ["failed", "built"]
    assert f"{name}: cannot be written: " in results[0].reason[0]
    assert results[0].seconds > 0


def test_a_run_that_is_killed_leaves_no_unknown_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def publish_and_die(path: str, target: str) -> None:
        os.replace(path, target)
        raise KeyboardInterrupt

    plan = {"3.9": ("cp39-cp39", "a", "0")}
    with monkeypatch.context() as patched:
        patched.setattr(runs, "publish", publish_and_die)
        with pytest.raises(KeyboardInterrupt):
            build(tmp_path, plan)
    name = f"x-1.0-cp39-cp39-{X86}.whl"
    assert (tmp_path / name).exists()
    assert name in Ledger(str(tmp_path)).files
    assert said(build(tmp_path, plan)) == {f"cp39-{X86}": f"kept {name}"}


def test_a_part_without_wheels(tmp_path: Path) -> None:
    assert build(tmp_path, {"3.9": ("pure", "a", "0")}, todo=[]) == []
