"""Translate linker options to those of zig's linker: -Wl, -Xlinker, -z, -l, -L, rpath.

Every option was tried with zig 0.17.1. zig parses the options before LLD does, and refuses those
that it does not know. Options that are not listed here are passed on to zig.
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

# Options without effect on the result, or that ask for what zig does by default.
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
    "dynamic-list": "list the exported symbols in a version script",
    "defsym": "define the alias in C, with __attribute__((alias))",
    "init": "mark the function with __attribute__((constructor))",
    "fini": "mark the function with __attribute__((destructor))",
    "default-symver": "name the versions in a version script",
    "default-imported-symver": "name the versions in a version script",
}
# GNU ld accepts these with one dash, zig only with two.
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
# The modes that --push-state saves: for each, the options that switch it off and on.
_MODES = (
    ("Bdynamic", "Bstatic"),
    ("no-whole-archive", "whole-archive"),
    ("no-as-needed", "as-needed"),
)
# zig brings these itself. They are never a file of the project.
OWN_LIBRARIES = words(
    "c m pthread dl rt util resolv gcc gcc_s gcc_eh atomic unwind ssp stdc++ supc++ c++ c++abi"
)
# Separate libraries of libstdc++ whose functions are in libc++ itself.
_IN_LIBCXX = frozenset(("stdc++fs", "stdc++exp", "stdc++_libbacktrace"))
_OPENMP = frozenset(("gomp", "omp", "iomp5"))
_NO_STUB = frozenset(("crypt", "nsl", "anl"))


def refuse_openmp(argument: str) -> str:
    """Return the message that refuses OpenMP, with a hint."""
    return (
        f"{argument} asks for OpenMP, and zig has no OpenMP runtime: the import of the module "
        "would fail. Build without OpenMP, or in a manylinux container (cibuildwheel) with the "
        "system's compiler and `manyshim repair`"
    )


class Linker:
    """Translate the linker's arguments in order; an option may wait for its value."""

    def __init__(self, options: TargetOptions) -> None:
        self.out: List[str] = []
        self.notes: List[str] = []
        self.refusal = ""
        self._options = options
        self._waiting: Optional[Tuple[str, str]] = None
        self._modes = [False, False, False]
        self._pushed: List[List[bool]] = []
        self._excluding = ""
        self._archives = False
        self._without_stub = ""
        self._folders = False
        self._versions: Dict[str, bool] = {}

    def word(self, word: str) -> None:
        """Take the linker's next argument: an option, the value of the last one, or an input."""
        if self._waiting:
            (written, name), self._waiting = self._waiting, None
            self._translate(written, name, word, f"{written} {word}")
        elif not word.startswith("-") or word == "-":
            self.input(word)
        else:
            self._option(word)

    def input(self, path: str) -> None:
        """Take an input file."""
        if path:
            self._archives |= path.endswith(".a")
            self.out.append(path)

    def library(self, name: str) -> None:
        """Take the name of a library, the value of -l."""
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
        elif stem in _NO_STUB and not (stem == "crypt" and self._options.musl):
            self._without_stub = self._without_stub or name
        # --exclude-libs matters to archives only, and a library without .so may be one.
        self._archives |= stem not in OWN_LIBRARIES and ".so" not in name
        self.out.append(f"-l{name}")

    def folder(self, path: str) -> None:
        """Take a library folder, the value of -L."""
        found = library_folder(path, self._options)
        if found.note:
            self.notes.append(found.note)
        if found.path:
            self._folders = True
            self.out.append(f"-L{found.path}")

    def finish(self) -> None:
        """Decide what depends on all arguments."""
        if self._waiting:
            self.out.append(f"-Wl,{self._waiting[0]}")
        if self._excluding and self._archives:
            self._refuse(
                f"{self._excluding} hides the symbols of static libraries, and zig's linker cannot "
                "hide them: the module would export them. List the exported symbols in a version "
                "script instead (-Wl,--version-script)"
            )
        if self._without_stub and not self._folders and not self._options.sysroot:
            self._refuse(
                f"-l{self._without_stub} cannot be linked: zig does not have that library for "
                "this target. Set sysroot to a folder with the target's libraries"
            )
        # GNU ld accepts unknown symbols in a version script, LLD only with this option.
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
                self._translate(written, name, value if equals else None, word)
        elif short in _SHORT_WITH_VALUE:
            if word[2:]:
                self._translate(word[:2], short, word[2:].lstrip("=") or "", word)
            else:
                self._waiting = written, name
        else:
            self._translate(written, name, value if equals else None, word)

    def _translate(self, written: str, name: str, value: Optional[str], word: str) -> None:
        """Translate one option; `word` is the spelling of the user."""
        name = _RENAMED.get(name, name)
        translations = {
            "l": self.library,
            "L": self.folder,
            "rpath": self._rpath,
            "z": self._keyword,
            "unresolved-symbols": self._unresolved,
        }
        if name in translations:
            translations[name](value or "")
        elif name in _REFUSED:
            reason = f"{word} cannot be used: zig's linker does not support it."
            self._refuse(f"{reason} Instead, {_REFUSED[name]}")
        elif name == "exclude-libs":
            self._excluding = self._excluding or word
        elif name == "Map":
            self.notes.append(f"{word} was dropped: zig's linker writes no map file")
        elif name in ("shared", "Bshareable", "pie"):
            self.out.append("-pie" if name == "pie" else "-shared")
        elif name in ("push-state", "pop-state"):
            self._state(name)
        elif not _is_without_effect(name):
            self._pass_on(written, name, value)

    def _pass_on(self, written: str, name: str, value: Optional[str]) -> None:
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

    def _emit(self, *option: str) -> None:
        # -Wl splits its value at commas.
        if any("," in word for word in option):
            self.out += [part for word in option for part in ("-Xlinker", word)]
        else:
            self.out.append(",".join(("-Wl", *option)))

    def _rpath(self, value: str) -> None:
        own = self._options.python_libraries
        kept = [entry for entry in value.split(":") if within(clean(entry), own) is None]
        if kept:
            self._emit("-rpath", ":".join(kept))

    def _keyword(self, keyword: str) -> None:
        name = keyword.partition("=")[0]
        if name == "execstack":
            self.notes.append("-z execstack was dropped: loaders need not support it")
        elif name not in _NO_EFFECT_Z and name not in ("cet-report", "lam-u48", "lam-u57"):
            self._emit("-z", keyword)

    def _unresolved(self, mode: str) -> None:
        if mode == "report-all":
            self._emit("-z", "defs")

    def _state(self, name: str) -> None:
        if name == "push-state":
            self._pushed.append(list(self._modes))
        elif self._pushed:
            before = self._pushed.pop()
            for place, mode in enumerate(_MODES):
                if before[place] != self._modes[place]:
                    self._pass_on("--", mode[before[place]], None)

    def _refuse(self, reason: str) -> None:
        self.refusal = self.refusal or reason


def _is_without_effect(name: str) -> bool:
    return (
        name in _NO_EFFECT
        or name.startswith(("warn-", "no-warn-", "lto-", "plugin-opt", "melf"))
        or (name[:1] == "O" and name[1:].isdigit())
    )
