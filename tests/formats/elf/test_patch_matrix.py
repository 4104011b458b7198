"""Patched files of all linkers and architectures load, run, and bear other tools."""

from __future__ import annotations

from pathlib import Path
from typing import Dict

import pytest

from elfbuilding import needs_gcc
from manyshim.formats.elf.edits import Patch
from manyshim.formats.elf.image import ElfError
from manyshim.formats.elf.patch import patch_file
from patchruns import Subject
from patchsources import DEP
from patchtoolchains import ZIG, Toolchain, build, cases, static_programs
from recording import Record

_IN_CI = tuple(Toolchain(linker, "x86_64") for linker in ("GNU ld", "gold", "lld", ZIG))
_CROSS_IN_CI = Toolchain("GNU ld", "aarch64")
_STATIC = Toolchain("GNU ld", "x86_64")


def _key(toolchain: Toolchain, kind: str) -> Dict[str, str]:
    return {**toolchain._asdict(), "kind": kind}


@pytest.mark.parametrize(("toolchain", "kind"), cases((*_IN_CI, _CROSS_IN_CI)))
def test_patched_files_run(toolchain: Toolchain, kind: str, tmp_path: Path, record: Record) -> None:
    built = build(toolchain, kind, tmp_path)
    reports = []
    for sections in (True, False):
        folder = tmp_path / ("sections" if sections else "no-sections")
        folder.mkdir()
        reports.append(Subject(built, folder, sections=sections).examine())
    failures = [one for report in reports for one in report.failures]
    record(
        "patcher",
        **_key(toolchain, kind),
        ways=[way for report in reports for way in report.ways],
        ran=sum(len(report.ran) for report in reports),
        after=[report.after for report in reports],
        before=sorted({one for report in reports for one in report.before}),
        failures=[one.replace(str(tmp_path), "") for one in failures],
    )
    assert not failures, "\n".join(failures)


@needs_gcc
def test_a_static_program_is_refused(tmp_path: Path, record: Record) -> None:
    static, _ = static_programs(tmp_path)
    target = tmp_path / "target"
    with pytest.raises(ElfError) as caught:
        patch_file(str(static), str(target), Patch(rpath="$ORIGIN/lib"))
    assert not target.exists()
    record("patcher", **_key(_STATIC, "static program"), said=str(caught.value))


@needs_gcc
def test_a_static_program_at_a_free_address(tmp_path: Path, record: Record) -> None:
    _, static = static_programs(tmp_path)
    target = tmp_path / "target"
    for patch in (Patch(((DEP, "libother.so"),)), Patch(rpath="$ORIGIN/lib")):
        with pytest.raises(ElfError) as caught:
            patch_file(str(static), str(target), patch)
        assert not target.exists()
    # glibc's startup code stops at a search path.
    record("patcher", **_key(_STATIC, "static PIE program"), said=str(caught.value))
