"""The Config that the options of a command and the environment give."""

from __future__ import annotations

import os
from types import SimpleNamespace

from manyshim.audit.request import Request
from manyshim.cli.screen import notice
from manyshim.errors import ConfigError, ToolError, shorten

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, List, Mapping, Optional

    from manyshim.config import Config
    from manyshim.surroundings import EnvironmentPlatform


def audit_request(options: SimpleNamespace) -> Request:
    """Return the request of an audit, which reads no environment. Raises ConfigError."""
    if options.allow:
        from manyshim.options import BY_KEY  # noqa: PLC0415 (few lines have an option)
        from manyshim.optiontypes import renamed_kinds  # noqa: PLC0415

        _print_notices(renamed_kinds(BY_KEY["allow"], options.allow))
    return Request(
        None if options.platform is None else parsed("platform", options.platform),
        strict=options.strict,
        exact=options.naming == "exact",
        exclude=parsed("exclude", options.exclude) if options.exclude else (),
        allow=parsed("allow", options.allow) if options.allow else (),
    )


def writing_config(options: SimpleNamespace) -> Config:
    """Return the configuration of a command that writes wheels. Raises ConfigError.

    Without --platform, MANYSHIM_PLATFORM or AUDITWHEEL_PLAT suggests the platform. The date comes
    from SOURCE_DATE_EPOCH.
    """
    from manyshim.config import Config  # noqa: PLC0415 (no audit needs it)
    from manyshim.surroundings import epoch  # noqa: PLC0415

    notices: List[str] = []
    request = audit_request(options)
    config = Config(
        platform=request.platform,
        exclude=request.exclude,
        allow=request.allow,
        strict=options.strict,
        naming=options.naming,
        fix=parsed("fix", options.fix),
        strip=options.strip,
        trial=not options.no_trial,
        compression_level=parsed("compression-level", options.compression_level),
        epoch=epoch(os.environ),
        suggested=None
        if options.platform is not None
        else environment_platform(os.environ, notices),
    )
    _print_notices(notices)
    return config


def environment_platform(
    environ: Mapping[str, str], notices: List[str]
) -> Optional[EnvironmentPlatform]:
    """Return the platform for the command line: MANYSHIM_PLATFORM, else AUDITWHEEL_PLAT.

    None without both, and with MANYSHIM_PLATFORM=auto. Adds a notice for an AUDITWHEEL_PLAT that is
    not a policy; raises ConfigError for such a MANYSHIM_PLATFORM.
    """
    from manyshim.options import BY_KEY  # noqa: PLC0415 (few lines have an option)
    from manyshim.surroundings import EnvironmentPlatform, image_platform  # noqa: PLC0415

    option = BY_KEY["platform"]
    value = environ.get(option.variable)
    if value is None:
        return image_platform(environ, notices)
    try:
        tag = option.parse(option, value)
    except ConfigError as error:
        raise ConfigError(f"{option.variable} in the environment: {error}") from None
    return EnvironmentPlatform(option.variable, value, tag) if tag else None


def refuse_file(folder: str) -> None:
    """Raise ToolError if the folder for new wheels is a file."""
    if os.path.exists(folder) and not os.path.isdir(folder):
        what = "cannot be written: it is a file, and -w names the folder for the new wheels"
        raise ToolError(f"-w {shorten(folder)}: {what}")


def parsed(key: str, value: object) -> Any:  # noqa: ANN401 (each option has its own type)
    """Return the value of an option, parsed as in a build. Raises ConfigError."""
    from manyshim.options import BY_KEY  # noqa: PLC0415 (few lines have an option)

    option = BY_KEY[key]._replace(key=f"--{key}")
    if isinstance(value, list):
        # As in a build, each value of a repeated option may be a comma-separated list.
        value = ",".join(value)
    return option.parse(option, value)


def _print_notices(lines: List[str]) -> None:
    for line in lines:
        notice(line)
