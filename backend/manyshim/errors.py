"""What ends the work: each error says what, where and the way out, and has its exit code.

Problems of compliance are findings, not exceptions; these are raised where there is no answer.
"""


class ManyshimError(Exception):
    """Base of the errors that a user may see; `exit_code` is the process's exit status."""

    exit_code = 1


class NotCompliantError(ManyshimError):
    """The audit says no, and the caller asked for that to be a failure."""

    exit_code = 1


class ConfigError(ManyshimError):
    """An option, its value, or the place where it stands is wrong."""

    exit_code = 2


class InvalidWheelError(ManyshimError):
    """The file cannot be read as a wheel."""

    exit_code = 3


class ToolError(ManyshimError):
    """A tool is missing, too old or failed, or the file system refused to read or to write."""

    exit_code = 4


class DamageError(ToolError):
    """A file did not come out of a repair as planned; the wheel as it was built is still good."""


class BackendError(ManyshimError):
    """The wrapped backend cannot be imported, or did not do what PEP 517 asks."""

    exit_code = 5
