"""The NamedTuple and the Enum of `values` compared with those of the standard library."""

from __future__ import annotations

import copy
import enum
import inspect
import pickle
import subprocess
import sys
import typing
from typing import Any, Tuple

import pytest

from manyshim import values
from manyshim.audit.facts import ElfFile, ElfIdent
from manyshim.audit.tags import ARCHES
from paths import BACKEND


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
    with pytest.raises(TypeError):
        kind._make(("a",))
    with pytest.raises((TypeError, ValueError)):
        value._replace(other=1)
    assert kind._make(("a", (1, 2), 3)) == value
    assert list(inspect.signature(kind).parameters) == list(kind._fields)
    assert copy.deepcopy(value) == copy.copy(value) == value
    assert type(copy.copy(value)) is kind
    assert (hash(value), len(value), value[0]) == (hash(("a", (1, 2), 3)), 3, "a")
    assert not hasattr(value, "__dict__")
    assert isinstance(value, tuple)
    assert (kind.__module__, kind.__qualname__) == (__name__, kind.__name__)


def test_values_of_the_package_can_be_pickled() -> None:
    elf = ElfFile("x.so", ElfIdent(64, True, 62, 3, 0, 0, 0))
    for value in (elf, ARCHES["x86_64"]):
        assert pickle.loads(pickle.dumps(value)) == value  # noqa: S301


def test_a_value_may_have_any_number_of_fields() -> None:
    for number in range(1, 40):
        names = [f"field{index}" for index in range(number)]
        body = "".join(f"    {name}: int\n" for name in names)
        space: Any = {"NamedTuple": values.NamedTuple, "__name__": __name__}
        exec(f"from __future__ import annotations\nclass Many(NamedTuple):\n{body}", space)  # noqa: S102
        made = space["Many"](**{name: index for index, name in enumerate(names)})
        assert made == tuple(range(number))
        assert [getattr(made, name) for name in names] == list(range(number))


class Word(str, values.Enum):  # noqa: SLOT000
    """Words."""

    FIRST = "first word"
    SECOND = "second word"


class StandardWord(str, enum.Enum):
    """Words."""

    FIRST = "first word"
    SECOND = "second word"


class Group(values.Enum):
    """Has no members."""


class Member(Group):
    """Members with other values."""

    ONE = (1, "one")
    TWO = (2, "two")


class StandardGroup(enum.Enum):
    """Has no members."""


class StandardMember(StandardGroup):
    """Members with other values."""

    ONE = (1, "one")
    TWO = (2, "two")


@pytest.mark.parametrize("kind", [Word, StandardWord, Member, StandardMember])
def test_an_enumeration(kind: Any) -> None:
    first, second = kind
    assert len(kind) == 2
    assert kind[first.name] is first is getattr(kind, first.name) is kind(first.value)
    assert (first in kind, first == second, first != second) == (True, False, True)
    assert isinstance(first, kind)
    assert repr(first) == f"<{kind.__name__}.{first.name}: {first.value!r}>"
    assert {first: 1, second: 2}[kind[second.name]] == 2
    assert pickle.loads(pickle.dumps(first)) is copy.deepcopy(first) is first  # noqa: S301
    with pytest.raises(ValueError, match="is not a valid"):
        kind("another")
    with pytest.raises(KeyError):
        kind["ANOTHER"]
    assert kind.__doc__


@pytest.mark.parametrize("kind", [Word, StandardWord])
def test_a_word_is_a_text(kind: Any) -> None:
    assert kind.FIRST == "first word"
    assert (kind.FIRST.name, kind.FIRST.value) == ("FIRST", "first word")
    assert sorted((kind.SECOND, kind.FIRST)) == [kind.FIRST, kind.SECOND]
    assert hash(kind.FIRST) == hash("first word") or kind is StandardWord


def test_nothing_else_is_loaded_for_them() -> None:
    """The standard library's would load `typing`, `collections`, `enum` and `re`."""
    code = (
        "import sys; before = set(sys.modules); sys.path.insert(0, sys.argv[1]); "
        "import manyshim.values; print(*sorted(set(sys.modules) - before))"
    )
    command = [sys.executable, "-I", "-S", "-c", code, str(BACKEND)]
    run = subprocess.run(command, capture_output=True, text=True, check=True)
    assert set(run.stdout.split()) <= {"manyshim", "manyshim.values", "__future__", *_SMALL}


_SMALL = ("types", "_collections")


def test_no_class_of_a_build_compiles_its_own_constructor() -> None:
    """A class with another number of fields needs a template in `values`."""
    code = (
        "import sys; sys.path.insert(0, sys.argv[1]); from manyshim import values; "
        "known = set(values._CONSTRUCTORS); import manyshim.backend, manyshim.build, "
        "manyshim.formats.wheel.rewrite, manyshim.formats.zip.pack; "
        "print(*sorted(set(values._CONSTRUCTORS) - known))"
    )
    command = [sys.executable, "-c", code, str(BACKEND)]
    run = subprocess.run(command, capture_output=True, text=True, check=True)
    assert run.stdout.split() == []
