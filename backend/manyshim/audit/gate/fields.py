"""Whether the values of METADATA are what the index takes: its fields, description and licences.

Sources: warehouse's forklift/metadata.py and forklift/legacy.py; the core metadata specifications.
"""

from __future__ import annotations

import re
from typing import Iterable, Iterator, Set, Tuple

from manyshim.audit.findings import ERROR, INFO, WARNING, Finding, Problem, Row, problem_finding
from manyshim.audit.gate.facts import MetadataFacts, Rendering, spelled

_PROJECT = "correct the metadata of the project, and build again"


class FieldProblem(Problem):
    """What is wrong with a value of METADATA, the description and the files of licences."""

    LONG_SUMMARY = Row(
        "METADATA",
        ERROR,
        "has a Summary of {0} characters, more than the {1} that the index takes",
        "shorten the description of the project",
    )
    INVALID_URL = Row(
        "METADATA",
        ERROR,
        "has a {0} that is no http or https URL: '{1}'",
        "write the whole URL, with https://",
    )
    URL_LABEL = Row(
        "METADATA",
        ERROR,
        "has a Project-URL whose label has not 1 to {0} characters: '{1}'",
        "shorten the label",
    )
    SAME_LABEL = Row(
        "METADATA",
        ERROR,
        "has several Project-URLs with the label '{0}'; the package index and twine refuse them",
        "give each URL a label of its own",
    )
    URL_PAIR = Row(
        "METADATA",
        ERROR,
        "has a Project-URL that is not a label and a URL: '{0}'",
        "write it as LABEL, URL",
    )
    DIRECT_DEPENDENCY = Row(
        "METADATA",
        ERROR,
        "has a {0} with a URL, which the index refuses: '{1}'",
        "depend on a release of that project",
    )
    TWO_LICENSES = Row(
        "METADATA",
        ERROR,
        "has both License and License-Expression, and the index refuses that",
        "state only the License-Expression",
    )
    UNKNOWN_CLASSIFIER = Row(
        "METADATA",
        ERROR,
        "has a Classifier that does not exist: '{0}'",
        "correct it; if it is new, update trove-classifiers",
    )
    OLD_CLASSIFIER = Row(
        "METADATA",
        ERROR,
        "has a deprecated Classifier, which the index refuses: '{0}'",
        "remove it, or use its successor ({1})",
    )
    CONTENT_TYPE = Row(
        "DESCRIPTION",
        ERROR,
        "has a Description-Content-Type that is not valid ({0})",
        "use text/plain, text/x-rst or text/markdown",
    )
    NO_CONTENT_TYPE = Row(
        "DESCRIPTION",
        WARNING,
        "has the Description-Content-Type '{0}', which twine refuses",
        "use text/plain, text/x-rst or text/markdown, or leave the field out",
    )
    NOT_RENDERED = Row(
        "DESCRIPTION",
        ERROR,
        "has a description that does not render as reStructuredText ({0})",
        "correct it, or state its type as Description-Content-Type",
    )
    RENDERING_NOT_JUDGED = Row(
        "DESCRIPTION", INFO, "has a description whose rendering was not judged ({0})"
    )
    NO_LICENSE_FILE = Row(
        "LICENSE_FILE",
        ERROR,
        "lists the License-File '{0}', and there is no '{1}'",
        "build again with a backend that includes it",
    )


# The index's limits, in characters.
_MAX_SUMMARY = 512
_MAX_LABEL = 32
_MAX_FINDINGS = 1000

_URL = re.compile(r"https?:(?://([^/?#]*))?.*", re.DOTALL | re.IGNORECASE)
_PORT = re.compile(r":(\d{5})\Z", re.ASCII)
_MAX_PORT = 65535


def fields(facts: MetadataFacts) -> Iterator[Finding]:
    """Yield findings about values that the index refuses and packaging takes."""
    (summary,) = facts.fields.get("summary", ())[:1] or ("",)
    if len(summary) > _MAX_SUMMARY:
        yield _about(FieldProblem.LONG_SUMMARY, str(len(summary)), str(_MAX_SUMMARY))
    yield from _urls(facts)
    for field, value in facts.direct:
        yield _about(FieldProblem.DIRECT_DEPENDENCY, spelled(field), value)
    if _stated(facts, "license") and _stated(facts, "license-expression"):
        yield _about(FieldProblem.TWO_LICENSES)
    for name in facts.unknown_classifiers:
        yield _about(FieldProblem.UNKNOWN_CLASSIFIER, name)
    for name, better in facts.old_classifiers:
        yield _about(FieldProblem.OLD_CLASSIFIER, name, better or "none")
    yield from _description(facts)


def _urls(facts: MetadataFacts) -> Iterator[Finding]:
    for field in ("home-page", "download-url"):
        for url in _stated(facts, field)[:1]:
            if not is_url(url):
                yield _about(FieldProblem.INVALID_URL, spelled(field), url)
    labels: Set[str] = set()
    for value in _stated(facts, "project-url")[:_MAX_FINDINGS]:
        label, _, url = (part.strip() for part in value.partition(","))
        if label in labels:
            yield _about(FieldProblem.SAME_LABEL, label)
            continue
        labels.add(label)
        if not url:
            yield _about(FieldProblem.URL_PAIR, value)
        elif not 0 < len(label) <= _MAX_LABEL:
            yield _about(FieldProblem.URL_LABEL, str(_MAX_LABEL), label)
        elif not is_url(url):
            yield _about(FieldProblem.INVALID_URL, "Project-URL", f"{label}, {url}")


def _about(what: FieldProblem, *details: str) -> Finding:
    return problem_finding(what, "METADATA", *details, subject=details[0] if details else "")


def _stated(facts: MetadataFacts, field: str) -> Tuple[str, ...]:
    """Return the values of a field that clients send to the index."""
    return tuple(one for one in facts.fields.get(field, ()) if one not in ("", "UNKNOWN"))


def is_url(text: str) -> bool:
    """Whether the index takes a text as a URL. It verifies little beside the scheme."""
    found = _URL.fullmatch(text)
    port = _PORT.search(found[1] or "") if found else None
    return found is not None and (port is None or int(port[1]) <= _MAX_PORT)


def _description(facts: MetadataFacts) -> Iterator[Finding]:
    for one in facts.invalid:
        if one.field == "description-content-type":
            yield _about(FieldProblem.CONTENT_TYPE, one.reason)
    for value in facts.fields.get("description-content-type", ())[:1]:
        if value in ("", "UNKNOWN"):
            yield _about(FieldProblem.NO_CONTENT_TYPE, value)
    if facts.rendering == Rendering.FAILED:
        yield _about(FieldProblem.NOT_RENDERED, facts.renderer_message)
    elif facts.rendering not in (Rendering.RENDERED, Rendering.NOT_NEEDED):
        yield _about(FieldProblem.RENDERING_NOT_JUDGED, facts.rendering.value)


def license_files(facts: MetadataFacts, paths: Iterable[str], prefix: str) -> Iterator[Finding]:
    """Yield a finding for each License-File that is not among the members below a prefix.

    The prefix is `NAME-VERSION.dist-info/licenses` in wheels, and the top folder in sdists. Before
    Metadata-Version 2.4 the field was no standard, and clients do not send it.
    """
    version = "".join(facts.fields.get("metadata-version", ())[:1])
    if version in ("", "1.0", "1.1", "1.2", "2.0", "2.1", "2.2", "2.3"):
        return
    members = frozenset(paths)
    absent = (
        name
        for name in dict.fromkeys(_stated(facts, "license-file"))
        if f"{prefix}/{name}" not in members
    )
    for _, name in zip(range(_MAX_FINDINGS), absent):
        yield _about(FieldProblem.NO_LICENSE_FILE, name, f"{prefix}/{name}")
