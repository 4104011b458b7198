"""The rows of the table as data, and the verdict of the runs on each row."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from statistics import median
from typing import NamedTuple

from bench.run import Outcome

# The subjects that are not published wheels.
DEBUG = "extension with debug information"
GRAFT = "extension with libssl and libcrypto"
LARGE = "extension with a library of 100 MB"
PROJECT = "sample_project"

# (group, subject, contender) -> its runs.
Runs = Mapping[tuple[str, str, str], Outcome]


class Unit(NamedTuple):
    """The unit of a row, which decides how the amounts of two contenders are compared."""

    text: str
    higher_is_better: bool = False


FASTER = Unit("{:.2f}x", higher_is_better=True)
TIMES = Unit("{:.2f}")
PERCENT = Unit("{:.1f} %")
MEMORY = Unit("{:.1f} MiB")
MILLISECONDS = Unit("{:.1f} ms")


class Row(NamedTuple):
    """A bound, and the subjects that it is for.

    Without `subjects` it is for all wheels of at least `least` MB. The rows of one group share
    their runs. `rounds` multiplies the number of pairs that the command line asks for.
    """

    group: str
    what: str
    unit: Unit
    contender: str
    peer: str = ""
    subjects: tuple[str, ...] = ()
    least: float = 0
    must: float | None = None
    aim: float | None = None
    rounds: int = 1


_SHOW, _AUDITWHEEL, _INFLATE = "manyshim show", "auditwheel show", "inflate"
_CHECK = "manyshim check"
_RETAG, _REWRITE = "manyshim retag", "rewrite step"
_REPAIR = "manyshim repair"
_FASTER_THAN = "faster than `auditwheel show`"
_SMALL_ELF = ("ruff", "grpcio", "cryptography")
_MANY_SYMBOLS = ("numpy", "scipy", "pandas", "pyarrow", "torch")
_SOME_SYMBOLS = ("opencv-python-headless", "duckdb")
_SMALLER = (
    *("markupsafe", "orjson", "psutil", "bcrypt", "msgpack", "kiwisolver", "psycopg2-binary"),
    *("cryptography", "lxml", "pillow", "grpcio", "scikit-learn", "ruff", "pandas"),
)
_OTHERS = (
    *("orjson", "psutil", "bcrypt", "msgpack", "kiwisolver", "psycopg2-binary", "lxml", "pillow"),
    *("scikit-learn", "uv", "cmake", "llvmlite"),
)

ROWS = (
    Row(
        "audit", f"audit, many symbols: {_FASTER_THAN}", FASTER, _SHOW, _AUDITWHEEL,
        _MANY_SYMBOLS, must=15, aim=30,
    ),
    Row(
        "audit", f"audit, fewer symbols: {_FASTER_THAN}", FASTER, _SHOW, _AUDITWHEEL,
        _SOME_SYMBOLS, must=10, aim=14,
    ),
    Row(
        "audit", f"audit, one very big ELF: {_FASTER_THAN}", FASTER, _SHOW, _AUDITWHEEL,
        ("polars-runtime-32",), must=1.5, aim=2,
    ),
    Row(
        "audit", f"audit, one big ELF: {_FASTER_THAN}", FASTER, _SHOW, _AUDITWHEEL,
        _SMALL_ELF, must=2.5, aim=4,
    ),
    Row(
        "audit", f"audit, whole command: {_FASTER_THAN}", FASTER, _SHOW, _AUDITWHEEL,
        ("markupsafe",), must=6, aim=10,
    ),
    Row(
        "audit", f"audit, further wheels: {_FASTER_THAN}", FASTER, _SHOW, _AUDITWHEEL, _OTHERS,
    ),
    Row(
        "audit", "audit against inflating the ELF members", TIMES, _SHOW, _INFLATE,
        least=15, must=1.5, aim=1.1,
    ),
    Row(
        "audit", "audit against inflating the ELF members, smaller wheels", TIMES, _SHOW, _INFLATE,
        _SMALLER,
    ),
    Row(
        "check", "check, which reads and hashes every member, against `unzip -tq`", TIMES, _CHECK,
        "unzip -tq", least=15,
    ),
    Row("check", "peak memory of a check", MEMORY, _CHECK, must=60),
    Row(
        "debug", "bytes inflated of an extension with debug information", PERCENT,
        "bytes inflated", subjects=(DEBUG,), must=40, aim=15,
    ),
    Row(
        "retag", "rewrite step of a retag against `cp`", TIMES, _REWRITE, "cp",
        least=50, must=2.5, aim=1.5,
    ),
    Row(
        "retag", "rewrite step of a retag: faster than `wheel tags`", FASTER, _REWRITE,
        "wheel tags", least=15, must=50, aim=130,
    ),
    Row(
        "repair", "repair that grafts nothing: faster than `auditwheel repair`", FASTER, _REPAIR,
        "auditwheel repair", ("numpy", "scipy", "pyarrow"), must=25, aim=40,
    ),
    Row(
        "graft", "graft: faster than `auditwheel repair`, same deflate level", FASTER, _REPAIR,
        "auditwheel repair", (GRAFT,), must=1.5, aim=2,
    ),
    Row(
        "graft", "graft: faster than `repairwheel`", FASTER, _REPAIR, "repairwheel", (GRAFT,),
        must=1.5, aim=2,
    ),
    Row(
        "large graft", "graft of 100 MB: faster than `auditwheel repair`", FASTER, _REPAIR,
        "auditwheel repair", (LARGE,), must=1,
    ),
    Row("large graft", "peak memory of a graft of 100 MB", MEMORY, _REPAIR, must=40,
        subjects=(LARGE,)),
    Row("audit", "peak memory of an audit", MEMORY, _SHOW, must=40, aim=24),
    Row("retag", "peak memory of a retag", MEMORY, _RETAG, must=40, aim=24),
    Row("retag", "peak memory of the rewrite step", MEMORY, _REWRITE, must=40, aim=24),
    Row(
        "build", "what the shim adds to a setuptools build", MILLISECONDS,
        "manyshim hook without setuptools'", subjects=(PROJECT,), must=15, aim=5, rounds=4,
    ),
    # The same, as the difference of two whole hooks. Its noise is larger than what it measures.
    Row(
        "build", "a build by the shim less one by setuptools", MILLISECONDS, "manyshim hook",
        "setuptools hook", (PROJECT,), rounds=4,
    ),
)  # fmt: skip


class Line(NamedTuple):
    """The numbers of a row on one subject; `verdict` is "aim", "must", "SHORT" or a failure."""

    row: Row
    subject: str
    values: tuple[float, ...]
    verdict: str

    @property
    def three(self) -> tuple[float, float, float]:
        """Return the minimum, the median and the maximum."""
        return min(self.values), median(self.values), max(self.values)


def applies(row: Row, subject: str, size: float | None) -> bool:
    """Tell whether a row is about a subject; `size` is in MB, None if the subject is no wheel."""
    if row.subjects:
        return subject in row.subjects
    return size is not None and size >= row.least


def lines(runs: Runs, sizes: Mapping[str, float]) -> Iterator[Line]:
    """Judge every row on every subject that was run for it."""
    subjects = {(group, subject) for group, subject, _ in runs}
    order = [*sizes, DEBUG, GRAFT, LARGE, PROJECT]
    for row in ROWS:
        for subject in order:
            if (row.group, subject) in subjects and applies(row, subject, sizes.get(subject)):
                yield _line(row, subject, runs)


def _line(row: Row, subject: str, runs: Runs) -> Line:
    values = []
    own, other = (
        runs.get((row.group, subject, name), Outcome([]))
        for name in (row.contender, row.peer or row.contender)
    )
    for run, base in zip(own.runs, other.runs):
        if row.unit is MEMORY:
            values.append(run.peak)
        elif row.unit is PERCENT:
            values.append(run.amount)
        elif row.unit is MILLISECONDS:
            values.append((run.amount - (base.amount if row.peer else 0)) * 1000)
        elif row.unit is FASTER:
            values.append(base.amount / max(run.amount, 1e-6))
        else:
            values.append(run.amount / max(base.amount, 1e-6))
    if not values:
        return Line(row, subject, (), own.failure or other.failure or "no runs")
    return Line(row, subject, tuple(values), _verdict(row, median(values)))


def _verdict(row: Row, value: float) -> str:
    def holds(bound: float | None) -> bool:
        if bound is None:
            return False
        return value >= bound if row.unit.higher_is_better else value <= bound

    if row.must is None:
        return ""
    return "aim" if holds(row.aim) else "must" if holds(row.must) else "SHORT"
