"""The configuration of a build: every source of options, resolved into one frozen Config.

Precedence: `-C manyshim.KEY`, then the environment variable MANYSHIM_KEY, then `[tool.manyshim]`.
The command line reads one option from the environment: see `environment_platform`.
"""

from __future__ import annotations

import os
from typing import Any, Dict, List, Mapping, Optional, Tuple

from manyshim import pyproject
from manyshim.audit.request import Allowance, Compiled, Request
from manyshim.audit.tags import PlatformTag, parse_platform
from manyshim.errors import ConfigError
from manyshim.host import host_arch, interpreter_libc
from manyshim.options import BY_KEY, OPTIONS, Option, nearest, renamed_kinds
from manyshim.values import NamedTuple

PREFIX = "manyshim."

# It adds the traceback to an internal error, and is no option.
_DEBUG = "MANYSHIM_DEBUG"
# Of SOURCE_DATE_EPOCH: 64 bits have no more.
_MAX_DIGITS = 20

Settings = Optional[Mapping[str, Any]]


class EnvironmentPlatform(NamedTuple):
    """A platform that an environment variable asks for; `value` is the variable's text."""

    variable: str
    value: str
    tag: PlatformTag


class Config(NamedTuple):
    """The options, one field each, and what the environment adds.

    `notices` are lines for standard error. `epoch` is SOURCE_DATE_EPOCH in seconds. `libc` is the
    libc family of the building interpreter. `compiled` is what our toolchain built. `suggested` is
    the platform for the wheels that it applies to; only the command line sets it.
    """

    backend: str = "setuptools.build_meta"
    mode: str = "retag"
    platform: Optional[PlatformTag] = None
    strict: bool = False
    compiler: str = "system"
    bundle: Tuple[str, ...] = ("*",)
    exclude: Tuple[str, ...] = ()
    allow: Tuple[Allowance, ...] = ()
    fix: Tuple[str, ...] = ()
    naming: str = "listed"
    explain: str = "auto"
    library_path: Tuple[str, ...] = ()
    sysroot: Optional[str] = None
    python_headers: Optional[str] = None
    compression_level: int = 6
    strip: str = "none"
    sbom: bool = True
    report: Optional[str] = None
    notices: Tuple[str, ...] = ()
    epoch: Optional[int] = None
    libc: Optional[str] = None
    compiled: Optional[Compiled] = None
    suggested: Optional[EnvironmentPlatform] = None

    @property
    def request(self) -> Request:
        """The request for an audit that this configuration makes."""
        return Request(
            self.platform,
            self.libc,
            strict=self.strict and self.mode in ("retag", "repair"),
            exact=self.naming == "exact",
            compiled=self.compiled,
            exclude=self.exclude,
            allow=self.allow,
        )


def load(settings: Settings, environ: Mapping[str, str], folder: str = ".") -> Config:
    """Return the configuration of a build in the source tree `folder`.

    Raises ConfigError for an unknown key, an invalid value, or a release key in the table.
    """
    values: Dict[str, Any] = {}
    explicit: Dict[str, str] = {}
    notices: List[str] = []
    for source, given in (
        ("[tool.manyshim]", _table(folder)),
        ("the environment", _variables(environ, notices)),
        ("-C", _own_settings(settings)),
    ):
        for key, value in given.items():
            option = BY_KEY[key]
            _refuse_misplaced(option, source)
            parsed = option.parse(option, value)
            _refuse_release(option, parsed, value, source)
            values[option.field] = parsed
            if key == "allow":
                notices += renamed_kinds(option, value)
            explicit[key] = source
    _markers(environ, values, explicit, notices)
    libc = interpreter_libc()
    if values.get("compiler") == "zig" and (libc is None or values.get("mode") == "off"):
        # One table of release keys serves all systems. `off` switches everything off.
        values["compiler"] = "system"
        if libc is None:
            notices.append("compiler = zig works on Linux only; the system's compiler is used")
    report = values.get("report")
    if report is not None and not os.path.isabs(report):
        raise ConfigError(
            f"report = {report!r} must be an absolute path, because a build can run in a "
            "temporary copy of the source tree"
        )
    return Config(**values, notices=tuple(notices), epoch=epoch(environ), libc=libc)


def without_own(settings: Settings) -> Settings:
    """Return the settings without manyshim's own, which the wrapped backend may refuse."""
    if settings is None:
        return None
    return {key: value for key, value in settings.items() if not key.startswith(PREFIX)}


def backend_name(folder: str = ".") -> str:
    """Return the wrapped backend's name; frontends ask for hooks before they pass settings."""
    option = BY_KEY["backend"]
    name: str = option.parse(option, _table(folder).get("backend", option.default))
    return name


def backend_path(folder: str = ".") -> List[str]:
    """Return the absolute folders of an in-tree backend (PEP 517). Raises ConfigError."""
    system = pyproject.build_system(pyproject.read(folder))
    listed = pyproject.texts(system, "backend-path", "build-system.backend-path")
    return [os.path.abspath(os.path.join(folder, path)) for path in listed]


def _table(folder: str) -> Mapping[str, Any]:
    """Read [tool.manyshim]. Raises ConfigError for an unknown key."""
    table = pyproject.own_table(pyproject.read(folder))
    for key in table:
        _refuse_unknown(key, f"[tool.manyshim] {key}")
    return table


def _variables(environ: Mapping[str, str], notices: List[str]) -> Dict[str, str]:
    """Return the options in the environment, and add a notice for each unknown MANYSHIM_* name."""
    known = {option.variable: option.key for option in OPTIONS}
    notices.extend(
        f"the environment variable {name} is not an option; {nearest(name, list(known))}"
        for name in sorted(environ)
        if name.startswith("MANYSHIM_") and name not in (*known, _DEBUG)
    )
    return {key: environ[name] for name, key in known.items() if name in environ}


def _own_settings(settings: Settings) -> Dict[str, Any]:
    own: Dict[str, Any] = {}
    for name, value in (settings or {}).items():
        if not name.startswith(PREFIX):
            continue
        key = name[len(PREFIX) :]
        _refuse_unknown(key, f"-C {name}")
        repeated = isinstance(value, (list, tuple)) and isinstance(BY_KEY[key].default, tuple)
        # A repeated key gives a list, and each of its values may be a comma-separated list.
        own[key] = ",".join(map(str, value)) if repeated else value
    return own


def _refuse_unknown(key: str, where: str) -> None:
    if key not in BY_KEY:
        raise ConfigError(f"{where} is not an option of manyshim; {nearest(key, list(BY_KEY))}")


def _refuse_misplaced(option: Option, source: str) -> None:
    if option.table_only and source != "[tool.manyshim]":
        raise ConfigError(
            f"{option.key} is read from [tool.manyshim] only: frontends ask for the wrapped "
            "backend's hooks before they pass settings"
        )


def _refuse_release(option: Option, parsed: Any, value: Any, source: str) -> None:  # noqa: ANN401
    foreign = isinstance(parsed, PlatformTag) and parsed.arch not in ("", host_arch())
    if source != "[tool.manyshim]" or not (option.release(parsed) or foreign):
        return
    text = str(value).lower() if isinstance(value, bool) else value
    raise ConfigError(
        f"{option.key} = {value!r} in [tool.manyshim] would affect everyone who builds from your "
        "sdist. Set it for your release builds only:",
        "",
        "    [tool.uv]",
        f'    config-settings = {{ "{PREFIX}{option.key}" = "{text}" }}',
        "",
        f"or -C {PREFIX}{option.key}={text}, or {option.variable}={text} in the environment",
    )


def _markers(
    environ: Mapping[str, str],
    values: Dict[str, Any],
    explicit: Dict[str, str],
    notices: List[str],
) -> None:
    """Set the options that other tools' variables imply, unless a source sets them."""
    if "mode" not in explicit:
        if environ.get("CIBUILDWHEEL") == "1":
            values["mode"] = "audit"
            notices.append("cibuildwheel repairs the wheel afterwards; manyshim only audits it")
        elif environ.get("CONDA_BUILD") == "1":
            values["mode"] = "off"
            notices.append("conda-build needs no manylinux tag; the wheel is left unchanged")
    if "platform" not in explicit:
        image = _image_platform(environ, notices)
        if image:
            values["platform"] = image.tag


def environment_platform(
    environ: Mapping[str, str], notices: List[str]
) -> Optional[EnvironmentPlatform]:
    """Return the platform for the command line: MANYSHIM_PLATFORM, else AUDITWHEEL_PLAT.

    None without both, and with MANYSHIM_PLATFORM=auto. Adds a notice for an AUDITWHEEL_PLAT that is
    not a policy; raises ConfigError for such a MANYSHIM_PLATFORM.
    """
    option = BY_KEY["platform"]
    value = environ.get(option.variable)
    if value is None:
        return _image_platform(environ, notices)
    try:
        tag = option.parse(option, value)
    except ConfigError as error:
        raise ConfigError(f"{option.variable} in the environment: {error}") from None
    return EnvironmentPlatform(option.variable, value, tag) if tag else None


def _image_platform(
    environ: Mapping[str, str], notices: List[str]
) -> Optional[EnvironmentPlatform]:
    """Return the policy of the manylinux or musllinux image that the process runs in."""
    value = environ.get("AUDITWHEEL_PLAT")
    if not value:
        return None
    tag = parse_platform(value)
    if tag is None:
        notices.append(f"AUDITWHEEL_PLAT={value} is not a policy; it is ignored")
        return None
    return EnvironmentPlatform("AUDITWHEEL_PLAT", value, tag)


def epoch(environ: Mapping[str, str]) -> Optional[int]:
    """Return SOURCE_DATE_EPOCH in seconds since 1970, None if unset. Raises ConfigError."""
    text = environ.get("SOURCE_DATE_EPOCH")
    if not text:
        return None
    if not text.isascii() or not text.isdigit() or len(text) > _MAX_DIGITS:
        raise ConfigError(f"SOURCE_DATE_EPOCH={text} must be a number of seconds since 1970")
    return int(text)
