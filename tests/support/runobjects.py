"""JSON objects of runs, for the formats that are written from them: made by hand and by runs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Dict, Sequence

from commandline import run
from manyshim.audit import findings as f
from manyshim.audit.explanations.problems import problems
from manyshim.audit.findings import KINDS, Evidence, Finding, finding, problem_finding
from manyshim.audit.messages import SENTENCES
from manyshim.audit.tags import GLIBC, PlatformTag
from manyshim.formatters.json import finding_dict

POLICY = PlatformTag(GLIBC, 2, 31, "x86_64")
WHEEL = "demo-1.0-cp311-cp311-manylinux_2_17_x86_64.whl"
SDIST = "demo-1.0.tar.gz"
# Names that each format must keep from its syntax: control characters, a lone byte, workflow
# commands, XML, HTML, Markdown, links, and placeholders.
HOSTILE = (
    "a\x1b[31m\n::error::x\r%0A%\u202e\udcff\x00\u2028]]><b>&amp;|`*_x_*[l](http://e.x){0}{path}"
    "\u00e4 www.e.x <!-- \\| , @user ~~s~~ $y$ \ufffe"
)
LONG = "x" * 70_000
# What a wheel without machine code has instead of a tag, and one for which no tag is proved.
PURE: Dict[str, Any] = {"tag": None, "claimed": ["any"]}
UNPROVED: Dict[str, Any] = {"tag": None, "claimed": ["linux_x86_64"]}
_SUBJECTS = {"TOO_NEW": "GLIBC_2.34", "MUSL_PATCH_LEVEL": "musl 1.2.4"}
_WHEEL_KEYS: Dict[str, Any] = {
    "runs_on": [],
    "not_on": [],
    "blocked": None,
    "written": None,
    "notes": [],
}
_FINDING_KEYS: Dict[str, Any] = {"allowed": False, "places": []}


def made(kind: str, name: str = "", **changes: Any) -> Finding:
    """Make a finding of a kind; `name` is in each of its fields, if it is given."""
    text = {
        "path": name or "pkg/_x.cpython-311-x86_64-linux-gnu.so",
        "subject": name or _SUBJECTS.get(kind, "libsubject.so"),
        "library": name or "liblibrary.so",
    }
    details = (name,) if name else ("some", "details", "more", "words")
    if kind not in SENTENCES:
        problem, *_ = problems(kind)
        found = problem_finding(problem, text["path"], *details, subject=text["subject"])
        return found._replace(**changes)
    found = finding(
        kind,
        **text,
        symbols=(name,) if name else ("one", "two"),
        policy=POLICY if KINDS[kind] == f.POLICY else None,
        required=(2, 34) if kind == "TOO_NEW" else None,
        evidence=Evidence.UNLISTED,
        details=details,
    )
    return found._replace(**changes)


def place(
    file: str, line: int = 7, symbol: str = "one", function: Any = "helper"
) -> Dict[str, Any]:
    return {"symbol": symbol, "file": file, "line": line, "function": function}


def row(found: Finding, *places: Dict[str, Any]) -> Dict[str, Any]:
    """Return a finding as it is in the JSON object."""
    return {**finding_dict(found), "allowed": found.allowed, "places": list(places)}


def wheel(*findings: Dict[str, Any], name: str = WHEEL, **changes: Any) -> Dict[str, Any]:
    """Return the data of a wheel with findings."""
    return {
        "wheel": name,
        "file": f"dist/{name}",
        "claimed": ["manylinux_2_17_x86_64"],
        "arch": "x86_64",
        "libc": "glibc",
        "policy": "manylinux_2_17_x86_64",
        "tag": "manylinux_2_17_x86_64",
        "tags": ["manylinux2014_x86_64", "manylinux_2_17_x86_64"],
        "reason": None,
        "external": [],
        "musl_minimum": None,
        "findings": list(findings),
        "error": None,
        "internal": False,
        **_WHEEL_KEYS,
        **changes,
    }


def unreadable(error: str, name: str = WHEEL, *, internal: bool = False) -> Dict[str, Any]:
    """Return the data of a wheel without a verdict."""
    return wheel(name=name, error=error, internal=internal, arch=None, tag=None)


def sdist(*findings: Dict[str, Any], name: str = SDIST, **changes: Any) -> Dict[str, Any]:
    """Return the data of an sdist."""
    values = {"sdist": name, "file": f"dist/{name}", "findings": list(findings)}
    return {**values, "error": None, "internal": False, **changes}


def of_show(*wheels: Dict[str, Any]) -> Dict[str, Any]:
    """Return the object of `show`."""
    return {"version": 2, "wheels": list(wheels)}


def of_check(
    *wheels: Dict[str, Any],
    sdists: Sequence[Dict[str, Any]] = (),
    sets: Sequence[Dict[str, Any]] = (),
) -> Dict[str, Any]:
    """Return the object of `check`; its summary has no part in other formats."""
    return {**of_show(*wheels), "sdists": list(sdists), "sets": list(sets), "summary": {}}


def a_set(*findings: Dict[str, Any], project: str = "demo") -> Dict[str, Any]:
    return {"project": project, "versions": ["1.0"], "findings": list(findings)}


def everything() -> Dict[str, Any]:
    """Return a run with each kind, each result of a file, and hostile names everywhere."""
    kinds = [row(made(kind), place("src/_x.c"), place("/gone/_x.c")) for kind in KINDS]
    hostile = [row(made(kind, HOSTILE), place(HOSTILE, 1, HOSTILE, HOSTILE)) for kind in KINDS]
    allowed = [
        row(made(kind, allowed=True, severity=f.WARNING))
        for kind in KINDS
        if KINDS[kind] == f.ERROR
    ]
    blocked = {"policy": "manylinux_2_12_x86_64", "without": None, "findings": [0, 1]}
    return of_check(
        wheel(*kinds, blocked=blocked),
        wheel(*hostile, name=HOSTILE, file=HOSTILE),
        wheel(*allowed, name="other-1.0-py3-none-any.whl", **PURE),
        wheel(row(made("TOO_NEW", LONG)), name="long-1.0-cp311-cp311-linux_x86_64.whl", tag=None),
        unreadable(f"{WHEEL}: no zip archive\nand {HOSTILE}"),
        unreadable("internal error", internal=True),
        sdists=[sdist(row(made("SDIST", path="")), row(made("METADATA", path="PKG-INFO")))],
        sets=[a_set(row(made("INCOMPLETE_SET", path=f"demo-1.0-cp39-cp39-{HOSTILE}.whl")))],
    )


def ran(command: str, *arguments: object) -> Dict[str, Any]:
    """Return what a command prints as JSON, with the keys that it does not print yet."""
    done = run(command, "--json", *arguments)
    data: Dict[str, Any] = json.loads(done.stdout)
    files = {Path(str(one)).name: str(one) for one in arguments}
    for one in (*data["wheels"], *data.get("sdists", ())):
        name = one.get("wheel") or one["sdist"]
        one.setdefault("file", files.get(name, name))
        for key, value in _WHEEL_KEYS.items() if "wheel" in one else ():
            one.setdefault(key, value)
    listed = (*data["wheels"], *data.get("sdists", ()), *data.get("sets", ()))
    for found in (found for one in listed for found in one["findings"]):
        for key, value in _FINDING_KEYS.items():
            found.setdefault(key, value)
    return data
