"""What the packages of scripts/data/patched_wheels.json do after all their files were patched."""

from __future__ import annotations

import re

_ALL = """
[cffi]
import cffi
ffi = cffi.FFI()
ffi.cdef("int abs(int);")
assert ffi.dlopen(None).abs(-3) == 3
[contourpy]
import contourpy
assert contourpy.contour_generator(z=[[0, 1], [1, 2]]).lines(0.5)
[cryptography]
from cryptography.fernet import Fernet
key = Fernet(Fernet.generate_key())
assert key.decrypt(key.encrypt(b"a")) == b"a"
[duckdb]
import duckdb
assert duckdb.sql("select 6 * 7").fetchall() == [(42,)]
[fonttools]
from fontTools.misc import bezierTools
assert bezierTools.__file__.endswith(".so")
[grpcio]
import grpc
grpc.insecure_channel("localhost:1").close()
[h5py]
import h5py
with h5py.File("x", "w", driver="core", backing_store=False) as file:
    file["a"] = [1, 2]
    assert file["a"][1] == 2
[kiwisolver]
import kiwisolver
kiwisolver.Solver()
[lightgbm]
import lightgbm, numpy
lightgbm.train({"verbose": -1}, lightgbm.Dataset(numpy.eye(40), numpy.arange(40)), 2)
[llvmlite]
import llvmlite.binding
llvmlite.binding.initialize_native_target()
llvmlite.binding.Target.from_default_triple()
[lxml]
from lxml import etree
assert etree.fromstring("<a><b/></a>")[0].tag == "b"
[matplotlib]
import matplotlib
matplotlib.use("agg")
from matplotlib import pyplot
pyplot.plot([1, 2])
pyplot.savefig("x.png")
[numba]
import numba
assert numba.njit(lambda a: a + 1)(1) == 2
[numpy]
import numpy
assert numpy.linalg.inv(numpy.eye(9))[8, 8] == 1
numpy.fft.fft([1, 2])
[opencv-python-headless]
import cv2, numpy
assert cv2.resize(numpy.zeros((4, 4)), (2, 2)).shape == (2, 2)
[orjson]
import orjson
assert orjson.loads(orjson.dumps([1])) == [1]
[pillow]
import io
from PIL import Image, features
assert features.check("freetype2")
for kind in ("PNG", "JPEG", "WEBP", "TIFF"):
    Image.new("RGB", (9, 9)).save(io.BytesIO(), kind)
[polars]
import polars
assert polars.DataFrame({"a": [1, 2]}).sum()["a"][0] == 3
[psycopg2-binary]
import psycopg2
assert psycopg2.__libpq_version__ > 90000
[pydantic_core]
from pydantic_core import SchemaValidator
assert SchemaValidator({"type": "int"}).validate_python("3") == 3
[PySide6-Essentials]
from PySide6.QtCore import QCoreApplication
QCoreApplication([]).processEvents()
[pyzmq]
import zmq
context = zmq.Context()
context.socket(zmq.PUB).close()
context.term()
[ruff]
import os, subprocess
os.chmod("scripts/bin/ruff", 0o755)
assert b"ruff" in subprocess.check_output(["scripts/bin/ruff", "--version"])
[scipy]
import numpy, scipy.linalg, scipy.special, scipy.sparse.linalg
assert scipy.linalg.lu(numpy.eye(3))[2][0, 0] == 1
[shapely]
import shapely
assert shapely.box(0, 0, 2, 2).buffer(1).area > 4
[tokenizers]
import tokenizers, tokenizers.models
tokenizers.Tokenizer(tokenizers.models.BPE())
[uvloop]
import asyncio, uvloop
uvloop.run(asyncio.sleep(0))
"""
_PARTS = re.split(r"^\[(\S+)\]\n", _ALL, flags=re.MULTILINE)[1:]
# Each program prints "ok" at its end.
IMPORTS = {name: f"{code}print('ok')\n" for name, code in zip(_PARTS[::2], _PARTS[1::2])}
