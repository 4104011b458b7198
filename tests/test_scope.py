"""Release keys hold in the build that was asked for, and have no effect in others."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Dict, Optional, Tuple

import pytest

from manyshim import config
from manyshim.audit.tags import GLIBC, PlatformTag
from manyshim.config import Config
from manyshim.host import host_arch
from manyshim.scope import project_name

UV = b"Signature: 8a477f597d28d172789f06886806bc55"
CARGO = UV + b"\n# This file is a cache directory tag created by cargo.\n"
FOREIGN = "s390x" if host_arch() != "s390x" else "x86_64"
KEYS = {
    "manyshim.strict": "true",
    "manyshim.mode": "repair",
    "manyshim.compiler": "zig",
    "manyshim.platform": f"manylinux_2_28_{FOREIGN}",
    "manyshim.strip": "all",
    "manyshim.report": os.path.abspath("report.json"),
}
IN_ENVIRONMENT = {f"MANYSHIM_{key[9:].upper()}": value for key, value in KEYS.items()}
VOID = ("audit", PlatformTag(GLIBC, 2, 31), False, "system", "none", None)


@pytest.fixture(name="source")
def source_tree(tmp_path: Path) -> Path:
    """Return a project whose table sets what the release keys set, too."""
    folder = tmp_path / "source"
    folder.mkdir()
    text = '[project]\nname = "My_Demo"\n[tool.manyshim]\nmode = "audit"\n'
    text += 'platform = "manylinux_2_31"\n'
    (folder / "pyproject.toml").write_text(text, encoding="utf-8")
    return folder


def cache(folder: Path, tag: Optional[bytes] = UV, *below: str) -> str:
    """Make a folder below a folder with a tag of caches; return its path."""
    made = folder.joinpath("cache", *below)
    made.mkdir(parents=True)
    if tag is not None:
        (folder / "cache" / "CACHEDIR.TAG").write_bytes(tag)
    return str(made)


def chosen(found: Config) -> object:
    return found.mode, found.platform, found.strict, found.compiler, found.strip, found.report


def load(
    source: Path, wheel_directory: Optional[str] = None, variables: Optional[Dict[str, str]] = None,
    **more: str,
) -> Config:  # fmt: skip
    """Return the configuration with all release keys: by `-C`, or else by variables."""
    extra = {f"manyshim.{key}": value for key, value in more.items()}
    settings = {**extra, **({} if variables else KEYS)}
    return config.load(settings, variables or {}, str(source), wheel_directory)


def holds(found: Config) -> bool:
    """Whether all release keys hold, or none; anything between is a failure."""
    if found.strict:
        assert (found.mode, found.strip, found.report) == ("repair", "all", KEYS["manyshim.report"])
        assert found.platform == PlatformTag(GLIBC, 2, 28, FOREIGN)
        assert (found.notices, found.last_notices) == ((), ()) or found.libc is None
        return True
    assert chosen(found) == VOID
    return False


@pytest.mark.parametrize("variables", [None, IN_ENVIRONMENT])
@pytest.mark.parametrize(
    ("tag", "below", "expected"),
    [
        (UV, ("builds-v0", ".tmpAb12"), False),
        (UV + b"\n", ("builds-v12", ".tmpAb12"), False),
        (UV, ("builds-v0", "dist"), True),
        (UV, ("builds", ".tmpAb12"), True),
        (UV, ("more", "builds-v0", ".tmpAb12"), True),
        (UV, ("builds-v0", ".tmpAb12", "dist"), True),
        (None, ("builds-v0", ".tmpAb12"), True),
        (b"Signature: ", ("builds-v0", ".tmpAb12"), True),
        (CARGO, ("wheels",), True),
        (CARGO, (".tmpAb12",), True),
    ],
)
def test_a_build_in_uv_s_cache_was_not_asked_for(
    source: Path,
    tmp_path: Path,
    variables: Optional[Dict[str, str]],
    tag: Optional[bytes],
    below: Tuple[str, ...],
    *,
    expected: bool,
) -> None:
    folder = cache(tmp_path, tag, *below)
    assert holds(load(source, folder, variables)) == expected
    assert holds(load(source, folder + os.sep, variables)) == expected


def test_without_a_sign_release_keys_hold(source: Path, tmp_path: Path) -> None:
    assert holds(load(source))
    assert holds(load(source, str(tmp_path / "dist")))
    assert holds(load(source, str(tmp_path / "dist"), IN_ENVIRONMENT))


def test_the_named_project_takes_precedence_over_the_folder(source: Path, tmp_path: Path) -> None:
    folder = cache(tmp_path, UV, "builds-v0", ".tmpAb12")
    for name in ("my-demo", "My.Demo", "other,my_demo"):
        assert holds(load(source, folder, project=name))
        assert holds(load(source, folder, {**IN_ENVIRONMENT, "MANYSHIM_PROJECT": name}))
    for directory in (folder, str(tmp_path / "dist"), None):
        assert not holds(load(source, directory, project="demo"))


def test_what_has_no_effect_is_said_twice(source: Path) -> None:
    found = load(source, project="other")
    reason = "manyshim.project is other, and this is My_Demo"
    (notice,) = found.notices
    assert notice.startswith(
        "release keys have no effect in this build: compiler (-C), mode (-C), "
    )
    assert notice.endswith(reason)
    assert found.last_notices == (f"platform and strict had no effect on this wheel: {reason}",)


def test_only_strict_and_platform_are_said_at_the_end(source: Path) -> None:
    settings = {"manyshim.project": "other", "manyshim.strip": "all"}
    found = config.load(settings, {}, str(source))
    assert len(found.notices) == 1
    assert found.last_notices == ()


def test_what_changes_nothing_is_not_said(source: Path) -> None:
    settings = {
        "manyshim.project": "other", "manyshim.strict": "false", "manyshim.platform": "auto",
        "manyshim.strip": "none", "manyshim.exclude": "a.so", "manyshim.mode": "retag",
    }  # fmt: skip
    found = config.load(settings, {}, str(source))
    assert (found.notices, found.last_notices) == ((), ())
    assert (found.mode, found.platform, found.exclude) == ("retag", None, ("a.so",))


def test_every_platform_that_is_passed_on_has_no_effect(source: Path) -> None:
    """Also one of this machine: it was chosen for another project."""
    variables = {"MANYSHIM_PROJECT": "other", "MANYSHIM_PLATFORM": "musllinux_1_2"}
    assert config.load({}, variables, str(source)).platform == PlatformTag(GLIBC, 2, 31)


def test_the_image_s_platform_is_no_release_key(source: Path) -> None:
    (source / "pyproject.toml").write_text('[project]\nname = "x"\n', encoding="utf-8")
    image = {"AUDITWHEEL_PLAT": "manylinux_2_34_x86_64"}
    found = load(source, None, {**IN_ENVIRONMENT, **image, "MANYSHIM_PROJECT": "other"})
    assert found.platform == PlatformTag(GLIBC, 2, 34, "x86_64")


def test_a_wrong_report_counts_only_where_it_has_an_effect(source: Path) -> None:
    settings = {"manyshim.project": "other", "manyshim.report": "report.json"}
    assert config.load(settings, {}, str(source)).report is None


@pytest.mark.parametrize(
    ("below", "expected"),
    [
        (("sdists-v11", "index", "757e", "dep", "1.0", "SkzrrBc", "src"), False),
        (("sdists-v11", "path", "757e", "SkzrrBc", "src"), False),
        (("git-v0", "checkouts", "757e", "abcdef"), False),
        (("sdists-v11", ".tmpJp5AUn", "main-1.0"), True),
        (("src", "demo"), True),
    ],
)
def test_a_hook_without_wheel_directory_knows_the_sources_that_uv_fetched(
    source: Path, tmp_path: Path, below: Tuple[str, ...], *, expected: bool
) -> None:
    """`uv build` unpacks the sdist that it has built into its cache as well."""
    folder = Path(cache(tmp_path, UV, *below))
    (folder / "pyproject.toml").write_bytes((source / "pyproject.toml").read_bytes())
    assert holds(load(folder)) == expected
    assert holds(load(folder, str(tmp_path / "dist")))


METADATA = "Metadata-Version: 2.1\nName: Some.Name\nVersion: 1\n\nName: no\n"
NAMES: Dict[str, Dict[str, str]] = {
    "project": {"pyproject.toml": '[project]\nname = "Some.Name"', "PKG-INFO": "Name: other\n"},
    "poetry": {"pyproject.toml": '[tool.poetry]\nname = "Some.Name"'},
    "flit": {"pyproject.toml": '[tool.flit.metadata]\nmodule = "Some.Name"'},
    "flit's dist-name": {
        "pyproject.toml": '[tool.flit.metadata]\nmodule = "x"\ndist-name = "Some.Name"'
    },
    "sip": {"pyproject.toml": '[tool.sip.metadata]\nname = "Some.Name"'},
    "sdist": {"PKG-INFO": METADATA, "setup.cfg": "[metadata]\nname = other\n"},
    "sdist of Windows": {"PKG-INFO": METADATA.replace("\n", "\r\n")},
    "setup.cfg": {"setup.cfg": "[metadata]\nversion = 1\nname = Some.Name\n"},
    "egg-info": {"Some.Name.egg-info/PKG-INFO": METADATA},
    "egg-info in src": {"src/Some.Name.egg-info/PKG-INFO": METADATA},
}
UNKNOWN: Dict[str, Dict[str, str]] = {
    "nothing": {},
    "setup.py": {"setup.py": "from setuptools import setup; setup(name='a')"},
    "no name": {"pyproject.toml": "[project]\nname = 3\n[tool]\npoetry = 1"},
    "only a description": {"PKG-INFO": "Version: 1\n\nName: no\n"},
    "a broken setup.cfg": {"setup.cfg": "[metadata\nname = a\n"},
    "setup.cfg without a name": {"setup.cfg": "[metadata]\nversion = 1\n"},
    "two egg-infos": {
        "a.egg-info/PKG-INFO": "Name: a\n", "b.egg-info/PKG-INFO": "Name: b\n",
    },
}  # fmt: skip


def write(folder: Path, files: Dict[str, str]) -> None:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode())


def named(folder: Path) -> Optional[str]:
    from manyshim import pyproject

    return project_name(pyproject.read(str(folder)), str(folder))


@pytest.mark.parametrize("case", NAMES)
def test_the_name_of_a_project(tmp_path: Path, case: str) -> None:
    write(tmp_path, NAMES[case])
    assert named(tmp_path) == "Some.Name"


@pytest.mark.parametrize("case", UNKNOWN)
def test_a_name_that_only_a_build_can_tell(tmp_path: Path, case: str) -> None:
    """Then the finished wheel decides, and both configurations are there."""
    write(tmp_path, UNKNOWN[case])
    assert named(tmp_path) is None
    found = load(tmp_path, project="demo")
    assert found.strict
    other = found.if_other_project
    assert other is not None
    assert (other.strict, other.mode, other.platform, other.strip) == (False, "retag", None, "none")
    (last,) = other.last_notices
    assert last.endswith("manyshim.project is demo, and this is another project")


def test_the_environment_of_a_pipe_hangs_nothing(tmp_path: Path) -> None:
    if not hasattr(os, "mkfifo"):
        pytest.skip("no named pipes here")
    os.mkfifo(tmp_path / "PKG-INFO")
    os.mkfifo(tmp_path / "setup.cfg")
    assert named(tmp_path) is None
