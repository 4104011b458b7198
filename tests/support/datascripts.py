"""Run the scripts that write data files, and read the heads of these files."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Dict, Mapping, Optional

from paths import REPOSITORY

SCRIPTS = REPOSITORY / "scripts"
DATA = REPOSITORY / "backend" / "manyshim" / "audit" / "data"

# Content, source, date, script.
HEAD = re.compile(
    r"# (?P<what>\S.*)\. Source: (?P<source>\S.*), taken on (?P<date>\d{4}-\d\d-\d\d)\."
    r" Written by scripts/(?P<script>update_\w+\.py)"
)


def run_script(
    script: str, folder: Path, *arguments: object, environment: Optional[Mapping[str, str]] = None
) -> subprocess.CompletedProcess[str]:
    """Run a script on the data files of a folder."""
    return subprocess.run(
        [sys.executable, str(SCRIPTS / script), "--data", str(folder), *map(str, arguments)],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        env=environment,
    )


def written(done: subprocess.CompletedProcess[str], path: Path) -> bytes:
    """Return the bytes that a script wrote; require that it succeeded."""
    assert done.returncode == 0, done.stderr
    return path.read_bytes()


def head_of(text: str) -> Dict[str, str]:
    """Read the parts of a file's first line."""
    found = HEAD.fullmatch(text.partition("\n")[0])
    assert found, f"not a head: {text[:200]}"
    return found.groupdict()


def only_head(name: str, folder: Path) -> Path:
    """Write only the head of a data file of the project, from which a script takes the date."""
    path = folder / name
    path.write_bytes((DATA / name).read_bytes().partition(b"\n")[0] + b"\n")
    return path
