"""The child process of a build: in-tree backends, output, failures, and killed frontends."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, List

import pytest

from compiling import PROBE, clean, copy
from paths import BACKEND

pytestmark = pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="zig compiles for Linux on Linux only"
)

ARM64 = "manylinux_2_17_aarch64"
NOTE = "manyshim: -fopenmp asks for OpenMP"


@pytest.fixture
def probe(tmp_path: Path) -> Path:
    return copy(PROBE, tmp_path / "probe")


FAKE = """
import os, sys
import helper
from setuptools.build_meta import *

def build_wheel(folder, settings=None, metadata_directory=None):
    assert settings == dict(own=["1", "2"]), settings
    assert metadata_directory is None
    {body}
"""


@pytest.fixture
def in_tree(probe: Path) -> Path:
    """Return a project whose wrapped backend lies in it, beside a module that it imports."""
    text = (
        '[build-system]\nrequires = []\nbuild-backend = "manyshim.backend"\n'
        '[tool.manyshim]\nbackend = "own:hooks.inner"\nbackend-path = ["tools"]\n'
    )
    (probe / "pyproject.toml").write_text(text, encoding="utf-8")
    (probe / "tools").mkdir()
    (probe / "tools" / "helper.py").touch()
    return probe


def start(project: Path, body: str, **options: Any) -> subprocess.Popen[Any]:
    """Start a build by the backend in the project's tree, with a body for its build_wheel."""
    hooks = "class hooks:\n    inner = sys.modules[__name__]\n"
    (project / "tools" / "own.py").write_text(FAKE.format(body=body) + hooks, encoding="utf-8")
    # As for frontends, the current folder is not on the path.
    code = (
        "import sys; sys.path.remove(''); import manyshim.backend as b; b.build_wheel('dist', "
        f"{{'manyshim.compiler': 'zig', 'manyshim.platform': '{ARM64}', 'own': ['1', '2']}})"
    )
    return subprocess.Popen(
        [sys.executable, "-c", code],
        cwd=str(project),
        env=clean({"CPATH": "/usr/include", "CC": "gcc"}),
        **{"text": True, **options},
    )


def own_backend(
    project: Path, body: str, stderr: int = subprocess.PIPE
) -> subprocess.CompletedProcess[str]:
    """Run such a build to its end."""
    with start(project, body, stdout=subprocess.PIPE, stderr=stderr) as process:
        output, errors = process.communicate()
    return subprocess.CompletedProcess(process.args, process.returncode, output, errors)


@pytest.mark.parametrize("with_manyshim", [False, True])
def test_an_in_tree_backend_is_found_and_sees_the_target(
    in_tree: Path, *, with_manyshim: bool
) -> None:
    """A folder that holds manyshim too is the frontend's backend-path, and needs no other key."""
    if with_manyshim:
        shutil.copytree(str(BACKEND / "manyshim"), str(in_tree / "tools" / "manyshim"))
        text = (
            '[build-system]\nrequires = []\nbuild-backend = "manyshim.backend"\n'
            'backend-path = ["tools"]\n[tool.manyshim]\nbackend = "own:hooks.inner"\n'
        )
        (in_tree / "pyproject.toml").write_text(text, encoding="utf-8")
    body = """
    import sysconfig
    print(sysconfig.get_platform(), sysconfig.get_config_var("EXT_SUFFIX"))
    print(os.environ["CC"], "CPATH" in os.environ, os.getcwd())
    sys.exit("enough")
    """
    done = own_backend(in_tree, body)
    lines = done.stdout.splitlines()
    version = "{}{}".format(*sys.version_info)
    assert lines[0] == f"linux-aarch64 .cpython-{version}-aarch64-linux-gnu.so"
    assert lines[1].endswith(f"bin/cc False {in_tree}")
    assert done.returncode == 5
    errors = done.stderr.splitlines()
    assert errors[0] == "manyshim: compiler = zig replaces CC from the environment"
    assert errors[1] == "enough"
    assert errors[2] == (
        "manyshim: error: own:hooks.inner failed with exit code 1; see its output above"
    )
    assert list((in_tree / "dist").iterdir()) == []


@pytest.mark.parametrize("name", ["json", "re", "signal"])
def test_no_module_of_the_project_is_taken_for_one_of_python(in_tree: Path, name: str) -> None:
    (in_tree / f"{name}.py").write_text("raise SystemExit('imported by mistake')\n")
    done = own_backend(in_tree, "sys.exit('enough')")
    assert "enough" in done.stderr.splitlines()
    assert "imported by mistake" not in done.stderr


# The C compiler refuses -fopenmp and leaves a note. The parent process reads notes every 0.1 s.
CALL_COMPILER = """
    import subprocess, time
    {before}
    subprocess.run([os.environ["CC"], "-c", "-fopenmp", "x.c"], stderr=subprocess.DEVNULL)
    time.sleep(0.5)
    {after}
"""
WRITE = "sys.{stream}.write({text!r}); sys.{stream}.flush()"


@pytest.mark.parametrize("stream", ["stderr", "stdout"])
@pytest.mark.parametrize(
    ("before", "after", "lines"),
    [
        ("checking OpenMP... ", "no\n", ["checking OpenMP... no", NOTE]),
        ("checking OpenMP... ", "", ["checking OpenMP... ", NOTE]),
    ],
)
def test_a_note_of_a_compiler_has_a_line_of_its_own(
    in_tree: Path, stream: str, before: str, after: str, lines: List[str]
) -> None:
    """The test reads all output as one stream, as on a terminal or in a log."""
    write = [WRITE.format(stream=stream, text=text) for text in (before, after)]
    # os._exit ends the child without another line.
    body = CALL_COMPILER.format(before=write[0], after=f"{write[1]}; os._exit(1)")
    done = own_backend(in_tree, body, stderr=subprocess.STDOUT)
    found = [
        line[: len(NOTE)] if line.startswith(NOTE) else line for line in done.stdout.splitlines()
    ]
    assert found[1:-1] == lines
    assert found[-1].startswith("manyshim: error: own:hooks.inner failed")


def test_a_note_is_printed_while_the_build_goes_on(in_tree: Path) -> None:
    body = CALL_COMPILER.format(before="", after="input(); os._exit(1)")
    with start(in_tree, body, stdin=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stderr is not None
        lines = iter(process.stderr.readline, "")
        assert next(line for line in lines if line.startswith(NOTE))
        process.communicate("\n")


def test_the_output_of_a_backend_is_not_changed(in_tree: Path) -> None:
    body = "os.write(2, bytes(range(256)) * 4096); os._exit(1)"
    with start(in_tree, body, stderr=subprocess.PIPE, text=False) as process:
        _, written = process.communicate()
    assert bytes(range(256)) * 4096 in written


def test_a_build_does_not_wait_for_processes_that_a_backend_leaves_behind(in_tree: Path) -> None:
    body = """
    import subprocess
    left = subprocess.Popen(["sleep", "60"], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    print("left behind:", left.pid)
    sys.exit(1)
    """
    started = time.monotonic()
    done = own_backend(in_tree, body)
    seconds = time.monotonic() - started
    os.kill(int(done.stdout.split(":")[-1]), signal.SIGKILL)
    assert seconds < 50
    assert done.returncode == 5


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("raise ValueError('its own')", ["ValueError: its own", "failed with exit code 1"]),
        ("os.kill(os.getpid(), 9)", ["failed with signal 9"]),
        ("return 5", ["built '5', which is not a file"]),
        ("return 'no.whl'", ["built 'no.whl', which is not a file"]),
    ],
)
def test_a_wrapped_backend_that_fails(in_tree: Path, body: str, words: List[str]) -> None:
    done = own_backend(in_tree, body)
    assert done.returncode == 5
    assert all(word in done.stderr for word in words), done.stderr
    assert list((in_tree / "dist").iterdir()) == []


def test_the_child_ends_when_the_frontend_is_killed(in_tree: Path) -> None:
    hooks = "class hooks:\n    inner = sys.modules[__name__]\n"
    body = 'open("pid", "w").write(str(os.getpid())); os.rename("pid", "started"); input()'
    (in_tree / "tools" / "own.py").write_text(FAKE.format(body=body) + hooks, encoding="utf-8")
    code = (
        "import manyshim.backend as b; "
        "b.build_wheel('dist', {'manyshim.compiler': 'zig', 'own': ['1', '2']})"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code], cwd=str(in_tree), env=clean(), stdin=subprocess.PIPE
    ) as frontend:
        deadline = time.monotonic() + 60
        while not (in_tree / "started").exists() and time.monotonic() < deadline:
            time.sleep(0.05)
        child = int((in_tree / "started").read_text())
        frontend.terminate()
        frontend.wait()
        while _alive(child) and time.monotonic() < deadline:
            time.sleep(0.05)
    assert not _alive(child)


def _alive(process: int) -> bool:
    try:
        state = Path(f"/proc/{process}/stat").read_text(encoding="utf-8")
    except OSError:
        return False
    return state.rpartition(")")[2].split()[0] != "Z"


def test_a_wrapped_backend_that_cannot_be_imported(in_tree: Path) -> None:
    (in_tree / "tools" / "helper.py").write_text("import no_such_module\n", encoding="utf-8")
    done = own_backend(in_tree, "return ''")
    assert done.returncode == 5
    assert "manyshim: error: the wrapped backend own:hooks.inner cannot be imported" in done.stderr
    assert "Traceback" in done.stderr
    assert "helper.py" in done.stderr
