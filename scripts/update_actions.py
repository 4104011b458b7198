"""Write actions.txt, the actions of GitHub that `manyshim ci` pins, from their newest releases.

`git ls-remote` is asked for the tags of each repository in the file; the newest release is the
highest `v1.2.3`, and pre-releases do not count. `--check` changes nothing, and exits with 1 if
there is a newer release or another commit. `--at URL` names another place for the repositories.
"""

from __future__ import annotations

import re
import subprocess
import sys
from typing import Dict, List, Tuple

from _data import REPOSITORY, Head, parser, records, write

FILE = "actions.txt"
DATA = REPOSITORY / "backend" / "manyshim" / "release" / "data"
PLACE = "https://github.com"
_TAG = re.compile(r"([0-9a-f]{40})\trefs/tags/(v\d+\.\d+\.\d+)(\^\{\})?")


def main() -> int:
    """Write the file, or compare it; return the exit code."""
    made = parser(__doc__)
    made.set_defaults(data=DATA)
    made.add_argument("--at", default=PLACE, metavar="URL", help=f"instead of {PLACE}")
    made.add_argument("--check", action="store_true", help="change nothing, list the changes")
    arguments = made.parse_args()
    path = arguments.data / FILE
    known = {name: (version, commit) for name, version, commit in map(str.split, records(path))}
    found = {name: newest(f"{arguments.at}/{name}") for name in sorted(known)}
    for name, (version, commit) in found.items():
        old = known[name]
        if key(version) < key(old[0]):
            raise SystemExit(f"{name}: its newest release is {version}, and the file has {old[0]}")
        if version == old[0] and commit != old[1]:
            print(f"{name}: {version} was moved from {old[1]} to {commit}")
        elif version != old[0]:
            print(f"{name}: {old[0]} -> {version}")
    if arguments.check:
        return int(found != known)
    versions = ", ".join(f"{name} {version}" for name, (version, _) in found.items())
    head = Head(
        "The actions of `manyshim ci github`, each with its release and the commit of that",
        f"the tags {versions}",
        arguments.date,
        "scripts/update_actions.py",
    )
    write(path, head, lines(found))
    return 0


def newest(repository: str) -> Tuple[str, str]:
    """Return the newest release of a repository, and its commit."""
    command = ["git", "ls-remote", "--tags", "--", repository]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{repository}: the tags cannot be read")
    commits: Dict[str, str] = {}
    for line in done.stdout.splitlines():
        match = _TAG.fullmatch(line)
        # An annotated tag has a line for itself, and one with ^{} for its commit.
        if match and (match[3] or match[2] not in commits):
            commits[match[2]] = match[1]
    if not commits:
        raise SystemExit(f"{repository}: has no tag such as v1.2.3")
    version = max(commits, key=key)
    return version, commits[version]


def key(version: str) -> List[int]:
    """Return the numbers of a version."""
    return list(map(int, re.findall(r"\d+", version)))


def lines(found: Dict[str, Tuple[str, str]]) -> List[str]:
    """Return the rows of the file."""
    return [" ".join((name, *pair)) for name, pair in found.items()]


if __name__ == "__main__":
    sys.exit(main())
