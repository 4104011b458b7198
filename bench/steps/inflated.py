"""Audit a wheel and print how much of its largest member was inflated, in percent."""

from __future__ import annotations

import json
import sys

from manyshim import operations
from manyshim.audit.request import Request
from manyshim.formats.wheel.wheel import Wheel
from manyshim.formats.zip.archive import Archive
from manyshim.formats.zip.directory import Entry
from manyshim.formats.zip.window import Window


def main() -> None:
    """Audit the wheel in the argument and add up what its windows inflate."""
    opened: list[tuple[Entry, Window]] = []
    window = Archive.window

    def counted(self: Archive, entry: Entry) -> Window:
        opened.append((entry, window(self, entry)))
        return opened[-1][1]

    Archive.window = counted  # type: ignore[method-assign]
    with Wheel(sys.argv[1]) as wheel:
        largest = max(wheel.entries, key=lambda entry: entry.size)
        report = operations.inspect(wheel, Request())
    if report.arch is None:
        sys.exit("the audit found no machine code")
    inflated = sum(one.inflated for entry, one in opened if entry.name == largest.name)
    print(json.dumps({"amount": 100 * inflated / largest.size}))


if __name__ == "__main__":
    main()
