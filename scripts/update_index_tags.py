"""Write what the package index accepts, from warehouse's rules: platform tags, Metadata-Versions.

update_index_tags.py warehouse/forklift/legacy.py

The files are index-tags.txt and index-metadata.txt. The argument is that file in a Git checkout of
pypi/warehouse on GitHub, and metadata.py is read beside it. The rule for tags has sets, patterns
and the function _valid_platform_tag, and the other one is a set. They are read and never run. A
rule with another structure is an error: then read it, and change this script accordingly.
"""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import Dict, Iterator, List, NamedTuple, Set

from _data import Head, commit_of, parser, write

NOTE = "# {n} stands for a number, {arch} for one of the words behind the pattern."
FUNCTION = "_valid_platform_tag"

# The names and strings that the function may use. This script knows their meaning.
SETS = {
    "_allowed_platforms",
    "_macosx_arches",
    "_macosx_major_versions",
    "_manylinux_arches",
    "_musllinux_arches",
    "_ios_arches",
    "_android_arches",
}
PATTERNS = {
    "_macosx_platform_re",
    "_linux_platform_re",
    "_ios_platform_re",
    "_android_platform_re",
    "_pyemscripten_platform_re",
}
STRINGS = {"major", "minor", "arch", "libc", "10", "0", "many", "musl"}


class Rule(NamedTuple):
    """The sets, in the order of the source, and the patterns, both by their names."""

    sets: Dict[str, List[str]]
    patterns: Dict[str, str]


def read(text: str) -> Rule:
    """Return the rule in the module's text; exit if the function uses any other name."""
    # Only this part is parsed, because the rest may need a newer Python.
    part = re.search(
        rf"^_allowed_platforms = .*?^def {FUNCTION}\b.*?(?=^\S|\Z)", text, re.MULTILINE | re.DOTALL
    )
    if part is None:
        raise SystemExit(f"there is no _allowed_platforms with {FUNCTION} behind it")
    rule = Rule({}, {})
    tree = ast.parse(part[0])
    for node in tree.body:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            _assign(rule, node.targets[0].id, node.value)
    strange = _used(tree.body[-1]) ^ (SETS | PATTERNS | STRINGS)
    strange |= (SETS - rule.sets.keys()) | (PATTERNS - rule.patterns.keys())
    if strange:
        raise SystemExit(f"{FUNCTION} is not as this script knows it: {' '.join(sorted(strange))}")
    return rule


def _assign(rule: Rule, name: str, value: ast.expr) -> None:
    if name in PATTERNS and isinstance(value, ast.Call):
        rule.patterns[name] = str(ast.literal_eval(value.args[0]))
    elif isinstance(value, (ast.Set, ast.BinOp, ast.Name)):
        rule.sets[name] = list(_elements(rule, value))


def _elements(rule: Rule, value: ast.expr) -> Iterator[str]:
    """Yield the elements of a set, of a set that is named, or of the union of two sets."""
    if isinstance(value, ast.Name):
        yield from rule.sets.get(value.id, [])
    elif isinstance(value, ast.BinOp) and isinstance(value.op, ast.BitOr):
        yield from _elements(rule, value.left)
        yield from _elements(rule, value.right)
    elif isinstance(value, ast.Set):
        yield from (str(ast.literal_eval(element)) for element in value.elts)


def _used(function: ast.stmt) -> Set[str]:
    """Return the module's names and the strings that a function uses."""
    nodes = list(ast.walk(function))
    names = {node.id for node in nodes if isinstance(node, ast.Name)}
    strings = {node.value for node in nodes if isinstance(node, ast.Constant)}
    return {name for name in names if name.startswith("_")} | {
        string for string in strings if isinstance(string, str)
    }


def templates(pattern: str) -> List[str]:
    """Yield templates with {n} and {arch}, one for each alternative of a regular expression."""
    text = re.sub(r"\((?:\?P<\w+>)?\\d\+\)", "{n}", pattern).replace("(?P<arch>.*)", "{arch}")
    text = re.sub(r"\(\?P<\w+>(\([^()]*\))\)", r"\1", text)
    found = re.search(r"\((\w+(?:\|\w+)+)\)", text)
    whole = [text.replace(found[0], word) for word in found[1].split("|")] if found else [text]
    for row in whole:
        if not re.fullmatch(r"(?:\w|\{n\}|\{arch\})+", row):
            raise SystemExit(f"this script cannot write the pattern {pattern}")
    return whole


def rows(rule: Rule) -> Iterator[str]:
    """Yield the lines of the file below its head."""
    yield NOTE
    yield from rule.sets["_allowed_platforms"]
    (mac,) = templates(rule.patterns["_macosx_platform_re"])
    # Each 10.x was a version of macOS; since 11 only the major number counts.
    versions = ["10_{n}", *(f"{major}_0" for major in rule.sets["_macosx_major_versions"])]
    for version in versions:
        yield _row(mac.replace("{n}_{n}", version), rule.sets["_macosx_arches"])
    many, musl = templates(rule.patterns["_linux_platform_re"])
    yield _row(many, rule.sets["_manylinux_arches"])
    yield _row(musl, rule.sets["_musllinux_arches"])
    for system in ("ios", "android"):
        for template in templates(rule.patterns[f"_{system}_platform_re"]):
            yield _row(template, rule.sets[f"_{system}_arches"])
    yield from templates(rule.patterns["_pyemscripten_platform_re"])


def _row(template: str, arches: List[str]) -> str:
    return " ".join([template, *arches])


def metadata_versions(text: str) -> List[str]:
    """Return the Metadata-Versions in the text of warehouse's metadata.py."""
    part = re.search(r"^SUPPORTED_METADATA_VERSIONS = (\{[^{}]*\})$", text, re.MULTILINE)
    constant = part and "*" not in part[1]
    found = sorted(ast.literal_eval(part[1])) if part and constant else []
    if not found or not all(re.fullmatch(r"\d\.\d", str(version)) for version in found):
        raise SystemExit("SUPPORTED_METADATA_VERSIONS is not as this script knows it")
    return found


def main() -> None:
    """Write the files."""
    made = parser(__doc__)
    made.add_argument("path", type=Path, help="warehouse/forklift/legacy.py of a checkout")
    made.add_argument("--commit", help="the checkout's commit (as Git says)")
    arguments = made.parse_args()
    rule = read(arguments.path.read_text(encoding="utf-8"))
    versions = metadata_versions(arguments.path.with_name("metadata.py").read_text("utf-8"))
    commit = arguments.commit or commit_of(arguments.path)
    for name, what, lines in (
        ("index-tags.txt", "Platform tags that the package index takes", rows(rule)),
        ("index-metadata.txt", "Metadata-Versions that the package index takes", iter(versions)),
    ):
        source = f"warehouse {commit} (Apache-2.0)"
        head = Head(what, source, arguments.date, "scripts/update_index_tags.py")
        write(arguments.data / name, head, lines)


if __name__ == "__main__":
    main()
