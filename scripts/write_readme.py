"""Write the blocks of README.md that show what the program says: its options, and a report."""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Callable, Dict

from _data import REPOSITORY
from _evidence import replace
from elfwriter import Elf, Symbol, write
from manyshim.options import option_table
from wheelwriter import save, wheel, wheel_name

README = REPOSITORY / "README.md"


def report() -> str:
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
    with tempfile.TemporaryDirectory() as folder:
        path = save(Path(folder), wheel(files), wheel_name())
        done = subprocess.run(
            [sys.executable, "-m", "manyshim", "show", path.name],
            cwd=folder, stdout=subprocess.PIPE, text=True, check=True,
        )  # fmt: skip
    return f"```console\n$ manyshim show dist/{path.name}\n{done.stdout}```\n"


# The marks in README name the blocks.
BLOCKS: Dict[str, Callable[[], str]] = {"options": option_table, "show": report}


def with_block(text: str, name: str, block: str) -> str:
    """Return README's text with another content of one block."""
    marked = re.compile(rf"(<!-- {name}: begin -->\n).*?(<!-- {name}: end -->)", re.DOTALL)
    fresh, count = marked.subn(lambda match: match[1] + block + match[2], text)
    if count != 1:
        raise ValueError(f"README has {count} blocks {name}")
    return fresh


def main() -> int:
    """Write all blocks and say whether README has changed."""
    before = text = README.read_text(encoding="utf-8")
    for name, block in BLOCKS.items():
        text = with_block(text, name, block())
    replace(README, text)
    print("README.md: " + ("no change" if text == before else "written"))
    return 0


if __name__ == "__main__":
    sys.exit(main())
