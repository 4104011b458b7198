"""The cross file of Meson for a target, and the settings that pass it to meson-python.

Source: Meson's documentation, "Cross compilation" and "Machine files".
"""

from __future__ import annotations

import configparser
import os
import re
from typing import Any, Dict, Iterable, List, Mapping, Optional, Sequence, Tuple

from manyshim.audit.tags import MUSL
from manyshim.files import open_regular
from manyshim.toolchain.systems.machine import Machine
from manyshim.toolchain.systems.settings import texts
from manyshim.toolchain.target import Target

_SETTING = "setup-args"
_KINDS = ("cross", "native")
_COMPILERS = ("c", "cpp", "ar")
# How numpy names the format of long double; its build cannot find it out without running a program.
_LONG_DOUBLE = {
    "x86_64": "INTEL_EXTENDED_16_BYTES_LE",
    "i686": "INTEL_EXTENDED_12_BYTES_LE",
    "armv7l": "IEEE_DOUBLE_LE",
    "ppc64le": "IBM_DOUBLE_DOUBLE_LE",
    "s390x": "IEEE_QUAD_BE",
}


def cross_file(
    target: Target, machine: Machine, binaries: Mapping[str, str], properties: Mapping[str, Any]
) -> str:
    """Return the text of a machine file.

    `binaries` are the paths of programs by Meson's names; `properties` are added to those of the
    machine.
    """
    programs: Dict[str, Any] = dict(binaries)
    if machine.emulator:
        programs["exe_wrapper"] = list(machine.emulator)
    facts = {
        "needs_exe_wrapper": machine.emulator != (),
        "longdouble_format": _long_double(target),
        **properties,
    }
    host = {**_host(machine), "kernel": "linux", "cpu": machine.arch}
    sections = {"binaries": programs, "properties": facts, "host_machine": host}
    return "\n".join(_section(name, values) for name, values in sections.items())


def _host(machine: Machine) -> Dict[str, str]:
    endian = "little" if machine.little_endian else "big"
    return {"system": "linux", "cpu_family": machine.family, "endian": endian}


def _long_double(target: Target) -> str:
    if target.tag.arch == "ppc64le" and target.tag.libc == MUSL:
        return "IEEE_DOUBLE_LE"
    return _LONG_DOUBLE.get(target.tag.arch, "IEEE_QUAD_LE")


def _section(name: str, values: Mapping[str, Any]) -> str:
    lines = (f"{key} = {_literal(value)}\n" for key, value in values.items())
    return f"[{name}]\n" + "".join(lines)


def _literal(value: Any) -> str:  # noqa: ANN401 (a text, a boolean, or a list of texts)
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        # Meson doubles each backslash of a machine file, so that no character can be escaped.
        quote = "'''" if "'" in value else "'"
        return f"{quote}{value}{quote}"
    return f"[{', '.join(map(_literal, value))}]"


def with_cross_file(
    settings: Optional[Mapping[str, Any]], path: str, own_arguments: Sequence[str]
) -> Dict[str, Any]:
    """Return the settings of meson-python with a cross file before the user's own arguments.

    `own_arguments` are those of `[tool.meson-python.args] setup`. meson-python passes them first,
    and in Meson the last file counts. So their cross files are repeated after ours.
    """
    given = dict(settings or {})
    again = [f"--cross-file={own}" for _, own in machine_files(own_arguments, ("cross",))]
    given[_SETTING] = [f"--cross-file={path}", *again, *texts(given.get(_SETTING))]
    return given


def arguments(settings: Optional[Mapping[str, Any]], own_arguments: Sequence[str]) -> List[str]:
    """Return all arguments of the user for `meson setup`."""
    return [*own_arguments, *texts((settings or {}).get(_SETTING))]


def build_folder(settings: Optional[Mapping[str, Any]]) -> str:
    """Return the folder in which meson-python runs Meson; a temporary one has another name."""
    given = settings or {}
    return str(given.get("build-dir") or given.get("builddir") or ".mesonpy-temporary")


def machine_files(given: Iterable[str], kinds: Sequence[str] = _KINDS) -> List[Tuple[str, str]]:
    """Return the kind and the path of each machine file in arguments of `meson setup`."""
    found: List[Tuple[str, str]] = []
    words = iter(given)
    for word in words:
        for kind in kinds:
            if word == f"--{kind}-file":
                found.append((kind, next(words, "")))
            elif word.startswith(f"--{kind}-file="):
                found.append((kind, word.partition("=")[2]))
    return found


def conflicts(
    given: Iterable[str], machine: Optional[Machine], folder: str, environ: Mapping[str, str]
) -> List[str]:
    """Return a line for each of the user's machine files that replaces what manyshim has set.

    Without a machine there is no cross file, and native files have the compilers of the build.
    `folder` is the one in which Meson runs.
    """
    lines = []
    constants: Dict[str, Dict[str, str]] = {kind: {} for kind in _KINDS}
    for kind, path in machine_files(given, ("cross",) if machine else _KINDS):
        replaced = _replaced(find_file(kind, path, folder, environ), machine, constants[kind])
        if replaced:
            lines.append(
                f"the {kind} file {path} comes last, and replaces what manyshim has set for "
                f"{replaced}"
            )
    return lines


def find_file(kind: str, path: str, folder: str, environ: Mapping[str, str]) -> str:
    """Return where Meson finds a machine file: in its folder, or in those of the user's data."""
    expanded = os.path.expanduser(os.path.expandvars(path))
    places = [os.path.normpath(os.path.join(folder, expanded))]
    home = environ.get("XDG_DATA_HOME") or os.path.expanduser("~/.local/share")
    shared = environ.get("XDG_DATA_DIRS") or "/usr/local/share:/usr/share"
    places += [
        os.path.join(data, "meson", kind, expanded) for data in (home, *shared.split(os.pathsep))
    ]
    return next(filter(os.path.isfile, places), places[0])


class _Parser(configparser.RawConfigParser):
    """A parser that keeps the case of names, as Meson does."""

    def optionxform(self, optionstr: str) -> str:
        return optionstr


def _replaced(path: str, machine: Optional[Machine], constants: Dict[str, str]) -> str:
    """Return what a machine file replaces; add its constants, which count in later files, too."""
    parser = _Parser(delimiters=("=",))
    try:
        with open_regular(path) as file:  # Meson copies a pipe, which can be read once
            parser.read_string(file.read().decode())
    except (OSError, ValueError, configparser.Error):
        return ""  # Meson reads it too, and reports the error better
    for name, value in parser.items("constants") if parser.has_section("constants") else ():
        text = _evaluated(value, constants)
        if text is not None:
            constants[name] = text
    names = [name for name in _COMPILERS if parser.has_option("binaries", name)]
    if machine is None:
        return ", ".join(names)
    for name, value in _host(machine).items():
        if parser.has_option("host_machine", name):
            given = _evaluated(parser.get("host_machine", name), constants)
            if given not in (None, value):
                names.append(f"{name} (now {re.sub(r'[^A-Za-z0-9_]', '', str(given))})")
    return ", ".join(names)


def _evaluated(expression: str, constants: Mapping[str, str]) -> Optional[str]:
    """Return the text of literals and constants that are added; None for another expression."""
    words = []
    for term in map(str.strip, expression.split("+")):
        literal = re.fullmatch(r"'([^']*)'", term)
        word = literal[1] if literal else constants.get(term)
        if word is None:
            return None
        words.append(word)
    return "".join(words)
