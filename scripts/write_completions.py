"""Write the scripts that complete command lines in bash, zsh and fish, from the parsers.

shtab writes them; what it lacks is added here. `--check` writes nothing, and exits with 1 if a
script is not current.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Dict

import shtab

import _written
from _completers import give_completers
from _data import REPOSITORY
from manyshim.cli.completion import FILES
from manyshim.cli.parser import complete

FOLDER = REPOSITORY / "backend" / "manyshim" / "cli" / "completions"

_HEAD = """\
# Completes the command lines of manyshim in {shell}.
# Written by scripts/write_completions.py, with shtab (https://github.com/tqdm/shtab)."""

# The description of an option of zsh, and the colon before the name of its value.
_ZSH_VALUE = r"\[(?:\\.|[^\]\\])*\]:"

# bash has the parts of `--option=value` as three words, and puts a space behind each completion.
_BASH = """\
_manyshim() {
  local -a words=("${COMP_WORDS[0]}")
  local at
  for ((at = 1; at <= COMP_CWORD; at++)); do
    if [[ ${COMP_WORDS[at]} == = && ${COMP_WORDS[at - 1]} == --* ]]; then
      # The sign in `--option=value`: a word behind it is the value.
      ((at < COMP_CWORD)) || words+=("")
    else
      words+=("${COMP_WORDS[at]}")
    fi
  done
  local -a COMP_WORDS=("${words[@]}")
  local COMP_CWORD=$((${#words[@]} - 1))
  _shtab_manyshim
  # More follows these.
  if [[ ${#COMPREPLY[@]} == 1 && ${COMPREPLY[0]} == *[:=] ]]; then
    compopt -o nospace 2>/dev/null || :
  fi
}

complete -o bashdefault -F _manyshim manyshim
"""


def scripts() -> Dict[Path, str]:
    """Return the text of each script, by its file."""
    return {FOLDER / file: script(shell) for shell, file in FILES.items()}


def script(shell: str) -> str:
    """Return the script of a shell."""
    parser = complete()
    give_completers(parser)
    text = _EDITS[shell](shtab.complete(parser, shell))
    lines = [line.rstrip() for line in text.splitlines()]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip() + "\n"


def _head(text: str, shell: str) -> str:
    """Replace shtab's first comment, which is about copies of the script."""
    head, found, rest = text.partition("# AUTOMATICALLY GENERATED")
    comment, _, rest = rest.partition("\n\n")
    if not found or not comment.strip():
        raise ValueError("shtab begins its scripts in another way: look at _head()")
    return f"{head}{_HEAD.format(shell=shell)}\n\n{rest}"


def _bash(text: str) -> str:
    body, found, _ = text.rpartition("complete -o bashdefault -F _shtab_manyshim manyshim")
    if not found:
        raise ValueError("shtab ends the script of bash in another way: look at _bash()")
    # File names may have spaces.
    body = body.replace("-- $1", '-- "$1"')
    # The scripts of other programs have functions of the same names, maybe of another shtab.
    body = re.sub(r"\b_shtab_(?!manyshim)", "_shtab_manyshim_", body)
    body = re.sub(r"\b_set_(?=parser_defaults|new_action)", "_shtab_manyshim_set_", body)
    return _head(body, "bash") + _BASH


def _zsh(text: str) -> str:
    # shtab's `(*)` completes the first of several files only.
    text = re.sub(r'^  "\(\*\)::?', '  "*:', text, flags=re.MULTILINE)
    # One pattern in parentheses would be a list of qualifiers of files.
    text = re.sub(r"_files -g '\(([^|)]*)\)'", r"_files -g '\1'", text)
    # The value of an option may also be in the same word.
    text = re.sub(rf'^(  "\*?--[\w-]+)(?={_ZSH_VALUE})', r"\1=", text, flags=re.MULTILINE)
    short = rf'^(  (?:"\*")?\{{-\w)(,--[\w-]+)(\}}")(?={_ZSH_VALUE})'
    return _head(re.sub(short, r"\1+\2=\3", text, flags=re.MULTILINE), "zsh")


def _fish(text: str) -> str:
    return _head(text, "fish")


_EDITS = {"bash": _bash, "zsh": _zsh, "fish": _fish}


def main() -> int:
    """Write the scripts, or compare them; return the exit code."""
    return _written.run(__doc__, scripts)


if __name__ == "__main__":
    sys.exit(main())
