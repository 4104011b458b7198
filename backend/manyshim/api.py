"""The Python API: audit a wheel, or check the files of a release.

What `manyshim.__all__` names is stable, as docs/stability.md promises. New optional arguments and
new fields at the end may be added. Everything else in the package may change in any version.
"""

from __future__ import annotations

import os
from functools import partial
from typing import Any, Dict, Iterable, NamedTuple, Optional, Sequence, Tuple, Union

from manyshim import checking, operations
from manyshim.audit.request import Request
from manyshim.config import Config
from manyshim.errors import ConfigError
from manyshim.formatters.json import finding_dict, with_file
from manyshim.inputs import other_names, release_files
from manyshim.options import BY_KEY

StrPath = Union[str, "os.PathLike[str]"]


class Place(NamedTuple):
    """A source line that uses a symbol. None: the debug information does not have it."""

    symbol: str
    file: Optional[str]
    line: Optional[int]
    function: Optional[str]


class Finding(NamedTuple):
    """One finding; `manyshim explain KIND` says what its kind means.

    `severity` is "error", "policy", "warning" or "info". `path` is the member of the wheel, empty
    if the finding is about the whole file. `policy` is the newest policy that it rules out. In
    names, characters that cannot be printed are escaped.
    """

    kind: str
    severity: str
    path: str
    policy: Optional[str]
    subject: str
    library: Optional[str]
    symbols: Tuple[str, ...]
    places: Tuple[Place, ...]
    allowed: bool
    message: str
    fix: Optional[str]


class Blocked(NamedTuple):
    """What rules out the next older policy, or the requested one.

    `without` is the oldest policy that the wheel would meet without these findings.
    """

    policy: str
    without: Optional[str]
    findings: Tuple[Finding, ...]


class Report(NamedTuple):
    """What is known about one wheel or sdist.

    `name` is the file name, `file` the path as it was given. `platforms` are the platform tags of
    the name, `tag` is the one that is proved, `tags` are all its spellings, and `reason` is why
    there is none. `policy` is the oldest policy that holds if errors are set aside. `runs_on` and
    `not_on` are releases of distributions. `error` is why a file could not be judged; only
    `check_files` sets it. `right_tags` are the tags of macOS, iOS or Windows that the files prove.
    """

    name: str
    file: str
    platforms: Tuple[str, ...]
    arch: Optional[str]
    libc: Optional[str]
    policy: Optional[str]
    tag: Optional[str]
    tags: Tuple[str, ...]
    reason: Optional[str]
    runs_on: Tuple[str, ...]
    not_on: Tuple[str, ...]
    external: Tuple[str, ...]
    musl_minimum: Optional[str]
    findings: Tuple[Finding, ...]
    blocked: Optional[Blocked]
    error: Optional[str]
    right_tags: Tuple[str, ...] = ()

    @property
    def errors(self) -> Tuple[Finding, ...]:
        """The findings of severity "error"."""
        return tuple(one for one in self.findings if one.severity == "error")


class ReleaseSet(NamedTuple):
    """The findings about the files of one project together: versions, and files that are missing.

    `project` is the normalised name (PEP 503).
    """

    project: str
    versions: Tuple[str, ...]
    findings: Tuple[Finding, ...]


class CheckResult(NamedTuple):
    """The result of `check_files`. `exit_code` is that of `manyshim check`; 0: upload them."""

    files: Tuple[Report, ...]
    sets: Tuple[ReleaseSet, ...]
    exit_code: int


def audit_wheel(  # noqa: PLR0913 (the options of `manyshim show`)
    path: StrPath,
    *,
    platform: str = "auto",
    exclude: Iterable[str] = (),
    allow: Iterable[str] = (),
    strict: bool = False,
    naming: str = "listed",
    explain: bool = False,
) -> Report:
    """Audit one wheel, as `manyshim show` does.

    The arguments have the meaning and the values of the options with these names. With `explain`,
    findings have the source lines that use their symbols, for libraries with debug information;
    this takes longer. Reads no environment variable and no pyproject.toml, and writes nothing.

    Raises ConfigError for a wrong argument, InvalidWheelError for a file that cannot be read as a
    wheel, and ToolError if the file system fails.
    """
    request = _request(platform, exclude, allow, strict=strict, naming=naming)
    _verify(explain)
    name = os.fspath(path)
    done = operations.show(name, request, explain=explain)
    return _report(with_file(done.data, name))


def check_files(  # noqa: PLR0913 (the options of `manyshim check`)
    paths: Union[StrPath, Sequence[StrPath]],
    *,
    like: Optional[StrPath] = None,
    platform: str = "auto",
    exclude: Iterable[str] = (),
    allow: Iterable[str] = (),
    strict: bool = False,
    naming: str = "listed",
    explain: bool = False,
) -> CheckResult:
    """Check wheels and sdists before the upload, as `manyshim check` does.

    `paths` are files, folders or patterns. `like` is a folder or a list of file names of another
    release. The other arguments are as for `audit_wheel`. A file that cannot be read has a report
    with an `error`, and so has a folder or a pattern without files; the others are still checked.

    Raises ConfigError for a wrong argument.
    """
    request = _request(platform, exclude, allow, strict=strict, naming=naming)
    _verify(explain)
    given = [paths] if isinstance(paths, (str, os.PathLike)) else list(paths)
    if not given:
        raise ConfigError("no file was given; name a wheel, an sdist or a folder")
    others = None if like is None else other_names(os.fspath(like), "like")
    files, several = release_files([os.fspath(one) for one in given])
    work = partial(checking.check, request=request, explain=explain)
    done = [operations.guarded(work, file) for file in files]
    sets = checking.check_set(files, others, request, several=several)
    reports = (_report(with_file(one.data, file)) for one, file in zip(done, files))
    return CheckResult(
        tuple(reports),
        tuple(
            ReleaseSet(
                one.project,
                one.versions,
                tuple(_finding(finding_dict(found)) for found in one.findings),
            )
            for one in sets
        ),
        checking.exit_code([one.code for one in done], sets),
    )


def _request(
    platform: str, exclude: Iterable[str], allow: Iterable[str], *, strict: bool, naming: str
) -> Request:
    """Return the request of an audit, parsed as in a build. Raises ConfigError."""
    given = {
        "platform": platform,
        "exclude": _texts(exclude),
        "allow": _texts(allow),
        "strict": strict,
        "naming": naming,
    }
    parsed = {key: BY_KEY[key].parse(BY_KEY[key], value) for key, value in given.items()}
    return Config(**parsed).request


def _texts(given: Any) -> Any:  # noqa: ANN401 (a text, or texts; the option refuses others)
    return given if isinstance(given, str) or not isinstance(given, Iterable) else list(given)


def _verify(explain: object) -> None:
    if not isinstance(explain, bool):
        raise ConfigError(f"explain = {explain!r} is not valid; give True or False")


# Fields that are lists in JSON. An sdist has none of them.
_LISTS = ("platforms", "tags", "right_tags", "runs_on", "not_on", "external")


def _report(data: Dict[str, Any]) -> Report:
    """Return the JSON object of a file as a Report."""
    findings = tuple(map(_finding, data["findings"]))
    blocked = data.get("blocked")
    if blocked:
        blockers = tuple(findings[index] for index in blocked["findings"])
        blocked = Blocked(blocked["policy"], blocked["without"], blockers)
    named = {"name": data.get("sdist") or data.get("wheel"), "platforms": data.get("claimed")}
    known = {**data, **named, "findings": findings, "blocked": blocked}
    values: Dict[str, Any] = {key: known.get(key) for key in Report._fields}
    return Report(**{**values, **{key: tuple(values[key] or ()) for key in _LISTS}})


def _finding(data: Dict[str, Any]) -> Finding:
    places = tuple(Place(**one) for one in data["places"])
    return Finding(**{**{key: _tuple(value) for key, value in data.items()}, "places": places})


def _tuple(value: Any) -> Any:  # noqa: ANN401 (a value of JSON)
    return tuple(value) if isinstance(value, list) else value
