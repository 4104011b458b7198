"""Find and import the wrapped backend, or explain why it cannot be imported."""

from __future__ import annotations

import os
import sys
from contextlib import contextmanager
from importlib import import_module

from manyshim.errors import BackendError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Iterator, Optional, Sequence

_SETUPTOOLS = "setuptools.build_meta"


def import_backend(name: str, folders: Sequence[str] = ()) -> Any:  # noqa: ANN401 (or an object)
    """Import the wrapped backend, `module[:object]`, and return it; it has the hook build_wheel.

    If `folders` are given, it must lie in one of them. Raises BackendError; its cause is what the
    import raised, if that explains more.
    """
    path, _, attributes = name.partition(":")
    if not all(path.split(".")):
        raise BackendError(f'[tool.manyshim] backend = "{name}" is no module; {_suggestion(name)}')
    if path.partition(".")[0] == "manyshim":
        raise BackendError(
            f'[tool.manyshim] backend = "{name}" must not be manyshim itself; name the backend '
            f'that manyshim wraps, for example "{_SETUPTOOLS}"'
        )
    found = _import(name, path, attributes, folders)
    build_wheel = getattr(found, "build_wheel", None)
    if getattr(build_wheel, "__module__", "") == "manyshim.backend":
        raise _wraps_itself(name)
    if not callable(build_wheel):
        if _is_being_imported(path):
            raise _wraps_itself(name)
        raise BackendError(f"{name} has no hook build_wheel; {_suggestion(name)}")
    return found


@contextmanager
def explained(name: str) -> Iterator[None]:
    """Call a hook of the wrapped backend within the block.

    A setup.py that misses a module of its own folder gets the fix added to its exception, which
    passes. Before Python 3.11, the fix is printed before the traceback.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        hint = _legacy_hint(name, (error.name or "").partition(".")[0])
        if hint and sys.version_info >= (3, 11):
            error.add_note(hint)
        elif hint and sys.stderr is not None:
            sys.stderr.write(f"{hint}\n")
        raise


def _import(name: str, path: str, attributes: str, folders: Sequence[str]) -> Any:  # noqa: ANN401
    """Import a module and return the object in it. Raises BackendError."""
    try:
        found: Any = _import_module(path, folders)
    except BackendError:
        raise
    except ModuleNotFoundError as error:
        if error.name is None or not f"{path}.".startswith(f"{error.name}."):
            raise _import_error(name, error) from error
        raise (_not_in(folders, path) if folders else _missing(name, path, error.name)) from None
    except Exception as error:
        if isinstance(error, AttributeError) and _is_being_imported(path):
            raise _wraps_itself(name) from None
        raise _import_error(name, error) from error
    return _object(found, name, path, attributes)


def _object(found: Any, name: str, path: str, attributes: str) -> Any:  # noqa: ANN401
    """Return the object in a module, or the module without `attributes`. Raises BackendError."""
    for attribute in filter(None, attributes.split(".")):
        if not hasattr(found, attribute):
            if _is_being_imported(path):
                raise _wraps_itself(name)
            raise BackendError(f"{path} has no object {attributes}; {_suggestion(name)}")
        found = getattr(found, attribute)
    return found


def _import_module(path: str, folders: Sequence[str]) -> Any:  # noqa: ANN401 (a module)
    if not folders:
        return import_module(path)
    from manyshim import intree  # noqa: PLC0415 (only for a backend in the source tree)

    absolute = [os.path.abspath(folder) for folder in folders]
    if intree.package_spec(path, absolute) is None:
        raise _not_in(folders, path)
    intree.prefer(absolute)
    module = import_module(path)
    found = intree.places(module)
    if not any(intree.lies_in(place, absolute) for place in found):
        raise BackendError(
            f"{path} comes from {', '.join(found) or 'this Python'} and not from [tool.manyshim] "
            f"backend-path ({', '.join(folders)}); give the module another name"
        )
    return module


def _not_in(folders: Sequence[str], path: str) -> BackendError:
    listed = ", ".join(os.path.relpath(folder) for folder in folders)
    return BackendError(
        f"there is no module {path} in [tool.manyshim] backend-path ({listed}); if this is an "
        "unpacked sdist, it lacks the backend's files"
    )


def _import_error(name: str, error: Exception) -> BackendError:
    hint = "; add its requirements to build-system.requires"
    # A syntax error, for example, is not a matter of requirements.
    fix = hint if isinstance(error, ImportError) else ""
    return BackendError(f"the wrapped backend {name} cannot be imported{fix}: {error}")


def _missing(name: str, path: str, missing: str) -> BackendError:
    """Return the error for a backend whose own module is not there."""
    from manyshim import known_backends  # noqa: PLC0415 (only for an error)

    problem = f"the wrapped backend {name} cannot be imported (No module named '{missing}')"
    near = known_backends.by_hooks(name) or known_backends.nearest(name)
    if near is None:
        return BackendError(
            f"{problem}; add its requirements to build-system.requires. If it lies in your "
            'source tree, add [tool.manyshim] backend-path = ["its folder"]'
        )
    required = '", "'.join(near.own_requirements)
    if path == near.hooks:
        return BackendError(
            f'{problem}; add "{required}" to build-system.requires, or '
            "install it if you build without isolation"
        )
    # A package of a known backend's family can be a backend of its own.
    other = "" if known_backends.is_name(near, name) else f", or there the requirements of {name}"
    # manyshim itself requires setuptools.
    added = "" if near.hooks == _SETUPTOOLS else f', and add "{required}" to build-system.requires'
    return BackendError(f"{problem}; {_suggestion(name)}{added}{other if added else ''}")


def _is_being_imported(module: str) -> bool:
    """Whether the import of a module has begun and not ended: it imports manyshim itself."""
    spec = getattr(sys.modules.get(module), "__spec__", None)
    return bool(getattr(spec, "_initializing", False))


def _wraps_itself(name: str) -> BackendError:
    return BackendError(
        f"{name} takes its hooks from manyshim.backend, so it wraps itself; [tool.manyshim] "
        "backend must name the backend that it calls"
    )


def _suggestion(name: str) -> str:
    from manyshim import known_backends  # noqa: PLC0415 (only for an error)

    near = known_backends.nearest(name)
    if near is None:
        return f'name a PEP 517 backend, for example backend = "{_SETUPTOOLS}"'
    is_legacy = near.hooks == _SETUPTOOLS and "legacy" in name
    return f'write [tool.manyshim] backend = "{known_backends.LEGACY if is_legacy else near.hooks}"'


def _legacy_hint(name: str, missing: str) -> Optional[str]:
    """Return the fix for a setup.py that imports `missing` from its own folder."""
    local = missing and (os.path.isfile(f"{missing}.py") or os.path.isdir(missing))
    if name != _SETUPTOOLS or not local or not os.path.isfile("setup.py"):
        return None
    return (
        f"manyshim: {missing} lies beside setup.py, where {name} does not look. Write "
        f'[tool.manyshim] backend = "{_SETUPTOOLS}:__legacy__", which does'
    )
