"""Import a backend from folders of the source tree, as `build-system.backend-path` does."""

from __future__ import annotations

import os
import sys
from importlib import import_module
from importlib.machinery import ModuleSpec, PathFinder
from typing import TYPE_CHECKING, Any, Iterable, List, Optional, Sequence

if TYPE_CHECKING:
    from importlib.metadata import Distribution

_NEEDED_LATER = ("difflib", "json", "subprocess", "tarfile", "tempfile", "traceback")


class InTreeFinder:
    """Finds top-level modules in the folders of an in-tree backend, before all other places.

    The backend may import the modules beside it at any time, so the finder stays. `sys.path` would
    also be seen by programs that the backend starts with it, and by manyshim's caller.
    """

    def __init__(self, folders: Sequence[str]) -> None:
        self.folders = list(folders)

    def __eq__(self, other: object) -> bool:
        """Whether another finder searches the same folders."""
        return isinstance(other, InTreeFinder) and other.folders == self.folders

    __hash__ = object.__hash__

    def find_spec(self, name: str, path: object = None, target: object = None) -> Any:  # noqa: ANN401
        """Return the spec of a top-level module in the folders, None if there is none."""
        del path, target
        if "." in name:
            return None
        spec = PathFinder.find_spec(name, self.folders)
        if spec is None or spec.loader is not None:
            return spec
        # A plain folder is a package only if no other place has a module of that name.
        if name in sys.builtin_module_names:
            return None
        return PathFinder.find_spec(name, [*self.folders, *sys.path])

    def find_distributions(self, context: Any = None) -> Iterable[Distribution]:  # noqa: ANN401
        """Return the distributions in the folders: an in-tree backend may have entry points."""
        from importlib.metadata import (  # noqa: PLC0415 (only if someone asks)
            DistributionFinder,
            MetadataPathFinder,
        )

        name = context.name if context else None
        where = DistributionFinder.Context(name=name, path=self.folders)
        return MetadataPathFinder.find_distributions(where)


def prefer(folders: Sequence[str]) -> None:
    """Let imports of this process find modules in these folders first."""
    finder = InTreeFinder(folders)
    if finder not in sys.meta_path:
        # What manyshim needs later, also if the folders have modules of the same names.
        for name in _NEEDED_LATER:
            import_module(name)
        sys.meta_path.insert(0, finder)


def package_spec(module: str, folders: Sequence[str]) -> Optional[ModuleSpec]:
    """Return the spec of a module's top-level package in the folders, None if there is none."""
    return PathFinder.find_spec(module.partition(".")[0], list(folders))


def places(module: Any) -> List[str]:  # noqa: ANN401 (a module)
    """Return the file of an imported module, or the folders of a package without one."""
    file = getattr(module, "__file__", None)
    return [file] if file else list(getattr(module, "__path__", ()))


def lies_in(path: str, folders: Iterable[str]) -> bool:
    """Whether a path is one of the folders or lies below one, by its name or by its real name."""
    return any(
        os.path.join(resolve(path), "").startswith(os.path.join(resolve(folder), ""))
        for resolve in (os.path.abspath, os.path.realpath)
        for folder in folders
    )
