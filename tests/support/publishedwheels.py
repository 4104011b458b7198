"""The list of published wheels, their download, and auditwheel's verdict on them."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from pathlib import Path
from typing import Any, Dict, List

import needs
from paths import DATA

WHEELS: List[Dict[str, Any]] = json.loads((DATA / "real_wheels.json").read_text(encoding="utf-8"))
# Reasons for another verdict than auditwheel's. manyshim derives the musl policy from the imported
# names, auditwheel from the host (row 21). auditwheel also searches a NEEDED libc.so as a library,
# opens the host's linker script of that name, and crashes (row 23).
DIFFERENCES = {
    "cffi-2.1.1-cp311-cp311-musllinux_1_2_x86_64.whl": ("row 21", "musllinux_1_1_x86_64"),
    "frozenlist-1.8.0-cp311-cp311-musllinux_1_2_ppc64le.whl": ("row 21", "musllinux_1_1_ppc64le"),
    "markupsafe-3.0.4-cp311-cp311-musllinux_1_2_armv7l.whl": ("row 21", "musllinux_1_1_armv7l"),
    "ninja-1.13.0-py3-none-musllinux_1_2_riscv64.whl": ("row 21", "musllinux_1_1_riscv64"),
    "psutil-7.2.2-cp36-abi3-musllinux_1_2_aarch64.whl": ("row 21", "musllinux_1_1_aarch64"),
    "psycopg2_binary-2.9.13-cp311-cp311-musllinux_1_2_riscv64.whl": (
        "row 21",
        "musllinux_1_1_riscv64",
    ),
    "uv-0.13.9-py3-none-musllinux_1_1_x86_64.whl": ("row 21", "musllinux_1_1_x86_64"),
    "pydantic_core-2.50.4-cp311-cp311-musllinux_1_1_armv7l.whl": (
        "row 23",
        "musllinux_1_1_armv7l",
    ),
    "rpds_py-2026.9.1-cp311-cp311-musllinux_1_2_i686.whl": ("row 23", "musllinux_1_1_i686"),
}


def fetch(row: Dict[str, Any], folder: Path) -> Path:
    """Return a wheel's path; download it unless it is in the cache."""
    path = folder / str(row["filename"])
    if not path.exists():
        needs.module("pip")
        part = folder / f"part-{row['sha256'][:12]}"
        subprocess.run(
            [
                *(sys.executable, "-m", "pip", "download", "-q", "--no-deps"),
                *("--only-binary", ":all:", "--platform", row["platform"]),
                *("--python-version", row["python"], "--implementation", "cp"),
                *("--abi", row["abi"], "-d", str(part)),
                f"{row['project']}=={row['version']}",
            ],
            check=True,
            timeout=540,
        )
        (part / row["filename"]).replace(path)
        part.rmdir()
    assert hashlib.sha256(path.read_bytes()).hexdigest() == row["sha256"]
    return path


def auditwheel(path: Path) -> Any:
    """Return auditwheel's verdict; None if it crashes."""
    needs.module("auditwheel", since=(3, 10))
    run = subprocess.run(
        [sys.executable, "-m", "auditwheel", "show", "--json", str(path)],
        capture_output=True,
        text=True,
        timeout=540,
        check=False,
    )
    return json.loads(run.stdout)["overall_tag"] if run.returncode == 0 else None
