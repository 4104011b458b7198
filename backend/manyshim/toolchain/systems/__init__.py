"""Build systems with settings of their own for another machine: Meson and CMake."""
