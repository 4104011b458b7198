"""Facts that only the gate judges: the framing of the archive, METADATA, and sdists."""

from __future__ import annotations

from enum import Enum
from typing import Tuple

from manyshim.values import NamedTuple


class Framing(Enum):
    """Where an archive differs from what every reader takes (APPNOTE.TXT).

    A value is a short description for the table of the evidence.
    """

    DATA_DESCRIPTOR = "data descriptor"


class Oddity(NamedTuple):
    """One difference: the member, or empty for the archive, and values that describe it."""

    what: Framing
    path: str = ""
    details: Tuple[str, ...] = ()
