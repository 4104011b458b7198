"""Record rows of tests with `--record FILE`; the scripts/write_*.py make pages from them."""

from __future__ import annotations

import json
from typing import Any, Callable

import pytest

Record = Callable[..., None]


def append(config: pytest.Config, table: str, **row: Any) -> None:
    """Append a row of a table to the file of --record; do nothing without the option."""
    path = config.getoption("record")
    if path:
        line = json.dumps({"table": table, **row}) + "\n"
        # The processes of xdist share the file, so each line is a single write.
        with open(path, "ab", buffering=0) as file:
            file.write(line.encode("utf-8"))


def append_outcome(item: pytest.Item, report: pytest.TestReport) -> None:
    """Append the outcome of a test as a row of the table `outcomes`."""
    if report.when == "call":
        outcome = report.outcome.upper()
    elif report.passed:
        return
    else:
        outcome = "SKIPPED" if report.skipped else "ERROR"
    # For a skip, longrepr is the file, the line and the reason.
    location = report.longrepr if isinstance(report.longrepr, tuple) else ("", "", "")
    reason = str(location[2]).partition("Skipped: ")[2]
    append(item.config, "outcomes", test=item.nodeid, outcome=outcome, reason=reason)
