"""The jobs that `manyshim ci` generates, run here one by one, up to the strict index."""

from __future__ import annotations

import json
import re
import shutil
import sys
from pathlib import Path
from typing import Dict, Mapping, Optional, Sequence, Type, Union

import pytest

import needs
from ciprojects import parse
from cirunning import GitHub, GitLab, Machine
from manyshim import __version__
from manyshim.pyproject import read
from manyshim.release import ci, table
from paths import REPOSITORY
from strict_index import serve
from systems import system

pytestmark = [pytest.mark.network, needs.mark(needs.tool, "uv", "uv", needs.PYPI)]

OWN = f"3.{sys.version_info[1]}"
NATIVE = "manylinux_2_17_x86_64"
TEST = """python -c "import sample; print('tested', sample.__name__)" """
SERVICES: Dict[str, Union[Type[GitHub], Type[GitLab]]] = {ci.GITHUB: GitHub, ci.GITLAB: GitLab}


def sample(
    folder: Path, platforms: Sequence[str], pythons: Sequence[str], test: Optional[str] = None
) -> Path:
    """Copy the sample project, with a table for its release."""
    shutil.copytree(str(REPOSITORY / "sample_project"), str(folder))
    path = folder / "pyproject.toml"
    text = re.sub(r"\[tool\.uv\.sources\]\n.*\n", "", path.read_text(encoding="utf-8"))
    rows = {"platforms": [*platforms], "pythons": [*pythons], "test-command": test or TEST}
    lines = [f"{key} = {json.dumps(value)}" for key, value in rows.items()]
    path.write_text("\n".join([text, "[tool.manyshim.release]", *lines, ""]), encoding="utf-8")
    return folder


def release(
    service: str,
    folder: Path,
    environment: Mapping[str, str],
    platforms: Sequence[str],
    pythons: Sequence[str],
) -> Dict[str, str]:
    """Run the workflow of a service; return the output of each script."""
    project = sample(folder / "project", platforms, pythons)
    given = ci.Project(table.read(read(str(project))), __version__)
    data = parse(ci.generate(service, given, None).text)
    with serve(folder / "index") as index:
        running = SERVICES[service](data, Machine(folder / "run", project, environment, index))
        running.run()
    names = sorted(one.name for one in (folder / "index").iterdir())
    tags = {name.split("-", 2)[2] for name in names if name.endswith(".whl")}
    assert "sample_project-1.0.tar.gz" in names
    assert len(names) == 1 + len(platforms) * len(pythons), names
    for python in pythons:
        for platform in platforms:
            tag = "cp" + python.replace(".", "")
            assert any(one.startswith(f"{tag}-{tag}-") and platform in one for one in tags), tags
    return running.outputs


@pytest.mark.parametrize("service", ci.SERVICES)
def test_one_wheel_up_to_the_index(
    service: str, tmp_path: Path, build_environment: Mapping[str, str]
) -> None:
    release(service, tmp_path, build_environment, [NATIVE], [OWN])


def test_the_steps_for_other_systems(tmp_path: Path, build_environment: Mapping[str, str]) -> None:
    """Here they build and test a wheel of this machine, as they do on a runner of another system.

    The text of the command reaches the shell as the project has it.
    """
    test = f"""{TEST} && test -f '{{project}}/pyproject.toml' && echo '${{{{ github.ref }}}}'"""
    project = sample(tmp_path / "project", ["win_amd64"], [OWN], test)
    given = ci.Project(table.read(read(str(project))), __version__)
    data = parse(ci.generate(ci.GITHUB, given, None).text)
    jobs = {name: data["jobs"][name] for name in ("sdist", "others")}
    with serve(tmp_path / "index") as index:
        machine = Machine(tmp_path / "run", project, build_environment, index)
        running = GitHub({**data, "jobs": jobs}, machine)
        running.run()
    said = running.outputs["others-0: Test the wheels"]
    assert said == "tested sample\n${{ github.ref }}\n"
    wheels = list((tmp_path / "run" / "artifacts" / "wheels-win_amd64").iterdir())
    assert [one.suffix for one in wheels] == [".whl"]


@pytest.mark.full
@pytest.mark.parametrize("service", ci.SERVICES)
def test_four_wheels_up_to_the_index(
    service: str, tmp_path: Path, build_environment: Mapping[str, str], pythons: Dict[int, str]
) -> None:
    """The image of musl cannot be had here, and its wheels are built all the same."""
    other = next(f"3.{one}" for one in pythons if one > 8 and f"3.{one}" != OWN)
    platforms = [NATIVE, "musllinux_1_2_x86_64"]
    said = release(service, tmp_path, build_environment, platforms, [OWN, other])
    text = "\n".join(said.values())
    assert f"Python {OWN}: there is no image for amd64; its wheel is not tested" in text


@pytest.mark.full
def test_a_foreign_wheel_is_tested_in_the_system_of_an_image(
    tmp_path: Path, build_environment: Mapping[str, str], pythons: Dict[int, str]
) -> None:
    if 11 not in pythons:
        pytest.skip("the system has Python 3.11, and this machine has none to build for it")
    needs.tool("qemu-aarch64-static", "qemu-user-static")
    project = sample(tmp_path / "project", ["manylinux_2_17_aarch64"], ["3.11"])
    given = ci.Project(table.read(read(str(project))), __version__)
    data = parse(ci.generate(ci.GITLAB, given, None).text)
    image = str(system("bookworm-arm64").root)
    with serve(tmp_path / "index") as index:
        machine = Machine(tmp_path / "run", project, build_environment, index, image)
        running = GitLab(data, machine)
        running.run()
    assert (tmp_path / "run/linux-0/systems/3.11/usr/bin/python3.11").exists()
    assert "not tested" not in running.outputs["linux-0"], running.outputs
    assert len(list((tmp_path / "index").iterdir())) == 2
