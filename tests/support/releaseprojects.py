"""Small projects with [tool.manyshim.release], and runs of `manyshim release` over them."""

from __future__ import annotations

import hashlib
import json
import sys
from pathlib import Path
from typing import Any, Dict, Mapping, Sequence

from compiling import clean
from frontends import run_command

X86 = "manylinux_2_17_x86_64"
ARM = "manylinux_2_17_aarch64"
MUSL = "musllinux_1_2_x86_64"

_MODULE = """\
{limited}#include <Python.h>
static PyMethodDef methods[] = {{{{0}}}};
static struct PyModuleDef module = {{PyModuleDef_HEAD_INIT, "_c", 0, -1, methods}};
PyMODINIT_FUNC PyInit__c(void) {{ return PyModule_Create(&module); }}
"""
_SETUP = """\
from setuptools import Extension, setup
setup(ext_modules=[Extension("released._c", ["_c.c"], py_limited_api={limited})],
      options={{"bdist_wheel": {{"py_limited_api": "cp38"}}}} if {limited} else {{}})
"""
_PYPROJECT = """\
[build-system]
requires = ["manyshim"]
build-backend = "manyshim.backend"

[project]
name = "released"
version = "{version}"

[tool.setuptools]
packages = ["released"]

[tool.manyshim.release]
platforms = {platforms}
pythons = {pythons}
"""


def project(
    folder: Path,
    platforms: Sequence[str],
    pythons: Sequence[str],
    *,
    limited: bool = False,
    version: str = "1.0",
) -> Path:
    """Write a project with one extension; `limited` makes it one for the stable ABI."""
    (folder / "released").mkdir(parents=True)
    (folder / "released" / "__init__.py").touch()
    define = "#define Py_LIMITED_API 0x03080000\n" if limited else ""
    (folder / "_c.c").write_text(_MODULE.format(limited=define), encoding="utf-8")
    (folder / "setup.py").write_text(_SETUP.format(limited=limited), encoding="utf-8")
    table = {"platforms": json.dumps(list(platforms)), "pythons": json.dumps(list(pythons))}
    text = _PYPROJECT.format(version=version, **table)
    (folder / "pyproject.toml").write_text(text, encoding="utf-8")
    return folder


def environment(build_environment: Mapping[str, str]) -> Dict[str, str]:
    """Return an environment in which frontends find manyshim and zig, and this checkout runs."""
    return {**clean(), **build_environment, "PATH": clean()["PATH"]}


def release(folder: Path, environ: Mapping[str, str], *words: str, code: int = 0) -> Dict[str, Any]:
    """Run the command in a project, and return its JSON object."""
    command = [sys.executable, "-m", "manyshim", "release", "--json", *words]
    done = run_command(command, env=environ, cwd=folder, ok=False)
    assert done.returncode == code, done.stdout + done.stderr
    found: Dict[str, Any] = json.loads(done.stdout)
    return found


def statuses(found: Mapping[str, Any]) -> Dict[str, str]:
    """Return what became of each cell."""
    return {one["cell"]: one["status"] for one in found["builds"]}


def hashes(folder: Path) -> Dict[str, str]:
    """Return the hash of each wheel and sdist in a folder."""
    paths = [one for one in folder.iterdir() if not one.name.startswith(".")]
    return {one.name: hashlib.sha256(one.read_bytes()).hexdigest() for one in paths}
