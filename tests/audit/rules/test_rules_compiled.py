"""What our toolchain has compiled is held against what it was told to compile."""

from __future__ import annotations

from typing import NamedTuple, Tuple

import pytest

from manyshim.audit import findings as f
from manyshim.audit.decision import choose
from manyshim.audit.facts import WheelFacts
from manyshim.audit.reasons import describe
from manyshim.audit.request import Compiled, Request
from manyshim.audit.tags import parse_platform
from manyshim.audit.verdict import audit
from rulefacts import ARM64, LIB, NEAR, elf, libc, musl, wheel

GNU, MUSL = "x86_64-linux-gnu", "x86_64-linux-musl"
MODULE = f"pkg/_x.cpython-311-{GNU}.so"
MUSL_MODULE = f"pkg/_x.cpython-311-{MUSL}.so"
PURE = wheel(paths=("pkg/_x.py", "pkg/_x/data.so.txt"))


def requested(
    multiarch: str = GNU, *modules: str, strict: bool = False, tag: str = "", called: bool = False
) -> Request:
    # Of glibc's names one that musl has, too, and one of its own.
    names = frozenset(("preadv2", "arc4random"))
    compiled = Compiled(multiarch, modules, called, names)
    return Request(parse_platform(tag) if tag else None, compiled=compiled, strict=strict)


class Case(NamedTuple):
    """Facts and a request, and the findings of warning and more: kind, severity, subject."""

    facts: WheelFacts
    request: Request
    found: Tuple[Tuple[str, str, str], ...] = ()


SANITIZED = libc(MODULE, undefined=("__ubsan_handle_add_overflow", "other"))
CASES = {
    "as told": Case(wheel(libc(MODULE)), requested(GNU, MODULE)),
    "no suffix": Case(wheel(libc("pkg/_x.so")), requested(GNU, MODULE)),
    "stable ABI": Case(wheel(libc("pkg/_x.abi3.so")), requested(GNU, "pkg/_x.abi3.so")),
    "in platlib": Case(wheel(libc(f"demo-1.0.data/platlib/{MODULE}")), requested(GNU, MODULE)),
    "suffix of an older musl Python": Case(
        wheel(musl(path="pkg/_x.cpython-310-x86_64-linux-gnu.so"))._replace(
            name=wheel().name._replace(pythons=("cp310",), abis=("cp310",)),
            tags=("cp310-cp310-linux_x86_64",),
        ),
        requested(GNU),
    ),
    "suffix of another libc": Case(
        wheel(musl(path=MODULE)), requested(MUSL), (("SUFFIX", f.ERROR, "cpython-311"),)
    ),
    "suffix that older Pythons do not know": Case(
        wheel(musl(path="pkg/_x.cpython-310-x86_64-linux-musl.so"))._replace(
            name=wheel().name._replace(pythons=("cp310",), abis=("cp310",)),
            tags=("cp310-cp310-linux_x86_64",),
        ),
        requested(GNU),
        (("SUFFIX", f.ERROR, "cpython-310"),),
    ),
    "suffix of another machine": Case(
        wheel(libc(MODULE, arch=ARM64), platform="linux_aarch64"),
        requested("aarch64-linux-gnu"),
        (("SUFFIX", f.ERROR, "cpython-311"),),
    ),
    "a module that is none": Case(
        wheel(libc(MODULE), paths=(MODULE, "pkg/_y.so")),
        requested(GNU, MODULE, "pkg/_y.so"),
        (("NO_MODULE", f.WARNING, "pkg/_y.so"),),
    ),
    "no module": Case(
        wheel(libc(MODULE)),
        requested(GNU, MODULE, "pkg/_y.so"),
        (("NO_MODULE", f.WARNING, "pkg/_y.so"),),
    ),
    "no module, strict": Case(
        wheel(libc(MODULE)),
        requested(GNU, "pkg/_y.so", strict=True),
        (("NO_MODULE", f.ERROR, "pkg/_y.so"),),
    ),
    "nothing compiled": Case(
        PURE,
        requested(GNU, MODULE),
        (("NO_ELF", f.ERROR, str(PURE.name)), ("NO_MODULE", f.WARNING, MODULE)),
    ),
    "nothing compiled, and no platform": Case(
        wheel(paths=("pkg/_x.py",), platform="any"),
        requested(GNU, called=True),
        (("NO_ELF", f.ERROR, "demo-1.0-cp311-cp311-any.whl"),),
    ),
    "nothing to compile": Case(wheel(paths=("pkg/_x.py",), platform="any"), requested(GNU)),
    "sanitizer": Case(
        wheel(SANITIZED),
        requested(),
        (
            ("UNDEFINED", f.ERROR, "__ubsan_handle_add_overflow"),
            ("UNDEFINED", f.ERROR, "other"),
        ),
    ),
    "OpenMP": Case(
        # The system's library could define it, for all that the audit knows.
        wheel(elf(MODULE, "libc.so.6", "libX11.so.6", undefined=("__kmpc_fork_call",))),
        requested(),
        (("UNDEFINED", f.ERROR, "__kmpc_fork_call"),),
    ),
    "a name that the target's libc does not have": Case(
        wheel(libc(MODULE, undefined=("preadv2", "PyList_New", "_Py_NoneStruct"))),
        requested(),
        (("UNDEFINED", f.ERROR, "preadv2"),),
    ),
    "a fortified name that the target's libc does not have": Case(
        wheel(libc(MODULE, undefined=("__explicit_bzero_chk",))),
        requested(),
        (("UNDEFINED", f.ERROR, "__explicit_bzero_chk"),),
    ),
    "a name of libc's beside a library that could define others": Case(
        wheel(elf(MODULE, "libc.so.6", "libX11.so.6", undefined=("XOpen", "arc4random"))),
        requested(),
        (("UNDEFINED", f.ERROR, "arc4random"),),
    ),
    "a name that the wheel defines": Case(
        wheel(
            libc(MODULE, undefined=("preadv2",), rpath=NEAR)._replace(needed=("liby.so",)),
            libc(LIB),
        )._replace(exports={LIB: frozenset(("preadv2",))}),
        requested(),
    ),
    "search path": Case(
        wheel(libc(MODULE, runpath=("/opt/python/lib",))),
        requested(),
        (("RPATH_LEAK", f.ERROR, "/opt/python/lib"),),
    ),
    "search path inside": Case(wheel(libc(MODULE, rpath=NEAR)), requested()),
    "newer musl": Case(
        wheel(musl("preadv2", path=MUSL_MODULE)),
        requested(MUSL),
        (("MUSL_PATCH_LEVEL", f.WARNING, "musl 1.2.5"),),
    ),
    "newer musl, strict": Case(
        wheel(musl("preadv2", path=MUSL_MODULE)),
        requested(MUSL, strict=True),
        (("MUSL_PATCH_LEVEL", f.ERROR, "musl 1.2.5"),),
    ),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_what_was_told_is_proved(case: Case) -> None:
    found = {
        (one.kind, one.severity, one.subject)
        for one in audit(case.facts, case.request).findings
        if one.severity in (f.ERROR, f.WARNING)
    }
    assert found == set(case.found)


@pytest.mark.parametrize(
    ("facts", "tag", "reason"),
    [
        (wheel(libc(MODULE)), "manylinux_2_17_aarch64", "the files are for x86_64"),
        (wheel(libc(MODULE)), "musllinux_1_2_x86_64", "the files are for glibc"),
        (PURE, "manylinux_2_17_x86_64", "errors block every tag: NO_ELF"),
    ],
)
def test_another_target_has_no_tag(facts: WheelFacts, tag: str, reason: str) -> None:
    request = requested(tag=tag)
    decision = choose(audit(facts, request), request)
    assert decision.tag is None
    assert reason in describe(decision.reason, decision.details)


def test_a_module_that_asks_for_no_libc_takes_the_tag_asked_for() -> None:
    request = requested(tag="manylinux_2_17_x86_64")
    decision = choose(audit(wheel(elf(MODULE)), request), request)
    assert str(decision.tag) == "manylinux_2_17_x86_64"
