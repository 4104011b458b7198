#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>

int relay_a(void);

static PyObject *chain(PyObject *self, PyObject *none)
{
    return PyLong_FromLong(relay_a());
}

static PyObject *sha256(PyObject *self, PyObject *argument)
{
    char *data;
    Py_ssize_t size;
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned int length = 0;

    if (PyBytes_AsStringAndSize(argument, &data, &size))
        return NULL;
    if (!EVP_Digest(data, size, digest, &length, EVP_sha256(), NULL))
        return PyErr_Format(PyExc_RuntimeError, "EVP_Digest failed");
    return PyBytes_FromStringAndSize((char *)digest, length);
}

/* Whether libssl makes a context, which takes libcrypto's tables. */
static PyObject *opened(PyObject *self, PyObject *none)
{
    SSL_CTX *context = SSL_CTX_new(TLS_client_method());

    if (!context)
        Py_RETURN_FALSE;
    SSL_CTX_free(context);
    Py_RETURN_TRUE;
}

static PyMethodDef methods[] = {
    {"chain", chain, METH_NOARGS, "Call through the chain of libraries."},
    {"sha256", sha256, METH_O, "Hash bytes with libcrypto."},
    {"opened", opened, METH_NOARGS, "Make a context of libssl."},
    {NULL, NULL, 0, NULL},
};

static struct PyModuleDef module = {PyModuleDef_HEAD_INIT, "_relay", NULL, 0, methods};

PyMODINIT_FUNC PyInit__relay(void)
{
    return PyModule_Create(&module);
}
