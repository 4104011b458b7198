"""Read licences as packages state them, and write them in the form of CycloneDX.

No licence is guessed. A name that certainly is one of SPDX becomes an id; any other text is kept.
"""

from __future__ import annotations

import re
from typing import Dict, FrozenSet, List, Mapping, Optional, Sequence, Set, Tuple

# SPDX ids that libraries use. A licence that is not listed is written as a name, which is valid.
_SPDX = """
    0BSD AFL-2.1 AGPL-3.0-only AGPL-3.0-or-later Apache-1.0 Apache-1.1 Apache-2.0 Artistic-1.0-Perl
    Artistic-2.0 BSD-1-Clause BSD-2-Clause BSD-2-Clause-Patent BSD-2-Clause-Views BSD-3-Clause
    BSD-3-Clause-Clear BSD-3-Clause-LBNL BSD-3-Clause-Open-MPI BSD-4-Clause BSD-4-Clause-UC
    BSD-Source-Code BSL-1.0 Beerware CC-BY-3.0 CC-BY-4.0 CC-BY-SA-3.0 CC-BY-SA-4.0 CC0-1.0 CDDL-1.0
    CDDL-1.1 CECILL-2.1 CECILL-B CECILL-C CPL-1.0 EPL-1.0 EPL-2.0 EUPL-1.2 FSFAP FSFUL FSFULLR
    FSFULLRWD FTL GFDL-1.3-or-later GPL-1.0-only GPL-1.0-or-later GPL-2.0-only GPL-2.0-or-later
    GPL-3.0-only GPL-3.0-or-later HDF5 HPND HPND-sell-variant ICU IJG ISC ImageMagick Info-ZIP
    Intel JSON JasPer-2.0 LGPL-2.0-only LGPL-2.0-or-later LGPL-2.1-only LGPL-2.1-or-later
    LGPL-3.0-only LGPL-3.0-or-later LPL-1.02 Libpng MIT MIT-0 MIT-CMU MIT-Modern-Variant
    MIT-open-group MPL-1.0 MPL-1.1 MPL-2.0 MPL-2.0-no-copyleft-exception MS-PL MirOS Minpack
    MulanPSL-2.0 NCSA NTP NetCDF Net-SNMP OFL-1.1 OLDAP-2.8 OpenSSL PHP-3.01 PSF-2.0 PostgreSQL
    Python-2.0 Python-2.0.1 Qhull RSA-MD Ruby SGI-B-2.0 SISSL SMLNJ SSH-OpenSSH Sleepycat SunPro
    TCL TCP-wrappers UPL-1.0 Unicode-3.0 Unicode-DFS-2016 Unicode-TOU Unlicense W3C WTFPL X11
    ZPL-2.1 Zlib blessing bzip2-1.0.6 curl libpng-2.0 libselinux-1.0 libtiff mpich2 snprintf
    zlib-acknowledgement
"""
_EXCEPTIONS = """
    Autoconf-exception-2.0 Autoconf-exception-3.0 Autoconf-exception-generic
    Autoconf-exception-generic-3.0 Autoconf-exception-macro Bison-exception-2.2
    Classpath-exception-2.0 GCC-exception-2.0 GCC-exception-3.1 LGPL-3.0-linking-exception
    LLVM-exception Libtool-exception Linux-syscall-note OCaml-LGPL-linking-exception
    PCRE2-exception Qt-GPL-exception-1.0 Qt-LGPL-exception-1.1 WxWindows-exception-3.1
"""
SPDX: FrozenSet[str] = frozenset(_SPDX.split())
EXCEPTIONS: FrozenSet[str] = frozenset(_EXCEPTIONS.split())

# Short names of Debian's copyright-format 1.0 that mean the same as one SPDX id.
DEBIAN: Mapping[str, str] = {
    "Expat": "MIT",
    "BSD-2-clause": "BSD-2-Clause",
    "BSD-3-clause": "BSD-3-Clause",
    "GPL-1": "GPL-1.0-only",
    "GPL-1+": "GPL-1.0-or-later",
    "GPL-2": "GPL-2.0-only",
    "GPL-2+": "GPL-2.0-or-later",
    "GPL-3": "GPL-3.0-only",
    "GPL-3+": "GPL-3.0-or-later",
    "LGPL-2": "LGPL-2.0-only",
    "LGPL-2+": "LGPL-2.0-or-later",
    "LGPL-2.1": "LGPL-2.1-only",
    "LGPL-2.1+": "LGPL-2.1-or-later",
    "LGPL-3": "LGPL-3.0-only",
    "LGPL-3+": "LGPL-3.0-or-later",
}
# The specification discourages these names, because several licences have them.
_AMBIGUOUS_IN_DEBIAN = frozenset({"MIT", "X11"})

_FORMAT = re.compile(r"copyright-format|/dep5|dep-5", re.IGNORECASE)


def field(paragraph: str, name: str) -> Optional[str]:
    """Return a field of a paragraph of a Debian control file, with its continuation lines."""
    pattern = rf"^{re.escape(name)}:[ \t]*(.*(?:\n[ \t].*)*)"
    match = re.search(pattern, paragraph, re.MULTILINE | re.IGNORECASE)
    return match.group(1).rstrip() if match else None


def of_debian(text: str) -> Tuple[str, ...]:
    """Return the short names in a copyright file of format 1.0; empty unless it states all.

    Files of the packaging (`debian/*`) are not part of the library, so they are ignored.
    """
    paragraphs = re.split(r"\n(?:[ \t]*\n)+", text.lstrip())
    if not _FORMAT.search(field(paragraphs[0], "Format") or ""):
        return ()
    names: Set[str] = set()
    stated = field(paragraphs[0], "License")
    if stated:
        names.add(_synopsis(stated))
    for paragraph in paragraphs[1:]:
        files = field(paragraph, "Files")
        if files is None or all(item.startswith("debian/") for item in files.split()):
            continue
        name = _synopsis(field(paragraph, "License") or "")
        if not name:
            return ()  # a partial list would look complete
        names.add(name)
    return tuple(sorted(names - {""}))


def _synopsis(value: str) -> str:
    return " ".join(value.partition("\n")[0].split())


def choice(kind: str, stated: Sequence[str]) -> List[Dict[str, object]]:
    """Return licences as CycloneDX's licenseChoice: ids and names, or a single expression.

    `kind` is the kind of the package ("deb", "rpm", "apk"), which determines their spelling.
    """
    if kind != "deb" and len(stated) == 1 and " " in stated[0] and _is_expression(stated[0]):
        return [{"expression": stated[0], "acknowledgement": "declared"}]
    return [{"license": {**_one(kind, text), "acknowledgement": "declared"}} for text in stated]


def _one(kind: str, text: str) -> Dict[str, str]:
    if kind == "deb":
        if text in DEBIAN:
            return {"id": DEBIAN[text]}
        if text in _AMBIGUOUS_IN_DEBIAN:
            return {"name": text}
    return {"id": text} if text in SPDX else {"name": text}


def _is_expression(text: str) -> bool:
    """Return whether a text is an SPDX expression of known names only (SPDX 2.3, annex D).

    Lower-case operators are not accepted: older rpm packages use them with names that are not SPDX.
    """
    before, depth = "(", 0
    for word in re.findall(r"[()]|[^\s()]+", text):
        if word in ("(", ")"):
            depth += 1 if word == "(" else -1
            fits = (before in ("(", "AND", "OR")) == (word == "(") and before != "WITH"
        elif word in ("AND", "OR", "WITH"):
            fits = before in SPDX or (word != "WITH" and before in EXCEPTIONS | {")"})
        elif before == "WITH":
            fits = word in EXCEPTIONS
        else:
            fits = word in SPDX and before in ("(", "AND", "OR")
        if not fits or depth < 0:
            return False
        before = word
    return depth == 0 and before not in ("(", "AND", "OR", "WITH")
