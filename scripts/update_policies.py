"""Write manylinux.txt and musllinux.txt from the policies of the installed auditwheel.

To follow another release: pip install auditwheel==VERSION, then run this script.
The format is in docs/policies.md.
"""

from __future__ import annotations

import json
import pkgutil
from importlib import metadata
from typing import Any, Collection, Dict, Iterator, List, Mapping, NamedTuple, Sequence, Set, Tuple

from _data import Head, parser, write

# glibc's NEWS: libmvec was added for x86_64 in 2.22 and for aarch64 in 2.38. The first policy since
# 2.22 is 2.24. auditwheel allows libmvec on every architecture.
_LIBMVEC = (
    "# Allowed above for every architecture, but glibc builds it for these only.",
    "X libmvec.so.1 x86_64@2.24 aarch64@2.38",
)

# Names that musl 1.2.5 exports on some ports only, from lib/libc/musl/libc.S of zig 0.17.1.
_MUSL_PORTS = (
    "# Names that musl exports on these architectures only.",
    "A i686 ___tls_get_addr",
    (
        "A armv7l __aeabi_atexit __aeabi_memclr __aeabi_memclr4 __aeabi_memclr8 __aeabi_memcpy"
        " __aeabi_memcpy4 __aeabi_memcpy8 __aeabi_memmove __aeabi_memmove4 __aeabi_memmove8"
        " __aeabi_memset __aeabi_memset4 __aeabi_memset8 __aeabi_read_tp __gnu_Unwind_Find_exidx"
    ),
    "A x86_64,i686 arch_prctl",
    "A x86_64,i686,ppc64le ioperm iopl",
    "A s390x __tls_get_offset",
    "A riscv64 __longjmp __riscv_flush_icache riscv_flush_icache",
    "A x86_64,i686,armv7l,aarch64,ppc64le,riscv64,loongarch64 __tls_get_addr",
)

# The order of the lines. An architecture that auditwheel adds comes last.
_ARCHES = (
    *("x86_64", "i686", "aarch64", "armv7l", "ppc64le", "ppc64", "s390x"),
    *("riscv64", "loongarch64"),
)


class Policy(NamedTuple):
    """One policy of auditwheel, with libraries, versions and symbols in auditwheel's order."""

    version: str
    aliases: Sequence[str]
    versions: Mapping[str, Mapping[str, Sequence[str]]]
    libraries: Sequence[str]
    forbidden: Mapping[str, Sequence[str]]


class _File(NamedTuple):
    name: str
    what: str
    more: Tuple[str, ...]


_FILES = (
    _File("manylinux", "Policies of the manylinux tags", _LIBMVEC),
    _File(
        "musllinux",
        'Policies of the musllinux tags ("libc.so" is the musl of the architecture)',
        _MUSL_PORTS,
    ),
)


def read_policies(data: bytes) -> List[Policy]:
    """Return the policies of a JSON file, oldest first, without `linux`, which allows all."""
    rows: List[Dict[str, Any]] = [row for row in json.loads(data) if row["symbol_versions"]]
    policies = [
        Policy(
            ".".join(row["name"].split("_")[1:]),
            row["aliases"],
            row["symbol_versions"],
            row["lib_whitelist"],
            row["blacklist"],
        )
        for row in rows
    ]
    return sorted(policies, key=lambda policy: [int(part) for part in policy.version.split(".")])


def pack(policies: Sequence[Policy]) -> Iterator[str]:
    """Yield the records, which name for each item the first policy that allows it."""
    yield from _policy_records(policies)
    yield from _library_records(policies)
    yield from _version_records(policies)
    yield from _forbidden_records(policies)


def _policy_records(policies: Sequence[Policy]) -> Iterator[str]:
    before: List[str] = []
    for policy in policies:
        arches = list(policy.versions)
        more = [arch if policy is policies[0] else f"+{arch}" for arch in _without(arches, before)]
        less = [f"-{arch}" for arch in _without(before, arches)]
        aliases = [f"~{alias}" for alias in policy.aliases]
        yield " ".join(["P", policy.version, *aliases, *(more + less or ["="])])
        before = arches


def _library_records(policies: Sequence[Policy]) -> Iterator[str]:
    for version, sonames in _first_allowed([(one.version, one.libraries) for one in policies]):
        yield " ".join(["L", version, *sonames])


def _version_records(policies: Sequence[Policy]) -> Iterator[str]:
    arches = {arch for policy in policies for arch in policy.versions}
    for prefix in sorted({p for policy in policies for v in policy.versions.values() for p in v}):
        groups: Dict[str, List[str]] = {}
        for arch in [*_ARCHES, *sorted(arches - set(_ARCHES))]:
            nodes = _nodes([policy for policy in policies if arch in policy.versions], arch, prefix)
            if nodes:
                groups.setdefault(nodes, []).append(arch)
        for nodes, group in groups.items():
            yield f"V {prefix} {','.join(group)} {nodes}"


def _nodes(policies: Sequence[Policy], arch: str, prefix: str) -> str:
    """Return the versions of one prefix on one architecture, each after its first policy."""
    lists = [(one.version, one.versions[arch].get(prefix, ())) for one in policies]
    return " ".join(
        word
        for version, nodes in _first_allowed(lists)
        for word in (
            "@^" if version == policies[0].version else f"@{version}",
            *sorted(nodes, key=_node_order),
        )
    )


def _node_order(node: str) -> Tuple[bool, str, List[int]]:
    """Return a sort key: plain numbers first, and 3.4.7 before 3.4.10."""
    word, _, number = node.rpartition("_")
    parts = [int(part) for part in number.split(".") if part.isdigit()]
    return not node[0].isdigit(), word, parts


def _forbidden_records(policies: Sequence[Policy]) -> Iterator[str]:
    for library in sorted({library for policy in policies for library in policy.forbidden}):
        lists = [(policy.version, policy.forbidden.get(library, ())) for policy in policies]
        # In reverse order, a symbol that is no longer forbidden becomes a new one.
        for version, symbols in reversed(list(_first_allowed(lists[::-1]))):
            last = "*" if version == policies[-1].version else version
            yield " ".join(["B", library, last, *symbols])


def _first_allowed(lists: Sequence[Tuple[str, Sequence[str]]]) -> Iterator[Tuple[str, List[str]]]:
    """Yield for each version the names that are new in its list; no list may drop a name."""
    known: Set[str] = set()
    for version, names in lists:
        gone = known.difference(names)
        if gone:
            raise SystemExit(f"the format cannot say that {version} lacks {sorted(gone)}")
        if known.issuperset(names):
            continue
        yield version, _without(names, known)
        known.update(names)


def _without(names: Sequence[str], others: Collection[str]) -> List[str]:
    return [name for name in names if name not in others]


def main() -> None:
    """Write both files."""
    arguments = parser(__doc__).parse_args()
    source = f"auditwheel {metadata.version('auditwheel')} (MIT)"
    for file in _FILES:
        data = pkgutil.get_data("auditwheel", f"policy/{file.name}-policy.json")
        if data is None:
            raise SystemExit(f"auditwheel has no policy/{file.name}-policy.json")
        head = Head(file.what, source, arguments.date, "scripts/update_policies.py")
        lines = (*pack(read_policies(data)), *file.more)
        write(arguments.data / f"{file.name}.txt", head, lines)


if __name__ == "__main__":
    main()
