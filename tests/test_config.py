"""Options from all their sources, resolved into one Config: precedence, spellings, errors."""

from __future__ import annotations

import os
import re
import sys
from typing import TYPE_CHECKING, Callable, Dict, List, Mapping, Optional

import pytest

from manyshim import config, project, pyproject
from manyshim.audit.request import Allowance
from manyshim.audit.tags import GLIBC, MUSL, PlatformTag
from manyshim.cli import requests
from manyshim.config import Config
from manyshim.errors import ConfigError
from manyshim.host import host_arch
from manyshim.options import OPTIONS
from manyshim.surroundings import EnvironmentPlatform

if TYPE_CHECKING:
    from pathlib import Path

HOST = host_arch()
FOREIGN = "s390x" if HOST != "s390x" else "x86_64"

Load = Callable[..., Config]
Settings = Optional[Mapping[str, object]]
Table = Optional[str]


@pytest.fixture(name="load")
def loader(tmp_path: Path) -> Load:
    """Return a function that resolves -C settings, an environment and the lines of a table."""

    def load(
        settings: Settings = None, environ: Optional[Dict[str, str]] = None, table: Table = None
    ) -> Config:
        if table is not None:
            text = f"[tool.manyshim]\n{table}\n"
            (tmp_path / "pyproject.toml").write_text(text, encoding="utf-8")
        return config.load(settings, environ or {}, str(tmp_path))

    return load


def option(key: str, value: object) -> Dict[str, object]:
    return {f"manyshim.{key}": value}


@pytest.mark.parametrize("settings", [None, {}, {"--global-option": "-v", "other.mode": "off"}])
def test_without_options_the_defaults_hold(load: Load, settings: Optional[Dict[str, str]]) -> None:
    resolved = load(settings)
    assert resolved == Config(libc=resolved.libc)
    assert (resolved.libc in (GLIBC, MUSL)) == sys.platform.startswith("linux")


def test_the_defaults_of_config_are_those_of_the_options() -> None:
    for chosen in OPTIONS:
        assert getattr(Config(), chosen.field) == chosen.default, chosen.key


def test_the_source_with_precedence_wins(load: Load) -> None:
    table = 'mode = "audit"'
    off = {"MANYSHIM_MODE": "off"}
    assert load(None, {}, table).mode == "audit"
    assert load(None, off, table).mode == "off"
    assert load(option("mode", "retag"), off, table).mode == "retag"
    assert load(option("mode", "retag"), {}, table).mode == "retag"


def test_booleans_have_many_words(load: Load) -> None:
    for word in ("true", "on", "yes", "1", "True", "YES"):
        assert load(option("strict", word)).strict
        assert load({}, {"MANYSHIM_STRICT": word}).strict
    for word in ("false", "off", "no", "0", "False", "OFF"):
        assert not load(option("strict", word), {"MANYSHIM_STRICT": "1"}).strict


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("a.so, b.so.1,", ("a.so", "b.so.1")),
        (["a.so", "b.so"], ("a.so", "b.so")),
        (["a.so,b.so", "c.so"], ("a.so", "b.so", "c.so")),
        ("", ()),
    ],
)
def test_lists_are_commas_or_repeats(load: Load, given: object, expected: object) -> None:
    resolved = load(option("exclude", given), {"MANYSHIM_EXCLUDE": "x"}, 'exclude = ["y"]')
    assert resolved.exclude == expected
    assert resolved.request.exclude == expected
    assert load({}, {}, 'exclude = ["a,b.so", "c.so.*"]').exclude == ("a,b.so", "c.so.*")
    assert load({}, {"MANYSHIM_EXCLUDE": "a.so, b.so"}).exclude == ("a.so", "b.so")


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("mdoe", "audit", "did you mean 'mode'?"),
        ("mode", ["audit", "off"], "has several values: audit, off; give it one"),
        ("strict", "maybe", "write true or false"),
        ("strict", [], "write true or false"),
        ("mode", "retagg", "did you mean 'retag'?"),
        ("mode", "qqq", "choose from retag, audit, off"),
        ("platform", "manylinux_228", "did you mean 'manylinux_2_28'?"),
        ("platform", "manylinux_2_28_aarch46", "did you mean 'aarch64'?"),
        ("platform", "manylinux2014_riscv64", "is not valid"),
        ("platform", "musllinux_1_2_ppc64", "no musl policy for ppc64"),
        ("allow", "NEEDED_PATH", "write NEEDED_PATH:* for all files"),
        ("allow", "pkg/*.so", "KIND:path-glob"),
        ("allow", "NEDED_PATH:*", "did you mean 'NEEDED_PATH'?"),
        ("compression-level", "-1", "0 to 9"),
        ("report", "report.json", "must be an absolute path"),
        ("backend", "flit_core.buildapi", "[tool.manyshim] only"),
    ],
)
def test_wrong_settings_are_named(load: Load, key: str, value: object, words: str) -> None:
    with pytest.raises(ConfigError, match=f"{key}.*{re.escape(words)}"):
        load(option(key, value))


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ('excludes = ["a"]', "[tool.manyshim] excludes is not an option"),
        ("library_path = []", "did you mean 'library-path'?"),
        ("exclude = [1]", "exclude = [1] is not valid; write a list of strings"),
        ("compression-level = true", "compression-level = true is not valid"),
    ],
)
def test_a_wrong_line_of_the_table_is_named(load: Load, line: str, words: str) -> None:
    with pytest.raises(ConfigError, match=re.escape(words)):
        load({}, {}, line)


def test_backend_is_read_from_the_table(load: Load, tmp_path: Path) -> None:
    assert load({}, {}, 'backend = "flit_core.buildapi"').backend == "flit_core.buildapi"
    assert config.table_value(pyproject.read(str(tmp_path)), "backend") == "flit_core.buildapi"
    with pytest.raises(ConfigError, match=r"\[tool.manyshim\] only"):
        load({}, {"MANYSHIM_BACKEND": "flit_core.buildapi"})


@pytest.mark.parametrize("line", ["strict = true", 'mode = "of"', "moed = 1"])
def test_a_wrong_line_of_the_table_stops_every_hook(load: Load, tmp_path: Path, line: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load({}, {}, line)
    with pytest.raises(ConfigError) as in_other_hooks:
        config.table_value(pyproject.read(str(tmp_path)), "backend")
    assert str(in_other_hooks.value) == str(caught.value)


def test_an_unknown_variable_gives_a_notice(load: Load) -> None:
    (notice,) = load({}, {"MANYSHIM_MOED": "off", "MANYSHIMS": "1"}).notices
    assert "MANYSHIM_MOED" in notice
    assert "did you mean 'MANYSHIM_MODE'?" in notice


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ("strict = true", "true"),
        ("strict = false", "false"),
        ('compiler = "zig"', "zig"),
        ('mode = "repair"', "repair"),
        (f'platform = "musllinux_1_2_{FOREIGN}"', f"musllinux_1_2_{FOREIGN}"),
        ('report = "/r/report.json"', "/r/report.json"),
        ('strip = "debug"', "debug"),
    ],
)
def test_release_keys_in_the_table_show_what_to_write(load: Load, line: str, value: str) -> None:
    setting = f'"manyshim.{line.split(maxsplit=1)[0]}" = "{value}"'
    with pytest.raises(ConfigError) as caught:
        load({}, {}, line)
    assert "everyone who builds from your sdist" in str(caught.value)
    lines = [text.strip() for text in str(caught.value).splitlines()]
    assert lines[lines.index("[tool.uv]") + 1] == f"config-settings = {{ {setting} }}"


def test_project_in_the_table_has_a_reason_of_its_own(load: Load) -> None:
    with pytest.raises(ConfigError) as caught:
        load({}, {}, 'project = "demo"')
    assert "tells which project your release keys are for" in str(caught.value)
    assert 'config-settings = { "manyshim.project" = "demo" }' in str(caught.value)


def test_values_that_change_nothing_are_taken_from_the_table(load: Load) -> None:
    lines = 'strip = "none"\ncompiler = "system"\nmode = "retag"\nplatform = "auto"'
    assert load({}, {}, lines) == Config(libc=load().libc)


@pytest.mark.parametrize("value", ["", "a b", "-a", "a/b", ",", ["a", "b/c"]])
def test_project_must_be_a_name(load: Load, value: object) -> None:
    with pytest.raises(ConfigError, match="write the name of your project"):
        load(option("project", value))


def test_release_keys_are_taken_from_the_command_line_and_the_environment(load: Load) -> None:
    foreign = f"manylinux_2_28_{FOREIGN}"
    resolved = load(option("platform", foreign), {"MANYSHIM_STRICT": "1"})
    assert resolved.strict
    assert resolved.platform == PlatformTag(GLIBC, 2, 28, FOREIGN)
    assert resolved.request.strict
    assert not resolved._replace(mode="audit").request.strict
    assert load({}, {"MANYSHIM_PLATFORM": foreign}).platform == resolved.platform


def test_zig_compiles_on_linux_and_where_the_build_is_not_switched_off(
    load: Load, monkeypatch: pytest.MonkeyPatch
) -> None:
    chosen = option("compiler", "zig")
    monkeypatch.setattr("manyshim.config.interpreter_libc", lambda: GLIBC)
    assert load(chosen) == Config(compiler="zig", libc=GLIBC)
    assert load(chosen, {"MANYSHIM_MODE": "off"}).compiler == "system"
    assert load(chosen, {"CONDA_BUILD": "1"}).compiler == "system"
    monkeypatch.setattr("manyshim.config.interpreter_libc", lambda: None)
    elsewhere = load(chosen)
    assert elsewhere.compiler == "system"
    (notice,) = elsewhere.notices
    assert "Linux only" in notice


def test_backend_path_is_read_as_frontends_do(tmp_path: Path) -> None:
    folder = str(tmp_path)
    assert pyproject.frontend_path(pyproject.read(folder), folder) == []
    (tmp_path / "pyproject.toml").write_text("[build-system]\nbackend-path = ['.', 'tools']\n")
    found = pyproject.frontend_path(pyproject.read(folder), folder)
    assert found == [folder, str(tmp_path / "tools")]


SPELLINGS = {
    "auto": "None", "manylinux_2_28": "manylinux_2_28", "manylinux_2_29": "manylinux_2_29",
    "manylinux1": "manylinux_2_5", "manylinux2010": "manylinux_2_12",
    "manylinux2014": "manylinux_2_17", "2014": "manylinux_2_17",
    "2014_x86_64": "manylinux_2_17_x86_64", "manylinux2014_aarch64": "manylinux_2_17_aarch64",
    "musllinux_1_2": "musllinux_1_2", "musllinux_1_2_riscv64": "musllinux_1_2_riscv64",
}  # fmt: skip


@pytest.mark.parametrize("text", SPELLINGS)
def test_platforms_have_several_spellings(load: Load, text: str) -> None:
    assert str(load(option("platform", text)).platform) == SPELLINGS[text]
    assert str(load({}, {"MANYSHIM_PLATFORM": text}).request.platform) == SPELLINGS[text]


def test_platform_in_the_table_may_name_the_own_architecture_or_none(load: Load) -> None:
    own = load({}, {}, f'platform = "manylinux_2_28_{HOST}"').platform
    assert own == PlatformTag(GLIBC, 2, 28, HOST)
    assert load({}, {}, "platform = 2014").platform == PlatformTag(GLIBC, 2, 17)


def test_allowances_are_read(load: Load) -> None:
    expected = (Allowance("NEEDED_PATH", "pkg/*.so"), Allowance("BY_NAME_ONLY", "pkg/libs/*:x"))
    both = "NEEDED_PATH:pkg/*.so,BY_NAME_ONLY:pkg/libs/*:x"
    assert load(option("allow", both)).allow == expected
    assert load({}, {}, f"allow = {both.split(',')}").request.allow == expected


def test_plain_values_are_kept(load: Load) -> None:
    path = os.path.abspath("report.json")
    resolved = load(option("report", path), {"MANYSHIM_COMPRESSION_LEVEL": "9"})
    assert (resolved.compression_level, resolved.report) == (9, path)
    assert load({}, {}, "compression-level = 0").compression_level == 0


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"[tool.manyshim\n", "pyproject.toml cannot be read"),
        (b'name = "\xff"\n', "pyproject.toml cannot be read"),
        (b"[tool]\nmanyshim = 3\n", "must be a table"),
        (b"[[tool.manyshim]]\n", "must be a table"),
        (b"tool = 3\n", "must be a table"),
        (b"a = " + b"[" * 5000, "pyproject.toml cannot be read"),
    ],
)
def test_bad_pyprojects(load: Load, tmp_path: Path, content: bytes, words: str) -> None:
    (tmp_path / "pyproject.toml").write_bytes(content)
    with pytest.raises(ConfigError, match=words):
        load()
    with pytest.raises(ConfigError, match=words):
        project.wrapped_backend(str(tmp_path))


@pytest.mark.parametrize("content", ["", "[tool]\n", "[project]\nname = 'x'\n", "[tool.manyshim]"])
def test_a_pyproject_without_our_table_is_fine(load: Load, tmp_path: Path, content: str) -> None:
    (tmp_path / "pyproject.toml").write_text(content, encoding="utf-8")
    assert load() == Config(libc=load().libc)


def test_own_settings_are_removed(load: Load) -> None:
    assert config.without_own(None) is None
    given = {"manyshim.mode": "off", "--global-option": ["-v"], "manyshimx": "1"}
    assert config.without_own(given) == {"--global-option": ["-v"], "manyshimx": "1"}
    assert load(given).mode == "off"
    assert len(given) == 3


def test_a_kind_under_its_old_name_is_taken_with_a_line(load: Load) -> None:
    found = load({"manyshim.allow": "CLAIM:*,NO_INIT:a.so"})
    assert found.allow == (Allowance("FALSE_TAG", "*"), Allowance("NO_INIT", "a.so"))
    assert "allow: CLAIM is now called FALSE_TAG" in found.notices


def test_a_kind_that_cannot_be_accepted(load: Load) -> None:
    with pytest.raises(ConfigError) as caught:
        load({"manyshim.allow": "TOO_NEW:*"})
    assert str(caught.value).endswith(
        "TOO_NEW rules out policies, so it cannot be accepted; for `check`, accept the tag instead "
        "(FALSE_TAG:path-glob)"
    )


def test_the_command_line_reads_the_platform_from_the_environment() -> None:
    image = {"AUDITWHEEL_PLAT": "manylinux_2_28_x86_64"}
    own = {"MANYSHIM_PLATFORM": "2014"}
    tag = PlatformTag(GLIBC, 2, 28, "x86_64")
    found = EnvironmentPlatform("AUDITWHEEL_PLAT", "manylinux_2_28_x86_64", tag)
    notices: List[str] = []
    assert requests.environment_platform({}, notices) is None
    assert requests.environment_platform(image, notices) == found
    nearer = EnvironmentPlatform("MANYSHIM_PLATFORM", "2014", PlatformTag(GLIBC, 2, 17))
    assert requests.environment_platform({**image, **own}, notices) == nearer
    assert requests.environment_platform({**image, "MANYSHIM_PLATFORM": "auto"}, notices) is None
    assert notices == []
    assert requests.environment_platform({"AUDITWHEEL_PLAT": "linux_x86_64"}, notices) is None
    assert notices == ["AUDITWHEEL_PLAT=linux_x86_64 is not a policy; it is ignored"]
    with pytest.raises(ConfigError, match="MANYSHIM_PLATFORM in the environment: platform = ''"):
        requests.environment_platform({"MANYSHIM_PLATFORM": ""}, notices)


@pytest.mark.parametrize("value", ["5", "true", '"folder"', "[1]", "{}"])
def test_a_backend_path_must_be_a_list_of_texts(tmp_path: Path, value: str) -> None:
    text = f"[build-system]\nbackend-path = {value}\n"
    (tmp_path / "pyproject.toml").write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError, match="must be a list of texts"):
        pyproject.frontend_path(pyproject.read(str(tmp_path)), str(tmp_path))


IN_UV = '[tool.uv.config-settings]\n"manyshim.strict" = {}\n'


@pytest.mark.parametrize(
    ("given", "in_table", "expected"),
    [
        (["true", "true"], '"true"', True),
        (["false", "true"], '"true"', False),
        (["true", "false"], '"false"', True),
        (["true", "false", "false"], '["false", "false"]', True),
        ("true", '"true"', True),
    ],
)
def test_a_setting_wins_over_the_one_that_uv_adds(
    load: Load, given: object, in_table: str, *, expected: bool
) -> None:
    """The frontend uv 0.13 appends the value of config-settings to those of `-C`."""
    table = IN_UV.format(in_table)
    assert load(option("strict", given), {"UV": "uv"}, table).strict == expected


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (["c.so", "a.so", "b.so"], ("c.so",)),
        (["a.so", "b.so"], ("a.so", "b.so")),
        (["c.so", "b.so"], ("c.so", "b.so")),
    ],
)
def test_a_list_wins_over_the_one_that_uv_adds(load: Load, given: object, expected: object) -> None:
    table = '[tool.uv.config-settings]\n"manyshim.exclude" = ["a.so", "b.so"]\n'
    assert load(option("exclude", given), {"UV": "uv"}, table).exclude == expected


def test_of_different_values_the_first_is_used_with_uv(load: Load) -> None:
    """The others may be those of a workspace, of a uv.toml, or of the project that is built."""
    resolved = load(option("strict", ["true", "false"]), {"UV": "uv"})
    assert resolved.strict
    said = "manyshim.strict has several values: true, false; the first one is used"
    assert resolved.notices == (said,)


def test_different_values_of_one_setting_are_an_error(load: Load) -> None:
    with pytest.raises(ConfigError, match="strict has several values: true, false; give it one"):
        load(option("strict", ["true", "false"]), {}, IN_UV.format('"false"'))
