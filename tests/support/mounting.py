"""Mount file systems in memory, for tests of full disks and of mount options."""

from __future__ import annotations

import subprocess
from contextlib import contextmanager
from pathlib import Path
from typing import Iterator

import pytest

import needs


@contextmanager
def mounted(folder: Path, options: str) -> Iterator[Path]:
    """Mount a tmpfs with options on a folder; skip the test if the user may not."""
    command = [needs.tool("mount", "mount"), "-t", "tmpfs", "-o", options, "manyshim-test"]
    done = subprocess.run([*command, str(folder)], capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"only root may mount a file system: {done.stderr.strip()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", str(folder)], check=True)
