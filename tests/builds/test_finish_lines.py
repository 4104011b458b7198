"""A build that has nothing to say loads no lines. It must print what the lines would have been."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any, Dict, List, Tuple

import pytest

from elfwriter import Elf, Symbol, write
from manyshim import build
from manyshim.audit.request import Compiled
from manyshim.audit.tags import parse_platform
from manyshim.config import Config
from manyshim.errors import NotCompliantError
from manyshim.workspace import private_folder
from wheelwriter import wheel, wheel_name

SO = "demo/_x.cpython-311-x86_64-linux-gnu.so"
INIT = Symbol("PyInit__x", defined=True)
LIBC = Symbol("malloc", "libc.so.6", "GLIBC_2.17")
GOOD = Elf(needed=("libc.so.6",), symbols=(LIBC, INIT))
FILES: Dict[str, Elf] = {
    "nothing to say": GOOD,
    "an older policy": replace(GOOD, symbols=(INIT,)),
    "the oldest policy": replace(GOOD, symbols=(Symbol("free", "libc.so.6", "GLIBC_2.2.5"), INIT)),
    "between two policies": replace(
        GOOD, symbols=(Symbol("gettid", "libc.so.6", "GLIBC_2.30"), INIT)
    ),
    "no policy": replace(GOOD, needed=("libc.so.6", "libfoo.so.1")),
    "a warning": replace(GOOD, needed=("libc.so.6", "libX11.so.6")),
    "an info": replace(GOOD, runpath="$ORIGIN/../nowhere"),
    "an error": replace(GOOD, symbols=(LIBC,)),
}
COMPILED = Compiled("x86_64-linux-gnu")
OPTIONS: Tuple[Dict[str, Any], ...] = (
    {},
    {"mode": "audit"},
    {"explain": "never"},
    {"naming": "exact"},
    {"strict": True, "expects_code": True},
    {"platform": parse_platform("manylinux_2_17_x86_64")},
    {"platform": parse_platform("manylinux_2_28_x86_64")},
    {"platform": parse_platform("manylinux_2_5_x86_64")},
    {"platform": parse_platform("manylinux_2_28_x86_64"), "compiled": COMPILED},
    {"platform": parse_platform("manylinux_2_17_x86_64"), "compiled": COMPILED},
)


def said(folder: Path, data: bytes, options: Dict[str, Any]) -> List[Any]:
    """Finish a wheel; return its lines, or those of its error, and the report."""
    folder.mkdir()
    report = folder / "report.json"
    with private_folder(str(folder / "dist")) as private:
        built = Path(private, wheel_name())
        built.write_bytes(data)
        config = Config(report=str(report), **options)
        try:
            lines: List[str] = build.finish(str(built), str(folder / "dist"), config).lines
        except NotCompliantError as error:
            lines = list(error.lines)
    return [lines, json.loads(report.read_text(encoding="utf-8"))]


@pytest.mark.parametrize("name", FILES)
def test_both_ways_say_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    data = wheel({SO: write(FILES[name])})
    quick = [said(tmp_path / f"quick{at}", data, one) for at, one in enumerate(OPTIONS)]
    monkeypatch.setattr(build, "_has_no_lines", lambda *_: False)
    slow = [said(tmp_path / f"slow{at}", data, one) for at, one in enumerate(OPTIONS)]
    assert quick == slow


def test_the_quick_way_is_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Otherwise the comparison would show nothing."""
    taken: List[bool] = []
    decide = build._has_no_lines  # noqa: SLF001

    def watched(*given: Any) -> bool:
        taken.append(decide(*given))
        return taken[-1]

    monkeypatch.setattr(build, "_has_no_lines", watched)
    for name, elf in FILES.items():
        said(tmp_path / name, wheel({SO: write(elf)}), {})
    assert set(taken) == {True, False}
