"""Find the distribution's package that contains a file: dpkg, apk, rpm.

Text databases are read directly. That works in sysroots and without the tools of the distribution.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from typing import Dict, Iterable, Iterator, List, Optional, Tuple

from manyshim.repair.links import resolve
from manyshim.repair.sbom import copyright as notices
from manyshim.repair.sbom.filelists import MAX_DATABASE, FileLists, content, decoded, without_nul
from manyshim.values import NamedTuple

_DPKG = "/var/lib/dpkg"
_APK = ("/lib/apk/db/installed", "/usr/lib/apk/db/installed")
_RPM = ("/usr/lib/sysimage/rpm", "/var/lib/rpm")
_RPM_FILES = ("rpmdb.sqlite", "Packages.db", "Packages")
# rpm prints "(none)" for a missing field; the epoch is printed only if there is one.
_RPM_FORMAT = r"%{NAME}\t%|EPOCH?{%{EPOCH}:}|%{VERSION}-%{RELEASE}\t%{ARCH}\t%{LICENSE}\n"
_RPM_SECONDS = 20

# The largest of 700 copyright files, that of boost, has 2 MB.
_MAX_COPYRIGHT = 16 << 20


class Distro(NamedTuple):
    """ID and VERSION_ID of os-release(5); empty if they are not stated."""

    id: str = ""
    version: str = ""


class Package(NamedTuple):
    """An installed package; unknown fields are empty.

    `kind` is "deb", "rpm" or "apk". `version` is what the package manager prints, with the epoch if
    there is one. `licenses` are those of the file that was searched, spelled as in the package.
    """

    kind: str
    name: str
    version: str
    arch: str = ""
    distro: Distro = Distro()
    licenses: Tuple[str, ...] = ()


class Packages:
    """The packages of this system or of a sysroot. A database is read once, when it is needed.

    `search_path` is where rpm is searched, in the format of PATH; None means PATH itself.
    """

    def __init__(self, sysroot: Optional[str] = None, search_path: Optional[str] = None) -> None:
        self._given = os.path.abspath(sysroot or "/").rstrip("/")
        self._root = os.path.realpath(sysroot or "/").rstrip("/")
        self._rpm = shutil.which("rpm", path=search_path)
        self._texts: Dict[str, bytes] = {}
        folder = self._resolve(f"{_DPKG}/info")
        self._lists = FileLists(self._root + folder, lambda name: self._read(f"{folder}/{name}"))

    def owners(self, paths: Iterable[str]) -> Dict[str, Optional[Package]]:
        """Return what `owner` returns for each path; the file lists are read once for all."""
        places = {path: self._inside(path) for path in paths}
        self._lists.search(map(os.path.basename, filter(None, places.values())))
        return {path: self.owner(path) for path in places}

    def owner(self, path: str) -> Optional[Package]:
        """Return the package of a file; None if no package lists it, or several do.

        `path` begins with the sysroot; links are followed.
        """
        place = self._inside(path)
        if not place:
            return None
        names = list(self._spellings(place))
        return self._dpkg_owner(names) or self._apk_owner(names) or self._rpm_owner(names)

    def _inside(self, path: str) -> str:
        """Return a file's path below the root, without links; empty if it cannot be there."""
        path = os.path.abspath(path)
        try:
            os.fsencode(path)
        except ValueError:  # this machine's encoding cannot express the name
            return ""
        roots = (root for root in (self._given, self._root) if path.startswith(root + "/"))
        return next((self._resolve(path[len(root) :]) for root in roots), "")

    def _resolve(self, path: str) -> str:
        """Follow links as a process does whose root folder is the sysroot."""
        return resolve(self._root, path, strict=False) or "/"

    def _spellings(self, path: str) -> Iterator[str]:
        """Yield a file's path, and the path with or without /usr if both folders are the same."""
        yield path
        other = path[len("/usr") :] if path.startswith("/usr/") else "/usr" + path
        folder, other_folder = (name.rpartition("/")[0] for name in (path, other))
        if self._resolve(other_folder) == self._resolve(folder):
            yield other

    def _read(self, path: str, at_most: int = MAX_DATABASE) -> bytes:
        """Return a file's content; empty if it cannot be read."""
        return content(self._root + self._resolve(path), at_most)

    def _database(self, path: str) -> bytes:
        """Return a database with a newline before and after each line, by which it is found."""
        if path not in self._texts:
            self._texts[path] = b"\n" + without_nul(self._read(path)) + b"\n\n"
        return self._texts[path]

    def _distro(self) -> Distro:
        release = self._read("/etc/os-release") or self._read("/usr/lib/os-release")
        stated: Dict[str, str] = {}
        for line in decoded(without_nul(release)).split("\n"):
            key, _, value = line.strip().partition("=")
            if value[:1] in ("'", '"') and value[-1:] == value[:1]:
                value = value[1:-1]
            stated[key] = value
        return Distro(stated.get("ID", ""), stated.get("VERSION_ID", ""))

    def _dpkg_owner(self, names: Iterable[str]) -> Optional[Package]:
        """Look in dpkg's database: its file lists, diversions and status (dpkg(1), "Files")."""
        found = {package: name for name in names for package in self._dpkg_owners(name)}
        facts = (self._dpkg_facts(*one) for one in sorted(found.items()))
        return _unambiguous([package for packages in facts for package in packages])

    def _dpkg_owners(self, path: str) -> Iterator[str]:
        """Yield the packages that installed the file at a path, as `name` or `name:arch`."""
        base, diverted_by = os.path.basename(path), None
        for original, diverted, by in self._diversions():
            if not {os.path.basename(original), os.path.basename(diverted)} & {base}:
                continue
            if path in self._spellings(diverted):
                for name in self._spellings(original):
                    yield from (p for p in self._lists.packages(name) if p.partition(":")[0] != by)
            if path in self._spellings(original):
                diverted_by = by
        for package in self._lists.packages(path):
            if diverted_by in (None, package.partition(":")[0]):
                yield package

    def _diversions(self) -> Iterator[Tuple[str, str, str]]:
        """Yield the original path, the path after the diversion, and the package that asked."""
        # Each has three lines, so a line cannot be dropped alone.
        lines = self._read(f"{_DPKG}/diversions").split(b"\n")
        for three in zip(lines[::3], lines[1::3], lines[2::3]):
            if not any(b"\0" in line for line in three):
                original, diverted, by = map(os.fsdecode, three)
                yield original, diverted, by

    def _dpkg_facts(self, package: str, path: str) -> Iterator[Package]:
        name, _, arch = package.partition(":")
        for paragraph in _paragraphs(self._database(f"{_DPKG}/status"), f"Package: {name}"):
            state = (notices.field(paragraph, "Status") or "").split()[-1:]
            of_arch = notices.field(paragraph, "Architecture") or ""
            if state in (["config-files"], ["not-installed"]) or (arch or of_arch) != of_arch:
                continue
            version = notices.field(paragraph, "Version") or ""
            notice = self._read(f"/usr/share/doc/{name}/copyright", _MAX_COPYRIGHT)
            notice = without_nul(notice)
            source = (notices.field(paragraph, "Source") or name).partition(" ")[0]
            stated = notices.licences(decoded(notice), os.path.basename(path), source)
            yield Package("deb", name, version, of_arch, self._distro(), stated)

    def _apk_owner(self, names: Iterable[str]) -> Optional[Package]:
        """Look in apk's text database: the files (R) follow their folder (F) (apk-package(5))."""
        text = next((data for data in map(self._database, _APK) if data.strip()), b"")
        found: List[Package] = []
        for folder, _, name in (os.fsencode(name[1:]).rpartition(b"/") for name in names):
            line = b"\nF:%b\n" % folder
            position = text.find(line)
            while position >= 0:
                end = text.index(b"\n\n", position)
                following = text.find(b"\nF:", position + 1, end)
                if b"\nR:%b\n" % name in text[position : (following if following > 0 else end) + 1]:
                    paragraph = decoded(text[text.rfind(b"\n\n", 0, position) + 2 : end])
                    # The first field of each letter is the package's; letters are case-sensitive.
                    fields = {row[:2]: row[2:] for row in reversed(paragraph.split("\n"))}
                    found += self._stated("apk", [fields.get(f"{key}:", "") for key in "PVAL"])
                position = text.find(line, position + 1)
        return _unambiguous(found)

    def _rpm_owner(self, names: List[str]) -> Optional[Package]:
        """Run rpm, because its database is binary. With --root, paths are relative to that root."""
        folders = (
            folder
            for folder in _RPM
            for file in _RPM_FILES
            if os.path.exists(self._root + self._resolve(f"{folder}/{file}"))
        )
        folder = next(folders, None)
        if self._rpm is None or folder is None:
            return None
        where = ["--root", self._root, "--dbpath", folder] if self._root else []
        try:
            run = subprocess.run(  # noqa: S603 (rpm, with paths that begin with a slash)
                [self._rpm, *where, "-qf", "--qf", _RPM_FORMAT, *names],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                timeout=_RPM_SECONDS,
                check=False,
                env={**os.environ, "LC_ALL": "C"},
            )
        except (OSError, subprocess.TimeoutExpired):
            self._rpm = None  # it would fail or hang for every file
            return None
        found: List[Package] = []
        for line in decoded(without_nul(run.stdout)).split("\n"):
            fields = ["" if field == "(none)" else field for field in line.split("\t")]
            if len(fields) == 4:
                found += self._stated("rpm", fields)
        return _unambiguous(found)

    def _stated(self, kind: str, fields: List[str]) -> Iterator[Package]:
        name, version, arch, stated = fields
        if name:
            yield Package(kind, name, version, arch, self._distro(), (stated,) if stated else ())


def _paragraphs(text: bytes, line: str) -> Iterator[str]:
    """Yield the paragraphs of a database that contain a line; `text` begins with a newline."""
    wanted = b"\n%b\n" % line.encode("utf-8", "surrogateescape")
    position = text.find(wanted)
    while position >= 0:
        end = text.index(b"\n\n", position)
        yield decoded(text[text.rfind(b"\n\n", 0, position + 1) + 2 : end])
        position = text.find(wanted, end + 1)


def _unambiguous(found: List[Package]) -> Optional[Package]:
    """Return the one package of a file; None if packages or versions differ."""
    if len({(package.name, package.version) for package in found}) != 1:
        return None
    arches = {package.arch for package in found}
    return found[0]._replace(arch=arches.pop() if len(arches) == 1 else "")
