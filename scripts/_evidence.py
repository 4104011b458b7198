"""Run tests that record rows, and write a page of docs/evidence from the rows.

Import this module before any module of tests/support, because it adds that folder to the path.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, Callable, Dict, List, Mapping, NamedTuple, Optional, Sequence, Tuple

from _data import REPOSITORY

EVIDENCE = REPOSITORY / "docs" / "evidence"
_SUPPORT = str(REPOSITORY / "tests" / "support")
if _SUPPORT not in sys.path:
    sys.path.append(_SUPPORT)

Key = Tuple[str, ...]
Row = Mapping[str, Any]
Rows = Mapping[Key, Row]


class Evidence(NamedTuple):
    """A page: the tests that record its rows, and the function that makes its text.

    `key` names the fields that identify a row of `table`. `folder` is that of the page.
    """

    page: str
    tests: Sequence[str]
    table: str
    key: Key
    text: Callable[[Rows], str]
    folder: Path = EVIDENCE


class Options(NamedTuple):
    """What the command line asks for: pytest's arguments, and a file that keeps the rows."""

    pytest: Sequence[str]
    rows: Optional[Path]


def arguments(description: str) -> Options:
    """Return the options: pytest's arguments are those after `--`."""
    parser = argparse.ArgumentParser(
        description=f"{description} The page is written only if every row is there.",
    )
    parser.add_argument(
        "pytest",
        nargs="*",
        metavar="ARGUMENT",
        help="for pytest, after --: with `-- -k NAME` the script lists the rows that are missing",
    )
    parser.add_argument(
        "--rows",
        type=Path,
        metavar="FILE",
        help="keep the rows in a file; those of earlier runs count where a test has not run",
    )
    given = parser.parse_args()
    return Options(given.pytest, given.rows)


def collected(evidence: Evidence) -> List[Key]:
    """List the tests of a page by their ids, in pytest's order."""
    command = [*_pytest(evidence), "--collect-only", "-q"]
    done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(done.stdout + done.stderr)
    lines = done.stdout.splitlines()
    return [(line,) for line in lines if re.match(r"tests/[\w/]+\.py::", line)]


def produce(evidence: Evidence, wanted: Sequence[Key], options: Options) -> int:
    """Run the tests and write the page if all wanted rows are there; return the exit code."""
    with tempfile.TemporaryDirectory() as folder:
        file = (options.rows or Path(folder, "rows")).absolute()
        file.touch()
        command = [*_pytest(evidence), "--record", str(file), *options.pytest]
        code = subprocess.run(command, cwd=REPOSITORY, check=False).returncode
        rows = _read(file, evidence)
    path = evidence.folder / evidence.page
    name = path.relative_to(REPOSITORY)
    missing = [" ".join(key) for key in wanted if key not in rows]
    if missing:
        print(f"{name} is not written: {len(missing)} of {len(wanted)} rows are missing")
        print("".join(f"  {one}\n" for one in missing), end="")
        return 1
    replace(path, evidence.text({key: rows[key] for key in wanted}))
    print(f"{name} is written" + (", but tests have failed" if code else ""))
    return code


def replace(path: Path, text: str) -> None:
    """Write a page completely or not at all."""
    draft = path.with_name(f"{path.name}.draft")
    draft.write_text(text, encoding="utf-8")
    os.replace(draft, path)


def system() -> str:
    """Return the name of the distribution from os-release(5)."""
    text = Path("/etc/os-release").read_text(encoding="utf-8")
    found = re.search(r'^PRETTY_NAME="?([^"\n]*)', text, re.MULTILINE)
    return found[1] if found else "an unknown system"


def python() -> str:
    """Return the interpreter and its version, without the plus sign of builds from a checkout."""
    version = platform.python_version().rstrip("+")
    return f"{platform.python_implementation()} {version}"


def _pytest(evidence: Evidence) -> List[str]:
    # An empty mark expression also selects the tests that are marked `full`.
    return [sys.executable, "-m", "pytest", "-m", "", *evidence.tests]


def _read(file: Path, evidence: Evidence) -> Rows:
    """Read the rows of the page's table. Of several rows with one key the last one counts."""
    rows: Dict[Key, Row] = {}
    for line in file.read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        if row["table"] == evidence.table:
            rows[tuple(row[field] for field in evidence.key)] = row
    return rows
