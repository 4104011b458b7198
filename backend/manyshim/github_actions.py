"""Annotations and the summary of a step in a workflow on GitHub.

A workflow command is a line of the output that the runner reads. The summary is Markdown in the
file that GITHUB_STEP_SUMMARY names.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Any, Dict, List, Mapping, Optional

from manyshim.formatters import github
from manyshim.repository import Repository


def annotate(
    data: Dict[str, Any], environ: Mapping[str, str], repository: Optional[Repository] = None
) -> List[str]:
    """Return the workflow commands for the JSON object of a run, and append its summary.

    A summary that cannot be written is left out: the run has its result.
    """
    repository = repository or Repository.around(environ)
    path = environ.get("GITHUB_STEP_SUMMARY")
    if path:
        with suppress(OSError), open(path, "a", encoding="utf-8", errors="replace") as file:
            file.write(github.step_summary(data))
    return github.workflow_commands(data, repository.locate)


def annotate_build(data: Dict[str, Any], environ: Mapping[str, str]) -> List[str]:
    """Return the workflow commands for a build; none if the project is not of the repository.

    A workflow also builds dependencies from their sdists, and no one there can change these. Of a
    pure wheel without findings a build says nothing, so it has no row in the summary either.
    """
    repository = Repository.around(environ)
    silent = all(_is_silent(one) for one in data["wheels"])
    if environ.get("GITHUB_ACTIONS") != "true" or silent or not repository.has_project("."):
        return []
    return annotate(data, environ, repository)


def _is_silent(wheel: Dict[str, Any]) -> bool:
    return not (wheel["arch"] or wheel["findings"] or wheel["error"])
