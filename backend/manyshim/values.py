"""NamedTuple and Enum like the standard library's, whose classes cost much less to create.

Each run of a command and each build creates some seventy of these classes. Measured with callgrind
on CPython 3.11, in million instructions: 45 classes of six fields take 6 here, 20 with
collections.namedtuple, 60 with typing.NamedTuple, and 244 with frozen dataclasses and their import.
Two enumerations of 66 words take 1 here, 6 with the standard library, and its import 21.
"""

from __future__ import annotations

# Modules that a plain command loads import `typing` for mypy only: with what it imports itself, it
# takes 49 million instructions. mypy takes a variable of this name for true.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from enum import Enum as Enum  # noqa: PLC0414 (this form exports the name)
    from typing import Any, Dict, Iterable, Iterator, Tuple
    from typing import NamedTuple as NamedTuple  # noqa: PLC0414
else:
    from types import FunctionType

    try:
        from _collections import _tuplegetter
    except ImportError:  # no CPython
        from operator import itemgetter

        def _tuplegetter(index: int, doc: str) -> property:
            return property(itemgetter(index), doc=doc)

    _new = tuple.__new__

    # The constructor by the number of fields, for most classes. Each class gets a copy with
    # the names of its fields. It is as fast as that of namedtuple, which compiles one each time.
    # fmt: off
    _CONSTRUCTORS = {
        1: lambda _cls, a: _new(_cls, (a,)),
        2: lambda _cls, a, b: _new(_cls, (a, b)),
        3: lambda _cls, a, b, c: _new(_cls, (a, b, c)),
        4: lambda _cls, a, b, c, d: _new(_cls, (a, b, c, d)),
        5: lambda _cls, a, b, c, d, e: _new(_cls, (a, b, c, d, e)),
        6: lambda _cls, a, b, c, d, e, f: _new(_cls, (a, b, c, d, e, f)),
        7: lambda _cls, a, b, c, d, e, f, g: _new(_cls, (a, b, c, d, e, f, g)),
        8: lambda _cls, a, b, c, d, e, f, g, h: _new(_cls, (a, b, c, d, e, f, g, h)),
        9: lambda _cls, a, b, c, d, e, f, g, h, i: _new(_cls, (a, b, c, d, e, f, g, h, i)),
        10: lambda _cls, a, b, c, d, e, f, g, h, i, j: _new(_cls, (a, b, c, d, e, f, g, h, i, j)),
        11: lambda _cls, a, b, c, d, e, f, g, h, i, j, k: _new(
            _cls, (a, b, c, d, e, f, g, h, i, j, k)),
        14: lambda _cls, a, b, c, d, e, f, g, h, i, j, k, m, n, o: _new(
            _cls, (a, b, c, d, e, f, g, h, i, j, k, m, n, o)),
        15: lambda _cls, a, b, c, d, e, f, g, h, i, j, k, m, n, o, p: _new(
            _cls, (a, b, c, d, e, f, g, h, i, j, k, m, n, o, p)),
        # ElfFile and Config.
        29: lambda _cls, a, b, c, d, e, f, g, h, i, j, k, m, n, o, p, q, r, s, t, u, v, w, x, y, z,
        aa, bb, cc, dd: _new(_cls, (a, b, c, d, e, f, g, h, i, j, k, m, n, o, p, q, r, s, t, u, v,
                                    w, x, y, z, aa, bb, cc, dd)),
    }
    # fmt: on

    def _constructor(fields: Tuple[str, ...], defaults: Tuple[Any, ...]) -> FunctionType:
        template = _CONSTRUCTORS.get(len(fields))
        if template is None:
            names = ", ".join(f"_{index}" for index in range(len(fields)))
            template = eval(f"lambda _cls, {names}: _new(_cls, ({names},))")  # noqa: S307 (as above)
            _CONSTRUCTORS[len(fields)] = template
        code = template.__code__.replace(co_name="__new__", co_varnames=("_cls", *fields))
        return FunctionType(code, globals(), "__new__", defaults)

    class _Value:
        """What all named tuples share. Each gets a copy: a base class more costs more."""

        _fields: Tuple[str, ...] = ()
        _field_defaults: Dict[str, Any] = {}  # noqa: RUF012 (no instance has another one)

        @classmethod
        def _make(cls, values: Iterable[Any]) -> _Value:
            made = _new(cls, values)
            if len(made) != len(cls._fields):
                raise TypeError(f"Expected {len(cls._fields)} arguments, got {len(made)}")
            return made

        def _replace(self, **changes: Any) -> _Value:  # noqa: ANN401
            made = self._make(map(changes.pop, self._fields, self))
            if changes:
                raise ValueError(f"Got unexpected field names: {list(changes)!r}")
            return made

        __replace__ = _replace  # copy.replace of Python 3.13

        def _asdict(self) -> Dict[str, Any]:
            return dict(zip(self._fields, self))

        def __repr__(self) -> str:
            values = ", ".join(map("{}={!r}".format, self._fields, self))
            return f"{type(self).__name__}({values})"

        def __getnewargs__(self) -> Tuple[Any, ...]:
            return tuple(self)

    _SHARED = {
        key: vars(_Value)[key]
        for key in ("_make", "_replace", "__replace__", "_asdict", "__repr__", "__getnewargs__")
    }
    _getters = []

    class _ValueMaker(type):
        def __new__(cls, name: str, bases: Tuple[type, ...], space: Dict[str, Any]) -> type:
            if not bases:
                return super().__new__(cls, name, bases, space)
            fields = tuple(space.get("__annotations__", ()))
            while len(_getters) < len(fields):
                index = len(_getters)
                _getters.append(_tuplegetter(index, f"Alias for field number {index}"))
            defaults = {field: space[field] for field in fields if field in space}
            own = {
                **_SHARED,
                **space,
                **dict(zip(fields, _getters)),
                "__slots__": (),
                "_fields": fields,
                "_field_defaults": defaults,
                "__match_args__": fields,
                "__new__": _constructor(fields, tuple(defaults.values())),
            }
            return type(name, (tuple,), own)

    class NamedTuple(metaclass=_ValueMaker):
        """Base class of values. Its fields are the annotated names, in order."""

    def _represented(self: Enum) -> str:
        return f"<{type(self).__name__}.{self.name}: {self.value!r}>"

    class _EnumMaker(type):
        def __new__(cls, name: str, bases: Tuple[type, ...], space: Dict[str, Any]) -> type:
            members = {key: value for key, value in space.items() if key[0] != "_" and bases}
            made = super().__new__(cls, name, bases, {**space, "_members": members})
            made.__repr__ = _represented  # that of a text would be found first
            is_text = issubclass(made, str)
            for key, value in members.items():
                member = str.__new__(made, value) if is_text else object.__new__(made)
                member.name, member.value = key, value
                members[key] = member
            # A change of the class empties the cache of its attributes, which the loop above uses.
            for key, member in members.items():
                setattr(made, key, member)
            return made

        def __call__(cls, value: object) -> object:
            for member in cls:
                if member.value == value:
                    return member
            raise ValueError(f"{value!r} is not a valid {cls.__name__}")

        def __getitem__(cls, name: str) -> object:
            return cls._members[name]

        def __contains__(cls, value: object) -> bool:
            return any(member is value for member in cls)

        def __iter__(cls) -> Iterator[Any]:
            return iter(cls._members.values())

        def __len__(cls) -> int:
            return len(cls._members)

    class Enum(metaclass=_EnumMaker):
        """Base class of enumerations. Each public name in the body of a class is a member."""

        def __reduce_ex__(self, protocol: int) -> Tuple[Any, ...]:
            # Members are compared by identity, in other processes too.
            return getattr, (type(self), self.name)
