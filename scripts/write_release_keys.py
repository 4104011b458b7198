"""Write docs/evidence/release-keys.md: where release keys have an effect, with real frontends.

This takes two minutes.
"""

from __future__ import annotations

import sys
import textwrap

from _evidence import Evidence, Row, Rows, arguments, produce, python
from scopeprojects import COMMANDS, DEPENDENCY, HELPER, KEYS, MAIN, MEMBER, WAYS

_HEAD = """# Where release keys have an effect

Written by `python scripts/write_release_keys.py`, with {python},
{versions}.

The keys are {keys}. They are passed with `-C`, by
`[tool.uv] config-settings` in the `pyproject.toml` of `{main}`, or in the environment. In
`[tool.manyshim]`, `strict` is an error in every hook, and a `platform` of this machine is taken.
All projects are built by manyshim. `{main}` and `{member}` are in one workspace. The dependency and
the build requirement of `{main}` are sdists.

- **in effect**: the wheel has the tag that `platform` asks for.
- **no effect**: it has the tag that is proved. The build says so in a line about all keys, and
  again in its last line.
- **editable**: `build_editable` is only forwarded, and the wheel is not audited.
- **not passed**: the frontend passes no setting to this build.
"""
_TABLE = """
## {title}

| command | keys by | `{main}` | `{member}` | dependency | build requirement |
|---|---|---|---|---|---|
"""


def text(rows: Rows) -> str:
    """Return the page."""
    versions = next(iter(rows.values()))["versions"]
    keys = " and ".join(f"`{key} = {value}`" for key, value in KEYS.items())
    page = _HEAD.format(python=python(), versions=versions, keys=keys, main=MAIN, member=MEMBER)
    for named, title in (
        (False, "Without `manyshim.project`"),
        (True, f"With `manyshim.project = {MAIN}`"),
    ):
        page += _TABLE.format(title=title, main=MAIN, member=MEMBER)
        page += "".join(
            _line(rows[command.name, way, str(named)])
            for command in COMMANDS
            for way in WAYS
            if command.uv or way != "[tool.uv]"
        )
    return page + _said(rows)


def _said(rows: Rows) -> str:
    """Return the section with the lines of `uv build --all-packages -C ...`."""
    page = "\n## What is said\n"
    for named, name, title in (
        ("False", HELPER, "In the build requirement, without `manyshim.project`"),
        ("True", MEMBER, f"In `{MEMBER}`, with `manyshim.project = {MAIN}`"),
    ):
        lines = rows["uv build --all-packages", "-C", named]["said"][name]
        page += f"\n{title}, the first line and the last one:\n\n```\n"
        folded = (textwrap.fill(line, 100, subsequent_indent="    ") for line in lines)
        page += "".join(f"{line}\n" for line in folded) + "```\n"
    return page


def _line(row: Row) -> str:
    results = [row["results"].get(one, "") for one in (MAIN, MEMBER, DEPENDENCY, HELPER)]
    way = row["way"] if row["way"] == "environment" else f"`{row['way']}`"
    return f"| `{row['command']}` | {way} | {' | '.join(results)} |\n"


EVIDENCE = Evidence(
    "release-keys.md",
    ["tests/builds/test_scope_frontends.py"],
    "release-keys",
    ("command", "way", "named"),
    text,
)


def main() -> int:
    """Run the tests and write the page; return the exit code."""
    given = arguments("Pass release keys with real frontends, and write what they do.")
    wanted = [
        (command.name, way, str(named))
        for named in (False, True)
        for command in COMMANDS
        for way in WAYS
        if command.uv or way != "[tool.uv]"
    ]
    return produce(EVIDENCE, wanted, given)


if __name__ == "__main__":
    sys.exit(main())
