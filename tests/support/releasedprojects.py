"""Real projects, and the platforms and Pythons that they are released for."""

from __future__ import annotations

from typing import NamedTuple

PLATFORMS = (
    *("manylinux_2_17_x86_64", "manylinux_2_17_aarch64", "manylinux_2_39_riscv64"),
    *("musllinux_1_2_x86_64", "musllinux_1_2_aarch64"),
)
PYTHONS = ("3.10", "3.11", "3.12", "3.13")
SYSTEMS = ("bookworm-arm64", "trixie-arm64", "trixie-riscv64", "musl-amd64", "musl-arm64")


class Project(NamedTuple):
    """An sdist on the index. `use` imports the extension itself; an abi3 project has one wheel."""

    name: str
    version: str
    language: str
    use: str
    abi3: bool = False


PROJECTS = (
    Project("xxhash", "3.5.0", "C", "import xxhash; assert xxhash.xxh64(b'').intdigest() > 1"),
    Project(
        *("editdistance", "0.8.1", "C++, Cython"),
        "import editdistance; assert editdistance.eval('banana', 'bahama') == 2",
    ),
    Project(
        *("psutil", "7.2.2", "C, abi3"),
        "import psutil; assert psutil.Process().name() and psutil.virtual_memory().total",
        abi3=True,
    ),
)
