"""The linker's arguments: options, libraries, folders, and what zig's linker cannot do."""

from __future__ import annotations

from typing import List

import pytest
from hypothesis import given
from hypothesis import strategies as st

from argumentrunning import MAP, QUIET, name_the_arguments
from argumenttables import (
    DEBIAN_LDFLAGS,
    FEDORA_CFLAGS,
    FEDORA_LDFLAGS,
    LINKING,
    NATIVE,
    REFUSED,
    SETTINGS,
    Row,
)
from manyshim.toolchain.compiler.arguments import Adapted, adapt
from manyshim.toolchain.compiler.target_options import TargetOptions


def adapt_link(written: str, options: TargetOptions = NATIVE, driver: str = "cc") -> Adapted:
    """Translate a call that links x.o to a shared library."""
    return adapt(driver, ["-shared", "x.o", *written.split(), "-o", "x.so"], options)


def leading_arguments(options: TargetOptions) -> List[str]:
    """Return the arguments that zig gets first in every link."""
    return ["-target", options.triple, f"-mcpu={options.cpu}", "-O2", "-s", *QUIET, MAP]


def own_arguments(adapted: Adapted) -> List[str]:
    """Return the arguments of this call, after the leading ones."""
    return list(adapted.arguments[9:])


@pytest.mark.parametrize("row", LINKING, ids=lambda row: f"{row.arch} {row.written}")
def test_argument_is_translated_for_a_linker(row: Row) -> None:
    options = SETTINGS[row.arch]
    adapted = adapt_link(row.written, options)
    # This option comes last, after the output.
    last = "-Wl,--undefined-version"
    given = [word for word in row.given.split() if word != last]
    after_output = [last] * row.given.count(last)
    assert list(adapted.arguments) == [
        *leading_arguments(options), "-shared", "x.o", *given, "-o", "x.so", *after_output,
    ]  # fmt: skip
    assert name_the_arguments(adapted.notes, row.noted), adapted.notes
    assert (adapted.driver, adapted.links, adapted.refusal) == ("cc", True, "")


@pytest.mark.parametrize("written", REFUSED)
@pytest.mark.parametrize("arch", ["x86_64", "aarch64"])
def test_option_without_support_in_zig_is_refused(written: str, arch: str) -> None:
    refusal = adapt_link(written, SETTINGS[arch]).refusal
    assert REFUSED[written] in refusal
    assert not refusal.endswith(".")
    option = written.replace("-Wl,", "").replace("-Xlinker ", "").split(",")[0].split("=")[0]
    assert option.split()[-1].lstrip("-").replace("l gomp", "lgomp") in refusal


@pytest.mark.parametrize("written", ["-fopenmp", "-fopenmp=libgomp", "-fopenmp-targets=x"])
def test_openmp_is_refused_in_a_compilation(written: str) -> None:
    refusal = adapt("cc", ["-c", "x.c", written], NATIVE).refusal
    assert refusal.startswith(f"{written.partition('=')[0]} asks for OpenMP")
    assert "`manyshim repair`" in refusal


@pytest.mark.parametrize("library", ["crypt", "nsl", "anl"])
def test_library_without_a_stub_may_come_from_the_sysroot(library: str) -> None:
    adapted = adapt_link(f"-l{library}", NATIVE._replace(sysroot="/"))
    assert adapted.refusal == ""
    assert adapt_link(f"-l{library} -L/own").refusal == ""


@pytest.mark.parametrize(
    ("arch", "written", "given"),
    [
        ("aarch64", "-L/usr/lib/x86_64-linux-gnu", "-L/sys/usr/lib/aarch64-linux-gnu"),
        ("aarch64", "-L/usr/lib", "-L/sys/usr/lib"),
        ("aarch64", "-L/sys/usr/lib/q", "-L/sys/usr/lib/q"),
        ("aarch64", "-L/py/lib", ""),
        ("aarch64", "-L/own", "-L/own"),
        ("x86_64", "-L/usr/lib", "-L/usr/lib"),
    ],
)
def test_libraries_of_the_sysroot(arch: str, written: str, given: str) -> None:
    adapted = adapt_link(f"{written} -lz", SETTINGS[arch]._replace(sysroot="/sys"))
    triplet = SETTINGS[arch].multiarch
    last = [f"-L/sys/usr/lib/{triplet}", f"-L/sys/lib/{triplet}", "-L/sys/usr/lib"]
    assert own_arguments(adapted) == [
        *("-shared", "x.o", *given.split(), "-lz", "-o", "x.so", *last),
    ]
    assert adapted.notes == ()


def test_sysroot_may_be_the_system() -> None:
    adapted = adapt_link("-lz", NATIVE._replace(sysroot="/"))
    folders = [word for word in adapted.arguments if word.startswith("-L")]
    here = ["-L/usr/lib/x86_64-linux-gnu", "-L/lib/x86_64-linux-gnu", "-L/usr/lib"]
    assert folders == here


def test_system_folders_of_debians_python_are_searched() -> None:
    debian = NATIVE._replace(python_libraries=("/usr/lib", "/usr/lib/x86_64-linux-gnu"))
    adapted = adapt_link("-L/usr/lib/x86_64-linux-gnu -lz", debian)
    assert "-L/usr/lib/x86_64-linux-gnu" in adapted.arguments


@pytest.mark.parametrize(
    ("written", "given"),
    [
        (FEDORA_LDFLAGS, "-Wl,-z,relro -Wl,--as-needed -Wl,-z,now -Wl,--build-id=sha1"),
        (f"{FEDORA_CFLAGS} {FEDORA_LDFLAGS}", ("-pipe -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3 "
         "-D_GLIBCXX_ASSERTIONS -Wl,-z,relro -Wl,--as-needed -Wl,-z,now -Wl,--build-id=sha1")),
        (DEBIAN_LDFLAGS, "-shared -Wl,-z,relro -Wl,-z,now"),
    ],
    ids=["Fedora", "Fedora with its CFLAGS", "Debian"],
)  # fmt: skip
def test_flags_of_a_distribution(written: str, given: str) -> None:
    adapted = adapt_link(written)
    assert own_arguments(adapted) == ["-shared", "x.o", *given.split(), "-o", "x.so"]
    assert (adapted.notes, adapted.refusal) == ((), "")


def test_compiling_and_linking_in_one_call() -> None:
    written = "-O3 -march=haswell -flto -fPIC -shared x.c -o x.so -g -s"
    adapted = adapt("cc", written.split(), NATIVE._replace(sysroot="/"))
    assert adapted.arguments[2:5] == ("-mcpu=haswell", "-O2", "-s")
    assert own_arguments(adapted) == [
        MAP,
        *("-fPIC", "-shared", "x.c", "-o", "x.so"),
        *("-idirafter", "/usr/include", "-idirafter", "/usr/include/x86_64-linux-gnu"),
        *("-L/usr/lib/x86_64-linux-gnu", "-L/lib/x86_64-linux-gnu", "-L/usr/lib"),
    ]


def test_option_without_its_value_is_passed_on() -> None:
    assert own_arguments(adapt("cc", ["x.o", "-Wl,-rpath"], NATIVE)) == ["x.o", "-Wl,-rpath"]
    assert own_arguments(adapt("cc", ["x.o", "-l"], NATIVE)) == ["x.o", "-Wl,-l"]


def test_unknown_option_is_passed_on() -> None:
    assert "-Wl,--nosuch=1" in adapt_link("-Wl,--nosuch=1").arguments


ORDERED = st.sampled_from(
    ["a.o", "b.o", "libc.a", "-lm", "-lz", "-lq", "d.so", "-Wl,--as-needed", "-Wl,--start-group"]
)


@given(st.lists(ORDERED, min_size=1))
def test_order_does_not_change(written: List[str]) -> None:
    assert own_arguments(adapt("cc", ["x.o", *written], NATIVE)) == ["x.o", *written]


@given(st.lists(st.sampled_from([row.written for row in LINKING if not row.noted])))
def test_every_link_has_the_same_leading_arguments(written: List[str]) -> None:
    """Another optimisation, strip mode or processor would make zig build libc++ again."""
    adapted = adapt_link(" ".join(written))
    assert list(adapted.arguments[:9]) == leading_arguments(NATIVE)
    rest = own_arguments(adapted)
    assert not [word for word in rest if word.startswith(("-O", "-mcpu", "-march", "-flto"))]
    assert not {"-s", "-Wl,-s", "-Wl,-S", "-Wl,--strip-all"} & set(rest)
