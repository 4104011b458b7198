"""The files of a release: folders, patterns that no shell expanded, and the list of `--like`."""

from __future__ import annotations

import filecmp
import glob
import os
import re

from manyshim.audit.releases import is_release_file, names_a_project
from manyshim.errors import ConfigError, InvalidWheelError, ToolError, shorten

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Dict, Iterable, List, Sequence, Tuple

# A list with more bytes is no list of file names.
_MAX_LIST = 1 << 20
_MAX_NAME = 255


def release_files(given: Sequence[str]) -> Tuple[List[str], bool]:
    """Return the files that the arguments stand for, each once, and whether they are a set.

    They are one if there is a folder, a pattern, or more than one file. A folder or a pattern
    without files stays as it is: `refuse_empty` says why, and the other files keep their results.
    """
    files: List[str] = []
    several = False
    for argument in given:
        if not stands_for_files(argument):
            files.append(argument)
            continue
        several = True
        try:
            files += _expanded(argument) or [argument]
        except ToolError:
            files.append(argument)
    files = _once(files)
    return files, several or len(files) > 1


def stands_for_files(path: str) -> bool:
    """Whether a path is a folder, or a pattern that no shell expanded.

    A folder that is named like a wheel is an error of its own.
    """
    if os.path.isdir(path):
        return not is_release_file(path)
    return glob.has_magic(path) and not os.path.lexists(path)


def refuse_empty(path: str) -> None:
    """Refuse a folder or a pattern that `release_files` found no files for.

    Raises InvalidWheelError, and ToolError if the folder cannot be read.
    """
    if not stands_for_files(path):
        return
    _expanded(path)
    if os.path.isdir(path):
        raise InvalidWheelError(f"{path}: no wheel and no sdist in this folder{_fix(path)}")
    raise InvalidWheelError(f"{path}: no wheel and no sdist matches")


def conflicting(files: Sequence[str]) -> List[Tuple[str, str, str]]:
    """Return each file name that files with different contents have, with two of their paths."""
    first: Dict[str, str] = {}
    found: Dict[str, Tuple[str, str, str]] = {}
    for path in files:
        name = os.path.basename(path)
        other = first.setdefault(name, path)
        if other != path and name not in found and not equal(path, other):
            found[name] = (name, other, path)
    return list(found.values())


def equal(path: str, other: str) -> bool:
    """Whether two files have the same bytes. One that cannot be read has an error of its own."""
    try:
        return filecmp.cmp(path, other, shallow=False)
    except OSError:
        return True


def other_names(path: str, option: str = "--like") -> List[str]:
    """Return the file names of another release: of a folder, or a text file with one on each line.

    Empty lines and what follows `#` are left out. `option` is what errors call it. Raises
    ConfigError if there are none, or if a line is no name of a wheel or an sdist.
    """
    if os.path.isdir(path):
        names = [os.path.basename(one) for one in _of_folder(path)]
    elif os.path.isfile(path):
        names = list(_listed(path, option))
    else:
        what = "is neither a folder nor a file" if os.path.exists(path) else "no such file"
        raise ConfigError(f"{option} {path}: {what}")
    if not any(map(names_a_project, names)):
        raise ConfigError(f"{option} {path}: no file name of a wheel or an sdist")
    return names


def _fix(folder: str) -> str:
    """Return what helps if a folder of a project was given in place of its dist/."""
    if os.path.isdir(os.path.join(folder, "dist")):
        return f"; did you mean {os.path.join(folder, 'dist')}?"
    if os.path.exists(os.path.join(folder, "pyproject.toml")):
        return "; build them first (uv build), then check dist/"
    return ""


def _expanded(path: str) -> List[str]:
    if os.path.isdir(path):
        return _of_folder(path)
    return sorted(filter(_is_input, glob.glob(path)))


def _of_folder(folder: str) -> List[str]:
    try:
        names = sorted(os.listdir(folder))
    except OSError as error:
        raise ToolError(f"{folder}: cannot be read: {error.strerror}") from error
    return [path for path in (os.path.join(folder, name) for name in names) if _is_input(path)]


def _is_input(path: str) -> bool:
    name = os.path.basename(path)
    return is_release_file(name) and not name.startswith(".") and not os.path.isdir(path)


def _once(files: Iterable[str]) -> List[str]:
    """Leave out the files that were given before, in another spelling of the path too."""
    found: Dict[Tuple[str, str], str] = {}
    for path in files:
        folder, name = os.path.split(path)
        found.setdefault((os.path.realpath(folder), os.path.normcase(name)), path)
    return list(found.values())


def _listed(path: str, option: str) -> Iterable[str]:
    try:
        with open(path, "rb") as file:
            data = file.read(_MAX_LIST + 1)
        if len(data) > _MAX_LIST:
            raise ConfigError(f"{option} {path}: larger than 1 MiB, so it is no list of file names")
        text = data.decode("utf-8-sig")
    except OSError as error:
        raise ToolError(f"{option} {path}: cannot be read: {error.strerror}") from error
    except UnicodeDecodeError:
        raise ConfigError(f"{option} {path}: is not UTF-8 text") from None
    for number, line in enumerate(text.splitlines(), start=1):
        # Lists are made with `ls dist/*`, too.
        name = re.split(r"[/\\]", line.partition("#")[0].strip())[-1]
        if name and (len(name) > _MAX_NAME or not names_a_project(name)):
            what = "is no file name of a wheel or an sdist"
            raise ConfigError(f"{option} {path}: line {number}: {shorten(name)} {what}")
        if name:
            yield name
