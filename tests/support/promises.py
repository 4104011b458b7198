"""What a JSON Schema promises, as lines; a line that goes breaks the promise."""

from __future__ import annotations

import json
from typing import Any, Iterator, List, Mapping, NamedTuple, Set, Tuple

_HEAD = "# Written by scripts/write_schemas.py. Version "


class Promise(NamedTuple):
    """The lines of a schema, and the version that they hold for."""

    version: str
    lines: Tuple[str, ...]


def text(promise: Promise) -> str:
    """Return the text of the file that keeps a promise."""
    return "".join(f"{line}\n" for line in (f"{_HEAD}{promise.version}", *promise.lines))


def promised(content: str) -> Promise:
    """Return the promise that a file keeps."""
    head, *rest = content.splitlines()
    return Promise(head[len(_HEAD) :], tuple(rest))


def broken(before: Promise, now: Promise) -> List[str]:
    """List the lines that went although the version is the same; new lines break nothing."""
    if before.version != now.version:
        return []
    return [line for line in before.lines if line not in now.lines]


def lines(schema: Mapping[str, Any], *, accepts: bool) -> Tuple[str, ...]:
    """Return a line for each key with its types, and one for each of its words.

    `finding.kind: string always` and `finding.kind = "TOO_NEW"`; `always` means that the key is
    required. Definitions have their names, `*` stands for any key, and `[]` for any item.
    `accepts` is true for a schema of what manyshim reads: one more type breaks nothing there, so
    each type has its line.
    """
    roots = {"": schema, **schema.get("definitions", {})}
    found = (line for name, one in roots.items() for line in _lines(one, name, accepts=accepts))
    return tuple(sorted(set(found)))


def _lines(given: Any, path: str, *, accepts: bool) -> Iterator[str]:
    for part in _parts(given):
        yield from (f"{path} = {json.dumps(word)}" for word in _words(part))
        for below, inner, always in _inner(part, path):
            types = _types(inner)
            for one in types if accepts else ["|".join(types)]:
                yield f"{below}: {one}{' always' if always else ''}"
            yield from _lines(inner, below, accepts=accepts)


def _inner(part: Mapping[str, Any], path: str) -> Iterator[Tuple[str, Any, bool]]:
    """Yield what is below a schema: its path, its own schema, and whether it is required."""
    for key, inner in part.get("properties", {}).items():
        yield f"{path}.{key}".lstrip("."), inner, key in part.get("required", ())
    for name, below in (("items", "[]"), ("additionalProperties", ".*")):
        if isinstance(part.get(name), dict):
            yield f"{path}{below}", part[name], False


def _parts(given: Mapping[str, Any]) -> List[Mapping[str, Any]]:
    found: List[Mapping[str, Any]] = given.get("anyOf", [given])
    return found


def _words(part: Mapping[str, Any]) -> List[Any]:
    return [*part.get("enum", ()), *([part["const"]] if "const" in part else [])]


def _types(given: Mapping[str, Any]) -> List[str]:
    """Return the names of the types or definitions that a value may have, sorted."""
    found: Set[str] = set()
    for part in _parts(given):
        stated = part.get("type", [])
        found.update([stated] if isinstance(stated, str) else stated)
        found.update(_TYPES[type(word)] for word in _words(part))
        found.update(filter(None, [part.get("$ref", "").rpartition("/")[2]]))
    return sorted(found)


_TYPES = {bool: "boolean", str: "string", int: "integer", type(None): "null"}
