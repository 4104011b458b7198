"""Writes what was found about a release: its sets of files, and the summary."""

from __future__ import annotations

from typing import Any, Dict, List, Sequence, Tuple

from manyshim.audit.findings import ERROR, INFO
from manyshim.audit.gate.completeness import SetReport
from manyshim.audit.releases import is_sdist
from manyshim.errors import InvalidWheelError
from manyshim.formatters.json import JSON_VERSION, finding_dict
from manyshim.formatters.text import Line, by_severity
from manyshim.values import NamedTuple


class Summary(NamedTuple):
    """The numbers of files: all wheels and sdists, and those that have a problem.

    `unchecked` are those for which a tool, the file system or manyshim failed.
    """

    wheels: int
    sdists: int
    refused: int
    unreadable: int
    unchecked: int
    missing: int
    of_other_version: int
    duplicates: int


def summary(names: Sequence[str], codes: Sequence[int], sets: Sequence[SetReport]) -> Summary:
    """Count the files of a release; `codes` are their exit codes."""
    sdists = sum(map(is_sdist, names))
    refused = sum(code == 1 for code in codes)
    unreadable = sum(code == InvalidWheelError.exit_code for code in codes)
    unchecked = sum(code > InvalidWheelError.exit_code for code in codes)
    missing = sum(one.missing for one in sets)
    others = sum(one.of_other_version for one in sets)
    duplicates = sum(one.duplicates for one in sets)
    return Summary(
        len(names) - sdists, sdists, refused, unreadable, unchecked, missing, others, duplicates
    )


def set_lines(sets: Sequence[SetReport], *, verbose: bool = False) -> List[Line]:
    """Return the findings about sets, below the names of the projects if there are several."""
    lines: List[Line] = []
    for one in sets:
        found = by_severity(one.findings, verbose=verbose)
        if len(sets) > 1 and found:
            role = ERROR if any(line.role == ERROR for line in found) else "title"
            lines.append(Line(f"{one.project}:", role))
            found = [Line(f"  {line.text}", line.role) for line in found]
        lines += found
    return lines


def summary_line(numbers: Summary) -> Line:
    """Return the last line: `7 wheels, 1 sdist: 1 cannot be uploaded`."""
    kinds = ((numbers.wheels, "wheel"), (numbers.sdists, "sdist"))
    files = [f"{count} {word}{'s' * (count != 1)}" for count, word in kinds if count]
    problems = _counted(
        (numbers.refused, "cannot be uploaded", "cannot be uploaded"),
        (numbers.unreadable, "cannot be read", "cannot be read"),
        (numbers.unchecked, "was not checked", "were not checked"),
    )
    of_set = _counted(
        (numbers.missing, "is missing", "are missing"),
        (numbers.of_other_version, "has another version", "have another version"),
        (numbers.duplicates, "is a duplicate", "are duplicates"),
    )
    result = "; ".join(filter(None, (problems, of_set))) or "all can be uploaded"
    return Line(f"{', '.join(files)}: {result}", ERROR if problems or of_set else "tag")


def _counted(*rows: Tuple[int, str, str]) -> str:
    """Join the numbers that are not 0, each with its words for one and for several."""
    return ", ".join(f"{count} {one if count == 1 else many}" for count, one, many in rows if count)


def unrendered_lines(files: Sequence[Dict[str, Any]]) -> List[Line]:
    """Return the line about descriptions that nothing could render, without -v too.

    A file without findings would look as if all of it had been checked.
    """
    count = sum(
        found["kind"] == "DESCRIPTION" and found["severity"] == INFO
        for one in files
        for found in one["findings"]
    )
    if not count:
        return []
    what = "1 description was" if count == 1 else f"{count} descriptions were"
    return [Line(f"{what} not rendered (-v says why; readme_renderer renders most)", "dim")]


def release_dict(
    files: Sequence[Dict[str, Any]], sets: Sequence[SetReport], numbers: Summary
) -> Dict[str, Any]:
    """Return a run of `check` as a dictionary for JSON; `files` has the data of each file."""
    files = list(map(_as_sdist, files))
    return {
        "version": JSON_VERSION,
        "wheels": [one for one in files if "sdist" not in one],
        "sdists": [one for one in files if "sdist" in one],
        "sets": [
            {
                "project": one.project,
                "versions": list(one.versions),
                "findings": list(map(finding_dict, one.findings)),
            }
            for one in sets
        ],
        "summary": numbers._asdict(),
    }


def _as_sdist(data: Dict[str, Any]) -> Dict[str, Any]:
    """Return the data of an sdist that has no report with the keys of one."""
    if not is_sdist(data.get("wheel", "")):
        return data
    rest = {key: data[key] for key in ("file", "findings", "error", "internal")}
    return {"sdist": data["wheel"], **rest}
