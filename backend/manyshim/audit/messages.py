"""The sentences that users read about findings: what is wrong, where, the limit, and the fix.

Those of the gate's problems are beside their rules (`audit/gate/`), because a kind has many.
The path of the file is printed before the sentence, so the sentence begins with its verb. For
several files the verb becomes plural; no other word may depend on the number of files.
"""

from __future__ import annotations

from manyshim.audit import sentences
from manyshim.audit.findings import Evidence, Finding
from manyshim.audit.reasons import Sentence, template
from manyshim.errors import shorten

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Callable, Dict

_REBUILD = "rebuild the file for the wheel's target, or remove it from the wheel"

SENTENCES: Dict[str, Callable[[Finding], Sentence]] = {
    "TOO_NEW": sentences.too_new,
    "EXTERNAL_LIBRARY": sentences.external,
    "BY_NAME_ONLY": sentences.by_name_only,
    "FORBIDDEN_SYMBOL": sentences.forbidden,
    "UNKNOWN_NAMESPACE": template(
        "needs {subject} from {library}; no policy lists versions with this prefix",
        "link with an unmodified {library}",
    ),
    "ISA": template(
        "is marked as requiring {subject}; a tag promises only the baseline of its architecture",
        "compile without -march={subject}, or put the file under glibc-hwcaps/{subject}/",
    ),
    "ELF_CORRUPT": template("cannot be read: {subject}", "rebuild the file"),
    "ELF_DAMAGED": template(
        "is damaged in a part that the loader does not read: {subject}", "rebuild the file"
    ),
    "WRONG_ABI": template("has an ABI that no platform tag covers: {subject}", _REBUILD),
    "WRONG_OS": template(
        "is for another operating system: {subject}, not System V or GNU", _REBUILD
    ),
    "MIXED_ARCH": template(
        "is for {subject}, but {evidence}",
        "build one wheel for each architecture; if the file is only data, accept it: "
        'allow = ["MIXED_ARCH:{path}"]',
    ),
    "MIXED_LIBC": template(
        "is for {subject}, but {evidence}",
        "build one wheel for each libc; if the file is only data, accept it: "
        'allow = ["MIXED_LIBC:{path}"]',
    ),
    "NEEDED_PATH": template(
        "needs {subject}, which is a path; the loader opens this path on the user's machine",
        "give the library a soname (-Wl,-soname) and link it with -l",
    ),
    "VERDEF_MISSING": sentences.missing_version,
    "LIBPYTHON": template(
        "needs {subject}, which a statically linked Python does not have",
        "do not link extension modules with libpython",
    ),
    "MUSL_UNDEFINED": template(
        "needs {symbols}, which no release of musl and no library in the wheel defines; "
        "the import fails",
        "build on musl (a musllinux image), or do not use the symbol",
    ),
    "MUSL_PATCH_LEVEL": sentences.musl_patch_level,
    "ELF_IN_PURE_WHEEL": sentences.pure,
    "NO_ELF": sentences.no_elf,
    "NO_MODULE": template(
        "{subject} should have been built but is not in the wheel",
        "find its error in the build output (an optional extension can fail silently); "
        "provide libraries that it needs with the option sysroot",
    ),
    "DUP_MEMBER": template(
        "is in the archive {0} times; installers differ in which one they use",
        "write each member once",
    ),
    "SYMLINK_MEMBER": template(
        "is a symbolic link, which installers write as a text file", "store the file itself"
    ),
    "BAD_PATH": template("is not a valid path in a wheel: {evidence}", "rename the file or folder"),
    "WHEEL_FILE": template(
        "states {subject}; installers require Wheel-Version 1.x", "rebuild the wheel"
    ),
    "WHEEL_TAGS": template("{evidence}", "write them anew with `manyshim retag`"),
    "EXECSTACK": sentences.executable_stack,
    "TEXTREL": template(
        "has relocations in its code ({subject}), which SELinux and musl refuse",
        "compile every object with -fPIC",
    ),
    "UNUSABLE_TAG": template(
        "no interpreter accepts the tag {subject}, so no installer takes the wheel",
        "use the tags of the Python that you built with, for example cp311-cp311 or cp311-abi3",
    ),
    "NO_INIT": sentences.no_init,
    "SUFFIX": sentences.suffix,
    "ABI3": sentences.abi3,
    "UNDEFINED": template(
        "needs {symbols}, which no library that it loads defines",
        "link the library that defines it; if only a newer libc does, request a newer platform",
    ),
    "RPATH_LEAK": template(
        "has a search path outside of the wheel: '{subject}' {evidence}",
        'let manyshim remove it (`fix = ["rpath"]` in [tool.manyshim], or `--fix rpath` of `retag` '
        "and `repair`), or remove it from the link flags; in a wheel, use only $ORIGIN/...",
    ),
    "VENDORED_SONAME_CLASH": template(
        "has the soname {subject}; a process may already have another library of that name",
        "rename the file and its SONAME, as auditwheel does",
    ),
    "PAGE_ALIGN": template(
        "is aligned to pages of {subject} bytes; kernels with 64 KiB pages cannot load it",
        "link with -Wl,-z,max-page-size=65536",
    ),
    "RECORD": sentences.record,
    "FALSE_TAG": sentences.false_tag,
    "TOO_LARGE": template(
        "the size of the wheel is {subject}; the package index accepts {0} by default",
        "remove unneeded files, strip debug information, or ask the index for a higher limit",
    ),
    "STATIC_TLS": sentences.static_tls,
    "COMMONLY_ABSENT": template(
        "needs {subject}, which the policies allow but slim containers do not have",
        "tell your users to install it",
    ),
    "WX_SEGMENT": template(
        "has memory that is writable and executable ({subject}), which hardened kernels refuse",
        "link without -Wl,-N and without a linker script that merges segments",
    ),
    "STATIC_OBJECT": template("is never loaded ({subject})", "remove it from the wheel"),
    "DUPLICATE_LIBRARY": template(
        "is in the wheel {0} times, also as {symbols}; the copies take {subject} bytes",
        "store one file, under the name that others need; a wheel has no symbolic links",
    ),
    "FLOAT_ABI_UNKNOWN": template(
        "has no flag for its float ABI ({subject}); treated as hard-float (armv7l)"
    ),
    "EXCLUDED": template("needs {subject}, which the environment provides (option exclude)"),
    "DEVICE_CODE": template("is for {subject}, which no tag names; not audited"),
    "LIBC_ASSUMED": template(
        "no file shows whether the wheel is for glibc or musl; audited as glibc",
        "choose the libc family with --platform",
    ),
}


_PLURAL = {
    "needs": "need",
    "uses": "use",
    "is": "are",
    "has": "have",
    "finds": "find",
    "requests": "request",
    "does": "do",
}


def sentence(found: Finding, *, plural: bool = False) -> Sentence:
    """Return the sentence of a finding; `plural` if it is about several files."""
    if found.problem:
        # One kind of the gate has many problems, so their words are beside their rules.
        text = template(found.problem.value.message, found.problem.value.fix)(found)
    else:
        text = SENTENCES[found.kind](found)
    if found.causes:
        text = _with_cause(text, found)
    if plural:
        verb, space, rest = text.message.partition(" ")
        text = text._replace(message=_PLURAL.get(verb, verb) + space + rest)
    return text._replace(message=f"{text.message} (allowed)") if found.allowed else text


def _with_cause(text: Sentence, found: Finding) -> Sentence:
    """Return the sentence of FALSE_TAG with that of its strongest cause."""
    cause, *others = found.causes
    said = SENTENCES[cause.kind](cause)
    more = f" (and {len(others)} more)" if others else ""
    path = f"{shorten(cause.path)} " if cause.path else ""
    # A tag that no policy helps takes what the file needs: a library, or a build elsewhere.
    fix = said.fix if found.evidence == Evidence.NOTHING_PROVED else text.fix
    return Sentence(f"{text.message}; {path}{said.message}{more}", fix)
