"""Compare reports with their schema, by jsonschema."""

from __future__ import annotations

from typing import Any, List

import needs
from manyshim.schemas.load import report_schema


def problems(data: Any) -> List[str]:
    """Return a line for each place where a report is not as its schema says, innermost first."""
    needs.module("jsonschema", since=(3, 10))
    from jsonschema import Draft7Validator

    found = Draft7Validator(report_schema()).iter_errors(data)
    return [f"{'.'.join(map(str, one.absolute_path))}: {one.message[:300]}" for one in found]
