"""Write files that are made from the code, or tell which of them are stale."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Callable, Dict, List, Optional

from _data import REPOSITORY
from _evidence import replace

# Returns what each file has to have.
Files = Callable[[], Dict[Path, str]]


def run(doc: Optional[str], files: Files, refusals: Callable[[], List[str]] = list) -> int:
    """Write the files, or with `--check` name those that are stale; return the exit code.

    `doc` is the docstring of the script. Nothing is written if there are `refusals`.
    """
    parser = argparse.ArgumentParser(description=(doc or "").partition("\n")[0])
    parser.add_argument("--check", action="store_true", help="change nothing, name stale files")
    check = parser.parse_args().check
    lines = refusals()
    print("".join(f"{line}\n" for line in lines), end="")
    if lines:
        return 1
    stale = {path: text for path, text in files().items() if not _has(path, text)}
    for path, text in stale.items():
        name = path.relative_to(REPOSITORY).as_posix()
        if check:
            print(f"{name} is stale: run `python scripts/{Path(sys.argv[0]).name}`")
        else:
            path.parent.mkdir(exist_ok=True)
            replace(path, text)
            print(f"{name} is written")
    return int(check and bool(stale))


def _has(path: Path, text: str) -> bool:
    return path.exists() and path.read_text(encoding="utf-8") == text
