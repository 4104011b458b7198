"""Whether the index takes the email addresses of METADATA.

The index asks the library email-validator, without looking up domains. The rules here are those of
version 2.4 for addresses in ASCII. Of other addresses they refuse less: IDNA has long tables. The
sources are RFC 5322, RFC 6531, RFC 1035, RFC 5891 and RFC 6761.
"""

from __future__ import annotations

import re
from typing import Iterator, Sequence
from unicodedata import category, decomposition, normalize

from manyshim.audit.findings import ERROR, Finding, Problem, Row, problem_finding
from manyshim.audit.gate.facts import MetadataFacts, spelled


class AddressProblem(Problem):
    """What is wrong with an email address."""

    INVALID_EMAIL = Row(
        "METADATA",
        ERROR,
        "has a {0} that is no email address for the package index: '{1}' ({2})",
        "state an address that everyone can write to, or leave it out",
    )


# The limits of the library, in bytes, as it is and with the domain in ASCII; and of a label.
_MAX_ADDRESS, _MAX_LABEL = 254, 63
# What an address may have before the @, beside letters of other scripts.
_ATOM = re.compile(r"[\w!#$%&'*+\-/=?^`{|}~]+", re.ASCII)
_LABEL = re.compile(r"[a-z0-9](?:[a-z0-9-]*[a-z0-9])?")
_PREFIX = "xn--"
# Domains that are for private use or for tests only (RFC 6761).
_SPECIAL = ("arpa", "invalid", "local", "localhost", "onion", "test")
# Of characters that are neither letters, digits nor marks, only these are valid in a domain. Each
# has further conditions (RFC 5892), which are not judged.
_VALID = frozenset("-\u00b7\u0375\u05f3\u05f4\u06fd\u06fe\u0f0b\u3007\u30fb")
_FULL_WIDTH_DOT = "\uff0e"
_DOTS = re.compile("[.\u3002]")


def addresses(facts: MetadataFacts) -> Iterator[Finding]:
    """Yield a finding for each address that the index refuses."""
    for field, address in facts.addresses:
        reason = refusal(address)
        if reason:
            details = (spelled(field), address, reason)
            what = AddressProblem.INVALID_EMAIL
            yield problem_finding(what, "METADATA", *details, subject=details[0])


def refusal(address: str) -> str:
    """Return why the index refuses an address; empty if it takes it, or if that is not known."""
    local, at, domain = address.partition("@")
    if not at:
        return "it has no @"
    too_long = f"it has more than {_MAX_ADDRESS} bytes"
    if len(address.encode("utf-8", "surrogateescape")) > _MAX_ADDRESS:
        return too_long
    labels = _DOTS.split(normalize("NFKC", normalize("NFKC", domain).lower()))
    reason = _of_local(local) or _of_local(normalize("NFC", local)) or _of_domain(domain, labels)
    if reason:
        return reason
    encoded = f"{local}@{'.'.join(map(_encoded, labels))}".encode("utf-8", "surrogateescape")
    return too_long if len(encoded) > _MAX_ADDRESS else ""


def _of_local(local: str) -> str:
    """Judge what is before the @."""
    for atom in local.split("."):
        if not atom:
            return "it has a dot too many, or nothing, before the @"
        if not _ATOM.fullmatch("".join(one for one in atom if one.isascii()) or "a"):
            return "it has a character before the @ that is not allowed there"
    return _unsafe(local)


def _unsafe(text: str) -> str:
    """Judge characters by their category: no spaces, and nothing that is not visible."""
    for at, one in enumerate(text):
        kind = category(one)
        # Python may be older than a character (Cn).
        if kind[0] in "ZC" and kind != "Cn":
            return "it has a space, or a character that is not visible"
        if kind[0] == "M" and not at:
            return "a part of it begins with a combining mark"
    return ""


def _of_domain(domain: str, labels: Sequence[str]) -> str:
    """Judge what is behind the @; the labels are its parts in lower case."""
    reason = _unsafe(domain)
    if reason:
        return reason
    if any("002E" in decomposition(one).split() for one in domain if one != _FULL_WIDTH_DOT):
        return "its domain has a character that stands for a dot"
    for label in labels:
        reason = _of_label(label)
        if reason:
            return reason
    if len(labels) == 1:
        return "its domain has no dot"
    if labels[-1] in _SPECIAL:
        return f"domains below .{labels[-1]} are not on the internet"
    return "" if _encoded(labels[-1])[-1].isalpha() else "its domain ends with a digit"


def _encoded(label: str) -> str:
    """Return the form of a label in ASCII (RFC 5890)."""
    return label if label.isascii() else _PREFIX + label.encode("punycode").decode("ascii")


def _of_label(label: str) -> str:
    """Judge a part of the domain, in lower case."""
    if label.isascii() and not _LABEL.fullmatch(label):
        return f"its domain has the part '{label}'"
    if len(_encoded(label)) > _MAX_LABEL:
        return f"a part of its domain has more than {_MAX_LABEL} characters"
    if label.startswith(_PREFIX):
        try:
            decoded = label[len(_PREFIX) :].encode("ascii").decode("punycode")
        except UnicodeError:
            decoded = ""
        # A form in ASCII is valid only if the other form gives it again (RFC 5891, 5.3).
        stable = decoded == normalize("NFKC", decoded).lower() and _encoded(decoded) == label
        if not decoded or not stable:
            return f"its domain has the part '{label}', which is no punycode"
        return _of_label_of_others(decoded)
    if label[2:4] == "--":
        return f"its domain has the part '{label}', with two dashes behind two characters"
    return "" if label.isascii() else _of_label_of_others(label)


def _of_label_of_others(label: str) -> str:
    """Judge a part of the domain that has letters of other scripts."""
    if label[0] == "-" or label[-1] == "-" or label[2:4] == "--":
        return f"its domain has the part '{label}', with a dash where none may be"
    for one in label:
        valid = category(one) in ("Nd", "Mn", "Mc", "Cn") or category(one)[0] == "L"
        if not valid and one not in _VALID:
            return f"its domain has the character '{one}'"
    return _unsafe(label)
