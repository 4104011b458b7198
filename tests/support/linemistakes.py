"""Command lines that are wrong, each with the one sentence that it gets."""

from __future__ import annotations

from typing import Dict, Tuple

from wheelwriter import wheel_name

TAG = "py3-none-any"
GOOD = wheel_name(tag=TAG)
JOBS = "is not valid; write how many processes, at least 1 (without --jobs: one per CPU)"
NEWEST = "so write {} or an older policy (update manyshim if there is a newer one)"
GLIBC = f"is not valid; the newest glibc that this manyshim knows is 2.44, {NEWEST}".format(
    "manylinux_2_44"
)
MUSL = f"is not valid; the newest musl that this manyshim knows is 1.2, {NEWEST}".format(
    "musllinux_1_2"
)
SPECIAL = "is not a wheel; write its content to a file first"
BUILD = "build a wheel of the project (uv build --wheel)"
ALL = "show, check, retag, repair, init, release, ci, explain, policies, config, completion"

# The command line, and the sentence of its error. A line about the help follows.
LINES: Dict[str, Tuple[str, str]] = {
    # Commands.
    "chek": ("chek", "'chek' is not a command; did you mean 'check'?"),
    "SHOW": ("SHOW x.whl", "'SHOW' is not a command; did you mean 'show'?"),
    "frob": ("frob", f"'frob' is not a command; choose from {ALL}"),
    "audit": ("audit x.whl", "'audit' is not a command; did you mean 'show'?"),
    "version": ("version", "'version' is not a command; did you mean '--version'?"),
    "upload": (
        "upload x.whl",
        "'upload' is not a command; upload with `uv publish` or twine, after `manyshim check`",
    ),
    "a wheel first": (GOOD, f"'{GOOD}' is a file, not a command; write manyshim show {GOOD}"),
    "a folder first": ("dist", "'dist' is a folder, not a command; write manyshim check dist"),
    "--json first": (
        f"--json show {GOOD}",
        "--json belongs after the command: manyshim show --json",
    ),
    "--fix first": (
        "--fix rpath show x.whl",
        "--fix belongs after the command: manyshim retag --fix",
    ),
    # Options.
    "--platfrom": (
        "show --platfrom auto x.whl",
        "--platfrom is not an option of show; did you mean '--platform'?",
    ),
    "--plat": (
        "show --plat auto x.whl",
        "--plat is not an option of show; did you mean '--platform'?",
    ),
    "-platform": (
        "show -platform auto x.whl",
        "-platform is not an option; did you mean '--platform'?",
    ),
    "a dash": (
        "show \u2014strict x.whl",
        "\u2014strict begins with a dash that is no hyphen; write --strict",
    ),
    "show --fix": (
        "show --fix rpath x.whl",
        "--fix is an option of retag and repair, not of show",
    ),
    "retag --dry-run": (
        "retag --dry-run x.whl",
        "--dry-run is an option of repair and release, not of retag",
    ),
    "check --write": ("check dist --write", "--write is an option of init and ci, not of check"),
    "check --json-lines": (
        "check --json-lines dist",
        "--json-lines is not an option of check; did you mean '--json'?",
    ),
    "retag -o": (
        "retag x.whl -o out",
        "-o is not an option of retag; did you mean '--wheel-dir'?",
    ),
    "show --outdir": (
        "show x.whl --outdir out",
        "--outdir is not an option of show; --wheel-dir is an option of retag and repair",
    ),
    "repair --sbom": (
        "repair x.whl --sbom --dry-run",
        "--sbom is not an option of repair; did you mean '--no-sbom'?",
    ),
    "repair --compiler": (
        "repair x.whl --dry-run --compiler zig",
        "--compiler is not an option of repair; in a build, it is -C manyshim.compiler=VALUE",
    ),
    "config --backend": (
        "config --backend hatchling",
        "--backend is not an option of config; in a build, write backend in [tool.manyshim]",
    ),
    "show --no-color": (
        "show --no-color x.whl",
        "--no-color is not an option of show; did you mean '--color never'?",
    ),
    "show --version": (
        "show --version",
        "--version is not an option of show; write manyshim --version",
    ),
    "init --frobnicate": ("init --frobnicate", "--frobnicate is not an option of init"),
    # Values.
    "no value": ("show x.whl --platform", "--platform needs a value: --platform POLICY"),
    "an option as value": (
        "show --platform --json x.whl",
        "--platform needs a value: --platform POLICY",
    ),
    "a value for a flag": ("show --json=yes x.whl", "--json takes no value; write --json alone"),
    "--naming": (
        "show --naming exakt x.whl",
        "--naming = 'exakt' is not valid; did you mean 'exact'?",
    ),
    "--strip": (
        "retag --strip symbols x.whl -w out",
        "--strip = 'symbols' is not valid; choose from none, debug, all",
    ),
    "--arch": (
        "policies --arch amd64",
        "--arch = 'amd64' is not valid; did you mean 'x86_64'?",
    ),
    "--color": (
        "--color yes show x.whl",
        "--color = 'yes' is not valid; choose from auto, always, never",
    ),
    "--jobs 0": ("show --jobs 0 x.whl", f"--jobs = '0' {JOBS}"),
    "--jobs -1": ("check --jobs -1 dist", f"--jobs = '-1' {JOBS}"),
    "--jobs all": ("retag --jobs=all x.whl -w out", f"--jobs = 'all' {JOBS}"),
    "-w ''": (
        "retag x.whl --wheel-dir=",
        "--wheel-dir = '' is not valid; name the folder for the new wheels",
    ),
    "-q -v": ("show -qv x.whl", "-q and -v contradict each other; give one of them"),
    "ci jenkins": (
        "ci jenkins",
        "'jenkins' is not a service that ci supports; choose from github, gitlab",
    ),
    "--shard": (
        "release --shard 4/3",
        "--shard = '4/3' is not valid; write the part and the number of parts, such as 1/3",
    ),
    # Too much and too little.
    "two words and a service": (
        "ci github one two",
        "ci takes one service and one folder, but 3 words are given: 'github', 'one' and 'two'",
    ),
    "no service": (
        "ci",
        "no service is given; for example: manyshim ci github --write",
    ),
    "no wheel": (
        "show",
        "no wheel is given; for example: manyshim show dist/*.whl --platform manylinux_2_28",
    ),
    "no file": ("check", "no file is given; for example: manyshim check dist/"),
    "a wheel as value": (
        f"show --platform {GOOD}",
        f"no wheel is given: '{GOOD}' is the value of --platform; give --platform its own value",
    ),
    "no folder for the wheels": (
        "retag x.whl",
        "--wheel-dir (-w) is missing: name the folder for the new wheels, as in -w wheelhouse",
    ),
    "-w left out": (
        "repair x.whl dist",
        "--wheel-dir (-w) is missing: name the folder for the new wheels, as in -w dist",
    ),
    "two folders": ("init dist .", "init takes one folder, but 2 are given: 'dist' and '.'"),
    "a format as an option": (
        f"check --sarif {GOOD}",
        "--sarif is not an option of check; did you mean '--format sarif'?",
    ),
    "the word of ruff": ("rule TOO_NEW", "'rule' is not a command; did you mean 'explain'?"),
    "a format of no name": (
        f"show --format jsno {GOOD}",
        "--format = 'jsno' is not valid; did you mean 'json'?",
    ),
    "source lines at times": (
        f"check --explain often {GOOD}",
        "--explain = 'often' is not valid; choose from auto, always, never",
    ),
    "completion zhs": (
        "completion zhs",
        "'zhs' is not a shell that completion supports; did you mean 'zsh'?",
    ),
    "completion powershell": (
        "completion powershell",
        "'powershell' is not a shell that completion supports; choose from bash, zsh, fish",
    ),
    "completion": (
        "completion",
        "no shell is given; for example: manyshim completion bash",
    ),
    "completion of two": (
        "completion bash fish",
        "completion takes one shell, but 2 are given: 'bash' and 'fish'",
    ),
    "policies of a wheel": (
        "policies x.whl",
        "policies takes options only, but 'x.whl' is given",
    ),
}
# The command line, the exit code and the sentence: no line about the help follows.
VALUES: Dict[str, Tuple[str, int, str]] = {
    "an empty name": (
        "check ",
        *(3, "an empty name was given; is a variable of the shell not set?"),
    ),
    "a URL": (
        "show https://example.org/demo-1.0-py3-none-any.whl",
        3,
        "https://example.org/demo-1.0-py3-none-any.whl: a URL, not a file; download it first",
    ),
    "notes to check": (
        "check notes.txt",
        *(3, "notes.txt: neither a wheel (.whl) nor an sdist (.tar.gz)"),
    ),
    "an unknown kind to allow": (
        f"check --allow FOO:x {GOOD}",
        2,
        ("--allow = 'FOO:x' is not valid; FOO is not a kind of finding; "
        "`manyshim explain` lists all kinds"),
    ),
    "a kind that rules out, misspelled": (
        f"check --allow TOO_NWE:* {GOOD}",
        2,
        ("--allow = 'TOO_NWE:*' is not valid; TOO_NWE is not a kind of finding; "
        "did you mean 'TOO_NEW'?"),
    ),
    "no such kind": (
        "explain TO_NEW",
        *(2, "TO_NEW is not a kind of finding; did you mean 'TOO_NEW'?"),
    ),
    "no kind": (
        "explain xyzzy",
        *(2, "xyzzy is not a kind of finding; `manyshim explain` lists all kinds"),
    ),
    "two formats": (
        f"check --json --format sarif {GOOD}",
        *(2, "--json and --format sarif ask for two formats; give one of them"),
    ),
    "no such glibc": (
        f"show --platform manylinux_2_99 {GOOD}",
        *(2, f"--platform = 'manylinux_2_99' {GLIBC}"),
    ),
    "glibc 3": (
        f"check --platform manylinux_3_0_x86_64 {GOOD}",
        *(2, f"--platform = 'manylinux_3_0_x86_64' {GLIBC}"),
    ),
    "no such musl": (
        f"retag --platform musllinux_1_9 {GOOD} -w out",
        *(2, f"--platform = 'musllinux_1_9' {MUSL}"),
    ),
    "musl 2": (
        f"repair --platform musllinux_2_0 {GOOD} -w out",
        *(2, f"--platform = 'musllinux_2_0' {MUSL}"),
    ),
    "another glibc in a build": (
        "config project -C manyshim.platform=manylinux_2_99",
        *(2, f"-C manyshim.platform: platform = 'manylinux_2_99' {GLIBC}"),
    ),
    "--compression-level": (
        f"retag {GOOD} -w out --compression-level 10",
        *(2, "--compression-level = '10' is not valid; write a number from 0 to 9"),
    ),
    "--fix": (
        f"retag {GOOD} -w out --fix rpaht",
        *(2, "--fix = 'rpaht' is not valid; did you mean 'rpath'?"),
    ),
    "-C": ("config project -C strict", 2, "-C strict: write -C KEY=VALUE"),
    "--undo --force": (
        "init project --undo --force",
        *(2, "--undo takes neither --in-tree nor --force"),
    ),
    "config of a wheel": (
        f"config {GOOD}",
        2,
        f"{GOOD}: a wheel, not a folder; config is for projects, and manyshim show for wheels",
    ),
    "init of a file": (
        "init project/pyproject.toml",
        2,
        (
            "project/pyproject.toml: not a folder: name the folder of the project: "
            "manyshim init project"
        ),
    ),
    "config of nothing": (
        "config projcet",
        *(2, "projcet: no such folder; did you mean project?"),
    ),
    "init of nothing": ("init x/y", 2, "x/y: no such folder; name the folder of the project"),
    "a file as folder": (
        f"retag {GOOD} -w notes.txt",
        4,
        "-w notes.txt: cannot be written: it is a file, and -w names the folder for the new wheels",
    ),
    # Files.
    "another name": (
        f"show {GOOD.replace('any', 'ayn')}",
        *(3, f"{GOOD.replace('any', 'ayn')}: no such file; did you mean {GOOD}?"),
    ),
    "no file at all": (
        "check nothing",
        *(3, "nothing: no such file; build first (uv build), or give the path of a file"),
    ),
    "no folder at all": ("show x/y.whl", 3, "x/y.whl: no such file, and no folder x"),
    "a lost link": ("show link.whl", 3, "link.whl: a link to gone.whl, which does not exist"),
    "no match": (
        "retag wheels/*.whl -w out",
        3,
        (f"wheels/*.whl: no file matches the pattern; there is no wheels; {BUILD}, or correct the "
        "pattern"),
    ),
    "a quoted pattern": (
        "show dist/*.whl",
        3,
        ("dist/*.whl: the shell did not expand the pattern; write it without quotes: "
        "manyshim show dist/*.whl"),
    ),
    "a folder": (
        "show dist",
        *(3, "dist: a folder; give its wheels: dist/*.whl, or manyshim check dist"),
    ),
    "a project": (
        "repair project -w out",
        *(3, f"project: a folder without wheels; {BUILD}, then give dist/*.whl"),
    ),
    "a project to check": (
        "check project",
        3,
        ("project: no wheel and no sdist in this folder; build them first (uv build), then check "
        "dist/"),
    ),
    "an sdist": (
        "retag demo-1.0.tar.gz -w out",
        3,
        f"demo-1.0.tar.gz: an sdist has no tag; {BUILD}, or verify the sdist with manyshim check",
    ),
    "a library": ("show lib.so", 3, f"lib.so: a library or program alone has no tag; {BUILD}"),
    "a program": ("show program", 3, f"program: a library or program alone has no tag; {BUILD}"),
    "a zip": (
        "repair a.zip -w out",
        *(3, "a.zip: not a wheel: if it holds wheels, unzip it first, and give these"),
    ),
    "an egg": (
        "show a.egg",
        3,
        "a.egg: an egg, which the package index does not take; convert it (wheel convert)",
    ),
    "a conda package": (
        "check a.conda",
        3,
        f"a.conda: a conda package needs no manylinux tag; for the package index, {BUILD}",
    ),
    "pyproject.toml": (
        "show project/pyproject.toml",
        *(3, f"project/pyproject.toml: a project is not a wheel; {BUILD}"),
    ),
    "text": (
        "show notes.txt",
        *(3, f"notes.txt: its name does not end with .whl, so it is no wheel; {BUILD}"),
    ),
    "a wrong name": (
        "show demo.whl",
        3,
        ("demo.whl: its name is not that of a wheel (PEP 427); rename it to "
        "NAME-VERSION-PYTHON-ABI-PLATFORM.whl, as the build named it"),
    ),
    "an empty file": (
        f"check empty-1.0-{TAG}.whl",
        *(3, f"empty-1.0-{TAG}.whl: an empty file; build or download it again"),
    ),
    "the first half": (
        f"retag half-1.0-{TAG}.whl -w out",
        *(3, f"half-1.0-{TAG}.whl: the end is missing; build or download it again"),
    ),
    "a web page": (
        f"show page-1.0-{TAG}.whl",
        *(3, f"page-1.0-{TAG}.whl: a web page, not a wheel; download the wheel again"),
    ),
    "no zip": (
        f"show text-1.0-{TAG}.whl",
        *(3, f"text-1.0-{TAG}.whl: not a zip file, as wheels are; build or download it again"),
    ),
    "a pipe": (
        f"check pipe-1.0-{TAG}.whl",
        3,
        f"pipe-1.0-{TAG}.whl: cannot be opened: a named pipe {SPECIAL}",
    ),
    "a device": (
        "show /dev/null",
        *(3, f"/dev/null: cannot be opened: a device {SPECIAL}"),
    ),
}  # fmt: skip
