"""What manyshim needs for a build and the environment lacks."""

from __future__ import annotations

from importlib.util import find_spec
from typing import List, Mapping

from manyshim.config import Config


def missing(config: Config, environ: Mapping[str, str]) -> List[str]:
    """List what manyshim needs for this build and the environment lacks."""
    explained = config.mode != "off" and config.explain != "never"
    wanted = ["pyelftools"] if explained and find_spec("elftools") is None else []
    # An executable stack is cleared without patchelf.
    fixes = config.mode == "retag" and set(config.fix) - {"execstack"}
    if config.mode == "repair" or fixes:
        from manyshim.repair import patch  # noqa: PLC0415 (only for those who ask for it)

        wanted += patch.missing_requirements(environ)
    if config.compiler == "zig":
        from manyshim.toolchain import build  # noqa: PLC0415 (only for those who ask for it)

        wanted += build.missing_requirements(config, environ)
    return wanted
