"""Run `manyshim check` over published wheels for macOS and Windows, and over sdists.

The steps are `fetch`, `judge` and `page`; without a step all run. The files are those of
`scripts/data/gate.json`. The page is docs/evidence/gate-survey.md. The exit code is 1 if a finding
has no judgement in `scripts/data/gate-judged.json`; then the page is not written. It is 2 if files
cannot be downloaded.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
import urllib.request
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any, NamedTuple

from pip._internal.models.index import PyPI

from _evidence import EVIDENCE, replace
from manyshim.audit.tags import is_linux
from survey_judge import checked
from survey_page import Firing, Judged, findings, firings
from survey_rows import DATA, add_options, read_json, write_json
from survey_rows import rows as linux_rows
from systems_page import KINDS

_STEPS = ("fetch", "judge", "page")
# What only `check` finds.
_KINDS = {
    *("FILE_NAME", "METADATA", "LICENSE_FILE", "ENTRY_POINTS", "ZIP_FRAMING", "INSTALL_PATH"),
    *("WRONG_PLATFORM", "INDEX_TAG", "TOO_LARGE"),
}
_OF_CODE = KINDS - _KINDS
_ACCEPT = {"Accept": "application/vnd.pypi.simple.v1+json"}
_SECONDS = 60
_HEAD = """# Survey of the gate

Written by `python scripts/survey_gate.py`. The files are those of `scripts/data/gate.json`, and the
judgements those of `scripts/data/gate-judged.json`. Each was made after a look at the file. The
Linux wheels are those of `python scripts/survey.py judge`, with the kinds that only `check` has;
their other findings are in [survey.md](survey.md). What was found in the machine code of macOS and
Windows is in [systems-survey.md](systems-survey.md). Each file was taken by the index when it was
uploaded, often under older rules.

| files | number | with a warning or an error |
|---|---|---|
"""


class Row(NamedTuple):
    """A published file; its size is in bytes."""

    project: str
    filename: str
    sha256: str
    size: int


def main() -> int:
    """Run the steps; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("step", nargs="*", choices=(*_STEPS, []), help="default: all of them")
    add_options(parser)
    options = parser.parse_args()
    rows = [Row(**one) for one in read_json(DATA / "gate.json")]
    cache = Path(options.cache)
    for step in options.step or _STEPS:
        if step == "fetch":
            code = _fetch(rows, cache / "others")
        elif step == "judge":
            work = partial(_judge, cache, again=options.again)
            with get_context("fork").Pool(options.jobs) as pool:
                code = sum(pool.imap(work, rows))
        else:
            code = _write(rows, cache)
        if code:
            return code
    return 0


def _fetch(rows: Sequence[Row], folder: Path) -> int:
    folder.mkdir(parents=True, exist_ok=True)
    with ThreadPoolExecutor(4) as pool:
        said = list(filter(None, pool.map(partial(download, folder), rows)))
    print("".join(f"{one}\n" for one in said), end="")
    return 2 if said else 0


def download(folder: Path, row: Row) -> str:
    """Download a file unless it is there; return why it cannot be had."""
    path = folder / row.filename
    if path.is_file() and hashlib.sha256(path.read_bytes()).hexdigest() == row.sha256:
        return ""
    try:
        page = json.loads(_get(f"{PyPI.simple_url}/{row.project}/", _ACCEPT))
        (address,) = (one["url"] for one in page["files"] if one["filename"] == row.filename)
        data = _get(address, {})
    except (OSError, ValueError) as error:
        return f"{row.filename}: {error}"
    if hashlib.sha256(data).hexdigest() != row.sha256:
        return f"{row.filename}: its hash is not the recorded one"
    path.write_bytes(data)
    return ""


def _get(address: str, headers: dict[str, str]) -> bytes:
    request = urllib.request.Request(address, headers=headers)  # noqa: S310 (the index's own)
    with urllib.request.urlopen(request, timeout=_SECONDS) as response:  # noqa: S310
        data: bytes = response.read()
    return data


def _judge(cache: Path, row: Row, *, again: bool) -> int:
    kept = cache / "gate" / f"{row.filename}.json"
    if again or not kept.is_file():
        write_json(kept, checked(cache / "others" / row.filename))
    return 0


def _write(rows: Sequence[Row], cache: Path) -> int:
    judged = Judged((), read_json(DATA / "gate-judged.json"), ())
    results: list[dict[str, Any]] = [
        {"wheel": row.filename, "check": read_json(cache / "gate" / f"{row.filename}.json")}
        for row in rows
    ]
    for result in results:
        found = result["check"].get("findings", ())
        result["check"]["findings"] = [row for row in found if row["kind"] not in _OF_CODE]
    linux = _linux(cache)
    results += linux
    fired = [one for result in results for one in firings(result, judged)]
    open_ones = [one for one in fired if not one.judged]
    failed = [one["wheel"] for one in results if one["check"].get("error")]
    for name in failed:
        print(f"{name}: cannot be read")
    for one in open_ones:
        print(f"{one.wheel}: {one.path}: {one.kind} ({one.severity}): {one.message}: no judgement")
    if failed or open_ones:
        print("the page is not written")
        return 1
    replace(EVIDENCE / "gate-survey.md", _page([one["wheel"] for one in results], fired))
    return 0


def _linux(cache: Path) -> list[dict[str, Any]]:
    """Return what the survey of Linux wheels found of the gate's kinds."""
    found = [read_json(cache / "judge" / f"{row.filename}.json") for row in linux_rows()]
    # A wheel that is not downloaded has no result.
    found = [one for one in found if one]
    for one in found:
        rows = one["check"]["findings"]
        one["check"]["findings"] = [row for row in rows if row["kind"] in _KINDS]
    return found


def _page(names: Sequence[str], fired: Sequence[Firing]) -> str:
    of_file = {name: _group(name) for name in names}
    loud = {one.wheel for one in fired}
    lines = [
        f"| {group} | {count} | {sum(of_file[name] == group for name in loud)} |\n"
        for group, count in sorted(Counter(of_file.values()).items())
    ]
    return "".join([_HEAD, *lines, "\n", findings(fired).rstrip("\n"), "\n"])


def _group(filename: str) -> str:
    if not filename.endswith(".whl"):
        return "sdists"
    if is_linux(filename.rpartition("-")[2]):
        return "Linux wheels"
    platform = filename.rpartition("-")[2]
    if platform.startswith(("macosx", "win")):
        return "macOS wheels" if platform.startswith("macosx") else "Windows wheels"
    return "other wheels"


if __name__ == "__main__":
    sys.exit(main())
