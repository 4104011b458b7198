"""The bench: its rows and bounds, what they need, and how contenders are run."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Iterator, List, Sequence, Set, Tuple, Union

import pytest

import needs
from elfbuilding import LINUX

if sys.version_info < (3, 10):
    pytest.skip("the bench needs Python 3.10", allow_module_level=True)

from bench import __main__ as command
from bench import (
    contenders,
    instructions,
    places,
    plan,
    rows,
    run,
    scale,
    subjects,
    table,
    wheels,
)
from bench.places import FAST, OTHER, PLAIN, THIS, MissingError, Places
from bench.run import Outcome, Run

pytestmark = pytest.mark.skipif(not LINUX, reason="the bench measures processes of Linux")

SAMPLES = {sample.project: sample for sample in wheels.SAMPLES}


@pytest.mark.parametrize(
    ("unit", "own", "peer", "expected"),
    [
        (rows.FASTER, Run(2, 9), Run(30, 9), "15.00x"),
        (rows.SOONER, Run(2, 9), Run(3, 9), "1.50x elapsed"),
        (rows.TIMES, Run(3, 9), Run(2, 9), "1.50"),
        (rows.MEMORY, Run(3, 21.5), Run(2, 9), "21.5 MiB"),
        (rows.MORE, Run(0.5, 9), Run(0.25, 9), "+250.0 ms"),
        (rows.MILLISECONDS, Run(0.5, 9), Run(0.5, 9), "500.0 ms"),
        (rows.MILLIONS, Run(227_880_000, 0), Run(1, 0), "227.9 M"),
    ],
)
def test_units(unit: rows.Unit, own: Run, peer: Run, expected: str) -> None:
    assert unit.text.format(unit.value(own, peer)) == expected


@pytest.mark.parametrize(
    ("amounts", "expected"),
    [((1, 1, 1), "aim"), ((1, 2, 9), "must"), ((3, 3, 1), "SHORT"), ((), "no wheel")],
)
def test_the_verdict_of_a_row_is_that_of_its_median(
    amounts: Tuple[int, ...], expected: str
) -> None:
    row = rows.Row("group", "what", rows.TIMES, "own", "peer", ("a", "b"), must=2, aim=1)
    peers = Outcome([Run(1, 0)] * 3)
    own = Outcome([Run(amount, 0) for amount in amounts], "no wheel" if not amounts else "")
    runs = {("group", "a", "own"): own, ("group", "a", "peer"): peers}
    [line] = rows.lines([row], runs)
    assert (line.subject, line.verdict) == ("a", expected)


def test_rows_name_contenders_and_subjects_that_exist() -> None:
    made = {table.DEBUG, table.GRAFT, table.LARGE, table.SCALE, table.TWENTY, table.PROJECT}
    for row in table.ROWS:
        if row.group == table.INSTRUCTIONS:
            assert set(row.subjects) <= set(instructions.CASES)
            continue
        assert {row.contender, row.peer or row.contender} <= set(contenders.CONTENDERS)
        assert set(row.subjects) <= made | set(SAMPLES)


def test_no_subject_is_twice_in_one_comparison() -> None:
    places = [(row.what, subject) for row in table.ROWS for subject in row.subjects]
    assert len(places) == len(set(places))


def downloads(*patterns: str) -> Set[str]:
    return {sample.project for work in plan.planned(patterns) for sample in work.needs}


def test_a_row_needs_its_wheels_only() -> None:
    assert downloads("check/numpy") == {"numpy"}
    assert downloads("numpy", "audit/ruff") == {"numpy", "ruff"}
    assert downloads("graft", "scale", "debug", "build", "instructions/version") == set()
    assert downloads("instructions/show small") == {"markupsafe"}
    assert len(downloads("jobs")) == 20
    assert "torch" not in downloads("jobs")
    assert downloads("*") == set(SAMPLES)


def test_the_command_downloads_the_wheels_of_the_asked_rows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = []

    def fetch(sample: wheels.Sample, _: str) -> str:
        asked.append(sample.project)
        raise wheels.Absent("no network")

    monkeypatch.setattr(wheels, "fetch", fetch)
    arguments = [
        "bench",
        "--cache",
        str(tmp_path),
        "--only",
        "retag/numpy",
        "--only",
        "check/numpy",
    ]
    monkeypatch.setattr(sys, "argv", arguments)
    assert command.main() == 0
    assert asked == ["numpy"]
    assert "* absent: numpy: no network" in capsys.readouterr().out.splitlines()


def test_list_names_what_would_be_downloaded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    sample = SAMPLES["ruff"]
    folder = tmp_path / f"{sample.project}-{sample.version}-{sample.platform}"
    folder.mkdir()
    (folder / "ruff.whl").touch()
    arguments = ["--cache", str(tmp_path), "--list", "--only", "audit/ruff", "--only", "check/uv"]
    monkeypatch.setattr(sys, "argv", ["bench", *arguments])
    assert command.main() == 0
    said = capsys.readouterr().out
    assert "check/uv: manyshim check, unzip -tq, manyshim[fast] check\n" in said
    assert f"wheel ruff {sample.version}, {sample.size} MB: in the cache\n" in said
    assert f"wheel uv {SAMPLES['uv'].version}, {SAMPLES['uv'].size} MB: to be downloaded\n" in said


def test_rows_of_instructions_say_that_valgrind_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("bench.instructions.shutil.which", lambda _: None)
    arguments = ["--cache", str(tmp_path), "--only", "instructions/version"]
    monkeypatch.setattr(sys, "argv", ["bench", *arguments])
    assert command.main() == 0
    said = capsys.readouterr().out
    row = "| instructions of the whole process | version | 0 | - | - | - | - | - | valgrind is not"
    assert row in said


def test_a_case_that_fails_leaves_the_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def measure(cases: Sequence[str], *_: object) -> Iterator[Tuple[str, str, Union[int, str]]]:
        assert set(cases) == {"version", "help"}
        yield "help", THIS, "exit code 4"
        yield "version", THIS, 120_000_000

    monkeypatch.setattr(instructions, "measure", measure)
    only = ["--only", "instructions/version", "--only", "instructions/help"]
    monkeypatch.setattr(sys, "argv", ["bench", "--cache", str(tmp_path), *only])
    assert command.main() == 0
    said = capsys.readouterr().out
    row = "| instructions of the whole process | "
    assert f"{row}version | 1 | 120.0 M | 120.0 M | 120.0 M | - | - |  |\n" in said
    assert f"{row}help | 0 | - | - | - | - | - | exit code 4 |\n" in said


def test_isal_is_hidden_even_if_it_is_installed(tmp_path: Path) -> None:
    site = tmp_path / "site"
    (site / "isal").mkdir(parents=True)
    (site / "isal" / "__init__.py").touch()
    (site / "isal" / "isal_zlib.py").touch()
    plain = Places(str(tmp_path), str(tmp_path)).path(PLAIN)

    def imports(*paths: str) -> bool:
        environ = {**os.environ, "PYTHONPATH": os.pathsep.join(paths)}
        code = [sys.executable, "-c", "from isal import isal_zlib"]
        return subprocess.run(code, check=False, env=environ, capture_output=True).returncode == 0

    assert imports(str(site))
    assert not imports(plain, str(site))


def test_fast_is_installed_once_in_the_pinned_versions(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    versions = places.pinned()
    assert sorted(versions) == ["deflate", "isal", "zlib-ng"]
    asked: List[List[str]] = []

    def pip(arguments: List[str], **_: Any) -> SimpleNamespace:
        asked.append(arguments)
        os.mkdir(arguments[arguments.index("--target") + 1])
        return SimpleNamespace(returncode=0, stderr="")

    monkeypatch.setattr("bench.places.subprocess.run", pip)
    path = Places(str(tmp_path), str(tmp_path)).path(FAST)
    assert Places(str(tmp_path), str(tmp_path)).path(FAST) == path
    [arguments] = asked
    assert arguments[-3:] == [f"{name}=={version}" for name, version in versions.items()]
    assert os.listdir(tmp_path) == [os.path.basename(path)]


def test_a_failed_installation_is_told_to_each_contender(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    def pip(*arguments: object, **_: Any) -> SimpleNamespace:
        asked.append(arguments)
        return SimpleNamespace(returncode=1, stderr="WARNING: slow\nERROR: no index\n")

    monkeypatch.setattr("bench.places.subprocess.run", pip)
    made = Places(str(tmp_path), str(tmp_path))
    fast = contenders.Contender("fast", lambda *_: [sys.executable, "-c", ""], paths=(FAST,))
    for _ in range(2):
        outcome = run.in_turn([fast], "", run.Rounds(str(tmp_path), made, 3, 60))["fast"]
        assert outcome == Outcome([], "ERROR: no index")
    assert len(asked) == 1


def test_another_checkout_or_a_wheel_of_it(tmp_path: Path) -> None:
    checkout = tmp_path / "checkout"
    package = checkout / "backend" / "manyshim"
    (package / "__pycache__").mkdir(parents=True)
    (package / "backend.py").touch()
    made = Places(str(tmp_path), str(tmp_path / "one"), str(checkout))
    assert os.listdir(os.path.join(made.path(OTHER), "manyshim")) == ["backend.py"]
    wheel = tmp_path / "manyshim-0.1.0-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.write(package / "backend.py", "manyshim/backend.py")
    made = Places(str(tmp_path), str(tmp_path / "two"), str(wheel))
    assert os.listdir(os.path.join(made.path(OTHER), "manyshim")) == ["backend.py"]
    # As long as the other one, because the length of a path counts, too.
    assert len(made.path(THIS)) == len(made.path(OTHER))
    for against, reason in ((None, "no --against"), (str(tmp_path), "is no checkout of manyshim")):
        with pytest.raises(MissingError, match=reason):
            Places(str(tmp_path), str(tmp_path / "three"), against).path(OTHER)


@pytest.mark.parametrize(
    ("measure", "code", "least", "most"),
    [
        (contenders.CPU, "import time; time.sleep(0.5)", 0.001, 0.45),
        (contenders.ELAPSED, "import time; time.sleep(0.5)", 0.5, 60),
        (contenders.SIZE, "import os; open('work/wheel', 'w').write('12345')", 5, 5),
        (contenders.AMOUNT, "print('said', 'before'); print('{\"amount\": 7}')", 7, 7),
    ],
)
def test_what_is_measured_of_a_run(
    measure: str, code: str, least: float, most: float, tmp_path: Path
) -> None:
    one = contenders.Contender("one", lambda *_: [sys.executable, "-S", "-c", code], measure)
    rounds = run.Rounds(str(tmp_path), Places(str(tmp_path), str(tmp_path)), 1, 60)
    outcome = run.in_turn([one], "", rounds)["one"]
    assert not outcome.failure
    assert least <= outcome.runs[0].amount <= most
    assert outcome.runs[0].peak > 1


def test_inflating_by_another_module(tmp_path: Path) -> None:
    wheel = tmp_path / "a.whl"
    with zipfile.ZipFile(wheel, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.so", b"\x7fELF" + bytes(10_000_000))
        archive.writestr("a.txt", b"text" * 100)
    # A module that counts what is asked of it, in place of isal.
    (tmp_path / "counted.py").write_text(
        "import zlib\ndef decompressobj(bits):\n    print(bits)\n"
        "    return zlib.decompressobj(bits)\n"
    )
    step = Path(contenders.__file__).parent / "steps" / "inflate.py"
    said = subprocess.run(
        [sys.executable, str(step), str(wheel), "counted"],
        check=True, capture_output=True, text=True, env={"PYTHONPATH": str(tmp_path)},
    ).stdout  # fmt: skip
    # The heads of both members, and the one that is an ELF file.
    assert said.split() == ["-15"] * 3


def test_a_wheel_of_many_members_is_the_same_each_time(tmp_path: Path) -> None:
    needs.compiler("cc")
    needs.python_headers()
    found = []
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        found.append(Path(scale.build(str(tmp_path / name), packages=7, members=60)))
    assert found[0].read_bytes() == found[1].read_bytes()
    with zipfile.ZipFile(found[0]) as archive:
        names = archive.namelist()
        modules = {archive.read(name) for name in names if name.endswith(".so")}
    assert (len(names), len(modules)) == (60, 7)
    done = subprocess.run(
        [sys.executable, "-m", "manyshim", "show", str(found[0])],
        check=False, capture_output=True, text=True,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    assert "manylinux" in done.stdout


def test_twenty_wheels_are_links(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wheels, "fetch", lambda sample, cache: f"{cache}/{sample.project}.whl")
    path = subjects.path(table.TWENTY, "/cache", str(tmp_path))
    line = contenders.CONTENDERS["show --jobs 2"].command(path, "")
    assert line[3:6] == ["show", "--jobs", "2"]
    assert len(line[6:]) == 20
    assert os.readlink(line[-1]).startswith("/cache/")
