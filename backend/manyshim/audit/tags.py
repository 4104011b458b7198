"""Platform tags, architectures and wheel file names (PEP 425, 427, 600, 656)."""

from __future__ import annotations

from manyshim.values import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Mapping, Optional, Tuple

GLIBC = "glibc"
MUSL = "musl"

_FAMILY = {GLIBC: "manylinux", MUSL: "musllinux"}
_LIBC = {family: libc for libc, family in _FAMILY.items()}

# PEP 600: the older names of some policies.
LEGACY_NAMES: Mapping[str, Tuple[int, int]] = {
    "manylinux1": (2, 5),
    "manylinux2010": (2, 12),
    "manylinux2014": (2, 17),
}

# The newest release of each libc: its major and minor number. zig compiles for no newer glibc, and
# data/*.txt know none; a test compares them.
NEWEST: Mapping[str, Tuple[int, int]] = {GLIBC: (2, 44), MUSL: (1, 2)}

# Names, tags and suffixes are parsed without regular expressions: importing `re` and compiling them
# costs every command more than parsing (18 million instructions), and they backtrack.
# No number in the version of a libc has more digits.
_MAX_DIGITS = 4


class Arch(NamedTuple):
    """An architecture of manylinux or musllinux tags; `machine` is e_machine (ELF gABI)."""

    name: str
    bits: int
    little_endian: bool
    machine: int
    loader: str
    musl_name: str
    # Debian's multiarch CPU name, as in the file name suffix of extension modules.
    triplet: str
    # The first musl release that supports the architecture; None if no release does.
    first_musl: Optional[Tuple[int, int, int]]


_LITTLE, _BIG = True, False
_ANY_MUSL = (1, 1, 16)

# fmt: off
_ROWS = (
    Arch("x86_64", 64, _LITTLE, 62, "ld-linux-x86-64.so.2", "x86_64", "x86_64", _ANY_MUSL),
    Arch("i686", 32, _LITTLE, 3, "ld-linux.so.2", "x86", "i386", _ANY_MUSL),
    Arch("aarch64", 64, _LITTLE, 183, "ld-linux-aarch64.so.1", "aarch64", "aarch64", _ANY_MUSL),
    Arch("armv7l", 32, _LITTLE, 40, "ld-linux-armhf.so.3", "armv7", "arm", _ANY_MUSL),
    Arch("ppc64le", 64, _LITTLE, 21, "ld64.so.2", "ppc64le", "powerpc64le", _ANY_MUSL),
    Arch("ppc64", 64, _BIG, 21, "ld64.so.1", "ppc64", "powerpc64", None),
    Arch("s390x", 64, _BIG, 22, "ld64.so.1", "s390x", "s390x", _ANY_MUSL),
    Arch("riscv64", 64, _LITTLE, 243, "ld-linux-riscv64-lp64d.so.1", "riscv64", "riscv64",
         (1, 1, 23)),
    Arch("loongarch64", 64, _LITTLE, 258, "ld-linux-loongarch-lp64d.so.1", "loongarch64",
         "loongarch64", (1, 2, 5)),
)
# fmt: on
ARCHES: Mapping[str, Arch] = {arch.name: arch for arch in _ROWS}
MACHINES = frozenset(arch.machine for arch in ARCHES.values())

# A 64-bit ARM kernel with 32-bit programs names its machine so. Installers there take armv7l.
_SYNONYMS = {"armv8l": "armv7l"}
# Architectures without policies, as kernels and distributions name them. The ELF headers of their
# files are those of an architecture that has policies, or of none.
_OLD_ARM = (
    *("armv4l", "armv4tl", "armv5tel", "armv5tejl", "armv6l", "armv7"),
    *("arm", "armel", "armhf"),
)
_OTHERS = (
    *("mips", "mips64", "ppc", "s390", "sparc", "sparc64", "riscv32", "alpha", "ia64", "parisc"),
    "m68k",
)
SAME_HEADERS: Mapping[str, str] = {
    **dict.fromkeys(_OLD_ARM, "armv7l"),
    **dict.fromkeys(("i386", "i486", "i586"), "i686"),
    **{name: name for name in (*ARCHES, *_OTHERS)},
}


class PlatformTag(NamedTuple):
    """A manylinux or musllinux platform tag; `arch` is empty if it is not specified."""

    libc: str
    major: int
    minor: int
    arch: str = ""

    def __str__(self) -> str:
        name = f"{_FAMILY[self.libc]}_{self.major}_{self.minor}"
        return f"{name}_{self.arch}" if self.arch else name

    @property
    def version(self) -> Tuple[int, int]:
        """The libc version that the tag promises, as (major, minor)."""
        return self.major, self.minor

    @property
    def exists(self) -> bool:
        """Whether a libc of this version has been released, as far as this copy knows."""
        return self.version <= NEWEST[self.libc]

    @property
    def without_arch(self) -> str:
        """The name of the policy, without the architecture: `manylinux_2_28`."""
        return str(self._replace(arch=""))

    @property
    def aliases(self) -> Tuple[str, ...]:
        """The older names of the tag that installers know for this architecture (PEP 600)."""
        if self.libc != GLIBC:
            return ()
        return tuple(
            f"{name}_{self.arch}"
            for name, version in LEGACY_NAMES.items()
            if version == self.version and self.arch in _legacy_arches(name)
        )

    @property
    def spellings(self) -> Tuple[str, ...]:
        """The platform tags that a file name gets for this tag: itself and its aliases, sorted."""
        return tuple(sorted((str(self), *self.aliases)))

    def on(self, arch: str) -> PlatformTag:
        """Return the tag with `arch`, unless it has an architecture already."""
        return self if self.arch else self._replace(arch=arch)


def _legacy_arches(name: str) -> Tuple[str, ...]:
    # loongarch64 and riscv64 are newer than manylinux2014; PEP 513 and 571 define only x86.
    if name == "manylinux2014":
        return ("x86_64", "i686", "aarch64", "armv7l", "ppc64le", "ppc64", "s390x")
    return ("x86_64", "i686")


def parse_platform(text: str) -> Optional[PlatformTag]:
    """Parse `manylinux_2_28_x86_64`, `manylinux_2_28`, `manylinux2014_x86_64` or `musllinux_1_2`.

    None if the text is not a manylinux or musllinux tag, or if it is an older name that does not
    exist for its architecture. As installers do, this ignores case.
    """
    name, underscore, rest = text.lower().partition("_")
    if name in LEGACY_NAMES:
        if underscore and rest not in _legacy_arches(name):
            return None
        return PlatformTag(GLIBC, *LEGACY_NAMES[name], rest)
    major, _, rest = rest.partition("_")
    minor, underscore, arch = rest.partition("_")
    if name not in _LIBC or not (is_number(major) and is_number(minor)):
        return None
    if underscore and not (arch.isascii() and _is_word(arch)):
        return None
    return PlatformTag(_LIBC[name], int(major), int(minor), arch)


def is_number(text: str) -> bool:
    """Whether a text is a number of at most `_MAX_DIGITS` digits, without leading zeros."""
    digits = text.isascii() and text.isdigit() and len(text) <= _MAX_DIGITS
    return digits and (text == "0" or text[0] != "0")


def _is_word(text: str) -> bool:
    """Whether a text consists of letters, digits and underscores, and is not empty."""
    return text.replace("_", "a").isalnum()


def is_linux(platform: str) -> bool:
    """Whether a platform tag is for Linux: `linux_*`, `manylinux*` or `musllinux*`."""
    return platform.lower().startswith(("linux_", "manylinux", "musllinux"))


def is_native(platform: str) -> bool:
    """Whether a platform tag is for macOS, iOS or Windows."""
    return platform.lower().startswith(("macosx_", "ios_", "win32", "win_"))


def platform_arch(platform: str) -> Optional[str]:
    """Return the architecture of a Linux platform tag; None if it has none.

    An older name may be joined to any architecture, although no installer accepts it.
    """
    name, _, arch = platform.lower().partition("_")
    if name != "linux" and name not in LEGACY_NAMES:
        tag = parse_platform(platform)
        arch = tag.arch if tag else ""
    return _SYNONYMS.get(arch, arch) if _is_word(arch) else None


class WheelName(NamedTuple):
    """The parts of a wheel's file name (PEP 427, PEP 825), as they are spelled.

    `variant` is the label of a wheel variant, and empty for other wheels. The properties that judge
    tags ignore case, as installers do.
    """

    name: str
    version: str
    build: str
    pythons: Tuple[str, ...]
    abis: Tuple[str, ...]
    platforms: Tuple[str, ...]
    variant: str = ""

    def __str__(self) -> str:
        tags = (".".join(part) for part in (self.pythons, self.abis, self.platforms))
        parts = (self.name, self.version, self.build, *tags, self.variant)
        return "-".join(filter(None, parts)) + ".whl"

    @property
    def tags(self) -> Tuple[str, ...]:
        """All tags of the name: its compressed tag set, expanded in order (PEP 425)."""
        return tuple(
            f"{python}-{abi}-{platform}"
            for python in self.pythons
            for abi in self.abis
            for platform in self.platforms
        )

    @property
    def linux(self) -> bool:
        """Whether the name has a platform tag for Linux."""
        return any(map(is_linux, self.platforms))

    @property
    def pure(self) -> bool:
        """Whether the name has the platform tag `any`."""
        return any(platform.lower() == "any" for platform in self.platforms)

    @property
    def native(self) -> bool:
        """Whether the name has a platform tag for macOS, iOS or Windows."""
        return any(map(is_native, self.platforms))

    @property
    def header_arch(self) -> Optional[str]:
        """The architecture that the ELF headers of the files must have; None if it is unknown.

        It is that of the tags, or, if no policies are defined for that, one with equal headers.
        """
        arches = {SAME_HEADERS.get(platform_arch(one) or "") for one in self.platforms}
        return arches.pop() if len(arches) == 1 else None

    @property
    def libc(self) -> Optional[str]:
        """The libc family that all manylinux and musllinux tags share; None if they differ."""
        families = {tag.libc for tag in map(parse_platform, self.platforms) if tag}
        return families.pop() if len(families) == 1 else None


_VARIANT = frozenset("abcdefghijklmnopqrstuvwxyz0123456789_.")
_BUILD = _VARIANT.union("ABCDEFGHIJKLMNOPQRSTUVWXYZ")
_PART = _BUILD.union("!+")


def parse_wheel_name(filename: str) -> Optional[WheelName]:
    """Parse the file name of a wheel (PEP 427), or of a variant (PEP 825); None if it is neither.

    A third part that begins with a digit is a build tag, because no Python tag does.
    """
    stem, dot, extension = filename.rpartition(".")
    parts = stem.split("-")
    if not dot or extension.lower() != "whl" or not 5 <= len(parts) <= 7:
        return None
    if not all(part and _PART.issuperset(part) for part in parts):
        return None
    built = len(parts) > 5 and parts[2][0].isdigit() and _BUILD.issuperset(parts[2])
    build = parts.pop(2) if built else ""
    variant = parts.pop() if len(parts) == 6 else ""
    if len(parts) != 5 or not _VARIANT.issuperset(variant):
        return None
    pythons, abis, platforms = (tuple(part.split(".")) for part in parts[-3:])
    if not all(pythons + abis + platforms) or (variant and any(map(_is_abi, platforms))):
        return None
    # No Python tag begins with a digit.
    if pythons[0][0].isdigit():
        return None
    return WheelName(parts[0], parts[1], build, pythons, abis, platforms, variant)


def _is_abi(text: str) -> bool:
    """Whether a part of a variant's platform tag is an ABI.

    A wheel whose build tag is wrong has one part too many, too. Its ABI is then where a variant has
    the platform.
    """
    import re  # noqa: PLC0415 (few wheels are variants)

    abi = r"none|abi3t?|(?:cp|pp|pypy|graalpy|jy|ip|py)\d\w*"
    return re.fullmatch(abi, text.lower()) is not None
