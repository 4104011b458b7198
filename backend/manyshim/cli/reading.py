"""Reads a command line with the parsers of argparse, and says in one sentence what is wrong.

The words of argparse's own errors differ between Pythons, and name no fix.
"""

from __future__ import annotations

import argparse
import re
from contextlib import nullcontext, suppress

from manyshim.cli import mistakes
from manyshim.cli import parser as parsers
from manyshim.cli.commands import COMMANDS
from manyshim.cli.manner import AUTO
from manyshim.cli.parser import Parser
from manyshim.errors import ConfigError, shorten
from manyshim.optiontypes import nearest
from manyshim.policyoption import nearest_arch
from manyshim.values import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import List, Optional, Sequence, Tuple

_HELP = ("-h", "--help")
_NEGATIVE = re.compile(r"-\d+")


class Line(NamedTuple):
    """A command line: its command, and its options with their values, as argparse has them.

    `command` is None if there is none. `help` is true if the help is asked for, and `version` if
    the version is.
    """

    command: Optional[str]
    options: argparse.Namespace
    help: bool = False
    version: bool = False


class _Words:
    """The words of a part of the command line, sorted into options and others."""

    def __init__(self, parser: Parser, command: str) -> None:
        self.parser = parser
        self.command = command
        self.options: List[str] = []
        self.others: List[str] = []
        # The words that are values of options: people leave out a value, and lose a file.
        self.values: List[Tuple[str, str]] = []
        self.end = 0

    def read(self, words: Sequence[str], *, until_other: bool = False) -> None:
        """Sort the words, and set `end` to the number of those that were read.

        `until_other` ends before the first word that is no option. Raises ConfigError for a word
        that is wrong; `end` is then that of all words.
        """
        self.end = len(words)
        at = 0
        while at < len(words):
            word = words[at]
            if word == "--" and not until_other:
                self.others += words[at + 1 :]
                return
            if _is_option(word):
                at += self._option(word, words[at + 1 :])
            elif until_other:
                break
            else:
                self.others.append(word)
                at += 1
        self.end = at

    def _option(self, word: str, rest: Sequence[str]) -> int:
        """Take the option of a word; return how many words it has."""
        action, name, value = self._split(word, rest)
        if action.nargs == 0:
            if value is not None and name.startswith("--"):
                raise self._error(f"{name} takes no value; write {name} alone")
            self.options.append(action.option_strings[-1])
            # Several short options may be in one word.
            return 1 if value is None else self._option(f"-{value}", rest)
        count = 1
        if value is None:
            if not rest or _is_option(rest[0]):
                raise self._error(f"{name} needs a value: {name} {_metavar(action)}")
            value, count = rest[0], 2
            self.values.append((name, value))
        self._verify(name, action, value)
        self.options.append(f"{action.option_strings[-1]}={value}")
        return count

    def _split(self, word: str, rest: Sequence[str]) -> Tuple[argparse.Action, str, Optional[str]]:
        """Return the option of a word, its name, and the value that is in the same word."""
        name, equals, text = word.partition("=")
        value = text if equals else None
        if not word.startswith("--"):
            if self.parser.option(f"-{name}"):
                raise self._error(f"{shorten(name)} is not an option; did you mean '-{name}'?")
            name, value = word[:2], word[2:] or None
        action = self.parser.option(name)
        if action is None:
            raise self._error(mistakes.unknown_option(name, self.command, self.parser, rest))
        return action, name, value

    def _verify(self, name: str, action: argparse.Action, value: str) -> None:
        what = f"{name} = {shorten(value)!r} is not valid; "
        if not value and action.metavar in ("DIR", "OTHER"):
            raise self._error(f"{what}name {action.help}")
        if action.choices is not None and value not in action.choices:
            hint = nearest_arch if action.dest == "arch" else nearest
            raise self._error(what + hint(value, tuple(action.choices)))
        if callable(action.type):
            try:
                action.type(value)
            except argparse.ArgumentTypeError as error:
                raise self._error(f"{what}{error}") from None

    def verify_others(self) -> None:
        """Raise ConfigError for too few and too many words, and for a required option."""
        taken = self.parser.takes
        if all(one.nargs in ("?", None) for one in taken) and len(self.others) > len(taken):
            raise self._error(mistakes.too_many(self.others, self.command, taken))
        if taken and not self.others and taken[0].nargs not in ("?", "*"):
            raise self._error(mistakes.too_few(self.values, self.command, taken[0]))
        for at, word in enumerate(self.others):
            one = taken[min(at, len(taken) - 1)]
            if word[:1] in mistakes.DASHES:
                raise self._error(mistakes.dash(word))
            if one.choices is not None and word not in one.choices:
                raise self._error(mistakes.not_among(word, self.command, one))
        given = {word.partition("=")[0] for word in self.options}
        for action in self.parser.actions:
            if action.option_strings and action.required and not given & {*action.option_strings}:
                raise self._error(mistakes.required(action, self.others))

    def _error(self, sentence: str) -> ConfigError:
        return mistakes.error(sentence, self.command)


def read(given: Sequence[str]) -> Line:
    """Read a command line. Raises ConfigError with one sentence, and the command for the help."""
    if given and given[0] == "help":
        given = [*given[1:2], "--help"]
    asks = _asks_for_help(given)
    top = parsers.top()
    before = _Words(top, "")
    with suppress(ConfigError) if asks else nullcontext():
        before.read(given, until_other=True)
    if "--version" in before.options:
        return Line(None, argparse.Namespace(color=AUTO, quiet=False), version=True)
    words = given[before.end :]
    if not words:
        return Line(None, _namespace(top, (before,), asks=asks), help=asks)
    return _of_command(before, words[0], words[1:], asks=asks)


def _of_command(before: _Words, name: str, words: Sequence[str], *, asks: bool) -> Line:
    """Read what follows a command; `before` has the options before it."""
    if name not in COMMANDS:
        raise mistakes.error(mistakes.unknown_command(name), "")
    parser = parsers.of_command(name, words)
    after = _Words(parser, name)
    with suppress(ConfigError) if asks else nullcontext():
        after.read(words)
        if not asks:
            after.verify_others()
    options = _namespace(parser, (before, after), asks=asks)
    if options.quiet and getattr(options, "verbose", False):
        raise mistakes.error("-q and -v contradict each other; give one of them", name)
    return Line(name, options, help=asks)


def _asks_for_help(given: Sequence[str]) -> bool:
    words = given[: given.index("--")] if "--" in given else given
    return any(word in _HELP for word in words)


def _namespace(parser: Parser, parts: Sequence[_Words], *, asks: bool) -> argparse.Namespace:
    """Return what argparse makes of the words, sorted so that each Python reads them alike.

    If they ask for the help, only the colour counts.
    """
    options = [word for part in parts for word in part.options]
    if asks:
        colors = [word.partition("=")[2] for word in options if word.startswith("--color=")]
        return argparse.Namespace(color=colors[-1] if colors else AUTO, quiet=False)
    others = [word for part in parts for word in part.others]
    return parser.parse_args([*options, *(["--", *others] if others else [])])


def _is_option(word: str) -> bool:
    """Whether a word is an option; `-` and negative numbers are none."""
    return word.startswith("-") and word != "-" and not _NEGATIVE.fullmatch(word)


def _metavar(action: argparse.Action) -> str:
    if isinstance(action.metavar, str):
        return action.metavar
    return f"{{{','.join(map(str, action.choices or ()))}}}"
