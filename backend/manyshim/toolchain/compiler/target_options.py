"""What a compiler's arguments are judged by, and which folder is whose."""

from __future__ import annotations

from typing import FrozenSet, List, Optional, Tuple

from manyshim.values import NamedTuple

_SYSTEM_HEADERS = ("/usr/include", "/usr/local/include")
_SYSTEM_LIBRARIES = ("lib", "lib32", "lib64", "libx32")


class TargetOptions(NamedTuple):
    """What a compiler's arguments are judged by."""

    triple: str  # zig's: aarch64-linux-gnu.2.17, x86_64-linux-musl
    cpu: str  # zig's -mcpu for the least processor that the tag promises
    arch: str  # as platform tags spell it
    native: bool  # architecture and libc family are the building machine's
    headers: str  # the folder with the target's Python.h
    python_headers: Tuple[str, ...]  # the folders of the building machine's Python.h
    python_libraries: Tuple[str, ...]  # the building Python's library folders
    sysroot: str  # "" or the folder that has the target's libraries; "/" natively
    multiarch: str  # Debian's name of the target, for the sysroot's folders
    prefix_maps: Tuple[Tuple[str, str], ...]  # a folder and what stands for it in the output

    @property
    def musl(self) -> bool:
        """Whether the target's libc is musl."""
        return "-musl" in self.triple

    @property
    def sysroot_headers(self) -> List[str]:
        """The sysroot's own folders of headers."""
        return self._in_sysroot("/usr/include", f"/usr/include/{self.multiarch}")

    @property
    def sysroot_libraries(self) -> List[str]:
        """The sysroot's own folders of libraries, the triplet's before those of any machine."""
        of_triplet = (f"/usr/lib/{self.multiarch}", f"/lib/{self.multiarch}")
        return self._in_sysroot(*of_triplet, "/usr/lib")

    def _in_sysroot(self, *folders: str) -> List[str]:
        root = clean(self.sysroot).rstrip("/")
        return [root + clean(folder) for folder in folders] if self.sysroot else []


class Folder(NamedTuple):
    """What becomes of a folder that was named."""

    path: str  # "" where it is not to be looked into
    after: bool = False  # only after the compiler's own folders
    note: str = ""


def words(text: str) -> FrozenSet[str]:
    """Make a set of words: the tables are long."""
    return frozenset(text.split())


def clean(path: str) -> str:
    """Spell a path plainly: without double, trailing or dotted parts. Links are not looked at."""
    parts: List[str] = []
    for part in path.split("/"):
        if part == ".." and parts and parts[-1] != "..":
            parts.pop()
        elif part not in ("", "."):
            parts.append(part)
    return ("/" if path.startswith("/") else "") + "/".join(parts)


def within(path: str, folders: Tuple[str, ...]) -> Optional[str]:
    """Say what a clean path is below the first of the folders it lies in: "", "/sub" or None."""
    for folder in map(clean, folders):
        if path == folder or path.startswith(folder.rstrip("/") + "/"):
            return path[len(folder.rstrip("/")) :]
    return None


def header_folder(path: str, options: TargetOptions) -> Folder:
    """Judge a folder of headers."""
    plain = clean(path)
    of_python = within(plain, options.python_headers)
    if of_python is not None:
        return Folder(options.headers + of_python)
    in_sysroot = _below_sysroot(plain, options)
    inside = plain if in_sysroot is None else in_sysroot
    below = within(inside, _SYSTEM_HEADERS)
    if below is None:
        return Folder(path)
    if below == "" or (_is_triplet(below[1:]) and "/" not in below[1:]):
        # These have the libc's own headers, which must not stand before the target's.
        return Folder(path if options.native or in_sysroot is not None else "", after=True)
    if options.native or in_sysroot is not None:
        return Folder(path)
    if options.sysroot:
        return Folder(_moved(plain, options))
    return Folder("", note=_dropped("-I", path, "headers"))


def library_folder(path: str, options: TargetOptions) -> Folder:
    """Judge a folder of libraries."""
    plain = clean(path)
    if _below_sysroot(plain, options) is not None:
        return Folder(path)
    if _has_system_libraries(plain):
        if options.native and not options.musl:
            return Folder(path)
        if options.sysroot:
            return Folder(_moved(plain, options))
        return Folder("", note=_dropped("-L", path, "libraries"))
    return Folder(path if within(plain, options.python_libraries) is None else "")


def _below_sysroot(plain: str, options: TargetOptions) -> Optional[str]:
    root = clean(options.sysroot)
    return within(plain, (root,)) if root not in ("", "/") else None


def _moved(plain: str, options: TargetOptions) -> str:
    """Move a system's folder below the sysroot, and from any triplet's to the target's."""
    parts = [options.multiarch if _is_triplet(part) else part for part in plain.split("/")]
    return clean(options.sysroot).rstrip("/") + "/".join(parts)


def _is_triplet(part: str) -> bool:
    return "-linux-gnu" in part or "-linux-musl" in part


def _has_system_libraries(plain: str) -> bool:
    parts = plain.split("/")[1:]
    for outer in ("usr", "local"):
        if parts[:1] == [outer]:
            parts = parts[1:]
    return plain.startswith("/") and bool(parts) and parts[0] in _SYSTEM_LIBRARIES


def _dropped(option: str, path: str, what: str) -> str:
    return (
        f"{option}{path} was dropped: it has the building machine's {what}, not the target's; "
        "name a folder that has the target's as the sysroot"
    )
