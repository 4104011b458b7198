"""The blocks of a generated file that are the user's, and whether the rest was changed.

A block is between two comments. What is in it stays when the file is written again.
"""

from __future__ import annotations

import hashlib
import re
from typing import Dict, List, Mapping, Optional

from manyshim.errors import ConfigError
from manyshim.release.actions import PIN

_BEGIN = re.compile(r"[ \t]*# >>> yours: ([a-z-]+)\b.*")
_END = re.compile(r"[ \t]*# <<< yours: ([a-z-]+)[ \t]*")
_DIGEST = re.compile(r"^# manyshim-digest: ([0-9a-f]+)$", re.MULTILINE)
_LENGTH = 16

Blocks = Mapping[str, List[str]]


def begin(name: str, meaning: str) -> str:
    """Return the comment before a block."""
    return f"# >>> yours: {name} ({meaning})"


def end(name: str) -> str:
    """Return the comment after a block."""
    return f"# <<< yours: {name}"


def read(text: str, path: str) -> Dict[str, List[str]]:
    """Return the lines of each block. Raises ConfigError if the comments do not match."""
    found: Dict[str, List[str]] = {}
    inside: Optional[str] = None
    for number, line in enumerate(text.split("\n"), 1):
        opened, closed = _BEGIN.fullmatch(line), _END.fullmatch(line)
        if opened:
            if inside is not None or opened[1] in found:
                what = f"begins, but {inside or opened[1]!r} has"
                what += " no end" if inside else " begun before"
                raise ConfigError(f"{path}: line {number}: the block {opened[1]!r} {what}")
            inside = opened[1]
            found[inside] = []
        elif closed:
            if closed[1] != inside:
                raise ConfigError(
                    f"{path}: line {number}: the block {closed[1]!r} ends, and it has no begin"
                )
            inside = None
        elif inside is not None:
            found[inside].append(line)
    if inside is not None:
        raise ConfigError(f"{path}: the block {inside!r} has no end; write `{end(inside)}`")
    return found


def fill(text: str, blocks: Blocks, path: str) -> str:
    """Return a text whose empty blocks have these lines.

    Raises ConfigError if a block with lines has no place in the text: they would be lost.
    """
    lines: List[str] = []
    left = {name: own for name, own in blocks.items() if any(one.strip() for one in own)}
    places = []
    for line in text.split("\n"):
        lines.append(line)
        opened = _BEGIN.fullmatch(line)
        if opened:
            places.append(opened[1])
            lines += left.pop(opened[1], [])
    if left:
        names = ", ".join(map(repr, left))
        raise ConfigError(
            f"{path}: the new workflow has no place for your lines in {names}; move them into "
            f"another block ({', '.join(places)}), and delete the two comments around them"
        )
    return "\n".join(lines)


def sign(text: str) -> str:
    """Return a text with the digest of what is not the user's."""
    return _DIGEST.sub(f"# manyshim-digest: {_digest(text)}", text, count=1)


def is_signed(text: str) -> bool:
    """Whether manyshim wrote a text."""
    return _DIGEST.search(text) is not None


def is_unchanged(text: str) -> bool:
    """Whether nothing outside of the blocks was changed, except pins of actions."""
    found = _DIGEST.search(text)
    return found is not None and found[1] == _digest(text)


def _digest(text: str) -> str:
    kept: List[str] = []
    inside = False
    for line in text.split("\n"):
        if _END.fullmatch(line):
            inside = False
        if not inside:
            kept.append(line.rstrip())
        if _BEGIN.fullmatch(line):
            inside = True
    # Services such as Dependabot change the pins of actions.
    rest = PIN.sub(r"\1", _DIGEST.sub("", "\n".join(kept)))
    return hashlib.sha256(rest.strip().encode()).hexdigest()[:_LENGTH]
