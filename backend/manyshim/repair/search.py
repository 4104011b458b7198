"""A library's name -> the file that the dynamic loader of the target would open.

Sources: ld.so(8); glibc elf/dl-load.c; musl ldso/dynlink.c.
"""

from __future__ import annotations

import os
import posixpath
from typing import (
    Dict,
    Iterable,
    Iterator,
    List,
    Mapping,
    Optional,
    Sequence,
    Set,
    Tuple,
)

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

# More folders than any search path has.
_MAX_FOLDERS = 1000


class Requester(NamedTuple):
    """A file whose search path counts; `path` is the host's, for $ORIGIN, "" for a wheel's member.

    `rpath` and `runpath` are as ElfFile has them. In a chain the requester comes first, and its
    loaders follow.
    """

    path: str
    rpath: Tuple[str, ...]
    runpath: Tuple[str, ...]


class Found(NamedTuple):
    """A library of the system that a file asks for.

    `path` is the file that the loader would open, `real` the same with links resolved: read that
    one, because links of a sysroot lead elsewhere outside it. Both are paths of the host. `how` is
    `library-path`, `RPATH of PATH`, `RUNPATH of PATH`, `LD_LIBRARY_PATH`, `ld.so.conf`,
    `ld-musl-ARCH.path`, `default folder`, or `sysroot` for any of the last three in one.
    """

    soname: str
    path: str
    real: str
    how: str
    facts: ElfFile


class _Place(NamedTuple):
    """A folder to search: by whose word, in which system, and its path there."""

    how: str
    system: System
    path: str


class Search:
    """Searches for libraries of one architecture and libc family.

    `native` says that the target is what this machine is, so that the host's folders count; a
    `sysroot` takes their place. `environ` is asked for LD_LIBRARY_PATH. `passed_over` are the
    candidates that were there and not taken, each with the reason. ConfigError where the sysroot
    is no folder.
    """

    def __init__(  # noqa: PLR0913 (each says something else about the target)
        self,
        arch: str,
        libc: str,
        *,
        native: bool,
        library_path: Sequence[str] = (),
        sysroot: Optional[str] = None,
        environ: Mapping[str, str] = {},
    ) -> None:
        self.passed_over: List[str] = []
        self._target = LoaderRules(arch, libc)
        self._host = System("")
        # Where absolute paths lead that stand in the target's files; None: nowhere.
        self._system: Optional[System] = self._host if native else None
        self._prefixes: Tuple[str, ...] = ()
        if sysroot is not None:
            if not os.path.isdir(sysroot):
                raise ConfigError(
                    f"sysroot: {sysroot} is no folder; name one that holds the target's system"
                )
            roots = (os.path.realpath(sysroot), os.path.abspath(sysroot))
            self._prefixes = tuple(root.rstrip("/") for root in roots)
            self._system = System(self._prefixes[0])
        self._library_path = tuple(
            _Place(LIBRARY_PATH, *self._at(os.path.abspath(folder).rstrip("/")))
            for folder in library_path
            if folder
        )
        self._environment: Tuple[_Place, ...] = ()
        if self._system is self._host:
            folders = self._target.environment(environ.get(ENVIRONMENT, ""))
            self._environment = tuple(_Place(ENVIRONMENT, self._host, path) for path in folders)
        self._configured: Optional[Tuple[_Place, ...]] = None
        self._expanded: Dict[Tuple[Requester, bool], Tuple[_Place, ...]] = {}
        self._said: Set[str] = set()
        self._judged: Dict[Tuple[str, str], Optional[ElfFile]] = {}
        self._results: Dict[Tuple[str, Tuple[_Place, ...]], Optional[Found]] = {}

    def find(self, soname: str, chain: Sequence[Requester]) -> Optional[Found]:
        """Search for what `chain[0]` needs; None where there is no file to take.

        A name with a slash is a path, which is never searched. ToolError where a search path or
        ld.so.conf is out of all measure.
        """
        if not soname or "/" in soname:
            return None
        own = tuple(self._own(chain))
        key = (soname, own)
        if key not in self._results:
            found = (self._look(place, soname) for place in self._with_system(own))
            self._results[key] = next(filter(None, found), None)
        return self._results[key]

    def _with_system(self, own: Iterable[_Place]) -> Iterator[_Place]:
        """Yield the folders, and then those that the target's loader searches for every file."""
        yield from own
        if self._configured is None:
            system = self._system
            self._configured = () if system is None else tuple(self._of_system(system))
        yield from self._configured

    def _of_system(self, system: System) -> Iterator[_Place]:
        for how, path in self._target.folders(system):
            yield _Place(how if system is self._host else SYSROOT, system, path)

    def _own(self, chain: Sequence[Requester]) -> Iterable[_Place]:
        """List the folders that come before the system's, each once."""
        places: Dict[Tuple[System, str], _Place] = {}
        for place in self._in_order(chain):
            places.setdefault((place.system, place.path), place)
            if len(places) > _MAX_FOLDERS:
                raise ToolError(
                    f"{_name(chain[0]) if chain else LIBRARY_PATH}: its search path and those of "
                    f"its loaders name more than {_MAX_FOLDERS} folders; link it with fewer"
                )
        return places.values()

    def _in_order(self, chain: Sequence[Requester]) -> Iterator[_Place]:
        yield from self._library_path
        if self._target.musl:
            yield from self._environment
            for requester in chain:
                yield from self._of_file(requester, runpath=bool(requester.runpath))
            return
        if chain and not chain[0].runpath:
            for requester in chain:
                # glibc forgets the RPATH of a file that has a RUNPATH.
                if not requester.runpath:
                    yield from self._of_file(requester, runpath=False)
        yield from self._environment
        if chain:
            yield from self._of_file(chain[0], runpath=True)

    def _of_file(self, requester: Requester, *, runpath: bool) -> Tuple[_Place, ...]:
        """Expand a file's own search path."""
        key = (requester, runpath)
        if key not in self._expanded:
            how = f"{'RUNPATH' if runpath else 'RPATH'} of {_name(requester)}"
            system, origin = self._at(posixpath.dirname(requester.path))
            entries = requester.runpath if runpath else requester.rpath
            places: List[_Place] = []
            for path, from_origin in self._target.expand(entries, origin):
                inside = system if from_origin else self._system
                if inside is not None:
                    places.append(_Place(how, inside, path))
            self._expanded[key] = tuple(places)
        return self._expanded[key]

    def _at(self, path: str) -> Tuple[System, str]:
        """Say in which system a path of the host lies, and where there."""
        for prefix in self._prefixes:
            if self._system is not None and f"{path}/".startswith(f"{prefix}/"):
                return self._system, path[len(prefix) :]
        return self._host, path

    def _counts(self, system: System, folder: str) -> bool:
        """Whether the target has a folder, or the user gave it; $ORIGIN may lead out of both."""
        if system is self._system:
            return True
        given = (
            place.system.folder(place.path)
            for place in self._library_path
            if place.system is system
        )
        return any(f"{folder}/".startswith(f"{one}/") for one in given if one is not None)

    def _look(self, place: _Place, soname: str) -> Optional[Found]:
        system = place.system
        folder = system.folder(place.path)
        if folder is None or not self._counts(system, folder):
            return None
        if not system.there(f"{folder}/{soname}"):
            return None
        path = f"{system.root}{place.path}/{soname}"
        try:
            resolved = system.resolve(f"{folder}/{soname}")
        except OSError as error:
            self._pass_over(path, f"cannot be followed: {error.strerror}")
            return None
        # The same file is met in /lib and /usr/lib, and on the ways of several requesters.
        real = system.root + resolved
        key = (real, soname)
        if key not in self._judged:
            self._judged[key] = self._read(path, system, resolved)
        facts = self._judged[key]
        return facts and Found(soname, path, real, place.how, facts._replace(path=path))

    def _read(self, path: str, system: System, resolved: str) -> Optional[ElfFile]:
        """Read a candidate; None where it is not to be taken, with the reason in passed_over."""
        try:
            with system.open(resolved) as file:
                size = os.fstat(file.fileno()).st_size
                if is_elf(file.read(4)):
                    facts = read(path, Window(file, 0, size, size, 0)).facts
                    reason = self._target.objection(facts)
                else:
                    reason = "is no ELF file"
        except OSError as error:
            reason = f"cannot be read: {error.strerror}"
        except (ElfError, MemberError, InvalidWheelError) as error:
            reason = f"cannot be loaded: {error}"
        if reason:
            self._pass_over(path, reason)
            return None
        return facts

    def _pass_over(self, path: str, reason: str) -> None:
        text = f"{path} {reason}"
        if text not in self._said:
            self._said.add(text)
            self.passed_over.append(text)


def _name(requester: Requester) -> str:
    return requester.path or "a file of the wheel"
