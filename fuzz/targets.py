"""The fuzz targets by name."""

from __future__ import annotations

from typing import Dict

import archives
import binaries
import natives
import texts
from outcome import Target

TARGETS: Dict[str, Target] = {
    target.name: target
    for target in (
        Target("zip", archives.zip_archive),
        Target("elf", binaries.elf, max_len=8192),
        Target("macho", natives.mach_o, max_len=8192),
        Target("pe", natives.portable, max_len=8192),
        Target("patch", binaries.patched, max_len=8192),
        Target("record", archives.record_rows),
        Target("wheel", archives.whole_wheel),
        Target("tags", texts.tag, max_len=512),
        Target("config", texts.configuration),
        Target("packages", texts.packages),
        Target("copyright", texts.copyright_file),
        Target("debug", binaries.debug_information, max_len=16384),
    )
}
