"""The input of the rules."""

from __future__ import annotations

from typing import Iterator, Optional, Tuple

from manyshim.audit.facts import ElfFile, WheelFacts
from manyshim.audit.findings import Finding
from manyshim.audit.loader.search import Loading
from manyshim.audit.policy import Policies
from manyshim.audit.request import Request
from manyshim.values import NamedTuple


class Context(NamedTuple):
    """The input of a rule. `elfs` are the files that the policies apply to."""

    facts: WheelFacts
    request: Request
    policies: Policies
    elfs: Tuple[ElfFile, ...]
    loading: Loading

    def ruled_out(self, allowed_from: Optional[int], made: Finding) -> Iterator[Finding]:
        """Yield the finding `made` with the newest policy that it rules out, if there is one.

        `allowed_from` is the index of the first policy that allows what the finding is about. None
        means that no policy does.
        """
        first = self.policies.never if allowed_from is None else allowed_from
        if first > 0:
            yield made._replace(policy=self.policies.listed[first - 1])
