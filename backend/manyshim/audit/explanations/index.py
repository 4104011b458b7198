"""Explanations of what the package index asks of a wheel: name, tags, size and archive."""

from __future__ import annotations

from typing import Dict

from manyshim.audit.explanations.explanation import Explanation
from manyshim.audit.findings import Evidence, finding, problem_finding
from manyshim.audit.gate.framing import FramingProblem
from manyshim.audit.gate.indextags import IndexTagProblem
from manyshim.audit.gate.names import NameProblem
from manyshim.audit.gate.platforms import PlatformProblem
from manyshim.audit.tags import GLIBC, PlatformTag

_MODULE = "demo/_fast.cpython-311-x86_64-linux-gnu.so"
_TAG = PlatformTag(GLIBC, 2, 17, "x86_64")
_OWN_INDEX = "Yes, for an index of your own, which takes it. The public one refuses the file. "

EXPLANATIONS: Dict[str, Explanation] = {
    "FALSE_TAG": Explanation(
        summary="a tag in the file name is not proved (`check`)",
        meaning="The name of the wheel promises a policy that the audit cannot prove. The lines "
        "below name the causes, the strongest first: the file, the symbols, the library and the "
        "limit. `manyshim show` lists all of them.",
        example=finding(
            "FALSE_TAG",
            _MODULE,
            str(_TAG),
            library="libc.so.6",
            symbols=("pthread_create",),
            evidence=Evidence.NOT_PROVED,
            details=(str(_TAG), "manylinux_2_34_x86_64"),
        )._replace(
            causes=(
                finding(
                    "TOO_NEW",
                    _MODULE,
                    "GLIBC_2.34",
                    library="libc.so.6",
                    symbols=("pthread_create",),
                    policy=_TAG,
                    required=(2, 34),
                ),
            )
        ),
        why="Installers choose the wheel on systems where its import fails. The package index does "
        "not look into the files, so your users find it out first.",
        fix="- `manyshim retag dist/*.whl -w wheelhouse` writes the tag that is proved.\n"
        "- To keep the old tag, remove the causes: see `manyshim explain TOO_NEW` and "
        "`manyshim explain EXTERNAL_LIBRARY`.\n"
        "- If a library comes from the environment, give `check` the `--exclude` of your build.",
        allow="Rarely: if you have tested the wheel on the oldest system of the tag, and know why "
        "the cause does no harm there. "
        '`--allow "FALSE_TAG:demo/_fast.*"` accepts a tag if the glob matches each file that rules '
        "it out.",
    ),
    "INDEX_TAG": Explanation(
        summary="the package index refuses a tag in the file name (`check`)",
        meaning="The package index takes certain platform tags only. It refuses linux_x86_64, for "
        "example, and minor versions of macOS from 11 on. The fix names the spelling that it "
        "takes, if there is one.",
        example=problem_finding(IndexTagProblem.LINUX, subject="linux_x86_64"),
        why="The upload fails: `Binary wheel ... has an unsupported platform tag`. Files that were "
        "uploaded before it stay, so the release may be incomplete.",
        fix="- Linux: `manyshim retag dist/*.whl -w wheelhouse`, or `manyshim repair` if external "
        "libraries are the reason.\n"
        "- macOS: build with `MACOSX_DEPLOYMENT_TARGET=12.0` or another full version.\n"
        "- Emscripten: build with a pyodide-build that writes tags of PEP 783.\n"
        "- Architectures and systems that the index does not take: leave the wheel out. Users "
        "build from the sdist.",
        allow=_OWN_INDEX + '`--allow "INDEX_TAG:*"` accepts it.',
    ),
    "TOO_LARGE": Explanation(
        summary="the wheel is larger than the package index accepts (`check`)",
        meaning="The file is larger than 100 MiB, the limit of the package index for a file. "
        "Projects can have a higher limit.",
        example=finding("TOO_LARGE", "", "131.4 MiB", details=("100.0 MiB",)),
        why="The upload fails: `File too large`.",
        fix="- Strip debug information: `-C manyshim.strip=debug`, or `--strip debug` of `retag` "
        "and `repair`.\n"
        "- `manyshim show -v` names what nothing needs: STATIC_OBJECT and DUPLICATE_LIBRARY.\n"
        "- Leave out tests and data, or publish them as a package of their own.\n"
        "- Ask the index for a higher limit.",
        allow="Yes, if your project has a higher limit, or for an index of your own. "
        '`--allow "TOO_LARGE:*"` accepts it.',
    ),
    "FILE_NAME": Explanation(
        summary="the file name is not one that the package index or an installer accepts (`check`)",
        meaning="The name of the file has a project, a version or a label that the index or an "
        "installer does not take. The project is written in lower case, with an underscore for "
        "each dash or dot.",
        example=problem_finding(NameProblem.SPELLING, "", "My.Demo", "my_demo"),
        why="The upload fails, or uv skips the file when it publishes. A local version (`1.0+cu12`)"
        " is refused as well.",
        fix="- Build again with a current build backend, which normalizes the name.\n"
        "- Do not rename the file: the name is also in the archive.\n"
        "- For the index, build without a local version. setuptools-scm has "
        '`local_scheme = "no-local-version"`.',
        allow=_OWN_INDEX + "Local versions and variants are usual there: "
        '`--allow "FILE_NAME:*"` accepts them.',
    ),
    "ZIP_FRAMING": Explanation(
        summary="the archive is not built as the index and installers read it (`check`); a warning "
        "where only one reader differs",
        meaning="A zip archive states each fact twice: before each member and in a directory at "
        "its end. Here the two differ, or there are bytes that neither lists. The index and uv "
        "refuse this, because it lets two readers see different files.",
        example=problem_finding(FramingProblem.DESCRIPTOR, "demo/_core.py"),
        why="The upload fails: `ZIP archive not accepted`. Or the upload works, and uv refuses the "
        "wheel when it installs it.",
        fix="- `manyshim retag dist/*.whl -w wheelhouse` writes each header anew, and keeps the "
        "contents. It copies pure wheels, and those of other systems, unchanged: pack them again.\n"
        "- Write the wheel to a file and not to a pipe: Python's `zipfile` writes data descriptors "
        "if it cannot seek.\n"
        "- Do not add to a finished wheel. Unpack it, and pack it again with `wheel pack`.",
        allow="Rarely: for an index of your own, if each installer that you use takes it. "
        '`--allow "ZIP_FRAMING:*"` accepts it.',
    ),
    "WRONG_PLATFORM": Explanation(
        summary="machine code for another system than that of the tag",
        meaning="The wheel is for macOS, Windows, iOS, Emscripten or WASI, and has an ELF file, "
        "which only Linux and similar systems load. It is an extension module without one for the "
        "wheel's own system, or a program in the scripts folder. Other ELF files may be data. Or "
        "a file for iOS is in a wheel for macOS, or the reverse.",
        example=problem_finding(
            PlatformProblem.MODULE, "demo/_fast.cpython-311-x86_64-linux-gnu.so", "macOS"
        ),
        why="The import fails on the system of the tag. Often a cross compilation used the "
        "compiler of the machine, or the wheel was renamed.",
        fix="- Build the module for the system of the tag, with its compiler.\n"
        "- If the files are right and the tag is wrong, build the wheel without the setting that "
        "names the platform.\n"
        "- Delete files of an earlier build for Linux: build from a clean folder.",
        allow="Yes, if the package only carries the file, for example to send it to a Linux "
        'machine. `--allow "WRONG_PLATFORM:demo/remote/*"` accepts it.',
    ),
}
