"""The wrapped backend: from its name to the object with the hooks (PEP 517, build-backend)."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from manyshim.errors import BackendError


def load(name: str) -> Any:  # noqa: ANN401 (a module, or an object in one)
    """Import `module[:object]`. Raises BackendError, caused by what the import raised."""
    path, _, attributes = name.partition(":")
    if path == "manyshim.backend":
        raise BackendError("[tool.manyshim] backend names manyshim itself")
    try:
        found: Any = import_module(path)
        for attribute in filter(None, attributes.split(".")):
            found = getattr(found, attribute)
    except Exception as error:
        raise BackendError(
            f"the wrapped backend {name} cannot be imported; its requirements belong into "
            f"build-system.requires: {error}"
        ) from error
    return found
