"""The options of a target, and the classification of header and library folders."""

from __future__ import annotations

from typing import FrozenSet, List, Optional, Tuple

from manyshim.values import NamedTuple

_SYSTEM_HEADERS = ("/usr/include", "/usr/local/include")
_SYSTEM_LIBRARIES = ("lib", "lib32", "lib64", "libx32")


class TargetOptions(NamedTuple):
    """The target of a compiler call, and the folders of the target and of the building machine."""

    triple: str  # zig's: aarch64-linux-gnu.2.17, x86_64-linux-musl
    cpu: str  # zig's -mcpu for the oldest processor that the tag supports
    arch: str  # as in platform tags
    native: bool  # architecture and libc family are the building machine's
    headers: str  # the folder with the target's Python.h
    python_headers: Tuple[str, ...]  # the folders of the building machine's Python.h
    python_libraries: Tuple[str, ...]  # the building Python's library folders
    sysroot: str  # "" or the folder that has the target's libraries; "/" natively
    multiarch: str  # Debian's name of the target, for the sysroot's folders
    prefix_maps: Tuple[Tuple[str, str], ...]  # a folder, and its replacement in the output

    @property
    def musl(self) -> bool:
        """Whether the target's libc is musl."""
        return "-musl" in self.triple

    @property
    def sysroot_headers(self) -> List[str]:
        """The header folders of the sysroot; empty without a sysroot."""
        return self._folders_in_sysroot("/usr/include", f"/usr/include/{self.multiarch}")

    @property
    def sysroot_libraries(self) -> List[str]:
        """The library folders of the sysroot, those with the triplet first."""
        of_triplet = (f"/usr/lib/{self.multiarch}", f"/lib/{self.multiarch}")
        return self._folders_in_sysroot(*of_triplet, "/usr/lib")

    def _folders_in_sysroot(self, *folders: str) -> List[str]:
        root = clean(self.sysroot).rstrip("/")
        return [root + clean(folder) for folder in folders] if self.sysroot else []


class Folder(NamedTuple):
    """The replacement for a header or library folder in the arguments."""

    path: str  # "" if the folder must not be searched
    after: bool = False  # search it after the compiler's own folders
    note: str = ""  # why it was dropped, if the user should know


def words(text: str) -> FrozenSet[str]:
    """Split a text at spaces into a set of words."""
    return frozenset(text.split())


def clean(path: str) -> str:
    """Remove double slashes, trailing slashes, `.` and `..` from a path; do not resolve links."""
    parts: List[str] = []
    for part in path.split("/"):
        if part == ".." and parts and parts[-1] != "..":
            parts.pop()
        elif part not in ("", "."):
            parts.append(part)
    return ("/" if path.startswith("/") else "") + "/".join(parts)


def within(path: str, folders: Tuple[str, ...]) -> Optional[str]:
    """Return the rest of a clean path below the first folder that contains it: "" or "/sub".

    Returns None if no folder contains it.
    """
    for folder in map(clean, folders):
        if path == folder or path.startswith(folder.rstrip("/") + "/"):
            return path[len(folder.rstrip("/")) :]
    return None


def header_folder(path: str, options: TargetOptions) -> Folder:
    """Decide how zig searches a header folder: as it is, replaced, later, or not at all."""
    plain = clean(path)
    of_python = within(plain, options.python_headers)
    if of_python is not None:
        return Folder(options.headers + of_python)
    in_sysroot = _path_in_sysroot(plain, options)
    inside = plain if in_sysroot is None else in_sysroot
    below = within(inside, _SYSTEM_HEADERS)
    if below is None:
        return Folder(path)
    if below == "" or (_is_triplet(below[1:]) and "/" not in below[1:]):
        # These have the libc's own headers, which must not come before the target's.
        return Folder(path if options.native or in_sysroot is not None else "", after=True)
    if options.native or in_sysroot is not None:
        return Folder(path)
    if options.sysroot:
        return Folder(_to_sysroot(plain, options))
    return Folder("", note=_note_dropped("-I", path, "headers"))


def library_folder(path: str, options: TargetOptions) -> Folder:
    """Decide how zig searches a library folder: as it is, replaced, or not at all."""
    plain = clean(path)
    if _path_in_sysroot(plain, options) is not None:
        return Folder(path)
    if _has_system_libraries(plain):
        if options.native and not options.musl:
            return Folder(path)
        if options.sysroot:
            return Folder(_to_sysroot(plain, options))
        return Folder("", note=_note_dropped("-L", path, "libraries"))
    return Folder(path if within(plain, options.python_libraries) is None else "")


def _path_in_sysroot(plain: str, options: TargetOptions) -> Optional[str]:
    root = clean(options.sysroot)
    return within(plain, (root,)) if root not in ("", "/") else None


def _to_sysroot(plain: str, options: TargetOptions) -> str:
    """Return the folder of the sysroot for a system folder, with the target's triplet."""
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


def _note_dropped(option: str, path: str, what: str) -> str:
    return (
        f"{option}{path} was dropped: it has the building machine's {what}, not the target's; "
        "set sysroot to a folder with the target's system"
    )
