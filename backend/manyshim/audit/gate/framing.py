"""The gate on the archive: how it is built, and which readers refuse it."""

from __future__ import annotations

from typing import Iterable, Iterator, Mapping

from manyshim.audit.findings import ERROR, INFO, WARNING, Finding, Problem, Row, problem_finding
from manyshim.audit.gate.facts import Framing, Oddity

_KIND = "ZIP_FRAMING"
_AGAIN = "write the archive anew with `manyshim retag -w DIR`"
_INDEX = "the package index refuses the archive"
_STREAMING = "the package index and uv refuse the archive"
_REFUSES = "uv refuses the archive"
_UV = "uv refuses the archive when it installs from an index"
_REBUILD = "rebuild the wheel, and do not edit it in place"
_DAMAGED = "rebuild the wheel"


class FramingProblem(Problem):
    """What is wrong with the framing of an archive. The readers were asked, not only read about."""

    PREFIX = Row(
        _KIND, ERROR, f"the file has {{0}} bytes before the first member; {_STREAMING}", _AGAIN
    )
    PADDING = Row(
        _KIND, ERROR, f"has {{0}} unused bytes before it, at offset {{1}}; {_STREAMING}", _AGAIN
    )
    HIDDEN = Row(
        _KIND,
        ERROR,
        f"has a header at offset {{0}} that the directory does not list; {_STREAMING}",
        _AGAIN,
    )
    TRAILING = Row(_KIND, ERROR, f"the file has {{0}} bytes behind its end; {_STREAMING}", _AGAIN)
    ALSO_TAR = Row(_KIND, ERROR, f"the file is also a tar archive; {_INDEX}", _REBUILD)
    RATIO = Row(
        _KIND,
        ERROR,
        "the members have {0} MiB, more than 50 times the {1} KiB of the file; the package index "
        "refuses this beyond 64 MiB",
        "remove files that are nearly empty",
    )
    OVERLAP = Row(
        _KIND,
        ERROR,
        f"has a header or contents that run into the next member; {_STREAMING}",
        _AGAIN,
    )
    LOCATOR = Row(
        _KIND,
        ERROR,
        "the zip64 locator leads elsewhere, or to another disk; installers refuse the archive",
        _AGAIN,
    )
    LOCATOR_DISKS = Row(
        _KIND,
        WARNING,
        "the zip64 locator counts no disks; the module zipfile of Python 3.6 refuses the file",
        _AGAIN,
    )
    END_RECORDS = Row(
        _KIND, ERROR, f"the two end records state different numbers; {_STREAMING}", _AGAIN
    )
    END64_DATA = Row(
        _KIND, ERROR, f"the zip64 end record states more data than it has; {_STREAMING}", _AGAIN
    )
    COMMENT_LENGTH = Row(
        _KIND, ERROR, f"the comment of the file is shorter than stated; {_STREAMING}", _AGAIN
    )
    COMMENT_SIGNATURE = Row(
        _KIND,
        ERROR,
        "the comment of the file has the signature of a zip record; uv refuses it as a second file",
        _AGAIN,
    )
    DESCRIPTOR = Row(
        _KIND, ERROR, f"is followed by a data descriptor (flag bit 3); {_INDEX}", _AGAIN
    )
    NO_HEADER = Row(_KIND, ERROR, "has no local header; no reader finds it", _DAMAGED)
    OTHER_NAME = Row(
        _KIND, ERROR, f"has the name '{{0}}' in its local header; {_STREAMING}", _AGAIN
    )
    OTHER_FLAGS = Row(
        _KIND,
        ERROR,
        "has the flags {0} in its local header, {1} in the directory; uv refuses it",
        _AGAIN,
    )
    OTHER_METHOD = Row(
        _KIND,
        ERROR,
        f"has the method {{0}} in its local header, {{1}} in the directory; {_UV}",
        _AGAIN,
    )
    OTHER_CRC = Row(_KIND, ERROR, f"has another CRC in its local header; {_UV}", _AGAIN)
    OTHER_SIZE = Row(_KIND, ERROR, f"has other sizes in its local header; {_STREAMING}", _AGAIN)
    BAD_EXTRA = Row(
        _KIND, ERROR, f"has an extra field that is cut off or lacks a value; {_STREAMING}", _AGAIN
    )
    DUPLICATE_EXTRA = Row(_KIND, ERROR, f"has the extra field {{0}} twice; {_REFUSES}", _AGAIN)
    NEEDLESS_ZIP64 = Row(_KIND, ERROR, f"has zip64 sizes that no field asks for; {_UV}", _AGAIN)
    ZIP64_DISK = Row(
        _KIND,
        ERROR,
        "has a disk number in its zip64 field; the module zipfile refuses it up to Python 3.8",
        _AGAIN,
    )
    # zipfile writes it for a member whose size it does not know (force_zip64). All readers take it.
    NEEDLESS_LOCAL_ZIP64 = Row(
        _KIND, INFO, "has zip64 sizes in its local header that no field asks for", _AGAIN
    )
    LOCAL_ZIP64 = Row(
        _KIND, ERROR, f"has other zip64 sizes in its local header; {_STREAMING}", _AGAIN
    )
    CONTROL_PATH = Row(
        _KIND, ERROR, f"has control characters in its Unicode path; {_INDEX}", _AGAIN
    )
    UNICODE_PATH = Row(
        _KIND,
        ERROR,
        "has another name, '{0}', in its Unicode path; readers differ in the name",
        _AGAIN,
    )
    UNSUPPORTED_FLAG = Row(
        _KIND,
        ERROR,
        "has the flags {0}; no installer supports patched data or strong encryption",
        _REBUILD,
    )
    UNSUPPORTED_VERSION = Row(
        _KIND, ERROR, "needs version {0} of the zip format; installers support 6.3", _AGAIN
    )
    COMMENT = Row(_KIND, ERROR, f"has a comment in the directory; {_INDEX}", _AGAIN)
    NAME_ENCODING = Row(
        _KIND,
        ERROR,
        f"has a name that is not ASCII, without the flag for UTF-8; {_STREAMING}",
        _AGAIN,
    )
    FOLDER_TWICE = Row(_KIND, ERROR, f"is a folder entry more than once; {_INDEX}", _AGAIN)
    FOLDER_NAME = Row(
        _KIND,
        ERROR,
        f"is a folder entry with control characters, or not UTF-8; {_STREAMING}",
        _REBUILD,
    )
    FOLDER_DATA = Row(_KIND, ERROR, f"is a folder entry with contents; {_UV}", _REBUILD)
    FOLDER_OVER_FILE = Row(
        _KIND, ERROR, f"is a folder entry with the name of a file; {_REFUSES}", _REBUILD
    )
    UNENDED_STREAM = Row(
        _KIND, ERROR, "has a compressed stream that does not end; uv refuses it", _DAMAGED
    )
    LONGER_STREAM = Row(
        _KIND, ERROR, "inflates to more bytes than the archive states; uv refuses it", _DAMAGED
    )
    STREAM_REST = Row(
        _KIND, ERROR, f"has bytes behind the end of its compressed stream; {_UV}", _DAMAGED
    )


_PROBLEMS: Mapping[Framing, FramingProblem] = {what: FramingProblem[what.name] for what in Framing}


def framing(found: Iterable[Oddity]) -> Iterator[Finding]:
    """Yield a finding for each oddity of the archive."""
    for one in found:
        yield problem_finding(_PROBLEMS[one.what], one.path, *one.details)
