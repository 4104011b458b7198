"""The options: names, values, defaults and meanings. docs/options.md gets its table from here."""

from __future__ import annotations

from typing import Any, Callable, List, Mapping, Optional, Sequence, Tuple

from manyshim.audit.findings import KINDS, POLICY
from manyshim.audit.policy import policies_of
from manyshim.audit.request import Allowance
from manyshim.audit.tags import ARCHES, GLIBC, MUSL, PlatformTag, parse_platform
from manyshim.errors import ConfigError
from manyshim.values import NamedTuple

EMPTY: Tuple[str, ...] = ()


class Option(NamedTuple):
    """One option.

    `parse` turns the given text, boolean, number or list into the value, or raises ConfigError.
    `meaning` is what the help of the command line says too; `details` is for the table only.
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
        return ConfigError(f"{self.key} = {value!r} is not valid; {wanted}")


def nearest(word: str, known: Sequence[str]) -> str:
    """Return a hint for an unknown word: the most similar known one, or all of them."""
    from difflib import get_close_matches  # noqa: PLC0415 (only for an error)

    close = get_close_matches(word, known, 1, 0.4)
    return f"did you mean {close[0]!r}?" if close else f"choose from {', '.join(known)}"


def _choice(*choices: str) -> Callable[[Option, Any], str]:
    def parse(option: Option, value: Any) -> str:  # noqa: ANN401 (any value of TOML)
        if not isinstance(value, str) or value not in choices:
            raise option.refuse(value, nearest(str(value), choices))
        return value

    return parse


_TRUE = ("true", "on", "yes", "1")
_FALSE = ("false", "off", "no", "0")


def _boolean(option: Option, value: Any) -> bool:  # noqa: ANN401
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value.lower() in (*_TRUE, *_FALSE):
        return value.lower() in _TRUE
    raise option.refuse(value, "write true or false")


def _text(option: Option, value: Any) -> str:  # noqa: ANN401
    if not isinstance(value, str) or not value:
        raise option.refuse(value, "write a string")
    return value


def _texts(option: Option, value: Any) -> Tuple[str, ...]:  # noqa: ANN401
    if isinstance(value, str):
        return tuple(part.strip() for part in value.split(",") if part.strip())
    if not isinstance(value, (list, tuple)) or not all(isinstance(part, str) for part in value):
        raise option.refuse(value, "write a list of strings")
    return tuple(value)


_FIXES = ("execstack", "rpath", "musl-soname")


def _fixes(option: Option, value: Any) -> Tuple[str, ...]:  # noqa: ANN401
    names = _texts(option, value)
    for name in names:
        if name not in _FIXES:
            raise option.refuse(name, nearest(name, _FIXES))
    return names


def _level(option: Option, value: Any) -> int:  # noqa: ANN401
    text = str(value) if isinstance(value, int) and not isinstance(value, bool) else value
    if not isinstance(text, str) or text not in tuple("0123456789"):
        raise option.refuse(value, "write a number from 0 to 9")
    return int(text)


# Kinds of findings: the old name of each, and the name that it has now.
_RENAMED_KINDS = {"CLAIM": "FALSE_TAG"}


def renamed_kinds(allow: Option, value: object) -> List[str]:
    """Return a line for each kind in a value of `allow` that has a new name."""
    given = (part.partition(":")[0] for part in _texts(allow, value))
    return [
        f"allow: {kind} is now called {_RENAMED_KINDS[kind]}"
        for kind in given
        if kind in _RENAMED_KINDS
    ]


def _allow(option: Option, value: Any) -> Tuple[Allowance, ...]:  # noqa: ANN401
    # The limits of a policy cannot be allowed. A warning can: strict or `check` may make it an
    # error.
    kinds = [kind for kind, severity in KINDS.items() if severity != POLICY] + ["BY_NAME_ONLY"]
    allowances = []
    for part in _texts(option, value):
        kind, colon, glob = part.partition(":")
        kind = _RENAMED_KINDS.get(kind, kind)
        if not colon or not glob:
            raise option.refuse(part, "write KIND:path-glob, as in NEEDED_PATH:pkg/*.so")
        if kind not in kinds:
            raise option.refuse(part, nearest(kind, kinds))
        allowances.append(Allowance(kind, glob))
    return tuple(allowances)


def parse_policy(option: Option, value: Any) -> Optional[PlatformTag]:  # noqa: ANN401
    """Return the policy of a name, None for `auto`. Raises ConfigError for an unknown one."""
    if value == "auto":
        return None
    text = str(value)
    tag = parse_platform(f"manylinux{text}" if text.startswith("2014") else text)
    if tag is None:
        raise option.refuse(value, nearest(text, _known_policies()))
    if tag.arch and tag.arch not in ARCHES:
        raise option.refuse(value, f"{tag.arch}: {nearest(tag.arch, tuple(ARCHES))}")
    if tag.arch and not policies_of(tag.libc, tag.arch).listed:
        raise option.refuse(value, f"there is no {tag.libc} policy for {tag.arch}")
    return tag


def _known_policies() -> Tuple[str, ...]:
    policies = {
        (policy.libc, policy.version, policy.without_arch)
        for arch in ARCHES
        for libc in (GLIBC, MUSL)
        for policy in policies_of(libc, arch).listed
    }
    return ("auto", "manylinux2014", *(name for _, _, name in sorted(policies)))


def _always(_: Any) -> bool:  # noqa: ANN401
    return True


def _is(word: str) -> Callable[[Any], bool]:
    def test(value: Any) -> bool:  # noqa: ANN401
        return bool(value == word)

    return test


# The one meaning of `strict`; the error of a build that fails because of it says it too.
STRICT = "fails the build where the wheel gets no tag; never under mode = audit"

OPTIONS: Tuple[Option, ...] = (
    Option(
        "backend", _text, "setuptools.build_meta", "`module[:object]`",
        "the PEP 517 backend that builds the wheel",
        "list its requirements in `build-system.requires`",
        table_only=True,
    ),
    Option(
        "mode", _choice("retag", "audit", "off", "repair"), "retag",
        "`retag` `audit` `off`; `repair` (release key)",
        "`retag` writes the proved tag; `repair` copies external libraries into the wheel first; "
        "`audit` only reports; `off` does nothing",
        release=_is("repair"),
    ),
    Option(
        "platform", parse_policy, None,
        "`auto`, `manylinux_2_28`, `manylinux2014`, `2014`, `musllinux_1_2`, each with an "
        "optional `_ARCH` (another machine's: release key)",
        "the required policy, e.g. manylinux_2_28; auto: the oldest policy that is proved",
        "the wheel gets this tag if it is proved; with `compiler` = `zig` it is also the target, "
        "and `auto` is manylinux_2_17, or musllinux_1_2 on musl",
    ),
    Option(
        "strict", _boolean, False, "`true` `false` (release key)",
        STRICT,
        "NO_ELF, NO_MODULE and a MUSL_PATCH_LEVEL that breaks the import are then errors",
        release=_always,
    ),
    Option(
        "compiler", _choice("system", "zig"), "system", "`system`; `zig` (release key)",
        "the compiler for the wrapped backend: the system's, or zig, which compiles for older "
        "glibcs, musl and other architectures",
        release=_is("zig"),
    ),
    Option(
        "bundle", _texts, ("*",), "soname globs", "libraries that a repair may copy into the wheel",
    ),
    Option(
        "exclude", _texts, EMPTY, "soname globs",
        "libraries that the wheel's environment provides (a driver, another package): they do not "
        "count for the tag, and are never copied",
    ),
    Option(
        "allow", _allow, EMPTY, "`KIND:path-glob`",
        "errors to downgrade to warnings (still shown)",
    ),
    Option(
        "fix", _fixes, EMPTY, "`execstack` `rpath` `musl-soname`",
        "fixes of ELF files: execstack clears the executable stack; rpath drops search paths that "
        "leave the wheel; musl-soname gives musl's libc.so the name that Alpine uses",
    ),
    Option(
        "naming", _choice("listed", "exact"), "listed", "`listed` `exact`",
        "exact lets platform = auto choose policies between the listed ones, e.g. manylinux_2_29",
    ),
    Option(
        "explain", _choice("auto", "always", "never"), "auto", "`auto` `always` `never`",
        "find the source lines that use the reported symbols",
        "`auto` does so when the tag is refused or newer than manylinux_2_17",
    ),
    Option(
        "library-path", _texts, EMPTY, "folders",
        "folders where a repair searches external libraries first",
    ),
    Option(
        "sysroot", _text, None, "a folder",
        "the folder of the target's system; a repair takes libraries from there instead of from "
        "this machine",
        "zig links them too; `/` lets zig use this machine's",
    ),
    Option(
        "python-headers", _text, None, "a folder",
        "the folder of the target's `Python.h` for zig",
        "without it, this machine's headers with the target's sizes",
    ),
    Option(
        "compression-level", _level, 6, "`0` to `9`", "deflate level of the members that change",
    ),
    Option(
        "strip", _choice("none", "debug", "all"), "none", "`none` `debug` `all`",
        "what to strip from the wheel's ELF files",
    ),
    Option(
        "sbom", _boolean, True, "`true` `false`", "write an SBOM of what a repair copied",
    ),
    Option(
        "report", _text, None, "an absolute path", "write the report as JSON to this path",
    ),
)  # fmt: skip

BY_KEY: Mapping[str, Option] = {option.key: option for option in OPTIONS}


def option_table() -> str:
    """Return the Markdown table of all options."""
    rows = ["| key | values | default | meaning |", "|---|---|---|---|"]
    rows += [
        f"| `{option.key}` | {option.values} | {_default_cell(option)} "
        f"| {'; '.join(filter(None, (option.meaning, option.details)))} |"
        for option in OPTIONS
    ]
    return "\n".join(rows) + "\n"


def _default_cell(option: Option) -> str:
    """Return the default of an option as the table shows it."""
    if option.key == "platform":
        return "`auto`"
    if option.default is None:
        return "none"
    if isinstance(option.default, bool):
        return f"`{str(option.default).lower()}`"
    if isinstance(option.default, tuple):
        return f"`{list(option.default)}`"
    return f"`{option.default}`"
