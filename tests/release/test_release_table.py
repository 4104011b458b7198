"""[tool.manyshim.release]: what is read, and the sentence about each mistake."""

from __future__ import annotations

from typing import Any, Dict

import pytest

from manyshim import pyproject
from manyshim.errors import ConfigError
from manyshim.release import table
from manyshim.release.table import read
from manyshim.settings import gather

X86 = "manylinux_2_17_x86_64"
GOOD = f'platforms = ["{X86}"]\npythons = ["3.11"]\n'
PLACE = "[tool.manyshim.release] in pyproject.toml: "


def document(text: str) -> Dict[str, Any]:
    return pyproject.parse(f"[tool.manyshim.release]\n{text}")


def test_what_is_read() -> None:
    found = read(
        document(
            'platforms = ["manylinux2014_aarch64", "musllinux_1_2_x86_64", "win_amd64"]\n'
            'pythons = ["3.13t", "3.9", "3.13", "3.10", "3.9"]\n'
            'config-settings = { "setup-args" = "-Dx=1", s = ["a", "b"] }\n'
            'test-command = "pytest"\ntest-requires = ["pytest>=8"]\ntest-timeout = 5\n'
        )
    )
    assert found.platforms == ("manylinux_2_17_aarch64", "musllinux_1_2_x86_64", "win_amd64")
    assert found.pythons == ("3.9", "3.10", "3.13", "3.13t")
    assert found.settings == {"setup-args": "-Dx=1", "s": ("a", "b")}
    assert found.tests == table.Tests("pytest", ("pytest>=8",), 5)


def test_no_build_reads_the_table() -> None:
    """A hook reads [tool.manyshim], and does not know what a release is."""
    gathered = gather(document(GOOD), {}, [])
    assert (gathered.given, gathered.errors) == ((), ())


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ('pythons = ["3.11"]', "[tool.manyshim.release] names no platforms. Write for example:"),
        (f'platforms = ["{X86}"]', "[tool.manyshim.release] names no pythons. Write for example:"),
        (f"{GOOD}plattforms = []", PLACE + "has no key 'plattforms'; did you mean 'platforms'?"),
        (
            'platforms = ["manylinux_2_17_x68_64"]\npythons = ["3.11"]',
            PLACE + "platforms: 'manylinux_2_17_x68_64' is no platform; did you mean "
            "'manylinux_2_17_x86_64'?",
        ),
        (
            'platforms = ["manylinux_2_17"]\npythons = ["3.11"]',
            PLACE + "platforms: 'manylinux_2_17' is no platform; did you mean "
            "'manylinux_2_17_x86_64'?",
        ),
        (
            f'platforms = ["{X86}"]\npythons = ["cp311"]',
            PLACE + 'pythons: \'cp311\' is no CPython from 3.8 on; write "3.13", or "3.13t" for '
            "the free-threaded one",
        ),
        (
            f'platforms = ["{X86}"]\npythons = ["3.12t"]',
            PLACE + "pythons: '3.12t': free-threaded builds begin with 3.13t",
        ),
        (f'platforms = ["{X86}"]\npythons = [3.11]', PLACE + "pythons must be a list of texts"),
        (f'platforms = "{X86}"', PLACE + "platforms must be a list of texts"),
        (
            f"{GOOD}config-settings = {{ a = 1 }}",
            PLACE
            + "config-settings must be a table of texts or lists of them; put each key in quotes",
        ),
        (f"{GOOD}test-command = 1", None),
        (f'{GOOD}test-command = "x"\ntest-timeout = 0', None),
        (f"{GOOD}test-timeout = 5", None),
    ],
)
def test_a_mistake_has_a_sentence(text: str, sentence: str) -> None:
    with pytest.raises(ConfigError) as error:
        read(document(text))
    first = error.value.lines[0]
    assert first == sentence if sentence else first.startswith(PLACE + "test-")


@pytest.mark.parametrize("text", ["[tool.other]", "[tool.manyshim]\nmode = 'audit'"])
def test_no_table(text: str) -> None:
    with pytest.raises(ConfigError) as error:
        read(pyproject.parse(text))
    lines = error.value.lines
    assert lines[0] == "pyproject.toml has no [tool.manyshim.release]. Write for example:"
    # The example is one that is read.
    assert read(pyproject.parse("\n".join(lines[1:]))).pythons == ("3.11", "3.12", "3.13")


def test_something_else_than_a_table() -> None:
    with pytest.raises(ConfigError, match=r"must be a table; write \[tool.manyshim.release\]"):
        read(pyproject.parse("[tool.manyshim]\nrelease = 1"))
