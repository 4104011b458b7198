"""Call the hooks of a project as pip and build do, each in a process of its own."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any, List, Mapping, Optional, Sequence, Tuple

import pytest
from pyproject_hooks import BuildBackendHookCaller

import manyshim

SOURCES = Path(manyshim.__file__).parent.parent
TABLE = '[build-system]\nrequires = {}\nbuild-backend = "{}"\n{}\n[tool.manyshim]\n{}\n'
HOOKS = [
    "get_requires_for_build_wheel", "prepare_metadata_for_build_wheel", "build_wheel",
    "get_requires_for_build_editable", "prepare_metadata_for_build_editable", "build_editable",
    "get_requires_for_build_sdist", "build_sdist",
]  # fmt: skip


class Project:
    """A source tree, and the hook caller of frontends for it, in a clean environment."""

    def __init__(self, root: Path, environment: Mapping[str, str]) -> None:
        self.root = root
        self.environment = {**environment, "PYTHONPATH": str(SOURCES)}
        self.frontend: Tuple[str, Optional[List[str]]] = ("manyshim.backend", None)
        self.stderr = ""

    def write(self, name: str, text: str = "") -> None:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")

    def table(
        self,
        own: str,
        backend: str = "manyshim.backend",
        path: Optional[List[str]] = None,
        requires: Sequence[str] = (),
    ) -> None:
        line = f"backend-path = {path}" if path else ""
        self.write("pyproject.toml", TABLE.format(list(requires), backend, line, own))
        self.frontend = (backend, path)

    @property
    def hooks(self) -> BuildBackendHookCaller:
        backend, path = self.frontend
        return BuildBackendHookCaller(str(self.root), backend, path, self._run)

    def _run(
        self,
        cmd: Sequence[str],
        cwd: Optional[str] = None,
        extra_environ: Optional[Mapping[str, str]] = None,
    ) -> None:
        env = {**self.environment, **(extra_environ or {})}
        done = subprocess.run(cmd, cwd=cwd, env=env, capture_output=True, text=True, check=False)
        self.stderr = done.stderr
        done.check_returncode()

    def call(self, hook: str) -> Any:
        arguments = [] if hook.startswith("get_requires") else [str(self.root)]
        return getattr(self.hooks, hook)(*arguments)

    def error(self, hook: str, code: int) -> str:
        """Call a hook that fails, and return its one error line without what precedes it."""
        with pytest.raises(subprocess.CalledProcessError) as caught:
            self.call(hook)
        assert caught.value.returncode == code, self.stderr
        assert self.stderr.count("manyshim: error: ") == 1, self.stderr
        return self.stderr.partition("manyshim: error: ")[2]

    def python(self, code: str) -> subprocess.CompletedProcess[str]:
        """Run code in the project's folder with manyshim on the path."""
        command = [sys.executable, "-c", textwrap.dedent(code)]
        env = self.environment
        return subprocess.run(
            command, cwd=self.root, env=env, capture_output=True, text=True, check=False
        )
