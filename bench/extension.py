"""Compile a wheel with one extension module, for subjects that no published wheel covers."""

from __future__ import annotations

import os
import shutil
import subprocess
import sysconfig
import zipfile
from collections.abc import Sequence

WHEEL = "Wheel-Version: 1.0\nGenerator: bench\nRoot-Is-Purelib: false\nTag: {tag}\n"
METADATA = "Metadata-Version: 2.1\nName: {name}\nVersion: 1\n"


def tag() -> str:
    """Return the tag of a wheel for this Python, without a policy."""
    version = sysconfig.get_config_var("py_version_nodot")
    return f"cp{version}-cp{version}-linux_{os.uname().machine}"


def compiled(
    folder: str, name: str, source: str, flags: Sequence[str], libraries: Sequence[str]
) -> str:
    """Compile a module from C into the folder; return its path.

    Raises OSError or subprocess.CalledProcessError where there is no compiler or no header.
    """
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None:
        raise OSError("there is no C compiler")
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
    return library


def build(
    folder: str, name: str, source: str, flags: Sequence[str], libraries: Sequence[str]
) -> str:
    """Compile a module from C and pack it; return the wheel's path.

    Raises OSError or subprocess.CalledProcessError where there is no compiler or no header.
    """
    library = compiled(folder, name, source, flags, libraries)
    path = os.path.join(folder, f"{name}-1-{tag()}.whl")
    info, module = f"{name}-1.dist-info", os.path.basename(library)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.write(library, module)
        archive.writestr(f"{info}/METADATA", METADATA.format(name=name))
        archive.writestr(f"{info}/WHEEL", WHEEL.format(tag=tag()))
        names = (module, *(f"{info}/{one}" for one in ("METADATA", "WHEEL", "RECORD")))
        archive.writestr(f"{info}/RECORD", "".join(f"{one},,\n" for one in names))
    return path
