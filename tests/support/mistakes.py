"""Mistakes of people who adopt manyshim: a small project each, and the words of the answer.

The words say what is wrong, where, and what to write instead.
"""

from __future__ import annotations

from typing import Any, Dict, List, Mapping, NamedTuple, Optional, Tuple

PROJECT = '[project]\nname = "demo"\nversion = "1.0"\n'
OWN_BACKEND = "def build_wheel(*args, **kwargs):\n    raise RuntimeError('my own error')\n"


class Mistake(NamedTuple):
    """A project with a mistake, and the words that the answer must have.

    `settings` are those of `-C`. `path` is build-system.backend-path, as the frontend reads it.
    """

    text: str
    words: Tuple[str, ...]
    files: Mapping[str, str] = {}
    settings: Optional[Mapping[str, Any]] = None
    environ: Mapping[str, str] = {}
    frontend: str = "manyshim.backend"
    path: Optional[List[str]] = None


def system(
    backend: str = "manyshim.backend", requires: str = '"setuptools", "manyshim"', more: str = ""
) -> str:
    return f'[build-system]\nrequires = [{requires}]\nbuild-backend = "{backend}"\n{more}'


def stated(backend: str, *words: str) -> Mistake:
    """Return a project with a wrong build-backend."""
    return Mistake(system(backend) + PROJECT, words, frontend=backend)


def table(lines: str, *words: str, **more: Any) -> Mistake:
    """Return a project with a wrong [tool.manyshim]."""
    return Mistake(f"{system()}{PROJECT}[tool.manyshim]\n{lines}\n", words, **more)


def wraps(backend: str, *words: str) -> Mistake:
    """Return a project that wraps a wrong backend. The answer tells what is written, too."""
    return table(f'backend = "{backend}"', backend, *words)


def setting(key: str, value: Any, *words: str) -> Mistake:
    return Mistake(system() + PROJECT, words, settings={key: value})


def variable(name: str, value: str, *words: str) -> Mistake:
    return Mistake(system() + PROJECT, words, environ={name: value})


def own(code: str, *words: str, more: str = "") -> Mistake:
    """Return a project whose own backend, in the folder tools, has this code."""
    lines = 'backend = "own"\nbackend-path = ["tools"]'
    return table(lines + more, *words, files={"tools/own.py": code})


def forgotten(requires: str, *words: str, tail: str = PROJECT, **files: str) -> Mistake:
    names = {name.replace("_", "."): text for name, text in files.items()}
    return Mistake(system(requires=requires) + tail, words, names)


# The line that replaces any wrong name of manyshim's module.
RIGHT = 'write build-backend = "manyshim.backend"'
# The end of each error about a release key.
RELEASE = ("would affect everyone who builds from your sdist", "[tool.uv]", "config-settings = {")
COPY = {"lib/manyshim/backend.py": "", "lib/manyshim/__init__.py": ""}

ERRORS: Dict[str, Mistake] = {
    # build-backend
    "the package as build-backend": stated("manyshim", RIGHT),
    "an object of the package": stated("manyshim:backend", RIGHT),
    "an object of the module": stated("manyshim.backend:backend", RIGHT),
    "a module as others have it": stated("manyshim.build", RIGHT),
    # [tool.manyshim] backend
    "the distribution as backend": wraps(
        "meson-python", 'write [tool.manyshim] backend = "mesonpy"', 'add "meson-python" to'
    ),
    "the package as backend": wraps(
        "scikit_build_core", 'write [tool.manyshim] backend = "scikit_build_core.build"'
    ),
    "a command as backend": wraps(
        "poetry", 'write [tool.manyshim] backend = "poetry.core.masonry.api"'
    ),
    "an old name of a backend": wraps(
        "poetry.masonry.api", 'backend = "poetry.core.masonry.api"', 'add "poetry-core" to'
    ),
    "a backend's own package": wraps("flit", 'write [tool.manyshim] backend = "flit_core.'),
    "the package setuptools": wraps("setuptools", 'backend = "setuptools.build_meta"'),
    "a dash in a module": wraps("setuptools.build-meta", 'backend = "setuptools.build_meta"'),
    "half of a name": wraps(
        "setuptools.build_meta:__legacy", 'backend = "setuptools.build_meta:__legacy__"'
    ),
    "a dot for a colon": wraps(
        "setuptools.build_meta.__legacy__", 'backend = "setuptools.build_meta:__legacy__"'
    ),
    "a library of setuptools": wraps("cython", 'backend = "setuptools.build_meta"'),
    "a module that is no backend": wraps("os", "os has no hook build_wheel; name a PEP 517"),
    "a relative module": wraps(".backend", "is no module; name a PEP 517 backend, for example"),
    "manyshim wraps manyshim": wraps("manyshim.backend", "must not be manyshim itself"),
    "a requirement that is missing": wraps("pdm.backend", 'add "pdm-backend" to build-system.'),
    "backend as a table": table("[tool.manyshim.backend]\nname = 'x'", "backend = {", "a string"),
    "no backend": table('backend = ""', "backend = ''", "write a string that is not empty"),
    "the backend of one project in the environment": variable(
        "MANYSHIM_BACKEND", "mesonpy", "MANYSHIM_BACKEND in the environment has no effect",
        '    [tool.manyshim]\n    backend = "mesonpy"\n',
    ),
    "the backend as a setting": setting(
        "manyshim.backend", "mesonpy", "-C manyshim.backend has no effect",
        '    [tool.manyshim]\n    backend = "mesonpy"\n',
    ),
    # A backend that is forgotten.
    "meson-python by requires": forgotten(
        '"manyshim", "meson-python"', "meson-python seems to build this project",
        '    [tool.manyshim]\n    backend = "mesonpy"\n',
    ),
    "poetry by its table": forgotten(
        '"manyshim"', "poetry-core seems to build", 'requires = [..., "poetry-core"]',
        'backend = "poetry.core.masonry.api"',
        tail='[tool.poetry]\nname = "demo"\nversion = "1.0"\n',
    ),
    "CMakeLists.txt alone": forgotten(
        '"manyshim"', "CMakeLists.txt is there", 'backend = "scikit_build_core.build"',
        CMakeLists_txt="",
    ),
    "backend in [build-system]": Mistake(
        system(requires='"manyshim", "meson-python"', more='backend = "mesonpy"\n') + PROJECT,
        ('    [tool.manyshim]\n    backend = "mesonpy"\n',),
    ),
    # Keys and values of the table.
    "a typo in a key": table('platfrom = "auto"', "[tool.manyshim] platfrom", "mean 'platform'?"),
    "an underscore in a key": table("library_path = []", "did you mean 'library-path'?"),
    "build-backend in the table": table('build-backend = "mesonpy"', "did you mean 'backend'?"),
    "requires in the table": table("requires = []", "requires", "belongs to [build-system]"),
    "config-settings in the table": table("config-settings = {}", "belongs to [tool.uv]"),
    "a key with its prefix": table("manyshim.mode = 'off'", "write the key alone"),
    "a missing underscore": table('platform = "manylinux2_28"', "did you mean 'manylinux_2_28'?"),
    "a version alone": table("platform = 2.28", "did you mean 'manylinux_2_28'?"),
    "the tag to be replaced": table(
        'platform = "linux_x86_64"', "write auto, or a policy such as manylinux_2_28"
    ),
    "Debian's architecture": table(
        'platform = "manylinux_2_17_amd64"', "amd64: did you mean 'x86_64'?"
    ),
    "an unknown mode": table('mode = "fix"', "choose from retag, audit, off, repair"),
    "a finding's name": table('allow = ["NOELF:*"]', "did you mean 'NO_ELF'?"),
    "a finding without files": table('allow = ["NO_ELF"]', "write NO_ELF:* for all files"),
    "a number for a list": table("exclude = 3", "exclude = 3", "write a list of strings"),
    "strict in the table": table("strict = true", "strict = true in", *RELEASE, "-C manyshim."),
    "zig in the table": table('compiler = "zig"', *RELEASE, '{ "manyshim.compiler" = "zig" }'),
    "repair in the table": table('mode = "repair"', *RELEASE, "-C manyshim.mode=repair"),
    "strip in the table": table('strip = "debug"', *RELEASE, "MANYSHIM_STRIP=debug"),
    "report in the table": table(
        'report = "r.json"', *RELEASE, "-C manyshim.report=/path/to/r.json"
    ),
    "a list of tables": Mistake(
        system() + PROJECT + "[[tool.manyshim]]\n", ("write [tool.manyshim], in single brackets",)
    ),
    # Settings and the environment.
    "a typo in a setting": setting("manyshim.stict", "true", "-C manyshim.stict", "'strict'"),
    "a setting twice": setting(
        "manyshim.platform", ["manylinux_2_28", "2014"], "has several values: manylinux_2_28, 2014"
    ),
    "a relative report": setting(
        "manyshim.report", "r.json", "report = 'r.json' (-C) must be an absolute path"
    ),
    "an empty variable": variable("MANYSHIM_STRICT", "", "MANYSHIM_STRICT", "write true or false"),
    # backend-path
    "a folder outside the tree": table(
        'backend = "own"\nbackend-path = ["../tools"]', "'../tools' must be a relative path inside"
    ),
    "an absolute folder": table(
        'backend = "own"\nbackend-path = ["/usr"]', "'/usr' must be a relative path inside"
    ),
    "a file as a folder": table(
        'backend = "own"\nbackend-path = ["own.py"]', "'own.py' is a file; name the folder",
        files={"own.py": OWN_BACKEND},
    ),
    "a folder that is missing": table(
        'backend = "own"\nbackend-path = ["tools"]', "there is no folder 'tools'"
    ),
    "a folder without the module": table(
        'backend = "own"\nbackend-path = ["tools"]', "there is no module own in [tool.manyshim]",
        files={"tools/other.py": ""},
    ),
    "backend-path alone": table(
        'backend-path = ["tools"]', 'add backend, for example backend = "hooks"',
        files={"tools/own.py": OWN_BACKEND},
    ),
    "the project's folders in [build-system]": Mistake(
        system(more='backend-path = ["tools"]\n') + PROJECT,
        ("does not hold manyshim", '    backend = "MODULE"', '    backend-path = ["tools"]\n'),
        {"tools/own.py": OWN_BACKEND},
    ),
    "the folder of the copy itself": Mistake(
        system(more='backend-path = ["lib/manyshim"]\n') + PROJECT,
        ('write backend-path = ["lib"], where its copy is',), COPY,
    ),
    "the copy itself in the project's folder": Mistake(
        system(more='backend-path = ["manyshim"]\n') + PROJECT,
        ('write backend-path = ["."], where its copy is',), {"manyshim/backend.py": ""},
    ),
    "a copy that lies one folder too deep": Mistake(
        system(more='backend-path = ["."]\n') + PROJECT,
        ('write backend-path = ["manyshim"], where its copy is',),
        {"manyshim/manyshim/backend.py": ""},
    ),
    "a backend that wraps itself": Mistake(
        system("front", more='backend-path = ["."]\n') + '[tool.manyshim]\nbackend = "front"\n',
        ('backend = "front" is also build-backend', "name the backend that it calls"),
        {"front.py": "from manyshim.backend import *\n"}, frontend="front", path=["."],
    ),
    # pyproject.toml. Most frontends fail before they call a hook.
    "broken TOML": Mistake(system() + "x = \n", ("pyproject.toml cannot be read", "at line 4")),
    "two lines build-backend": Mistake(
        system(more='build-backend = "mesonpy"\n'), ("pyproject.toml cannot be read", "at line 4")
    ),
    "a byte order mark": Mistake(
        "\ufeff" + system() + PROJECT, ("begins with a byte order mark", "save it as UTF-8")
    ),
    "build-system is no table": Mistake(
        'build-system = "manyshim"\n', ("build-system in pyproject.toml must be a table",)
    ),
    # What the wrapped backend does.
    "a wheel that is not there": own(
        "def build_wheel(*args): return 'demo-1.0-py3-none-any.whl'\n", "own built", "not a file"
    ),
}  # fmt: skip

# The build succeeds, and one line tells.
LINES: Dict[str, Mistake] = {
    "a dash in the table's name": Mistake(
        f'{system()}{PROJECT}[tool.many-shim]\nmode = "off"\n',
        ("[tool.many-shim] in pyproject.toml is not read; write [tool.manyshim]",),
    ),
    "a table without tool": Mistake(
        f'{system()}{PROJECT}[manyshim]\nmode = "off"\n',
        ("[manyshim] in pyproject.toml is not read; write [tool.manyshim]",),
    ),
    "tools instead of tool": Mistake(
        f'{system()}{PROJECT}[tools.manyshim]\nmode = "off"\n',
        ("[tools.manyshim] in pyproject.toml is not read; write [tool.manyshim]",),
    ),
    "a dotted key without quotes": Mistake(
        system() + PROJECT + '[tool.uv]\nconfig-settings = { manyshim.strict = "true" }\n',
        ("[tool.uv] config-settings is not read", 'write the key in quotes: "manyshim.strict"'),
    ),
    "a setting without the prefix": setting(
        "platform", "manylinux_2_28", "-C platform is not read", "-C manyshim.platform=VALUE"
    ),
    "a setting with a dash": setting(
        "manyshim-platform", "manylinux_2_28", "-C manyshim-platform is", "-C manyshim.platform="
    ),
    "a setting with its table": setting(
        "tool.manyshim.mode", "off", "-C tool.manyshim.mode is not read", "-C manyshim.mode=VALUE"
    ),
    "a typo in a variable": variable(
        "MANYSHIM_PLATFROM", "manylinux_2_28", "MANYSHIM_PLATFROM", "'MANYSHIM_PLATFORM'"
    ),
}

# The wrapped backend's own errors pass, with these words at the end.
OF_THE_BACKEND: Dict[str, Mistake] = {
    "an exception": own(OWN_BACKEND, "RuntimeError: my own error\n"),
    "an exit": own("import sys\nsys.exit('my exit')\n", "my exit\n"),
    "a broken setup.py": Mistake(
        system() + PROJECT, ("ZeroDivisionError: division by zero\n",), {"setup.py": "1 / 0\n"}
    ),
}

# No build gets as far as manyshim. The words are those of `manyshim config`.
UNREAD: Dict[str, Mistake] = {
    "a distribution's name": stated("manyshim_backend", 'build-backend is "manyshim_backend"'),
    "a dash in build-backend": stated("many-shim.backend", 'build-backend is "many-shim.backend"'),
    "a capital letter": stated("Manyshim.backend", 'build-backend is "Manyshim.backend"'),
    "a plural": stated("manyshim.backends", RIGHT),
    "setuptools' name for the module": stated("manyshim.build_meta", RIGHT),
    "a hook as the backend": stated("manyshim.backend:build_wheel", RIGHT),
}
