"""Explanations of what the loader does with libraries, names and search paths."""

from __future__ import annotations

from typing import Dict

from manyshim.audit.explanations.explanation import NOT_NEEDED, Explanation
from manyshim.audit.findings import Evidence, finding

_MODULE = "demo/_fast.cpython-311-x86_64-linux-gnu.so"
_ON_MUSL = "demo/_fast.cpython-311-x86_64-linux-musl.so"

EXPLANATIONS: Dict[str, Explanation] = {
    "NEEDED_PATH": Explanation(
        summary="needs a library by its path, which is looked up on the user's machine",
        meaning="The file names a needed library with a slash in it. The loader then opens exactly "
        "this path and searches nowhere else. It happens if a library without a soname is linked "
        "by its path.",
        example=finding("NEEDED_PATH", _MODULE, "/build/demo/libdemo.so"),
        why="The path exists on the machine of the build only. Elsewhere the import fails, even if "
        "the library is in the wheel.",
        fix="- Give the library a soname: link it with `-Wl,-soname,libdemo.so`.\n"
        "- Link the module with `-L` and `-l`, and a search path: "
        "`-Lbuild -ldemo -Wl,-rpath,'$ORIGIN'`.\n"
        "- With CMake, remove `NO_SONAME` from the library.",
        allow="Rarely: if the path exists on every machine that gets the wheel, for example in an "
        'image of your own. `allow = ["NEEDED_PATH:demo/*.so"]` accepts it.',
    ),
    "VERDEF_MISSING": Explanation(
        summary="needs a symbol version that the library in the wheel does not define",
        meaning="The file was linked with another build of a library than the one in the wheel. "
        "It needs a symbol version that the library in the wheel does not have.",
        example=finding(
            "VERDEF_MISSING",
            _MODULE,
            "DEMO_2.0",
            library="demo.libs/libdemo.so.1",
            symbols=("demo_open",),
        ),
        why="The loader refuses the file: `version 'DEMO_2.0' not found`. The import fails on "
        "every machine.",
        fix="- Put the library into the wheel that the file was linked with.\n"
        "- Or link the file again, with the library of the wheel.\n"
        "- For `manyshim repair`, name the folder of the right library with `--library-path`.",
        allow="Rarely: only if nothing loads the file. Where it is loaded, it fails.",
    ),
    "LIBPYTHON": Explanation(
        summary="needs libpython, which a statically linked interpreter does not have",
        meaning="An extension module was linked with the library of the interpreter. A module does "
        "not need it, because the interpreter that imports it has these symbols. "
        "For a program that embeds Python, it is a warning.",
        example=finding("LIBPYTHON", _MODULE, "libpython3.11.so.1.0"),
        why="Many Pythons are linked statically, for example those of Debian and of the manylinux "
        "images. There the loader does not find the library, and the import fails. Where it finds "
        "one, the process may have two interpreters.",
        fix="- Do not link with libpython: remove `-lpython3.11`. In CMake, use `Python::Module` "
        "instead of `Python::Python`. In Meson, use `py.extension_module`.\n"
        "- `manyshim repair` removes the entry from a finished module.",
        allow="Rarely: if the wheel is only for an environment whose Python has the library. "
        '`allow = ["LIBPYTHON:demo/*.so"]` accepts it.',
    ),
    "MUSL_UNDEFINED": Explanation(
        summary="needs names that neither musl nor the wheel defines",
        meaning="The file needs functions that no release of musl has, and no library of the wheel "
        "either. They are usually functions of glibc, such as `__memcpy_chk`, that the compiler or "
        "a header chose.",
        example=finding(
            "MUSL_UNDEFINED",
            _ON_MUSL,
            "__cxa_thread_atexit_impl",
            library="libc.so",
            symbols=("__cxa_thread_atexit_impl",),
        ),
        why="On Alpine the import fails: `Error relocating ...: symbol not found`.",
        fix="- Build on musl: in a musllinux image, or with `-C manyshim.compiler=zig` and "
        "`-C manyshim.platform=musllinux_1_2`.\n"
        "- If a library of another system was linked statically, compile that library for musl, "
        "too.\n"
        "- If the code uses a function that only glibc has, leave it out where `__GLIBC__` is not "
        "defined.",
        allow="Rarely: if the process has loaded a library that defines the name before, which "
        'manyshim cannot see. `allow = ["MUSL_UNDEFINED:demo/*.so"]` accepts it.',
    ),
    "MUSL_PATCH_LEVEL": Explanation(
        summary="needs a musl that is newer than the 1.2.0 that musllinux_1_2 promises",
        meaning="The tag musllinux_1_2 promises musl 1.2.0. The file needs a function of a later "
        "1.2 release, or a loader that reads DT_RELR (musl 1.2.4). No tag can express this. "
        "With `strict` it is an error, if the file crashes (DT_RELR) or zig compiled it.",
        example=finding(
            "MUSL_PATCH_LEVEL",
            _ON_MUSL,
            "musl 1.2.5",
            library="libc.so",
            symbols=("statx",),
            required=(1, 2, 5),
        ),
        why="On an Alpine with an older musl, the import fails. With DT_RELR, the process crashes "
        "without a message.",
        fix="- Build on an older Alpine: `manyshim show` prints the oldest one on which the wheel "
        "runs.\n"
        "- Avoid the function.\n"
        "- For DT_RELR, link without `-Wl,-z,pack-relative-relocs`. If a copied runtime of the "
        "compiler has it, link that statically: `-static-libgcc -static-libstdc++`.",
        allow="Yes, if you support new releases of Alpine only, and tell your users. Without "
        "`strict` it is a warning, and needs no `allow`.",
    ),
    "UNDEFINED": Explanation(
        summary="needs symbols that nothing it loads defines; not said if a library is missing or "
        "unreadable",
        meaning="The file uses names that neither it, nor a library that it loads, nor the "
        'interpreter defines. With `compiler = "zig"` it is an error.',
        example=finding("UNDEFINED", _MODULE, "cblas_dgemm", symbols=("cblas_dgemm",)),
        why="The import fails with `undefined symbol`, or the process ends when the function is "
        "called. It works only if the process happens to have loaded the right library before.",
        fix="- Link the library that defines the name: add `-lNAME` behind the objects. "
        "`-Wl,--no-undefined` finds such names when you link.\n"
        "- If a source file is missing in the list of the extension, add it.\n"
        "- With zig, a function may be too new for the target. Request a newer platform with "
        "`-C manyshim.platform=manylinux_2_28`, or avoid it.",
        allow="Rarely: with zig, if the package loads the library before, with `RTLD_GLOBAL`. "
        '`allow = ["UNDEFINED:demo/*.so"]` accepts it. Otherwise it is a warning, and needs none.',
    ),
    "RPATH_LEAK": Explanation(
        summary="searches a folder outside the wheel",
        meaning="The search path of the file (RPATH or RUNPATH) has an entry that leaves the "
        "wheel: an absolute folder, a relative one, or an empty entry, which means the current "
        'folder. With `compiler = "zig"` it is an error.',
        example=finding(
            "RPATH_LEAK", _MODULE, "/usr/local/lib/demo", evidence=Evidence.ABSOLUTE_ENTRY
        ),
        why="On another machine the folder may hold another library, or one that somebody else put "
        "there. The name of your folder becomes public, and two builds differ.",
        fix='- Let manyshim remove it: `fix = ["rpath"]` in `[tool.manyshim]`, or `--fix rpath` '
        "of `retag` and `repair`.\n"
        "- Or remove it where it comes from: `LDFLAGS`, `runtime_library_dirs`, or CMake's "
        "`CMAKE_INSTALL_RPATH`. A Python that was built by hand adds its own folder.\n"
        "- For libraries of the wheel, use an entry that begins with `$ORIGIN/`.",
        allow="Rarely: with zig, if the folder exists on every machine that gets the wheel. "
        '`allow = ["RPATH_LEAK:demo/*.so"]` accepts it. Otherwise it is a warning, and needs none.',
    ),
    "VENDORED_SONAME_CLASH": Explanation(
        summary="keeps a name under which a process may have loaded another copy",
        meaning="The wheel has a copy of a well-known library, such as OpenSSL or libgomp, under "
        "its usual soname. A process has each soname only once.",
        example=finding("VENDORED_SONAME_CLASH", "demo.libs/libssl.so.3", "libssl.so.3"),
        why="If another package or the system was first, your module gets that library and not "
        "your copy. Other versions crash, or behave differently, depending on the order of "
        "imports.",
        fix="- Do not copy the library yourself: `manyshim repair` copies it under a name with a "
        "hash.\n"
        "- Or give the copy a soname of its own when you build it: "
        "`-Wl,-soname,libssl-demo.so.3`.\n"
        "- Or link it statically, and hide its symbols.",
        allow=NOT_NEEDED,
    ),
}
