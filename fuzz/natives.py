"""Fuzz targets: Mach-O and PE files, read stored and deflated, and the rules over their facts."""

from __future__ import annotations

import io
import zlib
from typing import Callable, Optional, Tuple

from manyshim.audit.facts import WheelFacts
from manyshim.audit.messages import sentence
from manyshim.audit.native import native
from manyshim.audit.nativefacts import MachoFile, NativeFacts, PeFile
from manyshim.audit.request import Request
from manyshim.audit.tags import parse_wheel_name
from manyshim.formats import macho, pe
from manyshim.formats.bounds import Bound, TooMuchError
from manyshim.formats.zip.directory import DEFLATED, STORED
from manyshim.formats.zip.window import MemberError, Window
from outcome import READ, REFUSED, agree

_MODULE = "demo/_x.so"
_PYD = "demo/_x.pyd"
_MOST = 100_000


def mach_o(data: bytes) -> str:
    """Read a Mach-O file, and judge it in a wheel for macOS."""
    file = _both(data, lambda window: macho.read(_MODULE, window, Bound(_MOST)))
    if not isinstance(file, MachoFile):
        return REFUSED
    _judge("demo-1.0-cp311-abi3-macosx_10_9_universal2.whl", _MODULE, machos=(file,))
    return READ


def portable(data: bytes) -> str:
    """Read a PE file, and judge it in a wheel for Windows."""
    file = _both(data, lambda window: pe.read(_PYD, window, Bound(_MOST)))
    if not isinstance(file, PeFile):
        return REFUSED
    _judge("demo-1.0-cp311-abi3-win_amd64.win32.whl", _PYD, pes=(file,))
    return READ


def _both(data: bytes, read: Callable[[Window], Optional[object]]) -> Optional[object]:
    """Read a file stored and deflated. Both must give the same facts."""
    found = _facts(Window(io.BytesIO(data), 0, len(data), len(data), STORED), read)
    deflater = zlib.compressobj(1, zlib.DEFLATED, -zlib.MAX_WBITS)
    packed = deflater.compress(data) + deflater.flush()
    window = Window(io.BytesIO(packed), 0, len(packed), len(data), DEFLATED)
    agree("stored and deflated", found, _facts(window, read))
    return found


def _facts(window: Window, read: Callable[[Window], Optional[object]]) -> Optional[object]:
    try:
        return read(window)
    except (macho.MachoError, pe.PeError, MemberError, TooMuchError):
        return None


def _judge(
    filename: str,
    path: str,
    machos: Tuple[MachoFile, ...] = (),
    pes: Tuple[PeFile, ...] = (),
) -> None:
    name = parse_wheel_name(filename)
    if name is None:
        raise AssertionError(filename)
    facts = WheelFacts(name, "demo-1.0", (path,), native=NativeFacts(machos, pes))
    for found in native(facts, Request()).findings:
        said = sentence(found)
        if not (said.message + said.fix).isprintable():
            raise AssertionError(f"not printable: {said}")
