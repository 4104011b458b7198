"""Entry point of the child process, in which the wrapped backend builds for a target."""

from __future__ import annotations

import json
import signal
import sys
import traceback
from contextlib import contextmanager
from typing import Any, Dict, Iterator, List, Mapping, Optional

from manyshim.errors import BackendError
from manyshim.toolchain.systems.meson_log import Watch
from manyshim.wrapped import explained, import_backend


def main(request: Mapping[str, Any]) -> None:
    """Call the wrapped backend's build_wheel, and write its answer to the file of the request.

    An exception of the backend is not caught; it ends the process.
    """
    _end_with_parent()
    sys.argv[:] = [request["backend"]]
    answer: Dict[str, Any]
    try:
        backend = import_backend(request["backend"], request["backend_path"])
    except BackendError as error:
        if error.__cause__ is not None:
            cause = error.__cause__
            traceback.print_exception(type(cause), cause, cause.__traceback__)
        answer = {"error": str(error)}
    else:
        watch = Watch(request["settings"]) if request["meson"] else None
        with explained(request["backend"]), _noted(watch, request["notes"]):
            name = backend.build_wheel(
                request["folder"], request["settings"], request["metadata_directory"]
            )
        answer = {"name": name if isinstance(name, str) else repr(name), "modules": _modules()}
    with open(request["answer"], "w", encoding="utf-8") as file:
        json.dump(answer, file)


@contextmanager
def _noted(watch: Optional[Watch], notes: str) -> Iterator[None]:
    """Leave lines about a failure for the parent process, which prints them."""
    try:
        yield
    except BaseException:
        lines = watch.reasons() if watch else ()
        if lines:
            with open(notes, "a", encoding="utf-8") as file:
                file.write("".join(f"{line}\n" for line in lines))
        raise


def _end_with_parent() -> None:
    """Ask the kernel to end this process when its parent is killed (prctl(2))."""
    try:
        import ctypes  # noqa: PLC0415 (not every Python has it)

        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    except (ImportError, OSError, AttributeError):
        return


_PR_SET_PDEATHSIG = 1


def _modules() -> List[str]:
    """List the extension modules that setuptools had to build, as paths in the wheel.

    setuptools does not report an `optional` extension that failed, so the audit looks for each.
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
    except Exception as error:  # noqa: BLE001 (a project's own command; the wheel is complete)
        sys.stderr.write(f"manyshim: the list of expected extensions cannot be read: {error!r}\n")
        return []
