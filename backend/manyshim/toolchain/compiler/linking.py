"""What a linker is told, in the words that zig's linker takes: -Wl, -Xlinker, -z, -l, -L, rpath.

Every word was tried on zig 0.17.1, whose own parser stands in front of LLD and refuses what it
does not know. Words that nobody here knows are passed on, for zig to judge.
"""

from __future__ import annotations

from typing import Dict, List, Optional, Tuple

from manyshim.toolchain.compiler.target_options import (
    TargetOptions,
    clean,
    library_folder,
    within,
    words,
)

# Long options, with one dash or two, whose value may be the next word.
_TAKE_NEXT = words(
    "soname rpath rpath-link version-script dynamic-list defsym init fini undefined "
    "require-defined exclude-libs Map hash-style wrap plugin plugin-opt package-metadata entry "
    "dynamic-linker sort-section unresolved-symbols trace-symbol orphan-handling script "
    "retain-symbols-file"
)
_SHORT_WITH_VALUE = ("z", "u", "h", "R", "l", "L", "I")  # joined or as the next word
_SHORT_BEFORE_VALUE = frozenset(("e", "m", "T", "y", "o", "O"))  # as the next word

# Without effect on what is made, or what zig does anyway.
_NO_EFFECT = words(
    "Bsymbolic-functions rpath-link plugin plugin-opt package-metadata copy-dt-needed-entries "
    "no-copy-dt-needed-entries add-needed no-add-needed no-export-dynamic icf relax no-relax "
    "threads no-threads thinlto-jobs stats verbose trace t M cref y trace-symbol emit-relocs q "
    "d dc dp m O X s S x strip-all strip-debug strip-unneeded discard-all discard-locals EL EB "
    "demangle no-demangle no-warnings error-unresolved-symbols gdb-index rosegment no-rosegment "
    "error-limit no-keep-memory reduce-memory-overheads hash-size no-ld-generated-unwind-info "
    "check-sections no-check-sections no-omagic pack-dyn-relocs no-apply-dynamic-relocs "
    "fix-cortex-a53-843419 fix-cortex-a53-835769 secure-plt orphan-handling no-gnu-unique "
    "spare-dynamic-tags warn-unresolved-symbols dynamic-list-data fatal-warnings "
    "Bsymbolic-non-weak-functions Bsymbolic-non-weak enable-linker-version disable-linker-version"
)
_NO_EFFECT_Z = words(
    "separate-code noseparate-code pack-relative-relocs nopack-relative-relocs ibt ibtplt shstk "
    "text combreloc nocombreloc start-stop-gc nostart-stop-gc rodynamic unique-symbol "
    "keep-text-section-prefix nokeep-text-section-prefix loadfltr bti force-bti rel "
    "initfirst nodlopen"
)
_REFUSED = {
    "dynamic-list": "say in a version script which symbols are exported",
    "defsym": "define the alias in C, with __attribute__((alias))",
    "init": "mark the function with __attribute__((constructor))",
    "fini": "mark the function with __attribute__((destructor))",
    "default-symver": "name the versions in a version script",
    "default-imported-symver": "name the versions in a version script",
}
# GNU's linker takes these with one dash, zig's only with two.
_LONG = _TAKE_NEXT | words(
    "as-needed no-as-needed no-undefined whole-archive no-whole-archive gc-sections build-id "
    "export-dynamic start-group end-group enable-new-dtags disable-new-dtags push-state pop-state "
    "no-undefined-version undefined-version allow-shlib-undefined"
)
_ONE_DASH = {"soname", "rpath", "Bstatic", "Bdynamic", "Bsymbolic", "u", "z", "e", "T"}
_RENAMED = {
    "h": "soname",
    "R": "rpath",
    "I": "dynamic-linker",
    "undefined": "u",
    "require-defined": "u",
    "(": "start-group",
    ")": "end-group",
    "dn": "Bstatic",
    "dy": "Bdynamic",
    "non_shared": "Bstatic",
    "static": "Bstatic",
    "call_shared": "Bdynamic",
}
# What --push-state remembers, and the words for no and yes.
_MODES = (
    ("Bdynamic", "Bstatic"),
    ("no-whole-archive", "whole-archive"),
    ("no-as-needed", "as-needed"),
)
# Zig has these itself: they are never a file that a build has brought along.
OWN_LIBRARIES = words(
    "c m pthread dl rt util resolv gcc gcc_s gcc_eh atomic unwind ssp stdc++ supc++ c++ c++abi"
)
# libstdc++'s libraries for what libc++ has in itself.
_IN_LIBCXX = frozenset(("stdc++fs", "stdc++exp", "stdc++_libbacktrace"))
_OPENMP = frozenset(("gomp", "omp", "iomp5"))
_NO_STUB = frozenset(("crypt", "nsl", "anl"))


def refuse_openmp(argument: str) -> str:
    """Say why OpenMP is out, and the way out."""
    return (
        f"{argument} asks for OpenMP, and zig has no OpenMP runtime: the module would only fail "
        "when it is imported. Build without OpenMP, or in a manylinux container (cibuildwheel) "
        "with the system's compiler and `manyshim repair`"
    )


class Linker:
    """Translates the linker's words one after the other; an option may wait for its value."""

    def __init__(self, options: TargetOptions) -> None:
        self.out: List[str] = []
        self.notes: List[str] = []
        self.refusal = ""
        self._setting = options
        self._waiting: Optional[Tuple[str, str]] = None
        self._modes = [False, False, False]
        self._pushed: List[List[bool]] = []
        self._excluding = ""
        self._archives = False
        self._without_stub = ""
        self._folders = False
        self._versions: Dict[str, bool] = {}

    def word(self, word: str) -> None:
        """Take the next word of what the linker would see."""
        if self._waiting:
            (written, name), self._waiting = self._waiting, None
            self._judge(written, name, word, f"{written} {word}")
        elif not word.startswith("-") or word == "-":
            self.input(word)
        else:
            self._option(word)

    def input(self, path: str) -> None:
        """Take a file that is linked."""
        if path:
            self._archives |= path.endswith(".a")
            self.out.append(path)

    def library(self, name: str) -> None:
        """Take the name of a library, as -l has it."""
        stem = name[4:].split(".so", maxsplit=1)[0] if name.startswith(":lib") else name
        if stem in _IN_LIBCXX:
            return
        if stem in _OPENMP:
            self._refuse(refuse_openmp(f"-l{name}"))
        elif stem.startswith("python") and stem[6:7].isdigit():
            self.notes.append(
                f"-l{name} was dropped: on Linux an extension module finds Python's symbols in "
                "the process that imports it"
            )
            return
        elif stem in _NO_STUB and not (stem == "crypt" and self._setting.musl):
            self._without_stub = self._without_stub or name
        # A shared library has no symbols to hide; any other may turn out to be an archive.
        self._archives |= stem not in OWN_LIBRARIES and ".so" not in name
        self.out.append(f"-l{name}")

    def folder(self, path: str) -> None:
        """Take a folder of libraries, as -L has it."""
        found = library_folder(path, self._setting)
        if found.note:
            self.notes.append(found.note)
        if found.path:
            self._folders = True
            self.out.append(f"-L{found.path}")

    def finish(self) -> None:
        """Settle what only the last word decides."""
        if self._waiting:
            self.out.append(f"-Wl,{self._waiting[0]}")
        if self._excluding and self._archives:
            self._refuse(
                f"{self._excluding} hides the symbols of static libraries, and zig's linker "
                "cannot: the module would export them. Name the exported symbols in a version "
                "script instead (-Wl,--version-script)"
            )
        if self._without_stub and not self._folders and not self._setting.sysroot:
            self._refuse(
                f"-l{self._without_stub} cannot be linked: zig does not have that library for "
                "this target. Name a folder with the target's libraries as the sysroot"
            )
        # GNU's linker lets a version script name what is not there, LLD only if it is told so.
        if self._versions.get("script") and not self._versions.get("strict"):
            self.out.append("-Wl,--undefined-version")

    def _option(self, word: str) -> None:
        written, equals, value = word.partition("=")
        name = written.lstrip("-")
        short = name[:1]
        if name in _SHORT_BEFORE_VALUE and not equals:
            self._waiting = written, name
        elif word.startswith("--") or name in _LONG or name in _NO_EFFECT:
            if not equals and name in _TAKE_NEXT:
                self._waiting = written, name
            else:
                self._judge(written, name, value if equals else None, word)
        elif short in _SHORT_WITH_VALUE:
            if word[2:]:
                self._judge(word[:2], short, word[2:].lstrip("=") or "", word)
            else:
                self._waiting = written, name
        else:
            self._judge(written, name, value if equals else None, word)

    def _judge(self, written: str, name: str, value: Optional[str], word: str) -> None:
        """Translate one option; `word` is how the user wrote it."""
        name = _RENAMED.get(name, name)
        judges = {
            "l": self.library,
            "L": self.folder,
            "rpath": self._rpath,
            "z": self._extension,
            "unresolved-symbols": self._unresolved,
        }
        if name in judges:
            judges[name](value or "")
        elif name in _REFUSED:
            why = f"{word} cannot be had: zig's linker does not know it."
            self._refuse(f"{why} Instead, {_REFUSED[name]}")
        elif name == "exclude-libs":
            self._excluding = self._excluding or word
        elif name == "Map":
            self.notes.append(f"{word} was dropped: zig's linker writes no map")
        elif name in ("shared", "Bshareable", "pie"):
            self.out.append("-pie" if name == "pie" else "-shared")
        elif name in ("push-state", "pop-state"):
            self._state(name)
        elif not _is_without_effect(name):
            self._keep(written, name, value)

    def _keep(self, written: str, name: str, value: Optional[str]) -> None:
        for place, (no, yes) in enumerate(_MODES):
            if name in (no, yes):
                self._modes[place] = name == yes
        if name == "version-script":
            self._versions["script"] = True
        elif name in ("no-undefined-version", "undefined-version"):
            self._versions["strict"] = True
        if name in _ONE_DASH:
            written = f"-{name}"
        elif name in _LONG:
            written = f"--{name}"
        if value is None:
            self._emit(written)
        elif written.startswith("--"):
            self._emit(f"{written}={value}")
        else:
            self._emit(written, value)

    def _emit(self, *said: str) -> None:
        # A comma in a value would be the end of it.
        if any("," in word for word in said):
            self.out += [part for word in said for part in ("-Xlinker", word)]
        else:
            self.out.append(",".join(("-Wl", *said)))

    def _rpath(self, value: str) -> None:
        own = self._setting.python_libraries
        kept = [entry for entry in value.split(":") if within(clean(entry), own) is None]
        if kept:
            self._emit("-rpath", ":".join(kept))

    def _extension(self, keyword: str) -> None:
        name = keyword.partition("=")[0]
        if name == "execstack":
            self.notes.append("-z execstack was dropped: no loader of today has to honour it")
        elif name not in _NO_EFFECT_Z and name not in ("cet-report", "lam-u48", "lam-u57"):
            self._emit("-z", keyword)

    def _unresolved(self, how: str) -> None:
        if how == "report-all":
            self._emit("-z", "defs")

    def _state(self, name: str) -> None:
        if name == "push-state":
            self._pushed.append(list(self._modes))
        elif self._pushed:
            before = self._pushed.pop()
            for place, mode in enumerate(_MODES):
                if before[place] != self._modes[place]:
                    self._keep("--", mode[before[place]], None)

    def _refuse(self, why: str) -> None:
        self.refusal = self.refusal or why


def _is_without_effect(name: str) -> bool:
    return (
        name in _NO_EFFECT
        or name.startswith(("warn-", "no-warn-", "lto-", "plugin-opt", "melf"))
        or (name[:1] == "O" and name[1:].isdigit())
    )
