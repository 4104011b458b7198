"""Another user than root, for tests of what a user may not read or write."""

from __future__ import annotations

import os
import shutil
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import Iterator

_NOBODY = 65534


@contextmanager
def unprivileged() -> Iterator[Path]:
    """Yield a folder; the block runs as its owner, who is nobody where root runs the tests.

    The folder is not below pytest's tmp_path, which other users than root cannot reach. Import
    before the block what it uses: nobody may not read where root's Python lies.
    """
    folder = tempfile.mkdtemp()
    try:
        if os.geteuid():
            yield Path(folder)
        else:
            os.chown(folder, _NOBODY, _NOBODY)
            with _as_nobody():
                yield Path(folder)
    finally:
        shutil.rmtree(folder)


@contextmanager
def _as_nobody() -> Iterator[None]:
    """Change the effective user, group and groups of this process, and change them back."""
    group, groups = os.getegid(), os.getgroups()
    os.setgroups([])
    os.setegid(_NOBODY)
    os.seteuid(_NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)
        os.setegid(group)
        os.setgroups(groups)
