"""Crafted sdists for the differential test of `check`. Each breaks one rule alone."""

from __future__ import annotations

import bz2
import gzip
import io
import tarfile
from typing import Callable, Dict, List, Optional

import strict_index_samples as samples
from gatecases import Crafted
from gatecases_archives import archives
from gatecases_tarheaders import archives as tarheaders

FILE = "foo_bar-1.0.tar.gz"
TOP = "foo_bar-1.0"

# A backend of the sdist's own, so that pip and uv can build it without the index.
_BACKEND = b"""\
import zipfile

def build_wheel(folder, config_settings=None, metadata_directory=None):
    name, info = "foo_bar-1.0-py3-none-any.whl", "foo_bar-1.0.dist-info"
    members = {
        "METADATA": "Metadata-Version: 2.1\\nName: foo-bar\\nVersion: 1.0\\n",
        "WHEEL": "Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n",
        "RECORD": "",
    }
    members["RECORD"] = "".join(f"{info}/{path},,\\n" for path in members)
    with zipfile.ZipFile(f"{folder}/{name}", "w") as archive:
        for path, text in members.items():
            archive.writestr(f"{info}/{path}", text)
    return name
"""
_PYPROJECT = b'[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n'
_FIELDS = "Metadata-Version: 2.4\nName: foo-bar\nVersion: 1.0\n"

_Alter = Callable[[tarfile.TarInfo], None]


def all_sdists() -> Dict[str, Crafted]:
    """Return crafted sdists, each with one thing that may be wrong."""
    files = {**_names(), **_contents(), **_members(), **_special()}
    files.update((name, Crafted(FILE, data)) for name, data in archives(_good(), TOP).items())
    rows = tarheaders(_good(), TOP).items()
    files.update((f"header: {name}", Crafted(FILE, data)) for name, (data, _) in rows)
    return {f"sdist: {name}": crafted for name, crafted in files.items()}


def _good(top: str = TOP, fields: str = _FIELDS) -> Dict[str, bytes]:
    return {
        f"{top}/PKG-INFO": f"{fields}\n".encode(),
        f"{top}/pyproject.toml": _PYPROJECT,
        f"{top}/backend.py": _BACKEND,
    }


def _of(more: Dict[str, Optional[bytes]], alter: Optional[_Alter] = None) -> Crafted:
    members: Dict[str, Optional[bytes]] = {**_good(), **more}
    kept = {path: data for path, data in members.items() if data is not None}
    return Crafted(FILE, samples.sdist(kept, alter))


def _names() -> Dict[str, Crafted]:
    data = samples.sdist(_good())
    names = {
        "good": FILE,
        "a dash in the name": "foo-bar-1.0.tar.gz",
        "a dot in the name": "foo.bar-1.0.tar.gz",
        "upper case": "Foo_Bar-1.0.tar.gz",
        "a version with more zeros": "foo_bar-1.0.0.tar.gz",
        "no version": "foo_bar.tar.gz",
        "a local version": "foo_bar-1.0+local.tar.gz",
        "another version": "foo_bar-2.0.tar.gz",
        "another name": "other-1.0.tar.gz",
        ".tgz": "foo_bar-1.0.tgz",
    }
    found = {name: Crafted(filename, data) for name, filename in names.items()}
    found["upper case in the extension"] = Crafted("foo_bar-1.0.TAR.GZ", data)
    found[".zip"] = Crafted("foo_bar-1.0.zip", samples.pack(_good()))
    found[".tar.bz2"] = Crafted("foo_bar-1.0.tar.bz2", bz2.compress(gzip.decompress(data)))
    return found


def _contents() -> Dict[str, Crafted]:
    info = f"{TOP}/PKG-INFO"

    def fields(text: str) -> Crafted:
        return _of({info: f"{text}\n".encode()})

    return {
        "no PKG-INFO": _of({info: None}),
        "PKG-INFO of another project": fields(_FIELDS.replace("foo-bar", "other")),
        "PKG-INFO of another version": fields(_FIELDS.replace("1.0", "2.0")),
        "PKG-INFO with a version that is none": fields(_FIELDS.replace("1.0", "one")),
        "PKG-INFO without a name": fields(_FIELDS.replace("Name: foo-bar\n", "")),
        "a license file that is not there": fields(f"{_FIELDS}License-File: COPYING\n"),
        "a license file that is there": Crafted(
            FILE,
            samples.sdist(
                {**_good(fields=f"{_FIELDS}License-File: COPYING\n"), f"{TOP}/COPYING": b"Yes.\n"}
            ),
        ),
        "the folder has another name": Crafted(FILE, samples.sdist(_good("top"))),
        "names with a dot": Crafted(FILE, samples.sdist(_good(f"./{TOP}"))),
        "a dot, and no folder": Crafted(FILE, samples.sdist(_good("."))),
        "no pyproject.toml and no setup.py": _of({f"{TOP}/pyproject.toml": None}),
    }


def _members() -> Dict[str, Crafted]:
    def of(kind: bytes, target: str = "") -> Crafted:
        def alter(info: tarfile.TarInfo) -> None:
            if info.name.endswith("/odd"):
                info.type, info.linkname, info.size = kind, target, 0

        return _of({f"{TOP}/odd": b""}, alter)

    return {
        "two top-level folders": _of({"more/a": b""}),
        "a file beside the folder": _of({"README": b""}),
        "a member that climbs": _of({f"{TOP}/../../evil": b""}),
        "an absolute member": _of({"/evil": b""}),
        "a link": of(tarfile.SYMTYPE, "backend.py"),
        "a link that leaves the folder": of(tarfile.SYMTYPE, "../../../etc/passwd"),
        "an absolute link": of(tarfile.SYMTYPE, "/etc/passwd"),
        "a hard link": of(tarfile.LNKTYPE, f"{TOP}/backend.py"),
        "a FIFO": of(tarfile.FIFOTYPE),
        "a device": of(tarfile.CHRTYPE),
        "a sparse member": _of({f"{TOP}/odd": b""}, _sparse),
        "a folder entry": of(tarfile.DIRTYPE),
        "a long name": _of({f"{TOP}/{'x' * 120}/{'y' * 120}": b""}),
    }


def _sparse(info: tarfile.TarInfo) -> None:
    if info.name.endswith("/odd"):
        info.type = tarfile.GNUTYPE_SPARSE


def _special() -> Dict[str, Crafted]:
    data = samples.sdist(_good())
    tar = gzip.decompress(data)
    files: List[bytes] = [samples.pack(_good()), tar, data[:-20], b"", b"no archive"]
    names = ("a zip", "no gzip", "cut off", "an empty file", "no archive")
    found = {name: Crafted(FILE, content) for name, content in zip(names, files)}
    found["GNU format"] = Crafted(FILE, _repacked(tar, tarfile.GNU_FORMAT))
    found["pax format"] = Crafted(FILE, _repacked(tar, tarfile.PAX_FORMAT))
    damaged = bytearray(data)
    damaged[-6] ^= 1
    found["a wrong CRC"] = Crafted(FILE, bytes(damaged))
    found["bytes behind the end"] = Crafted(FILE, data + b"more")
    return found


def _repacked(tar: bytes, format: int) -> bytes:  # noqa: A002 (tarfile's word)
    sink = io.BytesIO()
    with tarfile.open(fileobj=io.BytesIO(tar)) as source, tarfile.open(
        fileobj=sink, mode="w", format=format
    ) as target:
        for info in source:
            target.addfile(info, source.extractfile(info))
    return gzip.compress(sink.getvalue())
