"""Readable names of C++ symbols, by c++filt or llvm-cxxfilt if one of them is installed."""

from __future__ import annotations

import shutil
from typing import Dict, Iterable, Mapping

from manyshim.errors import ToolError
from manyshim.process import Limits, run

_TOOLS = ("c++filt", "llvm-cxxfilt")
# Itanium C++ ABI, "Mangling". Longer names, or more of them, are printed as they are.
_PREFIX = "_Z"
_MAX_NAMES = 500
_MAX_LENGTH = 2000
_SECONDS = 5.0
# Each substitution in a name can double it: 256 characters may have a readable form of gigabytes.
_LIMITS = Limits(memory=256 << 20, output=4 << 20)


def demangled(names: Iterable[str], environ: Mapping[str, str]) -> Dict[str, str]:
    """Return the C++ names among `names` with short readable ones; empty without a tool.

    The readable name has no parameters and no template arguments. So all instances of a template
    have the same one.
    """
    mangled = sorted({name for name in names if name.startswith(_PREFIX) and _is_plain(name)})
    mangled = mangled[:_MAX_NAMES]
    tool = _tool(environ) if mangled else ""
    if not tool:
        return {}
    try:
        lines = run((tool, "-p", *mangled), environ, _SECONDS, _LIMITS).splitlines()
    except ToolError:
        return {}
    if len(lines) != len(mangled):
        return {}
    return {name: short(line) for name, line in zip(mangled, lines) if name != line}


def _is_plain(name: str) -> bool:
    return len(name) <= _MAX_LENGTH and name.isascii() and name.isprintable() and " " not in name


def _tool(environ: Mapping[str, str]) -> str:
    paths = (shutil.which(name, path=environ.get("PATH", "")) for name in _TOOLS)
    return next(filter(None, paths), "")


def short(name: str) -> str:
    """Return a demangled name with `<...>` in place of all template arguments."""
    kept = []
    depth = position = 0
    while position < len(name):
        character = name[position]
        operator = _operator_end(name, position) if not depth else position
        if operator > position:
            kept.append(name[position:operator])
            position = operator
            continue
        if character == "<":
            kept.append("" if depth else "<...>")
            depth += 1
        elif character == ">" and depth:
            depth -= 1
        elif not depth:
            kept.append(character)
        position += 1
    return "".join(kept) if not depth else name


def _operator_end(name: str, position: int) -> int:
    """Return where the name of an operator that begins at `position` ends; else `position`."""
    word = "operator"
    if not name.startswith(word, position) or (position and _is_word(name[position - 1])):
        return position
    end = position + len(word)
    while end < len(name) and name[end] in "<>=-":
        end += 1
    return end


def _is_word(character: str) -> bool:
    return character == "_" or character.isalnum()
