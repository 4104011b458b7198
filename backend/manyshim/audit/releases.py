"""The files of a release, by their names: projects, versions, and what each wheel is for."""

from __future__ import annotations

import re

from manyshim.audit.tags import parse_wheel_name
from manyshim.audit.targets import Target, targets
from manyshim.values import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Optional, Tuple

# What clients upload, beside wheels.
_UPLOADED = (".tar.gz", ".zip")
# Archives that the index took as sdists once. Check refuses them by their extension.
_SDIST_ENDS = (*_UPLOADED, ".tgz", ".tar.bz2", ".tar.xz", ".tar.z", ".tar", ".egg")


class ReleaseFile(NamedTuple):
    """A wheel or an sdist.

    `project` is the canonical name (PEP 503), `prefix` and `version` are as they are spelled.
    `targets` are what a wheel is for; an sdist has none.
    """

    name: str
    project: str
    prefix: str
    version: str
    targets: Tuple[Target, ...]


def is_sdist(name: str) -> bool:
    """Whether a name ends like that of an sdist."""
    return name.lower().endswith(_SDIST_ENDS)


def is_release_file(name: str) -> bool:
    """Whether clients upload a file of this name from the folder of a release."""
    return name.lower().endswith((".whl", *_UPLOADED))


def names_a_project(name: str) -> bool:
    """Whether a file name states a project and a version, so that it belongs to a set."""
    return parse_release_file(name) is not None


def parse_release_file(name: str) -> Optional[ReleaseFile]:
    """Return what a file name states; None if it names no project and version."""
    wheel = parse_wheel_name(name)
    if wheel is not None:
        project, version, tags = wheel.name, wheel.version, targets(wheel)
    else:
        end = next((end for end in _SDIST_ENDS if name.lower().endswith(end)), "")
        project, _, version = name[: -len(end)].rpartition("-") if end else ("", "", "")
        tags = ()
    # A dash in the name of a project moves the other parts. That name has a finding of its own.
    if not project or not re.match(r"v?\d", version):
        return None
    canonical = re.sub(r"[-_.]+", "-", project).lower()
    return ReleaseFile(name, canonical, project, version, tags)


# The spellings of one kind of release (PEP 440).
_SPELLINGS = {"alpha": "a", "beta": "b", "c": "rc", "pre": "rc", "preview": "rc", "rev": "post"}
_SPELLINGS["r"] = "post"


def version_key(version: str) -> Tuple[str, ...]:
    """Return equal values for spellings of one version (PEP 440): 1.0, 1.0.0, 0!1 and v1."""
    text, plus, local = version.lower().lstrip("v").partition("+")
    # A kind of release without a number has the number 0: 1.0a is 1.0a0.
    text = re.sub(r"([a-z])(?![a-z]|[-_.]?[0-9])", r"\g<1>0", text)
    words = re.findall(r"[a-z]+|[0-9]+|!", re.sub(r"^0+!", "", text))
    parts = [_SPELLINGS.get(word, word.lstrip("0") or "0") for word in words]
    end = next((at for at, word in enumerate(parts) if word.isalpha()), len(parts))
    release = parts[:end]
    while release[1:] and release[-1] == "0":
        release.pop()
    return (*release, *parts[end:], plus, *re.split(r"[-_.]", local))
