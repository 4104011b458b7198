"""Fuzz one target with atheris: `python fuzz/run.py TARGET [--runs N] [--seed S] [--keep FOLDER]`.

It prints a row for docs/robustness.md. Atheris is in the dependency group `fuzz`. The inputs of
crashes are in `FOLDER/crashes`, and the corpus in `FOLDER/TARGET`, from which a later run goes on.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import re
import resource
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, Dict, List, NamedTuple, Optional

HERE = Path(__file__).resolve().parent
# Only C code that does not return gets so far: see measure.MAX_SECONDS for the limit of an input.
_HANG_SECONDS = 60
_MAX_RESIDENT = 1024
# Beyond it, an allocation fails with MemoryError.
_MAX_ADDRESSES = 900 << 20


class Coverage(NamedTuple):
    """The last figures of libFuzzer: edges, features, and inputs of the corpus."""

    edges: int
    features: int
    corpus: int


def main() -> int:
    """Run from the command line; return 1 if there was a crash."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("target")
    parser.add_argument("--runs", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--keep", type=Path)
    # The process that atheris ends.
    parser.add_argument("--child", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.child:
        return _child(given.target, given.keep)
    with contextlib.ExitStack() as stack:
        folder = given.keep or Path(stack.enter_context(tempfile.TemporaryDirectory()))
        return _parent(given.target, given.runs, given.seed, folder.resolve())


def _parent(name: str, runs: int, seed: int, folder: Path) -> int:
    """Start atheris in a process, and print what came out."""
    corpus = folder / name
    corpus.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, __file__, name, "--child", "--keep", str(folder)]
    options = [f"-runs={runs}", f"-seed={seed}", f"-timeout={_HANG_SECONDS}"]
    options += [f"-rss_limit_mb={_MAX_RESIDENT}", f"-artifact_prefix={folder}/crashes/{name}-"]
    (folder / "crashes").mkdir(exist_ok=True)
    with (folder / f"{name}.log").open("wb") as log:
        # The child gets libFuzzer's options from its standard input.
        given = "\n".join([*options, str(corpus)]).encode()
        done = subprocess.run(command, input=given, stderr=log, check=False)
    figures = coverage((folder / f"{name}.log").read_text(encoding="utf-8", errors="replace"))
    try:
        counts: Dict[str, Any] = json.loads((folder / f"{name}.json").read_text(encoding="utf-8"))
    except FileNotFoundError:
        counts = {}
    if done.returncode or not counts or figures is None:
        print(f"{name}: atheris ended with {done.returncode}; see {folder / name}.log")
        return 1
    print(row(name, counts, figures))
    for kind, number in counts["crashes"].items():
        print(f"  {number} times {kind}")
    return int(bool(counts["crashes"]))


def row(name: str, counts: Dict[str, Any], coverage: Coverage) -> str:
    """Return a row of the table in docs/robustness.md."""
    outcomes = [str(counts["outcomes"].get(kind, 0)) for kind in ("read", "refused")]
    cells = [
        *(f"`{name}`", str(counts["executions"]), *outcomes, str(len(counts["crashes"]))),
        *(str(coverage.edges), str(coverage.features), str(coverage.corpus)),
        *(f"{counts['slowest']:.3f} s", f"{counts['memory']} MiB"),
    ]
    return f"| {' | '.join(cells)} |"


def coverage(log: str) -> Optional[Coverage]:
    """Return the figures of the last line of libFuzzer's log that has them."""
    found = re.findall(r"cov: (\d+) ft: (\d+) corp: (\d+)", log)
    return Coverage(*map(int, found[-1])) if found else None


def _child(name: str, folder: Path) -> int:
    """Import the target with instrumentation, and fuzz it. Does not return after success."""
    sys.path[:0] = [str(HERE), str(HERE.parent / "tests" / "support")]
    import atheris  # noqa: PLC0415 (its group is optional)

    # Its combinators have few branches, and take most of the time. So they are not instrumented.
    import elftools.construct  # noqa: PLC0415

    with atheris.instrument_imports(include=["manyshim", "elftools"]):
        import elftools.elf.elffile  # noqa: F401, PLC0415 (the package imports it on demand)

        from measure import Measured  # noqa: PLC0415
        from seeding import seeds  # noqa: PLC0415
        from targets import TARGETS  # noqa: PLC0415
    target = TARGETS[name]
    options: List[str] = sys.stdin.read().split("\n")
    corpus = Path(options[-1])
    for number, data in enumerate(seeds(name)):
        (corpus / f"seed-{number}").write_bytes(data)
    resource.setrlimit(resource.RLIMIT_AS, (_MAX_ADDRESSES, _MAX_ADDRESSES))
    measured = Measured(target, folder / "crashes")
    counts = folder / f"{name}.json"
    limit = int(options[0].partition("=")[2])

    def once(data: bytes) -> None:
        measured(data)
        # Atheris ends the process without its exit handlers.
        if measured.executions % 1000 == 0 or measured.executions >= limit:
            counts.write_text(measured.as_json(), encoding="utf-8")

    atheris.Setup([sys.argv[0], f"-max_len={target.max_len}", *options], once)
    atheris.Fuzz()
    return 0


if __name__ == "__main__":
    sys.exit(main())
