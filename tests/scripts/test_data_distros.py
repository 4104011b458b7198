"""update_distros.py with data of the test in the format of pep600_compliance."""

from __future__ import annotations

import json
from pathlib import Path
from typing import List

from datascripts import DATA, head_of, only_head, run_script, written

SCRIPT = "update_distros.py"
FILE = "distros.txt"

# The names of the distributions in the data; the release follows after a dash.
STEMS = {
    "AlmaLinux": "almalinux",
    "Amazon Linux": "amazonlinux",
    "Arch Linux": "archlinux-latest",
    "CentOS Stream": "centos-stream",
    "Debian": "debian",
    "Fedora": "fedora",
    "openSUSE Leap": "opensuse",
    "Oracle Linux": "oraclelinux",
    "Photon": "photon",
    "RHEL": "rhubi",
    "Rocky Linux": "rockylinux",
    "Ubuntu": "ubuntu",
}


def put(cache: Path, arch: str, stem: str, glibc: str, libstdcxx: List[str]) -> None:
    """Write one file of the data."""
    path = cache / arch / f"{stem}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    symbols = {"GLIBC": ["2.2.5", "PRIVATE"], "GLIBCXX": libstdcxx}
    path.write_text(json.dumps({"glibc_version": glibc, "symbols": symbols}))


def stem_of(name: str) -> str:
    if name in STEMS:
        return STEMS[name]
    family, _, release = name.rpartition(" ")
    return f"{STEMS[family]}{'' if STEMS[family].endswith('stream') else '-'}{release}"


def test_file_is_the_same_after_a_round_trip(tmp_path: Path) -> None:
    for line in (DATA / FILE).read_text(encoding="utf-8").splitlines():
        fields = line.split("\t")
        if not line.startswith("#") and len(fields) == 4:
            for arch in fields[3].split():
                put(tmp_path / "cache", arch, stem_of(fields[0]), fields[1], ["3.4", fields[2]])
    path = only_head(FILE, tmp_path)
    commit = head_of(path.read_text())["source"][len("pep600_compliance ") : -len(" (MIT)")]
    done = run_script(SCRIPT, tmp_path, tmp_path, "--commit", commit)
    assert written(done, path) == (DATA / FILE).read_bytes()


def test_rows_of_releases(tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    versions = ["3.4.9", "3.4.10", "LDBL_3.4.29", "3.4.1"]
    put(cache, "x86_64", "ubuntu-30.04", "2.50", versions)
    put(cache, "aarch64", "ubuntu-30.04", "2.50", versions)
    put(cache, "riscv64", "ubuntu-30.04", "2.50", [*versions, "3.4.11"])
    put(cache, "x86_64", "centos-stream11", "2.49", versions)
    for stem in ("ubuntu-devel", "debian-unstable", "fedora-rawhide", "mageia-9", "manylinux-2_28"):
        put(cache, "x86_64", stem, "2.51", versions)
    done = run_script(SCRIPT, tmp_path, tmp_path, "--commit", "abc", "--date", "2031-02-03")
    head, _, *rows = written(done, tmp_path / FILE).decode().splitlines()
    assert head_of(head)["source"] == "pep600_compliance abc (MIT)"
    assert [row for row in rows if "musl" not in row] == [
        "CentOS Stream 11\t2.49\t3.4.10\tx86_64",
        "Ubuntu 30.04\t2.50\t3.4.10\taarch64 x86_64",
        "Ubuntu 30.04\t2.50\t3.4.11\triscv64",
    ]


def test_folder_without_data_is_refused(tmp_path: Path) -> None:
    done = run_script(SCRIPT, tmp_path, tmp_path, "--commit", "abc")
    assert done.returncode == 1
    assert "has no cache/ARCHITECTURE/RELEASE.json" in done.stderr
    assert not (tmp_path / FILE).exists()
