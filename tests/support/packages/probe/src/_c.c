/* facts() -> what the compiler and Python's headers say of the target. */

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <sys/stat.h>

static PyObject *facts(PyObject *module, PyObject *ignored)
{
    int one = 1;
    struct stat found; /* stat came to glibc as a symbol of its own in 2.33 */
    int there = stat("/", &found) == 0;
    return Py_BuildValue(
        "{s(iiii)s(iiii)s(ii)si}",
        "compiler", (int)sizeof(void *), (int)sizeof(long), (int)sizeof(size_t), (int)sizeof(wchar_t),
        "headers", SIZEOF_VOID_P, SIZEOF_LONG, SIZEOF_SIZE_T, SIZEOF_WCHAR_T,
        "big", *(char *)&one == 0, PY_BIG_ENDIAN,
        "stat", there);
}

static PyObject *built(PyObject *module, PyObject *ignored)
{
    return PyUnicode_FromString(__DATE__);
}

static PyMethodDef methods[] = {
    {"facts", facts, METH_NOARGS, NULL}, {"built", built, METH_NOARGS, NULL}, {NULL, NULL, 0, NULL},
};

static struct PyModuleDef module = {
    PyModuleDef_HEAD_INIT, .m_name = "probe._c", .m_size = 0, .m_methods = methods,
};

PyMODINIT_FUNC PyInit__c(void)
{
    return PyModule_Create(&module);
}
