"""The target of a compilation: its names in zig and in CPython."""

from __future__ import annotations

from typing import Mapping, Optional, Tuple

from manyshim.audit.policy import policies_of
from manyshim.audit.tags import GLIBC, MUSL, PlatformTag
from manyshim.errors import ConfigError
from manyshim.values import NamedTuple

# The versions that `auto` compiles for, if zig supports them for the architecture: a glibc that
# distributions of the last ten years have, and zig's own musl.
_DEFAULT_GLIBC = (2, 17)
_DEFAULT_MUSL = (1, 2)

# For a newer version, zig only warns and compiles for this one.
_NEWEST_GLIBC = (2, 44)


class Port(NamedTuple):
    """The names of an architecture in zig and CPython, and the oldest glibc that zig has for it.

    `cpu` is zig's -mcpu for the oldest processor that the architecture's tags support.
    """

    zig: str
    multiarch: str
    abi: str
    oldest_glibc: Tuple[int, int]
    cpu: str = "baseline"


# fmt: off
_PORTS: Mapping[str, Port] = {
    "x86_64": Port("x86_64", "x86_64", "", (2, 5)),
    "i686": Port("x86", "i386", "", (2, 5), "i686"),
    "aarch64": Port("aarch64", "aarch64", "", (2, 17)),
    "armv7l": Port("arm", "arm", "eabihf", (2, 17), "generic+v7a+vfp3d16+thumb2-neon-d32"),
    "ppc64le": Port("powerpc64le", "powerpc64le", "", (2, 19)),
    "s390x": Port("s390x", "s390x", "", (2, 17), "z196"),
    "riscv64": Port("riscv64", "riscv64", "", (2, 27)),
    "loongarch64": Port("loongarch64", "loongarch64", "", (2, 36)),
}
# fmt: on


class Target(NamedTuple):
    """One architecture with one libc to compile for, given by the tag that the wheel must get."""

    tag: PlatformTag

    @property
    def port(self) -> Port:
        """The row of the architecture."""
        return _PORTS[self.tag.arch]

    @property
    def triple(self) -> str:
        """The target triple of zig: `aarch64-linux-gnu.2.17`, `arm-linux-musleabihf`."""
        port, tag = self.port, self.tag
        if tag.libc == MUSL:
            return f"{port.zig}-linux-musl{port.abi}"
        return f"{port.zig}-linux-gnu{port.abi}.{tag.major}.{tag.minor}"

    @property
    def host_platform(self) -> str:
        """The value of sysconfig.get_platform() on the target: `linux-aarch64`."""
        return f"linux-{self.tag.arch}"

    @property
    def triplet(self) -> str:
        """The name of the target in Debian's folders and autoconf: `aarch64-linux-gnu`."""
        libc = "musl" if self.tag.libc == MUSL else "gnu"
        return f"{self.port.multiarch}-linux-{libc}{self.port.abi}"

    def multiarch(self, python: Tuple[int, int]) -> str:
        """Return CPython's name of the target in the file names of extension modules.

        Until 3.10, CPython used `gnu` on musl, too.
        """
        if python >= (3, 11):
            return self.triplet
        return self._replace(tag=self.tag._replace(libc=GLIBC)).triplet


def resolve(platform: Optional[PlatformTag], arch: str, libc: str) -> Target:
    """Return the target for the requested platform, or the default target without one.

    `arch` and `libc` are those of the building interpreter. Raises ConfigError if zig does not
    support the target.
    """
    tag = platform.on(arch) if platform else _default(arch, libc)
    port = _PORTS.get(tag.arch)
    if port is None:
        raise ConfigError(f"zig has no {tag.libc} for {tag.arch}; it has: {', '.join(_PORTS)}")
    if tag.libc == MUSL and tag.version != _DEFAULT_MUSL:
        raise ConfigError(
            f"zig cannot compile for {tag}: its musl is 1.2, and musl's symbols have no versions. "
            f"Ask for {_default(tag.arch, MUSL)}, or build in a container of {tag.without_arch}"
        )
    if tag.libc == GLIBC and not port.oldest_glibc <= tag.version <= _NEWEST_GLIBC:
        oldest, newest = (".".join(map(str, one)) for one in (port.oldest_glibc, _NEWEST_GLIBC))
        raise ConfigError(
            f"zig cannot compile for {tag}: it has glibc {oldest} to {newest} for {tag.arch}. Ask "
            f"for {_default(tag.arch, GLIBC)}, which most systems support"
        )
    return Target(tag)


def _default(arch: str, libc: str) -> PlatformTag:
    port = _PORTS.get(arch)
    if libc == MUSL or port is None:
        return PlatformTag(libc, *(_DEFAULT_MUSL if libc == MUSL else _DEFAULT_GLIBC), arch)
    least = max(_DEFAULT_GLIBC, port.oldest_glibc)
    return next(policy for policy in policies_of(libc, arch).listed if policy.version >= least)
