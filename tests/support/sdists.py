"""Unpack sdists from the index, and wrap their backends with manyshim."""

from __future__ import annotations

import os
import subprocess
import sys
import tarfile
from pathlib import Path
from typing import Any

import tomlkit

import needs
from debian import cache, making

# The default backend of a project without [build-system] (PEP 517).
_LEGACY = "setuptools.build_meta:__legacy__"


def fetch(name: str, version: str, folder: Path) -> Path:
    """Unpack a release's sdist into a folder; the download is kept between runs."""
    place = cache("sdists") / f"{name}-{version}"
    with making(place) as new:
        if new:
            _download(name, version, place)
    (sdist,) = place.glob("*.tar.gz")
    folder.mkdir(parents=True, exist_ok=True)
    with tarfile.open(sdist) as archive:
        # From 3.12 on, extraction without a filter is a warning. Older versions may have none.
        archive.extraction_filter = getattr(tarfile, "data_filter", lambda member, _: member)
        archive.extractall(folder)  # noqa: S202 (a release whose contents are known)
    return folder / sdist.name[: -len(".tar.gz")]


def _download(name: str, version: str, place: Path) -> None:
    needs.module("pip")
    # pip runs the build script for the metadata. A release may be for other Pythons only.
    command = [
        *(sys.executable, "-m", "pip", "download", "-q", "--no-deps", "--ignore-requires-python"),
        *("--no-binary", name, f"{name}=={version}", "-d", str(place)),
    ]
    environ = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
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
