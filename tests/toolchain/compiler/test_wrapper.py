"""Response files in calls of the compiler."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Dict, List

import pytest

from compiling import zig
from manyshim.toolchain.compiler.wrapper import expand
from paths import BACKEND

FILES = {
    "plain": "-O2 -DA='b c'\n-Wall",
    "outer": "-c @plain @nowhere x.c",
    "itself": "-DX @itself",
    "open": '-DA="b',
}


@pytest.fixture(autouse=True)
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name, text in FILES.items():
        (tmp_path / name).write_text(text, encoding="utf-8")


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        (["-c", "x.c"], ["-c", "x.c"]),
        (["@plain", "-o", "x"], ["-O2", "-DA=b c", "-Wall", "-o", "x"]),
        (["@outer"], ["-c", "-O2", "-DA=b c", "-Wall", "@nowhere", "x.c"]),
        (["@open"], ["@open"]),
        (["@"], ["@"]),
    ],
)
def test_response_files_are_expanded(given: List[str], wanted: List[str]) -> None:
    assert expand(given) == wanted


def test_a_response_file_that_names_itself_ends() -> None:
    found = expand(["@itself"])
    assert found[-1] == "@itself"
    assert set(found) == {"-DX", "@itself"}


MAIN = """
import sys
from manyshim.toolchain.compiler.target_options import TargetOptions
from manyshim.toolchain.compiler.wrapper import Job, main
target = ("x86_64-linux-gnu.2.17", "baseline", "x86_64")
options = TargetOptions(*target, False, "/x", (), (), "", "x86_64-linux-gnu", ())
main("cc", Job(sys.argv[1], options, "notes", "cache", "key"), sys.argv[2:])
"""


def test_arguments_beyond_the_limit_of_a_process_reach_the_compiler(tmp_path: Path) -> None:
    defined: Dict[str, str] = {f"LONG_ENOUGH_{number}": str(number) for number in range(90_000)}
    defined["TEXT"] = '"a \\\\ \\"b\\""'
    lines = (f"'-D{name}={value}'" for name, value in defined.items())
    (tmp_path / "many").write_text("\n".join(lines), encoding="utf-8")
    (tmp_path / "x.c").write_text("const char *x = TEXT; int y = LONG_ENOUGH_89999;\n")
    done = subprocess.run(
        [sys.executable, "-c", MAIN, zig(), "-E", "-P", "@many", "x.c"],
        env={**os.environ, "PYTHONPATH": str(BACKEND)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == 'const char *x = "a \\\\ \\"b\\""; int y = 89999;'
