"""The gate on sdists: what the index refuses, and what pip and uv do not unpack."""

from __future__ import annotations

from typing import Iterator, Mapping

from manyshim.audit.findings import ERROR, Finding, Problem, Row, problem_finding
from manyshim.audit.gate.facts import SdistFacts

_KIND = "SDIST"
_REBUILD = "build it with a current build backend"
_LEAVE_OUT = "leave the file out of the sdist"


class SdistProblem(Problem):
    """What is wrong with an sdist (PEP 625, PEP 721, and the rules of the index)."""

    EXTENSION = Row(
        _KIND,
        ERROR,
        "the package index accepts sdists as .tar.gz only",
        "build it with `python -m build --sdist` or `uv build --sdist`",
    )
    NAME = Row(_KIND, ERROR, "the file is named {0}; the package index requires '{1}'", _REBUILD)
    TOP = Row(
        _KIND,
        ERROR,
        "the archive has {0} top-level entries ({1}); the package index requires one folder",
        _REBUILD,
    )
    DOT = Row(
        _KIND,
        ERROR,
        "the names in the archive begin with './'; the package index does not find PKG-INFO",
        "pack the folder by its name, without './'",
    )
    NO_PKG_INFO = Row(_KIND, ERROR, "the archive has no PKG-INFO in its top-level folder", _REBUILD)
    ALSO_ZIP = Row(
        _KIND, ERROR, "the file is also a zip archive; the package index refuses it", _REBUILD
    )
    SPARSE = Row(_KIND, ERROR, "is a sparse file; the package index and uv refuse it", _LEAVE_OUT)
    CLIMBS = Row(_KIND, ERROR, "leaves the folder; pip and uv refuse to unpack it", _LEAVE_OUT)
    SPECIAL = Row(_KIND, ERROR, "is a device or a pipe; pip and uv refuse to unpack it", _LEAVE_OUT)
    LINK = Row(
        _KIND,
        ERROR,
        "is a link to a place outside of the top-level folder; pip refuses to unpack it",
        _LEAVE_OUT,
    )
    NO_TARGET = Row(
        _KIND,
        ERROR,
        "is a hard link, and no file before it has the name that it links to; pip or uv refuse to "
        "unpack it",
        "store the file itself",
    )
    TARGET = Row(
        _KIND,
        ERROR,
        "is a link whose target is empty, has '..' behind a folder, or characters that uv refuses",
        "link to a plain relative path",
    )
    MEMBER_NAME = Row(
        _KIND,
        ERROR,
        "has a name that uv refuses to unpack: with a control character, a colon, a backslash, a "
        "space or slash at the end, or not UTF-8",
        "rename the file, or leave it out of the sdist",
    )
    TOO_LONG = Row(
        _KIND, ERROR, "has a name or target that is longer than file systems allow", _LEAVE_OUT
    )
    FILE_AND_FOLDER = Row(
        _KIND,
        ERROR,
        "is a file or a link, but also a folder with members; pip or uv refuse to unpack it",
        "leave one of both out of the sdist",
    )
    PAYLOAD = Row(
        _KIND, ERROR, "is a link or a folder that states a size; uv refuses to unpack it", _REBUILD
    )
    MAGIC = Row(
        _KIND,
        ERROR,
        "has a header of an old format, neither of POSIX nor of GNU tar; uv refuses to unpack it",
        _REBUILD,
    )
    FORMAT = Row(
        _KIND,
        ERROR,
        "has a header of another format (POSIX or GNU tar) than the first; uv refuses to unpack it",
        "write the archive in one format, in one run",
    )
    NUMBER = Row(
        _KIND,
        ERROR,
        "has a number in its header that uv refuses: with spaces before it, without an end, "
        "negative, or no number",
        _REBUILD,
    )
    PAX = Row(
        _KIND,
        ERROR,
        "has an extended header (pax) that uv refuses: with an unknown keyword, or a wrong value",
        _REBUILD,
    )
    LONG_NAME = Row(
        _KIND,
        ERROR,
        "has a long name or target (GNU tar) that does not end with NUL; uv refuses to unpack it",
        _REBUILD,
    )
    TIME = Row(
        _KIND,
        ERROR,
        "has a time of modification that no system can set; pip fails to unpack it",
        "set the time of the file",
    )
    LINK_NAME = Row(
        _KIND,
        ERROR,
        "is no link, and its header states a target; uv refuses to unpack it",
        _REBUILD,
    )
    SURPLUS = Row(
        _KIND,
        ERROR,
        "the archive ends with a header for members that do not follow; pip refuses to unpack it",
        _REBUILD,
    )
    UNENDED = Row(
        _KIND,
        ERROR,
        "the archive does not end with two blocks of zeros; uv refuses to unpack it",
        _REBUILD,
    )
    PARTS = Row(
        _KIND,
        ERROR,
        "the file consists of several gzip streams; uv unpacks only the first",
        "compress the archive in one run",
    )
    NOT_BUILDABLE = Row(
        _KIND, ERROR, "the archive has no pyproject.toml and no setup.py; nothing can build it",
        "include pyproject.toml in the sdist",
    )  # fmt: skip


_ODD: Mapping[str, SdistProblem] = {
    "climbs": SdistProblem.CLIMBS,
    "sparse": SdistProblem.SPARSE,
    "special": SdistProblem.SPECIAL,
    "link": SdistProblem.LINK,
    "no target": SdistProblem.NO_TARGET,
    "target": SdistProblem.TARGET,
    "name": SdistProblem.MEMBER_NAME,
    "long": SdistProblem.TOO_LONG,
    "folder": SdistProblem.FILE_AND_FOLDER,
    "payload": SdistProblem.PAYLOAD,
    "magic": SdistProblem.MAGIC,
    "format": SdistProblem.FORMAT,
    "number": SdistProblem.NUMBER,
    "pax": SdistProblem.PAX,
    "long name": SdistProblem.LONG_NAME,
    "time": SdistProblem.TIME,
    "link name": SdistProblem.LINK_NAME,
    "surplus": SdistProblem.SURPLUS,
    "unended": SdistProblem.UNENDED,
    "parts": SdistProblem.PARTS,
}


def extension() -> Finding:
    """Return the finding for an archive of another format."""
    return problem_finding(SdistProblem.EXTENSION)


def sdist(facts: SdistFacts) -> Iterator[Finding]:
    """Yield findings for an sdist, except for those of its metadata."""
    if facts.also_zip:
        yield problem_finding(SdistProblem.ALSO_ZIP)
    for what, path in facts.odd:
        yield problem_finding(_ODD[what], path)
    if len(facts.tops) != 1:
        listed = ", ".join(facts.tops[:4])
        yield problem_finding(SdistProblem.TOP, "", str(len(facts.tops)), listed)
        return
    if facts.tops == (".",):
        yield problem_finding(SdistProblem.DOT)
        return
    if facts.metadata is None:
        yield problem_finding(SdistProblem.NO_PKG_INFO)
    elif facts.metadata.name and facts.metadata.version:
        project = facts.metadata.name.replace("-", "_")
        expected = f"{project}-{facts.metadata.version}.tar.gz"
        if facts.filename != expected:
            yield problem_finding(SdistProblem.NAME, "", facts.filename, expected)
    if not {f"{facts.tops[0]}/{name}" for name in ("pyproject.toml", "setup.py")} & facts.paths:
        yield problem_finding(SdistProblem.NOT_BUILDABLE)
