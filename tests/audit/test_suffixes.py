"""Suffixes of extension modules, and the interpreters that load them."""

from __future__ import annotations

import ast
import re
import subprocess
import time
from typing import List, Mapping, Optional, Set, Tuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from packaging.tags import Tag, compatible_tags, cpython_tags, generic_tags

import needs
from manyshim.audit.suffixes import (
    ModuleSuffix,
    accepting,
    interpreters,
    parse_cpython,
    parse_module_suffix,
)
from manyshim.audit.tags import GLIBC, MUSL, parse_wheel_name


@pytest.mark.parametrize(
    ("filename", "suffix", "libc"),
    [
        ("_x.cpython-311-x86_64-linux-gnu.so", ("cpython-311", "x86_64-linux-gnu"), GLIBC),
        ("_x.cpython-310-x86_64-linux-gnu.so", ("cpython-310", "x86_64-linux-gnu"), None),
        ("_x.cpython-37m-i386-linux-gnu.so", ("cpython-37m", "i386-linux-gnu"), None),
        ("_x.cpython-313t-aarch64-linux-musl.so", ("cpython-313t", "aarch64-linux-musl"), MUSL),
        ("_x.cpython-38-arm-linux-musleabihf.so", ("cpython-38", "arm-linux-musleabihf"), MUSL),
        ("_x.cpython-312-arm-linux-gnueabihf.so", ("cpython-312", "arm-linux-gnueabihf"), GLIBC),
        ("_x.cpython-311.so", ("cpython-311", ""), None),
        # Of other systems.
        ("_x.cpython-311-darwin.so", ("cpython-311", "darwin"), None),
        ("_x.cpython-313-x86_64-linux-android.so", ("cpython-313", "x86_64-linux-android"), None),
        (
            "_x.cpython-313-arm-linux-androideabi.so",
            ("cpython-313", "arm-linux-androideabi"),
            None,
        ),
        ("_x.abi3.so", ("abi3", ""), None),
        ("_x.abi3t.so", ("abi3t", ""), None),
        # From CPython 3.15.
        ("_x.abi3-x86_64-linux-gnu.so", ("abi3", "x86_64-linux-gnu"), GLIBC),
        ("_x.abi3t-x86_64-linux-musl.so", ("abi3t", "x86_64-linux-musl"), MUSL),
        ("a.b.cpython-311-x86_64-linux-gnu.so", ("cpython-311", "x86_64-linux-gnu"), GLIBC),
        ("_x.pypy310-pp73-x86_64-linux-gnu.so", ("pypy310-pp73", "x86_64-linux-gnu"), None),
        (
            "_x.graalpy242-311-native-x86_64-linux.so",
            ("graalpy242-311-native", "x86_64-linux"),
            None,
        ),
        ("_x.graalpy-38-native.so", ("graalpy-38-native", ""), None),
        ("libfoo.so", None, None),
        ("libfoo.so.1", None, None),
        ("_x.abi3.so.1", None, None),
        ("_x.abi4.so", None, None),
        ("_x.cpython-311-darwin1.so", None, None),
        ("abi3.so", None, None),
        ("_x.abi3.py", None, None),
        ("_x.abi3-x86_64-darwin.so", None, None),
        # Numbers with too many digits, and names that no file system takes.
        ("_x.cpython-31111-x86_64-linux-gnu.so", None, None),
        (f"_x.cpython-{'3' * 5000}-x86_64-linux-gnu.so", None, None),
        (f"_x.pypy{'3' * 5000}-pp73-x86_64-linux-gnu.so", None, None),
        (f"_x.pypy310-pp{'7' * 5000}-x86_64-linux-gnu.so", None, None),
        ("_x.cpython-\u0663\u0661\u0661.so", None, None),
        (f"{'x' * 247}.abi3.so", ("abi3", ""), None),
        (f"{'x' * 248}.abi3.so", None, None),
        (f"{chr(0x4E00) * 82}x.abi3.so", ("abi3", ""), None),
        (f"{chr(0x4E00) * 83}.abi3.so", None, None),
    ],
)
def test_module_suffix_is_parsed(
    filename: str, suffix: Optional[Tuple[str, str]], libc: Optional[str]
) -> None:
    parsed = parse_module_suffix(filename)
    assert parsed == (ModuleSuffix(*suffix) if suffix else None)
    assert (parsed.libc if parsed else None) == libc


# The grammar of the suffixes that builds of CPython, PyPy and GraalPy write.
_GRAMMAR = re.compile(
    r"\.(?:(?P<impl>abi3t?|cpython-N[a-z]*|pypyN-ppN)(?:-(?P<triplet>[\w-]+-linux-(?:gnu|musl|android)\w*|darwin))?"
    r"|(?P<graal>graalpy\w*(?:-\w*){0,2})(?:-(?P<rest>[\w-]*))?)\.so".replace(
        "N", r"(?:0|[1-9][0-9]{0,3})"
    )
)
_ATOMS = (
    *(
        "",
        ".",
        "-",
        "_",
        "abi3",
        "abi3t",
        "cpython",
        "cpython-311",
        "pypy",
        "310",
        "pp73",
        "x86_64",
    ),
    *(
        "graalpy",
        "250",
        "native",
        "linux",
        "-linux-gnu",
        "-linux-musl",
        "-linux-android",
        "-darwin",
        "so",
        ".so",
        "t",
        "é",
        "²",
    ),
)


@settings(max_examples=2000)
@given(st.lists(st.sampled_from(_ATOMS), max_size=8).map("".join))
def test_suffixes_are_those_of_the_grammar(stem: str) -> None:
    name = f"x.{stem}.so"
    found = next(filter(None, (_GRAMMAR.fullmatch(name, at) for at in range(len(name)))), None)
    wanted = found and (
        (found["impl"], found["triplet"] or "")
        if found["impl"]
        else (found["graal"], found["rest"] or "")
    )
    assert parse_module_suffix(name) == (wanted or None)


@pytest.mark.parametrize(
    "text", [f"cp{'3' * 5000}", "cp3", "cp", "cp31a1", "cp03", "pp310", "cp31111"]
)
def test_other_texts_are_no_cpython_tags(text: str) -> None:
    assert parse_cpython(text) is None


@pytest.mark.parametrize(
    "name",
    [
        f"x.graalpy{'-' * 60_000}.so",
        f"x.cpython-{'a-' * 60_000}x86_64-linux-gnu.so",
        f"{chr(0x4E00) * 21_000}.abi3.so",
        f"x{'.abi3' * 20_000}.so",
    ],
)
def test_long_names_take_no_time(name: str) -> None:
    begin = time.process_time()
    for _ in range(100):
        assert parse_module_suffix(name) is None
    assert time.process_time() - begin < 1


def suffix_of(text: str) -> Optional[ModuleSuffix]:
    return parse_module_suffix(f"_x{text}")


GNU = "-x86_64-linux-gnu"
# The suffixes that each interpreter has (`_imp.extension_suffixes()`), by its tag. Those of CPython
# 3.14 and 3.15 are from PEP 803 and Python/dynload_shlib.c.
HAVE: Mapping[Tuple[str, str], List[str]] = {
    ("cp27", "cp27mu"): [".so"],
    ("cp37", "cp37m"): [f".cpython-37m{GNU}.so", ".abi3.so", ".so"],
    ("cp38", "cp38"): [f".cpython-38{GNU}.so", ".abi3.so", ".so"],
    ("cp311", "cp311d"): [f".cpython-311d{GNU}.so", f".cpython-311{GNU}.so", ".abi3.so", ".so"],
    ("cp314", "cp314"): [f".cpython-314{GNU}.so", ".abi3.so", ".so"],
    ("cp315", "cp315"): [
        *(f".cpython-315{GNU}.so", f".abi3{GNU}.so", ".abi3.so"),
        *(f".abi3t{GNU}.so", ".abi3t.so", ".so"),
    ],
    # They look for `.abi3.so` too, but have no stable ABI.
    ("cp313", "cp313t"): [f".cpython-313t{GNU}.so", ".so"],
    ("cp314", "cp314t"): [f".cpython-314t{GNU}.so", ".so"],
    ("cp315", "cp315t"): [f".cpython-315t{GNU}.so", f".abi3t{GNU}.so", ".abi3t.so", ".so"],
    ("pp39", "pypy39_pp73"): [f".pypy39-pp73{GNU}.so"],
    ("pp310", "pypy310_pp73"): [f".pypy310-pp73{GNU}.so"],
    ("graalpy311", "graalpy242_311_native"): [".graalpy242-311-native-x86_64-linux.so", ".so"],
    ("graalpy312", "graalpy250_312_native"): [".graalpy250-312-native-x86_64-linux.so", ".so"],
}
ALL = sorted({suffix for suffixes in HAVE.values() for suffix in suffixes})


@pytest.mark.parametrize("tag", HAVE, ids="-".join)
def test_interpreter_loads_its_suffixes_and_no_other(tag: Tuple[str, str]) -> None:
    (python,) = accepting(*tag)
    assert [suffix for suffix in ALL if python.loads(suffix_of(suffix))] == sorted(HAVE[tag])


SAID = "import _imp; print(_imp.extension_suffixes())"


def of_interpreter(python: str) -> List[str]:
    done = subprocess.run([python, "-c", SAID], stdout=subprocess.PIPE, check=True, text=True)
    found: List[str] = ast.literal_eval(done.stdout)
    return found


@pytest.mark.skipif(not needs.LINUX, reason="the suffixes are Linux'")
def test_real_cpythons_load_what_the_table_says(pythons: Mapping[int, str]) -> None:
    assert pythons
    for minor, path in pythons.items():
        (python,) = accepting(f"cp3{minor}", f"cp3{minor}")
        real = of_interpreter(path)
        known = sorted({*real, *ALL})
        assert [one for one in known if python.loads(suffix_of(one))] == sorted(real)


def test_a_real_pypy_loads_what_the_table_says() -> None:
    (own,) = of_interpreter(needs.tool("pypy3", "pypy3"))
    found = suffix_of(own)
    assert found
    abi = found.implementation.replace("-", "_")
    (python,) = accepting(f"pp{abi[len('pypy') :].partition('_')[0]}", abi)
    assert [one for one in sorted({own, *ALL}) if python.loads(suffix_of(one))] == [own]


@pytest.mark.parametrize(
    ("tags", "accepted"),
    [
        ("cp311-cp311", ["CPython 3.11"]),
        ("cp314-cp314t", ["CPython 3.14t"]),
        ("cp38-abi3", ["CPython 3.8", "every newer CPython"]),
        ("cp315-abi3t", ["CPython 3.15t", "every newer CPython (free-threaded)"]),
        # Installers also accept abi3t for older ones, since their tags are open to experiments.
        ("cp310-abi3t", ["CPython 3.13t", "every newer CPython (free-threaded)"]),
        (
            "cp315-abi3.abi3t",
            [
                *("CPython 3.15", "every newer CPython"),
                *("CPython 3.15t", "every newer CPython (free-threaded)"),
            ],
        ),
        ("cp310.cp311-cp310.cp311", ["CPython 3.10", "CPython 3.11"]),
        ("CP311-CP311", ["CPython 3.11"]),
        # Every build of a version accepts the ABI none.
        ("cp311-none", ["CPython 3.11"]),
        ("cp311-cp311.none", ["CPython 3.11"]),
        ("cp313-none", ["CPython 3.13"]),
        ("cp37-none", ["CPython 3.7m"]),
        ("cp311.py3-none", [""]),
        ("pp310-pypy310_pp73", ["pypy310-pp73"]),
        ("cp311.pp310-cp311.pypy310_pp73", ["CPython 3.11", "pypy310-pp73"]),
        ("graalpy311-graalpy242_311_native", ["graalpy242-311-native"]),
        # Tags that do not tell the interpreter.
        ("py3-none", [""]),
        ("ip34-ip34", [""]),
        ("graalpy311-native", [""]),
        ("pp27-pypy_73", ["pypy-73"]),
        ("pp371-pypy3_71", ["pypy3-71"]),
        # Tags that no interpreter has.
        *(
            (tags, [])
            for tags in (
                *("cp315t-abi3t", "cp315t-none", "cp313t-cp313t", "cp312-cp312t", "cp38-cp39"),
                *("cp27-abi3", "cp31-abi3", "cp27-abi3t", "cp311-abi4", "cp311-pypy310_pp73"),
                *("py3-abi3", "py3-cp311", "py38-abi3", "pp310-abi3", "pp310-cp310"),
                "pp310-pypy39_pp73",
                *("cp3-none", "cp3-abi3", "cp2-abi3", "cp2-none", "cp3-cp311", "pp3-none"),
            )
        ),
    ],
)
def test_interpreters_of_tags(tags: str, accepted: List[str]) -> None:
    name = parse_wheel_name(f"demo-1.0-{tags}-linux_x86_64.whl")
    assert name is not None
    assert list(map(str, interpreters(name))) == accepted


def accepted_by_packaging(python: str, abi: str, platform: str) -> bool:
    """Whether some interpreter accepts a tag, by the tags that packaging generates for it."""
    found: Set[Tag] = set()
    for minor in range(8, 17):
        version = (3, minor)
        of_cpython, of_pypy = f"cp3{minor}", f"pypy3{minor}_pp73"
        found.update(cpython_tags(version, [of_cpython], [platform]))
        found.update(generic_tags(f"pp3{minor}", [of_pypy], [platform]))
        found.update(compatible_tags(version, of_cpython, [platform]))
        found.update(compatible_tags(version, "pp3", [platform]))
    return Tag(python, abi, platform) in found


@pytest.mark.parametrize("platform", ["manylinux_2_17_x86_64", "any"])
@pytest.mark.parametrize("abi", ["none", "abi3", "cp311", "pypy311_pp73"])
@pytest.mark.parametrize("python", ["cp3", "cp2", "pp3", "py3", "cp311", "pp311", "py311"])
def test_what_packaging_accepts_is_usable(python: str, abi: str, platform: str) -> None:
    name = parse_wheel_name(f"demo-1.0-{python}-{abi}-{platform}.whl")
    assert name is not None
    if accepted_by_packaging(python, abi, platform):
        assert interpreters(name)
    elif python in ("cp2", "cp3") and platform != "any":
        # Old installers accept cp3-none-any, with which packaging agrees for PyPy only.
        assert not interpreters(name)


@pytest.mark.parametrize(
    ("name", "functions"),
    [
        ("_x.cpython-311-x86_64-linux-gnu.so", ("PyInit",)),
        ("_x.cpython-315-x86_64-linux-gnu.so", ("PyInit", "PyModExport")),
        ("_x.abi3.so", ("PyInit", "PyModExport")),
        ("_x.abi3t.so", ("PyInit", "PyModExport")),
        ("_x.pypy310-pp73-x86_64-linux-gnu.so", ("PyInit", "_cffi_pypyinit")),
        ("_x.graalpy242-311-native-x86_64-linux.so", ("PyInit",)),
    ],
)
def test_init_functions_of_a_suffix(name: str, functions: Tuple[str, ...]) -> None:
    suffix = parse_module_suffix(name)
    assert suffix is not None
    assert suffix.init_functions == functions
