"""Databases of packages with lines and names that no system has."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Dict, Optional, Tuple

import pytest

from databases import debian, owner, status

pytestmark = pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="there are no such databases"
)

NUL: Dict[str, Tuple[Dict[str, str], Optional[str]]] = {
    # case: files beside those of a system with the package "a", and the package that is found
    "in a list": ({"/var/lib/dpkg/info/a.list": "/x\0b\n/usr/lib/x.so\n"}, "a"),
    "in the line of a list": ({"/var/lib/dpkg/info/a.list": "/usr/lib/x.so\0\n"}, None),
    "before a name in a list": ({"/var/lib/dpkg/info/a.list": "\0b\n/usr/lib/x.so\n"}, "a"),
    "in diversions": (
        {"/var/lib/dpkg/diversions": "/usr/lib\0/x.so\n/usr/\0lib/x.so\nb\n"},
        "a",
    ),
    "in who diverted": (
        {"/var/lib/dpkg/diversions": "/usr/lib/x.so\n/usr/lib/x.so.old\nb\0\n"},
        "a",
    ),
    "in an earlier diversion": (
        {"/var/lib/dpkg/diversions": "/o\0\n/p\nb\n/usr/lib/x.so\n/usr/lib/x.so.old\nb\n"},
        None,
    ),
    "in diversions that are no text": (
        {"/var/lib/dpkg/diversions": "/usr/lib\udcff\udce6/x.so\n/\u65e5/x.so\nb\n"},
        "a",
    ),
    "in the status": ({"/var/lib/dpkg/status": "Package: b\0\n\n" + status("a", "1\0-1")}, "a"),
    "in the copyright": (
        {"/usr/share/doc/a/copyright": "Format: copyright-format\0\n\nFiles: *\nLicense: \0\n"},
        "a",
    ),
    "in os-release": ({"/usr/lib/os-release": "ID=de\0bian\nVERSION_ID=\0\n"}, "a"),
    "a list without a name": ({"/var/lib/dpkg/info/.list": "/usr/lib/x.so\n"}, "a"),
    "in apk's database": (
        {
            "/var/lib/dpkg/info/a.list": "",
            "/usr/lib/apk/db/installed": "P:b\0\nF:usr/lib\nR:x.so\n\nP:q\nF:usr/l\0ib\nR:x.so\n",
        },
        None,
    ),
    "in another line of apk's database": (
        {
            "/var/lib/dpkg/info/a.list": "",
            "/usr/lib/apk/db/installed": "P:q\nL:\0\nF:usr/lib\nR:x.so\n",
        },
        "q",
    ),
}


@pytest.mark.parametrize("case", NUL)
def test_lines_with_nul_are_skipped(case: str, tmp_path: Path) -> None:
    files, expected = NUL[case]
    more = {"/usr/lib/x.so": "", **files}
    root = debian(tmp_path, {"a": "/usr/lib/x.so\n"}, more)
    found = owner(f"{root}/usr/lib/x.so", root)
    assert (found.name if found else None) == expected
    if found is not None:
        assert "\0" not in "".join((*found[:4], *found.distro, *found.licenses))


@pytest.mark.parametrize("path", ["/usr/lib/x\0.so", "\0", "/usr/lib/\udcff.so"])
def test_paths_that_no_file_has(path: str, tmp_path: Path) -> None:
    root = debian(tmp_path, {"a": "/usr/lib/x.so\n"})
    assert owner(root + path, root) is None
    assert owner(path) is None


def test_an_encoding_without_most_names(tmp_path: Path) -> None:
    """The databases are UTF-8, whatever the locale is; paths have the bytes that they have."""
    lists = {"caf\u00e9:amd64": "/usr/lib/x\u65e5.so\n"}
    more = {
        "/usr/lib/x\u65e5.so": "",
        "/var/lib/dpkg/diversions": "/\u65e5/y.so\n/\u65e5/z.so\nb\n",
    }
    root = debian(tmp_path, lists, more)
    code = (
        "import os, sys; from manyshim.repair.sbom.packages import Packages as P\n"
        "name = os.fsdecode(bytes.fromhex('78e697a52e736f'))\n"
        "print(ascii(P(sys.argv[1]).owner(sys.argv[1] + '/usr/lib/' + name)))\n"
        "print(P(sys.argv[1]).owner(sys.argv[1] + '/usr/lib/\\u65e5'))\n"
    )
    plain = {"PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0", "LC_ALL": "C"}
    done = subprocess.run(
        [sys.executable, "-c", code, root],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, **plain},
    )
    first, second = done.stdout.splitlines()
    assert first.startswith("Package(kind='deb', name='caf\\xe9', version='1-1', arch='amd64'")
    assert second == "None"
