"""The use cases of a build: run the wrapped backend, then judge, decide and deliver its wheel."""

from __future__ import annotations

import os
import sys
from contextlib import ExitStack

from manyshim.audit.decision import TagDecision, blockers, choose, needs_advice, needs_no_tag
from manyshim.audit.facts import NO_PLACES
from manyshim.audit.findings import ERROR, WARNING, Evidence
from manyshim.audit.tags import WheelName, parse_wheel_name
from manyshim.audit.verdict import Report
from manyshim.config import Config
from manyshim.errors import (
    BackendError,
    InternalError,
    InvalidWheelError,
    ManyshimError,
    NotCompliantError,
)
from manyshim.formats.wheel.wheel import Wheel
from manyshim.host import host_arch, interpreter_refuses
from manyshim.operations import Judged, as_data, inspect, internal_error
from manyshim.values import NamedTuple
from manyshim.wrapped import explained, import_backend
from manyshim.writing import (
    Prepared,
    is_native_build,
    judge_native,
    prepare,
    write_retagged,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable, List, Mapping, Optional, Sequence, Tuple

    from manyshim.settings import Settings

    # Returns the path of the finished wheel, and the lines to print.
    _Finish = Callable[[str, "Config"], Tuple[str, List[str]]]

# The folder of the source tree in which setuptools, CMake and Meson leave object files.
_BUILD_FOLDER = "build"


class Result(NamedTuple):
    """A finished wheel: its file name, and the lines for the user."""

    filename: str
    lines: List[str]


def build_wheel(  # noqa: PLR0913, PLR0917 (the arguments of the hook, and where to report)
    config: Config,
    folder: str,
    settings: Settings,
    metadata_directory: Optional[str],
    environ: Mapping[str, str],
    report: Callable[[Sequence[str]], None],
) -> Tuple[str, Config]:
    """Build a wheel into `folder` with the wrapped backend.

    Returns the wheel's path, and the configuration with what was compiled. Raises BackendError if
    there is no wheel. The wrapped backend's own exceptions pass.
    """
    name: Any
    if config.compiler == "zig":
        from manyshim.toolchain import build  # noqa: PLC0415 (only if zig is asked for)

        call = build.Call(folder, settings, metadata_directory)
        name, config = build.build_wheel(config, call, environ, report)
    else:
        backend = import_backend(config.backend, config.backend_path)
        with explained(config.backend):
            name = backend.build_wheel(folder, settings, metadata_directory)
    built = os.path.join(folder, os.path.basename(name)) if isinstance(name, str) else ""
    if not os.path.isfile(built):
        raise BackendError(f"{config.backend} built {name!r}, which is not a file")
    return built, config


def finish(built: str, folder: str, config: Config) -> Result:
    """Deliver a built wheel into `folder`, under the tag that is proved if `config` asks for it.

    `built` is the wheel's path in a private folder. Raises NotCompliantError, InvalidWheelError or
    InternalError only if strict is set, and ToolError if a file cannot be written.
    """
    parsed = parse_wheel_name(os.path.basename(built))
    first: List[str] = []
    if config.if_other_project and parsed:
        from manyshim.scope import is_named  # noqa: PLC0415 (only for release keys)

        if not is_named(parsed.name, config.project):
            other = config.if_other_project
            # The notices about all else were printed before the build.
            first = [line for line in other.notices if line not in config.notices]
            config = other._replace(compiled=config.compiled)
    finished, lines = built, _not_for_linux(parsed, config)
    if config.mode != "off" and (parsed is None or parsed.linux or parsed.pure):
        finished, lines = _judged(built, config, _finished)
    elif parsed and parsed.native and is_native_build(config):
        finished, lines = _judged(built, config, _finished_native)
    # The archive is closed by now; Windows cannot rename an open file.
    return _deliver(finished, folder, [*first, *lines, *config.last_notices])


def _not_for_linux(parsed: Optional[WheelName], config: Config) -> List[str]:
    """Return the line about a wheel that a build on Linux has made for another system."""
    if parsed is None or parsed.linux or parsed.pure or config.libc is None:
        return []
    if config.mode == "off" or not config.expects_code:
        return []
    return [f"{parsed}: strict and platform have no effect, because the wheel is not for Linux"]


def _judged(built: str, config: Config, finish_wheel: _Finish) -> Tuple[str, List[str]]:
    """Judge, decide and write; a wheel that cannot be judged is an error with strict only."""
    try:
        return finish_wheel(built, config)
    except InvalidWheelError as error:
        return built, _no_verdict(error, built, config)
    except ManyshimError:
        raise
    except Exception as error:  # noqa: BLE001 (no failure of ours may cost the build its wheel)
        unexpected = internal_error(error, os.path.basename(built))
        return built, _no_verdict(unexpected, built, config)


def _finished(built: str, config: Config) -> Tuple[str, List[str]]:
    """Judge, decide and write; return the path of the finished wheel, and the lines to print."""
    name, private = os.path.basename(built), os.path.dirname(built)
    with ExitStack() as stack:
        prepared = _judge(built, config, stack)
        report = prepared.report
        decision, fails = _decide(report, config)
        judged, lines = _explained(prepared, decision, config)
        if fails:
            _publish_data(judged, config)
            first = f"{name}: {_why_not(decision)}{_because_strict()}"
            raise NotCompliantError(first, *lines)
        if decision.tag and config.mode != "audit":
            finished = write_retagged(prepared, decision, config, private)
            new_name, notes = os.path.basename(finished), (*judged.notes, *prepared.corrections)
            _publish_data(judged._replace(written=new_name, notes=notes), config)
            return finished, [f"{name} -> {new_name}", *prepared.corrections, *lines]
        _publish_data(judged._replace(written=name), config)
        # The line of NO_ELF names a pure wheel already.
        only_pure = decision.reason == Evidence.PURE and len(report.findings) == 1
        if report.arch is not None or (report.findings and not only_pure):
            lines.insert(0, _headline(name, decision, config))
        return built, lines


def _finished_native(built: str, config: Config) -> Tuple[str, List[str]]:
    """Judge a wheel for macOS or Windows, which stays as it is; strict fails for its errors."""
    from manyshim.formatters.text import by_severity  # noqa: PLC0415 (not for Linux)

    name, judged = os.path.basename(built), judge_native(built, config)
    lines = [line.text for line in by_severity(judged.report.findings)]
    if judged.report.errors:
        _publish_data(judged, config)
        raise NotCompliantError(f"{name}: {_why_not(judged.decision)}{_because_strict()}", *lines)
    _publish_data(judged._replace(written=name), config)
    return built, lines


def _judge(built: str, config: Config, stack: ExitStack) -> Prepared:
    """Audit the wheel, and repair it if `config` asks for it."""
    wheel = stack.enter_context(Wheel(built))
    facts = wheel.facts()
    report = inspect(wheel, config.request, facts)
    return prepare(wheel, facts, report, config, os.path.dirname(built), stack)


def _decide(report: Report, config: Config) -> Tuple[TagDecision, bool]:
    """Choose the tag, unless the interpreter refuses it.

    Also returns whether strict fails the build because there is no tag.
    """
    decision = choose(report, config.request)
    if _opted_out(decision, config):
        refused = Evidence.REFUSED_BY_INTERPRETER
        return TagDecision(None, refused, (str(decision.tag),)), False
    return decision, config.request.strict and not decision.tag and not needs_no_tag(report)


def _explained(
    prepared: Prepared, decision: TagDecision, config: Config
) -> Tuple[Judged, List[str]]:
    """Return a judged wheel, and its lines, with source lines that rule out an older policy."""
    always = config.explain == "always"
    if not always and _has_no_lines(prepared.report, decision):
        judged = Judged(prepared.report, decision, config.request, notes=prepared.notes)
        return judged, [*prepared.notes, *_unmatched(prepared)]
    from manyshim.advice import advised, readable, source_places  # noqa: PLC0415 (only for lines)
    from manyshim.formatters.text import build_lines  # noqa: PLC0415

    report = advised(prepared.report, decision, prepared.wheel, config.request, always=always)
    blocked = blockers(report, decision, config.request, always=always)
    places = NO_PLACES
    if blocked and config.explain != "never":
        places = source_places(blocked.findings, prepared.wheel, [_BUILD_FOLDER])
    compiled = config.compiled is not None
    notes = readable(report, places)
    lines = build_lines(report, decision, blocked, notes, compiled=compiled)
    judged = Judged(report, decision, config.request, places=places, notes=prepared.notes)
    return judged, [*prepared.notes, *_unmatched(prepared), *(line.text for line in lines)]


def _has_no_lines(report: Report, decision: TagDecision) -> bool:
    """Whether a build prints nothing about a tag that all current systems accept."""
    printed = any(found.severity in (ERROR, WARNING) for found in report.findings)
    return not (printed or needs_advice(decision) or decision.tag != report.policy)


def _unmatched(prepared: Prepared) -> List[str]:
    """Return the warnings about patterns of exclude and bundle that miss their library."""
    if all(one.matched for one in prepared.patterns):
        return []
    from manyshim.audit import patterns  # noqa: PLC0415 (only for a pattern that matches nothing)

    return patterns.lines(prepared.patterns)


def _no_verdict(error: ManyshimError, built: str, config: Config) -> List[str]:
    """Return the lines about a wheel that could not be judged; with strict, raise the error."""
    name = os.path.basename(built)
    # The private folder no longer exists when the user reads the message.
    what, *more = (line.replace(built, name) for line in error.lines)
    if _is_wanted(config):
        from manyshim import reporting  # noqa: PLC0415 (only for a report)
        from manyshim.formatters.json import failure  # noqa: PLC0415

        internal = isinstance(error, InternalError)
        data = failure(name, "\n".join((what, *more)), internal=internal)
        reporting.publish(data, config.report, os.environ, sys.stderr)
    if config.request.strict:
        raise type(error)(f"{what}{_because_strict()}", *more) from error
    return [f"error: {what}; the wheel is delivered unchanged", *more]


def _because_strict() -> str:
    """Return the end of an error that fails the build only because strict is set."""
    from manyshim.options import STRICT  # noqa: PLC0415 (a build without options loads none)

    return f" (strict {STRICT})"


def _opted_out(decision: TagDecision, config: Config) -> bool:
    """Whether the building interpreter refuses the tag, and no option asks for it (PEP 600)."""
    tag = decision.tag
    if tag is None or config.platform or tag.libc != config.libc or tag.arch != host_arch():
        return False
    return interpreter_refuses(tag)


def _headline(name: str, decision: TagDecision, config: Config) -> str:
    """Report a wheel that is not retagged, with the reason."""
    if config.mode == "audit" and decision.tag:
        return f"{name}: {decision.tag} is proved; mode = audit leaves the wheel unchanged"
    return f"{name} stays as it is: {_why_not(decision)}"


def _why_not(decision: TagDecision) -> str:
    from manyshim.formatters.text import why_not  # noqa: PLC0415 (only without a tag)

    return why_not(decision)


def _deliver(path: str, folder: str, lines: List[str]) -> Result:
    """Move a finished wheel into `folder` with one rename."""
    from manyshim.workspace import publish  # noqa: PLC0415 (an audit does not load it)

    filename = os.path.basename(path)
    publish(path, os.path.join(folder, filename))
    return Result(filename, lines)


def _publish_data(judged: Judged, config: Config) -> None:
    """Write the JSON report of a wheel, and its annotations, where these are wanted."""
    if _is_wanted(config):
        from manyshim import reporting  # noqa: PLC0415 (only for a report)

        reporting.publish(as_data(judged), config.report, os.environ, sys.stderr)


def _is_wanted(config: Config) -> bool:
    """Whether a machine reads what is said about the wheel."""
    return bool(config.report) or os.environ.get("GITHUB_ACTIONS") == "true"


if not TYPE_CHECKING:  # mypy would take any name for an attribute

    def __getattr__(name: str) -> Any:  # noqa: ANN401 (the package's answer)
        """Answer a frontend that takes this module for manyshim.backend (PEP 517)."""
        if name.startswith(("build_", "get_requires_for_build_")):
            return getattr(sys.modules["manyshim"], name)
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
