"""A tag that is not proved carries its causes: the file, the symbols and the library."""

from __future__ import annotations

from typing import List, Tuple

import pytest

from manyshim.audit import findings as f
from manyshim.audit.decision import choose
from manyshim.audit.facts import WheelFacts
from manyshim.audit.findings import Finding
from manyshim.audit.gate import index
from manyshim.audit.messages import sentence
from manyshim.audit.request import Allowance, Request
from manyshim.audit.tags import parse_platform, parse_wheel_name
from manyshim.audit.verdict import Report, audit, resolved
from manyshim.formatters.text import check_lines
from rulefacts import elf, libc, musl, need, wheel

THOROUGH = Request(thorough=True)
A, B = "pkg/_a.cpython-311.so", "pkg/_b.cpython-311.so"
OLD = "manylinux_2_17_x86_64"
NEWER = need("GLIBC_2.28", symbols=("fcntl64",))
NEWEST = need("GLIBC_2.34", "libm.so.6", symbols=("exp2", "pow2"))


def judged(facts: WheelFacts, request: Request = THOROUGH) -> Tuple[Report, List[Finding]]:
    """Return the audit of a wheel, and the findings about the tags of its name."""
    report = audit(facts, request)
    tags = index.tags_to_prove(facts.name, request)
    found = [one for tag in tags for one in index.false_tags(tag, report, request)]
    return report, list(index.by_cause(found))


def lines(report: Report, found: List[Finding]) -> List[str]:
    whole = report._replace(findings=resolved((*report.findings, *found), THOROUGH))
    return [line.text for line in check_lines(whole)]


def test_the_strongest_cause_fills_the_finding() -> None:
    facts = wheel(libc(A, NEWER), libc(B, NEWEST), platform=OLD)
    _, (found,) = judged(facts)
    assert (found.kind, found.severity, found.subject) == ("FALSE_TAG", f.ERROR, OLD)
    assert (found.path, found.library) == (B, "libm.so.6")
    assert found.symbols == ("exp2", "pow2")
    assert [one.subject for one in found.causes] == ["GLIBC_2.34", "GLIBC_2.28"]
    assert sentence(found).message == (
        f"the tag {OLD} is not proved: the wheel does not meet {OLD}; the oldest policy that it "
        f"meets is manylinux_2_34_x86_64; {B} needs exp2, pow2 (GLIBC_2.34) from libm.so.6; "
        "manylinux_2_17 allows at most GLIBC_2.17 (and 1 more)"
    )


def test_the_lines_say_the_tag_and_then_each_cause() -> None:
    report, found = judged(wheel(libc(A, NEWER), libc(B, NEWEST), platform=OLD))
    begin, *rest = [one for one in lines(report, found) if "not compliant" not in one]
    assert begin == (
        f"  error: the tag {OLD} is not proved: the wheel does not meet {OLD}; the oldest policy "
        "that it meets is manylinux_2_34_x86_64 [FALSE_TAG]"
    )
    limit = "manylinux_2_17 allows at most GLIBC_2.17 [TOO_NEW]"
    assert rest[:2] == [
        f"    {B} needs exp2, pow2 (GLIBC_2.34) from libm.so.6; {limit}",
        f"    {A} needs fcntl64@GLIBC_2.28 from libc.so.6; {limit}",
    ]
    assert rest[2].startswith("    run `manyshim retag`")


def test_a_tag_has_at_most_five_lines_of_causes() -> None:
    needs = [need(f"GLIBC_2.{minor}", symbols=(f"f{minor}",)) for minor in range(26, 35)]
    report, found = judged(wheel(libc(A, *needs), platform=OLD))
    printed = lines(report, found)
    assert [one for one in printed if "[TOO_NEW]" in one] == [
        f"    {A} needs f{minor}@GLIBC_2.{minor} from libc.so.6; manylinux_2_17 allows at most "
        "GLIBC_2.17 [TOO_NEW]"
        for minor in range(34, 29, -1)
    ]
    assert "    and 4 more; `manyshim show` lists all" in printed


CAUSES = {
    "a library": (wheel(elf(A, "libfoo.so"), platform=OLD), "libfoo.so", "needs libfoo.so, which"),
    "musl": (
        wheel(musl("reallocarray", path=A), platform="musllinux_1_1_x86_64"),
        "libc.so",
        "needs reallocarray, available since musl 1.2.2; musllinux_1_1 promises only musl 1.1",
    ),
    "libstdc++": (
        wheel(libc(A, need("GLIBCXX_3.4.26", "libstdc++.so.6", symbols=("_Zx",))), platform=OLD),
        "libstdc++.so.6",
        "needs _Zx@GLIBCXX_3.4.26 from libstdc++.so.6; manylinux_2_17 does not have",
    ),
}


@pytest.mark.parametrize("case", CAUSES)
def test_causes_of_each_kind_have_their_own_sentence(case: str) -> None:
    facts, library, words = CAUSES[case]
    _, (found,) = judged(facts)
    assert (found.path, found.library) == (A, library)
    assert f"; {A} {words}" in sentence(found).message


def test_a_tag_that_no_policy_helps_has_the_fix_of_its_cause() -> None:
    report, found = judged(wheel(elf(A, "libfoo.so"), platform=OLD))
    assert "exclude = " in sentence(found[0]).fix
    assert [one for one in lines(report, found) if "exclude" in one] != []
    _, (beyond,) = judged(wheel(libc(A, need("GLIBC_2.99")), platform=OLD))
    assert "accept the newer tag" not in sentence(beyond).fix


def test_several_tags_have_the_causes_of_the_newest() -> None:
    tags = "manylinux_2_5_x86_64.manylinux_2_17_x86_64"
    _, (found,) = judged(wheel(libc(A, NEWER, need("GLIBC_2.14")), platform=tags))
    assert found.subject == "manylinux_2_5_x86_64, manylinux_2_17_x86_64"
    assert [one.subject for one in found.causes] == ["GLIBC_2.28"]
    assert "manylinux_2_17 allows at most" in sentence(found).message


def test_an_unlisted_tag_has_only_the_causes_beyond_it() -> None:
    facts = wheel(libc(A, need("GLIBC_2.18"), need("GLIBC_2.25")), platform="manylinux_2_20_x86_64")
    _, (found,) = judged(facts)
    assert [one.subject for one in found.causes] == ["GLIBC_2.25"]


@pytest.mark.parametrize(
    ("globs", "accepted"),
    [
        ([], False),
        (["*"], True),
        ([A], False),
        ([B], False),
        ([A, B], True),
    ],
)
def test_a_tag_is_accepted_if_every_file_that_rules_it_out_is(
    globs: List[str],
    accepted: bool,  # noqa: FBT001 (a parameter of the table)
) -> None:
    request = THOROUGH._replace(allow=tuple(Allowance("FALSE_TAG", one) for one in globs))
    _, found = judged(wheel(libc(A, NEWER), libc(B, NEWEST), platform=OLD), request)
    (one,) = resolved(found, request)
    assert one.allowed is accepted


@pytest.mark.parametrize("platform", [OLD, "manylinux_2_20_x86_64", "musllinux_1_2_x86_64"])
def test_a_false_tag_has_causes_exactly_if_a_policy_is_ruled_out(platform: str) -> None:
    facts = wheel(libc(A, NEWER), platform=platform)
    report, (found,) = judged(facts)
    tag = parse_platform(platform)
    assert tag is not None
    reason = choose(report, THOROUGH._replace(platform=tag)).reason
    assert bool(found.causes) is (reason == f.Evidence.NOT_PROVED)


def test_a_proved_tag_is_no_finding() -> None:
    assert judged(wheel(libc(A, NEWER), platform="manylinux_2_28_x86_64"))[1] == []


def test_hostile_versions_are_sorted_in_bounds() -> None:
    facts = wheel(libc(A, need("GLIBC_" + "9" * 60000)), platform=OLD)
    _, (found,) = judged(facts)
    assert len(sentence(found).message) < 1000


@pytest.mark.parametrize(
    ("platform", "asked", "expected"),
    [
        ("any", "manylinux_2_17", []),
        ("win_amd64", "manylinux_2_17_x86_64", []),
        ("macosx_11_0_arm64", "musllinux_1_2", []),
        ("linux_x86_64", "manylinux_2_17", ["manylinux_2_17_x86_64"]),
        ("manylinux2014_x86_64", "manylinux_2_17", ["manylinux_2_17_x86_64"]),
        (OLD, "manylinux_2_28", [OLD, "manylinux_2_28_x86_64"]),
        (OLD, "musllinux_1_2", [OLD, "musllinux_1_2_x86_64"]),
    ],
)
def test_a_requested_platform_is_for_wheels_for_linux(
    platform: str, asked: str, expected: List[str]
) -> None:
    name = parse_wheel_name(f"demo-1.0-py3-none-{platform}.whl")
    assert name is not None
    request = THOROUGH._replace(platform=parse_platform(asked))
    assert list(map(str, index.tags_to_prove(name, request))) == expected


@pytest.mark.parametrize(
    ("asked", "expected", "fix"),
    [
        (
            "manylinux_2_17",
            (
                "meets manylinux_2_28_x86_64 or later only, and --platform requires "
                f"manylinux_2_17_x86_64; {A} needs fcntl64@GLIBC_2.28 from libc.so.6; "
                "manylinux_2_17 allows at most GLIBC_2.17"
            ),
            "or require manylinux_2_28_x86_64",
        ),
        (
            "manylinux_2_17_aarch64",
            "is for x86_64, and --platform requires manylinux_2_17_aarch64",
            "require a policy for x86_64",
        ),
        (
            "musllinux_1_2",
            "is for glibc, and --platform requires musllinux_1_2_x86_64",
            "require a policy for glibc",
        ),
    ],
)
def test_a_required_platform_is_no_tag_of_the_name(asked: str, expected: str, fix: str) -> None:
    facts = wheel(libc(A, NEWER), platform="manylinux_2_28_x86_64")
    _, found = judged(facts, THOROUGH._replace(platform=parse_platform(asked)))
    (one,) = found
    assert (one.kind, one.severity) == ("FALSE_TAG", f.ERROR)
    assert sentence(one).message == expected
    assert fix in str(sentence(one).fix)
