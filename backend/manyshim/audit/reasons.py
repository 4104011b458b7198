"""The words for evidence, and how names of others are printed."""

from __future__ import annotations

from typing import Optional, Sequence, Tuple

from manyshim.audit.findings import Evidence

_MAX_NAMES_SHOWN = 4
_NO_DETAILS = ("", "", "")


def escape(text: str) -> str:
    """Escape what a terminal would not show as itself: control characters, lone bytes."""
    if text.isprintable():
        return text
    return "".join(
        character if character.isprintable() else character.encode("unicode_escape").decode()
        for character in text
    )


def join_names(listed: Tuple[str, ...], most: int = _MAX_NAMES_SHOWN) -> str:
    """List names, and count those that would make the line too long."""
    text = ", ".join(map(escape, listed[:most]))
    more = len(listed) - most
    return f"{text} and {more} more" if more > 0 else text


_EVIDENCE = {
    Evidence.WEAK_REFERENCES: "weak references only",
    Evidence.RELR: "DT_RELR",
    Evidence.EMPTY_ENTRY: "empty: the current folder",
    Evidence.ABSOLUTE_ENTRY: "absolute",
    Evidence.VARIABLE_ENTRY: "differs from system to system",
    Evidence.RELATIVE_ENTRY: "relative to the current folder",
    Evidence.ESCAPING_ENTRY: "leaves the wheel",
    Evidence.ABSOLUTE_PATH: "absolute",
    Evidence.PARENT_FOLDER: "climbs out of the wheel",
    Evidence.DRIVE: "begins with a drive",
    Evidence.NOT_UTF8: "is not UTF-8",
    Evidence.CONTROL_CHARACTERS: "holds control characters",
    Evidence.OTHER_DIST_INFO: "the index looks for {0}.dist-info, as the file name has it",
    Evidence.UNLISTED: "is not listed in it",
    Evidence.ABSENT: "is listed in it, and not in the wheel",
    Evidence.WRONG_SIZE: "has another size than it says",
    Evidence.WRONG_HASH: "has another hash than it says",
    Evidence.WRONG_CRC: "does not inflate to what the archive says",
    Evidence.BLANK_LINE: "has a blank line",
    Evidence.TAGGED_FOR_LINUX: "it is tagged for Linux",
    Evidence.COMPILER_CALLED: "a compiler was called",
    Evidence.OTHER_ABI_TAG: "the wheel's ABI tag is {0}",
    Evidence.OTHER_PLATFORM: "it says {0}, and the file is for {1}",
    Evidence.OTHER_TARGET: "it says {0}, and the target's Python looks for {1}",
    Evidence.OTHER_WHEEL: "the wheel is for {0}",
    Evidence.OTHER_FILES: "other files are for {0}",
    Evidence.NOTHING_TO_AUDIT: "there is nothing to audit in it",
    Evidence.NOT_FOR_LINUX: "it is not for Linux",
    Evidence.ERRORS: "an error blocks every tag: {0}",
    Evidence.NO_POLICY_HOLDS: "no policy holds",
    Evidence.FILES_OF_OTHER: "{0} was asked for, and the files are for {1}",
    Evidence.UNKNOWN_POLICY: "{0} is no policy of {1}: there are none",
    Evidence.OLDER_THAN_ALL: "{0} is no policy of {1}: {2} is the oldest",
    Evidence.NOT_PROVED: "{0} was asked for and is not proved; {1} would hold",
    Evidence.NOTHING_PROVED: "{0} was asked for and is not proved; no policy holds",
    Evidence.REFUSED_BY_INTERPRETER: "the building interpreter refuses {0} (_manylinux)",
}


def because(evidence: Optional[Evidence], details: Sequence[str] = ()) -> str:
    """Say what was seen, or why there is no tag; empty without evidence."""
    if evidence is None:
        return ""
    return _EVIDENCE[evidence].format(*filled(details))


def filled(details: Sequence[str]) -> Tuple[str, ...]:
    """Return the details for a sentence: escaped, and as many as any sentence asks for."""
    return (*map(escape, details), *_NO_DETAILS)
