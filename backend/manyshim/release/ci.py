"""Generates the workflow of a release for a CI service, from [tool.manyshim.release]."""

from __future__ import annotations

import json
import re
import shlex
from typing import Dict, List, Optional, Sequence, Tuple

from manyshim.errors import ConfigError
from manyshim.release import actions, blocks, cijobs, matrix, template
from manyshim.release.table import Table, Tests
from manyshim.values import NamedTuple

GITHUB, GITLAB = SERVICES = ("github", "gitlab")
PATHS = {GITHUB: ".github/workflows/release.yml", GITLAB: ".gitlab-ci.yml"}

# A text that needs no quotes in YAML.
_PLAIN = re.compile(r"[a-z][\w.-]*", re.ASCII)

_TEMPLATES = {GITHUB: "github.yml", GITLAB: "gitlab.yml"}

# Copies the system of an image without running it. Some have no image: they are not tested.
_SYSTEMS = (
    "for python in $PYTHONS; do",
    '  from="docker://docker.io/library/python:$python-$IMAGE"',
    '  if skopeo --override-os linux --override-arch "$ARCH" copy -q "$from" "oci:images:$python"',
    "  then",
    "    mkdir -p systems",
    '    umoci raw unpack --rootless --image "images:$python" "systems/$python"',
    "  else",
    '    echo "Python $python: there is no image for $ARCH; its wheel is not tested"',
    "  fi",
    "done",
)


class Project(NamedTuple):
    """What a workflow needs to know: the table, the version of manyshim, options of `check`."""

    table: Table
    version: str
    check_options: Tuple[str, ...] = ()


class Workflow(NamedTuple):
    """A workflow: its path in the repository, its text, and notes for the user."""

    path: str
    text: str
    notes: Tuple[str, ...] = ()


def generate(service: str, project: Project, existing: Optional[str]) -> Workflow:
    """Return the workflow of a service, with the user's blocks of an existing one.

    Raises ConfigError if lines of the existing one would be lost.
    """
    path = PATHS[service]
    own = existing if existing is not None and blocks.is_signed(existing) else ""
    pins = actions.newest(actions.known(), own)
    values, notes = _values(service, project)
    text = template.fill(template.read(_TEMPLATES[service]), values, pins)
    text = blocks.fill(blocks.sign(text), blocks.read(own, path), path)
    return Workflow(path, text, notes)


def verify_replaceable(existing: str, path: str) -> None:
    """Verify that a file can be written again without loss. Raises ConfigError."""
    if not blocks.is_signed(existing):
        raise ConfigError(
            f"{path}: there is a file that manyshim has not written; rename it, or leave out "
            "--write and copy the jobs that you need"
        )
    if not blocks.is_unchanged(existing):
        raise ConfigError(
            f"{path}: was changed outside of your blocks, and this would be lost; move the changes "
            "between `>>> yours` and `<<< yours`, or delete the file first"
        )


def _values(service: str, project: Project) -> Tuple[Dict[str, template.Value], Tuple[str, ...]]:
    table = project.table
    native = cijobs.github_runners() if service == GITHUB else {"x86_64": ""}
    jobs = matrix.jobs(matrix.cells(table))
    rows = cijobs.rows(jobs, native, tests=table.tests is not None)
    on_gitlab = service == GITLAB
    used = [*rows.linux, *([] if on_gitlab else rows.others)]
    if not used:
        raise ConfigError(
            "GitLab: the release has no platform of Linux, and manyshim writes jobs for these only"
        )
    options = "".join(f" {_word(one)}" for one in project.check_options)
    values: Dict[str, template.Value] = {
        "version": project.version,
        "linux": _gitlab_rows(rows.linux) if on_gitlab else _github_rows(rows.linux),
        "others": _github_rows(rows.others),
        "needs": ", ".join(["sdist", *_needed(rows)]),
        "check-options": options,
        "systems": _SYSTEMS if any("image" in one for one in rows.linux) else (),
        "build": _build(table.tests),
        "build-title": "Build and test the wheels" if table.tests else "Build the wheels",
        **_tests(table.tests),
    }
    notes = tuple(
        f"{one['platform']}: manyshim writes no job for it on GitLab; add one in the block 'jobs'"
        for one in (rows.others if on_gitlab else ())
    )
    return values, notes


def _needed(rows: cijobs.Rows) -> List[str]:
    return [name for name, found in zip(("linux", "others"), rows) if found]


def _build(tests: Optional[Tests]) -> Sequence[str]:
    command = (
        'uvx --from "$MANYSHIM" manyshim release --sdist sdist/*.tar.gz --only "*-$PLATFORM" \\'
    )
    if tests is None:
        return (command, "  --out-dir wheels")
    systems = "[ ! -d systems ] || set -- --systems systems"
    return ("set --", systems, command, '  --out-dir wheels "$@"')


def _tests(tests: Optional[Tests]) -> Dict[str, template.Value]:
    if tests is None:
        return {"tests": "", "test-command": "", "test-requires": "", "test-minutes": ""}
    return {
        "tests": "yes",
        "test-command": _quoted(tests.command),
        "test-requires": _quoted("".join(f"{one}\n" for one in tests.requires)),
        # The limit is that of all tests of a job.
        "test-minutes": str(max(10, -(-tests.seconds // 60))),
    }


def _github_rows(rows: Sequence[cijobs.Row]) -> List[str]:
    found: List[str] = []
    for row in rows:
        mark = "- "
        for key, value in row.items():
            # GitHub would make a number of 10.10, and print 10.1.
            found.append(f"{mark}{key}: {value if _PLAIN.fullmatch(value) else _quoted(value)}")
            mark = "  "
    return found


def _gitlab_rows(rows: Sequence[cijobs.Row]) -> List[str]:
    found: List[str] = []
    for row in rows:
        found += [
            f"- PLATFORM: {row['platform']}",
            f"  PYTHONS: {_quoted(row['pythons'])}",
            f'  IMAGE: "{row.get("image", "")}"',
            f'  ARCH: "{row.get("image-arch", "")}"',
        ]
    return found


def _word(text: str) -> str:
    """Return a word of a shell, in which GitHub evaluates nothing."""
    return shlex.quote(text).replace("${{", "$''{{")


def _quoted(text: str) -> str:
    """Return a text in the double quotes of YAML, which are those of JSON, for GitHub."""
    quoted = json.dumps(text, ensure_ascii=False)
    # YAML has these escapes, too; the characters are not allowed as they are.
    plain = "".join(one if one.isprintable() else _escape(one) for one in quoted)
    # GitHub puts the characters in place of this expression, and evaluates nothing else.
    return plain.replace("${{", "${{ '${{' }}")


def _escape(character: str) -> str:
    return f"\\U{ord(character):08x}"
