"""Write the JSON Schemas of the package, and the lists of what they promise, from the code.

`python scripts/write_schemas.py` writes `backend/manyshim/schemas/` and `tests/support/promises/`.
A key or a word that a promise has may go only in a new version: without one, nothing is written.
With `--check` nothing is written either, and stale files are named.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any, Callable, Dict, List, NamedTuple

import _report_schema
import _tool_schema
import _written
from _data import REPOSITORY
from manyshim import __version__
from manyshim.formatters.json import JSON_VERSION
from promises import Promise, broken, lines, promised, text

SCHEMAS = REPOSITORY / "backend" / "manyshim" / "schemas"
PROMISES = REPOSITORY / "tests" / "support" / "promises"


class Written(NamedTuple):
    """A schema: its function, and the version that has to rise when something goes.

    `accepts` is true for what manyshim reads, and false for what it writes.
    """

    schema: Callable[[], Dict[str, Any]]
    version: str
    accepts: bool

    def json(self) -> str:
        """Return the text of the schema's file."""
        return json.dumps(self.schema(), indent=2) + "\n"

    def promise(self) -> Promise:
        """Return what this version of the schema promises."""
        return Promise(self.version, lines(self.schema(), accepts=self.accepts))


# The table of options follows the version of the package. Before 1.0, its second number counts.
_MAJOR, _MINOR, *_ = __version__.split(".")
ALL: Dict[str, Written] = {
    "report": Written(_report_schema.schema, str(JSON_VERSION), accepts=False),
    "tool": Written(_tool_schema.schema, _MAJOR if _MAJOR != "0" else f"0.{_MINOR}", accepts=True),
}


def files() -> Dict[Path, str]:
    """Return the text of each file."""
    found: Dict[Path, str] = {}
    for name, one in ALL.items():
        found[SCHEMAS / f"{name}.schema.json"] = one.json()
        found[PROMISES / f"{name}.txt"] = text(one.promise())
    return found


def lost() -> List[str]:
    """List what was promised and is gone, although the version is the same."""
    found: List[str] = []
    for name, one in ALL.items():
        path = PROMISES / f"{name}.txt"
        if path.exists():
            before = promised(path.read_text(encoding="utf-8"))
            found += [f"{name}: {line}" for line in broken(before, one.promise())]
    return found


def _refusals() -> List[str]:
    return [f"promised, and gone without a new version: {line}" for line in lost()]


def main() -> int:
    """Write the files, or with `--check` name those that are stale; return the exit code."""
    return _written.run(__doc__, files, _refusals)


if __name__ == "__main__":
    sys.exit(main())
