"""The configuration of a build: every source of options, resolved into one frozen Config.

Precedence: `-C manyshim.KEY`, then the environment variable MANYSHIM_KEY, then `[tool.manyshim]`.
The command line reads one option from the environment: see cli/requests.py.
"""

from __future__ import annotations

import os

from manyshim import pyproject
from manyshim.audit.request import Allowance, Compiled, Request
from manyshim.audit.tags import PlatformTag
from manyshim.errors import ConfigError
from manyshim.host import interpreter_libc
from manyshim.values import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, List, Mapping, Optional, Sequence, Tuple

    from manyshim.settings import Gathered, Layer, Settings
    from manyshim.surroundings import EnvironmentPlatform

# `settings` and `options` are imported where an option may be set. They cost a build eight million
# instructions, and most projects set none.

TABLE = "[tool.manyshim]"

# The modes in which strict has an effect.
_STRICT_MODES = ("retag", "repair")
# The variables of other tools: without all of them, `surroundings` implies nothing. Of each builder
# in it, this has one variable.
SIGNS = frozenset(
    (
        *("CIBUILDWHEEL", "AUDITWHEEL_PLAT", "SOURCE_DATE_EPOCH", "CONDA_BUILD"),
        *("RPM_BUILD_ROOT", "DH_INTERNAL_BUILDFLAGS", "DEB_RULES_REQUIRES_ROOT"),
        *("NIX_BUILD_TOP", "EBUILD_PHASE"),
    )
)
# The keys of the table that set no option but the backend's. No build reads the table `release`.
_BACKEND_KEYS = frozenset(("backend", "backend-path", "release"))


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
    Raises ConfigError for an unknown key, an invalid value, or a release key in the table.
    """
    if document is None:
        document = pyproject.read(folder)
    own = None if given else _only_backend(document)
    if own is not None and not _names_shim(environ) and not pyproject.misnamed_tables(document):
        return _complete(own, dict.fromkeys(own, TABLE), [], environ).config
    from manyshim.settings import COMMAND, Layer  # noqa: PLC0415 (as above)

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
    from manyshim import settings  # noqa: PLC0415 (as above)

    gathered = settings.gather(document, environ, layers)
    if not any(one.can_be_void for one in gathered.given):
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


def without_own(given: Settings) -> Settings:
    """Return the settings without manyshim's own, as `settings.without_own` does."""
    if not given:
        return None if given is None else {}
    from manyshim import settings  # noqa: PLC0415 (as above)

    return settings.without_own(given)


def _only_backend(document: Mapping[str, Any]) -> Optional[Dict[str, Any]]:
    """Return the fields of Config that pyproject.toml sets, if these are the backend's only.

    None if it sets another option or has a wrong value. Raises ConfigError if [tool] or
    [tool.manyshim] is no table.
    """
    own = pyproject.own_table(document)
    if not _BACKEND_KEYS.issuperset(own):
        return None
    fields: Dict[str, Any] = {}
    if "backend" in own:
        fields["backend"] = own["backend"]
        if not isinstance(own["backend"], str) or not own["backend"]:
            return None
    if "backend-path" in own:
        listed = own["backend-path"]
        if not isinstance(listed, list) or not all(isinstance(path, str) for path in listed):
            return None
        fields["backend_path"] = tuple(listed)
    return fields


def _names_shim(environ: Mapping[str, str]) -> bool:
    """Whether the name of a variable may mean an option, also if it is misspelled."""
    return "shim" in " ".join(environ).lower()


def table_value(document: Mapping[str, Any], key: str) -> Any:  # noqa: ANN401 (by the option)
    """Return an option's value by [tool.manyshim] alone. Raises ConfigError, as `load` does.

    Frontends ask for hooks before they pass settings.
    """
    own = _only_backend(document)
    if own is not None:
        field = key.replace("-", "_")
        return own.get(field, Config._field_defaults[field])
    from manyshim import settings  # noqa: PLC0415 (as above)
    from manyshim.options import BY_KEY  # noqa: PLC0415

    gathered = settings.gather(document, {}, ())
    for error in gathered.errors:
        raise error
    values = (one.value for one in gathered.given if one.option.key == key)
    return next(values, BY_KEY[key].default)


def _resolved(gathered: Gathered, environ: Mapping[str, str], void: str) -> Resolution:
    """Resolve the options that are set; `void` is the reason why release keys have no effect."""
    from manyshim.settings import void_lines  # noqa: PLC0415 (as above)

    values: Dict[str, Any] = {}
    origins: Dict[str, str] = {}
    notices = list(gathered.notices)
    errors = list(gathered.errors)
    ignored = [one for one in gathered.given if void and one.can_be_void]
    for one in gathered.given:
        if one not in ignored:
            values[one.option.field] = one.value
            origins[one.option.key] = one.origin
    resolution = _complete(values, origins, notices, environ)
    config = resolution.config
    notice, last = void_lines(ignored, void)
    return resolution._replace(
        config=config._replace(notices=(*config.notices, *notice), last_notices=last),
        errors=(*errors, *resolution.errors),
    )


def _complete(
    values: Dict[str, Any],
    origins: Dict[str, str],
    notices: List[str],
    environ: Mapping[str, str],
) -> Resolution:
    """Add what the environment implies to the fields that are set, and check them together."""
    named = values.get("platform") is not None
    date = None if SIGNS.isdisjoint(environ) else _surroundings(environ, values, origins, notices)
    libc = interpreter_libc()
    if values.get("compiler") == "zig" and (libc is None or values.get("mode") == "off"):
        # One table of release keys serves all systems. `off` switches everything off.
        values["compiler"] = "system"
        if libc is None:
            notices.append("compiler = zig works on Linux only; the system's compiler is used")
    errors = []
    report = values.get("report")
    if report is not None and not os.path.isabs(report):
        text = "must be an absolute path, because a build can run in a temporary copy of the "
        where = origins["report"]
        errors.append(ConfigError(f"report = {report!r} ({where}) {text}source tree"))
    strict = values.get("strict", False) and values.get("mode", "retag") in _STRICT_MODES
    config = Config(
        **values,
        notices=tuple(notices),
        epoch=date,
        libc=libc,
        expects_code=strict or named,
    )
    return Resolution(config, origins, tuple(errors))


def _surroundings(
    environ: Mapping[str, str],
    values: Dict[str, Any],
    origins: Dict[str, str],
    notices: List[str],
) -> Optional[int]:
    """Set the options that other tools' variables imply, unless a source sets them.

    Returns SOURCE_DATE_EPOCH. Raises ConfigError if it is no date.
    """
    from manyshim.surroundings import epoch, image_platform, implied_mode  # noqa: PLC0415

    implied = None if "mode" in origins else implied_mode(environ)
    if implied:
        values["mode"] = implied.mode
        origins["mode"] = implied.variable
        notices.append(implied.notice)
    image = None if "platform" in origins else image_platform(environ, notices)
    if image:
        values["platform"] = image.tag
        origins["platform"] = image.variable
    return epoch(environ)
