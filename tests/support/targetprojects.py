"""Real projects with C and C++ extensions, and a use of each extension."""

from __future__ import annotations

from typing import NamedTuple, Tuple

# By target: e_machine of its files (ELF gABI), and the system on which they are used.
TARGETS = {
    "manylinux_2_17_x86_64": (62, "bookworm-amd64"),
    "manylinux_2_17_aarch64": (183, "bookworm-arm64"),
    "musllinux_1_2_x86_64": (62, "musl-amd64"),
}


class Project(NamedTuple):
    """An sdist on the index; `use` imports the extension itself, not a fallback in Python."""

    name: str
    version: str
    language: str
    use: str
    # Pure Python projects that it imports.
    needs: Tuple[str, ...] = ()


PROJECTS = (
    Project(
        *("xxhash", "3.5.0", "C"),
        'import xxhash\nassert xxhash.xxh64(b"").hexdigest() == "ef46db3751d8e999"\n'
        'assert xxhash.xxh3_64(b"x" * 999).intdigest() > 0',
    ),
    Project(
        *("immutables", "0.20", "C"),
        "import immutables\nfrom immutables._map import Map\nassert immutables.Map is Map\n"
        "one = Map(a=1)\ntwo = one.set('b', 2)\n"
        "assert (len(one), dict(two)) == (1, {'a': 1, 'b': 2})",
    ),
    Project(
        *("pycryptodome", "3.20.0", "C"),
        "from Crypto.Cipher import AES\nfrom Crypto.Hash import SHA256\n"
        "from Crypto.PublicKey import ECC\ncipher = AES.new(bytes(16), AES.MODE_ECB)\n"
        "assert cipher.encrypt(bytes(16)).hex() == '66e94bd4ef8a2c3b884cfa59ca342b2e'\n"
        "assert SHA256.new(b'abc').hexdigest().startswith('ba7816bf8f01cfea')\n"
        "assert ECC.generate(curve='P-256').pointQ.size_in_bits() == 256",
    ),
    Project(
        *("protobuf", "5.28.0", "C"),
        "from google.protobuf import struct_pb2\n"
        "from google.protobuf.internal import api_implementation\n"
        "assert api_implementation.Type() == 'upb'\n"
        "made = struct_pb2.Struct()\nmade['a'] = [1, 'b']\n"
        "again = struct_pb2.Struct.FromString(made.SerializeToString())\nassert again == made",
    ),
    Project(
        *("tornado", "6.4.1", "C"),
        "from tornado.speedups import websocket_mask\n"
        'assert websocket_mask(b"abcd", b"ABCDabcd") == b"    \\x00\\x00\\x00\\x00"',
    ),
    Project(
        *("hiredis", "3.0.0", "C"),
        "import hiredis\nreader = hiredis.Reader()\n"
        'reader.feed(b"*2\\r\\n$5\\r\\nhello\\r\\n:42\\r\\n")\n'
        'assert reader.gets() == [b"hello", 42]\n'
        'assert hiredis.pack_command(("GET", "a")) == b"*2\\r\\n$3\\r\\nGET\\r\\n$1\\r\\na\\r\\n"',
    ),
    Project(
        *("Brotli", "1.1.0", "C"),
        'import brotli\ndata = b"some text " * 999\npacked = brotli.compress(data)\n'
        "assert len(packed) < 100 and brotli.decompress(packed) == data\n"
        'try:\n    brotli.decompress(b"no brotli")\nexcept brotli.error:\n    pass\n'
        'else:\n    raise AssertionError("that was no brotli")',
    ),
    Project(
        *("setproctitle", "1.3.3", "C"),
        "import setproctitle\nsetproctitle.setproctitle('me')\n"
        "assert setproctitle.getproctitle() == 'me'",
    ),
    Project(
        *("python-rapidjson", "1.20", "C++"),
        "import rapidjson\n"
        'data = {"a": [1, 2.5, None, "\\u00e9"]}\n'
        "assert rapidjson.loads(rapidjson.dumps(data, sort_keys=True)) == data\n"
        'try:\n    rapidjson.loads("{")\nexcept rapidjson.JSONDecodeError:\n    pass\n'
        'else:\n    raise AssertionError("that was no JSON")',
    ),
    Project(
        *("zope.interface", "7.0.3", "C"),
        "from zope.interface import Interface, implementer, providedBy\n"
        "from zope.interface import _zope_interface_coptimizations as fast\n"
        "class IHere(Interface):\n    pass\n"
        "@implementer(IHere)\nclass Here:\n    pass\n"
        "assert IHere.providedBy(Here()) and providedBy is fast.providedBy\n"
        "assert IHere(Here())",
    ),
    Project(
        *("mmh3", "4.1.0", "C"),
        'import mmh3\nassert mmh3.hash("foo") == -156908512\n'
        'assert mmh3.hash128(b"foo", 42, True) > 0',
    ),
    Project(
        *("pyahocorasick", "2.1.0", "C"),
        "import ahocorasick\nfound = ahocorasick.Automaton()\n"
        'for number, word in enumerate(("he", "she")):\n    found.add_word(word, number)\n'
        'found.make_automaton()\nassert list(found.iter("ushers")) == [(3, 1), (3, 0)]',
    ),
    Project(
        *("editdistance", "0.8.1", "C++"),
        'import editdistance\nassert editdistance.eval("banana", "bahama") == 2',
    ),
    Project(
        *("greenlet", "3.1.1", "C++, assembly"),
        "from greenlet import getcurrent, greenlet\nseen = []\n"
        "def one():\n    seen.append(1)\n    other.switch()\n    seen.append(3)\n"
        "def two():\n    seen.append(2)\n    raise ValueError\n"
        "first = greenlet(one)\nother = greenlet(two, first)\n"
        "try:\n    first.switch()\nexcept ValueError:\n    seen.append(4)\n"
        "assert seen == [1, 2, 4], seen",
    ),
    Project(
        *("kiwisolver", "1.4.7", "C++"),
        "import kiwisolver as k\nx = k.Variable('x')\nsolver = k.Solver()\n"
        "solver.addConstraint(x >= 5)\nsolver.updateVariables()\nassert x.value() == 5\n"
        "try:\n    solver.addConstraint((x <= 4) | 'required')\n"
        "except k.UnsatisfiableConstraint:\n    pass\n"
        "else:\n    raise AssertionError('that cannot hold')",
    ),
    Project(
        *("msgpack", "1.1.0", "C"),
        "import msgpack\nfrom msgpack import _cmsgpack\n"
        "assert msgpack.Packer is _cmsgpack.Packer\n"
        "data = {'a': [1, 2.5, b'x', None, 2**63]}\n"
        "assert msgpack.unpackb(msgpack.packb(data)) == data",
    ),
    Project(
        *("ujson", "5.10.0", "C++"),
        "import ujson\ndata = {'a': [1, 2.5, None, '\\u00e9', 1e300]}\n"
        "assert ujson.loads(ujson.dumps(data)) == data",
    ),
)
