"""The search for external libraries, over small real files, and held against the real loader."""

from __future__ import annotations

import glob
import os
import platform
import re
import subprocess
import sysconfig
import time
from dataclasses import replace
from pathlib import Path
from typing import Any, Dict, List, Mapping, Optional, Sequence, Tuple

import pytest

from elfwriter import TARGETS, Elf, write
from manyshim.errors import ConfigError, ToolError
from manyshim.formats.elf import read
from manyshim.formats.window import Window
from manyshim.repair.search import Found, Requester, Search

pytestmark = pytest.mark.skipif(os.name == "nt", reason="Windows has no such links and paths")

NAME = "libx.so.1"
LOADER = "/lib64/ld-linux-x86-64.so.2"


def put(path: Path, arch: str = "x86_64", **changes: Any) -> Path:
    """Write a library of an architecture; it needs no libc unless told so."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(write(replace(TARGETS[arch], soname=path.name, **changes)))
    return path


def text(path: Path, content: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content, encoding="utf-8")


def asks(path: object = "", rpath: str = "", runpath: Optional[str] = None) -> Requester:
    return Requester(
        str(path),
        tuple(rpath.split(":")) if rpath else (),
        () if runpath is None else tuple(runpath.split(":")),
    )


def below(root: Path, found: Optional[Found]) -> Optional[str]:
    """Say which file was taken, as a path below a folder."""
    return found and str(Path(found.path).relative_to(root))


def foreign(root: Path, arch: str = "x86_64", libc: str = "glibc", **options: Any) -> Search:
    return Search(arch, libc, native=False, sysroot=str(root), **options)


# What the files a to e of a folder are asked by: the requester's RPATH and RUNPATH, its loader's,
# LD_LIBRARY_PATH, library-path, and the folder whose library is taken. "-" has no such tag.
ORDER = [
    ("a", "-", "-", "-", "c", "", "a", "RPATH of ask.so"),
    ("a", "-", "-", "-", "c", "d", "d", "library-path"),
    ("-", "b", "-", "-", "c", "", "c", "LD_LIBRARY_PATH"),
    ("-", "b", "-", "-", "", "", "b", "RUNPATH of ask.so"),
    ("a", "b", "-", "-", "c", "", "c", "LD_LIBRARY_PATH"),
    ("a", "b", "-", "-", "", "", "b", "RUNPATH of ask.so"),
    ("-", "-", "a", "-", "c", "", "a", "RPATH of load.so"),
    ("-", "-", "a", "b", "c", "", "c", "LD_LIBRARY_PATH"),
    ("-", "-", "a", "b", "", "", None, ""),
    ("-", "-", "-", "b", "", "", None, ""),
    ("-", "b", "a", "-", "", "", "b", "RUNPATH of ask.so"),
    ("-", "e", "a", "-", "", "", None, ""),
    ("e", "-", "a", "-", "", "", "a", "RPATH of load.so"),
    ("b:a", "-", "-", "-", "", "", "b", "RPATH of ask.so"),
    ("", "-", "a", "-", "", "", "a", "RPATH of load.so"),
    ("a", "", "a", "-", "", "", None, ""),
    ("-", "-", "-", "-", "e:c", "", "c", "LD_LIBRARY_PATH"),
    ("-", "-", "-", "-", "e;c", "", "c", "LD_LIBRARY_PATH"),
]
# musl makes no difference between the two tags, inherits both, and asks the environment first.
MUSL_ORDER = [
    ("a", "-", "-", "-", "c", "", "c", "LD_LIBRARY_PATH"),
    ("a", "-", "-", "-", "c", "d", "d", "library-path"),
    ("a", "b", "-", "-", "", "", "b", "RUNPATH of ask.so"),
    ("-", "-", "-", "b", "", "", "b", "RUNPATH of load.so"),
    ("-", "e", "a", "-", "", "", "a", "RPATH of load.so"),
    ("-", "-", "a", "-", "", "", "a", "RPATH of load.so"),
    ("-", "-", "-", "-", "e\nc", "", "c", "LD_LIBRARY_PATH"),
    ("-", "-", "-", "-", "e;c", "", None, ""),
]


def world(root: Path) -> Path:
    for folder in "abcd":
        put(root / folder / NAME)
    (root / "e").mkdir()
    return root


def path_of(root: Path, folders: str) -> str:
    return re.sub(r"[a-e]", lambda match: str(root / match.group()), folders)


def requester(root: Path, name: str, rpath: str, runpath: str) -> Requester:
    return asks(
        root / name,
        "" if rpath == "-" else path_of(root, rpath),
        None if runpath == "-" else path_of(root, runpath),
    )


@pytest.mark.parametrize(
    ("libc", "row"), [*(("glibc", row) for row in ORDER), *(("musl", row) for row in MUSL_ORDER)]
)
def test_the_order(tmp_path: Path, libc: str, row: Tuple[str, ...]) -> None:
    root = world(tmp_path / "w")
    rpath, runpath, loader_rpath, loader_runpath, environ, given, taken, how = row
    chain = [
        requester(root, "ask.so", rpath, runpath),
        requester(root, "load.so", loader_rpath, loader_runpath),
    ]
    search = Search(
        "x86_64",
        libc,
        native=True,
        library_path=[str(root / given)] if given else [],
        environ={"LD_LIBRARY_PATH": path_of(root, environ)},
    )
    found = search.find(NAME, chain)
    assert below(root, found) == (taken and f"{taken}/{NAME}")
    assert not found or found.how.replace(f"{root}/", "") == how
    assert search.passed_over == []


@pytest.mark.skipif(
    platform.machine() != "x86_64" or not os.path.exists(LOADER), reason="asks glibc's loader"
)
@pytest.mark.parametrize("row", [row for row in ORDER if not row[5]])
def test_the_order_is_the_loader_s(tmp_path: Path, row: Tuple[str, ...]) -> None:
    """The rows above, as files, loaded by glibc."""
    root = world(tmp_path / "w")
    tags: List[Dict[str, Any]] = [
        {
            "rpath": None if rpath == "-" else path_of(root, rpath),
            "runpath": None if runpath == "-" else path_of(root, runpath),
        }
        for rpath, runpath in (row[:2], row[2:4])
    ]
    put(root / "ask.so", needed=(NAME,), **tags[0])
    top = put(root / "load.so", needed=(str(root / "ask.so"),), **tags[1])
    environ = {"LD_LIBRARY_PATH": path_of(root, row[4])}
    assert loaded(top, environ) == (row[6] and str(root / row[6] / NAME))


def loaded(top: Path, environ: Mapping[str, str]) -> Optional[str]:
    done = subprocess.run(
        [LOADER, "--list", str(top)], env=dict(environ), capture_output=True, text=True, check=False
    )
    match = re.search(rf"{re.escape(NAME)} => (/\S+) \(", done.stdout)
    return match and match.group(1)


@pytest.mark.skipif(
    platform.machine() != "x86_64" or not os.path.exists(LOADER), reason="asks glibc's loader"
)
def test_the_machine_s_own_libraries() -> None:
    """What the loader finds for the interpreter's modules and below, the search finds too."""
    folder = os.path.join(sysconfig.get_path("platstdlib"), "lib-dynload")
    search = Search("x86_64", "glibc", native=True)
    for module in glob.glob(os.path.join(folder, "_*.so")):
        done = subprocess.run(
            [LOADER, "--list", module], env={}, capture_output=True, text=True, check=True
        )
        listed = dict(re.findall(r"(\S+) => (/\S+) \(", done.stdout))
        with open(module, "rb") as file:
            size = os.path.getsize(module)
            facts = read(module, Window(file, 0, size, size, 0)).facts
        queue = [(facts, [Requester(module, facts.rpath, facts.runpath)])]
        asked = set()
        for facts, chain in queue:
            for name in facts.needed:
                if name in listed and name not in asked:
                    asked.add(name)
                    found = search.find(name, chain)
                    assert found is not None, (module, name)
                    assert found.real == os.path.realpath(listed[name])
                    other = Requester(found.path, found.facts.rpath, found.facts.runpath)
                    queue.append((found.facts, [other, *chain]))
        assert asked == set(listed)


def test_a_foreign_target_has_no_folders_of_the_host(tmp_path: Path) -> None:
    root = world(tmp_path / "w")
    chain = [asks("", str(root / "a")), asks(root / "b" / "y.so", "$ORIGIN")]
    environ = {"LD_LIBRARY_PATH": str(root / "c")}
    search = Search("x86_64", "glibc", native=False, environ=environ)
    assert search.find(NAME, chain) is None
    assert search.find("libc.so.6", chain) is None
    given = Search("x86_64", "glibc", native=False, library_path=[str(root / "d")])
    found = given.find(NAME, chain)
    assert found is not None
    assert (found.path, found.how) == (str(root / "d" / NAME), "library-path")
    assert found.facts.soname == NAME
    assert search.passed_over == given.passed_over == []


def test_origin_counts_inside_library_path(tmp_path: Path) -> None:
    for folder in ("lib/private", "other"):
        put(tmp_path / folder / f"lib{folder[-1]}.so")
    search = Search("x86_64", "glibc", native=False, library_path=[str(tmp_path / "lib")])
    chain = [asks(tmp_path / "lib" / "y.so", "$ORIGIN/private:$ORIGIN/../other")]
    assert below(tmp_path, search.find("libe.so", chain)) == "lib/private/libe.so"
    assert search.find("libr.so", chain) is None


SYSTEM_FOLDERS = [
    ("glibc", "x86_64", "lib/x86_64-linux-gnu", True),
    ("glibc", "x86_64", "usr/lib64", True),
    ("glibc", "x86_64", "usr/lib", True),
    ("glibc", "x86_64", "usr/lib/glibc-hwcaps/x86-64-v2", False),
    ("glibc", "x86_64", "usr/lib/x86_64-linux-musl", False),
    ("glibc", "x86_64", "opt/lib", False),
    ("glibc", "i686", "usr/lib/i386-linux-gnu", True),
    ("glibc", "i686", "usr/lib64", False),
    ("glibc", "armv7l", "usr/lib/arm-linux-gnueabihf", True),
    ("glibc", "ppc64le", "lib/powerpc64le-linux-gnu", True),
    ("glibc", "ppc64", "lib64", True),
    ("glibc", "s390x", "lib/s390x-linux-gnu", True),
    ("glibc", "riscv64", "lib/riscv64-linux-gnu", True),
    ("glibc", "loongarch64", "usr/lib/loongarch64-linux-gnu", True),
    ("musl", "aarch64", "lib", True),
    ("musl", "aarch64", "usr/local/lib", True),
    ("musl", "aarch64", "usr/lib", True),
    ("musl", "aarch64", "lib64", False),
    ("musl", "aarch64", "lib/aarch64-linux-gnu", False),
]


@pytest.mark.parametrize(("libc", "arch", "folder", "taken"), SYSTEM_FOLDERS)
def test_default_folders_of_a_sysroot(
    tmp_path: Path, libc: str, arch: str, folder: str, *, taken: bool
) -> None:
    put(tmp_path / folder / NAME, arch)
    for native in (False, True):
        environ = {"LD_LIBRARY_PATH": str(tmp_path / folder)}
        search = Search(arch, libc, native=native, sysroot=str(tmp_path), environ=environ)
        found = search.find(NAME, [asks()])
        assert below(tmp_path, found) == (f"{folder}/{NAME}" if taken else None)
        assert not found or found.how == "sysroot"
        assert search.passed_over == []


CONFIGURATIONS = [
    ("/opt/a", True),
    ("/opt/a/", True),
    ("  /opt/a \t# a comment", True),
    ("/opt/a=libc6", True),
    ("#/opt/a", False),
    ("hwcap 0 nosegneg\n/opt/a", True),
    ("hwcap /opt/a", False),
    ("opt/a", False),
    ("/opt/a:/opt/b", False),
    ("include /etc/sub/*.conf", True),
    ("include\tsub/*.conf", True),
    ("include /none/*.conf /etc/sub/a.conf", True),
    ("include /etc/s?b/[a-c].conf", True),
    ("include /etc/*", False),
    ("include /etc/sub/.*", False),
    ("include /etc/loop.conf", True),
    ("include /etc/linked/*.conf", True),
    ("include ld.so.conf", False),
    ("include /etc/pipe /etc/sub/*", True),
    ("included /opt/a", False),
    ("", False),
]


@pytest.mark.parametrize(("content", "taken"), CONFIGURATIONS)
def test_ld_so_conf(tmp_path: Path, content: str, *, taken: bool) -> None:
    put(tmp_path / "opt/a" / NAME)
    text(tmp_path / "etc/ld.so.conf", f"{content}\n")
    text(tmp_path / "etc/sub/a.conf", "/opt/a\n")
    text(tmp_path / "etc/sub/.hidden", "/opt/b\n")
    text(tmp_path / "etc/loop.conf", "include /etc/loop.conf /etc/ld.so.conf\n/opt/a\n")
    (tmp_path / "etc/linked").symlink_to("/etc/sub")
    os.mkfifo(tmp_path / "etc/pipe")
    if content == "include /etc/*":
        (tmp_path / "etc/loop.conf").unlink()
    found = foreign(tmp_path).find(NAME, [asks()])
    assert below(tmp_path, found) == (f"opt/a/{NAME}" if taken else None)


def test_ld_so_conf_has_an_order(tmp_path: Path) -> None:
    text(tmp_path / "etc/ld.so.conf", "/opt/c\ninclude d/*\n/opt/b\n")
    text(tmp_path / "etc/d/1", "/opt/e\n")
    text(tmp_path / "etc/d/2", "/opt/a\n")
    order = ["opt/c", "opt/e", "opt/a", "opt/b", "usr/lib"]
    for folder in order:
        put(tmp_path / folder / NAME)
    for folder in order:
        assert below(tmp_path, foreign(tmp_path).find(NAME, [asks()])) == f"{folder}/{NAME}"
        (tmp_path / folder / NAME).unlink()


MUSL_PATHS = [
    ("x86_64", "ld-musl-x86_64.path", "/none:/opt/a\n", "opt/a"),
    ("x86_64", "ld-musl-x86_64.path", "/none\n/opt/a", "opt/a"),
    ("x86_64", "ld-musl-x86_64.path", "/opt/b", None),
    ("x86_64", "ld-musl-x86_64.path", "", None),
    ("x86_64", "ld-musl-x86_64.path", "opt/a", None),
    ("x86_64", "ld.so.conf", "/opt/a", "usr/lib"),
    ("i686", "ld-musl-i386.path", "/opt/a", "opt/a"),
    ("armv7l", "ld-musl-armhf.path", "/opt/a", "opt/a"),
    ("ppc64le", "ld-musl-powerpc64le.path", "/opt/a", "opt/a"),
]


@pytest.mark.parametrize(("arch", "name", "content", "taken"), MUSL_PATHS)
def test_musl_has_its_own_file(
    tmp_path: Path, arch: str, name: str, content: str, taken: Optional[str]
) -> None:
    put(tmp_path / "opt/a" / NAME, arch)
    put(tmp_path / "usr/lib" / NAME, arch)
    text(tmp_path / "etc" / name, content)
    found = foreign(tmp_path, arch, "musl").find(NAME, [asks()])
    assert below(tmp_path, found) == (taken and f"{taken}/{NAME}")


# An entry of RPATH in /opt/app/y.so of a sysroot, and the folder of the library that it leads to.
VARIABLES = [
    ("glibc", "x86_64", "$ORIGIN", "opt/app"),
    ("glibc", "x86_64", "$ORIGIN/../lib", "opt/lib"),
    ("glibc", "x86_64", "${ORIGIN}/../lib/", "opt/lib"),
    ("glibc", "x86_64", "$ORIGIN_/../lib", None),
    ("glibc", "x86_64", "$ORIGINS", None),
    ("glibc", "x86_64", "/opt/$LIB", "opt/lib"),
    ("glibc", "x86_64", "/opt/${LIB}", "opt/lib64"),
    ("glibc", "x86_64", "/opt/$LIB/x", "opt/lib/x86_64-linux-gnu/x"),
    ("glibc", "i686", "/opt/$LIB", None),
    ("glibc", "x86_64", "/opt/$PLATFORM", "opt/x86_64"),
    ("glibc", "armv7l", "/opt/${PLATFORM}/x", "opt/v7l/x"),
    ("glibc", "s390x", "/opt/$PLATFORM", None),
    ("glibc", "x86_64", "/opt/$LIBS", "opt/$LIBS"),
    ("glibc", "x86_64", "/opt/app", "opt/app"),
    ("glibc", "x86_64", "opt/app", None),
    ("glibc", "x86_64", ":.:..:app", None),
    ("glibc", "x86_64", "none:/opt/app", "opt/app"),
    ("glibc", "x86_64", "/opt/app/../lib", "opt/lib"),
    ("glibc", "x86_64", "/opt/none/../lib", None),
    ("musl", "x86_64", "$ORIGIN/../lib", "opt/lib"),
    ("musl", "x86_64", "$LIB:/opt/app", None),
    ("musl", "x86_64", "/opt/$LIB", None),
    ("musl", "x86_64", "none\n/opt/app", "opt/app"),
]


@pytest.mark.parametrize(("libc", "arch", "entry", "folder"), VARIABLES)
def test_variables(tmp_path: Path, libc: str, arch: str, entry: str, folder: Optional[str]) -> None:
    (tmp_path / "opt/app").mkdir(parents=True)
    file = put(tmp_path / (folder or ("opt/lib64" if arch == "i686" else "opt/app")) / NAME, arch)
    search = foreign(tmp_path, arch, libc)
    requester = asks(tmp_path / "opt/app/y.so", entry)
    found = search.find(NAME, [requester])
    assert (found and os.path.realpath(found.path)) == (str(file) if folder else None)
    assert not found or found.how == f"RPATH of {requester.path}"
    # A member of the wheel lies nowhere yet.
    nowhere = search.find(NAME, [requester._replace(path="")])
    assert (nowhere is None) == ("ORIGIN" in entry or folder is None)
    assert not nowhere or nowhere.how == "RPATH of a file of the wheel"


LINKS = [
    ("libx.so.1.0", "usr/lib/libx.so.1.0"),
    ("/usr/lib/libx.so.1.0", "usr/lib/libx.so.1.0"),
    ("/opt/real/libx.so.1.0", "opt/real/libx.so.1.0"),
    ("../../opt/link/libx.so.1.0", "opt/real/libx.so.1.0"),
    ("/opt/chain", "opt/real/libx.so.1.0"),
    ("../../../../../../../../../../../../opt/real/libx.so.1.0", "opt/real/libx.so.1.0"),
    ("OUTSIDE/libx.so.1.0", "No such file or directory"),
    ("../../../outside/libx.so.1.0", "No such file or directory"),
    ("../../exit/libx.so.1.0", "No such file or directory"),
    ("libx.so.1", "Too many levels of symbolic links"),
    ("/opt/loop", "Too many levels of symbolic links"),
    ("/opt/bomb9/libx.so.1.0", "Too many levels of symbolic links"),
]


@pytest.mark.parametrize(("target", "end"), LINKS)
def test_links_stay_in_the_sysroot(tmp_path: Path, target: str, end: str) -> None:
    root = tmp_path / "root"
    put(tmp_path / "outside/libx.so.1.0")
    put(root / "opt/real/libx.so.1.0")
    put(root / "usr/lib/libx.so.1.0")
    for link, to in (
        ("exit", "../outside"),
        ("lib", "usr/lib"),
        ("opt/link", "/opt/real"),
        ("opt/chain", "link/libx.so.1.0"),
        ("opt/loop", "/opt/loop2"),
        ("opt/loop2", "loop"),
        ("opt/bomb0", "."),
        *((f"opt/bomb{n + 1}", f"bomb{n}/../opt/bomb{n}") for n in range(9)),
    ):
        (root / link).symlink_to(to)
    (root / "usr/lib" / NAME).symlink_to(target.replace("OUTSIDE", str(tmp_path / "outside")))
    search = foreign(root)
    found = search.find(NAME, [asks()])
    if found:
        assert Path(found.real) == root / end
        assert found.path == str(root / "lib" / NAME)
        assert search.passed_over == []
    else:
        assert search.passed_over == [
            f"{root}/{folder}/{NAME} cannot be followed: {end}" for folder in ("lib", "usr/lib")
        ]


def test_a_link_to_a_sysroot_and_folders_in_it(tmp_path: Path) -> None:
    """library-path may lie in the sysroot; its links then lead there too."""
    root = tmp_path / "root"
    put(root / "opt/real/libx.so.1.0")
    (root / "opt/lib").mkdir()
    (root / "opt/lib" / NAME).symlink_to("/opt/real/libx.so.1.0")
    (tmp_path / "link").symlink_to(root)
    for base in (root, tmp_path / "link"):
        search = foreign(tmp_path / "link", library_path=[str(base / "opt/lib")])
        found = search.find(NAME, [])
        assert found is not None
        assert (found.how, found.real) == ("library-path", str(root / "opt/real/libx.so.1.0"))
        assert below(root, found) == f"opt/lib/{NAME}"
    with pytest.raises(ConfigError, match=r"^sysroot: .*none is no folder"):
        foreign(tmp_path / "none")


def test_requesters_of_a_sysroot_lie_in_it(tmp_path: Path) -> None:
    put(tmp_path / "opt/lib" / NAME)
    (tmp_path / "opt/app").symlink_to("/opt/lib")
    found = foreign(tmp_path).find(NAME, [asks(tmp_path / "opt/app/y.so", "$ORIGIN")])
    assert found is not None
    assert (below(tmp_path, found), found.real) == (
        f"opt/app/{NAME}",
        str(tmp_path / "opt/lib" / NAME),
    )


def test_a_sysroot_takes_the_host_s_place(tmp_path: Path) -> None:
    host = world(tmp_path / "w")
    (tmp_path / "root").mkdir()
    environ = {"LD_LIBRARY_PATH": str(host / "b")}
    search = foreign(tmp_path / "root", environ=environ)
    native = Search("x86_64", "glibc", native=True, sysroot=str(tmp_path / "root"), environ=environ)
    for one in (search, native):
        for name in (NAME, "libc.so.6"):
            assert one.find(name, [asks(host / "c" / "y.so", f"{host}/a:$ORIGIN")]) is None
        assert one.passed_over == []


# The target, what lies in the first folder, and what is said of it.
PASSED_OVER: List[Tuple[str, str, object, str]] = [
    ("x86_64", "glibc", TARGETS["aarch64"], "is for aarch64"),
    ("aarch64", "glibc", TARGETS["x86_64"], "is for x86_64"),
    ("x86_64", "glibc", TARGETS["i686"], "is for i686"),
    ("ppc64", "glibc", TARGETS["ppc64le"], "is for ppc64le"),
    ("x86_64", "glibc", Elf(machine=190), "is for machine 190"),
    ("x86_64", "glibc", Elf(bits=32), "is not for x86_64: machine 62 as 32-bit little-endian; "),
    ("armv7l", "glibc", replace(TARGETS["armv7l"], flags=0x05000200), "is not for armv7l: the s"),
    ("x86_64", "glibc", Elf(osabi=9), "is for another system: its OS ABI is 9"),
    ("x86_64", "glibc", Elf(needed=("libc.musl-x86_64.so.1",)), "is for musl"),
    ("x86_64", "glibc", Elf(needed=("libc.so",)), "is for musl"),
    ("x86_64", "musl", Elf(needed=("libc.so.6",)), "is for glibc"),
    ("x86_64", "musl", Elf(needed=("ld-linux-x86-64.so.2",)), "is for glibc"),
    ("x86_64", "glibc", Elf(notes=((b"Android", 1, bytes(4)),)), "is for Android"),
    ("x86_64", "glibc", Elf(type=2), "is no shared library"),
    ("x86_64", "glibc", Elf(type=1), "is no shared library"),
    ("x86_64", "glibc", Elf(dynamic=False), "is no shared library"),
    ("x86_64", "glibc", Elf(interp="/lib/ld.so", dt_flags_1=0x08000000), "is no shared library"),
    ("x86_64", "glibc", b"/* GNU ld script */\nGROUP ( libx.so.1 )\n", "is no ELF file"),
    ("x86_64", "glibc", b"", "is no ELF file"),
    ("x86_64", "glibc", b"\x7fELF\x02\x01", "cannot be loaded: its 6 bytes are shorter than an "),
    ("x86_64", "glibc", write(Elf())[:200], "cannot be loaded: its "),
    ("x86_64", "glibc", "folder", "cannot be read: it is no regular file"),
    ("x86_64", "glibc", "pipe", "cannot be read: it is no regular file"),
]


@pytest.mark.parametrize(("arch", "libc", "content", "reason"), PASSED_OVER)
def test_passed_over(tmp_path: Path, arch: str, libc: str, content: object, reason: str) -> None:
    first, second = tmp_path / "a" / NAME, tmp_path / "b" / NAME
    first.parent.mkdir()
    if isinstance(content, Elf):
        first.write_bytes(write(content))
    elif isinstance(content, bytes):
        first.write_bytes(content)
    elif content == "folder":
        first.mkdir()
    else:
        os.mkfifo(first)
    put(second, arch)
    given = [str(first.parent), str(second.parent)]
    search = Search(arch, libc, native=False, library_path=given)
    for chain in ((), (asks(),), (asks("", "/none"),)):
        assert below(tmp_path, search.find(NAME, chain)) == f"b/{NAME}"
    (said,) = search.passed_over
    assert said.startswith(f"{first} {reason}")


@pytest.mark.parametrize("libc", ["glibc", "musl"])
def test_a_library_without_evidence_is_taken_for_both(tmp_path: Path, libc: str) -> None:
    for arch in TARGETS:
        put(tmp_path / arch / NAME, arch)
        search = Search(arch, libc, native=False, library_path=[str(tmp_path / arch)])
        found = search.find(NAME, [])
        assert found is not None
        assert found.facts.ident.machine == TARGETS[arch].machine
    assert search.passed_over == []


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read(tmp_path: Path) -> None:
    put(tmp_path / "a" / NAME).chmod(0)
    search = Search("x86_64", "glibc", native=False, library_path=[str(tmp_path / "a")])
    assert search.find(NAME, []) is None
    assert search.passed_over == [f"{tmp_path}/a/{NAME} cannot be read: Permission denied"]


def test_an_error_while_reading(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(tmp_path / NAME)

    def broken(*_: object) -> bytes:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr("manyshim.repair.search.read", broken)
    search = Search("x86_64", "glibc", native=False, library_path=[str(tmp_path)])
    assert search.find(NAME, []) is None
    assert search.passed_over == [f"{tmp_path}/{NAME} cannot be read: Input/output error"]


@pytest.mark.parametrize("name", ["", f"./{NAME}", f"/{NAME}", "a/b", ".", "..", "x" * 300, "\0"])
def test_names_that_are_not_searched(tmp_path: Path, name: str) -> None:
    put(tmp_path / "a" / NAME)
    search = Search("x86_64", "glibc", native=False, library_path=[str(tmp_path / "a")])
    assert search.find(name, [asks("", str(tmp_path / "a"))]) is None


def test_a_result_is_kept_for_its_search_path(tmp_path: Path) -> None:
    root = world(tmp_path / "w")
    search = Search("x86_64", "glibc", native=True)
    chains = [[asks("", path_of(root, folder))] for folder in ("a", "b", "e")]
    found = [search.find(NAME, chain) for chain in chains]
    assert [below(root, one) for one in found] == [f"a/{NAME}", f"b/{NAME}", None]
    for folder in "ab":
        (root / folder / NAME).unlink()
    assert [search.find(NAME, chain) for chain in chains] == found


def hostile(root: Path, kind: str) -> Sequence[Requester]:
    if kind == "RPATH of 2000 folders":
        return [asks("", ":".join(f"/f{n}" for n in range(2000)))]
    lines = {
        "20000 lines": ["/opt"] * 20_000,
        "a long file": ["/" + "x" * (1 << 21)],
        "stars": ["include /*/*/*/*/*/*"],
        "many files": ["include /d/*x"] * 500,
        "many patterns": ["include " + "/x " * 250_000],
    }.get(kind, ["include /etc/1*"])
    text(root / "etc/ld.so.conf", "\n".join(lines))
    (root / "d").mkdir()
    for n in range(500):
        text(root / f"d/{n:08}", "/opt")
    for n in range(30):
        text(root / f"etc/1{n}", "include /etc/1*\n" * 200)
    return [asks()]


@pytest.mark.parametrize(
    ("kind", "says"),
    [
        ("RPATH of 2000 folders", "a file of the wheel: its search path and those of its loaders"),
        ("20000 lines", "has more than 10000 lines"),
        ("a long file", "has more than 1048576 bytes"),
        ("stars", "has more than 3 stars"),
        ("many files", "its includes name or go through more than 200000 files"),
        ("many patterns", "its includes name or go through more than 200000 files"),
        ("include loops", "has more than 10000 lines"),
    ],
)
def test_hostile_paths_are_refused_in_time(tmp_path: Path, kind: str, says: str) -> None:
    chain = hostile(tmp_path, kind)
    start = time.monotonic()
    with pytest.raises(ToolError, match=re.escape(says)):
        foreign(tmp_path).find(NAME, chain)
    assert time.monotonic() - start < 10
