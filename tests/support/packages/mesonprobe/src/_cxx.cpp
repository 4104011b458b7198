#include <Python.h>
#include <stdexcept>
#include <string>

static PyObject *caught(PyObject *self, PyObject *ignored)
{
    try {
        throw std::runtime_error(std::string("thrown ") + "here");
    } catch (const std::exception &error) {
        return PyUnicode_FromString(error.what());
    }
}

static PyMethodDef methods[] = {{"caught", caught, METH_NOARGS, NULL}, {NULL}};
static struct PyModuleDef module = {PyModuleDef_HEAD_INIT, "_cxx", NULL, 0, methods};

PyMODINIT_FUNC PyInit__cxx(void)
{
    return PyModule_Create(&module);
}
