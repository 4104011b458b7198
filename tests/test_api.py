"""The Python API: the same answers as the command line, as typed values."""

from __future__ import annotations

import inspect
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any, List, get_type_hints

import pytest

import manyshim
from commandline import run
from elfwriter import Elf, Symbol, write
from layers import modules
from manyshim import (
    CheckResult,
    ConfigError,
    Finding,
    InvalidWheelError,
    ManyshimError,
    Place,
    Report,
    ToolError,
    audit_wheel,
    check_files,
)
from manyshim.formatters.json import failure
from paths import BACKEND, REPOSITORY
from strict_index_samples import sdist
from wheelwriter import save, wheel, wheel_name

LINUX = "cp311-cp311-linux_x86_64"
MEMBER = "demo/_x.cpython-311-x86_64-linux-gnu.so"
INIT = Symbol("PyInit__x", defined=True)
NEW = Symbol("pidfd_open", "libc.so.6", "GLIBC_2.36")


def put(folder: Path, tag: str = LINUX, *symbols: Symbol) -> Path:
    elf = write(Elf(needed=("libc.so.6",), symbols=(INIT, *symbols)))
    return save(folder, wheel({MEMBER: elf}, tag=tag), wheel_name("demo", "1.0", tag))


def test_a_report_has_what_the_json_has(tmp_path: Path) -> None:
    path = put(tmp_path, LINUX, NEW)
    (data,) = json.loads(run("show", "--json", path).stdout)["wheels"]
    report = audit_wheel(path)
    assert isinstance(report, Report)
    assert (report.name, report.file) == (path.name, str(path))
    assert report.tag == "manylinux_2_36_x86_64"
    assert "Debian 12" in report.runs_on
    assert "Debian 11" in report.not_on
    assert report.platforms == ("linux_x86_64",)
    other_names = {"wheel", "claimed"}
    written_only = {"written", "notes", "internal"}
    assert set(data) - written_only - other_names == set(Report._fields) - {"name", "platforms"}
    for key in set(data) - written_only - other_names - {"findings", "blocked"}:
        value = getattr(report, key)
        assert (list(value) if isinstance(value, tuple) else value) == data[key], key
    assert [set(one) for one in data["findings"]] == [set(Finding._fields)] * len(report.findings)
    assert [one["message"] for one in data["findings"]] == [one.message for one in report.findings]


def test_what_would_hold_without_a_blocker(tmp_path: Path) -> None:
    report = audit_wheel(put(tmp_path, LINUX, NEW))
    assert report.blocked is not None
    assert report.blocked.policy == "manylinux_2_35_x86_64"
    assert report.blocked.without == "manylinux_2_5_x86_64"
    assert [one.symbols for one in report.blocked.findings] == [("pidfd_open",)]
    assert set(report.blocked.findings) <= set(report.findings)


def test_an_unlisted_policy_that_is_refused(tmp_path: Path) -> None:
    """What it allows does not block it, and without the blockers it holds."""
    path = put(tmp_path, LINUX, NEW, Symbol("exp", "libm.so.6", "GLIBC_2.29"))
    blocked = audit_wheel(path, platform="manylinux_2_30").blocked
    assert blocked is not None
    assert [one.symbols for one in blocked.findings] == [("pidfd_open",)]
    assert (blocked.policy, blocked.without) == ("manylinux_2_30_x86_64",) * 2


@pytest.mark.parametrize("explain", ["never", None, 1])
def test_explain_is_true_or_false(explain: Any, tmp_path: Path) -> None:
    path = put(tmp_path)
    with pytest.raises(ConfigError, match="give True or False"):
        audit_wheel(path, explain=explain)
    with pytest.raises(ConfigError, match="give True or False"):
        check_files(path, explain=explain)


def test_the_options_are_those_of_the_command_line(tmp_path: Path) -> None:
    path = put(tmp_path, LINUX, NEW)
    assert audit_wheel(path, platform="manylinux_2_28").tag is None
    assert audit_wheel(path, platform="manylinux_2_39").tag == "manylinux_2_39_x86_64"
    assert audit_wheel(str(path), naming="exact").tag == "manylinux_2_36_x86_64"
    bad = put(tmp_path, "cp311-cp311-manylinux_2_17_x86_64", NEW)
    (found,) = check_files(bad).files[0].errors
    assert (found.kind, found.allowed) == ("FALSE_TAG", False)
    for allow in ("FALSE_TAG:*", "RECORD:x,FALSE_TAG:*", ["FALSE_TAG:*"]):
        allowed = check_files(bad, allow=allow)
        assert allowed.exit_code == 0
        assert [one.allowed for one in allowed.files[0].findings if one.kind == "FALSE_TAG"] == [
            True
        ]


WRONG: List[Any] = [
    {"platform": "manylinux_x"},
    {"allow": ["TOO_NEW"]},
    {"allow": "NO_SUCH_KIND:*"},
    {"naming": "other"},
    {"explain": "never"},
    {"strict": 0},
    {"exclude": None},
    {"allow": [1]},
]


@pytest.mark.parametrize("options", WRONG, ids=str)
def test_a_wrong_argument(options: Any, tmp_path: Path) -> None:
    path = put(tmp_path)
    for function in (audit_wheel, check_files):
        with pytest.raises(ConfigError) as caught:
            function(path, **options)
        assert next(iter(options)) in str(caught.value)


def test_a_release(tmp_path: Path) -> None:
    good = put(tmp_path, "cp311-cp311-manylinux_2_17_x86_64")
    members = {"demo-1.1/PKG-INFO": b"Metadata-Version: 2.1\nName: demo\nVersion: 1.1\n"}
    (tmp_path / "demo-1.1.tar.gz").write_bytes(sdist(members))
    (tmp_path / "notes.txt").write_text("")
    broken = tmp_path / "demo-1.0-cp312-cp312-manylinux_2_17_x86_64.whl"
    broken.write_bytes(b"no archive")
    result = check_files([tmp_path])
    assert isinstance(result, CheckResult)
    assert [one.name for one in result.files] == sorted([good.name, broken.name, "demo-1.1.tar.gz"])
    errors = {one.name: one.error for one in result.files}
    assert "not a zip file" in str(errors.pop(broken.name))
    assert set(errors.values()) == {None}
    (found,) = result.sets
    assert (found.project, found.versions) == ("demo", ("1.0", "1.1"))
    assert [one.kind for one in found.findings] == ["INCOMPLETE_SET"]
    assert result.exit_code == 3 == run("check", tmp_path).returncode
    assert check_files(good).exit_code == 0 == run("check", good).returncode
    assert check_files(good).sets == ()
    assert check_files(good, like=tmp_path).sets != ()


def test_what_cannot_be_read(tmp_path: Path) -> None:
    broken = tmp_path / wheel_name("demo", "1.0", LINUX)
    broken.write_bytes(b"no archive")
    with pytest.raises(InvalidWheelError, match="not a zip file"):
        audit_wheel(broken)
    (tmp_path / "empty").mkdir()
    (tmp_path / "dist").mkdir()
    good = put(tmp_path / "dist", "cp311-cp311-manylinux_2_17_x86_64")
    result = check_files([tmp_path / "empty", tmp_path / "dist", tmp_path / "*.egg"])
    empty, other, pattern = result.files
    assert "no wheel and no sdist in this folder" in str(empty.error)
    assert (other.name, other.error) == (good.name, None)
    assert "no wheel and no sdist matches" in str(pattern.error)
    assert result.exit_code == 3
    with pytest.raises(ConfigError, match="no file was given"):
        check_files([])
    absent = check_files(tmp_path / "absent-1.0-py3-none-any.whl")
    assert absent.exit_code == run("check", tmp_path / "absent-1.0-py3-none-any.whl").returncode
    for error in (ConfigError, InvalidWheelError, ToolError):
        assert issubclass(error, ManyshimError)


def test_nothing_is_printed(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    audit_wheel(put(tmp_path, LINUX, NEW), exclude=["libnothing.so"])
    check_files(tmp_path)
    assert capfd.readouterr() == ("", "")


def test_importing_the_package_loads_nothing() -> None:
    code = (
        "import sys; before = set(sys.modules); import manyshim; dir(manyshim); "
        "print(*sorted(one for one in set(sys.modules) - before if 'manyshim' in one))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=BACKEND
    )
    assert done.stdout.split() == ["manyshim"]


def test_the_public_names() -> None:
    """`import manyshim.audit` would rebind a name that is a module's, too."""
    assert manyshim.__all__ == sorted(manyshim.__all__)
    own = {name.split(".")[0] for name in modules(BACKEND / "manyshim")}
    assert not own & set(manyshim.__all__)
    assert set(manyshim.__all__) <= set(dir(manyshim))
    for name in manyshim.__all__:
        assert getattr(manyshim, name).__doc__, name
    with pytest.raises(AttributeError, match="no attribute 'audit_wheels'"):
        _ = manyshim.audit_wheels  # type: ignore[attr-defined]


# What may not change before the next major version; new names may be added at the end.
SIGNATURES = {
    "audit_wheel": ["path", "platform", "exclude", "allow", "strict", "naming", "explain"],
    "check_files": ["paths", "like", "platform", "exclude", "allow", "strict", "naming", "explain"],
}
FIELDS = {
    "Place": ["symbol", "file", "line", "function"],
    "Finding": [
        *("kind", "severity", "path", "policy", "subject", "library", "symbols", "places"),
        *("allowed", "message", "fix"),
    ],
    "Blocked": ["policy", "without", "findings"],
    "Report": [
        *(
            "name",
            "file",
            "platforms",
            "arch",
            "libc",
            "policy",
            "tag",
            "tags",
            "reason",
            "runs_on",
            "not_on",
        ),
        *("external", "musl_minimum", "findings", "blocked", "error", "right_tags"),
    ],
    "ReleaseSet": ["project", "versions", "findings"],
    "CheckResult": ["files", "sets", "exit_code"],
}


def test_the_promise_is_kept() -> None:
    for name, arguments in SIGNATURES.items():
        parameters = inspect.signature(getattr(manyshim, name)).parameters
        assert list(parameters)[: len(arguments)] == arguments
        first, *rest = parameters.values()
        assert first.default is inspect.Parameter.empty
        assert all(one.kind == inspect.Parameter.KEYWORD_ONLY for one in rest)
        assert all(one.default is not inspect.Parameter.empty for one in rest)
    for name, fields in FIELDS.items():
        made = getattr(manyshim, name)
        assert list(made._fields)[: len(fields)] == fields
        assert list(get_type_hints(made)) == list(made._fields)


def test_a_place_is_read_from_json() -> None:
    from manyshim import api

    row = {"symbol": "x", "file": "src/_x.c", "line": 3, "function": None}
    data = failure("demo.whl", "", internal=False)
    found = {**dict.fromkeys(Finding._fields), "symbols": ["x"], "places": [row]}
    report = api._report({**data, "findings": [found]})  # noqa: SLF001 (a place needs a compiler)
    assert report.findings[0].places == (Place("x", "src/_x.c", 3, None),)


def test_the_page_has_each_name_and_each_field() -> None:
    page = (REPOSITORY / "docs" / "api.md").read_text("utf-8")
    for name in {*manyshim.__all__} - {"__version__"}:
        assert re.search(rf"`{name}[`(]", page), name
    for name, fields in FIELDS.items():
        row = next(
            line for line in page.splitlines() if re.search(rf"`{name}`.*`{fields[0]}`", line)
        )
        assert all(f"`{field}`" in row for field in fields), name
    for name, arguments in SIGNATURES.items():
        assert f"`{name}({arguments[0]}, *, {', '.join(arguments[1:])})`" in page
