"""A build of a setup.py without pyproject tables, which the oldest setuptools supports."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Mapping

import pytest

from paths import BACKEND

pytestmark = pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="only wheels for Linux are retagged"
)

SETUP = """
from setuptools import Extension, setup
setup(name="old", version="1.0", ext_modules=[Extension("old", ["old.c"])])
"""
SOURCE = """
#include <Python.h>
static struct PyModuleDef module = {PyModuleDef_HEAD_INIT, "old", NULL, -1, NULL};
PyMODINIT_FUNC PyInit_old(void) { return PyModule_Create(&module); }
"""
BUILD = """
import sys
from manyshim import backend
assert backend.get_requires_for_build_wheel() in ([], ["wheel"], ["wheel >= 0.25", "setuptools"])
print(backend.build_wheel(sys.argv[1]))
"""


def test_the_default_backend_builds_a_setup_script(
    tmp_path: Path, clean_environment: Mapping[str, str]
) -> None:
    project = tmp_path / "project"
    project.mkdir()
    (project / "setup.py").write_text(SETUP, encoding="utf-8")
    (project / "old.c").write_text(SOURCE, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-c", BUILD, str(tmp_path)],
        cwd=str(project),
        env={**clean_environment, "PYTHONPATH": str(BACKEND)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    tag = "cp{}{}".format(*sys.version_info)
    name = done.stdout.splitlines()[-1]
    assert name.startswith(f"old-1.0-{tag}-{tag}-manylinux"), done.stderr
