"""The explanation of each kind."""

from __future__ import annotations

from typing import Mapping

from manyshim.audit.explanations import (
    archive,
    elf,
    hardening,
    index,
    loading,
    macos,
    policy,
    python,
    release,
    windows,
)
from manyshim.audit.explanations.explanation import Explanation

EXPLANATIONS: Mapping[str, Explanation] = {
    **policy.EXPLANATIONS,
    **elf.EXPLANATIONS,
    **loading.EXPLANATIONS,
    **hardening.EXPLANATIONS,
    **python.EXPLANATIONS,
    **archive.EXPLANATIONS,
    **index.EXPLANATIONS,
    **release.EXPLANATIONS,
    **macos.EXPLANATIONS,
    **windows.EXPLANATIONS,
}


def explanation(kind: str) -> Explanation:
    """Return the explanation of a kind. Raises KeyError for a kind that does not exist."""
    return EXPLANATIONS[kind]
