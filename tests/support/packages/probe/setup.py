"""Build C and C++ extensions with compiler arguments from the environment."""

import os

from setuptools import Extension, setup

compile_args = os.environ.get("PROBE_COMPILE", "").split()
link_args = os.environ.get("PROBE_LINK", "").split()

extensions = [
    Extension(
        f"probe.{name}",
        [f"src/{source}"],
        extra_compile_args=compile_args,
        extra_link_args=link_args,
    )
    for name, source in (("_c", "_c.c"), ("_cxx", "_cxx.cpp"))
    if name in os.environ.get("PROBE_MODULES", "_c _cxx").split()
]
if os.environ.get("PROBE_OPTIONAL"):
    extensions.append(Extension("probe._lost", ["src/_lost.c"], optional=True))

setup(package_dir={"": "src"}, packages=["probe"], ext_modules=extensions)
