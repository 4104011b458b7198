"""Email addresses: what the index refuses, as email-validator does, and nothing else."""

from __future__ import annotations

import random

import pytest

import needs
from manyshim.audit.findings import ERROR
from manyshim.audit.gate.addresses import AddressProblem, addresses, refusal
from manyshim.audit.gate.facts import MetadataFacts

_LONG = "b" * 63
TAKEN = (
    *(
        "a@b.org",
        "a.b+c@d-e.co.uk",
        "a@example.com",
        "1+a@users.noreply.github.com",
        "`{}!#$@b.org",
    ),
    *("a@B.ORG", "a@test.com", "a@mytest.org", "a@1.2.3.c", "a@x-y-z.org", "a@x--y.org"),
    *(f"a@{_LONG}.org", f"{'a' * 65}@b.org", f"{'a' * 248}@b.org"),
    *("\u00e9@b.org", "a@\u00e9.org", "a@\u00df.org", "\uff41@b.org", "a@\uff41.org"),
    *("a@xn--p1ai.com", "a@XN--P1AI.com", "a@b.xn--p1ai", "a@xn--bcher-kva.de"),
    # Dots of other scripts, and marks that are no letters.
    *("a@b\uff0eorg", "a@b\u3002org", "a@b\uff61org", "a@\u0939\u093f\u0928\u094d\u0926\u0940.org"),
    *("a@\u2168.org", "a@l\u00b7l.org"),
)
REFUSED = {
    "no @": ("", "a", "a(at)b.org"),
    "nothing, before": ("@b.org", ".a@b.org", "a.@b.org", "a..b@c.org"),
    "character before": (
        "a b@c.org",
        'a"@b.org',
        "a;b@c.org",
        "a<b@c.org",
        "a\t@b.org",
        "\u037e@b.org",
    ),
    "not visible": ("a\u200b@b.org", "a@\u00adb.org", "a\u00a0@b.org", "\ue000@b.org"),
    "combining mark": ("\u0308a@b.org", "a@b.\u0308a"),
    "254 bytes": (f"{'a' * 249}@b.org", f"{'a' * 150}@{'.'.join([chr(233) * 30] * 2)}.org"),
    "no dot": ("a@b", "a@localhost", "a@test"),
    "has the part ''": ("a@", "a@b..org", "a@.b.org", "a@b.org."),
    "has the part": (
        "a@-b.org",
        "a@b-.org",
        "a@xn--.com",
        "a@xn--a-.com",
        "a@[1.2.3.4]",
        "a@b_c.org",
        "a@b@c.org",
    ),
    "two dashes": ("a@ab--c.com", "a@x.ab--c.com"),
    "no punycode": ("a@xn--0.com", "a@xn---bnc.com"),
    "more than 63": (f"a@{_LONG}b.org", f"a@{chr(233) * 60}.org"),
    "ends with a digit": ("a@1.2.3.4", "a@b.c1"),
    "not on the internet": (
        *("a@b.test", "a@b.invalid", "a@b.local", "a@b.localhost", "a@b.onion"),
        *("a@1.in-addr.arpa", "a@b.TEST"),
    ),
    "stands for a dot": ("a@b\u2024org.com",),
    "has the character": ("a@\U0001f600.com", "a@xn--e28h.com", "a@xn--a.com"),
}


@pytest.mark.parametrize("address", TAKEN)
def test_addresses_that_the_index_takes(address: str) -> None:
    assert refusal(address) == ""


@pytest.mark.parametrize("reason", REFUSED)
def test_addresses_that_the_index_refuses(reason: str) -> None:
    for address in REFUSED[reason]:
        assert reason in refusal(address), address


def test_a_finding_names_the_field_and_the_reason() -> None:
    stated = (("author-email", "a@b.org"), ("maintainer-email", "a@b.local"))
    facts = MetadataFacts("demo", "1.0", ("demo", "1.0"), addresses=stated)
    (found,) = addresses(facts)
    reason = "domains below .local are not on the internet"
    assert (found.problem, found.details) == (
        AddressProblem.INVALID_EMAIL,
        ("Maintainer-Email", "a@b.local", reason),
    )
    assert (found.kind, found.severity) == ("METADATA", ERROR)


_ASCII = 'ab1-._xnXN--. c@+"(<'
_OTHER = _ASCII + (
    "\u00e9\u00df\u3042\u3002\uff0e\uff61\u0308\u0131\u0130\u00b7\u0938"
    "\u2168\u2102\u2460\ufb01\uff0d"
)
_ENDS = ("", ".com", ".local", ".test", ".c1", ".xn--p1ai", ".\u00e9")


def _random_address(source: random.Random, letters: str) -> str:
    local = "".join(source.choice("ab.1+") for _ in range(source.randint(1, 4)))
    local += source.choice(letters) if source.random() < 0.3 else ""
    domain = "".join(source.choice(letters) for _ in range(source.randint(1, 9)))
    prefix = "xn--" if source.random() < 0.3 else ""
    return f"{local}@{prefix}{domain}{source.choice(_ENDS)}"


def test_the_library_of_the_index_agrees() -> None:
    needs.module("email_validator", "email-validator", (3, 10))
    from email_validator import EmailNotValidError, validate_email

    source = random.Random(17)  # noqa: S311 (a table)
    table = [address for row in REFUSED.values() for address in row] + list(TAKEN)
    table += [_random_address(source, _ASCII) for _ in range(3000)]
    table += [_random_address(source, _OTHER) for _ in range(3000)]
    for address in table:
        try:
            validate_email(address, check_deliverability=False)
            taken = True
        except EmailNotValidError:
            taken = False
        # Of domains in other scripts, and of their form in ASCII, the rules know less.
        exact = address.isascii() and "xn--" not in address.lower()
        assert (refusal(address) == "") == taken or (taken is False and not exact), address
