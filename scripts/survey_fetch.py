"""The first step of the survey: downloads the wheels that the cache does not hold."""

from __future__ import annotations

import hashlib
import subprocess
import sys
import tempfile
from pathlib import Path

from survey_rows import Row, Unavailable


def fetch(row: Row, folder: Path) -> Path:
    """Return the path of a published wheel, downloaded unless it is in the folder.

    Raises Unavailable.
    """
    path = folder / row.filename
    if path.is_file() and _sha256(path) == row.sha256:
        return path
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder, prefix="part-") as part:
        done = subprocess.run(_command(row, part), check=False, capture_output=True, text=True)
        downloaded = Path(part, row.filename)
        if not downloaded.is_file():
            errors = [line for line in done.stderr.splitlines() if line.startswith("ERROR")]
            reason = (errors or ["pip downloaded another file"])[-1]
            raise Unavailable(f"{row.filename}: {reason}")
        if _sha256(downloaded) != row.sha256:
            raise Unavailable(f"{row.filename}: its hash is not the recorded one")
        downloaded.replace(path)
    return path


def _command(row: Row, folder: str) -> list[str]:
    return [
        *(sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--no-cache-dir"),
        *("--only-binary", ":all:", "--platform", row.platform, "--abi", row.abi),
        *("--python-version", row.python, "--implementation", row.implementation),
        *("-d", folder, f"{row.project}=={row.version}"),
    ]


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        for block in iter(lambda: file.read(1 << 20), b""):
            digest.update(block)
    return digest.hexdigest()
