"""Facts that only the gate judges: the framing of the archive, METADATA, and sdists."""

from __future__ import annotations

from enum import Enum
from typing import FrozenSet, Optional, Tuple

from manyshim.values import NamedTuple


class Framing(Enum):
    """Where an archive differs from what every reader takes (APPNOTE.TXT)."""

    PREFIX = "bytes before the first member"
    PADDING = "bytes between members"
    HIDDEN = "a member that the directory does not list"
    TRAILING = "bytes behind the end"
    ALSO_TAR = "the file is also a tar archive"
    RATIO = "the members are many times as large as the file"
    OVERLAP = "a member that runs into the next one"
    LOCATOR = "the zip64 locator leads elsewhere"
    LOCATOR_DISKS = "the zip64 locator counts no disks"
    END_RECORDS = "the two end records differ"
    END64_DATA = "more data in the zip64 end record"
    COMMENT_LENGTH = "the stated comment is longer than the file"
    COMMENT_SIGNATURE = "a comment with the signature of a record"
    DESCRIPTOR = "a data descriptor"
    NO_HEADER = "no local header"
    OTHER_NAME = "another name in the local header"
    OTHER_FLAGS = "other flags in the local header"
    OTHER_METHOD = "another method in the local header"
    OTHER_CRC = "another CRC in the local header"
    OTHER_SIZE = "other sizes in the local header"
    BAD_EXTRA = "an extra field that is cut off"
    DUPLICATE_EXTRA = "an extra field twice"
    NEEDLESS_ZIP64 = "zip64 sizes that no field asks for"
    ZIP64_DISK = "a zip64 field with the number of a disk"
    NEEDLESS_LOCAL_ZIP64 = "zip64 sizes in the local header that no field asks for"
    LOCAL_ZIP64 = "a zip64 field of other sizes in the local header"
    CONTROL_PATH = "a Unicode path with control characters"
    UNICODE_PATH = "a Unicode path with another name"
    UNSUPPORTED_FLAG = "a flag for what no reader supports"
    UNSUPPORTED_VERSION = "a version of the format that no reader supports"
    COMMENT = "a comment"
    NAME_ENCODING = "a name that is not ASCII, without the flag for UTF-8"
    FOLDER_TWICE = "a folder entry twice"
    FOLDER_NAME = "a folder entry with control characters, or not UTF-8"
    FOLDER_DATA = "a folder entry with contents"
    FOLDER_OVER_FILE = "a folder entry with the name of a file"
    UNENDED_STREAM = "a compressed stream that does not end"
    LONGER_STREAM = "a compressed stream that has more bytes than stated"
    STREAM_REST = "bytes behind the end of a compressed stream"


class Oddity(NamedTuple):
    """One difference: the member, or empty for the archive, and values that describe it."""

    what: Framing
    path: str = ""
    details: Tuple[str, ...] = ()


class NameFacts(NamedTuple):
    """The project and the version of a file name, normalized (PEP 503, PEP 440).

    Empty where the file name has none that is valid.
    """

    project: str
    version: str


class EntryPoints(NamedTuple):
    """The scripts of entry_points.txt: group, name and object reference. `error` if it has none.

    `semicolon` tells whether a line is a comment that begins with a semicolon.
    """

    scripts: Tuple[Tuple[str, str, str], ...] = ()
    semicolon: bool = False
    error: str = ""


class RowFacts(NamedTuple):
    """Paths of RECORD whose row lacks a hash or a size, and those with several rows.

    `columns` has the paths whose row has not three fields, and how many it has. `signatures` are
    members with a row that may have none: `RECORD.jws` and `RECORD.p7s`. `bom` tells whether RECORD
    begins with a byte order mark.
    """

    no_hash: Tuple[str, ...] = ()
    no_size: Tuple[str, ...] = ()
    twice: Tuple[str, ...] = ()
    columns: Tuple[Tuple[str, str], ...] = ()
    signatures: Tuple[str, ...] = ()
    bom: bool = False


class VersionField(NamedTuple):
    """The first Wheel-Version of WHEEL: the field's name as it is spelled, and its value, unfolded.

    `folded` tells whether the value begins on the second line.
    """

    name: str
    value: str
    folded: bool = False


class MetadataFacts(NamedTuple):
    """What METADATA or PKG-INFO states, and what is not valid in it.

    `name` and `version` are normalized (PEP 503, PEP 440), and empty if they are not valid.
    `stated` has both as they are spelled. `metadata_version` is empty if it is missing. `invalid`
    has fields with a value that is not valid, `urls` the requirements that name an address.
    `decoded` is false if it is not UTF-8.
    """

    name: str
    version: str
    stated: Tuple[str, str]
    metadata_version: str = "2.1"
    licenses: Tuple[str, ...] = ()
    invalid: Tuple[Tuple[str, str], ...] = ()
    urls: Tuple[str, ...] = ()
    repeated: Tuple[str, ...] = ()
    summary: int = 0
    both_licenses: bool = False
    decoded: bool = True


class SdistFacts(NamedTuple):
    """What was read from an sdist.

    `tops` are the first parts of its members' paths, sorted, and `paths` all of them. `metadata` is
    that of PKG-INFO in a top-level folder. `odd` has the members that cannot be unpacked: why, and
    the path. `size` is that of the file, in bytes. `also_zip` tells whether the file is a zip, too.
    """

    filename: str
    name: NameFacts
    tops: Tuple[str, ...]
    paths: FrozenSet[str]
    metadata: Optional[MetadataFacts]
    odd: Tuple[Tuple[str, str], ...] = ()
    size: int = 0
    also_zip: bool = False
