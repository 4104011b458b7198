"""Rewrite a wheel under another tag, without an audit, and print the CPU seconds of that step.

Opening the wheel is not counted, because in a retag the audit has already opened it.
"""

from __future__ import annotations

import json
import resource
import sys

from manyshim.formats.wheel.rewrite import Edits, rewrite
from manyshim.formats.wheel.wheel import Wheel


def _cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def main() -> None:
    """Rewrite a wheel; the arguments are the wheel, the folder and the platform tag."""
    path, folder, platform = sys.argv[1:]
    with Wheel(path) as wheel:
        before = _cpu()
        rewrite(wheel, folder, Edits((platform,)))
        after = _cpu()
    print(json.dumps({"amount": after - before}))


if __name__ == "__main__":
    main()
