"""Systems with the databases of package managers."""

from __future__ import annotations

from pathlib import Path
from typing import Dict, Optional

from manyshim.repair.sbom.packages import Distro, Package, Packages

DEBIAN = Distro("debian", "12")


def owner(path: str, sysroot: Optional[str] = None) -> Optional[Package]:
    return Packages(sysroot).owner(path)


def system(root: Path, files: Dict[str, str]) -> str:
    """Write a sysroot; a text that begins with "->" becomes a link to the rest of the text."""
    for path, text in files.items():
        target = root / path.lstrip("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        if text.startswith("->"):
            target.symlink_to(text[2:])
        else:
            target.write_bytes(text.encode("utf-8", "surrogateescape"))
    return str(root)


def status(name: str, version: str, arch: str = "amd64", state: str = "installed") -> str:
    return (
        f"Package: {name}\nStatus: install ok {state}\nArchitecture: {arch}\n"
        f"Version: {version}\nDescription: it\n Package: other\n\n"
    )


def debian(root: Path, lists: Dict[str, str], more: Optional[Dict[str, str]] = None) -> str:
    """Write a merged Debian 12 with packages (`name` or `name:arch`), all of version 1-1."""
    paragraphs = [status(name.partition(":")[0], "1-1") for name in lists]
    return system(
        root,
        {
            "/lib": "->usr/lib",
            "/usr/lib/os-release": "NAME='D'\nID=debian\nVERSION_ID=\"12\"\n",
            "/etc/os-release": "->../usr/lib/os-release",
            "/var/lib/dpkg/status": "".join(paragraphs),
            **{f"/var/lib/dpkg/info/{name}.list": text for name, text in lists.items()},
            **(more or {}),
        },
    )
