"""The published wheels that are measured; pip downloads exact versions of them."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from typing import NamedTuple

_PYTHON = "3.11"


class Sample(NamedTuple):
    """A published wheel; `platform` is one of the tags in its file name, for CPython 3.11."""

    project: str
    version: str
    platform: str = "manylinux2014_x86_64"


class Absent(Exception):  # noqa: N818 (an absent wheel is an outcome, not a mistake)
    """A wheel cannot be downloaded."""


# From small to large. torch's CPU wheel is not on the default index. It is measured if pip is
# configured with an index or a folder that has it.
SAMPLES = (
    Sample("markupsafe", "3.0.4"),
    Sample("orjson", "3.13.0"),
    Sample("psutil", "7.2.2"),
    Sample("bcrypt", "5.0.0", "manylinux_2_34_x86_64"),
    Sample("msgpack", "1.2.4"),
    Sample("kiwisolver", "1.4.9"),
    Sample("psycopg2-binary", "2.9.13"),
    Sample("cryptography", "50.0.2", "manylinux_2_34_x86_64"),
    Sample("lxml", "6.1.3", "manylinux_2_28_x86_64"),
    Sample("pillow", "13.0.0", "manylinux_2_28_x86_64"),
    Sample("grpcio", "1.85.1"),
    Sample("scikit-learn", "1.9.1", "manylinux_2_28_x86_64"),
    Sample("ruff", "0.17.6"),
    Sample("pandas", "3.1.1", "manylinux_2_28_x86_64"),
    Sample("numpy", "2.4.6", "manylinux_2_28_x86_64"),
    Sample("uv", "0.13.9"),
    Sample("duckdb", "2.0.0", "manylinux_2_28_x86_64"),
    Sample("cmake", "4.4.4"),
    Sample("scipy", "1.17.1", "manylinux_2_28_x86_64"),
    Sample("polars-runtime-32", "2.1.0"),
    Sample("pyarrow", "26.0.1", "manylinux_2_28_x86_64"),
    Sample("llvmlite", "0.50.0", "manylinux_2_28_x86_64"),
    Sample("opencv-python-headless", "5.0.0.93", "manylinux_2_28_x86_64"),
    Sample("torch", "2.13.0+cpu", "manylinux_2_28_x86_64"),
)


def default_cache() -> str:
    """Return the folder that keeps the wheels between runs (XDG Base Directory)."""
    home = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    return os.path.join(home, "manyshim-bench")


def fetch(sample: Sample, cache: str) -> str:
    """Return a wheel's path; download it unless an earlier run did. Raises Absent."""
    folder = os.path.join(cache, f"{sample.project}-{sample.version}-{sample.platform}")
    if not _wheels(folder):
        part = f"{folder}.part"
        shutil.rmtree(part, ignore_errors=True)
        command = [
            *(sys.executable, "-m", "pip", "download", "--quiet", "--no-deps"),
            *("--only-binary", ":all:", "--implementation", "cp", "--python-version", _PYTHON),
            *("--abi", "cp311", "--abi", "abi3", "--abi", "none"),
            *("--platform", sample.platform, "-d", part, f"{sample.project}=={sample.version}"),
        ]
        done = subprocess.run(command, check=False, capture_output=True, text=True)
        if done.returncode or not _wheels(part):
            shutil.rmtree(part, ignore_errors=True)
            errors = [line for line in done.stderr.splitlines() if line.startswith("ERROR")]
            raise Absent((errors or ["pip downloaded nothing"])[-1])
        os.replace(part, folder)
    return os.path.join(folder, _wheels(folder)[0])


def _wheels(folder: str) -> list[str]:
    try:
        return sorted(name for name in os.listdir(folder) if name.endswith(".whl"))
    except FileNotFoundError:
        return []
