"""What a build publishes for machines: the JSON report, and annotations on GitHub."""

from __future__ import annotations

import json
from typing import Any, Dict, Mapping, Optional

from manyshim.formatters.json import JSON_VERSION
from manyshim.workspace import write_whole


def publish(wheel: Dict[str, Any], path: Optional[str], environ: Mapping[str, str]) -> None:
    """Write the report of one wheel to `path`, if there is one. Raises ToolError."""
    data = {"version": JSON_VERSION, "wheels": [wheel]}
    if path:
        write_whole(json.dumps(data, indent=1) + "\n", path)
