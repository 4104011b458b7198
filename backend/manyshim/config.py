"""The configuration of a build: every source of options, resolved into one frozen Config.

Precedence: `-C manyshim.KEY`, then the environment variable MANYSHIM_KEY, then `[tool.manyshim]`.
The command line reads one option from the environment: see `environment_platform`.
"""

from __future__ import annotations

import os

from manyshim import pyproject, settings
from manyshim.audit.request import Allowance, Compiled, Request
from manyshim.audit.tags import PlatformTag
from manyshim.errors import ConfigError
from manyshim.host import interpreter_libc
from manyshim.options import BY_KEY
from manyshim.settings import COMMAND, Gathered, Given, Layer, Settings
from manyshim.surroundings import EnvironmentPlatform, epoch, image_platform, implied_mode
from manyshim.values import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, List, Mapping, Optional, Sequence, Tuple

# The modes in which strict has an effect.
_STRICT_MODES = ("retag", "repair")


class Config(NamedTuple):
    """The options, one field each, and what the environment adds.

    `notices` are lines for standard error, `last_notices` those at the end of a build. `epoch` is
    SOURCE_DATE_EPOCH in seconds. `libc` is the libc family of the building interpreter. `compiled`
    is what our toolchain built. `suggested` is the platform for the wheels that it applies to; only
    the command line sets it. `expects_code` is true if a pure wheel is not what was asked for.
    `if_other_project` is the configuration for a wheel of a project that `project` does not name;
    it is set only if the project's name is not known before the build.
    """

    backend: str = "setuptools.build_meta"
    backend_path: Tuple[str, ...] = ()
    mode: str = "retag"
    platform: Optional[PlatformTag] = None
    strict: bool = False
    compiler: str = "system"
    project: Tuple[str, ...] = ()
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
    trial: bool = True
    sbom: bool = True
    report: Optional[str] = None
    notices: Tuple[str, ...] = ()
    last_notices: Tuple[str, ...] = ()
    epoch: Optional[int] = None
    libc: Optional[str] = None
    compiled: Optional[Compiled] = None
    suggested: Optional[EnvironmentPlatform] = None
    expects_code: bool = False
    if_other_project: Optional[Config] = None

    @property
    def request(self) -> Request:
        """The request for an audit that this configuration makes."""
        return Request(
            self.platform,
            self.libc,
            strict=self.strict and self.mode in _STRICT_MODES,
            exact=self.naming == "exact",
            compiled=self.compiled,
            exclude=self.exclude,
            allow=self.allow,
            expects_code=self.expects_code,
        )


class Resolution(NamedTuple):
    """A configuration, where each option that is set comes from (by key), and all errors."""

    config: Config
    origins: Mapping[str, str]
    errors: Tuple[ConfigError, ...] = ()


def load(
    given: Settings,
    environ: Mapping[str, str],
    folder: str = ".",
    wheel_directory: Optional[str] = None,
    document: Optional[Mapping[str, Any]] = None,
) -> Config:
    """Return the configuration of a build in the source tree `folder`.

    `wheel_directory` is that of the hook. `document` is pyproject.toml, if the caller has read it.
    Raises ConfigError for an unknown key, an invalid value,
    or a release key in the table.
    """
    resolution = resolve([Layer(COMMAND, given)], environ, folder, wheel_directory, document)
    for error in resolution.errors:
        raise error
    return resolution.config


def resolve(
    layers: Sequence[Layer],
    environ: Mapping[str, str],
    folder: str = ".",
    wheel_directory: Optional[str] = None,
    document: Optional[Mapping[str, Any]] = None,
) -> Resolution:
    """Resolve the options of all sources; `layers` are settings of rising precedence.

    Raises ConfigError only for a pyproject.toml or a date that cannot be read.
    """
    if document is None:
        document = pyproject.read(folder)
    gathered = settings.gather(document, environ, layers)
    if not any(map(_can_be_void, gathered.given)):
        return _resolved(gathered, environ, "")
    from manyshim import scope  # noqa: PLC0415 (only for release keys)

    projects = [one.value for one in gathered.given if one.option.key == "project"]
    decided = scope.decide(projects[-1] if projects else (), document, folder, wheel_directory)
    resolution = _resolved(gathered, environ, decided.reason)
    if decided.unless_built:
        other = _resolved(gathered, environ, decided.unless_built).config
        config = resolution.config._replace(if_other_project=other)
        resolution = resolution._replace(config=config)
    return resolution


without_own = settings.without_own


def table_value(document: Mapping[str, Any], key: str) -> Any:  # noqa: ANN401 (by the option)
    """Return an option's value by [tool.manyshim] alone. Raises ConfigError, as `load` does.

    Frontends ask for hooks before they pass settings.
    """
    gathered = settings.gather(document, {}, ())
    for error in gathered.errors:
        raise error
    values = (one.value for one in gathered.given if one.option.key == key)
    return next(values, BY_KEY[key].default)


def _resolved(gathered: Gathered, environ: Mapping[str, str], void: str) -> Resolution:
    """Resolve the options that are set; `void` is the reason why release keys have no effect."""
    values: Dict[str, Any] = {}
    origins: Dict[str, str] = {}
    notices = list(gathered.notices)
    errors = list(gathered.errors)
    ignored = [one for one in gathered.given if void and _can_be_void(one)]
    for one in gathered.given:
        if one not in ignored:
            values[one.option.field] = one.value
            origins[one.option.key] = one.origin
    named = values.get("platform") is not None
    _surroundings(environ, values, origins, notices)
    libc = interpreter_libc()
    if values.get("compiler") == "zig" and (libc is None or values.get("mode") == "off"):
        # One table of release keys serves all systems. `off` switches everything off.
        values["compiler"] = "system"
        if libc is None:
            notices.append("compiler = zig works on Linux only; the system's compiler is used")
    report = values.get("report")
    if report is not None and not os.path.isabs(report):
        text = "must be an absolute path, because a build can run in a temporary copy of the "
        where = origins["report"]
        errors.append(ConfigError(f"report = {report!r} ({where}) {text}source tree"))
    strict = values.get("strict", False) and values.get("mode", "retag") in _STRICT_MODES
    last = _void_lines(ignored, void, notices)
    config = Config(
        **values,
        notices=tuple(notices),
        last_notices=last,
        epoch=epoch(environ),
        libc=libc,
        expects_code=strict or named,
    )
    return Resolution(config, origins, tuple(errors))


def _can_be_void(one: Given) -> bool:
    """Whether an option has an effect only in the build of the project that it was given to."""
    if one.in_sdist or one.option.key == "project":
        return False
    return one.is_release or (one.option.key == "platform" and one.value is not None)


def _void_lines(ignored: Sequence[Given], void: str, notices: List[str]) -> Tuple[str, ...]:
    """Add the notice about release keys without effect; return the line for the end."""
    if not ignored:
        return ()
    keys = ", ".join(sorted({f"{one.option.key} ({one.origin})" for one in ignored}))
    notices.append(f"release keys have no effect in this build: {keys}; {void}")
    promised = sorted({one.option.key for one in ignored} & {"strict", "platform"})
    if not promised:
        return ()
    return (f"{' and '.join(promised)} had no effect on this wheel: {void}",)


def _surroundings(
    environ: Mapping[str, str],
    values: Dict[str, Any],
    origins: Dict[str, str],
    notices: List[str],
) -> None:
    """Set the options that other tools' variables imply, unless a source sets them."""
    implied = None if "mode" in origins else implied_mode(environ)
    if implied:
        values["mode"] = implied.mode
        origins["mode"] = implied.variable
        notices.append(implied.notice)
    image = None if "platform" in origins else image_platform(environ, notices)
    if image:
        values["platform"] = image.tag
        origins["platform"] = image.variable


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
        return image_platform(environ, notices)
    try:
        tag = option.parse(option, value)
    except ConfigError as error:
        raise ConfigError(f"{option.variable} in the environment: {error}") from None
    return EnvironmentPlatform(option.variable, value, tag) if tag else None
