"""Hostile wheels: each is judged or refused in bounded time and memory; docs/robustness.md.

`python scripts/write_robustness.py` runs them and writes the table of what came out.
"""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import List, NamedTuple

import pytest

from attacks import ATTACKS, GOOD, wheel
from recording import Record
from wheelwriter import wheel_name

# CPU seconds that no attack needs on any machine, and MiB that it may cost beyond a good wheel.
SECONDS = 60
MEBIBYTES = 64
# A machine may be so busy that a process gets a tenth of one processor.
PATIENCE = 10 * SECONDS

# The process measures itself, because wait4 counts the parent's memory at the fork too.
CHILD = """if 1:
    import resource, runpy, sys
    resource.setrlimit(resource.RLIMIT_AS, (3 << 30, 3 << 30))
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    code = 0
    try:
        runpy.run_module("manyshim", run_name="__main__", alter_sys=True)
    except SystemExit as error:
        code = error.code
    peak = next(line for line in open("/proc/self/status") if line.startswith("VmHWM"))
    used = resource.getrusage(resource.RUSAGE_SELF)
    sys.stderr.write(f"\\n{peak.split()[1]} {used.ru_utime + used.ru_stime}")
    sys.exit(code)
""".replace("SECONDS", str(SECONDS))
REPORT = "a report"
REFUSED = "exit 3"
TIMEOUT = "no end"

# The finding that an attack must lead to; NO_WHEEL has the attacks that are refused.
CORRUPT = (
    "zip bomb of version needs",
    "member inside the directory",
    "size stated too small",
    "a million symbols, undefined",
    "symbols that are ends of one name",
    "ends of one long name",
    "65,534 program headers",
    "20,000 segments and version needs",
    "280 segments and version needs",
    "30,000 dynamic sections",
    "hash table of 4 million buckets",
    "hash table of 4 billion buckets",
    "hash chain that never ends",
    "strings without NUL",
)
KINDS = {
    **dict.fromkeys(CORRUPT, "ELF_CORRUPT"),
    "280 note segments of tiny notes": "ELF_DAMAGED",
    "1,000 segments whose pages overlap": "ELF_DAMAGED",
    "module name of 21,000 characters": "BAD_PATH",
    "suffix with 60,000 dashes": "BAD_PATH",
    "suffix with 60,000 digits": "BAD_PATH",
    "480 names that are not UTF-8": "BAD_PATH",
    "names of 64 KiB": "BAD_PATH",
    "folders of 64 KiB": "BAD_PATH",
    "RECORD of a million absent names": "RECORD",
    "name that climbs": "BAD_PATH",
    "190,000 names with control characters": "BAD_PATH",
    "name with NUL": "BAD_PATH",
    "name with backslashes": "BAD_PATH",
    "100,000 members that RECORD lacks": "RECORD",
    "225 libraries that all need each other": "BY_NAME_ONLY",
    "9,000 modules that need one by name": "BY_NAME_ONLY",
    "150 modules that load 150 libraries": "UNDEFINED",
    "400,000 names that nobody has, glibc": "UNDEFINED",
    "400,000 names that nobody has, musl": "MUSL_UNDEFINED",
}
NO_WHEEL = (
    "100 search paths of a million colons",
    "zip bomb",
    "zip bombs, four",
    "zip bomb read back and forth",
    "zip bomb of symbols",
    "zip bomb of relocations",
    "zip bomb of version definitions",
    "size stated too large",
    "RPATHs that go to and fro",
    "250,000 members",
    "1.2 million members",
    "overlapping members",
    "directory that is its own end",
    "zip64 directory that is its own end",
    "600 libraries that all need each other",
    "5,000 libraries that all need each other",
    "1,000 modules that all need each other",
    "RECORD of empty lines",
    "RECORD of one long line",
    "WHEEL of empty lines",
)
# Limits of single attacks, in MiB in total.
PEAKS = {
    "zip bomb": 40,
    "zip bombs, four": 40,
    "zip bomb read back and forth": 40,
    "100,000 members": 100,
    "100,000 members that RECORD lacks": 100,
    "names of 64 KiB": 150,
    "480 names that are not UTF-8": 200,
    "200,000 members": 200,
    "190,000 names with control characters": 200,
    "RECORD of one long line": 200,
    "225 libraries that all need each other": 200,
    "400,000 names that nobody has, glibc": 200,
    "400,000 names that nobody has, musl": 200,
}

linux = pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="reads its memory use from /proc"
)


class Result(NamedTuple):
    """What came out: CPU seconds, and the peak in MiB, -1 where the process did not end."""

    outcome: str
    kinds: List[str]
    seconds: float
    peak: float
    said: str

    def keep(self, record: Record, name: str) -> None:
        """Record the row of the table."""
        kept = {key: one for key, one in self._asdict().items() if key != "said"}
        record("attacks", name=name, **kept)


def judged(path: Path, data: bytes, command: str = "show") -> Result:
    """Run a command for a wheel in a separate process."""
    path.write_bytes(data)
    command_line = [sys.executable, "-c", CHILD, command, "--json", str(path)]
    try:
        done = subprocess.run(
            command_line, capture_output=True, text=True, timeout=PATIENCE, check=False
        )
    except subprocess.TimeoutExpired:
        return Result(TIMEOUT, [], SECONDS, -1, "")
    if done.returncode in (-signal.SIGXCPU, -signal.SIGKILL):
        return Result(TIMEOUT, [], SECONDS, -1, "")
    said, _, measured = done.stderr.rpartition("\n")
    peak, _, used = measured.partition(" ")
    if "Traceback" in done.stderr or not peak.isdigit():
        return Result(f"a traceback, exit {done.returncode}", [], -1, -1, done.stderr[-2000:])
    seconds = float(used)
    found = json.loads(done.stdout)["wheels"][0]
    kinds = sorted({one["kind"] for one in found["findings"]})
    outcome = f"exit {done.returncode}" if done.returncode else REPORT
    return Result(outcome, kinds, seconds, int(peak) / 1024, said)


@pytest.fixture(scope="session")
def baseline(tmp_path_factory: pytest.TempPathFactory) -> float:
    """Measure the peak memory for a good wheel with one library, in MiB."""
    result = judged(tmp_path_factory.mktemp("good") / wheel_name(), wheel(GOOD))
    assert (result.outcome, result.said) == (REPORT, "")
    return result.peak


@linux
def test_a_good_wheel_is_no_attack(tmp_path: Path, baseline: float, record: Record) -> None:
    """The wheel that the attacks are derived from is harmless."""
    result = judged(tmp_path / wheel_name(), wheel(GOOD))
    result.keep(record, "none: a good wheel")
    assert (result.outcome, result.kinds) == (REPORT, ["NO_INIT"])
    assert abs(result.peak - baseline) < 8


@linux
@pytest.mark.parametrize("name", ATTACKS)
def test_attack(tmp_path: Path, name: str, baseline: float, record: Record) -> None:
    result = judged(tmp_path / wheel_name(), ATTACKS[name]())
    result.keep(record, name)
    assert result.outcome == (REFUSED if name in NO_WHEEL else REPORT), result.said
    assert result.peak <= PEAKS.get(name, baseline + MEBIBYTES)
    if name in KINDS:
        assert KINDS[name] in result.kinds
    elif name not in NO_WHEEL:
        assert "ELF_CORRUPT" not in result.kinds, "it has to be judged"
    if name in NO_WHEEL:
        assert result.said.startswith("manyshim: error: ")
        assert result.said.count("\n") == 1
        assert len(result.said) < 1000


# The readers that only `check` has.
CHECKED = (
    "100,000 fields of METADATA",
    "METADATA of three million parts",
    "RECORD of a million absent names",
    "200,000 members",
    "1,100 tag lines of 8,000 tags",
    "C++ names of gigabytes",
)


@linux
@pytest.mark.parametrize("name", CHECKED)
def test_attack_on_check(tmp_path: Path, name: str) -> None:
    result = judged(tmp_path / wheel_name(), ATTACKS[name](), "check")
    assert result.outcome == "exit 1", result.said
    assert result.peak <= 200


def test_every_expectation_is_of_an_attack() -> None:
    assert {*KINDS, *NO_WHEEL, *PEAKS, *CHECKED} <= ATTACKS.keys()
