"""The end of a pyconfig.h that takes the machine's properties from the compiler."""

from __future__ import annotations

from typing import Tuple

from manyshim.audit.tags import MUSL

# CPython's own pymacconfig.h uses this method, so that one pyconfig.h fits several machines.
_MEASURED = """
/* pyport.h defines what is undefined here, and some headers include this file again after it. */
#ifndef MANYSHIM_PYCONFIG_H
#define MANYSHIM_PYCONFIG_H

/* manyshim: the compiler's values replace what configure measured on the building machine. */
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
/* Interpreters for the i686 tags do not use SSE2, also if this file is compiled with it. */
#ifdef __i386__
#define HAVE_GCC_ASM_FOR_X87 1
#define X87_DOUBLE_ROUNDING 1
#endif

/* An option of configure. Undefined, the default of the target applies. */
#undef PYLONG_BITS_IN_DIGIT
"""

# Since 3.13 configure defines DOUBLE_IS_BIG_ENDIAN_IEEE754 only.
_FLOAT_WORDS = """
#undef FLOAT_WORDS_BIGENDIAN
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
#define FLOAT_WORDS_BIGENDIAN 1
#endif
"""

# Integers of register size are aligned to their own size.
_ALIGN = """
#undef ALIGNOF_LONG
#undef ALIGNOF_SIZE_T
#define ALIGNOF_LONG __SIZEOF_LONG__
#define ALIGNOF_SIZE_T __SIZEOF_SIZE_T__
"""

# musl's time_t has 64 bits everywhere since 1.2.0. glibc's has them on 32-bit machines only if
# _TIME_BITS asks for it.
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

# CPython's support tier (PEP 11). 0 means "not supported". The real value depends on the compiler
# of the target's Python, which is not known here.
_TIER = """
#undef PY_SUPPORT_TIER
#define PY_SUPPORT_TIER 0
"""

# In 3.12 the internal headers choose the layout of the interpreter's state by it.
_TRAMPOLINE = """
#undef PY_HAVE_PERF_TRAMPOLINE
"""
_HAS_TRAMPOLINE = """\
#if defined __x86_64__ || defined __aarch64__
#define PY_HAVE_PERF_TRAMPOLINE 1
#endif
"""

# The values of GCC, whose max_align_t contains a __float128 on i386.
_MAX_ALIGN = """
#undef ALIGNOF_MAX_ALIGN_T
#if defined __arm__ || defined __s390x__
#define ALIGNOF_MAX_ALIGN_T 8
#else
#define ALIGNOF_MAX_ALIGN_T 16
#endif
"""

# Until 3.8, Python.h includes crypt.h, which zig does not have.
_CRYPT = """
#if !__has_include(<crypt.h>)
#undef HAVE_CRYPT_H
#endif
"""


def overlay(python: Tuple[int, int], libc: str) -> str:
    """Return the end of a pyconfig.h that replaces the host's values by those of the target."""
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
    """Return the end of a pyconfig.h that zig needs even if the host is the target."""
    return _CRYPT if python <= (3, 8) else ""
