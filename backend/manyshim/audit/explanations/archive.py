"""Explanations of the archive of a wheel: its members, WHEEL and RECORD."""

from __future__ import annotations

from typing import Dict

from manyshim.audit.explanations.explanation import Explanation
from manyshim.audit.findings import ERROR, Evidence, finding, problem_finding
from manyshim.audit.gate.paths import PathProblem

EXPLANATIONS: Dict[str, Explanation] = {
    "DUP_MEMBER": Explanation(
        summary="is in the archive more than once",
        meaning="The archive has several members of one name. Programs that add to a wheel, "
        "instead of writing it anew, make such archives.",
        example=finding("DUP_MEMBER", "demo/_core.py", "demo/_core.py", details=("2",)),
        why="Installers differ in which of them they use. The package index refuses the wheel.",
        fix="- Write the wheel in one run. Python's `zipfile` with mode `a` adds a second member.\n"
        "- If two parts of the build produce the file, leave it out of one of them.",
        allow="No good reason: the package index refuses it in any case.",
    ),
    "SYMLINK_MEMBER": Explanation(
        summary="is a symbolic link, which installers write as a text file",
        meaning="The archive has a symbolic link. The format of wheels has none, so installers "
        "write a text file with the target's name.",
        example=finding("SYMLINK_MEMBER", "demo/lib/libdemo.so", "demo/lib/libdemo.so"),
        why="The loader finds a text file where the library should be: `invalid ELF header`, or "
        "`file too short`.",
        fix="- Store the file itself, under the name that other files need. "
        "`readelf -d` lists it as NEEDED.\n"
        "- Copy with `cp -L`, which follows links.\n"
        "- With CMake, install only the file of that name: `NAMELINK_SKIP` leaves out the link for "
        "developers.",
        allow="Rarely: if nobody opens the file. "
        '`allow = ["SYMLINK_MEMBER:demo/lib/*"]` accepts it.',
    ),
    "BAD_PATH": Explanation(
        summary="has a path that is not valid in a wheel",
        meaning="A member's path is absolute, leaves the folder, begins with a drive letter, has "
        "control characters, is not UTF-8, or is too long. In `check`, also a .dist-info folder "
        "that does not fit the file name.",
        example=finding(
            "BAD_PATH",
            "../demo/_core.py",
            "../demo/_core.py",
            evidence=Evidence.PARENT_FOLDER,
        ),
        why="Installers refuse the wheel, or would write outside of the place for packages. "
        "The package index refuses control characters, and a .dist-info folder of another name.",
        fix="- Rename the file or folder, or leave it out of the wheel.\n"
        "- If the wheel itself was renamed, restore its name: the .dist-info folder inside has the "
        "same name and version.\n"
        "- To change the name or the version, build again.",
        allow="No good reason: a valid path costs nothing, and installers differ in what they do.",
    ),
    "RECORD": Explanation(
        summary="RECORD and the wheel disagree (an error in `check`, and for a wrong hash in "
        "`retag` and `repair`)",
        meaning="RECORD lists each file of a wheel with its hash and size. Here a row is missing, "
        "wrong or surplus. In `check` it is an error, except for a row without a file. A wrong "
        "hash is always an error where the files are read to their end.",
        example=finding(
            "RECORD",
            "demo/_core.py",
            Evidence.WRONG_HASH.value,
            severity=ERROR,
            evidence=Evidence.WRONG_HASH,
        ),
        why="Installers that verify refuse the wheel. Others do not uninstall a file without a "
        "row. With a wrong hash, the file may not be the one that was built.",
        fix="- Wrong CRC: the data are damaged. Build or download the wheel again.\n"
        "- Wrong hash: build the wheel again. If you know that its files are right, "
        "`manyshim retag dist/*.whl -w wheelhouse --rebuild-record` writes RECORD anew from them.\n"
        "- Everything else: `manyshim retag dist/*.whl -w wheelhouse` corrects it, with a line. "
        "In pure wheels, and those of other systems, only `--rebuild-record` does.\n"
        "- Do not edit a wheel with zip. `wheel unpack` and `wheel pack` write RECORD anew.",
        allow="Rarely: in `check`, for an index of your own whose installers do not verify. "
        '`--allow "RECORD:*"` accepts it. `retag` and `repair` do not accept a wrong hash.',
    ),
    "WHEEL_TAGS": Explanation(
        summary="the tags in WHEEL and in the file name differ (`check`); a retag writes them anew",
        meaning="The file WHEEL in the archive repeats the tags of the file name, one line for "
        "each. Here they differ, usually because the wheel was renamed. A compressed line that "
        "means the same tags is a warning.",
        example=finding(
            "WHEEL_TAGS",
            "WHEEL",
            "demo-1.0-cp311-cp311-manylinux_2_28_x86_64.whl",
            severity=ERROR,
            evidence=Evidence.OTHER_TAGS,
            details=("cp311-cp311-manylinux_2_28_x86_64", "cp311-cp311-linux_x86_64"),
        ),
        why="uv judges the installed package by WHEEL: `uv pip check` may say that it was built "
        "for another platform, and `uv pip install` may install it again and again.",
        fix="- `manyshim retag dist/*.whl -w wheelhouse` writes both: the name, and the lines. "
        "It copies pure wheels, and those of other systems, unchanged: build them again.\n"
        "- To set tags yourself, use `wheel tags`, and do not rename the file.",
        allow="Rarely: if pip alone installs the wheel, which does not compare them. "
        '`--allow "WHEEL_TAGS:*"` accepts it.',
    ),
    "WHEEL_FILE": Explanation(
        summary="WHEEL states no Wheel-Version of 1.x, so no installer accepts the wheel; in "
        "`check`, also one that some installer refuses",
        meaning="The line Wheel-Version in WHEEL tells the version of the format. It must be 1.0 "
        "or similar. Here it is missing, another one, or spelled in a way that some installer "
        "refuses.",
        example=finding("WHEEL_FILE", "WHEEL", "2.0"),
        why="Installers refuse the wheel.",
        fix="- Build again with a current build backend.\n"
        "- If a script of yours writes WHEEL, write the line `Wheel-Version: 1.0`.",
        allow="No good reason: installers refuse the wheel in any case.",
    ),
    "INSTALL_PATH": Explanation(
        summary="two members are installed to one path, or an installer refuses the place or the "
        "name of one (`check`); a warning for names that differ only by case",
        meaning="The folder .data of a wheel has folders for other places, for example scripts. "
        "Two members would get the same place, or a folder there has an unknown name. "
        "Names that differ only by case or Unicode form are a warning.",
        example=problem_finding(
            PathProblem.SAME_PATH, "demo-1.0.data/purelib/demo/_core.py", "demo/_core.py"
        ),
        why="Installers refuse the second file, or overwrite the first. On macOS and Windows, "
        "names that differ only by case are one file.",
        fix="- Keep one of the two members: often a file is both in the package and in "
        "`data_files`.\n"
        "- Below .data, use only purelib, platlib, scripts, headers and data.\n"
        "- Rename one of two files that differ only by case.",
        allow="Rarely: for names with a backslash, or a folder that one installer refuses, if you "
        'choose the installer. `--allow "INSTALL_PATH:demo/*"` accepts it.',
    ),
}
