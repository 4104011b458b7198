"""What `init` writes into pyproject.toml, and that `--undo` gives back the same bytes."""

from __future__ import annotations

from typing import Dict, Tuple

import pytest

import adopting
import needs
from manyshim import pyproject
from manyshim.adopt import edit, plan, undo
from manyshim.adopt.changes import OWN_TABLE
from manyshim.adopt.facts import Project
from manyshim.errors import ConfigError

pytestmark = needs.mark(needs.module, "tomlkit")

SHAPES: Dict[str, str] = {**dict(adopting.projects()), **dict(adopting.without_backend())}


def project(text: str) -> Project:
    return Project(
        pyproject.parse(text),
        names=frozenset({"setup.py"}),
        setup_py="ext_modules",
        hint=edit.comment_of(text, OWN_TABLE, "backend"),
    )


def trip(text: str) -> Tuple[str, str]:
    """Return a text after `init`, and after `init` and `--undo`."""
    made = edit.apply(text, plan.adopt(project(text)).changes)
    return made, edit.apply(made, undo.undo(project(made)).changes)


@pytest.mark.parametrize("newline", ["\n", "\r\n"], ids=["lf", "crlf"])
@pytest.mark.parametrize("build", ["setuptools", "meson", "explicit-legacy", "in-tree", "no"])
def test_undo_gives_the_same_bytes(build: str, newline: str) -> None:
    names = [name for name in SHAPES if name.startswith(build)]
    assert len(names) > 100
    for name in names[:: 3 if build == "no" else 17]:
        text = SHAPES[name].replace("\n", newline)
        if build == "in-tree" and _between(text):
            continue  # the place of backend-path between the other keys is not kept
        made, back = trip(text)
        assert back == text, name
        # No line end of another kind comes in.
        foreign = made.replace("\r\n", "").count("\n") if "\r\n" in text else 0
        assert not foreign, name


def _between(text: str) -> bool:
    keys = list(pyproject.parse(text)["build-system"])
    return keys.index("requires") > keys.index("backend-path") > keys.index("build-backend")


@pytest.mark.parametrize("name", ["in-tree-one-line-plain-2-project", "in-tree-lines-plain-2-last"])
def test_another_order_of_keys_gives_the_same_settings(name: str) -> None:
    _, back = trip(SHAPES[name])
    assert back != SHAPES[name]
    assert pyproject.parse(back) == pyproject.parse(SHAPES[name])


@pytest.mark.parametrize(
    "name", [name for name in SHAPES if name.endswith("lines-plain-0-project")]
)
def test_init_twice_changes_nothing(name: str) -> None:
    made, _ = trip(SHAPES[name])
    assert plan.adopt(project(made)).status == "done"


def test_a_byte_order_mark_stays() -> None:
    text = '\ufeff[build-system]\nrequires = ["a"]\nbuild-backend = "mesonpy"\n'
    changes = plan.adopt(project(text[1:])).changes
    assert edit.apply(text, changes).startswith(
        '\ufeff[build-system]\nrequires = ["a", "manyshim"]'
    )


WRITTEN = {
    "one line": ('["b"]', '["b", "manyshim"]'),
    "a comma at the end": ('["b",]', '["b", "manyshim",]'),
    "spaces": ('[ "b" ]', '[ "b", "manyshim" ]'),
    "other quotes": ("['b']", "['b', 'manyshim']"),
    "lines": ('[\n  "b",\n]', '[\n  "b",\n  "manyshim",\n]'),
    "no comma": ('[\n\t"b"\n]', '[\n\t"b",\n\t"manyshim"\n]'),
    "comment": (
        '[\n  "b",  # why, "x"\n  # end\n]',
        '[\n  "b",  # why, "x"\n  "manyshim",\n  # end\n]',
    ),
    "comment, no comma": ('[\n  "b" # why\n]', '[\n  "b", # why\n  "manyshim"\n]'),
    "two in the last line": ('[\n "a", "b",\n]', '[\n "a", "b", "manyshim",\n]'),
    "brackets in a text": ('["b[x,y]>1"]', '["b[x,y]>1", "manyshim"]'),
}


@pytest.mark.parametrize(("before", "after"), WRITTEN.values(), ids=WRITTEN)
def test_the_list_keeps_its_form(before: str, after: str) -> None:
    text = f'[build-system]\nrequires = {before} # end\nbuild-backend = "b"\n'
    made, back = trip(text)
    assert f"requires = {after} # end\n" in made
    assert back == text


OTHER_FORMS = {
    "inline table": 'build-system = { requires = ["a"], build-backend = "mesonpy" }\n',
    "dotted keys": 'build-system.requires = ["a"]\nbuild-system.build-backend = "b"\n',
    "dotted tool": '[build-system]\nrequires = ["a"]\nbuild-backend = "b"\n[tool]\nx.y = 1\n',
}


@pytest.mark.parametrize("text", OTHER_FORMS.values(), ids=OTHER_FORMS)
def test_other_forms_of_tables(text: str) -> None:
    made, back = trip(text)
    system = pyproject.parse(made)["build-system"]
    assert system == {"requires": ["a", "manyshim"], "build-backend": "manyshim.backend"}
    assert back == text


@pytest.mark.parametrize("end", ["", "\n"])
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_a_table_that_stands_apart_from_its_subtables(end: str, newline: str) -> None:
    text = f'[build-system]\nrequires = ["a"]\nbuild-backend = "b"\n[tool.manyshim.x]\ny = 1{end}'
    text = text.replace("\n", newline)
    made, back = trip(text)
    assert pyproject.parse(made)["tool"]["manyshim"] == {"x": {"y": 1}, "backend": "b"}
    assert back == text


REFUSED = {
    "inline own table": '[build-system]\nrequires = ["a"]\nbuild-backend = "b"\n'
    "[tool]\nmanyshim = {}\n",
    "dotted own table": '[build-system]\nrequires = ["a"]\nbuild-backend = "b"\n'
    '[tool]\nmanyshim.platform = "auto"\n',
    "dotted requires": 'build-system.requires = ["a"]\n[project]\nname = "x"\n',
}


@pytest.mark.parametrize("text", REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_changed_is_left_to_the_user(text: str) -> None:
    changes = plan.adopt(project(text)).changes
    with pytest.raises(ConfigError) as error:
        edit.apply(text, changes)
    assert "build-system.requires: add 'manyshim'" in str(error.value)
