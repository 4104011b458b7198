"""Explanations of what macOS and iOS ask of a wheel."""

from __future__ import annotations

from typing import Dict

from manyshim.audit.explanations.explanation import Explanation
from manyshim.audit.findings import problem_finding
from manyshim.audit.macos.libraries import LibraryProblem
from manyshim.audit.macos.slices import SliceProblem
from manyshim.audit.macos.versions import VersionProblem
from manyshim.audit.native import NativeProblem

_MODULE = "demo/_fast.cpython-311-darwin.so"
_LIBRARY = "demo/.dylibs/libdemo.dylib"

EXPLANATIONS: Dict[str, Explanation] = {
    "MACOS_VERSION": Explanation(
        summary="needs a newer macOS or iOS than the tag promises",
        meaning="Each architecture of a Mach-O file states the oldest macOS that it runs on. The "
        "platform tag promises an older one. If only the minor version is newer, it is a warning, "
        "because no tag from macOS 11 on can state a minor version.",
        example=problem_finding(
            VersionProblem.NEWER,
            _LIBRARY,
            *("13.0", "macosx_10_9_x86_64", "10.9", "macosx_13_0_x86_64"),
            subject="x86_64",
        ),
        why="Installers put the wheel on a macOS where the file does not load, or where a function "
        "that it calls is missing. Often a library of Homebrew was copied into the wheel: it is "
        "built for the macOS of the machine.",
        fix="- Build with `MACOSX_DEPLOYMENT_TARGET`, the macOS of the tag.\n"
        "- Build the libraries that are copied into the wheel with the same setting. Do not take "
        "those of Homebrew.\n"
        "- Or give the wheel the tag that the line names.",
        allow="Rarely: if the package does not load the file on an older macOS. "
        '`--allow "MACOS_VERSION:demo/metal/*"` accepts it.',
    ),
    "MISSING_SLICE": Explanation(
        summary="has no code for an architecture that the tag promises",
        meaning="A tag such as `universal2` stands for several architectures, and a Mach-O file "
        "has a part for each. Here a library, a module or a program lacks one. A library that only "
        "modules of the other architecture load is fine. Without i386 it is only a note, because "
        "no supported macOS runs such code.",
        example=problem_finding(
            SliceProblem.MISSING,
            _LIBRARY,
            *("macosx_11_0_universal2", "x86_64", ", or use the tag macosx_11_0_x86_64"),
            subject="arm64",
        ),
        why="On a machine of that architecture dyld refuses the file: `incompatible architecture`.",
        fix="- Build for both: `ARCHFLAGS` with `-arch arm64 -arch x86_64`, or join two builds "
        "with `lipo -create`.\n"
        "- Libraries that are copied into the wheel need both parts, too.\n"
        "- Or build one wheel for each architecture.",
        allow="Yes, if the package chooses the file by the machine. "
        '`--allow "MISSING_SLICE:demo/bin/*"` accepts it.',
    ),
    "MACOS_LIBRARY": Explanation(
        summary="needs a library that is neither in the wheel nor in macOS",
        meaning="dyld looks for each library at the path that the file states. Here it is not in "
        "the installed wheel, and not one of the system. It is a warning if no module loads the "
        "file. It is also a warning if a required project may bring the library: by its name, or "
        "because a search path leads to a folder of packages where the wheel has no file.",
        example=problem_finding(
            LibraryProblem.MISSING,
            _MODULE,
            " on arm64",
            subject="/usr/local/opt/xz/lib/liblzma.5.dylib",
        ),
        why="The import fails with `Library not loaded`, except on machines where someone has "
        "installed the library at the same place.",
        fix="- Let delocate copy the libraries into the wheel: `delocate-wheel -w out demo.whl`.\n"
        "- Or link the library statically.\n"
        "- If another package brings it, load it from there before the import.",
        allow="Rarely: if your users have the library at this place. "
        '`--allow "MACOS_LIBRARY:demo/*"` accepts it.',
    ),
    "UNSIGNED": Explanation(
        summary="has no code signature for arm64",
        meaning="macOS for arm64 loads signed code only. Linkers sign what they write, without any "
        "certificate. This file has no signature, so a tool changed it later or another linker "
        "made it.",
        example=problem_finding(SliceProblem.UNSIGNED, _MODULE, subject="arm64"),
        why="The import fails with `code signature invalid`, or macOS ends the process.",
        fix="- Sign the file after its last change: `codesign --force --sign - FILE`.\n"
        "- Change search paths with delocate or `install_name_tool`, which sign again.",
        allow="No good reason: no Mac with arm64 loads the file.",
    ),
    "CODE_CORRUPT": Explanation(
        summary="is machine code of macOS or Windows that cannot be read",
        meaning="The file begins like a Mach-O or PE file, but what the loader reads of it is cut "
        "off or contradictory. It is a warning if it is neither a module nor a program in the "
        "scripts folder.",
        example=problem_finding(
            NativeProblem.CORRUPT, _MODULE, subject="a segment extends beyond the end of the file"
        ),
        why="The import fails. A file that was cut off while it was copied is the usual cause.",
        fix="- Build the file again, and compare its size before and after it is copied.\n"
        "- If a tool edited the file after the build, leave that step out.",
        allow="Rarely: if nothing loads the file, for example a damaged file that your tests need. "
        '`--allow "CODE_CORRUPT:demo/tests/*"` accepts it.',
    ),
}
