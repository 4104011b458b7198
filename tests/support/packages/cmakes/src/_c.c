#include <Python.h>
#include <pthread.h>

const char *path(void);

static void *work(void *given) {
    *(int *)given = 42;
    return NULL;
}

static PyObject *facts(PyObject *self, PyObject *args) {
    pthread_t thread;
    int answer = 0;
    if (pthread_create(&thread, NULL, work, &answer) || pthread_join(thread, NULL))
        return PyErr_SetFromErrno(PyExc_OSError);
    return Py_BuildValue("{s:s,s:i,s:i,s:i,s:s,s:s,s:i,s:i}", "processor", PROCESSOR,
                         "checked", SIZE_OF_LONG_DOUBLE, "strlcpy", HAVE_STRLCPY,
                         "zlib", FOUND_ZLIB, "given", GIVEN, "path", path(),
                         "size", (int)sizeof(long double), "thread", answer);
}

static PyMethodDef methods[] = {{"facts", facts, METH_NOARGS, NULL}, {NULL, NULL, 0, NULL}};
static struct PyModuleDef module = {PyModuleDef_HEAD_INIT, "_c", NULL, -1, methods};
PyMODINIT_FUNC PyInit__c(void) { return PyModule_Create(&module); }
