"""Paths of the repository that tests use."""

from __future__ import annotations

from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
BACKEND = REPOSITORY / "backend"
DOCS = REPOSITORY / "docs"
TESTS = REPOSITORY / "tests"
# Small projects that tests build.
PROJECTS = TESTS / "support" / "packages"
DATA = TESTS / "support" / "data"
