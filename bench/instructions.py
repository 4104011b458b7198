"""Count the instructions that manyshim executes, or compare them with another checkout's.

Every case is a whole Python process under `valgrind --tool=callgrind`. Two counts of the same
program differ by less than 0.001 %, even on a busy machine. A change without effect moves a count
by up to 0.02 %, because it changes the memory layout. Seconds differ by several percent.

`--against` also tells whether a single fast path is worth its code. Copy the checkout, remove the
fast path from the copy, and compare with the copy: a ratio of 0.98 means that it saves 2 %.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import re
import shutil
import subprocess
import sys
import zlib
from collections.abc import Iterator, Mapping, Sequence
from importlib.util import find_spec

from bench import places, run, wheels

_BENCH = os.path.dirname(os.path.abspath(__file__))
_LIMIT = 600

# Of wheels.SAMPLES: a small one, and one with many ELF files.
_SMALL, _LARGE = "markupsafe", "numpy"

# The caller's variables are left out, because they change the memory layout. So does any change of
# the code, and then copying large buffers takes up to 0.3 % more or fewer of all instructions. With
# this threshold glibc maps each large buffer: all are aligned alike, and grow without a copy.
_ENVIRONMENT = {
    "GLIBC_TUNABLES": "glibc.malloc.mmap_threshold=4096",
    "LC_ALL": "C.UTF-8",
    "PATH": os.defpath,
    "PYTHONHASHSEED": "0",
}

BARE, COMMAND = "bare", "show small"
CASES = (
    *(BARE, "import", "probe", "version", "help", COMMAND, "show large", "check small"),
    *("retag small", "hook"),
)
# The cases that need the small wheel.
_WITH_SMALL = (COMMAND, "check small", "retag small", "hook")
_IMPORT = "import manyshim.backend"

# pyproject-hooks imports the backend and asks for each optional hook (PEP 517, PEP 660).
_HOOKS = (
    "get_requires_for_build_wheel",
    "prepare_metadata_for_build_wheel",
    "get_requires_for_build_sdist",
    "build_sdist",
    "get_requires_for_build_editable",
    "prepare_metadata_for_build_editable",
    "build_editable",
)
_PROBE = f"{_IMPORT} as backend\nfor name in {_HOOKS}: hasattr(backend, name)"
_BUILD = f"{_IMPORT} as backend\nbackend.build_wheel('dist')"

_PROJECT = '[tool.manyshim]\nbackend = "wrapped"\n'

# It imports only what Python loads at startup. Another module that manyshim also needs would not be
# counted.
_WRAPPED = """\
import os

def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):
    [name] = os.listdir("made")
    with open(f"made/{name}", "rb") as made, open(f"{wheel_directory}/{name}", "wb") as copy:
        copy.write(made.read())
    return name
"""


def main() -> int:
    """Count, print the table, and write the counts to the file of --json; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m bench.instructions", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--against", metavar="CHECKOUT", help="compare with this checkout")
    parser.add_argument("--json", metavar="FILE", help="write the counts, nothing subtracted")
    options = parser.parse_args()
    counts: dict[str, dict[str, int]] = {}
    cache = wheels.default_cache()
    try:
        with run.scratch(cache) as folder:
            for case, side, number in measure(CASES, cache, folder, options.against):
                if isinstance(number, str):
                    raise run.FailedError(f"{case}, {side} checkout: {number}")
                counts.setdefault(side, {})[case] = number
    except FAILURES as error:
        print(f"bench.instructions: {error}", file=sys.stderr)
        return 1
    python = f"{platform.python_implementation()} {platform.python_version()}"
    versions = {"python": python, "zlib": zlib.ZLIB_RUNTIME_VERSION}
    if options.json:
        with open(options.json, "w", encoding="utf-8") as file:
            data = {"version": 1, "versions": versions, "instructions": counts}
            file.write(json.dumps(data, indent=1) + "\n")
    for line in _table(counts["this"], counts.get("that")):
        print(line)
    print("\nVersions: " + "; ".join(f"{name} {one}" for name, one in versions.items()))
    return 0


FAILURES = (
    *(run.FailedError, places.MissingError, wheels.Absent),
    *(OSError, subprocess.TimeoutExpired),
)


def measure(
    cases: Sequence[str], cache: str, folder: str, against: str | None
) -> Iterator[tuple[str, str, int | str]]:
    """Yield each case, "this" or "that" for the checkout, and its number of instructions.

    In place of the number there is a text that says why the case failed. `cache` keeps the wheels,
    `folder` is empty. Raises one of FAILURES.
    """
    valgrind = shutil.which("valgrind")
    if valgrind is None:
        raise run.FailedError("valgrind is not installed; the package is named valgrind")
    # Both folders have names of the same length, because a longer path takes more instructions.
    trees = {places.THIS: os.path.join(folder, places.THIS)}
    places.copy_package(places.CHECKOUT, trees[places.THIS])
    if against is not None:
        trees[places.OTHER] = os.path.join(folder, places.OTHER)
        places.copy_package(against, trees[places.OTHER])
    arguments = _cases(cases, cache, folder, trees[places.THIS])
    site = _site(folder)
    for name in cases:
        for side, tree in trees.items():
            print(f"{name}, {side} checkout", file=sys.stderr)
            path = os.pathsep.join((tree, site)) if name == "check small" else tree
            try:
                yield name, side, _count(valgrind, arguments[name], folder, path)
            except run.FailedError as error:
                yield name, side, str(error)


def _site(folder: str) -> str:
    """Return a folder with the two packages that `check` imports, because -S hides them."""
    site = os.path.join(folder, "site")
    os.mkdir(site)
    for name in ("packaging", "wheel"):
        spec = find_spec(name)
        for package in (spec and spec.submodule_search_locations) or ():
            os.symlink(package, os.path.join(site, name))
    return site


def sample_of(case: str) -> tuple[wheels.Sample, ...]:
    """Return the published wheels that a case needs."""
    project = _LARGE if case == "show large" else _SMALL if case in _WITH_SMALL else ""
    return tuple(sample for sample in wheels.SAMPLES if sample.project == project)


def _cases(cases: Sequence[str], cache: str, folder: str, tree: str) -> dict[str, tuple[str, ...]]:
    """Write a project with a fake wrapped backend; return each case's arguments of Python."""
    command = ("-m", "manyshim")
    arguments: dict[str, tuple[str, ...]] = {
        BARE: ("-c", "pass"),
        "import": ("-c", _IMPORT),
        "probe": ("-c", _PROBE),
        "version": (*command, "--version"),
        "help": (*command, "--help"),
        "hook": ("-c", _BUILD),
    }
    needed = {sample: None for case in cases for sample in sample_of(case)}
    paths = {sample.project: wheels.fetch(sample, cache) for sample in needed}
    os.mkdir(os.path.join(folder, "project"))
    if _LARGE in paths:
        arguments["show large"] = (*command, "show", paths[_LARGE])
    if _SMALL in paths:
        built = _written(paths[_SMALL], folder, tree)
        arguments[COMMAND] = (*command, "show", paths[_SMALL])
        arguments["check small"] = (*command, "check", paths[_SMALL])
        arguments["retag small"] = (*command, "retag", "-w", "dist", built)
    return arguments


def _written(small: str, folder: str, tree: str) -> str:
    """Write the project, and the wheel that its wrapped backend copies; return the wheel's path.

    The wheel that a build returns has a platform tag without a policy.
    """
    project = os.path.join(folder, "project")
    os.mkdir(os.path.join(project, "made"))
    for name, text in (("pyproject.toml", _PROJECT), ("wrapped.py", _WRAPPED)):
        with open(os.path.join(project, name), "w", encoding="utf-8") as file:
            file.write(text)
    step = os.path.join(_BENCH, "steps", "rewrite.py")
    _run([sys.executable, step, small, "made", "linux_x86_64"], project, tree)
    [built] = os.listdir(os.path.join(project, "made"))
    return f"made/{built}"


def _count(valgrind: str, arguments: Sequence[str], folder: str, tree: str) -> int:
    """Return the smaller of two counts. A run before them writes the bytecode."""
    log, project = os.path.join(folder, "log"), os.path.join(folder, "project")
    dist = os.path.join(project, "dist")
    # Without -S every .pth file of the environment would be executed and counted.
    python = [os.path.realpath(sys.executable), "-S", *arguments]
    profile = f"--callgrind-out-file={os.path.join(folder, 'profile')}"
    callgrind = [valgrind, "--tool=callgrind", f"--log-file={log}", profile, *python]
    counts = []
    for command in (python, callgrind, callgrind):
        shutil.rmtree(dist, ignore_errors=True)
        os.mkdir(dist)
        _run(command, project, tree)
        if command is callgrind:
            with open(log, encoding="utf-8", errors="replace") as file:
                [total] = re.findall(r"== Collected : (\d+)$", file.read(), re.MULTILINE)
            counts.append(int(total))
    return min(counts)


def _run(command: Sequence[str], folder: str, tree: str) -> None:
    """Run a command in the environment that all cases share. Raises FailedError."""
    done = subprocess.run(
        command, check=False, capture_output=True, text=True, cwd=folder, timeout=_LIMIT,
        env={**_ENVIRONMENT, "PYTHONPATH": tree},
    )  # fmt: skip
    if done.returncode:
        last = (done.stderr.strip() or "it printed no error").splitlines()[-1]
        program = os.path.basename(command[0])
        raise run.FailedError(f"{program} ended with exit code {done.returncode}: {last}")


def _table(this: Mapping[str, int], that: Mapping[str, int] | None) -> Iterator[str]:
    """Yield the table as Markdown; the count of bare Python is subtracted from the other cases."""
    columns = ("case", "million instructions", *(("against", "ratio") if that else ()))
    yield "| " + " | ".join(columns) + " |"
    yield "|---" * len(columns) + "|"
    for name in this:
        sides = [this, that] if that else [this]
        nets = [side[name] - (0 if name == BARE else side[BARE]) for side in sides]
        cells = [name, *(f"{net / 1e6:.2f}" for net in nets)]
        if that:
            cells.append(f"{nets[0] / nets[1]:.4f}")
        yield "| " + " | ".join(cells) + " |"


if __name__ == "__main__":
    sys.exit(main())
