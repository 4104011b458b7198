"""The plan of a repair, from facts made by hand: no file is read or written."""

from __future__ import annotations

from typing import Optional, Sequence

import pytest

from manyshim.audit.facts import VersionNeed, WheelFacts
from manyshim.audit.request import Request
from manyshim.audit.verdict import audit
from manyshim.formats.elf.edits import Patch
from manyshim.repair.closure import alternatives, plan
from manyshim.repair.notes import to_dict
from planning import EXT, NAME, Libraries, by_name, elf, library, policy, repair_request


def test_the_dynamic_loader_is_never_copied() -> None:
    """On aarch64, most libraries need it for the stack guard."""
    loader = "ld-linux-x86-64.so.2"
    libraries = Libraries(library("liba.so.1", loader), library(loader))
    planned = plan(repair_request(libraries, elf(EXT, "liba.so.1", loader)))
    assert list(by_name(planned)) == ["liba.so.1"]
    assert planned.policy == policy("manylinux_2_17")
    assert planned.not_copied == {}


def test_a_chain_is_copied_under_new_names() -> None:
    libraries = Libraries(library("liba.so.1", "libb.so.2"), library("libb.so.2"))
    planned = plan(repair_request(libraries, elf(EXT, "liba.so.1")))
    copies = by_name(planned)
    assert copies["liba.so.1"].member == "demo.libs/liba-01234567.so.1"
    assert copies["liba.so.1"].needed_by == (EXT,)
    assert copies["liba.so.1"].patch == Patch(
        replace_needed=(("libb.so.2", "libb-01234567.so.2"),),
        soname="liba-01234567.so.1",
        rpath="$ORIGIN",
    )
    assert copies["libb.so.2"].needed_by == ("demo.libs/liba-01234567.so.1",)
    assert copies["libb.so.2"].patch == Patch(soname="libb-01234567.so.2")
    assert planned.patches == {
        EXT: Patch(
            replace_needed=(("liba.so.1", "liba-01234567.so.1"),), rpath="$ORIGIN/../demo.libs"
        )
    }
    assert planned.policy == policy("manylinux_2_17")
    assert libraries.asked["libb.so.2"] == ["/usr/lib/liba.so.1", EXT], (
        "the files that load it follow"
    )


def test_the_same_file_in_two_folders_is_copied_once() -> None:
    """Their copies would have the same name."""
    first = library("libdeep.so.1", "libm.so.6")
    second = first._replace(path="/opt/libdeep.so.1", real="/opt/libdeep.so.1")
    users = [elf(f"pkg/{name}.so", "libdeep.so.1") for name in ("one", "two")]
    request = repair_request(Libraries(), *users)
    found = {"pkg/one.so": first, "pkg/two.so": second}
    planned = plan(request._replace(find=lambda _, chain: found[chain[-1].path]))
    (copy,) = planned.copies
    assert copy.needed_by == ("pkg/one.so", "pkg/two.so")
    assert planned.policy == policy("manylinux_2_17")


def test_libraries_of_the_policy_are_not_searched() -> None:
    libraries = Libraries(library("liba.so.1", "libm.so.6", "libX11.so.6"))
    planned = plan(repair_request(libraries, elf(EXT, "liba.so.1", "libdl.so.2")))
    assert list(libraries.asked) == ["liba.so.1"]
    assert len(planned.copies) == 1


@pytest.mark.parametrize(
    ("needs", "platform", "expected"),
    [
        ("GLIBC_2.5", None, "manylinux_2_17"),
        ("GLIBC_2.28", None, "manylinux_2_28"),
        ("GLIBC_2.28", "manylinux_2_31", "manylinux_2_28"),
        ("GLIBC_2.28", "manylinux_2_17", "manylinux_2_28"),
        # Newer than every policy.
        ("GLIBC_2.28", "manylinux_2_99", "manylinux_2_28"),
    ],
)
def test_a_copy_raises_the_policy(needs: str, platform: Optional[str], expected: str) -> None:
    libraries = Libraries(library("liba.so.1", version=needs))
    wanted = policy(platform) if platform else None
    planned = plan(repair_request(libraries, elf(EXT, "liba.so.1"), platform=wanted))
    assert planned.policy == policy(expected)


def test_a_wheel_that_needs_nothing_stays_as_it_is() -> None:
    planned = plan(repair_request(Libraries(), elf(EXT)))
    assert planned.empty
    assert planned.policy == policy("manylinux_2_17")


@pytest.mark.parametrize(
    ("bundle", "name", "reason"),
    [
        ((), "liba.so.1", "no pattern of bundle matches it"),
        (("libb*",), "liba.so.1", "no pattern of bundle matches it"),
        (("*",), "libnone.so", "it was not found; name its folder with library-path"),
        (("*",), "libpython3.11.so.1.0", "the library of the Python interpreter is never copied"),
    ],
)
def test_reasons_for_not_copying(bundle: Sequence[str], name: str, reason: str) -> None:
    libraries = Libraries(library("liba.so.1"), library("libpython3.11.so.1.0"))
    # In a module libpython is a separate error, which a repair resolves.
    path = "pkg/libplug.so" if "python" in name else EXT
    planned = plan(repair_request(libraries, elf(path, "liba.so.1", name), bundle=bundle))
    if "python" in name:
        assert planned.policy == policy("manylinux_2_17")
        assert planned.patches[path].remove_needed == (name,)
        return
    assert planned.not_copied[name] == reason
    assert planned.policy is None


def test_libpython_of_a_copied_library_is_never_copied() -> None:
    libraries = Libraries(library("liba.so.1", "libpython3.11.so.1.0"))
    planned = plan(repair_request(libraries, elf(EXT, "liba.so.1")))
    assert planned.not_copied == {
        "libpython3.11.so.1.0": "the library of the Python interpreter is never copied"
    }


def test_two_names_of_one_file_are_one_copy() -> None:
    first = library("liba.so.1")
    libraries = Libraries(first, first._replace(needed_name="liba.so"))
    planned = plan(repair_request(libraries, elf(EXT, "liba.so.1"), elf("pkg/other.so", "liba.so")))
    (copy,) = planned.copies
    assert copy.names == ("liba.so", "liba.so.1")
    assert copy.needed_by == (EXT, "pkg/other.so")
    assert planned.patches["pkg/other.so"].replace_needed == (("liba.so", copy.name),)


def test_a_long_chain_is_followed_to_its_end() -> None:
    names = [f"lib{number}.so" for number in range(1500)]
    links = [library(name, *following) for name, *following in zip(names, names[1:])]
    planned = plan(repair_request(Libraries(*links, library(names[-1])), elf(EXT, names[0])))
    assert len(planned.copies) == len(names)


def test_a_cycle_of_libraries_is_copied_once() -> None:
    libraries = Libraries(library("liba.so.1", "libb.so.2"), library("libb.so.2", "liba.so.1"))
    planned = plan(repair_request(libraries, elf(EXT, "liba.so.1")))
    assert {copy.patch.rpath for copy in planned.copies} == {"$ORIGIN"}


def test_two_libraries_with_one_basename_get_different_names() -> None:
    one = library("liba.so.1")
    two = library("liba.so.1", digest="f" * 64)._replace(
        needed_name="libz9.so", real="/opt/liba.so.1"
    )
    planned = plan(repair_request(Libraries(one, two), elf(EXT, "liba.so.1", "libz9.so")))
    assert sorted(copy.name for copy in planned.copies) == [
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
    libraries = Libraries(library("liba.so.1"))
    planned = plan(repair_request(libraries, elf(path, "liba.so.1", runpath=tuple(old))))
    assert planned.patches[path].rpath == new


def test_a_program_moves_to_a_folder_from_which_the_copies_are_found() -> None:
    path = "demo-1.0.data/scripts/tool"
    libraries = Libraries(library("liba.so.1"))
    planned = plan(
        repair_request(libraries, elf(EXT), elf(path, "liba.so.1", interpreter="/lib64/ld.so"))
    )
    assert planned.launchers == {path: "demo.scripts/tool"}
    assert planned.patches[path].rpath == "$ORIGIN/../demo.libs"
    assert planned.policy == policy("manylinux_2_17")


def test_an_rpath_to_a_library_in_the_wheel_is_added() -> None:
    files = (elf(EXT, "libown.so"), elf("pkg/deep/libown.so"))
    planned = plan(repair_request(Libraries(), *files))
    assert planned.patches == {EXT: Patch(rpath="$ORIGIN/deep")}
    assert planned.policy == policy("manylinux_2_17")


def test_alternatives_are_the_policies_with_an_excluded_library() -> None:
    libraries = Libraries(library("liba.so.1", version="GLIBC_2.34"), library("libb.so.1"))
    request = repair_request(libraries, elf(EXT, "liba.so.1", "libb.so.1"))
    result = alternatives(request, plan(request))
    assert {copy.library.needed_name: policy for copy, policy in result.alternatives} == {
        "liba.so.1": policy("manylinux_2_17"),
        "libb.so.1": policy("manylinux_2_34"),
    }


def test_no_policy_is_null_in_json() -> None:
    libraries = Libraries(library("liba.so.1"))
    planned = plan(repair_request(libraries, elf(EXT, "liba.so.1")))
    planned = planned._replace(alternatives=((planned.copies[0], None),))
    (copy,) = to_dict(planned)["copies"]
    assert (copy["source"], copy["excluded"]) == ("/usr/lib/liba.so.1", None)


def test_a_version_need_follows_the_new_name() -> None:
    private = VersionNeed("liba.so.1", "LIBA_1", symbols=("a",))
    user = elf(EXT, "liba.so.1")
    user = user._replace(versions_needed=(*user.versions_needed, private))
    libraries = Libraries(library("liba.so.1", versions_defined=("LIBA_1",)))
    assert plan(repair_request(libraries, user)).policy == policy("manylinux_2_17")
    libraries = Libraries(library("liba.so.1", versions_defined=("OTHER",)))
    after = plan(repair_request(libraries, user))
    assert after.copies, "the audit of the result reports VERDEF_MISSING"


def test_the_libraries_of_filters_keep_their_names() -> None:
    """No option of patchelf changes DT_FILTER and DT_AUXILIARY."""
    front = library(
        "libfront.so.1", filters=("libimpl.so.1",), auxiliary=("libfast.so", "libno.so")
    )
    libraries = Libraries(front, library("libimpl.so.1", "libdeep.so.1"), library("libfast.so"))
    libraries.libraries["libdeep.so.1"] = library("libdeep.so.1")
    planned = plan(repair_request(libraries, elf(EXT, "libfront.so.1")))
    members = {name: copy.member for name, copy in by_name(planned).items()}
    assert members == {
        "libfront.so.1": "demo.libs/libfront-01234567.so.1",
        "libimpl.so.1": "demo.libs/libimpl.so.1",
        "libfast.so": "demo.libs/libfast.so",
        "libdeep.so.1": "demo.libs/libdeep-01234567.so.1",
    }
    assert by_name(planned)["libfront.so.1"].patch.rpath == "$ORIGIN"
    assert by_name(planned)["libfront.so.1"].patch.replace_needed == ()
    assert planned.not_copied == {}, "a missing auxiliary library does not matter"
    assert planned.policy == policy("manylinux_2_17")


def test_a_filter_of_the_wheel_is_a_need() -> None:
    file = elf(EXT, filters=("libimpl.so.1",))
    assert audit(WheelFacts(NAME, "demo-1.0", elfs=(file,)), Request()).external == (
        "libimpl.so.1",
    )
    planned = plan(repair_request(Libraries(library("libimpl.so.1")), file))
    assert [copy.member for copy in planned.copies] == ["demo.libs/libimpl.so.1"]
    assert planned.patches[EXT].rpath == "$ORIGIN/../demo.libs"
    assert planned.policy == policy("manylinux_2_17")
