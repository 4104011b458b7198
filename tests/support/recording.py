"""The rows that tests record with `--record FILE`; the scripts/write_*.py make pages of them."""

from __future__ import annotations

import json
from typing import Any, Callable

import pytest

Record = Callable[..., None]


def append(config: pytest.Config, table: str, **row: Any) -> None:
    """Append a row of a table to the file of --record; do nothing without that option."""
    path = config.getoption("record")
    if path:
        line = json.dumps({"table": table, **row}) + "\n"
        # The processes of xdist share the file, so each line is a single write.
        with open(path, "ab", buffering=0) as file:
            file.write(line.encode("utf-8"))


def append_outcome(item: pytest.Item, report: pytest.TestReport) -> None:
    """Append how a test ended: a row of the table `outcomes`."""
    if report.when == "call":
        outcome = report.outcome.upper()
    elif report.passed:
        return
    else:
        outcome = "SKIPPED" if report.skipped else "ERROR"
    # pytest tells the file, the line and the reason of a skip.
    told = report.longrepr if isinstance(report.longrepr, tuple) else ("", "", "")
    reason = str(told[2]).partition("Skipped: ")[2]
    append(item.config, "outcomes", test=item.nodeid, outcome=outcome, reason=reason)
