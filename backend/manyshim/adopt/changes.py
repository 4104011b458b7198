"""The changes of pyproject.toml that `manyshim init` knows, as values, and their effect on data."""

from __future__ import annotations

from copy import deepcopy
from typing import Any, Dict, List, Mapping, Tuple, Union

from manyshim.values import NamedTuple

Value = Union[str, List[str]]
Table = Tuple[str, ...]

BUILD_SYSTEM: Table = ("build-system",)
OWN_TABLE: Table = ("tool", "manyshim")


class Add(NamedTuple):
    """Add an entry at the end of a list. `table` and `key` are made if they are missing."""

    table: Table
    key: str
    entry: Any
    reason: str


class Remove(NamedTuple):
    """Remove an entry from a list."""

    table: Table
    key: str
    entry: Any
    reason: str


class Put(NamedTuple):
    """Set a key. `comment` is written beside a new key."""

    table: Table
    key: str
    value: Value
    reason: str
    comment: str = ""


class Drop(NamedTuple):
    """Remove a key; also its table, if nothing else is in it."""

    table: Table
    key: str
    reason: str


class Move(NamedTuple):
    """Move a value, as it is written, to a key of another table.

    If the target has a place for the value already, `instead` takes the value's place. Without
    `instead` the line is removed. A new line of the target comes before the key `before`, if it
    has that one.
    """

    table: Table
    key: str
    target: Table
    target_key: str
    instead: str
    reason: str
    before: str = ""
    comment: str = ""


Change = Union[Add, Remove, Put, Drop, Move]


def effect(document: Mapping[str, Any], changes: Tuple[Change, ...]) -> Dict[str, Any]:
    """Return the data of pyproject.toml after the changes."""
    made: Dict[str, Any] = deepcopy(dict(document))
    for change in changes:
        _make(made, change)
    return made


def pruned(document: Mapping[str, Any], table: Table) -> Dict[str, Any]:
    """Return the data without an empty table, and without the tables around it that are empty."""
    made: Dict[str, Any] = deepcopy(dict(document))
    _prune(made, table)
    return made


def _make(made: Dict[str, Any], change: Change) -> None:
    table = _table(made, change.table)
    if isinstance(change, Add):
        table.setdefault(change.key, []).append(change.entry)
    elif isinstance(change, Remove):
        table[change.key].remove(change.entry)
    elif isinstance(change, Put):
        table[change.key] = change.value
    elif isinstance(change, Drop):
        del table[change.key]
        _prune(made, change.table)
    else:
        value = table.pop(change.key)
        if change.instead:
            table[change.key] = change.instead
        _table(made, change.target)[change.target_key] = value
        _prune(made, change.table)


def _table(made: Dict[str, Any], path: Table) -> Dict[str, Any]:
    for part in path:
        made = made.setdefault(part, {})
    return made


def _prune(made: Dict[str, Any], path: Table) -> None:
    """Remove a table that has become empty, and the tables around it."""
    above = made
    for part in path[:-1]:
        above = above[part]
    if not above[path[-1]]:
        del above[path[-1]]
        if path[:-1]:
            _prune(made, path[:-1])
