"""Crafted wheels for the differential test of `check`: names, metadata, RECORD, install paths."""

from __future__ import annotations

import hashlib
from base64 import urlsafe_b64encode
from typing import Callable, Dict, List, Optional

import strict_index_samples as samples
from gatecases import Crafted, with_members
from strict_index_samples import CODE, DIST_INFO, GOOD, Members

_METADATA = f"{DIST_INFO}/METADATA"
_RECORD = f"{DIST_INFO}/RECORD"
_WHEEL = f"{DIST_INFO}/WHEEL"
_SCRIPTS = f"{DIST_INFO}/entry_points.txt"
_LICENSE = f"{DIST_INFO}/licenses/LICENSE"
_FIELDS = "Metadata-Version: 2.4\nName: probe\nVersion: 1.0\n"


# Addresses that the index takes or refuses.
_ADDRESSES = (
    *("a@example.org", "a@b.local", "a@b.test", "a@127.0.0.1", "a@b_c.org", "a@ab--c.org"),
    *("a@xn--0.org", f"a@{'b' * 64}.org", "a@b\uff0eorg", "a@\u0939\u093f.org"),
)


def all_wheels() -> Dict[str, Crafted]:
    """Return all crafted wheels of this module, each with one thing that may be wrong."""
    return {
        **names(),
        **_tagged(),
        **_of(_METADATA, "METADATA", _metadata()),
        **_of(_SCRIPTS, "entry points", _entry_points()),
        **_of(_WHEEL, "WHEEL", _wheel()),
        **{f"RECORD: {name}": Crafted(GOOD, data) for name, data in _record().items()},
        **{f"paths: {name}": Crafted(GOOD, with_members(more)) for name, more in _paths().items()},
    }


def _of(path: str, what: str, contents: Dict[str, Optional[bytes]]) -> Dict[str, Crafted]:
    return {
        f"{what}: {name}": Crafted(GOOD, with_members({path: data}))
        for name, data in contents.items()
    }


def names() -> Dict[str, Crafted]:
    """Return wheels under file names that are right, odd or wrong; WHEEL has the same tags."""
    tag = "py3-none-manylinux_2_17_x86_64"
    rows = {
        "a build tag": ("probe", "1.0", f"1-{tag}"),
        "a build tag with letters": ("probe", "1.0", f"1abc-{tag}"),
        "a build tag without a digit": ("probe", "1.0", f"abc-{tag}"),
        "too many parts": ("probe", "1.0", f"1-2-{tag}"),
        "too few parts": ("probe", "1.0", "py3-none"),
        "a local version": ("probe", "1.0+local", tag),
        "an upper case name": ("Probe", "1.0", tag),
        "a dot in the name": ("pro.be", "1.0", tag),
        "a dash in the name": ("pro-be", "1.0", tag),
        "two underscores in the name": ("pro__be", "1.0", tag),
        "an underscore in the name": ("pro_be", "1.0", tag),
        "no version": ("probe", "one", tag),
        "a version that is not normalized": ("probe", "1.0.0-rc1".replace("-", "_"), tag),
        "a version with an epoch": ("probe", "1!1.0", tag),
        "a development version": ("probe", "1.0.dev1", tag),
        "a variant": ("probe", "1.0", f"{tag}-x86_64_v3"),
    }
    return {f"name: {name}": _named(*row) for name, row in rows.items()}


def _named(name: str, version: str, rest: str) -> Crafted:
    """Return a wheel whose metadata and folder have the name and version of its file name."""
    filename = f"{name}-{version}-{rest}.whl"
    dist_info = f"{name}-{version}.dist-info"
    members: Members = {}
    for path, data in samples.members_for().items():
        text = data.replace(b"Name: probe", f"Name: {name}".encode())
        text = text.replace(b"\nVersion: 1.0\n", f"\nVersion: {version}\n".encode())
        members[path.replace(DIST_INFO, dist_info)] = text
    return Crafted(filename, samples.pack(samples.with_record(members, dist_info)))


def _tagged() -> Dict[str, Crafted]:
    """Return wheels with platform tags that the index takes or refuses."""
    platforms = (
        *("any", "linux_x86_64", "manylinux1_x86_64", "manylinux2014_aarch64"),
        *("manylinux1_aarch64", "manylinux_2_28_x86_64", "manylinux_2_28_loongarch64"),
        *("musllinux_1_2_x86_64", "musllinux_1_2_ppc64", "linux_armv6l", "linux_armv7l"),
        *("macosx_10_9_x86_64", "macosx_11_0_arm64", "macosx_12_3_arm64", "macosx_27_0_arm64"),
        *("macosx_11_0_universal2", "win_amd64", "win32", "win_arm64", "cygwin_3_x86_64"),
        *("ios_13_0_arm64_iphoneos", "android_24_arm64_v8a", "android_24_aarch64"),
        *("pyodide_2024_0_wasm32", "pyemscripten_2024_0_wasm32", "freebsd_14_amd64"),
        "manylinux_2_17_x86_64.linux_x86_64",
    )
    found = {}
    for platform in platforms:
        filename = GOOD.replace("manylinux_2_17_x86_64", platform)
        found[f"platform: {platform}"] = Crafted(filename, samples.good(filename))
    return found


def _metadata() -> Dict[str, Optional[bytes]]:
    def text(more: str = "", fields: str = _FIELDS) -> bytes:
        return f"{fields}{more}\n".encode("utf-8", "surrogateescape")

    return {
        "missing": None,
        "empty": b"",
        "only the required fields": text(),
        "another name": text(fields=_FIELDS.replace("probe", "other")),
        "another version": text(fields=_FIELDS.replace("Version: 1.0", "Version: 2.0")),
        "an equal version": text(fields=_FIELDS.replace("Version: 1.0", "Version: 1.0.0")),
        "a version that is none": text(fields=_FIELDS.replace("Version: 1.0", "Version: one")),
        "a name that is none": text(fields=_FIELDS.replace("probe", "-probe-")),
        "no name": text(fields=_FIELDS.replace("Name: probe\n", "")),
        "no Metadata-Version": text(fields=_FIELDS.partition("\n")[2]),
        "Metadata-Version 2.1": text(fields=_FIELDS.replace("2.4", "2.1")),
        "Metadata-Version 9.9": text(fields=_FIELDS.replace("2.4", "9.9")),
        "not UTF-8": text("Summary: \udce4\n"),
        "a long description": text("Summary: x\nDescription-Content-Type: text/markdown\n\n# X\n"),
        "a license file that is not there": text("License-File: COPYING\n"),
        "a license file that is there": text("License-File: LICENSE\n"),
        "a folded field": text("Summary: one\n two\n"),
        "CRLF": text().replace(b"\n", b"\r\n"),
        "NUL": text("Summary: a\0b\n"),
        "a field of its own": text("X-Field: 1\n"),
        "one label of two Project-URLs": text(
            "Project-URL: a, https://b\nProject-URL: a, http://c\n"
        ),
        "labels that differ by case": text(
            "Project-URL: a, https://b\nProject-URL: A, https://c\n"
        ),
        "=== without a version": text("Requires-Dist: other ===main\n"),
        "=== with a version": text("Requires-Dist: other ===1.0+main\n"),
        "Requires-Python of === without a version": text("Requires-Python: ===main\n"),
        "Requires-Dist in 1.1": text("Requires-Dist: other\n", _FIELDS.replace("2.4", "1.1")),
        "Requires-Dist in 1.2": text("Requires-Dist: other\n", _FIELDS.replace("2.4", "1.2")),
        "an empty Description-Content-Type": text("Description-Content-Type:\n"),
        "Description-Content-Type UNKNOWN": text("Description-Content-Type: UNKNOWN\n"),
        **{f"the address {one}": text(f"Author-email: A <{one}>\n") for one in _ADDRESSES},
    }


def _entry_points() -> Dict[str, Optional[bytes]]:
    return {
        "none": None,
        "empty": b"",
        "no section": b"probe = probe:main\n",
        "not INI": b"[console_scripts\n",
        "not UTF-8": b"[console_scripts]\n\xe4 = probe:main\n",
        "a name that climbs": b"[console_scripts]\n../evil = probe:main\n",
        "a name with a space": b"[console_scripts]\na b = probe:main\n",
        "a name with a slash in another group": b"[other]\na/b = probe:main\n",
        "a script named python": b"[console_scripts]\npython = probe:main\n",
        "a script named python3.11": b"[console_scripts]\npython3.11 = probe:main\n",
        "a script named pythonic": b"[console_scripts]\npythonic = probe:main\n",
        "one name twice": b"[console_scripts]\na = probe:main\na = probe:other\n",
        "one section twice": b"[console_scripts]\na = probe:m\n[console_scripts]\nb = probe:m\n",
        "upper case": b"[console_scripts]\nA = probe:main\na = probe:other\n",
        "an extra": b"[console_scripts]\na = probe:main [extra]\n",
        "no object": b"[console_scripts]\na = probe\n",
        "an object that is none": b"[console_scripts]\na = probe:main:more\n",
        "a percent sign": b"[console_scripts]\na%b = probe:main\n",
        "comments": b"# a comment\n[console_scripts]\n; another\na = probe:main\n",
        "one name in two groups": b"[console_scripts]\na = p:m\n[gui_scripts]\na = p:m\n",
        "a colon as delimiter": b"[console_scripts]\na: probe:main\n",
    }


def _wheel() -> Dict[str, Optional[bytes]]:
    good = samples.members_for()[_WHEEL]

    def edited(old: bytes, new: bytes) -> bytes:
        assert old in good
        return good.replace(old, new)

    return {
        "missing": None,
        "empty": b"",
        "no Wheel-Version": edited(b"Wheel-Version: 1.0\n", b""),
        "Wheel-Version 1.9": edited(b"1.0", b"1.9"),
        "Wheel-Version 2.0": edited(b"1.0", b"2.0"),
        "Wheel-Version one": edited(b"1.0", b"one"),
        "Wheel-Version 1": edited(b"1.0", b"1"),
        "Wheel-Version 1.x": edited(b"1.0", b"1.x"),
        "Wheel-Version 1.0.1": edited(b"1.0", b"1.0.1"),
        "a folded Wheel-Version": edited(b": 1.0", b":\n 1.0"),
        "wheel-version in lower case": edited(b"Wheel-Version", b"wheel-version"),
        "no Root-Is-Purelib": edited(b"Root-Is-Purelib: false\n", b""),
        "Root-Is-Purelib twice": edited(b"Root-", b"Root-Is-Purelib: true\nRoot-"),
        "no Tag": edited(b"Tag: py3-none-manylinux_2_17_x86_64\n", b""),
        "another Tag": edited(b"manylinux_2_17_x86_64", b"linux_x86_64"),
        "a folded Tag": edited(b"Tag: ", b"Tag:\n "),
        "CRLF": good.replace(b"\n", b"\r\n"),
        "not UTF-8": good + b"X: \xe4\n",
    }


def _record() -> Dict[str, bytes]:
    def changed(change: Callable[[str], str], path: str = CODE) -> bytes:
        def change_one(lines: List[str]) -> List[str]:
            return [change(line) if line.startswith(f"{path},") else line for line in lines]

        return samples.record_with(change_one)

    return {
        "a row is missing": changed(lambda _: ""),
        "a wrong hash": changed(lambda line: line.replace("sha256=", "sha256=A")),
        "a wrong size": changed(lambda line: line.replace(",99", ",98")),
        "no hash": changed(lambda line: f"{CODE},,{line.rpartition(',')[2]}"),
        "no size": changed(lambda line: line.rpartition(",")[0] + ",\n"),
        "neither hash nor size": changed(lambda _: f"{CODE},,\n"),
        "MD5": changed(lambda _: f"{CODE},md5=AAAAAAAAAAAAAAAAAAAAAA,99\n"),
        "BLAKE2b": changed(lambda _: _hashed("blake2b")),
        "SHA3-256": changed(lambda _: _hashed("sha3_256")),
        "SHA-224": changed(lambda _: _hashed("sha224")),
        "a size with zeros": changed(lambda line: line.replace(",99", ",0099")),
        "a size with a sign": changed(lambda line: line.replace(",99", ",+99")),
        "a size with a space": changed(lambda line: line.replace(",99", ", 99")),
        "an absent file with a line separator": samples.record_with(
            lambda lines: [samples.record_line("probe/a\u2028b", b""), *lines]
        ),
        "two columns": changed(lambda line: line.rpartition(",")[0] + "\n"),
        "four columns": changed(lambda line: line.rstrip() + ",more\n"),
        "one path twice": changed(lambda line: line * 2),
        "a blank line": changed(lambda line: f"{line}\n"),
        "a byte order mark": samples.record_with(lambda lines: [f"\ufeff{lines[0]}", *lines[1:]]),
        "CRLF": samples.record_with(lambda lines: [line.replace("\n", "\r\n") for line in lines]),
        "an absent file": samples.record_with(
            lambda lines: [*lines, samples.record_line("probe/gone.py", b"")]
        ),
        "a row for its signature": samples.record_with(
            lambda lines: [*lines, f"{DIST_INFO}/RECORD.jws,,\n"]
        ),
        "no row for itself": changed(lambda _: "", _RECORD),
        "a hash for itself": changed(lambda _: samples.record_line(_RECORD, b"1"), _RECORD),
        "a path with a dot": changed(lambda line: f"./{line}"),
        "an absolute path": changed(lambda line: f"/{line}"),
        "a path with backslashes": changed(lambda line: line.replace("/", "\\", 1)),
        "a quoted path": changed(lambda line: line.replace(CODE, f'"{CODE}"')),
        "an open quote": changed(lambda line: '"' + line),
        "the last line without an end": samples.record_with(
            lambda lines: [*lines[:-1], lines[-1].rstrip("\n")]
        ),
        "missing": samples.pack(samples.members_for()),
    }


# uv refuses some of these in names, and installer those at which str.splitlines breaks a line.
_CHARACTERS = "\x0b\x1c\x85\u00a0\u00ad\u0301\u200b\u2028\u2029\u202e\ue000\ufe0f\ufeff\U0001f600"


def _hashed(algorithm: str) -> str:
    """Return the row of a member with a hash of another algorithm."""
    data = samples.members_for()[CODE]
    digest = urlsafe_b64encode(hashlib.new(algorithm, data).digest()).rstrip(b"=").decode()
    return f"{CODE},{algorithm}={digest},{len(data)}\n"


def _paths() -> Dict[str, Members]:
    data = DIST_INFO.replace(".dist-info", ".data")
    return {
        "two slashes": {"probe//data.txt": b"1"},
        "a dot": {"probe/./data.txt": b"1"},
        "two slashes, no collision": {"probe//more.txt": b"1"},
        "a parent folder": {"../probe.txt": b"1"},
        "an absolute path": {"/probe.txt": b"1"},
        "a backslash": {"probe\\more.txt": b"1"},
        "a drive": {"C:/probe.txt": b"1"},
        "purelib over a member": {f"{data}/purelib/probe/data.txt": b"1"},
        "platlib over a member": {f"{data}/platlib/probe/data.txt": b"1"},
        "purelib and platlib": {f"{data}/purelib/x.txt": b"1", f"{data}/platlib/x.txt": b"1"},
        "purelib": {f"{data}/purelib/more.txt": b"1"},
        "scripts": {f"{data}/scripts/probe-tool": b"#!python\n"},
        "headers": {f"{data}/headers/probe.h": b"\n"},
        "data": {f"{data}/data/share/probe.txt": b"1"},
        "an unknown folder of .data": {f"{data}/include/probe.h": b"1"},
        "a file in .data": {f"{data}/probe.h": b"1"},
        "a file and a folder": {"probe/data.txt/more": b"1"},
        "names that differ by case": {"probe/DATA.txt": b"1"},
        "names that differ by normalization": {"probe/\u00e4": b"1", "probe/a\u0308": b"1"},
        "a second dist-info": {"other-1.0.dist-info/METADATA": b"Name: other\n"},
        "a second dist-info of another version": {"probe-2.0.dist-info/WHEEL": b""},
        "a folder whose name ends in .data": {"lib.data/x.txt": b"1"},
        "a file whose name ends in .data": {"lib.data": b"1"},
        "a second .data": {"other-1.0.data/scripts/x": b"1"},
        "a long name": {f"probe/{'x' * 300}": b"1"},
        "an empty part": {"probe/": b""},
        "a script named python": {f"{data}/scripts/python": b"#!python\n"},
        "a script named python.exe": {f"{data}/scripts/python.exe": b"x"},
        "a script named python2": {f"{data}/scripts/python2": b"#!python\n"},
        "a script in a folder": {f"{data}/scripts/folder/tool": b"#!python\n"},
        "a script twice": {
            f"{data}/scripts/tool": b"#!python\n",
            _SCRIPTS: b"[console_scripts]\ntool = probe:main\n",
        },
        "a file named like .dist-info": {"other.dist-info": b"x"},
        "a file named like .dist-info in a package": {"probe/other.dist-info": b"x"},
        **{f"U+{ord(one):04X} in a name": {f"probe/a{one}b": b"1"} for one in _CHARACTERS},
    }
