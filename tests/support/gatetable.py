"""The differential table of `check`: every crafted file, who refuses it, and what check says."""

from __future__ import annotations

import json
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Dict, Iterator, List, Mapping, NamedTuple, Tuple

import gatejudges as judges
from commandline import run
from gatecases import Crafted, framing
from gatecases_files import all_wheels
from gatecases_headers import headers
from gatecases_sdists import all_sdists

# An installer refuses a wheel for another machine, which says nothing about the file.
_OTHER_MACHINE = ("is not a supported wheel on this platform", "compatible with the current")

# Files that none of the judges refuses, and that check refuses or warns of all the same.
STRICTER: Mapping[str, str] = {
    "METADATA: Metadata-Version 9.9": "the index refuses the form field, which clients fill",
    "METADATA: no Metadata-Version": "the index requires the form field",
    "name: a local version": "the index refuses the form field; private indexes take it",
    "paths: a drive": "on Windows, the path is absolute",
    "paths: a second .data": "pip alone installs it into the folder for scripts",
    "sdist: a wrong CRC": "the file is damaged (gzip -t); readers stop before its end",
    "sdist: cut off": "the file is damaged (gzip -t); readers stop before its end",
}

# Files that only the strict index refuses, which is stricter than the public one in this.
UNCONFIRMED: Mapping[str, str] = {
    "needless zip64 extra, local": "uv 0.13.9 and the public index take it: protobuf 7.36.2 has it",
    "local zip64: right, not needed": "the same, in a deflated member",
    "WHEEL: a folded Tag": "the public index does not read WHEEL, and installers unfold the line",
}

# Files that the public index takes and the strict one refuses, so that check only warns: the first
# does not read WHEEL, and sends a mail about RECORD.
WARNED = (
    *("RECORD: an absent file", "RECORD: a row for its signature", "paths: an empty part"),
    *("WHEEL: Wheel-Version 1.0.1", "RECORD: a size with zeros", "RECORD: a size with a sign"),
)


class Verdict(NamedTuple):
    """Who refuses a file, each with the first words, and the kinds of check's findings."""

    name: str
    filename: str
    refused: Tuple[Tuple[str, str], ...]
    errors: Tuple[str, ...]
    warnings: Tuple[str, ...]


def crafted() -> Dict[str, Crafted]:
    """Return all crafted files by name."""
    return {**framing(), **headers(), **all_wheels(), **all_sdists()}


def verdicts(folder: Path) -> List[Verdict]:
    """Write the crafted files, and ask all judges and `manyshim check` about each."""
    table = crafted()
    wheels, sdists = folder / "wheels", folder / "sdists"
    numbered = {f"{number:03}": name for number, name in enumerate(table)}
    for number, name in numbered.items():
        place = (wheels if table[name].filename.endswith(".whl") else sdists) / number
        place.mkdir(parents=True)
        (place / table[name].filename).write_bytes(table[name].data)
    asked: Dict[str, judges.Refusals] = {
        "index": {**judges.strict_index(wheels), **judges.strict_index(sdists)},
        "installer": judges.installer(wheels),
        "pip": {**judges.pip(wheels), **judges.pip(sdists)},
        "twine": {**judges.twine(wheels), **judges.twine(sdists)},
        "uv": {**judges.uv_from_path(wheels), **judges.uv_from_path(sdists)},
        "uv (http)": judges.uv_over_http(wheels),
        "zipfile": {
            number: said
            for python in judges.pythons()
            for number, said in judges.zipfile_of(python, wheels).items()
        },
    }
    found = dict(_checked(judges.files(wheels), judges.files(sdists)))
    usual = found[next(one for one, name in numbered.items() if name == "good")]
    return [
        Verdict(
            name,
            table[name].filename,
            tuple(
                (judge, " ".join(refusals[number].split())[:200])
                for judge, refusals in asked.items()
                if number in refusals
                and not any(words in refusals[number] for words in _OTHER_MACHINE)
            ),
            *_kinds(found[number], usual),
        )
        for number, name in numbered.items()
    ]


_Findings = List[Mapping[str, Any]]


def _checked(wheels: List[Path], sdists: List[Path]) -> Iterator[Tuple[str, _Findings]]:
    """Yield the findings of `manyshim check` by case; a file that cannot be read has an error."""
    data = json.loads(run("check", "--json", *wheels, *sdists).stdout)
    assert [len(data["wheels"]), len(data["sdists"])] == [len(wheels), len(sdists)]
    for path, one in zip([*wheels, *sdists], [*data["wheels"], *data["sdists"]]):
        found: _Findings = one["findings"]
        if one["error"]:
            assert not one["internal"], (path, one["error"])
            found = [{"kind": "cannot be read", "severity": "error"}]
        yield path.parent.name, found


def _kinds(own: _Findings, usual: _Findings) -> Tuple[Tuple[str, ...], Tuple[str, ...]]:
    """Return the kinds of errors and of warnings that the good twin does not have."""
    known = {(one["kind"], one["severity"]) for one in usual}
    rows = [one for one in own if (one["kind"], one["severity"]) not in known]
    return (
        tuple(sorted({one["kind"] for one in rows if one["severity"] == "error"})),
        tuple(sorted({one["kind"] for one in rows if one["severity"] == "warning"})),
    )


def missed(table: List[Verdict]) -> List[Verdict]:
    """Return the files that a judge refuses, and of which check says nothing."""
    silent = [one for one in table if one.refused and not (one.errors or one.warnings)]
    return [one for one in silent if one.name not in UNCONFIRMED]


def alarms(table: List[Verdict]) -> List[Verdict]:
    """Return the files that all judges take, and that check refuses or warns of without reason."""
    return [
        one
        for one in table
        if (one.errors or one.warnings)
        and not one.refused
        and one.name not in STRICTER
        and not _judge_is_missing(one.name)
    ]


def _judge_is_missing(name: str) -> bool:
    """Whether the one judge that refuses a file is not on this Python.

    The index's library for addresses needs Python 3.10. pip fails at the time of a file only where
    Python cannot set it, and 3.8 can.
    """
    if name.startswith("METADATA: the address "):
        return find_spec("email_validator") is None
    return name == f"sdist: header: pax mtime={1 << 63}" and sys.version_info < (3, 11)
