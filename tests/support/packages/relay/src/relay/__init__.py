"""Call external libraries: linked ones, and one that a library for ctypes needs."""

import ctypes
import os

from ._relay import chain, opened, sha256  # type: ignore[import-not-found]

__all__ = ["chain", "opened", "plugin", "sha256"]


def plugin() -> int:
    """Call a library of the wheel that no module links and that needs an external library."""
    path = os.path.join(os.path.dirname(__file__), "libplugin.so")
    found: int = ctypes.CDLL(path).plugin()
    return found
