"""Measure what manyshim adds to `uv build`, as pairs of whole commands that run in turn.

One project is built by setuptools alone, by manyshim from a wheel in a folder (as from the index),
and by manyshim from a checkout that `[tool.uv.sources]` names.
"""

from __future__ import annotations

import argparse
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from statistics import median
from typing import NamedTuple

from bench.run import environment

_ROOT = Path(__file__).resolve().parent.parent
_SAMPLE = _ROOT / "sample_project"
_PLAIN = '[build-system]\nrequires = ["setuptools"]\nbuild-backend = "setuptools.build_meta"\n'
_RELEASE = '[build-system]\nrequires = ["manyshim"]\nbuild-backend = "manyshim.backend"\n'
_SOURCE = '\n[tool.uv.sources]\nmanyshim = { path = "%s" }\n'


class Cost(NamedTuple):
    """The cost of one build, in seconds: elapsed, and of the processor with all children."""

    elapsed: float
    cpu: float


def main() -> int:
    """Measure and print the table; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m bench.uv_build", description=__doc__)
    parser.add_argument("--pairs", type=int, default=15, metavar="N", help="rounds; default 15")
    pairs = parser.parse_args().pairs
    uv = shutil.which("uv")
    if uv is None:
        print("bench: uv is not installed", file=sys.stderr)
        return 1
    with tempfile.TemporaryDirectory() as folder:
        wheels = os.path.join(folder, "wheels")
        # Its own cache, so that no other manyshim of the same version is found in it.
        environ = {**environment(), "UV_CACHE_DIR": os.path.join(folder, "cache")}
        _run([uv, "build", "-q", "--wheel", str(_ROOT), "-o", wheels], environ)
        environ["UV_FIND_LINKS"] = wheels
        projects = _projects(Path(folder))
        builds: dict[str, list[Cost]] = {name: [] for name in projects}
        # The first round fills the caches; it does not count.
        for number in range(pairs + 1):
            for name, project in projects.items():
                cost = _build(uv, project, environ)
                if number:
                    builds[name].append(cost)
    for line in _table(builds):
        print(line)
    return 0


def _projects(folder: Path) -> dict[str, Path]:
    """Copy the sample project once for each way to have a backend."""
    build_systems = {
        "setuptools alone": _PLAIN,
        "manyshim from a released wheel": _RELEASE,
        "manyshim from a path source": _RELEASE + _SOURCE % _ROOT,
    }
    rest = (_SAMPLE / "pyproject.toml").read_text("utf-8").partition("[project]")[2]
    project_table = "\n[project]" + rest.partition("[tool.uv")[0]
    made = {}
    for number, (name, build_system) in enumerate(build_systems.items()):
        made[name] = folder / f"project{number}"
        shutil.copytree(_SAMPLE, made[name], ignore=shutil.ignore_patterns("build", "dist", "*.so"))
        (made[name] / "pyproject.toml").write_text(build_system + project_table, "utf-8")
    return made


def _build(uv: str, project: Path, environ: Mapping[str, str]) -> Cost:
    """Build a wheel from a clean source tree."""
    for left in ("build", "dist"):
        shutil.rmtree(project / left, ignore_errors=True)
    used, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    _run([uv, "build", "-q", "--wheel", str(project)], environ)
    elapsed, now = time.perf_counter() - started, resource.getrusage(resource.RUSAGE_CHILDREN)
    return Cost(elapsed, now.ru_utime + now.ru_stime - used.ru_utime - used.ru_stime)


def _run(command: list[str], environ: Mapping[str, str]) -> None:
    done = subprocess.run(command, check=False, capture_output=True, text=True, env=environ)
    if done.returncode:
        sys.exit(f"{' '.join(command)} failed:\n{done.stderr}")


def _table(builds: Mapping[str, list[Cost]]) -> list[str]:
    """Return the rows: the medians, and the median of the differences pair by pair."""
    base = builds["setuptools alone"]
    lines = [
        "| `uv build --wheel` | elapsed | added | CPU | added |",
        "|---|---|---|---|---|",
    ]
    for name, costs in builds.items():
        cells = []
        for measure in Cost._fields:
            values = [getattr(cost, measure) for cost in costs]
            added = [value - getattr(other, measure) for value, other in zip(values, base)]
            cells += [f"{median(values):.2f} s", f"{median(added) * 1000:+.0f} ms"]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return lines


if __name__ == "__main__":
    sys.exit(main())
