"""The hooks, each in its own process, with small real modules as wrapped backends."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Dict, List, NamedTuple

import pytest
from pyproject_hooks import BuildBackendHookCaller, quiet_subprocess_runner

import manyshim
from elfmodel import TARGETS
from elfwriter import write
from frontends import Runner
from manyshim.host import host_arch
from wheelwriter import wheel

SOURCES = Path(manyshim.__file__).parent.parent
OPTIONAL = [
    "build_editable", "build_sdist", "get_requires_for_build_editable",
    "get_requires_for_build_sdist", "prepare_metadata_for_build_editable",
    "prepare_metadata_for_build_wheel",
]  # fmt: skip
LINUX = f"demo-1.0-cp38-abi3-linux_{host_arch()}.whl"
PURE = "demo-1.0-py3-none-any.whl"
# A wrapped backend: it returns a prepared wheel, and every hook records how it was called.
FAKE = """
import os, shutil

calls = []

def recorded(name):
    def hook(*args, config_settings="not given"):
        calls.append([name, *args, config_settings])
        return name
    return hook

def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):
    calls.append(["build_wheel", config_settings, metadata_directory])
    name, = os.listdir("made")
    shutil.copy(os.path.join("made", name), wheel_directory)
    return name
"""
START = "import json, os, sys; sys.path[:0] = sys.argv[1:]\nimport manyshim.backend as backend\n"
BUILD = "print(backend.build_wheel('dist'))"

ON_LINUX = sys.platform.startswith("linux")
linux_only = pytest.mark.skipif(not ON_LINUX, reason="only wheels for Linux are retagged")


class Project(NamedTuple):
    """A source tree, and in it a fake wrapped backend."""

    root: Path
    environment: Dict[str, str]
    run: Runner

    def backend(self, code: str, name: str = "fake", module: str = "fake") -> None:
        (self.root / f"{module}.py").write_text(code, encoding="utf-8")
        table = f'[tool.manyshim]\nbackend = "{name}"\n'
        (self.root / "pyproject.toml").write_text(table, encoding="utf-8")

    def made(self, name: str) -> None:
        files = {"demo/a.py": b""} if name == PURE else {"libx.so": write(TARGETS[host_arch()])}
        (self.root / "made").mkdir()
        tag = name[len("demo-1.0-") : -len(".whl")]
        (self.root / "made" / name).write_bytes(wheel(files, tag=tag))

    def python(self, code: str, **variables: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-c", START + code, str(SOURCES), str(self.root)]
        env = {**self.environment, **variables}
        return self.run(command, ok=False, cwd=self.root, env=env)

    def delivered(self) -> List[str]:
        folder = self.root / "dist"
        return sorted(os.listdir(folder)) if folder.exists() else []


@pytest.fixture
def project(tmp_path: Path, clean_environment: Dict[str, str], run: Runner) -> Project:
    made = Project(tmp_path, clean_environment, run)
    made.backend(FAKE)
    return made


def with_hooks(names: List[str]) -> str:
    return FAKE + "".join(f"{name} = recorded({name!r})\n" for name in names)


@pytest.mark.parametrize("hooks", [[], ["build_sdist"], OPTIONAL[:1], OPTIONAL[2:], OPTIONAL])
def test_the_shim_has_the_hooks_of_what_it_wraps(project: Project, hooks: List[str]) -> None:
    project.backend(with_hooks(hooks))
    done = project.python(f"""
for name in {[*OPTIONAL, "build_wheel", "get_requires_for_build_wheel", "build_nothing"]}:
    try:
        assert callable(getattr(backend, name))
        print(name)
    except AttributeError as error:
        assert name in str(error)
""")
    expected = [*hooks, "build_wheel", "get_requires_for_build_wheel"]
    assert (done.stdout.split(), done.stderr) == (expected, "")


def test_own_settings_are_removed_and_none_stays_none(project: Project) -> None:
    project.backend(with_hooks(OPTIONAL))
    project.made(PURE)
    kept = {"keep": ["a", "b"], "manyshimx": "c"}
    done = project.python(f"""
import fake, types
mixed = {{"manyshim.mode": "off", **{kept}}}
for settings in (mixed, types.MappingProxyType(mixed), {{}}, None):
    for name in {OPTIONAL}:
        getattr(backend, name)("x", settings)
        getattr(backend, name)("x", config_settings=settings)
    backend.build_wheel("dist", settings, "metadata")
assert len(mixed) == 3
print(json.dumps(fake.calls))
""")
    expected: List[List[object]] = []
    for settings in (kept, kept, {}, None):
        for name in OPTIONAL:
            expected += [[name, "x", settings, "not given"], [name, "x", settings]]
        expected += [["build_wheel", settings, "metadata"]]
    assert json.loads(done.stdout) == expected


def test_requirements_are_those_of_the_wrapped_backend(project: Project) -> None:
    ask = "print(backend.get_requires_for_build_wheel({'manyshim.mode': 'off', 'a': 'b'}))"
    assert project.python(ask).stdout == "[]\n"
    project.backend(FAKE + "def get_requires_for_build_wheel(given): return [given]")
    assert project.python(ask).stdout == "[{'a': 'b'}]\n"


def test_a_misspelled_setting_is_told_once_and_not_passed_on(project: Project) -> None:
    """Some backends fail for a setting that they do not know."""
    project.backend(with_hooks(OPTIONAL))
    project.made(PURE)
    done = project.python("""
import fake
given = {"manyshim-platform": "2014", "keep": "a"}
backend.get_requires_for_build_wheel(given)
backend.prepare_metadata_for_build_wheel("x", given)
backend.build_wheel("dist", given)
print(json.dumps(fake.calls))
""")
    metadata, build = json.loads(done.stdout)
    assert metadata[2] == {"keep": "a"}
    assert build[1] == {"keep": "a"}
    line = "manyshim: -C manyshim-platform is not read; write -C manyshim.platform=VALUE\n"
    assert done.stderr == line


@pytest.mark.parametrize("target", ["manylinux_2_17_ppc64", "musllinux_1_1"])
def test_requirements_do_not_fail_for_a_key_that_may_have_no_effect(
    project: Project, target: str
) -> None:
    """The hook has no wheel_directory, so it cannot know what build_wheel will know."""
    variables = {"MANYSHIM_COMPILER": "zig", "MANYSHIM_PLATFORM": target}
    done = project.python("print(backend.get_requires_for_build_wheel())", **variables)
    assert (done.returncode, done.stderr) == (0, "")


def test_release_keys_in_uv_s_cache(project: Project) -> None:
    """What is said at the end is the last line, also if there is nothing else to say."""
    folder = project.root / "cache" / "builds-v0" / ".tmpAb12"
    folder.mkdir(parents=True)
    tag = b"Signature: 8a477f597d28d172789f06886806bc55"
    (project.root / "cache" / "CACHEDIR.TAG").write_bytes(tag)
    project.made(PURE)
    for mode in ("retag", "off"):
        done = project.python(
            f"print(backend.build_wheel({str(folder)!r}))", MANYSHIM_STRICT="1", MANYSHIM_MODE=mode
        )
        assert done.stdout == f"{PURE}\n", done.stderr
        first, last = done.stderr.splitlines()
        assert first.startswith("manyshim: release keys have no effect in this build: strict (MANY")
        assert last.startswith("manyshim: strict had no effect on this wheel: uv builds this wheel")


@pytest.mark.parametrize(
    ("code", "name", "words"),
    [
        ("1 / 0", "fake", "ZeroDivisionError"),
        ("import no_such", "fake", "No module named 'no_such'"),
        ("import os; os.no_such", "fake:inner.backend", "AttributeError"),
    ],
)
@pytest.mark.parametrize("use", [BUILD, "hasattr(backend, 'build_editable')"])
def test_a_backend_that_cannot_be_imported_keeps_its_traceback(
    project: Project, code: str, name: str, words: str, use: str
) -> None:
    project.backend(code, name)
    done = project.python(use)
    assert done.returncode == 5
    assert done.stdout == ""
    *traceback, last = done.stderr.splitlines()
    assert traceback[0] == "Traceback (most recent call last):"
    assert words in traceback[-1]
    assert f"manyshim: error: the wrapped backend {name} cannot be imported" in last
    assert project.delivered() == []


def test_exceptions_of_the_wrapped_backend_pass_untouched(project: Project) -> None:
    project.backend("""
class TheirError(Exception): pass
def build_wheel(*_): raise TheirError("why")
build_sdist = build_wheel
""")
    done = project.python("""
import fake
for hook in (backend.build_wheel, backend.build_sdist):
    try: hook("dist")
    except fake.TheirError as error: print(error, error.__cause__, error.__context__)
""")
    assert (done.stdout, done.stderr) == ("why None None\n" * 2, "")
    assert project.delivered() == []


@pytest.mark.parametrize("returned", ["'gone-1.0-py3-none-any.whl'", "''", "None"])
def test_a_wheel_that_was_not_built_is_an_error(project: Project, returned: str) -> None:
    project.backend(f"def build_wheel(*_): return {returned}")
    done = project.python(BUILD)
    assert done.returncode == 5, done.stderr
    assert re.fullmatch("manyshim: error: fake .*\n", done.stderr)
    assert project.delivered() == []


def test_a_backend_may_be_an_object_in_a_module(project: Project) -> None:
    inner = "class outer:\n  class inner:\n    build_wheel = staticmethod(build_wheel)\n"
    project.backend(FAKE + inner, "fake:outer.inner")
    project.made(PURE)
    assert project.python(BUILD).stdout == f"{PURE}\n"


def test_an_in_tree_backend_wraps_an_in_tree_backend(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The wrapped backend is found by the finder of pyproject_hooks, not through sys.path."""
    for name in set(os.environ) - set(project.environment):
        monkeypatch.delenv(name)
    tools = project.root / "tools"
    shutil.copytree(str(SOURCES / "manyshim"), str(tools / "manyshim"))
    project.backend(with_hooks(["build_sdist"]), "wrapped", "tools/wrapped")
    project.made(LINUX)

    caller = BuildBackendHookCaller(
        str(project.root), "manyshim.backend", ["tools"], quiet_subprocess_runner
    )
    assert caller.build_sdist("there") == "build_sdist"
    name = caller.build_wheel(str(project.root / "dist"), {"manyshim.mode": "retag"})
    assert project.delivered() == [name]
    assert (name != LINUX) == ON_LINUX


@pytest.mark.parametrize(
    ("settings", "table", "words"),
    [
        ("{'manyshim.mdoe': 'off'}", 'backend = "fake"', "did you mean 'mode'?"),
        ("{'manyshim.compiler': 'zag'}", 'backend = "fake"', "did you mean 'zig'?"),
        ("None", "moed = 1", "did you mean 'mode'?"),
    ],
)
def test_config_errors(project: Project, settings: str, table: str, words: str) -> None:
    text = f"[tool.manyshim]\n{table}\n"
    (project.root / "pyproject.toml").write_text(text, encoding="utf-8")
    done = project.python(f"backend.build_wheel('dist', {settings})")
    assert (done.returncode, done.stdout) == (2, "")
    assert re.fullmatch(f"manyshim: error: .*{re.escape(words)}.*\n", done.stderr)
    assert project.delivered() == []


@linux_only
def test_a_build_prints_on_stderr_and_changes_no_state(project: Project) -> None:
    project.made(LINUX)
    done = project.python("""
state = lambda: (dict(os.environ), os.getcwd(), list(sys.path), sys.stdout, sys.stderr)
before = state()
name = backend.build_wheel('dist', {'manyshim.allow': 'ISA:*'})
assert state() == before
print(name)
""")
    (name,) = project.delivered()
    assert done.stdout == f"{name}\n"
    assert done.stderr == f"manyshim: {LINUX} -> {name}\n"


REFUSE = "def manylinux_compatible(*_): return False"


@linux_only
@pytest.mark.parametrize(
    ("module", "variables", "refused"),
    [
        (REFUSE, {}, True),
        (REFUSE, {"MANYSHIM_STRICT": "1"}, True),
        (REFUSE, {"MANYSHIM_PLATFORM": "manylinux_2_28"}, False),
        ("manylinux1_compatible = False", {}, True),
    ],
)
def test_an_interpreter_that_opted_out_keeps_linux(
    project: Project, module: str, variables: Dict[str, str], *, refused: bool
) -> None:
    (project.root / "_manylinux.py").write_text(module, encoding="utf-8")
    project.made(LINUX)
    done = project.python(BUILD, **variables)
    assert done.returncode == 0, done.stderr
    assert (project.delivered() == [LINUX]) == ("_manylinux" in done.stderr) == refused


@linux_only
@pytest.mark.parametrize("epoch", ["0", "4354819200", "9" * 20])
def test_dates_that_zip_does_not_know_are_clamped(project: Project, epoch: str) -> None:
    project.made(LINUX)
    assert "manylinux" in project.python(BUILD, SOURCE_DATE_EPOCH=epoch).stdout


@linux_only
def test_a_build_that_is_killed_while_it_writes_leaves_no_wheel(project: Project) -> None:
    """The kernel ends the process at the write that makes a file too large."""
    project.made(LINUX)
    size = (project.root / "made" / LINUX).stat().st_size
    project.backend(f"""{FAKE}
import resource, signal
copy = build_wheel
def build_wheel(*args):
    name = copy(*args)
    if "KILL" in os.environ:
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        resource.setrlimit(resource.RLIMIT_FSIZE, ({size // 2}, {size // 2}))
        signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
    return name
""")
    done = project.python(BUILD, KILL="1", PYTHONDONTWRITEBYTECODE="1")
    assert done.returncode < 0
    assert [name[:10] for name in project.delivered()] == [".manyshim-"]
    name = project.python(BUILD).stdout.strip()
    assert "manylinux" in name
    assert project.delivered() == [name]
