"""scripts/compare_behaviour.py reports what differs between two checkouts, and nothing else."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path
from typing import Dict, Tuple

import pytest

from casewheels import EXT, NEW
from paths import REPOSITORY
from wheelwriter import save, wheel, wheel_name

pytestmark = pytest.mark.skipif(sys.version_info < (3, 10), reason="the script needs Python 3.10")

# The real program, whose output, exit code and written wheels are changed afterwards.
_CHANGED = """\
import glob, subprocess, sys
real = "import sys; from manyshim.cli.main import main; sys.exit(main())"
done = subprocess.run([sys.executable, "-c", real, *sys.argv[1:]], capture_output=True, text=True)
sys.stdout.write(done.stdout.replace({old!r}, {new!r}))
sys.stderr.write(done.stderr)
for path in glob.glob("out/*.whl"):
    with open(path, "ab") as file:
        file.write({appended!r})
{last}
sys.exit(done.returncode + {more})
"""
_SAME: Dict[str, object] = {"old": "", "new": "", "appended": b"", "more": 0, "last": ""}
_KIND = {"old": "TOO_NEW", "new": "NEWER"}
_WORD = {"old": "needs ", "new": "wants "}
_BYTE = {"appended": b"\0"}
_FACTS = ("--only-facts",)


@pytest.mark.parametrize(
    ("change", "group", "options", "code", "said"),
    [
        ({}, "retag", (), 0, "1 wheels: retag equal (3 runs, 3 wrote files)"),
        (_WORD, "check", (), 1, '-     "message": "wants pidfd_open'),
        (_WORD, "check", _FACTS, 0, "1 wheels: check equal (2 runs)"),
        (_KIND, "check", _FACTS, 1, '-   "kind": "NEWER",'),
        (_KIND, "check", (*_FACTS, "--rename", "NEWER=TOO_NEW"), 0, "check equal"),
        (_KIND, "check", (*_FACTS, "--rename", "TOO_NEW=NEWER"), 1, '+   "kind": "TOO_NEW",'),
        (_BYTE, "retag", _FACTS, 1, "the members are equal; the bytes between them differ"),
        ({"more": 1}, "check", _FACTS, 1, "-exit code 2"),
        ({"last": "raise KeyError"}, "check", _FACTS, 1, "check -v: ends with a traceback"),
    ],
)
def test_what_is_reported(  # noqa: PLR0917 (a row of the table)
    change: Dict[str, object],
    group: str,
    options: Tuple[str, ...],
    code: int,
    said: str,
    tmp_path: Path,
) -> None:
    other, wheels = tmp_path / "other", tmp_path / "wheels"
    shutil.copytree(REPOSITORY / "backend", other / "backend")
    wheels.mkdir()
    save(wheels, wheel({EXT: NEW}), wheel_name())
    if change:
        main = other / "backend" / "manyshim" / "__main__.py"
        main.write_text(_CHANGED.format(**{**_SAME, **change}))
    done = compare(other, "--sets", "--wheels", wheels, "--commands", group, *options)
    assert (done.returncode, done.stderr) == (code, "")
    assert said in done.stdout


def test_what_is_no_checkout(tmp_path: Path) -> None:
    done = compare(tmp_path, "--sets")
    assert done.returncode == 2
    assert f"error: {tmp_path}: manyshim is imported from" in done.stderr


def compare(*arguments: object) -> subprocess.CompletedProcess[str]:
    script = REPOSITORY / "scripts" / "compare_behaviour.py"
    return subprocess.run(
        [sys.executable, str(script), *map(str, arguments)],
        check=False,
        capture_output=True,
        text=True,
    )
