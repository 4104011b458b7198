"""The folders of a target's libraries: default folders, ld.so.conf, variables, links."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Optional

import pytest

from manyshim.errors import ConfigError
from manyshim.repair.search import Search
from searching import NAME, below, make_folders, make_requester, put, search_sysroot, text

pytestmark = pytest.mark.skipif(os.name == "nt", reason="Windows has no such links and paths")


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
        found = search.find(NAME, [make_requester()])
        assert below(tmp_path, found) == (f"{folder}/{NAME}" if taken else None)
        assert not found or found.how == "sysroot"
        assert search.skipped == []


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
    found = search_sysroot(tmp_path).find(NAME, [make_requester()])
    assert below(tmp_path, found) == (f"opt/a/{NAME}" if taken else None)


def test_folders_of_ld_so_conf_are_searched_in_order(tmp_path: Path) -> None:
    text(tmp_path / "etc/ld.so.conf", "/opt/c\ninclude d/*\n/opt/b\n")
    text(tmp_path / "etc/d/1", "/opt/e\n")
    text(tmp_path / "etc/d/2", "/opt/a\n")
    order = ["opt/c", "opt/e", "opt/a", "opt/b", "usr/lib"]
    for folder in order:
        put(tmp_path / folder / NAME)
    for folder in order:
        assert (
            below(tmp_path, search_sysroot(tmp_path).find(NAME, [make_requester()]))
            == f"{folder}/{NAME}"
        )
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
def test_musl_reads_its_own_configuration(
    tmp_path: Path, arch: str, name: str, content: str, taken: Optional[str]
) -> None:
    put(tmp_path / "opt/a" / NAME, arch)
    put(tmp_path / "usr/lib" / NAME, arch)
    text(tmp_path / "etc" / name, content)
    found = search_sysroot(tmp_path, arch, "musl").find(NAME, [make_requester()])
    assert below(tmp_path, found) == (taken and f"{taken}/{NAME}")


# An RPATH entry of /opt/app/y.so in a sysroot, and the folder of the library that is found.
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
    search = search_sysroot(tmp_path, arch, libc)
    requester = make_requester(tmp_path / "opt/app/y.so", entry)
    found = search.find(NAME, [requester])
    assert (found and os.path.realpath(found.path)) == (str(file) if folder else None)
    assert not found or found.how == f"RPATH of {requester.path}"
    # A member of the wheel has no path yet.
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
    search = search_sysroot(root)
    found = search.find(NAME, [make_requester()])
    if found:
        assert Path(found.real) == root / end
        assert found.path == str(root / "lib" / NAME)
        assert search.skipped == []
    else:
        assert search.skipped == [
            f"{root}/{folder}/{NAME} cannot be followed: {end}" for folder in ("lib", "usr/lib")
        ]


def test_a_link_to_a_sysroot_and_folders_in_it(tmp_path: Path) -> None:
    """library-path may be inside the sysroot; its links are then followed inside it too."""
    root = tmp_path / "root"
    put(root / "opt/real/libx.so.1.0")
    (root / "opt/lib").mkdir()
    (root / "opt/lib" / NAME).symlink_to("/opt/real/libx.so.1.0")
    (tmp_path / "link").symlink_to(root)
    for base in (root, tmp_path / "link"):
        search = search_sysroot(tmp_path / "link", library_path=[str(base / "opt/lib")])
        found = search.find(NAME, [])
        assert found is not None
        assert (found.how, found.real) == ("library-path", str(root / "opt/real/libx.so.1.0"))
        assert below(root, found) == f"opt/lib/{NAME}"
    with pytest.raises(ConfigError, match=r"^sysroot: .*none is not a folder"):
        search_sysroot(tmp_path / "none")


def test_origin_of_a_file_in_a_sysroot_stays_in_it(tmp_path: Path) -> None:
    put(tmp_path / "opt/lib" / NAME)
    (tmp_path / "opt/app").symlink_to("/opt/lib")
    found = search_sysroot(tmp_path).find(
        NAME, [make_requester(tmp_path / "opt/app/y.so", "$ORIGIN")]
    )
    assert found is not None
    assert (below(tmp_path, found), found.real) == (
        f"opt/app/{NAME}",
        str(tmp_path / "opt/lib" / NAME),
    )


def test_a_sysroot_replaces_the_host(tmp_path: Path) -> None:
    host = make_folders(tmp_path / "w")
    (tmp_path / "root").mkdir()
    environ = {"LD_LIBRARY_PATH": str(host / "b")}
    search = search_sysroot(tmp_path / "root", environ=environ)
    native = Search("x86_64", "glibc", native=True, sysroot=str(tmp_path / "root"), environ=environ)
    for one in (search, native):
        for name in (NAME, "libc.so.6"):
            assert (
                one.find(name, [make_requester(host / "c" / "y.so", f"{host}/a:$ORIGIN")]) is None
            )
        assert one.skipped == []
