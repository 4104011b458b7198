"""What llvm's tools and LIEF read of Mach-O and PE files, to compare with our readers."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import Any, Dict, List, NamedTuple, Optional, Set, Tuple, Union

import needs
from manyshim.audit.nativefacts import MachoFile, PeFile, Slice

_SUBTYPES = {("x86_64", "8"): "x86_64h", ("arm64", "2"): "arm64e"}
# The systems of LC_BUILD_VERSION, by llvm's names, and those of the older commands.
_SYSTEMS = {"macos": 1, "ios": 2, "iossimulator": 7}
_OF_COMMAND = {"LC_VERSION_MIN_MACOSX": 1, "LC_VERSION_MIN_IPHONEOS": 2}
_NEW = ("LC_DYLD_CHAINED_FIXUPS", "LC_DYLD_EXPORTS_TRIE")
_MACHINES = {"AMD64": "amd64", "I386": "x86", "ARM64": "arm64", "ARMNT": "0x1c4", "ARM": "0x1c4"}
_OPTIONAL = ("LC_LOAD_WEAK_DYLIB", "LC_LAZY_LOAD_DYLIB")
_DYLIBS = ("LC_LOAD_DYLIB", "LC_REEXPORT_DYLIB", "LC_LOAD_UPWARD_DYLIB", *_OPTIONAL)
_LOADABLE = ("EXECUTE", "DYLIB", "BUNDLE")
_TIMEOUT = 120


class Part(NamedTuple):
    """What the readers have in common about a slice; libraries are sorted.

    `new_dyld` tells whether it has a load command that only macOS 10.15 and newer know.
    """

    needed: Tuple[Tuple[str, bool], ...]
    install_name: str
    rpaths: Tuple[str, ...]
    system: Optional[int]
    minimum: Optional[Tuple[int, ...]]
    sdk: Optional[Tuple[int, ...]]
    new_dyld: bool
    signed: bool


class Imports(NamedTuple):
    """What the readers have in common about a PE file, sorted."""

    machine: str
    imports: Tuple[str, ...]
    delayed: Tuple[str, ...]
    python_names: Tuple[str, ...]


def our_parts(file: MachoFile) -> Dict[str, Part]:
    """Return our facts of a Mach-O file, by architecture."""
    return {one.arch: _part(one) for one in file.slices}


def _part(one: Slice) -> Part:
    needed = tuple(sorted((dylib.name, dylib.optional) for dylib in one.needed))
    part = Part(
        *(needed, one.install_name, one.rpaths, None, None, None),
        new_dyld=one.oldest_dyld is not None,
        signed=one.signed,
    )
    if one.builds:
        system, minimum, sdk = one.builds[0]
        part = part._replace(system=system, minimum=minimum, sdk=sdk)
    return part


def our_imports(file: PeFile) -> Imports:
    """Return our facts of a PE file."""
    lists = (tuple(sorted(names)) for names in (file.imports, file.delayed, file.python_names))
    return Imports(file.machine, *lists)


def differences(file: Union[MachoFile, PeFile], path: Path) -> List[str]:
    """Return a line for each judge that reads a file otherwise; files for .NET are not compared."""
    if isinstance(file, MachoFile):
        own: Any = our_parts(file)
        others: Dict[str, Any] = {"llvm": llvm_parts(path), "LIEF": lief_parts(path)}
    elif file.managed:
        return []
    else:
        own = our_imports(file)
        others = {"llvm": llvm_imports(path), "LIEF": lief_imports(path)}
    return [f"{judge}: {other}, and not {own}" for judge, other in others.items() if other != own]


def _run(tool: str, *arguments: str) -> str:
    command = [needs.llvm(tool), *arguments]
    done = subprocess.run(
        command, capture_output=True, check=True, timeout=_TIMEOUT, encoding="utf-8"
    )
    return done.stdout


def llvm_parts(path: Path) -> Dict[str, Part]:
    """Return what llvm-objdump reads of the loadable slices of a Mach-O file."""
    found: Dict[str, Part] = {}
    for arch in _run("llvm-lipo", "-archs", str(path)).split():
        options = ("--macho", f"--arch={arch}", "--private-headers")
        text = _run("llvm-objdump", *options, str(path))
        _, header, loaded = text.partition("Mach header\n")
        if header and loaded.splitlines()[1].split()[4] in _LOADABLE:
            found[arch] = _llvm_part(loaded)
    return found


def _llvm_part(text: str) -> Part:
    needed: List[Tuple[str, bool]] = []
    rpaths: List[str] = []
    part = Part((), "", (), None, None, None, new_dyld=False, signed=False)
    for block in text.split("Load command ")[1:]:
        fields = dict(re.findall(r"^ *(\w+) (.+?)(?: \(offset \d+\))?$", block, re.MULTILINE))
        command = fields["cmd"]
        if command in _DYLIBS:
            needed.append((fields["name"], command in _OPTIONAL))
        elif command == "LC_ID_DYLIB":
            part = part._replace(install_name=fields["name"])
        elif command == "LC_RPATH":
            rpaths.append(fields["path"])
        elif command == "LC_CODE_SIGNATURE":
            part = part._replace(signed=True)
        elif command in _NEW:
            part = part._replace(new_dyld=True)
        stated = fields.get("minos" if command == "LC_BUILD_VERSION" else "version", "")
        if command.startswith(("LC_BUILD_VERSION", "LC_VERSION_MIN")) and not part.minimum:
            system = _OF_COMMAND.get(command) or _SYSTEMS.get(fields.get("platform", ""))
            releases = (_numbers(stated), _numbers(fields["sdk"]))
            part = part._replace(system=system, minimum=releases[0], sdk=releases[1])
    return part._replace(needed=tuple(sorted(needed)), rpaths=tuple(rpaths))


def _numbers(text: str) -> Tuple[int, ...]:
    numbers = [int(number) for number in text.split(".")] if text != "n/a" else []
    return (*numbers, 0, 0, 0)[:3]


def llvm_imports(path: Path) -> Imports:
    """Return what llvm-readobj reads of a PE file."""
    text = _run("llvm-readobj", "--file-headers", "--coff-imports", str(path))
    machine = re.search(r"IMAGE_FILE_MACHINE_(\w+)", text)
    names: Dict[str, List[str]] = {"Import": [], "DelayImport": []}
    python: Set[str] = set()
    for kind, block in re.findall(
        r"^(Import|DelayImport) \{\n(.*?)^\}", text, re.DOTALL | re.MULTILINE
    ):
        name = re.search(r"^  Name: (.*)$", block, re.MULTILINE)
        assert name
        names[kind].append(name[1])
        if kind == "Import" and name[1].lower().startswith("python3"):
            python.update(re.findall(r"^  Symbol: (\S+) \(", block, re.MULTILINE))
    assert machine
    lists = (tuple(sorted(one)) for one in (names["Import"], names["DelayImport"], python))
    return Imports(_MACHINES[machine[1]], *lists)


def lief() -> Any:
    """Return LIEF, which prints nothing; skip the test without it."""
    needs.module("lief", since=(3, 10))
    import lief as loaded

    loaded.logging.disable()
    return loaded


def lief_parts(path: Path) -> Dict[str, Part]:
    """Return what LIEF reads of the loadable slices of a Mach-O file."""
    found: Dict[str, Part] = {}
    # The slices are gone with this object.
    read = lief().MachO.parse(str(path))
    for one in read:
        header = one.header
        arch = {"X86": "i386"}.get(header.cpu_type.name, header.cpu_type.name.lower())
        if header.file_type.value not in (2, 6, 8):
            continue
        subtype = str(header.cpu_subtype & 0xFFFFFF)
        commands = [(dylib.command.name, dylib.name) for dylib in one.libraries]
        needed = [
            (name, command in ("LOAD_WEAK_DYLIB", "LAZY_LOAD_DYLIB"))
            for command, name in commands
            if command != "ID_DYLIB"
        ]
        own = [name for command, name in commands if command == "ID_DYLIB"]
        system: Optional[int] = None
        releases: Tuple[Any, Any] = (None, None)
        if one.has_build_version:
            build = one.build_version
            system, releases = build.platform.value, (tuple(build.minos), tuple(build.sdk))
        elif one.has_version_min:
            oldest = one.version_min
            system = _OF_COMMAND[f"LC_{oldest.command.name}"]
            releases = (tuple(oldest.version), tuple(oldest.sdk))
        found[_SUBTYPES.get((arch, subtype), arch)] = Part(
            tuple(sorted(needed)),
            "".join(own),
            tuple(rpath.path for rpath in one.rpaths),
            *(system, *releases),
            one.has_dyld_chained_fixups or one.has_dyld_exports_trie,
            one.has_code_signature,
        )
    return found


def lief_imports(path: Path) -> Imports:
    """Return what LIEF reads of a PE file."""
    read = lief().PE.parse(str(path))
    machine = _MACHINES[read.header.machine.name]
    python = {
        entry.name
        for one in read.imports
        if one.name.lower().startswith("python3")
        for entry in one.entries
        if not entry.is_ordinal
    }
    lists = ([one.name for one in part] for part in (read.imports, read.delay_imports))
    return Imports(machine, *(tuple(sorted(one)) for one in (*lists, python)))
