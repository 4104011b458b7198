"""Why Meson fails in a build for a target: lines for the user, from Meson's log.

meson-python removes its build folder when a build fails, and the log with it.
"""

from __future__ import annotations

import os
import re
import sys
from typing import Any, List, Mapping, Optional

_LOG = os.path.join("meson-logs", "meson-log.txt")
_MAX_BYTES = 1 << 24

# The errors of Meson, from 0.63 on, about programs that do not run on the machine of the build.
_CANNOT_RUN = re.compile(
    r"ERROR: .*(?:Can not run test applications in this cross environment"
    r"|An exe_wrapper is needed for (?P<program>\S+) but was not found"
    r"|exe_wrapper is not defined)"
)
# Python packages and the compiler bring these; a system for the target would not help.
_NOT_OF_A_SYSTEM = r"(?!(?i:openmp|threads|python3?|pybind11|numpy|cython|nanobind)\b)"
_NOT_FOUND = re.compile(
    rf"ERROR: Dependency (?:lookup for )?[\"']?{_NOT_OF_A_SYSTEM}(?P<name>[\w.+-]+)"
)


def reasons(log: str) -> List[str]:
    """Return a line for each known reason in the text of a log."""
    found = []
    program = _CANNOT_RUN.search(log)
    if program:
        name = os.path.basename(program["program"] or "") or "a program"
        found.append(
            f"the build runs {name} that it has compiled for the target, and this machine cannot. "
            "Install qemu-user-static, and name a folder with the target's libc in the option "
            "sysroot (or install Debian's libc6-arm64-cross, for another machine its own). Or "
            "build on a machine of the target"
        )
    missing = _NOT_FOUND.search(log)
    if missing:
        found.append(
            f"{missing['name']} was not found: a build for a target searches the sysroot. Name a "
            "folder with the target's system in the option sysroot"
        )
    return found


class Watch:
    """Reads the log when its folder is removed, or at the end if the user has named the folder."""

    def __init__(self, settings: Optional[Mapping[str, Any]]) -> None:
        self._settings = settings or {}
        self._found: List[str] = []
        sys.addaudithook(self._hook)

    def _hook(self, event: str, arguments: Any) -> None:  # noqa: ANN401 (of any event)
        # tempfile removes its folders with shutil (audit events table of Python's documentation).
        if event == "shutil.rmtree" and isinstance(arguments[0], str):
            self._read(arguments[0])

    def _read(self, folder: str) -> None:
        try:
            with open(os.path.join(folder, _LOG), encoding="utf-8", errors="replace") as file:
                self._found += reasons(file.read(_MAX_BYTES))
        except OSError:
            return

    def reasons(self) -> List[str]:
        """Return the lines that were found, each once."""
        for key in ("build-dir", "builddir"):
            if isinstance(self._settings.get(key), str):
                self._read(self._settings[key])
        return list(dict.fromkeys(self._found))
