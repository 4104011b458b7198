"""Real projects that adopt manyshim, and a use of what each compiles."""

from __future__ import annotations

from typing import Mapping, NamedTuple, Tuple


class Project(NamedTuple):
    """An sdist on the index; `use` imports the extension itself, not a fallback in Python.

    `debian` and `program` are what its build needs, and `needs` the Python packages for its use.
    `repository` is for backends that list the files of an sdist with git. A `small` one runs in CI.
    For a `pure` one manyshim has nothing to do.
    """

    name: str
    version: str
    kind: str
    use: str = ""
    debian: Tuple[str, ...] = ()
    program: str = ""
    needs: Tuple[str, ...] = ()
    environ: Mapping[str, str] = {}
    repository: bool = False
    small: bool = False
    pure: bool = False


_SETUPTOOLS = (
    Project(
        "markupsafe", "3.0.4", "C",
        "from markupsafe import _speedups, escape\nassert escape('<') == '&lt;'\n"
        "assert _speedups._escape_inner('<') == '&lt;'",
        small=True,
    ),
    Project(
        "xxhash", "4.1.0", "C",
        "import xxhash\nassert xxhash.xxh64(b'').hexdigest() == 'ef46db3751d8e999'",
    ),
    Project(
        "immutables", "0.20", "C",
        "import immutables\nfrom immutables._map import Map\nassert immutables.Map is Map\n"
        "assert dict(Map(a=1).set('b', 2)) == {'a': 1, 'b': 2}",
    ),
    Project(
        "simplejson", "4.3.0", "C",
        "from simplejson import _speedups, dumps\nassert dumps([1]) == '[1]'\n"
        "assert _speedups.encode_basestring_ascii('a') == '\"a\"'",
    ),
    Project(
        "psutil", "7.2.2", "C",
        "import os, psutil\nfrom psutil import _psutil_linux\n"
        "assert psutil.Process().pid == os.getpid()",
    ),
    Project(
        "wrapt", "2.5.2", "C",
        "from wrapt import ObjectProxy, _wrappers\nassert ObjectProxy([1]) == [1]\n"
        "assert issubclass(ObjectProxy, _wrappers.ObjectProxy)",
    ),
    Project(
        "mmh3", "5.3.1", "C", "import mmh3\nassert mmh3.hash('foo') == -156908512",
    ),
    Project(
        "bitarray", "3.12.3", "C",
        "from bitarray import bitarray, _bitarray\nassert bitarray('101').count() == 2",
    ),
    Project(
        "posix-ipc", "1.3.2", "C",
        "import posix_ipc\nassert posix_ipc.O_CREX and posix_ipc.Semaphore",
    ),
    Project(
        "msgpack", "1.2.4", "Cython",
        "import msgpack\nfrom msgpack import _cmsgpack\nassert msgpack.Packer is _cmsgpack.Packer\n"
        "assert msgpack.unpackb(msgpack.packb({'a': [1]})) == {'a': [1]}",
    ),
    Project(
        "kiwisolver", "1.5.1", "C++, cppy",
        "import kiwisolver as k\nx = k.Variable('x')\nsolver = k.Solver()\n"
        "solver.addConstraint(x >= 5)\nsolver.updateVariables()\nassert x.value() == 5",
    ),
    Project(
        "pyclipper", "1.4.0", "C++, Cython",
        "import pyclipper\nassert pyclipper.Area([[0, 0], [2, 0], [2, 2], [0, 2]]) == 4",
    ),
    Project(
        "fast-histogram", "0.14", "C, numpy",
        "from fast_histogram import histogram1d\n"
        "assert list(histogram1d([0.5, 1.5, 1.6], bins=2, range=(0, 2))) == [1, 2]",
    ),
    Project(
        "cmarkgfm", "2025.10.22", "C, cffi",
        "import cmarkgfm\nassert cmarkgfm.markdown_to_html('*a*') == '<p><em>a</em></p>\\n'",
    ),
    # Pinned to an old setuptools
    Project(
        "lru-dict", "1.4.1", "C",
        "from lru import LRU\nkept = LRU(1)\nkept['a'] = 1\nkept['b'] = 2\n"
        "assert kept.keys() == ['b']",
    ),
    Project(
        "httptools", "0.7.1", "C, Cython",
        "import httptools\nassert httptools.parse_url(b'http://a/b').path == b'/b'",
    ),
    Project(
        "zope.interface", "7.2", "C",
        "from zope.interface import Interface, providedBy\n"
        "from zope.interface import _zope_interface_coptimizations as fast\n"
        "assert providedBy is fast.providedBy",
    ),
    Project(
        "zope.proxy", "6.1", "C",
        "from zope.proxy import ProxyBase, _zope_proxy_proxy\nassert ProxyBase(5) == 5\n"
        "assert ProxyBase is _zope_proxy_proxy.ProxyBase",
    ),
    Project(
        "zope.hookable", "7.0", "C",
        "from zope.hookable import hookable, _zope_hookable\n"
        "assert hookable is _zope_hookable.hookable and hookable(len)([1]) == 1",
    ),
    Project(
        "persistent", "6.1.1", "C",
        "from persistent import Persistent, cPersistence\n"
        "assert Persistent is cPersistence.Persistent",
    ),
    # Without a build-backend
    Project(
        "setproctitle", "1.3.8", "C",
        "import setproctitle\nsetproctitle.setproctitle('me')\n"
        "assert setproctitle.getproctitle() == 'me'",
        small=True,
    ),
    Project(
        "ciso8601", "2.4.1", "C",
        "from ciso8601 import parse_datetime\nassert parse_datetime('2020-01-02').day == 2",
    ),
    # Without a pyproject.toml
    Project(
        "pyahocorasick", "2.3.1", "C",
        "import ahocorasick\nfound = ahocorasick.Automaton()\nfound.add_word('he', 1)\n"
        "found.make_automaton()\nassert list(found.iter('he')) == [(1, 1)]",
    ),
)  # fmt: skip
_IN_TREE = (
    Project(
        "frozenlist", "1.8.0", "Cython",
        "import frozenlist\nfrom frozenlist._frozenlist import FrozenList\n"
        "assert frozenlist.FrozenList is FrozenList and list(FrozenList([1])) == [1]",
        small=True,
    ),
    Project(
        "propcache", "0.5.4", "Cython",
        "from propcache.api import cached_property\nfrom propcache import _helpers_c\n"
        "assert cached_property is _helpers_c.cached_property",
    ),
    Project(
        "yarl", "1.25.1", "Cython",
        "from yarl import URL, _quoting, _quoting_c as fast\n"
        "assert _quoting._Quoter is fast._Quoter\nassert URL('http://a/b c').path == '/b c'",
    ),
    Project(
        "charset-normalizer", "3.4.4", "mypyc",
        "from charset_normalizer import from_bytes, md\nassert md.__file__.endswith('.so')\n"
        "assert str(from_bytes(b'some text').best()) == 'some text'",
        environ={"CHARSET_NORMALIZER_USE_MYPYC": "1"},
    ),
    Project(
        "pyyaml", "6.0.4", "Cython, libyaml",
        "import yaml\nassert yaml.load('[1]', yaml.CSafeLoader) == [1]",
        debian=("libyaml-dev",),
    ),
    Project(
        "psycopg-c", "3.3.9", "Cython, libpq",
        "import psycopg\nfrom psycopg import pq\nimport psycopg_c.pq\n"
        "assert pq.__impl__ == 'c' and pq.version() >= 100000",
        debian=("libpq-dev",), needs=("psycopg==3.3.9",),
    ),
    Project(
        "pillow", "13.0.0", "C, pybind11, libjpeg, zlib",
        "import io\nfrom PIL import Image\nfile = io.BytesIO()\n"
        "Image.new('RGB', (8, 8)).save(file, 'JPEG')\n"
        "assert Image.open(io.BytesIO(file.getvalue())).getpixel((1, 1)) == (0, 0, 0)",
        debian=("libjpeg-dev", "zlib1g-dev"),
    ),
    Project(
        "ansible-pylibssh", "1.4.0", "Cython, libssh",
        "from pylibsshext import __libssh_version__\nfrom pylibsshext.session import Session\n"
        "assert Session() and __libssh_version__",
        debian=("libssh-dev",),
    ),
    Project(
        "jarowinkler", "1.2.3", "C++, Cython, scikit-build",
        "import jarowinkler\nassert jarowinkler.jaro_similarity('ab', 'ab') == 1\n"
        "from jarowinkler import _initialize_cpp",
        repository=True,
    ),
    Project(
        "Levenshtein", "0.20.9", "C++, Cython, scikit-build",
        "import Levenshtein\nassert Levenshtein.distance('ab', 'ac') == 1",
        repository=True,
    ),
)  # fmt: skip
_OTHERS = (
    Project(
        "h3", "3.7.7", "C, Cython",
        "import h3\nassert h3.h3_is_valid(h3.geo_to_h3(1.0, 2.0, 5))",
        # Its CMakeLists.txt is older than what today's CMake accepts.
        environ={"CMAKE_POLICY_VERSION_MINIMUM": "3.5"}, repository=True,
    ),
    Project(
        "argon2-cffi-bindings", "26.2.0", "C, cffi",
        "from _argon2_cffi_bindings import ffi, lib\nassert lib.ARGON2_OK == 0",
    ),
    Project(
        "mapbox-earcut", "2.1.0", "C++, nanobind",
        "import numpy\nfrom mapbox_earcut import triangulate_float32 as cut\n"
        "corners = numpy.array([[0, 0], [1, 0], [1, 1]], numpy.float32)\n"
        "assert sorted(cut(corners, numpy.array([3], numpy.uint32))) == [0, 1, 2]",
    ),
    Project(
        "spglib", "2.8.0", "C, C++, pybind11",
        "import spglib\ncell = ([[1, 0, 0], [0, 1, 0], [0, 0, 1]], [[0, 0, 0]], [1])\n"
        "assert spglib.get_spacegroup(cell) == 'Pm-3m (221)'",
    ),
    Project(
        "apexpy", "2.1.1", "Fortran, Cython, numpy",
        "import apexpy\nfrom apexpy import fortranapex\n"
        "assert apexpy.Apex(2015).geo2qd(60, 15, 100)[0] > 0",
        debian=("gfortran",), repository=True,
    ),
    Project(
        "pymongo", "4.20.1", "C",
        "import bson, pymongo\nassert bson.has_c() and pymongo.has_c()\n"
        "assert bson.decode(bson.encode({'a': 1})) == {'a': 1}",
    ),
    Project(
        "ulid-transform", "2.2.9", "C++",
        "from ulid_transform import _ulid_impl, ulid_to_bytes, bytes_to_ulid\n"
        "assert ulid_to_bytes(bytes_to_ulid(bytes(16))) == bytes(16)",
        environ={"REQUIRE_EXTENSION": "1"}, small=True,
    ),
    Project(
        "fnv-hash-fast", "2.0.3", "C",
        "from fnv_hash_fast import _fnv_impl, fnv1a_32\nassert fnv1a_32(b'') == 0x811C9DC5",
        environ={"REQUIRE_EXTENSION": "1"},
    ),
    Project(
        "cached-ipaddress", "1.1.2", "Cython",
        "from cached_ipaddress import ipaddress\nassert ipaddress.__file__.endswith('.so')\n"
        "assert ipaddress.cached_ip_addresses('127.0.0.1').is_loopback",
        environ={"REQUIRE_CYTHON": "1"},
    ),
    Project(
        "editdistance", "0.8.1", "C++, Cython",
        "import editdistance\nassert editdistance.eval('banana', 'bahama') == 2",
        small=True,
    ),
    Project(
        "orjson", "3.13.0", "Rust, vendored crates",
        "import orjson\nassert orjson.loads(orjson.dumps([1])) == [1]",
        program="cargo",
    ),
    Project(
        "amazon-ion", "0.15.0", "C",
        "from amazon.ion import simpleion\nassert simpleion.c_ext\n"
        "assert simpleion.loads('[1]') == [1]",
    ),
    Project("idna", "3.20", "Python", pure=True),
    Project("iniconfig", "2.3.1", "Python", pure=True),
)  # fmt: skip
PROJECTS = (*_SETUPTOOLS, *_IN_TREE, *_OTHERS)
