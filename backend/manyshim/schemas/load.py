"""Loads the JSON Schemas: for validate-pyproject, and for programs that read reports."""

from __future__ import annotations

import json
from typing import Any, Dict

from manyshim.files import packaged


def tool_schema(tool_name: str = "manyshim") -> Dict[str, Any]:
    """Options of manyshim in pyproject.toml, which wraps a build backend and audits its wheels."""
    # validate-pyproject shows the docstring, and passes the name of the table.
    del tool_name
    return _load("tool")


def report_schema(*, exact: bool = True) -> Dict[str, Any]:
    """Return the schema of what --json and the option `report` write. Raises ToolError.

    Without `exact`, it also accepts what a later release may add with the same `version`: keys, and
    words of fixed lists.
    """
    found = _load("report")
    return found if exact else dict(_open(found))


def _open(part: Any) -> Any:  # noqa: ANN401 (a part of a schema)
    """Return a part of a schema without limits to what is known today."""
    if isinstance(part, list):
        return list(map(_open, part))
    if not isinstance(part, dict):
        return part
    open_enum = "enum" in part and all(isinstance(one, (str, type(None))) for one in part["enum"])
    kept = {key: _open(value) for key, value in part.items() if key != "additionalProperties"}
    if open_enum and "properties" not in part:
        nullable = None in kept.pop("enum")
        kept["type"] = ["string", "null"] if nullable else "string"
    return kept


def _load(name: str) -> Dict[str, Any]:
    found: Dict[str, Any] = json.loads(packaged(f"schemas/{name}.schema.json"))
    return found
