"""Ask real shells what completes a command line."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Callable, Dict, List

import needs

_BASH = """
source "$1"; shift
COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1))
_manyshim
printf '%s\\n' "${COMPREPLY[@]}"
"""

_FISH = "source $argv[1]; complete --do-complete $argv[2]"

# An interactive zsh in a pseudo-terminal prints each word that a completer adds.
_ZSH = r"""
zmodload zsh/zpty
zpty shell zsh -f -i
zpty -w shell 'PROMPT=
fpath=('"${1:h}"' $fpath); autoload -Uz compinit; compinit -u -D
compadd() {
  if [[ ${@[1,(i)(-|--)]} == *-(O|A|D)\ * ]]; then builtin compadd "$@"; return $?; fi
  typeset -a words; builtin compadd -A words "$@"
  local suffix=; (( ${@[(I)-S]} )) && suffix=${@[${@[(I)-S]} + 1]}
  print -rl -- "" "<"${^words}"$suffix>"
  builtin compadd "$@"
}
zle -C ask complete-word ask; ask() {
  _main_complete
  print -r -- "" "<end of words>"
  compstate[insert]=
}
bindkey "^I" ask; print -r "<ready>"'
zpty -r shell read_until '*<ready>[^"]*'
zpty -w -n shell "$2"$'\t'
zpty -r shell answer '*<end of words>*'
print -r -- "$answer"
zpty -d shell
"""


def bash(script: Path, line: str, folder: Path) -> List[str]:
    """Return the completions of bash; words are split at spaces."""
    command = [needs.tool("bash", "bash"), "--norc", "-c", _BASH, "bash", str(script)]
    return _lines([*command, *line.split(" ")], folder)


def fish(script: Path, line: str, folder: Path) -> List[str]:
    """Return the completions of fish, without descriptions."""
    command = [needs.tool("fish", "fish"), "--no-config", "-c", _FISH, str(script), line]
    return [one.partition("\t")[0] for one in _lines(command, folder)]


def zsh(script: Path, line: str, folder: Path) -> List[str]:
    """Return the completions of zsh, which finds the script in its own folder."""
    command = [needs.tool("zsh", "zsh"), "-f", "-c", _ZSH, "zsh", str(script), line]
    return [
        one[1:-1] for one in _lines(command, folder) if one[:1] == "<" and " of words" not in one
    ]


def _lines(command: List[str], folder: Path) -> List[str]:
    environment = {"PATH": os.environ["PATH"], "HOME": str(folder), "TERM": "dumb"}
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stderr == "", done.stderr
    return [line for line in done.stdout.splitlines() if line]


COMPLETIONS: Dict[str, Callable[[Path, str, Path], List[str]]] = {
    "bash": bash,
    "zsh": zsh,
    "fish": fish,
}
