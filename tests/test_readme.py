"""What README shows is what the program says. UPDATE_README=1 in the environment writes it anew."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Callable, Dict

import pytest

from elfwriter import Elf, Symbol, write
from manyshim import __version__
from manyshim.options import option_table
from paths import REPOSITORY
from wheelwriter import save, wheel, wheel_name

README = REPOSITORY / "README.md"


def options(_: Path) -> str:
    return option_table()


def show(folder: Path) -> str:
    """Show a wheel like many: a thread, a file, a modern symbol, a library from nowhere."""
    needs = [("pthread_create", "GLIBC_2.34"), ("fcntl64", "GLIBC_2.28"), ("memcpy", "GLIBC_2.14")]
    extension = Elf(
        needed=("libc.so.6",),
        symbols=(
            Symbol("PyInit__fast", defined=True),
            *(Symbol(name, library="libc.so.6", version=version) for name, version in needs),
        ),
    )
    files = {"demo/_fast.cpython-311-x86_64-linux-gnu.so": write(extension)}
    path = save(folder, wheel(files), wheel_name())
    done = subprocess.run(
        [sys.executable, "-m", "manyshim", "show", path.name],
        cwd=str(folder),
        capture_output=True,
        text=True,
        check=True,
    )
    return f"```console\n$ manyshim show dist/{path.name}\n{done.stdout}```\n"


def test_the_version_is_said_once_and_again() -> None:
    pyproject = (README.parent / "pyproject.toml").read_text(encoding="utf-8")
    assert f'\nversion = "{__version__}"\n' in pyproject


SECTIONS: Dict[str, Callable[[Path], str]] = {"options": options, "show": show}


@pytest.mark.parametrize("name", SECTIONS)
def test_readme_shows_what_is_said(name: str, tmp_path: Path) -> None:
    text = README.read_text(encoding="utf-8")
    marked = re.compile(rf"(<!-- {name}: begin -->\n).*?(<!-- {name}: end -->)", re.DOTALL)
    fresh = marked.sub(lambda match: match[1] + SECTIONS[name](tmp_path) + match[2], text)
    if os.environ.get("UPDATE_README"):
        README.write_text(fresh, encoding="utf-8")
    assert marked.search(text), f"README has no block {name}"
    assert text == fresh, "README is stale: UPDATE_README=1 pytest tests/test_readme.py"
