"""A finding: one thing that an audit has to say, as data. Its sentences are in messages.py."""

from __future__ import annotations

from typing import Any, Optional, Tuple

from manyshim.audit.tags import PlatformTag
from manyshim.values import NamedTuple

ERROR = "error"
POLICY = "policy"
WARNING = "warning"
INFO = "info"

# What stands as evidence where no symbol explains a version.
WEAK_ONLY = "weak references only"
RELR = "DT_RELR"

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
    "CLAIM": ERROR,
    "INDEX_TAG": ERROR,
    "TOO_LARGE": ERROR,
    "WHEEL_TAGS": ERROR,
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
    "FLOAT_ABI_UNKNOWN": INFO,
}


class Finding(NamedTuple):
    """One finding; `policy` is the newest policy that it rules out, `allowed` that it was accepted.

    `subject`, `library` and `symbols` are what it is about; `evidence` is what was seen, in words
    of the file format.
    """

    kind: str
    severity: str
    path: str
    subject: str
    library: str = ""
    symbols: Tuple[str, ...] = ()
    policy: Optional[PlatformTag] = None
    evidence: str = ""
    allowed: bool = False


def sort_key(found: Finding) -> Tuple[Any, ...]:
    """Return what findings are sorted by: all fields, where no policy comes before any policy."""
    return (*found[:6], found.policy or (), *found[7:])


def finding(  # noqa: PLR0913 (the fields of a finding, with its kind's severity filled in)
    kind: str,
    path: str,
    subject: str,
    *,
    severity: str = "",
    library: str = "",
    symbols: Tuple[str, ...] = (),
    policy: Optional[PlatformTag] = None,
    evidence: str = "",
) -> Finding:
    """Make a finding with the severity of its kind, unless another one is given."""
    return Finding(kind, severity or KINDS[kind], path, subject, library, symbols, policy, evidence)
