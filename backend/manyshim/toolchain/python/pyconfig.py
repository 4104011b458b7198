"""What pyconfig.h says of a machine, said anew by the compiler that reads it."""

from __future__ import annotations

from typing import Tuple

from manyshim.audit.tags import MUSL

# The method of CPython's own pymacconfig.h, which serves several machines with one pyconfig.h.
_MEASURED = """
/* pyport.h settles what is left open, and some headers include this file again after it. */
#ifndef MANYSHIM_PYCONFIG_H
#define MANYSHIM_PYCONFIG_H

/* manyshim: what configure measured on the machine that builds, as the compiler knows it. */
#undef SIZEOF_SHORT
#undef SIZEOF_INT
#undef SIZEOF_LONG
#undef SIZEOF_LONG_LONG
#undef SIZEOF_FLOAT
#undef SIZEOF_DOUBLE
#undef SIZEOF_LONG_DOUBLE
#undef SIZEOF_VOID_P
#undef SIZEOF_UINTPTR_T
#undef SIZEOF_SIZE_T
#undef SIZEOF_WCHAR_T
#undef SIZEOF__BOOL
#define SIZEOF_SHORT __SIZEOF_SHORT__
#define SIZEOF_INT __SIZEOF_INT__
#define SIZEOF_LONG __SIZEOF_LONG__
#define SIZEOF_LONG_LONG __SIZEOF_LONG_LONG__
#define SIZEOF_FLOAT __SIZEOF_FLOAT__
#define SIZEOF_DOUBLE __SIZEOF_DOUBLE__
#define SIZEOF_LONG_DOUBLE __SIZEOF_LONG_DOUBLE__
#define SIZEOF_VOID_P __SIZEOF_POINTER__
#define SIZEOF_UINTPTR_T __SIZEOF_POINTER__
#define SIZEOF_SIZE_T __SIZEOF_SIZE_T__
#define SIZEOF_WCHAR_T __SIZEOF_WCHAR_T__
#define SIZEOF__BOOL 1

/* The types of glibc and musl, with the _FILE_OFFSET_BITS=64 of every pyconfig.h. */
#undef SIZEOF_PID_T
#undef SIZEOF_OFF_T
#undef SIZEOF_FPOS_T
#undef SIZEOF_PTHREAD_T
#undef SIZEOF_PTHREAD_KEY_T
#undef HAVE_LARGEFILE_SUPPORT
#define SIZEOF_PID_T 4
#define SIZEOF_OFF_T 8
#define SIZEOF_FPOS_T 16
#define SIZEOF_PTHREAD_T __SIZEOF_LONG__
#define SIZEOF_PTHREAD_KEY_T 4
#if __SIZEOF_LONG__ < 8
#define HAVE_LARGEFILE_SUPPORT 1
#endif

#undef WORDS_BIGENDIAN
#undef DOUBLE_IS_ARM_MIXED_ENDIAN_IEEE754
#undef DOUBLE_IS_BIG_ENDIAN_IEEE754
#undef DOUBLE_IS_LITTLE_ENDIAN_IEEE754
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
#define WORDS_BIGENDIAN 1
#define DOUBLE_IS_BIG_ENDIAN_IEEE754 1
#else
#define DOUBLE_IS_LITTLE_ENDIAN_IEEE754 1
#endif

#undef HAVE_USABLE_WCHAR_T
#ifdef __WCHAR_UNSIGNED__
#define HAVE_USABLE_WCHAR_T 1
#endif
#undef HAVE_GCC_UINT128_T
#ifdef __SIZEOF_INT128__
#define HAVE_GCC_UINT128_T 1
#endif

#undef HAVE_GCC_ASM_FOR_MC68881
#undef HAVE_GCC_ASM_FOR_X64
#undef HAVE_GCC_ASM_FOR_X87
#undef X87_DOUBLE_ROUNDING
#ifdef __x86_64__
#define HAVE_GCC_ASM_FOR_X64 1
#define HAVE_GCC_ASM_FOR_X87 1
#endif
/* The interpreters of the tags' i686 calculate without SSE2, whatever this file is compiled for. */
#ifdef __i386__
#define HAVE_GCC_ASM_FOR_X87 1
#define X87_DOUBLE_ROUNDING 1
#endif

/* Chosen by whoever configures a Python; left alone, the target's own default holds. */
#undef PYLONG_BITS_IN_DIGIT
"""

# Since 3.13 configure finds it out, and then says DOUBLE_IS_BIG_ENDIAN_IEEE754 alone.
_FLOAT_WORDS = """
#undef FLOAT_WORDS_BIGENDIAN
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
#define FLOAT_WORDS_BIGENDIAN 1
#endif
"""

# A number as wide as a register is aligned as it is wide.
_ALIGN = """
#undef ALIGNOF_LONG
#undef ALIGNOF_SIZE_T
#define ALIGNOF_LONG __SIZEOF_LONG__
#define ALIGNOF_SIZE_T __SIZEOF_SIZE_T__
"""

# musl's time_t has 64 bits everywhere since 1.2.0; glibc's has only where a program asks for them.
_TIME = """
#undef SIZEOF_TIME_T
#if defined _TIME_BITS && _TIME_BITS == 64
#define SIZEOF_TIME_T 8
#else
#define SIZEOF_TIME_T __SIZEOF_LONG__
#endif
"""
_MUSL_TIME = """
#undef SIZEOF_TIME_T
#define SIZEOF_TIME_T 8
"""

# How well CPython's developers look after a machine. 0 is configure's word for "not at all": it
# goes by the compiler, too, and nobody's Python of the target is known here.
_TIER = """
#undef PY_SUPPORT_TIER
#define PY_SUPPORT_TIER 0
"""

# The internal headers of 3.12 lay out the interpreter's state by it.
_TRAMPOLINE = """
#undef PY_HAVE_PERF_TRAMPOLINE
"""
_HAS_TRAMPOLINE = """\
#if defined __x86_64__ || defined __aarch64__
#define PY_HAVE_PERF_TRAMPOLINE 1
#endif
"""

# That of gcc, whose max_align_t holds a __float128 on i386.
_MAX_ALIGN = """
#undef ALIGNOF_MAX_ALIGN_T
#if defined __arm__ || defined __s390x__
#define ALIGNOF_MAX_ALIGN_T 8
#else
#define ALIGNOF_MAX_ALIGN_T 16
#endif
"""

# Python.h includes it until 3.8, and zig has none.
_CRYPT = """
#if !__has_include(<crypt.h>)
#undef HAVE_CRYPT_H
#endif
"""


def overlay(python: Tuple[int, int], libc: str) -> str:
    """Give the end of a pyconfig.h that says of the compiler's target what it said of a host."""
    parts = [_MEASURED, _MUSL_TIME if libc == MUSL else _TIME]
    if python < (3, 13):
        parts.append(_FLOAT_WORDS)
    if python >= (3, 10):
        parts.append(_ALIGN)
    if python >= (3, 11):
        parts.append(_TIER)
    if python >= (3, 12):
        parts += [_MAX_ALIGN, _TRAMPOLINE, "" if libc == MUSL else _HAS_TRAMPOLINE]
    return "".join((*parts, "\n#endif\n"))


def guards(python: Tuple[int, int]) -> str:
    """Give the end of a pyconfig.h that zig needs even where the host is the target."""
    return _CRYPT if python <= (3, 8) else ""
