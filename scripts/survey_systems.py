"""Run `manyshim check` over published wheels for macOS, iOS and Windows, and compare the readers.

The steps are `judge` and `page`; without a step both run. `judge` downloads one wheel at a time,
compares what manyshim reads of each file with llvm's tools and LIEF, and deletes the wheel. The
wheels are those of `scripts/data/systems.json`. The page is docs/evidence/systems-survey.md. The
exit code is 1 if a finding has no judgement in `scripts/data/systems-judged.json`, or if readers
disagree; then the page is not written. It is 2 if a wheel cannot be downloaded.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from _evidence import EVIDENCE, replace
from manyshim.audit.nativefacts import MachoFile, PeFile
from manyshim.formats.wheel.wheel import Wheel
from nativejudges import differences
from survey_gate import Row, download
from survey_judge import checked
from survey_page import Judged, firings
from survey_rows import DATA, add_options, read_json, write_json
from systems_page import KINDS, page

_STEPS = ("judge", "page")


def main() -> int:
    """Run the steps; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("step", nargs="*", choices=(*_STEPS, []), help="default: both")
    add_options(parser)
    options = parser.parse_args()
    rows = [Row(**one) for one in read_json(DATA / "systems.json")]
    folder = Path(options.cache) / "systems"
    steps = options.step or _STEPS
    if "judge" in steps:
        said = [_once(row, folder, again=options.again) for row in rows]
        if any(said):
            return 2
    return _write(rows, folder) if "page" in steps else 0


def _once(row: Row, folder: Path, *, again: bool) -> str:
    """Keep the result for a wheel; print and return why there is none."""
    kept = folder / f"{row.filename}.json"
    if kept.is_file() and not again:
        return ""
    with tempfile.TemporaryDirectory() as place:
        said = download(Path(place), row)
        if not said:
            write_json(kept, judge(Path(place, row.filename)))
    print(f"{row.filename}: {said or 'judged'}", flush=True)
    return said


def judge(path: Path) -> dict[str, Any]:
    """Return what `check` says of a wheel, and how three readers compare on each of its files."""
    with Wheel(str(path)) as wheel:
        native = wheel.facts().native
    if native is None:
        raise ValueError(f"{path.name} is not for macOS, iOS or Windows")
    compared: list[str] = []
    with zipfile.ZipFile(path) as archive, tempfile.TemporaryDirectory() as place:
        file = Path(place, "file")
        files: list[MachoFile | PeFile] = [*native.machos, *native.pes]
        for one in files:
            file.write_bytes(archive.read(one.path))
            compared += [f"{one.path}: {line}" for line in differences(one, file)]
    check = checked(path)
    check["findings"] = [one for one in check.get("findings", ()) if one["kind"] in KINDS]
    return {
        "wheel": path.name,
        "check": check,
        "machos": len(native.machos),
        "slices": sum(len(one.slices) for one in native.machos),
        "pes": len(native.pes),
        "differences": compared,
    }


def _write(rows: Sequence[Row], folder: Path) -> int:
    judged = Judged((), read_json(DATA / "systems-judged.json"), ())
    results = [read_json(folder / f"{row.filename}.json") for row in rows]
    fired = [one for result in results for one in firings(result, judged)]
    said = [
        f"{one['wheel']}: {one['check']['error']}" for one in results if one["check"].get("error")
    ]
    said += [f"{one['wheel']}: {line}" for one in results for line in one["differences"]]
    said += [
        f"{one.wheel}: {one.path}: {one.kind} ({one.severity}): {one.message}: no judgement"
        for one in fired
        if not one.judged
    ]
    print("".join(f"{line}\n" for line in said), end="")
    if said:
        print("the page is not written")
        return 1
    replace(
        EVIDENCE / "systems-survey.md", page(results, fired, {r.filename: r.size for r in rows})
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
