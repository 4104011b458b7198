"""What a rule may look at."""

from __future__ import annotations

from typing import Iterator, Tuple

from manyshim.audit.facts import ElfFile, WheelFacts
from manyshim.audit.findings import Finding
from manyshim.audit.loader.search import Loading
from manyshim.audit.policy import Ladder
from manyshim.audit.request import Request
from manyshim.values import NamedTuple


class Context(NamedTuple):
    """What a rule may look at: `elfs` are the files that the ladder's policies speak of."""

    facts: WheelFacts
    request: Request
    ladder: Ladder
    elfs: Tuple[ElfFile, ...]
    loading: Loading

    def ruled_out(self, rung: int, made: Finding) -> Iterator[Finding]:
        """Yield a policy finding for what the rungs before `rung` do not allow."""
        if rung > 0:
            yield made._replace(policy=self.ladder.rungs[rung - 1])
