#include <Python.h>
#include "facts.h"

static PyObject *facts(PyObject *self, PyObject *ignored)
{
    return Py_BuildValue("{s:i,s:i,s:i,s:i,s:i,s:i,s:i,s:i,s:s}", "long", FOUND_LONG, "real long",
                         (int)sizeof(long), "pointer", FOUND_POINTER, "arc4random",
                         HAVE_ARC4RANDOM, "getpid", HAVE_GETPID, "zlib", HAVE_ZLIB, "greeting",
                         HAVE_GREETING, "option", OPTION, "file", __FILE__);
}

static PyMethodDef methods[] = {{"facts", facts, METH_NOARGS, NULL}, {NULL}};
static struct PyModuleDef module = {PyModuleDef_HEAD_INIT, "_c", NULL, 0, methods};

PyMODINIT_FUNC PyInit__c(void)
{
    return PyModule_Create(&module);
}
