"""Run a retag in its own process, for fault injection, and check the result."""

from __future__ import annotations

import hashlib
import io
import os
import random
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any, Container, List, Sequence, Tuple

from elfwriter import Elf, Symbol, write
from manyshim import build, retagging
from manyshim.config import Config
from wheelwriter import wheel, wheel_name

NAME = wheel_name()
PLATFORMS = ("manylinux2014_x86_64", "manylinux_2_17_x86_64")
NEW = NAME.replace("linux_x86_64", ".".join(PLATFORMS))
ELF = write(Elf(needed=("libc.so.6",), symbols=(Symbol("malloc", "libc.so.6", "GLIBC_2.17"),)))
PACKAGE = os.path.dirname(os.path.dirname(build.__file__))
RETAG = "import sys; from manyshim.cli.main import main; sys.exit(main(['retag', *sys.argv[1:]]))"
# The steps of the hook after the wrapped backend has built a wheel.
FINISH = """if 1:
    import os, shutil, sys
    from manyshim import config, errors, workspace
    from manyshim import build
    try:
        with workspace.private_folder(sys.argv[3]) as folder:
            built = os.path.join(folder, os.path.basename(sys.argv[1]))
            os.symlink(sys.argv[1], built)
            build.finish(built, sys.argv[3], config.Config())
    except errors.ManyshimError as error:
        sys.exit(print("manyshim: error:", error, file=sys.stderr) or error.exit_code)
"""


def noise(size: int) -> bytes:
    return random.Random(7).getrandbits(8 * size).to_bytes(size, "little")  # noqa: S311 (test data)


def built(mebibytes: float, many: int = 40) -> bytes:
    """Make a wheel with small and large members, because they are copied in different ways."""
    small = {f"demo/{number}.bin": noise(9000 + number) for number in range(many)}
    large = {f"demo/large{number}.bin": noise(int(mebibytes * (1 << 18))) for number in range(4)}
    return strange_headers(wheel({"demo/x.so": ELF, **small, **large}, compress=False), large)


def strange_headers(data: bytes, names: Container[str]) -> bytes:
    """Give members unusual headers. A rewrite replaces them, so it copies each member singly."""
    target = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(target, "w") as new:
        for member in old.infolist():
            contents = old.read(member)
            member.extra = b"\xfe\xca\0\0" if member.filename in names else b""
            new.writestr(member, contents)
    return target.getvalue()


class Place:
    """A source wheel and an output folder; `whole` is the digest of the correct result."""

    def __init__(self, folder: Path, mebibytes: float = 2, many: int = 40) -> None:
        self.source, self.dist = folder / NAME, folder / "dist"
        self.source.write_bytes(built(mebibytes, many))
        self.digest = self.hashed(self.source)
        assert self.run(RETAG).returncode == 0
        self.whole = self.hashed(self.dist / NEW)
        shutil.rmtree(str(self.dist))

    @staticmethod
    def hashed(path: Path) -> str:
        return hashlib.sha256(path.read_bytes()).hexdigest()

    def start(self, way: str, tool: Sequence[str] = (), **more: Any) -> subprocess.Popen[str]:
        command = [*tool, sys.executable, "-c", way, str(self.source), "-w", str(self.dist)]
        environment = {**os.environ, "PYTHONPATH": PACKAGE, "PYTHONDONTWRITEBYTECODE": "1"}
        pipe = subprocess.PIPE
        return subprocess.Popen(
            command, stdout=pipe, stderr=pipe, text=True, env=environment, **more
        )

    def run(self, way: str, tool: Sequence[str] = (), **more: Any) -> Any:
        with self.start(way, tool, **more) as child:
            out, err = child.communicate(timeout=120)
        return subprocess.CompletedProcess([], child.returncode, out, err)

    def wheels(self) -> List[str]:
        """List the finished wheels; require that they are complete and the source is unchanged."""
        assert not self.source.exists() or self.hashed(self.source) == self.digest
        names = sorted(os.listdir(self.dist)) if self.dist.is_dir() else []
        found = [name for name in names if not name.startswith(".manyshim-")]
        assert len(names) - len(found) <= 1, "no more than one private folder is left"
        assert found in ([], [NEW])
        assert not found or self.hashed(self.dist / NEW) == self.whole
        return found

    def judge(self, done: Any, codes: Tuple[int, ...], gist: str) -> None:
        """Check a run after a fault: its message, its exit code and the output folder."""
        said = done.stdout + done.stderr
        assert "Traceback" not in said, said
        assert done.returncode in (0, *codes), said
        if done.returncode:
            assert re.search(gist, said), said
            assert "manyshim: error: " in said
        elif self.dist.is_dir():
            assert self.wheels() == [NEW]
        self.wheels()

    def recover(self) -> None:
        """Require that the next run finishes and removes leftover folders."""
        retagging.retag(str(self.source), str(self.dist), Config())
        assert self.wheels() == os.listdir(self.dist) == [NEW]
        shutil.rmtree(str(self.dist))
