"""The use cases, each a few lines that join the rooms below."""

from __future__ import annotations

import os
from contextlib import ExitStack
from functools import partial
from typing import Any, Callable, Dict, List, Optional, Tuple

from manyshim.audit.choice import Claim, Obstacles, choose, obstacles
from manyshim.audit.facts import WheelFacts
from manyshim.audit.report import Line, build_lines, check_lines, failure, show_lines, to_dict
from manyshim.audit.request import Request
from manyshim.audit.tags import WheelName, parse_wheel_name
from manyshim.audit.verdict import Report, audit, load, questions
from manyshim.config import Config
from manyshim.errors import InvalidWheelError, NotCompliantError, ToolError
from manyshim.formats.wheel.wheel import Wheel
from manyshim.host import host_arch, interpreter_refuses
from manyshim.values import NamedTuple

# Where setuptools, CMake and Meson leave object files, below the source tree that they build.
_BUILD_FOLDER = "build"

# What a repair does away with.
_REPAIRED = ("EXTERNAL_LIBRARY", "BY_NAME_ONLY", "LIBPYTHON")


class Result(NamedTuple):
    """A finished wheel: its file name, and the lines for the one who builds it."""

    filename: str
    lines: List[str]


class Outcome(NamedTuple):
    """What a command has to say of one wheel: its exit code, text and data."""

    code: int
    lines: List[Line]
    data: Dict[str, Any]


def inspect(wheel: Wheel, request: Request, facts: Optional[WheelFacts] = None) -> Report:
    """Audit an open wheel, whose facts may be known already."""
    facts = facts or wheel.facts()
    loading = load(facts, request)
    asked = questions(facts, request, loading)
    while asked:
        exports, broken = wheel.exports(asked)
        lost = {member.path for member in broken}
        facts = facts._replace(
            exports={**facts.exports, **exports},
            elfs=tuple(elf for elf in facts.elfs if elf.path not in lost),
            unreadable=(*facts.unreadable, *broken),
        )
        loading = load(facts, request) if broken else loading
        asked = questions(facts, request, loading)
    return audit(facts, request, loading)


def show(path: str, request: Request, *, verbose: bool = False) -> Outcome:
    """Audit a wheel. Raises InvalidWheelError."""
    with Wheel(path) as wheel:
        report = inspect(wheel, request)
    claim = choose(report, request)
    return Outcome(0, show_lines(report, claim, verbose=verbose), to_dict(report, claim))


def check(path: str, request: Request, *, verbose: bool = False) -> Outcome:
    """Prove that a wheel may carry its tags and that the index takes it. InvalidWheelError."""
    from manyshim.audit import claims  # noqa: PLC0415 (only for this command)

    request = request._replace(thorough=True)
    with Wheel(path) as wheel:
        facts = wheel.facts()
        wrong_crc, wrong_hash = wheel.broken()
        record = facts.record._replace(wrong_crc=wrong_crc, wrong_hash=wrong_hash)
        facts = facts._replace(record=record)
        report = inspect(wheel, request, facts)
        found = list(claims.index_rules(facts))
        for tag in claims.claimed(facts.name, request):
            judged = report
            if tag.libc != report.libc and report.open_libc:
                judged = inspect(wheel, request._replace(platform=tag), facts)
                found += [one for one in judged.errors if one not in report.findings]
            found += claims.unproved(tag, judged, request)
    claim = choose(report, request)
    report = report._replace(findings=tuple(sorted((*report.findings, *found))))
    lines = check_lines(report, verbose=verbose)
    return Outcome(1 if report.errors else 0, lines, to_dict(report, claim))


def retag(
    path: str, folder: str, config: Config, *, dry_run: bool = False, verbose: bool = False
) -> Outcome:
    """Write a wheel under its proved tag, mended as `config` asks; only say so in a dry run.

    Raises InvalidWheelError, ToolError.
    """
    with ExitStack() as stack:
        wheel = stack.enter_context(Wheel(path))
        facts = wheel.facts()
        report = inspect(wheel, config.request, facts)
        if dry_run:
            return _foretold(facts, report, config)
        from manyshim.workspace import private_folder, publish  # noqa: PLC0415 (only to write)

        private = stack.enter_context(private_folder(folder))
        job = _mended(wheel, facts, report, config, private, stack)
        claim = choose(job.report, config.request)
        title, *rest = show_lines(job.report, claim, verbose=verbose)
        lines = [title, *(Line(f"  {note}", "dim") for note in job.notes), *rest]
        if not claim.tag:
            return Outcome(1, lines, to_dict(job.report, claim))
        finished = _rewritten(job, claim, config, private)
        target = os.path.join(folder, os.path.basename(finished))
        publish(finished, target)
    lines.append(Line(f"  wrote {target}", "tag"))
    return Outcome(0, lines, to_dict(job.report, claim))


class _Job(NamedTuple):
    """A wheel on its way: open, audited, with what was done to it and has to be said."""

    wheel: Wheel
    report: Report
    notes: Tuple[str, ...] = ()
    bill: Callable[[Wheel, WheelName, str], Dict[str, str]] = lambda _wheel, _name, _folder: {}


def _mended(  # noqa: PLR0913, PLR0917 (a step of one way, not an interface)
    wheel: Wheel,
    facts: WheelFacts,
    report: Report,
    config: Config,
    folder: str,
    stack: ExitStack,
) -> _Job:
    """Repair and fix a wheel where that is asked for, and audit what comes out."""
    if config.mode not in ("retag", "repair") or not _wants_mending(report, config):
        return _Job(wheel, report)
    from manyshim.repair import run  # noqa: PLC0415 (only for those who ask for it)

    done = run.mend(wheel, facts, report, config, folder)
    bill = partial(run.bill, done.plan, config)
    if done.path is None:
        return _Job(wheel, report, done.notes)
    wheel = stack.enter_context(Wheel(done.path))
    return _Job(wheel, inspect(wheel, config.request), done.notes, bill)


def _wants_mending(report: Report, config: Config) -> bool:
    """Whether anything might be changed; else the modules of a repair are not even loaded."""
    found = config.sysroot is not None or any(one.kind in _REPAIRED for one in report.findings)
    return bool(config.fix) or config.strip != "none" or (config.mode == "repair" and found)


def _rewritten(job: _Job, claim: Claim, config: Config, folder: str) -> str:
    """Write the wheel under its new tag into a private folder; return its path."""
    from manyshim.formats.wheel.rewrite import Edits, rewrite  # noqa: PLC0415 (only to write)

    name = job.wheel.name._replace(platforms=claim.platforms)
    files = job.bill(job.wheel, name, folder)
    edits = Edits(claim.platforms, config.compression_level, config.epoch, files)
    return rewrite(job.wheel, _out(folder), edits)


def _foretold(facts: WheelFacts, report: Report, config: Config) -> Outcome:
    """Say what a repair would do."""
    from manyshim.repair import run  # noqa: PLC0415 (only for those who ask for it)

    settled, notes = run.settle(facts, report, config, weigh=True)
    claim = choose(report, config.request)
    tag = settled.policy or claim.tag
    lines = [
        Line(str(report.name), "title"),
        *(Line(f"  {note}", "dim") for note in (*notes, *run.alternatives(settled))),
        Line(f"  would be {tag}" if tag else f"  would stay as it is: {claim.reason}", "tag"),
    ]
    data = {**to_dict(report, claim), "plan": run.to_dict(settled)}
    return Outcome(0 if tag else 1, lines, data)


def finish(built: str, folder: str, config: Config) -> Result:
    """Bring a freshly built wheel into `folder` as `config` asks; `built` is in a private folder.

    Raises NotCompliantError or InvalidWheelError only where strict asks for it, and ToolError
    where a file cannot be written.
    """
    name = os.path.basename(built)
    parsed = parse_wheel_name(name)
    if config.mode == "off" or (parsed and not parsed.linux and not parsed.pure):
        return _deliver(built, folder, [])
    strict = config.request.strict
    finished, lines = built, []
    try:
        with ExitStack() as stack:
            wheel = stack.enter_context(Wheel(built))
            facts = wheel.facts()
            report = inspect(wheel, config.request, facts)
            job = _mended(wheel, facts, report, config, os.path.dirname(built), stack)
            report, claim = job.report, choose(job.report, config.request)
            if _opted_out(claim, config):
                claim = Claim(reason=f"the building interpreter refuses {claim.tag} (_manylinux)")
                strict = False
            if config.report:
                _write_report(to_dict(report, claim), config.report)
            told = obstacles(report, claim, config.request, always=config.explain == "always")
            places = _places(told, job.wheel, config)
            lines = [*job.notes]
            said = build_lines(report, claim, told, places, compiled=config.compiled is not None)
            lines += [line.text for line in said]
            if strict and not claim.tag and not _passes(report):
                raise NotCompliantError("\n".join((f"{name}: {claim.reason}", *lines)))
            if claim.tag and config.mode != "audit":
                finished = _rewritten(job, claim, config, os.path.dirname(built))
                lines.insert(0, f"{name} -> {os.path.basename(finished)}")
            elif report.arch is not None or report.findings:
                lines.insert(0, _headline(name, claim, config))
    except InvalidWheelError as error:
        # The private folder is nobody's business, and gone when the message is read.
        what = str(error).replace(built, name)
        if config.report:
            _write_report(failure(name, what), config.report)
        if strict:
            raise InvalidWheelError(what) from error
        lines = [f"error: {what}; the wheel is passed on as it was built"]
    # Only now that the archive is closed: Windows renames no open file.
    return _deliver(finished, folder, lines)


def _places(told: Optional[Obstacles], wheel: Wheel, config: Config) -> Dict[str, Tuple[str, ...]]:
    """Find the source lines behind the symbols that a report is going to name.

    In the object files of the build; what these do not tell, in the wheel's libraries.
    """
    wanted = told.findings if told else ()
    symbols = {symbol for found in wanted for symbol in found.symbols}
    if not symbols or config.explain == "never":
        return {}
    from manyshim.formats.elf import debuginfo  # noqa: PLC0415 (pyelftools, when there is a question)

    places = debuginfo.uses([_BUILD_FOLDER], symbols)
    for path in {found.path for found in wanted if symbols - places.keys()}:
        library = wheel.content(path)
        if library is not None:
            for symbol, found in debuginfo.uses_in_library(library, symbols).items():
                places.setdefault(symbol, found)
    return {symbol: tuple(map(str, found)) for symbol, found in places.items()}


def _passes(report: Report) -> bool:
    """Whether a wheel is none of our business: not for Linux, and without machine code."""
    missed = any(found.kind in ("ELF_CORRUPT", "NO_ELF") for found in report.findings)
    return not report.name.linux and report.arch is None and not missed


def _opted_out(claim: Claim, config: Config) -> bool:
    """Whether the interpreter refuses a tag that nobody asked for by name."""
    tag = claim.tag
    if tag is None or config.platform or tag.libc != config.libc or tag.arch != host_arch():
        return False
    return interpreter_refuses(tag)


def _headline(name: str, claim: Claim, config: Config) -> str:
    if config.mode == "audit" and claim.tag:
        return f"{name}: {claim.tag} is proved; mode = audit leaves the wheel as it is"
    return f"{name} stays as it is: {claim.reason}"


def _out(private: str) -> str:
    folder = os.path.join(private, "out")
    try:
        os.makedirs(folder, exist_ok=True)
    except OSError as error:
        raise ToolError(f"{folder}: cannot be written: {error.strerror}") from error
    return folder


def _deliver(path: str, folder: str, lines: List[str]) -> Result:
    from manyshim.workspace import publish  # noqa: PLC0415 (an audit writes nothing)

    filename = os.path.basename(path)
    publish(path, os.path.join(folder, filename))
    return Result(filename, lines)


def _write_report(wheel: Dict[str, Any], path: str) -> None:
    import json  # noqa: PLC0415 (only a report needs it)

    from manyshim.workspace import write_whole  # noqa: PLC0415

    write_whole(json.dumps({"version": 1, "wheels": [wheel]}, indent=1) + "\n", path)
