"""Faults at any moment: a kill, a concurrent build, a source that is truncated or deleted."""

from __future__ import annotations

import io
import os
import random
import shutil
import signal
import sys
import time
import zipfile
from pathlib import Path
from typing import Callable

import pytest

import strict_index_samples as samples
from faults import ELF, NAME, NEW, PLATFORMS, RETAG, Place, noise
from manyshim.errors import ManyshimError
from manyshim.formats.wheel.rewrite import Edits, rewrite
from manyshim.formats.wheel.wheel import Wheel
from manyshim.workspace import private_folder
from wheelwriter import wheel

if not sys.platform.startswith("linux"):
    pytest.skip("faults are made by Linux's tools", allow_module_level=True)


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


@pytest.mark.parametrize(
    "rounds", [20, pytest.param(220, marks=[pytest.mark.full, pytest.mark.timeout(1800)])]
)
def test_killed_at_any_moment(tmp_path: Path, rounds: int) -> None:
    place = Place(tmp_path, 24)
    began = time.monotonic()
    place.judge(place.run(RETAG), (), "")
    needed, chance, moments = time.monotonic() - began, random.Random(), set()  # noqa: S311
    for round_ in range(rounds):
        (place.dist / NEW).unlink()
        with place.start(RETAG) as child:
            if round_ % 2:
                # On a busy machine no other moment is sure to lie in the work.
                while child.poll() is None and not os.listdir(place.dist):
                    time.sleep(0.001)
            else:
                # Python starts for a good part of the time.
                time.sleep(chance.uniform(0.2, 1.1) * needed)
            child.send_signal(signal.SIGKILL)
        found = place.wheels()
        left = len(os.listdir(place.dist)) - len(found)
        moments.add((bool(found), bool(left)))
        needed *= 0.93 if found else 1.05
        place.judge(place.run(RETAG), (), "")
        assert os.listdir(place.dist) == [NEW], "the next run removes what is left"
    assert (False, True) in moments, "no run was killed while it worked"


def test_builds_into_one_folder_at_once(place: Place) -> None:
    """Each build removes abandoned folders, and all publish the same file."""
    loop = """if 1:
    import sys
    from manyshim.cli.main import main
    for _ in range(40):
        if main(["retag", *sys.argv[1:]]):
            sys.exit(1)
    """
    runs = [place.start(loop) for _ in range(3)]
    seen = 0
    while any(run.poll() is None for run in runs):
        if (place.dist / NEW).exists():
            assert place.hashed(place.dist / NEW) == place.whole
            seen += 1
    said = [run.communicate()[1] for run in runs]
    assert (said, [run.returncode for run in runs]) == ([""] * 3, [0] * 3)
    assert seen > 20
    assert os.listdir(place.dist) == [NEW]


def delete(place: Place, _: int) -> None:
    place.source.unlink()


def shorten(place: Place, size: int) -> None:
    os.truncate(str(place.source), random.randrange(size))  # noqa: S311 (any will do)


@pytest.mark.parametrize("change", [delete, shorten])
def test_source_changes_while_it_is_read(
    place: Place, change: Callable[[Place, int], None], tmp_path: Path
) -> None:
    began = time.monotonic()
    place.judge(place.run(RETAG), (), "")
    needed = time.monotonic() - began
    kept = shutil.copy(str(place.source), str(tmp_path / "kept"))
    for round_ in range(20):
        shutil.rmtree(str(place.dist))
        shutil.copy(kept, str(place.source))
        with place.start(RETAG) as child:
            time.sleep(needed * (0.3 + 0.7 * round_ / 20))
            change(place, os.path.getsize(kept))
            out, err = child.communicate(timeout=60)
        assert "Traceback" not in out + err
        # 1: the audit reported that the file is truncated.
        assert child.returncode in (0, 1, 3, 4), out + err
        shutil.copy(kept, str(place.source))
        assert bool(place.wheels()) == (child.returncode == 0), out + err
        place.dist.mkdir(exist_ok=True)


def test_source_cut_between_reading_and_copying(tmp_path: Path) -> None:
    """A small last member has to be complete when it is copied."""
    with zipfile.ZipFile(io.BytesIO(wheel({"demo/x.so": ELF}, compress=False))) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    members["demo/last.bin"] = noise(20_000)
    text = samples.record_line("demo/last.bin", members["demo/last.bin"]).encode()
    members["demo-1.0.dist-info/RECORD"] += text
    data, source = samples.pack(members, method=zipfile.ZIP_STORED), tmp_path / NAME
    for cut in range(0, len(data) - 1000, 500):
        source.write_bytes(data)
        with private_folder(str(tmp_path / "dist")) as private, Wheel(str(source)) as opened:
            os.truncate(str(source), cut)
            with pytest.raises(ManyshimError, match=r"demo-1\.0"):
                rewrite(opened, private, Edits(PLATFORMS))
