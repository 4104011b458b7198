"""The commands: what each does, how its command line looks, and an example for its help."""

from __future__ import annotations

from manyshim.cli import arguments, releasing
from manyshim.cli.grammar import Grammar, add_common, add_json
from manyshim.values import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Callable, Mapping, Sequence

EXIT_CODES = (
    "exit codes: 0 success; 1 not compliant; 2 wrong usage; 3 a file cannot be read; "
    "4 a tool or the file system failed; 6 an internal error. The highest code of all files is "
    "returned."
)


class Command(NamedTuple):
    """A command. The module `manyshim.cli.NAME` runs it; `add` adds its arguments to a parser.

    `synopsis` is what follows the options. `example` follows `manyshim NAME`; `about` says what it
    does.
    """

    summary: str
    synopsis: str
    example: str
    about: str
    add: Callable[[Grammar, Sequence[str]], None]
    notes: str = ""


_COMPLETION = """\
Add one line to ~/.bashrc, to ~/.zshrc (after compinit), or to ~/.config/fish/config.fish:
  eval "$(manyshim completion bash)"
  eval "$(manyshim completion zsh)"
  manyshim completion fish | source"""

COMMANDS: Mapping[str, Command] = {
    "show": Command(
        "show the tag that is proved for each wheel, and what rules out older tags",
        "WHEEL...",
        "dist/*.whl --platform manylinux_2_28",
        "also says what each wheel lacks for that policy",
        arguments.show,
        "With -q, only the names of the files and their tags are printed.",
    ),
    "check": Command(
        "verify a release before its upload: each file, and that none is missing",
        "FILE...",
        "dist/",
        "all wheels and sdists of a folder",
        arguments.check,
        "exit codes: 0 all can be uploaded; 1 a file is not compliant, or the release is not "
        "complete (warnings do not count); 2 wrong usage; 3 a file cannot be read, or there is "
        "none; 4 a tool or the file system failed; 6 an internal error. The highest code of all "
        "files is returned.",
    ),
    "retag": Command(
        "write each wheel under the tag that is proved for it",
        "-w DIR WHEEL...",
        "dist/*.whl -w wheelhouse",
        "writes them to the folder wheelhouse",
        arguments.retag,
    ),
    "repair": Command(
        "copy external libraries into each wheel, then retag it",
        "-w DIR WHEEL...",
        "dist/*.whl --dry-run",
        "says what would be copied; -w wheelhouse instead of --dry-run does it",
        arguments.repair,
    ),
    "init": Command(
        "make manyshim the build backend of a project, around its own backend",
        "[FOLDER]",
        "--write",
        "changes pyproject.toml in the current folder; --undo --write reverses it",
        arguments.init,
    ),
    "release": Command(
        "build the sdist and all Linux wheels of a release with zig, and check them",
        "[FOLDER]",
        "--only '*-musllinux_*' --dry-run",
        "the wheels for musl, and which of them are there",
        releasing.release,
        "Pythons and platforms are those of [tool.manyshim.release] in pyproject.toml. A second "
        "run builds what is missing, or all if the sdist has changed. The exit code is 1 if a "
        "wheel failed or is not compliant; the others are there.",
    ),
    "ci": Command(
        "print or write a workflow for a CI service that builds, checks and publishes a release",
        "SERVICE [FOLDER]",
        "github --write",
        "writes .github/workflows/release.yml; what you have added to it is kept",
        releasing.ci,
        "Pythons, platforms and tests are those of [tool.manyshim.release] in pyproject.toml.",
    ),
    "explain": Command(
        "explain kinds of findings: the meaning, an example and the fix",
        "[KIND...]",
        "TOO_NEW",
        "what TOO_NEW means, and how to fix it",
        arguments.explain,
    ),
    "policies": Command(
        "list the policies, oldest first",
        "",
        "--arch aarch64",
        "the tags that a wheel for aarch64 can get",
        arguments.policies,
    ),
    "config": Command(
        "list the options of a project's builds, with their values and where they are set",
        "[FOLDER...]",
        "-C manyshim.strict=true",
        "as a build with that setting would see them",
        arguments.config,
        "With -q, only errors are printed, and nothing about projects that do not use manyshim.",
    ),
    "completion": Command(
        "print the script that completes commands and options in your shell",
        "SHELL",
        "bash",
        "the script for bash",
        arguments.completion,
        _COMPLETION,
    ),
}


def grammar_of(name: str, given: Sequence[str] = ()) -> Grammar:
    """Return the arguments of one command; `given` are the words of its command line."""
    grammar = Grammar()
    add_json(grammar)
    COMMANDS[name].add(grammar, given)
    add_common(grammar)
    return grammar
