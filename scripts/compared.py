"""The wheels that compare_behaviour.py runs the commands on, and where they come from."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

# Each file is a list of published wheels; the keys are those of `pip download`.
_LISTS = ("tests/support/data/real_wheels.json", "scripts/data/compared_wheels.json")
_TAGS = re.compile(r"(?:many|musl)linux[0-9_]*?_([a-z]\w*)")
# A variant is packed anew; larger wheels would only take longer.
_LARGEST_VARIANT = 5 << 20
# Tests that import one of these modules write wheels into their temporary folders.
_WRITES_WHEELS = re.compile(r"^from (wheelwriter|casewheels|rewriting)\b", re.MULTILINE)
# The test of this script starts it, and writes no wheel that others do not.
_TEST_OF_THIS = "test_compare_behaviour.py"
# What attacks manyshim takes seconds for each command.
_SLOW = "test_attack"
_TESTS_PASSED, _TESTS_FAILED = 0, 1
_FAILURES = "failed-tests.txt"
_UNUSED_SECONDS = 24 * 60 * 60


class Unavailable(Exception):  # noqa: N818 (the name says what the wheels are)
    """Wheels cannot be downloaded or made here."""


class Subject(NamedTuple):
    """A wheel: its name in reports, and its path.

    The role says which commands run: "wheel", "graft", or "brief" for fewer of them. `libraries`
    is the folder in which a repair of it finds libraries.
    """

    label: str
    path: str
    role: str = "wheel"
    libraries: str = ""


def default_cache() -> str:
    """Return the folder that keeps wheels between two runs (XDG Base Directory)."""
    home = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    return os.path.join(home, "manyshim-compare")


def published(checkout: str, cache: str, jobs: int) -> list[Subject]:
    """Return the published wheels and, of the small ones for Linux, a `linux_*` variant.

    Raises Unavailable, which names each wheel that cannot be downloaded.
    """
    rows: list[dict[str, Any]] = []
    for name in _LISTS:
        rows += json.loads(Path(checkout, name).read_text(encoding="utf-8"))
    folder = Path(cache, "published")
    folder.mkdir(parents=True, exist_ok=True)
    paths = _in_parallel(lambda row: _download(row, folder), rows, jobs)
    linux = [path for path in paths if path.stat().st_size <= _LARGEST_VARIANT]
    variants = _in_parallel(lambda path: _linux_variant(path, Path(cache, "linux")), linux, jobs)
    # Its members are those of the published wheel.
    made = [Subject(path.name, str(path), "brief") for path in variants if path is not None]
    return [*(Subject(path.name, str(path)) for path in paths), *made]


def own(checkout: str, cache: str, jobs: int) -> list[Subject]:
    """Return the wheels that this checkout's tests write, and those that come out of them.

    The tests run only if their files have changed since an earlier run. Raises Unavailable.
    """
    files = sorted(Path(checkout, "tests").rglob("*.py"))
    sources = {path: path.read_bytes() for path in files}
    helpers = [path for path in files if not path.name.startswith("test_")]
    writers = [
        path
        for path in files
        if path not in helpers
        and _WRITES_WHEELS.search(sources[path].decode("utf-8"))
        and path.name != _TEST_OF_THIS
    ]
    content = b"".join(path.name.encode() + sources[path] for path in (*helpers, *writers))
    folder = Path(cache, "own", hashlib.sha256(content).hexdigest()[:16])
    if not folder.is_dir():
        _remove_unused(folder.parent)
        _dump(checkout, writers, folder, jobs)
    os.utime(folder)
    failures = (folder / _FAILURES).read_text(encoding="utf-8")
    if failures:
        print(f"tests failed, so wheels may be missing from {folder}:\n{failures}")
    return [
        one._replace(role="brief") if _SLOW in one.label else one for one in given([str(folder)])
    ]


def given(folders: Sequence[str]) -> list[Subject]:
    """Return the wheels in folders and their subfolders. Raises Unavailable if one has none."""
    subjects = []
    for folder in folders:
        paths = sorted(_wheels(folder))
        if not paths:
            raise Unavailable(f"{folder}: there is no wheel")
        subjects += [
            Subject(os.path.relpath(path, folder), os.path.abspath(path)) for path in paths
        ]
    return subjects


def _in_parallel(work: Callable[[Any], Any], items: Sequence[Any], jobs: int) -> list[Any]:
    """Return the result for each item. Raises Unavailable with all the reasons that there are."""
    failures: list[str] = []

    def attempt(item: object) -> Any:  # noqa: ANN401 (the type of the work's result)
        try:
            return work(item)
        except Unavailable as error:
            failures.append(str(error))
            return None

    with ThreadPoolExecutor(jobs) as pool:
        results = list(pool.map(attempt, items))
    if failures:
        raise Unavailable("\n".join(sorted(failures)))
    return results


def _download(row: dict[str, Any], folder: Path) -> Path:
    """Return the path of a published wheel, downloaded unless it is in the folder."""
    path = folder / str(row["filename"])
    if path.is_file() and _sha256(path) == row["sha256"]:
        return path
    with tempfile.TemporaryDirectory(dir=folder, prefix="part-") as part:
        command = [
            *(sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--no-cache-dir"),
            *("--only-binary", ":all:", "--platform", row["platform"], "--abi", row["abi"]),
            *("--python-version", row["python"]),
            *("--implementation", row.get("implementation", "cp")),
            *("-d", part, f"{row['project']}=={row['version']}"),
        ]
        done = subprocess.run(command, check=False, capture_output=True, text=True)
        downloaded = Path(part, path.name)
        if not downloaded.is_file():
            errors = [line for line in done.stderr.splitlines() if line.startswith("ERROR")]
            raise Unavailable(f"{path.name}: {(errors or ['pip downloaded another file'])[-1]}")
        if _sha256(downloaded) != row["sha256"]:
            raise Unavailable(f"{path.name}: its hash is not the recorded one")
        downloaded.replace(path)
    return path


def _linux_variant(path: Path, folder: Path) -> Path | None:
    """Return the wheel as a build would name it, or None if it is not for Linux."""
    arches = sorted(set(_TAGS.findall(path.stem.rsplit("-", 1)[-1])))
    if not arches:
        return None
    platforms = ".".join(f"linux_{arch}" for arch in arches)
    variant = folder / f"{path.stem.rsplit('-', 1)[0]}-{platforms}.whl"
    if variant.name == path.name:
        return None
    # Two published wheels, one for glibc and one for musl, may have variants of the same name.
    variant = folder / hashlib.sha256(path.name.encode()).hexdigest()[:16] / variant.name
    if not variant.is_file():
        variant.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder, prefix="part-") as part:
            copied = shutil.copy(path, part)
            command = [sys.executable, "-m", "wheel", "tags", "--platform-tag", platforms, copied]
            done = subprocess.run(command, check=False, capture_output=True, text=True)
            if done.returncode:
                raise Unavailable(f"{path.name}: wheel tags: {done.stderr.strip()[-200:]}")
            Path(part, variant.name).replace(variant)
    return variant


def _remove_unused(folder: Path) -> None:
    """Remove the wheels of tests that no run has used for a day: each set takes much space."""
    folder.mkdir(parents=True, exist_ok=True)
    for path in folder.iterdir():
        if path.stat().st_mtime < time.time() - _UNUSED_SECONDS:
            shutil.rmtree(path, ignore_errors=True)


def _dump(checkout: str, tests: Sequence[Path], folder: Path, jobs: int) -> None:
    """Run tests, and keep the distinct wheels that they leave and the names of failed tests."""
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix="part-") as part:
        base = os.path.join(part, "base")
        command = [
            *(sys.executable, "-m", "pytest", "--quiet", "-p", "no:cacheprovider"),
            *("-n", str(jobs), "-m", "not full and not network", "--basetemp", base),
            *("-o", "tmp_path_retention_policy=all", *map(str, tests)),
        ]
        environ = {**os.environ, "PYTHONPATH": os.path.join(checkout, "backend")}
        done = subprocess.run(
            command, check=False, capture_output=True, text=True, env=environ, cwd=checkout
        )
        if done.returncode not in {_TESTS_PASSED, _TESTS_FAILED}:
            raise Unavailable(f"pytest wrote no wheels: {(done.stdout + done.stderr)[-2000:]}")
        kept = Path(part, "kept")
        kept.mkdir()
        _move_distinct(base, kept)
        failed = [line for line in done.stdout.splitlines() if line.startswith("FAILED")]
        (kept / _FAILURES).write_text("\n".join(failed), encoding="utf-8")
        # Another run may have made the same folder in the meantime.
        if not folder.is_dir():
            kept.replace(folder)


def _move_distinct(source: str, target: Path) -> None:
    """Move each wheel, but only one of those with the same name and content."""
    seen: set[tuple[str, str]] = set()
    for path in sorted(_wheels(source)):
        identity = (os.path.basename(path), _sha256(Path(path)))
        if identity not in seen:
            seen.add(identity)
            moved = target / os.path.relpath(path, source)
            moved.parent.mkdir(parents=True, exist_ok=True)
            shutil.move(path, moved)


def _wheels(folder: str) -> Iterator[str]:
    for parent, _, names in os.walk(folder):
        for name in names:
            path = os.path.join(parent, name)
            # Tests leave links, folders and named pipes as well.
            if name.endswith(".whl") and os.path.isfile(path) and not os.path.islink(path):
                yield path


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()
