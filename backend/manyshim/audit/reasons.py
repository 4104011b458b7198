"""The words for evidence, the escaping of names of others, and templates of sentences."""

from __future__ import annotations

from manyshim.audit.findings import Evidence, Finding
from manyshim.errors import escape, shorten
from manyshim.values import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Callable, Optional, Sequence, Tuple

_MAX_NAMES_SHOWN = 4
_NO_DETAILS = ("", "", "", "")


def join_names(listed: Tuple[str, ...], most: int = _MAX_NAMES_SHOWN) -> str:
    """Join up to `most` shortened names with commas, and count the others: `a, b and 2 more`."""
    text = ", ".join(map(shorten, listed[:most]))
    more = len(listed) - most
    return f"{text} and {more} more" if more > 0 else text


_EVIDENCE = {
    Evidence.WEAK_REFERENCES: "only weak references",
    Evidence.RELR: "DT_RELR",
    Evidence.PROGRAM: "a program",
    Evidence.OTHER_FOLDER: "no fixed path leads there from the folder {0} of an installation",
    Evidence.UNVERSIONED: "asked for without a version",
    Evidence.RUNTIME_COPY: "a copy of the compiler's runtime",
    Evidence.BEYOND_SURPLUS: "no glibc has more than {1} bytes for files that are opened later",
    Evidence.NO_SURPLUS: "musl has no room for it in files that are opened later",
    Evidence.EMPTY_ENTRY: "means the current folder",
    Evidence.ABSOLUTE_ENTRY: "is an absolute path",
    Evidence.VARIABLE_ENTRY: "differs between systems",
    Evidence.RELATIVE_ENTRY: "is relative to the current folder",
    Evidence.ESCAPING_ENTRY: "leads out of the wheel",
    Evidence.ABSOLUTE_PATH: "it is absolute",
    Evidence.PARENT_FOLDER: "it contains '..'",
    Evidence.DRIVE: "it begins with a drive letter",
    Evidence.NOT_UTF8: "it is not UTF-8",
    Evidence.CONTROL_CHARACTERS: "it contains control characters",
    Evidence.TOO_LONG: "it is longer than file systems allow",
    Evidence.UNLISTED: "is not listed in RECORD",
    Evidence.ABSENT: "is listed in RECORD but missing from the wheel",
    Evidence.WRONG_SIZE: "does not have the size that RECORD states",
    Evidence.WRONG_HASH: "does not have the hash that RECORD states",
    Evidence.WEAK_HASH: "has a hash in RECORD that is weaker than SHA-256, or of no known kind",
    Evidence.WRONG_CRC: "is corrupt in the archive: its data do not match its CRC",
    Evidence.BLANK_LINE: "contains a blank line, where some installers stop reading",
    Evidence.SECOND_READER: "cannot be read by the library wheel ({0})",
    Evidence.TAGGED_FOR_LINUX: "it is tagged for Linux",
    Evidence.COMPILER_CALLED: "a compiler ran",
    Evidence.CODE_EXPECTED: "strict or platform asks for a compiled one",
    Evidence.ANY_TAG: "the platform tag any",
    Evidence.PURELIB_FOLDER: "the folder purelib",
    Evidence.ROOT_IS_PURELIB: "Root-Is-Purelib: true",
    Evidence.OTHER_TAGS: "does not have the tags of the file name: the name has {0}; WHEEL has {1}",
    Evidence.COMPRESSED_TAGS: "has a compressed tag set, {1}; PEP 427 requires a line for each tag",
    Evidence.NO_MODULE_WITH_INIT: "no module of the wheel exports its init function",
    Evidence.NOT_IN_STABLE_ABI: "not in the stable ABI as of CPython {0}",
    Evidence.OTHER_INTERPRETER: "the wheel's tags include {0}, where it is not loaded",
    Evidence.NO_STABLE_ABI: "free-threaded CPython has no stable ABI before 3.15; only the name "
    "makes {0} load such a file",
    Evidence.OTHER_PLATFORM: "the file is for {1}, where {0} is not loaded",
    Evidence.OTHER_TARGET: "the target's Python looks for {1}; {0} is not loaded",
    Evidence.OTHER_WHEEL: "the wheel is for {0}",
    Evidence.OTHER_FILES: "other files are for {0}",
    Evidence.NOTHING_TO_AUDIT: "the wheel contains nothing to audit",
    Evidence.PURE: "a pure wheel: there is no machine code to audit",
    Evidence.OTHER_MACHINE: "the machine code is for {0}, which no tag names",
    Evidence.NOT_FOR_LINUX: "for {0}: not audited",
    Evidence.VERIFIED: "for {0}: audited, no errors",
    Evidence.NOT_AS_TAGGED: "for {0}: audited, with errors: {1}",
    Evidence.OTHER_ARCH: "no policy is defined for the architecture {0}",
    Evidence.ERRORS: "errors block every tag: {0}",
    Evidence.OTHER_HASH: "RECORD states another hash: rebuild the wheel, or pass --rebuild-record",
    Evidence.NO_POLICY_HOLDS: "the wheel meets no policy",
    Evidence.FILES_OF_OTHER: "the files are for {1}, not for {0}",
    Evidence.UNKNOWN_POLICY: "{0} does not exist; no such policy is defined for {1}",
    Evidence.OLDER_THAN_ALL: "{0} is older than every policy for {1}; the oldest is {2}",
    Evidence.NOT_PROVED: "the wheel does not meet {0}; the oldest policy that it meets is {1}",
    Evidence.NOTHING_PROVED: "the wheel does not meet {0} or any other policy",
    Evidence.REFUSED_BY_INTERPRETER: "the building Python does not accept {0} (_manylinux)",
}


def describe(evidence: Optional[Evidence], details: Sequence[str] = ()) -> str:
    """Return the words for what was seen, or for why there is no tag; empty without evidence."""
    if evidence is None:
        return ""
    return _EVIDENCE[evidence].format(*escape_details(details))


def escape_details(details: Sequence[str]) -> Tuple[str, ...]:
    """Return the details, escaped, with empty ones added so that every template has enough."""
    return (*map(escape, details), *_NO_DETAILS)


class Sentence(NamedTuple):
    """A finding in words: `message` has the problem and the limit, `fix` an instruction."""

    message: str
    fix: str = ""


def policy_name(found: Finding) -> str:
    """Return the name of the policy that a finding rules out."""
    return found.policy.without_arch if found.policy else "every policy"


def template(message: str, fix: str = "") -> Callable[[Finding], Sentence]:
    """Return a function that fills both templates with the fields of a finding."""

    def sentence(found: Finding) -> Sentence:
        fields = {
            "subject": shorten(found.subject),
            "library": shorten(found.library),
            "symbols": join_names(found.symbols),
            "evidence": describe(found.evidence, found.details),
            "path": shorten(found.path),
            "policy": policy_name(found),
        }
        details = escape_details(found.details)
        return Sentence(message.format(*details, **fields), fix.format(*details, **fields))

    return sentence
