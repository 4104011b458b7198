"""What completes the value of each argument, for shtab: words, files or folders."""

from __future__ import annotations

import argparse
import re
import shlex
from typing import Any, Callable, Dict, Iterator, List, Sequence, Tuple

import shtab

from manyshim.audit.findings import KINDS
from manyshim.audit.policy import policies_of
from manyshim.audit.tags import ARCHES, GLIBC, MUSL
from manyshim.options import OPTIONS
from manyshim.optiontypes import FIXES

_MAX_DESCRIPTION = 70
# A description ends before these, if it is too long for one line.
_END_OF_DESCRIPTION = re.compile(r"; |: | \(")


def platforms() -> List[str]:
    """Return the names that --platform takes: the policies of all architectures, oldest first."""
    found: Dict[str, Tuple[int, ...]] = {}
    for libc in (GLIBC, MUSL):
        for arch in ARCHES:
            for policy in policies_of(libc, arch).listed:
                aliases = [name[: -len(arch) - 1] for name in policy.aliases]
                for name in (str(policy.without_arch), *aliases):
                    found[name] = (libc == MUSL, *policy.version)
    return ["auto", *sorted(found, key=lambda name: (found[name], name))]


def prefixes(name: str, words: Sequence[str], end: str) -> Dict[str, Any]:
    """Return the completer of words that a value begins with. More follows `end`, and no space."""
    function = f"_manyshim_{name}"
    full = [f"{word}{end}" for word in words]
    bash = f'{function}() {{\n  compgen -W {shlex.quote(" ".join(full))} -- "$1"\n}}'
    zsh = f"{function}() {{\n  compadd -q -S {shlex.quote(end)} -- {' '.join(words)}\n}}"
    return {
        "bash": function,
        "zsh": function,
        "fish": " ".join(full),
        "preamble": {"bash": bash, "zsh": zsh},
    }


def _words(words: Sequence[str]) -> Callable[[argparse.Action], None]:
    def give(action: argparse.Action) -> None:
        action.choices = tuple(words)

    return give


def _completer(found: Any) -> Callable[[argparse.Action], None]:  # noqa: ANN401 (shtab's own)
    def give(action: argparse.Action) -> None:
        action.complete = found  # type: ignore[attr-defined]

    return give


_SETTINGS = [f"manyshim.{option.key}" for option in OPTIONS if not option.table_only]

# What completes an argument, by its metavar. Words of FREE are the user's own.
COMPLETERS: Dict[str, Callable[[argparse.Action], None]] = {
    "WHEEL": _completer(shtab.glob("*.whl")),
    "FILE": _completer(shtab.glob("*.whl", "*.tar.gz")),
    "FOLDER": _completer(shtab.DIRECTORY),
    "DIR": _completer(shtab.DIRECTORY),
    "OTHER": _completer(shtab.FILE),
    "POLICY": _words(platforms()),
    "KIND": _words(list(KINDS)),
    "KIND:GLOB": _completer(prefixes("kinds", list(KINDS), ":")),
    "KEY=VALUE": _completer(prefixes("settings", _SETTINGS, "=")),
    "NAME": _words(FIXES),
    "0-9": _words("0123456789"),
}
FREE = ("GLOB", "N", "K/N")


def give_completers(parser: argparse.ArgumentParser) -> None:
    """Give each argument of a parser and its commands a completer and a short description.

    Raises ValueError for an argument that has no choices, and a metavar that is not known here.
    """
    for action in actions(parser):
        if action.help:
            action.help = brief(action.help)
        if action.nargs == 0 or action.choices is not None:
            continue
        if action.metavar in COMPLETERS:
            COMPLETERS[str(action.metavar)](action)
            # zsh has the name between colons.
            action.metavar = str(action.metavar).replace(":", " ")
        elif action.metavar not in FREE:
            raise ValueError(f"what completes {action.metavar} of {action.option_strings}?")


def actions(parser: argparse.ArgumentParser) -> Iterator[argparse.Action]:
    """Yield the arguments of a parser, and those of its commands."""
    for action in parser._actions:  # noqa: SLF001 (argparse has no other list)
        if isinstance(action, argparse._SubParsersAction):  # noqa: SLF001
            for one in action.choices.values():
                yield from actions(one)
        else:
            yield action


def brief(text: str) -> str:
    """Return the beginning of a help text, for one line of a terminal."""
    if len(text) <= _MAX_DESCRIPTION:
        return text
    return _END_OF_DESCRIPTION.split(text, maxsplit=1)[0]
