"""A build corrects RECORD when it retags a wheel, tells so, and verifies no hash."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Callable, Dict, List, Tuple

import pytest

from elfwriter import Elf, Symbol, write
from manyshim import build, config
from manyshim.workspace import private_folder
from wheelwriter import wheel, wheel_name

EXTENSION = "demo/_x.abi3.so"
FILES = {"demo/__init__.py": b"VALUE = 1\n", EXTENSION: write(Elf(needed=("libc.so.6",)))}
NEW = "RECORD is made anew from the archive: "


def finish(
    folder: Path, edit: Callable[[str], str], settings: Dict[str, str]
) -> Tuple[List[str], Path]:
    """Finish a wheel as the hook does; return the lines and the finished wheel."""
    (folder / "pyproject.toml").write_text("")
    resolved = config.load(settings, {}, str(folder))
    dist = folder / "dist"
    with private_folder(str(dist)) as private:
        built = Path(private, wheel_name())
        built.write_bytes(wheel(FILES, edit_record=edit))
        result = build.finish(str(built), str(dist), resolved)
    return result.lines, dist / result.filename


def record(path: Path) -> List[str]:
    with zipfile.ZipFile(path) as archive:
        return archive.read("demo-1.0.dist-info/RECORD").decode().splitlines()


def stale(text: str) -> str:
    """Return RECORD with the row of a file that was changed after it was written."""
    lines = text.splitlines(keepends=True)
    return "".join((f"demo/__init__.py,sha256={'A' * 43},10\n", *lines[1:]))


EDITS: Dict[str, Tuple[Callable[[str], str], str]] = {
    "missing": (lambda text: text.partition("\n")[2], "1 row added"),
    "surplus": (lambda text: f"ghost,,\n{text}", "1 row removed"),
    "size": (lambda text: text.replace(",10\n", ",7\n"), "1 size corrected"),
}


@pytest.mark.parametrize("case", EDITS)
def test_record_is_corrected_with_a_line(case: str, tmp_path: Path) -> None:
    edit, what = EDITS[case]
    lines, path = finish(tmp_path, edit, {})
    assert f"{NEW}{what}" in lines
    (tmp_path / "plain").mkdir()
    assert record(path) == record(finish(tmp_path / "plain", str, {})[1])


@pytest.mark.parametrize("edit", [str, lambda text: "".join(sorted(text.splitlines(True)))])
def test_a_record_without_a_fault_has_no_line(edit: Callable[[str], str], tmp_path: Path) -> None:
    assert not [line for line in finish(tmp_path, edit, {})[0] if "RECORD" in line]


def test_what_is_only_audited_is_not_corrected(tmp_path: Path) -> None:
    lines, path = finish(tmp_path, EDITS["missing"][0], {"manyshim.mode": "audit"})
    assert path.name == wheel_name()
    assert not [line for line in lines if NEW in line]


def test_no_hash_is_verified(tmp_path: Path) -> None:
    lines, path = finish(tmp_path, stale, {})
    assert f"demo/__init__.py,sha256={'A' * 43},10" in record(path)
    assert not [line for line in lines if "RECORD" in line]


@pytest.mark.parametrize(
    ("settings", "line"),
    [
        ("libfoo.so", "warning: exclude libfoo.so matches no library; near: libfoo.so.1"),
        ("libfoo.so.1", None),
        ("libcuda.so*", None),
    ],
)
def test_a_pattern_that_misses_its_library_has_a_line(
    settings: str, line: str, tmp_path: Path
) -> None:
    symbols = (Symbol("malloc", "libc.so.6", "GLIBC_2.2.5"),)
    elf = write(Elf(needed=("libc.so.6", "libfoo.so.1"), symbols=symbols))
    (tmp_path / "pyproject.toml").write_text(f'[tool.manyshim]\nexclude = ["{settings}"]\n')
    resolved = config.load({}, {}, str(tmp_path))
    with private_folder(str(tmp_path / "dist")) as private:
        built = Path(private, wheel_name())
        built.write_bytes(wheel({EXTENSION: elf}))
        lines = build.finish(str(built), str(tmp_path / "dist"), resolved).lines
    found = [one for one in lines if "matches no library" in one]
    assert found == ([line] if line else [])
