"""The published wheels that are measured; pip downloads exact versions of them."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from typing import NamedTuple

_PYTHON = "3.11"


class Sample(NamedTuple):
    """A published wheel of `size` MB; `platform` is one of the tags in its name, for CPython 3.11.

    The size is stated, so that the rows of a wheel are known before it is downloaded.
    """

    project: str
    version: str
    size: float
    platform: str = "manylinux2014_x86_64"


class Absent(Exception):  # noqa: N818 (an absent wheel is an outcome, not a mistake)
    """A wheel cannot be downloaded."""


# From small to large. torch's CPU wheel is not on the default index. It is measured if pip is
# configured with an index or a folder that has it.
SAMPLES = (
    Sample("markupsafe", "3.0.4", 0.02),
    Sample("orjson", "3.13.0", 0.13),
    Sample("psutil", "7.2.2", 0.16),
    Sample("bcrypt", "5.0.0", 0.28, "manylinux_2_34_x86_64"),
    Sample("msgpack", "1.2.4", 0.48),
    Sample("kiwisolver", "1.4.9", 1.4),
    Sample("psycopg2-binary", "2.9.13", 4.3),
    Sample("cryptography", "50.0.2", 4.8, "manylinux_2_34_x86_64"),
    Sample("lxml", "6.1.3", 5.2, "manylinux_2_28_x86_64"),
    Sample("pillow", "13.0.0", 7.1, "manylinux_2_28_x86_64"),
    Sample("grpcio", "1.85.1", 7.4),
    Sample("scikit-learn", "1.9.1", 9.3, "manylinux_2_28_x86_64"),
    Sample("ruff", "0.17.6", 10.6),
    Sample("pandas", "3.1.1", 12.4, "manylinux_2_28_x86_64"),
    Sample("numpy", "2.4.6", 16.9, "manylinux_2_28_x86_64"),
    Sample("uv", "0.13.9", 17.6),
    Sample("duckdb", "2.0.0", 24.4, "manylinux_2_28_x86_64"),
    Sample("cmake", "4.4.4", 30.2),
    Sample("scipy", "1.17.1", 35.3, "manylinux_2_28_x86_64"),
    Sample("polars-runtime-32", "2.1.0", 53.9),
    Sample("pyarrow", "26.0.1", 55.0, "manylinux_2_28_x86_64"),
    Sample("llvmlite", "0.50.0", 59.7, "manylinux_2_28_x86_64"),
    Sample("opencv-python-headless", "5.0.0.93", 61.2, "manylinux_2_28_x86_64"),
    Sample("torch", "2.13.0+cpu", 191.8, "manylinux_2_28_x86_64"),
)


def default_cache() -> str:
    """Return the folder that keeps the wheels between runs (XDG Base Directory)."""
    home = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    return os.path.join(home, "manyshim-bench")


def is_there(sample: Sample, cache: str) -> bool:
    """Tell whether an earlier run has downloaded a wheel."""
    return bool(_wheels(_folder(sample, cache)))


def fetch(sample: Sample, cache: str) -> str:
    """Return a wheel's path; download it unless an earlier run did. Raises Absent."""
    folder = _folder(sample, cache)
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


def _folder(sample: Sample, cache: str) -> str:
    return os.path.join(cache, f"{sample.project}-{sample.version}-{sample.platform}")


def _wheels(folder: str) -> list[str]:
    try:
        return sorted(name for name in os.listdir(folder) if name.endswith(".whl"))
    except FileNotFoundError:
        return []
