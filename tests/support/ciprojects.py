"""Projects with [tool.manyshim.release], the workflows of them, and how YAML is read."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Dict, Optional, Sequence

import needs
from manyshim.release import ci, table

LINUX = ("manylinux_2_17_x86_64", "musllinux_1_2_aarch64", "manylinux_2_39_riscv64")
OTHERS = ("macosx_11_0_arm64", "macosx_10_13_universal2", "win_amd64", "win32", "win_arm64")
TEST = "python -m pytest {project}/tests"
# Texts that end a string of YAML, of a shell, or that GitHub evaluates.
HOSTILE = "a\" 'b' $(touch stolen) `touch stolen` ${{ secrets.X }} : # \\ \u2028 \x07 \U0001f40d"


def document(
    platforms: Sequence[str] = LINUX,
    pythons: Sequence[str] = ("3.12", "3.13t"),
    test: Optional[str] = TEST,
    requires: Sequence[str] = ("pytest>=8",),
) -> Dict[str, Any]:
    """Return the data of a pyproject.toml."""
    release: Dict[str, Any] = {"platforms": list(platforms), "pythons": list(pythons)}
    if test is not None:
        release.update({"test-command": test, "test-requires": list(requires)})
    return {"tool": {"manyshim": {"release": release}}}


def workflow(service: str, existing: Optional[str] = None, **given: Any) -> str:
    """Return the workflow of a project."""
    options = given.pop("check_options", ())
    project = ci.Project(table.read(document(**given)), "1.2.3", tuple(options))
    return ci.generate(service, project, existing).text


def project(folder: Path, name: str = "demo", **given: Any) -> Path:
    """Write the pyproject.toml of a project."""
    own = document(**given)["tool"]["manyshim"]["release"]
    lines = ["[build-system]", 'requires = ["manyshim"]', 'build-backend = "manyshim.backend"']
    lines += ["[project]", f"name = {json.dumps(name)}", 'version = "1.0"']
    lines += ["[tool.manyshim.release]"]
    lines += [f"{key} = {json.dumps(value)}" for key, value in own.items()]
    folder.mkdir(exist_ok=True)
    (folder / "pyproject.toml").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder


def parse(text: str) -> Dict[str, Any]:
    """Return the data of a YAML text; `on` is a text, as GitHub reads it."""
    needs.module("ruamel.yaml", since=(3, 10))
    from ruamel.yaml import YAML

    found: Dict[str, Any] = YAML(typ="safe").load(text)
    return found
