"""Check that this environment has the lower bounds of manyshim's dependencies.

Run it with the oldest Python, after
`uv pip install --no-config --resolution lowest-direct '.[cli]'`.
It prints each version beside its bound, and exits with 1 if they differ. Then the suite would test
a newer version than the metadata promise.
"""

from __future__ import annotations

import sys
from importlib.metadata import requires, version

from packaging.requirements import Requirement
from packaging.version import Version


def main() -> int:
    """Print a row for each dependency; return the exit code."""
    wrong = 0
    for text in requires("manyshim") or []:
        requirement = Requirement(text)
        if requirement.marker and not requirement.marker.evaluate({"extra": "cli"}):
            continue
        bounds = [one.version for one in requirement.specifier if one.operator == ">="]
        found = version(requirement.name)
        holds = len(bounds) == 1 and Version(bounds[0]) == Version(found)
        print(f"{requirement}: {found}{'' if holds else ' is not the bound'}")
        wrong += not holds
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
