"""Build an extension, a library for ctypes and a program; RELAY_LIBS has their libraries."""

import os
import subprocess

from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext

# After setuptools, which provides distutils where Python has none.
from distutils.command.build_scripts import build_scripts  # isort: skip

FOLDER = os.environ["RELAY_LIBS"]


class BuildExt(build_ext):
    """Gives the library for ctypes the name of a library, not of a module."""

    def get_ext_filename(self, fullname: str) -> str:
        """Return the file's path in the wheel."""
        if fullname.endswith("libplugin"):
            return os.path.join(*fullname.split(".")) + ".so"
        return str(super().get_ext_filename(fullname))  # type: ignore[no-untyped-call]


class BuildScripts(build_scripts):
    """Compiles the program."""

    def run(self) -> None:
        """Compile the program into the folder of scripts."""
        os.makedirs(self.build_dir, exist_ok=True)
        target = os.path.join(self.build_dir, "relay-program")
        source = os.path.join("src", "program.c")
        libraries = [f"-L{FOLDER}", "-lrelay_a", f"-Wl,-rpath-link,{FOLDER}"]
        subprocess.run(["cc", "-O1", source, "-o", target, *libraries], check=True)


setup(
    package_dir={"": "src"},
    packages=["relay"],
    scripts=["src/program.c"],
    cmdclass={"build_ext": BuildExt, "build_scripts": BuildScripts},
    ext_modules=[
        Extension(
            "relay._relay",
            ["src/_relay.c"],
            library_dirs=[FOLDER],
            libraries=["relay_a", "ssl", "crypto"],
            extra_link_args=[f"-Wl,-rpath-link,{FOLDER}"],
        ),
        Extension(
            "relay.libplugin",
            ["src/plugin.c"],
            library_dirs=[FOLDER],
            libraries=["relay_b"],
            extra_link_args=[f"-Wl,-rpath-link,{FOLDER}"],
        ),
    ],
)
