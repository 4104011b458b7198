"""Annotations in a workflow of GitHub: on the source lines of the repository, and a summary.

A workflow command is a line of the output that the runner reads. The summary of a step is
Markdown, which is appended to the file that GITHUB_STEP_SUMMARY names.
"""

from __future__ import annotations

import os
from contextlib import suppress
from typing import Any, Dict, List, Mapping

from manyshim.formatters import github
from manyshim.repository import Repository


def annotate(data: Dict[str, Any], environ: Mapping[str, str] = os.environ) -> List[str]:
    """Return the workflow commands for the JSON object of a run, and append its summary.

    A summary that cannot be written is left out: the run has its result.
    """
    path = environ.get("GITHUB_STEP_SUMMARY")
    if path:
        with suppress(OSError), open(path, "a", encoding="utf-8") as file:
            file.write(github.step_summary(data))
    return github.annotations(data, Repository.around(environ).locate)
