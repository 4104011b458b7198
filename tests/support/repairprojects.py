"""Real projects whose wheels need external libraries, each with code that uses its library."""

from __future__ import annotations

from typing import Mapping, NamedTuple, Tuple


class Project(NamedTuple):
    """An sdist on the index, the Debian packages for its build, and code that uses the library.

    `use` is the code; sys.argv[1] is an empty folder. `needs` are the packages that it needs.
    `unpinned`: its build requires other versions than those of pyproject.toml's constraints.
    """

    name: str
    version: str
    debian: Tuple[str, ...]
    use: str
    environ: Mapping[str, str] = {}
    needs: Tuple[str, ...] = ()
    small: bool = False
    unpinned: bool = False


_PSYCOPG2 = """
import psycopg2
import psycopg2.extensions as e
assert e.libpq_version() >= 100000
assert e.parse_dsn("host=here port=5") == {"host": "here", "port": "5"}
assert e.encrypt_password("secret", "me", algorithm="md5") == "md5ae557034da7821f8788e6ba4bd9926f3"
try:
    psycopg2.connect("host=127.0.0.1 port=1 sslmode=require connect_timeout=5")
except psycopg2.OperationalError as error:
    assert "127.0.0.1" in str(error), error
else:
    raise AssertionError("the connection must fail")
"""
_LMDB = """
import sys
import lmdb
with lmdb.open(sys.argv[1]) as environment:
    with environment.begin(write=True) as transaction:
        for number in range(1000):
            assert transaction.put(b"%04d" % number, b"x" * number)
    with environment.begin() as transaction:
        assert [len(value) for _, value in transaction.cursor()] == list(range(1000))
assert lmdb.version() >= (0, 9, 24)
"""
_CFFI = """
import cffi
ffi = cffi.FFI()
ffi.cdef("int abs(int); void qsort(void *, size_t, size_t, int (*)(const void *, const void *));")
libc = ffi.dlopen(None)
assert libc.abs(-5) == 5

@ffi.callback("int(const void *, const void *)")
def compare(one, other):
    return ffi.cast("int *", one)[0] - ffi.cast("int *", other)[0]

numbers = ffi.new("int[]", [3, 1, 2])
libc.qsort(numbers, 3, ffi.sizeof("int"), compare)
assert list(numbers) == [1, 2, 3]
"""
_LXML = """
from lxml import etree, objectify, html
sheet = etree.XML('''<xsl:stylesheet version="1.0"
    xmlns:xsl="http://www.w3.org/1999/XSL/Transform" xmlns:m="http://exslt.org/math"
    extension-element-prefixes="m">
  <xsl:template match="/"><top><xsl:value-of select="m:max(//n)"/></top></xsl:template>
</xsl:stylesheet>''')
root = etree.XML("<a><n>3</n><n>7</n></a>")
assert str(etree.XSLT(sheet)(root)).strip().endswith("<top>7</top>")
assert html.fromstring("<p>one<p>two").xpath("string(//p[2])") == "two"
assert objectify.fromstring("<a><n>3</n></a>").n == 3
schema = etree.XMLSchema(etree.XML('''<x:schema xmlns:x="http://www.w3.org/2001/XMLSchema">
  <x:element name="n" type="x:int"/></x:schema>'''))
assert schema.validate(etree.XML("<n>5</n>")) and not schema.validate(etree.XML("<n>five</n>"))
"""
_PYCURL = """
import io, socket, threading
import pycurl
server = socket.create_server(("127.0.0.1", 0))

def serve():
    connection, _ = server.accept()
    connection.recv(4096)
    connection.sendall(b"HTTP/1.0 200 OK\\r\\nContent-Length: 5\\r\\n\\r\\nhello")
    connection.close()

threading.Thread(target=serve).start()
body = io.BytesIO()
curl = pycurl.Curl()
curl.setopt(pycurl.URL, "http://127.0.0.1:%d/" % server.getsockname()[1])
curl.setopt(pycurl.NOPROXY, "*")
curl.setopt(pycurl.WRITEDATA, body)
curl.perform()
assert body.getvalue() == b"hello"
# This answer to a ClientHello is not TLS, so libssl reports an error.
other = socket.create_server(("127.0.0.1", 0))
threading.Thread(target=lambda: other.accept()[0].sendall(b"no TLS\\r\\n\\r\\n" * 9)).start()
curl.setopt(pycurl.URL, "https://127.0.0.1:%d/" % other.getsockname()[1])
try:
    curl.perform()
except pycurl.error as error:
    assert error.args[0] == pycurl.E_SSL_CONNECT_ERROR and "SSL" in error.args[1], error
else:
    raise AssertionError("the answer was not TLS")
assert "OpenSSL/3" in pycurl.version
"""
_PILLOW = """
import io
from PIL import Image, ImageCms, ImageFont, _imagingmath, _imagingmorph, features
image = Image.linear_gradient("L").convert("RGB")
for kind, options in {
    "JPEG": {}, "PNG": {}, "WEBP": {"lossless": True}, "JPEG2000": {},
    "TIFF": {"compression": "tiff_lzw"},
}.items():
    file = io.BytesIO()
    image.save(file, kind, **options)
    back = Image.open(io.BytesIO(file.getvalue())).convert("RGB")
    assert abs(back.getpixel((9, 200))[0] - 200) < 9, kind
profile = ImageCms.createProfile("sRGB")
assert ImageCms.profileToProfile(image, profile, profile).size == image.size
assert features.check("freetype2") and ImageFont.core.freetype2_version
"""
_LDAP = """
import ldap, ldap.dn
assert ldap.dn.str2dn("cn=one+sn=two,dc=here") == [
    [("cn", "one", 1), ("sn", "two", 1)], [("dc", "here", 1)]]
link = ldap.initialize("ldaps://127.0.0.1:1")
link.set_option(ldap.OPT_NETWORK_TIMEOUT, 5.0)
assert link.get_option(ldap.OPT_API_INFO)["vendor_name"] == "OpenLDAP"
try:
    link.simple_bind_s("cn=one", "secret")
except ldap.SERVER_DOWN:
    pass
else:
    raise AssertionError("the connection must fail")
assert ldap.SASL_AVAIL and ldap.TLS_AVAIL
"""
_MYSQL = """
import MySQLdb
from MySQLdb import _mysql
assert _mysql.escape_string(b"it's") == b"it\\\\'s"
assert _mysql.get_client_info()
try:
    MySQLdb.connect(host="127.0.0.1", port=1, connect_timeout=5)
except MySQLdb.OperationalError as error:
    assert error.args[0] in (2002, 2003), error
else:
    raise AssertionError("the connection must fail")
"""
_PYGIT2 = """
import sys
import pygit2
repository = pygit2.init_repository(sys.argv[1])
blob = repository.create_blob(b"hello")
assert str(blob) == "b6fc4c620b67d95f953a5c1c1230aaab5db5a1b0"
builder = repository.TreeBuilder()
builder.insert("file", blob, pygit2.GIT_FILEMODE_BLOB)
me = pygit2.Signature("me", "me@example.org", 0, 0)
made = repository.create_commit("refs/heads/main", me, me, "one", builder.write(), [])
assert repository[made].tree["file"].data == b"hello"
try:
    repository.remotes.create("x", "https://127.0.0.1:1/").fetch()
except pygit2.GitError as error:
    assert "127.0.0.1" in str(error), error
"""
_PYCAIRO = """
import io
import cairo
with cairo.ImageSurface(cairo.FORMAT_ARGB32, 40, 40) as surface:
    context = cairo.Context(surface)
    context.set_source_rgb(1, 0, 0)
    context.rectangle(10, 10, 20, 20)
    context.fill()
    context.select_font_face("Sans")
    context.show_text("text")
    file = io.BytesIO()
    surface.write_to_png(file)
back = cairo.ImageSurface.create_from_png(io.BytesIO(file.getvalue()))
start = 20 * back.get_stride() + 20 * 4
assert bytes(back.get_data())[start + 2 : start + 3] == b"\\xff"
assert cairo.cairo_version() >= 11600
"""
_PYNACL = """
import nacl.pwhash, nacl.secret, nacl.signing
box = nacl.secret.SecretBox(b"k" * 32)
assert box.decrypt(box.encrypt(b"hello")) == b"hello"
key = nacl.signing.SigningKey(b"s" * 32)
assert key.verify_key.verify(key.sign(b"hello")) == b"hello"
assert nacl.pwhash.verify(nacl.pwhash.argon2id.str(b"pw", 1, 8192), b"pw")
"""
_SHAPELY = """
import shapely
assert shapely.geos_version >= (3, 9)
disc = shapely.Point(0, 0).buffer(1, quad_segs=64)
assert abs(disc.area - 3.1415) < 0.01
assert shapely.union(disc, shapely.box(5, 5, 6, 6)).geom_type == "MultiPolygon"
try:
    shapely.from_wkt("POINT (1")
except shapely.errors.GEOSException as error:
    assert "ParseException" in str(error)  # thrown in C++, caught in another library
"""

PROJECTS = (
    Project("lmdb", "3.0.0", ("liblmdb-dev",), _LMDB, {"LMDB_FORCE_SYSTEM": "1"}, small=True),
    Project("psycopg2", "2.9.13", ("libpq-dev",), _PSYCOPG2, small=True),
    Project("cffi", "2.1.1", ("libffi-dev",), _CFFI, needs=("pycparser",)),
    Project(
        "lxml", "6.1.3", ("libxml2-dev", "libxslt1-dev"), _LXML,
        {"CFLAGS": "-O0 -g0"},  # otherwise it takes minutes
        unpinned=True,
    ),
    Project("pycurl", "7.49.0", ("libcurl4-openssl-dev", "libssl-dev"), _PYCURL),
    Project(
        "pillow", "13.0.0",
        ("libjpeg-dev", "libtiff-dev", "libfreetype-dev", "libwebp-dev", "liblcms2-dev",
         "libopenjp2-7-dev", "zlib1g-dev"),
        _PILLOW,
    ),
    Project(
        "python-ldap", "3.4.8", ("libldap-dev", "libsasl2-dev"), _LDAP,
        needs=("pyasn1", "pyasn1-modules"),
    ),
    Project("mysqlclient", "2.3.1", ("libmariadb-dev", "pkg-config"), _MYSQL),
    Project("pygit2", "1.11.1", ("libgit2-dev",), _PYGIT2, needs=("cffi",)),
    Project("pycairo", "1.29.2", ("libcairo2-dev", "pkg-config"), _PYCAIRO),
    Project(
        "PyNaCl", "1.5.0", ("libsodium-dev",), _PYNACL, {"SODIUM_INSTALL": "system"},
        needs=("cffi",),
    ),
    Project("shapely", "2.2.0", ("libgeos-dev",), _SHAPELY, needs=("numpy",)),
)  # fmt: skip


class Target(NamedTuple):
    """A system for which projects are compiled with zig and repaired.

    `system` is its name in systems.py, and `python` the version of its Python. `platform` is the
    oldest platform that zig compiles for. `debian` are its packages with the libraries that the
    projects need; without packages, the test compiles the library.
    """

    system: str
    python: Tuple[int, int]
    platform: str
    projects: Tuple[str, ...]
    debian: Tuple[str, ...] = ()

    @property
    def musl(self) -> bool:
        """Whether the system has musl; those with glibc run under qemu-user."""
        return self.platform.startswith("musl")


_FEW = ("lmdb", "cffi", "mysqlclient", "PyNaCl")
_DEV = ("liblmdb-dev", "libffi-dev", "libmariadb-dev", "libsodium-dev")
# This release of pygit2 is for the libgit2 of bookworm only.
_ALL, _ALL_DEV = (*_FEW, "pygit2"), (*_DEV, "libgit2-dev")
TARGETS = (
    Target("bookworm-arm64", (3, 11), "manylinux_2_17_aarch64", _ALL, _ALL_DEV),
    Target("bookworm-armhf", (3, 11), "manylinux_2_17_armv7l", _ALL, _ALL_DEV),
    Target("trixie-riscv64", (3, 13), "manylinux_2_31_riscv64", _FEW, _DEV),
    Target("musl-amd64", (3, 11), "musllinux_1_2_x86_64", ("lmdb",)),
)
CROSS = tuple(
    (project, target)
    for target in TARGETS
    for project in PROJECTS
    if project.name in target.projects
)

# What is copied into the wheels of these projects, by project or by project and system.
LIBRARIES = {
    "lmdb": "liblmdb",
    "cffi": "libffi",
    "mysqlclient": "libcrypto libmariadb libssl",
    "mysqlclient-trixie-riscv64": "libcrypto libmariadb libssl libzstd",
    "PyNaCl": "libsodium",
    "pygit2": "libcom_err libcrypto libgit2 libgssapi_krb5 libhttp_parser libk5crypto libkeyutils "
    "libkrb5 libkrb5support libmbedcrypto libmbedtls libmbedx509 libpcre2-8 libssh2",
}
