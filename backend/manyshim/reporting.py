"""What a build publishes for machines: the JSON report, and annotations on GitHub."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any, Dict, Mapping, Optional, TextIO

from manyshim.formatters.json import JSON_VERSION
from manyshim.github_actions import annotate_build
from manyshim.workspace import write_whole


def publish(
    wheel: Dict[str, Any],
    path: Optional[str],
    environ: Mapping[str, str],
    stream: Optional[TextIO],
) -> None:
    """Write the report of one wheel to `path`, and print its annotations on `stream`.

    Raises ToolError if the report cannot be written. Annotations that fail are left out: they are
    an extra, and the build has its wheel.
    """
    data = {"version": JSON_VERSION, "wheels": [wheel]}
    if path:
        write_whole(json.dumps(data, indent=1) + "\n", path)
    with suppress(Exception):
        for line in annotate_build(data, environ):
            print(line, file=stream, flush=True)
