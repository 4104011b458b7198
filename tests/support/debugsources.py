"""Small sources with marked lines that use two symbols, and functions that compile them."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Dict, List, Tuple

import needs
from manyshim.audit.facts import SourceLine
from manyshim.formats.elf.debuginfo import uses

ZIG = [sys.executable, "-m", "ziglang", "cc", "-fno-sanitize=all"]

needs_gxx = needs.mark(needs.compiler, "g++")

# The functions are declared here, so that the machine's headers are not needed.
C_SOURCE = """\
extern int pidfd_open(int, unsigned);
extern int fcntl64(int, int, ...);
extern int unrelated(int);
extern int show(void *);
#include "_x.h"

int helper(int pid)
{
    int first = unrelated(pid);

    int fd = pidfd_open(pid, 0); /* LINE:helper */

    return fd + first;
}

int two_on_two_lines(int fd)
{
    for (int i = 0; i < fd; i++)
        unrelated(i);
    int flags = fcntl64(fd, 1); /* LINE:first */

    unrelated(flags);
    flags += fcntl64(fd, 2, flags); /* LINE:second */
    return flags - 1;
}

int tail(int pid)
{
    return pidfd_open(pid, 1); /* LINE:tail */
}

int by_header(int pid)
{
    return inline_open(pid) + 1;
}

int pointer(void)
{
    void *p = pidfd_open; /* LINE:pointer */

    return show(&p);
}
"""

HEADER = """\
#pragma once
static inline int inline_open(int pid)
{
    int fd = pidfd_open(pid, 3); /* LINE:header */
    return fd ? fd : 7;
}
"""

CPP_SOURCE = """\
extern "C" int pidfd_open(int, unsigned);
extern "C" int unrelated(int);

namespace room {
namespace {
int hidden(int pid) { return pidfd_open(pid, 0) + 1; } /* LINE:hidden */
}

struct Process {
    int pid;
    int open() const;
};

int Process::open() const
{
    return hidden(pid) + pidfd_open(pid, 1); /* LINE:method */
}

template <typename T> struct Box {
    T value;
    __attribute__((noinline)) int open()
    {
        unrelated(value);
        return pidfd_open(value, 2) + 1; /* LINE:template */
    }
};
}

int plain(int pid)
{
    room::Box<int> box{pid};
    room::Box<long> other{pid};
    try {
        return pidfd_open(pid, 3) + box.open() + other.open(); /* LINE:plain */
    } catch (int) {
        return unrelated(-1);
    }
}

int caller(int pid) { return room::Process{pid}.open(); }
"""


def line(source: str, tag: str) -> int:
    return next(n for n, text in enumerate(source.splitlines(), 1) if f"LINE:{tag} " in text)


HELPER, FIRST, SECOND, TAIL, POINTER = (
    line(C_SOURCE, tag) for tag in ("helper", "first", "second", "tail", "pointer")
)
PIDFD_OPEN = (
    SourceLine("src/_x.c", HELPER, "helper"),
    SourceLine("src/_x.c", TAIL, "tail"),
    SourceLine("src/_x.c", POINTER, "pointer"),
    SourceLine("src/_x.h", line(HEADER, "header"), "by_header"),
)
FCNTL64 = (
    SourceLine("src/_x.c", FIRST, "two_on_two_lines"),
    SourceLine("src/_x.c", SECOND, "two_on_two_lines"),
)


def run(project: Path, *command: str) -> None:
    environment = {**os.environ, "ZIG_GLOBAL_CACHE_DIR": str(project / "cache")}
    environment.pop("PWD", None)
    subprocess.run(command, cwd=str(project), env=environment, check=True)


def compiled(project: Path, *flags: str, source: str = "src/_x.c", compiler: str = "gcc") -> Path:
    target = project / "build" / (Path(source).name + ".o")
    run(project, compiler, *flags, "-c", source, "-o", str(target.relative_to(project)))
    return target


def found(project: Path, *symbols: str) -> Dict[str, Tuple[SourceLine, ...]]:
    return uses([str(project / "build")], symbols or ("pidfd_open", "fcntl64"), root=str(project))


def clang() -> List[str]:
    # On other systems clang makes no ELF files.
    if needs.LINUX and shutil.which("clang"):
        return ["clang"]
    needs.module("ziglang")
    return ZIG
