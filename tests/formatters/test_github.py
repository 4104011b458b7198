"""Annotations and the summary of GitHub Actions: what its runner and its page make of them.

There is no schema of workflow commands. `parse` is the grammar that the runner documents: a line
that begins with `::`, the command's name, a space and its properties, `::`, and the data.
"""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from typing import Any, Dict, List, NamedTuple, Optional, Tuple
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

import needs
from manyshim.audit import findings as f
from manyshim.audit.findings import KINDS
from manyshim.errors import escape
from manyshim.formatters import github
from manyshim.formatters.github import step_summary, workflow_commands
from runobjects import (
    HOSTILE,
    LONG,
    PURE,
    UNPROVED,
    WHEEL,
    a_set,
    everything,
    made,
    of_check,
    of_show,
    place,
    row,
    sdist,
    unreadable,
    wheel,
)

MEBIBYTE = 1 << 20
_TOOLKIT = "@actions/core@1.11.1"
_SCRIPT = """
const core = require("@actions/core");
for (const [name, { title, file, line }, data] of JSON.parse(require("fs").readFileSync(0)))
  core[name](data, { title, file, startLine: line });
"""
MEMBER = "pkg/_x.cpython-311-x86_64-linux-gnu.so"


class Command(NamedTuple):
    """A workflow command as the runner reads it."""

    name: str
    properties: Dict[str, str]
    data: str


def parse(line: str) -> Command:
    """Read a line as the runner does; raise AssertionError if it is no command."""
    found = re.fullmatch(r"::(?P<name>[a-z]+)(?: (?P<properties>.*?))?::(?P<data>.*)", line)
    assert found, line
    properties = {}
    for one in filter(None, (found["properties"] or "").split(",")):
        key, equals, value = one.partition("=")
        assert equals
        assert key not in properties
        properties[key] = unescape(value, {"%0D": "\r", "%0A": "\n", "%3A": ":", "%2C": ","})
    return Command(found["name"], properties, unescape(found["data"], {"%0D": "\r", "%0A": "\n"}))


def unescape(text: str, escapes: Dict[str, str]) -> str:
    """Reverse escapes; that of the percent sign is the last, as in the runner."""
    for escaped, character in escapes.items():
        text = text.replace(escaped, character)
    return text.replace("%25", "%")


def locate(file: str) -> Optional[str]:
    """Find the source files of a repository; one has a name that needs escapes."""
    return {"src/_x.c": "src/_x.c", "/copy/src/_x.c": "src/_x.c", "odd": "a,b:c%0A.c"}.get(file)


def of(*findings: Dict[str, Any], **changes: Any) -> List[Command]:
    return list(map(parse, workflow_commands(of_show(wheel(*findings, **changes)), locate)))


@pytest.mark.parametrize("data", [everything(), of_show(), of_check(), of_check(wheel())])
def test_each_line_is_a_command(data: Dict[str, Any]) -> None:
    lines = workflow_commands(data, locate)
    for line in lines:
        assert line.isprintable()
        assert line.encode()
        command = parse(line)
        assert command.name in ("error", "warning", "notice")
        assert command.properties.keys() <= {"file", "line", "title"}
        assert all(one.isprintable() for one in command.data.split("\n"))
    for name in ("error", "warning", "notice"):
        assert sum(line.startswith(f"::{name}") for line in lines) <= 10


@pytest.mark.full
@pytest.mark.network
def test_the_toolkit_escapes_in_the_same_way(tmp_path: Path) -> None:
    """GitHub's own package writes the same command, but for the order of the properties."""
    npm, node = needs.tool("npm", "npm"), needs.tool("node", "nodejs")
    install = [npm, "install", "--silent", "--prefix", str(tmp_path), _TOOLKIT]
    subprocess.run(install, check=True, timeout=540, cwd=tmp_path)
    lines = workflow_commands(everything(), locate)
    lines += [line for text in ("a%0A,:=b", "::x::", "%25") for line in _written(text)]
    commands = list(map(parse, lines))
    done = subprocess.run(
        [node, "-e", _SCRIPT],
        input=json.dumps(commands),
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
        cwd=tmp_path,
    )
    own = [_unordered(line) for line in lines]
    assert [_unordered(line) for line in done.stdout.splitlines()] == own


def _written(file: str) -> List[str]:
    data = of_show(wheel(row(made("ISA"), place(file))))
    return workflow_commands(data, lambda name: name)


def _unordered(line: str) -> Tuple[str, List[str], str]:
    begin, head, data = line.split("::", 2)
    assert not begin
    name, _, properties = head.partition(" ")
    return name, sorted(properties.split(",")), data


def test_an_error_is_at_its_source_line() -> None:
    places = (place("/copy/src/_x.c", 42), place("/gone.c"), place("odd", 1, "b", None))
    found = row(made("NEEDED_PATH"), *places)
    first, second = of(found)
    assert first.name == "error"
    assert first.properties == {"file": "src/_x.c", "line": "42", "title": "NEEDED_PATH"}
    assert first.data.split("\n") == [
        f"{MEMBER} {found['message']} [NEEDED_PATH]",
        "give the library a soname (-Wl,-soname) and link it with -l",
        "this line uses one in helper()",
        f"found in {WHEEL}",
    ]
    assert second.properties == {"file": "a,b:c%0A.c", "line": "1", "title": "NEEDED_PATH"}
    assert "this line uses b\n" in second.data


def test_without_a_source_line_the_message_has_the_wheel_and_the_member() -> None:
    (command,) = of(row(made("NEEDED_PATH"), place("/gone.c"), place("src/_x.c", 0)))
    assert command.properties == {"title": "NEEDED_PATH"}
    assert command.data.startswith(f"{WHEEL}: {MEMBER} needs ")


@pytest.mark.parametrize(
    ("found", "names"),
    [
        (made("ISA"), ["error"]),
        (made("RECORD"), ["warning"]),
        (made("RECORD", severity=f.ERROR), ["error"]),
        (made("ISA", allowed=True, severity=f.WARNING), ["warning"]),
        (made("TOO_NEW"), []),
        (made("STATIC_TLS"), []),
    ],
)
def test_the_severity_decides(found: f.Finding, names: List[str]) -> None:
    assert [command.name for command in of(row(found))] == names


def test_what_blocks_an_older_tag_is_a_notice_of_show_alone() -> None:
    blocked = {"policy": "manylinux_2_17_x86_64", "without": None, "findings": [1]}
    one = wheel(
        row(made("EXTERNAL_LIBRARY")), row(made("TOO_NEW"), place("src/_x.c")), blocked=blocked
    )
    (command,) = map(parse, workflow_commands(of_show(one), locate))
    assert command.name == "notice"
    assert command.properties["title"] == "TOO_NEW"
    assert command.properties["file"] == "src/_x.c"
    assert workflow_commands(of_check(one), locate) == []


def test_wheels_share_the_annotation_of_a_line() -> None:
    """The wheels of five Pythons have one source."""
    names = [f"demo-1.0-cp3{minor}-cp3{minor}-linux_x86_64.whl" for minor in range(9, 14)]
    wheels = [
        wheel(row(made("ISA", path=f"_x.{name}.so"), place("src/_x.c", 3, symbol)), name=name)
        for name, symbol in zip(names, ("one", "one", "two", "one", "one"))
    ]
    (command,) = map(parse, workflow_commands(of_show(*wheels), locate))
    assert "this line uses one in helper(), two in helper()\n" in command.data
    assert command.data.endswith(f"found in {', '.join(names[:3])} and 2 more")
    others = [wheel(row(made("ISA")), name=name) for name in names]
    (command,) = map(parse, workflow_commands(of_show(*others), locate))
    assert command.data.startswith(f"{', '.join(names[:3])} and 2 more: pkg/")


@pytest.mark.parametrize(("count", "more"), [(10, 0), (11, 2), (200, 191)])
def test_more_than_github_shows_is_one_line(count: int, more: int) -> None:
    errors = [row(made("ISA", path=f"{number}.so")) for number in range(count)]
    last = row(made("ABI3"), place("src/_x.c"))
    commands = of(*errors[1:], last, row(made("RECORD")))
    assert [command.name for command in commands] == ["error"] * 10 + ["warning"]
    # Those with a line come first.
    assert commands[0].properties["title"] == "ABI3"
    if more:
        assert commands[9].data == f"and {more} more errors; --format text prints all of them"
    else:
        assert commands[9].properties


def test_files_without_a_verdict_are_errors() -> None:
    data = of_check(unreadable(f"{WHEEL}: no zip archive\nmore"), unreadable("x", internal=True))
    first, second = map(parse, workflow_commands(data, locate))
    assert first == Command("error", {"title": "UNREADABLE"}, f"{WHEEL}: no zip archive\nmore")
    assert second == Command("error", {"title": "INTERNAL_ERROR"}, f"{WHEEL}: x")


def test_sets_and_sdists_have_annotations() -> None:
    data = of_check(
        sdists=[sdist(row(made("SDIST", path="")))],
        sets=[a_set(row(made("INCOMPLETE_SET", path="demo-1.0-py3-none-any.whl")))],
    )
    first, second = map(parse, workflow_commands(data, locate))
    assert first.data.startswith("demo-1.0.tar.gz: ")
    assert second.data.startswith("the files of demo: demo-1.0-py3-none-any.whl ")


def test_hostile_names_stay_in_their_place() -> None:
    for command in of(*(row(made(kind, HOSTILE), place("odd")) for kind in KINDS), name=HOSTILE):
        assert command.properties.get("file") in ("a,b:c%0A.c", None)
        assert command.properties.get("title") in (*KINDS, None)
        assert r"\n::error::x\r" in command.data or "more" in command.data
    (command,) = of(row(made("ISA", LONG)))
    assert len(command.data) < 2000


def html(text: str) -> ET.Element:
    """Render a summary with GitHub's own reader of Markdown, without any filter."""
    needs.module("cmarkgfm", since=(3, 10))
    import cmarkgfm
    from cmarkgfm.cmark import Options

    rendered = cmarkgfm.github_flavored_markdown_to_html(text, Options.CMARK_OPT_UNSAFE)
    return ET.fromstring(f"<body>{rendered}</body>")  # noqa: S314 (it is our own)


def cells(text: str) -> List[List[str]]:
    """Return the cells of the table, with the lines of each."""
    rows = html(text).findall("table/tbody/tr")
    return [["".join(cell.itertext()) for cell in one.findall("td")] for one in rows]


def test_the_summary_is_a_table() -> None:
    data = of_check(
        wheel(row(made("NEEDED_PATH")), row(made("TOO_NEW")), row(made("RECORD"))),
        wheel(name="ok-1.0-py3-none-any.whl", **PURE),
        wheel(name="no-1.0-py3-none-linux_x86_64.whl", **UNPROVED),
        unreadable("no zip archive"),
        sdists=[sdist()],
        sets=[a_set(row(made("INCOMPLETE_SET", path="x")))],
    )
    table = cells(step_summary(data))
    assert [row[0] for row in table] == [
        WHEEL,
        "ok-1.0-py3-none-any.whl",
        "no-1.0-py3-none-linux_x86_64.whl",
        WHEEL,
        "demo-1.0.tar.gz",
        "the files of demo",
    ]
    assert [row[1] for row in table] == ["manylinux_2_17_x86_64", *([""] * 5)]
    results = [row[2].partition(" ")[2] for row in table]
    assert results == ["not compliant", "ok", "no tag", "not checked", "ok", "not compliant"]
    assert re.match(r"NEEDED_PATH pkg/_x.*needs.*RECORD pkg/", table[0][3])
    assert "TOO_NEW" not in table[0][3]
    assert table[3][3] == "no zip archive"


def test_names_have_no_meaning_in_the_summary() -> None:
    data = of_check(wheel(row(made("NEEDED_PATH", HOSTILE)), name=HOSTILE))
    text = step_summary(data)
    assert all(line.isprintable() for line in text.split("\n"))
    body = html(text)
    assert {one.tag for one in body.iter()} <= {
        *("body", "h3", "table", "thead", "tbody", "tr", "th", "td", "strong", "br")
    }
    ((name, _, _, found),) = cells(text)
    for part in ("::error::x", "]]><b>&amp;|`*_x_*[l](http://e.x){0}", "\\|", "~~s~~", "www.e.x"):
        assert part in name
        assert part in found


CHARACTERS = "\\`*_{}[]()<>#+!|~&:@$^'\"-=.,/; \n\r\t%ab1\u00e9\udcff\0"
WORDS = (
    *("www.", "http://x.y", "a@b.c", ":smile:", "&amp;", "<!--", "-->", "<b>", "]]>"),
    *("::error::", "%0A", "**", "__", "~~", "\\|", "| |"),
)


@given(st.lists(st.sampled_from([*CHARACTERS, *WORDS]), min_size=1, max_size=30).map("".join))
def test_any_name_is_kept(name: str) -> None:
    data = of_show(wheel(row(made("ISA", name), place(name)), name=name, tag=name))
    ((file, tag, _, _),) = cells(step_summary(data))
    assert not list(html(step_summary(data)).iter("a"))
    assert [file.split(), tag.split()] == [escape(name).split()] * 2
    (command,) = workflow_commands(data, lambda file: file)
    assert parse(command).properties["file"] == escape(name)
    assert f"found in {escape(name)}" in parse(command).data


def test_the_summary_has_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    wheels = [wheel(*(row(made("ISA", "\u20ac" * 190)) for _ in range(9))) for _ in range(500)]
    text = step_summary(of_check(*wheels))
    assert 900_000 < len(text.encode()) < MEBIBYTE
    more = re.search(r"\n\nand (\d+) more\n$", text)
    assert more
    assert len(cells(text)) + int(more[1]) == 500
    assert "and 4 more" in cells(text)[0][3]
    monkeypatch.setattr(github, "_MAX_SUMMARY", 100)
    assert step_summary(of_check(*wheels)).endswith("|\n\nand 500 more\n")
