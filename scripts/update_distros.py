"""Write distros.txt, the glibc of each distribution release, from pep600_compliance's data.

update_distros.py PATH

PATH is a Git checkout of mayeut/pep600_compliance on GitHub; its cache folder has a JSON file
for each architecture and release. The releases of Alpine Linux are listed in this script.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Dict, Iterator, List, NamedTuple, Optional, Tuple

from _data import Head, commit_of, parser, write

# The name of a distribution in the data, and its own name. Others have few users.
_NAMES = {
    "almalinux": "AlmaLinux",
    "amazonlinux": "Amazon Linux",
    "archlinux": "Arch Linux",
    "centos": "CentOS",
    "debian": "Debian",
    "fedora": "Fedora",
    "opensuse": "openSUSE Leap",
    "oraclelinux": "Oracle Linux",
    "photon": "Photon",
    "rhubi": "RHEL",
    "rockylinux": "Rocky Linux",
    "ubuntu": "Ubuntu",
}

# That data has no musl. Rows before 3.18 are not confirmed by Alpine's own pages.
_ALPINE = (
    ("Alpine 3.12", "1.1.24"),
    ("Alpine 3.13-3.15", "1.2.2"),
    ("Alpine 3.16-3.17", "1.2.3"),
    ("Alpine 3.18-3.19", "1.2.4"),
    ("Alpine 3.20 and later", "1.2.5"),
)


class Release(NamedTuple):
    """The facts that all architectures of a release share."""

    name: str
    glibc: str
    libstdcxx: str


def name_of(stem: str) -> Optional[str]:
    """Return a release's name; None for releases that are not listed, as development ones."""
    family, _, release = stem.partition("-")
    name = _NAMES.get(family)
    if name is None:
        return None
    if family == "archlinux":  # it has no releases
        return name
    if release.startswith("stream"):
        release = release[len("stream") :]
        name = f"{name} Stream"
    return f"{name} {release}" if release.replace(".", "").isdigit() else None


def newest(versions: List[str]) -> str:
    """Return the newest version such as 3.4.30; others, such as LDBL_3.4.21, are skipped."""
    plain = [version for version in versions if version.replace(".", "").isdigit()]
    return max(plain, key=lambda version: [int(part) for part in version.split(".")])


def read(cache: Path) -> Dict[Release, List[str]]:
    """Map each release to its architectures."""
    found: Dict[Release, List[str]] = {}
    for path in sorted(cache.glob("*/*.json")):
        name = name_of(path.stem)
        if name:
            facts = json.loads(path.read_text(encoding="utf-8"))
            release = Release(name, facts["glibc_version"], newest(facts["symbols"]["GLIBCXX"]))
            found.setdefault(release, []).append(path.parent.name)
    return found


def _order(release: Release) -> Tuple[str, str]:
    return release.name.lower(), release.libstdcxx


def rows(releases: Dict[Release, List[str]]) -> Iterator[str]:
    """Yield the lines of the file below its head."""
    yield "# name<TAB>glibc<TAB>newest GLIBCXX<TAB>architectures; for Alpine Linux name<TAB>musl"
    for release in sorted(releases, key=_order):
        yield "\t".join([*release, " ".join(sorted(releases[release]))])
    for name, musl in _ALPINE:
        yield f"{name}\tmusl {musl}"


def main() -> None:
    """Write the file."""
    made = parser(__doc__)
    made.add_argument("path", type=Path, help="a checkout of pep600_compliance")
    made.add_argument("--commit", help="its commit (as Git says)")
    arguments = made.parse_args()
    releases = read(arguments.path / "cache")
    if not releases:
        raise SystemExit(f"{arguments.path} has no cache/ARCHITECTURE/RELEASE.json")
    commit = arguments.commit or commit_of(arguments.path)
    head = Head(
        "Distribution releases and their glibc, or musl",
        f"pep600_compliance {commit} (MIT)",
        arguments.date,
        "scripts/update_distros.py",
    )
    write(arguments.data / "distros.txt", head, rows(releases))


if __name__ == "__main__":
    main()
