"""Read the machine code of macOS, iOS and Windows; loaded only for wheels with such a tag."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Callable, Iterator, List, Optional, Tuple

from manyshim.audit.nativefacts import Broken, MachoFile, NativeFacts, PeFile
from manyshim.errors import InvalidWheelError
from manyshim.formats import macho, pe
from manyshim.formats.bounds import Bound, TooMuchError
from manyshim.formats.zip.window import MemberError

if TYPE_CHECKING:
    from manyshim.formats.zip.window import Window

# As many bytes of METADATA are searched for Requires-Dist. The longest of 578 wheels have 78 KiB.
_MAX_METADATA = 4 << 20
_MAX_REQUIRES = 300
# The load commands and imports of all files of a wheel. Each takes some microseconds.
_MOST = 300_000
_REQUIRES = re.compile(
    r"^requires-dist:[ \t]*([a-z0-9][a-z0-9._-]{0,200})", re.IGNORECASE | re.MULTILINE
)


class NativeReader:
    """Collects the Mach-O and PE files of one wheel. A damaged file is a value, not an error.

    `path` is that of the wheel. `metadata` returns a file of .dist-info, or None, within a bound;
    it raises InvalidWheelError.
    """

    def __init__(self, path: str, metadata: Callable[[str, int], Optional[bytes]]) -> None:
        self._path = path
        self._metadata = metadata
        self._machos: List[MachoFile] = []
        self._pes: List[PeFile] = []
        self._broken: List[Broken] = []
        self._bound = Bound(_MOST)

    def read(self, path: str, window: Window, head: bytes) -> None:
        """Read a member, if its first 8 bytes are those of such a file."""
        try:
            if macho.is_macho(head):
                mach = macho.read(path, window, self._bound)
                self._machos += [mach] if mach.slices else []
            elif pe.is_pe(head):
                found = pe.read(path, window, self._bound)
                self._pes += [found] if found else []
        except (macho.MachoError, pe.PeError, MemberError) as error:
            self._broken.append(Broken(path, str(error)))
        except TooMuchError as error:
            raise InvalidWheelError(f"{self._path}: {error}") from error

    def facts(self) -> NativeFacts:
        """Return what was read."""
        machos, pes = tuple(self._machos), tuple(self._pes)
        return NativeFacts(machos, pes, tuple(self._broken), tuple(self._requires()))

    def _requires(self) -> Iterator[str]:
        """Yield the names of the projects that METADATA requires; none if it cannot be read."""
        try:
            data = self._metadata("METADATA", _MAX_METADATA) or b""
        except InvalidWheelError:
            return
        text = data.decode("utf-8", "replace").replace("\r\n", "\n").partition("\n\n")[0]
        found: Tuple[str, ...] = tuple(one[1].lower() for one in _REQUIRES.finditer(text))
        yield from tuple(dict.fromkeys(found))[:_MAX_REQUIRES]
