"""What the command line takes from the environment, and what it does not."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Dict, List, Optional, Tuple

import pytest

from commandline import run
from elfwriter import TARGETS, Elf, Symbol, write
from wheelwriter import save, wheel, wheel_name

EXTENSION = "demo/_x.cpython-311-x86_64-linux-gnu.so"
INIT = Symbol("PyInit__x", defined=True)
LIBC = Symbol("used", library="libc.so.6", version="GLIBC_2.14")

# The wheels, each as the tag of its name and its extension.
WHEELS: Dict[str, Tuple[str, bytes]] = {
    "glibc": ("linux_x86_64", write(Elf(needed=("libc.so.6",), symbols=(INIT, LIBC)))),
    "open": ("linux_x86_64", write(Elf(symbols=(INIT,)))),
    # Its suffix says that it is for glibc.
    "suffix": ("linux_x86_64", write(Elf(symbols=(INIT,)))),
    "aarch64": ("linux_aarch64", write(TARGETS["aarch64"])),
    "musl": ("linux_x86_64", write(Elf(needed=("libc.musl-x86_64.so.1",), symbols=(INIT,)))),
    "named": ("musllinux_1_2_x86_64", write(Elf(symbols=(INIT,)))),
    "pure": ("any", b""),
}


def make(folder: Path, name: str) -> Path:
    """Write one of the wheels; return its path."""
    platform, elf = WHEELS[name]
    tag = f"py3-none-{platform}" if platform == "any" else f"cp311-cp311-{platform}"
    extension = EXTENSION
    if name in ("open", "musl", "named"):
        extension = "demo/_x.abi3.so"
    files = {"demo/__init__.py": b"", **({extension: elf} if elf else {})}
    path = folder / name
    path.mkdir(parents=True)
    return save(path, wheel(files, tag=tag), wheel_name(tag=tag))


def written(folder: Path) -> List[str]:
    """List the platform tags of the wheels that a command wrote, the last of each name."""
    names = sorted(path.name for path in folder.iterdir()) if folder.exists() else []
    return [name[: -len(".whl")].rpartition("-")[2].rpartition(".")[2] for name in names]


@pytest.mark.parametrize("command", ["show", "check"])
@pytest.mark.parametrize(
    "variables",
    [
        {"AUDITWHEEL_PLAT": "manylinux_2_28_x86_64"},
        {"AUDITWHEEL_PLAT": "linux_x86_64"},
        {"MANYSHIM_PLATFORM": "manylinux_2_28"},
        {"MANYSHIM_PLATFORM": "nonsense"},
        {"MANYSHIM_MODE": "off", "MANYSHIM_STRICT": "true", "MANYSHIM_EXCLUDE": "*"},
        {"SOURCE_DATE_EPOCH": "now"},
    ],
    ids="-".join,
)
def test_a_verdict_depends_on_the_wheel_alone(
    command: str, variables: Dict[str, str], tmp_path: Path
) -> None:
    path = make(tmp_path, "glibc")
    plain = run(command, "--json", path)
    assert plain.stdout
    given = run(command, "--json", path, **variables)
    assert (given.returncode, given.stdout) == (plain.returncode, plain.stdout)
    assert given.stderr == ""


IMAGE = {"AUDITWHEEL_PLAT": "manylinux_2_28_x86_64"}
OWN = {"MANYSHIM_PLATFORM": "manylinux_2_17"}


@pytest.mark.parametrize(
    ("variables", "platform", "expected"),
    [
        ({}, None, "manylinux_2_17_x86_64"),
        (IMAGE, None, "manylinux_2_28_x86_64"),
        (OWN, None, "manylinux_2_17_x86_64"),
        ({**IMAGE, **OWN}, None, "manylinux_2_17_x86_64"),
        ({**IMAGE, "MANYSHIM_PLATFORM": "auto"}, None, "manylinux_2_17_x86_64"),
        ({"MANYSHIM_PLATFORM": "manylinux_2_34"}, None, "manylinux_2_34_x86_64"),
        ({**IMAGE, **OWN}, "manylinux_2_31", "manylinux_2_31_x86_64"),
        (IMAGE, "auto", "manylinux_2_17_x86_64"),
        ({"AUDITWHEEL_PLAT": ""}, None, "manylinux_2_17_x86_64"),
    ],
)
@pytest.mark.parametrize("command", ["retag", "repair"])
def test_the_nearest_source_decides_the_platform(
    command: str,
    variables: Dict[str, str],
    platform: Optional[str],
    expected: str,
    tmp_path: Path,
) -> None:
    options = ["--platform", platform] if platform else []
    done = run(command, make(tmp_path, "glibc"), "-w", tmp_path / "out", *options, **variables)
    assert (done.returncode, done.stderr) == (0, "")
    assert written(tmp_path / "out") == [expected]


@pytest.mark.parametrize(
    ("variable", "value", "name", "libc"),
    [
        ("AUDITWHEEL_PLAT", "manylinux_2_28_x86_64", "aarch64", "aarch64, glibc"),
        ("AUDITWHEEL_PLAT", "musllinux_1_2_x86_64", "glibc", "x86_64, glibc"),
        ("AUDITWHEEL_PLAT", "musllinux_1_2_x86_64", "suffix", "x86_64, glibc"),
        ("MANYSHIM_PLATFORM", "musllinux_1_2", "glibc", "x86_64, glibc"),
        ("MANYSHIM_PLATFORM", "manylinux_2_28_x86_64", "aarch64", "aarch64, glibc"),
        ("AUDITWHEEL_PLAT", "manylinux_2_28_x86_64", "musl", "x86_64, musl"),
        ("MANYSHIM_PLATFORM", "manylinux_2_28", "musl", "x86_64, musl"),
        # Its name decides, because its files fit both families.
        ("AUDITWHEEL_PLAT", "manylinux_2_28_x86_64", "named", "x86_64, musl"),
    ],
)
@pytest.mark.parametrize("command", ["retag", "repair"])
def test_a_wheel_of_another_architecture_or_libc_gets_a_line(  # noqa: PLR0917
    command: str, variable: str, value: str, name: str, libc: str, tmp_path: Path
) -> None:
    path = make(tmp_path, name)
    done = run(command, path, "-w", tmp_path / "out", **{variable: value})
    plain = run(command, path, "-w", tmp_path / "plain")
    assert done.returncode == plain.returncode == 0
    assert written(tmp_path / "out") == written(tmp_path / "plain") != []
    line = f"  {variable}={value} does not apply: this wheel is for {libc}"
    assert [one for one in done.stdout.splitlines() if "does not apply" in one] == [line]
    assert "does not apply" not in plain.stdout


def test_each_wheel_is_decided_for_itself(tmp_path: Path) -> None:
    wheels = [make(tmp_path, name) for name in ("glibc", "aarch64", "pure")]
    done = run("retag", *wheels, "-w", tmp_path / "out", **IMAGE)
    assert done.stdout.count("does not apply") == 1
    assert "manylinux_2_28_x86_64" in written(tmp_path / "out")


def test_a_wheel_that_fits_both_families_takes_the_one_of_the_image(tmp_path: Path) -> None:
    path = make(tmp_path, "open")
    image = {"AUDITWHEEL_PLAT": "musllinux_1_2_x86_64"}
    done = run("retag", path, "-w", tmp_path / "out", **image)
    assert (done.returncode, written(tmp_path / "out")) == (0, ["musllinux_1_2_x86_64"])
    assert "does not apply" not in done.stdout


def test_a_platform_that_is_not_proved_writes_nothing(tmp_path: Path) -> None:
    older = {"AUDITWHEEL_PLAT": "manylinux_2_12_x86_64"}
    done = run("retag", make(tmp_path, "glibc"), "-w", tmp_path / "out", **older)
    assert (done.returncode, written(tmp_path / "out")) == (1, [])
    # The wheel needs GLIBC_2.14.
    assert "manylinux_2_12_x86_64" in done.stdout


def test_a_dry_run_plans_for_the_platform_of_the_image(tmp_path: Path) -> None:
    path = make(tmp_path, "glibc")
    assert "would be manylinux_2_28_x86_64" in run("repair", "--dry-run", path, **IMAGE).stdout
    other = run("repair", "--dry-run", make(tmp_path, "aarch64"), **IMAGE)
    assert other.stdout.count("does not apply") == 1


def test_an_own_variable_that_is_no_policy_is_an_error(tmp_path: Path) -> None:
    path = make(tmp_path, "glibc")
    wrong = {"MANYSHIM_PLATFORM": "manylinux_228"}
    done = run("retag", path, "-w", tmp_path / "out", **wrong)
    assert (done.returncode, written(tmp_path / "out")) == (2, [])
    assert "MANYSHIM_PLATFORM" in done.stderr
    assert "did you mean 'manylinux_2_28'?" in done.stderr


def test_an_image_that_names_no_policy_is_ignored_with_a_line(tmp_path: Path) -> None:
    path = make(tmp_path, "glibc")
    done = run("retag", path, "-w", tmp_path / "out", AUDITWHEEL_PLAT="linux_x86_64")
    assert (done.returncode, written(tmp_path / "out")) == (0, ["manylinux_2_17_x86_64"])
    assert done.stderr == "manyshim: AUDITWHEEL_PLAT=linux_x86_64 is not a policy; it is ignored\n"


def test_other_options_are_not_read_from_the_environment(tmp_path: Path) -> None:
    path = make(tmp_path, "glibc")
    others = {
        "MANYSHIM_MODE": "off",
        "MANYSHIM_BACKEND": "nothing",
        "MANYSHIM_COMPILER": "zig",
        "MANYSHIM_STRICT": "perhaps",
        "MANYSHIM_NO_OPTION": "1",
    }
    for command in ("retag", "repair"):
        done = run(command, "--json", path, "-w", tmp_path / command, **others)
        assert (done.returncode, done.stderr) == (0, "")
        assert json.loads(done.stdout)["wheels"][0]["tag"] == "manylinux_2_17_x86_64"


def test_what_is_written_takes_the_date_of_the_environment(tmp_path: Path) -> None:
    path = make(tmp_path, "glibc")
    done = run("retag", path, "-w", tmp_path / "out", SOURCE_DATE_EPOCH="now")
    assert done.returncode == 2
    assert "SOURCE_DATE_EPOCH=now must be a number of seconds" in done.stderr


@pytest.mark.parametrize("platform", ["manylinux_2_12", "manylinux_2_17", "manylinux_2_28"])
def test_a_dry_run_predicts_what_a_repair_writes(platform: str, tmp_path: Path) -> None:
    path = make(tmp_path, "glibc")
    options = ["--platform", platform]
    planned = run("repair", "--dry-run", path, *options)
    done = run("repair", path, "-w", tmp_path / "out", *options)
    assert planned.returncode == done.returncode
    assert re.findall(r"would be (\w+)", planned.stdout) == written(tmp_path / "out")
