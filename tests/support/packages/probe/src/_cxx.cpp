// caught(text) -> what an exception said that a thread threw through a map and a stream.

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <exception>
#include <map>
#include <sstream>
#include <stdexcept>
#include <string>
#include <thread>

static PyObject *caught(PyObject *, PyObject *argument)
{
    const char *text = PyUnicode_AsUTF8(argument);
    if (!text)
        return nullptr;
    std::map<std::string, int> lengths{{text, static_cast<int>(std::string(text).size())}};
    std::string told;
    std::thread worker([&] {
        try {
            std::ostringstream stream;
            stream << text << " " << lengths.at(text);
            throw std::runtime_error(stream.str());
        } catch (const std::exception &error) {
            told = error.what();
        }
    });
    worker.join();
    return PyUnicode_FromString(told.c_str());
}

static PyMethodDef methods[] = {
    {"caught", caught, METH_O, nullptr}, {nullptr, nullptr, 0, nullptr},
};

static struct PyModuleDef module = {
    PyModuleDef_HEAD_INIT, "probe._cxx", nullptr, 0, methods, nullptr, nullptr, nullptr, nullptr,
};

PyMODINIT_FUNC PyInit__cxx(void)
{
    return PyModule_Create(&module);
}
