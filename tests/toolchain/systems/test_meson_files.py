"""The cross file of Meson and the settings of meson-python, as tables."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, Dict, List, Mapping, Optional, Tuple

import pytest

import needs
from manyshim.audit.tags import PlatformTag
from manyshim.toolchain.systems import meson
from manyshim.toolchain.systems.machine import Machine, machine
from manyshim.toolchain.target import Target

ARM64 = Target(PlatformTag("glibc", 2, 17, "aarch64"))
MACHINE = Machine("aarch64", "aarch64", little_endian=True, emulator=None)


def parsed(text: str, folder: Path) -> Dict[str, Dict[str, Any]]:
    """Return the sections of a machine file, as Meson reads it."""
    needs.module("mesonbuild", "meson-python")
    from mesonbuild.machinefile import parse_machine_files

    path = folder / "meson.cross"
    path.write_text(text, encoding="utf-8")
    sections: Dict[str, Dict[str, Any]] = parse_machine_files([str(path)], str(folder))
    return sections


@pytest.mark.parametrize(
    ("arch", "host"),
    [
        ("x86_64", ("x86_64", "little")),
        ("i686", ("x86", "little")),
        ("aarch64", ("aarch64", "little")),
        ("armv7l", ("arm", "little")),
        ("ppc64le", ("ppc64", "little")),
        ("s390x", ("s390x", "big")),
        ("riscv64", ("riscv64", "little")),
        ("loongarch64", ("loongarch64", "little")),
    ],
)
def test_meson_reads_the_machine(arch: str, host: Tuple[str, str], tmp_path: Path) -> None:
    needs.module("mesonbuild", "meson-python")
    from mesonbuild.envconfig import known_cpu_families

    target = Target(PlatformTag("glibc", 2, 36, arch))
    found = machine(target, "", "none")
    read = parsed(meson.cross_file(target, found, {"c": "/bin/cc"}, {}), tmp_path)
    family, endian = host
    assert family in known_cpu_families
    assert read["host_machine"] == {
        "system": "linux",
        "kernel": "linux",
        "cpu_family": family,
        "cpu": arch,
        "endian": endian,
    }


@pytest.mark.parametrize(
    ("libc", "arch", "expected"),
    [
        ("glibc", "x86_64", "INTEL_EXTENDED_16_BYTES_LE"),
        ("glibc", "i686", "INTEL_EXTENDED_12_BYTES_LE"),
        ("musl", "i686", "INTEL_EXTENDED_12_BYTES_LE"),
        ("glibc", "aarch64", "IEEE_QUAD_LE"),
        ("musl", "aarch64", "IEEE_QUAD_LE"),
        ("glibc", "armv7l", "IEEE_DOUBLE_LE"),
        ("glibc", "ppc64le", "IBM_DOUBLE_DOUBLE_LE"),
        ("musl", "ppc64le", "IEEE_DOUBLE_LE"),
        ("glibc", "s390x", "IEEE_QUAD_BE"),
        ("glibc", "riscv64", "IEEE_QUAD_LE"),
        ("glibc", "loongarch64", "IEEE_QUAD_LE"),
    ],
)
def test_the_format_of_long_double(libc: str, arch: str, expected: str, tmp_path: Path) -> None:
    """The macros __LDBL_MANT_DIG__ and __SIZEOF_LONG_DOUBLE__ of clang say the same."""
    target = Target(PlatformTag(libc, 1, 2, arch))
    read = parsed(meson.cross_file(target, MACHINE, {}, {}), tmp_path)
    assert read["properties"]["longdouble_format"] == expected


@pytest.mark.parametrize(
    ("emulator", "wrapper", "needed"),
    [
        (None, None, True),
        ((), None, False),
        (("/q/qemu", "-L", "/the root"), ["/q/qemu", "-L", "/the root"], True),
    ],
)
def test_programs_of_the_target_run_with_an_emulator(
    emulator: Optional[Tuple[str, ...]], wrapper: Any, *, needed: bool, tmp_path: Path
) -> None:
    text = meson.cross_file(ARM64, MACHINE._replace(emulator=emulator), {"c": "/cc"}, {})
    read = parsed(text, tmp_path)
    assert read["binaries"].get("exe_wrapper") == wrapper
    assert read["properties"]["needs_exe_wrapper"] is needed


@pytest.mark.parametrize(
    "text", ["/plain", "/with space", "/it's", "/back\\slash", "/percent%s", "/a=b", "/#;", "/@x"]
)
def test_meson_reads_any_path(text: str, tmp_path: Path) -> None:
    values = {"sys_root": text, "pkg_config_libdir": [text, "/other"], "flag": True}
    read = parsed(meson.cross_file(ARM64, MACHINE, {"c": text}, values), tmp_path)
    assert read["binaries"]["c"] == text
    assert {key: read["properties"][key] for key in values} == values


@pytest.mark.parametrize(
    ("settings", "own", "expected"),
    [
        (None, (), []),
        ({}, (), []),
        ({"setup-args": "-Da=1"}, (), ["-Da=1"]),
        ({"setup-args": ["-Da=1", "-Db=2"]}, (), ["-Da=1", "-Db=2"]),
        ({"setup-args": ("-Da=1",)}, (), ["-Da=1"]),
        # meson-python takes a text as one argument, whatever it looks like.
        ({"setup-args": '["-Da=1", "-Db=2"]'}, (), ['["-Da=1", "-Db=2"]']),
        ({"setup-args": "-Da=1 -Db=2"}, (), ["-Da=1 -Db=2"]),
        # Meson reports what is no argument.
        ({"setup-args": True}, (), ["True"]),
        ({"setup-args": ["--cross-file", "u"]}, (), ["--cross-file", "u"]),
        ({"setup-args": "--native-file=n"}, (), ["--native-file=n"]),
        # meson-python passes the project's arguments first, so its cross file is repeated.
        (None, ("-Da=1", "--cross-file", "p"), ["--cross-file=p"]),
        (None, ("--cross-file=p",), ["--cross-file=p"]),
        ({"setup-args": "--cross-file=u"}, ("--cross-file=p",),
         ["--cross-file=p", "--cross-file=u"]),
        (None, ("--native-file=n", "-Da=1"), []),
    ],
)  # fmt: skip
def test_the_users_arguments_come_after_ours(
    settings: Optional[Mapping[str, Any]], own: Tuple[str, ...], expected: List[str]
) -> None:
    others = {"compile-args": "-v"}
    given = None if settings is None else {**settings, **others}
    found = meson.with_cross_file(given, "ours", own)
    assert found["setup-args"] == ["--cross-file=ours", *expected]
    assert {key: found[key] for key in found if key != "setup-args"} == (others if given else {})


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ([], []),
        (["-Da=1", "--cross-file"], [("cross", "")]),
        (["--cross-file", "a", "--native-file=b"], [("cross", "a"), ("native", "b")]),
        (["--cross-filex=a", "--cross-file=a=b"], [("cross", "a=b")]),
    ],
)
def test_machine_files_in_arguments(given: List[str], expected: List[Tuple[str, str]]) -> None:
    assert meson.machine_files(given) == expected


OWN = "the {} file own.ini comes last, and replaces what manyshim has set for {}"


@pytest.mark.parametrize(
    ("text", "kind", "native", "replaced"),
    [
        ("[binaries]\nc = 'gcc'\n", "cross", False, "c"),
        ("[binaries]\nc = 'gcc'\ncpp = ['g++', '-x']\nar = 'ar'\n", "cross", False, "c, cpp, ar"),
        ("[binaries]\nexe_wrapper = 'qemu'\nstrip = 'strip'\n", "cross", False, ""),
        ("[properties]\nc = 'gcc'\n", "cross", False, ""),
        ("[host_machine]\ncpu_family = 'aarch64'\nendian = 'little'\n", "cross", False, ""),
        ("[host_machine]\ncpu_family = 'arm'\n", "cross", False, "cpu_family (now arm)"),
        ("[host_machine]\nendian = 'big'\n", "cross", False, "endian (now big)"),
        ("[host_machine]\nsystem = 'windows'\n", "cross", False, "system (now windows)"),
        ("[host_machine]\ncpu_family = 'a\x1b[2Jb'\n", "cross", False, "cpu_family (now a2Jb)"),
        (
            "[constants]\nCpu = 'aarch'\n[host_machine]\ncpu_family = Cpu + '64'\n",
            "cross",
            False,
            "",
        ),
        (
            "[constants]\ncpu = 'arm'\n[host_machine]\ncpu_family = cpu\n",
            "cross",
            False,
            "cpu_family (now arm)",
        ),
        ("[host_machine]\ncpu_family = 'a' / 'b'\nendian = other\n", "cross", False, ""),
        # With a cross file, native files are for the build machine.
        ("[binaries]\nc = 'gcc'\n", "native", False, ""),
        ("[binaries]\nc = 'gcc'\n", "native", True, "c"),
        ("[binaries]\nc = 'gcc'\n", "cross", True, "c"),
        # Meson reports these better.
        ("no section\n", "cross", False, ""),
        ("[binaries\nc = 'gcc'\n", "cross", False, ""),
        ("[binaries]\nc = 'gcc'\nc = 'gcc'\n", "cross", False, ""),
        ("\xff\xfe", "cross", False, ""),
    ],
)
def test_a_conflict_is_reported(
    text: str, kind: str, *, native: bool, replaced: str, tmp_path: Path
) -> None:
    (tmp_path / "own.ini").write_bytes(text.encode("latin-1"))
    given = [f"--{kind}-file=own.ini"]
    found = meson.conflicts(given, None if native else MACHINE, str(tmp_path), {})
    assert found == ([OWN.format(kind, replaced)] if replaced else [])


def test_a_missing_file_is_mesons_to_report(tmp_path: Path) -> None:
    assert meson.conflicts(["--cross-file", "none"], MACHINE, str(tmp_path), {}) == []


def test_a_constant_counts_in_the_next_file(tmp_path: Path) -> None:
    (tmp_path / "1.ini").write_text("[constants]\ncpu = 'arm'\n", encoding="utf-8")
    (tmp_path / "2.ini").write_text("[host_machine]\ncpu_family = cpu\n", encoding="utf-8")
    given = ["--cross-file=1.ini", "--cross-file=2.ini"]
    (line,) = meson.conflicts(given, MACHINE, str(tmp_path), {})
    assert line.startswith("the cross file 2.ini comes last, and replaces ")
    assert line.endswith("has set for cpu_family (now arm)")


def test_a_pipe_is_left_to_meson(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "own.ini")
    assert meson.conflicts(["--cross-file=own.ini"], MACHINE, str(tmp_path), {}) == []


@pytest.mark.parametrize(
    ("settings", "path", "place"),
    [
        (None, "../own.ini", "own.ini"),
        ({"build-dir": "build/below"}, "../../own.ini", "own.ini"),
        ({"builddir": "build"}, "../own.ini", "own.ini"),
        (None, "own.ini", "share/meson/cross/own.ini"),
        (None, "$OWN_FOLDER/own.ini", "data/own.ini"),
    ],
)
def test_a_file_is_searched_where_meson_does(
    settings: Optional[Mapping[str, Any]],
    path: str,
    place: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Meson runs in the build folder."""
    (tmp_path / place).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / place).touch()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("OWN_FOLDER", str(tmp_path / "data"))
    environ = {"XDG_DATA_HOME": str(tmp_path / "share")}
    found = meson.find_file("cross", path, meson.build_folder(settings), environ)
    assert Path(found).resolve() == tmp_path / place
