"""The errors that end a run, and how lines are made safe to print.

Each error says what is wrong, where, and the fix, and has an exit code. Problems of compliance are
findings, not exceptions. An exception means that there is no answer.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Dict, Tuple

    _Printed = Dict[int, str]
else:
    _Printed = dict

_MAX_LINE = 2000
_MAX_NAME = 200


class _Escapes(_Printed):
    """By character, how it is printed. Each is looked up once."""

    def __missing__(self, code: int) -> str:
        character = chr(code)
        printed = character.isprintable()
        self[code] = character if printed else character.encode("unicode_escape").decode()
        return self[code]


def escape(text: str) -> str:
    """Escape characters that cannot be printed, such as control characters and lone bytes."""
    return text if text.isprintable() else text.translate(_Escapes())


def shorten(name: str) -> str:
    """Return a name of others for a line: escaped, and without its middle if it is long."""
    half = _MAX_NAME // 2
    if len(name) > _MAX_NAME:
        # The whole name may have 64 KiB, and it may be in many lines.
        return f"{escape(name[:half])[:half]}...{escape(name[-half:])[-half:]}"
    text = escape(name)
    return text if len(text) <= _MAX_NAME else f"{text[:half]}...{text[-half:]}"


def bounded(line: str) -> str:
    """Return one line, escaped, and cut after `_MAX_LINE` characters."""
    text = escape(line[: _MAX_LINE + 1])
    return text if len(text) <= _MAX_LINE else f"{text[:_MAX_LINE]}..."


def printable(line: str) -> str:
    """Return one line as it is printed on a stream: escaped, and cut.

    What GitHub (`::`, `##[`), Azure (`##vso[`) and TeamCity (`##teamcity[`) take for a command is
    escaped, too: a name of others gives no commands.
    """
    text = bounded(line).replace("##", "#\\x23")
    return text.replace("::", ":\\x3a", 1) if text.lstrip().startswith("::") else text


class ManyshimError(Exception):
    """Base class of the errors that users see. `exit_code` is the process's exit status.

    Each argument is one line of the message, so that no name of others can begin a line.
    """

    exit_code = 1

    def __str__(self) -> str:
        return "\n".join(map(str, self.args))

    @property
    def lines(self) -> Tuple[str, ...]:
        """The lines of the message, as they are printed."""
        return tuple(printable(str(line)) for line in self.args)


class NotCompliantError(ManyshimError):
    """The wheel does not comply, and the caller asked for an error in that case."""

    exit_code = 1


class ConfigError(ManyshimError):
    """An option, its value, or the place where it is set is wrong."""

    exit_code = 2


class InvalidWheelError(ManyshimError):
    """The file cannot be read as a wheel."""

    exit_code = 3


class ToolError(ManyshimError):
    """A tool is missing, too old or failed, or the file system failed to read or write."""

    exit_code = 4


class DamageError(ToolError):
    """A repair did not change a file as planned. The wheel as it was built is still good."""


class BackendError(ManyshimError):
    """The wrapped backend cannot be imported, or did not do what PEP 517 requires."""

    exit_code = 5


class InternalError(ManyshimError):
    """manyshim failed in a way that it does not expect. The other wheels are still processed."""

    exit_code = 6
