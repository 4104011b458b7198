"""Wheels that need libraries from outside, compiled here: subjects for a repair."""

from __future__ import annotations

import base64
import hashlib
import os
import shutil
import subprocess
import zipfile
from collections.abc import Mapping
from typing import NamedTuple

from compared import Subject

_DEEP = "int deep(void) { return 3; }\n"
_MIDDLE = "int deep(void); int middle(void) { return deep() + 1; }\n"
_EXTENSION = "void *PyInit__x(void) { return 0; }\n"
_PROGRAM = "int middle(void); int main(void) { return middle() - 4; }\n"
_DATA = "graft-1.0.data/scripts"


class _Graft(NamedTuple):
    """A wheel to compile; `host` names libraries of this machine, without which it is left out."""

    member: str
    source: str
    options: tuple[str, ...]
    host: tuple[str, ...] = ()


# {libs} is the folder of libmiddle.so.1 and libdeep.so.1, which are compiled first.
_SHARED = ("-shared", "-fPIC")
_GRAFTS = {
    "lmdb": _Graft(
        "demo/_x.abi3.so",
        f"int mdb_env_create(void **); int f(void) {{ return mdb_env_create(0); }}\n{_EXTENSION}",
        (*_SHARED, "-g", "-l:liblmdb.so.0"),
        ("liblmdb.so.0",),
    ),
    "ssl": _Graft(
        "demo/_x.abi3.so",
        "void *TLS_method(void); void *SSL_CTX_new(void *); void *EVP_sha256(void);\n"
        "void *f(void) { return EVP_sha256() ? SSL_CTX_new(TLS_method()) : 0; }\n" + _EXTENSION,
        (*_SHARED, "-l:libssl.so.3", "-l:libcrypto.so.3"),
        ("libssl.so.3", "libcrypto.so.3"),
    ),
    "runpath": _Graft(
        "demo/_x.abi3.so",
        f"int middle(void); int f(void) {{ return middle(); }}\n{_EXTENSION}",
        (*_SHARED, "-g", "-L{libs}", "-l:libmiddle.so.1", "-Wl,-rpath,{libs}"),
    ),
    "rpath": _Graft(
        "demo/_x.abi3.so",
        f"int middle(void); int f(void) {{ return middle(); }}\n{_EXTENSION}",
        (
            *(*_SHARED, "-L{libs}", "-l:libmiddle.so.1", "-Wl,-rpath,{libs}"),
            *("-Wl,--disable-new-dtags", "-Wl,-z,execstack"),
        ),
    ),
    "given": _Graft(
        "demo/lib/libtop.so",
        "int deep(void); int top(void) { return deep(); }\n",
        (*_SHARED, "-L{libs}", "-l:libdeep.so.1"),
    ),
    "program": _Graft(
        f"{_DATA}/tool",
        _PROGRAM,
        ("-pie", "-fPIE", "-L{libs}", "-l:libmiddle.so.1", "-Wl,-rpath,{libs}"),
    ),
}


def build(folder: str) -> tuple[list[Subject], list[str]]:
    """Compile the wheels into a folder; return them, and a reason for each that is left out."""
    compiler = shutil.which("gcc") or shutil.which("cc")
    if compiler is None:
        return [], ["there is no C compiler, so no wheel was compiled for a repair"]
    libs = os.path.join(folder, "libs")
    os.makedirs(libs)
    deep, middle = (os.path.join(libs, f"lib{name}.so.1") for name in ("deep", "middle"))
    _compile(compiler, _DEEP, deep, (*_SHARED, "-Wl,-soname,libdeep.so.1"))
    near = (f"-L{libs}", "-l:libdeep.so.1", "-Wl,-rpath,$ORIGIN")
    _compile(compiler, _MIDDLE, middle, (*_SHARED, "-Wl,-soname,libmiddle.so.1", *near))
    subjects, reasons = [], []
    for name, graft in _GRAFTS.items():
        missing = [library for library in graft.host if not _has(compiler, library)]
        if missing:
            reasons.append(f"graft {name}: this machine has no {', '.join(missing)}")
            continue
        built = os.path.join(folder, name, "built")
        os.makedirs(os.path.dirname(built))
        options = tuple(option.format(libs=libs) for option in graft.options)
        _compile(compiler, graft.source, built, options)
        with open(built, "rb") as file:
            path = _pack(os.path.dirname(built), {graft.member: file.read()})
        subjects.append(Subject(f"graft {name}", path, "graft", libs))
    return subjects, reasons


def _compile(compiler: str, source: str, target: str, options: tuple[str, ...]) -> None:
    command = (compiler, "-O1", "-w", "-x", "c", "-", "-x", "none", "-o", target)
    subprocess.run((*command, "-Wl,--no-as-needed", *options), check=True, input=source.encode())


def _has(compiler: str, library: str) -> bool:
    """Whether the linker finds a library by its exact name; else gcc repeats the name."""
    command = (compiler, f"-print-file-name={library}")
    found = subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()
    return os.path.isabs(found)


def _pack(folder: str, files: Mapping[str, bytes]) -> str:
    """Pack a wheel with a complete RECORD; return its path."""
    tag = f"cp310-abi3-linux_{os.uname().machine}"
    info = "graft-1.0.dist-info"
    wheel = f"Wheel-Version: 1.0\nGenerator: compare\nRoot-Is-Purelib: false\nTag: {tag}\n"
    members = {
        **files,
        f"{info}/METADATA": b"Metadata-Version: 2.1\nName: graft\nVersion: 1.0\n",
        f"{info}/WHEEL": wheel.encode(),
    }
    rows = [f"{name},{_hash(data)},{len(data)}\n" for name, data in members.items()]
    members[f"{info}/RECORD"] = "".join((*rows, f"{info}/RECORD,,\n")).encode()
    path = os.path.join(folder, f"graft-1.0-{tag}.whl")
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in members.items():
            member = zipfile.ZipInfo(name, date_time=(2020, 1, 1, 0, 0, 0))
            member.external_attr = (0o100755 if name in files else 0o100644) << 16
            member.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(member, data)
    return path


def _hash(data: bytes) -> str:
    digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest())
    return f"sha256={digest.rstrip(b'=').decode()}"
