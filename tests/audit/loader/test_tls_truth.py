"""How much static TLS the real loaders have for a library that is opened later."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING, Any, Dict

import pytest

import needs
from manyshim.audit import findings as f
from manyshim.audit.request import Request
from manyshim.audit.rules import hardening
from manyshim.audit.verdict import audit
from manyshim.formats.elf import reader
from manyshim.formats.wheel.wheel import Wheel
from manyshim.formats.zip.window import Window
from manyshim.operations import inspect
from rulefacts import EXT, LIB, NEAR, PROGRAM, elf, libc, musl, wheel
from wheelwriter import save, wheel_name
from wheelwriter import wheel as wheel_of

if TYPE_CHECKING:
    from pathlib import Path

    from manyshim.audit.facts import ElfFile

SURPLUS = hardening._LARGEST_SURPLUS  # noqa: SLF001
SOURCE = "__thread char many[{size}] = {{1}}; char *own(void) {{ return many; }}"
OPEN = """
#include <dlfcn.h>
#include <stdio.h>
int main(int count, char **names) {
    if (dlopen(names[1], RTLD_NOW)) return 0;
    fputs(dlerror(), stderr);
    return 1;
}
"""


def library(folder: Path, compiler: str, size: int) -> Path:
    """Compile a library that accesses its own variable at a fixed offset."""
    source, path = folder / "many.c", folder / f"many{size}.so"
    source.write_text(SOURCE.format(size=size), encoding="utf-8")
    options = ("-shared", "-fPIC", "-ftls-model=initial-exec", "-o", str(path), str(source))
    subprocess.run([compiler, *options], check=True)
    return path


def facts_of(path: Path) -> ElfFile:
    with path.open("rb") as file:
        size = path.stat().st_size
        return reader.read(EXT, Window(file, 0, size, size, 0)).facts


def severities(file: ElfFile) -> set[str]:
    found = audit(wheel(file), Request()).findings
    return {one.severity for one in found if one.kind == "STATIC_TLS"}


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="opens an ELF library")
@pytest.mark.parametrize(("size", "opens"), [(64, True), (1024, True), (1792, False)])
def test_glibc_has_a_surplus(tmp_path: Path, size: int, *, opens: bool) -> None:
    path = library(tmp_path, needs.tool("gcc", "gcc"), size)
    code = f"import ctypes; ctypes.CDLL({str(path)!r})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode == 0) is opens, done.stderr
    assert opens or "cannot allocate memory in static TLS block" in done.stderr
    facts = facts_of(path)
    assert facts.own_static_tls
    assert (facts.tls_size > SURPLUS) is not opens
    assert (f.ERROR in severities(facts)) is not opens


@pytest.mark.parametrize("size", [1, 64])
def test_musl_has_none(tmp_path: Path, size: int) -> None:
    compiler = needs.tool("musl-gcc", "musl-tools")
    (source := tmp_path / "open.c").write_text(OPEN, encoding="utf-8")
    program = str(tmp_path / "open")
    subprocess.run([compiler, "-o", program, str(source)], check=True)
    path = library(tmp_path, compiler, size)
    done = subprocess.run([program, str(path)], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "initial-exec TLS resolves to dynamic definition" in done.stderr
    assert severities(facts_of(path)) == {f.ERROR}


DEFINER = "__thread char many[{size}] = {{1}};"
USER = "extern __thread char many[]; char *theirs(void) {{ return many; }}"


@pytest.mark.parametrize(
    ("tool", "size", "message"),
    [
        ("gcc", 8000, "cannot allocate memory in static TLS block"),
        ("musl-gcc", 8, "initial-exec TLS resolves to dynamic definition"),
        ("gcc", 8, ""),
    ],
)
def test_the_variables_of_another_library_count(
    tmp_path: Path, tool: str, size: int, message: str
) -> None:
    compiler = needs.tool(tool, "musl-tools" if tool == "musl-gcc" else "gcc")
    sources = {"definer": DEFINER.format(size=size), "user": USER.format(), "open": OPEN}
    for name, text in sources.items():
        (tmp_path / f"{name}.c").write_text(text, encoding="utf-8")
    shared = ("-shared", "-fPIC", "-ftls-model=initial-exec")
    for command in (
        (*shared, "-ftls-model=global-dynamic", "-Wl,-soname,liby.so", "-oliby.so", "definer.c"),
        (*shared, "-ouser.so", "user.c", "liby.so", "-Wl,-rpath,$ORIGIN"),
        ("-oopen", "open.c"),
    ):
        subprocess.run([compiler, *command], check=True, cwd=str(tmp_path))
    program, user = str(tmp_path / "open"), str(tmp_path / "user.so")
    done = subprocess.run([program, user], capture_output=True, text=True, check=False)
    assert bool(done.returncode) is bool(message), done.stderr
    assert message in done.stderr
    data = wheel_of(
        {EXT: (tmp_path / "user.so").read_bytes(), LIB: (tmp_path / "liby.so").read_bytes()}
    )
    path = save(tmp_path, data, wheel_name())
    with Wheel(str(path)) as opened:
        found = [one for one in inspect(opened, Request()).errors if one.kind == "STATIC_TLS"]
    assert [(one.path, one.library) for one in found] == ([(EXT, LIB)] if message else [])


LARGE: Dict[str, Any] = {"static_tls": True, "own_static_tls": True, "tls_size": SURPLUS + 1}


@pytest.mark.parametrize(
    ("file", "severity"),
    [
        (libc(**LARGE), f.ERROR),
        (libc(**{**LARGE, "tls_size": SURPLUS}), f.WARNING),
        # It accesses the variables of another file, which has been loaded at the start.
        (libc(**{**LARGE, "own_static_tls": False}), f.WARNING),
        (musl(static_tls=True, own_static_tls=True, tls_size=1), f.ERROR),
        (musl(static_tls=True, tls_size=1), f.INFO),
        # A module that can also be run is opened all the same.
        (libc(**LARGE, **PROGRAM), f.ERROR),
    ],
)
def test_severity(file: ElfFile, severity: str) -> None:
    assert severities(file) == {severity}


def test_what_a_program_loads_at_its_start_needs_no_surplus() -> None:
    tool = elf("pkg/tool", "libc.so.6", "liby.so", rpath=NEAR, **PROGRAM)
    report = audit(wheel(tool, libc(LIB, **LARGE)), Request())
    assert [one.severity for one in report.findings] == [f.WARNING]
