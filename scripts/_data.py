"""Read the heads of data files and write the files, for the scripts that update them."""

from __future__ import annotations

import argparse
import datetime as dt
import os
import re
import subprocess
from pathlib import Path
from typing import Iterable, List, NamedTuple, Optional

REPOSITORY = Path(__file__).resolve().parent.parent
DATA = REPOSITORY / "backend" / "manyshim" / "audit" / "data"

_HEAD = re.compile(
    r"# (.+)\. Source: (.+), taken on (\d{4}-\d\d-\d\d)\. Written by (scripts/\w+\.py)"
)


class Head(NamedTuple):
    """The first line of a data file: its content, its source, the date, and the script."""

    what: str
    source: str
    date: str
    script: str

    def __str__(self) -> str:
        source = f"Source: {self.source}, taken on {self.date}"
        return f"# {self.what}. {source}. Written by {self.script}"


def parser(description: Optional[str]) -> argparse.ArgumentParser:
    """Return a parser with the options that every script has."""
    made = argparse.ArgumentParser(
        description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    made.add_argument(
        "--data", type=Path, default=DATA, metavar="FOLDER", help="write here (the package's data)"
    )
    made.add_argument(
        "--date",
        default=dt.datetime.now(tz=dt.timezone.utc).date().isoformat(),
        help="the day on which a new source was taken (today)",
    )
    return made


def read_head(path: Path) -> Optional[Head]:
    """Return a data file's head; None without a file or without a head."""
    if not path.exists():
        return None
    found = _HEAD.fullmatch(path.read_text(encoding="utf-8").partition("\n")[0])
    return Head(*found.groups()) if found else None


def records(path: Path) -> List[str]:
    """List a data file's lines, without comments and blank lines."""
    lines = path.read_text(encoding="utf-8").splitlines()
    return [line for line in lines if line and not line.startswith("#")]


def write(path: Path, head: Head, lines: Iterable[str]) -> None:
    """Write a data file completely or not at all, and print whether it changed.

    The date is kept while the source is the same, so that a second run changes no byte.
    """
    known = read_head(path)
    if known is not None and known.source == head.source:
        head = head._replace(date=known.date)
    data = "".join(f"{line}\n" for line in (str(head), *lines)).encode("utf-8")
    if path.exists() and path.read_bytes() == data:
        print(f"{path.name}: no change, {head.source}")
        return
    draft = path.with_name(f"{path.name}.draft")
    draft.write_bytes(data)
    os.replace(str(draft), str(path))
    print(f"{path.name}: written, {head.source}")


def commit_of(path: Path) -> str:
    """Return the commit of the Git checkout that a path is in, with its date."""
    folder = path if path.is_dir() else path.parent
    command = ["git", "-C", str(folder), "log", "-1", "--format=%H %cs"]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{folder} is not in a Git checkout: pass --commit")
    commit, date = done.stdout.split()
    return f"{commit[:12]} of {date}"
