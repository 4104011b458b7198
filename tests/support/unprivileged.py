"""Run a block as an unprivileged user, for tests of missing permissions."""

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
    """Yield a folder; if root runs the tests, the block runs as the user `nobody`.

    The folder is not below pytest's tmp_path, which only root can reach. Import modules before the
    block, because `nobody` may not be able to read the folder of root's Python.
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
    """Change the effective user, group and groups of this process, and restore them."""
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
