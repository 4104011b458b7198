"""Writes a run for GitHub Actions: annotations, and a table for the page of a job.

An annotation is a workflow command, a line that the runner reads from the output of a step. The
escapes are those of the package @actions/core, which the runner reverses.
"""

from __future__ import annotations

import re
from typing import Any, Dict, Iterator, List

from manyshim.errors import bounded, escape, shorten
from manyshim.formatters.entries import (
    ERROR,
    WARNING,
    Entry,
    Locate,
    blocking,
    entries,
    level,
    message,
    places,
)
from manyshim.values import NamedTuple

_NOTICE = "notice"
# GitHub shows so many annotations of each level for a step.
_MAX_ANNOTATIONS = 10
_MAX_NAMES = 3
# GitHub refuses a summary of more than 1 MiB for a step, and other commands may write to it, too.
_MAX_SUMMARY = 1_000_000
_MAX_FINDINGS = 5
_DATA = str.maketrans({"%": "%25", "\r": "%0D", "\n": "%0A"})
_PROPERTY = str.maketrans({"%": "%25", "\r": "%0D", "\n": "%0A", ":": "%3A", ",": "%2C"})
# Punctuation that Markdown or HTML may give a meaning to, and the dot of www., which begins a link.
# GitHub looks for mail addresses when it has removed the escapes, so an @ is parted from its name.
_MARKDOWN = re.compile(r"([\\`*_{}\[\]()<>#+!|~&:$])|(?<=www)(\.)", re.IGNORECASE)


class _Annotation(NamedTuple):
    """What is said about one place. Equal findings of several files share it."""

    level: str
    kind: str
    file: str
    line: int
    lines: List[str]
    symbols: Dict[str, None]
    names: Dict[str, None]


def workflow_commands(data: Dict[str, Any], locate: Locate) -> List[str]:
    """Return the annotations of a run: errors, warnings, and what blocks an older tag.

    Those with a source line come first. Where there are more than GitHub shows, the last command
    of a level has the number of the others.
    """
    found: Dict[Any, _Annotation] = {}
    for one in _annotations(data, locate):
        place = (one.file, one.line) if one.file else tuple(one.lines)
        same = found.setdefault((one.level, one.kind, place), one)
        same.symbols.update(one.symbols)
        same.names.update(one.names)
    lines: List[str] = []
    for name in (ERROR, WARNING, _NOTICE):
        listed = [one for one in found.values() if one.level == name]
        listed.sort(key=lambda one: not one.file)
        count = len(listed) if len(listed) <= _MAX_ANNOTATIONS else _MAX_ANNOTATIONS - 1
        lines += map(_command, listed[:count])
        if listed[count:]:
            more = f"and {len(listed) - count} more {name}s; --format text prints all of them"
            lines.append(f"::{name}::{more.translate(_DATA)}")
    return lines


def _annotations(data: Dict[str, Any], locate: Locate) -> Iterator[_Annotation]:
    # `check` judges the tags of the file name. Older tags do not matter there.
    checked = "summary" in data
    for entry in entries(data):
        names = {_title(entry): None}
        if entry.error:
            yield _Annotation(ERROR, entry.failure, "", 0, entry.error.split("\n"), {}, names)
        for found in entry.findings:
            if level(found) in (ERROR, WARNING):
                yield from _of_finding(level(found), found, locate, names)
        for found in [] if checked else blocking(entry):
            if level(found) not in (ERROR, WARNING):
                yield from _of_finding(_NOTICE, found, locate, names)


def _of_finding(
    name: str, found: Dict[str, Any], locate: Locate, names: Dict[str, None]
) -> Iterator[_Annotation]:
    lines = [f"{message(found)} [{found['kind']}]", *filter(None, [found["fix"]])]
    located = places(found, locate)
    for place in located:
        symbol = f"{place.symbol} in {place.function}()" if place.function else place.symbol
        symbols = {shorten(symbol): None}
        yield _Annotation(name, found["kind"], place.file, place.line, lines, symbols, dict(names))
    if not located:
        yield _Annotation(name, found["kind"], "", 0, lines, {}, dict(names))


def _command(one: _Annotation) -> str:
    """Return the workflow command of an annotation."""
    properties = {"file": escape(one.file), "line": one.line or "", "title": one.kind}
    text = ",".join(
        f"{key}={str(value).translate(_PROPERTY)}" for key, value in properties.items() if value
    )
    names = _joined(list(one.names))
    if one.file:
        lines = [*one.lines, f"this line uses {_joined(list(one.symbols))}", f"found in {names}"]
    else:
        # The errors of files that cannot be read have the name already.
        first = one.lines[0] if names in one.lines[0] else f"{names}: {one.lines[0]}"
        lines = [first, *one.lines[1:]]
    return f"::{one.level} {text}::" + "\n".join(lines).translate(_DATA)


def _joined(names: List[str]) -> str:
    more = len(names) - _MAX_NAMES
    return ", ".join(names[:_MAX_NAMES]) + (f" and {more} more" if more > 0 else "")


def _title(entry: Entry) -> str:
    return f"the files of {shorten(entry.name)}" if entry.what == "set" else shorten(entry.name)


def step_summary(data: Dict[str, Any]) -> str:
    """Return a table of the files in Markdown, as large as GitHub takes it."""
    lines = ["### manyshim", "", "| file | tag | result | findings |", "|---|---|---|---|"]
    listed = entries(data)
    size = sum(len(line) + 1 for line in lines)
    for position, entry in enumerate(listed):
        row = _row(entry)
        size += len(row.encode("utf-8", "replace")) + 1
        if size > _MAX_SUMMARY:
            lines += ["", f"and {len(listed) - position} more"]
            break
        lines.append(row)
    return "\n".join((*lines, ""))


def _row(entry: Entry) -> str:
    tag = entry.values.get("tag") or ""
    found = [one for name in (ERROR, WARNING) for one in entry.findings if level(one) == name]
    cells = [f"**{one['kind']}** {_markdown(message(one))}" for one in found[:_MAX_FINDINGS]]
    if found[_MAX_FINDINGS:]:
        cells.append(f"and {len(found) - _MAX_FINDINGS} more")
    if not found and entry.values.get("reason") and _is_for_linux(entry):
        cells = [_markdown(str(entry.values["reason"]))]
    if entry.error:
        cells = list(map(_markdown, entry.error.split("\n")))
    columns = (_markdown(_title(entry)), _markdown(tag), _result(entry), "<br/>".join(cells))
    return f"| {' | '.join(columns)} |"


def _result(entry: Entry) -> str:
    """Return the result of a file in words, with a mark that is seen at once."""
    if entry.error:
        failed = "not checked (internal error)" if entry.values.get("internal") else "not checked"
        return f"\u274c {failed}"
    if entry.errors:
        return "\u274c not compliant"
    if entry.what == "wheel" and not entry.values.get("tag") and _is_for_linux(entry):
        return "\u26a0\ufe0f no tag"
    return "\u2705 ok"


def _is_for_linux(entry: Entry) -> bool:
    return any("linux" in tag for tag in entry.values.get("claimed") or ())


def _markdown(text: str) -> str:
    """Return a text of others for a cell of a table, without a meaning for Markdown or HTML."""
    escaped = _MARKDOWN.sub(lambda found: f"\\{found[0]}", bounded(text))
    return escaped.replace("@", "<!-- -->@")
