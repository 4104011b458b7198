"""Tables of GCC arguments with the arguments for zig, and the targets for which they hold."""

from __future__ import annotations

from typing import Dict, List, NamedTuple, Tuple

from manyshim.toolchain.compiler.target_options import TargetOptions

NATIVE = TargetOptions(
    triple="x86_64-linux-gnu.2.17",
    cpu="baseline",
    arch="x86_64",
    native=True,
    headers="/headers",
    python_headers=("/py/include/python3.11", "/usr/include/python3.11"),
    python_libraries=("/py/lib", "/usr/lib/python3.11/config"),
    sysroot="",
    multiarch="x86_64-linux-gnu",
    prefix_maps=(("/build/project", "."),),
)


def _cross(arch: str, triple: str, multiarch: str, cpu: str = "baseline") -> TargetOptions:
    return NATIVE._replace(arch=arch, triple=triple, multiarch=multiarch, cpu=cpu, native=False)


ARMV7 = "generic+v7a+vfp3d16+thumb2-neon-d32"
SETTINGS: Dict[str, TargetOptions] = {
    "x86_64": NATIVE,
    "aarch64": _cross("aarch64", "aarch64-linux-gnu.2.17", "aarch64-linux-gnu"),
    "armv7l": _cross("armv7l", "arm-linux-gnueabihf.2.17", "arm-linux-gnueabihf", ARMV7),
    "i686": _cross("i686", "x86-linux-gnu.2.17", "i386-linux-gnu", "i686"),
    "ppc64le": _cross("ppc64le", "powerpc64le-linux-gnu.2.19", "powerpc64le-linux-gnu"),
    "s390x": _cross("s390x", "s390x-linux-gnu.2.17", "s390x-linux-gnu", "z196"),
    "riscv64": _cross("riscv64", "riscv64-linux-gnu.2.31", "riscv64-linux-gnu"),
    "loongarch64": _cross("loongarch64", "loongarch64-linux-gnu.2.36", "loongarch64-linux-gnu"),
    "musl": _cross("x86_64", "x86_64-linux-musl", "x86_64-linux-musl"),
}


class Row(NamedTuple):
    """The arguments of a call, those that zig gets for them, and a text in each note."""

    written: str
    given: str
    noted: Tuple[str, ...] = ()
    arch: str = "x86_64"
    real: bool = True  # False if zig would need a library that this machine may not have


class Cpu(NamedTuple):
    """Options for a processor, and zig's name for it; other arguments for zig, and the notes."""

    arch: str
    written: str
    cpu: str
    given: str = ""
    noted: Tuple[str, ...] = ()


def unchanged(*written: str) -> List[Row]:
    return [Row(one, one) for one in written]


def dropped(*written: str) -> List[Row]:
    return [Row(one, "") for one in written]


COMPILING = [
    *unchanged(
        *("-O3", "-Og", "-Os", "-O0", "-DX", "-D X=-c", "-U X", "-I/x", "-isystem /x"),
        *("-idirafter /x", "-iquote /x", "-include stdio.h", "-imacros stdio.h", "-std=c11"),
        *("-fno-strict-aliasing", "-fwrapv", "-fno-semantic-interposition", "-fno-plt", "-fPIC"),
        *("-fvisibility=hidden", "-fstack-protector-strong", "-fstack-clash-protection", "-pipe"),
        *("-ffile-prefix-map=/a=b", "--sysroot=/", "-fopenmp-simd", "-fno-openmp", "-flto=thin"),
        *("-flto=full", "-flto", "-MD -MF x.d -MT x.o", "-Wall", "-pthread", "-fcf-protection"),
        *("-mavx2", "-msse4.2", "-mno-avx", "-mfpmath=sse", "-Xclang -ffast-math", "-undef"),
        *("-Wdate-time", "-D_FORTIFY_SOURCE=2", "-fno-omit-frame-pointer", "-ansi", "-std=gnu99"),
    ),
    *dropped(
        *("-g", "-g3", "-ggdb", "-gdwarf-4", "-gsplit-dwarf", "-grecord-gcc-switches", "-gz"),
        *("-ffat-lto-objects", "-fno-fat-lto-objects", "-flto-partition=none", "-fno-ipa-sra"),
        *("-fno-ipa-cp", "-fipa-pta", "-specs=/usr/lib/rpm/redhat/redhat-hardened-cc1", "-m64"),
        *("-fuse-ld=gold", "-mtune=generic", "-mtune=native", "-mcpu=haswell", "-march=x86-64"),
        *("-std=c++17", "-std=gnu++98", "-fplugin=annobin", "-fno-var-tracking-assignments"),
        *("-static-libgcc", "-fno-allow-store-data-races", "-dumpbase x", "-fanalyzer"),
        *("-fno-gnu-unique", "-fabi-version=11", "-fstack-reuse=none"),
        *("-fzero-init-padding-bits=all", "-fno-aggressive-loop-optimizations"),
        # Link options have no effect in a compilation.
        *("-lm", "-l m", "-L/x", "-Wl,-z,now", "-Xlinker -x", "-z now", "-rpath /x", "-u f", "-s"),
        *("-rdynamic", "-shared", "-T x.ld", "-e f", "-lpython3.11", "-lcrypt"),
    ),
    Row("-flto=auto", "-flto"),
    Row("-flto=8", "-flto"),
    Row("-flto=jobserver", "-flto"),
    Row("-fhardened", "", ("-fhardened",)),
    Row("-Wp,-D_FORTIFY_SOURCE=2", "-D_FORTIFY_SOURCE=2"),
    Row("-Wp,-U_FORTIFY_SOURCE,-DX=1", "-U_FORTIFY_SOURCE -DX=1"),
    Row("-Wp,-MD,x.d", "-MD -MF x.d"),
    Row("-Wp,-MMD,x.d", "-MMD -MF x.d"),
    Row("-Wp,-MD,x.d,-MT,x.o", "-MD -MF x.d -MT x.o"),
    Row("-Wp,-include,stdio.h", "-include stdio.h"),
    Row("-Xpreprocessor -MD -Xpreprocessor x.d", "-MD -MF x.d"),
    Row("-Xpreprocessor -DX", "-DX"),
    Row("-target arm-linux", "", ("-target arm-linux",)),
    Row("--target=arm-linux", "", ("--target=arm-linux",)),
    Row("-m32", "", ("-m32",)),
    Row("-mx32", "", ("-mx32",)),
    Row("-I/py/include/python3.11", "-I/headers"),
    Row("-I /py//include/python3.11/", "-I/headers"),
    Row("-isystem /py/include/python3.11", "-isystem /headers"),
    Row("-I/usr/include/python3.11/internal", "-I/headers/internal"),
    Row("-I /x", "-I/x"),
    Row("-I/usr/include", "-idirafter /usr/include"),
    Row("-I /usr//include/", "-idirafter /usr//include/"),
    Row("-isystem /usr/include", "-idirafter /usr/include"),
    Row("-I/usr/include/x86_64-linux-gnu", "-idirafter /usr/include/x86_64-linux-gnu"),
    Row("-I/usr/local/include", "-idirafter /usr/local/include"),
    *unchanged("-I/usr/include/libxml2", "-I/usr/include/x86_64-linux-gnu/sub", "-I../usr/include"),
    *(Row(one, "", arch="aarch64") for one in ("-I/usr/include/", "-I/usr/local/include")),
    Row("-idirafter /usr/include/x86_64-linux-gnu", "", arch="aarch64"),
    Row("-I/usr/include/libxml2", "", ("-I/usr/include/libxml2",), "aarch64"),
    Row("-I/py/include/python3.11", "-I/headers", arch="aarch64"),
    # Options for another architecture.
    *(
        Row(one, "", (one,), "aarch64")
        for one in ("-mavx2", "-msse2", "-mfpmath=sse", "-mcx16", "-mpclmul", "-march=haswell")
    ),
    Row("-fcf-protection", "", ("-fcf-protection",), "aarch64"),
    Row("-fcf-protection=full", "", ("-fcf-protection=full",), "s390x"),
    *(
        Row(one, "", arch="aarch64")
        for one in (
            *("-fcf-protection=none", "-mno-avx", "-mtune=native", "-m64", "-march=x86-64"),
            *("-mabi=lp64", "-mtune=skylake"),
        )
    ),
    Row("-mbranch-protection=standard", "-mbranch-protection=standard", arch="aarch64"),
    Row("-mbranch-protection=standard", "", ("-mbranch-protection",)),
    Row("-mfloat-abi=hard", "", ("-mfloat-abi=hard",)),
    Row("-mfpu=neon", "", ("-mfpu=neon",), "aarch64"),
    Row("-march=armv8-a+crc", "", ("-march=armv8-a+crc",)),
    Row("-march=z13", "", ("-march=z13",)),
]

PROCESSORS = [
    Cpu("x86_64", "-march=x86-64-v2", "x86_64_v2"),
    Cpu("x86_64", "-march=skylake-avx512", "skylake_avx512"),
    Cpu("x86_64", "-march=haswell -mtune=native", "haswell"),
    Cpu("x86_64", "-march=core-avx2", "haswell"),
    Cpu("x86_64", "-march=core-avx-i", "ivybridge"),
    Cpu("x86_64", "-march=corei7-avx", "sandybridge"),
    Cpu("x86_64", "-march=k8-sse3", "k8_sse3"),
    Cpu("x86_64", "-march=native", "baseline", noted=("-march=native",)),
    Cpu("x86_64", "-march=haswell -march=native", "haswell", noted=("-march=native",)),
    Cpu("x86_64", "-march=haswell -mno-avx2", "haswell", "-mno-avx2"),
    Cpu("i686", "-march=i686 -m32", "i686"),
    Cpu("i686", "-march=pentium-m", "pentium_m"),
    Cpu("i686", "-march=pentium4 -msse2 -mfpmath=sse", "pentium4", "-msse2 -mfpmath=sse"),
    Cpu("i686", "-m64", "i686", noted=("-m64",)),
    Cpu("i686", "-march=x86-64-v2", "i686", noted=("-march=x86-64-v2",)),
    Cpu("aarch64", "-march=armv8-a", "baseline"),
    Cpu("aarch64", "-march=armv8-a+simd", "baseline"),
    Cpu("aarch64", "-march=armv8-a+crc", "generic+crc"),
    Cpu("aarch64", "-march=armv8.2-a+crc+dotprod", "generic+v8_2a+crc+dotprod"),
    Cpu("aarch64", "-march=armv8.2-a+fp16+nocrc", "generic+v8_2a+fullfp16-crc"),
    Cpu("aarch64", "-march=armv9-a", "generic+v9a"),
    Cpu("aarch64", "-mcpu=neoverse-n1", "neoverse_n1"),
    Cpu("aarch64", "-mcpu=cortex-a72+crypto", "cortex_a72+crypto"),
    Cpu("aarch64", "-mcpu=generic", "baseline"),
    Cpu("aarch64", "-mcpu=native", "baseline", noted=("-mcpu=native",)),
    Cpu("armv7l", "-march=armv7-a -mfloat-abi=hard -mfpu=vfpv3-d16 -mthumb", ARMV7, "-mthumb"),
    Cpu("armv7l", "-march=armv7-a+fp", ARMV7),
    Cpu("armv7l", "-march=armv7-a+simd", "generic+v7a+thumb2+neon"),
    Cpu("armv7l", "-mfpu=neon", "generic+v7a+thumb2+neon"),
    Cpu("armv7l", "-mfpu=vfpv3", "generic+v7a+thumb2+vfp3-neon"),
    Cpu("armv7l", "-mfpu=vfpv4-d16", "generic+v7a+thumb2+vfp4d16-neon-d32"),
    Cpu("armv7l", "-mfpu=neon-vfpv4", "generic+v7a+thumb2+neon+vfp4"),
    Cpu("armv7l", "-march=armv7ve", "generic+v7ve+thumb2+vfp3d16-neon-d32"),
    Cpu("armv7l", "-march=armv8-a", "generic+v8a"),
    Cpu("armv7l", "-mcpu=cortex-a8", "cortex_a8"),
    Cpu("armv7l", "-mcpu=cortex-a8 -mfpu=vfpv3-d16", "cortex_a8+vfp3d16-neon-d32"),
    Cpu("armv7l", "-mfloat-abi=softfp", ARMV7, noted=("-mfloat-abi=softfp",)),
    Cpu("armv7l", "-mfpu=fpa", ARMV7, noted=("-mfpu=fpa",)),
    Cpu("ppc64le", "-mcpu=power8 -mtune=power8 -m64", "baseline"),
    Cpu("ppc64le", "-mcpu=power9 -mvsx", "pwr9", "-mvsx"),
    Cpu("ppc64le", "-march=power9", "baseline", noted=("-march=power9",)),
    Cpu("s390x", "-march=z13 -mtune=z14 -mzarch -m64", "z13"),
    Cpu("s390x", "-march=zEC12", "zEC12"),
    Cpu("s390x", "-march=arch11", "arch11"),
    Cpu("s390x", "-march=z900", "z196"),
    Cpu("s390x", "-m31", "z196", noted=("-m31",)),
    Cpu("riscv64", "-march=rv64gc -mabi=lp64d", "baseline", "-mabi=lp64d"),
    Cpu("riscv64", "-march=rv64imafdc", "baseline"),
    Cpu("riscv64", "-march=rv64gcv_zba_zbb", "baseline_rv64+v+zba+zbb"),
    Cpu("riscv64", "-march=rv64i2p1_m2p0_zba1p0", "baseline_rv64+zba"),
    Cpu("riscv64", "-mcpu=sifive-u74", "sifive_u74"),
    Cpu("loongarch64", "-march=loongarch64 -mabi=lp64d", "baseline", "-mabi=lp64d"),
    Cpu("loongarch64", "-march=la64v1.0", "baseline"),
    Cpu("loongarch64", "-march=la464", "la464"),
]

Z = "-Wl,-z,"
LINKING = [
    *unchanged(
        *("-Wl,-rpath,$ORIGIN", "-Wl,--enable-new-dtags", "-Wl,--disable-new-dtags", "-L. -la"),
        *("-Wl,--as-needed", "-Wl,--gc-sections", "-Wl,--no-undefined", "-Wl,--hash-style=gnu"),
        *("-Wl,--build-id", "-Wl,--build-id=sha1", "-Wl,-soname,x.so", "-Wl,--wrap=f", "-pthread"),
        *("-Wl,--whole-archive -L. -la -Wl,--no-whole-archive", "-Wl,-Bsymbolic", "liba.a"),
        *("-Wl,-Bstatic -L. -la -Wl,-Bdynamic", "-static-libstdc++", "-lm -lpthread -ldl -lrt"),
        *("-lutil -lresolv -lc -lgcc -lgcc_s -latomic", "-Wl,-u,f", "-L. -l:liba.a"),
        *(f"{Z}{one}" for one in ("relro", "now", "defs", "origin", "nodelete", "noexecstack")),
        f"{Z}max-page-size=65536",
    ),
    *dropped(
        *("-Wl,-Bsymbolic-functions", "-Wl,--copy-dt-needed-entries", "-Wl,--no-add-needed"),
        *("-Wl,--no-copy-dt-needed-entries", "-Wl,--no-export-dynamic", "-Wl,--icf=safe"),
        *("-Wl,--verbose", "-Wl,--trace", "-Wl,-t", "-Wl,--warn-common", "-Wl,--no-warn-mismatch"),
        *("-Wl,-plugin-opt=x", "-Wl,-plugin,/x.so", "-Wl,--package-metadata={}", "-Wl,--no-relax"),
        *("-Wl,--threads", "-Wl,--stats", "-Wl,--emit-relocs", "-Wl,-q", "-Wl,-O1", "-Wl,-s"),
        *("-Wl,-S", "-Wl,--strip-all", "-Wl,--strip-debug", "-Wl,-x", "-s", "-O0", "-Os", "-g"),
        *("-Wl,-m,elf_x86_64", "-Wl,-melf_x86_64", "-Wl,-rpath-link,/x"),
        *("-Wl,--unresolved-symbols=ignore-all", "-Wl,--exclude-libs,ALL", "-Wl,-z,lam-u48"),
        *("-Wl,-y,f", "-Wl,", "-fuse-ld=bfd", "-Wl,-fatal-warnings", "-lstdc++fs"),
        "-Wl,-Bsymbolic-non-weak-functions",
        *("-z text", "-Wl,-ztext", "-Xlinker -z -Xlinker text", "-Wl,-z -Wl,text"),
        # With these compiler options, zig would build its C++ library again.
        *("-flto", "-flto=auto", "-mavx2", "-march=haswell", "-fno-unwind-tables", "-Wall"),
        *("-fno-omit-frame-pointer", "-mno-red-zone", "-fPIC"),
        *("-L/py/lib", "-L/py/lib/python3.11", "-Wl,-rpath,/py/lib", "-Wl,-rpath=/py/lib/x"),
        *("-Wl,-R,/py/lib", "-Wl,-R/py/lib", "-Xlinker -rpath -Xlinker /py/lib", "-R/py/lib"),
        *("-Wl,--rpath,/py/lib/", "-rpath /py//lib", "-Wl,-rpath -Wl,/py/lib"),
        *(
            f"{Z}{one}"
            for one in (
                *("separate-code", "pack-relative-relocs", "ibt", "shstk", "text"),
                *("cet-report=error", "combreloc", "start-stop-gc", "nodlopen", "rel", "initfirst"),
            )
        ),
    ),
    Row("-static", "", ("-static",)),
    Row("-Wl,--sort-common,-M", "-Wl,--sort-common"),
    Row("-Wl,--exclude-libs=ALL -lm -lpthread", "-lm -lpthread"),
    Row("-Wl,-h,x.so", "-Wl,-soname,x.so"),
    Row("-Wl,-hx.so", "-Wl,-soname,x.so"),
    Row("-Wl,-soname=x.so", "-Wl,-soname,x.so"),
    Row("-Wl,--soname,x.so", "-Wl,-soname,x.so"),
    *(
        Row(one, "-Wl,-rpath,/x")
        for one in (
            *("-Wl,-R,/x", "-Wl,-R/x", "-Wl,-rpath=/x", "-Wl,--rpath=/x", "-Wl,--rpath,/x"),
            *("-Xlinker -rpath -Xlinker /x", "-Xlinker -rpath=/x", "-rpath /x", "-R/x", "-R /x"),
            *("-Wl,-rpath -Wl,/x", "-Wl,-rpath,/py/lib:/x:/py/lib/sub"),
        )
    ),
    Row("-Xlinker -rpath -Xlinker /a,b", "-Xlinker -rpath -Xlinker /a,b"),
    Row("-Wl,-rpath,/a:$ORIGIN/../lib", "-Wl,-rpath,/a:$ORIGIN/../lib"),
    Row("-Wl,-z,relro,-z,now", "-Wl,-z,relro -Wl,-z,now"),
    Row("-Wl,-zrelro", "-Wl,-z,relro"),
    Row("-z now", "-Wl,-z,now"),
    Row("-Wl,-z,execstack", "", ("execstack",)),
    Row("-Wl,-L.,-la", "-L. -la"),
    Row("-Wl,-L,.,-l,a", "-L. -la"),
    Row("-L. -Wl,-l:liba.a", "-L. -l:liba.a"),
    Row("-L . -l a", "-L. -la"),
    Row("-Wl,liba.a", "liba.a"),
    Row("-Wl,-no-as-needed", "-Wl,--no-as-needed"),
    Row("-Wl,-as-needed", "-Wl,--as-needed"),
    Row("-Wl,-no-undefined", "-Wl,--no-undefined"),
    Row("-Wl,--hash-style,gnu", "-Wl,--hash-style=gnu"),
    Row("-Wl,--wrap,f", "-Wl,--wrap=f"),
    Row("-Wl,--undefined=f", "-Wl,-u,f"),
    Row("-Wl,--undefined,f", "-Wl,-u,f"),
    Row("-Wl,-uf", "-Wl,-u,f"),
    Row("-u f", "-Wl,-u,f"),
    Row("-Wl,-(,liba.a,-)", "-Wl,--start-group liba.a -Wl,--end-group"),
    Row("-Wl,--unresolved-symbols=report-all", "-Wl,-z,defs"),
    Row("-symbolic", "-Wl,-Bsymbolic"),
    Row("-Wl,-shared", "-shared"),
    Row("-Wl,-Map,x.map", "", ("-Map x.map",)),
    Row("-Wl,-Map=x.map", "", ("-Map=x.map",)),
    # LLD accepts unknown symbols in a version script only with this option.
    Row("-Wl,--version-script,v", "-Wl,--version-script=v -Wl,--undefined-version"),
    Row("-Wl,-version-script=v", "-Wl,--version-script=v -Wl,--undefined-version"),
    Row(
        "-Wl,--push-state,-Bstatic -L. -la -Wl,--pop-state -lm",
        "-Wl,-Bstatic -L. -la -Wl,-Bdynamic -lm",
    ),
    Row(
        "-Wl,--push-state,--no-as-needed,--whole-archive liba.a -Wl,--pop-state",
        "-Wl,--no-as-needed -Wl,--whole-archive liba.a -Wl,--no-whole-archive",
    ),
    Row(
        "-Wl,--as-needed,--push-state,--no-as-needed -lm -Wl,--pop-state",
        "-Wl,--as-needed -Wl,--no-as-needed -lm -Wl,--as-needed",
    ),
    Row("-Wl,--pop-state", ""),
    *(
        Row(one, "", (one.replace(" ", ""),))
        for one in ("-lpython3.11", "-lpython3", "-l python3.13t", "-l:libpython3.11.so.1.0")
    ),
    Row("-Wl,-lpython3.11", "", ("-lpython3.11",)),
    *unchanged("-L/usr/lib/x86_64-linux-gnu", "-L/usr/lib", "-L/lib", "-L/usr/local/lib"),
    Row("-L /usr/lib64/", "-L/usr/lib64/"),
    Row("-L/usr/lib/x86_64-linux-gnu -lcrypt", "-L/usr/lib/x86_64-linux-gnu -lcrypt", real=False),
    *(
        Row(one, "", (one,), arch)
        for one in ("-L/usr/lib/x86_64-linux-gnu", "-L/usr/lib64", "-L/lib", "-L/usr/local/lib")
        for arch in ("aarch64", "musl")
    ),
    Row("-lcrypt", "-lcrypt", arch="musl"),
]

OPENMP = ("-fopenmp", "-fopenmp=libomp", "-lgomp", "-lomp", "-liomp5", "-Wl,-lgomp", "-l gomp")
REFUSED = {
    **dict.fromkeys(OPENMP, "cibuildwheel"),
    **dict.fromkeys(("-lcrypt", "-lnsl", "-lanl", "-L/py/lib -lcrypt"), "sysroot"),
    **dict.fromkeys(
        (
            *("-Wl,--exclude-libs,ALL liba.a", "liba.a -Wl,--exclude-libs=ALL"),
            *("-Wl,--exclude-libs,ALL -L. -la",),
            "-Wl,--exclude-libs,liba.a -L. -l:liba.a",
        ),
        "version script",
    ),
    **dict.fromkeys(("-Wl,--dynamic-list,x", "-Wl,--dynamic-list=x"), "version script"),
    **dict.fromkeys(("-Wl,--defsym,a=b", "-Wl,--defsym=a=b", "-Wl,-defsym,a=b"), "alias"),
    **dict.fromkeys(("-Wl,-init,f", "-Wl,-init=f", "-Xlinker -init -Xlinker f"), "constructor"),
    **dict.fromkeys(("-Wl,-fini,f", "-Wl,-fini=f", "-Wl,--fini=f"), "destructor"),
    "-Wl,--default-symver": "version script",
}

# From Fedora 39's redhat-rpm-config, and Debian 12's dpkg-buildflags with and without
# hardening=+all.
FEDORA_CFLAGS = (
    "-O2 -flto=auto -ffat-lto-objects -fexceptions -g -grecord-gcc-switches -pipe -Wall "
    "-Werror=format-security -Wp,-U_FORTIFY_SOURCE,-D_FORTIFY_SOURCE=3 -Wp,-D_GLIBCXX_ASSERTIONS "
    "-specs=/usr/lib/rpm/redhat/redhat-hardened-cc1 -fstack-protector-strong "
    "-specs=/usr/lib/rpm/redhat/redhat-annobin-cc1 -m64 -mtune=generic "
    "-fasynchronous-unwind-tables -fstack-clash-protection -fcf-protection "
    "-fno-omit-frame-pointer -mno-omit-leaf-frame-pointer"
)
FEDORA_LDFLAGS = (
    "-Wl,-z,relro -Wl,--as-needed -Wl,-z,pack-relative-relocs -Wl,-z,now "
    "-specs=/usr/lib/rpm/redhat/redhat-hardened-ld -specs=/usr/lib/rpm/redhat/redhat-annobin-cc1 "
    "-Wl,--build-id=sha1"
)
DEBIAN_CFLAGS = (
    "-g -O2 -ffile-prefix-map=/build/x=. -fstack-protector-strong -Wformat "
    "-Werror=format-security -Wdate-time -D_FORTIFY_SOURCE=2"
)
DEBIAN_LDFLAGS = "-shared -Wl,-O1 -Wl,-Bsymbolic-functions -g -Wl,-z,relro -Wl,-z,now"
