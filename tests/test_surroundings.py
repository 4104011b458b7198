"""What the variables of other tools mean: cibuildwheel, builders, images, SOURCE_DATE_EPOCH."""

from __future__ import annotations

from pathlib import Path
from typing import Callable, Dict, Mapping, Optional

import pytest

from manyshim import config
from manyshim.audit.tags import GLIBC, PlatformTag
from manyshim.config import Config
from manyshim.errors import ConfigError

Load = Callable[..., Config]


@pytest.fixture(name="load")
def loader(tmp_path: Path) -> Load:
    """Return a function that resolves -C settings, an environment and the lines of a table."""

    def load(
        settings: Optional[Mapping[str, object]] = None,
        environ: Optional[Dict[str, str]] = None,
        table: str = "",
    ) -> Config:
        text = f'[project]\nname = "x"\n[tool.manyshim]\n{table}\n'
        (tmp_path / "pyproject.toml").write_text(text, encoding="utf-8")
        return config.load(settings, environ or {}, str(tmp_path))

    return load


def option(key: str, value: object) -> Dict[str, object]:
    return {f"manyshim.{key}": value}


DEBIAN = {"DH_INTERNAL_BUILDFLAGS": "1"}
RPM = {"RPM_BUILD_ROOT": "/b", "RPM_PACKAGE_NAME": "x"}
NIX = {"NIX_BUILD_TOP": "/b", "NIX_STORE": "/nix/store", "NIX_LOG_FD": "2"}
GUIX = {"NIX_BUILD_TOP": "/b", "NIX_STORE": "/gnu/store"}


@pytest.mark.parametrize(
    ("variables", "mode", "word"),
    [
        ({"CIBUILDWHEEL": "1"}, "audit", "cibuildwheel"),
        ({"CONDA_BUILD": "1"}, "off", "conda-build needs no manylinux tag"),
        (DEBIAN, "off", "a Debian package build needs no manylinux tag"),
        ({"DEB_RULES_REQUIRES_ROOT": "no"}, "off", "a Debian package build"),
        (RPM, "off", "an RPM build needs no manylinux tag"),
        (NIX, "off", "Nix needs no manylinux tag"),
        (GUIX, "off", "Guix needs no manylinux tag"),
        ({"EBUILD_PHASE": "compile", "PORTAGE_BUILDDIR": "/b"}, "off", "Gentoo's Portage"),
        ({"CIBUILDWHEEL": "1", "CONDA_BUILD": "1"}, "audit", "cibuildwheel"),
    ],
)
def test_variables_of_other_tools(
    load: Load, variables: Dict[str, str], mode: str, word: str
) -> None:
    """They set the mode, unless a source sets it."""
    resolved = load({}, variables)
    assert resolved.mode == mode
    (notice,) = resolved.notices
    assert word in notice
    for explicit in (
        load(option("mode", "retag"), variables),
        load({}, {**variables, "MANYSHIM_MODE": "retag"}),
        load({}, dict.fromkeys(variables, "")),
        load({}, variables, 'mode = "retag"'),
    ):
        assert (explicit.mode, explicit.notices) == ("retag", ())


@pytest.mark.parametrize(
    "variables",
    [
        {"CONDA_BUILD": "0"},
        {"CONDA_BUILD_SYSROOT": "/opt", "CONDA_PREFIX": "/opt"},
        {"RPM_PACKAGE_NAME": "x", "RPM_ARCH": "x86_64"},
        {"RPM_BUILD_ROOT": "/b"},
        {"DEB_BUILD_ARCH": "amd64", "DEB_HOST_ARCH": "armhf", "DEB_BUILD_OPTIONS": "nocheck"},
        {**NIX, "IN_NIX_SHELL": "impure"},
        {**GUIX, "IN_NIX_SHELL": "pure"},
        {"NIX_BUILD_TOP": "/b", "NIX_STORE": "/nix/store"},
        {**NIX, "NIX_LOG_FD": "/dev/null"},
        {"EBUILD_PHASE": "compile"},
        {"CIBUILDWHEEL": "0"},
    ],
)
def test_shells_of_developers_are_no_builders(load: Load, variables: Dict[str, str]) -> None:
    resolved = load({}, variables)
    assert (resolved.mode, resolved.notices) == ("retag", ())


def test_a_mode_for_another_project_does_not_override_a_builder(load: Load) -> None:
    variables = {**DEBIAN, "MANYSHIM_MODE": "repair"}
    assert load({}, variables).mode == "repair"
    assert load({}, {**variables, "MANYSHIM_PROJECT": "other"}).mode == "off"


def test_the_image_sets_the_platform_unless_a_source_does(load: Load) -> None:
    image = {"AUDITWHEEL_PLAT": "manylinux_2_28_x86_64"}
    assert load({}, image).platform == PlatformTag(GLIBC, 2, 28, "x86_64")
    assert load({}, {**image, "MANYSHIM_PLATFORM": "2014"}).platform == PlatformTag(GLIBC, 2, 17)
    assert load(option("platform", "auto"), image).platform is None
    assert load({}, image, 'platform = "auto"').platform is None
    assert load({}, {"AUDITWHEEL_PLAT": ""}, "") == Config(libc=load().libc)
    resolved = load({}, {"AUDITWHEEL_PLAT": "linux_x86_64"})
    assert resolved.platform is None
    assert "AUDITWHEEL_PLAT=linux_x86_64" in "".join(resolved.notices)


def test_source_date_epoch_is_read(load: Load) -> None:
    for text, epoch in (("", None), ("0", 0), ("1700000000", 1700000000)):
        assert load({}, {"SOURCE_DATE_EPOCH": text}).epoch == epoch


@pytest.mark.parametrize("text", ["now", "-1", "1.5", "1_000", "²", " 1"])
def test_source_date_epoch_must_be_a_number(load: Load, text: str) -> None:
    with pytest.raises(ConfigError, match=r"SOURCE_DATE_EPOCH=.* must be a number of seconds"):
        load({}, {"SOURCE_DATE_EPOCH": text})
