"""Options under a wrong name: what looks like manyshim's and is not read, and the right name."""

from __future__ import annotations

from manyshim.options import BY_KEY
from manyshim.optiontypes import closest
from manyshim.pyproject import SEPARATORS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, List, Mapping, Optional

PREFIX = "manyshim."
VARIABLE_PREFIX = "MANYSHIM_"

# The name of manyshim, maybe as an option or a table, something between, and the key.
_NEAR = r"(?is) *(?:--?|tool\.)?many[-_. ]?shim([-_.:/ ]*)(.*)"
# This backend ignores settings that it does not know. Others have keys of their own, or fail.
_IGNORES_SETTINGS = "setuptools.build_meta"


def misspelled(name: str) -> Optional[str]:
    """Return the key that a name means which looks like one of manyshim's options.

    Returns `KEY` if the key is unknown too, and None for a name that is not manyshim's.
    """
    if "shim" not in name.lower():
        return None
    import re  # noqa: PLC0415 (few names are like that)

    found = re.fullmatch(_NEAR, name)
    if found is None:
        return None
    separator, rest = found.groups()
    key = rest.lower().replace("_", "-")
    if key in BY_KEY:
        return key
    if rest and not separator:
        return None  # another word, such as manyshims
    return closest(key, list(BY_KEY)) or "KEY"


def is_ours(setting: str) -> bool:
    """Whether the name of a `-C` setting is meant for manyshim, also if it is misspelled."""
    return setting.startswith(PREFIX) or misspelled(setting) is not None


def in_settings(settings: Mapping[str, Any], backend: str) -> List[str]:
    """Return a line for each `-C` setting that is meant for manyshim, but not read."""
    lines = []
    for name in settings:
        key = None if name.startswith(PREFIX) else misspelled(name)
        if key:
            lines.append(f"-C {name} is not read; write {_right(key)}")
        elif backend.partition(":")[0] == _IGNORES_SETTINGS and name.replace("_", "-") in BY_KEY:
            key = name.replace("_", "-")
            lines.append(f"-C {name} is not read, and setuptools ignores it; write {_right(key)}")
    return lines


def _right(key: str) -> str:
    """Return what sets an option, in a build if it can be set there."""
    option = BY_KEY.get(key)
    if option and option.table_only:
        return f"{key} in [tool.manyshim]"
    return f"-C {PREFIX}{key}=VALUE"


def in_environment(environ: Mapping[str, str]) -> List[str]:
    """Return a line for each variable that is meant for manyshim, but not read."""
    lines = []
    for name in sorted(environ):
        # Other tools may well have a variable MANYSHIM, such as the path of a clone.
        whole = len(name.translate(SEPARATORS)) == len("manyshim")
        key = None if whole or name.startswith(VARIABLE_PREFIX) else misspelled(name)
        if key:
            variable = VARIABLE_PREFIX + key.upper().replace("-", "_")
            option = BY_KEY.get(key)
            right = _right(key) if option and option.table_only else variable
            lines.append(f"the environment variable {name} is not read; write {right}")
    return lines
