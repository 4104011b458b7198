"""Real projects with a build system of their own, and the targets that they are compiled for."""

from __future__ import annotations

from typing import Mapping, NamedTuple, Tuple


class Place(NamedTuple):
    """What a target's files have as e_machine (ELF gABI), and the system on which they are used.

    `minor` is the minor version of the system's Python. pip installs what a project imports with
    one of the `platforms`.
    """

    machine: int
    system: str
    minor: int
    platforms: Tuple[str, ...]


TARGETS: Mapping[str, Place] = {
    "manylinux_2_17_x86_64": Place(62, "bookworm-amd64", 11, ("manylinux_2_28_x86_64",)),
    "manylinux_2_17_aarch64": Place(183, "bookworm-arm64", 11, ("manylinux_2_28_aarch64",)),
    "musllinux_1_2_x86_64": Place(62, "musl-amd64", 11, ("musllinux_1_2_x86_64",)),
    "manylinux_2_31_riscv64": Place(243, "trixie-riscv64", 13, ("manylinux_2_39_riscv64",)),
}


class Project(NamedTuple):
    """An sdist on the index; `use` imports the extension itself, not a fallback in Python.

    `backend` is the module of the backend, and `settings` are settings for it. `needs` are
    requirements that it imports.
    """

    name: str
    version: str
    backend: str
    language: str
    use: str
    settings: Tuple[str, ...] = ()
    needs: Tuple[str, ...] = ()


_MESON, _CMAKE = "mesonpy", "scikit_build_core.build"
_NUMPY = "numpy==2.4.6"

PROJECTS = (
    Project(
        *("nanoarrow", "0.9.0", _MESON, "C, Cython"),
        "import nanoarrow\nfrom nanoarrow import _array, ipc\n"
        "made = nanoarrow.Array([1, None, 3], nanoarrow.int32())\n"
        "assert made.to_pylist() == [1, None, 3]\n"
        "assert ipc.InputStream.example().__class__ is ipc.InputStream\n"
        "assert nanoarrow.ArrayStream.from_readable("
        "ipc.InputStream.example()).read_all().to_pylist()",
    ),
    Project(
        *("cysignals", "1.12.5", _MESON, "C, Cython"),
        "import cysignals\nfrom cysignals.alarm import alarm, cancel_alarm, AlarmInterrupt\n"
        "from cysignals.signals import SignalError\nfrom cysignals import tests\n"
        "import time\n"
        "try:\n    alarm(0.1)\n    time.sleep(5)\n"
        "except AlarmInterrupt:\n    pass\n"
        "else:\n    raise AssertionError('no alarm')",
    ),
    Project(
        *("contourpy", "1.3.3", _MESON, "C++, pybind11"),
        "import numpy, contourpy\nfrom contourpy import _contourpy\n"
        "made = contourpy.contour_generator(z=[[0.0, 1.0], [2.0, 3.0]], name='threaded')\n"
        "(line,) = made.lines(1.5)\n"
        "assert numpy.allclose(sorted(map(tuple, line)), [(0, 0.75), (1, 0.25)])\n"
        "try:\n    contourpy.contour_generator(z=[[0.0]])\n"
        "except (TypeError, ValueError):\n    pass\n"
        "else:\n    raise AssertionError('that has no contours')",
        needs=(_NUMPY,),
    ),
    Project(
        *("pywavelets", "1.8.0", _MESON, "C, Cython, numpy"),
        "import numpy, pywt\nfrom pywt import _extensions\n"
        "low, high = pywt.dwt([1, 2, 3, 4], 'db1')\n"
        "assert numpy.allclose(pywt.idwt(low, high, 'db1'), [1, 2, 3, 4])\n"
        "assert numpy.allclose(high, [-0.5 ** 0.5] * 2)",
        needs=(_NUMPY,),
    ),
    Project(
        *("numpy", "2.4.6", _MESON, "C, C++, Cython"),
        "import numpy\nfrom numpy._core import _multiarray_umath\n"
        "assert (numpy.arange(6).reshape(2, 3) @ numpy.ones((3, 2))).tolist() == "
        "[[3.0, 3.0], [12.0, 12.0]]\n"
        "assert numpy.allclose(numpy.linalg.inv([[2.0, 0], [0, 4]]), [[0.5, 0], [0, 0.25]])\n"
        "assert numpy.fft.fft([1, 0, 0, 0]).tolist() == [1, 1, 1, 1]\n"
        "assert numpy.random.default_rng(1).random(3).shape == (3,)\n"
        "assert str(numpy.longdouble('0.5')) == '0.5' and numpy.finfo(numpy.longdouble)",
        settings=("setup-args=-Dallow-noblas=true",),
    ),
    Project(
        *("h3", "4.5.0", _CMAKE, "C, Cython"),
        "import h3\ncell = h3.latlng_to_cell(37.775938728915946, -122.41795063018799, 9)\n"
        "assert cell == '8928308280fffff', cell\nassert len(h3.grid_disk(cell, 1)) == 7",
    ),
    Project(
        *("boost-histogram", "1.8.1", _CMAKE, "C++, pybind11"),
        "import boost_histogram as bh\nmade = bh.Histogram(bh.axis.Regular(4, 0, 1))\n"
        "made.fill([0.1, 0.6, 0.7])\nassert list(made.view()) == [1, 0, 2, 0]",
        needs=(_NUMPY,),
    ),
    Project(
        *("iminuit", "2.33.0", _CMAKE, "C++, pybind11"),
        "from iminuit import Minuit\nfit = Minuit(lambda x: (x - 3) ** 2, x=0)\nfit.migrad()\n"
        "assert fit.valid and abs(fit.values['x'] - 3) < 1e-6",
        needs=(_NUMPY,),
    ),
)
