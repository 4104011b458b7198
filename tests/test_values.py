"""The NamedTuple of `values` compared with typing's."""

from __future__ import annotations

import pickle
import typing
from typing import Any, Tuple

import pytest

from manyshim import values
from manyshim.audit.facts import ElfFile, ElfIdent
from manyshim.audit.tags import ARCHES


class Value(values.NamedTuple):
    """A value."""

    name: str
    parts: Tuple[int, ...] = ()
    more: int = 3

    @property
    def total(self) -> int:
        """The sum."""
        return sum(self.parts) + self.more

    def __str__(self) -> str:
        return f"{self.name}!"


class TypingValue(typing.NamedTuple):
    """A value."""

    name: str
    parts: Tuple[int, ...] = ()
    more: int = 3

    @property
    def total(self) -> int:
        """The sum."""
        return sum(self.parts) + self.more

    def __str__(self) -> str:
        return f"{self.name}!"


@pytest.mark.parametrize("kind", [Value, TypingValue])
def test_a_named_tuple(kind: Any) -> None:
    value = kind("a", (1, 2))
    assert value == ("a", (1, 2), 3) == kind(name="a", parts=(1, 2), more=3)
    assert (value.total, str(value), value.__doc__) == (6, "a!", "A value.")
    assert repr(value) == f"{kind.__name__}(name='a', parts=(1, 2), more=3)"
    assert value._replace(name="b", more=4) == ("b", (1, 2), 4)
    assert value._asdict() == {"name": "a", "parts": (1, 2), "more": 3}
    assert (kind._fields, kind._field_defaults) == (
        ("name", "parts", "more"),
        {"parts": (), "more": 3},
    )
    assert pickle.loads(pickle.dumps(value)) == value  # noqa: S301 (written here)
    with pytest.raises(AttributeError):
        value.name = "c"
    with pytest.raises(TypeError):
        kind()
    with pytest.raises(TypeError):
        kind("a", other=1)
    assert isinstance(value, tuple)
    assert (kind.__module__, kind.__qualname__) == (__name__, kind.__name__)


def test_values_of_the_package_can_be_pickled() -> None:
    elf = ElfFile("x.so", ElfIdent(64, True, 62, 3, 0, 0, 0))
    for value in (elf, ARCHES["x86_64"]):
        assert pickle.loads(pickle.dumps(value)) == value  # noqa: S301
