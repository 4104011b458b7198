"""Write abi3.txt, the names of CPython's stable ABI, from the installed abi3info.

To follow another release: pip install abi3info==VERSION, then run this script.
"""

from __future__ import annotations

from importlib import metadata
from typing import Dict, Iterator, Set, Tuple

import abi3info

from _data import Head, parser, write


def names_by_version() -> Dict[Tuple[int, int], Set[str]]:
    """Map each version of Python to the functions and data that it added to the stable ABI."""
    found: Dict[Tuple[int, int], Set[str]] = {}
    for members in (abi3info.FUNCTIONS, abi3info.DATAS):
        for symbol, member in members.items():
            version = (member.added.major, member.added.minor)
            found.setdefault(version, set()).add(symbol.linux)
    return found


def pack(names: Dict[Tuple[int, int], Set[str]]) -> Iterator[str]:
    """Yield a line for each version, oldest first."""
    for (major, minor), added in sorted(names.items()):
        yield " ".join([f"{major}.{minor}", *sorted(added)])


def main() -> None:
    """Write the file."""
    arguments = parser(__doc__).parse_args()
    names = names_by_version()
    newest = ".".join(map(str, max(names)))
    head = Head(
        f"The names of the stable ABI as of CPython {newest}, behind the version that added them",
        f"abi3info {metadata.version('abi3info')} (MIT)",
        arguments.date,
        "scripts/update_abi3.py",
    )
    write(arguments.data / "abi3.txt", head, pack(names))


if __name__ == "__main__":
    main()
