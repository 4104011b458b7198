"""Findings: the results of an audit as data. Their sentences are in messages.py."""

from __future__ import annotations

from manyshim.audit.tags import PlatformTag
from manyshim.values import Enum, NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Optional, Tuple, TypeAlias

ERROR = "error"
POLICY = "policy"
WARNING = "warning"
INFO = "info"

# A release of glibc or CPython (major, minor), or of musl (major, minor, patch).
Version: TypeAlias = "Tuple[int, ...]"


class Evidence(str, Enum):  # noqa: SLOT000 (as those of the standard library)
    """What was seen. reasons.py has the words for each, as templates for the details."""

    # TOO_NEW: what needs the version, beside strong references to symbols.
    WEAK_REFERENCES = "weak references"
    RELR = "DT_RELR"
    UNVERSIONED = "unversioned"
    # BY_NAME_ONLY.
    PROGRAM = "program"
    OTHER_FOLDER = "other install folder"
    # MUSL_PATCH_LEVEL.
    RUNTIME_COPY = "copy of a compiler runtime"
    # STATIC_TLS.
    BEYOND_SURPLUS = "beyond the surplus"
    NO_SURPLUS = "no surplus"
    # RPATH_LEAK.
    EMPTY_ENTRY = "empty entry"
    ABSOLUTE_ENTRY = "absolute entry"
    VARIABLE_ENTRY = "variable entry"
    RELATIVE_ENTRY = "relative entry"
    ESCAPING_ENTRY = "escaping entry"
    # BAD_PATH.
    ABSOLUTE_PATH = "absolute path"
    PARENT_FOLDER = "parent folder"
    DRIVE = "drive"
    NOT_UTF8 = "not UTF-8"
    CONTROL_CHARACTERS = "control characters"
    TOO_LONG = "too long"
    # RECORD.
    UNLISTED = "unlisted"
    ABSENT = "absent"
    WRONG_SIZE = "wrong size"
    WRONG_HASH = "wrong hash"
    WEAK_HASH = "weak hash"
    WRONG_CRC = "wrong CRC"
    BLANK_LINE = "blank line"
    SECOND_READER = "second reader"
    # NO_ELF.
    TAGGED_FOR_LINUX = "tagged for Linux"
    COMPILER_CALLED = "compiler called"
    CODE_EXPECTED = "code expected"
    # ELF_IN_PURE_WHEEL: what marks the file as pure.
    ANY_TAG = "the platform tag any"
    PURELIB_FOLDER = "the folder purelib"
    ROOT_IS_PURELIB = "Root-Is-Purelib: true"
    # WHEEL_TAGS.
    OTHER_TAGS = "other tags"
    COMPRESSED_TAGS = "compressed tags"
    # NO_INIT.
    NO_MODULE_WITH_INIT = "no module with init function"
    # ABI3.
    NOT_IN_STABLE_ABI = "not in the stable ABI"
    # SUFFIX.
    OTHER_INTERPRETER = "other interpreter"
    NO_STABLE_ABI = "no stable ABI"
    OTHER_PLATFORM = "other platform"
    OTHER_TARGET = "other target"
    # MIXED_ARCH, MIXED_LIBC.
    OTHER_WHEEL = "other wheel"
    OTHER_FILES = "other files"
    # Why a wheel has no tag; also used by FALSE_TAG.
    NOTHING_TO_AUDIT = "nothing to audit"
    PURE = "pure"
    OTHER_MACHINE = "other machine"
    NOT_FOR_LINUX = "not for Linux"
    VERIFIED = "verified for another system"
    NOT_AS_TAGGED = "errors for another system"
    OTHER_ARCH = "architecture without policies"
    ERRORS = "errors"
    OTHER_HASH = "other hash"
    NO_POLICY_HOLDS = "no policy holds"
    FILES_OF_OTHER = "files of another architecture or libc"
    UNKNOWN_POLICY = "unknown policy"
    OLDER_THAN_ALL = "older than all policies"
    NOT_PROVED = "not proved"
    NOTHING_PROVED = "nothing proved"
    REFUSED_BY_INTERPRETER = "refused by the interpreter"


class Advice(str, Enum):  # noqa: SLOT000
    """What the fix of a finding depends on: who made the file, or what the symbol is."""

    RUST = "Rust"
    ZIG = "zig"
    # zig compiled for an older glibc than the symbol's, so that something else brought it.
    NOT_ZIG = "not zig"
    # A library of the system that a repair copied into the wheel.
    COPIED = "copied"
    # No older glibc has a symbol of that name.
    NEW_NAME = "new name"
    # A repair has run, and could not resolve the finding.
    REPAIRED = "repaired"


KINDS = {
    "TOO_NEW": POLICY,
    "EXTERNAL_LIBRARY": POLICY,
    "FORBIDDEN_SYMBOL": POLICY,
    "UNKNOWN_NAMESPACE": POLICY,
    "BY_NAME_ONLY": POLICY,
    "ISA": ERROR,
    "ELF_CORRUPT": ERROR,
    "WRONG_ABI": ERROR,
    "WRONG_OS": ERROR,
    "MIXED_ARCH": ERROR,
    "MIXED_LIBC": ERROR,
    "NEEDED_PATH": ERROR,
    "VERDEF_MISSING": ERROR,
    "LIBPYTHON": ERROR,
    "MUSL_UNDEFINED": ERROR,
    "ELF_IN_PURE_WHEEL": ERROR,
    "DUP_MEMBER": ERROR,
    "SYMLINK_MEMBER": ERROR,
    "BAD_PATH": ERROR,
    "EXECSTACK": ERROR,
    "ABI3": ERROR,
    "FALSE_TAG": ERROR,
    "INDEX_TAG": ERROR,
    "TOO_LARGE": ERROR,
    "METADATA": ERROR,
    "FILE_NAME": ERROR,
    "LICENSE_FILE": ERROR,
    "ENTRY_POINTS": ERROR,
    "DESCRIPTION": ERROR,
    "ZIP_FRAMING": ERROR,
    "INSTALL_PATH": ERROR,
    "WRONG_PLATFORM": ERROR,
    "MACOS_VERSION": ERROR,
    "MISSING_SLICE": ERROR,
    "MACOS_LIBRARY": ERROR,
    "UNSIGNED": ERROR,
    "WINDOWS_LIBRARY": ERROR,
    "DEBUG_RUNTIME": ERROR,
    "PYTHON_DLL": ERROR,
    "CODE_CORRUPT": ERROR,
    "SDIST": ERROR,
    "INCOMPLETE_SET": ERROR,
    "WHEEL_TAGS": ERROR,
    "WHEEL_FILE": ERROR,
    "UNUSABLE_TAG": WARNING,
    "VC_RUNTIME": WARNING,
    "NO_INIT": WARNING,
    "SUFFIX": WARNING,
    "UNDEFINED": WARNING,
    "RPATH_LEAK": WARNING,
    "TEXTREL": WARNING,
    "VENDORED_SONAME_CLASH": WARNING,
    "PAGE_ALIGN": WARNING,
    "RECORD": WARNING,
    "NO_ELF": WARNING,
    "NO_MODULE": WARNING,
    "ELF_DAMAGED": WARNING,
    "MUSL_PATCH_LEVEL": WARNING,
    "EXCLUDED": INFO,
    "DEVICE_CODE": INFO,
    "LIBC_ASSUMED": INFO,
    "STATIC_TLS": INFO,
    "COMMONLY_ABSENT": INFO,
    "WX_SEGMENT": INFO,
    "STATIC_OBJECT": INFO,
    "DUPLICATE_LIBRARY": INFO,
    "FLOAT_ABI_UNKNOWN": INFO,
}


class Row(NamedTuple):
    """What a problem means: its kind and severity, and templates of its sentence.

    A template may use `{subject}`, `{library}`, `{symbols}`, `{path}`, and `{0}`, `{1}` and so on
    for the details.
    """

    kind: str
    severity: str
    message: str
    fix: str = ""


class Problem(Enum):
    """What a rule found, of the gate or for other systems. Each value is a Row.

    Each rule's module has its problems.
    """


class Finding(NamedTuple):
    """One finding.

    `path` is the member, empty if the finding is about the whole wheel. `subject`, `library` and
    `symbols` are what the finding is about. `policy` is the newest policy that it rules out.
    `required` is the version that the file needs, if the finding is about one. `evidence` is what
    was seen, with its values in `details`. `allowed` is true if the user accepted the finding.
    `advice` is what its fix depends on, if that is known. `problem` is set for the problems of the
    gate and of other systems. `causes` are the findings that a tag is not proved for (FALSE_TAG),
    the strongest first; its path, library and symbols are those of the first.
    """

    kind: str
    severity: str
    path: str
    subject: str
    library: str = ""
    symbols: Tuple[str, ...] = ()
    policy: Optional[PlatformTag] = None
    required: Optional[Version] = None
    evidence: Optional[Evidence] = None
    details: Tuple[str, ...] = ()
    allowed: bool = False
    advice: Optional[Advice] = None
    problem: Optional[Problem] = None
    causes: Tuple[Finding, ...] = ()


def dotted(version: Version) -> str:
    """Return a version with dots, as `2.34`."""
    return ".".join(map(str, version))


def sort_key(found: Finding) -> Tuple[Any, ...]:
    """Return the sort key of a finding: all fields; None sorts before every value."""
    optional = (found.policy or (), found.required or (), found.evidence or "")
    name = found.problem.name if found.problem else ""
    return (*found[:6], *optional, found.details, found.allowed, name)


def finding(  # noqa: PLR0913 (the fields of a finding, with its kind's severity filled in)
    kind: str,
    path: str,
    subject: str,
    *,
    severity: str = "",
    library: str = "",
    symbols: Tuple[str, ...] = (),
    policy: Optional[PlatformTag] = None,
    required: Optional[Version] = None,
    evidence: Optional[Evidence] = None,
    details: Tuple[str, ...] = (),
) -> Finding:
    """Return a finding with the severity of its kind, unless another one is given."""
    return Finding(
        *(kind, severity or KINDS[kind], path, subject, library, symbols, policy),
        *(required, evidence, details),
    )


def problem_finding(what: Problem, path: str = "", *details: str, subject: str = "") -> Finding:
    """Return the finding of a problem of the gate; without a `subject`, its own name is it."""
    row: Row = what.value
    subject = subject or what.name.lower().replace("_", " ")
    return Finding(row.kind, row.severity, path, subject, details=details, problem=what)
