"""Write docs/evidence/systems-survey.md: published wheels for macOS, iOS and Windows."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from survey_page import Firing, findings

# What is found in the machine code of these systems.
KINDS = frozenset(
    (
        *("MACOS_VERSION", "MISSING_SLICE", "MACOS_LIBRARY", "UNSIGNED", "WINDOWS_LIBRARY"),
        *("VC_RUNTIME", "DEBUG_RUNTIME", "PYTHON_DLL", "CODE_CORRUPT", "MIXED_ARCH", "ABI3"),
        *("LIBPYTHON", "WRONG_PLATFORM"),
    )
)
# For these, another tag may be right.
_OF_TAG = ("MACOS_VERSION", "MISSING_SLICE", "MIXED_ARCH")
_MIB = 1 << 20
_HEAD = """# Survey of wheels for macOS, iOS and Windows

Written by `python scripts/survey_systems.py`. The wheels are those of `scripts/data/systems.json`,
and the judgements those of `scripts/data/systems-judged.json`. Each was made after a look at the
file. What `check` says of names, metadata and archives is in [gate-survey.md](gate-survey.md).

"""


def page(
    results: Sequence[Mapping[str, Any]], fired: Sequence[Firing], sizes: Mapping[str, int]
) -> str:
    """Return the text of the page. `sizes` are those of the wheels, in bytes."""
    of_wheel: dict[str, list[Firing]] = defaultdict(list)
    for one in fired:
        of_wheel[one.wheel].append(one)
    parts = [_HEAD, _summary(results, of_wheel), _readers(results), findings(fired)]
    for system in ("macOS", "iOS", "Windows"):
        rows = [one for one in results if system_of(one["wheel"]) == system]
        lines = [_row(one, of_wheel[one["wheel"]], sizes[one["wheel"]]) for one in rows]
        head = "| wheel | MiB | files | verdict | why |\n|---|---|---|---|---|\n"
        parts += [f"## {system}\n\n{head}", *sorted(lines, key=str.lower), "\n"]
    return "".join(parts).rstrip("\n") + "\n"


def system_of(filename: str) -> str:
    """Return the system of a wheel's name.

    >>> system_of("demo-1.0-cp311-abi3-win_arm64.whl")
    'Windows'
    """
    platform = filename.rpartition("-")[2]
    return {"m": "macOS", "i": "iOS"}.get(platform[:1], "Windows")


def _summary(results: Sequence[Mapping[str, Any]], of_wheel: Mapping[str, Sequence[Firing]]) -> str:
    verdicts = Counter(
        (system_of(one["wheel"]), _verdict(of_wheel[one["wheel"]])) for one in results
    )
    head = "| system | wheels | without a finding | with a warning | with an error |\n"
    lines = [f"{head}|---|---|---|---|---|\n"]
    for system in ("macOS", "iOS", "Windows"):
        counts = [verdicts[system, verdict] for verdict in ("good", "warning", "error")]
        lines.append(f"| {system} | {sum(counts)} | {' | '.join(map(str, counts))} |\n")
    return "".join([*lines, "\n"])


def _verdict(fired: Sequence[Firing]) -> str:
    severities = {one.severity for one in fired}
    return "error" if "error" in severities else "warning" if severities else "good"


def _readers(results: Sequence[Mapping[str, Any]]) -> str:
    machos, slices, pes = (sum(one[key] for one in results) for key in ("machos", "slices", "pes"))
    return (
        f"{machos} Mach-O files with {slices} slices, and {pes} PE files. llvm's tools and LIEF "
        "read each of them, too.\nThey agree with manyshim about the architectures, libraries, "
        "search paths, systems, versions,\nsignatures and imports of each.\n\n"
    )


def _row(result: Mapping[str, Any], fired: Sequence[Firing], size: int) -> str:
    grouped: dict[tuple[str, str, str], list[Firing]] = defaultdict(list)
    for one in fired:
        grouped[one.severity, one.kind, one.reason].append(one)
    said = [
        f"{kind} ({len(found)}): {found[0].path.rpartition('/')[2]}: {found[0].message}"
        for (_, kind, _), found in sorted(grouped.items())
    ]
    files = result["machos"] + result["pes"]
    verdict = _verdict(fired)
    right = result["check"].get("right_tags", ())
    if right and any(one.severity == "error" and one.kind in _OF_TAG for one in fired):
        verdict += f"; the right tag: {', '.join(right)}"
    cells = (result["wheel"], f"{size / _MIB:.1f}", files, verdict, "; ".join(said))
    return "| {} |\n".format(" | ".join(str(cell).replace("|", "\\|") for cell in cells))
