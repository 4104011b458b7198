"""Follow symbolic links below a root folder, as under chroot(2). Source: path_resolution(7)."""

from __future__ import annotations

import errno
import os
from typing import List, Optional

# The kernel's limit (include/linux/namei.h, MAXSYMLINKS).
_MAX_LINKS = 40


def resolve(root: str, path: str, *, strict: bool = True) -> str:
    """Follow all links of an absolute path below `root`; return the path, "" for the root itself.

    Links cannot leave `root`. With `strict`, raises OSError if the path does not exist or its links
    form a loop. Without `strict`, a link that cannot be followed is kept as a plain name.
    """
    steps = path.split("/")[::-1]
    done: List[str] = []
    links = 0
    while steps:
        step = steps.pop()
        if step == "..":
            del done[-1:]
        elif step not in ("", "."):
            done.append(step)
            target = _target(root + "/".join(("", *done)), strict=strict)
            if target is None:
                continue
            links += 1
            if links <= _MAX_LINKS:
                del done[0 if target.startswith("/") else -1 :]
                steps += target.split("/")[::-1]
            elif strict:
                raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), path)
    return "/".join(("", *done)) if done else ""


def _target(place: str, *, strict: bool) -> Optional[str]:
    """Return the target of a link; None if `place` is not a link."""
    try:
        return os.readlink(place)
    except ValueError:  # this machine's encoding cannot express the name
        if strict:
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), place) from None
    except OSError as error:
        if strict and error.errno != errno.EINVAL:
            raise
    return None
