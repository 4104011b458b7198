"""Hostile wheels; docs/evidence/attacks.md has the outcome of each.

Each has few bytes that expand to many. A reader must stay within bounds of time and memory.
"""

from __future__ import annotations

import io
import itertools
import struct
import zlib
from functools import partial
from typing import Callable, Dict, Iterable, List, NamedTuple, Sequence, Tuple

# Bytes, and how often they are repeated.
Chunk = Tuple[bytes, int]
MIB = 1 << 20
SO = b"demo/_x.cpython-311-x86_64-linux-gnu.so"
INFO = b"demo-1.0.dist-info/"
WHEEL = b"Wheel-Version: 1.0\nRoot-Is-Purelib: false\nTag: cp311-cp311-linux_x86_64\n"
NEEDED, HASH, STRTAB, SYMTAB, RELA, RELASZ, STRSZ, SONAME, RPATH = 1, 4, 5, 6, 7, 8, 10, 14, 15
GNU_HASH, VERDEF, VERDEFNUM = 0x6FFFFEF5, 0x6FFFFFFC, 0x6FFFFFFD
VERNEED, VERNEEDNUM = 0x6FFFFFFE, 0x6FFFFFFF
LOAD, DYNAMIC, NOTE, STACK = 1, 2, 4, 0x6474E551


def header(kind: int, offset: int, size: int, ahead: int = 0) -> bytes:
    """Encode a program header; its address is the file offset plus `ahead`."""
    address = offset + ahead
    return struct.pack("<IIQQQQQQ", kind, 6, offset, address, address, size, size, 1)


def elf(
    *parts: Tuple[int, bytes, int],
    entries: Sequence[Tuple[int, int]] = (),
    headers: bytes = b"",
    names: bytes = b"\0libc.so.6\0",
) -> List[Chunk]:
    """Make an x86_64 library of tables; each has a tag or 0, bytes and a repeat count."""
    count = 3 + len(headers) // 56
    start = 64 + 56 * count
    position = start + 16 * (len(entries) + sum(tag != 0 for tag, _, _ in parts) + 3)
    rows, body = list(entries), []
    for tag, data, times in (*parts, (STRTAB, names, 1)):
        padded = data + bytes(-len(data) % 8)
        rows += [(tag, position)] if tag else []
        body.append((padded, times))
        position += len(padded) * times
    rows += [(STRSZ, len(names)), (0, 0)]
    head = b"\x7fELF\2\1\1".ljust(16, b"\0")
    head += struct.pack("<HHIQQQIHHHHHH", 3, 62, 1, 0, 64, 0, 0, 64, 56, count, 64, 0, 0)
    head += header(LOAD, 0, position) + header(DYNAMIC, start, 16 * len(rows)) + headers
    dynamic = b"".join(struct.pack("<QQ", *row) for row in rows)
    return [(head + header(STACK, 0, 0) + dynamic, 1), *body]


def symbol(name: int, *, defined: bool = False) -> bytes:
    return struct.pack("<IBBHQQ", name, 0x10, 0, int(defined), 0, 0)


class Member(NamedTuple):
    """A member as the archive states it; `offset` replaces the true offset unless it is -1."""

    name: bytes
    payload: bytes
    size: int
    crc: int = 0
    offset: int = -1


def member(name: bytes, *chunks: Chunk) -> Member:
    """Deflate a member; repeated bytes are deflated once. Large members have no CRC."""
    payload, size, crc = b"", 0, 0
    for data, times in chunks:
        deflater = zlib.compressobj(6, zlib.DEFLATED, -15)
        payload += (deflater.compress(data) + deflater.flush(zlib.Z_FULL_FLUSH)) * times
        size += len(data) * times
        crc = zlib.crc32(data * times, crc) if size < 64 * MIB else 0
    return Member(name, payload + b"\3\0", size, crc)


def archive(members: Iterable[Member]) -> bytes:
    """Return an archive with local headers, a directory and both kinds of end records."""
    out, central, count = io.BytesIO(), io.BytesIO(), 0
    for one in members:
        count += 1
        at = out.tell() if one.offset < 0 else one.offset
        extra = struct.pack("<HHQ", 1, 8, one.size) if one.size > 0xFFFFFFFE else b""
        sizes = len(one.payload), min(one.size, 0xFFFFFFFF), len(one.name)
        fields = (20, 0x800, 8, 0, 33, one.crc, *sizes)
        out.write(struct.pack("<4s5H3L2H", b"PK\3\4", *fields, 0) + one.name + one.payload)
        rest = (len(extra), 0, 0, 0, 0o644 << 16, at)
        central.write(struct.pack("<4s6H3L5H2L", b"PK\1\2", 0x314, *fields, *rest))
        central.write(one.name + extra)
    start, size, short = out.tell(), central.tell(), min(count, 0xFFFF)
    end = struct.pack("<4sQ2H2L4Q", b"PK\6\6", 44, 45, 45, 0, 0, count, count, size, start)
    end += struct.pack("<4sLQL", b"PK\6\7", 0, start + size, 1)
    end += struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, short, short, size, start, 0)
    return out.getvalue() + central.getvalue() + end


def wheel(*members: Member, record: Chunk = (b"", 0), text: Chunk = (WHEEL, 1)) -> bytes:
    """Return a wheel. Its RECORD lists the members, unless `record` is given."""
    names = [one.name for one in members] + [INFO + b"WHEEL", INFO + b"RECORD"]
    listed = b"".join(b'"%s",,\n' % name for name in names), 1
    metadata = (
        member(INFO + b"WHEEL", text),
        member(INFO + b"RECORD", record if record[1] else listed),
    )
    return archive([*members, *metadata])


GOOD = member(SO, *elf(entries=[(NEEDED, 1)]))
BOMB = (0, bytes(MIB), 1100)


def library(*parts: Tuple[int, bytes, int], **more: object) -> bytes:
    """Return a wheel with one hostile library."""
    return wheel(member(SO, *elf(*parts, **more)))  # type: ignore[arg-type]


def symbols(count: int, *, defined: bool, length: int = 0) -> bytes:
    """Make a library with many symbols; their names differ, or are ends of one long name."""
    own = b"".join(b"f%07x\0" % number for number in range(0 if length else count))
    names = b"\0" + own + b"A" * length + b"\0"
    step = 1 if length else 9
    table = b"".join(symbol(1 + step * number, defined=defined) for number in range(count))
    hashed = (HASH, struct.pack("<II", 1, count + 1), 1)
    return library(hashed, (SYMTAB, bytes(24) + table, 1), names=names)


def version_jumps(far: int, count: int = 3000) -> bytes:
    """Make version needs whose nodes are `far` bytes away, so that reading goes back and forth."""
    row = struct.Struct("<HHIII").pack
    table = b"".join(row(1, 1, 1, far + 16 * (count - at), 16) for at in range(count))
    node = struct.pack("<IHHII", 0, 0, 2, 1, 0)
    # A reader may keep the first megabytes in memory.
    parts = (0, bytes(MIB), 8), (VERNEED, table, 1), (0, bytes(MIB), far // MIB), (0, node, 1)
    return library(*parts, entries=[(VERNEEDNUM, count), (NEEDED, 1)])


def version_loop(headers: bytes = b"", mebibytes: int = 1) -> bytes:
    """Make version needs of libraries, four bytes apart, none with a version."""
    table = (VERNEED, struct.pack("<I", 4) * 65536, 4 * mebibytes)
    return library(table, entries=[(VERNEEDNUM, 1 << 60)], headers=headers)


def definition_loop() -> bytes:
    """Make version definitions without names."""
    row = struct.pack("<HHHHIII", 1, 1, 0, 1, 0, 20, 20)
    return library((VERDEF, row * 8192, 6000), entries=[(VERDEFNUM, 40 << 20)])


def gnu_hash(buckets: int, chain: int = 0) -> bytes:
    """Make a hash table with many buckets, or with one long chain that always matches."""
    code = 5381
    for byte in b"PyInit__x":
        code = code * 33 + byte & 0xFFFFFFFE
    table = struct.pack("<4IQ", buckets, 1, 1, 0, 0) + struct.pack("<I", 1) * (chain > 0)
    table += struct.pack("<I", code) * chain
    rest = (0, bytes(4096), 1 if chain else buckets // 1024)
    rows = (SYMTAB, symbol(1, defined=True), chain + 2)
    return library((GNU_HASH, table, 1), rest, rows, names=b"\0" + b"B" * 60000 + b"\0")


def crowd(count: int, name: bytes, *, by_name: bool = False) -> bytes:
    """Make libraries that need each other, or modules that need one only by its name."""
    made = [member(b"libs/lib00000.so", *elf())]
    strings = b"\0" + b"".join(b"lib%05d.so\0" % number for number in range(count))
    for number in range(count):
        entries = [(NEEDED, 1 + 12 * other) for other in range(1 if by_name else count)]
        entries += [] if by_name else [(SONAME, 1 + 12 * number)]
        names = b"\0lib00000.so\0" if by_name else strings
        made.append(member(name % number, *elf(entries=entries, names=names)))
    return wheel(*made)


def chain(count: int, folders: int = 0, names: int = 0, libc: bytes = b"", more: int = 0) -> bytes:
    """Make a chain of libraries with RPATHs that need a missing one; modules need the first."""
    made: List[Member] = [member(b"demo/d%d/a" % number) for number in range(folders)]
    path = b":".join([b"$ORIGIN", *(b"$ORIGIN/d%d" % number for number in range(folders))])
    for number in range(count + more):
        following = min(number + 1, count - 1) if number < count else 0
        texts = [b"lib%d.so" % following, libc or b"hidden%d.so" % number, path]
        texts += (b"n%d_%d" % (number, one) for one in range(names))
        offsets = [1]
        for text in texts:
            offsets.append(offsets[-1] + len(text) + 1)
        parts = [(HASH, struct.pack("<II", 1, names + 1), 1)]
        parts.append((SYMTAB, bytes(24) + b"".join(map(symbol, offsets[3:-1])), 1))
        entries = list(zip((NEEDED, NEEDED, RPATH), offsets))
        kind = b"demo/lib%d.so" if number < count else b"demo/m%d.abi3.so"
        joined = b"\0" + b"\0".join(texts) + b"\0"
        made.append(member(kind % number, *elf(*parts, entries=entries, names=joined)))
        made.append(member(b"hidden/hidden%d.so" % number))
    return wheel(*made)


def own_end(*, zip64: bool) -> bytes:
    """Make an end record whose directory is the end record itself."""
    data = bytearray(wheel(GOOD))
    end64 = len(data) - 22 - 20 - 56
    if zip64:
        struct.pack_into("<QQ", data, end64 + 40, 56, end64)
    else:
        del data[end64:-22]
        struct.pack_into("<2L", data, end64 + 12, 22, end64)
    return bytes(data)


def in_directory() -> bytes:
    """Make a member whose local header is in the directory."""
    strange = GOOD._replace(name=b"demo/y.so", payload=b"")
    start = wheel(GOOD, strange).index(b"PK\1\2")
    return wheel(GOOD, strange._replace(offset=start))


def overlapping() -> bytes:
    bomb = member(b"demo/0.so", *elf(BOMB, entries=[(NEEDED, 1)]))
    copies = (bomb._replace(name=b"demo/%d.so" % one, payload=b"", offset=0) for one in range(999))
    return wheel(bomb, *copies)


def named(*names: bytes) -> bytes:
    return wheel(GOOD, *map(member, names), record=(b"x,,\n", 1))


def bombs(count: int) -> bytes:
    return wheel(
        *(
            member(b"demo/%d.so" % number, *elf(BOMB, entries=[(NEEDED, 1)]))
            for number in range(count)
        )
    )


def lying(size: int) -> bytes:
    return wheel(member(SO, *elf((0, bytes(MIB), 64)))._replace(size=size))


def members(count: int, record: Chunk = (b"", 0)) -> bytes:
    empty = member(b"")
    numbered = (empty._replace(name=b"demo/%d" % number) for number in range(count))
    return wheel(GOOD, *numbered, record=record)


def called(name: bytes, count: int = 1, record: Chunk = (b"", 0)) -> bytes:
    """Make libraries with an unusual name, each in a folder of its own."""
    named = (GOOD._replace(name=b"%d/" % number + name) for number in range(count))
    return wheel(*named, record=record)


def absent(count: int) -> bytes:
    """Make a RECORD of names that no member has; long names make room for them."""
    record = b"".join(b"absent/%d.py,,\n" % number for number in range(count))
    roomy = (b"demo/%d/" % number + b"a/" * 2000 + b"b" for number in range(1500))
    return wheel(GOOD, *map(member, roomy), record=(record, 1))


def overlapping_segments(count: int) -> bytes:
    """Make segments of different bytes of the file whose pages overlap in memory."""
    headers = b"".join(header(LOAD, 64 * one, 64, -64 * one) for one in range(count))
    return library((0, bytes(64 * count), 1), headers=headers)


def search_paths(count: int, names: bytes) -> bytes:
    """Make libraries whose names are a needed library and a search path, both below a/."""
    hostile = (
        member(b"a/%d.so" % one, *elf(entries=[(1, 1), (RPATH, 10)], names=names))
        for one in range(count)
    )
    return wheel(*hostile, member(b"a/a/libx.so", *elf()))


SEGMENT = header(LOAD, 0, 64)
TWO_NAMES = b"\0libx.so\0" + b":".join(b"$ORIGIN/%d" % one for one in range(50_000)) + b"\0"
LAST = header(DYNAMIC, 1, 0, 1 << 40) * 30_000 + SEGMENT * 30_000 + header(LOAD, 0, 9, 1 << 40)
NOTES = (0, struct.pack("<III", 0, 0, 0) * 1024, 85)
ZEROS = (SYMTAB, bytes(24 * 4096), 10240)
RELOCATIONS = (RELA, bytes(24 * 4096), 10240)
LINES = b"\n" * MIB, 60
# A loader walks through each folder of an entry.
TO_AND_FRO = b"\0libx.so\0\0" + b":".join([b"$ORIGIN" + b"/a/.." * 800] * 250) + b"\0"
MUSL = b"\0libc.so\0\0" + b"/a" * (MIB // 2 - 9) + b"$X\0"


def described(more: bytes) -> bytes:
    text = b"Metadata-Version: 2.1\nName: demo\nVersion: 1.0\n" + more
    return wheel(GOOD, member(INFO + b"METADATA", (text, 1)))


def many_paths(text: bytes, count: int) -> bytes:
    """Make libraries that share the bytes of one long search path."""
    one = member(b"", *elf(entries=[(NEEDED, 1), (29, 9)], names=b"\0libx.so\0" + text + b"\0"))
    return wheel(*(one._replace(name=b"demo/%d.so" % at) for at in range(count)))


def compressed(count: int) -> bytes:
    """Make Tag lines that each stand for the same 8,000 tags, in other orders."""
    numbers = [str(one) for one in range(20)]
    turned = [".".join(numbers[at:] + numbers[:at]) for at in range(20)]
    lines = itertools.islice(itertools.product(turned, repeat=3), count)
    text = WHEEL + "".join(f"Tag: {'-'.join(parts)}\n" for parts in lines).encode()
    return wheel(GOOD, text=(text, 1))


def doubling(number: int) -> str:
    """Return a C++ name whose readable form doubles at each of 22 substitutions (Itanium ABI)."""
    pairs = "".join(f"S0_IS{code}_S{code}_E" for code in "123456789ABCDEFGHIJKLM")
    return f"_Z{len(str(number)) + 1}f{number}I1XIiiE{pairs}Evv"


def mangled(*names: str) -> bytes:
    """Make a library that needs C++ names which nobody defines."""
    text, offsets = b"\0", []
    for name in names:
        offsets.append(len(text))
        text += name.encode() + b"\0"
    table = bytes(24) + b"".join(symbol(offset) for offset in offsets)
    hashed = (HASH, struct.pack("<II", 1, len(names) + 1), 1)
    return library(hashed, (SYMTAB, table, 1), names=text)


ATTACKS: Dict[str, Callable[[], bytes]] = {
    "zip bomb": partial(bombs, 1),
    "zip bombs, four": partial(bombs, 4),
    "zip bomb read back and forth": partial(version_jumps, 1100 * MIB),
    "zip bomb of symbols": partial(library, (HASH, struct.pack("<II", 1, 40 << 20), 1), ZEROS),
    "zip bomb of relocations": partial(library, RELOCATIONS, entries=[(RELASZ, 960 * MIB)]),
    "zip bomb of version definitions": definition_loop,
    "zip bomb of version needs": partial(version_loop, mebibytes=256),
    "100,000 members": partial(members, 100_000),
    "100,000 members that RECORD lacks": partial(members, 100_000, record=(b"x,,\n", 1)),
    "overlapping members": overlapping,
    "directory that is its own end": partial(own_end, zip64=False),
    "zip64 directory that is its own end": partial(own_end, zip64=True),
    "member inside the directory": in_directory,
    "size stated too large": partial(lying, 1 << 40),
    "size stated too small": partial(lying, 4096),
    "name that climbs": partial(named, b"../" * 1000 + b"x"),
    "name with NUL": partial(named, b"a\0b.so"),
    "name with backslashes": partial(named, b"..\\..\\x"),
    "200,000 members": partial(members, 199_997),
    "250,000 members": partial(members, 250_000),
    "1.2 million members": partial(members, 1_200_000),
    "module name of 21,000 characters": partial(called, "\u754c".encode() * 21_000 + b".abi3.so"),
    "suffix with 60,000 dashes": partial(called, b"x.graalpy" + b"-" * 60_000 + b".so"),
    "suffix with 60,000 digits": partial(called, b"x.cpython-" + b"3" * 60_000 + b".so"),
    "480 names that are not UTF-8": partial(called, b"\xff" * 65_000 + b".so", 480, (b"x,,\n", 1)),
    "names of 64 KiB": lambda: named(*(b"%05d" % number * 13107 for number in range(500))),
    "folders of 4 KiB": lambda: named(*(b"%d/" % one + b"a/" * 2000 + b"b" for one in range(500))),
    "folders of 64 KiB": partial(named, b"a/" * 32767 + b"b"),
    "chain of 3,000 with RPATHs": partial(chain, 3000, 50),
    "RPATH of 50,000 entries": partial(library, entries=[(1, 1), (RPATH, 9)], names=TWO_NAMES),
    "RPATHs that go to and fro": partial(search_paths, 10, TO_AND_FRO),
    "RPATHs of a MiB, musl": partial(search_paths, 10, MUSL),
    "a million symbols, defined": partial(symbols, 1_000_000, defined=True),
    "a million symbols, undefined": partial(symbols, 1_000_000, defined=False),
    "symbols that are ends of one name": partial(symbols, 60_000, defined=False, length=64_000),
    "ends of one long name": partial(symbols, 60_000, defined=False, length=900_000),
    "65,534 program headers": partial(library, headers=header(0, 0, 0) * 65_531),
    "20,000 segments and version needs": partial(version_loop, SEGMENT * 20_000),
    "280 segments and version needs": partial(version_loop, SEGMENT * 280),
    "1,000 segments whose pages overlap": partial(overlapping_segments, 1000),
    "280 note segments of tiny notes": partial(library, NOTES, headers=header(4, 9**5, MIB) * 280),
    "30,000 dynamic sections": partial(library, headers=LAST),
    "hash table of 4 million buckets": partial(gnu_hash, 1 << 22),
    "hash table of 4 billion buckets": partial(gnu_hash, 0xFFFFFFFF, 1),
    "hash chain that never ends": partial(gnu_hash, 1, 100_000),
    "225 libraries that all need each other": partial(crowd, 225, b"lib%05d.so"),
    "600 libraries that all need each other": partial(crowd, 600, b"lib%05d.so"),
    "5,000 libraries that all need each other": partial(crowd, 5000, b"lib%05d.so"),
    "1,000 modules that all need each other": partial(crowd, 1000, b"lib%05d.abi3.so"),
    "9,000 modules that need one by name": partial(crowd, 9000, b"lib%05d.abi3.so", by_name=True),
    "400,000 names that nobody has, glibc": partial(chain, 1000, 0, 400, b"libc.so.6"),
    "400,000 names that nobody has, musl": partial(chain, 1000, 0, 400, b"libc.so"),
    "150 modules that load 150 libraries": partial(chain, 150, 0, 99, b"libc.so.6", 150),
    "strings without NUL": partial(library, entries=[(NEEDED, 1)], names=b"A" * (4 * MIB)),
    "RECORD of a million absent names": partial(absent, 1_000_000),
    "RECORD of one long line": lambda: wheel(
        *map(member, [b"a/" * 2000 + b"%d" % one for one in range(2000)]),
        record=(b"\xf0\x9f\x90\xa7" + b"a" * 30 * MIB, 1),
    ),
    "RECORD of empty lines": lambda: wheel(GOOD, record=LINES),
    "WHEEL of empty lines": lambda: wheel(GOOD, text=LINES),
    "100,000 fields of METADATA": partial(
        described, b"".join(b"k%x:\n" % one for one in range(100_000))
    ),
    "METADATA of three million parts": partial(
        described, b"Content-Type: multipart/mixed; boundary=b\n\n" + b"--b\n\n" * 3_000_000
    ),
    "100 search paths of a million colons": partial(many_paths, b":" * (MIB - 9), 100),
    "1,100 tag lines of 8,000 tags": partial(compressed, 1100),
    "190,000 names with control characters": lambda: named(
        *(b"\1%d" % at for at in range(190_000))
    ),
    "C++ names of gigabytes": partial(mangled, doubling(1), doubling(2)),
}
