"""The sentences of findings that need more than a template. messages.py has the table of all.

Each function takes a finding and returns its sentence.
"""

from __future__ import annotations

from manyshim.audit import findings as f
from manyshim.audit.findings import Advice, Evidence, Finding, dotted
from manyshim.audit.policy import newest_glibc, policies_of
from manyshim.audit.reasons import Sentence, describe, join_names, policy_name
from manyshim.audit.tags import MUSL
from manyshim.errors import shorten

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Dict, Optional


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
    if len(found.symbols) == 1 and found.evidence != Evidence.UNVERSIONED:
        return f"{symbols}@{version}"
    return f"{symbols} ({version})" if symbols else version


# How a file comes to need an older glibc. zig compiles no Rust. A copy of a library of the system
# was compiled elsewhere. No compiler helps with a function that is newer than the policy.
_OLDER_BUILD = {
    None: "compile for an older glibc (C or C++: -C manyshim.compiler=zig) or on an older system, "
    "avoid the symbol",
    Advice.RUST: "build with cargo-zigbuild or on an older system (a manylinux image), avoid the "
    "symbol",
    Advice.ZIG: "request an older platform (-C manyshim.platform=...), avoid the symbol",
    Advice.NOT_ZIG: "it comes from another compiler or from a static library: use the compilers in "
    "CC and CXX and libraries for the target, avoid the symbol",
    Advice.NEW_NAME: "no older glibc has the function: avoid it, or look it up at run time (dlsym)",
    Advice.COPIED: "build on an older system (a manylinux image), whose copy is older",
}
_HOW: Dict[Optional[Evidence], str] = {
    Evidence.WEAK_REFERENCES: ", only by weak references",
    Evidence.UNVERSIONED: f", {describe(Evidence.UNVERSIONED)}",
}


def too_new(found: Finding) -> Sentence:
    """Return the sentence of TOO_NEW: a symbol version, or a release of musl."""
    if found.policy and found.policy.libc == MUSL:
        return Sentence(
            f"needs {join_names(found.symbols)}, available since {shorten(found.subject)}; "
            f"{_limit(found)}",
            "build on an older Alpine (a musllinux image), or accept the newer tag",
        )
    if found.subject == "GLIBC_PRIVATE":
        return Sentence(
            f"needs {_versioned(found)} from {shorten(found.library)}, which belongs to one build "
            "of glibc; no tag covers it",
            "do not put a library of glibc itself into the wheel, such as libnss_* or libresolv, "
            "and do not link with names that glibc keeps for itself",
        )
    relr = " for its DT_RELR" if found.evidence == Evidence.RELR else ""
    how = _HOW.get(found.evidence, "")
    newer = "" if _never(found) else ", or accept the newer tag"
    return Sentence(
        f"needs {_versioned(found)}{relr} from {shorten(found.library)}{how}; {_limit(found)}",
        _OLDER_BUILD[found.advice] + newer,
    )


def _never(found: Finding) -> bool:
    """Whether a finding rules out every listed policy."""
    policy = found.policy
    return policy is not None and policy == policies_of(policy.libc, policy.arch).listed[-1]


def forbidden(found: Finding) -> Sentence:
    """Return the sentence of FORBIDDEN_SYMBOL."""
    library = shorten(found.library)
    static = "" if found.library.startswith("libc.so") else f"link {library} statically, or "
    return Sentence(
        f"uses the symbol {shorten(found.subject)} of {library}, which {policy_name(found)} and "
        "older do not allow",
        f"{static}do not use the symbol",
    )


def false_tag(found: Finding) -> Sentence:
    """Return the sentence of FALSE_TAG."""
    several = found.subject.count(", ") > 0
    begin = (
        f"the tags {shorten(found.subject)} are"
        if several
        else f"the tag {shorten(found.subject)} is"
    )
    fixes: Dict[Optional[Evidence], str] = {
        Evidence.NOT_PROVED: "run `manyshim retag`, which writes the tag that the wheel meets, or "
        "build it on an older system",
        Evidence.NOTHING_PROVED: "`manyshim show` names what rules out every tag",
        Evidence.FILES_OF_OTHER: "build the wheel for the platform of its name",
        Evidence.OTHER_MACHINE: "name the wheel linux_ARCH for this processor",
    }
    fix = fixes.get(found.evidence, "`manyshim show` names the tag that the wheel meets")
    return Sentence(f"{begin} not proved: {describe(found.evidence, found.details)}", fix)


def missing_version(found: Finding) -> Sentence:
    """Return the sentence of VERDEF_MISSING."""
    return Sentence(
        f"needs {_versioned(found)}, but {shorten(found.library)} in the wheel does not define "
        "this version",
        "include the library that the file was linked with",
    )


def external(found: Finding) -> Sentence:
    """Return the sentence of EXTERNAL_LIBRARY."""
    copy = "copy it into the wheel (-C manyshim.mode=repair, or `manyshim repair`), "
    if found.advice == Advice.REPAIRED:
        copy = ""
    return Sentence(
        f"needs {shorten(found.subject)}, which {policy_name(found)} and older do not allow",
        f"{copy}link it statically, or declare that the environment provides it: "
        f'exclude = ["{shorten(found.subject)}"]',
    )


def by_name_only(found: Finding) -> Sentence:
    """Return the sentence of BY_NAME_ONLY."""
    library = shorten(found.library)
    accept = f'if nobody runs it, accept it: allow = ["BY_NAME_ONLY:{shorten(found.path)}"]'
    repaired = found.advice == Advice.REPAIRED
    other_folder = found.evidence == Evidence.OTHER_FOLDER
    if other_folder and found.severity == f.POLICY:
        move = (
            "" if repaired else ", or a program into the scripts folder and run `manyshim repair`"
        )
        if found.details == ("scripts",):
            move = "" if repaired else " (a program of the scripts folder: with `manyshim repair`)"
        return Sentence(
            f"needs {shorten(found.subject)}, which is in the wheel as {library}; "
            f"{describe(found.evidence, found.details)}",
            f"put the file into the package{move}, or link the library statically; {accept}",
        )
    if found.evidence == Evidence.PROGRAM:
        repair = "" if repaired else ", or set its search path with `manyshim repair`"
        return Sentence(
            f"needs {shorten(found.subject)}, which is in the wheel as {library} but on no search "
            "path of the program; the program does not start",
            f"link it with -Wl,-rpath,'$ORIGIN/...'{repair}; {accept}",
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
        "" if other_folder else "link with -Wl,-rpath,'$ORIGIN/...'",
    )


def musl_patch_level(found: Finding) -> Sentence:
    """Return the sentence of MUSL_PATCH_LEVEL."""
    message = (
        f"needs {join_names(found.symbols)}, available since {shorten(found.subject)}; "
        "musllinux_1_2 promises only musl 1.2.0"
    )
    if found.evidence == Evidence.RUNTIME_COPY:
        return Sentence(
            f"{message}; the cause is the compiler of the build image, from which it was copied",
            "build on an older Alpine, or link the compiler's libraries statically "
            "(-static-libgcc -static-libstdc++)",
        )
    relr = ", without -Wl,-z,pack-relative-relocs" if "DT_RELR" in found.symbols else ""
    return Sentence(message, f"avoid these symbols, or build on an older Alpine{relr}")


def abi3(found: Finding) -> Sentence:
    """Return the sentence of ABI3."""
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


def no_elf(found: Finding) -> Sentence:
    """Return the sentence of NO_ELF."""
    if found.evidence == Evidence.CODE_EXPECTED:
        return Sentence(
            f"{shorten(found.subject)} is a pure wheel, but {describe(found.evidence)}",
            "build the extension (an optional one can fail silently), or accept a pure wheel with "
            'allow = ["NO_ELF:*"]',
        )
    return Sentence(
        f"the wheel has no machine code for a processor, but {describe(found.evidence)}",
        "build the extension (an optional one can fail silently), or use the platform tag any",
    )


def pure(found: Finding) -> Sentence:
    """Return the sentence of ELF_IN_PURE_WHEEL."""
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
        "WHEEL should say Root-Is-Purelib: false, which a build or `manyshim retag` writes",
    )


def no_init(found: Finding) -> Sentence:
    """Return the sentence of NO_INIT."""
    if found.evidence == Evidence.NO_MODULE_WITH_INIT:
        return Sentence(
            f"has the name of an extension module, but {describe(found.evidence)}; "
            "a package can open it with ctypes or cffi, but not import it"
        )
    return Sentence(
        "has the name of an extension module but no exported init function (PyInit_NAME); the "
        "import fails, unless the package opens such files with ctypes or cffi",
        "export the init function (PyMODINIT_FUNC), or give the file another suffix",
    )


def suffix(found: Finding) -> Sentence:
    """Return the sentence of SUFFIX."""
    evidence = describe(found.evidence, found.details)
    message = f"has the suffix {shorten(found.subject)}, but {evidence}"
    if found.severity == f.INFO:
        return Sentence(f"{message}; another file of the module is loaded instead")
    return Sentence(message, "build the extension for the Pythons and the platform of the tags")


def executable_stack(found: Finding) -> Sentence:
    """Return the sentence of EXECSTACK."""
    # Without the program header there is no bit to clear.
    clear = "" if found.subject.startswith("no ") else ", or clear the bit with the fix execstack"
    return Sentence(
        f"requests an executable stack ({shorten(found.subject)}); glibc 2.41+, musl and SELinux "
        "refuse it",
        f"link with -Wl,-z,noexecstack; in assembly add .section .note.GNU-stack{clear}",
    )


def static_tls(found: Finding) -> Sentence:
    """Return the sentence of STATIC_TLS."""
    fix = "compile with -ftls-model=global-dynamic"
    size = shorten(found.subject)
    total, surplus, *_ = (*found.details, "", "")
    if found.evidence:
        owner = f" in {shorten(found.library)}" if found.library else ""
        why = describe(found.evidence, found.details)
        return Sentence(
            f"needs {size} of static thread-local storage{owner}; {why}, so the import fails", fix
        )
    limit = "glibc has about 1.6 KiB" if surplus != "0" else "musl has no room"
    return Sentence(
        f"uses {size} of static thread-local storage ({shorten(total)} bytes in the whole wheel); "
        f"{limit} for libraries that are opened later",
        fix,
    )


def record(found: Finding) -> Sentence:
    """Return the sentence of RECORD."""
    if found.evidence == Evidence.SECOND_READER:
        return Sentence(describe(found.evidence, found.details), "rebuild the wheel")
    more = f"each of {shorten(found.details[0])} more members " if found.details else ""
    anew = found.evidence == Evidence.WEAK_HASH
    fix = "write RECORD anew with `manyshim retag -w DIR`" if anew else "rebuild the wheel"
    return Sentence(more + describe(found.evidence), fix)
