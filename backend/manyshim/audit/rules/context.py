"""What a rule may look at."""

from __future__ import annotations

from typing import Iterator, Optional, Tuple

from manyshim.audit.facts import ElfFile, WheelFacts
from manyshim.audit.findings import Finding
from manyshim.audit.loader.search import Loading
from manyshim.audit.policy import Policies
from manyshim.audit.request import Request
from manyshim.values import NamedTuple


class Context(NamedTuple):
    """What a rule may look at: `elfs` are the files that the ladder's policies speak of."""

    facts: WheelFacts
    request: Request
    policies: Policies
    elfs: Tuple[ElfFile, ...]
    loading: Loading

    def ruled_out(self, allowed_from: Optional[int], made: Finding) -> Iterator[Finding]:
        """Yield a policy finding for what the policies before the index `allowed_from` forbid.

        None stands for "no policy allows it".
        """
        first = self.policies.never if allowed_from is None else allowed_from
        if first > 0:
            yield made._replace(policy=self.policies.listed[first - 1])
