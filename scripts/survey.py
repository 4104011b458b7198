"""Judge published wheels with manyshim, auditwheel and an audit of our own.

The steps are `fetch`, `judge`, `auditwheel`, `open` and `page`; without a step all run. Each keeps
its results in the cache, one file for each wheel, and `--again` makes them anew. The page is
docs/evidence/survey.md. The exit code is 1 if something has no judgement, or if a wheel has no
result; then the page is not written. It is 2 if wheels cannot be downloaded.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from _evidence import EVIDENCE, replace
from survey_explain import UNEXPLAINED, Opening, explain
from survey_fetch import fetch
from survey_judge import auditwheel, judge
from survey_open import open_all, python_for
from survey_page import Compared, Firing, Judged, compare, firings, page
from survey_rows import (
    DATA,
    Row,
    Unavailable,
    add_options,
    in_parallel,
    read_json,
    rows,
    write_json,
)  # fmt: skip

_PAGE = "survey.md"
_JUDGED = DATA / "survey-judged.json"
_STEPS = ("fetch", "judge", "auditwheel", "open", "page")


def main() -> int:
    """Run the steps; return the exit code."""
    options = _options()
    # The largest are the last, so that most results are there early.
    wheels = sorted(rows(options.only), key=lambda row: row.size)
    cache = Path(options.cache)
    code = 0
    for step in options.step or _STEPS:
        if step == "fetch":
            code = _fetch(wheels, cache, options.jobs)
        elif step == "page":
            code = _write(wheels, cache, options)
        else:
            works = {"judge": judge, "auditwheel": auditwheel}
            work = works.get(step) or partial(_open, Path(options.pythons))
            done = partial(_once, work, cache, cache / step, again=options.again)
            for row, said in in_parallel(done, wheels, options.jobs):
                if said:
                    print(f"{row.filename}: {said}", flush=True)
        if code:
            return code
    return code


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("step", nargs="*", choices=(*_STEPS, []), help="default: all of them")
    parser.add_argument("--only", default="*", metavar="GLOB", help="wheels of this name")
    add_options(parser)
    parser.add_argument("--all", action="store_true", help="print each firing, not only unjudged")
    return parser.parse_args()


def _fetch(wheels: Sequence[Row], cache: Path, jobs: int) -> int:
    failures = [said for _, said in in_parallel(partial(_try, cache), wheels, jobs) if said]
    print("".join(f"{said}\n" for said in failures), end="")
    return 2 if failures else 0


def _try(cache: Path, row: Row) -> str:
    try:
        fetch(row, cache / "published")
    except Unavailable as error:
        return str(error)
    return ""


def _once(work: Callable[[Path], Any], cache: Path, folder: Path, row: Row, *, again: bool) -> str:
    """Keep the result for a wheel; return why there is none."""
    kept = folder / f"{row.filename}.json"
    if kept.is_file() and not again:
        return ""
    try:
        result = work(cache / "published" / row.filename)
    except Exception as error:  # noqa: BLE001 (one wheel must not end the work on the others)
        return f"{type(error).__name__}: {error}"
    if result is not None:
        write_json(kept, result)
    return ""


def _open(versions: Path, path: Path) -> Any:  # noqa: ANN401 (what the file is to hold)
    python = python_for(path.name, versions)
    return open_all(path, python) if python else None


def _write(wheels: Sequence[Row], cache: Path, options: argparse.Namespace) -> int:
    judged = Judged(**read_json(_JUDGED))
    compared: list[Compared] = []
    fired: list[Firing] = []
    openings: list[Opening] = []
    missing: list[str] = []
    for row in wheels:
        result, other, opened = (
            read_json(cache / step / f"{row.filename}.json") for step in _STEPS[1:4]
        )
        if result is None or other is None:
            step = "auditwheel" if result else "judge"
            missing.append(f"{row.filename}: there is no result; run the step {step}")
            continue
        compared.append(compare(result, other, judged))
        fired += firings(result, judged)
        openings += explain(opened, result["show"], judged.opened) if opened else ()
    missing += _unjudged(compared, fired, openings, everything=options.all)
    print("".join(f"{line}\n" for line in missing), end="")
    if missing or options.only != "*":
        print("the page is not written")
        return 1 if missing else 0
    replace(EVIDENCE / _PAGE, page(compared, fired, openings))
    return 0


def _unjudged(
    compared: Sequence[Compared], fired: Sequence[Firing], openings: Sequence[Opening], *,
    everything: bool,
) -> list[str]:  # fmt: skip
    """Return a line for each difference, firing and failure that nobody has judged."""
    lines = [
        f"{one.wheel}: manyshim {one.manyshim}, auditwheel {one.auditwheel}, "
        f"second opinion {one.oracle}: no judgement"
        for one in compared
        if not one.label
    ]
    lines += [
        f"{one.wheel}: {one.path}: {one.kind} ({one.severity}): {one.message}: no judgement"
        for one in fired
        if everything or not one.judged
    ]
    return lines + [
        f"{one.wheel}: {one.path}: not opened: {one.message}: no judgement"
        for one in openings
        if one.label == UNEXPLAINED
    ]


if __name__ == "__main__":
    sys.exit(main())
