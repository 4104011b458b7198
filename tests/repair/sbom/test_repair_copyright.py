"""The licence of a library in a copyright file of Debian, which lists source files."""

from __future__ import annotations

import glob
import os
import time
from typing import Dict, Tuple

import pytest

import needs
from manyshim.repair.sbom import licenses
from manyshim.repair.sbom.copyright import licences

HEADER = "Format: http://somewhere/copyright-format/1.0/\nUpstream-Name: x\n"


def notice(rows: str, header: str = "") -> str:
    """Write a copyright file; each row is a licence, a bar, and patterns of files."""
    paragraphs = [HEADER + header]
    for row in rows.strip().splitlines():
        licence, _, files = row.partition("|")
        text = "Copyright: 1995 somebody\n" + (f"License: {licence.strip()}\n Text.\n")
        paragraphs.append(f"Files: {files.strip()}\n{text}")
    return "\n".join(paragraphs)


# Taken from the packages of Debian 12, shortened.
XZ = """
    PD | *
    GPL-2+ | src/scripts/* lib/* extra/scanlzma/scanlzma.c
    PD | src/scripts/xzless.1
    LGPL-2.1+ | lib/getopt.c lib/getopt.in.h
    Autoconf | m4/acx_pthread.m4
    none | src/liblzma/check/crc32_table_?e.h src/liblzma/lzma/fastpos_table.c
    config-h | dos/config.h
    noderivs | COPYING.GPLv2
    PD-debian | debian/*
"""
UTIL_LINUX = """
    GPL-2+ | *
    GPL-3+ | sys-utils/hwclock-parse-date.y
    public-domain | lib/blkdev.c
    BSD-4-clause | login-utils/vipw.c
    BSD-3-clause | libuuid/* libuuid/src/* libuuid/man/*
    LGPL-2+ | */colors.*
    LGPL-2.1+ | libblkid/* libblkid/src/*
    LGPL-3+ | libmount/python/*
"""
ELFUTILS = """
    GPL-3+ | *
    LGPL-3+ or GPL-2+ | backends/* config/* lib* version.h
    BSD-2-clause | lib/stdatomic-fbsd.h
    LGPL-2.1+ | libelf/dl-hash.h libelf/elf.h
    GPL-3+ with Bison exception | libcpu/i386_parse.*
"""
E2FSPROGS = """
    GPL-2 | *
    LGPL-2 | lib/ext2fs/* lib/e2p/* misc/e2fuzz.c
    GPL-2 | lib/ext2fs/kernel-jbd.h
    GPL-2 | e2fsck/*
"""
SYSTEMD = """
    LGPL-2.1+ | *
    CC0-1.0 | src/basic/siphash24.h
    GPL-2+ | src/udev/ata_id/ata_id.c src/udev/scsi_id/*
    public-domain | src/libsystemd/sd-journal/lookup3.c
"""
CURL = """
    curl | *
    ISC | lib/inet_ntop.c
    GPL-2+ with Libtool exception | m4/libtool.m4 ltmain.sh
    GPL-3+ with Autoconf-data exception | config.guess config.sub
    X11 | install-sh
    BSD-4-Clause-UC | tests/server/tftpd.c
"""
FLAC = """
    GPL-2+ or LGPL-2.1+ | *
    GPL-2+ | examples/* src/flac/* src/metaflac/*
    BSD-3-clause | include/FLAC/* src/libFLAC/*
    Public-domain | src/libFLAC/md5.c
"""
REAL: Dict[str, Tuple[str, str, str, Tuple[str, ...]]] = {
    "xz": (XZ, "liblzma.so.5.4.1", "xz-utils", ("PD",)),
    "uuid": (UTIL_LINUX, "libuuid.so.1.3.0", "util-linux", ("BSD-3-clause",)),
    "blkid": (UTIL_LINUX, "libblkid.so.1.1.0", "util-linux", ("LGPL-2.1+",)),
    "mount": (UTIL_LINUX, "libmount.so.1.1.0", "util-linux", ()),
    "elf": (ELFUTILS, "libelf-0.188.so", "elfutils", ("LGPL-3+ or GPL-2+",)),
    "asm": (ELFUTILS, "libasm-0.188.so", "elfutils", ()),
    "ext2fs": (E2FSPROGS, "libext2fs.so.2.4", "e2fsprogs", ()),
    "e2p": (E2FSPROGS, "libe2p.so.2.3", "e2fsprogs", ("LGPL-2",)),
    "com_err": (E2FSPROGS, "libcom_err.so.2.1", "e2fsprogs", ()),
    "systemd": (SYSTEMD, "libsystemd.so.0.35.0", "systemd", ("LGPL-2.1+",)),
    "udev": (SYSTEMD, "libudev.so.1.7.5", "systemd", ()),
    "curl": (CURL, "libcurl.so.4.8.0", "curl", ("curl",)),
    "curl-gnutls": (CURL, "libcurl-gnutls.so.4.8.0", "curl", ("curl",)),
    "flac": (FLAC, "libFLAC.so.12.0.0", "flac", ("BSD-3-clause",)),
}


@pytest.mark.parametrize("case", REAL)
def test_packages_of_debian(case: str) -> None:
    rows, library, source, expected = REAL[case]
    assert licences(notice(rows), library, source) == expected


CASES: Dict[str, Tuple[str, Tuple[str, ...]]] = {
    "one licence for each file": ("Zlib | *", ("Zlib",)),
    "the same licence twice": ("Zlib | * \n zlib | a.c b/*", ("zlib",)),
    "only files of the packaging differ": ("Zlib | * \n GPL-3 | debian/* debian/rules", ("Zlib",)),
    "only files of the build differ": (
        "Zlib | * \n GPL-2+ | configure Makefile.in aclocal.m4 ltmain.sh build-aux/* depcomp",
        ("Zlib",),
    ),
    "only texts and translations differ": (
        "Zlib | * \n GFDL-1.3 | doc/* po/de.po README* x.3 man/x.c",
        ("Zlib",),
    ),
    "only tests and examples differ": (
        "Zlib | * \n GPL-3+ | tests/* src/tests/a.c examples/x.c src/x_test.c src/test-y.c",
        ("Zlib",),
    ),
    "only other systems differ": ("Zlib | * \n GPL-2 | win32/* src/macosx/x.c", ("Zlib",)),
    "a source named as a file of the build": ("Zlib | * \n GPL-2+ | src/install.c", ()),
    "a program under the GPL": ("BSD-2-clause | * \n GPL-2 | foo_main.c", ()),
    "a program under another licence": (
        "BSD-2-clause | * \n Expat | foo_main.c",
        ("BSD-2-clause",),
    ),
    "the GPL may be that of programs": ("GPL-2+ | * \n LGPL-2+ | foo.*", ()),
    "a folder of the library": ("GPL-2+ | * \n LGPL-2+ | libfoo/*", ("LGPL-2+",)),
    "a folder of the library, by suffix": (
        "GPL-2+ | * \n LGPL-2+ | libfoo/*.c libfoo/*.h include/*.h",
        ("LGPL-2+",),
    ),
    "headers of the library only": ("GPL-2+ | * \n LGPL-2+ | libfoo/*.h", ()),
    "a later paragraph replaces": ("ISC | libfoo/* \n GPL-2+ | * \n Zlib | libfoo/*", ("Zlib",)),
    "a later paragraph replaces all": ("ISC | libfoo/* \n Zlib | *", ("Zlib",)),
    "a folder lib": ("GPL-2+ | * \n BSD-2-clause | lib/*", ("BSD-2-clause",)),
    "a folder lib under the GPL": ("ISC | * \n GPL-3+ | lib/* ", ()),
    "programs under the GPL beside a folder lib": (
        "ISC | * \n GPL-2+ | src/* x.c \n Zlib | lib/x.c",
        ("ISC",),
    ),
    "two folders": ("ISC | a/libfoo/* \n Zlib | b/libfoo/*", ("ISC", "Zlib")),
    "no paragraph for all files": ("ISC | a.c \n Zlib | b.c", ()),
    "a dot before": ("ISC | * \n Zlib | ./libfoo/* /libfoo/x/*", ("Zlib",)),
    "commas": ("Zlib | *, \n GPL-3 | debian/*, doc/x", ("Zlib",)),
    "no licence stated": ("| *", ()),
    "no licence stated for a part": ("Zlib | * \n | src/b.c", ("Zlib",)),
    "words that are no licence": ("None | * ", ()),
    "a pattern that no path can match": (f"Zlib | * \n GPL-3 | {'a/' * 3000}*", ("Zlib",)),
}


@pytest.mark.parametrize("case", CASES)
def test_which_paragraph_is_that_of_the_library(case: str) -> None:
    rows, expected = CASES[case]
    assert licences(notice(rows), "libfoo.so.1.2", "foo2") == expected


def test_the_name_of_the_source_package() -> None:
    """If sources differ, the paragraph for all files is the library's only in its own package."""
    rows = "ISC | * \n Zlib | src/x.c"
    for source in ("foo", "libfoo", "foo1.0", "libfoo-2"):
        assert licences(notice(rows), "libfoo.so.1", source) == ("ISC",)
        assert licences(notice(rows), "libfoo-bar.so.1", source) == ("ISC",)
    for source in ("bar", "foobar", "x", "2"):
        assert licences(notice(rows), "libfoo.so.1", source) == ()


def test_a_folder_may_have_a_program_of_the_same_name() -> None:
    """The folder `src/udev` of systemd is not that of libudev; a folder in `lib` is a library."""
    rows = "ISC | *\nZlib | src/bar/*\n"
    assert licences(notice(rows), "libbar.so.1", "foo") == ()
    assert licences(notice(rows), "libbar.so.1", "bar") == ("Zlib",)
    assert licences(notice(rows.replace("src/", "lib/")), "libbar.so.1", "foo") == ("Zlib",)
    both = "ISC | src/libbar/*\n" + rows
    assert licences(notice(both.replace("ISC | *\n", "")), "libbar.so.1", "bar") == ("ISC",)


@pytest.mark.parametrize(("stem", "other"), [("x264", "x265"), ("z", "x")])
def test_short_names_keep_their_digits(stem: str, other: str) -> None:
    rows = f"ISC | * \n Zlib | common/x86/* src/{other}/* src/a.c"
    assert licences(notice(rows), f"lib{stem}.so.1", stem) == ("ISC",)
    assert licences(notice(rows), f"lib{stem}.so.1", other) == ()


def test_the_licence_of_the_whole_package() -> None:
    """The header's licence counts if the paragraphs do not show the library's."""
    unclear = notice("GPL-2+ | * \n LGPL-2+ | foo.c", "License: LGPL-2+\n Text.\n")
    assert licences(unclear, "libfoo.so.1", "foo") == ("LGPL-2+",)
    clear = notice("GPL-2+ | * \n LGPL-2.1+ | libfoo/*", "License: GPL-2+\n")
    assert licences(clear, "libfoo.so.1", "foo") == ("LGPL-2.1+",)
    assert licences(notice("", "License: ISC\n"), "libfoo.so.1", "foo") == ("ISC",)
    assert licences(notice("", "License:\n"), "libfoo.so.1", "foo") == ()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\n \n",
        "This package was debianized by somebody.\n\nFiles: *\nLicense: GPL-2\n",
        "Format: other\n\nFiles: *\nLicense: GPL-2\n",
        f"{HEADER}\nFiles: *\nLicence: GPL-2\n",
        f"{HEADER}\nFiles:\nLicense: GPL-2\n",
        f"{HEADER}\nLicense: GPL-2\n Text.\n Files: *\n",
        f"{HEADER}\nFiles: *\nLicense: {'a' * 3000}\n",
    ],
)
def test_other_copyright_files_give_none(text: str) -> None:
    assert licences(text, "libx.so.1", "x") == ()


LINES = 20_000
LARGE = {
    "patterns": "Files: " + " ".join(f"{'a' * 60}/{n}*" for n in range(LINES)) + "\nLicense: X\n",
    "paragraphs": "".join(f"Files: b/foo/{n}*\nLicense: X{n}\n\n" for n in range(LINES)),
    "folders": "".join(f"Files: b/{n}/libfoo/*\nLicense: X{n}\n\n" for n in range(LINES)),
    "blank lines": "\n \t" * LINES * 10,
    "a long name": f"Files: *\nLicense: {'a-' * LINES * 10}\n",
    "choices": f"Files: *\nLicense: {'GPL-2+ or ' * 190}Expat\n",
}


@pytest.mark.parametrize("case", LARGE)
def test_large_files_take_little_time(case: str) -> None:
    begin = time.monotonic()
    found = licences(f"{HEADER}\n{LARGE[case]}", "libfoo.so.1", "foo")
    licenses.choice("deb", found)
    assert time.monotonic() - begin < 20


def test_the_copyright_files_of_this_machine() -> None:
    """Each licence that is read can be written; words that are no licence are left out."""
    needs.file("/usr/share/doc/libc6/copyright", "libc6")
    read = 0
    for path in sorted(glob.glob("/usr/share/doc/lib*/copyright")):
        package = path.split("/")[-2]
        with open(path, encoding="utf-8", errors="surrogateescape") as file:
            text = file.read()
        found = licences(text, f"{package}.so", package)
        read += bool(found)
        for row in licenses.choice("deb", found):
            assert set(row) in (
                {"license", "acknowledgement"},
                {"license"},
                {"expression", "acknowledgement"},
            )
        assert not {"none", "other", "noderivs", "Autoconf"} & set(found), path
    assert read or not os.path.isdir("/usr/share/doc/liblzma5")
