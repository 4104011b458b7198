"""Patterns of exclude and bundle that match no library: a warning if one comes near."""

from __future__ import annotations

import json
from pathlib import Path
from typing import List, Sequence, Tuple

import pytest

from commandline import run
from elfwriter import Elf, Symbol, write
from manyshim.audit.patterns import Pattern, compared, lines
from wheelwriter import save, wheel, wheel_name

EXTENSION = "demo/_x.cpython-311-x86_64-linux-gnu.so"
INIT = Symbol("PyInit__x", defined=True)
NEAR = "manyshim: warning: exclude libcrypto.so matches no library; near: libcrypto.so.3\n"
PROMISED = frozenset({"libc.so.6", "libGL.so.1", "libstdc++.so.6"})


def near(*globs: str, names: Sequence[str]) -> List[Tuple[str, ...]]:
    """Return the names near each pattern; a pattern that matches has none."""
    found = compared("exclude", globs, frozenset(names), PROMISED)
    assert [one.glob for one in found] == list(globs)
    return [one.near for one in found]


@pytest.mark.parametrize(
    ("glob", "name"),
    [
        ("libcrypto.so", "libcrypto.so.3"),
        ("libcrypto", "libcrypto.so.3"),
        ("crypto", "libcrypto.so.3"),
        ("crypto.so.*", "libcrypto.so.3"),
        ("libcrypto.so.1.1", "libcrypto.so.3"),
        ("libcrypto.so.1*", "libcrypto.so.3"),
        ("libCrypto.so.3", "libcrypto.so.3"),
        ("/usr/lib/libcrypto.so.3", "libcrypto.so.3"),
        ("*/libcrypto.so.*", "libcrypto.so.3"),
        ("libcrypt0.so.3", "libcrypto.so.3"),
        ("libcyrpto.so.*", "libcrypto.so.3"),
        ("libcryto.so*", "libcrypto.so.3"),
        ("libsll.so.3", "libssl.so.3"),
        ("libstdc++.so", "libstdc++.so.6"),
        ("lib*crypto.so", "libcrypto.so.3"),
    ],
)
def test_what_comes_near(glob: str, name: str) -> None:
    assert near(glob, names=[name, "libc.so.6", "libother.so.1"]) == [(name,)]


@pytest.mark.parametrize(
    ("glob", "name"),
    [
        ("libcuda.so*", "libcudart.so.12"),
        ("libcuda.so.1", "libcudart.so.12"),
        ("libcublasLt.so.12", "libcublas.so.12"),
        ("libx265.so.199", "libx264.so.164"),
        ("libz.so.1", "libzstd.so.1"),
        # Every policy has it, so nobody would exclude it.
        ("libEGL.so.1", "libGL.so.1"),
        ("libavcodec.so.*", "libavformat.so.61"),
        # Other libraries with similar names: one table of patterns may serve many projects.
        ("libGL.so.1", "libEGL.so.1"),
        ("libX11.so.6", "libXi.so.6"),
        ("libXrender.so.1", "libXrandr.so.2"),
        ("libcrypto.so.*", "libgcrypt.so.20"),
        ("libcuda.so.1", "libcudnn.so.9"),
        ("libcudart.so.*", "libicudata.so.72"),
        ("libcurand.so.10", "librocrand.so.1"),
        ("libgomp.so.1", "libgmp.so.10"),
        ("libgomp.so*", "libgmp.so.10"),
        ("libgomp.so.1", "libiomp5.so"),
        ("libssl.so.3", "libssh.so.4"),
        # The copy of an earlier repair.
        ("libcrypto.so.3", "libcrypto-1a2b3c4d.so.3"),
        ("lib/", "libfoo.so.1"),
    ],
)
def test_what_does_not_come_near(glob: str, name: str) -> None:
    assert near(glob, names=[name]) == [()]


def test_a_name_that_another_pattern_matches_is_not_near() -> None:
    globs = ("libssl.so.1.1", "libssl.so.3", "libssl.so")
    assert near(*globs, names=["libssl.so.3"]) == [(), (), ()]


def test_a_pattern_for_everything_is_no_pattern() -> None:
    for glob in ("*", "**"):
        assert compared("bundle", (glob,), frozenset({"libfoo.so.1"}), PROMISED) == ()


def test_a_list_of_names_is_limited() -> None:
    names = [f"lib{'x' * 30}{number}.so.1" for number in range(100_000)]
    (found,) = near("lib" + "x" * 30, names=names)
    assert len(found) == 2000
    (line,) = lines([Pattern("exclude", "lib", False, found)])
    assert line.endswith(" and 1996 more")


def test_a_pattern_counts_for_all_wheels() -> None:
    missed = Pattern("exclude", "liba.so", False, ("liba.so.1",))
    other = missed._replace(near=("liba.so.2", "liba.so.1"))
    text = "warning: exclude liba.so matches no library; near: liba.so.1"
    assert lines([missed]) == [text]
    assert lines([missed, other]) == [f"{text}, liba.so.2"]
    assert lines([missed, missed._replace(matched=True, near=())]) == []
    far = missed._replace(near=())
    assert lines([far]) == []
    assert lines([far], verbose=True) == ["exclude liba.so matches no library"]
    assert lines([missed._replace(option="bundle"), other._replace(matched=True)]) != []


def make(folder: Path, *needed: str, version: str = "1.0", size: int = 0) -> Path:
    elf = write(Elf(needed=("libc.so.6", *needed), symbols=(INIT,)))
    files = {EXTENSION: elf, "demo/data.bin": bytes(size)}
    data = wheel(files, version=version, compress=size == 0)
    return save(folder, data, wheel_name(version=version))


@pytest.mark.parametrize("command", ["show", "check", "retag", "repair", "repair --dry-run"])
def test_every_command_warns(command: str, tmp_path: Path) -> None:
    path = make(tmp_path, "libcrypto.so.3")
    out = ["-w", tmp_path / "out"] if command[:2] == "re" else []
    options = ["--exclude", "libcrypto.so", "--exclude", "libcuda.so*"]
    done = run(*command.split(), path, *out, *options)
    assert done.stderr == NEAR
    done = run(*command.split(), path, *out, *options, "-v")
    assert done.stderr == f"{NEAR}manyshim: exclude libcuda.so* matches no library\n"
    done = run(*command.split(), path, *out, "--exclude", "libcrypto.so*")
    assert done.stderr == ""


def test_a_batch_warns_once_if_no_wheel_matches(tmp_path: Path) -> None:
    # Large enough for several processes.
    paths = [
        make(tmp_path, "libcrypto.so.3", version=f"1.{number}", size=3 << 20) for number in range(3)
    ]
    paths.append(make(tmp_path, version="1.3"))
    pure = "py3-none-any"
    paths.append(save(tmp_path, wheel({"a.py": b""}, tag=pure), wheel_name(tag=pure)))
    for jobs in ("1", "3"):
        done = run("show", *paths, "--exclude", "libcrypto.so", "--jobs", jobs)
        assert done.stderr == NEAR
    paths.append(make(tmp_path, "libcrypto.so", version="1.4"))
    assert run("show", *paths, "--exclude", "libcrypto.so").stderr == ""


def test_json_stays_json(tmp_path: Path) -> None:
    done = run("show", "--json", make(tmp_path, "libcrypto.so.3"), "--exclude", "libcrypto.so")
    assert json.loads(done.stdout)["version"] == 2
    assert done.stderr == NEAR


def test_a_pure_wheel_says_nothing_about_patterns(tmp_path: Path) -> None:
    pure = "py3-none-any"
    path = save(tmp_path, wheel({"a.py": b""}, tag=pure), wheel_name(tag=pure))
    assert run("show", path, "--exclude", "libcrypto.so", "-v").stderr == ""


def test_a_name_in_a_warning_is_escaped(tmp_path: Path) -> None:
    done = run("show", make(tmp_path, "libfoo.so.\x1b[1m"), "--exclude", "libfoo.so")
    assert done.stderr.endswith("near: libfoo.so.\\x1b[1m\n")


@pytest.mark.parametrize("way", ["plan", "repair"])
def test_bundle_has_an_effect_in_a_repair_only(way: str, tmp_path: Path) -> None:
    path = make(tmp_path, "libno-such.so.1")
    out = ["--dry-run"] if way == "plan" else ["-w", tmp_path / "out"]
    done = run("repair", path, *out, "--bundle", "libno-such.so", "--bundle", "libc.*")
    line = "manyshim: warning: bundle libno-such.so matches no library; near: libno-such.so.1\n"
    assert done.stderr == line
    assert run("repair", path, *out).stderr == ""
