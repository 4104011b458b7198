"""Write the blocks of pages that show what the program prints: its options, and a report."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
import textwrap
from functools import partial
from pathlib import Path
from typing import Callable, Dict, NamedTuple

from _data import REPOSITORY
from _evidence import replace
from backendprojects import create
from elfwriter import Elf, Symbol, write
from manyshim.adopt.table import backend_table, sdist_table
from manyshim.options import option_table
from wheelwriter import save, wheel, wheel_name
from write_findings import summary_table

# Markdown lines end here, also those of a program's output.
_WIDTH = 100


def report() -> str:
    """Show a wheel like many: it needs three symbols, each from another release of glibc."""
    needs = [("pthread_create", "GLIBC_2.34"), ("fcntl64", "GLIBC_2.28"), ("memcpy", "GLIBC_2.14")]
    extension = Elf(
        needed=("libc.so.6",),
        symbols=(
            Symbol("PyInit__fast", defined=True),
            *(Symbol(name, library="libc.so.6", version=version) for name, version in needs),
        ),
    )
    files = {"demo/_fast.cpython-311-x86_64-linux-gnu.so": write(extension)}
    with tempfile.TemporaryDirectory() as folder:
        path = save(Path(folder), wheel(files), wheel_name())
        done = subprocess.run(
            [sys.executable, "-m", "manyshim", "show", path.name],
            cwd=folder, stdout=subprocess.PIPE, text=True, check=True,
        )  # fmt: skip
    lines = "".join(f"{_folded(line)}\n" for line in done.stdout.splitlines())
    return f"```console\n$ manyshim show dist/{path.name}\n{lines}```\n"


# A project for `manyshim config`, and the variables of its build.
_PROJECT = """[build-system]
requires = ["manyshim", "meson-python"]
build-backend = "manyshim.backend"

[project]
name = "demo"

[tool.manyshim]
backend = "mesonpy"
exclude = ["libcuda.so.*"]

[tool.uv]
config-settings = { "manyshim.strict" = "true", "manyshim.project" = "demo" }
"""
_VARIABLES = {"AUDITWHEEL_PLAT": "manylinux_2_28_x86_64", "MANYSHIM_EXPLAIN": "never"}


def options_of_a_project() -> str:
    """Show `manyshim config` for a project that sets options in several places."""
    kept = {key: value for key, value in os.environ.items() if key in ("PATH", "SYSTEMROOT")}
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "pyproject.toml").write_text(_PROJECT, encoding="utf-8")
        done = subprocess.run(
            [sys.executable, "-m", "manyshim", "config", "-C", "manyshim.strip=debug"],
            cwd=folder, env={**kept, **_VARIABLES}, stdout=subprocess.PIPE, text=True, check=True,
        )  # fmt: skip
    return f"```console\n$ manyshim config -C manyshim.strip=debug\n{done.stdout}```\n"


def first_change() -> str:
    """Show what `init` prints for a small project of meson-python."""
    with tempfile.TemporaryDirectory() as folder:
        create("meson-python", Path(folder))
        done = subprocess.run(
            [sys.executable, "-m", "manyshim", "init"],
            cwd=folder, stdout=subprocess.PIPE, text=True, check=True,
        )  # fmt: skip
    lines = "".join(f"{_folded(line)}\n" for line in done.stdout.splitlines())
    return f"```console\n$ manyshim init\n{lines}```\n"


def _folded(line: str) -> str:
    """Wrap a long line, and indent what follows."""
    indent = line[: len(line) - len(line.lstrip())] + "    "
    return textwrap.fill(
        line,
        _WIDTH,
        subsequent_indent=indent,
        drop_whitespace=True,
        break_long_words=False,
        break_on_hyphens=False,
    )


class Block(NamedTuple):
    """A part of a page between two marks, and the function that writes it."""

    page: Path
    write: Callable[[], str]


# The marks in the pages name the blocks.
BLOCKS: Dict[str, Block] = {
    "options": Block(REPOSITORY / "docs" / "options.md", option_table),
    "backends": Block(REPOSITORY / "README.md", partial(backend_table, short=True)),
    "all-backends": Block(REPOSITORY / "docs" / "adoption.md", backend_table),
    "sdists": Block(REPOSITORY / "docs" / "adoption.md", sdist_table),
    "init": Block(REPOSITORY / "docs" / "adoption.md", first_change),
    "show": Block(REPOSITORY / "docs" / "command-line.md", report),
    "findings": Block(REPOSITORY / "docs" / "audit.md", summary_table),
    "config": Block(REPOSITORY / "docs" / "command-line.md", options_of_a_project),
}


def with_block(text: str, name: str, block: str) -> str:
    """Return a page's text with new content in one block."""
    marked = re.compile(rf"(<!-- {name}: begin -->\n).*?(<!-- {name}: end -->)", re.DOTALL)
    fresh, count = marked.subn(lambda match: match[1] + block + match[2], text)
    if count != 1:
        raise ValueError(f"the page has {count} blocks {name}, not one")
    return fresh


def main() -> int:
    """Write all blocks, and print which pages have changed."""
    for name, (page, write_block) in BLOCKS.items():
        before = page.read_text(encoding="utf-8")
        text = with_block(before, name, write_block())
        replace(page, text)
        change = "no change" if text == before else "written"
        print(f"{page.relative_to(REPOSITORY)}: {name}: {change}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
