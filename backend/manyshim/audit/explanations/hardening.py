"""Explanations of what a kernel or loader may refuse: stack, code, storage, pages."""

from __future__ import annotations

from typing import Dict

from manyshim.audit.explanations.explanation import NOT_NEEDED, Explanation
from manyshim.audit.findings import finding

_MODULE = "demo/_fast.cpython-311-x86_64-linux-gnu.so"

EXPLANATIONS: Dict[str, Explanation] = {
    "EXECSTACK": Explanation(
        summary="asks for an executable stack, which glibc 2.41 and later, musl and SELinux refuse",
        meaning="The file asks for a stack whose contents can be executed. The usual cause is an "
        "object of assembly that does not say whether it needs one. A missing PT_GNU_STACK header "
        "means the same on x86, 32-bit ARM and s390x.",
        example=finding("EXECSTACK", _MODULE, "PT_GNU_STACK is RWE"),
        why="On glibc 2.41 and later the import fails: `cannot enable executable stack`. On musl "
        "and under SELinux it fails as well. Elsewhere it removes a protection of the whole "
        "process.",
        fix="- Link with `-Wl,-z,noexecstack`.\n"
        '- In assembly, add the line `.section .note.GNU-stack,"",%progbits`.\n'
        '- In a finished file, clear the bit: `fix = ["execstack"]` in `[tool.manyshim]`, or '
        "`--fix execstack` of `retag` and `repair`. This does not help if the header is missing.\n"
        "- Nested functions of GCC need such a stack, if their address is taken. Rewrite them.",
        allow="Rarely: if the code really executes its stack, and is for systems with an older "
        'glibc only. `allow = ["EXECSTACK:demo/*.so"]` accepts it.',
    ),
    "TEXTREL": Explanation(
        summary="has relocations in its code, which SELinux and musl refuse",
        meaning="The loader has to write into the code of the file before it runs. It happens if "
        "an object was compiled without -fPIC. It is a warning for glibc, and an error for musl.",
        example=finding("TEXTREL", _MODULE, "DT_TEXTREL"),
        why="SELinux refuses such a file: `cannot restore segment prot after reloc`. musl does not "
        "load it at all. Every process has its own copy of the code in memory.",
        fix="- Compile every object with `-fPIC`, also those of static libraries and of assembly.\n"
        "- `-Wl,-z,text` makes the linker fail, and it names the object.\n"
        "- In CMake, set `CMAKE_POSITION_INDEPENDENT_CODE`.",
        allow="Rarely: on musl, only for a file that nothing loads. For glibc it is a warning, and "
        "needs no `allow`.",
    ),
    "PAGE_ALIGN": Explanation(
        summary="is aligned to small pages; kernels with 64 KiB pages cannot load it",
        meaning="The segments of an aarch64 or ppc64le file are aligned to pages that are smaller "
        "than 64 KiB. Kernels with such large pages cannot map them.",
        example=finding("PAGE_ALIGN", "demo/_fast.cpython-311-aarch64-linux-gnu.so", "0x1000"),
        why="On such a kernel the import fails: `ELF load command alignment not page-aligned`. "
        "Some servers with ARM or POWER processors have them.",
        fix="- Link with `-Wl,-z,max-page-size=65536`, which is the usual value of GNU ld there.\n"
        "- Remove a `max-page-size` of your own from the link flags.\n"
        "- If a tool edited the file after the build, leave that step out. `manyshim repair` keeps "
        "the alignment.",
        allow=NOT_NEEDED,
    ),
    "STATIC_TLS": Explanation(
        summary="uses static thread-local storage, of which glibc has about 1.6 KiB for all that "
        "is opened later; an error where no glibc, or musl, has room for it",
        meaning="The file has thread-local variables at a fixed place of each thread (initial-exec "
        "TLS). glibc has about 1.6 KiB there for all libraries that are opened later, musl none. "
        "Above 512 bytes in the wheel it is a warning. It is an error if they cannot fit.",
        example=finding("STATIC_TLS", _MODULE, "128 bytes", details=("128", "1727")),
        why="If the place is used up, the import fails: `cannot allocate memory in static TLS "
        "block`. It depends on what else the process has imported, so it looks random.",
        fix="- Compile with `-ftls-model=global-dynamic`, and remove "
        "`-ftls-model=initial-exec`.\n"
        "- Replace large thread-local arrays by a pointer, and allocate them for each thread.\n"
        "- libgomp and jemalloc use it by default. `./configure --disable-initial-exec-tls` builds "
        "jemalloc without it.",
        allow="Rarely: if the file is loaded only when the process starts, for example with "
        '`LD_PRELOAD`. `allow = ["STATIC_TLS:demo/*.so"]` accepts an error.',
    ),
    "WX_SEGMENT": Explanation(
        summary="has memory that is writable and executable, which hardened kernels refuse",
        meaning="A segment of the file can be written and executed at once. The usual causes are "
        "the linker option -N, a linker script that merges segments, and packers.",
        example=finding("WX_SEGMENT", _MODULE, "a PT_LOAD is RWX"),
        why="Hardened kernels and SELinux refuse to map it, and the import fails there. Elsewhere "
        "it makes attacks easier.",
        fix="- Link without `-Wl,-N`, and without a linker script of your own.\n"
        "- Do not compress libraries with a packer such as UPX.",
        allow=NOT_NEEDED,
    ),
}
