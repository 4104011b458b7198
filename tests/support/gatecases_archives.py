"""Crafted tar archives for the differential test of `check`: members, links, and ends."""

from __future__ import annotations

import gzip
import io
import tarfile
from typing import Dict, List, Tuple

# The type of a member, its name below the top-level folder, the target of a link, and its data.
_Member = Tuple[bytes, str, str, bytes]


def archives(good: Dict[str, bytes], top: str) -> Dict[str, bytes]:
    """Return archives of the good members, each with something odd that may be wrong."""
    members = {name: packed(good, top, added) for name, added in {**_files(), **_links()}.items()}
    return {**members, **_ends(packed(good, top, []))}


def packed(good: Dict[str, bytes], top: str, added: List[_Member]) -> bytes:
    """Return a tar.gz archive of the good members and some more, in the format of GNU tar."""
    sink = io.BytesIO()
    # Names that are not UTF-8 stay as they are only in this format.
    with tarfile.open(fileobj=sink, mode="w", format=tarfile.GNU_FORMAT) as archive:
        for path, data in good.items():
            _add(archive, tarfile.TarInfo(path), data)
        for kind, name, target, data in added:
            info = tarfile.TarInfo(f"{top}/{name}")
            info.type, info.linkname = kind, target.format(top=top)
            _add(archive, info, data)
    return gzip.compress(sink.getvalue(), mtime=0)


def _add(archive: tarfile.TarFile, info: tarfile.TarInfo, data: bytes) -> None:
    info.size = len(data)
    # A link has no data, even if it states a size.
    archive.addfile(info, None if info.islnk() else io.BytesIO(data))


def _files() -> Dict[str, List[_Member]]:
    def named(*names: str) -> List[_Member]:
        return [(tarfile.REGTYPE, name, "", b"x") for name in names]

    folder: _Member = (tarfile.DIRTYPE, "odd", "", b"")
    return {
        "a control character": named("a\nb"),
        "a DEL character": named("a\x7f"),
        "a colon": named("a:b"),
        "a backslash": named("a\\b"),
        "a space at the end": named("odd "),
        "a space in the middle": named("an odd /file."),
        "other punctuation": named("<a>*?\"|'\u202e\u0085"),
        "a name that is not UTF-8": named("a\udcff"),
        "a slash behind a file": named("odd/"),
        "a name of 255 bytes": named("n" * 255),
        "a name of 256 bytes": named("n" * 256),
        "a part that goes back": named("odd/../other"),
        "an empty part behind the folder": named("/odd"),
        "parts that are empty or a dot": named("odd/.//other"),
        "a file twice": named("odd", "odd"),
        "a file that is a folder": named("odd", "odd/below"),
        "a folder that is a file": named("odd/below", "odd"),
        "a folder entry, then a file": [folder, *named("odd")],
        "a file, then a folder entry": [*named("odd"), folder],
        "an unknown type": [(b"Z", "odd", "", b"")],
        "a contiguous file": [(tarfile.CONTTYPE, "odd", "", b"x")],
    }


def _links() -> Dict[str, List[_Member]]:
    def link(target: str, name: str = "odd", kind: bytes = tarfile.SYMTYPE) -> List[_Member]:
        return [(kind, name, target, b"")]

    def hard(target: str, name: str = "odd") -> List[_Member]:
        return link(target, name, tarfile.LNKTYPE)

    below: _Member = (tarfile.REGTYPE, "odd/below", "", b"x")
    return {
        "a link to nothing": link("nothing"),
        "a link to a folder above": link("..", "folder/odd"),
        "a link out of the top-level folder": link("../other"),
        "a link out of the folder and back": link("../{top}/PKG-INFO"),
        "a link with an empty target": link(""),
        "a link that goes back": link("folder/../PKG-INFO"),
        "a link with a colon": link("a:b"),
        "a link with a long target": link("x" * 300),
        "a file below a link": [*link("folder"), below],
        "a hard link to a later file": [*hard("{top}/later"), (tarfile.REGTYPE, "later", "", b"x")],
        "a hard link to nothing": hard("{top}/nothing"),
        "a hard link to itself": hard("{top}/odd"),
        "a hard link to a link": [*link("PKG-INFO", "link"), *hard("{top}/link")],
        "a hard link to a folder": [(tarfile.DIRTYPE, "f", "", b""), *hard("{top}/f")],
        "a hard link by another spelling": hard("{top}//PKG-INFO"),
        "a hard link without the folder": hard("PKG-INFO"),
        "a hard link that leaves": hard("../other"),
        "an absolute hard link": hard("/etc/hostname"),
        "a hard link with a size": [(tarfile.LNKTYPE, "odd", "{top}/PKG-INFO", b"x" * 512)],
    }


def _ends(good: bytes) -> Dict[str, bytes]:
    tar = gzip.decompress(good)
    used = len(tar.rstrip(b"\0")) + -len(tar.rstrip(b"\0")) % 512
    texts = {
        "no end": tar[:used],
        "one block of zeros": tar[: used + 512],
        "two blocks of zeros": tar[: used + 1024],
        "a block of zeros between members": tar[: used + 512] + tar,
        "text behind the end": tar + b"text" * 128,
        "a damaged header": tar[:used] + b"x" * 512 + bytes(1024),
    }
    empty = gzip.compress(b"", mtime=0)
    return {
        **{name: gzip.compress(text, mtime=0) for name, text in texts.items()},
        "two gzip streams": b"".join(
            gzip.compress(part, mtime=0) for part in (tar[:512], tar[512:])
        ),
        "an empty gzip stream first": empty + good,
        "an empty gzip stream last": good + empty,
        "zeros behind the gzip stream": good + bytes(700),
        "the gzip stream ends early": good[: len(good) // 2],
    }
