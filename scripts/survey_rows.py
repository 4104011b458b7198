"""The wheels of the survey, and where the steps of survey.py keep their files."""

from __future__ import annotations

import argparse
import json
import os
import re
from collections.abc import Callable, Iterator, Sequence
from fnmatch import fnmatchcase
from multiprocessing import get_context
from pathlib import Path
from typing import Any, NamedTuple

from _data import REPOSITORY

DATA = REPOSITORY / "scripts" / "data"
_PLATFORM = re.compile(r"(many|musl)?linux(?:1|2010|2014|_\d+_\d+)?_([a-z]\w*)")
_LIBC = {"many": "glibc", "musl": "musl", None: ""}


class Row(NamedTuple):
    """A published wheel. The fields from `platform` on are the options of `pip download`."""

    project: str
    version: str
    filename: str
    sha256: str
    size: int
    platform: str
    python: str
    implementation: str
    abi: str


class Platform(NamedTuple):
    """The architecture and the libc of a wheel's name; empty if the name is not for Linux."""

    arch: str
    libc: str


class Unavailable(Exception):  # noqa: N818 (the name says what the wheel is)
    """A wheel cannot be downloaded."""


def rows(pattern: str = "*") -> list[Row]:
    """Return the wheels whose file names match a shell pattern."""
    listed = json.loads((DATA / "survey.json").read_text(encoding="utf-8"))
    return [Row(**one) for one in listed if fnmatchcase(one["filename"], pattern)]


def default_cache() -> str:
    """Return the folder that keeps wheels and results (XDG Base Directory)."""
    home = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    return os.path.join(home, "manyshim-survey")


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of all scripts that work on the wheels."""
    pyenv = os.environ.get("PYENV_ROOT") or os.path.expanduser("~/.pyenv")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, metavar="N")
    parser.add_argument(
        "--cache", default=default_cache(), metavar="DIR",
        help="the folder that keeps wheels and results",
    )  # fmt: skip
    parser.add_argument("--again", action="store_true", help="make the results anew")
    parser.add_argument(
        "--pythons", default=os.path.join(pyenv, "versions"), metavar="DIR",
        help="a folder with a folder for each Python, named by its version",
    )  # fmt: skip


def platform_of(filename: str) -> Platform:
    """Return the first Linux platform in a wheel's name.

    >>> platform_of("a-1-cp311-cp311-manylinux_2_17_x86_64.manylinux2014_x86_64.whl")
    Platform(arch='x86_64', libc='glibc')
    """
    tags = filename[: -len(".whl")].rsplit("-", 1)[1].split(".")
    for tag in tags:
        found = _PLATFORM.fullmatch(tag)
        if found:
            return Platform(found[2], _LIBC[found[1]])
    return Platform("", "")


def in_parallel(
    work: Callable[[Row], Any], wheels: Sequence[Row], jobs: int
) -> Iterator[tuple[Row, Any]]:
    """Yield each wheel with the result for it, each from a process of its own."""
    with get_context("fork").Pool(jobs, maxtasksperchild=1) as pool:
        yield from zip(wheels, pool.imap(work, wheels))


def read_json(path: Path) -> Any:  # noqa: ANN401 (what the file holds)
    """Return what a JSON file holds, and None if there is no such file."""
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else None


def write_json(path: Path, value: object) -> None:
    """Write a JSON file completely or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f"{path.name}.draft")
    draft.write_text(json.dumps(value, indent=1) + "\n", encoding="utf-8")
    os.replace(draft, path)
