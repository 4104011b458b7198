"""Make a wheel of 100,000 members, of which 10,000 are ELF files; equal inputs give equal bytes."""

from __future__ import annotations

import os
import zipfile
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from hashlib import sha256

from bench import extension

PACKAGES = 10_000
MEMBERS = 100_000

# Each file has another number in place of the mark, so that no two of them are equal.
_MARK = b"number xxxxx"

_SOURCE = """\
#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <math.h>

static const char number[] = "%s";

static PyObject *measure(PyObject *self, PyObject *args)
{
    double width;
    if (!PyArg_ParseTuple(args, "d", &width))
        return NULL;
    return Py_BuildValue("ds", sin(width), number);
}
static PyMethodDef methods[] = {{"measure", measure, METH_VARARGS, NULL}, {NULL, NULL, 0, NULL}};
static struct PyModuleDef module = {PyModuleDef_HEAD_INIT, "part", NULL, -1, methods};
PyMODINIT_FUNC PyInit_part(void) { return PyModule_Create(&module); }
"""

# Without these the linker's version and the paths of this machine would be in each file, and pages
# of zeros between its parts.
_FLAGS = ("-fno-ident", "-Wl,--build-id=none", "-Wl,-z,noseparate-code", "-s")


def build(folder: str, packages: int = PACKAGES, members: int = MEMBERS) -> str:
    """Compile one extension module and pack it once in each package; return the wheel's path.

    The rest of the members are small sources, and three files of metadata. Raises OSError or
    subprocess.CalledProcessError where there is no compiler or no header.
    """
    source = _SOURCE % _MARK.decode()
    library = extension.compiled(folder, "part", source, _FLAGS, ("-lm",))
    with open(library, "rb") as file:
        module = file.read()
    tag = extension.tag()
    path = os.path.join(folder, f"scale-1-{tag}.whl")
    record = []
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in _contents(os.path.basename(library), module, packages, members, tag):
            # This ZipInfo has the time 1980-01-01.
            info = zipfile.ZipInfo(name)
            info.external_attr = 0o100644 << 16
            info.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(info, data)
            digest = urlsafe_b64encode(sha256(data).digest()).rstrip(b"=").decode()
            record.append(f"{name},sha256={digest},{len(data)}\n")
        name = "scale-1.dist-info/RECORD"
        info = zipfile.ZipInfo(name)
        info.external_attr = 0o100644 << 16
        info.compress_type = zipfile.ZIP_DEFLATED
        archive.writestr(info, "".join((*record, f"{name},,\n")))
    return path


def _contents(
    file_name: str, module: bytes, packages: int, members: int, tag: str
) -> Iterator[tuple[str, bytes]]:
    """Yield the name and the bytes of each member but RECORD."""
    sources = members - packages - 3
    for number in range(packages):
        yield f"scale/p{number:05}/{file_name}", module.replace(_MARK, b"number %05d" % number)
        for source in range(sources // packages + (number < sources % packages)):
            text = f'"""Source {source} of package {number}."""\n\nNUMBER = {source * number}\n'
            yield f"scale/p{number:05}/m{source}.py", text.encode()
    yield "scale-1.dist-info/METADATA", extension.METADATA.format(name="scale").encode()
    yield "scale-1.dist-info/WHEEL", extension.WHEEL.format(tag=tag).encode()
