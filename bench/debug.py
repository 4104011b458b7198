"""Compile a wheel with one extension module that contains its debug information."""

from __future__ import annotations

from bench import extension

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


def build(folder: str) -> str:
    """Compile the extension with -g3 and pack it; return the wheel's path.

    Raises OSError or subprocess.CalledProcessError where there is no compiler or no Python.h.
    """
    return extension.build(folder, "shapes", _source(), ("-g3",), ("-lm",))


def _source() -> str:
    methods = "\n".join(
        f'    {{"measure_{n}", measure_{n}, METH_VARARGS, NULL}},' for n in range(_FUNCTIONS)
    )
    functions = "".join(_FUNCTION.format(n=n) for n in range(_FUNCTIONS))
    return _HEAD + functions + _TAIL.format(methods=methods)
