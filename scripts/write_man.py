"""Write backend/manyshim.1, the manual page of the command line, from the parsers and their help.

`--check` writes nothing, and exits with 1 if the page is not current.
"""

from __future__ import annotations

import argparse
import sys
from functools import lru_cache
from typing import Dict, Iterator, List, Mapping, Tuple

import _roff as roff
import _written
from _data import REPOSITORY
from manyshim import __version__
from manyshim.cli.commands import COMMANDS, EXIT_CODES, Command
from manyshim.cli.parser import complete

PAGE = REPOSITORY / "backend" / "manyshim.1"
NAME = "manyshim"

_DESCRIPTION = """\
manyshim reads the compiled files of Python wheels for Linux, and writes the oldest manylinux or \
musllinux tag that is proved. It names what rules out an older tag: the file, the symbol, and the \
fix.
manyshim is a build backend, too. `build-backend = "manyshim.backend"` in a project's \
pyproject.toml wraps the backend of the project, and does the same in each build. `manyshim init` \
makes this change.
Options may be between other arguments. The options --color and -q may also be before the command. \
Long options are not abbreviated."""

# The variables of the environment that commands read.
ENVIRONMENT: Mapping[str, str] = {
    "MANYSHIM_PLATFORM": "The required policy for retag and repair, if --platform is not given. It "
    "applies to wheels of its architecture and libc family.",
    "AUDITWHEEL_PLAT": "The same, if MANYSHIM_PLATFORM is not set. The images of manylinux and "
    "musllinux set it.",
    "SOURCE_DATE_EPOCH": "The date of the members that retag and repair write.",
    "PATH": "Where repair and retag find strip.",
    "LD_LIBRARY_PATH": "Folders where repair searches libraries, as the loader does.",
    "NO_COLOR": "If it is set, --color auto means never.",
    "FORCE_COLOR": "If it is set, and NO_COLOR is not, --color auto means always.",
    "GITHUB_STEP_SUMMARY": "With --format github, a table is added to this file.",
    "GITHUB_WORKSPACE": "The repository that the paths of source lines are relative to.",
    "MANYSHIM_DEBUG": "If it is 1, an internal error has a traceback.",
}

# The files of a project.
FILES: Mapping[str, str] = {
    "pyproject.toml": "The table `[tool.manyshim]` has the options of a project's builds. config "
    "reads it, and init writes it. The commands for wheels do not read it.",
    "uv.toml": "config reads the settings that uv passes to builds; without this file, those in "
    "`[tool.uv]` of pyproject.toml.",
    ".manyshim-*.tmp": "A folder beside a wheel that is being written. A killed run may leave it.",
}

_SEE_ALSO = ("ld.so(8)", "ldd(1)", "readelf(1)", "strip(1)")

Key = Tuple[Tuple[str, ...], str, str]


def page() -> str:
    """Return the source of the page."""
    lines = [
        '.\\" Written by scripts/write_man.py.',
        *roff.title(NAME, 1, f"{NAME} {__version__}", "User Commands"),
        *roff.section("name"),
        f"{NAME} \\- {roff.escape(_summary())}",
        *roff.section("synopsis"),
        f"{roff.bold(NAME)} [{roff.italic('OPTIONS')}] {roff.italic('COMMAND')} ...",
        *roff.section("description"),
        *roff.join(*map(roff.paragraph, _DESCRIPTION.splitlines())),
        *roff.section("commands"),
        *(line for name in COMMANDS for line in _command(name)),
        *roff.section("options"),
        *_shared_options(),
        *roff.section("exit status"),
        *_exit_codes(),
        *roff.section("environment"),
        *(line for name, text in ENVIRONMENT.items() for line in roff.term(roff.bold(name), text)),
        *roff.section("files"),
        *(line for name, text in FILES.items() for line in roff.term(roff.italic(name), text)),
        *roff.section("examples"),
        *_examples(),
        *roff.section("see also"),
        *_see_also(),
    ]
    return "\n".join(lines) + "\n"


def _summary() -> str:
    """Return the sentence about manyshim of the help, as the list of all pages has it."""
    text = (complete(arguments=False).description or "").rstrip(".")
    return text[:1].lower() + text[1:]


def _command(name: str) -> List[str]:
    """Return the part about a command: what it does, and the options that no other one has."""
    command = COMMANDS[name]
    usage = f"{roff.bold(f'{NAME} {name}')} [{roff.italic('OPTIONS')}] " + " ".join(
        map(_synopsis_word, command.synopsis.split())
    )
    owners = _owners()
    own = [
        one for one in _arguments()[name] if not one.option_strings or owners[_key(one)] == (name,)
    ]
    parts = roff.join(
        [usage.rstrip()], roff.paragraph(_sentence(command.summary)), *_notes(command)
    )
    return [*roff.subsection(name), *parts, *(line for one in own for line in _argument(one))]


def _synopsis_word(word: str) -> str:
    """Return a word of a synopsis: options are bold, other words are for the user to replace."""
    core = word.strip("[].")
    start, _, end = word.partition(core)
    return f"{start}{roff.bold(core) if core.startswith('-') else roff.italic(core)}{end}"


def _notes(command: Command) -> Iterator[List[str]]:
    """Yield the paragraphs of the notes below a command's help; indented lines are listings."""
    listed: List[str] = []
    for line in command.notes.splitlines():
        if line.startswith(" "):
            listed.append(line.strip())
        else:
            yield roff.paragraph(_sentence(line))
    if listed:
        yield roff.listing(listed)


def _sentence(text: str) -> str:
    """Return a summary as a sentence."""
    return text[:1].upper() + text[1:] + ("" if text.endswith((".", ":")) else ".")


@lru_cache(maxsize=None)
def _arguments() -> Dict[str, List[argparse.Action]]:
    """Return the arguments of each command; those before the command under an empty name."""
    found: Dict[str, List[argparse.Action]] = {"": []}
    for action in complete()._actions:  # noqa: SLF001 (argparse has no other list)
        if isinstance(action, argparse._SubParsersAction):  # noqa: SLF001
            found.update({name: one._actions for name, one in action.choices.items()})  # noqa: SLF001
        else:
            found[""].append(action)
    return found


@lru_cache(maxsize=None)
def _owners() -> Dict[Key, Tuple[str, ...]]:
    """Return the commands that have each argument; an empty name for what is before them."""
    owners: Dict[Key, Tuple[str, ...]] = {}
    for name, found in _arguments().items():
        for key in map(_key, found):
            owners[key] = (*owners.get(key, ()), name)
    return owners


def _key(action: argparse.Action) -> Key:
    return (tuple(action.option_strings), _value(action), action.help or "")


def _shared_options() -> Iterator[str]:
    """Yield the options that several commands have, and those before commands, by the commands."""
    groups: Dict[str, Dict[Key, argparse.Action]] = {}
    owners = _owners()
    for name, found in _arguments().items():
        for action in found:
            here = owners[_key(action)]
            if action.option_strings and (len(here) > 1 or name == ""):
                groups.setdefault(_heading(here), {})[_key(action)] = action
    for heading in sorted(groups, key=(_ALL, _NONE).__contains__):
        yield from roff.subsection(heading)
        for action in groups[heading].values():
            yield from _argument(action)


_ALL, _NONE = "all commands", "without a command"


def _heading(owners: Tuple[str, ...]) -> str:
    names = [name for name in owners if name]
    if not names:
        return _NONE
    if len(names) == len(COMMANDS):
        return _ALL
    *most, last = names
    return f"{', '.join(most)} and {last}"


def _argument(action: argparse.Action) -> List[str]:
    """Return an argument, and what its help says."""
    value = _value(action)
    if not action.option_strings:
        return roff.term(roff.italic(value), action.help or "")
    names = ", ".join(map(roff.bold, action.option_strings))
    return roff.term(f"{names} {roff.italic(value)}" if value else names, action.help or "")


def _value(action: argparse.Action) -> str:
    """Return the name of an argument's value; empty if it has none."""
    if action.nargs == 0:
        return ""
    if isinstance(action.metavar, str):
        return action.metavar
    return "|".join(map(str, action.choices or ()))


def _exit_codes() -> Iterator[str]:
    """Yield the exit codes, from the sentence of the help."""
    codes, _, more = EXIT_CODES.partition(": ")[2].partition(". ")
    for one in codes.split("; "):
        code, _, text = one.partition(" ")
        yield from roff.term(roff.bold(code), _sentence(text))
    yield ".PP"
    yield from roff.paragraph(more)


def _examples() -> Iterator[str]:
    for name, command in COMMANDS.items():
        yield from roff.term(roff.bold(f"{NAME} {name} {command.example}"), command.about)


def _see_also() -> Iterator[str]:
    pages = [f"{roff.bold(name)}({rest}" for name, _, rest in (p.partition("(") for p in _SEE_ALSO)]
    yield ",\n".join(pages)
    yield ".PP"
    yield from roff.paragraph(
        "`manyshim explain` lists all kinds of findings. `manyshim policies` lists the policies. "
        "`manyshim config` lists the options of builds."
    )


def main() -> int:
    """Write the page, or compare it; return the exit code."""
    return _written.run(__doc__, lambda: {PAGE: page()})


if __name__ == "__main__":
    sys.exit(main())
