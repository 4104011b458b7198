"""Make changes in the text of pyproject.toml; what they do not touch keeps its bytes (tomlkit)."""

from __future__ import annotations

import re
from contextlib import suppress
from typing import Any, Optional, Tuple, Type

from manyshim import pyproject
from manyshim.adopt import arrays
from manyshim.adopt.changes import Add, Change, Drop, Move, Put, Remove, Table, effect, pruned
from manyshim.errors import ConfigError, ToolError

_BOM = "\ufeff"


def apply(text: str, changes: Tuple[Change, ...]) -> str:
    """Return the text after the changes.

    Raises ConfigError if the text is no TOML, or is written so that a change cannot be made.
    ToolError without tomlkit.
    """
    bom = _BOM if text.startswith(_BOM) else ""
    made = text = text[len(bom) :]
    document = pyproject.parse(text)
    # Imported before, so that Ctrl-C meanwhile does not lead to another error.
    tomlkit_error = _tomlkit_error()
    try:
        wanted = effect(document, changes)
        for change in changes:
            made = _Text(made).made(change)
        right = pyproject.parse(made) == wanted
    except (
        ConfigError,
        LookupError,
        TypeError,
        ValueError,
        AttributeError,
        RecursionError,
        tomlkit_error,
    ):
        # Inline tables and dotted keys, for example: tomlkit cannot change all forms.
        right = False
    if not right:
        raise ConfigError(
            "pyproject.toml is written in a form that cannot be changed automatically (an inline "
            "table or dotted keys?). Write by hand:",
            *(f"    {line}" for line in by_hand(changes)),
        )
    return bom + made


def by_hand(changes: Tuple[Change, ...]) -> Tuple[str, ...]:
    """Return a line for each change, for a person who makes it."""
    return tuple(_described(change) for change in changes)


def _described(change: Change) -> str:
    name = f"{'.'.join(change.table)}.{change.key}"
    if isinstance(change, Add):
        return f"{name}: add {change.entry!r}"
    if isinstance(change, Remove):
        return f"{name}: remove {change.entry!r}"
    if isinstance(change, Put):
        return f"{name} = {change.value!r}"
    if isinstance(change, Drop):
        return f"{name}: remove it"
    moved = f"{name}: move its value to {'.'.join(change.target)}.{change.target_key}"
    return f'{moved}, and write "{change.instead}" instead' if change.instead else moved


def comment_of(text: str, table: Table, key: str) -> str:
    """Return the comment beside a key, without `#`; empty if there is none."""
    tomlkit_error = _tomlkit_error()
    try:
        found: Any = tomlkit().parse(text[len(_BOM) :] if text.startswith(_BOM) else text)
    except (RecursionError, tomlkit_error):
        return ""
    for part in (*table, key):
        found = found.get(part) if isinstance(found, dict) else None
    trivia = getattr(found, "trivia", None)
    return str(trivia.comment).lstrip("#").strip() if trivia else ""


def tomlkit() -> Any:  # noqa: ANN401 (a module)
    """Return tomlkit. Raises ToolError if it is not installed."""
    try:
        import tomlkit  # noqa: PLC0415 (the extra `cli`)
    except ImportError as error:
        raise ToolError(
            "manyshim init changes pyproject.toml with tomlkit, which is not installed. "
            "Install it: pip install tomlkit, or pip install 'manyshim[cli]'"
        ) from error
    return tomlkit


def _tomlkit_error() -> Type[Exception]:
    error: Type[Exception] = tomlkit().exceptions.TOMLKitError
    return error


class _Text:
    """The text of pyproject.toml, and tomlkit's document of it."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._document: Any = tomlkit().parse(text)
        self._newline = "\r\n" if "\r\n" in text else "\n"

    def made(self, change: Change) -> str:
        """Return the text after one change."""
        if isinstance(change, Add):
            return self._added(change)
        if isinstance(change, Remove):
            found = self._find(change.table)[change.key]
            at = found.unwrap().index(change.entry)
            self._set(change.table, change.key, arrays.without_entry(found.as_string(), at))
            return self._dumped()
        if isinstance(change, Put):
            comment = f" # {change.comment}" if change.comment else ""
            above = self._find(change.table)
            old: Any = above.get(change.key) if above is not None else None
            like = None if old is None else str(old.as_string())
            return self.put(change.table, change.key, _toml(change.value, like), comment)
        if isinstance(change, Drop):
            return self.dropped(change.table, change.key)
        return self._moved(change)

    def _find(self, table: Table) -> Any:  # noqa: ANN401 (tomlkit's tables have several types)
        found = self._document
        for part in table:
            found = found.get(part) if found is not None else None
        return found

    def _dumped(self) -> str:
        text: str = tomlkit().dumps(self._document)
        return text

    def _set(self, table: Table, key: str, toml: str) -> None:
        """Give a key a new value, written as `toml`; its line keeps its indentation and comment."""
        above = self._find(table)
        old = above[key]
        new = tomlkit().parse(f"x = {toml}")["x"]
        for name in ("indent", "comment_ws", "comment", "trail"):
            setattr(new.trivia, name, getattr(old.trivia, name))
        above[key] = new

    def _added(self, change: Add) -> str:
        above = self._find(change.table)
        if above is None or change.key not in above:
            return self.put(change.table, change.key, f"[{_toml(change.entry)}]", "")
        array: str = above[change.key].as_string()
        entry = change.entry
        toml = (
            arrays.quoted(entry, arrays.last_entry(array))
            if isinstance(entry, str)
            else _toml(entry)
        )
        self._set(change.table, change.key, arrays.with_entry(array, toml, self._newline))
        return self._dumped()

    def put(self, table: Table, key: str, toml: str, comment: str, before: str = "") -> str:
        """Return the text with a value, which is written as `toml`; a new line has the comment."""
        above = self._find(table)
        if above is not None and key in above:
            self._set(table, key, toml)
            return self._dumped()
        line = f"{key} = {toml}{comment}"
        if above is None or not list(above.keys()):
            # Also a table that exists without any key of its own gets its header.
            return self._appended(f"[{'.'.join(table)}]", line)
        if before in above:
            item = above[before]
            item.trivia.indent = f"{item.trivia.indent}{line}{self._newline}{item.trivia.indent}"
            return self._dumped()
        plain = [name for name in above if not isinstance(above[name], dict)]
        if not plain:
            return self._appended(f"[{'.'.join(table)}]", line)
        # A new key stands below the last one that is no table. A line without an end is the last.
        item = _item(above, plain[-1])
        indent, trail = item.trivia.indent, item.trivia.trail
        item.trivia.trail = f"{trail or self._newline}{indent}{line}{trail}"
        return self._dumped()

    def _appended(self, *lines: str) -> str:
        text = self._text
        ends = not text or text.endswith("\n")
        blank = "" if not text else self._newline if ends else self._newline * 2
        return text + blank + self._newline.join(lines) + (self._newline if ends else "")

    def dropped(self, table: Table, key: str) -> str:
        """Return the text without a key, and without its table if nothing else is in it."""
        alone = self._without_alone(table, key)
        if alone is not None:
            return alone
        above = self._find(table)
        above.remove(key)
        text = self._dumped()
        if not list(self._find(table).keys()):
            text = _without_header(text, table)
        ends = self._text.endswith("\n")
        return text if ends or not text.endswith("\n") else text[: -len(self._newline)]

    def _without_alone(self, table: Table, key: str) -> Optional[str]:
        """Return the text without a key and the header above it, None if this is not possible.

        tomlkit cannot remove a header that stands apart from the tables below it.
        """
        header = re.escape(f"[{'.'.join(table)}]")
        wanted = effect(pyproject.parse(self._text), (Drop(table, key, ""),))
        lines = rf"{header}[^\n]*\n{re.escape(key)} ?=[^\n]*(?:\n|$)"
        for found in re.finditer(rf"(?:^|(?<=\n)(?:\r?\n)?){lines}", self._text):
            before, after = self._text[: found.start()], self._text[found.end() :]
            if not after and not found[0].endswith("\n"):
                before = before[: -len(self._newline)] if before.endswith("\n") else before
            with suppress(ConfigError):
                if pyproject.parse(before + after) == wanted:
                    return before + after
        return None

    def _moved(self, change: Move) -> str:
        item = self._find(change.table)[change.key]
        value: str = item.as_string()
        comment = f" # {change.comment}" if change.comment else ""
        if not change.instead and item.trivia.comment:
            # The whole line moves.
            comment = f"{item.trivia.comment_ws}{item.trivia.comment}"
        text = self.put(change.target, change.target_key, value, comment, change.before)
        if change.instead:
            instead = arrays.quoted(change.instead, value)
            return _Text(text).put(change.table, change.key, instead, "")
        return _Text(text).dropped(change.table, change.key)


def _item(table: Any, key: str) -> Any:  # noqa: ANN401 (tomlkit's items have several types)
    """Return the item of a key; tables return a plain bool instead of their item."""
    found = table[key]
    return found if hasattr(found, "trivia") else table.value.item(key)


def _without_header(text: str, table: Table) -> str:
    """Return a text without the header of an empty table, and without the blank line above it."""
    name = re.escape(".".join(table))
    wanted = pruned(pyproject.parse(text), table)
    for found in re.finditer(rf"(?:^|(?<=\n)(?:\r?\n)?)\[{name}\][^\n]*(?:\r?\n|$)", text):
        without = text[: found.start()] + text[found.end() :]
        # A text of several lines can contain such a line, too.
        with suppress(ConfigError):
            if pyproject.parse(without) == wanted:
                return without
    raise ConfigError(f"the header of {'.'.join(table)} is not found")


def _toml(value: Any, like: Optional[str] = None) -> str:  # noqa: ANN401 (of TOML's types)
    if isinstance(value, str):
        return arrays.quoted(value, like)
    if isinstance(value, dict):
        pairs = (f"{key} = {_toml(one)}" for key, one in value.items())
        return f"{{ {', '.join(pairs)} }}"
    return f"[{', '.join(map(_toml, value))}]"
