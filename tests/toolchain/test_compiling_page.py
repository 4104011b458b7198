"""The commands, settings and tables of docs/compiling.md are valid."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import List, Tuple

import pytest
import tomlkit

from elfbuilding import needs_gcc
from manyshim.audit.tags import ARCHES, GLIBC, MUSL, PlatformTag
from manyshim.config import load
from manyshim.errors import ConfigError
from manyshim.toolchain.target import resolve
from paths import DOCS, REPOSITORY
from repairing import NAME, TAG, members, shared
from wheelwriter import save, wheel

PAGE = (REPOSITORY / "docs" / "compiling.md").read_text(encoding="utf-8")


def block(language: str, word: str) -> str:
    """Return the only fenced block of a language that contains a word."""
    found = re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)
    (text,) = (text for text in found if word in text)
    return str(text)


def settings() -> List[Tuple[str, str]]:
    """Collect every setting of ours that README and the pages give a value in a build."""
    pages = (REPOSITORY / "README.md", *DOCS.glob("*.md"))
    text = "".join(page.read_text(encoding="utf-8") for page in pages)
    # In a sentence, a comma may follow the value.
    given = re.findall(r'-C ?manyshim\.([a-z-]+)=([^\s"`<$)]+?)(?=,?[\s"`<$)])', text)
    given += re.findall(r'"manyshim\.([a-z-]+)" = "([^"]+)"', text)
    return sorted({one for one in given if one[1] not in ("TARGET", "KEY=VALUE", "...")})


@pytest.mark.parametrize(("key", "value"), settings())
def test_settings_are_valid(key: str, value: str, tmp_path: Path) -> None:
    load({f"manyshim.{key}": value}, {}, str(tmp_path))


def targets() -> List[str]:
    return sorted(set(re.findall(r"\b((?:many|musl)linux_\d+_\d+_[a-z0-9_]+?)\b", PAGE)))


@pytest.mark.parametrize("target", targets())
def test_targets_of_the_page_are_targets(target: str, tmp_path: Path) -> None:
    platform = load({"manyshim.platform": target}, {}, str(tmp_path)).platform
    assert str(resolve(platform, "x86_64", GLIBC).tag) == target


def test_the_table_of_targets_is_that_of_the_program() -> None:
    rows = re.findall(r"^\| `manylinux_(\d+)_(\d+)`.*? \| ([^|]+) \|$", PAGE, re.MULTILINE)
    documented = {
        arch: (int(major), int(minor))
        for major, minor, listed in rows
        for arch in re.findall(r"\w+", re.sub(r"\(.*?\)", "", listed))
    }
    for arch in ARCHES:
        try:
            version = resolve(None, arch, GLIBC).tag.version
        except ConfigError:
            assert arch not in documented
        else:
            assert documented[arch] == version
            assert resolve(PlatformTag(MUSL, 1, 2, arch), "x86_64", GLIBC)
    with pytest.raises(ConfigError):
        resolve(PlatformTag(GLIBC, 2, 45, "x86_64"), "x86_64", GLIBC)


def test_the_release_table_is_for_uv(tmp_path: Path) -> None:
    table = tomlkit.parse(block("toml", "[tool.uv.config-settings]")).unwrap()
    given = table["tool"]["uv"]["config-settings"]
    for name, expected in (("your-project", ("zig", True)), ("another", ("system", False))):
        text = f'[project]\nname = "{name}"\n'
        (tmp_path / "pyproject.toml").write_text(text, encoding="utf-8")
        config = load(given, {}, str(tmp_path))
        assert (config.compiler, config.strict) == expected


@needs_gcc
def test_cibuildwheels_command_repairs(tmp_path: Path) -> None:
    """In cibuildwheel, sh runs the command with two words filled in."""
    table = tomlkit.parse(block("toml", "repair-wheel-command")).unwrap()
    command = table["tool"]["cibuildwheel"]["linux"]["repair-wheel-command"]
    library = shared(tmp_path / "lib" / "libdeep.so.3", "int deep(void) { return 3; }")
    text = "int deep(void); int getpid(void); int top(void) { return deep() + getpid(); }"
    module = shared(tmp_path / "top.so", text, f"-L{library.parent}", "-l:libdeep.so.3", soname="-")
    content = {"pkg/__init__.py": b"", "pkg/top.so": module.read_bytes()}
    built = save(tmp_path, wheel(content, tag=TAG), NAME)
    folder = tmp_path / "repaired"
    folder.mkdir()
    path = os.pathsep.join((os.path.dirname(sys.executable), os.environ["PATH"]))
    done = subprocess.run(
        ["sh", "-c", command.format(wheel=built, dest_dir=folder)],
        env={
            **os.environ,
            "PATH": path,
            "LD_LIBRARY_PATH": str(library.parent),
            "CIBUILDWHEEL": "1",
            "AUDITWHEEL_PLAT": f"manylinux_2_28_{os.uname().machine}",
        },
        cwd=str(tmp_path),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    (repaired,) = folder.glob("*.whl")
    assert "-manylinux" in repaired.name
    assert [name for name in members(repaired) if re.search(r"\.libs/libdeep-\w+\.so\.3$", name)]
