"""Tiny projects that tell what became of release keys, and the frontends that build them.

`main` depends on DEPENDENCY and needs HELPER for its build; `member` is in its workspace. All are
built by manyshim, which wraps the backend `manyshim_scope_backend`. That backend records each
build: the wheel that was delivered, and the lines of manyshim. It compiles nothing.
"""

from __future__ import annotations

import json
import tarfile
from pathlib import Path
from typing import Dict, List, Mapping, NamedTuple, Optional, Sequence, Tuple

from elfmodel import TARGETS
from elfwriter import write
from manyshim.host import host_arch
from wheelwriter import save, wheel

LOG = "SCOPE_LOG"
# Without it, the wheels have an older tag. uv installs only what this machine's glibc can run.
PLATFORM = "manylinux_2_28"
KEYS = {"platform": PLATFORM, "strict": "true"}
MAIN, MEMBER = "main", "member"
# The index has no such names.
DEPENDENCY, HELPER = "manyshim_scope_dependency", "manyshim_scope_helper"

_BACKEND = """
import json, os, sys, tarfile, zipfile
import scopelog

def _project():
    with open("scope.json") as file:
        return json.load(file)

def _metadata(project):
    lines = ["Metadata-Version: 2.1", "Name: " + project["name"], "Version: 1.0"]
    return "\\n".join(lines + ["Requires-Dist: " + one for one in project["depends"]]) + "\\n"

def _wheel(folder, tag, code):
    project = _project()
    info = project["name"] + "-1.0.dist-info/"
    name = project["name"] + "-1.0-" + tag + ".whl"
    files = {info + "METADATA": _metadata(project), info + "WHEEL": "Wheel-Version: 1.0\\n"
             "Root-Is-Purelib: false\\nTag: " + tag + "\\n", project["name"] + ".py": "",
             info + "RECORD": ""}
    files[info + "RECORD"] = "".join(path + ",,\\n" for path in [*files, *code])
    with zipfile.ZipFile(os.path.join(folder, name), "w") as archive:
        for path, text in files.items():
            archive.writestr(path, text)
        for path in code:
            archive.write(path, path)
    return name

def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):
    scopelog.start(_project()["name"], "wheel", os.path.dirname(wheel_directory))
    return _wheel(wheel_directory, _project()["tag"], ["x.so"])

def build_editable(wheel_directory, config_settings=None, metadata_directory=None):
    scopelog.start(_project()["name"], "editable", wheel_directory)
    return _wheel(wheel_directory, "py3-none-any", [])

def build_sdist(sdist_directory, config_settings=None):
    project = _project()
    name = project["name"] + "-1.0"
    with open("PKG-INFO", "w") as file:
        file.write(_metadata(project))
    with tarfile.open(os.path.join(sdist_directory, name + ".tar.gz"), "w:gz") as archive:
        for path in ("pyproject.toml", "scope.json", "x.so", "PKG-INFO"):
            archive.add(path, name + "/" + path)
    os.remove("PKG-INFO")
    return name + ".tar.gz"
"""

# Loaded when an interpreter starts: manyshim prints its first lines before it imports the backend.
_LOG = """
import atexit, json, os, sys

_lines = []
_build = []

class _Copy:
    def __init__(self, stream):
        self._stream = stream
    def write(self, text):
        _lines.append(text)
        return self._stream.write(text)
    def __getattr__(self, name):
        return getattr(self._stream, name)

def start(name, kind, folder):
    _build[:] = [name, kind, folder]

def _end():
    if _build:
        name, kind, folder = _build
        wheels = sorted(one for one in os.listdir(folder) if one.startswith(name + "-"))
        row = {"name": name, "kind": kind, "lines": "".join(_lines).splitlines(),
               "wheels": [one for one in wheels if one.endswith(".whl")]}
        with open(os.environ["SCOPE_LOG"], "a") as file:
            file.write(json.dumps(row) + "\\n")

if os.environ.get("SCOPE_LOG") and sys.stderr is not None:
    sys.stderr = _Copy(sys.stderr)
    atexit.register(_end)
"""


class Built(NamedTuple):
    """A build that was recorded: wheel or editable, the delivered wheels, manyshim's lines."""

    kind: str
    wheels: Tuple[str, ...]
    lines: Tuple[str, ...]

    @property
    def result(self) -> str:
        """What became of the release keys."""
        if self.kind == "editable":
            return "editable"
        if any(PLATFORM in name for name in self.wheels):
            return "in effect"
        said = any("release keys have no effect in this build: " in line for line in self.lines)
        return "no effect" if said else "not passed"


class Command(NamedTuple):
    """A frontend's command; `{out}` is a folder for wheels, `{python}` an interpreter.

    `settings` tells that it takes `-C`, and `uv` that it reads [tool.uv].
    """

    name: str
    arguments: Tuple[str, ...]
    uv: bool = True


COMMANDS = (
    Command("uv build", ("build", "--out-dir", "{out}")),
    Command("uv build --package member", ("build", "--package", MEMBER, "--out-dir", "{out}")),
    Command("uv build --all-packages", ("build", "--all-packages", "--out-dir", "{out}")),
    Command("uv sync", ("sync",)),
    Command("uv sync --no-editable", ("sync", "--no-editable")),
    Command("uv run", ("run", "python", "-c", "")),
    Command("uv pip install .", ("pip", "install", "--target", "{out}", ".")),
    Command("pip install .", ("-m", "pip", "install", "--target", "{out}", "."), uv=False),
    Command("pip wheel .", ("-m", "pip", "wheel", "-w", "{out}", "."), uv=False),
    Command("python -m build", ("-m", "build", "--outdir", "{out}"), uv=False),
)
WAYS = ("-C", "[tool.uv]", "environment")


def links(folder: Path) -> Path:
    """Make a folder with the wrapped backend's wheel, and sdists of what `main` needs."""
    folder.mkdir()
    files = {
        "manyshim_scope_backend.py": _BACKEND.encode(),
        "scopelog.py": _LOG.encode(),
        "scopelog.pth": b"import scopelog\n",
    }
    name = "manyshim_scope_backend-1.0-py3-none-any.whl"
    save(folder, wheel(files, tag="py3-none-any", name="manyshim_scope_backend"), name)
    for name in (DEPENDENCY, HELPER):
        tree = project(folder / name, name)
        (tree / "PKG-INFO").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        with tarfile.open(folder / f"{name}-1.0.tar.gz", "w:gz") as archive:
            archive.add(tree, f"{name}-1.0")
    return folder


def project(
    folder: Path,
    name: str,
    depends: Sequence[str] = (),
    requires: Sequence[str] = (),
    more: str = "",
) -> Path:
    """Write the source tree of a project."""
    folder.mkdir(parents=True)
    text = (
        f"[build-system]\nrequires = {['manyshim', 'manyshim_scope_backend', *requires]}\n"
        'build-backend = "manyshim.backend"\n[tool.manyshim]\nbackend = "manyshim_scope_backend"\n'
        f'[project]\nname = "{name}"\nversion = "1.0"\nrequires-python = ">=3.8"\n'
        f"dependencies = {list(depends)}\n{more}"
    )
    (folder / "pyproject.toml").write_text(text, encoding="utf-8")
    data = {"name": name, "depends": list(depends), "tag": f"py3-none-linux_{host_arch()}"}
    (folder / "scope.json").write_text(json.dumps(data), encoding="utf-8")
    (folder / "x.so").write_bytes(write(TARGETS[host_arch()]))
    return folder


def workspace(folder: Path, settings: Mapping[str, str], table: str = "") -> Path:
    """Write `main` and `member`; `settings` are uv's, `table` are lines of [tool.manyshim]."""
    more = '[tool.uv.workspace]\nmembers = ["member"]\n[tool.uv.config-settings]\n'
    more += "".join(f'"{key}" = "{value}"\n' for key, value in settings.items())
    main = project(folder / MAIN, MAIN, [DEPENDENCY], [HELPER], more)
    if table:
        path = main / "pyproject.toml"
        text = path.read_text(encoding="utf-8")
        path.write_text(text.replace("[tool.manyshim]\n", f"[tool.manyshim]\n{table}\n"), "utf-8")
    project(main / MEMBER, MEMBER)
    return main


def builds(log: Path) -> Dict[str, Built]:
    """Return what was recorded, by the project's name.

    `python -m build` makes an environment for the sdist, and another one for the wheel. A build
    requirement is then built twice, with the same result.
    """
    found: Dict[str, Built] = {}
    text = log.read_text(encoding="utf-8") if log.exists() else ""
    for row in map(json.loads, text.splitlines()):
        lines = tuple(line for line in row["lines"] if line.startswith("manyshim: "))
        built = Built(row["kind"], tuple(row["wheels"]), lines)
        assert found.setdefault(row["name"], built) == built
    return found


def command_line(command: Command, program: str, out: Path, settings: Sequence[str]) -> List[str]:
    """Return the arguments of a command; `settings` are those of `-C`."""
    head, *rest = (one.format(out=out) for one in command.arguments)
    passed = [f"-C{one}" for one in settings]
    # What follows the program of `uv run` belongs to it.
    return [program, head, *passed, *rest] if head == "run" else [program, head, *rest, *passed]


def keys(*, named: bool) -> Dict[str, str]:
    """Return the release keys; `named` adds the project that they are for."""
    return {**KEYS, **({"project": MAIN} if named else {})}


def variables(
    links_folder: Path, wheels: str, folder: Path, clean: Mapping[str, str]
) -> Dict[str, str]:
    """Return an environment for a run: its own caches, and the folders with the packages."""
    found = {
        "UV_CACHE_DIR": str(folder / "cache"),
        "PIP_NO_CACHE_DIR": "1",
        LOG: str(folder / "log"),
    }
    for name, separator in (("PIP_FIND_LINKS", " "), ("UV_FIND_LINKS", ",")):
        given: Optional[str] = clean.get(name)
        found[name] = separator.join(filter(None, [str(links_folder), wheels, given]))
    return {**clean, **found}


def environment_keys(*, named: bool) -> Dict[str, str]:
    """Return the release keys as variables."""
    return {f"MANYSHIM_{key.upper()}": value for key, value in keys(named=named).items()}
