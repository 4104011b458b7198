"""Write docs/evidence/adoption.md: real projects switched to manyshim by `manyshim init`.

This takes an hour or more, and needs CPython 3.11 and the Debian packages that skipped tests name.
`--rows FILE -- -k NAME` runs one project and takes the other rows from the file.
"""

from __future__ import annotations

import re
import sys
import textwrap
from typing import Any, Iterable, List, Mapping

from _evidence import Evidence, Row, Rows, arguments, produce, python, system
from adoptionprojects import PROJECTS, Project

_HEAD = """# Real projects that adopt manyshim

Written by `python scripts/write_adoption.py`, with {python} on {system}.

Each project is the sdist of a release on the package index. `manyshim init --write` changes its
pyproject.toml, and nothing else is changed. Then every frontend builds it, each in a new copy:

| column | command |
|---|---|
| uv build | `uv build`: the sdist, and the wheel from it. The cell has the first tag of the wheel |
| build | `python -m build`: the same |
| pip wheel | `pip wheel` of the sdist that uv has built |
| pip install | `pip install` of that sdist into a new environment |
| editable | `uv pip install -e` into a new environment |
| sync | `uv sync --no-dev`, if the project has a `[project]` table |

ok: the command succeeded. After the last three, code that needs the compiled extension runs in the
environment. The wheels of uv, build and pip have the same name and the same members.

equal: the wheel has the bytes of the wheel that the project's own backend builds, except in WHEEL
and RECORD. METADATA is among the equal files; a note says where its requirements are spelled in
another way. The sdist is equal, except for pyproject.toml, and its line in a list of sources where
the project had none. Both sides are compiled with `-O0 -g0`.

{summary}

"""
_NOTES = """
Wheels that keep `linux_x86_64` need libraries of the system, and `init` does not choose a repair:

{kept}
Other notes:

{notes}"""
_NO_TABLE, _FAILS = "no [project] table", "fails, see below"
_STEPS = ("build", "pip wheel", "pip install", "editable", "sync")
_PIN = re.compile(r"setuptools\b[^;]*(==|<)[^;]*\Z")


def text(rows: Rows) -> str:
    """Return the page."""
    all_rows = [(project, rows[project.name,]) for project in PROJECTS]
    head = _HEAD.format(python=python(), system=system(), summary=_summary(all_rows))
    columns = ["project", "backend", "compiled", "uv build", *_STEPS, "equal"]
    table = [_row(columns), f"|{'---|' * len(columns)}\n"]
    table += [_row(_cells(project, row)) for project, row in all_rows]
    kept = [
        f"- {project.name}: {', '.join(row['external'])}"
        for project, row in all_rows
        if row.get("external")
    ]
    lists = ("".join(f"{_wrapped(one)}\n" for one in part) for part in (kept, _notes(all_rows)))
    notes = _NOTES.format(kept=next(lists), notes=next(lists))
    return "".join((head, *table, notes))


def _summary(rows: List[Any]) -> str:
    """Return the counts."""
    adopted = [(project, row) for project, row in rows if not project.pure]
    systems = [row["system"] for _, row in adopted]
    backends = sorted({_backend(each) for each in systems})
    results = [result for _, row in adopted for result in row["steps"].values()]
    steps = len(adopted) + len(results) - results.count(_NO_TABLE)
    failed = sum(_said(result) == _FAILS for result in results)
    pure, path = len(rows) - len(adopted), sum("backend-path" in each for each in systems)
    pinned = sum(bool(_pins(each)) for each in systems)
    tagged = sum(row["tag"].startswith("manylinux") for _, row in adopted)
    counts = f"""\
- {len(adopted)} projects with compiled code.
- {pure} projects without compiled code, for which `init` says that there is nothing to do.
- {len(backends)} backends: {", ".join(backends)}.
- {path} projects with `backend-path`; {pinned} that exclude newer versions of setuptools.
- {tagged} wheels get a manylinux tag.
- {steps} steps. {failed} of them fail, and fail with the project's own backend, too."""
    return "\n".join(map(_wrapped, counts.splitlines()))


def _wrapped(item: str) -> str:
    """Return an item of a list, wrapped as Markdown is in this repository."""
    return textwrap.fill(
        item, 100, subsequent_indent="  ", break_long_words=False, break_on_hyphens=False
    )


def _row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |\n"


def _cells(project: Project, row: Row) -> List[str]:
    name = f"{project.name} {project.version}"
    backend = _backend(row["system"])
    if project.pure:
        cells = ["nothing to do", *[""] * (len(_STEPS) + 1)]
    else:
        steps = [_said(row["steps"][step]) for step in _STEPS]
        cells = [row["tag"], *steps, _equal(row)]
    return [name, backend, project.kind, *cells]


def _equal(row: Row) -> str:
    return "yes, see below" if row["unstable"] or row.get("respelled") else "yes"


def _said(result: str) -> str:
    return result if result in ("ok", _NO_TABLE) else _FAILS


def _notes(rows: List[Any]) -> List[str]:
    """Return the lines about projects that are special."""
    lines = []
    for project, row in rows:
        pins = _pins(row["system"])
        if pins:
            lines.append(f"- {project.name}: requires {', '.join(f'`{pin}`' for pin in pins)}.")
        for step, result in row.get("steps", {}).items():
            if _said(result) == _FAILS:
                lines.append(f"- {project.name}: {step} also fails with its own backend: {result}")
        if row.get("respelled"):
            lines.append(
                f"- {project.name}: METADATA has the same requirements in another spelling. Its"
                " setuptools writes them with the `wheel` that manyshim requires."
            )
        if row.get("unstable"):
            lines.append(
                f"- {project.name}: its own backend does not write the same bytes again in"
                f" {len(row['unstable'])} files, which are compared by name only."
            )
        if project.environ:
            said = ", ".join(f"`{name}={value}`" for name, value in project.environ.items())
            lines.append(f"- {project.name}: built with {said}.")
    return lines


def _backend(build_system: Mapping[str, Any]) -> str:
    """Return the backend's name, and how the project names it."""
    found = build_system.get("build-backend")
    company = [
        name for name in ("scikit-build", "setuptools-rust") if _requires(build_system, name)
    ]
    path = build_system.get("backend-path")
    if path:
        said = f"in-tree `{found}` in {', '.join(path)}"
    elif found:
        said = f"`{found}`"
    elif "requires" in build_system:
        said = "setuptools, no build-backend"
    else:
        said = "setuptools, no [build-system]"
    return " with ".join([said, *company])


def _requires(build_system: Mapping[str, Any], name: str) -> bool:
    pattern = re.compile(rf"{name}(?![\w-])")
    return any(pattern.match(one) for one in build_system.get("requires", ()))


def _pins(build_system: Mapping[str, Any]) -> List[str]:
    """Return the requirements that hold on CPython and exclude newer versions of setuptools."""
    return [one for one in build_system.get("requires", ()) if _PIN.match(one)]


EVIDENCE = Evidence(
    "adoption.md", ["tests/builds/test_adoption.py"], "adoption", ("project",), text
)


def main() -> int:
    """Run the tests and write the page; return the exit code."""
    given = arguments("Switch real projects to manyshim and write docs/evidence/adoption.md.")
    return produce(EVIDENCE, [(project.name,) for project in PROJECTS], given)


if __name__ == "__main__":
    sys.exit(main())
