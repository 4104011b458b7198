"""The fields and the description of METADATA, within bounds.

Source: the core metadata specifications. METADATA has the format of an email's header, and other
readers take quadratic time for many fields (`email`, `packaging`).
"""

from __future__ import annotations

import re
from typing import Dict, FrozenSet, List, Mapping, Tuple

from manyshim.formats.wheel import fields
from manyshim.values import NamedTuple

# The fields before the description, in bytes. The longest of 578 wheels have 78 KiB.
_MAX_FIELDS = 1 << 20
# The values of one field. The most of these wheels are 343.
_MAX_VALUES = 2000
# In characters. License may hold the text of a licence; what is parsed is far shorter.
MAX_VALUE = 10_000
_MAX_UNKNOWN = 100
_FREE_TEXT = frozenset(("license", "keywords", "description", "author", "maintainer"))

ONCE = frozenset(
    (
        *("metadata-version", "name", "version", "summary", "description", "keywords", "author"),
        *("description-content-type", "home-page", "download-url", "author-email", "maintainer"),
        *("maintainer-email", "license", "license-expression", "requires-python"),
    )
)
KNOWN: FrozenSet[str] = ONCE | frozenset(
    (
        *("dynamic", "platform", "supported-platform", "classifier", "requires-dist", "requires"),
        *("requires-external", "project-url", "provides-extra", "provides-dist", "provides"),
        *("obsoletes-dist", "obsoletes", "license-file", "import-name", "import-namespace"),
    )
)

_LINE_END = r"(?:\r\n|\r(?!\n)|\n)"


class CoreFields(NamedTuple):
    """The known fields by their names in lower case, and what else METADATA has.

    `lines` are the lines of these fields. `incomplete` is true if a bound was met.
    """

    values: Mapping[str, Tuple[str, ...]]
    lines: Tuple[str, ...]
    repeated: Tuple[str, ...]
    unknown: Tuple[str, ...]
    description: str
    utf8: bool
    incomplete: bool

    def value(self, name: str) -> str:
        """Return the only value of a field; empty if there is none, or several."""
        found = self.values.get(name, ())
        return found[0] if len(found) == 1 else ""


def parse(data: bytes) -> CoreFields:
    """Read METADATA. Bytes that are not UTF-8 become surrogate escapes."""
    try:
        text, utf8 = data.decode("utf-8"), True
    except UnicodeDecodeError:
        text, utf8 = data.decode("utf-8", "surrogateescape"), False
    header, body = _split(text)
    incomplete = len(header) > _MAX_FIELDS
    values: Dict[str, List[str]] = {}
    lines: List[str] = []
    unknown: Dict[str, None] = {}
    for one in fields.parse(header[:_MAX_FIELDS]):
        name = one.name.lower()
        if name not in KNOWN:
            if len(unknown) < _MAX_UNKNOWN:
                unknown.setdefault(one.name)
            continue
        found = values.setdefault(name, [])
        if len(found) >= _MAX_VALUES or (len(one.value) > MAX_VALUE and name not in _FREE_TEXT):
            incomplete = True
            continue
        found.append(one.value)
        lines += one.lines
    repeated = [name for name in sorted(values) if name in ONCE and len(values[name]) > 1]
    if body.strip() and values.get("description") and "description" not in repeated:
        repeated.append("description")
    return CoreFields(
        {name: tuple(found) for name, found in values.items()},
        *(tuple(lines), tuple(repeated), tuple(unknown), body, utf8, incomplete),
    )


def _split(text: str) -> Tuple[str, str]:
    """Return the header and the body, which the first empty line separates."""
    if re.match(_LINE_END, text):
        return "", text
    found = re.search(_LINE_END + "{2}", text)
    return (text[: found.start()], text[found.end() :]) if found else (text, "")
