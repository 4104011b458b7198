"""Read licences as packages state them, and write them in the form of CycloneDX.

No licence is guessed. A name that certainly is one of SPDX becomes an id; any other one is kept. An
expression has it as a LicenseRef.
"""

from __future__ import annotations

import re
from typing import Dict, FrozenSet, List, Mapping, Optional, Sequence

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

# Short names of Debian's copyright-format 1.0 that differ from the id by more than upper and lower
# case or a final ".0".
DEBIAN: Mapping[str, str] = {
    "expat": "MIT",
    "boost-1": "BSL-1.0",
    "cc0": "CC0-1.0",
    "openldap-2.8": "OLDAP-2.8",
}
_DEBIAN_EXCEPTIONS: Mapping[str, str] = {
    "libtool": "Libtool-exception",
    "linux-syscall-note": "Linux-syscall-note",
    "llvm": "LLVM-exception",
}
# Several licences have these names, also where SPDX has an id that is spelled so.
_AMBIGUOUS = "hpnd icu intel json libpng libtiff mit ntp openssl ruby tcl w3c x11"
_AMBIGUOUS_IN_DEBIAN: FrozenSet[str] = frozenset(_AMBIGUOUS.split())
_GPL = re.compile(r"(a?gpl|lgpl)-([1-3](?:\.1)?)(?:\.0)*(\+?)")
_REFERENCE = re.compile(r"LicenseRef-[A-Za-z0-9.-]+")


def of_debian(text: str) -> str:
    """Return a licence of a copyright file as an SPDX expression; such names are free text.

    A name without an id becomes a LicenseRef. In this format, a comma separates operands whose own
    `and` or `or` comes first.
    """
    chunks = re.split(r", (?=(?:and|or) )", text, flags=re.IGNORECASE)
    operators = {chunk.split()[0].upper() for chunk in chunks[1:]}
    parts = [_operands(chunk.split(" ", 1)[1] if at else chunk) for at, chunk in enumerate(chunks)]
    if len(operators) > 1 or not all(parts):
        return _reference(text)
    if len(parts) == 1:
        return parts[0] or ""
    return f" {operators.pop()} ".join(_in_parentheses(part or "") for part in parts)


def _operands(text: str) -> Optional[str]:
    """Return licences that are joined by `and` and `or` as an expression; None for other texts."""
    choices: List[str] = []
    for one in re.split(" or ", text, flags=re.IGNORECASE):
        names = [_debian_name(name) for name in re.split(" and ", one, flags=re.IGNORECASE)]
        if not all(names):
            return None
        choices.append(" AND ".join(map(str, names)))
    return " OR ".join(choices)


def _debian_name(text: str) -> Optional[str]:
    base, with_, exception = text.partition(" with ")
    if " " in base or not base:
        return None
    if not with_:
        return _debian_id(base) or _reference(base)
    known = _debian_id(base)
    added = _DEBIAN_EXCEPTIONS.get(exception.lower().partition(" exception")[0])
    return f"{known} WITH {added}" if known and added else _reference(text)


def _debian_id(name: str) -> Optional[str]:
    gpl = _GPL.fullmatch(name.lower())
    if gpl:
        family, version, later = gpl.groups()
        whole = version if "." in version else f"{version}.0"
        found = f"{family.upper()}-{whole}-{'or-later' if later else 'only'}"
        return found if found in SPDX else None
    key = _key(name)
    return DEBIAN.get(key) or (None if key in _AMBIGUOUS_IN_DEBIAN else _BY_KEY.get(key))


def _key(name: str) -> str:
    """Return a name for comparison: upper case and a final ".0" have no meaning in this format."""
    key = name.lower()
    while key.endswith(".0"):
        key = key[:-2]
    return key


_BY_KEY: Mapping[str, str] = {_key(name): name for name in SPDX}


def _reference(text: str) -> str:
    """Return a LicenseRef, which may have letters, digits, points and hyphens only."""
    name = re.sub(r"[^A-Za-z0-9.-]+", "-", text.replace("+", "-or-later")).strip("-")
    return f"LicenseRef-Debian-{name or 'unnamed'}"


def _in_parentheses(expression: str) -> str:
    return f"({expression})" if re.search(" AND | OR ", expression) else expression


def choice(kind: str, stated: Sequence[str]) -> List[Dict[str, object]]:
    """Return licences as CycloneDX's licenseChoice: an id, a name, or an expression.

    `kind` is the kind of the package ("deb", "rpm", "apk"), which determines their spelling. All of
    several licences apply.
    """
    if kind == "deb":
        spelled = [of_debian(text) for text in stated]
        whole = spelled[0] if len(spelled) == 1 else " AND ".join(map(_in_parentheses, spelled))
    else:
        whole = " ".join(stated)
    if whole in SPDX:
        return [_license({"id": whole})]
    if _REFERENCE.fullmatch(whole) and len(stated) == 1:
        return [_license({"name": stated[0]})]
    if _is_expression(whole):
        return [{"expression": whole, "acknowledgement": "declared"}]
    return [_license({"name": text}) for text in stated]


def _license(fields: Dict[str, str]) -> Dict[str, object]:
    return {"license": {**fields, "acknowledgement": "declared"}}


def _is_licence(word: str) -> bool:
    return word in SPDX or _REFERENCE.fullmatch(word) is not None


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
            fits = _is_licence(before) or (word != "WITH" and before in EXCEPTIONS | {")"})
        elif before == "WITH":
            fits = word in EXCEPTIONS
        else:
            fits = _is_licence(word) and before in ("(", "AND", "OR")
        if not fits or depth < 0:
            return False
        before = word
    return depth == 0 and before not in ("(", "AND", "OR", "WITH")
