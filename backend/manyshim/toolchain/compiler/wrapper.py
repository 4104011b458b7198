"""What runs when the wrapped backend calls its C or C++ compiler, once a file.

It stands between each call and zig, so it imports as little as it can.
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
    """What a build tells its compilers.

    `notes` is a file of lines for the one who builds, which is there once a compiler was called;
    `cache` a folder with an empty file for each library that zig has compiled, whose names begin
    with `key`.
    """

    zig: str
    options: TargetOptions
    notes: str
    cache: str
    key: str


def main(driver: str, job: Job, arguments: Sequence[str]) -> NoReturn:
    """Call zig with what a compiler was called with, and end with its exit code."""
    adapted = adapt(driver, expanded(arguments), job.options)
    notes = [*adapted.notes, *(_unknown(job, adapted.arguments) if adapted.links else ())]
    _tell(job, *notes)
    if adapted.refusal:
        _tell(job, adapted.refusal)
        sys.exit(f"{driver}: error: {adapted.refusal}")
    command = [job.zig, adapted.driver, *_passed(job, _there(adapted.arguments))]
    marker = os.path.join(job.cache, f"{job.key}-{adapted.driver}")
    if not adapted.links or os.path.exists(marker):
        os.execv(job.zig, command)  # noqa: S606 (what the build has called)
    what, how_long = _FIRST[adapted.driver]
    _tell(
        job,
        f"zig compiles {what} for {job.options.triple} once, {how_long}; it stays in {job.cache}",
    )
    code = os.spawnv(os.P_WAIT, job.zig, command)  # noqa: S606
    if code == 0:
        os.close(os.open(marker, _APPEND, 0o666))
    # A negative code is a signal's, which a shell would say as 128 and more.
    sys.exit(code if code >= 0 else 128 - code)


_FIRST = {
    "cc": ("the C library's start files", "about 5 seconds"),
    "c++": ("libc++", "about a minute"),
}


def expanded(arguments: Sequence[str]) -> List[str]:
    """Put the arguments of response files in their place; they may name others."""
    found: List[str] = []
    left = list(reversed(arguments))
    files = 0
    while left:
        argument = left.pop()
        path = argument[1:]
        if not argument.startswith("@") or files > _FILES or not os.path.isfile(path):
            found.append(argument)
            continue
        import shlex  # noqa: PLC0415 (hardly ever)

        files += 1
        with open(path, encoding="utf-8", errors="surrogateescape") as file:
            text = file.read()
        try:
            left.extend(reversed(shlex.split(text)))
        except ValueError:
            found.append(argument)  # a quote without an end, which compilers take
    return found


def _there(arguments: Sequence[str]) -> List[str]:
    """Leave out library folders that are not there, of which zig warns and gcc says nothing."""
    return [one for one in arguments if one[:2] != "-L" or os.path.isdir(one[2:])]


def _unknown(job: Job, arguments: Sequence[str]) -> Iterator[str]:
    """Say of which libraries zig is going to say that no folder has them."""
    folders = [one[2:] for one in arguments if one[:2] == "-L"]
    for argument in arguments:
        name = argument[2:]
        if argument[:2] != "-l" or name in OWN_LIBRARIES or name[:1] == ":":
            continue
        paths = (f"{folder}/lib{name}.{kind}" for folder in folders for kind in ("so", "a"))
        if not any(map(os.path.isfile, paths)):
            yield (
                f"{argument}: zig has no such library for {job.options.triple}, and searches none "
                "of this machine's; name the target's system with the option sysroot, or the "
                "library's folder with -L"
            )


def _passed(job: Job, arguments: List[str]) -> List[str]:
    """Put arguments that are too long for a process into a response file again."""
    if sum(map(len, arguments)) < _MOST_BYTES:
        return arguments
    from subprocess import list2cmdline  # noqa: PLC0415 (zig reads files by the rules of Windows)

    path = f"{job.notes}-{os.getpid()}"
    with open(path, "w", encoding="utf-8", errors="surrogateescape") as file:
        file.write(list2cmdline(arguments))
    return [f"@{path}"]


# Linux takes two megabytes with the environment (execve(2)).
_MOST_BYTES = 500_000


# A file that names itself ends here, and zig says what is wrong with it.
_FILES = 100


def _tell(job: Job, *lines: str) -> None:
    """Leave lines for the one who builds; one write, so that no two calls mix theirs."""
    descriptor = os.open(job.notes, _APPEND, 0o666)
    try:
        os.write(
            descriptor, b"".join(os.fsencode(line.replace("\n", " ") + "\n") for line in lines)
        )
    finally:
        os.close(descriptor)
