"""Real projects are compiled with zig for other systems, repaired from a sysroot, and used there.

Together they take minutes. `python scripts/write_repaired.py` runs them and writes the table.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any, Callable, Dict, List, Mapping, NamedTuple, Sequence

import pytest

import needs
from acceptance import Frontend, cpython, frontend_with, on_x86_64, release
from constraints import without_constraints
from debian import cache, debian, debian_source, making
from foreignbuilding import Repaired, repair, zig
from foreignverify import compare_with_originals
from frontends import Runner
from manyshim.audit.request import Request
from manyshim.audit.tags import parse_wheel_name
from manyshim.checking import check
from publishedwheels import auditwheel
from recording import Record
from repaireduse import MAPS, asked, original
from repairprojects import CROSS, LIBRARIES, PROJECTS, Project, Target
from systems import system

pytestmark = [
    *on_x86_64,
    pytest.mark.full,
    needs.mark(needs.module, "auditwheel", "auditwheel", (3, 10)),
]


class Made(NamedTuple):
    """A wheel that zig has compiled for a target, and its repair by `manyshim repair`."""

    plain: Path
    done: Repaired

    @property
    def path(self) -> Path:
        """The repaired wheel."""
        assert self.done.path is not None, self.done.output
        return self.done.path

    @property
    def policy(self) -> str:
        """The oldest policy in its file name, by PEP 600's or PEP 656's name."""
        name = parse_wheel_name(self.path.name)
        assert name is not None
        (one,) = (one for one in name.platforms if re.match(r"(many|musl)linux_\d+_\d+_", one))
        return one


class Maker:
    """Builds projects for a target with a frontend; it keeps each wheel and its repair."""

    def __init__(
        self,
        frontend: Frontend,
        pythons: Mapping[int, str],
        new_folder: Callable[[str], Path],
    ) -> None:
        self.frontend = frontend
        self._pythons = pythons
        self._new_folder = new_folder
        self._made: Dict[Any, Made] = {}

    def build(self, project: Project, target: Target, platform: str, **settings: str) -> Path:
        """Return the wheel of a build with zig and the target's libraries."""
        done = self.frontend.build(
            release(project.name, project.version, self._new_folder("source")),
            cpython(self._pythons, target.python[1]),
            platform,
            environ=project.environ,
            sysroot=str(sysroot(target)),
            **settings,
        )
        assert done.wheel is not None, done.errors + done.output
        return done.wheel

    def repaired(self, project: Project, target: Target) -> Made:
        """Return the plain wheel and its repair, made at the first call."""
        key = project.name, target
        if key not in self._made:
            plain = self.build(project, target, target.platform, strict="false")
            given = ["--sysroot", str(sysroot(target))]
            if target.musl:  # musl's symbols have no versions, so an older policy could be proved
                given += ["--platform", target.platform]
            done = repair(plain, self._new_folder("repaired"), *given)
            self._made[key] = Made(plain, done)
        return self._made[key]


@pytest.fixture(scope="module")
def maker(
    run: Runner,
    build_environment: Dict[str, str],
    pythons: Mapping[int, str],
    tmp_path_factory: pytest.TempPathFactory,
) -> Maker:
    return Maker(frontend_with(run, build_environment), pythons, tmp_path_factory.mktemp)


@pytest.mark.parametrize(
    ("project", "target"),
    [pytest.param(*one, id=f"{one[0].name}-{one[1].system}") for one in CROSS],
)
def test_a_real_project_is_repaired_for_another_system(
    project: Project, target: Target, maker: Maker, tmp_path: Path, record: Record
) -> None:
    made = maker.repaired(project, target)
    assert re.search(r"-linux_\w+\.whl\Z", made.plain.name)
    assert made.done.code == 0, made.done.output
    copies = [one["member"] for one in made.done.wheel["plan"]["copies"]]
    assert {one["found"] for one in made.done.wheel["plan"]["copies"]} == {"sysroot"}
    sonames = {original_name(sysroot(target), one) for one in copies}
    libraries = sorted(one.partition(".so")[0] for one in sonames)
    expected = LIBRARIES.get(f"{project.name}-{target.system}") or LIBRARIES[project.name]
    assert libraries == expected.split()
    patched = compare_with_originals(made.done, made.plain, tmp_path / "comparison")
    assert check(str(made.path), Request()).code == 0
    if not target.musl:  # auditwheel derives musl's policy from the machine
        assert auditwheel(made.path) == made.policy
    # A build that asks for the policy gives the same file name and the same copies.
    built = maker.build(project, target, made.policy, mode="repair")
    assert built.name == made.path.name
    assert members(built, copies) == members(made.path, copies)

    wheels = [built]
    if "cffi" in project.needs:  # in the same process, repaired as well
        cffi = next(one for one in PROJECTS if one.name == "cffi")
        wheels.append(maker.repaired(cffi, target).path)
    installed = tmp_path / "installed"
    for one in wheels:
        install(maker.frontend, target, str(one), installed)
    if len(wheels) > 1 or project.name == "cffi":
        # Debian's Python may be older than the newest release allows.
        install(maker.frontend, target, "pycparser==2.23", installed)
    (tmp_path / "data").mkdir()
    done = system(target.system).attempt(
        use(project, tmp_path / "data", emulated=not target.musl) + MAPS,
        installed,
        environ={} if target.musl else {"LD_DEBUG": "files"},
    )
    assert done.returncode == 0, done.stdout + done.stderr[-3000:]
    mapped = [Path(one) for one in json.loads(done.stdout.splitlines()[-1])]
    own = {str(one.relative_to(installed)) for one in mapped if installed in one.parents}
    assert set(copies) <= own, "all copies are mapped"
    assert set(patched) <= own, "the modules that need them, too"
    if target.musl:
        assert not sonames & {one.name for one in mapped}
    else:
        assert not sonames & asked(done.stderr, installed), "no original is asked for"
    record(
        "repaired",
        project=project.name,
        target=target.system,
        libc=system(target.system).libc,
        repaired=made.policy,
        grafted=libraries,
        kilobytes=made.path.stat().st_size >> 10,
    )


def sysroot(target: Target) -> Path:
    """Return a folder with the target's libraries and their headers."""
    folder = cache(f"repair-{target.system}")
    if target.debian:
        suite, _, arch = target.system.partition("-")
        return debian(folder, arch, target.debian, suite)
    with making(folder) as new:
        if new:
            source = debian_source(folder / "lmdb", "lmdb") / "libraries" / "liblmdb"
            (folder / "root/usr/include").mkdir(parents=True)
            (folder / "root/usr/lib").mkdir()
            shutil.copy(str(source / "lmdb.h"), str(folder / "root/usr/include"))
            path = folder / "root/usr/lib/liblmdb.so.0"
            options = ("-shared", "-fPIC", "-O2", "-w", f"-Wl,-soname,{path.name}", "-o", str(path))
            compiler = zig("x86_64-linux-musl")
            subprocess.run([*compiler, *options, "mdb.c", "midl.c"], cwd=str(source), check=True)
            path.with_name("liblmdb.so").symlink_to(path.name)
    return folder / "root"


def original_name(root: Path, member: str) -> str:
    """Return the soname of a copy, whose name has the hash of the system's only such library."""
    soname, digest = original(os.path.basename(member))
    (path,) = {path.resolve() for path in root.rglob(soname)}
    assert hashlib.sha256(path.read_bytes()).hexdigest().startswith(digest)
    return soname


def members(wheel: Path, names: Sequence[str]) -> List[bytes]:
    """Return the contents of members."""
    with zipfile.ZipFile(wheel) as archive:
        return [archive.read(name) for name in names]


def install(frontend: Frontend, target: Target, what: str, folder: Path) -> None:
    """Install a wheel or a pinned release as pip does on the target."""
    needs.module("pip")
    name = parse_wheel_name(os.path.basename(what))
    platforms: List[str] = [f"--platform={one}" for one in name.platforms] if name else []
    version = ".".join(map(str, target.python))
    frontend.run(
        [
            *(sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--no-compile"),
            *("--only-binary=:all:", "--implementation=cp", f"--python-version={version}"),
            *("--target", str(folder), "--upgrade", *platforms, what),
        ],
        env=without_constraints(frontend.environ),
    )


def use(project: Project, data: Path, *, emulated: bool) -> str:
    """Return the code that uses a project."""
    code = project.use
    if emulated and project.name == "lmdb":
        # qemu-user has no robust mutexes (set_robust_list), which lmdb's lock needs.
        code = code.replace("lmdb.open(sys.argv[1])", "lmdb.open(sys.argv[1], lock=False)")
        assert code != project.use
    return f"import sys\nsys.argv[1:] = [{str(data)!r}]\n{code}"
