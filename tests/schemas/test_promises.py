"""What the schemas promise stays until the version rises; and their files are those of the code."""

from __future__ import annotations

import copy
import subprocess
import sys
from typing import Any, Callable, Dict

import pytest

from paths import REPOSITORY
from promises import Promise, broken, lines, promised, text
from write_schemas import ALL, PROMISES, files, lost

Edit = Callable[[Dict[str, Any]], object]


def test_the_files_are_those_of_the_code() -> None:
    for path, content in files().items():
        stale = f"{path.name} is stale: run `python scripts/write_schemas.py`"
        assert path.read_text(encoding="utf-8") == content, stale


def test_nothing_that_was_promised_is_gone() -> None:
    assert lost() == []


def test_check_changes_nothing_and_finds_nothing() -> None:
    command = [sys.executable, "scripts/write_schemas.py", "--check"]
    done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, ""), done.stderr


def wheel(schema: Dict[str, Any]) -> Dict[str, Any]:
    found: Dict[str, Any] = schema["definitions"]["wheel"]["properties"]
    return found


def kinds(schema: Dict[str, Any]) -> Any:
    return schema["definitions"]["finding"]["properties"]["kind"]["enum"]


def options(schema: Dict[str, Any]) -> Dict[str, Any]:
    found: Dict[str, Any] = schema["properties"]
    return found


# A change of a schema, and the lines of the promise that it breaks.
CHANGES: Dict[str, Any] = {
    "a key goes": ("report", lambda one: wheel(one).pop("tags"), ["wheel.tags: array always"]),
    "a key is renamed": (
        *("report", lambda one: wheel(one).update(new=wheel(one).pop("written"))),
        ["wheel.written: null|string always"],
    ),
    "a key is no longer in each report": (
        *("report", lambda one: one["definitions"]["wheel"]["required"].remove("tag")),
        ["wheel.tag: null|string always"],
    ),
    "a key may be null": (
        *("report", lambda one: wheel(one)["wheel"].update(type=["string", "null"])),
        ["wheel.wheel: string always"],
    ),
    "a kind is renamed": (
        *("report", lambda one: kinds(one).__setitem__(kinds(one).index("ISA"), "CPU")),
        ['finding.kind = "ISA"'],
    ),
    "a list has other items": (
        *("report", lambda one: wheel(one)["findings"]["items"].update({"$ref": "#/x/finding2"})),
        ["wheel.findings[]: finding"],
    ),
    "a new key": ("report", lambda one: wheel(one).update(new={"type": "string"}), []),
    "a new kind": ("report", lambda one: kinds(one).append("NEW"), []),
    "an option goes": ("tool", lambda one: options(one).pop("naming"), ["naming: string"]),
    "a value goes": (
        *("tool", lambda one: options(one)["explain"]["enum"].remove("never")),
        ['explain = "never"'],
    ),
    "an option is required": (
        *("tool", lambda one: one.update(required=["sysroot"])),
        ["sysroot: string"],
    ),
    "one type less": (
        *("tool", lambda one: options(one)["exclude"]["anyOf"].pop(1)),
        ["exclude: string"],
    ),
    "one type more": (
        *("tool", lambda one: options(one)["sysroot"].update(type=["string", "null"])),
        [],
    ),
    "a new option": ("tool", lambda one: options(one).update(new={"type": "string"}), []),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_that_breaks_the_promise_is_found(change: str) -> None:
    name, edit, expected = CHANGES[change]
    before = promised((PROMISES / f"{name}.txt").read_text(encoding="utf-8"))
    schema = copy.deepcopy(ALL[name].schema())
    edit(schema)
    now = lines(schema, accepts=ALL[name].accepts)
    assert now != before.lines
    found = broken(before, Promise(before.version, now))
    # What an option accepts goes with it.
    assert [line for line in found if line in expected] == expected
    assert all(line.startswith(expected[0].split(" ")[0].rstrip(":")) for line in found)
    assert broken(before, Promise("another", now)) == []


def test_a_promise_is_kept_in_its_file() -> None:
    promise = Promise("2", ('a = "b"', "a: string"))
    assert promised(text(promise)) == promise
