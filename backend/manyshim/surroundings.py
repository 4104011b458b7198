"""What the variables of other tools mean for a build: the mode, the platform, the date."""

from __future__ import annotations

from manyshim.audit.tags import PlatformTag, parse_platform
from manyshim.errors import ConfigError
from manyshim.values import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import List, Mapping, Optional, Tuple

# Of SOURCE_DATE_EPOCH: 64 bits have no more.
_MAX_DIGITS = 20


class EnvironmentPlatform(NamedTuple):
    """A platform that an environment variable asks for; `value` is the variable's text."""

    variable: str
    value: str
    tag: PlatformTag


class ImpliedMode(NamedTuple):
    """The mode that another tool's variable implies, and the line about it."""

    mode: str
    variable: str
    notice: str


class Builder(NamedTuple):
    """A builder of distribution packages, and the variables that show that it runs.

    `present` have to be set to any text but an empty one, `equal` to one value, `absent` not at
    all.
    """

    name: str
    present: Tuple[str, ...] = ()
    equal: Tuple[Tuple[str, str], ...] = ()
    absent: Tuple[str, ...] = ()

    def runs(self, environ: Mapping[str, str]) -> bool:
        """Whether the variables show that this builder runs."""
        return (
            all(environ.get(name) for name in self.present)
            and all(environ.get(name) == value for name, value in self.equal)
            and not any(name in environ for name in self.absent)
        )

    @property
    def variable(self) -> str:
        """The variable to name in messages."""
        return (*self.present, *(name for name, _ in self.equal))[0]


# The first one that runs is named. What developers set in their shells, too, is no sign.
# Arch Linux, Alpine and Yocto set no variable of their own.
BUILDERS: Tuple[Builder, ...] = (
    # conda_build/environ.py: conda_build_vars(). rattler-build and pixi set it, too.
    Builder("conda-build", equal=(("CONDA_BUILD", "1"),)),
    # rpm's macros.in: %___build_pre_env. Developers on Fedora export RPM_PACKAGE_NAME alone.
    Builder("an RPM build", ("RPM_BUILD_ROOT", "RPM_PACKAGE_NAME")),
    # debhelper's Dh_Lib.pm: set_buildflags(). It is set without dpkg-buildpackage, too.
    Builder("a Debian package build", equal=(("DH_INTERNAL_BUILDFLAGS", "1"),)),
    # dpkg's Dpkg/BuildDriver/DebianRules.pm, dpkg-buildpackage(1). Images for cross compilers set
    # DEB_BUILD_ARCH and DEB_HOST_ARCH, so these are no sign.
    Builder("a Debian package build", ("DEB_RULES_REQUIRES_ROOT",)),
    # Guix's nix/libstore/build.cc: DerivationGoal::startBuilder().
    Builder("Guix", ("NIX_BUILD_TOP",), (("NIX_STORE", "/gnu/store"),), ("IN_NIX_SHELL",)),
    # nix's derivation-builder.cc: initEnv(). Its shells set NIX_BUILD_TOP, but not NIX_LOG_FD.
    Builder("Nix", ("NIX_BUILD_TOP",), (("NIX_LOG_FD", "2"),), ("IN_NIX_SHELL",)),
    # portage's doebuild.py, and _config/special_env_vars.py.
    Builder("Gentoo's Portage", ("EBUILD_PHASE", "PORTAGE_BUILDDIR")),
)


def implied_mode(environ: Mapping[str, str]) -> Optional[ImpliedMode]:
    """Return the mode that cibuildwheel or the builder of a distribution implies."""
    if environ.get("CIBUILDWHEEL") == "1":
        notice = "cibuildwheel repairs the wheel afterwards; manyshim only audits it"
        return ImpliedMode("audit", "CIBUILDWHEEL", notice)
    for builder in BUILDERS:
        if builder.runs(environ):
            notice = (
                f"{builder.name} needs no manylinux tag, so the wheel is left unchanged "
                f"({builder.variable} is set; MANYSHIM_MODE=retag audits it)"
            )
            return ImpliedMode("off", builder.variable, notice)
    return None


def image_platform(environ: Mapping[str, str], notices: List[str]) -> Optional[EnvironmentPlatform]:
    """Return the policy of the manylinux or musllinux image that the process runs in."""
    value = environ.get("AUDITWHEEL_PLAT")
    if not value:
        return None
    tag = parse_platform(value)
    if tag is None or not tag.exists:
        notices.append(f"AUDITWHEEL_PLAT={value} is not a policy; it is ignored")
        return None
    return EnvironmentPlatform("AUDITWHEEL_PLAT", value, tag)


def epoch(environ: Mapping[str, str]) -> Optional[int]:
    """Return SOURCE_DATE_EPOCH in seconds since 1970, None if unset. Raises ConfigError."""
    text = environ.get("SOURCE_DATE_EPOCH")
    if not text:
        return None
    if not text.isascii() or not text.isdigit() or len(text) > _MAX_DIGITS:
        raise ConfigError(f"SOURCE_DATE_EPOCH={text} must be a number of seconds since 1970")
    return int(text)
