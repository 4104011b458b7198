"""Compile a wheel whose one extension module needs an external library of 100 MB."""

from __future__ import annotations

import os
import subprocess

from bench import extension

_SIZE = 100_000_000

_SOURCE = """\
#define PY_SSIZE_T_CLEAN
#include <Python.h>

extern const unsigned char large_data[];

static PyObject *first(PyObject *self, PyObject *args)
{
    return Py_BuildValue("i", large_data[0]);
}
static PyMethodDef methods[] = {{"first", first, METH_NOARGS, NULL}, {NULL, NULL, 0, NULL}};
static struct PyModuleDef module = {PyModuleDef_HEAD_INIT, "large", NULL, -1, methods};
PyMODINIT_FUNC PyInit_large(void) { return PyModule_Create(&module); }
"""

_LIBRARY = """\
    .section .rodata
    .globl large_data
    .type large_data, %object
large_data:
    .incbin "{data}"
    .size large_data, . - large_data
    .section .note.GNU-stack, "", %progbits
"""


def build(folder: str) -> str:
    """Compile the library and the extension, and pack the extension; return the wheel's path.

    Raises OSError or subprocess.CalledProcessError where there is no compiler or no header.
    """
    data, source, library = (
        os.path.join(folder, name) for name in ("large.bin", "large.s", "liblarge.so")
    )
    with open(data, "wb") as file:
        file.writelines(b"%015x\n" % number for number in range(0, _SIZE, 16))
    with open(source, "w", encoding="utf-8") as file:
        file.write(_LIBRARY.format(data=data))
    command = ["cc", "-shared", "-nostdlib", "-Wl,-soname,liblarge.so", "-o", library, source]
    subprocess.run(command, check=True, capture_output=True)
    search = (f"-L{folder}", "-llarge", f"-Wl,-rpath,{folder}")
    return extension.build(folder, "large", _SOURCE, (), search)
