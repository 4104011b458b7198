"""Build the project relay with real frontends and mode = repair, and with `manyshim repair`."""

from __future__ import annotations

import base64
import csv
import hashlib
import io
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any, Callable, Dict, Mapping

import pytest

import needs
from elfbuilding import needs_gcc
from paths import PROJECTS
from repairing import facts, members, shared, unpacked
from strict_index import problems

pytestmark = [needs_gcc, needs.mark(needs.extension)]

GRAFTED = ("librelay_a", "librelay_b", "librelay_c3", "libssl", "libcrypto")
TEXT = {
    "c3": "int relay_c3(void) { return 3; }",
    "b": "int relay_c3(void); int relay_b(void) { return 20 + relay_c3(); }",
    "a": "int relay_b(void); int relay_a(void) { return 100 + relay_b(); }",
}
# This uses neither ssl nor hashlib, because they would load the system's OpenSSL.
USE = """if 1:
    import json, relay
    print(json.dumps({
        "chain": relay.chain(), "plugin": relay.plugin(), "opened": relay.opened(),
        "sha256": relay.sha256(b"relay").hex(),
        "mapped": sorted({line.split()[-1] for line in open("/proc/self/maps") if ".so" in line}),
    }))
"""

Run = Callable[..., "subprocess.CompletedProcess[str]"]
Environment = Mapping[str, str]


class RelayWheels(Dict[str, Path]):
    """Wheels of one project, by the frontend or command that made them, and its output."""

    folder: Path
    output: Dict[str, str]


WITHOUT_EXTRA = """\
import runpy, sys
sys.modules["deflate"] = None
runpy.run_module("manyshim", run_name="__main__")
"""


@pytest.fixture(scope="module")
def relay(
    tmp_path_factory: pytest.TempPathFactory, uv: Run, run: Run, build_environment: Environment
) -> RelayWheels:
    """Build the project in four ways, then hide the libraries that it was linked with."""
    needs.module("build")
    needs.header("openssl/ssl.h", "libssl-dev")
    folder = tmp_path_factory.mktemp("relay")
    libs, project = folder / "libs", folder / "relay"
    relay_libraries(libs)
    shutil.copytree(str(PROJECTS / "relay"), str(project))
    environment = {
        **build_environment,
        "RELAY_LIBS": str(libs),
        "SOURCE_DATE_EPOCH": "1700000000",
        "CFLAGS": "-g0",
    }
    asked = ("-C", "manyshim.mode=repair", "-C", f"manyshim.library-path={libs}")
    to_uv = ("build", "--wheel", "--python", sys.executable, str(project))
    to_build = (sys.executable, "-m", "build", "--wheel", str(project))
    made = RelayWheels()
    made.folder = folder

    def collect(way: str, done: subprocess.CompletedProcess[str]) -> None:
        (made[way],) = (folder / way).glob("*.whl")
        made.output[way] = done.stdout + done.stderr
        assert list((folder / way).glob(".manyshim-*")) == []
        shutil.rmtree(str(project / "build"), ignore_errors=True)

    made.output = {}
    collect("uv", uv(*to_uv, *asked, "-o", str(folder / "uv"), env=environment))
    collect("build", run([*to_build, *asked, "-o", str(folder / "build")], env=environment))
    plain = ("-C", "manyshim.mode=off", "-o", str(folder / "plain"))
    collect("plain", uv(*to_uv, *plain, env=environment))
    # The isolated builds have no extra either.
    repair = [sys.executable, "-c", WITHOUT_EXTRA, "repair", str(made["plain"])]
    repair += ["--library-path", str(libs), "-w"]
    collect("cli", run([*repair, str(folder / "cli")], env=with_backend(environment)))
    libs.rename(folder / "hidden")
    return made


def with_backend(environment: Environment) -> Dict[str, str]:
    """Return an environment in which child processes use the manyshim under test."""
    import manyshim

    return {**environment, "PYTHONPATH": str(Path(manyshim.__file__).parent.parent)}


def relay_libraries(libs: Path) -> None:
    """Compile a chain of three libraries; the one that `a` needs is found through two links."""
    below = (f"-L{libs}", f"-Wl,-rpath-link,{libs}")
    shared(libs / "librelay_c3.so", TEXT["c3"])
    shared(libs / "librelay_b.so.1.2.3", TEXT["b"], *below, "-lrelay_c3", soname="librelay_b.so.1")
    (libs / "librelay_b.so.1.2").symlink_to("librelay_b.so.1.2.3")
    (libs / "librelay_b.so.1").symlink_to("librelay_b.so.1.2")
    (libs / "librelay_b.so").symlink_to(libs / "librelay_b.so.1")
    shared(libs / "librelay_a.so", TEXT["a"], *below, "-lrelay_b")


@pytest.fixture(scope="module", params=["uv", "build", "cli"])
def repaired(request: pytest.FixtureRequest, relay: RelayWheels) -> Path:
    return relay[request.param]


def test_all_frontends_and_the_command_write_equal_wheels(relay: RelayWheels) -> None:
    """uv, build and a repair of the plain wheel give equal bytes."""
    assert len({relay[way].name for way in ("uv", "build", "cli")}) == 1
    assert len({relay[way].read_bytes() for way in ("uv", "build", "cli")}) == 1
    assert re.search(r"-linux_\w+\.whl$", relay["plain"].name)
    for way in ("uv", "build", "cli"):
        for name in GRAFTED:
            assert f"as relay.libs/{name}-" in relay.output[way]


def test_the_wheel_contains_the_copies_and_a_correct_record(repaired: Path, tmp_path: Path) -> None:
    held = members(repaired)
    copies = [name for name in held if name.startswith("relay.libs/")]
    assert sorted(name.split("/")[1].split("-")[0] for name in copies) == sorted(GRAFTED)
    (folder,) = {name.split("/")[0] for name in held if ".dist-info/" in name}
    rows = {row[0]: row[1:] for row in csv.reader(io.StringIO(held[f"{folder}/RECORD"].decode()))}
    assert list(rows) == list(held)
    assert rows.pop(f"{folder}/RECORD") == ["", ""]
    for name, (digest, size) in rows.items():
        wanted = base64.urlsafe_b64encode(hashlib.sha256(held[name]).digest()).decode()
        assert (digest, int(size)) == (f"sha256={wanted.rstrip('=')}", len(held[name]))
    tree = unpacked(repaired, tmp_path)
    for path in tree.glob("relay.libs/*"):
        found = facts(path)
        assert found.soname == path.name
        assert (found.rpath, found.runpath) in {((), ()), (("$ORIGIN",), ())}
        assert not any(name.startswith(("librelay", "libss")) and "-" not in name
                       for name in found.needed)  # fmt: skip
    extension = facts(next(tree.glob("relay/_relay*.so")))
    assert extension.rpath == ("$ORIGIN/../relay.libs",)
    assert facts(tree / "relay" / "libplugin.so").rpath == ("$ORIGIN/../relay.libs",)


def test_the_sbom_names_the_finished_wheel(repaired: Path, relay: RelayWheels) -> None:
    held = members(repaired)
    sbom: Dict[str, Any] = json.loads(held["relay-1.0.dist-info/sboms/manyshim.cdx.json"])
    assert repaired.name in json.dumps(sbom)
    assert "-linux_" not in json.dumps(sbom).replace(str(relay.folder), "")
    text = json.dumps(sbom["components"])
    for name in (name for name in held if name.startswith("relay.libs/")):
        assert name.split("/")[1] in text
    (chain,) = (one for one in sbom["components"] if "librelay_b" in one["name"])
    real = (relay.folder / "hidden" / "librelay_b.so.1.2.3").read_bytes()
    assert hashlib.sha256(real).hexdigest() in json.dumps(chain)
    assert "librelay_b.so.1.2.3" in json.dumps(chain)


def test_other_tools_accept_the_wheel(
    repaired: Path, tmp_path: Path, run: Run, clean_environment: Environment
) -> None:
    assert problems(repaired.name, repaired.read_bytes()) == []
    environment = with_backend(clean_environment)
    python = [sys.executable, "-m"]
    run([*python, "manyshim", "check", str(repaired)], env=environment)
    tag = repaired.stem.rpartition("-")[2].rpartition(".")[2]
    needs.module("auditwheel", since=(3, 10))
    needs.module("check_wheel_contents", "check-wheel-contents", (3, 10))
    escape = run([*python, "auditwheel", "show", str(repaired)], env=environment).stdout
    assert f'platform tag: "{tag}"' in " ".join(escape.split())
    # W004, W005, W009, W010: names that are not modules, and several top-level folders.
    ignored = ["--ignore", "W004,W005,W009,W010"]
    run([*python, "check_wheel_contents", *ignored, str(repaired)], env=environment)
    run([*python, "wheel", "unpack", str(repaired), "-d", str(tmp_path)], env=environment)
    assert (tmp_path / "relay-1.0" / "relay.libs").is_dir()


@pytest.mark.parametrize("tool", ["uv", "pip"])
def test_it_works_without_the_original_libraries(  # noqa: PLR0917
    repaired: Path, tool: str, relay: RelayWheels, tmp_path: Path, uv: Run, run: Run
) -> None:
    assert not (relay.folder / "libs").exists()
    venv = tmp_path / "venv"
    python = str(venv / "bin" / "python")
    uv("venv", *(["--seed"] if tool == "pip" else []), "--python", sys.executable, str(venv))
    if tool == "uv":
        uv("pip", "install", "--python", python, str(repaired))
    else:
        run([python, "-m", "pip", "install", "--no-index", str(repaired)])
    used: Dict[str, Any] = json.loads(run([python, "-c", USE], cwd=tmp_path).stdout)
    mapped = [path for path in used.pop("mapped") if "/lib" in path]
    wanted = {"chain": 123, "plugin": 1023, "opened": True}
    assert used == {**wanted, "sha256": hashlib.sha256(b"relay").hexdigest()}
    for name in GRAFTED:
        (path,) = (path for path in mapped if path.rpartition("/")[2].startswith(f"{name}"))
        assert path.startswith(f"{os.path.realpath(venv)}/")
        assert "/relay.libs/" in path
    program = venv / "bin" / "relay-program"
    assert program.read_bytes()[:2] == b"#!"
    done = run([str(program), "one word"], cwd=tmp_path, ok=False)
    assert (done.returncode, done.stdout) == (7, "123 one word\n"), done.stderr


def test_a_program_starts_from_a_folder_on_the_path(
    relay: RelayWheels, tmp_path: Path, uv: Run, run: Run
) -> None:
    """A wheel may be installed outside of the interpreter's own package folder."""
    wheel, target = str(relay["cli"]), tmp_path / "target"
    uv("pip", "install", "--python", sys.executable, "--target", str(target), wheel)
    environment = {"PYTHONPATH": str(target), "PATH": os.defpath}
    done = run([str(target / "bin" / "relay-program"), "x"], env=environment, ok=False)
    assert (done.returncode, done.stdout) == (7, "123 x\n"), done.stderr


def test_without_a_repair_the_import_fails(
    relay: RelayWheels, tmp_path: Path, uv: Run, run: Run
) -> None:
    """This shows that the tests above depend on the repair."""
    venv = tmp_path / "venv"
    uv("venv", "--python", sys.executable, str(venv))
    python = str(venv / "bin" / "python")
    uv("pip", "install", "--python", python, str(relay["plain"]))
    done = run([python, "-c", USE], cwd=tmp_path, ok=False)
    assert "librelay_a.so" in done.stderr
