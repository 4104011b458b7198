"""The library that inflates: zlib, or zlib-ng if it is installed (`manyshim[fast]`).

Both accept the same streams, and refuse the others with the same words. ISA-L is faster, but it
also inflates streams with incomplete codes (RFC 1951, 3.2.7), which zlib and so pip refuse.
"""

from __future__ import annotations

from typing import Any, Type

try:
    from zlib_ng import zlib_ng as _library
except ImportError:
    import zlib as _library  # type: ignore[no-redef]

InflateError: Type[Exception] = _library.error  # type: ignore[assignment]
crc32 = _library.crc32


def inflater() -> Any:  # noqa: ANN401 (zlib does not name the type)
    """Return a new object that inflates a raw stream, as `zlib.decompressobj` does."""
    return _library.decompressobj(-_library.MAX_WBITS)
