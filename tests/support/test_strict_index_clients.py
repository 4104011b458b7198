"""uv and twine as clients of the strict index: refusal, acceptance, installation."""

from __future__ import annotations

import socket
import subprocess
import sys
from typing import TYPE_CHECKING, Iterator, Tuple

import pytest

import strict_index_samples as samples
from strict_index import StrictIndex, serve, twine_upload, uv_install, uv_publish
from strict_index_samples import GOOD

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(name="index")
def running_index(tmp_path: Path) -> Iterator[StrictIndex]:
    """Run an index in a fresh folder."""
    with serve(tmp_path / "index") as index:
        yield index


def on_disk(folder: Path, filename: str) -> Tuple[Path, str]:
    """Write a wheel into a folder, and return it with the refusal of its platform."""
    path = folder / filename
    path.write_bytes(samples.good(filename))
    tag = path.stem.split("-")[-1]
    return path, f"Binary wheel '{filename}' has an unsupported platform tag '{tag}'."


def said(result: subprocess.CompletedProcess[str]) -> str:
    """Return the whole output of a client."""
    return result.stdout + result.stderr


def test_uv_sees_the_refusal_and_the_acceptance(index: StrictIndex, tmp_path: Path) -> None:
    linux, refusal = on_disk(tmp_path, GOOD.replace("manylinux_2_17", "linux"))
    result = uv_publish(index, linux)
    assert result.returncode == 2, said(result)
    assert f"Server says: 400 {refusal}" in said(result)
    assert list(index.root.iterdir()) == []
    fixed, _ = on_disk(tmp_path, GOOD)
    result = uv_publish(index, fixed)
    assert result.returncode == 0, said(result)
    assert (index.root / GOOD).read_bytes() == fixed.read_bytes()


def test_twine_sees_the_refusal_and_the_acceptance(index: StrictIndex, tmp_path: Path) -> None:
    linux, refusal = on_disk(tmp_path, GOOD.replace("manylinux_2_17", "linux"))
    result = twine_upload(index, linux)
    assert result.returncode == 1, said(result)
    assert "HTTPError: 400" in said(result)
    assert refusal in said(result)
    assert list(index.root.iterdir()) == []
    fixed, _ = on_disk(tmp_path, GOOD)
    result = twine_upload(index, fixed)
    assert result.returncode == 0, said(result)
    assert (index.root / GOOD).read_bytes() == fixed.read_bytes()


def test_an_equal_file_is_accepted_again_and_another_is_refused(
    index: StrictIndex, tmp_path: Path
) -> None:
    wheel, _ = on_disk(tmp_path, GOOD)
    assert twine_upload(index, wheel).returncode == 0
    assert twine_upload(index, wheel).returncode == 0
    wheel.write_bytes(samples.pack(samples.with_record(samples.members_for()), method=0))
    result = twine_upload(index, wheel)
    assert result.returncode == 1, said(result)
    assert "File already exists (" in said(result)


def test_uv_installs_over_http(index: StrictIndex, tmp_path: Path) -> None:
    wheel, _ = on_disk(tmp_path, GOOD)
    assert twine_upload(index, wheel).returncode == 0
    target = tmp_path / "target"
    result = uv_install(index, target, "--python-platform", "x86_64-manylinux_2_17", "probe==1.0")
    assert result.returncode == 0, said(result)
    code = f"import sys; sys.path.insert(0, {str(target)!r}); import probe; print(probe.VALUE)"
    output = subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, text=True
    )
    assert output.stdout == "42\n"


def test_server_ends_with_its_context(tmp_path: Path) -> None:
    with serve(tmp_path) as index:
        port = int(index.upload_url.rstrip("/").rsplit(":", maxsplit=1)[1])
        socket.create_connection(("127.0.0.1", port)).close()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port))
