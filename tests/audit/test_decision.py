"""How grave a finding is, what its neighbours say, and which tag is chosen in the end."""

from __future__ import annotations

from typing import Dict, List, NamedTuple, Optional, Set, Tuple

import pytest

from manyshim.audit import findings as f
from manyshim.audit.decision import choose
from manyshim.audit.facts import ElfIdent, RecordFacts, WheelFacts
from manyshim.audit.findings import Evidence
from manyshim.audit.gate import index
from manyshim.audit.identity import identify
from manyshim.audit.request import Allowance, Request
from manyshim.audit.tags import MUSL, parse_platform
from manyshim.audit.verdict import audit, questions
from rulefacts import ARM64, EXT, LIB, NEAR, PROGRAM, Y1, abi3, elf, libc, musl, need, wheel

STRICT, THOROUGH = Request(strict=True), Request(thorough=True)
LIBPYTHON = "libpython3.11.so.1.0"
RECORD = wheel(libc(), record=RecordFacts(unlisted=("a",)))


def static_tls(size: int) -> WheelFacts:
    return wheel(libc(static_tls=True, tls_size=size), libc(LIB, static_tls=True, tls_size=500))


class Grave(NamedTuple):
    """A case in which a kind has a certain severity, and is about a certain library."""

    kind: str
    severity: str
    facts: WheelFacts
    request: Request = Request()
    library: str = ""
    symbols: Tuple[str, ...] = ()


@pytest.mark.parametrize(
    "case",
    [
        Grave("NO_ELF", f.WARNING, wheel()),
        Grave("NO_ELF", f.ERROR, wheel(), STRICT),
        Grave("RECORD", f.WARNING, RECORD),
        Grave("RECORD", f.ERROR, RECORD, THOROUGH),
        Grave("LIBPYTHON", f.ERROR, wheel(elf(EXT, "libc.so.6", LIBPYTHON))),
        Grave("LIBPYTHON", f.WARNING, wheel(elf("tool", "libc.so.6", LIBPYTHON, **PROGRAM))),
        Grave("TEXTREL", f.WARNING, wheel(libc(textrel=True))),
        Grave("TEXTREL", f.ERROR, wheel(musl(textrel=True))),
        Grave("STATIC_TLS", f.INFO, static_tls(12)),
        Grave("STATIC_TLS", f.WARNING, static_tls(13)),
        Grave("ABI3", f.ERROR, abi3("cp310", "PyType_GetName")),
        Grave("ABI3", f.WARNING, abi3("cp310", "_PyType_Lookup")),
        Grave("ABI3", f.ERROR, abi3("cp310", "_PyType_Lookup"), STRICT),
        Grave("MUSL_PATCH_LEVEL", f.WARNING, wheel(musl(relr=True)), symbols=("DT_RELR",)),
        Grave("MUSL_PATCH_LEVEL", f.ERROR, wheel(musl(relr=True)), STRICT, symbols=("DT_RELR",)),
        Grave("MUSL_PATCH_LEVEL", f.WARNING, wheel(musl("statx")), STRICT, symbols=("statx",)),
        Grave("BY_NAME_ONLY", f.POLICY, wheel(elf(EXT, "liby.so"), elf(LIB)), library=LIB),
        Grave(
            "BY_NAME_ONLY",
            f.WARNING,
            wheel(elf(EXT, "liby.so"), elf(LIB), elf("pkg/_y.so", "liby.so", rpath=NEAR)),
            library=LIB,
        ),
        Grave(
            "TOO_NEW",
            f.POLICY,
            wheel(libc(EXT, need("GLIBC_2.34", symbols=("pthread_create",)))),
            library="libc.so.6",
            symbols=("pthread_create",),
        ),
        Grave(
            "TOO_NEW",
            f.POLICY,
            wheel(musl("gettid", "_Fork")),
            library="libc.so",
            symbols=("_Fork", "gettid"),
        ),
        Grave(
            "VERDEF_MISSING",
            f.ERROR,
            wheel(
                libc(EXT, need("Y_1", "liby.so", symbols=("y",)), rpath=NEAR),
                elf(LIB, versions_defined=("Y_0",)),
            ),
            library=LIB,
            symbols=("y",),
        ),
        Grave("UNDEFINED", f.WARNING, wheel(libc(undefined=("b", "a"))), symbols=("a", "b")),
    ],
    ids=lambda case: f"{case.kind}-{case.severity}",
)
def test_severity(case: Grave) -> None:
    found = [one for one in audit(case.facts, case.request).findings if one.kind == case.kind]
    assert {one.severity for one in found} == {case.severity}
    assert any(
        case.library in ("", one.library) and case.symbols in ((), one.symbols) for one in found
    )


def test_weak_references_are_said_to_be_weak() -> None:
    node = need("GLIBC_2.34", symbols=("pidfd_open",), only_weak=True)
    (found,) = audit(wheel(libc(EXT, node)), Request()).findings
    assert (found.kind, found.evidence) == ("TOO_NEW", Evidence.WEAK_REFERENCES)


@pytest.mark.parametrize(
    ("machine", "bits", "little", "flags", "arch"),
    [
        (62, 64, True, 0, "x86_64"),
        (62, 32, True, 0, ""),
        (3, 32, True, 0, "i686"),
        (183, 64, False, 0, ""),
        (40, 32, True, 0x05000400, "armv7l"),
        (40, 32, True, 0x05000000, "armv7l"),
        (40, 32, True, 0x05000200, ""),
        (40, 32, True, 0x04000400, ""),
        (21, 64, True, 0, "ppc64le"),
        (21, 64, True, 1, ""),
        (21, 64, True, 2, "ppc64le"),
        (21, 64, False, 0, "ppc64"),
        (21, 64, False, 1, "ppc64"),
        (21, 64, False, 2, ""),
        (22, 64, False, 0, "s390x"),
        (243, 64, True, 4, "riscv64"),
        (243, 64, True, 5, "riscv64"),
        (243, 64, True, 1, ""),
        (243, 64, True, 3, ""),
        (243, 64, True, 0xD, ""),
        (258, 64, True, 0x43, "loongarch64"),
        (258, 64, True, 0x41, ""),
    ],
)
def test_header_tells_the_architecture(
    machine: int,
    bits: int,
    little: bool,  # noqa: FBT001
    flags: int,
    arch: str,
) -> None:
    file = elf()._replace(ident=ElfIdent(bits, little, machine, 3, 0, 0, flags))
    identity = identify(file.ident)
    assert (identity.arch, bool(identity.problem)) == (arch, not arch)
    kinds = {one.kind for one in audit(wheel(file), Request(libc=MUSL)).findings}
    assert ("WRONG_ABI" in kinds) == (not arch)


def ask(platform: str) -> Request:
    tag = parse_platform(platform)
    assert tag is not None
    return Request(platform=tag)


def accept(kind: str, glob: str = "*") -> Request:
    return Request(allow=(Allowance(kind, glob),))


NODE_29, NODE_42 = wheel(libc(EXT, need("GLIBC_2.29"))), wheel(libc(EXT, need("GLIBC_2.42")))
CXX = wheel(libc(EXT, need("GLIBCXX_3.4.26", "libstdc++.so.6")))
CXX_NEW = wheel(libc(EXT, need("GLIBCXX_3.4.34", "libstdc++.so.6")))
ARM64_WHEEL = wheel(libc(arch=ARM64), platform="linux_aarch64")
ON_MUSL, ON_NO_LIBC = wheel(musl("gettid")), wheel(elf("_x.abi3.so"))
BY_NAME = wheel(elf(EXT, "libc.so.6", "liby.so"), elf(LIB))
MIXED = wheel(libc(), libc(LIB, arch=ARM64))


@pytest.mark.parametrize(
    ("facts", "request_", "tag"),
    [
        # Nothing asked: the oldest listed policy.
        (wheel(libc()), Request(), "manylinux_2_5_x86_64"),
        (NODE_29, Request(), "manylinux_2_31_x86_64"),
        (NODE_42, Request(), None),
        (ON_MUSL, Request(), "musllinux_1_2_x86_64"),
        (wheel(), Request(), None),
        # A listed policy.
        (NODE_29, ask("manylinux_2_31"), "manylinux_2_31_x86_64"),
        (NODE_29, ask("manylinux_2_34_x86_64"), "manylinux_2_34_x86_64"),
        (NODE_29, ask("manylinux_2_28"), None),
        (NODE_42, ask("manylinux_2_41"), None),
        (wheel(libc()), ask("manylinux2014"), "manylinux_2_17_x86_64"),
        (CXX, ask("manylinux_2_31"), "manylinux_2_31_x86_64"),
        # An unlisted one is proved where GLIBC nodes alone stand in the way, none newer than it.
        (NODE_29, ask("manylinux_2_30"), "manylinux_2_30_x86_64"),
        (NODE_29, ask("manylinux_2_29"), "manylinux_2_29_x86_64"),
        (NODE_42, ask("manylinux_2_42"), "manylinux_2_42_x86_64"),
        (NODE_42, ask("manylinux_2_50"), "manylinux_2_50_x86_64"),
        (CXX, ask("manylinux_2_30"), None),
        (CXX_NEW, ask("manylinux_2_50"), None),
        (wheel(libc(EXT, need("GLIBC_PRIVATE"))), ask("manylinux_2_42"), None),
        (wheel(libc(EXT, need("GLIBC_ABI_GNU2_TLS"))), ask("manylinux_2_50"), None),
        (wheel(libc(EXT, Y1)), ask("manylinux_2_50"), None),
        # Below the floor.
        (wheel(libc()), ask("manylinux_2_4"), None),
        (ARM64_WHEEL, ask("manylinux_2_12"), None),
        (ARM64_WHEEL, ask("manylinux_2_17"), "manylinux_2_17_aarch64"),
        (wheel(musl(arch="loongarch64"), platform="linux_loongarch64"), ask("musllinux_1_1"), None),
        # Another architecture, another family.
        (wheel(libc()), ask("manylinux_2_17_aarch64"), None),
        (wheel(libc()), ask("musllinux_1_2"), None),
        (ON_MUSL, ask("manylinux_2_28"), None),
        (ON_MUSL, ask("musllinux_1_1"), None),
        (ON_MUSL, ask("musllinux_1_2"), "musllinux_1_2_x86_64"),
        # A family that the files leave open.
        (ON_NO_LIBC, Request(), "manylinux_2_5_x86_64"),
        (ON_NO_LIBC, Request(libc=MUSL), "musllinux_1_1_x86_64"),
        (ON_NO_LIBC, ask("musllinux_1_2"), "musllinux_1_2_x86_64"),
        (ON_NO_LIBC, ask("manylinux_2_28"), "manylinux_2_28_x86_64"),
        # Errors, and what is accepted.
        (MIXED, Request(), None),
        (MIXED, accept("MIXED_ARCH", "pkg/liby*"), "manylinux_2_5_x86_64"),
        (MIXED, accept("MIXED_ARCH", "liby*"), None),
        (MIXED, accept("MIXED_LIBC"), None),
        (BY_NAME, Request(), None),
        (BY_NAME, accept("BY_NAME_ONLY", LIB), "manylinux_2_5_x86_64"),
        (NODE_29, accept("TOO_NEW"), "manylinux_2_31_x86_64"),
        (wheel(libc(EXT, Y1)), accept("EXTERNAL_LIBRARY"), None),
        (wheel(libc(EXT, Y1)), Request(exclude=("liby.so",)), "manylinux_2_5_x86_64"),
        # Machine code that the wheel carries to other systems.
        (wheel(libc(), platform="win_amd64"), Request(), None),
        (wheel(libc(), platform="macosx_11_0_arm64"), Request(), None),
        (wheel(libc(), platform="any"), Request(), None),
    ],
)
def test_chosen_tag(facts: WheelFacts, request_: Request, tag: Optional[str]) -> None:
    report = audit(facts, request_)
    decision = choose(report, request_)
    assert (str(decision.tag) if decision.tag else None) == tag
    assert bool(decision.reason) == (tag is None)
    assert decision.platforms == (decision.tag.spellings if decision.tag else ())


def test_accepted_error_is_a_warning_that_says_so() -> None:
    (found,) = audit(MIXED, accept("MIXED_ARCH")).findings
    assert (found.kind, found.severity, found.allowed) == ("MIXED_ARCH", f.WARNING, True)


def test_external_libraries_are_listed_once_and_sorted() -> None:
    files = (elf(EXT, "libc.so.6", "libz2.so", "liby2.so"), elf(LIB, "libc.so.6", "liby2.so"))
    assert audit(wheel(*files), Request()).external == ("liby2.so", "libz2.so")


def test_members_of_one_name_are_all_audited() -> None:
    facts = wheel(elf(EXT, "libone.so"), libc(EXT, need("GLIBC_2.34")))
    subjects = {one.subject for one in audit(facts, Request()).findings}
    assert subjects >= {EXT, "libone.so", "GLIBC_2.34"}


def test_findings_are_sorted_whatever_the_order_of_the_members() -> None:
    files = [libc(EXT, need("GLIBC_2.34")), libc(LIB, need("GLIBC_2.35")), elf("b.so", "z.so")]
    both = [audit(wheel(*some), Request()).findings for some in (files, files[::-1])]
    assert both[0] == both[1]
    assert len(both[0]) == 3


@pytest.mark.parametrize(
    ("facts", "asked"),
    [
        (
            wheel(libc(EXT, Y1, undefined=("sin", "PyList_New", "y"), rpath=NEAR), elf(LIB)),
            {LIB: {"sin", "y"}},
        ),
        # What a library leaves open its root may define, and is asked when the libraries have been.
        (
            wheel(libc(EXT, Y1, rpath=NEAR), elf(LIB, undefined=("y",)))._replace(
                exports={LIB: frozenset()}
            ),
            {EXT: {"y"}},
        ),
        (wheel(libc(EXT, Y1, undefined=("y",))), {}),
        (wheel(libc(undefined=("y",))), {}),
        (wheel(libc()), {}),
        (wheel(musl("memcpy", "statx", "y")), {}),
        (wheel(), {}),
    ],
)
def test_only_exports_that_matter_are_asked_for(
    facts: WheelFacts, asked: Dict[str, Set[str]]
) -> None:
    assert questions(facts, Request()) == asked


@pytest.mark.parametrize(
    ("platform", "size", "found"),
    [
        ("manylinux_2_17_x86_64.manylinux2014_x86_64", 0, []),
        ("any", index.SIZE_LIMIT, []),
        ("any", index.SIZE_LIMIT + (1 << 20), [("TOO_LARGE", "101.0 MiB")]),
    ],
)
def test_index_rules(platform: str, size: int, found: List[Tuple[str, str]]) -> None:
    facts = wheel(platform=platform, size=size)
    assert [(one.kind, one.subject) for one in index.index_rules(facts)] == found


@pytest.mark.parametrize(
    ("platform", "unproved"),
    [
        ("manylinux_2_31", []),
        ("manylinux_2_28", ["manylinux_2_28"]),
        ("musllinux_1_2", ["musllinux_1_2"]),
    ],
)
def test_tag_that_is_not_proved_is_a_finding(platform: str, unproved: List[str]) -> None:
    tag = parse_platform(platform)
    assert tag is not None
    found = index.false_tags(tag, audit(NODE_29, Request()), Request())
    assert [(one.kind, one.subject) for one in found] == [("FALSE_TAG", name) for name in unproved]
