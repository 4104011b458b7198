"""The PEP 517 and PEP 660 hooks: the wrapped backend's, with an audit after build_wheel.

If the wrapped backend has no such hook, this module has none either.
"""

from __future__ import annotations

import os
import sys
from contextlib import contextmanager, suppress
from typing import Any, Callable, Iterator, List, Mapping, Optional, Sequence

from manyshim.errors import BackendError, ManyshimError, printable

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
        from manyshim import build, config, workspace  # noqa: PLC0415

        resolved = config.load(config_settings, os.environ, wheel_directory=wheel_directory)
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
        from manyshim import config, requirements, wrapped  # noqa: PLC0415

        resolved = config.load(config_settings, os.environ)
        backend = wrapped.import_backend(resolved.backend)
        hook = getattr(backend, "get_requires_for_build_wheel", None)
        required = list(hook(config.without_own(config_settings))) if hook else []
        return required + requirements.missing(resolved, os.environ)


def __getattr__(name: str) -> Callable[..., Any]:
    if name not in _OPTIONAL_HOOKS:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    with _exit_on_error():
        from manyshim import config, wrapped  # noqa: PLC0415

        hook: Callable[..., Any] = getattr(wrapped.import_backend(config.backend_name()), name)

    def delegate(*args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 (the hook decides what it takes)
        def cleaned(value: Any) -> Any:  # noqa: ANN401
            return config.without_own(value) if isinstance(value, dict) else value

        return hook(*map(cleaned, args), **{key: cleaned(kwargs[key]) for key in kwargs})

    return delegate


@contextmanager
def _exit_on_error() -> Iterator[None]:
    """Print our own errors as one line and exit with their code; let other exceptions pass."""
    try:
        yield
    except ManyshimError as error:
        if isinstance(error, BackendError) and error.__cause__ is not None:
            import traceback  # noqa: PLC0415

            cause = error.__cause__
            traceback.print_exception(type(cause), cause, cause.__traceback__)
        first, *more = error.lines
        _print_lines([f"error: {first}"], more)
        raise SystemExit(error.exit_code) from None


def _print_lines(lines: Sequence[str], more: Sequence[str] = ()) -> None:
    """Print lines on standard error, which frontends show to the user; `more` have no prefix.

    Nothing is printed if standard error is closed: the wheel is what the frontend asked for.
    """
    if sys.stderr is None:
        return
    for line in (*(f"manyshim: {line}" for line in lines), *more):
        with suppress(OSError):
            print(printable(line), file=sys.stderr, flush=True)
