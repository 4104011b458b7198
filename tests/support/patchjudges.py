"""What readelf, pyelftools and eu-elflint say of a file, and how that differs for two files."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import Any, Dict, FrozenSet, Iterator, List, Mapping, NamedTuple, Optional, Tuple

from elftools.common.exceptions import ELFError
from elftools.elf.dynamic import DynamicSegment
from elftools.elf.elffile import ELFFile
from elftools.elf.gnuversions import GNUVerNeedSection
from elftools.elf.segments import NoteSegment

import needs

_NUMBER = re.compile(r" *(?:0x[0-9a-f]+|\d+)")
# Neither a patch nor patchelf edits .symtab, which no loader reads: its symbols of a note that has
# moved, and its section symbols, keep their old addresses.
_ACCEPTED = re.compile(r"eu-elflint: section \[N\] '\.symtab': symbol.*: st_value out of bounds")
# A patch may drop the second of two program headers for these notes, PT_NOTE. readelf does not
# print the notes of the other one, PT_GNU_PROPERTY.
_PROPERTY = "NT_GNU_PROPERTY_TYPE_0"
# These blocks of readelf's output are about what a patch changes: headers and names.
_CHANGED = re.compile(
    r"ELF Header|There (is|are)|Section Headers|Key to Flags|Program Headers|Elf file type"
    r"|\s*Section to Segment|Dynamic section"
)
_PLACES = re.compile(r"(?i)(offset|addr(?:ess)?|at|length)(:?\s+)0x[0-9a-f]+")


class Names(NamedTuple):
    """The names of a dynamic section, and the files of its version needs."""

    needed: Tuple[str, ...]
    soname: Optional[str]
    rpath: Optional[str]
    runpath: Optional[str]
    versions: Tuple[str, ...]


class Sayings(NamedTuple):
    """What the judges say: complaints without numbers, and lines that must not change."""

    complaints: FrozenSet[str]
    lines: FrozenSet[str]

    def compare(self, after: Sayings) -> List[str]:
        """Return what the judges say of one of the two files only."""
        new = [f"new complaint: {one}" for one in sorted(after.complaints - self.complaints)]
        lost = [f"readelf, before: {one}" for one in sorted(self.lines - after.lines)]
        return new + lost + [f"readelf, after: {one}" for one in sorted(after.lines - self.lines)]


def names(path: Path) -> Names:
    """Read the names back with pyelftools, through the program headers."""
    with path.open("rb") as file:
        elf = ELFFile(file)
        (dynamic,) = (one for one in elf.iter_segments() if isinstance(one, DynamicSegment))
        found: Dict[str, List[str]] = {}
        for tag in dynamic.iter_tags():
            for name in ("needed", "soname", "rpath", "runpath"):
                if tag.entry.d_tag == f"DT_{name.upper()}":
                    found.setdefault(name, []).append(getattr(tag, name))
        versions = tuple(
            str(need.name)
            for section in elf.iter_sections()
            if isinstance(section, GNUVerNeedSection)
            for need, _ in section.iter_versions()
        )
    assert all(len(found.get(one, "")) < 2 for one in ("soname", "rpath", "runpath")), found
    single = {name: values[0] for name, values in found.items() if name != "needed"}
    return Names(
        tuple(found.get("needed", ())),
        single.get("soname"),
        single.get("rpath"),
        single.get("runpath"),
        versions,
    )


def judge(path: Path, renamed: Mapping[str, str]) -> Sayings:
    """Ask all judges about a file; `renamed` are its new names with the old ones."""
    complaints, lines = _readelf(path, renamed)
    complaints += [_plain(one, path, renamed) for one in (*_eu_elflint(path), *_pyelftools(path))]
    counted = frozenset(one for one in complaints if not _ACCEPTED.fullmatch(one))
    return Sayings(counted, frozenset(line for line in lines if _PROPERTY not in line))


def _plain(text: str, path: Path, renamed: Mapping[str, str]) -> str:
    text = text.replace(str(path), "FILE")
    for new, old in renamed.items():
        text = text.replace(new, old)
    return _NUMBER.sub("N", text)


def _readelf(path: Path, renamed: Mapping[str, str]) -> Tuple[List[str], List[str]]:
    complaints, lines = [], []
    for options in ("-aW", "-aWD"):
        done = subprocess.run(
            [needs.tool("readelf", "binutils"), options, str(path)],
            capture_output=True, text=True, check=False, errors="replace",
        )  # fmt: skip
        said = [line for line in done.stdout.splitlines() if "<corrupt" in line.lower()]
        said += done.stderr.splitlines()
        said += [f"exit code {done.returncode}"] if done.returncode else []
        complaints += [f"readelf {options}: {_plain(one, path, renamed)}" for one in said]
        lines += [f"{options} {line}" for line in _lasting(done.stdout, renamed)]
    return complaints, lines


def _lasting(text: str, renamed: Mapping[str, str]) -> Iterator[str]:
    """Yield the lines about symbols, relocations, versions and notes."""
    for block in re.split(r"\n\s*\n", text):
        if _CHANGED.match(block.lstrip("\n")):
            continue
        for line in block.splitlines():
            plain = _PLACES.sub(r"\1\2PLACE", line)
            for new, old in renamed.items():
                plain = plain.replace(new, old)
            yield plain


def _eu_elflint(path: Path) -> List[str]:
    done = subprocess.run(
        [needs.tool("eu-elflint", "elfutils"), "--gnu-ld", str(path)],
        capture_output=True, text=True, check=False, errors="replace",
    )  # fmt: skip
    lines = (done.stdout + done.stderr).splitlines()
    return [f"eu-elflint: {line}" for line in lines if line != "No errors"]


def _pyelftools(path: Path) -> List[str]:
    """Parse all that pyelftools can parse; return its errors."""
    with path.open("rb") as file:
        elf = ELFFile(file)
        parts: List[Any] = [elf.get_section(index) for index in range(elf.num_sections())]
        parts += [elf.get_segment(index) for index in range(elf.num_segments())]
        errors = []
        for part in parts:
            try:
                _parse(part)
            except (ELFError, AssertionError, ValueError, KeyError, UnicodeError) as error:
                errors.append(f"pyelftools: {type(part).__name__}: {error!r}")
    return errors


def _parse(part: Any) -> None:
    if hasattr(part, "get_number_of_symbols") and hasattr(part, "get_symbol"):
        part.get_number_of_symbols()
    if isinstance(part, NoteSegment) or type(part).__name__ == "NoteSection":
        list(part.iter_notes())
    for each in ("iter_tags", "iter_symbols", "iter_relocations", "num_symbols"):
        if hasattr(part, each):
            found = getattr(part, each)()
            list(found if hasattr(found, "__iter__") else ())
    if hasattr(part, "iter_versions"):
        for version, auxiliaries in part.iter_versions():
            assert version.name is None or isinstance(version.name, str)
            list(auxiliaries)
    if hasattr(part, "data"):
        part.data()
