"""The last step of the survey: compares the verdicts, and writes docs/evidence/survey.md."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Any, NamedTuple

from survey_explain import EXPLAINED, Opening
from survey_rows import platform_of

_SHOWN = ("error", "warning")
_MUSL_REASON = "musllinux_1_1: no imported name is newer than musl 1.1.24"
_HEAD = """# Survey of published wheels

Written by `python scripts/survey.py`. The wheels are those of `scripts/data/survey.json`.
The judgements are those of `scripts/data/survey-judged.json`. Each was made after a look at the
wheel. The second opinion is `scripts/survey_oracle.py`: it shares no code with manyshim.

"""


class Judged(NamedTuple):
    """What was judged by a person: see `scripts/data/survey-judged.json`."""

    verdicts: Sequence[Sequence[str]]
    kinds: Mapping[str, Sequence[Sequence[str]]]
    opened: Sequence[Sequence[str]]


class Compared(NamedTuple):
    """A wheel, the three tags, and how they compare. An empty class is a missing judgement."""

    wheel: str
    manyshim: str
    auditwheel: str
    oracle: str
    label: str
    reason: str
    kinds: tuple[str, ...]


class Firing(NamedTuple):
    """A warning or an error of `manyshim check`. An empty judgement is a missing one."""

    kind: str
    severity: str
    wheel: str
    path: str
    message: str
    judged: str
    reason: str


def compare(result: Mapping[str, Any], other: Mapping[str, Any], judged: Judged) -> Compared:
    """Return how the verdicts on a wheel compare."""
    name = result["wheel"]
    proved = tag_of(result["show"])
    reference = other["tag"] or ("crashed" if other["crashed"] else other["error"] or "-")
    second = result["oracle"]["tag"] or "-"
    label, reason = _label(name, proved, reference, second, judged.verdicts)
    found = {one["kind"] for one in result["check"].get("findings", ())}
    return Compared(name, proved, reference, second, label, reason, tuple(sorted(found)))


def tag_of(show: Mapping[str, Any]) -> str:
    """Return the policy of a report of `manyshim show --json`, or `linux_*`, or `-`.

    A name for an architecture without policies is kept, whatever its files look like.
    """
    kept = _kept(show)
    if kept:
        return kept
    if show.get("policy"):
        return str(show["policy"])
    return f"linux_{show['arch']}" if show.get("arch") else "-"


def _kept(show: Mapping[str, Any]) -> str:
    """Return the `linux_*` tag of a name if its files look like those of another architecture."""
    if show.get("tag") or not show.get("arch"):
        return ""
    names = (one for one in show.get("claimed", ()) if one.startswith("linux_"))
    return next((one for one in names if one != f"linux_{show['arch']}"), "")


def _label(
    name: str, proved: str, reference: str, second: str, verdicts: Sequence[Sequence[str]]
) -> tuple[str, str]:
    for pattern, label, reason in verdicts:
        if fnmatchcase(name, pattern):
            return label, reason
    if proved == reference == second:
        return "equal", ""
    if proved == "-" and not platform_of(name).arch:
        return "not for Linux", ""
    if proved == second and proved.startswith("musllinux_1_1_"):
        return "better", _MUSL_REASON
    return "", ""


def firings(result: Mapping[str, Any], judged: Judged) -> Iterator[Firing]:
    """Yield the warnings and errors of a wheel with their judgements."""
    for one in result["check"].get("findings", ()):
        if one["severity"] in _SHOWN:
            verdict, reason = _judgement(result["wheel"], one, judged.kinds)
            yield Firing(
                *(one["kind"], one["severity"], result["wheel"], one["path"], one["message"]),
                *(verdict, reason),
            )


def _judgement(
    wheel: str, found: Mapping[str, Any], kinds: Mapping[str, Sequence[Sequence[str]]]
) -> tuple[str, str]:
    for wheels, paths, verdict, reason in kinds.get(found["kind"], ()):
        if fnmatchcase(wheel, wheels) and fnmatchcase(found["path"], paths):
            return verdict, reason
    return "", ""


def page(compared: Sequence[Compared], fired: Sequence[Firing], openings: Sequence[Opening]) -> str:
    """Return the text of docs/evidence/survey.md."""
    return "".join(
        (
            *(_HEAD, _summary(compared), findings(fired), _openings(openings)),
            *("## Verdicts\n\n", _verdicts(compared)),
        )
    )


def _summary(compared: Sequence[Compared]) -> str:
    counts = Counter(one.label for one in compared)
    reasons = Counter((one.label, one.reason) for one in compared if one.reason)
    projects = {one.wheel.split("-", 1)[0].lower() for one in compared}
    lines = [f"{len(compared)} wheels of {len(projects)} projects.\n\n"]
    lines += ["| manyshim's verdict | wheels |\n|---|---|\n"]
    lines += [f"| {label} | {count} |\n" for label, count in counts.most_common()]
    lines += ["\n| difference | reason | wheels |\n|---|---|---|\n"]
    for (label, reason), count in reasons.most_common():
        lines.append(f"| {label} | {reason} | {count} |\n")
    return "".join([*lines, "\n"])


def findings(fired: Sequence[Firing]) -> str:
    """Return the section about the findings that fired, by kind."""
    groups: dict[str, list[Firing]] = defaultdict(list)
    for one in fired:
        groups[one.kind].append(one)
    lines = [
        "## Findings that fired\n\n",
        "The warnings and errors of `manyshim check`, and what a look at each showed.\n",
    ]
    for kind, found in sorted(groups.items()):
        wheels = len({one.wheel for one in found})
        lines += [f"\n### {kind}\n\nFirings: {len(found)}. Wheels: {wheels}.\n\n"]
        lines += ["| judged | times | wheels | reason | for example |\n|---|---|---|---|---|\n"]
        reasons = Counter((one.judged, one.reason) for one in found)
        for (verdict, reason), count in reasons.most_common():
            chosen = [one for one in found if (one.judged, one.reason) == (verdict, reason)]
            example = f"{chosen[0].wheel}: {chosen[0].path}".rstrip(": ")
            number = len({one.wheel for one in chosen})
            lines.append(f"| {verdict} | {count} | {number} | {reason} | {example} |\n")
    return "".join([*lines, "\n"])


def _openings(openings: Sequence[Opening]) -> str:
    counts = Counter(one.reason if one.label == EXPLAINED else one.label for one in openings)
    wheels = len({one.wheel for one in openings})
    lines = [
        "## Opened with dlopen\n\n",
        f"Each of the {len(openings)} libraries of {wheels} wheels for x86_64 and glibc was\n",
        "opened with RTLD_NOW under the Python that the wheel is for, in a process of its own.\n\n",
        "| outcome | files |\n|---|---|\n",
    ]
    lines += [f"| {outcome} | {count} |\n" for outcome, count in counts.most_common()]
    return "".join([*lines, "\n"])


def _verdicts(compared: Sequence[Compared]) -> str:
    lines = [
        "| wheel | auditwheel | second opinion | manyshim | verdict | findings |\n",
        "|---|---|---|---|---|---|\n",
    ]
    for one in sorted(compared):
        difference = f"{one.label}: {one.reason}" if one.reason else one.label
        kinds = " ".join(one.kinds)
        cells = (one.wheel, one.auditwheel, one.oracle, one.manyshim, difference, kinds)
        lines.append("".join(f"| {cell} " for cell in cells) + "|\n")
    return "".join(lines)
