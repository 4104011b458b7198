"""Fixtures for the tests of debug information."""

from __future__ import annotations

from pathlib import Path

import pytest

from debugsources import C_SOURCE, CPP_SOURCE, HEADER


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "src").mkdir()
    (tmp_path / "build").mkdir()
    (tmp_path / "src" / "_x.c").write_text(C_SOURCE)
    (tmp_path / "src" / "_x.h").write_text(HEADER)
    (tmp_path / "src" / "_y.cpp").write_text(CPP_SOURCE)
    return tmp_path
