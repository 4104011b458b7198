"""The compiler's arguments: languages, processors, folders, and the purposes of calls."""

from __future__ import annotations

import subprocess
import sys
from typing import List, Sequence, Tuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from argumentrunning import MAP, QUIET, name_the_arguments
from argumenttables import (
    COMPILING,
    DEBIAN_CFLAGS,
    FEDORA_CFLAGS,
    NATIVE,
    PROCESSORS,
    SETTINGS,
    Cpu,
    Row,
)
from manyshim.toolchain.compiler.arguments import Adapted, adapt
from manyshim.toolchain.compiler.target_options import TargetOptions
from paths import BACKEND


def leading_arguments(options: TargetOptions, cpu: str = "") -> List[str]:
    """Return the arguments that zig gets first in every compilation."""
    return [
        "-target",
        options.triple,
        f"-mcpu={cpu or options.cpu}",
        "-O2",
        *QUIET,
        "-UNDEBUG",
        MAP,
    ]


def adapt_compilation(
    written: Sequence[str], options: TargetOptions = NATIVE, driver: str = "cc"
) -> Adapted:
    """Translate a call that compiles x.c."""
    return adapt(driver, ["-c", *written, "x.c", "-o", "x.o"], options)


def own_arguments(adapted: Adapted) -> List[str]:
    """Return the arguments of this call, after the leading ones."""
    return list(adapted.arguments[9:])


@pytest.mark.parametrize("row", COMPILING, ids=lambda row: f"{row.arch} {row.written}")
def test_argument_is_translated_for_a_compiler(row: Row) -> None:
    options = SETTINGS[row.arch]
    adapted = adapt_compilation(row.written.split(), options)
    middle = ["-c", *row.given.split(), "x.c", "-o", "x.o"]
    assert list(adapted.arguments) == [*leading_arguments(options), *middle]
    assert name_the_arguments(adapted.notes, row.noted), adapted.notes
    assert (adapted.driver, adapted.links, adapted.refusal) == ("cc", False, "")


@pytest.mark.parametrize("row", PROCESSORS, ids=lambda row: f"{row.arch} {row.written}")
def test_processor_replaces_the_baseline(row: Cpu) -> None:
    options = SETTINGS[row.arch]
    adapted = adapt_compilation(row.written.split(), options)
    middle = ["-c", *row.given.split(), "x.c", "-o", "x.o"]
    assert list(adapted.arguments) == [*leading_arguments(options, row.cpu), *middle]
    assert name_the_arguments(adapted.notes, row.noted), adapted.notes


@pytest.mark.parametrize(
    ("written", "given"),
    [
        (FEDORA_CFLAGS, ("-O2 -flto -fexceptions -pipe -Wall -Werror=format-security "
         "-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3 -D_GLIBCXX_ASSERTIONS -fstack-protector-strong "
         "-fasynchronous-unwind-tables -fstack-clash-protection -fcf-protection "
         "-fno-omit-frame-pointer -mno-omit-leaf-frame-pointer")),
        (DEBIAN_CFLAGS, ("-O2 -ffile-prefix-map=/build/x=. -fstack-protector-strong -Wformat "
         "-Werror=format-security -Wdate-time -D_FORTIFY_SOURCE=2")),
    ],
    ids=["Fedora", "Debian"],
)  # fmt: skip
def test_flags_of_a_distribution(written: str, given: str) -> None:
    adapted = adapt_compilation(written.split())
    assert own_arguments(adapted) == ["-c", *given.split(), "x.c", "-o", "x.o"]
    assert adapted.notes == ()


@pytest.mark.parametrize(
    ("driver", "written", "expected", "links"),
    [
        ("cc", "-c x.c", "cc", False),
        ("c++", "-c x.c", "cc", False),
        *(("cc", f"-c x{end}", "c++", False) for end in (".cc", ".cpp", ".cxx", ".c++", ".C")),
        *(("cc", f"-c x{end}", "c++", False) for end in (".CPP", ".cp", ".ii", ".hpp")),
        ("cc", "-x c++ -c x.c", "c++", False),
        ("cc", "-xc++ -c x.c", "c++", False),
        ("c++", "-x c -c x.cpp", "cc", False),
        ("cc", "-x c++ -x none -c x.c", "cc", False),
        ("c++", "-c x.S", "c++", False),
        ("c++", "-E -dM -", "c++", False),
        ("cc", "x.o", "cc", True),
        ("c++", "x.o", "c++", True),
        ("c++", "x.c", "c++", True),
        ("cc", "x.cpp -o x", "c++", True),
        ("cc", "-shared x.o -lstdc++", "c++", True),
        ("cc", "-shared x.o -l stdc++", "c++", True),
        ("cc", "-c -o x.cpp x.c", "cc", False),
        ("cc", "-include x.hpp -c x.c", "cc", False),
        *(("cc", f"{option} x.c", "cc", False) for option in ("-E", "-S", "-M", "-MM")),
        ("cc", "-MD x.c", "cc", True),
        ("cc", "-D -c x.c", "cc", True),
        ("cc", "-fsyntax-only x.c", "cc", False),
        ("cc", "--version", "cc", False),
        ("cc", "", "cc", False),
    ],
)
def test_driver_and_whether_a_linker_runs(
    driver: str, written: str, expected: str, links: bool  # noqa: FBT001
) -> None:  # fmt: skip
    adapted = adapt(driver, written.split(), NATIVE)
    assert (adapted.driver, adapted.links) == (expected, links)


@pytest.mark.parametrize(
    ("source", "written", "given", "notes"),
    [
        ("x.c", "-std=c++17", "", 0),
        ("x.c", "-std=c99", "-std=c99", 0),
        ("x.cpp", "-std=c++17", "-std=c++17", 0),
        ("x.cpp", "-std=gnu11", "", 0),
        ("x.cpp", "--std=c99 -std=gnu++14", "-std=gnu++14", 0),
        ("x.S", "-std=c++17", "-std=c++17", 0),
        ("y.c x.cpp", "-std=c++17", "", 1),
    ],
)
def test_standard_is_passed_for_its_own_language_only(
    source: str, written: str, given: str, notes: int
) -> None:
    adapted = adapt("cc", ["-c", *written.split(), *source.split()], NATIVE)
    assert own_arguments(adapted) == ["-c", *given.split(), *source.split()]
    assert len(adapted.notes) == notes


@pytest.mark.parametrize(
    ("driver", "arch", "written", "arguments"),
    [
        ("cc", "x86_64", "--version", "-target x86_64-linux-gnu --version"),
        ("cc", "x86_64", "", "-target x86_64-linux-gnu"),
        ("cc", "x86_64", "-v", "-target x86_64-linux-gnu -v"),
        ("cc", "i686", "--version", "-target x86-linux-gnu --version"),
        ("cc", "i686", "-dumpmachine", "-target i686-linux-gnu -dumpmachine"),
        ("cc", "armv7l", "-dumpmachine", "-target arm-linux-gnueabihf -dumpmachine"),
        ("cc", "musl", "-print-search-dirs", "-target x86_64-linux-musl -print-search-dirs"),
        ("cc", "x86_64", "-Wl,--version", "-target x86_64-linux-gnu -Wl,--version"),
        ("cc", "x86_64", "-march=native -dumpversion", "-target x86_64-linux-gnu -dumpversion"),
    ],
)
def test_call_without_inputs_has_a_triple_for_clang(
    driver: str, arch: str, written: str, arguments: str
) -> None:
    """Clang accepts no glibc version in a triple, and zig passes the triple on unchanged."""
    assert list(adapt(driver, written.split(), SETTINGS[arch]).arguments) == arguments.split()


@pytest.mark.parametrize(
    ("driver", "written", "given"),
    [
        ("cc", "-E -dM -", "-E -dM -x c -"),
        ("c++", "-E -dM -", "-E -dM -x c++ -"),
        ("cc", "-E -v -x c -", "-E -v -x c -"),
        ("cc", "-xc++ -c -", "-xc++ -c -"),
        ("cc", "-fsyntax-only x.c", "x.c -c -o /dev/null"),
        ("cc", "-### -c x.c", "-### -c x.c"),
    ],
)
def test_unusual_call(driver: str, written: str, given: str) -> None:
    assert own_arguments(adapt(driver, written.split(), NATIVE)) == given.split()


ARM_ROOT = SETTINGS["aarch64"]._replace(sysroot="/sys/")


@pytest.mark.parametrize(
    ("options", "written", "given"),
    [
        (ARM_ROOT, "-I/usr/include/libxml2", "-I/sys/usr/include/libxml2"),
        (ARM_ROOT, "-I /usr/include/x86_64-linux-gnu/q", "-I/sys/usr/include/aarch64-linux-gnu/q"),
        (ARM_ROOT, "-isystem /usr/include/q/", "-isystem /sys/usr/include/q"),
        (ARM_ROOT, "-I/sys/usr/include/q", "-I/sys/usr/include/q"),
        (ARM_ROOT, "-I/sys/usr/include", "-idirafter /sys/usr/include"),
        (ARM_ROOT, "-I/usr/include", ""),
        (NATIVE._replace(sysroot="/"), "-I/usr/include/libxml2", "-I/usr/include/libxml2"),
    ],
)
def test_headers_of_the_sysroot(options: TargetOptions, written: str, given: str) -> None:
    adapted = adapt_compilation(written.split(), options)
    root = options.sysroot.rstrip("/")
    after = [f"{root}/usr/include", f"{root}/usr/include/{options.multiarch}"]
    behind = ["-idirafter", after[0], "-idirafter", after[1]]
    assert own_arguments(adapted) == ["-c", *given.split(), "x.c", "-o", "x.o", *behind]
    assert adapted.notes == ()


@pytest.mark.parametrize("arch", SETTINGS)
def test_every_note_of_a_foreign_flag_names_the_target(arch: str) -> None:
    options = SETTINGS[arch]
    note = adapt_compilation(["-march=native"], options).notes[0]
    assert options.arch in note


def test_repeated_argument_has_one_note() -> None:
    assert len(adapt_compilation(["-march=native", "-m32", "-m32", "-march=native"]).notes) == 2


def test_importing_loads_little() -> None:
    """Every call of the compiler imports the module."""
    code = (
        "import sys; sys.path.insert(0, sys.argv[1]); "
        "import manyshim.toolchain.compiler.arguments; "
        "print(*{'re', 'os', 'subprocess', 'pathlib', 'enum', 'inspect'} & set(sys.modules))"
    )
    run = subprocess.run(
        [sys.executable, "-ISc", code, str(BACKEND)], capture_output=True, text=True, check=True
    )
    # typing imports re, until 3.11 always.
    assert set(run.stdout.split()) <= {"re", "enum", "os"}


WORDS = st.sampled_from(
    [word for row in COMPILING for word in row.written.split()]
    + ["x.c", "y.cpp", "a.o", "-", "-c", "-E", "-o", "-Wl,", "-x", "c++", "-Xlinker", ""]
)


@given(
    driver=st.sampled_from(["cc", "c++"]),
    arguments=st.lists(WORDS | st.text(max_size=6) | st.text("-WlLzIxm,=:+.", max_size=6)),
    arch=st.sampled_from(sorted(SETTINGS)),
    sysroot=st.sampled_from(["", "/", "/sys"]),
)
def test_nothing_raises(driver: str, arguments: List[str], arch: str, sysroot: str) -> None:
    adapted = adapt(driver, arguments, SETTINGS[arch]._replace(sysroot=sysroot))
    assert adapted.driver in ("cc", "c++")
    assert all(isinstance(argument, str) for argument in adapted.arguments)
    for sentence in filter(None, (*adapted.notes, adapted.refusal)):
        assert not sentence.endswith(".")


@given(
    pairs=st.lists(
        st.tuples(
            st.sampled_from(
                ["-D", "-U", "-include", "-imacros", "-MF", "-MT", "-MQ", "-Xclang", "--param"]
            ),
            st.sampled_from(["-c", "-g", "x.cpp", "-march=native", "-lgomp", "-fopenmp", "-O3"]),
        )
    )
)
def test_value_is_never_taken_for_an_option(pairs: List[Tuple[str, str]]) -> None:
    written = [word for pair in pairs for word in pair]
    adapted = adapt_compilation(written)
    assert own_arguments(adapted) == ["-c", *written, "x.c", "-o", "x.o"]
    assert (adapted.driver, adapted.notes, adapted.refusal) == ("cc", (), "")
