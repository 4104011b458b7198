"""A compiler's arguments as zig takes them: what GCC and the distributions say, translated.

This runs in every call of the compiler, so it imports little and looks at nothing but its
arguments. Files of arguments (@file) are the caller's to read.
"""

from __future__ import annotations

from typing import List, Optional, Sequence, Set, Tuple

from manyshim.toolchain.compiler.linking import Linker, refuse_openmp
from manyshim.toolchain.compiler.processor import Processor
from manyshim.toolchain.compiler.target_options import TargetOptions as TargetOptions  # noqa: PLC0414 (the caller makes it)
from manyshim.toolchain.compiler.target_options import header_folder, words
from manyshim.values import NamedTuple

# Options whose value is the next word, so that it is never taken for an option or a source.
_BEFORE_VALUE = words(
    "-o -x -I -L -D -U -A -B -F -G -R -T -e -h -l -u -z -include -imacros -isystem -idirafter "
    "-iquote -iprefix -iwithprefix -iwithprefixbefore -isysroot -imultilib -MF -MT -MQ -MJ "
    "-Xlinker -Xclang -Xassembler -Xpreprocessor -mllvm -target --target --sysroot --param -rpath "
    "-arch -dumpbase -dumpbase-ext -dumpdir -aux-info -wrapper -Tbss -Tdata -Ttext"
)
_ASKS_FOR_LESS = frozenset(("-c", "-S", "-E", "-M", "-MM", "-fsyntax-only"))
_INCLUDES = ("-isystem", "-idirafter", "-iquote", "-I")
_C = (".c", ".i", ".m")
_CXX = (".cc", ".cpp", ".cxx", ".c++", ".C", ".CPP", ".CC", ".cp", ".ii", ".hpp", ".hh", ".hxx")
_CXX_LIBRARIES = ("-lstdc++", "-lc++")

# GCC's own, which change nothing that is asked of a module; zig refuses or ignores them.
_UNKNOWN = (
    "-ffat-lto",
    *("-fno-fat-lto", "-flto-", "-fno-ipa", "-fipa", "-specs", "--specs", "-fuse-ld", "-fplugin"),
    *("-fuse-linker-plugin", "-fno-use-linker-plugin", "-fvar-tracking", "-fno-var-tracking"),
    *("-fira-", "-fno-ira-", "-fanalyzer", "-fallow-store-data-races"),
    *("-fno-allow-store-data-races", "-mpreferred-stack-boundary", "-static-libgcc"),
    *("-fno-gnu-unique", "-fgnu-unique", "-fabi-version", "-fabi-compat-version", "-fstack-reuse"),
    *("-fzero-init-padding-bits", "-fno-aggressive-loop-optimizations"),
    "-shared-libgcc",
)
_UNKNOWN_WITH_VALUE = frozenset(("-dumpbase", "-dumpbase-ext", "-dumpdir", "-aux-info", "-wrapper"))
_LTO_JOBS = ("auto", "jobserver")
# Where nothing is compiled, what the compiler is told would only make zig build its C++ library
# once more; these are for the linker, too.
_FOR_LINKING = ("-fsanitize", "-fprofile", "-fcoverage", "-fno-lto")

_Unit = Tuple[str, Optional[str]]


class Adapted(NamedTuple):
    """What zig is called with."""

    driver: str  # "cc" or "c++"
    arguments: Tuple[str, ...]  # complete
    links: bool  # whether a linker runs; with "c++" it needs zig's C++ library
    notes: Tuple[str, ...]  # whole sentences: what was dropped or changed and matters
    refusal: str = ""  # a whole sentence where zig cannot do what was asked


def adapt(driver: str, arguments: Sequence[str], options: TargetOptions) -> Adapted:
    """Say how zig is called for what a compiler would be called with."""
    units = _units(_preprocessed(arguments))
    return _Call(driver, units, options).adapted()


def _preprocessed(arguments: Sequence[str]) -> List[str]:
    """Say to the compiler what -Wp and -Xpreprocessor say to its preprocessor."""
    out: List[str] = []
    rest = iter(arguments)
    for argument in rest:
        if argument.startswith("-Wp,"):
            said = argument[4:].split(",")
        elif argument == "-Xpreprocessor":
            said = [next(rest, "")]
        else:
            out.append(argument)
            if argument in _BEFORE_VALUE:
                out += [value for value in (next(rest, None),) if value is not None]
            continue
        for word in filter(None, said):
            # The preprocessor's own -MD names the file, the compiler's does not.
            if out and out[-1] in ("-MD", "-MMD") and not word.startswith("-"):
                out.append("-MF")
            out.append(word)
    return out


def _units(said: Sequence[str]) -> List[_Unit]:
    rest = iter(said)
    return [(word, next(rest, None) if word in _BEFORE_VALUE else None) for word in rest]


def _language(path: str, language: str) -> str:
    """Name a source's language, "c" or "c++"; "" for what is none, an object or a library."""
    if language:
        if language.startswith(("c++", "objective-c++")):
            return "c++"
        return "c" if language in ("c", "c-header", "cpp-output", "objective-c") else "other"
    if path.endswith(_CXX):
        return "c++"
    # zig compiles a .c as C whatever it is called by.
    return "c" if path.endswith(_C) else "other" if path.endswith((".s", ".S", ".sx")) else ""


class _Call:
    """One call: what it is for, and its arguments one after the other."""

    def __init__(self, driver: str, units: Sequence[_Unit], options: TargetOptions) -> None:
        self._units = units
        self._setting = options
        self._linker = Linker(options)
        self._out = self._linker.out
        self._processor = Processor(options)
        self._notes = self._linker.notes
        self._refusal = ""
        self._languages: Set[str] = set()
        self._inputs = 0
        self._look(driver)
        asked = {word for word, _ in units}
        self._checks = "-fsyntax-only" in asked
        self._links = bool(self._inputs) and not asked & _ASKS_FOR_LESS
        self._shared = "-shared" in asked
        self._driver = self._which(driver)

    def _look(self, driver: str) -> None:
        language = ""
        for word, value in self._units:
            joined = word[2:] if word.startswith("-x") else ""
            if word == "-x" or joined:
                language = joined or value or ""
                language = "" if language == "none" else language
            elif word == "-" or not word.startswith("-"):
                self._inputs += bool(word)
                expected = {"cc": "c", "c++": "c++"}.get(driver, "c") if word == "-" else ""
                language = _language(word, language or expected)
                self._languages |= {language} if language else set()

    def _which(self, driver: str) -> str:
        libraries = {word + (value or "") for word, value in self._units if word[:2] == "-l"}
        if "c++" in self._languages or (self._links and libraries & set(_CXX_LIBRARIES)):
            return "c++"
        return "cc" if self._languages == {"c"} and not self._links else driver

    def adapted(self) -> Adapted:
        """Put everything together."""
        for word, value in self._units:
            self._take(word, value)
        if self._checks:
            # zig's -fsyntax-only fails when it looks for the object that it has not made.
            self._out += ["-c", "-o", "/dev/null"]
        if self._languages:
            for folder in self._setting.sysroot_headers:
                self._out += ["-idirafter", folder]
        if self._links:
            self._linker.finish()
            self._out += [f"-L{folder}" for folder in self._setting.sysroot_libraries]
        notes = dict.fromkeys((*self._processor.notes, *self._notes))
        refusal = self._refusal or self._linker.refusal
        arguments = (*self._leading_arguments(), *self._out)
        return Adapted(self._driver, arguments, self._links, tuple(notes), refusal)

    def _leading_arguments(self) -> List[str]:
        options = self._setting
        if not self._inputs:
            # zig hands a question on to clang, which knows no version behind the libc; only
            # --version it looks at itself.
            arch, _, libc = options.triple.partition("-")
            if arch == "x86" and ("--version", None) not in self._units:
                arch = "i686"
            return ["-target", f"{arch}-{libc.partition('.')[0]}"]
        # A linker's line is the same for all: another processor would be another C++ library.
        cpu = self._processor.cpu if self._languages else options.cpu
        leading = ["-target", options.triple, f"-mcpu={cpu}", "-O2"]
        leading += ["-s"] if self._links else []
        leading += ["-g0", "-fno-sanitize=all", "-Wno-error=date-time"]
        # zig's optimisation defines NDEBUG; with GCC, assertions are the project's to leave out.
        leading += ["-UNDEBUG"] if self._languages else []
        return leading + [f"-ffile-prefix-map={old}={new}" for old, new in options.prefix_maps]

    def _take(self, word: str, value: Optional[str]) -> None:
        if word == "-" or not word.startswith("-"):
            self._input(word)
        elif _for_linker(word):
            self._tell_linker(word, value)
        elif word.startswith(_INCLUDES):
            self._include(word, value)
        elif word.startswith(("-target", "--target")):
            self._notes.append(
                f"{word}{' ' + value if value else ''} was dropped: the target is "
                f"{self._setting.triple}, from the platform that was asked for"
            )
        elif not self._drop(word):
            self._out.append(word)
            self._out += [] if value is None else [value]

    def _input(self, word: str) -> None:
        language = any(option.startswith("-x") for option, _ in self._units)
        if word == "-" and not language:
            # zig does not know what to expect from there.
            self._out += ["-x", "c++" if self._driver == "c++" else "c"]
        if self._links:
            self._linker.input(word)
        elif word:
            self._out.append(word)

    def _drop(self, word: str) -> bool:
        """Tell whether an option is not for zig; some leave others behind."""
        option, equals, value = word.partition("=")
        if option in ("-std", "--std") and equals:
            return self._wrong_standard(word, value)
        if word.startswith("-fopenmp") and word != "-fopenmp-simd":
            self._refusal = self._refusal or refuse_openmp(word)
        elif word == "-fhardened":
            self._notes.append(f"{word} was dropped: clang has no such bundle of options")
        elif option == "-flto":
            # LLD sees by itself what is bitcode.
            jobs = value in _LTO_JOBS or value.isdigit()
            self._out += [] if self._links else ["-flto" if jobs else word]
        else:
            return (
                self._processor.take(word)
                or word.startswith(("-g", *_UNKNOWN))
                or word in _UNKNOWN_WITH_VALUE
                or self._is_beside_the_point(word)
            )
        return True

    def _is_beside_the_point(self, word: str) -> bool:
        """Tell whether an option says nothing to a call of this kind."""
        if not self._links:
            linking = ("-s", "-rdynamic", "-shared", "-static", "-pie", "-no-pie")
            return word == "-fsyntax-only" or (bool(self._inputs) and word in linking)
        if word == "-static" and self._shared:
            # zig would make an archive of objects under the module's name.
            self._notes.append(f"{word} was dropped: an extension module is a shared library")
            return True
        if not self._languages and word.startswith(("-f", "-m", "-W")):
            return not word.startswith(_FOR_LINKING)
        return word == "-s" or word.startswith("-O")

    def _wrong_standard(self, word: str, standard: str) -> bool:
        wrong = "c" if "++" in standard else "c++"
        if wrong not in self._languages:
            return False
        if len(self._languages & {"c", "c++"}) > 1:
            self._notes.append(
                f"{word} was dropped: sources of C and C++ are compiled in one call, and clang "
                "takes a standard of only one of them; compile them in two"
            )
        return True

    def _include(self, word: str, value: Optional[str]) -> None:
        option = next(one for one in _INCLUDES if word.startswith(one))
        path = word[len(option) :] if value is None else value
        found = header_folder(path, self._setting)
        if found.note:
            self._notes.append(found.note)
        if found.after and found.path:
            self._out += ["-idirafter", found.path]
        elif found.path == path and value is None:
            self._out.append(word)
        elif found.path:
            self._out += [f"-I{found.path}"] if option == "-I" else [option, found.path]

    def _tell_linker(self, word: str, value: Optional[str]) -> None:
        if not self._inputs:
            self._out += [word] if value is None else [word, value]  # a question, as -Wl,--version
        elif not self._links:
            return  # GCC does not look at these, zig would
        elif word.startswith("-Wl,"):
            for said in filter(None, word[4:].split(",")):
                self._linker.word(said)
        elif word == "-Xlinker":
            self._linker.word(value or "")
        elif value is not None:
            self._linker.word(word)
            self._linker.word(value)
        else:
            self._linker.word("-Bsymbolic" if word == "-symbolic" else word)


def _for_linker(word: str) -> bool:
    return (
        word.startswith(("-Wl,", "-l", "-L", "-R", "-z"))
        or word in ("-Xlinker", "-rpath", "-T", "-e", "-h", "-symbolic")
        or (word.startswith("-u") and word != "-undef")
    )
