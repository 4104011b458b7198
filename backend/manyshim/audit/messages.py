"""Every sentence that a user reads about a finding: what, where, the limit, the way out."""

from __future__ import annotations

from typing import Callable, Dict

from manyshim.audit import findings as f
from manyshim.audit.findings import Evidence, Finding, dotted
from manyshim.audit.reasons import because, escape, filled, join_names
from manyshim.audit.tags import GLIBC, MUSL
from manyshim.values import NamedTuple


class Sentence(NamedTuple):
    """What is wrong, where, and against which limit; and the way out."""

    message: str
    fix: str = ""


def _policy(found: Finding) -> str:
    return found.policy.without_arch if found.policy else "every policy"


def _limit(found: Finding) -> str:
    """Say where the policy ends that the finding rules out."""
    if found.policy is None or found.policy.libc != GLIBC:
        return f"{_policy(found)} does not have it"
    if found.required:
        return f"{_policy(found)} ends at GLIBC_{found.policy.major}.{found.policy.minor}"
    return f"{_policy(found)} does not have {escape(found.subject)}"


def _too_new(found: Finding) -> Sentence:
    symbols = join_names(found.symbols)
    if found.policy and found.policy.libc == MUSL:
        needs = f"needs {symbols}, which came with {found.subject}"
        way_out = "build on an older Alpine (a musllinux image), or accept the newer tag"
    else:
        way_out = (
            "compile for an older glibc (-C manyshim.compiler=zig), build on an older system, or "
            "accept the newer tag"
        )
        if len(found.symbols) == 1:
            needs = f"needs {symbols}@{escape(found.subject)}"
        elif symbols:
            needs = f"needs {symbols} ({escape(found.subject)})"
        else:
            needs = f"needs {escape(found.subject)}"
        weak = ", by weak references only" if found.evidence == Evidence.WEAK_REFERENCES else ""
        relr = " for its DT_RELR" if found.evidence == Evidence.RELR else ""
        needs = f"{needs}{relr} from {escape(found.library)}{weak}"
    return Sentence(
        f"{needs}; {_limit(found)}",
        way_out,
    )


def _external(found: Finding) -> Sentence:
    return Sentence(
        f"needs {escape(found.subject)}, which {_policy(found)} and older do not promise",
        'have it copied into the wheel (mode = "repair"), link it statically, or declare that the '
        f'environment provides it: exclude = ["{escape(found.subject)}"]',
    )


def _by_name_only(found: Finding) -> Sentence:
    library = escape(found.library)
    if found.severity == f.POLICY:
        return Sentence(
            f"needs {escape(found.subject)}, which lies in the wheel as {library} but on no search "
            "path of the file: the loader finds it only if something else has loaded it before",
            "link with -Wl,-rpath,'$ORIGIN/...', or declare that the package loads it first: "
            f'allow = ["BY_NAME_ONLY:{library}"]',
        )
    return Sentence(
        f"finds {escape(found.subject)} ({library}) only because it is loaded before",
        "link with -Wl,-rpath,'$ORIGIN/...'",
    )


def _simple(message: str, fix: str) -> Callable[[Finding], Sentence]:
    def sentence(found: Finding) -> Sentence:
        words = {
            "subject": escape(found.subject),
            "library": escape(found.library),
            "symbols": join_names(found.symbols),
            "evidence": because(found.evidence, found.details),
            "path": escape(found.path),
            "policy": _policy(found),
        }
        details = filled(found.details)
        return Sentence(message.format(*details, **words), fix.format(**words))

    return sentence


def _abi3(found: Finding) -> Sentence:
    name = escape(found.subject)
    if found.severity == f.INFO:
        return Sentence(f"uses {name}, which is not in the stable ABI's list")
    return Sentence(
        f"uses {name}, which the stable ABI has since {dotted(found.required or ())}; the tag "
        f"promises {join_names(found.details)}",
        "raise the wheel's Python tag (py_limited_api), or do without it",
    )


def _record(found: Finding) -> Sentence:
    what = because(found.evidence)
    subject = f"each of {escape(found.details[0])} more members {what}" if found.details else what
    return Sentence(f"{subject}: RECORD and the wheel disagree", "rebuild the wheel")


_REBUILD = "rebuild the file for the wheel's target, or take it out of the wheel"

SENTENCES: Dict[str, Callable[[Finding], Sentence]] = {
    "TOO_NEW": _too_new,
    "EXTERNAL_LIBRARY": _external,
    "BY_NAME_ONLY": _by_name_only,
    "FORBIDDEN_SYMBOL": _simple(
        "uses {subject} of {library}, which {policy} and older do not promise",
        "link {library} statically, or do without the symbol",
    ),
    "UNKNOWN_NAMESPACE": _simple(
        "needs {subject} from {library}; no policy knows that version namespace",
        "link against an unpatched {library}",
    ),
    "ISA": _simple(
        "is marked to need {subject}; a tag promises the baseline of its architecture",
        "compile without -march={subject}, or put the file under glibc-hwcaps/{subject}/",
    ),
    "ELF_CORRUPT": _simple("cannot be read: {subject}", "rebuild the file"),
    "ELF_DAMAGED": _simple(
        "is damaged where the loader does not look: {subject}", "rebuild the file"
    ),
    "WRONG_ABI": _simple("has an ABI that no tag stands for: {subject}", _REBUILD),
    "WRONG_OS": _simple("is for another system: {subject}, not System V or GNU", _REBUILD),
    "MIXED_ARCH": _simple(
        "is for {subject}; {evidence}",
        "build a wheel for each architecture; if the file is mere payload: "
        'allow = ["MIXED_ARCH:{path}"]',
    ),
    "MIXED_LIBC": _simple(
        "is for {subject}; {evidence}",
        'build a wheel for each libc; if the file is mere payload: allow = ["MIXED_LIBC:{path}"]',
    ),
    "NEEDED_PATH": _simple(
        "needs {subject}: a path, which is looked up on the user's machine as it stands",
        "give the library a soname (-Wl,-soname) and link with -l",
    ),
    "VERDEF_MISSING": _simple(
        "needs {symbols}@{subject}, and {library} in the wheel does not define that version",
        "put the library that it was linked against into the wheel",
    ),
    "LIBPYTHON": _simple(
        "needs {subject}; an interpreter that is linked statically has no such library",
        "do not link extension modules with libpython",
    ),
    "MUSL_UNDEFINED": _simple(
        "needs {subject}, which no musl exports and no library of the wheel defines: "
        "the import fails",
        "build on musl (a musllinux image), or do without the symbol",
    ),
    "MUSL_PATCH_LEVEL": _simple(
        "needs {symbols}, which came with {subject}; musllinux_1_2 promises 1.2.0 only",
        "do without them, or build it on an older Alpine, without -Wl,-z,pack-relative-relocs",
    ),
    "ELF_IN_PURE_WHEEL": _simple(
        "is machine code, and the wheel says that it is pure: {subject}",
        "let the build backend know of the extension, so that it builds a platform wheel",
    ),
    "NO_ELF": _simple(
        "a wheel without any ELF file, though {evidence}",
        "build the extension (was it optional, and failed?), or tag the wheel any",
    ),
    "NO_MODULE": _simple(
        "{subject} was to be built, and is not in the wheel",
        "look for its error in the output of the build (an optional extension may fail silently); "
        "libraries that it needs come from sysroot",
    ),
    "DUP_MEMBER": _simple(
        "stands in the archive {0} times; installers differ in which they take",
        "write each member once",
    ),
    "SYMLINK_MEMBER": _simple(
        "is a symbolic link, which installers write as a text file", "store the file itself"
    ),
    "BAD_PATH": _simple("is no path that may stand in a wheel: {evidence}", "rename the member"),
    "WHEEL_TAGS": _simple(
        "and the file name disagree: the name says {0}; WHEEL says {1}",
        "rebuild the wheel, or rename it with `wheel tags`",
    ),
    "EXECSTACK": _simple(
        "asks for an executable stack ({subject}); glibc 2.41 and later, musl and SELinux refuse",
        "link with -Wl,-z,noexecstack; in assembly add .section .note.GNU-stack",
    ),
    "TEXTREL": _simple(
        "has relocations in its code ({subject}), which SELinux and musl refuse",
        "compile every object with -fPIC",
    ),
    "NO_INIT": _simple(
        "is named like an extension module, and exports no PyInit_{subject}: the import fails",
        "export the init function (PyMODINIT_FUNC), or give the file another suffix",
    ),
    "SUFFIX": _simple(
        "has the suffix of {subject}; {evidence}: the interpreter does not see it",
        "build the extension with the Python and for the platform that the wheel is for",
    ),
    "ABI3": _abi3,
    "UNDEFINED": _simple(
        "needs {symbols}, which nothing that it loads defines",
        "link the library that defines it; if a newer libc does, ask for its platform",
    ),
    "RPATH_LEAK": _simple(
        "searches {subject} on the user's machine: {evidence}",
        "take the entry out of the link flags; only $ORIGIN/... belongs into a wheel",
    ),
    "VENDORED_SONAME_CLASH": _simple(
        "keeps the name {subject}, under which a process may have another copy loaded",
        "rename it with its SONAME, as auditwheel does",
    ),
    "PAGE_ALIGN": _simple(
        "is aligned to pages of {subject}; kernels with 64 KiB pages cannot load it",
        "link with -Wl,-z,max-page-size=65536",
    ),
    "RECORD": _record,
    "FALSE_TAG": _simple(
        "{subject} is claimed and not proved: {evidence}",
        "run `manyshim retag` on the wheel, or build it on an older system",
    ),
    "INDEX_TAG": _simple(
        "{subject} is a platform tag that the package index refuses",
        "use a manylinux or musllinux tag of an architecture that it takes",
    ),
    "TOO_LARGE": _simple(
        "is {subject} large; the package index takes {0} unless it granted more",
        "leave out what is not needed, strip debug information, or ask the index for more",
    ),
    "STATIC_TLS": _simple(
        "keeps {subject} in static thread-local storage ({0} bytes in all of the wheel), of "
        "which glibc has about 1.6 KiB for all that is opened later",
        "compile with -ftls-model=global-dynamic",
    ),
    "COMMONLY_ABSENT": _simple(
        "needs {subject}, which the policies allow and slim containers do not have",
        "tell your users to install it",
    ),
    "WX_SEGMENT": _simple(
        "has memory that is writable and executable ({subject}), which hardened kernels refuse",
        "link without -Wl,-N or a linker script that merges segments",
    ),
    "STATIC_OBJECT": _simple("is {subject}: nothing loads it", "leave it out of the wheel"),
    "FLOAT_ABI_UNKNOWN": _simple(
        "does not say whether it is hard-float ({subject}); taken as armv7l", ""
    ),
    "EXCLUDED": _simple("needs {subject}, declared to be provided by its environment", ""),
    "DEVICE_CODE": _simple(
        "is for {subject}, which no tag names: code for a device, not audited", ""
    ),
    "LIBC_ASSUMED": _simple(
        "nothing in it tells glibc from musl; judged as glibc",
        "ask for the family that you mean with --platform",
    ),
}


_PLURAL = {
    "needs": "need",
    "uses": "use",
    "is": "are",
    "has": "have",
    "finds": "find",
    "asks": "ask",
    "searches": "search",
    "keeps": "keep",
    "does": "do",
    "stands": "stand",
}


def sentence(found: Finding, *, plural: bool = False) -> Sentence:
    """Say a finding in whole words, of one file or of several."""
    said = SENTENCES[found.kind](found)
    if plural:
        verb, space, rest = said.message.partition(" ")
        said = said._replace(message=_PLURAL.get(verb, verb) + space + rest)
    return said._replace(message=f"{said.message} (allowed)") if found.allowed else said
