"""Decide whether a project makes a pure wheel, which needs no manylinux tag."""

from __future__ import annotations

import re
from typing import Any, Callable, Dict, Iterator, Mapping, Optional

from manyshim.adopt.facts import Project
from manyshim.known_backends import by_hooks
from manyshim.values import NamedTuple

# These build no extension at all.
_ALWAYS = {"flit", "uv_build", "whey"}
# Hooks of hatchling that write a file of text.
_TEXT_HOOKS = {"vcs", "version"}
# What a build with setuptools requires for extensions.
_COMPILERS = {
    *("cython", "cython3", "cffi", "pybind11", "nanobind", "mypy", "numpy", "scipy", "pythran"),
    *("oldest-supported-numpy", "setuptools-rust", "scikit-build", "cmake", "ninja", "torch"),
    *("swig", "pybind11-global", "setuptools-golang", "setuptools-zig", "setuptools-dso"),
    *("cppy", "mesonpep517", "milksnake", "extension-helpers", "py-cpuinfo", "cysignals"),
}
_EXTENSION_TABLES = ("setuptools-rust", "cibuildwheel", "mypyc")
_EXTENSIONS = re.compile(
    r"ext_modules|Extension|cythonize|cffi_modules|mypycify|rust_extensions|RustExtension"
    r"|build_ext|has_ext_modules|libraries\s*=|skbuild|pybind11|nanobind|build_golang|bdist_wheel"
    r"|is_pure|root_is_pure"
)
# Whatever else is called from setup.py may build something.
_UNCLEAR = re.compile(
    r"cmdclass|subprocess|distutils|os\.system|ctypes|\*\*\w|exec\(|import_module"
)


class Answer(NamedTuple):
    """`pure` is None where it cannot be told."""

    pure: Optional[bool]
    reason: str


def judge(project: Project, backend: str) -> Answer:
    """Return whether the wheels of a project are pure, with the reason."""
    known = by_hooks(backend)
    if known is None or project.backend_path:
        return Answer(None, f"{backend} may build anything")
    if known.name in _ALWAYS:
        return Answer(True, f"{known.name} builds pure wheels only")
    judges: Dict[str, Callable[[Project], Answer]] = {
        "setuptools": _setuptools,
        "hatchling": _hatchling,
        "poetry-core": _poetry,
        "pdm-backend": _pdm,
    }
    asked = judges.get(known.name)
    return asked(project) if asked else Answer(False, f"{known.name} builds extensions")


def _hatchling(project: Project) -> Answer:
    if "hatch.toml" in project.names:
        return Answer(None, "hatch.toml may name a build hook")
    hooks = _hatch_hooks(project)
    if hooks:
        return Answer(False, f"the build hook {hooks[0]}")
    return Answer(True, "hatchling without a build hook makes a pure wheel")


def _poetry(project: Project) -> Answer:
    if "build" in project.table("poetry"):
        return Answer(False, "a build script")
    return Answer(True, "poetry-core without a build script makes a pure wheel")


def _hatch_hooks(project: Project) -> list[str]:
    build = project.table("hatch.build")
    tables = [build.get("hooks"), *(_of(one, "hooks") for one in _tables(build.get("targets")))]
    return [
        name
        for table in tables
        if isinstance(table, Mapping)
        for name in table
        if name not in _TEXT_HOOKS
    ]


def _tables(value: Any) -> list[Any]:  # noqa: ANN401 (of a TOML document)
    return list(value.values()) if isinstance(value, Mapping) else []


def _of(table: Any, key: str) -> Any:  # noqa: ANN401
    return table.get(key) if isinstance(table, Mapping) else None


def _pdm(project: Project) -> Answer:
    build = project.table("pdm.build")
    asked = {"run-setuptools", "custom-hook", "is-purelib"} & set(build)
    if asked or "pdm_build.py" in project.names or "build" in project.table("pdm"):
        return Answer(None, "a build script may compile")
    if project.required - {"pdm-backend", "pdm-pep517"}:
        return Answer(None, "a plugin may compile")
    return Answer(True, "pdm-backend without a build script makes a pure wheel")


def _setuptools(project: Project) -> Answer:
    compiles = next(_signs_of_extensions(project), "")
    if compiles:
        return Answer(False, compiles)
    if project.compiled:
        return Answer(None, f"there are sources of compiled languages: {project.compiled[0]}")
    unclear = _UNCLEAR.search(project.setup_py)
    if unclear:
        return Answer(None, f"setup.py uses {unclear[0]}")
    return Answer(True, "nothing in it is compiled")


def _signs_of_extensions(project: Project) -> Iterator[str]:
    if "ext-modules" in project.table("setuptools"):
        yield "[tool.setuptools] ext-modules"
    yield from (f"{name} in requires" for name in sorted(project.required & _COMPILERS))
    yield from (f"[tool.{name}]" for name in _EXTENSION_TABLES if name in project.tools)
    found = _EXTENSIONS.search(project.setup_py)
    if found:
        yield f"{found[0].strip()} in setup.py"
    if "cffi_modules" in project.setup_cfg or "build_ext" in project.setup_cfg:
        yield "setup.cfg"
