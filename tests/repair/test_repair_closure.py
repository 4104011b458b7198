"""What a repair plans, over hand-made facts: no file is read, and none is written."""

from __future__ import annotations

from typing import Any, Dict, Optional, Sequence

import pytest

from manyshim.audit.facts import SHARED, ElfFile, ElfIdent, VersionNeed, WheelFacts
from manyshim.audit.request import Request
from manyshim.audit.tags import PlatformTag, parse_platform, parse_wheel_name
from manyshim.audit.verdict import audit
from manyshim.repair.closure import alternatives, plan
from manyshim.repair.plan import Copy, Library, Patch, Plan, RepairRequest
from manyshim.repair.run import to_dict

EXT = "pkg/_x.cpython-311-x86_64-linux-gnu.so"
NAME = parse_wheel_name("demo-1.0-cp311-cp311-linux_x86_64.whl")
DIGEST = "0123456789abcdef" * 4


def libc(version: str, *symbols: str) -> VersionNeed:
    return VersionNeed("libc.so.6", version, symbols=symbols or ("malloc",))


def elf(path: str, *needed: str, version: str = "GLIBC_2.17", **facts: Any) -> ElfFile:
    ident = ElfIdent(64, True, 62, SHARED, 0, 0, 0)
    names = (*needed, "libc.so.6")
    made = ElfFile(path, ident, dynamic=True, needed=names, versions_needed=(libc(version),))
    return made._replace(**facts)


def library(name: str, *needed: str, digest: str = DIGEST, **facts: Any) -> Library:
    path = f"/usr/lib/{name}"
    return Library(
        name, path, path, "default folder", digest, elf(path, *needed, soname=name, **facts)
    )


class Machine:
    """Finds what it was given by name, and remembers who asked."""

    def __init__(self, *libraries: Library) -> None:
        self.libraries = {one.asked: one for one in libraries}
        self.asked: Dict[str, Sequence[str]] = {}

    def find(self, name: str, chain: Sequence[ElfFile]) -> Optional[Library]:
        self.asked[name] = [elf.path for elf in chain]
        return self.libraries.get(name)


def task(
    machine: Machine, *elfs: ElfFile, bundle: Sequence[str] = ("*",), **asked: Any
) -> RepairRequest:
    assert NAME is not None
    facts = WheelFacts(NAME, "demo-1.0", tuple(one.path for one in elfs), elfs=elfs)
    request = Request(**asked)
    return RepairRequest(facts, audit(facts, request), request, bundle, machine.find)


def policy(text: str) -> Optional[PlatformTag]:
    return parse_platform(f"{text}_x86_64")


def by_name(settled: Plan) -> Dict[str, Copy]:
    return {copy.library.asked: copy for copy in settled.copies}


def test_the_dynamic_loader_is_never_copied() -> None:
    """On aarch64 the guard of the stack makes it stand in NEEDED of most libraries."""
    loader = "ld-linux-x86-64.so.2"
    machine = Machine(library("liba.so.1", loader), library(loader))
    settled = plan(task(machine, elf(EXT, "liba.so.1", loader)))
    assert list(by_name(settled)) == ["liba.so.1"]
    assert settled.policy == policy("manylinux_2_17")
    assert settled.not_copied == {}


def test_a_chain_is_copied_under_new_names() -> None:
    machine = Machine(library("liba.so.1", "libb.so.2"), library("libb.so.2"))
    settled = plan(task(machine, elf(EXT, "liba.so.1")))
    copies = by_name(settled)
    assert copies["liba.so.1"].member == "demo.libs/liba-01234567.so.1"
    assert copies["liba.so.1"].needed_by == (EXT,)
    assert copies["liba.so.1"].patch == Patch(
        replace_needed=(("libb.so.2", "libb-01234567.so.2"),),
        soname="liba-01234567.so.1",
        rpath="$ORIGIN",
    )
    assert copies["libb.so.2"].needed_by == ("demo.libs/liba-01234567.so.1",)
    assert copies["libb.so.2"].patch == Patch(soname="libb-01234567.so.2")
    assert settled.patches == {
        EXT: Patch(
            replace_needed=(("liba.so.1", "liba-01234567.so.1"),), rpath="$ORIGIN/../demo.libs"
        )
    }
    assert settled.policy == policy("manylinux_2_17")
    assert machine.asked["libb.so.2"] == ["/usr/lib/liba.so.1", EXT], "its loaders come after it"


def test_what_the_policy_promises_is_not_searched() -> None:
    machine = Machine(library("liba.so.1", "libm.so.6", "libX11.so.6"))
    settled = plan(task(machine, elf(EXT, "liba.so.1", "libdl.so.2")))
    assert list(machine.asked) == ["liba.so.1"]
    assert len(settled.copies) == 1


@pytest.mark.parametrize(
    ("needs", "platform", "expected"),
    [
        ("GLIBC_2.5", None, "manylinux_2_17"),
        ("GLIBC_2.28", None, "manylinux_2_28"),
        ("GLIBC_2.28", "manylinux_2_31", "manylinux_2_28"),
        ("GLIBC_2.28", "manylinux_2_17", "manylinux_2_28"),
    ],
)
def test_a_copy_raises_the_policy(needs: str, platform: Optional[str], expected: str) -> None:
    machine = Machine(library("liba.so.1", version=needs))
    wanted = policy(platform) if platform else None
    settled = plan(task(machine, elf(EXT, "liba.so.1"), platform=wanted))
    assert settled.policy == policy(expected)


def test_a_wheel_that_needs_nothing_stays_as_it_is() -> None:
    settled = plan(task(Machine(), elf(EXT)))
    assert settled.empty
    assert settled.policy == policy("manylinux_2_17")


@pytest.mark.parametrize(
    ("bundle", "name", "reason"),
    [
        ((), "liba.so.1", "bundle does not name it"),
        (("libb*",), "liba.so.1", "bundle does not name it"),
        (("*",), "libnone.so", "it is not found"),
        (("*",), "libpython3.11.so.1.0", "an interpreter's library is never copied"),
    ],
)
def test_what_is_not_copied_is_said(bundle: Sequence[str], name: str, reason: str) -> None:
    machine = Machine(library("liba.so.1"), library("libpython3.11.so.1.0"))
    # libpython is an error of its own in a module, which a repair takes away.
    path = "pkg/libplug.so" if "python" in name else EXT
    settled = plan(task(machine, elf(path, "liba.so.1", name), bundle=bundle))
    if "python" in name:
        assert settled.policy == policy("manylinux_2_17")
        assert settled.patches[path].remove_needed == (name,)
        return
    assert settled.not_copied[name] == reason
    assert settled.policy is None


def test_libpython_of_a_copied_library_is_never_copied() -> None:
    machine = Machine(library("liba.so.1", "libpython3.11.so.1.0"))
    settled = plan(task(machine, elf(EXT, "liba.so.1")))
    assert settled.not_copied == {
        "libpython3.11.so.1.0": "an interpreter's library is never copied"
    }


def test_two_names_of_one_file_are_one_copy() -> None:
    first = library("liba.so.1")
    machine = Machine(first, first._replace(asked="liba.so"))
    settled = plan(task(machine, elf(EXT, "liba.so.1"), elf("pkg/other.so", "liba.so")))
    (copy,) = settled.copies
    assert copy.names == ("liba.so", "liba.so.1")
    assert copy.needed_by == (EXT, "pkg/other.so")
    assert settled.patches["pkg/other.so"].replace_needed == (("liba.so", copy.name),)


def test_a_long_chain_is_followed_to_its_end() -> None:
    names = [f"lib{number}.so" for number in range(1500)]
    links = [library(name, *following) for name, *following in zip(names, names[1:])]
    settled = plan(task(Machine(*links, library(names[-1])), elf(EXT, names[0])))
    assert len(settled.copies) == len(names)


def test_libraries_that_need_each_other_have_an_end() -> None:
    machine = Machine(library("liba.so.1", "libb.so.2"), library("libb.so.2", "liba.so.1"))
    settled = plan(task(machine, elf(EXT, "liba.so.1")))
    assert {copy.patch.rpath for copy in settled.copies} == {"$ORIGIN"}


def test_two_libraries_with_one_basename_keep_apart() -> None:
    one = library("liba.so.1")
    two = library("liba.so.1", digest="f" * 64)._replace(asked="libz9.so", real="/opt/liba.so.1")
    settled = plan(task(Machine(one, two), elf(EXT, "liba.so.1", "libz9.so")))
    assert sorted(copy.name for copy in settled.copies) == [
        "liba-01234567.so.1",
        "liba-ffffffff.so.1",
    ]


@pytest.mark.parametrize(
    ("path", "old", "new"),
    [
        (EXT, (), "$ORIGIN/../demo.libs"),
        ("_x.abi3.so", (), "$ORIGIN/demo.libs"),
        ("demo-1.0.data/platlib/a/b/_x.abi3.so", (), "$ORIGIN/../../demo.libs"),
        (EXT, ("$ORIGIN/libs", "/opt/lib"), "$ORIGIN/libs:$ORIGIN/../demo.libs"),
        (EXT, ("$ORIGIN/../../..",), "$ORIGIN/../demo.libs"),
        (EXT, ("$ORIGIN/../demo.libs",), "$ORIGIN/../demo.libs"),
    ],
)
def test_the_search_path_stays_in_the_wheel(path: str, old: Sequence[str], new: str) -> None:
    machine = Machine(library("liba.so.1"))
    settled = plan(task(machine, elf(path, "liba.so.1", runpath=tuple(old))))
    assert settled.patches[path].rpath == new


def test_a_program_moves_where_its_libraries_can_be_reached() -> None:
    path = "demo-1.0.data/scripts/tool"
    machine = Machine(library("liba.so.1"))
    settled = plan(task(machine, elf(EXT), elf(path, "liba.so.1", interpreter="/lib64/ld.so")))
    assert settled.launchers == {path: "demo.scripts/tool"}
    assert settled.patches[path].rpath == "$ORIGIN/../demo.libs"
    assert settled.policy == policy("manylinux_2_17")


def test_a_library_of_the_wheel_that_no_path_leads_to_is_reached() -> None:
    files = (elf(EXT, "libown.so"), elf("pkg/deep/libown.so"))
    settled = plan(task(Machine(), *files))
    assert settled.patches == {EXT: Patch(rpath="$ORIGIN/deep")}
    assert settled.policy == policy("manylinux_2_17")


def test_what_holds_with_an_excluded_library_is_weighed() -> None:
    machine = Machine(library("liba.so.1", version="GLIBC_2.34"), library("libb.so.1"))
    question = task(machine, elf(EXT, "liba.so.1", "libb.so.1"))
    weighed = alternatives(question, plan(question))
    assert {copy.library.asked: policy for copy, policy in weighed.alternatives} == {
        "liba.so.1": policy("manylinux_2_17"),
        "libb.so.1": policy("manylinux_2_34"),
    }


def test_no_policy_is_null_for_machines() -> None:
    machine = Machine(library("liba.so.1"))
    settled = plan(task(machine, elf(EXT, "liba.so.1")))
    settled = settled._replace(alternatives=((settled.copies[0], None),))
    (copy,) = to_dict(settled)["copies"]
    assert (copy["source"], copy["excluded"]) == ("/usr/lib/liba.so.1", None)


def test_a_version_need_goes_with_the_new_name() -> None:
    private = VersionNeed("liba.so.1", "LIBA_1", symbols=("a",))
    user = elf(EXT, "liba.so.1")
    user = user._replace(versions_needed=(*user.versions_needed, private))
    machine = Machine(library("liba.so.1", versions_defined=("LIBA_1",)))
    assert plan(task(machine, user)).policy == policy("manylinux_2_17")
    machine = Machine(library("liba.so.1", versions_defined=("OTHER",)))
    after = plan(task(machine, user))
    assert after.copies, "and the audit of the result says VERDEF_MISSING"
