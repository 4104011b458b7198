"""Find words in the repository that have a plainer replacement.

`python scripts/check_words.py` checks every Python file, every page, pyproject.toml and .ci/run.
It prints `file:line: 'word': use 'replacement'` for each finding and exits with 1 if there is one.
Files can be named as arguments. CI runs this script, so that the vocabulary stays that of the
field: names are those of PEPs, the ELF gABI and glibc.
"""

from __future__ import annotations

import argparse
import io
import re
import subprocess
import sys
import tokenize
from functools import lru_cache
from pathlib import Path
from typing import Iterator, List, NamedTuple, Pattern, Tuple

REPOSITORY = Path(__file__).resolve().parent.parent


class Word(NamedTuple):
    """A spelling with all its forms, and what to use instead.

    `below` limits the entry to the files below one folder.
    """

    forms: Tuple[str, ...]
    use: str
    below: str = ""


# Whole identifiers, case-sensitive. As ordinary English these words are free in text. A leading
# or trailing `*` stands for any characters.
IDENTIFIERS = (
    Word(("Claim", "claim", "claims", "claimed"), "TagDecision, decision"),
    Word(("bill", "bills"), "sbom"),
    Word(("lacking",), "missing_requirements, not_found"),
    Word(("leaves",), "escapes_wheel"),
    Word(("shown", "_shown"), "escape"),
    Word(("Task", "How"), "RepairRequest, PatchOptions"),
    Word(("_Draft", "_Job"), "_Planner, a named result"),
    Word(("proof", "leftovers"), "verify"),
    Word(("lay_out",), "create"),
    Word(("Setting",), "TargetOptions"),
    Word(("front", "_front"), "contiguous_prefix", below="backend/"),
    Word(("_terse",), "is_minimal"),
    Word(("NOWHERE",), "EMPTY"),
    Word(("_TRUTH",), "_TRUE"),
    Word(("*_AT_MOST",), "MAX_..."),
    Word(("Say", "_say"), "report, print_lines"),
    Word(("_spoken_errors",), "_exit_on_error"),
    Word(("told",), "reported, requested"),
    Word(("theirs", "Theirs", "THEIRS", "_theirs"), "a name of its own, as backend_settings"),
    Word(("ours", "Ours", "OURS", "_ours", "mine"), "a name of its own, as own_..."),
    Word(("room", "door", "wall"), "module, entry point, boundary"),
    Word(("floor", "_floor"), "layer, minimum"),
    Word(("Target",), "LoaderRules", below="backend/manyshim/repair/"),
)

# Words and phrases of text, and parts of identifiers. One with a capital is case-sensitive.
TEXT = (
    Word(("rung", "rungs"), "policy"),
    Word(("ladder", "ladders"), "policies"),
    Word(("CLAIM",), "FALSE_TAG"),
    Word(("obstacle", "obstacles"), "blocker"),
    Word(("mend", "mends", "mended", "mending"), "fix, repair"),
    Word(("settle", "settles", "settled", "settling"), "resolve, plan"),
    Word(("way out", "ways out"), "hint, fix"),
    Word(("farm", "farms"), "linked headers"),
    Word(("workbench", "workbenches"), "build environment"),
    Word(("let go", "lets go"), "discard"),
    Word(("at hand",), "buffered, available"),
    Word(("foretell", "foretells", "foretold"), "predict"),
    Word(("house", "houses", "rooms"), "package, module"),
    Word(("doors",), "entry points"),
    Word(("whoever", "whomever"), "anyone who, the caller"),
    Word(("one who builds", "those who build"), "the user"),
    Word(("earn", "earns", "earned"), "qualify for, prove"),
    Word(("is believed", "are believed"), "is trusted, is used"),
    Word(("be it",), "even, also"),
    Word(("such as are", "such as is"), "that are"),
    Word(("nobody's business",), "a statement of what happens"),
    Word(("and said to be",), "still shown"),
    Word(("without a word",), "silently"),
)


class Exemption(NamedTuple):
    """A file that may use a word (`*`: every word), and the reason."""

    file: str
    word: str
    reason: str


EXEMPTIONS = (
    Exemption("scripts/check_words.py", "*", "it holds the list"),
    Exemption("tests/scripts/test_check_words.py", "*", "it plants the words"),
    Exemption("backend/manyshim/optiontypes.py", "CLAIM", "`allow` still takes the old kind"),
    Exemption("backend/manyshim/formatters/json.py", "CLAIM", "it dates the change of the kind"),
    Exemption("tests/test_config.py", "CLAIM", "it tests the old kind in `allow`"),
    Exemption("tests/schemas/test_tool_schema.py", "CLAIM", "it tests the old kind in `allow`"),
    Exemption("CHANGELOG.md", "CLAIM", "it names the old kind"),
)

_FILES = re.compile(r".*\.(?:py|md)|(?:.*/)?pyproject\.toml|\.ci/run|\.pre-commit-config\.yaml")
# Scripts write these pages from runs, so the words are in the scripts.
_WRITTEN = "docs/evidence/"

_NAME = re.compile(r"[A-Za-z_]\w*")
_NAME_PARTS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
# Identifiers in text are code in backquotes. A lower-case word in them may be a value.
_CODE_SPAN = re.compile(r"`([^`\n]+)`")
_SPELLED_AS_CODE = re.compile(r"[A-Z_]")
# A string with such a line is a program that a test or a wrapper runs.
_IMPORT_LINE = re.compile(r"^ *(?:from [\w.]+ )?import [\w.]+(?:, [\w.]+)*$", re.MULTILINE)
# A string that is only a name may name an attribute.
_NAME_STRING = re.compile(r"([\"'])(?=\w*[A-Z_])[A-Za-z_]\w*\1")
# What may stand between two words of a phrase: also a comment's next line, and the quotes between
# two string literals.
_GAP = r"(?:\s|#|[\"']\s+[bfru]{0,2}[\"'])+"
_STRING_STARTS = {getattr(tokenize, name, -1) for name in ("FSTRING_START", "TSTRING_START")}
_STRING_ENDS = {getattr(tokenize, name, -1) for name in ("FSTRING_END", "TSTRING_END")}


class Matcher(NamedTuple):
    """One form of an entry, with the pattern that matches it."""

    pattern: Pattern[str]
    form: str
    word: Word


class Finding(NamedTuple):
    """A word at a line of a file, and what to use instead."""

    file: str
    line: int
    word: str
    use: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: '{self.word}': use '{self.use}'"


def _identifier_pattern(form: str) -> Pattern[str]:
    return re.compile(re.escape(form).replace(r"\*", r"\w*") + r"\Z")


def _text_pattern(form: str) -> Pattern[str]:
    case = re.IGNORECASE if form.islower() else 0
    words = _GAP.join(map(re.escape, form.split()))
    return re.compile(rf"(?<![^\W_]){words}(?![^\W_])", case)


_IDENTIFIERS = [
    Matcher(_identifier_pattern(form), form, word) for word in IDENTIFIERS for form in word.forms
]
_TEXT = [Matcher(_text_pattern(form), form, word) for word in TEXT for form in word.forms]


class _Content(NamedTuple):
    """What is checked in a file: its names with their lines, and its text.

    `text` has the length of the source: what is no text is blank or a separator.
    """

    names: List[Tuple[int, str]]
    text: str


def check(file: str, source: str) -> List[Finding]:
    """List the words in the source of a file, which is named relative to the repository."""
    content = _read_python(source) if file.endswith(".py") else _Content([], source)
    found = {
        *_check_names(file, [*content.names, *_names_in_code_spans(content.text)]),
        *_check_text(file, content.text),
    }
    exempt = {one.word for one in EXEMPTIONS if one.file == file}
    return sorted(one for one in found if not exempt & {"*", one.word})


def _check_names(file: str, names: List[Tuple[int, str]]) -> Iterator[Finding]:
    for line, name in names:
        for form, word in _words_of(name):
            if file.startswith(word.below):
                yield Finding(file, line, form, word.use)


@lru_cache(maxsize=None)
def _words_of(name: str) -> Tuple[Tuple[str, Word], ...]:
    """Return the entries for a name, and what each found in it."""
    parts = " ".join(_NAME_PARTS.findall(name))
    return (
        *((name, word) for pattern, _, word in _IDENTIFIERS if pattern.match(name)),
        *((form, word) for pattern, form, word in _TEXT if pattern.search(parts)),
    )


def _check_text(file: str, text: str) -> Iterator[Finding]:
    for pattern, form, word in _TEXT:
        for found in pattern.finditer(text):
            yield Finding(file, _line(text, found.start()), form, word.use)


def _names_in_code_spans(text: str) -> Iterator[Tuple[int, str]]:
    for span in _CODE_SPAN.finditer(text):
        for name in _NAME.findall(span[1]):
            if _SPELLED_AS_CODE.search(name):
                yield _line(text, span.start()), name


def _read_python(source: str) -> _Content:
    """Separate the names of a Python file from its strings and comments.

    Before Python 3.12 a name inside of an f-string is part of the string, and counts as text.
    """
    names: List[Tuple[int, str]] = []
    starts = [0]
    for line in source.splitlines(keepends=True):
        starts.append(starts[-1] + len(line))
    text = list(re.sub(r"\S", ";", source))
    opened: List[int] = []
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        start, end = (starts[line - 1] + column for line, column in (token.start, token.end))
        if token.type == tokenize.NAME:
            names.append((token.start[0], token.string))
        if token.type in _STRING_STARTS:
            opened.append(start)
        elif token.type in _STRING_ENDS:
            start = opened.pop()
        if token.type in {tokenize.STRING, tokenize.COMMENT, *_STRING_ENDS}:
            written = source[start:end]
            # An escaped line end separates words.
            text[start:end] = re.sub(r"\\[nt]", "  ", written)
            if _IMPORT_LINE.search(written) or _NAME_STRING.fullmatch(written):
                names.extend(
                    (_line(source, start + found.start()), found[0])
                    for found in _NAME.finditer(written)
                )
    return _Content(names, "".join(text))


def _line(text: str, offset: int) -> int:
    return text.count("\n", 0, offset) + 1


def tracked_files() -> List[str]:
    """List the files to check: those that Git tracks, and new ones that it does not ignore."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    done = subprocess.run(command, cwd=REPOSITORY, check=True, stdout=subprocess.PIPE, text=True)
    return [
        file
        for file in sorted(set(done.stdout.split("\0")))
        if _FILES.fullmatch(file)
        and not file.startswith(_WRITTEN)
        and (REPOSITORY / file).is_file()
    ]


def main() -> int:
    """Print the findings; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("file", nargs="*", help="relative to the repository (all files)")
    found = [
        one
        for file in parser.parse_args().file or tracked_files()
        for one in check(file, (REPOSITORY / file).read_text(encoding="utf-8"))
    ]
    for one in found:
        print(one)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
