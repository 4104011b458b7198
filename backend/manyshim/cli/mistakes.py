"""The sentences about a command line that is wrong, each with the fix."""

from __future__ import annotations

import os

from manyshim.cli.commands import COMMANDS, grammar_of
from manyshim.cli.grammar import DASHES, Argument, Grammar
from manyshim.errors import shorten
from manyshim.options import BY_KEY
from manyshim.optiontypes import closest, nearest

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import List, Mapping, Optional, Sequence, Tuple

# What other tools call our commands and options.
OTHER_COMMANDS: Mapping[str, str] = {
    "audit": "show", "info": "show", "inspect": "show", "tags": "retag", "tag": "retag",
    "verify": "check", "validate": "check", "lint": "check", "addtag": "retag", "fix": "repair",
    "delocate": "repair", "list": "policies", "lddtree": "show", "options": "config",
    "settings": "config", "adopt": "init", "new": "init", "rule": "explain", "docs": "explain",
}  # fmt: skip
_OPTIONS: Mapping[str, str] = {
    "-o": "--wheel-dir", "-d": "--wheel-dir", "--out": "--wheel-dir", "--output": "--wheel-dir",
    "--outdir": "--wheel-dir", "--out-dir": "--wheel-dir", "--output-dir": "--wheel-dir",
    "--dest": "--wheel-dir", "--dest-dir": "--wheel-dir", "-j": "--jobs", "-n": "--dry-run",
    "-p": "--platform", "--tag": "--platform", "--policy": "--platform", "--target": "--platform",
    "-f": "--format", "--output-format": "--format", "--sarif": "--format sarif",
    "--junit": "--format junit", "--junit-xml": "--format junit", "--github": "--format github",
    "--ignore": "--allow", "--silent": "--quiet", "-s": "--strip", "--colour": "--color",
    "--no-color": "--color never", "--no-colour": "--color never", "--no-colors": "--color never",
}  # fmt: skip
_OTHER_TOOLS: Mapping[str, str] = {
    "build": "manyshim builds inside of `uv build` or `python -m build`",
    "upload": "upload with `uv publish` or twine, after `manyshim check`",
    "publish": "upload with `uv publish` or twine, after `manyshim check`",
    "version": "did you mean '--version'?",
}


def unknown_command(name: str) -> str:
    """Return the sentence about an unknown command."""
    if name[:1] in DASHES:
        return dash(name)
    word = shorten(name)
    if name.lower() in COMMANDS:
        return f"'{word}' is not a command; did you mean '{name.lower()}'?"
    if name.lower().endswith(".whl") or os.path.exists(name):
        what, right = ("folder", "check") if os.path.isdir(name) else ("file", "show")
        return f"'{word}' is a {what}, not a command; write manyshim {right} {word}"
    if name in _OTHER_TOOLS:
        return f"'{word}' is not a command; {_OTHER_TOOLS[name]}"
    near = OTHER_COMMANDS.get(name.lower()) or closest(name.lower(), list(COMMANDS))
    hint = f"did you mean '{near}'?" if near else f"choose from {', '.join(COMMANDS)}"
    return f"'{word}' is not a command; {hint}"


def unknown_option(name: str, of: str, grammar: Grammar, rest: Sequence[str]) -> str:
    """Return the sentence about an option that the command `of` does not have.

    `of` is empty before the command, and `rest` are the words after the option.
    """
    owners = _owners(name)
    if not of:
        return _before_command(name, owners, grammar, rest)
    # Other tools may call an option of this command as another command calls one of its own.
    if owners and grammar.option(_OPTIONS.get(name, "")) is None:
        return f"{name} is an option of {_listed(owners)}, not of {of}"
    hint = _hint(name, grammar)
    return f"{shorten(name)} is not an option of {of}" + (f"; {hint}" if hint else "")


def _hint(name: str, grammar: Grammar) -> str:
    """Return what to write in place of an unknown option; empty if nothing is like it."""
    if name in ("--version", "-V"):
        return "write manyshim --version"
    near = _nearest_option(name, grammar)
    option = BY_KEY.get(name[2:])
    if near and (option is None or near == f"--no-{option.key}"):
        return f"did you mean '{near}'?"
    if option:
        in_table = f"write {option.key} in [tool.manyshim]"
        in_build = f"it is -C manyshim.{option.key}=VALUE"
        return f"in a build, {in_table if option.table_only else in_build}"
    everywhere = _all_options()
    other = _OPTIONS.get(name)
    far = other if other in everywhere else closest(name, everywhere, _ALIKE)
    return f"{far} is an option of {_listed(_owners(far))}" if far else ""


# The least similarity at which a word may mean an option of another command (difflib's ratio).
_ALIKE = 0.8


def _before_command(name: str, owners: Sequence[str], grammar: Grammar, rest: Sequence[str]) -> str:
    word = shorten(name)
    following = next((one for one in rest if one in COMMANDS), None)
    if owners:
        where = following if following in owners else owners[0]
        return f"{word} belongs after the command: manyshim {where} {word}"
    near = "--version" if name == "-v" else _nearest_option(name, grammar)
    return f"{word} is not an option of manyshim" + (f"; did you mean '{near}'?" if near else "")


def _nearest_option(name: str, grammar: Grammar) -> Optional[str]:
    """Return the option that a wrong name means: another tool's, its beginning, or one alike."""
    negative = f"--no-{name[2:]}"
    other = negative if grammar.option(negative) else _OPTIONS.get(name, "")
    if grammar.option(other.partition(" ")[0]):
        return other
    long = [one for one in grammar.options if one.startswith("--")]
    begun = [one for one in long if len(name) > len("--x") and one.startswith(name)]
    begun = begun or [one for one in long if name.startswith(f"{one}-")]
    if len(begun) == 1:
        return begun[0]
    # Without the hyphens, which all have in common.
    near = closest(name[2:], [one[2:] for one in long]) if name.startswith("--") else None
    return f"--{near}" if near else None


def _owners(name: str) -> List[str]:
    """Return the commands that have an option."""
    return [one for one in COMMANDS if name in grammar_of(one).options]


def _all_options() -> List[str]:
    found = (name for one in COMMANDS for name in grammar_of(one).options)
    return [name for name in dict.fromkeys(found) if name.startswith("--")]


def _listed(words: Sequence[str]) -> str:
    *most, last = words
    return f"{', '.join(most)} and {last}" if most else last


def dash(word: str) -> str:
    """Return the sentence about a word that begins with another dash than a hyphen."""
    right = "--" + word.lstrip("".join(DASHES) + "-")
    return f"{shorten(word)} begins with a dash that is no hyphen; write {shorten(right)}"


def too_many(others: Sequence[str], of: str, taken: Sequence[Argument]) -> str:
    """Return the sentence about words that a command does not take."""
    words = _listed([f"'{shorten(one)}'" for one in others[:_MAX_WORDS]])
    if not taken:
        return f"{of} takes options only, but {words} {'is' if len(others) == 1 else 'are'} given"
    nouns = " and one ".join(str(one.metavar).lower() for one in taken)
    count = f"{len(others)} {'are' if len(taken) == 1 else 'words are'}"
    return f"{of} takes one {nouns}, but {count} given: {words}"


_MAX_WORDS = 3


def too_few(values: Sequence[Tuple[str, str]], of: str, taken: Argument) -> str:
    """Return the sentence about a command without its files; `values` are those of its options."""
    noun = str(taken.metavar).lower()
    for name, value in values:
        if value.endswith((".whl", ".tar.gz")):
            word = shorten(value)
            return f"no {noun} is given: '{word}' is the value of {name}; give {name} its own value"
    return f"no {noun} is given; for example: manyshim {of} {COMMANDS[of].example}"


def not_among(word: str, of: str, taken: Argument) -> str:
    """Return the sentence about a word that is none of those that a command takes."""
    what = f"'{shorten(word)}' is not a {str(taken.metavar).lower()} that {of} supports"
    return f"{what}; {nearest(word.lower(), tuple(taken.choices or ()))}"


def required(action: Argument, others: Sequence[str]) -> str:
    """Return the sentence about an option that a command cannot do without."""
    short, long = action.option_strings
    folder = next((one for one in reversed(others) if os.path.isdir(one)), "wheelhouse")
    return f"{long} ({short}) is missing: name {action.help}, as in {short} {shorten(folder)}"
