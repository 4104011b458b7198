"""What `manyshim init` reads of a project, as values."""

from __future__ import annotations

from typing import Any, FrozenSet, List, Mapping, Optional, Tuple

from manyshim import pyproject
from manyshim.errors import ConfigError
from manyshim.known_backends import requirement_name
from manyshim.values import NamedTuple

# The states of a folder for a copy of manyshim.
ABSENT, SAME, OTHER, TAKEN = "absent", "same", "other", "taken"


class Project(NamedTuple):
    """A source tree.

    `document` is pyproject.toml as plain data. `has_pyproject` is false without such a file.
    `names` are the names in the project's folder. `setup_py`, `setup_cfg` and `manifest` are
    texts; `manifest` is None without MANIFEST.in. `compiled` are a few sources of compiled
    languages. `own_backend` is the text of an in-tree backend. `hint` is the comment beside
    [tool.manyshim] backend. `copies` has the state of each folder that a copy of manyshim can be
    in.
    """

    document: Mapping[str, Any]
    has_pyproject: bool = True
    names: FrozenSet[str] = frozenset()
    setup_py: str = ""
    setup_cfg: str = ""
    manifest: Optional[str] = None
    compiled: Tuple[str, ...] = ()
    own_backend: str = ""
    hint: str = ""
    copies: Tuple[Tuple[str, str], ...] = ()

    @property
    def system(self) -> Mapping[str, Any]:
        """[build-system], empty if it is missing."""
        return pyproject.build_system(self.document)

    @property
    def tools(self) -> Mapping[str, Any]:
        """[tool], empty if it is missing."""
        return pyproject.tools(self.document)

    @property
    def own(self) -> Mapping[str, Any]:
        """[tool.manyshim], empty if it is missing."""
        return pyproject.own_table(self.document)

    @property
    def requires(self) -> List[str]:
        """What the build requires, as it is written."""
        return pyproject.texts(self.system, "requires", "build-system.requires")

    @property
    def required(self) -> FrozenSet[str]:
        """The normalised names of what the build requires."""
        return frozenset(map(requirement_name, self.requires))

    @property
    def backend_path(self) -> List[str]:
        """build-system.backend-path, empty if it is missing."""
        return pyproject.texts(self.system, "backend-path", "build-system.backend-path")

    @property
    def build_backend(self) -> Optional[str]:
        """build-system.build-backend, None if it is missing. Raises ConfigError for no text."""
        return _text(self.system, "build-backend", "build-system.build-backend")

    @property
    def wrapped(self) -> Optional[str]:
        """[tool.manyshim] backend, None if it is missing. Raises ConfigError for no text."""
        return _text(self.own, "backend", "tool.manyshim.backend")

    def table(self, dotted: str) -> Mapping[str, Any]:
        """Return a table below [tool], empty if it is missing or no table."""
        found: Any = self.tools
        for part in dotted.split("."):
            found = found.get(part) if isinstance(found, Mapping) else None
        return found if isinstance(found, Mapping) else {}


def _text(table: Mapping[str, Any], key: str, name: str) -> Optional[str]:
    value = table.get(key)
    if value is not None and not isinstance(value, str):
        raise ConfigError(f"{name} in pyproject.toml must be a text")
    return value
