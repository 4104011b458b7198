"""Reads the settings that a frontend passes to the wrapped backend (config_settings, PEP 517)."""

from __future__ import annotations

from typing import Any, List


def texts(value: Any) -> List[str]:  # noqa: ANN401 (frontends pass texts, lists and more)
    """Return the values of a setting; none for None."""
    if value is None:
        return []
    return list(map(str, value)) if isinstance(value, (list, tuple)) else [str(value)]
