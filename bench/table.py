"""The rows of the table as data: what is compared on which subjects, with must and aim."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from bench.instructions import CASES, COMMAND
from bench.rows import (
    FASTER,
    MEMORY,
    MILLIONS,
    MILLISECONDS,
    MORE,
    PERCENT,
    SECONDS,
    SOONER,
    TIMES,
    Row,
)
from bench.wheels import SAMPLES

# The subjects that are not published wheels.
DEBUG = "extension with debug information"
GRAFT = "extension with libssl and libcrypto"
LARGE = "extension with a library of 100 MB"
SCALE = "100,000 members, 10,000 of them ELF files"
TWENTY = "twenty published wheels"
PROJECT = "sample_project"

# The group whose subjects are the cases of bench/instructions.py.
INSTRUCTIONS = "instructions"
COUNTED, COUNTED_OTHER = "instructions", "instructions of --against"

_SHOW, _AUDITWHEEL, _INFLATE = "manyshim show", "auditwheel show", "inflate"
_CHECK, _UNZIP = "manyshim check", "unzip -tq"
_RETAG, _REWRITE = "manyshim retag", "rewrite step"
_REPAIR, _AUDITWHEEL_REPAIR = "manyshim repair", "auditwheel repair"
_FAST_SHOW, _FAST_CHECK = "manyshim[fast] show", "manyshim[fast] check"
_FAST_REPAIR = "manyshim[fast] repair (default level)"
_FASTER_THAN = "faster than `auditwheel show`"

_OPENCV, _POLARS = "opencv-python-headless", "polars-runtime-32"
_ALL = tuple(sample.project for sample in SAMPLES)
_ABOVE_15_MB = tuple(sample.project for sample in SAMPLES if sample.size >= 15)
_ABOVE_50_MB = tuple(sample.project for sample in SAMPLES if sample.size >= 50)
_GRAFTS_NOTHING = ("numpy", "scipy", "pyarrow")


def _bounded(
    group: str,
    what: str,
    contender: str,
    peer: str,
    bounds: dict[tuple[str, ...], tuple[float, float]],
) -> Iterator[Row]:
    """Yield a row for each set of subjects; a comparison with auditwheel is in times faster."""
    unit = FASTER if peer.startswith("auditwheel") else TIMES
    for subjects, (must, aim) in bounds.items():
        yield Row(group, what, unit, contender, peer, subjects, must, aim)  # fmt: skip


# The number of times that an audit must be faster than auditwheel's. With [fast] it must be 1.4
# times this number. The aims are 1.2 times and 1.8 times this number.
_AUDITS = {("numpy", "torch"): 20.0, ("pyarrow",): 18.0, ("scipy",): 27.0, ("pandas",): 18.0}
_FURTHER_AUDITS = {
    ("duckdb", _OPENCV): (10.0, 14.0),
    (_POLARS,): (1.5, 2.0),
    ("cryptography", "grpcio", "ruff"): (2.5, 4.0),
    ("markupsafe",): (6.0, 10.0),
}
_INFLATING = {
    ("duckdb", _POLARS, "pyarrow", _OPENCV): (1.12, 1.0),
    ("numpy",): (1.2, 1.1),
    ("pandas", "scipy"): (1.45, 1.25),
    ("torch",): (1.3, 1.15),
}
_FAST_INFLATING = {
    (_POLARS, "pyarrow"): (0.62, 0.5),
    ("ruff", "numpy", "torch"): (0.95, 0.75),
    ("scipy",): (1.15, 0.9),
}


def _others(*bounded: Mapping[tuple[str, ...], object]) -> tuple[str, ...]:
    """Return the wheels that none of the tables names."""
    named = {name for table in bounded for subjects in table for name in subjects}
    return tuple(name for name in _ALL if name not in named)


_AUDIT = (
    *_bounded(
        "audit", f"audit: {_FASTER_THAN}", _SHOW, _AUDITWHEEL,
        {names: (must, must * 1.2) for names, must in _AUDITS.items()},
    ),
    *_bounded("audit", f"audit: {_FASTER_THAN}", _SHOW, _AUDITWHEEL, _FURTHER_AUDITS),
    Row(
        "audit", f"audit, further wheels: {_FASTER_THAN}", FASTER, _SHOW, _AUDITWHEEL,
        _others(_AUDITS, _FURTHER_AUDITS),
    ),
    *_bounded(
        "audit", f"audit with [fast]: {_FASTER_THAN}", _FAST_SHOW, _AUDITWHEEL,
        {names: (must * 1.4, must * 1.8) for names, must in _AUDITS.items()},
    ),
    *_bounded(
        "audit", "audit against inflating the ELF members", _SHOW, _INFLATE, _INFLATING
    ),
    Row(
        "audit", "audit against inflating the ELF members, further wheels", TIMES, _SHOW, _INFLATE,
        _others(_INFLATING),
    ),
    *_bounded(
        "audit", "audit with [fast] against inflating the ELF members with zlib", _FAST_SHOW,
        _INFLATE, _FAST_INFLATING,
    ),
    Row(
        "audit", "audit with [fast] against inflating with zlib, further wheels", TIMES,
        _FAST_SHOW, _INFLATE, _others(_FAST_INFLATING),
    ),
    Row(
        "audit", "inflating with isal against zlib", TIMES, "inflate by isal", _INFLATE,
        _ABOVE_15_MB,
    ),
    Row(
        "audit", "inflating with zlib-ng against zlib", TIMES, "inflate by zlib-ng", _INFLATE,
        _ABOVE_15_MB,
    ),
    Row("audit", "peak memory of an audit", MEMORY, _SHOW, "", _ALL, must=33, aim=24),
    Row("audit", "peak memory of an audit with [fast]", MEMORY, _FAST_SHOW, "", _ALL),
)  # fmt: skip

_CHECKS = (
    Row(
        "check", "check, which also hashes every member, against `unzip -tq`", TIMES, _CHECK,
        _UNZIP, _ABOVE_15_MB, must=1.3, aim=1.1,
    ),
    Row(
        "check", "check with [fast] against `unzip -tq`", TIMES, _FAST_CHECK, _UNZIP, _ABOVE_15_MB,
        must=1.3, aim=0.7,
    ),
    Row("check", "peak memory of a check", MEMORY, _CHECK, "", _ABOVE_15_MB, must=60),
)  # fmt: skip

_REPAIRS = (
    Row(
        "repair", "repair that grafts nothing: faster than `auditwheel repair`", FASTER, _REPAIR,
        _AUDITWHEEL_REPAIR, _GRAFTS_NOTHING, must=24, aim=40,
    ),
    Row(
        "repair", "repair that grafts nothing, with [fast]: faster than `auditwheel repair`",
        FASTER, _FAST_REPAIR, _AUDITWHEEL_REPAIR, _GRAFTS_NOTHING,
    ),
    Row(
        "repair", "repair that grafts nothing: faster than `repairwheel`", FASTER, _REPAIR,
        "repairwheel", _GRAFTS_NOTHING,
    ),
    Row(
        "graft", "graft: faster than `auditwheel repair`, same deflate level", FASTER, _REPAIR,
        _AUDITWHEEL_REPAIR, (GRAFT,), must=1.5, aim=1.8,
    ),
    Row(
        "graft", "graft with [fast], default level: faster than `auditwheel repair`", FASTER,
        _FAST_REPAIR, _AUDITWHEEL_REPAIR, (GRAFT,), must=2.2, aim=3,
    ),
    Row(
        "graft", "graft: faster than `repairwheel`", FASTER, _REPAIR, "repairwheel", (GRAFT,),
        must=1.5, aim=2,
    ),
    # The size may grow by 4 % where another library deflates.
    Row(
        "graft", "size of a graft with [fast], default level, against level 6 of zlib", TIMES,
        f"size by {_FAST_REPAIR}", f"size by {_REPAIR}", (GRAFT,), must=1.04,
    ),
    Row(
        "graft", "size of a graft at the default level against level 6", TIMES,
        f"size by {_REPAIR} (default level)", f"size by {_REPAIR}", (GRAFT,), must=1.04,
    ),
    Row(
        "large graft", "graft of 100 MB: faster than `auditwheel repair`", FASTER, _REPAIR,
        _AUDITWHEEL_REPAIR, (LARGE,), must=1,
    ),
    Row(
        "large graft", "peak memory of a graft of 100 MB", MEMORY, _REPAIR, "", (LARGE,), must=40
    ),
)  # fmt: skip

_RETAGS = (
    Row(
        "retag", "rewrite step of a retag against `cp`", TIMES, _REWRITE, "cp", _ABOVE_50_MB,
        must=2.5, aim=1.5,
    ),
    Row(
        "retag", "rewrite step of a retag: faster than `wheel tags`", FASTER, _REWRITE,
        "wheel tags", _ABOVE_15_MB, must=50, aim=130,
    ),
    Row("retag", "peak memory of a retag", MEMORY, _RETAG, "", _ALL, must=36, aim=24),
    Row("retag", "peak memory of the rewrite step", MEMORY, _REWRITE, "", _ALL, must=40, aim=24),
)  # fmt: skip

_SCALES = (
    Row(
        "scale", "audit of many members: against inflating the ELF members", TIMES, _SHOW,
        _INFLATE, (SCALE,),
    ),
    Row("scale", "audit of many members: CPU time", SECONDS, _SHOW, "", (SCALE,)),
    Row("scale", "check of many members: CPU time", SECONDS, _CHECK, "", (SCALE,)),
    Row("scale", "retag of many members: CPU time", SECONDS, _RETAG, "", (SCALE,)),
    Row(
        "scale", "check of many members: against `unzip -tq`", TIMES, _CHECK, _UNZIP, (SCALE,)
    ),
    Row(
        "scale", "peak memory of an audit of many members", MEMORY, _SHOW, "", (SCALE,), must=60,
        aim=40,
    ),
    Row("scale", "peak memory of a check of many members", MEMORY, _CHECK, "", (SCALE,)),
    Row("scale", "peak memory of a retag of many members", MEMORY, _RETAG, "", (SCALE,)),
    Row(
        "jobs", "audit of many wheels: --jobs 2 faster than --jobs 1", SOONER, "show --jobs 2",
        "show --jobs 1", (TWENTY,), must=1.8, aim=1.95,
    ),
)  # fmt: skip

_BUILDS = (
    Row(
        "debug", "bytes inflated of an extension with debug information", PERCENT,
        "bytes inflated", "", (DEBUG,), must=40, aim=15,
    ),
    Row(
        "build", "what the shim adds to a setuptools build", MILLISECONDS, "the shim", "",
        (PROJECT,), must=15, aim=5, rounds=4,
    ),
    Row(
        "build", "what the shim adds to a setuptools build, against --against", TIMES, "the shim",
        "the shim of --against", (PROJECT,), must=0.75, aim=0.5, rounds=4,
    ),
    # The same, as the difference of two whole hooks. Its noise is larger than what it measures.
    Row(
        "build", "a build by the shim less one by setuptools", MORE, "manyshim hook",
        "setuptools hook", (PROJECT,), rounds=4,
    ),
)  # fmt: skip

_COUNTS = (
    Row(
        INSTRUCTIONS, "instructions of the whole command", MILLIONS, COUNTED, "", (COMMAND,),
        must=150, aim=125,
    ),
    Row(
        INSTRUCTIONS, "instructions of the whole process", MILLIONS, COUNTED, "",
        tuple(case for case in CASES if case != COMMAND),
    ),
    Row(
        INSTRUCTIONS, "instructions of the whole process, against --against", TIMES, COUNTED,
        COUNTED_OTHER, CASES,
    ),
)  # fmt: skip

ROWS = (*_AUDIT, *_CHECKS, *_REPAIRS, *_RETAGS, *_SCALES, *_BUILDS, *_COUNTS)
