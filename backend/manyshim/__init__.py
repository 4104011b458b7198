"""Audit Linux wheels and write the manylinux or musllinux tag that their files prove."""

from __future__ import annotations

from typing import Any

__version__ = "0.1.0"


def __getattr__(name: str) -> Any:  # noqa: ANN401 (a module)
    """Answer a frontend that takes this package for the backend (PEP 517)."""
    hook = name.startswith(("build_", "get_requires_for_build_", "prepare_metadata_for_build_"))
    if not hook and name != "backend":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module  # noqa: PLC0415 (only for this mistake)

    backend = import_module("manyshim.backend")
    if hook:
        backend.refuse_package(name)
    return backend  # its hooks tell that "manyshim:backend" is the wrong name
