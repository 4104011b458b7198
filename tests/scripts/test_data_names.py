"""The lists of the names that glibc and GCC's runtimes define, compared with their sources."""

from __future__ import annotations

import re
import shutil
from importlib import metadata
from typing import TYPE_CHECKING, Any, Dict, List, Set, Tuple

import pytest
from packaging.version import Version

from datascripts import DATA, head_of, run_script, written
from manyshim.audit.definitions import glibc_definitions, runtime_definitions
from manyshim.audit.policy import policies_of
from manyshim.audit.tags import ARCHES, GLIBC
from systems import System, system

if TYPE_CHECKING:
    from pathlib import Path

NAMES = "glibc-names.txt"


def copy_data(folder: Path) -> None:
    for name in (NAMES, "libstdcxx-names.txt"):
        shutil.copyfile(str(DATA / name), str(folder / name))


def installed_zig() -> Version:
    try:
        return Version(metadata.version("ziglang"))
    except metadata.PackageNotFoundError:
        pytest.skip("ziglang is not installed: it is for Linux")


def test_installed_zig_gives_the_same_bytes(tmp_path: Path) -> None:
    pytest.importorskip("elftools")
    named, release = head_of((DATA / NAMES).read_text(encoding="utf-8"))["source"].split()[:2]
    assert named == "ziglang"
    if installed_zig() > Version(release):
        pytest.fail(f"{NAMES} is from ziglang {release}: run scripts/update_glibc_names.py")
    if installed_zig() < Version(release):
        pytest.skip(f"ziglang {installed_zig()} is older than {NAMES}, which is from {release}")
    copy_data(tmp_path)
    done = run_script("update_glibc_names.py", tmp_path)
    assert written(done, tmp_path / NAMES) == (DATA / NAMES).read_bytes()


def test_a_wrong_version_is_found(tmp_path: Path) -> None:
    """So the comparison above sees every version."""
    installed_zig()
    copy_data(tmp_path)
    text = (DATA / NAMES).read_text(encoding="utf-8")
    wrong = text.replace("GLIBC_2.36=*", "GLIBC_2.35=*", 1)
    assert wrong != text
    (tmp_path / NAMES).write_text(wrong, encoding="utf-8")
    done = run_script("update_glibc_names.py", tmp_path)
    assert written(done, tmp_path / NAMES) == (DATA / NAMES).read_bytes()


@pytest.mark.parametrize("arch", ARCHES)
def test_every_architecture_has_its_names(arch: str) -> None:
    names = glibc_definitions(arch)
    assert len(names) > 3000
    assert {one.library for one in names["memcpy"]} == {"libc.so.6"}
    # A version is written only if some policy lacks it.
    policies = policies_of(GLIBC, arch)
    for found in names.values():
        for one in found:
            assert not one.version or policies.first_policy_allowing_version(one.version) != 0


# std::ios_base::Init::Init(), std::string(const char*, size_t, const allocator&) with size_t as
# unsigned long and as unsigned int, and std::__throw_bad_array_new_length().
INIT, NEW = "_ZNSt8ios_base4InitC1Ev", "_ZSt28__throw_bad_array_new_lengthv"
LONG, INT = (f"_ZNSsC1EPKc{size}RKSaIcE" for size in "mj")


@pytest.mark.parametrize(
    ("arch", "versions"),
    [
        ("x86_64", {INIT: "", LONG: "", NEW: "GLIBCXX_3.4.29", "__cxa_throw": ""}),
        ("ppc64", {INIT: "", LONG: "", NEW: "GLIBCXX_3.4.29", "__cxa_throw": ""}),
        ("i686", {INIT: "", INT: "", NEW: "GLIBCXX_3.4.29", "__cxa_throw": ""}),
        ("loongarch64", {INIT: "", LONG: "", NEW: "", "__cxa_throw": ""}),
    ],
)
def test_names_of_the_runtimes(arch: str, versions: Dict[str, str]) -> None:
    found = runtime_definitions(arch, {INIT, LONG, INT, NEW, "__cxa_throw", "_ZNobody", "nobody"})
    assert {name: one.version for name, (one,) in found.items()} == versions


def node(text: str) -> Tuple[int, ...]:
    return tuple(map(int, re.findall(r"\d+", text)))


def defined(made: System, name: str) -> Dict[str, Set[str]]:
    """Return the names that a system's library defines, with the versions."""
    from elftools.elf.elffile import ELFFile

    (path,) = {path.resolve() for path in made.root.glob(f"**/{name}")}
    found: Dict[str, Set[str]] = {}
    with path.open("rb") as file:
        elf: Any = ELFFile(file)
        sections = (".dynsym", ".gnu.version", ".gnu.version_d")
        symbols, table, nodes = map(elf.get_section_by_name, sections)
        names = {row["vd_ndx"]: next(entries).name for row, entries in nodes.iter_versions()}
        for number, symbol in enumerate(symbols.iter_symbols()):
            index = table.get_symbol(number)["ndx"]
            # Not those that are undefined, local, of the base, or kept for old files.
            if symbol["st_shndx"] != "SHN_UNDEF" and isinstance(index, int) and index < 0x8000:
                found.setdefault(symbol.name, set()).add(names[index])
    return {name: versions - {"GLIBC_PRIVATE", name} for name, versions in found.items()}


@pytest.mark.parametrize("name", ["bullseye-amd64", "bookworm-amd64", "bookworm-i386"])
@pytest.mark.parametrize("library", ["libc.so.6", "libm.so.6", "libstdc++.so.6", "libgcc_s.so.1"])
def test_a_system_has_the_versions_of_the_list(name: str, library: str) -> None:
    """Each name that the system gives by default is listed, with no newer version than there."""
    pytest.importorskip("elftools")
    made = system(name)
    found = {one: versions for one, versions in defined(made, library).items() if versions}
    listed = dict(runtime_definitions(made.arch, found))
    for one, definitions in glibc_definitions(made.arch).items():
        listed[one] = (*listed.get(one, ()), *definitions)
    assert len(found) > 80
    wrong: List[str] = []
    for one, versions in found.items():
        oldest = min((node(text) for text in versions), default=())
        if not any(node(known.version) <= oldest for known in listed.get(one, ())):
            wrong.append(one)
    assert set(wrong) - GONE == set()


# glibc gives these to new files no longer, so the list does not have them.
GONE = {
    *("pthread_mutex_consistent_np", "pthread_mutexattr_getrobust_np", "xdr_quad_t"),
    *("pthread_mutexattr_setrobust_np", "xdr_u_quad_t", "_dl_mcount_wrapper"),
}
