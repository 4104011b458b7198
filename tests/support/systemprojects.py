"""Real projects with a build system of their own, and the targets that they are compiled for."""

from __future__ import annotations

from typing import Mapping, NamedTuple, Tuple


class Place(NamedTuple):
    """What a target's files have as e_machine (ELF gABI), and the system on which they are used.

    `minor` is the minor version of the system's Python. pip installs what a project imports with
    one of the `platforms`; without any, it is compiled from its sdist, as the project is.
    """

    machine: int
    system: str
    minor: int
    platforms: Tuple[str, ...]


TARGETS: Mapping[str, Place] = {
    "manylinux_2_17_x86_64": Place(62, "bookworm-amd64", 11, ("manylinux_2_28_x86_64",)),
    "manylinux_2_17_aarch64": Place(183, "bookworm-arm64", 11, ("manylinux_2_28_aarch64",)),
    "musllinux_1_2_x86_64": Place(62, "musl-amd64", 11, ()),
    "manylinux_2_31_riscv64": Place(243, "trixie-riscv64", 13, ()),
}


class Project(NamedTuple):
    """An sdist on the index; `use` imports the extension itself, not a fallback in Python.

    `backend` is the module of the backend, and `settings` are settings for it. `needs` are
    projects that it imports, as names and versions. `refused` is in manyshim's line about why the
    project cannot be compiled for the targets in `refused_on`.
    """

    name: str
    version: str
    backend: str
    language: str
    use: str
    settings: Tuple[str, ...] = ()
    needs: Tuple[Tuple[str, str], ...] = ()
    refused: str = ""
    refused_on: Tuple[str, ...] = ()


_MESON, _CMAKE = "mesonpy", "scikit_build_core.build"
_NUMPY = ("numpy", "2.4.6")

PROJECTS = (
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
        *(*_NUMPY, _MESON, "C, C++, Cython"),
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
    Project(
        *("pymetis", "2025.2.2", _MESON, "C, C++, pybind11"),
        "import pymetis\ncut, parts = pymetis.part_graph(2, adjacency=[[1], [0], [3], [2]])\n"
        "assert cut == 0 and parts[0] == parts[1] != parts[2] == parts[3]",
        needs=(_NUMPY, ("typing-extensions", "4.16.0")),
    ),
    Project(
        *("mapbox_earcut", "2.1.0", _CMAKE, "C++, nanobind"),
        "import numpy, mapbox_earcut as m\n"
        "corners = numpy.array([[0, 0], [1, 0], [1, 1], [0, 1]], dtype=numpy.float32)\n"
        "made = m.triangulate_float32(corners, numpy.array([4], dtype=numpy.uint32))\n"
        "assert len(made) == 6 and set(made.tolist()) == {0, 1, 2, 3}",
        needs=(_NUMPY,),
        refused="the build imports a module that it compiled for the target, to write its stubs",
        refused_on=tuple(TARGETS)[1:],
    ),
    Project(
        *("spglib", "2.8.0", _CMAKE, "C, C++, pybind11"),
        "import numpy, spglib\n"
        "cell = (numpy.eye(3), [[0.0, 0.0, 0.0], [0.5, 0.5, 0.5]], [1, 1])\n"
        "assert spglib.get_spacegroup(cell).startswith('Im-3m')",
        needs=(_NUMPY, ("typing-extensions", "4.16.0")),
    ),
    Project(
        *("phik", "0.12.5", _CMAKE, "C++, pybind11"),
        # The package imports scipy and pandas; the extension needs numpy only.
        "import glob, importlib.util, sys\n"
        "(path,) = (found for one in sys.path for found in glob.glob(f'{one}/phik/lib/*.so'))\n"
        "name = path.rsplit('/')[-1].split('.')[0]\n"
        "spec = importlib.util.spec_from_file_location(name, path)\n"
        "module = importlib.util.module_from_spec(spec)\nspec.loader.exec_module(module)\n"
        "assert [one for one in dir(module) if 'sim' in one]",
        needs=(_NUMPY,),
    ),
    Project(
        *("awkward_cpp", "57", _CMAKE, "C++, pybind11"),
        "import numpy\nfrom awkward_cpp.lib import _ext\n"
        "made = _ext.ArrayBuilder()\n"
        "[made.integer(one) for one in (1, 2, 3)]\n"
        "assert len(made) == 3, made",
        needs=(_NUMPY,),
    ),
)
