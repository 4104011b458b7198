"""Run a package index on the loopback device that is stricter than the public one."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Dict, Iterator, List, NamedTuple, Optional

import needs
from strict_index_rules import problems

__all__ = [
    "StrictIndex",
    "client_environment",
    "find_uv",
    "problems",
    "serve",
    "twine_upload",
    "uv_install",
    "uv_publish",
]

SERVER = Path(__file__).with_name("strict_index_server.py")
SCRUBBED_PREFIXES = ("UV_", "TWINE_", "PIP_", "PYTHONWARNINGS")
STOP_SECONDS = 20


class StrictIndex(NamedTuple):
    """A running index: where to upload, where to install from, where the files are."""

    upload_url: str
    simple_url: str
    root: Path


def client_environment() -> Dict[str, str]:
    """Return the environment of this process without variables that affect clients."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(SCRUBBED_PREFIXES) and not name.lower().endswith("_proxy")
    }
    # Without this rich wraps and colours messages, so that tests cannot search them.
    return {**kept, "COLUMNS": "300", "NO_COLOR": "1", "UV_PYTHON_DOWNLOADS": "never"}


@contextlib.contextmanager
def serve(folder: Path) -> Iterator[StrictIndex]:
    """Run an index that keeps its files in a folder."""
    needs.module("pypiserver")
    folder.mkdir(parents=True, exist_ok=True)
    with subprocess.Popen(
        [sys.executable, str(SERVER), str(folder)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=client_environment(),
        text=True,
    ) as server:
        try:
            port = server.stdout.readline().strip() if server.stdout else ""
            if not port:
                raise RuntimeError("the strict index did not start; its errors are on stderr")
            base = f"http://127.0.0.1:{port}"
            yield StrictIndex(f"{base}/", f"{base}/simple/", folder)
        finally:
            stop(server)


def stop(server: subprocess.Popen[str]) -> None:
    """Stop the server by closing its stdin; kill it if that does not help."""
    if server.stdin is not None:
        server.stdin.close()
    try:
        server.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        server.kill()


def find_uv() -> Optional[str]:
    """Return the uv in this interpreter's folder, otherwise the one on PATH."""
    folders = [str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)]
    return shutil.which("uv", path=os.pathsep.join(folders))


def run_client(command: List[str]) -> subprocess.CompletedProcess[str]:
    """Run a client and collect its output, whatever its exit status."""
    return subprocess.run(
        command,
        check=False,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        env=client_environment(),
        text=True,
    )


def run_uv(arguments: List[str]) -> subprocess.CompletedProcess[str]:
    """Run uv without configuration files and without a cache."""
    uv = needs.tool("uv", "uv", needs.PYPI)
    return run_client([uv, *arguments, "--no-config", "--no-cache"])


def uv_publish(index: StrictIndex, *files: Path) -> subprocess.CompletedProcess[str]:
    """Upload files with uv, which stops at the first refusal with exit status 2."""
    options = ["--publish-url", index.upload_url, "-u", "u", "-p", "p"]
    options += ["--trusted-publishing", "never", "--keyring-provider", "disabled"]
    return run_uv(["publish", *options, "--no-attestations", *map(str, files)])


def twine_upload(index: StrictIndex, *files: Path) -> subprocess.CompletedProcess[str]:
    """Upload files with twine, which ends with exit status 1 after a refusal."""
    needs.module("twine")
    options = ["--repository-url", index.upload_url, "-u", "u", "-p", "p"]
    options += ["--non-interactive", "--disable-progress-bar"]
    return run_client(
        [sys.executable, "-m", "twine", "--no-color", "upload", *options, *map(str, files)]
    )


def uv_install(
    index: StrictIndex, target: Path, *arguments: str
) -> subprocess.CompletedProcess[str]:
    """Install requirements from the index over HTTP into a folder."""
    options = ["--index-url", index.simple_url, "--target", str(target)]
    return run_uv(["pip", "install", "--python", sys.executable, *options, *arguments])
