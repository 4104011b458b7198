"""Several members of one name, and what is kept of a member after it was read."""

from __future__ import annotations

import io
import tracemalloc
import warnings
import zipfile
from pathlib import Path
from typing import Sequence

import pytest

from casewheels import EXT, module
from elfwriter import Elf, Symbol, write
from manyshim import operations
from manyshim.audit.request import Request
from manyshim.formats.wheel.wheel import Wheel
from wheelwriter import save, wheel, wheel_name

LIBRARY = "demo/libfoo.so"
MODULE = write(module(Symbol("foo"), needed=("libfoo.so",), runpath="$ORIGIN"))
FOO = write(Elf(soname="libfoo.so", symbols=(Symbol("foo", defined=True),)))
BAR = write(Elf(soname="libfoo.so", symbols=(Symbol("bar", defined=True),)))
# It is large, so it is not read again.
LARGE = FOO + bytes(1 << 18)


def kinds(folder: Path, libraries: Sequence[bytes]) -> Sequence[str]:
    data = io.BytesIO(wheel({EXT: MODULE, "demo/__init__.py": b""}))
    with zipfile.ZipFile(data, "a") as archive, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for library in libraries:
            archive.writestr(LIBRARY, library)
    built = save(folder, data.getvalue(), wheel_name())
    found = operations.show(str(built), Request(), verbose=True).data["findings"]
    return sorted(one["kind"] for one in found if one["kind"] not in ("DUP_MEMBER", "UNLISTED"))


@pytest.mark.parametrize(
    ("libraries", "last"),
    [
        ((FOO, b"text"), FOO),
        ((BAR, b"text"), BAR),
        ((b"text", FOO), FOO),
        ((LARGE, BAR), BAR),
        ((BAR, LARGE), LARGE),
        ((FOO, BAR), BAR),
        ((LARGE, BAR, b""), BAR),
    ],
)
def test_the_last_library_of_a_name_counts(
    tmp_path: Path, libraries: Sequence[bytes], last: bytes
) -> None:
    one, several = tmp_path / "one", tmp_path / "several"
    one.mkdir()
    several.mkdir()
    expected = kinds(one, [last])
    assert ("UNDEFINED" in expected) == (last is BAR)
    assert kinds(several, libraries) == expected


def test_names_that_are_no_facts_are_not_kept(tmp_path: Path) -> None:
    """Weak references are not counted, so a wheel may have any number of them."""
    weak = [
        write(Elf(symbols=[Symbol(f"f{number}_{at}" * 40, weak=True) for at in range(1000)]))
        for number in range(12)
    ]
    names = {f"demo/lib{number}.so": data for number, data in enumerate(weak)}
    built = save(tmp_path, wheel(names), wheel_name())
    with Wheel(str(built)) as opened:
        tracemalloc.start()
        try:
            facts = opened.facts()
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
    assert len(facts.elfs) == 12
    assert peak < 2 << 20
