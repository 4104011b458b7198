"""A pure wheel where a compiled one was asked for: an error with strict, else one line."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Dict, List, Optional

import pytest

from elfwriter import TARGETS, write
from manyshim import build, config
from manyshim.audit.request import Compiled
from manyshim.errors import NotCompliantError
from manyshim.host import host_arch
from manyshim.workspace import private_folder
from wheelwriter import wheel, wheel_name

Settings = Dict[str, str]
PURE = "cp311-cp311-any"
STRICT = {"manyshim.strict": "true"}
NAMED = {"manyshim.platform": "manylinux_2_28"}
ALLOW = {"manyshim.allow": "NO_ELF:*"}
OTHER = {"manyshim.project": "other"}


def finished(
    folder: Path,
    settings: Settings,
    *,
    tag: str = PURE,
    files: Optional[Dict[str, bytes]] = None,
    environ: Optional[Settings] = None,
    **more: Any,
) -> List[str]:
    """Finish a wheel as the hook does; return the lines. The wheel must not change."""
    (folder / "pyproject.toml").write_text('[project]\nname = "demo"\n', encoding="utf-8")
    resolved = config.load(settings, environ or {}, str(folder))._replace(**more)
    data = wheel(files or {"demo/a.py": b""}, tag=tag)
    dist = folder / "dist"
    with private_folder(str(dist)) as private:
        built = Path(private, wheel_name(tag=tag))
        built.write_bytes(data)
        result = build.finish(str(built), str(dist), resolved)
    assert (dist / result.filename).read_bytes() == data
    return result.lines


def refused(folder: Path, settings: Settings, **more: Any) -> str:
    with pytest.raises(NotCompliantError) as caught:
        finished(folder, settings, **more)
    assert not list((folder / "dist").glob("*.whl"))
    return str(caught.value)


def test_strict_refuses_a_pure_wheel(tmp_path: Path) -> None:
    for settings in (STRICT, {**STRICT, **NAMED}, {**STRICT, "manyshim.project": "Demo"}):
        text = refused(tmp_path, settings)
        assert "[NO_ELF]" in text
        assert "strict or platform" in text
        assert "NO_ELF:*" in text, "the fix is shown"


def test_a_named_platform_gives_one_line(tmp_path: Path) -> None:
    for settings, environ in ((NAMED, {}), ({}, {"MANYSHIM_PLATFORM": "musllinux_1_2"})):
        line, _fix = finished(tmp_path, settings, environ=environ)
        assert line.startswith("warning: ")
        assert "[NO_ELF]" in line


@pytest.mark.parametrize(
    ("settings", "environ"),
    [
        ({}, {}),
        ({"manyshim.platform": "auto"}, {}),
        ({}, {"AUDITWHEEL_PLAT": "manylinux_2_28_x86_64"}),
        ({**STRICT, "manyshim.mode": "audit"}, {}),
        ({**STRICT, **NAMED, "manyshim.mode": "off"}, {}),
        ({**STRICT}, {"CIBUILDWHEEL": "1"}),
        ({**STRICT}, {"CONDA_BUILD": "1"}),
    ],
)
def test_a_pure_wheel_is_fine_elsewhere(
    tmp_path: Path, settings: Settings, environ: Settings
) -> None:
    assert finished(tmp_path, settings, environ=environ) == []


def test_strict_in_another_project_lets_it_pass(tmp_path: Path) -> None:
    (line,) = finished(tmp_path, {**STRICT, **NAMED, **OTHER})
    assert line.startswith("platform and strict had no effect on this wheel: ")


def test_allow_accepts_it(tmp_path: Path) -> None:
    line, _fix = finished(tmp_path, {**STRICT, **ALLOW})
    assert line.startswith("warning: ")
    assert "(allowed)" in line


def test_with_zig_as_with_the_system_s_compiler(tmp_path: Path) -> None:
    """Where zig was called, the wheel is refused for that already."""
    idle = Compiled("x86_64-linux-gnu")
    line, _fix = finished(tmp_path, NAMED, compiled=idle)
    assert line.startswith("warning: ")
    (tmp_path / "strict").mkdir()
    assert "[NO_ELF]" in refused(tmp_path / "strict", STRICT, compiled=idle)
    called = idle._replace(called=True)
    assert "error: " in "".join(finished(tmp_path, NAMED, compiled=called))


def test_code_under_the_tag_any_stays_an_error(tmp_path: Path) -> None:
    if host_arch() not in TARGETS:
        pytest.skip("no ELF for this machine")
    files = {"demo/x.so": write(TARGETS[host_arch()])}
    text = refused(tmp_path, STRICT, files=files)
    assert "[ELF_IN_PURE_WHEEL]" in text
    assert "NO_ELF" not in text


def test_a_linux_tag_without_code_stays_an_error_with_strict(tmp_path: Path) -> None:
    """It would be refused by the index, so that accepting NO_ELF is not enough."""
    tag = f"cp311-cp311-linux_{host_arch()}"
    assert "NO_ELF" in refused(tmp_path, STRICT, tag=tag)
    refused(tmp_path, {**STRICT, **ALLOW}, tag=tag)


@pytest.mark.parametrize("platform", ["win_amd64", "macosx_11_0_arm64"])
def test_a_wheel_for_another_system_passes(tmp_path: Path, platform: str) -> None:
    """One [tool.uv] table serves the builds on all systems."""
    tag = f"cp311-cp311-{platform}"
    for settings in (STRICT, NAMED):
        (line,) = finished(tmp_path, settings, tag=tag, libc="glibc")
        assert line.endswith("have no effect, because the wheel is not for Linux")
        assert finished(tmp_path, settings, tag=tag, libc=None) == []
    assert finished(tmp_path, {}, tag=tag, libc="glibc") == []


def test_the_finished_wheel_tells_an_unknown_name(tmp_path: Path) -> None:
    """The name is unknown before the build; then that of the wheel's file counts."""
    found = config.load({**STRICT, **OTHER}, {}, str(tmp_path))
    assert found.strict
    assert found.if_other_project is not None
    data = wheel({"demo/a.py": b""}, tag=PURE)
    for project, passes in (("other", True), ("Demo", False)):
        chosen = config.load({**STRICT, "manyshim.project": project}, {}, str(tmp_path))
        dist = tmp_path / project
        with private_folder(str(dist)) as private:
            built = Path(private, wheel_name(tag=PURE))
            built.write_bytes(data)
            if not passes:
                with pytest.raises(NotCompliantError):
                    build.finish(str(built), str(dist), chosen)
                continue
            lines = build.finish(str(built), str(dist), chosen).lines
        assert len(lines) == 2
        assert lines[0].startswith("release keys have no effect in this build: strict (-C); ")
        assert lines[1].startswith("strict had no effect on this wheel: ")
