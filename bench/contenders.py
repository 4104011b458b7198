"""The commands that are compared. Each takes a subject: a wheel, or the folder of a project."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable
from typing import NamedTuple

# The platform tag that a rewrite writes; no sample may have it already.
_PLATFORM = "manylinux_2_99_x86_64"

# The deflate level of both repairs. It is also the default of both.
_LEVEL = "6"

_STEPS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "steps")


class Contender(NamedTuple):
    """A program; `command` takes the subject and an empty folder to write into.

    The cost is the CPU time of the whole process and its children. The cost of a `step` is the
    amount that the process itself measured for a part of its work.
    """

    name: str
    command: Callable[[str, str], list[str]]
    step: bool = False
    codes: tuple[int, ...] = (0,)


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


def _built_by(backend: str, *wrapped: str) -> Callable[[str, str], list[str]]:
    def command(subject: str, folder: str) -> list[str]:
        source, target = os.path.join(folder, "source"), os.path.join(folder, "dist")
        left_over = shutil.ignore_patterns("build", "dist", "*.egg-info", "*.so", "__pycache__")
        shutil.copytree(subject, source, ignore=left_over)
        os.mkdir(target)
        return _step("hook", backend, source, target, *wrapped)

    return command


_ALL = (
    Contender("manyshim show", lambda subject, _: _module("manyshim", "show", subject)),
    Contender("auditwheel show", lambda subject, _: _module("auditwheel", "show", subject)),
    # Exit code 1: a tag is false, or the index refuses the wheel. All of it was read.
    Contender(
        "manyshim check", lambda subject, _: _module("manyshim", "check", subject), codes=(0, 1)
    ),
    Contender("unzip -tq", lambda subject, _: [shutil.which("unzip") or "unzip", "-tq", subject]),
    Contender("inflate", lambda subject, _: _step("inflate", subject)),
    Contender(
        "manyshim retag",
        lambda subject, folder: _module("manyshim", "retag", "-w", folder, subject),
        # Exit code 1: no tag is proved. Everything before the rewrite was done.
        codes=(0, 1),
    ),
    Contender(
        "manyshim repair",
        lambda subject, folder: _module(
            "manyshim", "repair", "--compression-level", _LEVEL, "-w", folder, subject
        ),
    ),
    Contender(
        "auditwheel repair",
        lambda subject, folder: _module(
            "auditwheel", "repair", "-z", _LEVEL, "-w", folder, subject
        ),
    ),
    # It is in the dependency group `bench`, and takes no level.
    Contender("repairwheel", lambda subject, folder: _module("repairwheel", subject, "-o", folder)),
    Contender(
        "rewrite step",
        lambda subject, folder: _step("rewrite", subject, folder, _PLATFORM),
        step=True,
    ),
    Contender("cp", _cp),
    Contender("wheel tags", _wheel_tags),
    Contender("bytes inflated", lambda subject, _: _step("inflated", subject), step=True),
    Contender("setuptools hook", _built_by("setuptools.build_meta"), step=True),
    Contender("manyshim hook", _built_by("manyshim.backend"), step=True),
    Contender(
        "manyshim hook without setuptools'",
        _built_by("manyshim.backend", "setuptools.build_meta"),
        step=True,
    ),
)

CONTENDERS = {contender.name: contender for contender in _ALL}
