"""File name suffixes of extension modules, and which interpreters load them (PEP 3149, PEP 803)."""

from __future__ import annotations

from manyshim.audit.tags import GLIBC, MUSL, WheelName, is_number
from manyshim.values import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Iterator, Optional, Tuple, TypeAlias

Version: TypeAlias = "Tuple[int, int]"

_LOWER = "abcdefghijklmnopqrstuvwxyz"
# File systems accept no longer name, in bytes. Longer ones would only cost time.
_MAX_NAME = 255
STABLE_ABIS = ("abi3", "abi3t")
# How the last part of a triplet begins.
_LIBCS = ("gnu", "musl", "android")
# How it goes on for an ABI that no platform tag for Linux has: x32 of x86, the 32-bit or newer
# ABIs of MIPS, SPE of POWER, and floats that are not passed in registers of double precision.
_OTHER_ABIS = frozenset(("x32", "abin32", "abi64", "spe", "eabi", "sf", "f32"))
# From 3.11, the suffixes of CPython differ between glibc and musl.
_TELLS_LIBC: Version = (3, 11)
# The first CPython with each stable ABI and with PyModExport. That of abi3t also was the first to
# look for suffixes of a stable ABI that name a platform.
_FIRST_ABI3: Version = (3, 2)
_FIRST_ABI3T: Version = (3, 15)
_FIRST_EXPORT: Version = (3, 15)
_FIRST_FREE_THREADED: Version = (3, 13)
# Before, the release build of CPython was `cp37m`.
_FIRST_WITHOUT_M: Version = (3, 8)
# It stands for every CPython that is newer than the one that a tag names.
_NEWER: Version = (3, 9999)


class ModuleSuffix(NamedTuple):
    """The ABI and the platform that the file name of an extension module states."""

    implementation: str
    triplet: str

    @property
    def libc(self) -> Optional[str]:
        """The libc family of the triplet. None if unclear: before 3.11, musl has `gnu` too.

        PyPy writes `gnu` on musl too. Stable ABIs have a triplet only from CPython 3.15.
        """
        if "-linux-musl" in self.triplet:
            return MUSL
        if "-linux-gnu" not in self.triplet:
            return None
        version = parse_cpython(self.implementation, "cpython-")
        tells = self.implementation in STABLE_ABIS or (version and version[:2] >= _TELLS_LIBC)
        return GLIBC if tells else None

    @property
    def cpu(self) -> str:
        """The first part of the triplet."""
        return self.triplet.partition("-")[0]

    @property
    def for_one_interpreter(self) -> bool:
        """Whether the file is for one version of one interpreter, and for no stable ABI."""
        return self.implementation not in STABLE_ABIS

    @property
    def for_no_tag(self) -> bool:
        """Whether the triplet names an ABI or a system that no platform tag for Linux covers."""
        if not self.triplet or self.implementation.startswith("graalpy"):
            return False
        libc = self.triplet.rpartition("-linux-")[2]
        for family in ("gnu", "musl"):
            if libc.startswith(family):
                return libc[len(family) :] in _OTHER_ABIS
        return True

    @property
    def init_functions(self) -> Tuple[str, ...]:
        """The prefixes of init functions that interpreters look for in such a file (PEP 793).

        PyPy also loads what cffi makes for it alone. Newer CPythons load modules of a stable ABI.
        """
        if self.implementation.startswith("pypy"):
            return ("PyInit", "_cffi_pypyinit")
        version = parse_cpython(self.implementation, "cpython-")
        newest = version[:2] if version else _NEWER
        exports = not self.implementation.startswith("graalpy") and newest >= _FIRST_EXPORT
        return ("PyInit", "PyModExport") if exports else ("PyInit",)


def parse_cpython(text: str, prefix: str = "cp") -> Optional[Tuple[int, int, str]]:
    """Parse `cp313t` as version 3.13 with the flags `t`; None if it is not a CPython tag."""
    number = text[len(prefix) :].rstrip(_LOWER)
    if not text.startswith(prefix) or len(number) < 2 or not is_number(number):
        return None
    return int(number[0]), int(number[1:]), text[len(prefix) + len(number) :]


def parse_module_suffix(filename: str) -> Optional[ModuleSuffix]:
    """Parse the ABI suffix in the file name of an extension module; None if it has none.

    Examples: `name.cpython-313t-x86_64-linux-gnu.so`, `name.abi3.so`,
    `name.pypy310-pp73-x86_64-linux-gnu.so`.
    """
    stem, dot, extension = filename.rpartition(".")
    _, begin, suffix = stem.rpartition(".")
    if not dot or not begin or extension != "so" or _too_long(filename):
        return None
    first, dash, rest = suffix.partition("-")
    if first in STABLE_ABIS:
        return ModuleSuffix(first, rest) if not dash or _is_triplet(rest) else None
    if first.startswith("graalpy"):
        return _parse_graalpy(suffix)
    second, dash, triplet = rest.partition("-")
    if dash and not _is_triplet(triplet):
        return None
    implementation = f"{first}-{second}"
    return ModuleSuffix(implementation, triplet) if _is_implementation(first, second) else None


def _too_long(filename: str) -> bool:
    return len(filename) > _MAX_NAME or len(filename.encode("utf-8", "replace")) > _MAX_NAME


def _parse_graalpy(suffix: str) -> Optional[ModuleSuffix]:
    """Parse `graalpy242-311-native-x86_64-linux`, which has no libc in its triplet."""
    if not _is_word(suffix):
        return None
    parts = suffix.split("-", 3)
    return ModuleSuffix("-".join(parts[:3]), parts[3] if len(parts) > 3 else "")


def _is_implementation(first: str, second: str) -> bool:
    """Whether a suffix is that of CPython (`cpython-313t`) or of PyPy (`pypy310-pp73`)."""
    if first == "cpython":
        return is_number(second.rstrip(_LOWER))
    named = first.startswith("pypy") and second.startswith("pp")
    return named and is_number(first[4:]) and is_number(second[2:])


def _is_triplet(text: str) -> bool:
    """Whether a text is how CPython names a platform: `x86_64-linux-gnu`, `darwin` (macOS)."""
    cpu, linux, abi = text.rpartition("-linux-")
    known = abi.startswith(_LIBCS) and _is_word(abi) and "-" not in abi
    return text == "darwin" or (bool(cpu and linux) and known and _is_word(cpu))


def _is_word(text: str) -> bool:
    """Whether a text consists of letters, digits, dashes and underscores, and is not empty."""
    return text.replace("-", "a").replace("_", "a").isalnum()


class Interpreter(NamedTuple):
    """An interpreter that accepts a tag.

    `abi` is how the suffixes of its own modules begin, for example `cpython-313t`. It is empty if
    the tag does not tell the interpreter, which may then load every suffix. `version` and `flags`
    are those of CPython; other implementations have none.
    """

    abi: str = ""
    version: Optional[Version] = None
    flags: str = ""

    def __str__(self) -> str:
        if self.version is None:
            return self.abi
        if self.version == _NEWER:
            return f"every newer CPython{' (free-threaded)' if self.free_threaded else ''}"
        return f"CPython {self.version[0]}.{self.version[1]}{self.flags}"

    @property
    def free_threaded(self) -> bool:
        """Whether it is a CPython without the GIL (PEP 703)."""
        return "t" in self.flags

    def loads(self, suffix: Optional[ModuleSuffix]) -> bool:
        """Whether it loads modules with a suffix of its own platform; None is a bare `.so`.

        Sources: CPython's Python/dynload_shlib.c; PEP 803; `_imp.extension_suffixes()` of PyPy,
        which finds its own suffix only, and of GraalPy, which also finds a bare `.so`.
        """
        if not self.abi:
            return True
        if suffix is None:
            return not self.abi.startswith("pypy")
        if suffix.implementation in STABLE_ABIS:
            return self._loads_stable(suffix)
        # A debug build also loads the modules of a release build.
        release = self._replace(flags=self.flags.replace("d", ""))
        return suffix.implementation in (self.abi, _own_abi(release))

    def finds(self, suffix: Optional[ModuleSuffix]) -> bool:
        """Whether it looks for files with a suffix, even if it cannot load what they stand for.

        Free-threaded CPython looks for `.abi3.so` before 3.15, but has no such ABI (PEP 803).
        """
        old = self.version is not None and self.free_threaded and self.version < _FIRST_ABI3T
        return self.loads(suffix) or (old and suffix == ModuleSuffix("abi3", ""))

    def _loads_stable(self, suffix: ModuleSuffix) -> bool:
        if self.version is None or (self.free_threaded and suffix.implementation == "abi3"):
            return False
        modern = suffix.triplet or suffix.implementation == "abi3t"
        return self.version >= (_FIRST_ABI3T if modern else _FIRST_ABI3)


ANY = Interpreter()


def _own_abi(python: Interpreter) -> str:
    version = python.version
    return f"cpython-{version[0]}{version[1]}{python.flags}" if version else python.abi


def _cpython(version: Version, flags: str = "") -> Interpreter:
    made = Interpreter(version=version, flags=flags)
    return made._replace(abi=_own_abi(made))


def accepting(python: str, abi: str, *, pure: bool = False) -> Tuple[Interpreter, ...]:
    """Return the interpreters that accept a Python tag with an ABI tag; empty if none can.

    `pure` is for the platform `any`. Sources: PEP 425; the tags that packaging generates for each
    interpreter. Tags of other implementations are taken as they are.
    """
    tag = parse_cpython(python)
    if tag:
        return _cpythons(tag[:2], abi) if not tag[2] else ()
    implementation, digits = python.rstrip("0123456789"), python.lstrip(_LOWER)
    # Interpreters join a major version alone to the tags none and any only: pp3-none-any.
    if implementation == "cp" or (implementation, len(digits), abi) == ("pp", 1, "none"):
        return (ANY,) if pure and abi == "none" else ()
    if abi == "none":
        return (ANY,)
    if implementation == "pp":
        return _pypys(digits, abi)
    if implementation == "graalpy" and abi.startswith("graalpy"):
        return (Interpreter(abi.replace("_", "-")),)
    return (ANY,) if implementation != "py" else ()


def _pypys(digits: str, abi: str) -> Tuple[Interpreter, ...]:
    """Return the PyPy that accepts the version of a Python tag with an ABI tag."""
    own = abi.partition("_")[0][len("pypy") :]
    # The tags of old PyPys have no or one digit here: pp27-pypy_73, pp371-pypy3_71.
    agrees = abi.startswith("pypy") and (len(own) < 2 or own.startswith(digits))
    return (Interpreter(abi.replace("_", "-")),) if agrees else ()


def _cpythons(version: Version, abi: str) -> Tuple[Interpreter, ...]:
    """Return the CPythons that accept the Python tag of `version` with an ABI tag."""
    if abi == "none":
        # A free-threaded build accepts the tag too, but such wheels are seldom meant for it.
        return (_cpython(version, "m" if version < _FIRST_WITHOUT_M else ""),)
    if abi in STABLE_ABIS:
        if version < _FIRST_ABI3:
            return ()
        if abi == "abi3":
            return _cpython(version), _cpython(_NEWER)
        return _cpython(max(version, _FIRST_FREE_THREADED), "t"), _cpython(_NEWER, "t")
    own = parse_cpython(abi)
    if own is None or own[:2] != version or ("t" in own[2] and version < _FIRST_FREE_THREADED):
        return ()
    return (_cpython(version, own[2]),)


def interpreters(name: WheelName) -> Tuple[Interpreter, ...]:
    """Return the interpreters that accept the tags of a wheel's name; empty if none can.

    As installers do, this ignores case.
    """
    found = tuple(dict.fromkeys(_all_accepting(name)))
    return (ANY,) if ANY in found else found


def _all_accepting(name: WheelName) -> Iterator[Interpreter]:
    for python in name.pythons:
        for abi in name.abis:
            yield from accepting(python.lower(), abi.lower(), pure=name.pure)
