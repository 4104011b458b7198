"""The smallest project of each backend with a compiled module, as the backend's users write it."""

from __future__ import annotations

from pathlib import Path
from typing import Dict

Files = Dict[str, str]

_C = """#include <Python.h>
static struct PyModuleDef definition = {PyModuleDef_HEAD_INIT, "_tiny", NULL, -1, NULL};
PyMODINIT_FUNC PyInit__tiny(void) { return PyModule_Create(&definition); }
"""
_PROJECT = '\n[project]\nname = "tiny"\nversion = "1.0"\n'
_PACKAGE = {"src/tiny/__init__.py": "", "src/tiny/_tiny.c": _C}
_COMPILE = """import os, subprocess, sysconfig
def compile():
    target = "src/tiny/_tiny" + sysconfig.get_config_var("EXT_SUFFIX")
    include = sysconfig.get_paths()["include"]
    command = ["cc", "-shared", "-fPIC", "-I" + include, "-o", target, "src/tiny/_tiny.c"]
    subprocess.run(command, check=True)
"""
_CMAKE = """cmake_minimum_required(VERSION 3.18...3.31)
project(tiny LANGUAGES C)
find_package(Python REQUIRED COMPONENTS Interpreter Development.Module)
Python_add_library(_tiny MODULE WITH_SOABI src/tiny/_tiny.c)
"""
_SETUP = (
    "from setuptools import Extension, setup\n"
    'setup(name="tiny", version="1.0", packages=["tiny"], package_dir={"": "src"},\n'
    '      ext_modules=[Extension("tiny._tiny", ["src/tiny/_tiny.c"])])\n'
)


def _system(requires: str, backend: str, more: str = "") -> str:
    return f'[build-system]\nrequires = {requires}\nbuild-backend = "{backend}"\n{more}'


PROJECTS: Dict[str, Files] = {
    "setuptools": {
        **_PACKAGE,
        "pyproject.toml": _system('["setuptools>=61"]', "setuptools.build_meta"),
        "setup.py": _SETUP,
    },
    "setuptools, no build-backend": {
        **_PACKAGE,
        "pyproject.toml": '[build-system]\nrequires = ["setuptools"]\n',
        # It imports from its own folder, which only the legacy backend has on sys.path.
        "setup.py": f"import helper\n{_SETUP}",
        "helper.py": "",
        "MANIFEST.in": "include helper.py",
    },
    "setuptools, only setup.py": {**_PACKAGE, "setup.py": _SETUP},
    "setuptools, own backend": {
        **_PACKAGE,
        "pyproject.toml": _system('["setuptools"]', "own", 'backend-path = ["_own"]\n'),
        "_own/own.py": "from setuptools.build_meta import *\n",
        "MANIFEST.in": "graft _own\n",
        "setup.py": _SETUP,
    },
    "meson-python": {
        **_PACKAGE,
        "pyproject.toml": _system('["meson-python"]', "mesonpy", _PROJECT),
        "meson.build": "project('tiny', 'c')\n"
        "py = import('python').find_installation(pure: false)\n"
        "py.install_sources('src/tiny/__init__.py', subdir: 'tiny')\n"
        "py.extension_module('_tiny', 'src/tiny/_tiny.c', install: true, subdir: 'tiny')\n",
    },
    "scikit-build-core": {
        **_PACKAGE,
        "pyproject.toml": _system('["scikit-build-core"]', "scikit_build_core.build", _PROJECT),
        "CMakeLists.txt": f"{_CMAKE}install(TARGETS _tiny DESTINATION tiny)\n",
    },
    "hatchling": {
        **_PACKAGE,
        "pyproject.toml": _system(
            '["hatchling"]',
            "hatchling.build",
            f'{_PROJECT}\n[tool.hatch.build.targets.sdist]\ninclude = ["/src", "/hatch_build.py"]\n'
            '\n[tool.hatch.build.targets.wheel]\npackages = ["src/tiny"]\nartifacts = ["*.so"]\n'
            "\n[tool.hatch.build.targets.wheel.hooks.custom]\n",
        ),
        "hatch_build.py": f"{_COMPILE}\nfrom hatchling.builders.hooks.plugin.interface import "
        "BuildHookInterface\nclass Hook(BuildHookInterface):\n"
        "    def initialize(self, version, build_data):\n        compile()\n"
        '        build_data["pure_python"] = False\n        build_data["infer_tag"] = True\n',
    },
    "poetry-core": {
        **_PACKAGE,
        "pyproject.toml": _system(
            '["poetry-core"]',
            "poetry.core.masonry.api",
            f'{_PROJECT}description = ""\n\n[tool.poetry]\npackages = [{{ include = "tiny", from = '
            '"src" }]\ninclude = [{ path = "src/tiny/*.so", format = "wheel" }]\n\n'
            '[tool.poetry.build]\nscript = "build.py"\ngenerate-setup-file = false\n',
        ),
        "build.py": f'{_COMPILE}\nif __name__ == "__main__":\n    compile()\n',
    },
    "pdm-backend": {
        **_PACKAGE,
        "pyproject.toml": _system(
            '["pdm-backend", "setuptools"]',
            "pdm.backend",
            f"{_PROJECT}\n[tool.pdm.build]\nrun-setuptools = true\n",
        ),
        "pdm_build.py": "from setuptools import Extension\n"
        "def pdm_build_update_setup_kwargs(context, kwargs):\n"
        '    kwargs.update(ext_modules=[Extension("tiny._tiny", ["src/tiny/_tiny.c"])])\n',
    },
    "py-build-cmake": {
        **_PACKAGE,
        "pyproject.toml": _system(
            '["py-build-cmake"]',
            "py_build_cmake.build",
            f'{_PROJECT}description = "tiny"\n\n[tool.py-build-cmake.module]\n'
            'directory = "src"\n\n[tool.py-build-cmake.sdist]\n'
            'include = ["CMakeLists.txt", "src/*"]\n\n[tool.py-build-cmake.cmake]\n'
            'install_components = ["python_modules"]\n',
        ),
        "src/tiny/__init__.py": '"""Tiny."""\n',
        "CMakeLists.txt": f"{_CMAKE}install(TARGETS _tiny COMPONENT python_modules "
        "DESTINATION tiny)\n",
    },
    "sip-build": {
        "pyproject.toml": _system(
            '["sip >=6, <7"]',
            "sipbuild.api",
            f"{_PROJECT}\n[tool.sip.bindings.tiny]\n",
        ),
        "tiny.sip": "%Module(name=tiny)\nint one();\n%ModuleHeaderCode\n"
        "static inline int one() { return 1; }\n%End\n",
    },
    "flit": {
        "tiny/__init__.py": '"""Tiny."""\n',
        "pyproject.toml": _system(
            '["flit_core"]', "flit_core.buildapi", f'{_PROJECT}description = ""\n'
        ),
    },
    "uv_build": {
        "src/tiny/__init__.py": "",
        "pyproject.toml": _system('["uv_build"]', "uv_build", _PROJECT),
    },
    "scikit-build": {
        **_PACKAGE,
        "pyproject.toml": _system('["setuptools", "scikit-build"]', "setuptools.build_meta"),
        "setup.py": "from skbuild import setup\n"
        'setup(name="tiny", version="1.0", packages=["tiny"], package_dir={"": "src"},\n'
        '      cmake_install_dir="src/tiny")\n',
        "CMakeLists.txt": f"{_CMAKE}install(TARGETS _tiny DESTINATION .)\n",
        "MANIFEST.in": "include CMakeLists.txt\nrecursive-include src *.c\n",
    },
    "maturin": {
        "pyproject.toml": _system(
            '["maturin"]', "maturin", f'{_PROJECT}\n[tool.maturin]\nbindings = "bin"\n'
        ),
        "Cargo.toml": '[package]\nname = "tiny"\nversion = "1.0.0"\nedition = "2021"\n',
        "src/main.rs": "fn main() {}\n",
    },
    "setuptools-rust": {
        "pyproject.toml": _system(
            '["setuptools", "setuptools-rust"]', "setuptools.build_meta", _PROJECT
        ),
        "setup.py": "from setuptools import setup\nfrom setuptools_rust import RustBin\n"
        'setup(packages=["tiny"], package_dir={"": "src"}, rust_extensions=[RustBin("tiny")])\n',
        "Cargo.toml": '[package]\nname = "tiny"\nversion = "1.0.0"\nedition = "2021"\n',
        "src/tiny/__init__.py": "",
        "src/main.rs": "fn main() {}\n",
        "MANIFEST.in": "include Cargo.toml\nrecursive-include src *.rs\n",
    },
    "cython": {
        "pyproject.toml": _system('["setuptools", "cython"]', "setuptools.build_meta", _PROJECT),
        "setup.py": "from Cython.Build import cythonize\nfrom setuptools import setup\n"
        'setup(ext_modules=cythonize(["src/tiny/_tiny.pyx"]))\n',
        "src/tiny/__init__.py": "",
        "src/tiny/_tiny.pyx": "def one():\n    return 1\n",
        "MANIFEST.in": "recursive-include src *.pyx",
    },
}  # fmt: skip


def create(name: str, folder: Path) -> Path:
    """Write a project into a folder; return it."""
    for path, text in PROJECTS[name].items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text, encoding="utf-8")
    return folder
