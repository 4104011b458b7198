"""The rules of docs/architecture.md about imports and sizes of modules."""

from __future__ import annotations

import ast
import sys
from pathlib import Path
from typing import Dict, Iterator, List, Set, Tuple

# The units of manyshim that each unit may import besides itself. A unit is a package or a module.
# A module belongs to the longest name in this table that is its own or that of a parent package.
MAY_IMPORT = {
    "errors": "",
    "values": "",
    "files": "errors",
    # The pure core: first the values, then the modules that use them.
    "audit": "errors values",
    "audit.loader": "audit errors values",
    "audit.rules": "audit audit.loader values",
    "audit.verdict": "audit audit.loader audit.rules values",
    "audit.decision": "audit audit.verdict values",
    "audit.messages": "audit errors values",
    "audit.patterns": "audit errors values",
    "audit.gate": "audit audit.gate.facts audit.verdict audit.decision values",
    "audit.gate.facts": "audit values",
    # Other systems than Linux. Only wheels for these load them.
    "audit.macos": "audit values",
    "audit.windows": "audit values",
    "audit.native": "audit audit.macos audit.windows values",
    "audit.explanations": "audit audit.gate audit.macos audit.native audit.windows values",
    # Readers and writers of file formats.
    "formats.zip": "audit.gate.facts files errors values",
    "formats.elf": "formats.elf.edits formats.zip audit.facts audit.findings audit.tags errors "
    "values",
    "formats.elf.edits": "audit.facts values",
    "formats.bounds": "",
    "formats.macho": "formats.bounds formats.zip audit.nativefacts values",
    "formats.pe": "formats.bounds formats.zip audit.nativefacts values",
    "formats.wheel": "formats.zip formats.elf formats.bounds formats.macho formats.pe audit.facts "
    "audit.nativefacts audit.findings audit.gate.facts audit.tags errors values",
    "formats.tarheaders": "",
    "formats.tar": "formats.tarheaders values",
    "formats.sdist": "formats.tar formats.tarheaders formats.wheel audit.facts audit.gate.facts "
    "files errors values",
    "formatters": "formatters.entries audit audit.explanations audit.verdict audit.decision "
    "audit.messages errors values",
    "formatters.entries": "errors values",
    "formatters.explain": "formatters audit audit.explanations audit.messages",
    "formatters.release": "formatters audit audit.gate.completeness errors values",
    # The settings and the host.
    "process": "errors values",
    "demangle": "process errors values",
    "emulator": "",
    "workspace": "errors",
    "intree": "",
    "wrapped": "intree known_backends errors",
    "host": "audit",
    "optiontypes": "audit errors values",
    "policyoption": "optiontypes audit",
    "options": "optiontypes policyoption",
    "pyproject": "files errors",
    "known_backends": "values",
    "spelling": "options optiontypes pyproject",
    "settings": "pyproject spelling options optiontypes host audit errors values",
    "scope": "known_backends files values",
    "surroundings": "audit errors values",
    "repository": "",
    "config": "scope settings surroundings pyproject options host audit errors values",
    "project": "config pyproject known_backends errors values",
    "intree_sdist": "project pyproject intree errors",
    # The optional packages. Each can be deleted without a change in another.
    "repair": "repair.links repair.plan repair.sbom repair.verify repair.verify_loading "
    "repair.verify_strip "
    "audit audit.loader audit.patterns audit.verdict audit.decision audit.messages "
    "formats.zip formats.elf formats.elf.edits formats.wheel "
    "config host process workspace files errors values",
    "repair.sbom": "repair.links audit files values",
    "repair.links": "",
    "repair.verify_loading": "repair.plan audit audit.loader audit.verdict formats.elf.edits "
    "errors",
    "repair.plan": "audit audit.verdict audit.decision formats.elf.edits values",
    # They import no module that patches, so that they cannot repeat its mistakes.
    "repair.verify": "repair.verify_file repair.verify_choices formats.elf.constants "
    "formats.elf.edits formats.elf.headers audit.facts",
    "repair.verify_strip": "repair.verify_file formats.elf.constants formats.elf.headers "
    "formats.elf.image formats.elf.payload audit",
    "repair.verify_choices": "repair.verify_file formats.elf.constants formats.elf.headers "
    "formats.elf.image values",
    "repair.verify_file": "formats.elf.constants formats.elf.dynamic formats.elf.headers "
    "formats.elf.image formats.elf.reader formats.zip audit.facts errors values",
    "toolchain": "toolchain.compiler toolchain.python toolchain.systems toolchain.target audit "
    "config pyproject host process workspace errors values",
    "toolchain.target": "audit errors values",
    "toolchain.compiler": "values",
    "toolchain.python": "toolchain.target audit host errors values",
    # The entry point of the process in which the wrapped backend builds for a target.
    "toolchain.child": "toolchain.systems.meson_log wrapped errors",
    "toolchain.systems": "toolchain.target audit emulator files host process pyproject values "
    "errors",
    "toolchain.systems.meson_log": "",
    "adopt": "adopt.changes adopt.facts known_backends pyproject process files workspace errors "
    "values",
    "adopt.changes": "values",
    "adopt.facts": "known_backends pyproject errors values",
    # A release runs frontends. Of files it reads their names, and the programs of other systems.
    "release": "release.systems emulator host audit pyproject optiontypes workspace errors values",
    "release.systems": "audit formats.elf formats.zip errors values",
    # The use cases. Only these import the optional packages, when an option asks for them.
    "advice": "demangle audit audit.verdict audit.decision formats.elf formats.wheel formatters "
    "values",
    "operations": "advice audit audit.native audit.patterns audit.verdict audit.decision "
    "formats.wheel formatters errors values",
    "checking": "advice inputs operations audit audit.verdict audit.decision audit.gate "
    "audit.gate.facts formats.zip formats.wheel formats.sdist formatters files errors values",
    "writing": "advice operations audit audit.native audit.patterns audit.verdict audit.decision "
    "formats.wheel formatters config repair repair.verify_loading workspace values",
    "retagging": "advice operations writing audit audit.verdict audit.decision formats.wheel "
    "formatters config repair workspace errors values",
    "github_actions": "repository formatters",
    "reporting": "github_actions formatters workspace",
    "build": "advice operations reporting writing audit audit.native audit.patterns audit.verdict "
    "audit.decision formats.wheel formatters config scope settings options host toolchain "
    "workspace wrapped errors values",
    "requirements": "config toolchain errors",
    "inputs": "audit errors",
    "api": "checking operations inputs config options audit formatters errors",
    # The JSON Schemas of the package; a build reads none.
    "schemas": "files",
    # The entry points.
    "backend": "build requirements config project intree_sdist pyproject workspace wrapped errors",
    "cli": "operations checking inputs github_actions repository retagging audit.patterns config "
    "project settings spelling scope surroundings pyproject known_backends options optiontypes "
    "policyoption formatters formatters.explain formatters.release audit process files errors "
    "values",
    "cli.release": "cli cli.accepted cli.releaselines pyproject release release.systems "
    "toolchain.target audit formatters inputs workspace errors",
    "cli.ci": "cli cli.accepted pyproject release formatters workspace errors",
    "cli.accepted": "config release",
    "cli.releaselines": "cli release formatters errors values",
    "cli.init": "cli adopt adopt.changes operations formatters audit errors",
    "__main__": "cli",
}

# Modules of these packages do not import one another, so that each can be read alone.
NO_SIBLINGS = {"audit.rules": {"context"}, "audit.gate": set(), "formatters": set()}

# The packages from the index, and the modules that may import them. tomli is a backport of tomllib.
# Distributions may provide _manylinux (PEP 600).
THIRD_PARTY = {
    "elftools": {"formats.elf.debuginfo", "formats.elf.relocatable"},
    "rich": {"cli.screen"},
    "deflate": {"formats.zip.compressors"},
    "tomli": {"pyproject"},
    "_manylinux": {"host"},
    "packaging": {"formats.wheel.metadata"},
    "readme_renderer": {"formats.wheel.metadata"},
    "trove_classifiers": {"formats.wheel.metadata"},
    "wheel": {"formats.wheel.metadata"},
    "tomlkit": {"adopt.edit"},
    "zlib_ng": {"formats.zip.archive"},
}

# The modules that the pure core must not import.
IMPURE = {"elftools", "zipfile", "os", "io", "subprocess", "logging", "pathlib", "time", "random"}
PURE = (
    *("audit", "formatters", "formats.elf.edits", "repair.plan", "repair.closure", "repair.fixes"),
    "repair.verify_loading",
    *(
        "repair.sbom.copyright",
        "repair.sbom.licenses",
        "repair.sbom.document",
        "toolchain.target",
        "toolchain.python.pyconfig",
    ),
    *("toolchain.compiler.arguments", "toolchain.compiler.linking"),
    *("adopt.facts", "adopt.pure", "adopt.changes", "adopt.plan", "adopt.undo", "adopt.sdist"),
    *("adopt.arrays", "adopt.table"),
    *("toolchain.compiler.processor", "toolchain.compiler.target_options"),
    *("toolchain.systems.cmake", "toolchain.systems.cmake_settings", "toolchain.systems.hints"),
)

MAX_LINES = 300
MAX_TEST_LINES = 400  # also in tests/support


def modules(package: Path) -> Dict[str, Path]:
    """Return the files of a package's modules by their dotted names, without `__init__`."""
    return {
        ".".join(path.relative_to(package).with_suffix("").parts): path
        for path in sorted(package.rglob("*.py"))
        if path.name != "__init__.py"
    }


def violations(package: Path) -> List[str]:
    """List every violation of a rule in a package."""
    known = modules(package)
    imports = {name: list(imported(path, known)) for name, path in known.items()}
    return [
        *(one for path in package.rglob("*.py") for one in _form(package, path)),
        *(one for name, path in known.items() for one in _size(name, path, MAX_LINES)),
        *(one for name in known for one in _layer(name, imports[name])),
        *(one for name in known for one in _foreign(name, imports[name])),
        *_cycles({name: [to for to in found if to in known] for name, found in imports.items()}),
    ]


def oversized_tests(tests: Path) -> List[str]:
    """List the modules below a folder of tests that have too many lines."""
    return [
        one
        for path in sorted(tests.rglob("*.py"))
        for one in _size(path.relative_to(tests).as_posix(), path, MAX_TEST_LINES)
    ]


def imported(path: Path, known: Dict[str, Path]) -> Iterator[str]:
    """Yield the modules that a file imports anywhere; manyshim's own ones without `manyshim.`."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name[len("manyshim.") :] if _is_manyshim(alias.name) else alias.name
        elif isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                full = f"{node.module}.{alias.name}"
                if not _is_manyshim(full):
                    yield node.module
                elif full[len("manyshim.") :] in known:
                    yield full[len("manyshim.") :]
                elif node.module != "manyshim":
                    yield node.module[len("manyshim.") :]


def unit(name: str) -> str:
    """Return the unit of a module: the longest matching name of the table."""
    found = [one for one in MAY_IMPORT if name == one or name.startswith(f"{one}.")]
    return max(found, key=len, default="")


def _is_manyshim(name: str) -> bool:
    return name.startswith("manyshim.")


def _form(package: Path, path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.level:
            yield f"{path.relative_to(package)}: a relative import hides the layer"
        initial = path.name == "__init__.py" and path.parent != package
        if initial and isinstance(node, (ast.Import, ast.ImportFrom)):
            yield f"{path.relative_to(package)}: this import is loaded with every module"


def _size(name: str, path: Path, most: int) -> Iterator[str]:
    lines = len(path.read_text(encoding="utf-8").splitlines())
    if lines > most:
        yield f"{name}: {lines} lines, more than {most}"


def _layer(name: str, imports: List[str]) -> Iterator[str]:
    here = unit(name)
    if not here:
        yield f"{name}: belongs to no unit; give it one in MAY_IMPORT"
        return
    allowed = MAY_IMPORT[here].split()
    for other in imports:
        there = unit(other)
        if not there:
            continue
        if there == here:
            siblings = NO_SIBLINGS.get(here)
            if siblings is not None and other.rpartition(".")[2] not in siblings:
                yield f"{name}: imports {other}, and modules of {here} import no siblings"
        elif there not in allowed and other not in allowed:
            yield f"{name}: imports {other}, and {here} may not import {there}"


def _foreign(name: str, imports: List[str]) -> Iterator[str]:
    pure = any(name == one or name.startswith(f"{one}.") for one in PURE)
    for other in imports:
        top = other.partition(".")[0]
        if pure and top in IMPURE and not unit(other):
            yield f"{name}: imports {other}, and it is pure"
        if unit(other) or top in THIRD_PARTY:
            if top in THIRD_PARTY and name not in THIRD_PARTY[top]:
                yield f"{name}: imports {other}, which only {sorted(THIRD_PARTY[top])} may"
        elif sys.version_info >= (3, 10) and top not in (*sys.stdlib_module_names, "manyshim"):
            yield f"{name}: imports {other}, which is no part of the standard library"


def _cycles(graph: Dict[str, List[str]]) -> Iterator[str]:
    """Yield each cycle in a graph of imports."""
    done: Set[str] = set()

    def visit(name: str, way: Tuple[str, ...]) -> Iterator[str]:
        if name in way:
            yield f"a cycle: {' -> '.join((*way[way.index(name) :], name))}"
        elif name not in done:
            for other in graph[name]:
                yield from visit(other, (*way, name))
            done.add(name)

    for name in graph:
        yield from visit(name, ())
