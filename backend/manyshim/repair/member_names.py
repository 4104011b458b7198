"""Names of the wheel in place of paths of the private folder, in messages of all tools."""

from __future__ import annotations

import os
import re
from typing import Mapping

_MAX_CHARACTERS = 1000
_MARK = "\0"
# The folders of the private folder, and those of the roots of an installation.
_PLACE = re.compile(r"\A(before|stripped|after|launchers)/((site|scripts|data|headers)/)?")
_NONE: Mapping[str, str] = {}
_STEP_BACK = re.compile(r"(?<=/)(?!\.\./)(?:(?!: )[^/])+/\.\./")


def readable(message: str, folder: str, names: Mapping[str, str] = _NONE) -> str:
    """Return a message without the path of the private `folder`.

    `names` are what to print for the paths of files in this folder; other files have the path that
    they will have after installation. A loader prints paths as they were given, or with links
    resolved, and keeps the `..` of a search path.
    """
    text = message.replace(_MARK, "")
    spellings = {folder, os.path.abspath(folder), os.path.realpath(folder)}
    for root in sorted(spellings, key=len, reverse=True):
        text = text.replace(root + os.sep, _MARK + os.sep).replace(f"{root}: ", "")
    folder = os.path.abspath(folder)
    before, *parts = text.split(_MARK)
    relative = {
        f"/{os.path.relpath(os.path.abspath(path), folder)}": name for path, name in names.items()
    }
    longest_first = sorted(relative.items(), key=lambda item: len(item[0]), reverse=True)
    found = [before]
    for part in map(_without_steps_back, parts):
        for path, name in longest_first:
            if part.startswith(path):
                found.append(name + part[len(path) :])
                break
        else:
            found.append(_PLACE.sub("", part[1:], count=1))
    return "".join(found)[:_MAX_CHARACTERS]


def _without_steps_back(text: str) -> str:
    text, changed = text.replace("/./", "/"), 1
    while changed:
        text, changed = _STEP_BACK.subn("", text, count=1)
    return text
