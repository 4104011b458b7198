"""What an interpreter asks of an extension module: init function, suffix, stable ABI."""

from __future__ import annotations

from typing import Iterator, Optional, Tuple

from manyshim.audit import findings as f
from manyshim.audit.findings import Finding, finding
from manyshim.audit.policy import abi3_names
from manyshim.audit.request import Compiled
from manyshim.audit.rules.context import Context
from manyshim.audit.tags import ARCHES, ModuleSuffix, WheelName, parse_cpython, parse_module_suffix


def init_function(context: Context) -> Iterator[Finding]:
    """Find extension modules that an interpreter cannot initialise."""
    for elf in context.elfs:
        if elf.module_init is False:
            yield finding("NO_INIT", elf.path, elf.module_name)


def suffixes(context: Context) -> Iterator[Finding]:
    """Compare the suffix of each extension module with the wheel's ABI tag and its platform."""
    for elf in context.elfs:
        suffix = parse_module_suffix(elf.name)
        if suffix is None:
            continue
        compiled = context.request.compiled
        for evidence in (
            _wrong_abi(suffix, context.facts.name),
            _wrong_triplet(suffix, context.policies.arch, context.policies.libc)
            or _wrong_target(suffix, compiled),
        ):
            if evidence:
                severity = f.ERROR if compiled else ""
                subject = suffix.implementation
                yield finding("SUFFIX", elf.path, subject, severity=severity, evidence=evidence)


def _wrong_abi(suffix: ModuleSuffix, name: WheelName) -> str:
    """Say what the ABI tag has against a suffix; nothing where the wheel has several ABIs."""
    if len(name.abis) != 1 or (len(name.pythons) != 1 and name.abis[0] not in ("abi3", "abi3t")):
        return ""
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
    return f"the wheel's ABI tag is {abi}" if wrong else ""


def _wrong_triplet(suffix: ModuleSuffix, arch: str, libc: str) -> str:
    if not suffix.triplet:
        return ""
    cpu = suffix.triplet.partition("-")[0]
    if cpu not in (ARCHES[arch].triplet, arch):
        return f"it says {suffix.triplet}, and the file is for {arch}"
    if suffix.libc not in (None, libc):
        return f"it says {suffix.triplet}, and the file is for {libc}"
    return ""


def _wrong_target(suffix: ModuleSuffix, compiled: Optional[Compiled]) -> str:
    if compiled is None or suffix.triplet in ("", compiled.multiarch):
        return ""
    return f"it says {suffix.triplet}, and the target's Python looks for {compiled.multiarch}"


def stable_abi(context: Context) -> Iterator[Finding]:
    """Hold the interpreter's names in an abi3 wheel against the stable ABI (PEP 384)."""
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
                yield finding("ABI3", elf.path, name, evidence=_dotted(since, oldest))


def _dotted(since: Tuple[int, int], oldest: Tuple[int, int]) -> str:
    return f"{since[0]}.{since[1]}; the tag promises {oldest[0]}.{oldest[1]}"


def _oldest_python(name: WheelName) -> Optional[Tuple[int, int]]:
    """Name the oldest CPython that an abi3 wheel promises to run on; None for other wheels."""
    if not set(name.abis) & {"abi3", "abi3t"}:
        return None
    versions = filter(None, map(parse_cpython, name.pythons))
    return min((version[:2] for version in versions), default=None)
