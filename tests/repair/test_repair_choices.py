"""What may be copied, what stays outside, and what is said and done then."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from typing import Any, Dict

import pytest

from elfbuilding import needs_gcc
from repairing import NAME, WAYS, Place, facts, members, shared, unpacked

pytestmark = needs_gcc


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path / "place")


def cuda(place: Place) -> bytes:
    """Make a wheel that needs a stand-in for a driver's library, and a plain one."""
    shared(place.libs / "libcuda.so.1", "int cuInit(int flags) { return flags + 1; }")
    shared(place.libs / "libdeep.so.1", "int deep(void) { return 3; }")
    top = shared(
        place.folder / "top" / "libtop.so",
        "int deep(void); int cuInit(int); int top(void) { return deep() + cuInit(4); }",
        *(f"-L{place.libs}", "-l:libdeep.so.1", "-l:libcuda.so.1"),
    )
    return place.pack({"demo/libtop.so": top})


@WAYS
def test_an_empty_bundle_copies_nothing_and_says_what_would_be_needed(
    place: Place, way: str
) -> None:
    data = place.simple()
    said = place.stays(way, place.run(way, {"bundle": [""]}), data)
    assert "libdeep.so.1 stays outside: bundle does not name it" in said
    assert "copies" not in said


def test_an_empty_bundle_in_the_table(place: Place) -> None:
    data = place.simple()
    with (place.project / "pyproject.toml").open("a") as file:
        file.write("bundle = []\n")
    for way in ("hook", "build"):
        said = place.stays(way, place.run(way), data)
        assert "libdeep.so.1 stays outside: bundle does not name it" in said


@WAYS
def test_what_is_neither_copied_nor_excluded_is_named(place: Place, way: str) -> None:
    """With two libraries of which one is missing nothing is copied: it would be no better."""
    data = cuda(place)
    (place.libs / "libdeep.so.1").unlink()
    said = place.stays(way, place.run(way), data)
    assert "libdeep.so.1 stays outside: it is not found" in said
    assert "demo/libtop.so needs libdeep.so.1" in said
    assert re.search("would copy .*/libcuda.so.1 as demo.libs/libcuda-", said)
    assert "nothing is copied: no policy would hold with that" in said
    assert not re.search("(: |  )copies ", said)
    assert "stays as it is" in said or way == "cli"
    (place.libs / "libdeep.so.1").write_bytes(b"no library")
    if way != "cli":
        (place.dist / NAME).unlink()
    said = place.stays(way, place.run(way), data)
    assert f"passed over: {place.libs}/libdeep.so.1 is no ELF file" in said


def test_strict_makes_a_failure_of_it(place: Place) -> None:
    data = place.simple()
    (place.libs / "libdeep.so.1").unlink()
    for way, code in (("hook", 1), ("build", 1)):
        done = place.run(way, {"strict": ["true"]})
        said = done.stdout + done.stderr
        assert (done.returncode, place.wheels()) == (code, []), said
        assert said.count("manyshim: error: ") == 1
        assert "libdeep.so.1 stays outside: it is not found" in said
    done = place.run("cli", {"strict": [""]})
    assert (done.returncode, place.wheels()) == (1, [])
    assert place.source.read_bytes() == data


@WAYS
def test_an_excluded_driver_lets_the_tag_through(place: Place, way: str, tmp_path: Path) -> None:
    cuda(place)
    report = place.folder / "report.json"
    # It is mere information: of the report, and of a command that is asked to say more.
    more = {"verbose": ["-v"]} if way == "cli" else {"report": [str(report)]}
    finished, said = place.repaired(way, {"exclude": ["libcuda.so.*"], **more})
    told = said if way == "cli" else report.read_text()
    assert "EXCLUDED" in told
    assert "needs libcuda.so.1, which the environment provides" in told
    held = members(finished)
    copies = [name for name in held if name.startswith("demo.libs/")]
    assert [name.split("/")[1].split("-")[0] for name in copies] == ["libdeep"]
    found = facts(unpacked(finished, tmp_path / "tree") / "demo" / "libtop.so")
    assert found.needed[:2] == (copies[0].split("/")[1], "libcuda.so.1")
    bill: Dict[str, Any] = json.loads(held["demo-1.0.dist-info/sboms/manyshim.cdx.json"])
    assert [one["name"] for one in bill["components"]] == ["libdeep.so.1"]


@WAYS
def test_where_no_path_leads_to_the_copies_nothing_is_copied(place: Place, way: str) -> None:
    """From the data folder, which lies elsewhere in each installation."""
    place.simple()
    top = place.folder / "top" / "libtop.so"
    data = place.pack({"demo-1.0.data/data/lib/libtop.so": top})
    said = place.stays(way, place.run(way), data)
    assert re.search("would copy .*/libdeep.so.1 as demo.libs/libdeep-", said)
    assert "nothing is copied: no policy would hold with that" in said


def test_a_dry_run_says_which_policy_each_copy_costs(place: Place) -> None:
    data = cuda(place)
    command = [*place.command("cli", {"library-path": [str(place.libs)]}), "--dry-run", "--json"]
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, env=place.environment()
    )
    assert done.returncode == 0, done.stderr
    (told,) = json.loads(done.stdout)["wheels"]
    assert {Path(copy["source"]).name for copy in told["plan"]["copies"]} == {
        "libcuda.so.1",
        "libdeep.so.1",
    }
    assert place.wheels() == []
    assert place.source.read_bytes() == data
