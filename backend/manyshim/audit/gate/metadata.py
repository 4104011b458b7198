"""The gate on METADATA and PKG-INFO: all that the index refuses, and that breaks an installation.

Sources: the core metadata specifications, PEP 508, PEP 639, and the rules of the package index.
"""

from __future__ import annotations

import re
from typing import AbstractSet, Iterator, Optional

from manyshim.audit.findings import ERROR, Finding, Problem, Row, problem_finding
from manyshim.audit.gate.facts import MetadataFacts, NameFacts
from manyshim.audit.policy import index_metadata_versions

_KIND = "METADATA"
_REBUILD = "rebuild it; the package index compares both"
_CORRECT = "correct the field in the metadata of the project"
# The limit of the index, in characters.
_MAX_SUMMARY = 512


class MetadataProblem(Problem):
    """What is wrong with METADATA or PKG-INFO."""

    MISSING = Row(_KIND, ERROR, "is missing; no installer accepts the file without it", _REBUILD)
    UNDECODABLE = Row(_KIND, ERROR, "is not UTF-8; pip cannot read it", _CORRECT)
    INVALID = Row(_KIND, ERROR, "has an invalid {0}: '{1}'", _CORRECT)
    OTHER = Row(_KIND, ERROR, "has the {0} '{1}', but the file name has '{2}'", _REBUILD)
    NO_VERSION = Row(
        _KIND,
        ERROR,
        "has no Metadata-Version, which the package index requires",
        "rebuild with a current build backend",
    )
    UNKNOWN_VERSION = Row(
        _KIND,
        ERROR,
        "has Metadata-Version {0}; the package index accepts none but these: '{1}'",
        "build with a version of the build backend that writes one of these",
    )
    SUMMARY = Row(
        _KIND,
        ERROR,
        "has a Summary of {0} characters, more than the {1} that the package index accepts",
        "shorten the description in pyproject.toml",
    )
    URL = Row(
        _KIND,
        ERROR,
        "requires '{0}', an address; the package index refuses this",
        "require a release by its version",
    )
    REPEATED = Row(_KIND, ERROR, "has the field {0} more than once", _CORRECT)
    BOTH_LICENSES = Row(
        _KIND,
        ERROR,
        "has License and License-Expression; the package index accepts one of them",
        "remove the field license from pyproject.toml where license-expression is set",
    )
    LICENSE_FILE = Row(
        "LICENSE_FILE", ERROR, "names the license file {0}, which is not at '{1}'",
        "put the file there, or remove it from license-files",
    )  # fmt: skip


def metadata(facts: Optional[MetadataFacts], name: NameFacts, path: str) -> Iterator[Finding]:
    """Yield findings for the metadata of a file with this name; `path` is METADATA or PKG-INFO."""
    if facts is None:
        yield problem_finding(MetadataProblem.MISSING, path)
        return
    if not facts.decoded:
        yield problem_finding(MetadataProblem.UNDECODABLE, path)
    yield from _metadata_version(facts, path)
    for field, stated, wanted, text in (
        ("Name", facts.name, name.project, facts.stated[0]),
        ("Version", facts.version, name.version, facts.stated[1]),
    ):
        if not stated:
            yield problem_finding(MetadataProblem.INVALID, path, field, text)
        elif wanted and _release(stated) != _release(wanted):
            yield problem_finding(MetadataProblem.OTHER, path, field, text, wanted)
    yield from _fields(facts, path)


def _release(text: str) -> str:
    """Return a normalized name or version without zeros at the end of its release (PEP 440)."""
    return re.sub(r"(\.0)+(?![.\d])", "", text)


def _fields(facts: MetadataFacts, path: str) -> Iterator[Finding]:
    for field, text in facts.invalid:
        yield problem_finding(MetadataProblem.INVALID, path, field, text)
    for text in facts.urls:
        yield problem_finding(MetadataProblem.URL, path, text)
    for field in facts.repeated:
        yield problem_finding(MetadataProblem.REPEATED, path, field)
    if facts.summary > _MAX_SUMMARY:
        sizes = str(facts.summary), str(_MAX_SUMMARY)
        yield problem_finding(MetadataProblem.SUMMARY, path, *sizes)
    if facts.both_licenses:
        yield problem_finding(MetadataProblem.BOTH_LICENSES, path)


def _metadata_version(facts: MetadataFacts, path: str) -> Iterator[Finding]:
    known = index_metadata_versions()
    if not facts.metadata_version:
        yield problem_finding(MetadataProblem.NO_VERSION, path)
    elif facts.metadata_version not in known:
        listed = ", ".join(known)
        yield problem_finding(MetadataProblem.UNKNOWN_VERSION, path, facts.metadata_version, listed)


def license_files(
    facts: MetadataFacts, path: str, folder: str, members: AbstractSet[str]
) -> Iterator[Finding]:
    """Yield findings for license files that are not below `folder` (PEP 639)."""
    # Clients send the field to the index only if the version of the metadata defines it.
    version = facts.metadata_version.partition(".")
    if not (version[0].isdigit() and version[2].isdigit()):
        return
    if (int(version[0]), int(version[2])) < (2, 4):
        return
    for license_file in dict.fromkeys(facts.licenses):
        place = f"{folder}/{license_file}"
        if place not in members:
            yield problem_finding(MetadataProblem.LICENSE_FILE, path, license_file, place)
