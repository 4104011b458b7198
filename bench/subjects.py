"""The subjects that contenders run on: published wheels, and what is made in the scratch folder."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Mapping

from bench import debug, graft, large, scale, table, wheels
from bench.places import CHECKOUT

_SAMPLES = {sample.project: sample for sample in wheels.SAMPLES}

# torch alone would take half of the time; the other three are as the ones beside them.
_LEFT_OUT = ("torch", "uv", "llvmlite", "orjson")

# What making or downloading a subject may raise.
FAILURES = (wheels.Absent, OSError, subprocess.CalledProcessError)


def path(subject: str, cache: str, folder: str) -> str:
    """Return the path of a subject, after it has been downloaded or made.

    `cache` keeps the wheels between runs, `folder` what is made. Raises one of FAILURES.
    """
    if subject in _SAMPLES:
        return wheels.fetch(_SAMPLES[subject], cache)
    made: Mapping[str, Callable[[], str]] = {
        table.DEBUG: lambda: debug.build(folder),
        table.GRAFT: lambda: graft.build(folder),
        table.LARGE: lambda: large.build(folder),
        table.SCALE: lambda: scale.build(folder),
        table.TWENTY: lambda: _twenty(cache, folder),
        table.PROJECT: lambda: os.path.join(CHECKOUT, table.PROJECT),
    }
    return made[subject]()


def needs(subject: str) -> tuple[wheels.Sample, ...]:
    """Return the published wheels that a subject needs."""
    if subject == table.TWENTY:
        return tuple(one for one in wheels.SAMPLES if one.project not in _LEFT_OUT)
    return (_SAMPLES[subject],) if subject in _SAMPLES else ()


def _twenty(cache: str, folder: str) -> str:
    """Return a folder with links to the wheels."""
    target = os.path.join(folder, "twenty")
    os.mkdir(target)
    for sample in needs(table.TWENTY):
        wheel = wheels.fetch(sample, cache)
        os.symlink(wheel, os.path.join(target, os.path.basename(wheel)))
    return target
