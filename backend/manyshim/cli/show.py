"""`manyshim show`: the tag that is proved for each wheel, and what rules out older ones."""

from __future__ import annotations

from functools import partial
from types import SimpleNamespace

from manyshim import operations
from manyshim.cli.arguments import TEXT
from manyshim.cli.batch import over_wheels
from manyshim.cli.formats import explains, format_of
from manyshim.cli.requests import audit_request


def run(options: SimpleNamespace) -> int:
    """Audit each wheel; return the exit code."""
    work = partial(
        operations.show,
        request=audit_request(options),
        verbose=options.verbose,
        explain=explains(options),
        data=format_of(options) != TEXT,
    )
    return over_wheels(options, work)
