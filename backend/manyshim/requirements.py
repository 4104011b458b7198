"""Find the packages that a build needs and the environment does not have."""

from __future__ import annotations

from contextlib import suppress
from importlib.util import find_spec
from typing import List, Mapping

from manyshim.config import Config
from manyshim.errors import ConfigError


def missing(config: Config, environ: Mapping[str, str]) -> List[str]:
    """Return the requirements of this build that the environment does not have."""
    explained = config.mode != "off" and config.explain != "never"
    wanted = ["pyelftools"] if explained and find_spec("elftools") is None else []
    if config.compiler == "zig":
        from manyshim.toolchain import build  # noqa: PLC0415 (needed for zig only)

        # Whether the release keys hold is known only with the folder for the wheel. If they do,
        # build_wheel reports a target that zig does not support.
        with suppress(ConfigError):
            wanted += build.missing_requirements(config, environ)
    return wanted
