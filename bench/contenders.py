"""The commands that are compared. Each takes a subject: a wheel, or a folder."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable
from typing import NamedTuple

from bench.places import FAST, OTHER, PLAIN, THIS

# The platform tag that a rewrite writes; no sample may have it already.
_PLATFORM = "manylinux_2_99_x86_64"

# The deflate level of both repairs. It is auditwheel's default, too.
_LEVEL = "6"

_STEPS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "steps")

# What is measured of a run: its CPU seconds with those of its children, its elapsed seconds, the
# bytes of the files that it wrote, or what the process itself printed: seconds of a part of its
# work, or another amount.
CPU, ELAPSED, SIZE, SECONDS, AMOUNT = "cpu", "elapsed", "size", "seconds", "amount"


class Contender(NamedTuple):
    """A program; `command` takes the subject and an empty folder to write into.

    `paths` names folders for PYTHONPATH, as bench/places.py makes them.
    """

    name: str
    command: Callable[[str, str], list[str]]
    measure: str = CPU
    codes: tuple[int, ...] = (0,)
    paths: tuple[str, ...] = (PLAIN,)


def _module(name: str, *arguments: str) -> list[str]:
    return [sys.executable, "-m", name, *arguments]


def _step(name: str, *arguments: str) -> list[str]:
    return [sys.executable, os.path.join(_STEPS, f"{name}.py"), *arguments]


def _cp(subject: str, folder: str) -> list[str]:
    return [shutil.which("cp") or "/bin/cp", subject, os.path.join(folder, "copy.whl")]


def _wheel_tags(subject: str, folder: str) -> list[str]:
    """Pass a link to the wheel, because `wheel tags` writes beside the file that it is given."""
    os.mkdir(os.path.join(folder, "in"))
    link = os.path.join(folder, "in", os.path.basename(subject))
    os.symlink(subject, link)
    return _module("wheel", "tags", "--platform-tag", _PLATFORM, link)


def _show_all(jobs: int) -> Callable[[str, str], list[str]]:
    def command(subject: str, _: str) -> list[str]:
        wheels = sorted(os.path.join(subject, name) for name in os.listdir(subject))
        return _module("manyshim", "show", "--jobs", str(jobs), *wheels)

    return command


def _repair(*options: str) -> Callable[[str, str], list[str]]:
    def command(subject: str, folder: str) -> list[str]:
        return _module("manyshim", "repair", *options, "-w", folder, subject)

    return command


def _built_by(backend: str, *wrapped: str) -> Callable[[str, str], list[str]]:
    def command(subject: str, folder: str) -> list[str]:
        source, target = os.path.join(folder, "source"), os.path.join(folder, "dist")
        left_over = shutil.ignore_patterns("build", "dist", "*.egg-info", "*.so", "__pycache__")
        shutil.copytree(subject, source, ignore=left_over)
        os.mkdir(target)
        return _step("hook", backend, source, target, *wrapped)

    return command


_shim = _built_by("manyshim.backend", "setuptools.build_meta")

_MANYSHIM = (
    Contender("manyshim show", lambda subject, _: _module("manyshim", "show", subject)),
    # Exit code 1: a tag is false, or the index refuses the wheel. All of it was read.
    Contender(
        "manyshim check", lambda subject, _: _module("manyshim", "check", subject), codes=(0, 1)
    ),
    Contender("manyshim repair", _repair("--compression-level", _LEVEL)),
    # At the level that this project chooses.
    Contender("manyshim repair (default level)", _repair()),
)


def _with_fast(contender: Contender) -> Contender:
    """Return the same command with what `pip install manyshim[fast]` brings."""
    name = contender.name.replace("manyshim", "manyshim[fast]")
    return contender._replace(name=name, paths=(FAST,))


def _written(contender: Contender) -> Contender:
    """Return the same command, of which the size of the written wheel is measured."""
    return contender._replace(name=f"size by {contender.name}", measure=SIZE)


_ALL = (
    *_MANYSHIM,
    *map(_with_fast, _MANYSHIM),
    *map(_written, _MANYSHIM[2:]),
    *map(_written, map(_with_fast, _MANYSHIM[2:])),
    Contender("auditwheel show", lambda subject, _: _module("auditwheel", "show", subject)),
    Contender("unzip -tq", lambda subject, _: [shutil.which("unzip") or "unzip", "-tq", subject]),
    Contender("inflate", lambda subject, _: _step("inflate", subject)),
    Contender(
        "inflate by isal",
        lambda subject, _: _step("inflate", subject, "isal.isal_zlib"),
        paths=(FAST,),
    ),
    Contender(
        "inflate by zlib-ng",
        lambda subject, _: _step("inflate", subject, "zlib_ng.zlib_ng"),
        paths=(FAST,),
    ),
    Contender(
        "manyshim retag",
        lambda subject, folder: _module("manyshim", "retag", "-w", folder, subject),
        # Exit code 1: no tag is proved. Everything before the rewrite was done.
        codes=(0, 1),
    ),
    Contender(
        "auditwheel repair",
        lambda subject, folder: _module(
            "auditwheel", "repair", "-z", _LEVEL, "-w", folder, subject
        ),
    ),
    # It is in the dependency group `bench`, and takes no level.
    Contender("repairwheel", lambda subject, folder: _module("repairwheel", subject, "-o", folder)),
    Contender("show --jobs 1", _show_all(1), measure=ELAPSED),
    Contender("show --jobs 2", _show_all(2), measure=ELAPSED),
    Contender(
        "rewrite step",
        lambda subject, folder: _step("rewrite", subject, folder, _PLATFORM),
        measure=SECONDS,
    ),
    Contender("cp", _cp),
    Contender("wheel tags", _wheel_tags),
    Contender("bytes inflated", lambda subject, _: _step("inflated", subject), measure=AMOUNT),
    Contender("setuptools hook", _built_by("setuptools.build_meta"), measure=SECONDS),
    Contender("manyshim hook", _built_by("manyshim.backend"), measure=SECONDS),
    Contender("the shim", _shim, measure=SECONDS, paths=(THIS, PLAIN)),
    Contender("the shim of --against", _shim, measure=SECONDS, paths=(OTHER, PLAIN)),
)

CONTENDERS = {contender.name: contender for contender in _ALL}
