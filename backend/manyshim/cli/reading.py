"""Reads a command line, and says in one sentence what is wrong.

The words of argparse's errors differ between Pythons, and name no fix.
"""

from __future__ import annotations

from types import SimpleNamespace

from manyshim.cli.grammar import DASHES, Argument, Grammar, WrongValueError, before_command
from manyshim.cli.manner import AUTO
from manyshim.errors import ConfigError, shorten
from manyshim.values import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import List, Optional, Sequence, Tuple

_HELP = ("-h", "--help")


class Line(NamedTuple):
    """A command line: its command, and its options with their values, by their names.

    `command` is None if there is none. `help` is true if the help is asked for, and `version` if
    the version is.
    """

    command: Optional[str]
    options: SimpleNamespace
    help: bool = False
    version: bool = False


class _Words:
    """The words of a part of the command line, sorted into options and others."""

    def __init__(self, grammar: Grammar, command: str) -> None:
        self.grammar = grammar
        self.command = command
        self.options: List[Tuple[Argument, str]] = []
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

    @property
    def ask_for_help(self) -> bool:
        """Whether the options ask for the help, also in one word with others, as in `-qh`."""
        return any(action.action == "help" for action, _ in self.options)

    def _option(self, word: str, rest: Sequence[str]) -> int:
        """Take the option of a word; return how many words it has."""
        action, name, value = self._split(word, rest)
        if action.nargs == 0:
            if value is not None and name.startswith("--"):
                raise self._error(f"{name} takes no value; write {name} alone")
            self.options.append((action, ""))
            # Several short options may be in one word.
            return 1 if value is None else self._option(f"-{value}", rest)
        count = 1
        if value is None:
            if not rest or _is_option(rest[0]):
                raise self._error(f"{name} needs a value: {name} {_metavar(action)}")
            value, count = rest[0], 2
            self.values.append((name, value))
        self._verify(name, action, value)
        self.options.append((action, value))
        return count

    def _split(self, word: str, rest: Sequence[str]) -> Tuple[Argument, str, Optional[str]]:
        """Return the option of a word, its name, and the value that is in the same word."""
        name, equals, text = word.partition("=")
        value = text if equals else None
        if not word.startswith("--"):
            if self.grammar.option(f"-{name}"):
                raise self._error(f"{shorten(name)} is not an option; did you mean '-{name}'?")
            name, value = word[:2], word[2:] or None
        action = self.grammar.option(name)
        if action is None:
            from manyshim.cli import mistakes  # noqa: PLC0415 (only for an error)

            raise self._error(mistakes.unknown_option(name, self.command, self.grammar, rest))
        return action, name, value

    def _verify(self, name: str, action: Argument, value: str) -> None:
        what = f"{name} = {shorten(value)!r} is not valid; "
        if not value and action.metavar in ("DIR", "OTHER"):
            raise self._error(f"{what}name {action.help}")
        if action.choices is not None and value not in action.choices:
            from manyshim.optiontypes import nearest  # noqa: PLC0415 (only for an error)
            from manyshim.policyoption import nearest_arch  # noqa: PLC0415

            hint = nearest_arch if action.dest == "arch" else nearest
            raise self._error(what + hint(value, tuple(action.choices)))
        if action.type:
            try:
                action.type(value)
            except WrongValueError as error:
                raise self._error(f"{what}{error}") from None

    def verify_others(self) -> None:
        """Raise ConfigError for too few and too many words, and for a required option."""
        sentence = self._about_others(self.grammar.takes)
        if sentence:
            raise self._error(sentence)
        given = [action for action, _ in self.options]
        for action in self.grammar.actions:
            if action.option_strings and action.required and action not in given:
                from manyshim.cli import mistakes  # noqa: PLC0415 (only for an error)

                raise self._error(mistakes.required(action, self.others))

    def _about_others(self, taken: Sequence[Argument]) -> str:
        """Return the sentence about the words that are no options; empty if they are right."""
        many = len(self.others) > len(taken) and all(one.nargs in ("?", None) for one in taken)
        few = not self.others and bool(taken) and taken[0].nargs not in ("?", "*")
        last = len(taken) - 1
        pairs = [(word, taken[min(at, last)]) for at, word in enumerate(self.others) if taken]
        wrong = [
            (word, one)
            for word, one in pairs
            if word[:1] in DASHES or (one.choices is not None and word not in one.choices)
        ]
        if not (many or few or wrong):
            return ""
        from manyshim.cli import mistakes  # noqa: PLC0415 (only for an error)

        if many:
            return mistakes.too_many(self.others, self.command, taken)
        if few:
            return mistakes.too_few(self.values, self.command, taken[0])
        word, one = wrong[0]
        dashed = word[:1] in DASHES
        return mistakes.dash(word) if dashed else mistakes.not_among(word, self.command, one)

    def _error(self, sentence: str) -> ConfigError:
        return _error(sentence, self.command)


def _error(sentence: str, command: str) -> ConfigError:
    """Return the error with a sentence, and the line that tells where the help is."""
    return ConfigError(sentence, f"try manyshim {command} --help".replace("  ", " "))


def read(given: Sequence[str]) -> Line:
    """Read a command line. Raises ConfigError with one sentence, and the command for the help."""
    if given and given[0] == "help":
        given = [*given[1:2], "--help"]
    asks = _asks_for_help(given)
    before = _Words(before_command(), "")
    try:
        before.read(given, until_other=True)
    except ConfigError:
        if not asks:
            raise
    if any(action.action == "version" for action, _ in before.options):
        return Line(None, SimpleNamespace(color=AUTO, quiet=False), version=True)
    words = given[before.end :]
    if not words:
        asks = asks or before.ask_for_help
        return Line(None, _namespace((before,), asks=asks), help=asks)
    return _of_command(before, words[0], words[1:], asks=asks)


def _of_command(before: _Words, name: str, words: Sequence[str], *, asks: bool) -> Line:
    """Read what follows a command; `before` has the options before it."""
    from manyshim.cli.commands import COMMANDS, grammar_of  # noqa: PLC0415 (not for `--version`)

    if name not in COMMANDS:
        from manyshim.cli import mistakes  # noqa: PLC0415 (only for an error)

        raise _error(mistakes.unknown_command(name), "")
    after = _Words(grammar_of(name, words), name)
    try:
        after.read(words)
        asks = asks or before.ask_for_help or after.ask_for_help
        if not asks:
            after.verify_others()
    except ConfigError:
        if not asks:
            raise
    options = _namespace((before, after), asks=asks)
    if options.quiet and getattr(options, "verbose", False):
        raise _error("-q and -v contradict each other; give one of them", name)
    return Line(name, options, help=asks)


def _asks_for_help(given: Sequence[str]) -> bool:
    words = given[: given.index("--")] if "--" in given else given
    return any(word in _HELP for word in words)


def _namespace(parts: Sequence[_Words], *, asks: bool) -> SimpleNamespace:
    """Return the options of a line with their values.

    If it asks for the help, only the colour counts.
    """
    given = [pair for part in parts for pair in part.options]
    if asks:
        colors = [value for action, value in given if action.dest == "color"]
        return SimpleNamespace(color=colors[-1] if colors else AUTO, quiet=False)
    return parts[-1].grammar.filled(given, parts[-1].others)


def _is_option(word: str) -> bool:
    """Whether a word is an option; `-` and negative numbers are none."""
    return word.startswith("-") and word != "-" and not word[1:].isdecimal()


def _metavar(action: Argument) -> str:
    return action.metavar or f"{{{','.join(action.choices or ())}}}"
