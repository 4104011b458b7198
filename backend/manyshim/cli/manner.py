"""How a run prints: with or without colours, and how much. `main` sets it once for the process."""

from __future__ import annotations

import os
from contextlib import contextmanager

from manyshim.values import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Iterator, Mapping, Tuple

AUTO, ALWAYS, NEVER = "auto", "always", "never"
COLORS = (AUTO, ALWAYS, NEVER)

# It decides in argparse, since Python 3.14, before NO_COLOR and FORCE_COLOR.
_PYTHONS = "PYTHON_COLORS"


class Manner(NamedTuple):
    """The choice of `--color`, and whether only errors are printed.

    `kept` are the roles of the lines that are printed even then.
    """

    color: str = AUTO
    quiet: bool = False
    kept: Tuple[str, ...] = ()


_current = Manner()


def use(manner: Manner) -> None:
    """Set the manner of this process."""
    global _current  # noqa: PLW0603 (as the standard streams, it is the process's own)
    _current = manner


def current() -> Manner:
    """Return the manner of this process."""
    return _current


def wants_color(choice: str, environ: Mapping[str, str], *, terminal: bool) -> bool:
    """Whether a stream gets colours: by --color, else NO_COLOR, else FORCE_COLOR, else a terminal.

    As no-color.org and force-color.org say, an empty variable has no effect.
    """
    if choice != AUTO:
        return choice == ALWAYS
    if environ.get("NO_COLOR"):
        return False
    return bool(environ.get("FORCE_COLOR")) or terminal


@contextmanager
def colors_of_help(choice: str) -> Iterator[None]:
    """Make the help of argparse follow `--color`; without it, argparse decides as `wants_color`."""
    before = os.environ.get(_PYTHONS)
    if choice != AUTO:
        os.environ[_PYTHONS] = str(int(choice == ALWAYS))
    try:
        yield
    finally:
        if choice != AUTO:
            os.environ.pop(_PYTHONS, None)
            if before is not None:
                os.environ[_PYTHONS] = before
