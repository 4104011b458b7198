#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <fcntl.h>
#include <sys/pidfd.h>

static int watch(pid_t process)
{
    return pidfd_open(process, 0);
}

static int keep(int file)
{
    return fcntl(file, F_SETFD, 0);
}

static PyObject *open_process(PyObject *module, PyObject *argument)
{
    return PyLong_FromLong(keep(watch((pid_t)PyLong_AsLong(argument))));
}

static PyMethodDef methods[] = {{"open_process", open_process, METH_O, NULL}, {NULL}};

static struct PyModuleDef module = {PyModuleDef_HEAD_INIT, "_watch", NULL, 0, methods};

PyMODINIT_FUNC PyInit__watch(void)
{
    return PyModule_Create(&module);
}
