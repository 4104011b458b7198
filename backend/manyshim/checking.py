"""The use case of `check`: what the index and installers ask of a file, beyond the audit."""

from __future__ import annotations

from typing import List

from manyshim.advice import readable
from manyshim.audit.decision import choose
from manyshim.audit.facts import WheelFacts
from manyshim.audit.findings import Finding
from manyshim.audit.gate import entrypoints, framing, index, metadata, names, paths, record
from manyshim.audit.request import Request
from manyshim.audit.verdict import Report, resolved
from manyshim.formats.wheel import entrypoints as scripts
from manyshim.formats.wheel import metadata as readers
from manyshim.formats.wheel import rowcheck
from manyshim.formats.wheel.wheel import Wheel
from manyshim.formats.zip.framing import oddities
from manyshim.formatters.text import check_lines
from manyshim.operations import Outcome, compare_patterns, inspect, outcome


def check(path: str, request: Request, *, verbose: bool = False) -> Outcome:
    """Verify a file before its upload: its tags are true, and the index and installers accept it.

    The exit code is 1 if there is an error. Raises InvalidWheelError, and ToolError if packaging
    or wheel is not installed.
    """
    return _check_wheel(path, request._replace(thorough=True), verbose=verbose)


def _check_wheel(path: str, request: Request, *, verbose: bool) -> Outcome:
    with Wheel(path) as wheel:
        facts = wheel.facts(verify=True)
        report = inspect(wheel, request, facts)
        found = [*_gate(wheel, facts), *_false_tags(wheel, facts, report, request)]
    decision = choose(report, request)
    report = report._replace(findings=resolved((*report.findings, *found), request))
    lines = check_lines(report, readable(report), verbose=verbose)
    patterns = compare_patterns(facts, report, request.exclude)
    return outcome(1 if report.errors else 0, lines, report, decision, patterns)


def _gate(wheel: Wheel, facts: WheelFacts) -> List[Finding]:
    """Ask the rules of the index and of installers."""
    name = readers.name_facts(wheel.name.name, wheel.name.version)
    found = [
        *names.wheel_name(wheel.name, name),
        *index.index_rules(facts),
        *framing.framing((*oddities(wheel.archive), *wheel.streams)),
        *paths.install_paths(facts),
        *record.record(rowcheck.read(wheel), readers.record_problem(wheel)),
    ]
    data = wheel.dist_info_data("entry_points.txt", scripts.MAX_SIZE)
    if data is not None:
        found += entrypoints.entry_points(scripts.read(data))
    # A METADATA that is damaged in the archive has its findings already.
    if f"{wheel.dist_info}/METADATA" not in facts.record.wrong_crc:
        stated = readers.read(wheel)
        found += metadata.metadata(stated, name, "METADATA")
        if stated:
            folder = f"{wheel.dist_info}/licenses"
            found += metadata.license_files(stated, "METADATA", folder, set(facts.paths))
    return found


def _false_tags(wheel: Wheel, facts: WheelFacts, report: Report, request: Request) -> List[Finding]:
    """Prove each tag of the name; return the findings about those that are not proved."""
    found: List[Finding] = []
    false: List[Finding] = []
    for tag in index.tags_to_prove(facts.name, request):
        judged = report
        if tag.libc != report.libc and report.open_libc:
            judged = inspect(wheel, request._replace(platform=tag), facts)
            found += [one for one in judged.errors if one not in report.findings]
        false += index.false_tags(tag, judged, request)
    return [*found, *index.by_cause(false)]
