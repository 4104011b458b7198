"""The library that inflates: zlib, or zlib-ng if it is installed (`manyshim[fast]`).

Both accept the same streams, and refuse all others with the same words. ISA-L is faster, but it
also inflates streams with incomplete codes (RFC 1951, 3.2.7), which zlib and so pip refuse.
"""

from __future__ import annotations

import zlib

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

# Importing zlib-ng takes as long as it saves for an archive of this size, in bytes.
_WORTH_FROM = 1 << 20


def library(size: int) -> Any:  # noqa: ANN401 (a module)
    """Return the module that inflates the members of an archive of `size` bytes.

    It has `decompressobj`, `crc32` and `error`, as zlib has.
    """
    if size >= _WORTH_FROM:
        try:
            from zlib_ng import zlib_ng  # noqa: PLC0415 (only if it is worth its import)
        except ImportError:
            return zlib
        return zlib_ng
    return zlib
