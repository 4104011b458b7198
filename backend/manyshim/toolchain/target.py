"""What is compiled for: zig's target, and how CPython names it."""

from __future__ import annotations

from typing import Mapping, Optional, Tuple

from manyshim.audit.policy import policies_of
from manyshim.audit.tags import GLIBC, MUSL, PlatformTag
from manyshim.errors import ConfigError
from manyshim.values import NamedTuple

# What `auto` promises where zig can: the glibc of ten years of distributions, and zig's musl.
_USUAL_GLIBC = (2, 17)
_USUAL_MUSL = (1, 2)

# zig compiles for the newest it has where it is asked for a newer one, and only warns.
_NEWEST_GLIBC = (2, 44)


class Port(NamedTuple):
    """What zig and CPython call an architecture, and the oldest glibc that zig has for it.

    `cpu` is the least processor that the architecture's tags promise.
    """

    zig: str
    multiarch: str
    abi: str
    glibc_floor: Tuple[int, int]
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
    """One architecture with one libc: what is compiled for, and the tag that has to be proved."""

    tag: PlatformTag

    @property
    def port(self) -> Port:
        """The row of the architecture."""
        return _PORTS[self.tag.arch]

    @property
    def triple(self) -> str:
        """Zig's name of the target: `aarch64-linux-gnu.2.17`, `arm-linux-musleabihf`."""
        port, tag = self.port, self.tag
        if tag.libc == MUSL:
            return f"{port.zig}-linux-musl{port.abi}"
        return f"{port.zig}-linux-gnu{port.abi}.{tag.major}.{tag.minor}"

    @property
    def host_platform(self) -> str:
        """What sysconfig.get_platform() says on the target: `linux-aarch64`."""
        return f"linux-{self.tag.arch}"

    @property
    def triplet(self) -> str:
        """Name the target as Debian names its folders: `aarch64-linux-gnu` (autoconf: `host`)."""
        libc = "musl" if self.tag.libc == MUSL else "gnu"
        return f"{self.port.multiarch}-linux-{libc}{self.port.abi}"

    def multiarch(self, python: Tuple[int, int]) -> str:
        """Name the target as CPython does in the file names of its extension modules.

        Until 3.10 it said `gnu` on musl, too.
        """
        if python >= (3, 11):
            return self.triplet
        return self._replace(tag=self.tag._replace(libc=GLIBC)).triplet


def resolve(platform: Optional[PlatformTag], arch: str, libc: str) -> Target:
    """Settle on a target: what was asked for, or what zig usually promises on this machine.

    `arch` and `libc` are the building interpreter's. Raises ConfigError for what zig cannot do.
    """
    tag = platform.on(arch) if platform else _usual(arch, libc)
    port = _PORTS.get(tag.arch)
    if port is None:
        raise ConfigError(f"zig has no {tag.libc} for {tag.arch}; it has: {', '.join(_PORTS)}")
    if tag.libc == MUSL and tag.version != _USUAL_MUSL:
        raise ConfigError(
            f"zig cannot promise {tag}: its musl is 1.2, and musl's names carry no versions. Ask "
            f"for {_usual(tag.arch, MUSL)}, or build in a container of {tag.without_arch}"
        )
    if tag.libc == GLIBC and not port.glibc_floor <= tag.version <= _NEWEST_GLIBC:
        floor, newest = (".".join(map(str, one)) for one in (port.glibc_floor, _NEWEST_GLIBC))
        raise ConfigError(
            f"zig has glibc {floor} to {newest} for {tag.arch}, so {tag} cannot be compiled for; "
            f"most systems take {_usual(tag.arch, GLIBC)}"
        )
    return Target(tag)


def _usual(arch: str, libc: str) -> PlatformTag:
    port = _PORTS.get(arch)
    if libc == MUSL or port is None:
        return PlatformTag(libc, *(_USUAL_MUSL if libc == MUSL else _USUAL_GLIBC), arch)
    least = max(_USUAL_GLIBC, port.glibc_floor)
    return next(policy for policy in policies_of(libc, arch).listed if policy.version >= least)
