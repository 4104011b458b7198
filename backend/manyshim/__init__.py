"""Audit Linux wheels and write the manylinux or musllinux tag that their files prove.

`audit_wheel` and `check_files` are the Python API; `manyshim.api` says what is stable.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, List

    from manyshim.api import (
        Blocked,
        CheckResult,
        Finding,
        Place,
        ReleaseSet,
        Report,
        audit_wheel,
        check_files,
    )
    from manyshim.errors import ConfigError, InvalidWheelError, ManyshimError, ToolError

__version__ = "0.1.0"

# All but the version are imported when one is asked for: the errors are light, the API is not.
__all__ = [
    "Blocked",
    "CheckResult",
    "ConfigError",
    "Finding",
    "InvalidWheelError",
    "ManyshimError",
    "Place",
    "ReleaseSet",
    "Report",
    "ToolError",
    "__version__",
    "audit_wheel",
    "check_files",
]


if not TYPE_CHECKING:  # mypy would take any name for an attribute

    def __getattr__(name: str) -> Any:  # noqa: ANN401 (a module, or what the API has)
        """Load the API, or answer a frontend that takes this package for the backend (PEP 517)."""
        hook = name.startswith(("build_", "get_requires_for_build_", "prepare_metadata_for_build_"))
        if not hook and name not in (*__all__, "backend"):
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        from importlib import import_module  # noqa: PLC0415 (only when it is needed)

        if name in __all__:
            module = "manyshim.errors" if name.endswith("Error") else "manyshim.api"
            return getattr(import_module(module), name)
        backend = import_module("manyshim.backend")
        if hook:
            backend.refuse_package(name)
        return backend  # its hooks tell that "manyshim:backend" is the wrong name


def __dir__() -> List[str]:
    """Return the names of the module, with those of the API that are not loaded yet."""
    return sorted({*globals(), *__all__})
