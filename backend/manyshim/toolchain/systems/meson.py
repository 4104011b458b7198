"""The cross file of Meson for a target, and the settings that pass it to meson-python.

Source: Meson's documentation, "Cross compilation" and "Machine files".
"""

from __future__ import annotations

import configparser
import os
import re
from typing import Any, Dict, Iterable, List, Mapping, Optional, Sequence

from manyshim.audit.tags import MUSL
from manyshim.toolchain.systems.machine import Machine
from manyshim.toolchain.target import Target

_SETTING = "setup-args"
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
    host = {
        "system": "linux",
        "kernel": "linux",
        "cpu_family": machine.family,
        "cpu": machine.arch,
        "endian": "little" if machine.little_endian else "big",
    }
    sections = {"binaries": programs, "properties": facts, "host_machine": host}
    return "\n".join(_section(name, values) for name, values in sections.items())


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
        escaped = value.replace("\\", "\\\\").replace("'", "\\'")
        return f"'{escaped}'"
    return f"[{', '.join(map(_literal, value))}]"


def with_cross_file(
    settings: Optional[Mapping[str, Any]], path: str, own_arguments: Sequence[str]
) -> Dict[str, Any]:
    """Return the settings of meson-python with a cross file before the user's own arguments.

    `own_arguments` are those of `[tool.meson-python.args] setup`. meson-python passes them first,
    and in Meson the last file counts. So their machine files are repeated after ours.
    """
    given = dict(settings or {})
    asked = _texts(given.get(_SETTING))
    again = machine_files(own_arguments)
    given[_SETTING] = [f"--cross-file={path}", *again, *asked]
    return given


def arguments(settings: Optional[Mapping[str, Any]], own_arguments: Sequence[str]) -> List[str]:
    """Return all arguments of the user for `meson setup`."""
    return [*own_arguments, *_texts((settings or {}).get(_SETTING))]


def machine_files(given: Iterable[str], kinds: Sequence[str] = ("cross", "native")) -> List[str]:
    """Return the arguments that name machine files, each as one word."""
    found: List[str] = []
    words = iter(given)
    for word in words:
        for kind in kinds:
            if word == f"--{kind}-file":
                found.append(f"{word}={next(words, '')}")
            elif word.startswith(f"--{kind}-file="):
                found.append(word)
    return found


def conflicts(given: Iterable[str], machine: Machine) -> List[str]:
    """Return a line for each of the user's cross files that replaces what manyshim has set."""
    lines = []
    for argument in machine_files(given, ("cross",)):
        path = argument.partition("=")[2]
        replaced = _replaced(path, machine)
        if replaced:
            lines.append(
                f"the cross file {path} comes after that of manyshim, and replaces {replaced}"
            )
    return lines


def _replaced(path: str, machine: Machine) -> str:
    parser = configparser.RawConfigParser(delimiters=("=",), interpolation=None)
    try:
        with open(os.path.expanduser(path), encoding="utf-8") as file:
            parser.read_string(file.read())
    except (OSError, ValueError, configparser.Error):
        return ""  # Meson reads it too, and reports the error better
    names = [name for name in ("c", "cpp", "ar") if parser.has_option("binaries", name)]
    if parser.has_option("host_machine", "cpu_family"):
        family = parser.get("host_machine", "cpu_family").strip("'\" ")
        if family != machine.family:
            names.append(f"cpu_family (now {re.sub(r'[^A-Za-z0-9_]', '', family)})")
    return ", ".join(names)


def _texts(value: Any) -> List[str]:  # noqa: ANN401 (a value of config_settings)
    if value is None:
        return []
    return [value] if isinstance(value, str) else list(map(str, value))
