"""Write windows-dlls.txt, the DLLs of Windows 10 and 11, from the lists of delvewheel's authors.

update_windows_dlls.py DELVEWHEEL/dll_lists

The argument is that folder in a Git checkout of adang1345/delvewheel on GitHub. It has a folder for
each version of Windows, with the names of the files that a fresh installation has.
"""

from __future__ import annotations

from pathlib import Path
from typing import Dict, Iterator, List, Set

from _data import Head, commit_of, parser, write

NOTE = "# Each line: the architectures that have the DLLs in both; 'some' if only an older one has."
# The list of each architecture, in the folders of Windows 10 and of Windows 11.
LISTS = {
    "amd64": ("10/System32.txt", "11/System32.txt"),
    "arm64": ("10-arm64/System32-arm64.txt", "11-arm64/System32-arm64.txt"),
    "x86": ("10/SysWOW64.txt", "11/SysWOW64.txt"),
}
EXTENSIONS = (".dll", ".drv")
_WIDTH = 100


def read(folder: Path) -> Dict[str, Set[str]]:
    """Return the names of each architecture, and under `some` those of all lists; exit if empty."""
    found: Dict[str, Set[str]] = {}
    for arch, (first, second) in LISTS.items():
        found[arch] = names(folder / first) & names(folder / second)
        if not found[arch]:
            raise SystemExit(f"no DLL is in both {first} and {second}")
    found["some"] = set().union(*map(names, folder.glob("*/*.txt")))
    return found


def names(path: Path) -> Set[str]:
    """Return the names in one list, in lower case."""
    lines = path.read_text(encoding="utf-8").lower().split("\n")
    return {line.strip() for line in lines if line.strip().endswith(EXTENSIONS)}


def rows(found: Dict[str, Set[str]]) -> Iterator[str]:
    """Yield the lines of the file below its head."""
    yield NOTE
    groups: Dict[str, List[str]] = {}
    for name in sorted(found["some"]):
        if " " not in name:
            arches = ",".join(arch for arch in LISTS if name in found[arch])
            groups.setdefault(arches or "some", []).append(name)
    for arches, members in sorted(groups.items()):
        line = arches
        for name in members:
            if len(line) + len(name) >= _WIDTH:
                yield line
                line = arches
            line += f" {name}"
        yield line


def main() -> None:
    """Write the file."""
    made = parser(__doc__)
    made.add_argument("path", type=Path, help="the folder dll_lists of a checkout")
    made.add_argument("--commit", help="the checkout's commit (as Git says)")
    arguments = made.parse_args()
    commit = arguments.commit or commit_of(arguments.path)
    head = Head(
        "DLLs that both Windows 10 and Windows 11 have",
        f"dll_lists of delvewheel {commit} (MIT)",
        arguments.date,
        "scripts/update_windows_dlls.py",
    )
    write(arguments.data / "windows-dlls.txt", head, rows(read(arguments.path)))


if __name__ == "__main__":
    main()
