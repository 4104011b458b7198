"""Find the package of a file in the databases of dpkg, apk and rpm."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Dict

import pytest

import needs
from databases import DEBIAN, debian, owner, status, system
from manyshim.repair.sbom import packages
from manyshim.repair.sbom.packages import Distro, Package, Packages

pytestmark = pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="there are no such databases"
)

LIBRARY = "/usr/lib/x86_64-linux-gnu"


@pytest.mark.skipif(not os.path.isdir(LIBRARY), reason="needs Debian's libraries for x86_64")
def test_dpkg_gives_the_same_answer() -> None:
    """Compare with dpkg for this machine's libraries, if dpkg names exactly one package."""
    dpkg_itself, query = needs.tool("dpkg", "dpkg"), needs.tool("dpkg-query", "dpkg")
    folder = LIBRARY
    names = sorted(os.listdir(folder))
    files = [
        f"{folder}/{name}"
        for name in names
        if ".so" in name
        and os.path.isfile(f"{folder}/{name}")
        # A link may belong to another package than its file; the package of the file is wanted.
        and not os.path.islink(f"{folder}/{name}")
    ][:120]
    asked = [name for file in files for name in (file, file[len("/usr") :])]
    done = subprocess.run([dpkg_itself, "-S", *asked], capture_output=True, text=True, check=False)
    dpkg: Dict[str, str] = {}
    for line in done.stdout.splitlines():
        package, _, file = line.rpartition(": ")
        dpkg[file if file.startswith("/usr/") else "/usr" + file] = package
    of_this_machine = Packages()
    checked = 0
    for file in files:
        found, name = of_this_machine.owner(file), dpkg.get(file)
        if name is None:
            assert found is None
        elif "," not in name:
            assert found is not None
            escape = [query, "-W", "-f", "${Package} ${Version} ${Architecture}", name]
            run = subprocess.run(escape, capture_output=True, text=True, check=True)
            assert f"{found.name} {found.version} {found.arch}" == run.stdout
            checked += 1
    assert checked


@pytest.mark.skipif(not os.path.isdir(LIBRARY), reason="needs Debian's libraries for x86_64")
def test_this_machine_s_openssl() -> None:
    file = f"{LIBRARY}/libssl.so.3"
    needs.file(file, "libssl3")
    found = owner(file)
    assert found is not None
    assert found[:2] in {("deb", "libssl3"), ("deb", "libssl3t64")}
    assert found.version.startswith("3.")
    assert "Apache-2.0" in found.licenses


@pytest.mark.parametrize("listed", ["/lib/x86_64-linux-gnu", LIBRARY])
@pytest.mark.parametrize("found", ["/lib/x86_64-linux-gnu", LIBRARY])
def test_a_file_is_found_by_both_names_of_a_merged_folder(
    tmp_path: Path, listed: str, found: str
) -> None:
    more = {
        f"{LIBRARY}/libz.so.1.2": "z",
        f"{LIBRARY}/libz.so.1": f"->{LIBRARY}/libz.so.1.2",  # absolute, and inside the sysroot
    }
    lists = {"zlib1g:amd64": f"/.\n{listed}/libz.so.1\n{listed}/libz.so.1.2\n", "other": "/.\n"}
    root = debian(tmp_path, lists, more)
    expected = Package("deb", "zlib1g", "1-1", "amd64", DEBIAN)
    assert owner(f"{root}{found}/libz.so.1", root) == expected
    assert owner(f"{root}{found}/libz.so.1.2", root) == expected
    assert owner(f"{root}{found}/libz.so", root) is None
    assert owner("/libz.so.1", root) is None, "it is outside of the sysroot"


def test_folders_that_are_not_merged_are_different(tmp_path: Path) -> None:
    files = {
        "/lib/libz.so.1": "z",
        "/usr/lib/libz.so.1": "another",
        "/var/lib/dpkg/status": status("zlib1g", "1-1"),
        "/var/lib/dpkg/info/zlib1g.list": "/lib/libz.so.1\n",
    }
    root = system(tmp_path, files)
    assert owner(f"{root}/lib/libz.so.1", root) == Package("deb", "zlib1g", "1-1", "amd64")
    assert owner(f"{root}/usr/lib/libz.so.1", root) is None


def test_a_packaged_link_to_an_unpackaged_file_has_no_owner(tmp_path: Path) -> None:
    lists = {"libfoo1": "/usr/lib/libfoo.so.1\n"}
    more = {"/opt/libfoo.so.1": "mine", "/usr/lib/libfoo.so.1": "->/opt/libfoo.so.1"}
    root = debian(tmp_path, lists, more)
    assert owner(f"{root}/usr/lib/libfoo.so.1", root) is None


def test_a_loop_of_links_has_no_owner(tmp_path: Path) -> None:
    root = debian(tmp_path, {"a": "/usr/lib/a\n"}, {"/usr/lib/a": "->b", "/usr/lib/b": "->a"})
    assert owner(f"{root}/usr/lib/b/x", root) is None


@pytest.mark.parametrize("by", ["mine", ":"])
def test_diversions(tmp_path: Path, by: str) -> None:
    """The diverted file has another path; the original path belongs to the diverting package."""
    lists = {"libfoo1:amd64": "/lib/libfoo.so.1\n", "mine": "/usr/lib/libfoo.so.1\n"}
    more = {
        "/usr/lib/libfoo.so.1": "mine",
        "/usr/lib/libfoo.so.1.distrib": "theirs",
        "/var/lib/dpkg/diversions": f"/lib/libfoo.so.1\n/lib/libfoo.so.1.distrib\n{by}\n",
    }
    if by == ":":
        del lists["mine"]
    root = debian(tmp_path, lists, more)
    diverted = owner(f"{root}/usr/lib/libfoo.so.1.distrib", root)
    assert diverted is not None
    assert diverted.name == "libfoo1"
    found = owner(f"{root}/usr/lib/libfoo.so.1", root)
    assert (found.name if found else ":") == by


def test_a_file_in_several_packages_has_no_owner(tmp_path: Path) -> None:
    lists = {"a": "/usr/lib/x.so\n", "b": "/usr/lib/x.so\n", "c:amd64": "/c\n", "c:i386": "/c\n"}
    root = debian(tmp_path, lists, {"/usr/lib/x.so": "", "/c": ""})
    assert owner(f"{root}/usr/lib/x.so", root) is None
    both = status("c", "1-1", "amd64") + status("c", "1-1", "i386")
    (tmp_path / "var/lib/dpkg/status").write_text(both)
    assert owner(f"{root}/c", root) == Package("deb", "c", "1-1", "", DEBIAN)


def test_a_removed_package_owns_nothing(tmp_path: Path) -> None:
    root = debian(tmp_path, {"a": "/usr/lib/x.so\n"}, {"/usr/lib/x.so": ""})
    (tmp_path / "var/lib/dpkg/status").write_text(status("a", "1-1", state="config-files"))
    assert owner(f"{root}/usr/lib/x.so", root) is None


def test_names_that_are_no_utf8(tmp_path: Path) -> None:
    root = debian(tmp_path, {"a": "/usr/lib/caf\udce9.so\n"}, {"/usr/lib/caf\udce9.so": ""})
    found = owner(f"{root}/usr/lib/caf\udce9.so", root)
    assert found is not None
    assert found.name == "a"


def test_licences_through_a_link(tmp_path: Path) -> None:
    notice = "Format: x/copyright-format/1.0/\n\nFiles: *\nLicense: Zlib\n"
    more = {
        "/usr/lib/x.so": "",
        "/usr/share/doc/x": "->x-base",
        "/usr/share/doc/x-base/copyright": notice,
    }
    root = debian(tmp_path, {"x": "/usr/lib/x.so\n"}, more)
    found = owner(f"{root}/usr/lib/x.so", root)
    assert found is not None
    assert found.licenses == ("Zlib",)


APK = """C:Q1x
P:zlib
V:1.3.1-r2
A:x86_64
L:Zlib
p:so:libz.so.1=1.3.1
F:{folder}
R:libz.so.1
a:0:0:777
R:libz.so.1.3.1
F:usr/share

P:bare
V:2-r0
F:{folder}
M:0:0:700
R:bare.so
F:
R:top
"""


@pytest.mark.parametrize("folder", ["lib", "usr/lib"])
@pytest.mark.parametrize("database", ["lib/apk/db", "usr/lib/apk/db"])
def test_apk(tmp_path: Path, folder: str, database: str) -> None:
    files = {
        f"{database}/installed": APK.format(folder=folder),
        f"{folder}/libz.so.1.3.1": "z",
        f"{folder}/libz.so.1": "->libz.so.1.3.1",
        "etc/os-release": 'ID=alpine\nVERSION_ID=3.22.1\nPRETTY_NAME="Alpine"\n',
    }
    root = system(tmp_path, files)
    alpine = Distro("alpine", "3.22.1")
    zlib = Package("apk", "zlib", "1.3.1-r2", "x86_64", alpine, ("Zlib",))
    assert owner(f"{root}/{folder}/libz.so.1", root) == zlib
    assert owner(f"{root}/{folder}/bare.so", root) == Package("apk", "bare", "2-r0", "", alpine)
    assert owner(f"{root}/top", root) == Package("apk", "bare", "2-r0", "", alpine)
    assert owner(f"{root}/usr/share/libz.so.1", root) is None
    assert owner(f"{root}/{folder}/libz", root) is None


RPM = """#!/bin/sh
printf '%s\\n' "$@" >> {log}
{body}
"""


def red_hat(tmp_path: Path, body: str) -> Packages:
    """Write a sysroot with an rpm database, and a script as rpm."""
    tool = tmp_path / "bin" / "rpm"
    tool.parent.mkdir()
    tool.write_text(RPM.format(log=tmp_path / "log", body=body))
    tool.chmod(0o755)
    files = {"/var/lib/rpm/rpmdb.sqlite": "", "/lib64": "->usr/lib64", "/usr/lib64/x.so": ""}
    files["/etc/os-release"] = 'ID="almalinux"\nVERSION_ID="8.10"\n'
    return Packages(system(tmp_path / "root", files), str(tool.parent))


def test_rpm(tmp_path: Path) -> None:
    body = r"""
        printf 'openssl-libs\t1:1.1.1k-14.el8_6\tx86_64\tOpenSSL and ASL 2.0\n'
        echo 'file /lib64/x.so is not owned by any package'; exit 1"""
    found = red_hat(tmp_path, body).owner(str(tmp_path / "root" / "lib64" / "x.so"))
    expected = ("rpm", "openssl-libs", "1:1.1.1k-14.el8_6", "x86_64")
    assert found == (*expected, ("almalinux", "8.10"), ("OpenSSL and ASL 2.0",))
    root = str(tmp_path / "root")
    asked = (tmp_path / "log").read_text().splitlines()
    assert asked[:6] == ["--root", root, "--dbpath", "/var/lib/rpm", "-qf", "--qf"]
    assert asked[-2:] == ["/usr/lib64/x.so", "/lib64/x.so"]


@pytest.mark.parametrize("body", ["exit 1", "printf 'a\\tb\\n'", "kill -9 $$", "exec /none"])
def test_a_failing_rpm_gives_no_owner(tmp_path: Path, body: str) -> None:
    assert red_hat(tmp_path, body).owner(str(tmp_path / "root" / "lib64" / "x.so")) is None


def test_rpm_without_licence_and_arch(tmp_path: Path) -> None:
    rpm = red_hat(tmp_path, r"printf 'a\t1-1\t(none)\t(none)\n'")
    found = rpm.owner(str(tmp_path / "root" / "lib64" / "x.so"))
    assert found == Package("rpm", "a", "1-1", "", Distro("almalinux", "8.10"))


def test_rpm_that_hangs_is_run_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packages, "_RPM_SECONDS", 0.5)
    rpm = red_hat(tmp_path, "exec sleep 60")
    begin = time.monotonic()
    for _ in range(5):
        assert rpm.owner(str(tmp_path / "root" / "lib64" / "x.so")) is None
    assert time.monotonic() - begin < 10
    assert (tmp_path / "log").read_text().count("--root") == 1


def test_a_licence_is_that_of_the_library(tmp_path: Path) -> None:
    """One package may have several libraries, and its source package another name."""
    text = (
        "Format: copyright-format\n\nFiles: *\nLicense: GPL-2+\n\n"
        "Files: libone/*\nLicense: ISC\n\nFiles: libtwo/*\nLicense: Zlib\n"
    )
    libraries = [f"/usr/lib/lib{name}.so.1" for name in ("one", "two", "three", "all-x")]
    more = dict.fromkeys(libraries, "")
    more["/usr/share/doc/a/copyright"] = text
    root = debian(tmp_path, {"a": "".join(f"{path}\n" for path in libraries)}, more)
    found = [owner(root + path, root) for path in libraries]
    assert [one.licenses for one in found if one] == [("ISC",), ("Zlib",), (), ()]
    paragraphs = status("a", "1-1").replace("Version", "Source: all (2)\nVersion")
    (tmp_path / "var/lib/dpkg/status").write_text(paragraphs)
    short = text.replace("GPL-2+", "Expat").replace("two", "all")
    (tmp_path / "usr/share/doc/a/copyright").write_text(short)
    other = owner(root + libraries[3], root)
    assert other is not None
    assert other.licenses == ("Expat",)


def test_without_a_database_there_is_no_owner(tmp_path: Path) -> None:
    root = system(tmp_path, {"/usr/lib/x.so": ""})
    assert owner(f"{root}/usr/lib/x.so", root) is None
    assert owner(f"{root}/usr/lib/none.so", root) is None
    assert owner(str(tmp_path / "x.so")) is None
