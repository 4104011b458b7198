"""An unexpected exception costs one wheel its verdict, never the other wheels or the build."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import List, Tuple

import pytest

from attacks import members
from elfwriter import Elf, Symbol, write
from faults import PACKAGE
from wheelwriter import save, wheel, wheel_name

ELF = write(Elf(needed=("libc.so.6",), symbols=(Symbol("PyInit__x", defined=True),)))
FILES = {"demo/_x.cpython-311-x86_64-linux-gnu.so": ELF}
TAGGED = "demo-1.0-cp311-cp311-manylinux1_x86_64.manylinux_2_5_x86_64.whl"

# Plants an exception in the audit of the wheels of version 6.6, then runs what follows.
PLANT = """if 1:
    import sys
    from manyshim import operations
    good = operations.audit
    def deep(number):
        return deep(number + 1)
    def audit(facts, request, loading):
        if facts.name.version == "6.6":
            EXCEPTION
        return good(facts, request, loading)
    operations.audit = audit
"""
COMMAND = PLANT + "    from manyshim.cli.main import main\n    sys.exit(main(sys.argv[1:]))\n"
FINISH = (
    PLANT
    + """
    import os, shutil
    from manyshim import backend, build, config, workspace
    with backend._exit_on_error(), workspace.private_folder(sys.argv[2]) as folder:
        built = shutil.copy(sys.argv[1], folder)
        made = config.Config(strict="strict" in sys.argv, report=sys.argv[3])
        result = build.finish(built, sys.argv[2], made)
        backend._print_lines(result.lines)
"""
)
EXCEPTIONS = {
    "KeyError": "raise KeyError('a\\x1b[31m\\nmanyshim: ok')",
    "ValueError": "int('9' * 5000) or int('x')",
    "MemoryError": "bytearray(1 << 60)",
    "RecursionError": "deep(0)",
    "OSError": "open('/proc/self/mem').read(1)",
    "ZeroDivisionError": "1 / 0",
}


def run(
    script: str, exception: str, *arguments: object, **environment: str
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", script.replace("EXCEPTION", exception), *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
        env={**os.environ, "PYTHONPATH": PACKAGE, **environment},
    )


def three(folder: Path) -> List[Path]:
    """Write a good wheel, the one that fails, and another good one."""
    return [
        save(folder, wheel(FILES, version=version), wheel_name(version=version))
        for version in ("1.0", "6.6", "2.0")
    ]


@pytest.mark.parametrize("kind", EXCEPTIONS)
def test_the_other_wheels_keep_their_verdict(kind: str, tmp_path: Path) -> None:
    paths = three(tmp_path)
    done = run(COMMAND, EXCEPTIONS[kind], "show", *paths)
    assert done.returncode == 6
    assert done.stdout.count("manylinux_2_5_x86_64") == 2
    assert done.stderr.startswith(f"manyshim: error: {paths[1].name}: internal error: ")
    assert done.stderr.count("\n") == 1
    assert kind in done.stderr or kind == "OSError"
    assert "please report" in done.stderr
    assert "\x1b" not in done.stderr


def test_json_marks_it(tmp_path: Path) -> None:
    done = run(COMMAND, EXCEPTIONS["KeyError"], "check", "--json", *three(tmp_path))
    found = json.loads(done.stdout)["wheels"]
    assert [one["internal"] for one in found] == [False, True, False]
    assert [bool(one["error"]) for one in found] == [False, True, False]
    assert "KeyError" in found[1]["error"]
    assert done.returncode == 6


def test_other_errors_are_not_internal(tmp_path: Path) -> None:
    broken = tmp_path / wheel_name()
    broken.write_bytes(b"no zip")
    found = json.loads(run(COMMAND, "pass", "show", "--json", broken).stdout)["wheels"]
    assert [(bool(one["error"]), one["internal"]) for one in found] == [(True, False)]


def test_the_traceback_is_for_those_who_ask(tmp_path: Path) -> None:
    paths = three(tmp_path)
    done = run(COMMAND, EXCEPTIONS["KeyError"], "show", *paths, MANYSHIM_DEBUG="1")
    assert "Traceback (most recent call last):\n" in done.stderr
    assert 'File "' in done.stderr
    assert "\x1b" not in done.stderr


def test_the_other_wheels_are_written(tmp_path: Path) -> None:
    done = run(COMMAND, "1 / 0", "retag", *three(tmp_path), "-w", tmp_path / "out")
    assert done.returncode == 6
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        TAGGED,
        TAGGED.replace("1.0", "2.0", 1),
    ]


def finish(
    folder: Path, *arguments: str, **environment: str
) -> Tuple[subprocess.CompletedProcess[str], Path]:
    name = wheel_name(version="6.6")
    source = save(folder, wheel(FILES, version="6.6"), name)
    out = folder / "out"
    return run(
        FINISH, EXCEPTIONS["KeyError"], source, out, folder / "report.json", *arguments,
        **environment,
    ), out / name  # fmt: skip


def test_a_hook_passes_the_wheel_on(tmp_path: Path) -> None:
    done, delivered = finish(tmp_path)
    assert (done.returncode, done.stderr.count("\n")) == (0, 1)
    assert done.stderr.startswith(f"manyshim: error: {delivered.name}: internal error: KeyError ")
    assert done.stderr.endswith("; the wheel is delivered unchanged\n")
    assert delivered.read_bytes() == (tmp_path / delivered.name).read_bytes()
    assert os.listdir(delivered.parent) == [delivered.name]
    (report,) = json.loads((tmp_path / "report.json").read_text("utf-8"))["wheels"]
    assert (report["internal"], report["wheel"]) == (True, delivered.name)
    assert "KeyError" in report["error"]


def test_a_hook_shows_the_traceback_to_those_who_ask(tmp_path: Path) -> None:
    done, delivered = finish(tmp_path, MANYSHIM_DEBUG="1")
    assert "manyshim: Traceback (most recent call last):\n" in done.stderr
    assert delivered.exists()


def test_strict_fails_the_build(tmp_path: Path) -> None:
    done, delivered = finish(tmp_path, "strict")
    assert done.returncode == 6
    assert "internal error: KeyError" in done.stderr
    assert "strict" in done.stderr
    assert os.listdir(delivered.parent) == []


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="limits the address space")
def test_memory_that_really_ends(tmp_path: Path) -> None:
    """A wheel that needs more memory than there is does not end the batch."""
    limited = """if 1:
        import resource, sys
        from manyshim.cli.main import main
        size = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (size + (40 << 20),) * 2)
        sys.exit(main(sys.argv[1:]))
    """
    first, _, last = three(tmp_path)
    large = save(tmp_path, members(190_000), wheel_name(version="3.0"))
    done = run(limited, "", "show", "--jobs", "1", first, large, last)
    assert done.returncode == 6, done.stderr
    assert f"{large.name}: internal error: MemoryError" in done.stderr
    assert done.stdout.count(" manylinux_2_5_x86_64\n") == 2
