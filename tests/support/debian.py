"""Unpack Debian's packages and sources of any suite and architecture, without root permissions."""

from __future__ import annotations

import fcntl
import os
import re
import shutil
import subprocess
from contextlib import contextmanager
from pathlib import Path
from typing import Dict, Iterator, List, Tuple

import needs

# Dependencies that the tests do not need. apt reads that they are installed.
_NOT_NEEDED = ("debconf", "dpkg", "tzdata")
_INSTALLED = """\
Package: {}
Status: install ok installed
Version: 99
Architecture: all
Multi-Arch: foreign
Maintainer: nobody
Description: not installed

"""
_CONF = """\
APT::Architecture "{arch}";
APT::Architectures {{"{arch}";}};
APT::Sandbox::User "";
APT::Install-Recommends "false";
Acquire::Languages "none";
Dir::State "{apt}/state";
Dir::State::status "{apt}/status";
Dir::Cache "{apt}/cache";
Dir::Etc::sourcelist "{apt}/own.sources";
Dir::Etc::sourceparts "{apt}/none";
"""


def cache(name: str) -> Path:
    """Return a folder that is kept between runs: creating a system takes minutes."""
    chosen = os.environ.get("MANYSHIM_TEST_SYSTEMS")
    home = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    return Path(chosen or os.path.join(home, "manyshim-tests")) / name


@contextmanager
def making(folder: Path) -> Iterator[bool]:
    """Lock a folder for one process, and yield whether the block must fill it.

    The folder is complete when the block ends without an error. An incomplete one is deleted.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    with open(f"{folder}.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        done = folder / "done"
        if done.exists():
            yield False
            return
        shutil.rmtree(str(folder), ignore_errors=True)
        folder.mkdir()
        yield True
        done.touch()


def debian(folder: Path, arch: str, packages: Tuple[str, ...], suite: str = "bookworm") -> Path:
    """Unpack packages and dependencies from this machine's package source; return their root."""
    root = folder / "root"
    with making(folder) as new:
        if new:
            command = ("install", "--download-only", "-y", *packages)
            for path in _download(folder / "apt", arch, suite, command, "cache/archives/*.deb"):
                subprocess.run(["dpkg", "-x", str(path), str(root)], check=True)
            shutil.rmtree(str(folder / "apt"))
    return root


def debian_source(folder: Path, package: str, suite: str = "bookworm") -> Path:
    """Unpack the upstream source of a package, without Debian's changes."""
    source = folder / "source"
    with making(folder) as new:
        if new:
            command = ("source", "--download-only", "--tar-only", package)
            needs.tool("xz", "xz-utils")
            (path,) = _download(folder / "apt", _arch(), suite, command, "*.orig.tar.*")
            source.mkdir()
            strip = ["tar", "-xf", str(path), "--strip-components=1", "--no-same-owner"]
            subprocess.run([*strip, "-C", str(source)], check=True)
            shutil.rmtree(str(folder / "apt"))
    return source


def _arch() -> str:
    command = [needs.tool("dpkg", "dpkg"), "--print-architecture"]
    return subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout.strip()


def _download(
    apt: Path, arch: str, suite: str, command: Tuple[str, ...], pattern: str
) -> List[Path]:
    """Download files with apt-get into a folder; return them; skip the test if that fails."""
    needs.tool("apt-get", "apt")
    needs.tool("dpkg", "dpkg")
    for name in ("state/lists/partial", "cache/archives/partial", "none"):
        (apt / name).mkdir(parents=True)
    (apt / "status").write_text("".join(map(_INSTALLED.format, _NOT_NEEDED)))
    (apt / "conf").write_text(_CONF.format(arch=arch, apt=apt))
    kind = "deb-src" if command[0] == "source" else "deb"
    (apt / "own.sources").write_text(_sources(suite, kind))
    for words in (("update",), command):
        done = subprocess.run(
            ["apt-get", "-q", *words],
            cwd=str(apt),
            env={**os.environ, "APT_CONFIG": str(apt / "conf"), "LC_ALL": "C.UTF-8"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        # apt-get reports a failed update as a warning only.
        if done.returncode or "\nW: Failed to fetch" in f"\n{done.stderr}":
            needs.unmet(f"apt-get {words[0]} for {suite} {arch}: {done.stderr.strip()[-300:]}")
    return sorted(apt.glob(pattern))


def _sources(suite: str, kind: str) -> str:
    """Return this machine's package source, changed to another suite and kind of file."""
    own = _codename()
    for path in sorted([Path("/etc/apt/sources.list"), *Path("/etc/apt/sources.list.d").glob("*")]):
        if path.suffix == ".sources":
            for stanza in re.split(r"\n\s*\n", path.read_text()):
                fields = _fields(stanza)
                if own in fields.get("suites", "").split():
                    changed = {"types": kind, "suites": suite, "components": "main"}
                    return "".join(f"{k}: {v}\n" for k, v in {**fields, **changed}.items())
        elif path.suffix == ".list" and path.exists():
            line = re.compile(rf"^deb\s+(?:\[(.*)\]\s+)?(\S+)\s+{own}\s", re.MULTILINE)
            found = line.search(path.read_text())
            if found:
                options = re.findall(r"(signed-by|trusted)=(\S+)", found.group(1) or "")
                more = "".join(f"{name}: {value}\n" for name, value in options)
                place = f"Types: {kind}\nURIs: {found.group(2)}\nSuites: {suite}\n"
                return f"{place}Components: main\n{more}"
    return needs.unmet(f"this machine's apt has no source of {own or 'a named suite'}")


def _fields(stanza: str) -> Dict[str, str]:
    lines = [line for line in stanza.splitlines() if not line.startswith("#")]
    found = re.findall(r"^([\w-]+):\s*(.*(?:\n[ \t].*)*)", "\n".join(lines), re.MULTILINE)
    kept = ("uris", "suites", "signed-by", "trusted", "check-valid-until")
    return {name.lower(): value for name, value in found if name.lower() in kept}


def _codename() -> str:
    text = Path("/etc/os-release").read_text()
    found = re.search(r'^VERSION_CODENAME="?(\w+)', text, re.MULTILINE)
    return found.group(1) if found else ""
