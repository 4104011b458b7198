"""The table "your backend -> what to write" of README and docs, from the data of `init`."""

from __future__ import annotations

from typing import Iterator, Tuple

from manyshim.adopt.plan import TOMLI
from manyshim.adopt.sdist import LISTS
from manyshim.known_backends import BACKENDS, LEGACY, SETUPTOOLS

# They build through setuptools, and are no backends of their own.
WITH_SETUPTOOLS = ("scikit-build", "setuptools-rust", "Cython", "cffi", "pybind11", "mypyc")

_ALSO = f"setuptools, also with {', '.join(WITH_SETUPTOOLS)}"


# Rows that the short table of README leaves out: pure wheels, and backends of few projects.
_RARE = {"flit", "uv_build", "whey", "enscons"}


def backend_rows(*, short: bool = False) -> Iterator[Tuple[str, str]]:
    """Yield what to write below [tool.manyshim] for each backend."""
    for one in BACKENDS:
        if short and one.name in _RARE:
            continue
        if one.hooks == SETUPTOOLS:
            yield _ALSO, "nothing"
            yield "setuptools, without a line `build-backend`", f'`backend = "{LEGACY}"`'
        else:
            yield one.name, f'`backend = "{one.hooks}"`'
    yield (
        "one in your project, with `backend-path`",
        ("its `build-backend` as `backend`, and its `backend-path`, moved from `[build-system]`"),
    )
    yield "any other", "its `build-backend` as `backend`"


def backend_table(*, short: bool = False) -> str:
    """Return the rows as a table of Markdown."""
    rows = (f"| {name} | {lines} |\n" for name, lines in backend_rows(short=short))
    return f"| your backend | write in `[tool.manyshim]` |\n|---|---|\n{''.join(rows)}"


def sdist_table() -> str:
    """Return, as a table of Markdown, what puts a copy of manyshim into each backend's sdist."""
    lines = ["| backend | so that `backend/` is in the sdist |", "|---|---|"]
    manifest = "`MANIFEST.in`: `graft backend` and `global-exclude *.py[cod]`"
    for one in BACKENDS:
        text = _sdist(one.name)
        if one.hooks == SETUPTOOLS:
            text = manifest
        lines.append(f"| {one.name} | {text} |")
    return "".join(f"{line}\n" for line in lines)


def _sdist(name: str) -> str:
    rows = LISTS.get(name, ())
    if name == "meson-python":
        return "commit it: Meson takes what git has"
    if not rows:
        return "check it: `tar tf dist/*.tar.gz`" if name != "scikit-build-core" else "nothing"
    written = [f"`[{'.'.join(row.table)}]` `{row.key} = [{_entry(row.entry)}]`" for row in rows]
    if rows[0].always:
        return written[0]
    return f"nothing; a list {', '.join(f'`{row.key}`' for row in rows[:2])} must have `/backend`"


def _entry(entry: object) -> str:
    if isinstance(entry, dict):
        pairs = ", ".join(f'{key} = "{value}"' for key, value in entry.items())
        return f"{{ {pairs} }}".replace("{}", "backend")
    return f'"{entry}"'.replace("{}", "backend")


def in_tree_requires() -> str:
    """Return the line `requires` of a project with setuptools and a copy of manyshim."""
    return f'requires = ["setuptools", "{TOMLI}"]'
