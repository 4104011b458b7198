"""Unpack sdists from the index, and wrap their backends with manyshim."""

from __future__ import annotations

import os
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path
from typing import Any

import tomlkit

import needs
from debian import cache, making

# The default backend of a project without [build-system] (PEP 517).
_LEGACY = "setuptools.build_meta:__legacy__"


# pip asks the backend for metadata, and this one compiles the project for it.
_STAND_IN = """
import email, os, shutil

def prepare_metadata_for_build_wheel(folder, settings=None):
    with open("PKG-INFO", encoding="utf-8") as file:
        headers = email.message_from_file(file)
    name = "{}-{}.dist-info".format(headers["Name"].replace("-", "_"), headers["Version"])
    os.mkdir(os.path.join(folder, name))
    shutil.copy("PKG-INFO", os.path.join(folder, name, "METADATA"))
    return name
"""


def fetch(name: str, version: str, folder: Path, backend: str = "") -> Path:
    """Unpack a release's sdist into a folder; the download is kept between runs.

    `backend` is the module of one that would compile the project; it is not called.
    """
    place = cache("sdists") / f"{name}-{version}"
    with making(place) as new:
        if new:
            _download(name, version, place, backend)
    (sdist,) = place.glob("*.tar.gz")
    folder.mkdir(parents=True, exist_ok=True)
    with tarfile.open(sdist) as archive:
        # From 3.12 on, extraction without a filter is a warning. Older versions may have none.
        archive.extraction_filter = getattr(tarfile, "data_filter", lambda member, _: member)
        archive.extractall(folder)  # noqa: S202 (a release whose contents are known)
    return folder / sdist.name[: -len(".tar.gz")]


def _download(name: str, version: str, place: Path, backend: str) -> None:
    needs.module("pip")
    # pip runs the build script for the metadata. A release may be for other Pythons only.
    command = [
        *(sys.executable, "-m", "pip", "download", "-q", "--no-deps", "--ignore-requires-python"),
        *("--no-binary", name, f"{name}=={version}", "-d", str(place)),
    ]
    environ = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    with tempfile.TemporaryDirectory() as modules:
        if backend:
            module = Path(modules, *backend.split(".")).with_suffix(".py")
            module.parent.mkdir(parents=True, exist_ok=True)
            module.write_text(_STAND_IN, encoding="utf-8")
            environ["PYTHONPATH"] = modules
            command.append("--no-build-isolation")
        done = subprocess.run(command, env=environ, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def wrapped(project: Path) -> None:
    """Make manyshim the backend of a project; it wraps the project's own backend."""
    path = project / "pyproject.toml"
    document = tomlkit.parse(path.read_text(encoding="utf-8") if path.exists() else "")
    system: Any = document.setdefault("build-system", tomlkit.table())
    backend = str(system.get("build-backend", _LEGACY))
    system["requires"] = [*system.get("requires", ["setuptools"]), "manyshim"]
    system["build-backend"] = "manyshim.backend"
    tool: Any = document.setdefault("tool", tomlkit.table(is_super_table=True))
    own = {"backend": backend}
    if "backend-path" in system:
        own["backend-path"] = system.pop("backend-path")
    tool["manyshim"] = own
    path.write_text(tomlkit.dumps(document), encoding="utf-8")
