"""Find the file that the target's dynamic loader would open for a library's name.

Sources: ld.so(8); glibc elf/dl-load.c; musl ldso/dynlink.c.
"""

from __future__ import annotations

import os
import posixpath
from typing import Dict, Iterable, Iterator, List, Mapping, Optional, Sequence, Set, Tuple

from manyshim.audit.facts import ElfFile
from manyshim.errors import ConfigError, InvalidWheelError, ToolError
from manyshim.formats.elf.image import ElfError
from manyshim.formats.elf.reader import is_elf, read
from manyshim.formats.zip.window import MemberError, Window
from manyshim.repair.ldso import LoaderRules
from manyshim.repair.system import System
from manyshim.values import NamedTuple

LIBRARY_PATH = "library-path"
ENVIRONMENT = "LD_LIBRARY_PATH"
SYSROOT = "sysroot"

# More folders than any real search path has.
_MAX_FOLDERS = 1000


class Requester(NamedTuple):
    """A file whose search path is used.

    `path` is its path on the host, for $ORIGIN; "" for a member of the wheel. `rpath` and `runpath`
    are those of ElfFile. In a chain the file that needs the library comes first, and the files that
    load it follow.
    """

    path: str
    rpath: Tuple[str, ...]
    runpath: Tuple[str, ...]

    @classmethod
    def of(cls, elf: ElfFile) -> Requester:
        """Return the search path of a file of the wheel, or of one with an absolute path."""
        return cls(elf.path if posixpath.isabs(elf.path) else "", elf.rpath, elf.runpath)


class Found(NamedTuple):
    """A library of the target's system.

    `path` is the file that the loader would open, `real` the same with links resolved. Read `real`:
    the host would follow links of a sysroot differently. Both are paths of the host. `how` is
    `library-path`, `RPATH of PATH`, `RUNPATH of PATH`, `LD_LIBRARY_PATH`, `ld.so.conf`,
    `ld-musl-ARCH.path` or `default folder`; in a sysroot, `sysroot` replaces the last three.
    """

    soname: str
    path: str
    real: str
    how: str
    facts: ElfFile


class _Place(NamedTuple):
    """A folder to search: the rule that names it, its system, and its path in that system."""

    how: str
    system: System
    path: str


class Search:
    """Searches for libraries of one architecture and libc family.

    `native` says that the target is this machine, so the host's folders are searched; a `sysroot`
    replaces them. LD_LIBRARY_PATH is read from `environ`. `skipped` lists the files that were found
    but not accepted, each with the reason. Raises ConfigError if the sysroot is not a folder.
    """

    def __init__(  # noqa: PLR0913 (independent options)
        self,
        arch: str,
        libc: str,
        *,
        native: bool,
        library_path: Sequence[str] = (),
        sysroot: Optional[str] = None,
        environ: Mapping[str, str] = {},
    ) -> None:
        self.skipped: List[str] = []
        self._rules = LoaderRules(arch, libc)
        self._host = System("")
        # The system for absolute paths in the target's files; None: they are not looked up.
        self._system: Optional[System] = self._host if native else None
        self._prefixes: Tuple[str, ...] = ()
        if sysroot is not None:
            if not os.path.isdir(sysroot):
                raise ConfigError(
                    f"sysroot: {sysroot} is not a folder; name one that holds the target's system"
                )
            roots = (os.path.realpath(sysroot), os.path.abspath(sysroot))
            self._prefixes = tuple(root.rstrip("/") for root in roots)
            self._system = System(self._prefixes[0])
        self._library_path = tuple(
            _Place(LIBRARY_PATH, *self._locate(os.path.abspath(folder).rstrip("/")))
            for folder in library_path
            if folder
        )
        self._environment: Tuple[_Place, ...] = ()
        if self._system is self._host:
            folders = self._rules.environment(environ.get(ENVIRONMENT, ""))
            self._environment = tuple(_Place(ENVIRONMENT, self._host, path) for path in folders)
        self._configured: Optional[Tuple[_Place, ...]] = None
        self._expanded: Dict[Tuple[Requester, bool], Tuple[_Place, ...]] = {}
        self._reported: Set[str] = set()
        self._facts: Dict[Tuple[str, str], Optional[ElfFile]] = {}
        self._results: Dict[Tuple[str, Tuple[_Place, ...]], Optional[Found]] = {}

    def find(self, soname: str, chain: Sequence[Requester]) -> Optional[Found]:
        """Search for a library that `chain[0]` needs; None if no file is accepted.

        A name with a slash is a path and is never searched. Raises ToolError if a search path or
        ld.so.conf exceeds its limits.
        """
        own = tuple(self._own_folders(chain))
        key = (soname, own)
        if key not in self._results:
            self._results[key] = self._first(soname, self._with_system(own))
        return self._results[key]

    def find_own(self, soname: str, chain: Sequence[Requester]) -> Optional[Found]:
        """As `find`, but not in the folders that the target's loader searches for every file."""
        return self._first(soname, self._own_folders(chain))

    def _first(self, soname: str, places: Iterable[_Place]) -> Optional[Found]:
        if not soname or "/" in soname:
            return None
        return next(filter(None, (self._look_in(place, soname) for place in places)), None)

    def _with_system(self, own: Iterable[_Place]) -> Iterator[_Place]:
        """Yield `own`, then the folders that the target's loader searches for every file."""
        yield from own
        if self._configured is None:
            system = self._system
            self._configured = () if system is None else tuple(self._system_folders(system))
        yield from self._configured

    def _system_folders(self, system: System) -> Iterator[_Place]:
        for how, path in self._rules.folders(system):
            yield _Place(how if system is self._host else SYSROOT, system, path)

    def _own_folders(self, chain: Sequence[Requester]) -> Iterable[_Place]:
        """Return the folders that are searched before the system's, each once."""
        places: Dict[Tuple[System, str], _Place] = {}
        for place in self._in_order(chain):
            places.setdefault((place.system, place.path), place)
            if len(places) > _MAX_FOLDERS:
                raise ToolError(
                    f"{_describe(chain[0]) if chain else LIBRARY_PATH}: its search path and those "
                    f"of the files that load it have more than {_MAX_FOLDERS} folders; link it "
                    "with fewer"
                )
        return places.values()

    def _in_order(self, chain: Sequence[Requester]) -> Iterator[_Place]:
        yield from self._library_path
        if self._rules.musl:
            yield from self._environment
            for requester in chain:
                yield from self._file_folders(requester, runpath=bool(requester.runpath))
            return
        if chain and not chain[0].runpath:
            for requester in chain:
                # glibc ignores the RPATH of a file that has a RUNPATH.
                if not requester.runpath:
                    yield from self._file_folders(requester, runpath=False)
        yield from self._environment
        if chain:
            yield from self._file_folders(chain[0], runpath=True)

    def _file_folders(self, requester: Requester, *, runpath: bool) -> Tuple[_Place, ...]:
        """Return the folders of a file's own RPATH or RUNPATH, expanded."""
        key = (requester, runpath)
        if key not in self._expanded:
            how = f"{'RUNPATH' if runpath else 'RPATH'} of {_describe(requester)}"
            system, origin = self._locate(posixpath.dirname(requester.path))
            entries = requester.runpath if runpath else requester.rpath
            places: List[_Place] = []
            for path, from_origin in self._rules.expand(entries, origin):
                inside = system if from_origin else self._system
                if inside is not None:
                    places.append(_Place(how, inside, path))
            self._expanded[key] = tuple(places)
        return self._expanded[key]

    def _locate(self, path: str) -> Tuple[System, str]:
        """Return the system that contains a path of the host, and its path there."""
        for prefix in self._prefixes:
            if self._system is not None and f"{path}/".startswith(f"{prefix}/"):
                return self._system, path[len(prefix) :]
        return self._host, path

    def _is_searchable(self, system: System, folder: str) -> bool:
        """Return whether a folder belongs to the target or lies below one that the user gave.

        $ORIGIN can lead to a folder that does neither.
        """
        if system is self._system:
            return True
        given = (
            place.system.folder(place.path)
            for place in self._library_path
            if place.system is system
        )
        return any(f"{folder}/".startswith(f"{one}/") for one in given if one is not None)

    def _look_in(self, place: _Place, soname: str) -> Optional[Found]:
        system = place.system
        folder = system.folder(place.path)
        if folder is None or not self._is_searchable(system, folder):
            return None
        if not system.exists(f"{folder}/{soname}"):
            return None
        path = f"{system.root}{place.path}/{soname}"
        try:
            resolved = system.resolve(f"{folder}/{soname}")
        except OSError as error:
            self._skip(path, f"cannot be followed: {error.strerror}")
            return None
        # The same file may be found in /lib and /usr/lib, and for several requesters.
        real = system.root + resolved
        key = (real, soname)
        if key not in self._facts:
            self._facts[key] = self._read(path, system, resolved)
        facts = self._facts[key]
        return facts and Found(soname, path, real, place.how, facts._replace(path=path))

    def _read(self, path: str, system: System, resolved: str) -> Optional[ElfFile]:
        """Return a candidate's facts; None if it is not accepted, with the reason in `skipped`."""
        try:
            with system.open(resolved) as file:
                size = os.fstat(file.fileno()).st_size
                if is_elf(file.read(4)):
                    facts = read(path, Window(file, 0, size, size, 0)).facts
                    reason = self._rules.rejection_reason(facts)
                else:
                    reason = "is not an ELF file"
        except OSError as error:
            reason = f"cannot be read: {error.strerror}"
        except (ElfError, MemberError, InvalidWheelError) as error:
            reason = f"cannot be loaded: {error}"
        if reason:
            self._skip(path, reason)
            return None
        return facts

    def _skip(self, path: str, reason: str) -> None:
        text = f"{path} {reason}"
        if text not in self._reported:
            self._reported.add(text)
            self.skipped.append(text)


def _describe(requester: Requester) -> str:
    return requester.path or "a file of the wheel"
