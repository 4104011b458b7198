"""A wheel with one extension module that carries its debug information, compiled here."""

from __future__ import annotations

import os
import shutil
import subprocess
import sysconfig
import zipfile

_FUNCTIONS = 400

_HEAD = """\
#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <math.h>
#include <string.h>
"""

_FUNCTION = """
struct shape_{n} {{ double width, height; Py_ssize_t corners; char name[{n} + 1]; }};

static PyObject *measure_{n}(PyObject *self, PyObject *args)
{{
    struct shape_{n} shape;
    const char *name;
    if (!PyArg_ParseTuple(args, "ddns", &shape.width, &shape.height, &shape.corners, &name))
        return NULL;
    strncpy(shape.name, name, sizeof shape.name - 1);
    shape.name[sizeof shape.name - 1] = 0;
    double area = 0;
    for (Py_ssize_t corner = 0; corner < shape.corners; corner++)
        area += sin(corner * shape.width + {n}) * pow(shape.height, corner % 7);
    return Py_BuildValue("ds", area, shape.name);
}}
"""

_TAIL = """
static PyMethodDef methods[] = {{
{methods}
    {{NULL, NULL, 0, NULL}}
}};
static struct PyModuleDef module = {{PyModuleDef_HEAD_INIT, "shapes", NULL, -1, methods}};
PyMODINIT_FUNC PyInit_shapes(void) {{ return PyModule_Create(&module); }}
"""

_WHEEL = "Wheel-Version: 1.0\nGenerator: bench\nRoot-Is-Purelib: false\nTag: {tag}\n"
_METADATA = "Metadata-Version: 2.1\nName: shapes\nVersion: 1\n"


def build(folder: str) -> str:
    """Compile the extension with -g3 and pack it; return the wheel's path.

    Raises OSError or subprocess.CalledProcessError where there is no compiler or no Python.h.
    """
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None:
        raise OSError("there is no C compiler")
    version = sysconfig.get_config_var("py_version_nodot")
    tag = f"cp{version}-cp{version}-linux_{os.uname().machine}"
    module = f"shapes{sysconfig.get_config_var('EXT_SUFFIX')}"
    source, library = os.path.join(folder, "shapes.c"), os.path.join(folder, module)
    with open(source, "w", encoding="utf-8") as file:
        file.write(_source())
    include = sysconfig.get_paths()["include"]
    flags = ("-O2", "-g3", "-fPIC", "-shared", "-I", include)
    subprocess.run(
        [compiler, *flags, "-o", library, source, "-lm"], check=True, capture_output=True
    )
    path = os.path.join(folder, f"shapes-1-{tag}.whl")
    info = "shapes-1.dist-info"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.write(library, module)
        archive.writestr(f"{info}/METADATA", _METADATA)
        archive.writestr(f"{info}/WHEEL", _WHEEL.format(tag=tag))
        names = (module, *(f"{info}/{name}" for name in ("METADATA", "WHEEL", "RECORD")))
        archive.writestr(f"{info}/RECORD", "".join(f"{name},,\n" for name in names))
    return path


def _source() -> str:
    methods = "\n".join(
        f'    {{"measure_{n}", measure_{n}, METH_VARARGS, NULL}},' for n in range(_FUNCTIONS)
    )
    functions = "".join(_FUNCTION.format(n=n) for n in range(_FUNCTIONS))
    return _HEAD + functions + _TAIL.format(methods=methods)
