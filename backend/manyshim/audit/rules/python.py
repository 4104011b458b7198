"""Rules of the interpreter: its tags, and the init function, suffix and stable ABI of modules."""

from __future__ import annotations

import posixpath

from manyshim.audit import findings as f
from manyshim.audit.facts import ElfFile, InstallPath, WheelFacts, install_path
from manyshim.audit.findings import Evidence, Finding, dotted, finding
from manyshim.audit.policy import abi3_names, abi3_version
from manyshim.audit.request import Request
from manyshim.audit.rules.context import Context
from manyshim.audit.suffixes import (
    ANY,
    STABLE_ABIS,
    Interpreter,
    ModuleSuffix,
    interpreters,
    parse_cpython,
    parse_module_suffix,
)
from manyshim.audit.tags import ARCHES, WheelName
from manyshim.values import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Dict, FrozenSet, Iterator, List, Optional, Set, Tuple

_OF_PYTHON = ("Py", "_Py")
# PyPy's suffixes name these as its compiler does if gcc has no multiarch triplet.
_PYPY_CPUS = {"i686": "x86", "ppc64le": "ppc_64", "ppc64": "ppc_64"}


def usable_tags(facts: WheelFacts, request: Request) -> Iterator[Finding]:
    """Yield a finding if no interpreter accepts any tag of the name, so that nothing installs."""
    name = facts.name
    if not interpreters(name):
        severity = f.ERROR if request.thorough or request.strict else f.WARNING
        tag = f"{'.'.join(name.pythons)}-{'.'.join(name.abis)}"
        yield finding("UNUSABLE_TAG", "", tag, severity=severity)


def init_function(context: Context) -> Iterator[Finding]:
    """Yield findings for extension modules that do not export their init function.

    It is no fault if no module of the wheel has one, and none uses Python's C API: the package
    opens such files with ctypes or cffi.
    """
    modules = [elf for elf in context.elfs if elf.module_init is not None]
    imported = any(elf.module_init for elf in modules)
    for elf in modules:
        if not elf.module_init and (imported or _uses_python(elf)):
            # All are alike, without the name of the module, so that they are one line.
            yield finding("NO_INIT", elf.path, "")
        elif not elf.module_init:
            evidence = Evidence.NO_MODULE_WITH_INIT
            yield finding("NO_INIT", elf.path, "", severity=f.INFO, evidence=evidence)


def _uses_python(elf: ElfFile) -> bool:
    return any(name.startswith(_OF_PYTHON) for name in elf.undefined)


class _Module(NamedTuple):
    """A file that may be imported, and how its suffix does not fit the platform of the wheel."""

    elf: ElfFile
    suffix: Optional[ModuleSuffix]
    mismatch: Optional[Finding]

    def seen_by(self, python: Interpreter) -> bool:
        """Whether an interpreter on the platform of the wheel loads the file."""
        return self.mismatch is None and python.loads(self.suffix)


def suffixes(context: Context) -> Iterator[Finding]:
    """Yield findings for modules that an interpreter of the wheel's tags does not load.

    If another file of the same module has a suffix that it loads, that is no more than a note.
    The ABI none means that the package may open its files with ctypes or cffi. So files without an
    init function have any suffix there.
    """
    opened = set(map(str.lower, context.facts.name.abis)) == {"none"}
    pythons = interpreters(context.facts.name) or (ANY,)
    sources: Optional[FrozenSet[InstallPath]] = None
    for modules in _by_name(context).values():
        seen = {one for one in pythons if any(module.seen_by(one) for module in modules)}
        for module in modules:
            missing = [one for one in pythons if not module.seen_by(one)]
            failing = [one for one in missing if one not in seen]
            if opened and module.elf.module_init is False:
                continue
            # A file for one of several interpreters is good, if the others have their own.
            if module.suffix and (failing or len(missing) == len(pythons)):
                sources = _sources(context) if sources is None else sources
                yield _wrong_suffix(context, module, failing, missing, sources)


def _by_name(context: Context) -> Dict[Tuple[str, str], List[_Module]]:
    """Return the files by the place and name under which Python looks for them."""
    found: Dict[Tuple[str, str], List[_Module]] = {}
    for elf in context.elfs:
        stem = elf.name.partition(".")[0]
        suffix = parse_module_suffix(elf.name)
        if suffix or elf.name == f"{stem}.so":
            root, path = install_path(elf.path, context.facts.distribution)
            place = root, posixpath.join(posixpath.dirname(path), stem)
            mismatch = _mismatch(context, elf, suffix) if suffix else None
            found.setdefault(place, []).append(_Module(elf, suffix, mismatch))
    return found


def _mismatch(context: Context, elf: ElfFile, suffix: ModuleSuffix) -> Optional[Finding]:
    """Return a finding if a suffix names another architecture, libc or target than the file's.

    None if the file itself is for another architecture than the wheel, which is a finding already.
    """
    arch, libc = context.policies.arch, context.policies.libc
    if not suffix.triplet or context.facts.name.header_arch not in (None, arch):
        return None
    made = finding("SUFFIX", elf.path, suffix.implementation, evidence=Evidence.OTHER_PLATFORM)
    of_pypy = _PYPY_CPUS.get(arch) if suffix.implementation.startswith("pypy") else None
    if suffix.for_no_tag or suffix.cpu not in (ARCHES[arch].triplet, arch, of_pypy):
        return made._replace(details=(suffix.triplet, arch))
    if suffix.libc not in (None, libc):
        return made._replace(details=(suffix.triplet, libc))
    compiled = context.request.compiled
    if compiled and suffix.triplet != compiled.multiarch:
        details = (suffix.triplet, compiled.multiarch)
        return made._replace(evidence=Evidence.OTHER_TARGET, details=details)
    return None


def _wrong_suffix(
    context: Context,
    module: _Module,
    failing: List[Interpreter],
    missing: List[Interpreter],
    sources: FrozenSet[InstallPath],
) -> Finding:
    """Return the finding for a file that `missing` do not load; `failing` load no other either."""
    made = module.mismatch
    if made is None:
        details = (", ".join(map(str, failing or missing)),)
        subject = module.suffix.implementation if module.suffix else ""
        misnamed = all(one.finds(module.suffix) for one in failing or missing)
        evidence = Evidence.NO_STABLE_ABI if misnamed else Evidence.OTHER_INTERPRETER
        made = finding("SUFFIX", module.elf.path, subject, evidence=evidence, details=details)
    if context.request.compiled or (failing and _fails(context, module, failing, sources)):
        return made._replace(severity=f.ERROR)
    return made if failing else made._replace(severity=f.INFO)


def _fails(
    context: Context,
    module: _Module,
    failing: List[Interpreter],
    sources: FrozenSet[InstallPath],
) -> bool:
    """Whether it is certain that an import fails, and the request asks for certainty."""
    elf, request = module.elf, context.request
    # Without an init function nothing imports the file, and a source file may stand in for it.
    if elf.module_init is False or _has_source(context, elf, sources):
        return False
    # A version-specific module named `.abi3.so` loads in a free-threaded Python before 3.15.
    misnamed = module.mismatch is None and all(one.finds(module.suffix) for one in failing)
    return not misnamed and (request.thorough or request.strict)


def _sources(context: Context) -> FrozenSet[InstallPath]:
    """Return where the source files of the wheel are installed."""
    distribution, paths = context.facts.distribution, context.facts.paths
    return frozenset(install_path(path, distribution) for path in paths if path.endswith(".py"))


def _has_source(context: Context, elf: ElfFile, sources: FrozenSet[InstallPath]) -> bool:
    """Whether a source file or a package is installed under the name of a module."""
    stem = elf.name.partition(".")[0]
    root, path = install_path(elf.path, context.facts.distribution)
    names = (f"{stem}.py", f"{stem}/__init__.py")
    places = (posixpath.join(posixpath.dirname(path), name) for name in names)
    return any(InstallPath(root, place) in sources for place in places)


def not_in_stable_abi(context: Context) -> Dict[str, FrozenSet[str]]:
    """Return, by file of an abi3 wheel, the imported names that look like the interpreter's.

    Names that the stable ABI has are left out.
    """
    if _oldest_python(context.facts.name) is None:
        return {}
    known = abi3_names()
    found = {
        elf.path: frozenset(
            name for name in elf.undefined if name.startswith(_OF_PYTHON) and name not in known
        )
        for elf in _stable(context)
    }
    return {path: names for path, names in found.items() if names}


def _stable(context: Context) -> Iterator[ElfFile]:
    """Yield the files of an abi3 wheel, without those that only one interpreter loads."""
    for elf in context.elfs:
        suffix = parse_module_suffix(elf.name)
        if suffix is None or not suffix.for_one_interpreter:
            yield elf


def stable_abi(context: Context) -> Iterator[Finding]:
    """Yield findings for names of the interpreter that an abi3 wheel may not use (PEP 384)."""
    oldest = _oldest_python(context.facts.name)
    if oldest is None:
        return
    yield from _too_new(context, oldest)
    yield from _foreign(context)


def _foreign(context: Context) -> Iterator[Finding]:
    """Yield findings for names that no stable ABI has. All are alike, so that they are one line.

    As abi3audit does, this leaves out the init functions of other modules.
    """
    defined: Set[str] = set().union(*context.facts.exports.values())
    used = {
        path: sorted(name for name in names - defined if not name.startswith("PyInit_"))
        for path, names in not_in_stable_abi(context).items()
    }
    first = min((names[0] for names in used.values() if names), default="")
    made = finding("ABI3", "", first, severity=f.ERROR if context.request.strict else f.WARNING)
    made = made._replace(evidence=Evidence.NOT_IN_STABLE_ABI, details=(dotted(abi3_version()),))
    for path, names in used.items():
        if names:
            yield made._replace(path=path, symbols=tuple(names))


def _too_new(context: Context, oldest: Tuple[int, int]) -> Iterator[Finding]:
    """Yield a finding for each file and each version that is newer than the tag promises."""
    added = abi3_names()
    for elf in _stable(context):
        newer: Dict[Tuple[int, int], List[str]] = {}
        for name in elf.undefined:
            since = added.get(name)
            if since and since > oldest:
                newer.setdefault(since, []).append(name)
        for since, names in sorted(newer.items()):
            symbols, details = tuple(sorted(names)), (dotted(oldest),)
            made = finding("ABI3", elf.path, symbols[0], required=since, details=details)
            yield made._replace(symbols=symbols)


def _oldest_python(name: WheelName) -> Optional[Tuple[int, int]]:
    """Return the oldest CPython that an abi3 wheel is tagged for; None for other wheels."""
    if not {abi.lower() for abi in name.abis} & set(STABLE_ABIS):
        return None
    versions = filter(None, (parse_cpython(python.lower()) for python in name.pythons))
    return min((version[:2] for version in versions), default=None)
