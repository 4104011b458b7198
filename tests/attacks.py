"""Wheels that attack whoever reads them: `python tests/attacks.py` prints a table of what they do.

Each is made of few bytes that stand for many; what reads it must stay bounded in time and memory.
"""

from __future__ import annotations

import io
import json
import struct
import subprocess
import sys
import tempfile
import time
import zlib
from pathlib import Path
from typing import Callable, Dict, Iterable, Iterator, List, NamedTuple, Sequence, Tuple, Union

from elfwriter import Elf, write
from wheelwriter import wheel_name

# Bytes, and how often they stand there.
Chunks = List[Tuple[bytes, int]]
MIB = 1 << 20
LIMIT = 30
SO = "demo/_x.cpython-311-x86_64-linux-gnu.so"
INFO = "demo-1.0.dist-info"
META = ("WHEEL", "RECORD")
WHEEL = b"Wheel-Version: 1.0\nRoot-Is-Purelib: false\nTag: cp311-cp311-linux_x86_64\n"
NEEDED, HASH, STRTAB, SYMTAB, RELA, RELASZ, STRSZ, SONAME = 1, 4, 5, 6, 7, 8, 10, 14
GNU_HASH, VERDEF, VERDEFNUM = 0x6FFFFEF5, 0x6FFFFFFC, 0x6FFFFFFD
VERNEED, VERNEEDNUM = 0x6FFFFFFE, 0x6FFFFFFF
LOAD, DYNAMIC, NOTE = 1, 2, 4


def header(kind: int, offset: int, size: int, *, flags: int = 4, ahead: int = 0) -> bytes:
    """Encode a program header, whose address is the offset in the file but for `ahead`."""
    address = offset + ahead
    return struct.pack("<IIQQQQQQ", kind, flags, offset, address, address, size, size, 1)


def elf(
    *parts: Tuple[int, bytes, int],
    entries: Sequence[Tuple[int, int]] = (),
    headers: bytes = b"",
    names: bytes = b"\0libc.so.6\0",
) -> Chunks:
    """Make an x86_64 library: tables, each with its tag, its bytes and how often they repeat."""
    count = 3 + len(headers) // 56
    tagged = sum(1 for tag, _, _ in parts if tag)
    start = 64 + 56 * count
    position = start + 16 * (len(entries) + tagged + 3)
    rows, body = list(entries), []
    for tag, data, times in (*parts, (STRTAB, names, 1)):
        data += bytes(-len(data) % 8)
        rows += [(tag, position)] if tag else []
        body.append((data, times))
        position += len(data) * times
    rows += [(STRSZ, len(names)), (0, 0)]
    ident = b"\x7fELF\2\1\1".ljust(16, b"\0")
    head = struct.pack("<HHIQQQIHHHHHH", 3, 62, 1, 0, 64, 0, 0, 64, 56, count, 64, 0, 0)
    table = header(LOAD, 0, position) + header(DYNAMIC, start, 16 * len(rows))
    table += headers + header(0x6474E551, 0, 0, flags=6)
    dynamic = b"".join(struct.pack("<QQ", *row) for row in rows)
    return [(ident + head + table + dynamic, 1), *body]


class Member(NamedTuple):
    """A member as the archive states it; an offset of its own replaces the true one."""

    name: bytes
    payload: bytes
    size: int
    crc: int = 0
    offset: int = -1


def member(name: Union[str, bytes], data: Union[bytes, Chunks]) -> Member:
    """Deflate a member whose repeated parts cost one deflation only."""
    payload, size = [], 0
    for chunk, times in [(data, 1)] if isinstance(data, bytes) else data:
        deflater = zlib.compressobj(6, zlib.DEFLATED, -15)
        block = deflater.compress(chunk) + deflater.flush(zlib.Z_FULL_FLUSH)
        payload.append(block * times)
        size += len(chunk) * times
    raw = name if isinstance(name, bytes) else name.encode()
    # show never compares a checksum of a library, so none is taken of a gibibyte.
    crc = zlib.crc32(data) if isinstance(data, bytes) else 0
    return Member(raw, b"".join(payload) + b"\3\0", size, crc)


def archive(members: Iterable[Member]) -> bytes:
    """Write local headers, the directory, and both kinds of its end."""
    out, central, count = io.BytesIO(), io.BytesIO(), 0
    for count, one in enumerate(members, 1):
        at = out.tell() if one.offset < 0 else one.offset
        lengths = min(one.size, 0xFFFFFFFF), len(one.name)
        extra = struct.pack("<HHQ", 1, 8, one.size) if lengths[0] == 0xFFFFFFFF else b""
        fields = (20, 0x800, 8, 0, 33, one.crc, len(one.payload), *lengths, len(extra))
        out.write(struct.pack("<4s5H3L2H", b"PK\3\4", *fields[:-1], 0) + one.name + one.payload)
        row = struct.pack("<4s6H3L5H2L", b"PK\1\2", 0x314, *fields, 0, 0, 0, 0o644 << 16, at)
        central.write(row + one.name + extra)
    start, size = out.tell(), central.tell()
    end = struct.pack("<4sQ2H2L4Q", b"PK\6\6", 44, 45, 45, 0, 0, count, count, size, start)
    end += struct.pack("<4sLQL", b"PK\6\7", 0, start + size, 1)
    short = min(count, 0xFFFF)
    end += struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, short, short, size, start, 0)
    return out.getvalue() + central.getvalue() + end


def wheel(*members: Member, record: Union[bytes, Chunks] = b"", text: Chunks = [(WHEEL, 1)]) -> bytes:
    """Write a wheel whose RECORD lists the members, unless it is given."""
    listed = [one.name for one in members] + [f"{INFO}/{name}".encode() for name in META]
    rows = b"".join(b"%s,,\n" % name for name in listed)
    metadata = [member(f"{INFO}/WHEEL", text), member(f"{INFO}/RECORD", record or rows)]
    metadata = [one._replace(crc=zlib.crc32(_inflated(one.payload))) for one in metadata]
    return archive([*members, *metadata])


def _inflated(payload: bytes) -> bytes:
    return zlib.decompress(payload, -15)


def plain(*needed: str, soname: str = "", rpath: str = "") -> bytes:
    return write(Elf(needed=needed, soname=soname or None, rpath=rpath or None, sections=False))


GOOD = member(SO, plain("libc.so.6"))


def library(*parts: Tuple[int, bytes, int], **more: object) -> bytes:
    """Wrap one hostile library into a wheel."""
    return wheel(member(SO, elf(*parts, **more)))  # type: ignore[arg-type]


def symbols(count: int, *, defined: bool, length: int = 0) -> bytes:
    """List many symbols with names of their own, or with the ends of one long name."""
    names = b"\0" + b"".join(b"f%07x\0" % number for number in range(0 if length else count))
    names = names if not length else b"\0" + b"A" * length + b"\0"
    row = struct.Struct("<IBBHQQ").pack
    step = 1 if length else 9
    table = [row(1 + step * number, 0x10, 0, int(defined), 0, 0) for number in range(count)]
    hashed = struct.pack("<II", 1, count + 1)
    return library((HASH, hashed, 1), (SYMTAB, bytes(24) + b"".join(table), 1), names=names)


def version_jumps(far: int, count: int = 3000) -> bytes:
    """Need versions whose nodes lie behind `far` bytes, so that reading goes back and forth."""
    row = struct.Struct("<HHIII").pack
    table = b"".join(row(1, 1, 1, far + 16 * (count - at), 16) for at in range(count))
    node = struct.pack("<IHHII", 0, 0, 2, 1, 0)
    # What stands within the first megabytes may be kept.
    parts = (0, bytes(MIB), 8), (VERNEED, table, 1), (0, bytes(MIB), far // MIB), (0, node, 1)
    return library(*parts, entries=[(VERNEEDNUM, count), (NEEDED, 1)])


def gnu_hash(buckets: int, chain: int = 0, same: int = 0) -> bytes:
    """State many buckets, or one whose chain is long and always of the hash that is looked for."""
    head = struct.pack("<4I", buckets, 1, 1, 0) + bytes(8)
    table = head + (struct.pack("<I", 1) + struct.pack("<I", same & ~1) * chain)
    rest = (0, bytes(4096), buckets * 4 // 4096) if not chain else (0, bytes(8), 1)
    rows = (SYMTAB, struct.pack("<IBBHQQ", 1, 0x10, 0, 1, 0, 0), chain + 2)
    return library((GNU_HASH, table, 1), rest, rows, names=b"\0" + b"B" * 60000 + b"\0")


def crowd(count: int, name: str, *, by_name: bool = False) -> Iterator[Member]:
    """Make libraries that need each other, or modules that all need one by its name alone."""
    strings = b"\0" + b"".join(b"lib%05d.so\0" % number for number in range(count))
    needed = [(NEEDED, 1 + 12 * number) for number in range(1 if by_name else count)]
    for number in range(count):
        entries = [(SONAME, 1 + 12 * number), *needed]
        yield member(name % number, elf(entries=entries, names=strings[: 13 + 12 * number] if by_name else strings))


def rpath_chain(count: int, folders: int) -> Iterator[Member]:
    """Chain libraries whose RPATHs are all searched for what only an unsearched folder has."""
    path = ":".join(f"$ORIGIN/d{number}" for number in range(folders))
    for number in range(count):
        yield member(
            f"demo/lib{number}.so",
            plain(f"lib{number + 1}.so", f"hidden{number}.so", rpath="$ORIGIN:" + path),
        )
        yield member(f"hidden/hidden{number}.so", b"")
    yield from (member(f"demo/d{number}/a", b"") for number in range(folders))


def many(count: int) -> Iterator[Member]:
    return (member(f"demo/{number}", b"") for number in range(count))


def lying(size: int) -> bytes:
    return wheel(member(SO, elf((0, bytes(MIB), 64)))._replace(size=size))


def own_end(*, zip64: bool) -> bytes:
    """Make the end record say that the directory is the end record, or the zip64 one itself."""
    data = bytearray(wheel(GOOD))
    end, end64 = len(data) - 22, len(data) - 22 - 20 - 56
    if zip64:
        struct.pack_into("<QQ", data, end64 + 40, 56, end64)
    else:
        del data[end64:end]
        struct.pack_into("<2L", data, end64 + 12, 22, end64)
    return bytes(data)


def in_directory() -> bytes:
    """Make members whose local headers are in the directory: its own records, or their ends."""
    start = len(archive([GOOD])) - 98 - 46 - len(GOOD.name)
    return wheel(GOOD, GOOD._replace(name=b"demo/y.so", payload=b"", size=0, offset=start))


def hungry(count: int, names: int, *, libc: str, modules: int = 0) -> Iterator[Member]:
    """Chain libraries that each ask for names that nobody defines."""
    for number in range(count + modules):
        strings = b"\0lib%d.so\0%s\0$ORIGIN\0" % (min(number, count - 1) + 1, libc.encode())
        at = len(strings)
        length = len(b"n%04x_%04x\0" % (0, 0))
        strings += b"".join(b"n%04x_%04x\0" % (number, one) for one in range(names))
        rows = [struct.pack("<IBBHQQ", at + length * n, 0x10, 0, 0, 0, 0) for n in range(names)]
        table = (SYMTAB, bytes(24) + b"".join(rows), 1)
        entries = [(NEEDED, 1), (NEEDED, 1 + strings[1:].index(b"\0") + 1)]
        entries.append((15, strings.index(b"$ORIGIN")))
        if number >= count:
            entries[0] = (NEEDED, strings.index(b"lib"))
            strings = strings.replace(b"lib%d.so" % count, b"lib0.so".ljust(len("lib%d.so" % count), b"\0"), 1)
        name = f"demo/lib{number}.so" if number < count else f"demo/_m{number}.abi3.so"
        yield member(name, elf((HASH, struct.pack("<II", 1, names + 1), 1), table, entries=entries, names=strings))


def overlapping() -> bytes:
    bomb = member("demo/0.so", elf((0, bytes(MIB), 1100)))
    copies = (bomb._replace(name=b"demo/%d.so" % one, payload=b"", offset=0) for one in range(999))
    return wheel(bomb, *copies)


def named(name: bytes) -> bytes:
    return wheel(GOOD, member(name, b""), record=b"x,,\n")


BOMB = (0, bytes(MIB), 1100)
TINY_NOTES = struct.pack("<III", 0, 0, 0) * 1024
ROWS = struct.pack("<HHHHIII", 1, 0, 0, 1, 0, 20, 20) + bytes(0)
REPORT, REFUSED = "report", "exit 3"


class Attack(NamedTuple):
    """How the wheel is made, what must come out, and with which finding."""

    make: Callable[[], bytes]
    outcome: str = REPORT
    kind: str = ""


ATTACKS: Dict[str, Attack] = {
    "zip bomb": Attack(lambda: wheel(member(SO, elf(BOMB)))),
    "zip bombs, two": Attack(lambda: wheel(*(member(f"{n}.so", elf(BOMB)) for n in range(2)))),
    "zip bomb read back and forth": Attack(lambda: version_jumps(1100 * MIB), kind="ELF_CORRUPT"),
    "zip bomb of symbols": Attack(lambda: library((HASH, struct.pack("<II", 1, 40 << 20), 1), (SYMTAB, bytes(24 * 4096), 10240)), kind="ELF_CORRUPT"),
    "zip bomb of relocations": Attack(lambda: library((SYMTAB, bytes(24), 1), (RELA, bytes(MIB), 960), entries=[(RELASZ, 960 * MIB)]), kind="ELF_CORRUPT"),
    "zip bomb of version definitions": Attack(lambda: library((VERDEF, ROWS * 4096, 10240), entries=[(VERDEFNUM, 40 << 20)]), kind="ELF_CORRUPT"),
    "zip bomb of version needs": Attack(lambda: library((VERNEED, struct.pack("<I", 4) * 65536, 1024), entries=[(VERNEEDNUM, 1 << 60)]), kind="ELF_CORRUPT"),
    "100,000 members": Attack(lambda: wheel(GOOD, *many(100_000))),
    "100,000 members that RECORD lacks": Attack(lambda: wheel(GOOD, *many(100_000), record=b"x,,\n"), kind="RECORD"),
    "overlapping members": Attack(overlapping, REFUSED),
    "directory that is its own end": Attack(lambda: own_end(zip64=False), REFUSED),
    "zip64 directory that is its own end": Attack(lambda: own_end(zip64=True), REFUSED),
    "members inside the directory": Attack(in_directory, REPORT),
    "size stated too large": Attack(lambda: lying(1 << 40)),
    "size stated too small": Attack(lambda: lying(4096), kind="ELF_CORRUPT"),
    "names that climb": Attack(lambda: named(b"../" * 1000 + b"x"), kind="BAD_PATH"),
    "names with NUL": Attack(lambda: named(b"a\0b.so"), kind="BAD_PATH"),
    "names with backslashes": Attack(lambda: named(b"..\\..\\x")),
    "names of 64 KiB": Attack(lambda: wheel(GOOD, *(member(b"%05d" % n * 13107, b"") for n in range(500))), REFUSED),
    "folders of 4 KiB": Attack(lambda: wheel(GOOD, *(member(b"%d" % (n % 10) + b"/a" * 2000 + b"/%d" % n, b"") for n in range(500)))),
    "folders of 64 KiB": Attack(lambda: named(b"a/" * 32767 + b"x"), REFUSED),
    "chain of 3,000 with RPATHs": Attack(lambda: wheel(*rpath_chain(3000, 50))),
    "RPATH of 50,000 entries": Attack(lambda: wheel(member(SO, plain("libx.so", rpath=":".join(f"$ORIGIN/{n}" for n in range(50_000)))))),
    "a million symbols, defined": Attack(lambda: symbols(1_000_000, defined=True)),
    "a million symbols, undefined": Attack(lambda: symbols(1_000_000, defined=False), kind="ELF_CORRUPT"),
    "symbols that are ends of one name": Attack(lambda: symbols(60_000, defined=False, length=64_000), kind="ELF_CORRUPT"),
    "long names read twice": Attack(lambda: symbols(60_000, defined=False, length=900_000), kind="ELF_CORRUPT"),
    "65,534 program headers": Attack(lambda: library(headers=header(0, 0, 0) * 65_531), kind="ELF_CORRUPT"),
    "20,000 segments and version needs": Attack(lambda: library((VERNEED, struct.pack("<I", 4) * 65536, 8), entries=[(VERNEEDNUM, 1 << 60)], headers=header(LOAD, 0, 64) * 20_000), kind="ELF_CORRUPT"),
    "1,000 segments and version needs": Attack(lambda: library((VERNEED, struct.pack("<I", 4) * 65536, 8), entries=[(VERNEEDNUM, 1 << 60)], headers=header(LOAD, 0, 64) * 1000), kind="ELF_CORRUPT"),
    "1,000 note segments of tiny notes": Attack(lambda: library((0, TINY_NOTES, 85), headers=header(NOTE, 120_000, 12 * 80_000) * 1000)),
    "30,000 dynamic sections": Attack(lambda: library(headers=header(DYNAMIC, 1, 0, ahead=1 << 40) * 30_000 + header(LOAD, 0, 9) * 30_000 + header(LOAD, 0, 9, ahead=1 << 40)), kind="ELF_CORRUPT"),
    "hash table of 4 million buckets": Attack(lambda: gnu_hash(1 << 22), kind="ELF_CORRUPT"),
    "hash table of 4 billion buckets": Attack(lambda: gnu_hash(0xFFFFFFFF, 1), kind="ELF_CORRUPT"),
    "hash chain that never ends": Attack(lambda: gnu_hash(1, 100_000, 0xE4D8DC4), kind="ELF_CORRUPT"),
    "600 libraries that all need each other": Attack(lambda: wheel(*crowd(600, "demo/lib%05d.so"))),
    "5,000 libraries that all need each other": Attack(lambda: wheel(*crowd(5000, "demo/lib%05d.so")), REFUSED),
    "1,000 modules that all need each other": Attack(lambda: wheel(*crowd(1000, "demo/lib%05d.abi3.so")), REFUSED),
    "9,000 modules that need one by name": Attack(lambda: wheel(*crowd(9000, "demo/lib%05d.abi3.so", by_name=True))),
    "names that nobody has, glibc": Attack(lambda: wheel(*hungry(1000, 400, libc="libc.so.6")), kind="UNDEFINED"),
    "names that nobody has, musl": Attack(lambda: wheel(*hungry(1000, 400, libc="libc.so")), kind="MUSL_UNDEFINED"),
    "400 modules that load 400 libraries": Attack(lambda: wheel(*hungry(400, 40, libc="libc.so.6", modules=400)), kind="UNDEFINED"),
    "strings without NUL": Attack(lambda: library(entries=[(NEEDED, 1)], names=b"A" * (4 * MIB)), kind="ELF_CORRUPT"),
    "RECORD of empty lines": Attack(lambda: wheel(GOOD, record=[(b"\n" * MIB, 60)]), REFUSED),
    "WHEEL of empty lines": Attack(lambda: wheel(GOOD, text=[(b"\n" * MIB, 60)]), REFUSED),
}

RUN = """if 1:
    import resource, runpy, sys
    resource.setrlimit(resource.RLIMIT_AS, (4 << 30, 4 << 30))
    code = 0
    try:
        runpy.run_module("manyshim", run_name="__main__", alter_sys=True)
    except SystemExit as error:
        code = error.code
    peak = next(line for line in open("/proc/self/status") if line.startswith("VmHWM"))
    sys.stderr.write("\\n" + peak.split()[1])
    sys.exit(code)
"""


class Result(NamedTuple):
    """What came out; -1 MiB where the process said nothing in the end."""

    outcome: str
    kinds: List[str]
    seconds: float
    mebibytes: float
    said: str


def run(path: Path, limit: float) -> Result:
    """Show a wheel in a process of its own, which measures itself: wait4 counts the parent too."""
    began = time.monotonic()
    command = [sys.executable, "-c", RUN, "show", "--json", str(path)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=limit, check=False)
    except subprocess.TimeoutExpired:
        return Result(f"more than {limit:.0f} s", [], limit, -1, "")
    seconds = time.monotonic() - began
    said, _, peak = done.stderr.rpartition("\n")
    if "Traceback" in done.stderr or not peak.isdigit():
        return Result("traceback", [], seconds, -1, done.stderr[-2000:])
    found = json.loads(done.stdout)["wheels"][0]
    kinds = sorted({one["kind"] for one in found["findings"]})
    outcome = f"exit {done.returncode}" if done.returncode else REPORT
    return Result(outcome, kinds, seconds, int(peak) / 1024, said)


def main() -> None:
    """Print a table for docs/robustness.md; arguments are the attacks to run, or all."""
    print("| input | outcome | seconds | peak MiB |\n|---|---|---|---|")  # noqa: T201
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, wheel_name())
        for name in sys.argv[1:] or ["none: a good wheel", *ATTACKS]:
            path.write_bytes(ATTACKS[name].make() if name in ATTACKS else wheel(GOOD))
            result = run(path, LIMIT)
            outcome = ": ".join(filter(None, (result.outcome, ", ".join(result.kinds))))
            numbers = f"{result.seconds:.2f} | {result.mebibytes:.1f}"
            print(f"| {name} | {outcome} | {numbers} |", flush=True)  # noqa: T201


if __name__ == "__main__":
    main()
