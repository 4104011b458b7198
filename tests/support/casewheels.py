"""Test wheels for verdicts that other tools get wrong, and the check of their reports."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import (
    Any,
    Dict,
    Mapping,
    NamedTuple,
    Optional,
    Sequence,
    Tuple,
    Union,
)

from elfwriter import TARGETS, Elf, Symbol, write
from manyshim.audit.decision import choose
from manyshim.audit.request import Request
from manyshim.audit.tags import GLIBC
from manyshim.audit.verdict import Report
from manyshim.formats.wheel.wheel import Wheel
from manyshim.operations import inspect
from wheelwriter import save, wheel, wheel_name

EXT = "demo/_x.cpython-311-x86_64-linux-gnu.so"
EXT_MUSL = "demo/_x.cpython-311-x86_64-linux-musl.so"
PLAIN = "demo/_x.cpython-311.so"
LIB = "demo.libs/liby.so"
NEAR = "$ORIGIN/../demo.libs"
INIT = Symbol("PyInit__x", defined=True)
MALLOC = Symbol("malloc", "libc.so.6", "GLIBC_2.2.5")
PIDFD = Symbol("pidfd_open", "libc.so.6", "GLIBC_2.36")


def module(*symbols: Symbol, **fields: Any) -> Elf:
    """Describe an extension module for glibc that imports malloc and more."""
    needed = ("libc.so.6", *fields.pop("needed", ()))
    return Elf(needed=needed, symbols=(INIT, MALLOC, *symbols), **fields)


def on(arch: str, *needed: str, **fields: Any) -> Elf:
    """Describe an extension module without imports for an architecture."""
    return replace(TARGETS[arch], needed=("libc.so.6", *needed), symbols=(INIT,), **fields)


def musl(*names: str, needed: str = "libc.musl-x86_64.so.1", **fields: Any) -> Elf:
    return Elf(needed=(needed,), symbols=(INIT, *map(Symbol, names)), **fields)


NEW = write(module(PIDFD))
GOOD = write(module())
Members = Union[Mapping[str, bytes], Sequence[Tuple[str, bytes]]]


class Case(NamedTuple):
    """A wheel, the tag that is proved for it, and the kinds of findings with an item of each.

    The item is the path, the subject, the library or a symbol of one finding of the kind.
    """

    members: Members
    tag: Optional[str]
    found: Mapping[str, str] = {}
    name: str = "cp311-cp311-linux_x86_64"
    request: Request = Request(libc=GLIBC)
    wheel: Mapping[str, Any] = {}


def report_of(case: Case, folder: Path) -> Report:
    path = save(folder, wheel(case.members, tag=case.name, **case.wheel), wheel_name(tag=case.name))
    with Wheel(str(path)) as opened:
        return inspect(opened, case.request)


def judge(case: Case, folder: Path) -> None:
    """Audit the wheel of a case, and compare the report with the case."""
    report = report_of(case, folder)
    decision = choose(report, case.request)
    about: Dict[str, set[str]] = {}
    for one in report.findings:
        about.setdefault(one.kind, set()).update((one.path, one.subject, one.library, *one.symbols))
    assert about.keys() == set(case.found), report.findings
    assert {kind: what for kind, what in case.found.items() if what not in about[kind]} == {}
    assert (str(decision.tag) if decision.tag else None) == case.tag, decision.reason


OLDEST, NEWEST = "manylinux_2_5_x86_64", "manylinux_2_36_x86_64"
TOO_NEW = {"TOO_NEW": "GLIBC_2.36"}
MUSL_OLD, MUSL_NEW = "musllinux_1_1_x86_64", "musllinux_1_2_x86_64"
INFLATE = Symbol("inflate_table")
