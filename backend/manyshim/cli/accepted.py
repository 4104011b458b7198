"""The options by which `check` accepts what the builds of a project accept."""

from __future__ import annotations

from typing import Any, List, Mapping, Sequence

from manyshim import config
from manyshim.release import prepare, table
from manyshim.release.matrix import Cell


def accepted(document: Mapping[str, Any], wanted: table.Table, cells: Sequence[Cell]) -> List[str]:
    """Return `--exclude=` and `--allow=` of the project's table, and of its release's settings."""
    found = [f"--exclude={one}" for one in config.table_value(document, "exclude")]
    found += [f"--allow={one.kind}:{one.glob}" for one in config.table_value(document, "allow")]
    for cell in cells:
        given = prepare.settings(cell, "", wanted.settings)
        for key in ("exclude", "allow"):
            found += [f"--{key}={one}" for one in table.values(given.get(f"manyshim.{key}", ()))]
    return list(dict.fromkeys(found))
