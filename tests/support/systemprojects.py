"""Real projects that build with CMake, the targets, and a use of each extension."""

from __future__ import annotations

from typing import NamedTuple, Tuple


class Place(NamedTuple):
    """`machine` is e_machine of a target's files (ELF gABI), `system` the system that uses them.

    `minor` is the minor version of the system's CPython, which is also the one that builds.
    """

    machine: int
    system: str
    minor: int = 11


TARGETS = {
    "manylinux_2_17_x86_64": Place(62, "bookworm-amd64"),
    "manylinux_2_17_aarch64": Place(183, "bookworm-arm64"),
    "musllinux_1_2_x86_64": Place(62, "musl-amd64"),
    "manylinux_2_31_riscv64": Place(243, "trixie-riscv64", 13),
}


class Project(NamedTuple):
    """An sdist on the index; `use` imports the extension itself.

    `needs` are the projects that it imports; their wheels for the target come from the index.
    """

    name: str
    version: str
    language: str
    use: str
    needs: Tuple[str, ...] = ()


CMAKE = (
    Project(
        *("h3", "4.5.0", "C, Cython"),
        "import h3\ncell = h3.latlng_to_cell(37.775938728915946, -122.41795063018799, 9)\n"
        "assert cell == '8928308280fffff', cell\nassert len(h3.grid_disk(cell, 1)) == 7",
    ),
    Project(
        *("boost-histogram", "1.8.1", "C++, pybind11"),
        "import boost_histogram as bh\nmade = bh.Histogram(bh.axis.Regular(4, 0, 1))\n"
        "made.fill([0.1, 0.6, 0.7])\nassert list(made.view()) == [1, 0, 2, 0]",
        needs=("numpy",),
    ),
    Project(
        *("iminuit", "2.33.0", "C++, pybind11"),
        "from iminuit import Minuit\nfit = Minuit(lambda x: (x - 3) ** 2, x=0)\nfit.migrad()\n"
        "assert fit.valid and abs(fit.values['x'] - 3) < 1e-6",
        needs=("numpy",),
    ),
)
