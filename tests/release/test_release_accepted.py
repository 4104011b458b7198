"""What the check at the end of a release accepts: what the builds accept."""

from __future__ import annotations

from manyshim import pyproject
from manyshim.cli.accepted import accepted
from manyshim.cli.reading import read
from manyshim.release.matrix import cells
from manyshim.release.table import Table

X86, ARM = "manylinux_2_17_x86_64", "manylinux_2_17_aarch64"


def test_nothing() -> None:
    table = Table((X86,), ("3.11",), {})
    assert accepted(pyproject.parse(""), table, cells(table)) == []


def test_the_table_and_the_settings() -> None:
    text = '[tool.manyshim]\nexclude = ["liba.so.1"]\nallow = ["NO_ELF:*", "NO_MODULE:-x.so"]\n'
    own = {"manyshim.exclude": "libb.so.1,libc-{platform}.so", "manyshim.allow": "HARDENING:*"}
    table = Table((X86, ARM), ("3.11", "3.12"), own)
    words = accepted(pyproject.parse(text), table, cells(table))
    assert words == [
        "--exclude=liba.so.1",
        "--allow=NO_ELF:*",
        "--allow=NO_MODULE:-x.so",
        f"--exclude=libb.so.1,libc-{X86}.so",
        "--allow=HARDENING:*",
        f"--exclude=libb.so.1,libc-{ARM}.so",
    ]
    options = read(["check", "dist", *words]).options
    assert options.allow == ["NO_ELF:*", "NO_MODULE:-x.so", "HARDENING:*"]
