"""The data files compared with their sources: the same source gives the same bytes."""

from __future__ import annotations

import json
import os
import re
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Dict, Iterator, List, Set

import pytest
from packaging.version import Version

from datascripts import DATA, SCRIPTS, head_of, only_head, run_script, written

FILES = sorted(path.name for path in DATA.iterdir())


@pytest.mark.parametrize("name", FILES)
def test_head_names_source_date_and_script(name: str) -> None:
    text = (DATA / name).read_text(encoding="utf-8")
    head = head_of(text)
    assert (SCRIPTS / head["script"]).is_file()
    assert re.search(r"\d", head["source"]), "the source has no version"
    comments = [line for line in text.splitlines() if line.startswith("#")]
    assert len(comments) <= 2


@pytest.mark.parametrize(
    ("name", "package", "script"),
    [
        ("manylinux.txt", "auditwheel", "update_policies.py"),
        ("musllinux.txt", "auditwheel", "update_policies.py"),
        ("abi3.txt", "abi3info", "update_abi3.py"),
    ],
)
def test_installed_source_gives_the_same_bytes(
    tmp_path: Path, name: str, package: str, script: str
) -> None:
    named = head_of((DATA / name).read_text(encoding="utf-8"))["source"].split()
    assert named[0] == package
    try:
        installed = metadata.version(package)
    except metadata.PackageNotFoundError:
        pytest.skip(f"{package} is not installed: it needs Python 3.10")
    if Version(installed) > Version(named[1]):
        pytest.fail(f"{name} is from {' '.join(named[:2])}, not {installed}: run scripts/{script}")
    if Version(installed) < Version(named[1]):
        pytest.skip(f"{package} {installed} is older than {name}, which is from {named[1]}")
    path = only_head(name, tmp_path)
    assert written(run_script(script, tmp_path), path) == (DATA / name).read_bytes()


def distribution(folder: Path, manylinux: List[Dict[str, Any]]) -> Dict[str, str]:
    """Install an auditwheel 9.1 with these policies; return the environment for it."""
    (folder / "auditwheel" / "policy").mkdir(parents=True)
    (folder / "auditwheel" / "__init__.py").touch()
    for name, policies in (("manylinux", manylinux), ("musllinux", [])):
        path = folder / "auditwheel" / "policy" / f"{name}-policy.json"
        path.write_text(json.dumps(policies))
    (folder / "auditwheel-9.1.dist-info").mkdir()
    text = "Metadata-Version: 2.1\nName: auditwheel\nVersion: 9.1\n"
    (folder / "auditwheel-9.1.dist-info" / "METADATA").write_text(text)
    return {**os.environ, "PYTHONPATH": str(folder)}


def policy(name: str, versions: Dict[str, Any], *libraries: str, **forbidden: Any) -> Any:
    aliases = ["manylinux1"] if name == "manylinux_2_5" else []
    return {
        "name": name,
        "aliases": aliases,
        "priority": 1,
        "symbol_versions": versions,
        "lib_whitelist": list(libraries),
        "blacklist": forbidden,
    }


OLD = {"GLIBC": ["2.5", "2.10", "2.9"], "ZLIB": []}
MORE = {"GLIBC": ["2.5", "2.9", "2.10", "2.11", "ABI_DT_RELR"], "ZLIB": ["1.2"]}
ANY = policy("linux", {})
FIRST = policy("manylinux_2_5", {"i686": OLD, "x86_64": OLD}, "b.so", "a.so", libz=["x", "y"])
NEXT = policy(
    "manylinux_2_12", {"i686": OLD, "aarch64": MORE}, "a.so", "b.so", "c.so", "d.so", libz=["y"]
)
LAST = policy(
    "manylinux_2_17", {"i686": MORE, "aarch64": MORE}, "a.so", "b.so", "c.so", "d.so", libz=["y"]
)
PACKED = """\
P 2.5 ~manylinux1 i686 x86_64
P 2.12 +aarch64 -x86_64
P 2.17 =
L 2.5 b.so a.so
L 2.12 c.so d.so
V GLIBC x86_64 @^ 2.5 2.9 2.10
V GLIBC i686 @^ 2.5 2.9 2.10 @2.17 2.11 ABI_DT_RELR
V GLIBC aarch64 @^ 2.5 2.9 2.10 2.11 ABI_DT_RELR
V ZLIB i686 @2.17 1.2
V ZLIB aarch64 @^ 1.2
B libz 2.5 x
B libz * y
"""


def test_policies_of_another_auditwheel(tmp_path: Path) -> None:
    environment = distribution(tmp_path / "installed", [ANY, LAST, FIRST, NEXT])
    path = only_head("manylinux.txt", tmp_path)
    done = run_script(
        "update_policies.py", tmp_path, "--date", "2031-02-03", environment=environment
    )
    head, *lines = written(done, path).decode().splitlines(keepends=True)
    assert head_of(head)["source"] == "auditwheel 9.1 (MIT)"
    assert head_of(head)["date"] == "2031-02-03"
    assert "".join(lines[:-2]) == PACKED
    assert lines[-1] == "X libmvec.so.1 x86_64@2.24 aarch64@2.38\n"


@pytest.mark.parametrize(
    ("changes", "lost"),
    [
        ({"lib_whitelist": ["a.so", "c.so", "d.so"]}, "b.so"),
        ({"symbol_versions": {"i686": {"GLIBC": ["2.5"]}}}, "2.10"),
        ({"blacklist": {"libz": ["y", "z"]}}, "z"),
    ],
)
def test_policies_that_remove_a_name_are_refused(
    tmp_path: Path, changes: Dict[str, Any], lost: str
) -> None:
    environment = distribution(tmp_path / "installed", [FIRST, NEXT, {**LAST, **changes}])
    path = only_head("manylinux.txt", tmp_path)
    before = path.read_bytes()
    done = run_script("update_policies.py", tmp_path, environment=environment)
    assert done.returncode == 1
    assert f"'{lost}'" in done.stderr
    assert path.read_bytes() == before


def zig_names(lines: List[str]) -> Iterator[str]:
    """Yield the exports of musl in zig's list, except those of MIPS only."""
    conditions: List[str] = []
    for line in lines:
        if line.startswith("#if"):
            conditions.append(line)
        elif line.startswith("#endif"):
            conditions.pop()
        elif re.fullmatch(r"\w+:", line) and "#ifdef FAMILY_mips" not in conditions:
            yield line[:-1]


def test_musl_of_the_installed_zig_exports_the_names_of_the_table() -> None:
    spec = find_spec("ziglang")
    if spec is None or spec.origin is None:
        pytest.skip("zig is not installed: it is for Linux")
    musl = Path(spec.origin).parent / "lib" / "libc" / "musl"
    version = re.findall(r"\d+\.\d+\.\d+", (musl / "src/internal/version.h").read_text())[0]
    text = (DATA / "musl-symbols.txt").read_text(encoding="utf-8")
    newest = head_of(text)["source"].split()[-2]
    if Version(version) > Version(newest):
        pytest.fail(f"zig has musl {version}, the table ends at {newest}: run update_musl.py")
    rows = [line.split() for line in text.splitlines() if not line.startswith("#")]
    known: Set[str] = {
        row[0]
        for row in rows
        if row[1:] != ["lfs64"] and Version((row[1:] or ["0"])[0]) <= Version(version)
    }
    for line in (DATA / "musllinux.txt").read_text(encoding="utf-8").splitlines():
        if line.startswith("A "):
            known.update(line.split()[2:])
    assert set(zig_names((musl / "libc.S").read_text().splitlines())) == known
