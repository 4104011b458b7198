"""Prints text on a terminal: with rich if it is installed, else plain."""

from __future__ import annotations

import os
import sys

from manyshim.cli import manner
from manyshim.errors import printable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Iterable, Iterator, Optional, Sequence, TextIO, Tuple

    from manyshim.formatters.text import Line
    from manyshim.operations import Outcome

_STYLES = {
    "title": "bold",
    "tag": "bold green",
    "error": "red",
    "failure": "bold red",
    "warning": "yellow",
    "info": "cyan",
    "policy": "bold",
    "dim": "dim",
}

# For fewer bytes than this, the work ends before a bar could be seen.
_WORTH_A_BAR = 32 << 20


def put(text: str, stream: Optional[TextIO] = None, end: str = "\n") -> None:
    """Print on a stream, by default standard output; nothing if its reader has gone away.

    The wheels are processed all the same, and the exit code is theirs.
    """
    stream = stream or sys.stdout
    try:
        print(text, file=stream, end=end)
    except BrokenPipeError:
        discard(stream)


def notice(line: str) -> None:
    """Print a line about the run on standard error, except with -q."""
    if not manner.current().quiet:
        put(printable(f"manyshim: {line}"), sys.stderr)


def discard(stream: TextIO) -> None:
    """Send what a stream still holds, and all that follows, to the null device.

    Without this, the interpreter would write it to the closed pipe again at exit, and fail.
    """
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, stream.fileno())
    os.close(null)


class Screen:
    """Standard output with colours and tables, and a progress bar on standard error.

    The manner of the run decides about colours, and whether only errors are printed. `plain` turns
    all decoration off.
    """

    def __init__(self, *, plain: bool = False) -> None:
        self._out: Any = None
        self._err: Any = None
        asked = manner.current()
        out = manner.wants_color(asked.color, os.environ, terminal=sys.stdout.isatty())
        err = sys.stderr.isatty() and not asked.quiet
        if plain or not (out or err):
            return
        try:
            from rich.console import Console  # noqa: PLC0415 (the extra `cli`, only for terminals)
        except ImportError:
            if asked.color == manner.ALWAYS:
                notice("--color always needs rich: pip install 'manyshim[cli]'")
            return
        forced: Any = {}
        if asked.color == manner.ALWAYS or os.environ.get("FORCE_COLOR"):
            # The 16 colours that each terminal has; rich would look at TERM and NO_COLOR itself.
            forced = {"force_terminal": True, "color_system": "standard", "no_color": False}
        if out:
            self._out = Console(highlight=False, soft_wrap=True, emoji=False, **forced)
        # The bar has no colours where the lines have none.
        self._err = Console(stderr=True, no_color=not out) if err else None

    def print_lines(self, lines: Sequence[Line]) -> None:
        """Print failures on standard error, and other lines on standard output, all escaped."""
        asked = manner.current()
        for line in errors_only(lines, asked.kept) if asked.quiet else lines:
            text = printable(line.text)
            if line.role == "failure":
                put(text, sys.stderr)
            elif self._out is None:
                put(text)
            else:
                with self._out.capture() as captured:
                    self._out.print(text, style=_STYLES.get(line.role), markup=False)
                put(captured.get(), end="")

    def table(self, head: Tuple[str, ...], rows: Sequence[Tuple[str, ...]]) -> None:
        """Print a table, except with -q."""
        if manner.current().quiet:
            return
        if self._out is not None:
            from rich.table import Table  # noqa: PLC0415

            table = Table(*head, box=None)
            for row in rows:
                table.add_row(*row)
            with self._out.capture() as captured:
                self._out.print(table)
            put(captured.get(), end="")
            return
        widths = [max(map(len, column)) for column in zip(head, *rows)]
        for row in (head, *rows):
            cells = (cell.ljust(width) for cell, width in zip(row, widths))
            put("  ".join(cells).rstrip())

    def progress(self, outcomes: Iterable[Outcome], wheels: Sequence[str]) -> Iterator[Outcome]:
        """Yield the outcomes, and show a progress bar if they take long."""
        size = sum(os.path.getsize(wheel) for wheel in wheels if os.path.isfile(wheel))
        takes_long = len(wheels) > 1 or size >= _WORTH_A_BAR
        bar = self.bar(len(wheels), "reading") if takes_long else None
        if bar is None:
            yield from outcomes
            return
        with bar:
            for outcome in outcomes:
                yield outcome
                bar.advance(0)

    def bar(self, total: int, description: str = "") -> Any:  # noqa: ANN401 (of rich, if there)
        """Return a progress bar of rich with one task, number 0; None where nobody would see it."""
        if self._err is None:
            return None
        from rich.progress import Progress  # noqa: PLC0415

        bar = Progress(console=self._err, transient=True)
        bar.add_task(description, total=total)
        return bar


def errors_only(lines: Sequence[Line], kept: Tuple[str, ...] = ()) -> Iterator[Line]:
    """Yield the lines that -q prints: errors with what belongs to them, and the roles in `kept`.

    An error keeps the title above it, so that its file is named.
    """
    title: Optional[Line] = None
    within = False
    for line in lines:
        if line.role == "title":
            title, within = line, False
        elif line.role in _HEADS:
            within = line.role in _ERRORS
        if line.role in kept:
            title = None
            yield line
        elif within and line.role != "title":
            if title:
                yield title
                title = None
            yield line


# The roles of the lines that begin something of their own; other lines belong to the one above.
_ERRORS = ("error", "failure")
_HEADS = (*_ERRORS, "warning", "info", "policy", "tag")
