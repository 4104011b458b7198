"""Write docs/evidence/performance.md, the plot, and the tables of docs/performance.md from one run.

`python scripts/write_performance.py -- --against CHECKOUT` measures everything, which takes about
an hour; the arguments after `--` go to `python -m bench`. `--keep FILE` keeps what was measured,
and `--replay FILE` writes the pages from such a file. It needs Python 3.10, valgrind, unzip and the
dependency group `bench`.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from _data import REPOSITORY
from _evidence import EVIDENCE, replace
from write_readme import with_block

if str(REPOSITORY) not in sys.path:
    sys.path.append(str(REPOSITORY))

from bench import pages, plot, report

EVIDENCE_PAGE = EVIDENCE / "performance.md"
PAGE = REPOSITORY / "docs" / "performance.md"
PLOT = REPOSITORY / "docs" / "performance.svg"


def main() -> int:
    """Measure, or read an earlier run, and write the pages; return the exit code."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("bench", nargs="*", metavar="ARGUMENT", help="for the bench, after --")
    parser.add_argument("--keep", type=Path, metavar="FILE", help="keep what is measured, as JSON")
    parser.add_argument("--replay", type=Path, metavar="FILE", help="measure nothing, read FILE")
    parser.add_argument(
        "--incomplete", action="store_true", help="write the pages even if rows are missing"
    )
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        data = options.replay or options.keep or Path(folder, "run.json")
        if not options.replay:
            command = [sys.executable, "-m", "bench", "--json", str(data.absolute())]
            done = subprocess.run([*command, *options.bench], cwd=REPOSITORY, check=False)
            if done.returncode:
                return done.returncode
        measured = report.from_dict(json.loads(data.read_text(encoding="utf-8")))
    missing = pages.missing(measured)
    if missing:
        print(f"{len(missing)} rows are missing:")
        print("".join(f"  {one}\n" for one in missing), end="")
        if not options.incomplete:
            print("nothing is written")
            return 1
    write(measured)
    return 0


def write(measured: report.Measured) -> None:
    """Write both pages and the plot."""
    replace(EVIDENCE_PAGE, pages.evidence(measured))
    text = with_block(PAGE.read_text(encoding="utf-8"), "results", pages.summary(measured))
    replace(PAGE, with_block(text, "instructions", pages.counts(measured)))
    draft = f"{PLOT}.draft"
    plot.draw(measured, draft)
    os.replace(draft, PLOT)
    for path in (EVIDENCE_PAGE, PAGE, PLOT):
        print(f"{path.relative_to(REPOSITORY).as_posix()} is written")


if __name__ == "__main__":
    sys.exit(main())
