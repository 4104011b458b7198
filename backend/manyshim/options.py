"""The options: their names, values and defaults. README's table is made from here."""

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
    """One option; `parse` turns its text, boolean, number or list into its value.

    `release` says of a value that it changes the build for everyone who installs from the sdist.
    """

    key: str
    parse: Callable[[Option, Any], Any]
    default: Any
    values: str
    meaning: str
    release: Callable[[Any], bool] = lambda _: False
    table_only: bool = False

    @property
    def field(self) -> str:
        """The name of the option as a field of Config."""
        return self.key.replace("-", "_")

    @property
    def variable(self) -> str:
        """The environment variable that sets it."""
        return "MANYSHIM_" + self.field.upper()

    def refuse(self, value: object, wanted: str) -> ConfigError:
        """Make the error for a value that the option does not take."""
        return ConfigError(f"{self.key} = {value!r} is not understood; {wanted}")


def nearest(word: str, known: Sequence[str]) -> str:
    """Suggest the known word that a wrong one comes closest to."""
    from difflib import get_close_matches  # noqa: PLC0415 (only errors need it)

    close = get_close_matches(word, known, 1, 0.4)
    return f"did you mean {close[0]!r}?" if close else f"known are {', '.join(known)}"


def _choice(*choices: str) -> Callable[[Option, Any], str]:
    def parse(option: Option, value: Any) -> str:  # noqa: ANN401 (whatever TOML holds)
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
        raise option.refuse(value, "write a text")
    return value


def _texts(option: Option, value: Any) -> Tuple[str, ...]:  # noqa: ANN401
    if isinstance(value, str):
        return tuple(part.strip() for part in value.split(",") if part.strip())
    if not isinstance(value, (list, tuple)) or not all(isinstance(part, str) for part in value):
        raise option.refuse(value, "write a list of texts")
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


# Kinds of findings under the names that they had.
_RENAMED_KINDS = {"CLAIM": "FALSE_TAG"}


def renamed_kinds(allow: Option, value: object) -> List[str]:
    """Say of each kind in a value of `allow` that has another name now."""
    given = (part.partition(":")[0] for part in _texts(allow, value))
    return [
        f"allow: {kind} is now called {_RENAMED_KINDS[kind]}"
        for kind in given
        if kind in _RENAMED_KINDS
    ]


def _allow(option: Option, value: Any) -> Tuple[Allowance, ...]:  # noqa: ANN401
    # A policy's limits cannot be allowed away; what is a warning may be an error elsewhere.
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
    """Read a policy's name; None stands for `auto`."""
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


OPTIONS: Tuple[Option, ...] = (
    Option(
        "backend", _text, "setuptools.build_meta", "`module[:object]`",
        "the PEP 517 backend that builds the wheel; list its requirements in "
        "`build-system.requires`",
        table_only=True,
    ),
    Option(
        "mode", _choice("retag", "audit", "off", "repair"), "retag",
        "`retag` `audit` `off`; `repair` (release key)",
        "`retag` writes the proved tag, `repair` copies external libraries into the wheel first, "
        "`audit` only reports, `off` does nothing",
        release=_is("repair"),
    ),
    Option(
        "platform", parse_policy, None,
        "`auto`, `manylinux_2_28`, `manylinux2014`, `2014`, `musllinux_1_2`, each with an "
        "optional `_ARCH` (another machine's: release key)",
        "the tag to write if it is proved; `auto` takes the oldest that is; with `compiler` = "
        "`zig` also the target, and `auto` is manylinux_2_17, or musllinux_1_2 on musl",
    ),
    Option(
        "strict", _boolean, False, "`true` `false` (release key)",
        "fail the build where the wheel would stay `linux_*`",
        release=_always,
    ),
    Option(
        "compiler", _choice("system", "zig"), "system", "`system`; `zig` (release key)",
        "the compiler that the wrapped backend is given: the system's, or zig, which compiles for "
        "older glibcs, musl and other architectures",
        release=_is("zig"),
    ),
    Option(
        "bundle", _texts, ("*",), "soname globs", "what a repair may copy into the wheel",
    ),
    Option(
        "exclude", _texts, EMPTY, "soname globs",
        "libraries that the wheel's environment provides (a driver, another package)",
    ),
    Option(
        "allow", _allow, EMPTY, "`KIND:path-glob`",
        "error findings that are accepted, and said to be",
    ),
    Option(
        "fix", _fixes, EMPTY, "`execstack` `rpath` `musl-soname`",
        "mends of ELF files: clear the executable stack, drop search paths that leave the wheel, "
        "give musl's `libc.so` the name that Alpine knows",
    ),
    Option(
        "naming", _choice("listed", "exact"), "listed", "`listed` `exact`",
        "`exact` lets `auto` write policies between the listed ones, as manylinux_2_29",
    ),
    Option(
        "explain", _choice("auto", "always", "never"), "auto", "`auto` `always` `never`",
        "search the source lines behind the symbols of a report: when the tag is refused or newer "
        "than manylinux_2_17, in every build, or never",
    ),
    Option(
        "library-path", _texts, EMPTY, "folders",
        "where a repair searches external libraries first",
    ),
    Option(
        "sysroot", _text, None, "a folder",
        "the target's system, whose libraries zig links and a repair takes instead of this "
        "machine's; `/` opens this machine's to zig",
    ),
    Option(
        "python-headers", _text, None, "a folder",
        "the target's `Python.h` for zig, instead of this machine's with the target's sizes",
    ),
    Option(
        "compression-level", _level, 6, "`0` to `9`", "deflate level of the members that change",
    ),
    Option(
        "strip", _choice("none", "debug", "all"), "none", "`none` `debug` `all`",
        "what is stripped from the wheel's ELF files",
    ),
    Option(
        "sbom", _boolean, True, "`true` `false`", "write an SBOM of what a repair copied",
    ),
    Option("report", _text, None, "an absolute path", "write the report there as JSON"),
)  # fmt: skip

BY_KEY: Mapping[str, Option] = {option.key: option for option in OPTIONS}


def option_table() -> str:
    """Make README's table of the options that this version has."""
    rows = ["| key | values | default | meaning |", "|---|---|---|---|"]
    rows += [
        f"| `{option.key}` | {option.values} | {_shown(option)} | {option.meaning} |"
        for option in OPTIONS
    ]
    return "\n".join(rows) + "\n"


def _shown(option: Option) -> str:
    if option.key == "platform":
        return "`auto`"
    if option.default is None:
        return "none"
    if isinstance(option.default, bool):
        return f"`{str(option.default).lower()}`"
    if isinstance(option.default, tuple):
        return f"`{list(option.default)}`"
    return f"`{option.default}`"
