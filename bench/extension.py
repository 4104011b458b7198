"""Compile a wheel with one extension module, for subjects that no published wheel covers."""

from __future__ import annotations

import os
import shutil
import subprocess
import sysconfig
import zipfile
from collections.abc import Sequence

_WHEEL = "Wheel-Version: 1.0\nGenerator: bench\nRoot-Is-Purelib: false\nTag: {tag}\n"
_METADATA = "Metadata-Version: 2.1\nName: {name}\nVersion: 1\n"


def build(
    folder: str, name: str, source: str, flags: Sequence[str], libraries: Sequence[str]
) -> str:
    """Compile a module from C and pack it; return the wheel's path.

    Raises OSError or subprocess.CalledProcessError where there is no compiler or no header.
    """
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None:
        raise OSError("there is no C compiler")
    version = sysconfig.get_config_var("py_version_nodot")
    tag = f"cp{version}-cp{version}-linux_{os.uname().machine}"
    module = f"{name}{sysconfig.get_config_var('EXT_SUFFIX')}"
    written, library = os.path.join(folder, f"{name}.c"), os.path.join(folder, module)
    with open(written, "w", encoding="utf-8") as file:
        file.write(source)
    include = sysconfig.get_paths()["include"]
    subprocess.run(
        [
            *(compiler, "-O2", *flags, "-fPIC", "-shared", "-I", include, "-o", library, written),
            *libraries,
        ],
        check=True,
        capture_output=True,
    )
    path = os.path.join(folder, f"{name}-1-{tag}.whl")
    info = f"{name}-1.dist-info"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.write(library, module)
        archive.writestr(f"{info}/METADATA", _METADATA.format(name=name))
        archive.writestr(f"{info}/WHEEL", _WHEEL.format(tag=tag))
        names = (module, *(f"{info}/{one}" for one in ("METADATA", "WHEEL", "RECORD")))
        archive.writestr(f"{info}/RECORD", "".join(f"{one},,\n" for one in names))
    return path
