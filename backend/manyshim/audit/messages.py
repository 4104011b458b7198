"""The sentences that users read about findings: what is wrong, where, the limit, and the fix.

The path of the file is printed before the sentence, so the sentence begins with its verb. For
several files the verb becomes plural; no other word may depend on the number of files.
"""

from __future__ import annotations

from typing import Callable, Dict

from manyshim.audit import findings as f
from manyshim.audit.findings import Evidence, Finding, Origin, dotted
from manyshim.audit.policy import newest_glibc
from manyshim.audit.reasons import Sentence, describe, join_names, policy_name, template
from manyshim.audit.tags import MUSL
from manyshim.errors import shorten


def _limit(found: Finding) -> str:
    """Return the limit of the policy that a finding rules out."""
    if found.policy and found.policy.libc == MUSL:
        return f"{policy_name(found)} promises only musl {dotted(found.policy.version)}"
    newest = newest_glibc(found.policy) if found.policy and found.required else None
    if newest and found.required and found.required > newest:
        return f"{policy_name(found)} allows at most GLIBC_{dotted(newest)}"
    return f"{policy_name(found)} does not have {shorten(found.subject)}"


def _versioned(found: Finding) -> str:
    """Return the required version with the symbols that need it: `fcntl64@GLIBC_2.28`."""
    symbols, version = join_names(found.symbols), shorten(found.subject)
    if len(found.symbols) == 1:
        return f"{symbols}@{version}"
    return f"{symbols} ({version})" if symbols else version


# How a file comes to need an older glibc, by who made it. zig compiles no Rust, and a copy of a
# library of the system is not compiled in the build.
_OLDER_BUILD = {
    None: "compile for an older glibc (C or C++: -C manyshim.compiler=zig) or on an older system, "
    "avoid the symbol",
    Origin.RUST: "build with cargo-zigbuild or on an older system (a manylinux image), avoid the "
    "symbol",
    Origin.ZIG: "request an older platform (-C manyshim.platform=...), avoid the symbol",
    Origin.COPIED: "build on an older system (a manylinux image), whose copy is older",
}


def _too_new(found: Finding) -> Sentence:
    if found.policy and found.policy.libc == MUSL:
        return Sentence(
            f"needs {join_names(found.symbols)}, available since {shorten(found.subject)}; "
            f"{_limit(found)}",
            "build on an older Alpine (a musllinux image), or accept the newer tag",
        )
    relr = " for its DT_RELR" if found.evidence == Evidence.RELR else ""
    weak = ", only by weak references" if found.evidence == Evidence.WEAK_REFERENCES else ""
    needs = f"needs {_versioned(found)}{relr} from {shorten(found.library)}{weak}"
    return Sentence(
        f"{needs}; {_limit(found)}",
        f"{_OLDER_BUILD[found.origin]}, or accept the newer tag",
    )


def _missing_version(found: Finding) -> Sentence:
    return Sentence(
        f"needs {_versioned(found)}, but {shorten(found.library)} in the wheel does not define "
        "this version",
        "include the library that the file was linked with",
    )


def _external(found: Finding) -> Sentence:
    return Sentence(
        f"needs {shorten(found.subject)}, which {policy_name(found)} and older do not allow",
        "copy it into the wheel (-C manyshim.mode=repair, or `manyshim repair`), link it "
        "statically, or declare that the "
        f'environment provides it: exclude = ["{shorten(found.subject)}"]',
    )


def _by_name_only(found: Finding) -> Sentence:
    library = shorten(found.library)
    if found.evidence == Evidence.PROGRAM:
        return Sentence(
            f"needs {shorten(found.subject)}, which is in the wheel as {library} but on no search "
            "path of the program; the program does not start",
            "link it with -Wl,-rpath,'$ORIGIN/...', or copy the library with `manyshim repair`; if "
            f'nobody runs it, accept it: allow = ["BY_NAME_ONLY:{shorten(found.path)}"]',
        )
    if found.severity == f.POLICY:
        return Sentence(
            f"needs {shorten(found.subject)}, which is in the wheel as {library} but on no search "
            "path of the file; the loader finds it only if it is already loaded",
            "link with -Wl,-rpath,'$ORIGIN/...', or declare that the package loads it first: "
            f'allow = ["BY_NAME_ONLY:{library}"]',
        )
    return Sentence(
        f"finds {shorten(found.subject)} ({library}) only because it is already loaded",
        "link with -Wl,-rpath,'$ORIGIN/...'",
    )


def _abi3(found: Finding) -> Sentence:
    names, promised = join_names(found.symbols), join_names(found.details)
    if found.evidence == Evidence.NOT_IN_STABLE_ABI:
        return Sentence(
            f"uses {names}, {describe(found.evidence, found.details)}; a newer Python may lack it",
            "define Py_LIMITED_API when you compile, or build a wheel for each Python",
        )
    return Sentence(
        f"uses {names}, in the stable ABI only since CPython "
        f"{dotted(found.required or ())}; the wheel's tag promises CPython {promised}",
        "raise the wheel's Python tag (py_limited_api), or do not use the name",
    )


def _pure(found: Finding) -> Sentence:
    if found.evidence == Evidence.ANY_TAG:
        return Sentence(
            "is machine code, but the wheel has the platform tag any",
            "declare the extension to the build backend, so that it builds a platform wheel",
        )
    if found.evidence == Evidence.PURELIB_FOLDER:
        return Sentence(
            "is machine code in the folder purelib, which is for pure Python; auditwheel refuses "
            "it",
            "put the file into the folder platlib",
        )
    return Sentence(
        "is machine code in the root of the wheel, which WHEEL marks as pure (Root-Is-Purelib); "
        "it loads, because both folders are searched",
        "write Root-Is-Purelib: false; `manyshim retag` does so",
    )


def _no_init(found: Finding) -> Sentence:
    if found.evidence == Evidence.NO_MODULE_WITH_INIT:
        return Sentence(
            f"has the name of an extension module, but {describe(found.evidence)}; "
            "a package can open it with ctypes or cffi, but not import it"
        )
    return Sentence(
        "has the name of an extension module but no exported "
        f"PyInit_{shorten(found.subject)}; the import fails",
        "export the init function (PyMODINIT_FUNC), or give the file another suffix",
    )


def _suffix(found: Finding) -> Sentence:
    evidence = describe(found.evidence, found.details)
    message = f"has the suffix {shorten(found.subject)}, but {evidence}"
    if found.severity == f.INFO:
        return Sentence(f"{message}; another file of the module is loaded instead")
    return Sentence(message, "build the extension for the Pythons and the platform of the tags")


def _record(found: Finding) -> Sentence:
    if found.evidence == Evidence.SECOND_READER:
        return Sentence(describe(found.evidence, found.details), "rebuild the wheel")
    more = f"each of {shorten(found.details[0])} more members " if found.details else ""
    return Sentence(more + describe(found.evidence), "rebuild the wheel")


_REBUILD = "rebuild the file for the wheel's target, or remove it from the wheel"

SENTENCES: Dict[str, Callable[[Finding], Sentence]] = {
    "TOO_NEW": _too_new,
    "EXTERNAL_LIBRARY": _external,
    "BY_NAME_ONLY": _by_name_only,
    "FORBIDDEN_SYMBOL": template(
        "uses the symbol {subject} of {library}, which {policy} and older do not allow",
        "link {library} statically, or do not use the symbol",
    ),
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
    "VERDEF_MISSING": _missing_version,
    "LIBPYTHON": template(
        "needs {subject}, which a statically linked Python does not have",
        "do not link extension modules with libpython",
    ),
    "MUSL_UNDEFINED": template(
        "needs {subject}, which no release of musl and no library in the wheel defines; "
        "the import fails",
        "build on musl (a musllinux image), or do not use the symbol",
    ),
    "MUSL_PATCH_LEVEL": template(
        "needs {symbols}, available since {subject}; musllinux_1_2 promises only musl 1.2.0",
        "avoid these symbols, or build on an older Alpine, without -Wl,-z,pack-relative-relocs",
    ),
    "ELF_IN_PURE_WHEEL": _pure,
    "NO_ELF": template(
        "the wheel has no machine code for a processor, but {evidence}",
        "build the extension (an optional one can fail silently), or use the platform tag any",
    ),
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
    "WHEEL_TAGS": template("{evidence}", "write them anew with `manyshim retag`"),
    "EXECSTACK": template(
        "requests an executable stack ({subject}); glibc 2.41+, musl and SELinux refuse it",
        "link with -Wl,-z,noexecstack; in assembly add .section .note.GNU-stack",
    ),
    "TEXTREL": template(
        "has relocations in its code ({subject}), which SELinux and musl refuse",
        "compile every object with -fPIC",
    ),
    "UNUSABLE_TAG": template(
        "no interpreter accepts the tag {subject}, so no installer takes the wheel",
        "use the tags of the Python that you built with, for example cp311-cp311 or cp311-abi3",
    ),
    "NO_INIT": _no_init,
    "SUFFIX": _suffix,
    "ABI3": _abi3,
    "UNDEFINED": template(
        "needs {symbols}, which no library that it loads defines",
        "link the library that defines it; if only a newer libc does, request a newer platform",
    ),
    "RPATH_LEAK": template(
        "has a search path outside of the wheel: '{subject}' {evidence}",
        'let manyshim remove it (`fix = ["rpath"]` in [tool.manyshim], or `manyshim retag --fix '
        "rpath`), or remove it from the link flags; in a wheel, use only $ORIGIN/...",
    ),
    "VENDORED_SONAME_CLASH": template(
        "has the soname {subject}; a process may already have another library of that name",
        "rename the file and its SONAME, as auditwheel does",
    ),
    "PAGE_ALIGN": template(
        "is aligned to pages of {subject} bytes; kernels with 64 KiB pages cannot load it",
        "link with -Wl,-z,max-page-size=65536",
    ),
    "RECORD": _record,
    "FALSE_TAG": template(
        "the tag {subject} is not proved: {evidence}",
        "run `manyshim retag` on the wheel, or build it on an older system",
    ),
    "INDEX_TAG": template(
        "the package index does not accept the platform tag {subject}",
        "use a manylinux or musllinux tag for an architecture that the index accepts",
    ),
    "METADATA": template("{evidence}", "rebuild the wheel; the index compares both"),
    "TOO_LARGE": template(
        "the size of the wheel is {subject}; the package index accepts {0} by default",
        "remove unneeded files, strip debug information, or ask the index for a higher limit",
    ),
    "STATIC_TLS": template(
        "uses {subject} of static thread-local storage ({0} bytes in the whole wheel); glibc has "
        "about 1.6 KiB for all libraries that are opened later",
        "compile with -ftls-model=global-dynamic",
    ),
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
    text = SENTENCES[found.kind](found)
    if plural:
        verb, space, rest = text.message.partition(" ")
        text = text._replace(message=_PLURAL.get(verb, verb) + space + rest)
    return text._replace(message=f"{text.message} (allowed)") if found.allowed else text
