"""An audit that shares no code with manyshim: auditwheel's data, and pyelftools.

It is a second opinion where auditwheel cannot judge. It knows the rules of the platform tags, and
none of the other findings.
"""

from __future__ import annotations

import json
import posixpath
import re
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import auditwheel.policy

from survey_elf import Elf, Need, read_elf
from survey_rows import platform_of

# What each libc.so of musl since 1.2.0 defines and 1.1.24 does not, on any architecture.
_SINCE_1_2 = {
    *("_Fork", "gettid", "reallocarray", "tcgetwinsize", "tcsetwinsize", "pthread_getname_np"),
    *("qsort_r", "preadv2", "pwritev2", "statx"),
}
_TIME64 = re.compile(r"__\w*time64\w*|__\w+64")
_LOADER = re.compile(r"ld-linux.*|ld64\.so\.[12]|ld-musl-.*")
_MUSL = re.compile(r"libc\.musl-.*|libc\.so|ld-musl-.*")
_TIME32 = ("i686", "armv7l")
# Folders that no relative path joins: where they lie depends on the installation.
_SCHEMES = {
    "platlib": "/python/lib/python/site/",
    "purelib": "/python/lib/python/site/",
    "scripts": "/scripts/bin/",
    "data": "/data/",
    "headers": "/headers/include/",
}


class Opinion(NamedTuple):
    """The tag that holds, and what rules out all tags."""

    tag: str
    reasons: tuple[str, ...]


class Policy(NamedTuple):
    """What a policy promises on one architecture."""

    name: str
    versions: Mapping[str, frozenset[str]]
    libraries: frozenset[str]
    forbidden: Mapping[str, frozenset[str]]


def judge(path: Path) -> Opinion:
    """Return the oldest tag that holds for a wheel."""
    named = platform_of(path.name)
    elfs = [elf for elf in _read(path) if elf.arch]
    audited = [elf for elf in elfs if elf.arch == named.arch]
    if not audited:
        return Opinion("", ("no ELF file of the name's architecture",))
    families = {family for elf in audited for family in [_family(elf)] if family}
    if len(families) > 1:
        return Opinion(f"linux_{named.arch}", ("two libc families",))
    family = (families or {named.libc or "glibc"}).pop()
    reasons: tuple[str, ...] = ()
    for policy in _policies(family, named.arch):
        reasons = tuple(sorted(set(_violations(audited, policy, family))))
        if not reasons:
            return Opinion(f"{policy.name}_{named.arch}", ())
    return Opinion(f"linux_{named.arch}", reasons)


def _read(path: Path) -> Iterator[Elf]:
    with zipfile.ZipFile(path) as archive:
        for member in archive.infolist():
            with archive.open(member) as file:
                data = file.read(4)
                if data != b"\x7fELF":
                    continue
                data += file.read()
            elf = read_elf(installed(member.filename), data)
            if elf:
                yield elf


def installed(name: str) -> str:
    """Return the path of a member after installation."""
    top, _, rest = name.partition("/")
    scheme, _, inside = rest.partition("/")
    if top.endswith(".data") and scheme in _SCHEMES:
        return _SCHEMES[scheme] + inside
    return _SCHEMES["platlib"] + name


def _family(elf: Elf) -> str:
    names = (*elf.needed, posixpath.basename(elf.interpreter))
    if any(_MUSL.fullmatch(name) for name in names):
        return "musl"
    glibc = any(need.version.startswith("GLIBC_") for need in elf.needs)
    return "glibc" if glibc or any(_is_glibc(name) for name in names) else ""


def _is_glibc(name: str) -> bool:
    return name == "libc.so.6" or name.startswith(("ld-linux", "ld64.so"))


def _policies(family: str, arch: str) -> list[Policy]:
    """Return the policies of auditwheel's data, the oldest first."""
    kind = "many" if family == "glibc" else "musl"
    file = Path(auditwheel.policy.__file__).with_name(f"{kind}linux-policy.json")
    entries: list[dict[str, Any]] = json.loads(file.read_text(encoding="utf-8"))
    entries = [one for one in entries if arch in one["symbol_versions"]]
    return [
        Policy(
            one["name"],
            {k: frozenset(v) for k, v in one["symbol_versions"][arch].items()},
            frozenset(one["lib_whitelist"]),
            {k: frozenset(v) for k, v in one["blacklist"].items()},
        )
        for one in sorted(entries, key=lambda one: _version(one["name"]))
    ]


def _version(name: str) -> tuple[int, ...]:
    return tuple(map(int, name.split("_")[1:]))


def _violations(elfs: Sequence[Elf], policy: Policy, family: str) -> Iterator[str]:
    inside = _found_inside(elfs, family)
    anywhere = {name for found in inside.values() for name in found}
    for elf in elfs:
        external = [name for name in elf.needed if name not in anywhere]
        for name in external:
            if not (name in policy.libraries or _LOADER.fullmatch(name) or _MUSL.fullmatch(name)):
                yield f"needs {name}"
            elif elf.imports & policy.forbidden.get(name, frozenset()):
                yield f"forbidden symbols of {name}"
        # musl has no symbol versions.
        for need in elf.needs if family == "glibc" else ():
            yield from _version_violation(need, policy, anywhere)
        if elf.relr and family == "glibc":
            yield from _version_violation(Need("libc.so.6", "GLIBC_ABI_DT_RELR"), policy, anywhere)
        if family == "musl" and policy.name == "musllinux_1_1" and _needs_1_2(elf):
            yield "a name or DT_RELR of musl 1.2"


def _version_violation(need: Need, policy: Policy, inside: set[str]) -> Iterator[str]:
    promised = need.library in policy.libraries or _LOADER.fullmatch(need.library)
    if need.library in inside or not promised:
        return
    prefix, _, rest = need.version.partition("_")
    if rest not in policy.versions.get(prefix, ()):
        yield f"needs {need.version}"


def _needs_1_2(elf: Elf) -> bool:
    names = elf.imports
    return (
        elf.relr
        or bool(names & _SINCE_1_2)
        or (elf.arch in _TIME32 and any(_TIME64.fullmatch(name) for name in names))
    )


def _found_inside(elfs: Sequence[Elf], family: str) -> dict[str, set[str]]:
    """Return, for each path, the needed names that its search paths find in the wheel.

    A search path of a file holds for what it loads, unless that has a DT_RUNPATH (glibc).
    """
    by_path = {elf.path: elf for elf in elfs}
    inherited: dict[str, set[str]] = {elf.path: set() for elf in elfs}
    found: dict[str, set[str]] = {elf.path: set() for elf in elfs}
    waiting = list(elfs)
    while waiting:
        elf = waiting.pop()
        stops = elf.has_runpath and family == "glibc"
        folders = {*elf.runpath, *(() if stops else inherited[elf.path])}
        given = inherited[elf.path] if stops else folders
        for name in elf.needed:
            for folder in folders:
                provider = by_path.get(posixpath.join(folder, name))
                if provider is None:
                    continue
                found[elf.path].add(name)
                if not given <= inherited[provider.path]:
                    inherited[provider.path] |= given
                    waiting.append(provider)
    return found
