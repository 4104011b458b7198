"""Compile a wheel whose one extension module needs this machine's libssl and libcrypto."""

from __future__ import annotations

from bench import extension

_SOURCE = """\
#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>

static PyObject *ciphers(PyObject *self, PyObject *args)
{
    SSL_CTX *context = SSL_CTX_new(TLS_method());
    if (context == NULL)
        return PyErr_NoMemory();
    int number = sk_SSL_CIPHER_num(SSL_CTX_get_ciphers(context));
    SSL_CTX_free(context);
    return Py_BuildValue("is", number, EVP_MD_get0_name(EVP_sha256()));
}
static PyMethodDef methods[] = {{"ciphers", ciphers, METH_NOARGS, NULL}, {NULL, NULL, 0, NULL}};
static struct PyModuleDef module = {PyModuleDef_HEAD_INIT, "secure", NULL, -1, methods};
PyMODINIT_FUNC PyInit_secure(void) { return PyModule_Create(&module); }
"""


def build(folder: str) -> str:
    """Compile the extension and pack it; return the wheel's path.

    Raises OSError or subprocess.CalledProcessError where there is no compiler or no header.
    """
    return extension.build(folder, "secure", _SOURCE, (), ("-lssl", "-lcrypto"))
