"""The sources of the libraries and programs whose patched files the matrix runs.

A subject needs libdep.so.1, with symbol versions, and libextra.so.1, which it does not use. Each
term of `answer` uses another part of the file: 9000000 an indirect function, 800000 a constructor,
70000 its own thread-local variable, and the rest the needed library.
"""

from __future__ import annotations

DEP, EXTRA = "libdep.so.1", "libextra.so.1"
VERSION = "MAIN_1"
OUTPUT = "9876543 11\n"

_DEP_C = """\
int dep_data = 500;
__thread int dep_local = 6000;
int dep_old(void) { return 3; }
int dep_fresh(void) { return 40; }
int dep_thread(void) { return dep_local; }
"""
_DEP_MAP = """\
DEP_1 { global: dep_old; local: *; };
DEP_2 { global: dep_fresh; dep_data; dep_local; dep_thread; } DEP_1;
"""
_SUBJECT_C = """\
#include <stdio.h>
int dep_old(void);
int dep_fresh(void);
extern int dep_data;
extern __thread int dep_local;
__thread int local = 70000;
int exported = 11;
int *const pointer = &exported;
char zeros[70000];
static int constructed;
__attribute__((constructor)) static void construct(void) { constructed = 800000 + zeros[9]; }
#ifdef IFUNC
static int chosen(void) { return 9000000; }
static int (*choose(void))(void) { return chosen; }
int indirect(void) __attribute__((ifunc("choose")));
#else
int indirect(void) { return 9000000; }
#endif
int answer(void)
{
    return indirect() + constructed + local + dep_local + dep_data + dep_fresh() + dep_old();
}
#ifdef PROGRAM
int main(void)
{
    printf("%d %d\\n", answer(), *pointer);
    return 0;
}
#else
int show(void) { return printf("%d %d\\n", answer(), *pointer); }
#endif
"""
_SUBJECT_MAP = VERSION + " { global: answer; exported; show; local: *; };\n"
_SUBJECT_RS = """\
#![allow(non_upper_case_globals)]
use std::cell::Cell;
use std::sync::atomic::{AtomicI32, Ordering};
extern "C" {
    fn dep_old() -> i32;
    fn dep_fresh() -> i32;
    fn dep_thread() -> i32;
    static dep_data: i32;
}
thread_local! { static LOCAL: Cell<i32> = Cell::new(70000); }
static CONSTRUCTED: AtomicI32 = AtomicI32::new(0);
extern "C" fn construct() { CONSTRUCTED.store(9800000, Ordering::SeqCst); }
#[used]
#[link_section = ".init_array"]
static CONSTRUCT: extern "C" fn() = construct;
#[no_mangle]
pub static exported: i32 = 11;
#[no_mangle]
pub extern "C" fn answer() -> i32 {
    let own = CONSTRUCTED.load(Ordering::SeqCst) + LOCAL.with(|local| local.get());
    own + unsafe { dep_thread() + dep_data + dep_fresh() + dep_old() }
}
"""
_MAIN_RS = 'fn main() { println!("{} {}", answer(), exported); }\n'
# Loads the library in its first argument, and looks the function up under a version if the second
# argument names one.
_HOST_C = """\
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdio.h>
int main(int count, char **words)
{
    void *library = dlopen(words[1], RTLD_NOW);
    int (*answer)(void) = library ? dlsym(library, "answer") : 0;
    int *exported = library ? dlsym(library, "exported") : 0;
#ifdef __GLIBC__
    if (library && count > 2)
        answer = dlvsym(library, "answer", words[2]);
#endif
    if (!answer || !exported) {
        puts(dlerror());
        return 1;
    }
    printf("%d %d\\n", answer(), *exported);
    return dlclose(library);
}
"""

SOURCES = {
    "dep.c": _DEP_C,
    "dep.map": _DEP_MAP,
    "extra.c": "int extra(void) { return 0; }\n",
    "subject.c": _SUBJECT_C,
    "subject.map": _SUBJECT_MAP,
    "library.rs": _SUBJECT_RS,
    "program.rs": _SUBJECT_RS + _MAIN_RS,
    "host.c": _HOST_C,
    "static.c": '#include <stdio.h>\nint main(void) { puts("9876543 11"); return 0; }\n',
}
