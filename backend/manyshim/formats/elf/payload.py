"""Data that a program carries behind its segments and sections, such as an archive."""

from __future__ import annotations

from manyshim.formats.elf.constants import PT_NULL, SHT_NOBITS
from manyshim.formats.elf.headers import Headers
from manyshim.formats.elf.image import ElfError

_BLOCK = 1 << 20


def check_payload(headers: Headers) -> None:
    """Raise ElfError if the file ends with bytes that only its own code knows.

    Programs that carry their data look for them at the end of the file.
    Without section headers, they cannot be told from what was in a section.
    """
    header = headers.header
    if not headers.sections:
        return
    ends = [one.offset + one.file_size for one in headers.programs if one.type != PT_NULL]
    ends += (one.offset + one.size for one in headers.sections if one.type != SHT_NOBITS)
    ends.append(header.section_offset + len(headers.sections) * header.section_size)
    start = max((end for end in ends if end <= headers.size), default=0)
    for place in range(start, headers.size, _BLOCK):
        if headers.read(place, min(_BLOCK, headers.size - place)).strip(b"\0"):
            raise ElfError(
                f"its last {headers.size - start} bytes are in no segment and no section, "
                "and its code may look for them at the end of the file"
            )
