"""The program that the wrapped backend calls as its C and C++ compiler.

It runs for each source file, so it imports as little as possible.
"""

from __future__ import annotations

import os
import sys
from typing import Iterator, List, NoReturn, Sequence

from manyshim.toolchain.compiler.arguments import adapt
from manyshim.toolchain.compiler.linking import OWN_LIBRARIES
from manyshim.toolchain.compiler.target_options import TargetOptions
from manyshim.values import NamedTuple

_APPEND = os.O_WRONLY | os.O_APPEND | os.O_CREAT


class Job(NamedTuple):
    """The settings that a build gives to its compilers.

    `notes` is a file with lines for the user; it exists once a compiler was called. `cache` is a
    folder with an empty marker file for each library that zig has compiled; the names of the
    markers begin with `key`.
    """

    zig: str
    options: TargetOptions
    notes: str
    cache: str
    key: str


def main(driver: str, job: Job, arguments: Sequence[str]) -> NoReturn:
    """Translate the arguments of a compiler call, call zig with them, and exit with its code."""
    adapted = adapt(driver, expand(arguments), job.options)
    notes = [*adapted.notes, *(_missing_libraries(job, adapted.arguments) if adapted.links else ())]
    _write_notes(job, *notes)
    if adapted.refusal:
        _write_notes(job, adapted.refusal)
        sys.exit(f"{driver}: error: {adapted.refusal}")
    existing = _without_missing_folders(adapted.arguments)
    command = [job.zig, adapted.driver, *_shorten(job, existing)]
    marker = os.path.join(job.cache, f"{job.key}-{adapted.driver}")
    if not adapted.links or os.path.exists(marker):
        os.execv(job.zig, command)  # noqa: S606 (the compiler call of the build)
    library, duration = _COMPILED_ONCE[adapted.driver]
    _write_notes(
        job,
        f"zig compiles {library} for {job.options.triple} once, {duration}, and keeps the result "
        f"in {job.cache}",
    )
    code = os.spawnv(os.P_WAIT, job.zig, command)  # noqa: S606
    if code == 0:
        os.close(os.open(marker, _APPEND, 0o666))
    # A negative code is a signal. Shells report it as 128 plus the signal's number.
    sys.exit(code if code >= 0 else 128 - code)


_COMPILED_ONCE = {
    "cc": ("the C library's start files", "about 5 seconds"),
    "c++": ("libc++", "about a minute"),
}


def expand(arguments: Sequence[str]) -> List[str]:
    """Replace each response file (@file) by its arguments; they may name further files.

    A file that cannot be split into words stays as it is, for zig to read.
    """
    found: List[str] = []
    remaining = list(reversed(arguments))
    files = 0
    while remaining:
        argument = remaining.pop()
        path = argument[1:]
        if not argument.startswith("@") or files > _MAX_FILES or not os.path.isfile(path):
            found.append(argument)
            continue
        import shlex  # noqa: PLC0415 (rarely needed)

        files += 1
        with open(path, encoding="utf-8", errors="surrogateescape") as file:
            text = file.read()
        try:
            remaining.extend(reversed(shlex.split(text)))
        except ValueError:
            found.append(argument)  # an unclosed quote, which compilers accept
    return found


def _without_missing_folders(arguments: Sequence[str]) -> List[str]:
    """Drop library folders that do not exist: zig warns about them, GCC does not."""
    return [one for one in arguments if one[:2] != "-L" or os.path.isdir(one[2:])]


def _missing_libraries(job: Job, arguments: Sequence[str]) -> Iterator[str]:
    """Yield a note for each library that zig will not find in any folder."""
    folders = [one[2:] for one in arguments if one[:2] == "-L"]
    for argument in arguments:
        name = argument[2:]
        if argument[:2] != "-l" or name in OWN_LIBRARIES or name[:1] == ":":
            continue
        paths = (f"{folder}/lib{name}.{kind}" for folder in folders for kind in ("so", "a"))
        if not any(map(os.path.isfile, paths)):
            yield (
                f"{argument}: zig has no such library for {job.options.triple}, and does not "
                "search this machine's libraries; set the option sysroot to a folder with the "
                "target's system, or pass the library's folder with -L"
            )


def _shorten(job: Job, arguments: List[str]) -> List[str]:
    """Move arguments that are too long for a process into a response file again."""
    if sum(map(len, arguments)) < _MAX_BYTES:
        return arguments
    from subprocess import list2cmdline  # noqa: PLC0415 (zig splits files by the rules of Windows)

    path = f"{job.notes}-{os.getpid()}"
    with open(path, "w", encoding="utf-8", errors="surrogateescape") as file:
        file.write(list2cmdline(arguments))
    return [f"@{path}"]


# Linux allows two megabytes, including the environment (execve(2)).
_MAX_BYTES = 500_000


# After so many files, a file that includes itself is passed on, and zig reports the error.
_MAX_FILES = 100


def _write_notes(job: Job, *lines: str) -> None:
    """Append lines for the user to the file of notes, in one write: parallel calls must not mix."""
    descriptor = os.open(job.notes, _APPEND, 0o666)
    try:
        os.write(
            descriptor, b"".join(os.fsencode(line.replace("\n", " ") + "\n") for line in lines)
        )
    finally:
        os.close(descriptor)
