"""Find and import the wrapped backend, or explain why it cannot be imported."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from manyshim.errors import BackendError


def import_backend(name: str) -> Any:  # noqa: ANN401 (a module, or an object in one)
    """Import the wrapped backend, `module[:object]`, and return it.

    Raises BackendError; its cause is what the import raised.
    """
    path, _, attributes = name.partition(":")
    if path == "manyshim.backend":
        raise BackendError("[tool.manyshim] backend must not be manyshim itself")
    try:
        found: Any = import_module(path)
        for attribute in filter(None, attributes.split(".")):
            found = getattr(found, attribute)
    except Exception as error:
        raise BackendError(
            f"the wrapped backend {name} cannot be imported; add its requirements to "
            f"build-system.requires: {error}"
        ) from error
    return found
