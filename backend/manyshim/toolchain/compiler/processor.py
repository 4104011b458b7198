"""Translate GCC's -march, -mcpu, -mfpu and -m<feature> to zig's -mcpu.

zig has one option, -mcpu. Its names have underscores, and features follow with + and -. The
processor that a build asks for replaces the target's baseline.
"""

from __future__ import annotations

from typing import List, Mapping, Optional, Tuple

from manyshim.toolchain.compiler.target_options import TargetOptions, words

_X86 = ("x86_64", "i686")
_ARM = ("aarch64", "armv7l")
_32_BIT = ("i686", "armv7l")

# GCC's names that zig spells differently, or would parse as a name without a feature.
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
# The features after generic+v7a. By default clang assumes NEON and 32 registers for every ARMv7.
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
    """Collect the processor options of a call; `take` returns whether an argument is one."""

    def __init__(self, options: TargetOptions) -> None:
        self.notes: List[str] = []
        self._options = options
        self._arch = options.arch
        self._cpu = ""
        self._fpu = ""

    @property
    def cpu(self) -> str:
        """The value of zig's -mcpu for all options so far."""
        if self._fpu and (self._cpu or self._fpu != _FPUS["vfpv3-d16"]):
            return (self._cpu or "generic+v7a+thumb2") + self._fpu
        return self._cpu or self._options.cpu

    def take(self, argument: str) -> bool:
        """Take an argument if it is about the processor; return False for the caller to keep it."""
        option, equals, value = argument.partition("=")
        if equals and option in ("-march", "-mcpu"):
            self._choose(argument, option, value)
        elif option in ("-m32", "-m64", "-mx32", "-m31", "-mesa", "-mzarch"):
            self._check_size(option)
        elif self._is_for_another_arch(argument):
            if value != "none":
                self._drop_foreign(argument)
        elif self._arch == "armv7l" and option in ("-mfpu", "-mfloat-abi"):
            self._take_float(argument, option, value)
        elif self._arch not in _X86 and _is_x86_feature(option):
            # The target never has the feature, so -mno-<feature> can be dropped without a note.
            if not option.startswith("-mno-"):
                self._drop_foreign(argument)
        else:
            # zig would treat -mtune as the processor itself, and spells the only lp64 differently.
            return option == "-mtune" or (self._arch == "aarch64" and argument == "-mabi=lp64")
        return True

    def _is_for_another_arch(self, argument: str) -> bool:
        return any(
            argument.startswith(prefix) and self._arch not in arches
            for prefix, arches in _ONLY_ON.items()
        )

    def _choose(self, argument: str, option: str, value: str) -> None:
        if value == "native":
            self.notes.append(
                f"{argument} was dropped: the wheel is for every {self._arch} machine, not only "
                "for the building one"
            )
            return
        if option == "-mcpu" and self._arch in _X86:
            return  # GCC's old name of -mtune
        chosen = self._translate(option, value)
        if chosen is not None:
            self._cpu = chosen
        elif value not in _X86_BASELINES:
            self._drop_foreign(argument)

    def _translate(self, option: str, value: str) -> Optional[str]:
        """Return zig's name of a processor: "" for the baseline, None for another architecture."""
        if value in _BASELINES.get(self._arch, ()):
            return ""
        if self._arch in _X86:
            return _x86_cpu(value, self._arch)
        if self._arch in _ARM:
            return self._arm_cpu(option, value)
        return _other_cpu(self._arch, option, value)

    def _arm_cpu(self, option: str, value: str) -> Optional[str]:
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

    def _take_float(self, argument: str, option: str, value: str) -> None:
        if option == "-mfloat-abi":
            if value != "hard":
                self.notes.append(
                    f"{argument} was dropped: {self._arch} wheels pass floating-point numbers in "
                    "registers (hard)"
                )
        elif value in _FPUS:
            self._fpu = _FPUS[value]
        else:
            self._drop_foreign(argument)

    def _check_size(self, option: str) -> None:
        wanted = {"-m32": 32, "-m64": 64}.get(option, 0)
        has = 32 if self._arch in _32_BIT else 64
        if wanted != has and not (option == "-mzarch" and self._arch == "s390x"):
            self.notes.append(
                f"{option} was dropped: the target is {self._arch}; build another wheel for "
                "another architecture"
            )

    def _drop_foreign(self, argument: str) -> None:
        self.notes.append(
            f"{argument} was dropped: it does not apply to {self._arch}, the target's processor; "
            "if the sources need it, pass it for its own architecture only"
        )


def _is_x86_feature(option: str) -> bool:
    if not option.startswith("-m"):
        return False
    return option[5 if option.startswith("-mno-") else 2 :].startswith(_X86_FEATURES)


def _x86_cpu(value: str, arch: str) -> Optional[str]:
    if value in _X86_BASELINES:
        return ""
    others = ("armv", "rv64", "rv32", "power", "loongarch", "la4", "la6", "la64", "arch", "zEC")
    if value.startswith(others) or (value[:1] == "z" and value[1:].isdigit()):
        return None
    if arch == "i686" and value.startswith(("x86-64", "x86_64")):
        return None
    return _X86_NAMES.get(value, value.replace("-", "_"))


def _other_cpu(arch: str, option: str, value: str) -> Optional[str]:
    underlined = value.replace("-", "_")
    if arch == "riscv64":
        return _riscv_cpu(value) if option == "-march" else underlined
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


def _riscv_cpu(value: str) -> Optional[str]:
    """Translate an ISA string: rv64gc, rv64imafdcv_zba_zbb, rv64i2p1_m2p0."""
    if not value.startswith("rv64"):
        return None
    letters, *longer = value[4:].split("_")
    named = [letter for letter in letters if letter.isalpha() and letter != "p"]
    named += [_without_version(name) for name in longer]
    more = [name for name in named if name and name not in _RISCV_BASELINE]
    return "+".join(("baseline_rv64", *more)) if more else ""


def _without_version(name: str) -> str:
    """Remove the version from an extension: zba for zba1p0."""
    shorter = name.rstrip("0123456789")
    return shorter[:-1].rstrip("0123456789") if shorter != name and shorter[-1:] == "p" else name
