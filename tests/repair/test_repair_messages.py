"""What a repair prints when it fails: names of the wheel, and no private folder."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from elfbuilding import needs_gcc
from manyshim.repair.member_names import readable
from repairing import WAYS, RepairProject, script

pytestmark = needs_gcc


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("{work}/after/site/demo/lib.so: no such file", "demo/lib.so: no such file"),
        ("{work}/before/scripts/tool: x; {work}/after/site/a.so", "tool: x; a.so"),
        ("{work}/launchers/0: cannot be written", "0: cannot be written"),
        ("{work}/after/data/share/lib.so", "share/lib.so"),
        ("/usr/lib/libssl.so.3: cannot be read", "/usr/lib/libssl.so.3: cannot be read"),
        ("{work}: No space left on device", "No space left on device"),
    ],
)
def test_private_paths_become_names_of_the_wheel(line: str, expected: str) -> None:
    for work in ("/out/.manyshim-1a2b3c4d.tmp/repair", "out/.manyshim-1a2b3c4d.tmp/repair"):
        given = line.replace("{work}", work)
        assert readable(given, work) == expected
        whole = line.replace("{work}", os.path.abspath(work))
        assert readable(whole, work) == expected


@WAYS
def test_a_failing_strip_names_the_member(way: str, tmp_path: Path) -> None:
    project = RepairProject(tmp_path / "project")
    data = project.simple()
    body = 'for file; do :; done; echo "strip: $file: file format not recognized"; exit 3'
    project.path = f"{script(project.folder / 'bin', body, 'strip')}:{project.path}"
    done = project.run(way, {"strip": ["debug"]})
    output = done.stdout + done.stderr
    assert ".manyshim-" not in output
    assert "strip failed with exit code 3: strip --strip-debug ./lib" in project.failed(
        way, done, data
    )
    # The larger file is stripped first.
    assert re.search(r"error: demo(/libtop\.so|\.libs/libdeep-\w+\.so\.1) cannot", output)
