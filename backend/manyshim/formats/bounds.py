"""A bound on the work that all files of one wheel may take together."""

from __future__ import annotations


class TooMuchError(Exception):
    """The files of a wheel have more of something than any real wheel."""


class Bound:
    """How many load commands and names the files of a wheel may still have.

    Damaged files count, too.
    """

    def __init__(self, most: int) -> None:
        self.most = most
        self._left = most

    def spend(self, count: int) -> None:
        """Count what a file has. Raises TooMuchError beyond the bound."""
        self._left -= count
        if self._left < 0:
            raise TooMuchError(f"its files have more than {self.most} load commands and imports")
