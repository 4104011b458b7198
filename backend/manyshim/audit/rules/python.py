"""Rules of the interpreter for extension modules: init function, suffix, stable ABI."""

from __future__ import annotations

from typing import Iterator, Optional, Tuple

from manyshim.audit import findings as f
from manyshim.audit.findings import Evidence, Finding, dotted, finding
from manyshim.audit.policy import abi3_names
from manyshim.audit.rules.context import Context
from manyshim.audit.tags import ARCHES, ModuleSuffix, WheelName, parse_cpython, parse_module_suffix


def init_function(context: Context) -> Iterator[Finding]:
    """Yield findings for extension modules that do not export their init function."""
    for elf in context.elfs:
        if elf.module_init is False:
            yield finding("NO_INIT", elf.path, elf.module_name)


def suffixes(context: Context) -> Iterator[Finding]:
    """Yield findings for module suffixes that do not fit the ABI tag or the platform."""
    for elf in context.elfs:
        suffix = parse_module_suffix(elf.name)
        if suffix is None:
            continue
        compiled = context.request.compiled
        made = finding(
            "SUFFIX", elf.path, suffix.implementation, severity=f.ERROR if compiled else ""
        )
        if _wrong_abi(suffix, context.facts.name):
            abi = context.facts.name.abis[0]
            yield made._replace(evidence=Evidence.OTHER_ABI_TAG, details=(abi,))
        other = _wrong_triplet(suffix, context.policies.arch, context.policies.libc)
        if other:
            details = (suffix.triplet, other)
            yield made._replace(evidence=Evidence.OTHER_PLATFORM, details=details)
        elif compiled and suffix.triplet not in ("", compiled.multiarch):
            details = (suffix.triplet, compiled.multiarch)
            yield made._replace(evidence=Evidence.OTHER_TARGET, details=details)


def _wrong_abi(suffix: ModuleSuffix, name: WheelName) -> bool:
    """Whether a suffix does not fit the ABI tag; always false if the wheel has several ABIs."""
    if len(name.abis) != 1 or (len(name.pythons) != 1 and name.abis[0] not in ("abi3", "abi3t")):
        return False
    abi = name.abis[0]
    tag = parse_cpython(abi)
    if suffix.implementation.startswith("abi3"):
        free_threaded = tag is not None and "t" in tag[2]
        wrong = free_threaded and suffix.implementation == "abi3"
    elif abi in ("abi3", "abi3t"):
        wrong = suffix.implementation.startswith("cpython-")
    else:
        wanted = f"cpython-{tag[0]}{tag[1]}{tag[2]}" if tag else suffix.implementation
        wrong = suffix.implementation != wanted and suffix.implementation.startswith("cpython-")
    return wrong


def _wrong_triplet(suffix: ModuleSuffix, arch: str, libc: str) -> str:
    """Return the file's architecture or libc if its suffix names another one; empty if not."""
    if not suffix.triplet:
        return ""
    cpu = suffix.triplet.partition("-")[0]
    if cpu not in (ARCHES[arch].triplet, arch):
        return arch
    return "" if suffix.libc in (None, libc) else libc


def stable_abi(context: Context) -> Iterator[Finding]:
    """Yield findings for names of the interpreter that an abi3 wheel may not use (PEP 384)."""
    oldest = _oldest_python(context.facts.name)
    if oldest is None:
        return
    added = abi3_names()
    for elf in context.elfs:
        for name in elf.undefined:
            if not name.startswith(("Py", "_Py")):
                continue
            since = added.get(name)
            if since is None:
                yield finding("ABI3", elf.path, name, severity=f.INFO)
            elif since > oldest:
                promised = (dotted(oldest),)
                yield finding("ABI3", elf.path, name, required=since, details=promised)


def _oldest_python(name: WheelName) -> Optional[Tuple[int, int]]:
    """Return the oldest CPython that an abi3 wheel is tagged for; None for other wheels."""
    if not set(name.abis) & {"abi3", "abi3t"}:
        return None
    versions = filter(None, map(parse_cpython, name.pythons))
    return min((version[:2] for version in versions), default=None)
