"""`manyshim completion`: the script that completes command lines in a shell.

`scripts/write_completions.py` writes the scripts.
"""

from __future__ import annotations

from types import SimpleNamespace

from manyshim.cli.screen import put
from manyshim.files import packaged

# The names that the shells look for.
FILES = {"bash": "manyshim", "zsh": "_manyshim", "fish": "manyshim.fish"}


def run(options: SimpleNamespace) -> int:
    """Print the script of a shell, also with -q; return the exit code."""
    text = script(options.shell)
    if options.json:
        from manyshim.cli.formats import print_json  # noqa: PLC0415 (a shell that starts waits)
        from manyshim.formatters.json import JSON_VERSION  # noqa: PLC0415

        print_json({"version": JSON_VERSION, "shell": options.shell, "script": text})
    else:
        put(text, end="")
    return 0


def script(shell: str) -> str:
    """Return the script of a shell. Raises ToolError if this copy of manyshim has none."""
    return packaged(f"cli/completions/{FILES[shell]}").decode()
