"""The PEP 517 and PEP 660 hooks: the wrapped backend's, with an audit after build_wheel.

If the wrapped backend has no such hook, this module has none either.
"""

from __future__ import annotations

import os
import sys
from collections import abc
from contextlib import contextmanager, suppress

from manyshim.errors import BackendError, ConfigError, ManyshimError, printable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable, Iterator, List, Mapping, Optional, Sequence, Tuple

    from manyshim.project import Wrapped

_OPTIONAL_HOOKS = (
    "build_editable",
    "build_sdist",
    "get_requires_for_build_editable",
    "get_requires_for_build_sdist",
    "prepare_metadata_for_build_editable",
    "prepare_metadata_for_build_wheel",
)


def build_wheel(
    wheel_directory: str,
    config_settings: Optional[Mapping[str, Any]] = None,
    metadata_directory: Optional[str] = None,
) -> str:
    """Build a wheel with the wrapped backend, audit it, and write the tag that is proved.

    Returns the wheel's file name in `wheel_directory` (PEP 517).
    """
    with _exit_on_error():
        # Imported here and below, because frontends also import this module only to find hooks.
        from manyshim import build, config, project, pyproject, workspace  # noqa: PLC0415

        document = pyproject.read(os.curdir)
        wrapped_backend = project.wrapped_backend(document=document)
        if workspace.is_private(wheel_directory):
            raise BackendError(
                f"{wrapped_backend.name} calls manyshim.backend.build_wheel, so it wraps itself; "
                "[tool.manyshim] backend must name another one"
            )
        resolved = config.load(
            config_settings, os.environ, wheel_directory=wheel_directory, document=document
        )
        _print_lines(resolved.notices)
        backend_settings = config.without_own(config_settings)
        with workspace.private_folder(wheel_directory) as folder:
            built, resolved = build.build_wheel(
                resolved, folder, backend_settings, metadata_directory, os.environ, _print_lines
            )
            result = build.finish(built, wheel_directory, resolved)
        _print_lines(result.lines)
        return result.filename


def get_requires_for_build_wheel(
    config_settings: Optional[Mapping[str, Any]] = None,
) -> List[str]:
    """Return the wrapped backend's requirements, and those of manyshim that are not installed."""
    with _exit_on_error():
        from manyshim import config, project, pyproject, requirements, wrapped  # noqa: PLC0415

        document = pyproject.read(os.curdir)
        found = project.wrapped_backend(document=document)
        _refuse_recursion("get_requires_for_build_wheel", found)
        resolved = config.load(config_settings, os.environ, document=document)
        backend = wrapped.import_backend(*found)
        hook = getattr(backend, "get_requires_for_build_wheel", None)
        with wrapped.explained(found.name):
            required = list(hook(config.without_own(config_settings))) if hook else []
        return required + requirements.missing(resolved, os.environ)


def __getattr__(name: str) -> Any:  # noqa: ANN401 (hooks, a class of the backend, or names)
    missing = AttributeError(f"module {__name__!r} has no attribute {name!r}")
    if name == "UnsupportedOperation":
        # Frontends ask for it while they handle any error, which is printed already.
        try:
            _, backend = _import_wrapped()
        except ManyshimError:
            raise missing from None
        return backend.UnsupportedOperation
    if name not in (*_OPTIONAL_HOOKS, "__all__", "backend"):
        raise missing
    with _exit_on_error():
        if name == "backend":
            raise ConfigError(f'write build-backend = "{__name__}", without ":backend"')
        found, backend = _import_wrapped()
        if name == "__all__":
            return _public_names(backend)
        return _delegate(getattr(backend, name), name, found)


def refuse_package(name: str) -> None:
    """Exit with an error: a frontend asks the package manyshim for the hook `name`."""
    with _exit_on_error():
        raise BackendError(
            f'manyshim has no hook {name}; write build-backend = "{__name__}", and the backend '
            "that it wraps as [tool.manyshim] backend"
        )


def _import_wrapped() -> Tuple[Wrapped, Any]:
    """Return the wrapped backend's name and place, and the backend. Raises ManyshimError."""
    from manyshim import project, wrapped  # noqa: PLC0415

    found = project.wrapped_backend()
    return found, wrapped.import_backend(*found)


def _public_names(backend: Any) -> List[str]:  # noqa: ANN401 (a module, or an object in one)
    """Return what `from manyshim.backend import *` gives: all that the wrapped backend has."""
    optional = (*_OPTIONAL_HOOKS, "UnsupportedOperation")
    has = [name for name in optional if hasattr(backend, name)]
    return ["build_wheel", "get_requires_for_build_wheel", *has]


def _delegate(hook: Callable[..., Any], name: str, found: Wrapped) -> Callable[..., Any]:
    """Return the wrapped backend's hook, which does not see our settings."""
    from manyshim import config, wrapped  # noqa: PLC0415

    def cleaned(value: Any) -> Any:  # noqa: ANN401
        return config.without_own(value) if isinstance(value, abc.Mapping) else value

    def delegate(*args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 (the hook decides what it takes)
        with _exit_on_error():
            _refuse_recursion(name, found)
        with wrapped.explained(found.name):
            result = hook(*map(cleaned, args), **{key: cleaned(kwargs[key]) for key in kwargs})
        if name == "build_sdist":
            _verify_sdist(result, kwargs.get("sdist_directory", *args[:1]), found)
        return result

    return delegate


def _refuse_recursion(hook: str, found: Wrapped) -> None:
    """Raise BackendError if the hook that calls this function runs already, further up.

    Then the wrapped backend has called manyshim, and would do so again and again.
    """
    # Only the stack tells. A variable for it would outlive a hook that fails.
    frame = sys._getframe(1)  # noqa: SLF001 (as logging and warnings do)
    code, outer = frame.f_code, frame.f_back
    while outer:
        if outer.f_code is code and outer.f_locals.get("name", hook) == hook:
            raise BackendError(
                f"{found.name} calls manyshim.backend.{hook}, so it wraps itself; "
                "[tool.manyshim] backend must name another one"
            )
        outer = outer.f_back


def _verify_sdist(name: Any, folder: Any, found: Wrapped) -> None:  # noqa: ANN401 (of the hook)
    """Exit with an error if an sdist lacks the in-tree backend that will build it."""
    from manyshim import pyproject  # noqa: PLC0415

    with _exit_on_error():
        system = pyproject.build_system(pyproject.read(os.curdir))
        if isinstance(name, str) and (found.folders or system.get("backend-path")):
            from manyshim import intree_sdist  # noqa: PLC0415 (only for an in-tree backend)

            intree_sdist.verify(os.path.join(folder, name), found)


@contextmanager
def _exit_on_error() -> Iterator[None]:
    """Print our own errors as one line and exit with their code; let other exceptions pass."""
    try:
        yield
    except ModuleNotFoundError as error:
        if not (error.name or "").startswith("manyshim."):
            raise
        _print_lines(
            [f"error: this copy of manyshim is incomplete: {error}; copy the whole folder"]
        )
        raise SystemExit(BackendError.exit_code) from None
    except ManyshimError as error:
        if isinstance(error, BackendError) and error.__cause__ is not None:
            _print_cause(error.__cause__)
        first, *more = error.lines
        _print_lines([f"error: {first}"], more)
        raise SystemExit(error.exit_code) from None


def _print_cause(cause: BaseException) -> None:
    """Print an exception of the wrapped backend, without the calls that lead to its code."""
    import traceback  # noqa: PLC0415 (only for an error)

    package = os.path.join(os.path.dirname(os.path.abspath(__file__)), "")
    rest = cause.__traceback__
    while rest is not None:
        file = rest.tb_frame.f_code.co_filename
        if not os.path.abspath(file).startswith(package) and "importlib" not in file:
            break
        rest = rest.tb_next
    traceback.print_exception(type(cause), cause, rest)


def _print_lines(lines: Sequence[str], more: Sequence[str] = ()) -> None:
    """Print lines on standard error, which frontends show to the user; `more` have no prefix.

    Nothing is printed if standard error is closed: the wheel is what the frontend asked for.
    """
    if sys.stderr is None:
        return
    for line in (*(f"manyshim: {line}" for line in lines), *more):
        with suppress(OSError):
            print(printable(line), file=sys.stderr, flush=True)
