"""The JSON Schema of the report: the JSON of show, check, retag and repair, and of a build.

It describes one version of manyshim exactly, so it takes no other keys. A reader of the report must
take them: docs/stability.md says what may change.
"""

from __future__ import annotations

from typing import Any, Dict, Mapping, Optional

from manyshim.audit.findings import ERROR, INFO, KINDS, POLICY, WARNING
from manyshim.audit.tags import ARCHES, GLIBC, MUSL
from manyshim.formatters.json import JSON_VERSION

Schema = Dict[str, Any]

ID = f"urn:manyshim:schema:report:{JSON_VERSION}"
DRAFT = "http://json-schema.org/draft-07/schema#"

_POLICY_NAME = "^(?:manylinux|musllinux)_[0-9]+_[0-9]+(?:_[a-z0-9_]+)?$"


def schema() -> Schema:
    """Return the schema of the whole object."""
    return {
        "$schema": DRAFT,
        "$id": ID,
        "title": "The report of manyshim",
        "description": "What show, check, retag and repair print with --json, and what the option "
        "report writes in a build.",
        **_object(
            {
                "version": {
                    "const": JSON_VERSION,
                    "description": "it rises if a key or a word goes or changes its meaning",
                },
                "wheels": _list("wheel", "each wheel, in the given order"),
                "sdists": _list("sdist", "each sdist; only with check"),
                "sets": _list("set", "each project, if the set was judged; only with check"),
                "summary": {"$ref": "#/definitions/summary"},
            },
            *("sdists", "sets", "summary"),
        ),
        # check has all three keys.
        "dependencies": {
            "sdists": ["sets", "summary"],
            "sets": ["sdists", "summary"],
            "summary": ["sdists", "sets"],
        },
        "definitions": {
            "wheel": _wheel(),
            "sdist": _sdist(),
            "set": _set(),
            "summary": _summary(),
            "finding": _finding(),
            "place": _place(),
            "blocked": _blocked(),
            "plan": _plan(),
            "copy": _copy(),
            "patch": _patch(),
        },
    }


# Without a report nothing is known of a wheel but its name.
_NOT_KNOWN = ("arch", "libc", "policy", "tag", "reason", "blocked", "written")


def _wheel() -> Schema:
    keys = {
        "wheel": _text("the file name"),
        "file": _text("the path as it was given"),
        "claimed": _texts("the platform tags in the file name"),
        "arch": _words("the architecture", *ARCHES, None),
        "libc": _words("the libc family", GLIBC, MUSL, None),
        "policy": _policy("the oldest policy that is proved, if errors are set aside", null=True),
        "tag": _policy("the tag that is proved", null=True),
        "tags": _texts("all spellings of the tag that is proved"),
        "right_tags": _texts("the tags of macOS, iOS or Windows that the files prove"),
        "reason": _text("why no tag is proved", null=True),
        "runs_on": _texts("releases of distributions that the tag is for"),
        "not_on": _texts("releases of distributions that are too old for the tag"),
        "external": _texts("libraries that some policy does not promise"),
        "musl_minimum": _text("the oldest musl that has all imported names", null=True),
        "findings": _list("finding", "what was found, in the order of the text"),
        "blocked": _nullable("blocked", "what rules out the next older policy"),
        "written": _text("the path of the file that was written", null=True),
        "notes": _texts("what a repair did, or why it did nothing"),
        "plan": {"$ref": "#/definitions/plan"},
        **_outcome(),
    }
    failed = {
        "findings": {"maxItems": 0},
        **{key: {"const": None} for key in _NOT_KNOWN},
    }
    return {**_object(keys, "plan"), **_failed(failed)}


def _sdist() -> Schema:
    keys = {
        "sdist": _text("the file name"),
        "file": _text("the path as it was given"),
        "findings": _list("finding", "what was found"),
        **_outcome(),
    }
    return {**_object(keys), **_failed({"findings": {"maxItems": 0}})}


def _outcome() -> Schema:
    return {
        "error": _text("why there is no report", null=True),
        "internal": {
            "type": "boolean",
            "description": "whether the error is manyshim's own, and not the file's",
        },
    }


def _failed(what: Mapping[str, Any]) -> Schema:
    """Return what holds if there is an error, and that no error is internal if there is none."""
    return {
        "if": {"properties": {"error": {"type": "string"}}},
        "then": {"properties": dict(what)},
        "else": {"properties": {"internal": {"const": False}}},
    }


def _set() -> Schema:
    return _object(
        {
            "project": _text("the name of the project"),
            "versions": _texts("the versions of its files"),
            "findings": _list("finding", "what was found about the set of its files"),
        }
    )


def _summary() -> Schema:
    counts = {
        "wheels": "all wheels",
        "sdists": "all sdists",
        "refused": "files that cannot be uploaded",
        "unreadable": "files that cannot be read",
        "unchecked": "files for which a tool, the file system or manyshim failed",
        "missing": "files that are missing",
        "of_other_version": "files of another version",
        "duplicates": "files that take the place of another",
    }
    return _object({key: _count(text) for key, text in counts.items()})


def _finding() -> Schema:
    return _object(
        {
            "kind": _words("the kind of finding", *KINDS),
            "severity": _words(
                "error: it must be fixed; policy: it rules out older policies", *_SEVERITIES
            ),
            "path": _text("the member of the archive; empty if it is about the whole file"),
            "policy": _policy("the newest policy that it rules out", null=True),
            "subject": _text("what it is about"),
            "library": _text("the library that it is about", null=True),
            "symbols": _texts("the symbols that it is about"),
            "places": _list("place", "source lines that use the symbols, if they were searched"),
            "allowed": {"type": "boolean", "description": "whether the option allow accepts it"},
            "message": _text("one sentence"),
            "fix": _text("what to do about it", null=True),
        }
    )


_SEVERITIES = (ERROR, POLICY, WARNING, INFO)


def _place() -> Schema:
    return _object(
        {
            "symbol": _text("the symbol that is used"),
            "file": _text("the source file, as the debug information has it", null=True),
            "line": {"type": ["integer", "null"], "minimum": 1, "description": "the line"},
            "function": _text("the function that uses it", null=True),
        }
    )


def _blocked() -> Schema:
    positions = {"type": "array", "items": {"type": "integer", "minimum": 0}}
    return _object(
        {
            "policy": _policy("the next older policy"),
            "without": _policy("the policy that would hold without these findings", null=True),
            "findings": {**positions, "description": "positions in the list of findings"},
        }
    )


def _plan() -> Schema:
    """Describe the plan of `repair --dry-run`."""
    return _object(
        {
            "policy": _policy("the policy that the repaired wheel meets", null=True),
            "copies": _list("copy", "libraries that would be copied into the wheel"),
            "patches": {
                **_map({"$ref": "#/definitions/patch"}),
                "description": "changes of each file, by its path in the wheel",
            },
            "launchers": {
                **_map({"type": "string"}),
                "description": "where each program would move, by its path in the wheel",
            },
            "lacking": {
                **_map({"type": "string"}),
                "description": "why a library would not be copied, by its name",
            },
        }
    )


def _copy() -> Schema:
    return _object(
        {
            "source": _text("the file on this machine"),
            "found": _text("how it was found"),
            "member": _text("its path in the wheel"),
            "sha256": _text("the hash of the file"),
            "needed_by": _texts("the files that need it"),
            "excluded": _policy("the policy that holds if the library is excluded", null=True),
        }
    )


def _patch() -> Schema:
    return _object(
        {
            "needed": {**_map({"type": "string"}), "description": "new names of needed libraries"},
            "removed": _texts("needed libraries that are removed"),
            "rpath": _text("the new search path; empty if it is removed", null=True),
            "stack": {"type": "boolean", "description": "whether the executable stack is cleared"},
        }
    )


def _object(properties: Mapping[str, Any], *optional: str) -> Schema:
    required = [key for key in properties if key not in optional]
    return {
        "type": "object",
        "properties": dict(properties),
        "required": required,
        "additionalProperties": False,
    }


def _map(values: Schema) -> Schema:
    return {"type": "object", "additionalProperties": values}


def _list(definition: str, description: str) -> Schema:
    items = {"$ref": f"#/definitions/{definition}"}
    return {"type": "array", "items": items, "description": description}


def _nullable(definition: str, description: str) -> Schema:
    either = [{"$ref": f"#/definitions/{definition}"}, {"type": "null"}]
    return {"anyOf": either, "description": description}


def _text(description: str, *, null: bool = False) -> Schema:
    return {"type": ["string", "null"] if null else "string", "description": description}


def _texts(description: str) -> Schema:
    return {"type": "array", "items": {"type": "string"}, "description": description}


def _policy(description: str, *, null: bool = False) -> Schema:
    return {**_text(description, null=null), "pattern": _POLICY_NAME}


def _words(description: str, *words: Optional[str]) -> Schema:
    return {"enum": list(words), "description": description}


def _count(description: str) -> Schema:
    return {"type": "integer", "minimum": 0, "description": description}
