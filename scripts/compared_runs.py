"""One command on one wheel: run on both sides in the same folder, and compared."""

from __future__ import annotations

import difflib
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

_SECONDS = 600
_OUT = "out"
# Other variables than these may change what manyshim does, or differ from one machine to another.
_KEPT = ("HOME", "PATH", "SYSTEMROOT", "XDG_CACHE_HOME")
_LINES_SHOWN = 30
_TRACEBACK = "Traceback (most recent call last)"
# Private folders and files have random names, which messages of other tools repeat.
_RANDOM = re.compile(r"manyshim-[a-z0-9_]{8}\b")

_WHEEL_FACTS = (
    *("wheel", "claimed", "arch", "libc", "policy", "tag", "tags", "external", "musl_minimum"),
)
_FINDING_FACTS = ("kind", "severity", "path", "subject", "library", "symbols", "policy")
_PLAN_FACTS = ("policy", "patches", "launchers")
_COPY_FACTS = ("source", "member", "sha256", "needed_by")


class Side(NamedTuple):
    """A checkout, and the environment that makes its commands run."""

    checkout: str
    environ: Mapping[str, str]


class Command(NamedTuple):
    """What is run: the group that it counts in, the arguments before the wheel's path.

    It runs on wheels of up to `largest` bytes; `{libs}` stands for a folder of libraries.
    """

    group: str
    arguments: tuple[str, ...]
    largest: int = sys.maxsize


class Outcome(NamedTuple):
    """What a command did: exit code (None: it ran out of time), output, files in its folder."""

    code: int | None
    out: str
    err: str
    files: Mapping[str, str]


class Comparison(NamedTuple):
    """The lines of a difference, if any; what shows that the command did something."""

    difference: list[str]
    wrote: int
    crashed: bool


def make_side(checkout: str, cache: str, scratch: str) -> Side:
    """Return a side whose compiled bytecode goes to a cache, so that the checkout stays clean."""
    environ = {name: os.environ[name] for name in _KEPT if name in os.environ}
    environ.update(
        PYTHONPATH=os.path.join(checkout, "backend"),
        PYTHONPYCACHEPREFIX=cache,
        LC_ALL="C.UTF-8",
        NO_COLOR="1",
        COLUMNS="100",
        TMPDIR=scratch,
    )
    return Side(checkout, environ)


def package_path(side: Side) -> str:
    """Return the path of the manyshim that a side really imports."""
    command = [sys.executable, "-c", "import manyshim; print(manyshim.__file__)"]
    done = subprocess.run(
        command, check=False, capture_output=True, text=True, env=side.environ, cwd=os.sep
    )
    return os.path.realpath(done.stdout.strip())


def compare(
    command: list[str], first: Side, second: Side, folder: str, renames: Mapping[str, str] | None
) -> Comparison:
    """Run a command on both sides in turn, in one folder, and compare what it did.

    `renames` has kinds of findings by their names on the second side; with it, even if it is
    empty, facts are compared and sentences are not. None compares everything.
    """
    out = os.path.join(folder, _OUT)
    kept = os.path.join(folder, "first")
    outcome = _run(command, first, folder)
    if os.path.exists(out):
        os.rename(out, kept)
    other = _run(command, second, folder)
    before = _lines(other, renames)
    after = _lines(outcome, None if renames is None else {})
    difference = [] if before == after else _diff(before, after)
    for name in sorted(outcome.files.keys() & other.files.keys()):
        if outcome.files[name] != other.files[name]:
            difference += _member_diff(os.path.join(out, name), os.path.join(kept, name))
    for made in filter(os.path.exists, (out, kept)):
        shutil.rmtree(made)
    crashed = any(_TRACEBACK in one.err for one in (outcome, other))
    return Comparison(difference, len(outcome.files), crashed)


def _run(command: list[str], side: Side, folder: str) -> Outcome:
    arguments = [sys.executable, "-m", "manyshim", *command]
    try:
        done = subprocess.run(
            arguments,
            check=False,
            capture_output=True,
            stdin=subprocess.DEVNULL,
            env=side.environ,
            cwd=folder,
            timeout=_SECONDS,
        )
    except subprocess.TimeoutExpired:
        return Outcome(None, "", "", {})
    out, err = (text.decode("utf-8", "backslashreplace") for text in (done.stdout, done.stderr))
    return Outcome(done.returncode, out, err, dict(_files(os.path.join(folder, _OUT))))


def _files(folder: str) -> Iterator[tuple[str, str]]:
    """Yield what a command left in its folder, each with its mode and the hash of its bytes."""
    for parent, folders, names in os.walk(folder):
        for name in sorted((*names, *folders)):
            path = os.path.join(parent, name)
            digest = "folder"
            if os.path.isfile(path):
                with open(path, "rb") as file:
                    digest = hashlib.sha256(file.read()).hexdigest()
            yield os.path.relpath(path, folder), f"{os.lstat(path).st_mode:o} {digest}"


def _lines(outcome: Outcome, renames: Mapping[str, str] | None) -> list[str]:
    """Return all that is compared of an outcome, as text."""
    lines = ["ran out of time" if outcome.code is None else f"exit code {outcome.code}"]
    if renames is None:
        lines += outcome.out.splitlines()
        lines += [f"stderr: {line}" for line in _without_frames(outcome.err)]
    else:
        lines += _facts(outcome.out, renames)
        lines.append(f"crashed: {_TRACEBACK in outcome.err}")
    lines += [f"{name}: {what}" for name, what in sorted(outcome.files.items())]
    return [_RANDOM.sub("manyshim-*", line) for line in lines]


def _without_frames(text: str) -> Iterator[str]:
    """Yield lines, but of a traceback no frames: they name the checkout and lines of its code."""
    in_frames = False
    for line in text.splitlines():
        in_frames = line.startswith(_TRACEBACK) or (in_frames and line.startswith(" "))
        if not in_frames or line.startswith(_TRACEBACK):
            yield line


def _facts(text: str, renames: Mapping[str, str]) -> Iterator[str]:
    """Yield what JSON output says apart from sentences; nothing for output that is no JSON."""
    try:
        wheels = json.loads(text)["wheels"]
    except ValueError:
        return
    for wheel in wheels:
        found = [_chosen(one, _FINDING_FACTS) for one in wheel["findings"]]
        for one in found:
            one["kind"] = renames.get(one["kind"], one["kind"])
        reduced = {
            **_chosen(wheel, _WHEEL_FACTS),
            "failed": wheel["error"] is not None,
            "findings": sorted(found, key=json.dumps),
            "plan": _plan_facts(wheel.get("plan")),
        }
        yield from json.dumps(reduced, indent=1).splitlines()


def _plan_facts(plan: dict[str, Any] | None) -> dict[str, Any] | None:
    if plan is None:
        return None
    copies = [_chosen(copy, _COPY_FACTS) for copy in plan["copies"]]
    return {**_chosen(plan, _PLAN_FACTS), "copies": copies}


def _chosen(data: Mapping[str, Any], keys: tuple[str, ...]) -> dict[str, Any]:
    return {key: data.get(key) for key in keys}


def _diff(before: list[str], after: list[str]) -> list[str]:
    lines = list(difflib.unified_diff(before, after, "other", "this", n=1, lineterm=""))
    more = len(lines) - _LINES_SHOWN
    return [*lines[:_LINES_SHOWN], *([f"... and {more} more lines"] if more > 0 else [])]


def _member_diff(other: str, this: str) -> list[str]:
    """Say in which members two wheels differ; if in none, that the zip format around them does."""
    try:
        before, after = _members(other), _members(this)
    except (OSError, zipfile.BadZipFile) as error:
        return [f"  {os.path.basename(this)}: {error}"]
    return _diff(before, after) or ["  the members are equal; the bytes between them differ"]


def _members(path: str) -> list[str]:
    with zipfile.ZipFile(path) as archive:
        return [
            f"{one.filename} crc={one.CRC:08x} size={one.file_size}/{one.compress_size} "
            f"type={one.compress_type} time={one.date_time} mode={one.external_attr >> 16:o} "
            f"flags={one.flag_bits:x} extra={one.extra.hex()} offset={one.header_offset}"
            for one in archive.infolist()
        ]
