"""The policy data: compared with an installed auditwheel, and by themselves."""

from __future__ import annotations

import json
import pkgutil
import re
from typing import Any, Dict, FrozenSet, List, Mapping, Optional, Tuple

import pytest

import needs
from manyshim.audit.policy import Policies, musl_symbols, parse, policies_of
from manyshim.audit.systems import distributions
from manyshim.audit.tags import ARCHES, GLIBC, LEGACY_NAMES, MUSL

DATA = {GLIBC: "manylinux", MUSL: "musllinux"}
PAIRS = [(libc, arch) for libc in DATA for arch in ARCHES]
Sets = Dict[str, FrozenSet[str]]


def text_of(libc: str) -> str:
    data = pkgutil.get_data("manyshim.audit", f"data/{DATA[libc]}.txt")
    assert data is not None
    return data.decode()


def without_x(libc: str, arch: str) -> Policies:
    """Return the policies without X records, which auditwheel does not have."""
    lines = text_of(libc).splitlines()
    return parse("\n".join(line for line in lines if not line.startswith("X ")), libc, arch)


def auditwheel_policies(libc: str, arch: str) -> List[Dict[str, Any]]:
    """Return auditwheel's policies of one architecture, oldest first."""
    needs.module("auditwheel", since=(3, 10))
    data = pkgutil.get_data("auditwheel", f"policy/{DATA[libc]}-policy.json")
    assert data is not None
    listed = [
        policy
        for policy in json.loads(data)
        if policy["name"] != "linux" and arch in policy["symbol_versions"]
    ]
    return sorted(listed, key=lambda policy: [int(n) for n in policy["name"].split("_")[1:]])


def allowed(table: Mapping[str, int], index: int) -> FrozenSet[str]:
    return frozenset(name for name, first in table.items() if first <= index)


def some(sets: Mapping[str, Any]) -> Sets:
    """Return the sets without empty ones: namespaces or libraries without any name."""
    return {key: frozenset(names) for key, names in sets.items() if names}


@pytest.mark.parametrize(("libc", "arch"), PAIRS)
def test_policies_equal_those_of_auditwheel(libc: str, arch: str) -> None:
    original = auditwheel_policies(libc, arch)
    expanded = without_x(libc, arch)
    assert [tag.without_arch for tag in expanded.listed] == [policy["name"] for policy in original]
    for index, (tag, policy) in enumerate(zip(expanded.listed, original)):
        versions = {prefix: allowed(nodes, index) for prefix, nodes in expanded.versions.items()}
        forbidden = {
            library: frozenset(symbols) - allowed(symbols, index)
            for library, symbols in expanded.forbidden.items()
        }
        assert some(versions) == some(policy["symbol_versions"][arch]), tag
        assert versions.keys() >= policy["symbol_versions"][arch].keys(), tag
        assert allowed(expanded.libraries, index) == set(policy["lib_whitelist"]), tag
        assert some(forbidden) == some(policy["blacklist"]), tag
        assert [*tag.aliases] == [f"{alias}_{arch}" for alias in policy["aliases"]], tag


def test_the_comparison_has_policies_of_every_architecture() -> None:
    counts = {pair: len(auditwheel_policies(*pair)) for pair in PAIRS}
    assert sum(count for (libc, _), count in counts.items() if libc == GLIBC) == 104
    assert sum(count for (libc, _), count in counts.items() if libc == MUSL) == 15
    assert [pair for pair, count in counts.items() if not count] == [(MUSL, "ppc64")]


def test_legacy_names_are_those_of_the_data() -> None:
    found = re.findall(r"^P (\d+)\.(\d+) ~(\w+)", text_of(GLIBC), re.MULTILINE)
    assert {name: (int(a), int(b)) for a, b, name in found} == LEGACY_NAMES


@pytest.mark.parametrize("arch", ARCHES)
def test_x_record_allows_libmvec_only_where_glibc_builds_it(arch: str) -> None:
    expanded, original = policies_of(GLIBC, arch), without_x(GLIBC, arch)
    first = {"x86_64": (2, 24), "aarch64": (2, 38)}.get(arch)
    policy = expanded.first_policy_allowing_library("libmvec.so.1")
    assert policy == (expanded.first_policy_promising(first) if first else expanded.never)
    assert policy == expanded.never or expanded.listed[policy].version == first
    assert expanded._replace(libraries=original.libraries) == original
    others = {name for name in original.libraries if name != "libmvec.so.1"}
    assert {name: expanded.libraries[name] for name in others} == {
        name: original.libraries[name] for name in others
    }


NEVER, UNKNOWN = "never", "unknown"


@pytest.mark.parametrize(
    ("libc", "arch", "version", "first"),
    [
        (GLIBC, "x86_64", "GLIBC_2.2.5", "manylinux_2_5"),
        (GLIBC, "x86_64", "GLIBC_2.29", "manylinux_2_31"),
        (GLIBC, "x86_64", "GLIBC_2.18", "manylinux_2_24"),
        (GLIBC, "aarch64", "GLIBC_2.18", "manylinux_2_17"),
        (GLIBC, "x86_64", "GLIBC_ABI_DT_RELR", "manylinux_2_36"),
        (GLIBC, "riscv64", "GLIBC_ABI_DT_RELR", "manylinux_2_38"),
        (GLIBC, "x86_64", "GLIBC_2.42", NEVER),
        (GLIBC, "x86_64", "GLIBC_PRIVATE", NEVER),
        (GLIBC, "x86_64", "GLIBC_", NEVER),
        (GLIBC, "x86_64", "GLIBC", NEVER),
        (GLIBC, "ppc64", "GLIBC_2.18", NEVER),
        (GLIBC, "ppc64le", "CXXABI_LDBL_1.3", "manylinux_2_17"),
        (GLIBC, "x86_64", "CXXABI_LDBL_1.3", NEVER),
        (GLIBC, "x86_64", "GLIBCXX_3.4.29", "manylinux_2_34"),
        (GLIBC, "x86_64", "ZLIB_1.2.0", "manylinux_2_12"),
        (GLIBC, "x86_64", "FOO_1.0", UNKNOWN),
        (GLIBC, "x86_64", "LIBC", UNKNOWN),
        (MUSL, "x86_64", "GLIBC_2.2.5", UNKNOWN),
    ],
)
def test_first_policy_that_allows_a_version_node(
    libc: str, arch: str, version: str, first: str
) -> None:
    found = policies_of(libc, arch)
    policy = found.first_policy_allowing_version(version)
    if policy is None:
        assert first == UNKNOWN
    else:
        assert first == (NEVER if policy == found.never else found.listed[policy].without_arch)


@pytest.mark.parametrize(
    ("libc", "arch", "version", "first"),
    [
        (GLIBC, "x86_64", (2, 0), "manylinux_2_5"),
        (GLIBC, "x86_64", (2, 29), "manylinux_2_31"),
        (GLIBC, "riscv64", (2, 17), "manylinux_2_31"),
        (GLIBC, "loongarch64", (2, 5), "manylinux_2_36"),
        (GLIBC, "x86_64", (2, 42), NEVER),
        (MUSL, "loongarch64", (1, 1), "musllinux_1_2"),
        (MUSL, "ppc64", (1, 1), NEVER),
    ],
)
def test_first_policy_of_a_libc_version(
    libc: str, arch: str, version: Tuple[int, int], first: str
) -> None:
    found = policies_of(libc, arch)
    policy = found.first_policy_promising(version)
    assert first == (NEVER if policy == found.never else found.listed[policy].without_arch)


def test_comments_and_blank_lines_of_the_data_are_skipped() -> None:
    text = "# P 1.0 x86_64\n\nP 2.5 x86_64\nP 2.6 =\nL 2.6 a.so b.so\nV A x86_64 @^ 1 @2.6 2\n"
    found = parse(text, GLIBC, "x86_64")
    assert [tag.minor for tag in found.listed] == [5, 6]
    assert (found.libraries, found.versions) == ({"a.so": 1, "b.so": 1}, {"A": {"1": 0, "2": 1}})


SIXTY_FOUR = [arch.name for arch in ARCHES.values() if arch.bits == 64 and arch.first_musl]
THIRTY_TWO = [arch.name for arch in ARCHES.values() if arch.bits == 32]
RELEASES: List[Tuple[str, str, Optional[Tuple[int, int, int]]]] = [
    ("x86_64", "memcpy", (1, 1, 16)),
    ("x86_64", "explicit_bzero", (1, 1, 20)),
    ("x86_64", "secure_getenv", (1, 1, 24)),
    ("x86_64", "gettid", (1, 2, 2)),
    ("x86_64", "qsort_r", (1, 2, 3)),
    ("aarch64", "pthread_getname_np", (1, 2, 3)),
    ("x86_64", "statx", (1, 2, 5)),
    ("i686", "preadv2", (1, 2, 5)),
    ("riscv64", "memcpy", (1, 1, 23)),
    ("riscv64", "statx", (1, 2, 5)),
    ("loongarch64", "memcpy", (1, 2, 5)),
    ("loongarch64", "qsort_r", (1, 2, 5)),
    ("x86_64", "fopencookie", (1, 1, 19)),
    ("x86_64", "membarrier", (1, 1, 22)),
    ("x86_64", "renameat2", (1, 2, 6)),
    # Not exported by 1.2.0 to 1.2.3 on 32-bit architectures.
    *(("i686", name, (1, 2, 4)) for name in ("__xstat", "__fxstat", "__lxstat", "__fxstatat")),
    ("x86_64", "__xstat", (1, 1, 16)),
    # LFS64 names: no longer exported by 1.2.4, but still resolved by its loader.
    ("x86_64", "open64", (1, 1, 16)),
    ("x86_64", "posix_fallocate64", None),
    ("x86_64", "posix_fallocate", (1, 1, 16)),
    # Names of some architectures only.
    ("x86_64", "arch_prctl", (1, 1, 16)),
    ("aarch64", "arch_prctl", None),
    ("s390x", "__tls_get_addr", None),
    ("s390x", "__tls_get_offset", (1, 1, 16)),
    ("armv7l", "__aeabi_memcpy", (1, 1, 16)),
    ("x86_64", "__aeabi_memcpy", None),
    # Names of glibc only, and unknown names.
    ("x86_64", "__cxa_thread_atexit_impl", None),
    ("x86_64", "__memcpy_chk", None),
    ("x86_64", "", None),
    *((arch, "__clock_gettime64", None) for arch in SIXTY_FOUR),
    *((arch, "__clock_gettime64", (1, 2, 0)) for arch in THIRTY_TWO),
    *((arch, "__stat_time64", (1, 2, 0)) for arch in THIRTY_TWO),
]


@pytest.mark.parametrize(("arch", "name", "release"), RELEASES)
def test_musl_release_of_a_name(
    arch: str, name: str, release: Optional[Tuple[int, int, int]]
) -> None:
    assert musl_symbols(arch).get(name) == release


def test_musl_1_2_0_adds_only_time64_names() -> None:
    names = {name for name, since in musl_symbols("armv7l").items() if since == (1, 2, 0)}
    assert len(names) == 63
    assert {name for name in names if "64" in name} == names
    assert not names & musl_symbols("aarch64").keys()


def test_distributions_are_those_with_glibc() -> None:
    rows = distributions()
    names = [row.name for row in rows]
    assert names == sorted(names, key=str.lower)
    assert not [name for name in names if name.startswith(("Alpine", "#"))]
    assert all(row.arches and row.arches <= set(ARCHES) for row in rows)
    assert all((2, 5) <= row.glibc < (3, 0) for row in rows)


@pytest.mark.parametrize(
    ("name", "arch", "glibc"),
    [
        ("Debian 12", "armv7l", (2, 36)),
        ("Debian 13", "loongarch64", (2, 41)),
        ("Debian 13", "riscv64", (2, 41)),
        ("RHEL 7", "s390x", (2, 17)),
        ("Ubuntu 18.04", "i686", (2, 27)),
    ],
)
def test_distribution_has_its_glibc(name: str, arch: str, glibc: Tuple[int, int]) -> None:
    found = [row.glibc for row in distributions() if row.name == name and arch in row.arches]
    assert found == [glibc]
