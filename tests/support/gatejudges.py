"""The judges of the differential test of `check`: zipfile, installer, pip, uv, the strict index.

Each takes a folder that has a folder for each case with one file in it, and returns, by the name of
the case's folder, why it refuses the file.
"""

from __future__ import annotations

import contextlib
import functools
import http.server
import json
import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import Dict, Iterator, List
from urllib.parse import quote

import needs
from strict_index import client_environment, problems

Refusals = Dict[str, str]

# A judge that takes longer for all files has met one at which it hangs.
_SECONDS = 300

# Each judge runs in a process of its own. Its function `ask` raises, or returns why it refuses.
_SCRIPT = """
import glob, json, os, sys
{}
found = {{}}
for path in glob.glob(sys.argv[1] + "/*/*"):
    try:
        said = ask(path)
    except BaseException as error:
        said = repr(error)
    if said:
        found[path.split(os.sep)[-2]] = said
print(json.dumps(found))
"""

_ZIPFILE = """
import zipfile

def ask(path):
    with zipfile.ZipFile(path) as archive:
        for info in archive.infolist():
            with archive.open(info) as member:
                while member.read(1 << 16):
                    pass
"""

_INSTALLER = """
import tempfile
from installer import install
from installer.destinations import SchemeDictionaryDestination
from installer.sources import WheelFile

def ask(path):
    with tempfile.TemporaryDirectory() as folder, WheelFile.open(path) as source:
        source.validate_record()
        names = ("purelib", "platlib", "headers", "scripts", "data")
        scheme = {name: os.path.join(folder, name) for name in names}
        scheme["platlib"] = scheme["purelib"]
        install(source, SchemeDictionaryDestination(scheme, sys.executable, "posix"), {})
"""

# What `twine check` and `twine upload` do with a file before they render or send it.
_TWINE = """
from twine.package import PackageFile

def ask(path):
    PackageFile.from_filename(path, None).metadata_dictionary()
"""

_PIP = """
import tempfile
from contextlib import redirect_stderr, redirect_stdout
from io import StringIO
from pip._internal.cli.main import main

def ask(path):
    said = StringIO()
    with tempfile.TemporaryDirectory() as folder:
        with redirect_stdout(said), redirect_stderr(said):
            options = ["--isolated", "--disable-pip-version-check", "install", "--no-index"]
            options += ["--no-deps", "--no-compile", "--no-build-isolation", "--quiet"]
            code = main([*options, "--target", folder, path])
    return (said.getvalue() or str(code)) if code else ""
"""


def zipfile_of(python: str, folder: Path) -> Refusals:
    """Ask the module zipfile of an interpreter, which reads each member to its end."""
    return _run(python, _ZIPFILE, folder)


def installer(folder: Path) -> Refusals:
    """Ask installer, which verifies RECORD and installs."""
    needs.module("installer")
    return _run(sys.executable, _INSTALLER, folder)


def pip(folder: Path) -> Refusals:
    """Ask pip, which installs each file into a folder of its own."""
    needs.module("pip")
    return _run(sys.executable, _PIP, folder)


def twine(folder: Path) -> Refusals:
    """Ask twine, which reads the metadata of each file."""
    needs.module("twine")
    return _run(sys.executable, _TWINE, folder)


def strict_index(folder: Path) -> Refusals:
    """Ask the strict index."""
    found = {path: problems(path.name, path.read_bytes()) for path in files(folder)}
    return {path.parent.name: reasons[0] for path, reasons in found.items() if reasons}


def uv_from_path(folder: Path) -> Refusals:
    """Ask uv, given each file's path."""
    found = {path.parent.name: _uv(folder, str(path)) for path in files(folder)}
    return {name: said for name, said in found.items() if said}


def uv_over_http(folder: Path) -> Refusals:
    """Ask uv, given each file's address on a server."""
    with _served(folder) as address:
        found = {
            path.parent.name: _uv(folder, f"{address}/{path.parent.name}/{quote(path.name)}")
            for path in files(folder)
        }
    return {name: said for name, said in found.items() if said}


def files(folder: Path) -> List[Path]:
    """Return the files of all cases, in order."""
    return sorted(folder.glob("*/*"))


def _uv(folder: Path, what: str) -> str:
    uv = needs.tool("uv", "uv", needs.PYPI)
    target = folder.parent / "uv-target"
    command = [uv, "pip", "install", "--no-config", "--no-cache", "--no-deps", "--no-index"]
    command += ["--python", sys.executable, "--reinstall", "--target", str(target), what]
    done = subprocess.run(
        command, check=False, capture_output=True, text=True, env=client_environment()
    )
    return (done.stderr or str(done.returncode)) if done.returncode else ""


@contextlib.contextmanager
def _served(folder: Path) -> Iterator[str]:
    """Serve a folder on the loopback device."""
    handler = functools.partial(_Quiet, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (as overridden)
        """Print nothing."""


def _run(python: str, script: str, folder: Path) -> Refusals:
    done = subprocess.run(
        [python, "-c", _SCRIPT.format(script), str(folder)],
        check=False,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
        timeout=_SECONDS,
        env={**client_environment(), "PYTHONDONTWRITEBYTECODE": "1"},
    )
    if done.returncode:
        raise AssertionError(f"the judge failed with {done.returncode}")
    found: Refusals = json.loads(done.stdout.splitlines()[-1])
    return found


def pythons() -> List[str]:
    """Return the CPythons whose zipfile is asked: this one, and those of pyenv."""
    root = Path(os.environ.get("PYENV_ROOT", str(Path.home() / ".pyenv")), "versions")
    found = sorted(root.glob("3.*/bin/python"))
    return [sys.executable, *map(str, found)]
