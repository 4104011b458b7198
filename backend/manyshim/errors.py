"""The errors that end a run. Each says what is wrong, where, and the fix, and has an exit code.

Problems of compliance are findings, not exceptions. An exception means that there is no answer.
"""


class ManyshimError(Exception):
    """Base class of the errors that users see. `exit_code` is the process's exit status."""

    exit_code = 1


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
