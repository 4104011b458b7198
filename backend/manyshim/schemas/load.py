"""Loads the JSON Schemas: for validate-pyproject, and for programs that read reports."""

from __future__ import annotations

import json
import pkgutil
from typing import Any, Dict

from manyshim.errors import ToolError


def tool_schema(tool_name: str = "manyshim") -> Dict[str, Any]:
    """Options of manyshim in pyproject.toml, which wraps a build backend and audits its wheels."""
    # validate-pyproject shows the docstring, and passes the name of the table.
    del tool_name
    return _load("tool")


def report_schema() -> Dict[str, Any]:
    """Return the schema of what --json and the option `report` write. Raises ToolError."""
    return _load("report")


def _load(name: str) -> Dict[str, Any]:
    file = f"{name}.schema.json"
    try:
        data = pkgutil.get_data("manyshim.schemas", file)
    except OSError:
        data = None
    if data is None:
        raise ToolError(
            f"this copy of manyshim is incomplete: it has no schemas/{file}; copy the whole folder"
        )
    found: Dict[str, Any] = json.loads(data)
    return found
