"""Translate the arguments of a GCC call, with the flags of distributions, to those of zig.

This runs in every call of the compiler, so it imports little, and it reads no files. The caller
expands response files (@file).
"""

from __future__ import annotations

from typing import List, Optional, Sequence, Set, Tuple

from manyshim.toolchain.compiler.linking import Linker, refuse_openmp
from manyshim.toolchain.compiler.processor import Processor
from manyshim.toolchain.compiler.target_options import TargetOptions, header_folder, words
from manyshim.values import NamedTuple

# Options whose value is the next word. That word must not be read as an option or a source.
_BEFORE_VALUE = words(
    "-o -x -I -L -D -U -A -B -F -G -R -T -e -h -l -u -z -include -imacros -isystem -idirafter "
    "-iquote -iprefix -iwithprefix -iwithprefixbefore -isysroot -imultilib -MF -MT -MQ -MJ "
    "-Xlinker -Xclang -Xassembler -Xpreprocessor -mllvm -target --target --sysroot --param -rpath "
    "-arch -dumpbase -dumpbase-ext -dumpdir -aux-info -wrapper -Tbss -Tdata -Ttext"
)
_STOPS_BEFORE_LINKING = frozenset(("-c", "-S", "-E", "-M", "-MM", "-fsyntax-only"))
_INCLUDES = ("-isystem", "-idirafter", "-iquote", "-I")
_C = (".c", ".i", ".m")
_CXX = (".cc", ".cpp", ".cxx", ".c++", ".C", ".CPP", ".CC", ".cp", ".ii", ".hpp", ".hh", ".hxx")
_CXX_LIBRARIES = ("-lstdc++", "-lc++")

# GCC's own options, without effect on what a module does. zig refuses or ignores them.
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
# In a call that only links, other -f options would make zig build its C++ library again. These
# matter to the linker, too.
_FOR_LINKING = ("-fsanitize", "-fprofile", "-fcoverage", "-fno-lto")

_Unit = Tuple[str, Optional[str]]


class Adapted(NamedTuple):
    """The call of zig for a call of a compiler."""

    driver: str  # "cc" or "c++"
    arguments: Tuple[str, ...]  # complete
    links: bool  # whether a linker runs; with "c++" it needs zig's C++ library
    notes: Tuple[str, ...]  # sentences about dropped or changed arguments that matter
    refusal: str = ""  # a sentence if zig cannot do what the arguments ask for


def adapt(driver: str, arguments: Sequence[str], options: TargetOptions) -> Adapted:
    """Return the call of zig for a compiler's arguments; `driver` is "cc" or "c++"."""
    units = _units(_preprocessed(arguments))
    return _Call(driver, units, options).adapted()


def _preprocessed(arguments: Sequence[str]) -> List[str]:
    """Replace -Wp and -Xpreprocessor by the compiler's own options."""
    out: List[str] = []
    rest = iter(arguments)
    for argument in rest:
        if argument.startswith("-Wp,"):
            options = argument[4:].split(",")
        elif argument == "-Xpreprocessor":
            options = [next(rest, "")]
        else:
            out.append(argument)
            if argument in _BEFORE_VALUE:
                out += [value for value in (next(rest, None),) if value is not None]
            continue
        for word in filter(None, options):
            # The preprocessor's -MD has the file as its value, the compiler's has none.
            if out and out[-1] in ("-MD", "-MMD") and not word.startswith("-"):
                out.append("-MF")
            out.append(word)
    return out


def _units(arguments: Sequence[str]) -> List[_Unit]:
    """Join each option with its value, if that is the next word."""
    rest = iter(arguments)
    return [(word, next(rest, None) if word in _BEFORE_VALUE else None) for word in rest]


def _language(path: str, named: str) -> str:
    """Return the language of an input: "c", "c++", "other", or "" for an object or a library.

    `named` is the language that -x names for it, or "".
    """
    if named:
        if named.startswith(("c++", "objective-c++")):
            return "c++"
        return "c" if named in ("c", "c-header", "cpp-output", "objective-c") else "other"
    if path.endswith(_CXX):
        return "c++"
    # zig compiles a .c file as C, also when it is called as c++.
    return "c" if path.endswith(_C) else "other" if path.endswith((".s", ".S", ".sx")) else ""


class _Call:
    """One call of the compiler: its purpose, then its arguments in order."""

    def __init__(self, driver: str, units: Sequence[_Unit], options: TargetOptions) -> None:
        self._units = units
        self._options = options
        self._linker = Linker(options)
        self._out = self._linker.out
        self._processor = Processor(options)
        self._notes = self._linker.notes
        self._refusal = ""
        self._languages: Set[str] = set()
        self._inputs = 0
        self._find_languages(driver)
        options_given = {word for word, _ in units}
        self._only_checks = "-fsyntax-only" in options_given
        self._links = bool(self._inputs) and not options_given & _STOPS_BEFORE_LINKING
        self._shared = "-shared" in options_given
        self._driver = self._choose_driver(driver)

    def _find_languages(self, driver: str) -> None:
        named = ""  # the language of the last -x
        for word, value in self._units:
            joined = word[2:] if word.startswith("-x") else ""
            if word == "-x" or joined:
                named = joined or value or ""
                named = "" if named == "none" else named
            elif word == "-" or not word.startswith("-"):
                self._inputs += bool(word)
                expected = {"cc": "c", "c++": "c++"}.get(driver, "c") if word == "-" else ""
                language = _language(word, named or expected)
                self._languages |= {language} if language else set()

    def _choose_driver(self, driver: str) -> str:
        libraries = {word + (value or "") for word, value in self._units if word[:2] == "-l"}
        if "c++" in self._languages or (self._links and libraries & set(_CXX_LIBRARIES)):
            return "c++"
        return "cc" if self._languages == {"c"} and not self._links else driver

    def adapted(self) -> Adapted:
        """Translate all arguments, and return the result."""
        for word, value in self._units:
            self._take(word, value)
        if self._only_checks:
            # zig's -fsyntax-only fails, because it looks for an object that it has not written.
            self._out += ["-c", "-o", "/dev/null"]
        if self._languages:
            for folder in self._options.sysroot_headers:
                self._out += ["-idirafter", folder]
        if self._links:
            self._linker.finish()
            self._out += [f"-L{folder}" for folder in self._options.sysroot_libraries]
        notes = dict.fromkeys((*self._processor.notes, *self._notes))
        refusal = self._refusal or self._linker.refusal
        arguments = (*self._leading_arguments(), *self._out)
        return Adapted(self._driver, arguments, self._links, tuple(notes), refusal)

    def _leading_arguments(self) -> List[str]:
        options = self._options
        if not self._inputs:
            # A call without inputs asks for information. zig passes it on to clang, which knows no
            # version after the libc, and has the name i686. zig itself answers --version only.
            arch, _, libc = options.triple.partition("-")
            if arch == "x86" and ("--version", None) not in self._units:
                arch = "i686"
            return ["-target", f"{arch}-{libc.partition('.')[0]}"]
        # All link lines begin alike: for another processor zig would build another C++ library.
        cpu = self._processor.cpu if self._languages else options.cpu
        leading = ["-target", options.triple, f"-mcpu={cpu}", "-O2"]
        leading += ["-s"] if self._links else []
        leading += ["-g0", "-fno-sanitize=all", "-Wno-error=date-time"]
        if self._languages and not self._links and "-musl" in options.triple:
            # For glibc, zig does so without the option. A module may get objects of a static
            # library that asks for nothing.
            leading += ["-fPIC"]
        # zig defines NDEBUG when it optimises. GCC leaves that decision to the project.
        leading += ["-UNDEBUG"] if self._languages else []
        return leading + [f"-ffile-prefix-map={old}={new}" for old, new in options.prefix_maps]

    def _take(self, word: str, value: Optional[str]) -> None:
        if word == "-" or not word.startswith("-"):
            self._input(word)
        elif _for_linker(word):
            self._pass_to_linker(word, value)
        elif word.startswith(_INCLUDES):
            self._include(word, value)
        elif word.startswith(("-target", "--target")):
            self._notes.append(
                f"{word}{' ' + value if value else ''} was dropped: the option platform sets the "
                f"target, {self._options.triple}"
            )
        elif not self._drop(word):
            self._out.append(word)
            self._out += [] if value is None else [value]

    def _input(self, word: str) -> None:
        named = any(option.startswith("-x") for option, _ in self._units)
        if word == "-" and not named:
            # zig cannot know the language of standard input.
            self._out += ["-x", "c++" if self._driver == "c++" else "c"]
        if self._links:
            self._linker.input(word)
        elif word:
            self._out.append(word)

    def _drop(self, word: str) -> bool:
        """Return whether zig must not get an option; other options may replace it."""
        option, equals, value = word.partition("=")
        if option in ("-std", "--std") and equals:
            return self._is_other_standard(word, value)
        if word.startswith("-fopenmp") and word != "-fopenmp-simd":
            # Without the value: CMake tries several, and each message is printed once.
            self._refusal = self._refusal or refuse_openmp(option)
        elif word == "-fhardened":
            self._notes.append(f"{word} was dropped: clang does not have this option")
        elif option == "-flto":
            # LLD detects bitcode without an option.
            jobs = value in _LTO_JOBS or value.isdigit()
            self._out += [] if self._links else ["-flto" if jobs else word]
        else:
            return (
                self._processor.take(word)
                or word.startswith(("-g", *_UNKNOWN))
                or word in _UNKNOWN_WITH_VALUE
                or self._has_no_effect(word)
            )
        return True

    def _has_no_effect(self, word: str) -> bool:
        """Return whether an option has no effect in a call of this kind."""
        if not self._links:
            linking = ("-s", "-rdynamic", "-shared", "-static", "-pie", "-no-pie")
            return word == "-fsyntax-only" or (bool(self._inputs) and word in linking)
        if word == "-static" and self._shared:
            # zig would write an archive of objects under the module's name.
            self._notes.append(f"{word} was dropped: an extension module is a shared library")
            return True
        if not self._languages and word.startswith(("-f", "-m", "-W")):
            return not word.startswith(_FOR_LINKING)
        return word == "-s" or word.startswith("-O")

    def _is_other_standard(self, word: str, standard: str) -> bool:
        wrong = "c" if "++" in standard else "c++"
        if wrong not in self._languages:
            return False
        if len(self._languages & {"c", "c++"}) > 1:
            self._notes.append(
                f"{word} was dropped: one call compiles C and C++ sources, and clang accepts the "
                "standard of one language only; compile them in two calls"
            )
        return True

    def _include(self, word: str, value: Optional[str]) -> None:
        option = next(one for one in _INCLUDES if word.startswith(one))
        path = word[len(option) :] if value is None else value
        found = header_folder(path, self._options)
        if found.note:
            self._notes.append(found.note)
        if found.after and found.path:
            self._out += ["-idirafter", found.path]
        elif found.path == path and value is None:
            self._out.append(word)
        elif found.path:
            self._out += [f"-I{found.path}"] if option == "-I" else [option, found.path]

    def _pass_to_linker(self, word: str, value: Optional[str]) -> None:
        if not self._inputs:
            self._out += [word] if value is None else [word, value]  # such as -Wl,--version
        elif not self._links:
            return  # GCC ignores these, zig would not
        elif word.startswith("-Wl,"):
            for part in filter(None, word[4:].split(",")):
                self._linker.word(part)
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
