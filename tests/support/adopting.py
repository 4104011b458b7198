"""Shapes of pyproject.toml for tests of `manyshim init`."""

from __future__ import annotations

from typing import Dict, Iterator, Tuple

# Forms of the list in [build-system]; `{}` is the backend's distribution.
REQUIRES = {
    "one-line": 'requires = ["{}"]',
    "two": 'requires = ["{}", "numpy"]',
    "spaces": 'requires = [ "{}" ]',
    "trailing-comma": 'requires = ["{}",]',
    "literal": "requires = ['{}']",
    "lines": 'requires = [\n  "{}",\n  "numpy",\n]',
    "no-last-comma": 'requires = [\n\t"{}",\n\t"numpy"\n]',
    "comments": 'requires = [ # first\n  # above\n  "{}>=0", # beside, "quoted"\n  # below\n]'
    "  # after",
    "last-comment": 'requires = [\n  "{}" # beside\n]',
    "comma-first": 'requires = [\n    "{}"\n  , "numpy"\n]',
    "marker": 'requires = ["numpy; python_version < \'3.9\'", "{}"]',
    "several": 'requires = ["numpy", "cython",\n            "{}"]',
    "brackets": 'requires = ["numpy[a,b]", "{}[c]"]',
    "odd-name": 'requires = ["numpy", "{}"]  # ]',
}
BACKEND = {
    "plain": 'build-backend = "{}"',
    "literal": "build-backend = '{}'",
    "comment": 'build-backend="{}"   # why',
    "quoted": '"build-backend" = "{}"',
}
# What stands around [build-system].
AROUND: Dict[str, Tuple[str, str]] = {
    "alone": ("", "\n"),
    "no-end": ("", ""),
    "project": ("", '\n\n[project]\nname = "a"\nversion = "1"\n'),
    "last": ('[project]\nname = "a"\n\n', "\n"),
    "blank-lines": ("# about\n\n\n", "\n\n\n\n"),
    "comment-end": ("", "\n# the end"),
    "tools": ("[tool.black]\nline-length = 1\n\n", '\n[tool.isort]\nprofile = "black"\n'),
    "out-of-order": ("[tool.a]\nx = 1\n", "\n[project]\nname = 'a'\n[tool.a.b]\ny = 2\n"),
    "own-options": ("", '\n\n[tool.manyshim]\nplatform = "manylinux_2_28"\n\n[tool.z]\nx = 1\n'),
    "arrays": ("", '\n[[tool.x]]\na = """\n[tool.manyshim]\nbackend = "no"\n"""\n[[tool.x]]\n'),
    "indented": ("  # deep\n", "\n  [project]\n  name = 'a'\n"),
    "super-table": ("", "\n[tool]\nx = 1\n[tool.y]\nz = 1\n"),
}
# Each backend's name, its distribution, and the line of an in-tree backend.
BUILDS = {
    "setuptools": ("setuptools.build_meta", "setuptools", ""),
    "meson": ("mesonpy", "meson-python", ""),
    "explicit-legacy": ("setuptools.build_meta:__legacy__", "setuptools", ""),
    "in-tree": ("_custom:backend", "setuptools", 'backend-path = ["_build", "."] # ours'),
}


def projects() -> Iterator[Tuple[str, str]]:
    """Yield each shape of a project's pyproject.toml with its name."""
    for build, (hooks, distribution, path) in BUILDS.items():
        for name, requires in REQUIRES.items():
            for form, backend in BACKEND.items():
                lines = [requires.format(distribution), backend.format(hooks)]
                orders = [[*lines, path]] if path else [lines, lines[::-1]]
                if path:
                    orders += [[lines[0], path, lines[1]], [lines[1], path, lines[0]]]
                for number, order in enumerate(orders):
                    body = "\n".join(("[build-system]", *order))
                    for place, (before, after) in AROUND.items():
                        yield f"{build}-{name}-{form}-{number}-{place}", before + body + after


def without_backend() -> Iterator[Tuple[str, str]]:
    """Yield shapes without build-backend, and without [build-system]."""
    for name, requires in REQUIRES.items():
        for place, (before, after) in AROUND.items():
            text = f"{before}[build-system]\n{requires.format('setuptools')}{after}"
            yield f"no-backend-{name}-{place}", text
    for place, (before, after) in AROUND.items():
        yield f"no-system-{place}", before + after
