#include <nanobind/nanobind.h>

NB_MODULE(_nb, module) {
    module.def("sum", [](int one, int two) { return one + two; });
}
