"""Write docs/evidence/patcher.md: files of many linkers and of published wheels, patched and run.

scripts/patch_published.py must have run before. The tests take ten minutes, and need Debian's cross
compilers, qemu-user-static, lld, mold, llvm, elfutils and musl-tools.
"""

from __future__ import annotations

import statistics
import sys
import textwrap
from collections import Counter
from pathlib import Path
from typing import Any, Dict, Iterator, List, Sequence

from _evidence import Evidence, Row, Rows, arguments, produce, system
from patch_published import results
from patchtoolchains import KINDS, all_cases
from patchways import WAYS
from survey_rows import default_cache, platform_of

_HEAD = """# Patched files

Written by `python scripts/write_patcher.py`, on {system}.

`formats/elf/patch.py` changes names and search paths. This page says what happened to files of
{toolchains} pairs of linker and architecture, and to {files} files of {wheels} published wheels.

## Each linker and architecture

A library and two programs are patched in five ways, with and without section headers: a short name
of a needed library, a long one, a search path, a removed library, and all at once with a SONAME and
an executable stack. Each calls the renamed library, and uses symbol versions, thread-local storage,
constructors, exported data and indirect functions. Each is compared with its original
(`repair/verify.py`), and readelf, eu-elflint and pyelftools report nothing new. The numbers are:
files that run, of all, and those that still run after `strip -s`, `strip -g`, llvm-strip, eu-strip,
patchelf, or a second patch. Other architectures run under qemu-user. A tool that also breaks the
unpatched file is not counted. patchelf is not tried on non-PIE programs, where it stops with an
assertion.

| linker | architecture | {kinds} |
|---|---|{rules}
"""
_STATIC = """
Static programs are refused: `{static}`. So are static PIE programs: `{pie}`.
"""
_PUBLISHED = """
## Published wheels

Every ELF file with a dynamic section, of the wheels in scripts/data/survey.json and
patched_wheels.json: the wheel's own libraries and the files that need them get longer names, and
each file a further search path. Then each file is compared with its original (`repair/verify.py`),
and its names are read back with pyelftools. New strings find their place in these ways; in brackets
is how many files of the first table were patched so.

{way_lines}
| architecture | files | {ways} | growth | edited |
|---|---|{rules}---|---|
"""
# Paragraphs, filled when they are complete.
_END = """
Growth and edited bytes are medians. The largest growth is {growth} bytes, and the most edited bytes
are {edited}.

{refused} {wrong}

{opened} libraries open in their original form under CPython, each in its own process: {other}.

{imported} packages were imported and used after all {files} files of their wheels were patched, in
one folder: {names}.
"""


def text(rows: Rows) -> str:
    """Return the page."""
    wheels, imports = results(Path(default_cache()))
    files = [{**one, "arch": _arch(wheel)} for wheel in wheels for one in wheel["files"]]
    patched = [one for one in files if not one["refused"]]
    head = _HEAD.format(
        system=system(),
        toolchains=len({(toolchain.linker, toolchain.arch) for toolchain, _ in all_cases()}),
        files=len(patched),
        wheels=sum(bool(wheel["files"]) for wheel in wheels),
        kinds=" | ".join(KINDS),
        rules="---|" * len(KINDS),
    )
    static = {key[-1]: row["said"] for key, row in rows.items() if "said" in row}
    ways = [way for way in WAYS if any(one["way"] == way for one in patched)]
    linked = Counter(way for row in rows.values() for way in row.get("ways", ()))
    published = _PUBLISHED.format(
        way_lines="".join(f"- {way} ({linked[way]}): {text}\n" for way, text in WAYS.items()),
        ways=" | ".join(ways),
        rules="---|" * len(ways),
    )
    return "".join(
        (
            head,
            *_matrix(rows),
            _filled(
                _STATIC.format(static=static["static program"], pie=static["static PIE program"])
            ),
            *_found(rows),
            published,
            *_architectures(patched, ways),
            _summary(wheels, imports),
        )
    )


def _arch(wheel: Row) -> str:
    platform = platform_of(wheel["wheel"])
    return platform.arch + (", musl" if platform.libc == "musl" else "") or "no tag for Linux"


def _matrix(rows: Rows) -> Iterator[str]:
    """Yield a line for each linker and architecture."""
    for toolchain in dict.fromkeys(toolchain for toolchain, _ in all_cases()):
        cells = []
        for kind in KINDS:
            row = rows.get((*toolchain, kind))
            cells.append(_cell(row, runs=toolchain.runs) if row else "not linked")
        libc = "" if toolchain.libc == "glibc" else f", {toolchain.libc}"
        yield f"| {toolchain.linker} | {toolchain.arch}{libc} | {' | '.join(cells)} |\n"


def _cell(row: Row, *, runs: bool) -> str:
    numbers = [pair for report in row["after"] for pair in report.values()]
    ran, tried = (sum(pair[index] for pair in numbers) for index in (0, 1))
    all_files = len(row["ways"])
    if not runs:
        return f"{all_files} compared, none run"
    return f"{row['ran']} of {all_files}, {ran} of {tried}"


def _found(rows: Rows) -> Iterator[str]:
    """Yield the tools that break unpatched files, and what failed."""
    broken: Dict[str, List[str]] = {}
    for key, row in rows.items():
        for tool in row.get("before", ()):
            tools = broken.setdefault(f"{key[0]} on {key[1]}", [])
            tools += [tool] if tool not in tools else []
    lines = [f"{place}: {' and '.join(tools)}" for place, tools in broken.items()]
    if lines:
        yield _filled(f"These tools break unpatched files, too. {'; '.join(lines)}.")
    failures = [one for row in rows.values() for one in row.get("failures", ())]
    yield "".join(f"\n- FAILED: {one}" for one in failures)


def _architectures(patched: Sequence[Row], ways: Sequence[str]) -> Iterator[str]:
    architectures = Counter(one["arch"] for one in patched)
    for arch, count in [*architectures.most_common(), ("all", len(patched))]:
        own = [one for one in patched if arch in (one["arch"], "all")]
        numbers = " | ".join(str(sum(one["way"] == way for one in own)) for way in ways)
        growth, edited = (
            round(statistics.median(one[name] for one in own)) for name in ("growth", "edited")
        )
        yield f"| {arch} | {count} | {numbers} | {growth} | {edited} |\n"


def _summary(wheels: Sequence[Dict[str, Any]], imports: Row) -> str:
    files = [one for wheel in wheels for one in wheel["files"]]
    refused = Counter(one["refused"] for one in files if one["refused"])
    reasons = "; ".join(f"{count}: {reason}" for reason, count in refused.most_common())
    wrong = [said for one in files for said in one["wrong"]]
    other = [said for wheel in wheels for said in wheel["opened_otherwise"]]
    patched = [one for one in files if not one["refused"]]
    end = _END.format(
        growth=max(one["growth"] for one in patched),
        edited=max(one["edited"] for one in patched),
        refused=f"Refused: {reasons}." if reasons else "No file was refused.",
        wrong=f"Wrong: {'; '.join(wrong)}." if wrong else "No file differs from the plan.",
        opened=sum(wheel["opened"] for wheel in wheels),
        other=f"not so when patched: {'; '.join(other)}" if other else "all open when patched",
        imported=len(imports["imported"]),
        files=imports["files"],
        names=", ".join(imports["imported"]),
    )
    return _filled(end)


def _filled(text: str) -> str:
    """Return paragraphs with lines of at most 100 characters, and an empty line before each."""
    return "".join(f"\n{textwrap.fill(one.strip(), 100)}\n" for one in text.split("\n\n"))


EVIDENCE = Evidence(
    "patcher.md",
    ["tests/formats/elf/test_patch_matrix.py"],
    "patcher",
    ("linker", "arch", "libc", "kind"),
    text,
)


def main() -> int:
    """Run the tests and write the page; return the exit code."""
    given = arguments("Patch files of many linkers, run them, and write docs/evidence/patcher.md.")
    wanted = [(*toolchain, kind) for toolchain, kind in all_cases()]
    wanted += [("GNU ld", "x86_64", "glibc", f"static {kind}program") for kind in ("", "PIE ")]
    return produce(EVIDENCE, wanted, given)


if __name__ == "__main__":
    sys.exit(main())
