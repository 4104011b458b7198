"""What an explanation of a kind is, and words that several of them share."""

from __future__ import annotations

from manyshim.audit.findings import ERROR, INFO, POLICY, WARNING, Finding
from manyshim.values import NamedTuple


class Explanation(NamedTuple):
    """The explanation of one kind of finding.

    `summary` is one line that continues "the file ..." or names the subject itself. `example` is a
    finding as a rule makes it, so its lines are those of real output. `why` is what happens to the
    user. `allow` begins with No, Rarely, Yes or Not needed, and tells when `allow` is right.

    A text has one paragraph in each line. A line that begins with a dash is a step or a choice.
    Commands, options and names of others are in backquotes.
    """

    summary: str
    meaning: str
    example: Finding
    why: str
    fix: str
    allow: str


# What a severity does to a wheel.
SEVERITIES = {
    POLICY: "rules out policies, so the wheel gets a newer tag or none",
    ERROR: "the wheel gets no tag, or does not pass `check`",
    WARNING: "changes neither tag nor exit code",
    INFO: "changes nothing; `-v` shows it",
}

# A kind that is never an error.
NOT_NEEDED = "Not needed: it is never an error, so `allow` has no effect."
