"""The options: names, values, defaults and meanings. docs/options.md gets its table from here."""

from __future__ import annotations

from manyshim.optiontypes import (
    EMPTY,
    Choice,
    Option,
    always,
    differs,
    equals,
    parse_allow,
    parse_boolean,
    parse_fixes,
    parse_level,
    parse_names,
    parse_text,
    parse_texts,
)
from manyshim.policyoption import parse_policy

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Mapping, Tuple

# The one meaning of `strict`; the error of a build that fails because of it says it too.
STRICT = "fails the build where the wheel gets no tag; never under mode = audit"

OPTIONS: Tuple[Option, ...] = (
    Option(
        "backend", parse_text, "setuptools.build_meta", "`module[:object]`",
        "the PEP 517 backend that builds the wheel",
        "list its requirements in `build-system.requires`",
        table_only=True,
    ),
    Option(
        "backend-path", parse_texts, EMPTY, "folders",
        "the folders of `backend` in the source tree; they replace `build-system.backend-path`",
        table_only=True,
    ),
    Option(
        "mode", Choice("retag", "audit", "off", "repair"), "retag",
        "`retag` `audit` `off`; `repair` (release key)",
        "`retag` writes the proved tag; `repair` copies external libraries into the wheel first; "
        "`audit` only reports; `off` does nothing",
        release=equals("repair"),
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
        "strict", parse_boolean, False, "`true` `false` (release key)",
        STRICT,
        "NO_ELF (in a build also for a pure wheel), NO_MODULE and a MUSL_PATCH_LEVEL that breaks "
        "the import are then errors",
        release=always,
        in_commands="treat NO_ELF, NO_MODULE and a MUSL_PATCH_LEVEL that breaks the import as "
        "errors, too",
    ),
    Option(
        "compiler", Choice("system", "zig"), "system", "`system`; `zig` (release key)",
        "the compiler for the wrapped backend: the system's, or zig, which compiles for older "
        "glibcs, musl and other architectures",
        release=equals("zig"),
    ),
    Option(
        "project", parse_names, EMPTY, "`NAME`, or several (release key)",
        "the project that release keys are for; in the builds of other projects they have no "
        "effect",
        release=always,
    ),
    Option(
        "bundle", parse_texts, ("*",), "soname globs",
        "libraries that a repair may copy into the wheel",
    ),
    Option(
        "exclude", parse_texts, EMPTY, "soname globs",
        "libraries that the wheel's environment provides (a driver, another package): they do not "
        "count for the tag, and are never copied",
    ),
    Option(
        "allow", parse_allow, EMPTY, "`KIND:path-glob`",
        "errors to downgrade to warnings (still shown)",
    ),
    Option(
        "fix", parse_fixes, EMPTY, "`execstack` `rpath` `musl-soname`",
        "fixes of ELF files: execstack clears the executable stack; rpath drops search paths that "
        "leave the wheel; musl-soname gives musl's libc.so the name that Alpine uses",
    ),
    Option(
        "naming", Choice("listed", "exact"), "listed", "`listed` `exact`",
        "exact lets platform = auto choose policies between the listed ones, e.g. manylinux_2_29",
    ),
    Option(
        "explain", Choice("auto", "always", "never"), "auto", "`auto` `always` `never`",
        "find the source lines that use the reported symbols",
        "`auto` does so when the tag is refused or newer than manylinux_2_17",
    ),
    Option(
        "library-path", parse_texts, EMPTY, "folders",
        "folders where a repair searches external libraries first",
    ),
    Option(
        "sysroot", parse_text, None, "a folder",
        "the folder of the target's system; a repair takes libraries from there instead of from "
        "this machine",
        "zig links them too; `/` lets zig use this machine's",
    ),
    Option(
        "python-headers", parse_text, None, "a folder",
        "the folder of the target's `Python.h` for zig",
        "without it, this machine's headers with the target's sizes",
    ),
    Option(
        "compression-level", parse_level, 6, "`0` to `9`",
        "deflate level of the members that change",
    ),
    Option(
        "strip", Choice("none", "debug", "all"), "none", "`none`; `debug` `all` (release keys)",
        "strip debug information (`debug`), or all symbols that no loader needs (`all`)",
        release=differs("none"),
    ),
    Option(
        "trial", parse_boolean, True, "`true` `false`",
        "load each library that a repair, `fix` or `strip` changed; this runs code of the wheel on "
        "this machine",
        "`false` for wheels that you do not trust",
    ),
    Option(
        "sbom", parse_boolean, True, "`true` `false`", "write an SBOM of what a repair copied",
    ),
    Option(
        "report", parse_text, None, "an absolute path (release key)",
        "write the report as JSON to this path",
        release=always,
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
