"""The PEP 517 backends that manyshim knows by name, and how a project shows that it uses one.

The guard against a forgotten backend, the hints of errors, `manyshim init` and the table of
docs/adoption.md use this data. Every other backend with the PEP 517 hooks can be wrapped, too.
"""

from __future__ import annotations

import re
from typing import (
    Any,
    Container,
    Iterable,
    Iterator,
    Mapping,
    Optional,
    Sequence,
    Tuple,
)

from manyshim.values import NamedTuple

SETUPTOOLS = "setuptools.build_meta"
SETUPTOOLS_FILES = ("setup.py", "setup.cfg")
# What PEP 517 says for a project without `build-backend`.
LEGACY = "setuptools.build_meta:__legacy__"

_REQUIREMENT_NAME = re.compile(r"\s*([A-Za-z0-9][A-Za-z0-9._-]*)")
# What people write for `build-backend = "manyshim.backend"`.
_MANYSHIM = re.compile(r"many[-_. ]?shim([-_.:].*)?", re.IGNORECASE | re.DOTALL)


class Backend(NamedTuple):
    """A known backend.

    `hooks` is what `build-backend` says, `aliases` are other names of the same backend.
    `requirements` are normalised names of distributions; one of them in `build-system.requires`
    tells that this backend builds. So do the dotted names of `tables` below [tool], and the
    `files` in the project's folder. `own_requirements` come into `requires`. `in_setuptools` tells
    that its table is also read if setuptools builds.
    """

    name: str
    hooks: str
    own_requirements: Tuple[str, ...]
    requirements: Tuple[str, ...] = ()
    tables: Tuple[str, ...] = ()
    files: Tuple[str, ...] = ()
    aliases: Tuple[str, ...] = ()
    in_setuptools: bool = False


# Each row: the hooks' name as the backend's own manual gives it.
BACKENDS: Tuple[Backend, ...] = (
    Backend(
        "setuptools", SETUPTOOLS, ("setuptools",),
        ("setuptools",), ("setuptools",), ("setup.py", "setup.cfg"), (LEGACY,),
    ),
    # Before the others, because some of them are also plugins of hatchling.
    Backend(
        "hatchling", "hatchling.build", ("hatchling",), ("hatchling",), ("hatch.build",),
        aliases=("hatchling.ouroboros",),
    ),
    Backend(
        "meson-python", "mesonpy", ("meson-python",),
        ("meson-python",), ("meson-python",), ("meson.build",),
    ),
    Backend(
        "scikit-build-core", "scikit_build_core.build", ("scikit-build-core",),
        ("scikit-build-core",), ("scikit-build",), ("CMakeLists.txt",),
        ("scikit_build_core.setuptools.build_meta",), in_setuptools=True,
    ),
    Backend(
        "poetry-core", "poetry.core.masonry.api", ("poetry-core",),
        ("poetry-core", "poetry"), ("poetry",), aliases=("poetry.masonry.api",),
    ),
    Backend(
        "pdm-backend", "pdm.backend", ("pdm-backend",),
        ("pdm-backend", "pdm-pep517"), ("pdm.build",), aliases=("pdm.pep517.api",),
    ),
    Backend(
        "flit", "flit_core.buildapi", ("flit_core",),
        ("flit-core", "flit"), ("flit.module", "flit.metadata"), aliases=("flit.buildapi",),
    ),
    Backend("maturin", "maturin", ("maturin",), ("maturin",), ("maturin",)),
    Backend(
        "py-build-cmake", "py_build_cmake.build", ("py-build-cmake",),
        ("py-build-cmake",), ("py-build-cmake",),
    ),
    Backend(
        "sip-build", "sipbuild.api", ("sip",), ("sip", "pyqt-builder"), ("sip",),
    ),
    Backend(
        "uv_build", "uv_build", ("uv_build",), ("uv-build", "uv"), ("uv.build-backend",),
    ),
    Backend("enscons", "enscons.api", ("enscons",), ("enscons",), ("enscons",)),
    Backend("whey", "whey", ("whey",), ("whey",), ("whey",)),
)  # fmt: skip

# Packages that setuptools builds extensions with. They are no backends.
_WITH_SETUPTOOLS = ("scikit-build", "cython", "cffi", "pybind11", "numpy", "mypyc")
# How similar a wrong name is to a known one, at least (difflib's ratio).
_SIMILAR = 0.8
# What belongs to [tool.KEY] without a backend: uv, hatch and pdm have other uses of their tables.
# poetry also manages the dependencies of others: its table needs one of these keys to count.
_NEEDS_KEY = {"poetry": ("name", "packages", "build")}


class Other(NamedTuple):
    """A backend other than setuptools that a project seems to use, and the sign that tells so."""

    backend: Backend
    sign: str


def by_hooks(name: str) -> Optional[Backend]:
    """Return the known backend that `build-backend = name` means, None for an unknown one."""
    return next((one for one in BACKENDS if name == one.hooks or name in one.aliases), None)


def means_manyshim(build_backend: str) -> bool:
    """Whether `build-backend` means manyshim, rightly or with a wrong name."""
    return _MANYSHIM.fullmatch(build_backend) is not None


def is_name(backend: Backend, name: str) -> bool:
    """Whether people give a backend this name, `module[:object]`, without a mistake in it."""
    return normalized(name.partition(":")[0]) in _names(backend)


def by_requirements(requires: Iterable[str]) -> Iterator[Backend]:
    """Return the known backends that a list of requirements names, in the order of BACKENDS."""
    names = {requirement_name(text) for text in requires}
    return (one for one in BACKENDS if names.intersection(one.requirements))


def nearest(name: str) -> Optional[Backend]:
    """Return the known backend that a wrong name, `module[:object]`, most likely means.

    The name of its distribution, of its package or of its hooks with a mistake can be meant.
    """
    from difflib import get_close_matches  # noqa: PLC0415 (only for an error)

    wrong = normalized(name.partition(":")[0])
    known = {key: one for one in reversed(BACKENDS) for key in _names(one)}
    package = wrong.partition("-")[0]
    found = [word for word in (wrong, package) if word in known]
    found += get_close_matches(wrong, known, 1, _SIMILAR)
    return known[found[0]] if found else None


def _names(backend: Backend) -> Iterator[str]:
    """Return the normalised names that people may give a backend."""
    for hooks in (backend.hooks, *backend.aliases):
        parts = hooks.partition(":")[0].split(".")
        yield from (normalized(".".join(parts[:end])) for end in range(1, len(parts) + 1))
    yield from (normalized(name) for name in (backend.name, *backend.requirements))
    if backend.hooks == SETUPTOOLS:
        yield from _WITH_SETUPTOOLS


def by_tables(tools: Mapping[str, Any]) -> Iterator[Backend]:
    """Return the known backends that have a table below [tool], in the order of BACKENDS."""
    return (one for one in BACKENDS if table_of(one, tools))


def table_of(backend: Backend, tools: Mapping[str, Any]) -> str:
    """Return the dotted name below [tool] of the table that tells of a backend, empty if none."""
    return next((name for name in backend.tables if _has_table(tools, name)), "")


def other_than_setuptools(
    requires: Sequence[str], tools: Mapping[str, Any], names: Container[str]
) -> Optional[Other]:
    """Return the backend that a project without a name for it seems to use, None for setuptools.

    `requires` is that of [build-system], `tools` is [tool], and `names` has the names of the files
    in the project's folder.
    """
    marked = "setuptools" in tools or any(name in names for name in SETUPTOOLS_FILES)
    required = [one for one in by_requirements(requires) if one.hooks != SETUPTOOLS]
    tables = [one for one in by_tables(tools) if one.hooks != SETUPTOOLS]
    if "setuptools" in map(requirement_name, requires):
        # Another backend may use setuptools as a library. Its own table then tells who builds.
        required = [one for one in required if one in tables and not one.in_setuptools]
        return None if marked or not required else _required(required[0])
    if required:
        return _required(required[0])
    if marked:
        return None
    if tables:
        return Other(tables[0], f"[tool.{table_of(tables[0], tools)}] is there")
    found = ((one, name) for one in BACKENDS for name in one.files if name in names)
    return next((Other(one, f"{name} is there") for one, name in found), None)


def _required(backend: Backend) -> Other:
    return Other(backend, f"build-system.requires names {backend.name}")


def requirement_name(text: str) -> str:
    """Return the normalised name of a requirement (PEP 508, PEP 503), empty if it has none."""
    match = _REQUIREMENT_NAME.match(text)
    return normalized(match[1]) if match else ""


def normalized(name: str) -> str:
    """Return the normalised name of a distribution (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower().strip("-")


def _has_table(tools: Mapping[str, Any], name: str) -> bool:
    table: Any = tools
    for part in name.split("."):
        table = table.get(part) if isinstance(table, dict) else None
    wanted = _NEEDS_KEY.get(name)
    return isinstance(table, dict) and (wanted is None or any(key in table for key in wanted))
