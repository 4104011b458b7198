"""Which libraries are copied, which are not, and what the output says about them."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from typing import Any, Dict

import pytest

from commandline import run
from elfbuilding import needs_gcc
from repairing import NAME, WAYS, RepairProject, facts, members, shared, unpacked

pytestmark = needs_gcc


@pytest.fixture
def project(tmp_path: Path) -> RepairProject:
    return RepairProject(tmp_path / "project")


def cuda(project: RepairProject) -> bytes:
    """Make a wheel that needs a substitute for a driver's library, and an ordinary library."""
    shared(project.libs / "libcuda.so.1", "int cuInit(int flags) { return flags + 1; }")
    shared(project.libs / "libdeep.so.1", "int deep(void) { return 3; }")
    top = shared(
        project.folder / "top" / "libtop.so",
        "int deep(void); int cuInit(int); int top(void) { return deep() + cuInit(4); }",
        *(f"-L{project.libs}", "-l:libdeep.so.1", "-l:libcuda.so.1"),
    )
    return project.pack({"demo/libtop.so": top})


@WAYS
def test_an_empty_bundle_copies_nothing_and_reports_the_library(
    project: RepairProject, way: str
) -> None:
    data = project.simple()
    output = project.stays(way, project.run(way, {"bundle": [""]}), data)
    assert "libdeep.so.1 is not copied: no pattern of bundle matches it" in output
    assert "copies" not in output


def test_an_empty_bundle_in_the_table(project: RepairProject) -> None:
    data = project.simple()
    with (project.root / "pyproject.toml").open("a") as file:
        file.write("bundle = []\n")
    for way in ("hook", "build"):
        output = project.stays(way, project.run(way), data)
        assert "libdeep.so.1 is not copied: no pattern of bundle matches it" in output


@WAYS
def test_a_library_that_is_neither_copied_nor_excluded_is_reported(
    project: RepairProject, way: str
) -> None:
    """If one of two libraries is missing, copying the other would not help."""
    data = cuda(project)
    (project.libs / "libdeep.so.1").unlink()
    output = project.stays(way, project.run(way), data)
    assert "libdeep.so.1 is not copied: it was not found" in output
    assert "demo/libtop.so needs libdeep.so.1" in output
    assert re.search("would copy .*/libcuda.so.1 as demo.libs/libcuda-", output)
    assert "not repaired: even with these changes, the wheel meets no policy" in output
    assert not re.search("(: |  )copies ", output)
    assert "stays as it is" in output or way == "cli"
    (project.libs / "libdeep.so.1").write_bytes(b"no library")
    if way != "cli":
        (project.dist / NAME).unlink()
    output = project.stays(way, project.run(way), data)
    assert f"skipped: {project.libs}/libdeep.so.1 is not an ELF file" in output


def test_strict_fails_if_a_library_is_missing(project: RepairProject) -> None:
    data = project.simple()
    (project.libs / "libdeep.so.1").unlink()
    for way, code in (("hook", 1), ("build", 1)):
        done = project.run(way, {"strict": ["true"]})
        output = done.stdout + done.stderr
        assert (done.returncode, project.wheels()) == (code, []), output
        assert output.count("manyshim: error: ") == 1
        assert "libdeep.so.1 is not copied: it was not found" in output
    done = project.run("cli", {"strict": [""]})
    assert (done.returncode, project.wheels()) == (1, [])
    assert project.source.read_bytes() == data


@WAYS
def test_an_excluded_driver_does_not_prevent_the_tag(
    project: RepairProject, way: str, tmp_path: Path
) -> None:
    cuda(project)
    report_file = project.folder / "report.json"
    # An informational finding is only in the report, and in the output with --verbose.
    more = {"verbose": ["-v"]} if way == "cli" else {"report": [str(report_file)]}
    finished, output = project.repaired(way, {"exclude": ["libcuda.so.*"], **more})
    report = output if way == "cli" else report_file.read_text()
    assert "EXCLUDED" in report
    assert "needs libcuda.so.1, which the environment provides" in report
    held = members(finished)
    copies = [name for name in held if name.startswith("demo.libs/")]
    assert [name.split("/")[1].split("-")[0] for name in copies] == ["libdeep"]
    found = facts(unpacked(finished, tmp_path / "tree") / "demo" / "libtop.so")
    assert found.needed[:2] == (copies[0].split("/")[1], "libcuda.so.1")
    sbom: Dict[str, Any] = json.loads(held["demo-1.0.dist-info/sboms/manyshim.cdx.json"])
    assert [one["name"] for one in sbom["components"]] == ["libdeep.so.1"]


@WAYS
def test_nothing_is_copied_if_no_path_leads_to_the_copies(project: RepairProject, way: str) -> None:
    """The data folder has another place relative to the copies in each installation."""
    project.simple()
    top = project.folder / "top" / "libtop.so"
    data = project.pack({"demo-1.0.data/data/lib/libtop.so": top})
    output = project.stays(way, project.run(way), data)
    assert re.search("would copy .*/libdeep.so.1 as demo.libs/libdeep-", output)
    assert "not repaired: even with these changes, the wheel meets no policy" in output


def test_a_dry_run_lists_the_copies_and_writes_nothing(project: RepairProject) -> None:
    data = cuda(project)
    command = [
        *project.command("cli", {"library-path": [str(project.libs)]}),
        "--dry-run",
        "--json",
    ]
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, env=project.environment()
    )
    assert done.returncode == 0, done.stderr
    (report,) = json.loads(done.stdout)["wheels"]
    assert {Path(copy["source"]).name for copy in report["plan"]["copies"]} == {
        "libcuda.so.1",
        "libdeep.so.1",
    }
    assert project.wheels() == []
    assert project.source.read_bytes() == data


@pytest.mark.parametrize("where", ["member", "copy"])
def test_a_dry_run_tells_what_cannot_be_patched(project: RepairProject, where: str) -> None:
    """The code of a file with data at its end may look for them there."""
    project.simple()
    path = project.libs / "libdeep.so.1" if where == "copy" else project.folder / "top/libtop.so"
    path.write_bytes(path.read_bytes() + b"PAYLOAD")
    project.pack({"demo/libtop.so": project.folder / "top" / "libtop.so"})
    options = ("--library-path", str(project.libs))
    predicted = run("repair", "--dry-run", project.source, *options)
    done = run("repair", project.source, "-w", project.dist, *options)
    (reason,) = re.findall("not repaired: .* cannot be patched: its last 7 bytes .*", done.stdout)
    assert reason in predicted.stdout
    assert (predicted.returncode, done.returncode) == (1, 1)
    assert "would stay as it is" in predicted.stdout
    assert project.wheels() == []
