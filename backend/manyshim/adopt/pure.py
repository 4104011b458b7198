"""Decide whether a project makes a pure wheel, which needs no manylinux tag."""

from __future__ import annotations

import re
from typing import Any, Callable, Dict, FrozenSet, Iterator, Mapping, Optional

from manyshim.adopt.facts import Project
from manyshim.known_backends import by_hooks, requirement_name
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
# What a build with setuptools requires for versions, metadata and data. Others may compile.
_HARMLESS = {
    *("setuptools", "wheel", "setuptools-scm", "vcs-versioning", "setuptools-git-versioning"),
    *("versioneer", "versioningit", "incremental", "pbr", "packaging", "tomli", "toml", "pip"),
    *("build", "babel", "docutils", "attrs", "setuptools-scm-git-archive", "manyshim"),
    *("setuptools-changelog-shortener", "typing-extensions", "importlib-metadata", "six"),
}
_EXTENSION_TABLES = ("setuptools-rust", "cibuildwheel", "mypyc")
_EXTENSIONS = re.compile(
    r"ext_modules|Extension\(|cythonize|cffi_modules|mypycify|rust_extensions|RustExtension"
    r"|build_ext|has_ext_modules|libraries\s*=|skbuild|pybind11|nanobind|build_golang|bdist_wheel"
    r"|is_pure|root_is_pure"
)
_COMMENT_LINES = re.compile(r"^[ \t]*#[^\n]*", re.MULTILINE)
# Whatever else is called from setup.py may build something.
_UNCLEAR = re.compile(
    r"cmdclass|subprocess|distutils(?!\.core import setup\b(?!\s*,))|os\.system|ctypes|\*\*\w"
    r"|exec\(|import_module|__import__|runpy|configuration\s*="
)
# Keys of setup.cfg with which the wheel's tag names a platform.
_PLATFORM_KEYS = re.compile(r"^\s*(plat[-_]name|py[-_]limited[-_]api)\s*[=:]", re.MULTILINE)
_SETUP_REQUIRES = re.compile(r"^setup_requires\s*=([^\n]*(?:\n[ \t]+[^\n]*)*)", re.MULTILINE)
# What takes finished libraries into the package.
_LIBRARIES = re.compile(r"[\w*]\.(?:so|dll|dylib|pyd)\b")
# What MANIFEST.in leaves out is not in the package.
_LEFT_OUT = re.compile(r"^\s*(?:\S*exclude|prune)\b[^\n]*|#[^\n]*", re.MULTILINE)
# The tables that say what is in a wheel.
_CONTENTS = ("setuptools", "hatch", "poetry", "pdm", "uv.build-backend")


class Answer(NamedTuple):
    """`pure` is None where it cannot be told."""

    pure: Optional[bool]
    reason: str


def judge(project: Project, backend: str) -> Answer:
    """Return whether the wheels of a project are pure, with the reason."""
    project = project._replace(setup_py=_COMMENT_LINES.sub("", project.setup_py))
    answer = _judged(project, backend)
    found = _libraries(project)
    if answer.pure and found:
        return Answer(None, f"{found} may be in the wheel")
    return answer


def _libraries(project: Project) -> str:
    """Return the first name or pattern of a compiled library that the settings have."""
    tables = (repr(project.table(name)) for name in _CONTENTS)
    texts = (project.setup_py, project.setup_cfg, _LEFT_OUT.sub("", project.manifest or ""))
    found = _LIBRARIES.search("\n".join((*tables, *texts)))
    return found[0] if found else ""


def _judged(project: Project, backend: str) -> Answer:
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
    asked = {"run-setuptools", "setup-script", "custom-hook", "is-purelib"} & set(build)
    # The old form: the name of a script.
    script = isinstance(project.table("pdm").get("build"), str)
    if asked or script or "pdm_build.py" in project.names:
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
    unclear = next(_unclear(project), "")
    if unclear:
        return Answer(None, unclear)
    return Answer(True, "nothing in it is compiled")


def _unclear(project: Project) -> Iterator[str]:
    """Yield what may compile something."""
    found = _UNCLEAR.search(project.setup_py)
    if found:
        yield f"setup.py uses {found[0].strip()}"
    if project.setup_py and not re.search(r"\bsetup\(", project.setup_py):
        yield "setup.py does not call setup itself"
    if "cmdclass" in project.table("setuptools"):
        yield "[tool.setuptools] cmdclass"
    if re.search(r"^\s*cmdclass\b", project.setup_cfg, re.MULTILINE):
        yield "cmdclass in setup.cfg"
    yield from (f"{name} may compile" for name in sorted(_required(project) - _HARMLESS))


def _required(project: Project) -> FrozenSet[str]:
    """Return the names of what the build requires, also those in setup.cfg."""
    found = _SETUP_REQUIRES.search(project.setup_cfg)
    lines = re.split(r"[\n,]", found[1]) if found else []
    return project.required.union(filter(None, map(requirement_name, lines)))


def _signs_of_extensions(project: Project) -> Iterator[str]:
    if "ext-modules" in project.table("setuptools"):
        yield "[tool.setuptools] ext-modules"
    yield from (f"{name} in requires" for name in sorted(_required(project) & _COMPILERS))
    yield from (f"[tool.{name}]" for name in _EXTENSION_TABLES if name in project.tools)
    found = _EXTENSIONS.search(project.setup_py)
    if found:
        yield f"{found[0].strip()} in setup.py"
    found = re.search(r"cffi_modules|build_ext|^\[extension=", project.setup_cfg, re.MULTILINE)
    if found:
        yield f"{found[0]} in setup.cfg"
    if _PLATFORM_KEYS.search(project.setup_cfg):
        yield "[bdist_wheel] in setup.cfg"
    yield from (
        f"[tool.distutils.{name}]"
        for name in ("bdist_wheel", "build_ext")
        if set(project.table(f"distutils.{name}")) - {"universal"}
    )
