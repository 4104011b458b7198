#include <pybind11/pybind11.h>
#include <stdexcept>
#include <string>

PYBIND11_MODULE(_pb, module) {
    module.def("twice", [](const std::string &text) { return text + text; });
    module.def("fail", [] { throw std::runtime_error("thrown"); });
}
