/* draw(width) -> a line of text whose characters follow a sine wave. */

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <math.h>
#include <string.h>

static const char levels[] = "_.-'";

static PyObject *draw(PyObject *module, PyObject *argument)
{
    long width = PyLong_AsLong(argument);
    if (width == -1 && PyErr_Occurred())
        return NULL;
    if (width < 0 || width > 1000) {
        PyErr_SetString(PyExc_ValueError, "width must be from 0 to 1000");
        return NULL;
    }
    char line[1001];
    memset(line, 0, sizeof line);                        /* from libc.so.6 */
    for (long x = 0; x < width; x++) {
        double height = sin((double)x / 2.0);            /* from libm.so.6 */
        line[x] = levels[(int)((height + 1.0) * 1.999)];
    }
    return PyUnicode_FromStringAndSize(line, width);
}

static PyMethodDef methods[] = {
    {"draw", draw, METH_O, "draw(width)\n--\n\nDraw a sine wave of the given width."},
    {NULL, NULL, 0, NULL},
};

static struct PyModuleDef module = {
    PyModuleDef_HEAD_INIT, .m_name = "sample._wave", .m_size = 0, .m_methods = methods,
};

PyMODINIT_FUNC PyInit__wave(void)
{
    return PyModule_Create(&module);
}
