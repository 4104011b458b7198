"""Explanations of what an ELF file is: damaged, for another system, or not for a loader."""

from __future__ import annotations

from typing import Dict

from manyshim.audit.explanations.explanation import NOT_NEEDED, Explanation
from manyshim.audit.findings import Evidence, finding

_MODULE = "demo/_fast.cpython-311-x86_64-linux-gnu.so"

EXPLANATIONS: Dict[str, Explanation] = {
    "ELF_CORRUPT": Explanation(
        summary="cannot be read",
        meaning="The file begins like an ELF file, but what the loader reads of it is cut off, "
        "out of range or contradictory. So nothing about it can be proved.",
        example=finding(
            "ELF_CORRUPT", _MODULE, "its program header table extends beyond the end of the file"
        ),
        why="The import fails, or the process crashes. A file that was cut off while it was copied "
        "is the usual cause.",
        fix="- Build the file again, and compare its size before and after it is copied.\n"
        "- If a tool edited the file after the build, leave that step out. `manyshim repair` "
        "changes files without such a tool.",
        allow="Rarely: if nothing loads the file, for example a damaged file that your tests need. "
        '`allow = ["ELF_CORRUPT:demo/tests/*"]` accepts it. It is still not audited.',
    ),
    "ELF_DAMAGED": Explanation(
        summary="is damaged where the loader does not look",
        meaning="A part of the file is wrong that no loader reads, for example its section "
        "headers. What the loader reads is in order, so the audit is complete.",
        example=finding(
            "ELF_DAMAGED", _MODULE, "its section header table extends beyond the end of the file"
        ),
        why="The import works. But strip, debuggers and other tools refuse the file or break it.",
        fix="Build the file again. If a tool removed its section headers to make it smaller, use "
        "`--strip all` of `retag` or `repair` instead.",
        allow=NOT_NEEDED,
    ),
    "WRONG_ABI": Explanation(
        summary="has an ABI that no tag covers",
        meaning="The processor is right, but not the calling convention, the byte order or the "
        "size of pointers. Soft-float ARM, x32 and RISC-V without double floats are examples.",
        example=finding(
            "WRONG_ABI",
            "demo/_fast.cpython-311-arm-linux-gnueabihf.so",
            "the soft-float ARM ABI; armv7l tags promise hard-float (e_flags 0x5000200)",
        ),
        why="The Python of the tag cannot load the file, or passes arguments in other registers "
        "than the file expects.",
        fix="- Build with the compiler of the target's usual ABI, for example `gnueabihf` for "
        "armv7l.\n"
        "- Remove flags such as `-mfloat-abi=soft`, `-mx32` or `-mabi=lp64`.\n"
        "- `-C manyshim.compiler=zig` with a platform of the target chooses the right ABI.",
        allow="Rarely: if the file is only data. "
        '`allow = ["WRONG_ABI:demo/firmware/*"]` accepts it there.',
    ),
    "WRONG_OS": Explanation(
        summary="is for another operating system",
        meaning="The header of the file names an operating system that is not Linux, for example "
        "FreeBSD. Linux takes files that are marked as System V or GNU.",
        example=finding("WRONG_OS", _MODULE, "OSABI 9"),
        why="The loader of Linux refuses the file: `ELF file OS ABI invalid`.",
        fix="- Build the file for Linux.\n"
        "- If it came with a download, take the download for Linux, or leave it out of this wheel.",
        allow="Rarely: if the file is only data, for example a program for another system that "
        'your package sends there. `allow = ["WRONG_OS:demo/payload/*"]` accepts it.',
    ),
    "MIXED_ARCH": Explanation(
        summary="is for another architecture than the wheel",
        meaning="The wheel is for one architecture, and this file for another. The name of the "
        "wheel decides which one is meant, or else the majority of its files.",
        example=finding(
            "MIXED_ARCH",
            "demo/_slow.cpython-311-aarch64-linux-gnu.so",
            "aarch64",
            evidence=Evidence.OTHER_WHEEL,
            details=("x86_64",),
        ),
        why="On the machine that the tag names, the file cannot be loaded. Often it is left from "
        "an earlier build, and the right file is missing.",
        fix="- Build from a clean folder: delete `build/`, or build the wheel from the sdist, as "
        "`uv build` does.\n"
        "- Build one wheel for each architecture.\n"
        "- If the whole wheel is for the other architecture, correct the platform in its name.",
        allow="Yes, if the file is only data: firmware, or a program for another machine. "
        '`allow = ["MIXED_ARCH:demo/firmware/*"]` accepts it. Not for a module that users import.',
    ),
    "MIXED_LIBC": Explanation(
        summary="is for another libc than other files of the wheel",
        meaning="Some files of the wheel are for glibc, others for musl. A tag names one of them. "
        "The name of the wheel decides which one is meant, or else the majority of its files.",
        example=finding(
            "MIXED_LIBC",
            "demo/bin/tool",
            "musl",
            evidence=Evidence.OTHER_FILES,
            details=("glibc",),
        ),
        why="A process has one libc. The file of the other one fails to load, or crashes.",
        fix="- Build one wheel for each libc: manylinux on glibc, musllinux on Alpine.\n"
        "- If the file is a program that should run everywhere, link it statically. Then it fits "
        "both.\n"
        "- Build from a clean folder, so that no file of another build is left.",
        allow="Yes, if the file is only data for the users of this wheel. "
        '`allow = ["MIXED_LIBC:demo/bin/tool"]` accepts it.',
    ),
    "DEVICE_CODE": Explanation(
        summary="is code for a device, or for a processor that no tag names; it is not audited",
        meaning="The file is for a device such as a GPU, for BPF, or for a processor that no "
        "wheel can be tagged for. A driver loads it, and not the loader of the system.",
        example=finding("DEVICE_CODE", "demo/kernels/add.cubin", "CUDA (machine 190)"),
        why="Nothing happens to your users. The line tells you that the file was not audited.",
        fix="Nothing is wrong if the file is for a device. Otherwise it is left from a build for "
        "another machine: leave it out of the wheel.",
        allow=NOT_NEEDED,
    ),
    "STATIC_OBJECT": Explanation(
        summary="is an object or archive that nothing loads",
        meaning="The file is for a linker or a debugger: an object file (`.o`), an archive of them "
        "(`.a`), or detached debug information. No loader reads it, so it is not audited.",
        example=finding("STATIC_OBJECT", "demo/lib/libdemo.a", "an archive of object files"),
        why="The wheel is larger than it needs to be. Users download the file for nothing, unless "
        "they compile against your package.",
        fix="Exclude the file from the package in the settings of your build backend. Keep it if "
        "your package has headers and is meant to be linked with.",
        allow=NOT_NEEDED,
    ),
    "DUPLICATE_LIBRARY": Explanation(
        summary="is in the wheel several times, with equal contents",
        meaning="Several files of the wheel have the same bytes. Usually they were symbolic links, "
        "such as `libdemo.so` and `libdemo.so.1`, and a wheel cannot have these.",
        example=finding(
            "DUPLICATE_LIBRARY",
            "demo/lib/libdemo.so",
            "2400112",
            symbols=("demo/lib/libdemo.so.1", "demo/lib/libdemo.so.1.2"),
            details=("3", "demo/lib/libdemo.so"),
        ),
        why="The wheel is larger, on the index and on every disk. If a process loads two of the "
        "copies, each has its own state.",
        fix="- Find out which name the other files need: "
        "`readelf -d demo/_fast.*.so` lists it as NEEDED.\n"
        "- Install only the file of that name. CMake's `NAMELINK_SKIP` leaves out the link for "
        "developers.",
        allow=NOT_NEEDED,
    ),
    "FLOAT_ABI_UNKNOWN": Explanation(
        summary="does not say whether it is hard-float; taken as armv7l",
        meaning="The header of an ARM file has a flag for the way it passes floats, and here it is "
        "missing. Some linkers do not write it. The file is judged as hard-float (armv7l).",
        example=finding(
            "FLOAT_ABI_UNKNOWN",
            "demo/_fast.cpython-311-arm-linux-gnueabihf.so",
            "e_flags 0x5000000",
        ),
        why="If the file is soft-float in truth, functions with floats get wrong arguments on "
        "armv7l.",
        fix="Nothing, if you built for `gnueabihf`. Otherwise compile with `-mfloat-abi=hard`. GNU "
        "ld writes the flag.",
        allow=NOT_NEEDED,
    ),
}
