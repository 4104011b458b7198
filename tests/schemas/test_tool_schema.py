"""The schema of [tool.manyshim] and manyshim itself say the same about each table."""

from __future__ import annotations

import datetime as dt
import re
from typing import Any, Callable, Dict, List

import pytest
from hypothesis import assume, given, strategies
from hypothesis import settings as settings_of_hypothesis

import needs
from manyshim import settings
from manyshim.host import host_arch
from manyshim.options import OPTIONS
from manyshim.optiontypes import RENAMED_KINDS
from manyshim.schemas.load import tool_schema

Table = Dict[str, Any]
HOST = host_arch()
FOREIGN = "s390x" if HOST != "s390x" else "x86_64"
FOREIGN_ARCH = re.compile("|".join(arch for arch in ("ppc64", "i686") if arch != HOST))


def of(key: str, *values: Any) -> List[Table]:
    """Return a table for each value of a key."""
    return [{key: value} for value in values]


ACCEPTED: List[Table] = [
    {},
    {"backend": "mesonpy", "backend-path": ["tools"], "mode": "audit", "platform": "2014"},
    {"backend": "module:object.attribute"},
    {"backend-path": "tools, more"},
    {"backend-path": ""},
    {"backend-path": []},
    *of("mode", "retag", "audit", "off"),
    *of("platform", "auto", "2014", 2014, "manylinux1", "manylinux2010"),
    *of("platform", "manylinux2014", "ManyLinux2014", "MANYLINUX_2_28"),
    *of("platform", "manylinux_2_28", "manylinux_2_29", "musllinux_1_2"),
    *of("platform", f"2014_{HOST}", f"manylinux2014_{HOST}", f"manylinux_2_28_{HOST}"),
    {"platform": f"musllinux_1_2_{HOST.upper()}"},
    {"compiler": "system"},
    {"bundle": ["libz.so.*"]},
    {"bundle": "libz.so.1,libssl.so.*"},
    {"exclude": ["libcuda.so.*", ""]},
    {"exclude": ","},
    {"allow": []},
    {"allow": ""},
    {"allow": ["NEEDED_PATH:pkg/*.so", "BY_NAME_ONLY:*"]},
    *({"allow": [f"{kind}:*"]} for kind in RENAMED_KINDS),
    {"allow": ["NO_ELF:a,b", "ABI3: ", "ABI3:\n"]},
    {"allow": "NEEDED_PATH:pkg/*.so"},
    {"allow": " NO_ELF:* ,, ABI3:a b , "},
    {"fix": ["execstack", "rpath", "musl-soname"]},
    {"fix": "rpath, execstack ,"},
    {"fix": []},
    *of("naming", "listed", "exact"),
    *of("explain", "auto", "always", "never"),
    {"library-path": ["a", "b"]},
    {"library-path": "a,b"},
    {"sysroot": "/"},
    {"python-headers": " "},
    *of("compression-level", 0, 6, 9, "0", "9"),
    {"strip": "none"},
    *of("trial", True, False, "true", "No", "OFF", "1", "0", "yes", "on"),
    {"sbom": "False"},
]
REFUSED: List[Table] = [
    {"mdoe": "off"},
    {"backend_path": ["tools"]},
    {"library_path": []},
    {"manyshim": {"mode": "off"}},
    {"requires": []},
    {"backend": ""},
    {"backend": 3},
    {"backend": ["mesonpy"]},
    {"backend-path": ["tools", 3]},
    {"backend-path": {"a": "b"}},
    *of("mode", "Audit", "retag ", "", True, 1, ["off"]),
    # Release keys, even with the value that changes nothing.
    {"mode": "repair"},
    {"compiler": "zig"},
    *of("strip", "debug", "all", "None", False),
    *of("strict", True, False, "false"),
    {"project": "demo"},
    {"report": "/report.json"},
    *of("platform", "Auto", "", "201", "20141", 201, True, 2.28, ["2014"]),
    *of("platform", "manylinux", "manylinux2015", "manylinux_2", "manylinux-2"),
    *of("platform", "manylinux_02_28", "manylinux_2_28_", "manylinux_2_28_amd64"),
    *of("platform", "manylinux1_aarch64", "2014_riscv64", "musllinux_1_2_ppc64"),
    *of("platform", "linux_x86_64", "any", " manylinux_2_28"),
    *of("platform", dt.date(2014, 1, 1), {"manylinux": "2014"}),
    {"bundle": 3},
    {"bundle": [["libz.so.1"]]},
    {"exclude": [True]},
    *of("allow", ["NO_ELF"], ["NO_ELF:"], ["*:*"], ["no_elf:*"], [" NO_ELF:*"], ["TOO_NEW:*"]),
    *of("allow", "NO_ELF", "NO_ELF: ,", "NO_ELF:*,EXTERNAL_LIBRARY:*", "NO_ELF :*"),
    {"allow": {"NO_ELF": "*"}},
    *of("fix", ["stack"], ["rpath "], ["rpath,execstack"], "rpath execstack", 1),
    {"naming": "all"},
    {"explain": True},
    {"library-path": 1},
    {"sysroot": ""},
    {"sysroot": False},
    {"python-headers": []},
    *of("compression-level", -1, 10, "10", "", " 6", True, 6.5, [6]),
    *of("trial", "", "maybe", "true ", 1, 0, [True]),
    {"sbom": dt.datetime(2026, 1, 1, tzinfo=dt.timezone.utc)},
]  # fmt: skip
# What no schema can know: the machine, and that 2014.0 is no 2014.
BEYOND: List[Table] = [
    {"platform": f"manylinux_2_28_{FOREIGN}"},
    {"platform": 2014.0},
    {"compression-level": 6.0},
]


@pytest.fixture(name="valid", scope="module")
def by_the_schema() -> Callable[[Table], bool]:
    needs.module("jsonschema", since=(3, 10))
    from jsonschema import Draft7Validator

    Draft7Validator.check_schema(tool_schema())
    valid: Callable[[Table], bool] = Draft7Validator(tool_schema()).is_valid
    return valid


def taken(table: Table) -> bool:
    """Return what manyshim says."""
    return not settings.gather({"tool": {"manyshim": table}}, {}, []).errors


@pytest.mark.parametrize(
    ("table", "expected"),
    [*((table, True) for table in ACCEPTED), *((table, False) for table in REFUSED)],
    ids=str,
)
def test_both_agree(table: Table, valid: Callable[[Table], bool], *, expected: bool) -> None:
    assert (taken(table), valid(table)) == (expected, expected)


@pytest.mark.parametrize("table", BEYOND, ids=str)
def test_what_no_schema_can_know(table: Table, valid: Callable[[Table], bool]) -> None:
    assert (taken(table), valid(table)) == (False, True)


@pytest.mark.parametrize("table", [3, [], [{}], "retag"], ids=str)
def test_what_is_no_table_is_refused(table: Any, valid: Callable[[Table], bool]) -> None:
    assert not valid(table)


def test_every_option_is_covered() -> None:
    """Each one has a row that is accepted, or is refused with its default too."""
    rows = {key for table in ACCEPTED for key in table}
    properties = tool_schema()["properties"]
    assert rows == set(properties) - set(settings.SUBTABLES)
    assert {one.key for one in OPTIONS} - rows == {"strict", "project", "report"}


def test_defaults_and_meanings_are_those_of_the_options(valid: Callable[[Table], bool]) -> None:
    properties = tool_schema()["properties"]
    for option in OPTIONS:
        if option.key in properties:
            found = properties[option.key]
            default = list(option.default) if isinstance(option.default, tuple) else option.default
            assert found["description"].startswith(option.meaning.replace("`", ""))
            stated = found.get("default")
            assert stated == ("auto" if option.key == "platform" else default)
            assert stated is None or valid({option.key: stated})


WORDS = "NO_ELF TOO_NEW : , * _ rpath execstack auto manylinux musllinux 2014 2 28 0 1 true ON"
PIECES = [*WORDS.split(), *RENAMED_KINDS, " ", "\t", "ppc64", "i686", HOST, HOST.upper()]


@settings_of_hypothesis(max_examples=600, deadline=None)
@given(
    key=strategies.sampled_from([option.key for option in OPTIONS]),
    pieces=strategies.lists(strategies.sampled_from(PIECES), max_size=8),
    listed=strategies.booleans(),
)
def test_both_agree_about_texts_of_pieces(
    valid: Callable[[Table], bool], key: str, pieces: List[str], *, listed: bool
) -> None:
    text = "".join(pieces)
    assume(key != "platform" or not FOREIGN_ARCH.search(text.lower()))
    table = {key: [text] if listed else text}
    assert taken(table) == valid(table), table
