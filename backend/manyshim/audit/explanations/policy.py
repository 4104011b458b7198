"""Explanations of what rules out a policy: symbols, libraries and processors."""

from __future__ import annotations

from typing import Dict

from manyshim.audit.explanations.explanation import NOT_NEEDED, Explanation
from manyshim.audit.findings import INFO, finding
from manyshim.audit.tags import GLIBC, PlatformTag

_MODULE = "demo/_fast.cpython-311-x86_64-linux-gnu.so"
# The newest listed policy: what no policy has is ruled out up to it.
_ALL = PlatformTag(GLIBC, 2, 41, "x86_64")

EXPLANATIONS: Dict[str, Explanation] = {
    "TOO_NEW": Explanation(
        summary="needs a symbol that is newer than the policy, or that belongs to one build of "
        "glibc (GLIBC_PRIVATE)",
        meaning="The file needs a version of a symbol that the systems of a policy do not have. "
        "The line names the symbol, its version, the library and the limit of the policy. "
        "That policy and all older ones are ruled out.\n"
        "For musl, which has no symbol versions, the name of the symbol or DT_RELR tells the "
        "release that is needed. GLIBC_PRIVATE belongs to one build of glibc, so no tag covers it.",
        example=finding(
            "TOO_NEW",
            _MODULE,
            "GLIBC_2.34",
            library="libc.so.6",
            symbols=("pthread_create",),
            policy=PlatformTag(GLIBC, 2, 31, "x86_64"),
            required=(2, 34),
        ),
        why="On an older system the import fails: `version 'GLIBC_2.34' not found`. "
        "With an older tag, installers would choose the wheel there, and users would see this "
        "error instead of a build from the sdist.",
        fix="The function is often old and only its version is new, because the file was linked on "
        "a new system. Choose one:\n"
        "- Compile C or C++ for an older glibc: `-C manyshim.compiler=zig` with, for example, "
        "`-C manyshim.platform=manylinux_2_17`.\n"
        "- Build on an older system, for example in a manylinux or musllinux image. For Rust, "
        "cargo-zigbuild does this too.\n"
        "- If the function itself is new, as `pidfd_open` is, look it up at run time with dlsym, "
        "or avoid it.\n"
        "- Do nothing, and accept the newer tag that `manyshim show` prints.",
        allow="No. It is a fact about older systems, and a tag is true or false. Fix the file, or "
        "take the newer tag. To stop a build that would get it, set "
        "`-C manyshim.platform=manylinux_2_28` and `-C manyshim.strict=true`.",
    ),
    "EXTERNAL_LIBRARY": Explanation(
        summary="needs a library that the policy does not promise",
        meaning="The file needs a library that is neither in the wheel nor promised by the policy. "
        "A policy promises only a few libraries of the system, such as libc and libstdc++.",
        example=finding("EXTERNAL_LIBRARY", _MODULE, "libssl.so.3", policy=_ALL),
        why="Other systems have another version of the library, or none. The import then fails: "
        "`libssl.so.3: cannot open shared object file`.",
        fix="Choose one:\n"
        "- Copy the library into the wheel: `manyshim repair dist/*.whl -w wheelhouse`, or build "
        "with `-C manyshim.mode=repair`. `--dry-run` prints the plan first.\n"
        "- Link the library statically.\n"
        "- If the environment provides it (a driver, another package), declare that: "
        '`exclude = ["libcuda.so.*"]`, or `--exclude` on the command line.',
        allow="No. Copy the library, or declare with `exclude` that it is there. The finding then "
        "becomes EXCLUDED, and the tag no longer depends on the library.",
    ),
    "FORBIDDEN_SYMBOL": Explanation(
        summary="uses a symbol that the policy does not promise, of a library that it does",
        meaning="The policy promises the library, but not this symbol of it. Such a symbol is an "
        "internal one, or exists in some builds of the library only.",
        example=finding(
            "FORBIDDEN_SYMBOL", _MODULE, "inflate_table", library="libz.so.1", policy=_ALL
        ),
        why="Some distributions build the library without the symbol, or hide it. There the import "
        "fails with `undefined symbol`.",
        fix="Choose one:\n"
        "- Use the public functions of the library.\n"
        "- Link the library statically (not libc).\n"
        "- Put your own copy of the library into the wheel, under a name of its own.",
        allow="No. Systems without the symbol exist, so the tag would be false. Do not use the "
        "symbol, or take the library with you.",
    ),
    "UNKNOWN_NAMESPACE": Explanation(
        summary="needs a symbol version of a namespace that no policy knows",
        meaning="The file needs a symbol version whose prefix is in no policy. The library that it "
        "was linked with has versions that the usual library of that name does not have.",
        example=finding(
            "UNKNOWN_NAMESPACE",
            _MODULE,
            "VENDOR_1.0",
            library="libz.so.1",
            symbols=("inflate",),
            policy=_ALL,
        ),
        why="The loader of another system does not find this version, and refuses to load the "
        "file. No list tells which systems have it, so nothing is proved.",
        fix="Choose one:\n"
        "- Link with an unmodified library: build in a manylinux image, or on a plain "
        "distribution.\n"
        "- Link the library statically.\n"
        "- Put the modified library into the wheel, under a name of its own.",
        allow="No. Link with the usual library instead. If the environment provides the modified "
        "one, declare it: `exclude` takes its name, except for the libraries of glibc.",
    ),
    "BY_NAME_ONLY": Explanation(
        summary="needs a library of the wheel that is on no search path; it must be loaded before",
        meaning="The wheel has the library, but the file's search path (RPATH, RUNPATH) does not "
        "lead to it. The loader finds it only if the process has already loaded it. "
        "If another file of the wheel surely loads it first, this is a warning.",
        example=finding(
            "BY_NAME_ONLY", _MODULE, "libdemo.so", library="demo/lib/libdemo.so", policy=_ALL
        ),
        why="Whether the import works depends on what was imported before. In a fresh process it "
        "fails: `libdemo.so: cannot open shared object file`. A program does not start at all.",
        fix="Choose one:\n"
        "- Link with a search path relative to the file: `-Wl,-rpath,'$ORIGIN/lib'`.\n"
        "- Let `manyshim repair` set the search path. It also moves programs of the scripts folder "
        "into the package, behind a launcher.\n"
        "- Put both files into one install folder: no fixed path leads from the scripts to the "
        "package.",
        allow="Yes, if your package always loads the library first, for example with ctypes in its "
        "`__init__.py`, or if nobody runs the program. It is the only kind of severity policy that "
        "can be allowed. Name the library or the file: "
        '`allow = ["BY_NAME_ONLY:demo/lib/libdemo.so"]`.',
    ),
    "ISA": Explanation(
        summary="is marked to need more than the baseline processor of its architecture",
        meaning="A note in the file says that it needs a newer x86-64 processor than the baseline, "
        "for example x86-64-v3 with AVX2. A tag promises only the baseline. "
        "Code that needs such a processor without a note is not found.",
        example=finding("ISA", _MODULE, "x86-64-v3"),
        why="On an older processor, glibc refuses the file: `CPU ISA level is lower than "
        "required`. Loaders that ignore the note let the process crash with SIGILL.",
        fix="Choose one:\n"
        "- Compile without `-march=x86-64-v3` or `-march=native`.\n"
        "- Choose the fast code at run time, for example with the `target_clones` attribute "
        "of GCC.\n"
        "- Put a library (not a module) for newer processors below `glibc-hwcaps/x86-64-v3/`, "
        "beside one for the baseline.",
        allow="Rarely: if your package asks for the processor before it loads this file. "
        '`allow = ["ISA:demo/_avx2.*"]` accepts it for that file only.',
    ),
    "EXCLUDED": Explanation(
        summary="needs a library that `exclude` names",
        meaning="The file needs a library that you declared with `exclude`. It does not count for "
        "the tag, and a repair does not copy it.",
        example=finding("EXCLUDED", _MODULE, "libcuda.so.1"),
        why="The tag is true only where the environment provides the library. Without it, the "
        "import fails.",
        fix="Nothing is wrong if the library comes with a driver or another package. Declare that "
        "package as a dependency, or tell your users. If the library should be in the wheel, "
        "remove it from `exclude`.",
        allow=NOT_NEEDED,
    ),
    "COMMONLY_ABSENT": Explanation(
        summary="needs a library that the policies allow and slim containers do not have",
        meaning="The policies promise this library, so the tag is right. But containers and "
        "servers often do not have it. X11, OpenGL and glib are examples.",
        example=finding("COMMONLY_ABSENT", _MODULE, "libGL.so.1"),
        why="In a slim container, the import fails: `libGL.so.1: cannot open shared object file`. "
        "Users report this often, because nothing in the wheel looks wrong.",
        fix="Choose one:\n"
        "- Tell your users which package of the system to install.\n"
        "- Open the library at run time, only where it is needed, and print a clear error.\n"
        "- Link without it, if only a part of the package draws on a screen.",
        allow=NOT_NEEDED,
    ),
    "LIBC_ASSUMED": Explanation(
        summary="nothing distinguishes glibc from musl; judged as glibc",
        meaning="No file of the wheel shows whether it is for glibc or musl. No file needs a libc, "
        "and no suffix names one. So it was judged as glibc.",
        example=finding("LIBC_ASSUMED", "", "demo-1.0-cp311-abi3-linux_x86_64.whl", severity=INFO),
        why="If the wheel was built on Alpine, the tag says manylinux, and musl's users do not "
        "get the wheel.",
        fix="Name the family with a platform: `--platform musllinux_1_2` on the command line. In a "
        "build, the family is that of the building Python.",
        allow=NOT_NEEDED,
    ),
}
