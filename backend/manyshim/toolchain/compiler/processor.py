"""Which processor is compiled for: GCC's -march, -mcpu, -mfpu and -m<feature> in zig's words.

Zig knows one -mcpu, spelled with underscores and with its features behind + and -; what a build
asks for takes the baseline's place in it.
"""

from __future__ import annotations

from typing import List, Mapping, Optional, Tuple

from manyshim.toolchain.compiler.target_options import TargetOptions, words

_X86 = ("x86_64", "i686")
_ARM = ("aarch64", "armv7l")
_32_BIT = ("i686", "armv7l")

# GCC's names that zig knows by others, or would read as a name with a feature taken away.
_X86_NAMES = {
    "core-avx2": "haswell",
    "core-avx-i": "ivybridge",
    "corei7-avx": "sandybridge",
    "k8-sse3": "k8_sse3",
    "opteron-sse3": "opteron_sse3",
    "athlon64-sse3": "athlon64_sse3",
}
_X86_BASELINES = words("x86-64 x86_64 i386 i486 i586 i686 pentium pentiumpro generic")
_X86_FEATURES = tuple(
    words(
        "3dnow abm adx aes amx avx bmi clflushopt clwb crc32 cx16 f16c fma fpmath fsgsbase fxsr "
        "gfni hle lzcnt mmx movbe pclmul popcnt prfchw rdpid rdrnd rdseed rtm sahf sha sse ssse3 "
        "tbm vaes vpclmulqdq xop xsave"
    )
)
_AARCH64_FEATURES = {
    "fp": "",
    "simd": "",
    "fp16": "fullfp16",
    "rdma": "rdm",
    "memtag": "mte",
    "rng": "rand",
    "profile": "spe",
    "fcma": "complxnum",
    "jscvt": "jsconv",
}
# What follows generic+v7a: clang gives every ARMv7 NEON and 32 registers unless told otherwise.
_D16 = "-neon-d32"
_FPUS = {
    **dict.fromkeys(("vfpv3-d16", "fp", "auto", "vfp", "vfpv2", "vfp3"), f"+vfp3d16{_D16}"),
    "vfpv3-d16-fp16": f"+vfp3d16+fp16{_D16}",
    "vfpv3": "+vfp3-neon",
    "vfpv3-fp16": "+vfp3+fp16-neon",
    **dict.fromkeys(("neon", "neon-vfpv3", "simd"), "+neon"),
    "neon-fp16": "+neon+fp16",
    "vfpv4-d16": f"+vfp4d16{_D16}",
    "vfpv4": "+vfp4-neon",
    "neon-vfpv4": "+neon+vfp4",
    "neon-fp-armv8": "+neon+fp_armv8",
    "crypto-neon-fp-armv8": "+neon+fp_armv8+crypto",
}
_RISCV_BASELINE = frozenset(("i", "m", "a", "f", "d", "c", "g", "zicsr", "zifencei"))
_BASELINES: Mapping[str, Tuple[str, ...]] = {
    "ppc64le": ("power8", "ppc64le", "powerpc64le"),
    "s390x": ("z900", "z990", "z9-109", "z9-ec", "arch3", "arch5", "arch6", "arch7"),
    "loongarch64": ("loongarch64", "la64v1.0", "generic"),
}
_ONLY_ON: Mapping[str, Tuple[str, ...]] = {
    "-mfpu=": ("armv7l",),
    "-mfloat-abi=": ("armv7l",),
    "-mthumb": ("armv7l",),
    "-marm": ("armv7l",),
    "-mbranch-protection=": ("aarch64",),
    "-moutline-atomics": ("aarch64",),
    "-fcf-protection": _X86,
}


class Processor:
    """Collects what is asked for; `take` says whether an argument was about the processor."""

    def __init__(self, options: TargetOptions) -> None:
        self.notes: List[str] = []
        self._setting = options
        self._arch = options.arch
        self._cpu = ""
        self._fpu = ""

    @property
    def cpu(self) -> str:
        """Zig's -mcpu for all that was asked for."""
        if self._fpu and (self._cpu or self._fpu != _FPUS["vfpv3-d16"]):
            return (self._cpu or "generic+v7a+thumb2") + self._fpu
        return self._cpu or self._setting.cpu

    def take(self, argument: str) -> bool:
        """Take an argument that zig must not see; the others are the caller's."""
        option, equals, value = argument.partition("=")
        if equals and option in ("-march", "-mcpu"):
            self._choose(argument, option, value)
        elif option in ("-m32", "-m64", "-mx32", "-m31", "-mesa", "-mzarch"):
            self._check_size(option)
        elif self._is_out_of_place(argument):
            if value != "none":
                self._foreign(argument)
        elif self._arch == "armv7l" and option in ("-mfpu", "-mfloat-abi"):
            self._float(argument, option, value)
        elif self._arch not in _X86 and _is_x86_feature(option):
            # To be without what the target never has is no loss.
            if not option.startswith("-mno-"):
                self._foreign(argument)
        else:
            # zig takes -mtune for the processor itself, and has another name for the only lp64.
            return option == "-mtune" or (self._arch == "aarch64" and argument == "-mabi=lp64")
        return True

    def _is_out_of_place(self, argument: str) -> bool:
        return any(
            argument.startswith(prefix) and self._arch not in arches
            for prefix, arches in _ONLY_ON.items()
        )

    def _choose(self, argument: str, option: str, value: str) -> None:
        if value == "native":
            self.notes.append(
                f"{argument} was dropped: the wheel is for every {self._arch}, not for the "
                "machine that builds it"
            )
            return
        if option == "-mcpu" and self._arch in _X86:
            return  # GCC's old name of -mtune
        chosen = self._translate(option, value)
        if chosen is not None:
            self._cpu = chosen
        elif value not in _X86_BASELINES:
            self._foreign(argument)

    def _translate(self, option: str, value: str) -> Optional[str]:
        """Name a processor as zig does: "" for the baseline, None for another architecture's."""
        if value in _BASELINES.get(self._arch, ()):
            return ""
        if self._arch in _X86:
            return _x86(value, self._arch)
        if self._arch in _ARM:
            return self._arm(option, value)
        return _other(self._arch, option, value)

    def _arm(self, option: str, value: str) -> Optional[str]:
        name, *features = value.split("+")
        if option == "-mcpu":
            chosen = "" if name == "generic-armv7-a" else name.replace("-", "_")
        elif not name.startswith(("armv", "generic")):
            return None
        elif self._arch == "armv7l":
            chosen = {"armv8-a": "generic+v8a", "armv7ve": "generic+v7ve+thumb2"}.get(name, "")
        else:
            version = name.replace("armv", "").replace("-a", "").replace(".", "_")
            chosen = "generic" if version in ("8", "generic") else f"generic+v{version}a"
        if self._arch == "armv7l":
            self._fpu = next((_FPUS[one] for one in features if one in _FPUS), self._fpu)
            if chosen.startswith("generic+v7ve") and not self._fpu:
                self._fpu = _FPUS["vfpv3-d16"]
            return "" if chosen == "generic" else chosen
        chosen += "".join(_aarch64_feature(feature) for feature in features)
        return "" if chosen == "generic" else chosen

    def _float(self, argument: str, option: str, value: str) -> None:
        if option == "-mfloat-abi":
            if value != "hard":
                self.notes.append(
                    f"{argument} was dropped: {self._arch} wheels pass floating-point numbers in "
                    "registers (hard)"
                )
        elif value in _FPUS:
            self._fpu = _FPUS[value]
        else:
            self._foreign(argument)

    def _check_size(self, option: str) -> None:
        wanted = {"-m32": 32, "-m64": 64}.get(option, 0)
        has = 32 if self._arch in _32_BIT else 64
        if wanted != has and not (option == "-mzarch" and self._arch == "s390x"):
            self.notes.append(
                f"{option} was dropped: the target is {self._arch}; for another architecture "
                "build a wheel of its own"
            )

    def _foreign(self, argument: str) -> None:
        self.notes.append(
            f"{argument} was dropped: it means nothing to the target's processor, {self._arch}; "
            "where the sources rely on it, make it depend on the target"
        )


def _is_x86_feature(option: str) -> bool:
    if not option.startswith("-m"):
        return False
    return option[5 if option.startswith("-mno-") else 2 :].startswith(_X86_FEATURES)


def _x86(value: str, arch: str) -> Optional[str]:
    if value in _X86_BASELINES:
        return ""
    others = ("armv", "rv64", "rv32", "power", "loongarch", "la4", "la6", "la64", "arch", "zEC")
    if value.startswith(others) or (value[:1] == "z" and value[1:].isdigit()):
        return None
    if arch == "i686" and value.startswith(("x86-64", "x86_64")):
        return None
    return _X86_NAMES.get(value, value.replace("-", "_"))


def _other(arch: str, option: str, value: str) -> Optional[str]:
    underlined = value.replace("-", "_")
    if arch == "riscv64":
        return _riscv(value) if option == "-march" else underlined
    if arch == "ppc64le":
        named = value.startswith("power") and value[5:].isdigit()
        return None if option == "-march" else f"pwr{value[5:]}" if named else underlined
    if arch == "s390x":
        known = value.startswith(("zEC", "arch")) or (value[:1] == "z" and value[1:].isdigit())
        return value if known else None
    return underlined if value.startswith("la") and "v" not in value else None


def _aarch64_feature(feature: str) -> str:
    sign, name = ("-", feature[2:]) if feature.startswith("no") else ("+", feature)
    named = _AARCH64_FEATURES.get(name, name.replace("-", "_"))
    return sign + named if named else ""


def _riscv(value: str) -> Optional[str]:
    """Read an ISA string: rv64gc, rv64imafdcv_zba_zbb, rv64i2p1_m2p0."""
    if not value.startswith("rv64"):
        return None
    letters, *longer = value[4:].split("_")
    named = [letter for letter in letters if letter.isalpha() and letter != "p"]
    named += [_without_version(name) for name in longer]
    more = [name for name in named if name and name not in _RISCV_BASELINE]
    return "+".join(("baseline_rv64", *more)) if more else ""


def _without_version(name: str) -> str:
    """Cut 1p0 off zba1p0."""
    shorter = name.rstrip("0123456789")
    return shorter[:-1].rstrip("0123456789") if shorter != name and shorter[-1:] == "p" else name
