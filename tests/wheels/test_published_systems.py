"""Published wheels for macOS and Windows: their verdicts, and three readers of their files.

Run it with `-m full -n 0`.
"""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Callable, Dict, List, Tuple, Union

import pytest

from commandline import run
from manyshim.audit.nativefacts import MachoFile, NativeFacts, PeFile
from manyshim.formats.wheel.wheel import Wheel
from nativejudges import differences
from nativewheels import WHEELS, fields
from publishedwheels import fetch
from zipwindows import recorded

pytestmark = [pytest.mark.full, pytest.mark.network]
Fetched = Callable[[str], Path]


@pytest.fixture(scope="session")
def published(pytestconfig: pytest.Config) -> Fetched:
    """Return a function that downloads a wheel, into a folder that is kept between runs."""
    assert pytestconfig.cache is not None
    folder = Path(pytestconfig.cache.mkdir("published-systems"))
    return lambda name: fetch(fields(name), folder)


@pytest.mark.parametrize("name", WHEELS)
def test_the_verdict(name: str, published: Fetched) -> None:
    path = published(name)
    found: Dict[str, List[Tuple[str, str, str]]] = {}
    for command in ("show", "check"):
        (report,) = json.loads(run(command, "--json", path).stdout)["wheels"]
        rows = [(one["severity"], one["kind"], one["message"]) for one in report["findings"]]
        kinds = {"RECORD", "METADATA", "ZIP_FRAMING", "LICENSE_FILE", "INDEX_TAG", "WHEEL_FILE"}
        found[command] = sorted(row for row in rows if row[0] != "info" and row[1] not in kinds)
    assert found["show"] == found["check"]
    expected = sorted(WHEELS[name].expected)
    assert [row[:2] for row in found["show"]] == [row[:2] for row in expected]
    assert all(any(row[2] in one[2] for one in found["show"]) for row in expected)


def read(path: Path) -> NativeFacts:
    with Wheel(str(path)) as wheel:
        facts = wheel.facts().native
    assert facts
    assert facts.broken == ()
    return facts


@pytest.mark.parametrize("name", WHEELS)
def test_llvm_and_lief_read_the_same(name: str, published: Fetched, tmp_path: Path) -> None:
    path = published(name)
    facts = read(path)
    file = tmp_path / "file"
    with zipfile.ZipFile(path) as archive:
        files: List[Union[MachoFile, PeFile]] = [*facts.machos, *facts.pes]
        for one in files:
            file.write_bytes(archive.read(one.path))
            assert differences(one, file) == [], one.path


def test_of_a_large_wheel_only_what_is_needed_is_inflated(
    published: Fetched, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = published("llvmlite-0.46.0b1-cp312-cp312-macosx_11_0_universal2.whl")
    windows = recorded(monkeypatch)
    with Wheel(str(path)) as wheel:
        wheel.facts()
        size = sum(entry.size for entry in wheel.entries)
    assert size > 100 << 20
    assert sum(window.inflated for window in windows) < 8192 * len(windows)
