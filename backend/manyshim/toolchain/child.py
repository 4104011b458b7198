"""The process in which the wrapped backend builds for a target; its environment is the target's."""

from __future__ import annotations

import json
import signal
import sys
import traceback
from typing import Any, Dict, List, Mapping

from manyshim.errors import BackendError
from manyshim.wrapped import import_backend


def main(request: Mapping[str, Any]) -> None:
    """Call the wrapped backend's build_wheel, and write down what it returned.

    What the backend raises passes untouched, and ends the process.
    """
    _end_with_parent()
    sys.argv[:] = [request["backend"]]
    answer: Dict[str, Any]
    try:
        backend = import_backend(request["backend"])
    except BackendError as error:
        if error.__cause__ is not None:
            cause = error.__cause__
            traceback.print_exception(type(cause), cause, cause.__traceback__)
        answer = {"error": str(error)}
    else:
        name = backend.build_wheel(
            request["folder"], request["settings"], request["metadata_directory"]
        )
        answer = {"name": name if isinstance(name, str) else repr(name), "modules": _modules()}
    with open(request["answer"], "w", encoding="utf-8") as file:
        json.dump(answer, file)


def _end_with_parent() -> None:
    """Have the kernel end this process when the frontend is killed (prctl(2))."""
    try:
        import ctypes  # noqa: PLC0415 (not every Python has it)

        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    except (ImportError, OSError, AttributeError):
        return


_PR_SET_PDEATHSIG = 1


def _modules() -> List[str]:
    """List the extension modules that setuptools was told to build, as files of the wheel.

    One that is `optional` may be missing without a word.
    """
    core = sys.modules.get("distutils.core") or sys.modules.get("setuptools._distutils.core")
    distribution = getattr(core, "_setup_distribution", None)
    commands = getattr(distribution, "command_obj", None) or {}
    build_ext = commands.get("build_ext")
    if build_ext is None:
        return []
    try:
        return sorted(
            str(build_ext.get_ext_filename(build_ext.get_ext_fullname(extension.name)))
            for extension in getattr(distribution, "ext_modules", None) or ()
        )
    except Exception as error:  # noqa: BLE001 (a project's own command; its wheel is built)
        sys.stderr.write(f"manyshim: which extensions were to be built is not known: {error!r}\n")
        return []
