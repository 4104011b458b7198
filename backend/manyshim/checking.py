"""The use case of `check`: what the index and installers ask of a file, beyond the audit."""

from __future__ import annotations

import os
from typing import Iterable, Iterator, List, Optional, Sequence

from manyshim.advice import readable, source_places
from manyshim.audit.decision import choose
from manyshim.audit.facts import WheelFacts
from manyshim.audit.findings import ERROR, Finding
from manyshim.audit.gate import (
    addresses,
    completeness,
    entrypoints,
    fields,
    framing,
    index,
    indextags,
    metadata,
    names,
    paths,
    platforms,
    record,
    sdist,
    wheelfile,
)
from manyshim.audit.gate.facts import MetadataFacts, NameFacts, VersionField
from manyshim.audit.releases import is_sdist
from manyshim.audit.request import Request
from manyshim.audit.verdict import Report, resolved
from manyshim.formats.wheel import entrypoints as scripts
from manyshim.formats.wheel import metadata as readers
from manyshim.formats.wheel import rowcheck
from manyshim.formats.wheel.wheel import Wheel
from manyshim.formats.zip.framing import oddities
from manyshim.formatters.json import sdist_dict
from manyshim.formatters.text import check_lines, gate_lines
from manyshim.inputs import conflicting, refuse_empty
from manyshim.operations import Judged, Outcome, about_symbols, compare_patterns, inspect, outcome


def check(path: str, request: Request, *, verbose: bool = False, explain: bool = False) -> Outcome:
    """Verify a file before its upload: its tags are true, and the index and installers accept it.

    `explain` searches source lines. The exit code is 1 if there is an error. Raises
    InvalidWheelError, also for a folder or a pattern without files, and ToolError if packaging or
    wheel is not installed.
    """
    refuse_empty(path)
    request = request._replace(thorough=True)
    if is_sdist(path):
        return _check_sdist(path, request, verbose=verbose)
    return _check_wheel(path, request, verbose=verbose, explain=explain)


def _check_sdist(path: str, request: Request, *, verbose: bool) -> Outcome:
    from manyshim.formats import sdist as reader  # noqa: PLC0415 (few commands have an sdist)

    found: List[Finding] = []
    if not path.endswith(reader.EXTENSION):
        reader.refuse_unreadable(path)
        found.append(sdist.extension())
    else:
        facts = reader.read(path)
        found += [*sdist.sdist(facts), *index.too_large(facts.size)]
        if facts.metadata:
            found += names.local_version(facts.metadata.version)
            found += _metadata(facts.metadata, facts.name, "PKG-INFO", facts.paths, facts.tops[0])
    findings = resolved(found, request)
    name = os.path.basename(path)
    code = 1 if any(one.severity == ERROR for one in findings) else 0
    lines = gate_lines(name, findings, verbose=verbose)
    return Outcome(code, lines, sdist_dict(name, findings))


def check_set(
    files: Sequence[str], like: Optional[Sequence[str]], request: Request, *, several: bool
) -> List[completeness.SetReport]:
    """Verify that the files of a release belong together, and that none is missing.

    `like` are the file names of another release, for comparison. Without it, one file alone is no
    release: `several` is what `release_files` tells of them.
    """
    if like is None and not several:
        return []
    names = list(map(os.path.basename, files))
    return [
        one._replace(findings=resolved(one.findings, request))
        for one in completeness.judge(names, like, conflicting(files))
    ]


def exit_code(codes: Sequence[int], sets: Sequence[completeness.SetReport]) -> int:
    """Return the exit code of a run, of those of its files and of the findings about sets."""
    return max(*codes, *(int(bool(one.errors)) for one in sets), 0)


def _check_wheel(path: str, request: Request, *, verbose: bool, explain: bool) -> Outcome:
    with Wheel(path) as wheel:
        facts = wheel.facts(verify=True)
        report = inspect(wheel, request, facts)
        found = [*_gate(wheel, facts), *_false_tags(wheel, facts, report, request)]
        decision = choose(report, request)
        report = report._replace(findings=resolved((*report.findings, *found), request))
        places = source_places(about_symbols(report), wheel) if explain else {}
    lines = check_lines(report, readable(report, places), verbose=verbose)
    patterns = compare_patterns(facts, report, request.exclude)
    judged = Judged(report, decision, request, patterns, places)
    return outcome(1 if report.errors else 0, lines, judged)


def _gate(wheel: Wheel, facts: WheelFacts) -> List[Finding]:
    """Ask the rules of the index and of installers."""
    name = readers.name_facts(wheel.name.name, wheel.name.version)
    found = [
        *names.wheel_name(wheel.name, name, os.path.basename(wheel.path)),
        *index.index_rules(facts),
        *indextags.platform_tags(facts.name),
        *indextags.unusable_platforms(facts.name),
        *framing.framing((*oddities(wheel.archive), *wheel.streams)),
        *paths.install_paths(facts, [one.name for one in wheel.archive.entries if one.folder]),
        *wheelfile.wheel_version(_version_field(wheel)),
        *_platform(wheel, facts),
        *record.record(rowcheck.read(wheel), readers.record_problem(wheel)),
    ]
    # A METADATA that is damaged in the archive has its findings already.
    if f"{wheel.dist_info}/METADATA" not in facts.record.wrong_crc:
        read = readers.read(wheel)
        if wheel.dist_info != f"{wheel.name.name}-{wheel.name.version}.dist-info":
            # The finding about the folder says it: METADATA is not that of the file name.
            name = NameFacts("", "")
        folder = f"{wheel.dist_info}/licenses"
        found += _metadata(read, name, "METADATA", facts.paths, folder)
    if f"{wheel.dist_info}/entry_points.txt" not in facts.record.wrong_crc:
        folder = f"{facts.distribution}.data/scripts/"
        files = {path[len(folder) :] for path in facts.paths if path.startswith(folder)}
        found += entrypoints.entry_points(scripts.read(wheel), files)
    return found


def _metadata(
    facts: Optional[MetadataFacts],
    name: NameFacts,
    path: str,
    paths: Iterable[str],
    folder: str,
) -> Iterator[Finding]:
    """Judge METADATA or PKG-INFO; license files are among the `paths` below a folder."""
    found = [*metadata.metadata(facts, name)]
    if facts:
        found += [*fields.fields(facts), *addresses.addresses(facts)]
        found += fields.license_files(facts, paths, folder)
    return (one._replace(path=path) for one in found)


def _version_field(wheel: Wheel) -> Optional[VersionField]:
    for one in wheel.metadata:
        if one.name.lower() == "wheel-version":
            folded = not one.lines[0].partition(":")[2].strip() and bool(one.value)
            return VersionField(one.name, one.value, folded)
    return None


def _platform(wheel: Wheel, facts: WheelFacts) -> Iterator[Finding]:
    """Look for machine code of Linux in a wheel for another system."""
    asked = platforms.undecided(facts)
    exports = wheel.exports(asked)[0] if asked else {}
    return platforms.wrong_platform(facts._replace(exports=exports))


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
