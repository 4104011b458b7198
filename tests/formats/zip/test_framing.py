"""What a reader from the first byte sees: each crafted archive has its oddity, good ones none."""

from __future__ import annotations

from typing import TYPE_CHECKING, Dict, Set

from gatecases import defects, unusual
from manyshim.audit.gate.facts import Framing
from manyshim.errors import InvalidWheelError
from manyshim.formats.wheel.wheel import Wheel
from manyshim.formats.zip.framing import oddities
from strict_index_samples import GOOD

if TYPE_CHECKING:
    from pathlib import Path

EXPECTED: Dict[str, Set[Framing]] = {
    "data descriptors": {Framing.DESCRIPTOR},
    "bit 3 without a descriptor": {Framing.DESCRIPTOR},
    "descriptors left behind": {Framing.PADDING},
    "local sizes are zero": {Framing.PADDING, Framing.OTHER_CRC, Framing.OTHER_SIZE},
    "stale local compressed size": {Framing.OTHER_SIZE},
    "stale local size": {Framing.OTHER_SIZE},
    "stale local CRC": {Framing.OTHER_CRC},
    "local method differs": {Framing.OTHER_METHOD},
    "needless zip64 extra, local": {Framing.NEEDLESS_LOCAL_ZIP64},
    "needless zip64 extra, central": {Framing.NEEDLESS_ZIP64},
    "zip64 locator leads elsewhere": {Framing.LOCATOR},
    "member not listed": {Framing.HIDDEN},
    "local name differs": {Framing.OTHER_NAME},
    "bytes before the archive": {Framing.PREFIX},
    "padding between members": {Framing.PADDING},
    "trailing NUL bytes": {Framing.TRAILING},
    "trailing bytes": {Framing.TRAILING},
    "comment of a member": {Framing.COMMENT},
    "name not UTF-8": {Framing.NAME_ENCODING},
    "patched data flag": {Framing.UNSUPPORTED_FLAG},
    "strong encryption flag": {Framing.UNSUPPORTED_FLAG},
    "local flags differ": {Framing.OTHER_FLAGS},
    "version 9.9 needed": {Framing.UNSUPPORTED_VERSION},
    "Unicode path of another name": {Framing.UNICODE_PATH},
    "Unicode path twice": {Framing.DUPLICATE_EXTRA},
    "extra field cut off": {Framing.BAD_EXTRA},
    "extra field of two bytes": {Framing.BAD_EXTRA},
    "zip64 extra twice": {Framing.DUPLICATE_EXTRA},
    "stream does not end": {Framing.UNENDED_STREAM},
    "bytes behind the end of a stream": {Framing.STREAM_REST},
    "stream inflates to more": {Framing.LONGER_STREAM},
    "two archives, one after another": {Framing.HIDDEN},
}


def seen(path: Path) -> Set[Framing]:
    with Wheel(str(path)) as wheel:
        wheel.facts(verify=True)
        return {one.what for one in (*oddities(wheel.archive), *wheel.streams)}


def test_each_crafted_archive_has_its_oddity(tmp_path: Path) -> None:
    path = tmp_path / GOOD
    found: Dict[str, Set[Framing]] = {}
    for name, data in {**defects(), **unusual()}.items():
        path.write_bytes(data)
        try:
            found[name] = seen(path)
        except InvalidWheelError:
            continue
    assert {name: kinds for name, kinds in found.items() if kinds} == EXPECTED
    assert {name for name in unusual() if name in found} == set(unusual())
