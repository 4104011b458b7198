"""NamedTuple as typing has it, for half of what its classes cost to make.

typing compiles every annotation, which takes a build as long as all other imports of manyshim, and
nobody here asks for them at run time.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Dict, Tuple

if TYPE_CHECKING:
    from typing import NamedTuple as NamedTuple  # noqa: PLC0414 (that is how a name is passed on)
else:
    from collections import namedtuple

    _OWN = frozenset(("__module__", "__qualname__", "__annotations__"))

    class _Maker(type):
        def __new__(cls, name: str, bases: Tuple[type, ...], space: Dict[str, Any]) -> type:
            if not bases:
                return super().__new__(cls, name, bases, space)
            fields = tuple(space.get("__annotations__", ()))
            defaults = [space[field] for field in fields if field in space]
            made = namedtuple(name, fields, defaults=defaults, module=space["__module__"])  # noqa: PYI024
            made.__qualname__ = space["__qualname__"]
            for key, value in space.items():
                if key not in _OWN and key not in fields:
                    setattr(made, key, value)
            return made

    class NamedTuple(metaclass=_Maker):
        """The base of values: their fields are the annotated names, in order."""
