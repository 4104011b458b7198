"""The JSON Schema of [tool.manyshim], made from the options.

It accepts what manyshim accepts in the table, and refuses what it refuses, with three exceptions
that no schema can know: `platform` for another machine's architecture is a release key; JSON has
one type for 2014 and 2014.0; and a few characters are a space for Python alone.
"""

from __future__ import annotations

from typing import Any, Callable, Dict, Iterable, List, Mapping

from manyshim.audit.policy import policies_of
from manyshim.audit.tags import ARCHES, GLIBC, LEGACY_NAMES, MUSL, parse_platform
from manyshim.errors import ConfigError
from manyshim.options import BY_KEY, OPTIONS
from manyshim.optiontypes import (
    FALSE,
    FIXES,
    RENAMED_KINDS,
    TRUE,
    Choice,
    Option,
    allowed_kinds,
    parse_allow,
    parse_boolean,
    parse_fixes,
    parse_level,
    parse_text,
    parse_texts,
)
from manyshim.policyoption import known_policies, parse_policy

Schema = Dict[str, Any]

ID = "urn:manyshim:schema:tool"
DRAFT = "http://json-schema.org/draft-07/schema#"

# A number of a version as tags have it: without leading zeros, of at most four digits.
_NUMBER = "(?:0|[1-9][0-9]{0,3})"
_MANY = 200


def schema() -> Schema:
    """Return the schema; validate-pyproject requires its draft and an identifier."""
    return {
        "$schema": DRAFT,
        "$id": ID,
        "title": "[tool.manyshim]",
        "description": "The options of manyshim in pyproject.toml. Release keys (strict, project, "
        "report, and some values of others) would affect everyone who builds from the sdist, so "
        "they are refused here; pass them with -C manyshim.KEY=VALUE.",
        "type": "object",
        "properties": {
            **{one.key: _property(one) for one in OPTIONS if _in_table(one)},
            "release": _release(),
        },
        "additionalProperties": False,
    }


def _release() -> Schema:
    """Return the schema of the table that `manyshim release` reads."""
    texts = {"type": "array", "items": {"type": "string", "minLength": 1}}
    forms = [f"{name}_(?:{'|'.join(_legacy(name))})" for name in LEGACY_NAMES]
    for family, libc in (("manylinux", GLIBC), ("musllinux", MUSL)):
        arches = "|".join(arch for arch in ARCHES if policies_of(libc, arch).listed)
        forms.append(f"{family}_{_NUMBER}_{_NUMBER}_(?:{arches})")
    others = "macosx_[0-9]{1,2}_[0-9]{1,2}_(?:arm64|x86_64|universal2)|win32|win_amd64|win_arm64"
    minor = "(?:[89]|[1-9][0-9])"
    properties = {
        "platforms": {
            "description": "the platforms of the wheels, such as manylinux_2_17_x86_64",
            "type": "array",
            "minItems": 1,
            "items": {"type": "string", "pattern": f"^(?:{'|'.join((*forms, others))})$"},
        },
        "pythons": {
            "description": "the CPythons: 3.13, or 3.13t for the free-threaded one",
            "type": "array",
            "minItems": 1,
            "items": {"type": "string", "pattern": f"^3\\.(?:{minor}|(?:1[3-9]|[2-9][0-9])t)$"},
        },
        "config-settings": {
            "description": "settings of each build of a wheel, as -C passes them",
            "type": "object",
            "additionalProperties": {"type": "string"},
        },
        "test-command": {
            "description": "a command of the shell that tests each wheel",
            "type": "string",
        },
        "test-requires": {"description": "what the tests import", **texts},
        "test-timeout": {
            "description": "the seconds that the tests of a wheel may take",
            "type": "integer",
            "minimum": 1,
            "maximum": 86400,
        },
    }
    return {
        "description": "the Pythons and platforms of a release, for `manyshim release`",
        "type": "object",
        "required": ["platforms", "pythons"],
        "properties": properties,
        "additionalProperties": False,
    }


def _in_table(option: Option) -> bool:
    """Whether the table takes some value of an option."""
    if isinstance(option.parse, Choice):
        return bool(_choices(option, option.parse))
    return not option.release(option.default)


def _choices(option: Option, choice: Choice) -> List[str]:
    return [word for word in choice.words if not option.release(word)]


def _property(option: Option) -> Schema:
    choice = option.parse if isinstance(option.parse, Choice) else None
    parts = [option.meaning, option.details]
    if choice and len(_choices(option, choice)) < len(choice.words):
        refused = [word for word in choice.words if option.release(word)]
        parts.append(f"not here, because it is a release key: {', '.join(refused)}")
    found: Schema = {"description": "; ".join(filter(None, parts)).replace("`", "")}
    default = "auto" if option.key == "platform" else option.default
    if default is not None:
        found["default"] = list(default) if isinstance(default, tuple) else default
    if choice:
        return {**found, "enum": _choices(option, choice)}
    return {**found, **_TYPES[option.parse]()}


def _text() -> Schema:
    return {"type": "string", "minLength": 1}


def _boolean() -> Schema:
    words = "|".join(map(_any_case, (*TRUE, *FALSE)))
    return {"anyOf": [{"type": "boolean"}, {"type": "string", "pattern": f"^(?:{words})$"}]}


def _texts() -> Schema:
    return {"anyOf": [{"type": "array", "items": {"type": "string"}}, {"type": "string"}]}


def _fixes() -> Schema:
    text = {"type": "string", "pattern": _separated(f"(?:{'|'.join(FIXES)})\\s*")}
    return {"anyOf": [{"type": "array", "items": {"enum": list(FIXES)}}, text]}


def _allowances() -> Schema:
    kinds = f"(?:{'|'.join((*allowed_kinds(), *RENAMED_KINDS))})"
    return {
        "anyOf": [
            {
                "type": "array",
                "items": {"type": "string", "pattern": f"^{kinds}:[\\s\\S]"},
            },
            # A part that ends with the colon or with spaces has no glob.
            {"type": "string", "pattern": _separated(f"{kinds}:[^,]*[^,\\s][^,]*")},
        ]
    }


def _separated(part: str) -> str:
    """Return the pattern of a text whose parts commas separate; parts may be empty."""
    return f"^\\s*(?:{part})?(?:,\\s*(?:{part})?)*$"


def _level() -> Schema:
    return {
        "anyOf": [
            {"type": "integer", "minimum": 0, "maximum": 9},
            {"type": "string", "pattern": "^[0-9]$"},
        ]
    }


def _policy() -> Schema:
    """Return the schema of `platform`: the names to offer, the pattern of all, and a number."""
    forms = ["auto", f"2014{_arch(_legacy('manylinux2014'))}"]
    forms += [f"{_any_case(name)}{_arch(_legacy(name))}" for name in LEGACY_NAMES]
    for family, libc in (("manylinux", GLIBC), ("musllinux", MUSL)):
        arches = [arch for arch in ARCHES if policies_of(libc, arch).listed]
        forms.append(f"{_any_case(family)}_{_versions(family)}{_arch(arches)}")
    pattern = f"^(?:{'|'.join(forms)})$"
    return {
        "anyOf": [
            {"enum": list(known_policies())},
            {"type": "string", "pattern": pattern},
            {"const": 2014},
        ]
    }


def _legacy(name: str) -> List[str]:
    return [arch for arch in ARCHES if parse_platform(f"{name}_{arch}")]


def _arch(names: Iterable[str]) -> str:
    return f"(?:_(?:{'|'.join(map(_any_case, names))}))?"


def _versions(family: str) -> str:
    """Return the pattern of the versions that a family has: any, or those that are accepted."""
    if _is_policy(f"{family}_9999_9999"):
        return f"{_NUMBER}_{_NUMBER}"
    found = (
        (major, [str(minor) for minor in range(_MANY) if _is_policy(f"{family}_{major}_{minor}")])
        for major in range(10)
    )
    forms = (f"{major}_(?:{'|'.join(minors)})" for major, minors in found if minors)
    return f"(?:{'|'.join(forms)})"


def _is_policy(text: str) -> bool:
    try:
        parse_policy(BY_KEY["platform"], text)
    except ConfigError:
        return False
    return True


def _any_case(word: str) -> str:
    """Return the pattern of a word in any case; JSON Schema has no flag for it."""
    return "".join(f"[{one.upper()}{one}]" if one.isalpha() else one for one in word)


_TYPES: Mapping[Callable[..., Any], Callable[[], Schema]] = {
    parse_text: _text,
    parse_boolean: _boolean,
    parse_texts: _texts,
    parse_fixes: _fixes,
    parse_allow: _allowances,
    parse_level: _level,
    parse_policy: _policy,
}
