"""Patch every ELF file of published wheels, prove each, open them and import packages.

The results are kept in the cache of survey.py, one file for each wheel, and `--again` makes them
anew. write_patcher.py puts them on its page. The exit code is 1 if a file was patched wrongly.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

from _evidence import EVIDENCE  # it adds the folder of the next imports to the path
from patched_files import examine, plan, rename
from patched_imports import IMPORTS
from survey_fetch import fetch
from survey_open import opened, python_for, unpack
from survey_oracle import installed
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

FOLDER = "patched"
_IMPORTED = "imports.json"
_SECONDS = 300


def main() -> int:
    """Fetch, patch, open and import; return the exit code."""
    options = _options()
    cache = Path(options.cache)
    wheels = [row for row in wanted() if row.size <= options.largest << 20]
    code = 0
    for row, said in in_parallel(partial(_once, cache, options), wheels, options.jobs):
        if said:
            print(f"{row.filename}: {said}", flush=True)
            code = 1
    imported = cache / FOLDER / _IMPORTED
    if options.again or not imported.is_file():
        write_json(imported, _import_all(cache, options))
    for name, said in read_json(imported)["failures"].items():
        print(f"import of {name}: {said}")
        code = 1
    print(f"{EVIDENCE.name}: write_patcher.py writes the page")
    return code


def wanted() -> list[Row]:
    """Return the wheels of the survey, and those that are imported; the largest are the last."""
    listed = {row.filename: row for row in (*rows(), *imported_wheels())}
    return sorted(listed.values(), key=lambda row: row.size)


def imported_wheels() -> list[Row]:
    """Return the wheels that are installed into one folder, patched and imported."""
    return [Row(**one) for one in read_json(DATA / "patched_wheels.json")]


def results(cache: Path) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """Return the results for the wheels, and those of the imports.

    A wheel that cannot be downloaded any more has none. Raises SystemExit without the imports.
    """
    found = [read_json(cache / FOLDER / f"{row.filename}.json") for row in wanted()]
    imports = read_json(cache / FOLDER / _IMPORTED)
    if imports is None:
        raise SystemExit("there are no results: run scripts/patch_published.py first")
    return [one for one in found if one], imports


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    add_options(parser)
    parser.add_argument(
        "--largest", type=int, default=1 << 20, metavar="MB", help="skip larger ones"
    )
    return parser.parse_args()


def _once(cache: Path, options: argparse.Namespace, row: Row) -> str:
    """Keep the result for a wheel; return what is wrong."""
    kept = cache / FOLDER / f"{row.filename}.json"
    result = read_json(kept)
    if result is None or options.again:
        try:
            path = fetch(row, cache / "published")
            result = _wheel(path, Path(options.pythons))
        except Unavailable as error:
            print(f"not patched: {error}", flush=True)
            return ""
        except Exception as error:  # noqa: BLE001 (one wheel must not end the work on the others)
            return f"{type(error).__name__}: {error}"
        write_json(kept, result)
    wrong = [f"{one['path']}: {said}" for one in result["files"] for said in one["wrong"]]
    return "; ".join([*wrong, *result["opened_otherwise"]])


def _wheel(path: Path, pythons: Path) -> dict[str, Any]:
    """Patch the files of a wheel in a second copy, and open those of both copies."""
    python = python_for(path.name, pythons)
    with tempfile.TemporaryDirectory(prefix="manyshim-patched-") as folder:
        before, after = os.path.join(folder, "before"), os.path.join(folder, "after")
        files = [place[len(before) :] for place in unpack(path, before)]
        unpack(path, after)
        found = _patch(before, after, files)
        count, otherwise = _compare(before, after, files, python) if python else (0, [])
    return {"wheel": path.name, "files": found, "opened": count, "opened_otherwise": otherwise}


def _patch(before: str, after: str, files: Sequence[str]) -> list[dict[str, Any]]:
    """Replace files of a folder by patched ones; return how each was patched."""
    found = []
    patches = plan(before, files)
    for one, patch in patches.items():
        draft = f"{after}{one}.draft"
        result = examine(before + one, draft, patch)
        found.append({"path": one, **result})
        if not result["refused"]:
            os.replace(draft, after + one)
    rename(after, patches)
    return found


def _compare(before: str, after: str, files: Sequence[str], python: Path) -> tuple[int, list[str]]:
    """Open the libraries of both folders; return how many originals open, and what else differs.

    A patched file whose original does not open may fail in another way, or open: DT_RPATH is for
    the libraries that it needs, too.
    """
    libraries = [one for one in files if ".so" in os.path.basename(one)]
    said = []
    for root in (before, after):
        found, error = opened(root, [root + one for one in libraries], python)
        said.append([found.get(root + one, error).replace(root, "") for one in libraries])
    outcomes = [(one, now) for one, was, now in zip(libraries, *said) if not was]
    return len(outcomes), [
        f"{one}: the patched file does not open: {now}" for one, now in outcomes if now
    ]


def _import_all(cache: Path, options: argparse.Namespace) -> dict[str, Any]:
    """Patch the files of all imported wheels in one folder, and use each package."""
    (python,) = Path(options.pythons).glob("3.11.*")
    failures, imported = {}, []
    with tempfile.TemporaryDirectory(prefix="manyshim-patched-") as folder:
        before, after = os.path.join(folder, "before"), os.path.join(folder, "after")
        files = []
        for row in imported_wheels():
            path = fetch(row, cache / "published")
            files += [place[len(before) :] for place in unpack(path, before)]
            unpack(path, after)
        found = _patch(before, after, files)
        site = after + os.path.dirname(installed("a"))
        for name, code in IMPORTS.items():
            done = subprocess.run(
                [str(python / "bin" / "python"), "-S", "-c", code],
                check=False, capture_output=True, text=True, timeout=_SECONDS, cwd=after,
                env={"PATH": os.defpath, "LC_ALL": "C.UTF-8", "HOME": after, "PYTHONPATH": site},
            )  # fmt: skip
            if done.returncode or done.stdout.strip() != "ok":
                failures[name] = f"{done.returncode} {done.stdout[-500:]}{done.stderr[-2000:]}"
            else:
                imported.append(name)
    patched = sum(not one["refused"] for one in found)
    return {"files": patched, "imported": imported, "failures": failures}


if __name__ == "__main__":
    sys.exit(main())
