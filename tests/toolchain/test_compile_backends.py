"""The wrapped backend's own process: in-tree backends, failures, and frontends that are killed."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path
from typing import List

import pytest

from compiling import PROBE, clean, copy

pytestmark = pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="zig compiles for Linux on Linux only"
)

ARM64 = "manylinux_2_17_aarch64"


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
        'backend-path = ["tools"]\n[tool.manyshim]\nbackend = "own:hooks.inner"\n'
    )
    (probe / "pyproject.toml").write_text(text, encoding="utf-8")
    (probe / "tools").mkdir()
    (probe / "tools" / "helper.py").touch()
    return probe


def own_backend(project: Path, body: str) -> subprocess.CompletedProcess[str]:
    hooks = "class hooks:\n    inner = sys.modules[__name__]\n"
    (project / "tools" / "own.py").write_text(FAKE.format(body=body) + hooks, encoding="utf-8")
    code = (
        "import manyshim.backend as b; b.build_wheel('dist', "
        f"{{'manyshim.compiler': 'zig', 'manyshim.platform': '{ARM64}', 'own': ['1', '2']}})"
    )
    return subprocess.run(
        [sys.executable, "-c", code],
        cwd=str(project),
        env=clean({"CPATH": "/usr/include", "CC": "gcc"}),
        capture_output=True,
        text=True,
        check=False,
    )


def test_an_in_tree_backend_is_found_and_sees_the_target(in_tree: Path) -> None:
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
    told = done.stderr.splitlines()
    assert told[0] == "manyshim: compiler = zig takes the place of CC from the environment"
    assert told[1] == "enough"
    assert told[2] == (
        "manyshim: error: own:hooks.inner failed with exit code 1; what it said stands above"
    )
    assert list((in_tree / "dist").iterdir()) == []


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


def test_a_build_ends_with_the_frontend_that_is_killed(in_tree: Path) -> None:
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
