"""Facts that only the gate judges: the framing of the archive, METADATA, and sdists."""

from __future__ import annotations

import re

from manyshim.values import Enum, NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import FrozenSet, Mapping, Optional, Tuple


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


class EntryPoint(NamedTuple):
    """One entry point of entry_points.txt, as it is written."""

    group: str
    name: str
    reference: str


class EntryPointFacts(NamedTuple):
    """The scripts of entry_points.txt; `problem` tells why it cannot be read.

    `semicolon` tells whether a line is a comment that begins with a semicolon.
    """

    scripts: Tuple[EntryPoint, ...] = ()
    problem: str = ""
    semicolon: bool = False


class RowFacts(NamedTuple):
    """Paths of RECORD whose row lacks a hash or a size, and those with several rows.

    `columns` has the paths whose row has not three fields, and how many it has. `signatures` are
    members with a row that may have none: `RECORD.jws` and `RECORD.p7s`. `bom` tells whether RECORD
    begins with a byte order mark. `breaks` has the paths of rows with a line break that only some
    readers know, and the first such character. `odd_size` has the sizes that are right, but have a
    sign or zeros before them.
    """

    no_hash: Tuple[str, ...] = ()
    no_size: Tuple[str, ...] = ()
    twice: Tuple[str, ...] = ()
    columns: Tuple[Tuple[str, str], ...] = ()
    signatures: Tuple[str, ...] = ()
    bom: bool = False
    breaks: Tuple[Tuple[str, str], ...] = ()
    odd_size: Tuple[Tuple[str, str], ...] = ()


class VersionField(NamedTuple):
    """The first Wheel-Version of WHEEL: the field's name as it is spelled, and its value, unfolded.

    `folded` tells whether the value begins on the second line.
    """

    name: str
    value: str
    folded: bool = False


def spelled(field: str) -> str:
    """Return a field's name as specifications write it."""
    return field.title().replace("-Url", "-URL")


# What uv refuses, found out by trying it; python2 and pypy3.10 are taken.
_INTERPRETER = re.compile(r"pythonw?|python3(?:\.[0-9]+t?)?|pypy3?|graalpy", re.IGNORECASE)


def is_interpreter(name: str) -> bool:
    """Whether uv takes the name of a script for that of an interpreter."""
    return _INTERPRETER.fullmatch(name) is not None


class InvalidField(NamedTuple):
    """A field of METADATA that a reader refuses: its name in lower case, and the reason."""

    field: str
    reason: str


class Rendering(Enum):
    """What became of a description in reStructuredText. Other types cannot fail to render."""

    NOT_NEEDED = "not needed"
    RENDERED = "rendered"
    FAILED = "failed"
    NO_RENDERER = "readme_renderer is not installed"
    TOO_LARGE = "it is too large"
    NOT_RENDERED = "readme_renderer stopped"


class MetadataFacts(NamedTuple):
    """What METADATA or PKG-INFO states, and what is not valid in it.

    `name` and `version` are normalized (PEP 503, PEP 440), and empty if they are not valid.
    `stated` has both as they are spelled. `fields` has the values of the known fields by their
    names in lower case, and `incomplete` is true if it has not all of them. `judged` is true if
    packaging knows the Metadata-Version, and `invalid` is what it refuses. `addresses` are pairs of
    a field and its address. `direct` are dependencies on an address. `repeated` and `unknown` are
    names of fields. `old_classifiers` are pairs of a deprecated classifier and what replaces it.
    `rendering` is that of the description, and `renderer_message` the first line about it.
    """

    name: str
    version: str
    stated: Tuple[str, str]
    fields: Mapping[str, Tuple[str, ...]] = {}
    incomplete: bool = False
    utf8: bool = True
    judged: bool = True
    invalid: Tuple[InvalidField, ...] = ()
    addresses: Tuple[Tuple[str, str], ...] = ()
    direct: Tuple[Tuple[str, str], ...] = ()
    repeated: Tuple[str, ...] = ()
    unknown: Tuple[str, ...] = ()
    unknown_classifiers: Tuple[str, ...] = ()
    old_classifiers: Tuple[Tuple[str, str], ...] = ()
    rendering: Rendering = Rendering.NOT_NEEDED
    renderer_message: str = ""


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
