"""Read the licence that a Debian copyright file states for the sources of one library. Pure.

Such a file (copyright-format 1.0) has paragraphs with patterns of source files. It does not say
which libraries are built from them. So a licence is returned only if all sources that may be a
library's have the same one, or if names of folders and packages show which paragraph is for it.
"""

from __future__ import annotations

import re
from typing import Dict, FrozenSet, Iterable, Iterator, List, Optional, Set, Tuple

from manyshim.values import NamedTuple

_FORMAT = re.compile(r"copyright-format|/dep5|dep-5", re.IGNORECASE)

# Folders whose files are in no shared library of a Linux system. Names are in lower case.
_OTHER = """
    debian packages packaging rpm doc docs documentation man manual manpages po locale translations
    test tests testsuite testing unittest unittests t example examples sample samples demo demos
    tutorial tutorials bench benches benchmark benchmarks fuzz fuzzing fuzzers contrib extra extras
    tool tools prog progs program programs script scripts cli m4 m4macros cmake cmakescripts
    cmakemodules build build-aux builds buildaux buildconf autoconf aclocal ci .github .gitlab-ci
    win win32 win64 windows windowsce msvc vms amiga mac macos macosx osx dos msdos djgpp os2
    android ios symbian java python perl ruby tcl php lua csharp swig bindings www website
"""
_OTHER_FOLDERS: FrozenSet[str] = frozenset(_OTHER.split())
# Files of the build system, and texts. A name that ends like a source file is not compared.
_OTHER_NAMES = re.compile(
    r"aclocal|ar-lib|authors|autogen|bootstrap|build|change|cmake|compile|config|copying|copyright|"
    r"credits|depcomp|doxyfile|faq|gnumake|hacking|install|libtool|licen[cs]e|ltmain|maintainers|"
    r"make|mdate|meson|missing|mkinstalldirs|news|notice|readme|test-driver|thanks|todo|version|"
    r"ylwrap|\.git|\.travis"
)
_TEST = re.compile(r"(?:^|[-_])tests?(?:[-_.]|$)")
_SOURCE = re.compile(
    r"\.(?:[chslyf]|cc|cpp|cxx|c\+\+|h[hp]p?|hxx|h\+\+|inc|inl|ipp|tcc|def|asm|f\d\d|for|rs|m|mm|cu)"
    r"(?:\.in)?[*?]?$"
)
# Any other suffix: scripts, texts, pictures, data.
_SUFFIX = re.compile(r"\.[a-z0-9_~+-]+[*?]?$")
# Where the sources of a package with one library are: at the top, or in these folders.
_LIBRARY_FOLDERS = r"[^/]*$|(?:lib|src|sources?|include)/"
# The GPL without a choice of another licence; then also without an exception.
_GPL = re.compile(r"(?i)a?gpl(?!.*\bor\b)")
_PURE_GPL = re.compile(r"(?i)a?gpl(?!.*\b(?:or|with)\b)")
_NO_LICENCE = frozenset({"none", "other", "unknown", "unspecified", "undefined", "n/a"})
# Linux's PATH_MAX: no file has a longer path.
_MAX_PATTERN = 4096
# The longest known name of a licence has 300 characters: an expression of librsvg.
_MAX_NAME = 2000
# More folders of one name than any real source package has.
_MAX_FOLDERS = 100


class _Row(NamedTuple):
    """A pattern of source files, and the licence that is stated for them."""

    pattern: str
    licence: str


def field(paragraph: str, name: str) -> Optional[str]:
    """Return a field of a paragraph of a Debian control file, with its continuation lines."""
    pattern = rf"^{re.escape(name)}:[ \t]*(.*(?:\n[ \t].*)*)"
    match = re.search(pattern, paragraph, re.MULTILINE | re.IGNORECASE)
    return match.group(1).rstrip() if match else None


def licences(text: str, library: str, source: str) -> Tuple[str, ...]:
    """Return the licences of a library, as the file spells them; empty if that is not certain.

    `text` is the copyright file, `library` the name of the library's file, `source` the name of the
    source package. If there are several, each applies to a part of the library.
    """
    paragraphs = re.split(r"\n(?:[ \t]*\n)+", text.lstrip())
    if not _FORMAT.search(field(paragraphs[0], "Format") or ""):
        return ()
    stem = _stem(library)
    rows = [row for row in _rows(paragraphs[1:]) if not _is_elsewhere(row.pattern, stem)]
    names = {row.licence.lower(): row.licence for row in rows}
    distinct = names.keys() - _NO_LICENCE
    if len(distinct) == 1:
        # A licence that all the sources share is certain for each library.
        stated = {names[one] for one in distinct}
    else:
        stated = _of_folders(rows, stem, _stem(source))
    if not stated or "" in stated:
        stated = {_synopsis(field(paragraphs[0], "License"))}  # that of the whole package
    return tuple(sorted(one for one in stated if one and one.lower() not in _NO_LICENCE))


def _stated(paragraphs: Iterable[str]) -> Iterator[_Row]:
    for paragraph in paragraphs:
        licence = _synopsis(field(paragraph, "License"))
        for pattern in (field(paragraph, "Files") or "").split():
            if len(pattern) <= _MAX_PATTERN:
                yield _Row(re.sub(r"^[./]*/", "", pattern.rstrip(",")), licence)


def _rows(paragraphs: Iterable[str]) -> List[_Row]:
    """Return the patterns that still hold: a later pattern replaces the ones that it includes."""
    rows = list(_stated(paragraphs))
    kept: List[_Row] = []
    prefixes: Set[str] = set()
    for row in rows[::-1]:
        # In this format, a star also matches slashes.
        if not any(row.pattern[:end] in prefixes for end in range(len(row.pattern) + 1)):
            kept.append(row)
        if row.pattern.endswith("*") and not re.search(r"[*?\\]", row.pattern[:-1]):
            prefixes.add(row.pattern[:-1])
    return kept[::-1]


def _synopsis(value: Optional[str]) -> str:
    text = " ".join((value or "").partition("\n")[0].split())
    return text if len(text) <= _MAX_NAME else ""


def _stem(name: str) -> str:
    """Return the name of a library or package without `lib`, suffixes and version."""
    name = re.sub(r"^lib", "", name.lower().partition(".so")[0])
    without = re.sub(r"[-_.0-9]+$", "", name)
    return without if len(without) > 1 else name  # x264


def _is_elsewhere(pattern: str, stem: str) -> bool:
    """Return whether a pattern's files belong to the build, the texts or other programs."""
    *folders, name = pattern.lower().split("/")
    if any(one.rstrip("*") in _OTHER_FOLDERS and _stem(one) != stem for one in (*folders, name)):
        return True
    if _TEST.search(name):
        return True
    if _SOURCE.search(name) or name.strip("*?") == "":
        return False
    # A name without a suffix may be a folder.
    return bool(_OTHER_NAMES.match(name) or _SUFFIX.search(name))


def _of_folders(rows: List[_Row], stem: str, source: str) -> Set[str]:
    """Return the licences of the library's folders; empty if no name shows which they are.

    The licence of a single file or a folder inside is left out, because it may be in a program, or
    not be compiled.
    """
    folders = _own_folders(rows, stem, source)
    if len(folders) > _MAX_FOLDERS:
        return set()
    if folders:
        near = inside = [row for row in rows if row.pattern.startswith(tuple(folders))]
    elif re.split("[-_]", stem)[0] == source:
        near = inside = [row for row in rows if re.match(_LIBRARY_FOLDERS, row.pattern)]
        folders = [""]
        if any(row.pattern.startswith("lib/") for row in rows):
            # Then other folders may have the programs.
            folders, inside = ["lib/"], [row for row in rows if row.pattern.startswith("lib/")]
    else:
        return set()
    found = {row for folder in folders for row in _covering(rows, folder)}
    for row in found:
        # If licences differ, the GPL may be that of programs beside the library.
        beside = row not in inside or row.pattern in ("*", "lib/*")
        if beside and _GPL.match(row.licence) and any(_differs(row, one) for one in near):
            return set()
    licences = {row.licence for row in found}
    if not any(map(_GPL.match, licences)) and any(_PURE_GPL.match(one.licence) for one in inside):
        return set()  # parts may be under the GPL
    return licences


def _own_folders(rows: List[_Row], stem: str, source: str) -> List[str]:
    """Return the folders in the patterns that have the library's name, each with a slash."""
    found: Dict[str, bool] = {}
    for row in rows:
        *folders, _ = row.pattern.split("/")
        for depth, folder in enumerate(folders, 1):
            if _stem(folder) != stem or folders[0] == "include":
                continue
            certain = folder.lower().startswith("lib")
            # A folder `udev` may have a program of that name.
            if certain or stem == source or folders[depth - 2 : depth - 1] in (["lib"], ["libs"]):
                found["/".join(folders[:depth]) + "/"] = certain
                break
    any_certain = any(found.values())
    return [folder for folder, certain in found.items() if certain or not any_certain]


def _covering(rows: List[_Row], folder: str) -> List[_Row]:
    """Return the last row for all files of a folder, or its rows like `*.c` and `*.cpp`."""
    by_suffix = [row for row in rows if row.pattern.startswith(f"{folder}*.c")]
    whole = [
        row for row in rows if row.pattern.endswith("*") and folder.startswith(row.pattern[:-1])
    ]
    return by_suffix or whole[-1:]


def _differs(row: _Row, other: _Row) -> bool:
    return row.licence.lower() != other.licence.lower()
