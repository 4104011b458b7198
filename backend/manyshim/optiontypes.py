"""What an option is, and how the texts and TOML values of options are parsed."""

from __future__ import annotations

from manyshim.errors import ConfigError
from manyshim.values import NamedTuple

# The parsers import the audit when they are called, because `--help` needs none of it.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable, List, Optional, Sequence, Tuple

    from manyshim.audit.request import Allowance

# A distribution's name (PEP 508).
_NAME = r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?"

EMPTY: Tuple[str, ...] = ()


class Option(NamedTuple):
    """One option.

    `parse` turns the given text, boolean, number or list into the value, or raises ConfigError.
    `meaning` is what the help of the command line says too, unless `in_commands` is the meaning
    there. `details` is for the table only.
    `release` is true for a value that would affect everyone who builds from the sdist.
    """

    key: str
    parse: Callable[[Option, Any], Any]
    default: Any
    values: str
    meaning: str
    details: str = ""
    release: Callable[[Any], bool] = lambda _: False
    table_only: bool = False
    in_commands: str = ""

    @property
    def field(self) -> str:
        """The option's field of Config."""
        return self.key.replace("-", "_")

    @property
    def variable(self) -> str:
        """The environment variable that sets the option."""
        return "MANYSHIM_" + self.field.upper()

    def refuse(self, value: object, wanted: str) -> ConfigError:
        """Return the error for a value that the option does not accept."""
        return ConfigError(f"{self.key} = {as_written(value)} is not valid; {wanted}")


def as_written(value: object) -> str:
    """Return a value as TOML writes it, as far as the user needs it to find the place."""
    return str(value).lower() if isinstance(value, bool) else repr(value)


def nearest(word: str, known: Sequence[str]) -> str:
    """Return a hint for an unknown word: the most similar known one, or all of them."""
    close = closest(word, known)
    return f"did you mean {close!r}?" if close else f"choose from {', '.join(known)}"


def closest(word: str, known: Sequence[str], ratio: float = 0.6) -> Optional[str]:
    """Return the most similar known word, None if no one is similar."""
    from difflib import get_close_matches  # noqa: PLC0415 (only for an error)

    return next(iter(get_close_matches(word, known, 1, ratio)), None)


class Choice:
    """The parser of an option that has a few words as values."""

    def __init__(self, *words: str) -> None:
        self.words = words

    def __call__(self, option: Option, value: Any) -> str:  # noqa: ANN401 (any value of TOML)
        """Return one of the words. Raises ConfigError for another value."""
        if not isinstance(value, str):
            raise option.refuse(value, f"choose from {', '.join(self.words)}")
        if value not in self.words:
            raise option.refuse(value, nearest(value, self.words))
        return value


TRUE = ("true", "on", "yes", "1")
FALSE = ("false", "off", "no", "0")


def parse_boolean(option: Option, value: Any) -> bool:  # noqa: ANN401
    """Return the truth of a boolean or of a word for one. Raises ConfigError."""
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value.lower() in (*TRUE, *FALSE):
        return value.lower() in TRUE
    raise option.refuse(value, "write true or false")


def parse_text(option: Option, value: Any) -> str:  # noqa: ANN401
    """Return a text that is not empty. Raises ConfigError for another value."""
    if not isinstance(value, str) or not value:
        raise option.refuse(value, "write a string that is not empty")
    return value


def parse_texts(option: Option, value: Any) -> Tuple[str, ...]:  # noqa: ANN401
    """Return a list, or the parts of a text that commas separate. Raises ConfigError."""
    if isinstance(value, str):
        return tuple(part.strip() for part in value.split(",") if part.strip())
    if not isinstance(value, (list, tuple)) or not all(isinstance(part, str) for part in value):
        raise option.refuse(value, "write a list of strings")
    return tuple(value)


def parse_names(option: Option, value: Any) -> Tuple[str, ...]:  # noqa: ANN401
    """Return names of distributions. Raises ConfigError for another text, and for none."""
    import re  # noqa: PLC0415 (few builds set such an option)

    names = parse_texts(option, value)
    if not names or not all(re.fullmatch(_NAME, name) for name in names):
        raise option.refuse(value, "write the name of your project")
    return names


FIXES = ("execstack", "rpath", "musl-soname")


def parse_fixes(option: Option, value: Any) -> Tuple[str, ...]:  # noqa: ANN401
    """Return names of fixes. Raises ConfigError for an unknown one."""
    names = parse_texts(option, value)
    for name in names:
        if name not in FIXES:
            raise option.refuse(name, nearest(name, FIXES))
    return names


def parse_level(option: Option, value: Any) -> int:  # noqa: ANN401
    """Return a digit. Raises ConfigError for another value."""
    text = str(value) if isinstance(value, int) and not isinstance(value, bool) else value
    if not isinstance(text, str) or text not in tuple("0123456789"):
        raise option.refuse(value, "write a number from 0 to 9")
    return int(text)


# Kinds of findings: the old name of each, and the name that it has now.
RENAMED_KINDS = {"CLAIM": "FALSE_TAG"}


def known_kind(name: str) -> Optional[str]:
    """Return the kind that a name means, in any case, with dashes or by its old name, or None."""
    from manyshim.audit.findings import KINDS  # noqa: PLC0415

    kind = name.upper().replace("-", "_")
    kind = RENAMED_KINDS.get(kind, kind)
    return kind if kind in KINDS else None


def renamed_kinds(allow: Option, value: object) -> List[str]:
    """Return a line for each kind in a value of `allow` that has a new name."""
    given = (part.partition(":")[0] for part in parse_texts(allow, value))
    return [
        f"allow: {kind} is now called {RENAMED_KINDS[kind]}"
        for kind in given
        if kind in RENAMED_KINDS
    ]


def allowed_kinds() -> List[str]:
    """Return the kinds of findings that `allow` accepts.

    The limits of a policy cannot be allowed. A warning can: strict or `check` may make it an error.
    """
    from manyshim.audit.findings import KINDS, POLICY  # noqa: PLC0415

    return [kind for kind, severity in KINDS.items() if severity != POLICY] + ["BY_NAME_ONLY"]


_INSTEAD = "for `check`, accept the tag instead (FALSE_TAG:path-glob)"


def parse_allow(option: Option, value: Any) -> Tuple[Allowance, ...]:  # noqa: ANN401
    """Return the errors that the user accepts. Raises ConfigError for an unknown kind."""
    from manyshim.audit.findings import KINDS  # noqa: PLC0415
    from manyshim.audit.request import Allowance  # noqa: PLC0415

    kinds = allowed_kinds()
    allowances = []
    for part in parse_texts(option, value):
        kind, colon, glob = part.partition(":")
        kind = RENAMED_KINDS.get(kind, kind)
        if kind in kinds and not glob:
            raise option.refuse(part, f"write {kind}:* for all files, or a path-glob for some")
        if not colon or not glob:
            raise option.refuse(part, "write KIND:path-glob, as in NEEDED_PATH:pkg/*.so")
        if kind in KINDS and kind not in kinds:
            raise option.refuse(
                part, f"{kind} rules out policies, so it cannot be accepted; {_INSTEAD}"
            )
        if kind not in kinds:
            close = closest(kind, tuple(KINDS))
            hint = f"did you mean {close!r}?" if close else "`manyshim explain` lists all kinds"
            raise option.refuse(part, f"{kind or part} is not a kind of finding; {hint}")
        allowances.append(Allowance(kind, glob))
    return tuple(allowances)


def always(_: Any) -> bool:  # noqa: ANN401
    """Return true: every value is a release key."""
    return True


def equals(word: str) -> Callable[[Any], bool]:
    """Return a test for one value that is a release key."""

    def test(value: Any) -> bool:  # noqa: ANN401
        return bool(value == word)

    return test


def differs(word: str) -> Callable[[Any], bool]:
    """Return a test for the one value that is no release key."""

    def test(value: Any) -> bool:  # noqa: ANN401
        return bool(value != word)

    return test
