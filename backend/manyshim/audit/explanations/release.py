"""Explanations of what belongs to a release: metadata, sdists, and the set of files."""

from __future__ import annotations

from typing import Dict

from manyshim.audit.explanations.explanation import Explanation
from manyshim.audit.findings import problem_finding
from manyshim.audit.gate.completeness import SetProblem
from manyshim.audit.gate.entrypoints import EntryPointProblem
from manyshim.audit.gate.fields import FieldProblem
from manyshim.audit.gate.sdist import SdistProblem

_OWN_INDEX = "Yes, for an index of your own, which takes it. The public one refuses the file. "

EXPLANATIONS: Dict[str, Explanation] = {
    "METADATA": Explanation(
        summary="METADATA is missing, has a field that the index or pip refuses, or another name "
        "or version than the file name (`check`); a warning where only twine refuses it",
        meaning="METADATA, or PKG-INFO of an sdist, has a field that is not valid. Or it states "
        "another name or version than the file name. `check` reports all such fields at once, and "
        "the index only the first. Without trove-classifiers, no classifier is judged.",
        example=problem_finding(
            FieldProblem.UNKNOWN_CLASSIFIER,
            "METADATA",
            "Programming Language :: Pyton",
            subject="Programming Language :: Pyton",
        ),
        why="The upload fails, or pip refuses to install the file. Files of the release "
        "that were uploaded before stay, and cannot be replaced.",
        fix="- Correct the value in `[project]` of `pyproject.toml`, or where your build backend "
        "reads it. Then build again.\n"
        "- For a Metadata-Version that the index does not take yet, use another release of the "
        "build backend.\n"
        "- Do not rename files: build again to change the name or the version.",
        allow=_OWN_INDEX + "Dependencies with a URL are an example: "
        '`--allow "METADATA:*"` accepts them.',
    ),
    "LICENSE_FILE": Explanation(
        summary="METADATA names a license file that is not there (`check`)",
        meaning="METADATA lists a License-File that the archive does not have. A wheel has it in "
        "the folder `licenses` of .dist-info, and an sdist in its top-level folder.",
        example=problem_finding(
            FieldProblem.NO_LICENSE_FILE,
            "METADATA",
            "LICENSE",
            "demo-1.0.dist-info/licenses/LICENSE",
            subject="LICENSE",
        ),
        why="The upload fails: `License-File LICENSE does not exist`.",
        fix="- Build again with a current build backend, which includes the files of "
        "`license-files` in `[project]`.\n"
        "- If a step behind the build removes files, leave the folder .dist-info alone.\n"
        "- In an sdist, the file must be included: see `MANIFEST.in`, or the settings of your "
        "backend.",
        allow=_OWN_INDEX + '`--allow "LICENSE_FILE:*"` accepts it.',
    ),
    "ENTRY_POINTS": Explanation(
        summary="entry_points.txt cannot be read, or has a name that the index or an installer "
        "refuses (`check`)",
        meaning="entry_points.txt lists the commands of your package. Here it cannot be read, or a "
        "command has a name or a target that the index or an installer refuses.",
        example=problem_finding(
            EntryPointProblem.REFERENCE,
            "entry_points.txt",
            "demo",
            "demo/cli.py",
            subject="demo",
        ),
        why="The upload fails, or the installation does. uv refuses the names of interpreters, "
        "such as `python3`, because a command would replace them.",
        fix='- Write the target as a module and a function: `demo = "demo.cli:main"` in '
        "`[project.scripts]`.\n"
        "- Use letters, digits, `_`, `.` and `-` in the name of a command.\n"
        "- Begin a comment in entry_points.txt with `#`.",
        allow=_OWN_INDEX + '`--allow "ENTRY_POINTS:*"` accepts it.',
    ),
    "DESCRIPTION": Explanation(
        summary="the description does not render, or its type is wrong (`check`); a warning for a "
        "type that only twine refuses, and an info where nothing could render it",
        meaning="The description, usually your README, is in reStructuredText and has an error. Or "
        "its type is not one that the index takes. To render it, `check` needs the package "
        "readme_renderer; without it, an info says that nothing was rendered.",
        example=problem_finding(
            FieldProblem.NOT_RENDERED,
            "METADATA",
            "line 12: Warning: Title underline too short.",
            subject="line 12: Warning: Title underline too short.",
        ),
        why="The upload fails: `The description failed to render`.",
        fix="- Correct the line that the message names. Roles of Sphinx, such as "
        "`:func:`, do not exist on the index.\n"
        '- If your README is Markdown, state that: `readme = "README.md"` in `[project]` sets '
        "the type by the suffix.\n"
        "- `uv run --with readme_renderer manyshim check dist/` renders it here.",
        allow=_OWN_INDEX + '`--allow "DESCRIPTION:*"` accepts it.',
    ),
    "SDIST": Explanation(
        summary="the package index refuses the sdist, or pip or uv does not unpack it (`check`)",
        meaning="The sdist breaks a rule of its format: its name, its one top-level folder, "
        "PKG-INFO, or a member that pip or uv refuses to unpack.",
        example=problem_finding(SdistProblem.NAME, "", "My.Demo-1.0.tar.gz", "my_demo-1.0.tar.gz"),
        why="The upload fails. Or the upload works, and users without a wheel cannot install the "
        "package.",
        fix="- Build it with a current build backend: `uv build --sdist`, or "
        "`python -m build --sdist`.\n"
        "- Do not pack an sdist with tar by hand.\n"
        "- Leave out devices, pipes, and links that leave the folder. The line names the member.",
        allow=_OWN_INDEX + "Each installer that you use must unpack it: "
        '`--allow "SDIST:*"` accepts it.',
    ),
    "INCOMPLETE_SET": Explanation(
        summary="files of one release do not belong together, or one is missing (`check`); a "
        "warning where only the pattern of tags shows it",
        meaning="`check` compares the names of all files of a release. Files of two versions are "
        "an error. A missing sdist, or a single hole in the matrix of Pythons and platforms, is a "
        "warning. With `--like`, each file that the other release has and this one lacks is an "
        "error.",
        example=problem_finding(
            SetProblem.HOLE,
            "demo-1.0-cp312-cp312-manylinux_*_x86_64.whl",
            "cp312",
            "5",
            "4",
            subject="demo-1.0-cp312-cp312-manylinux_*_x86_64.whl",
        ),
        why="Users of the missing platform build from the sdist, or get an older release. The "
        "index closes a release after 14 days, so a forgotten file cannot be added later.",
        fix="- Build what is missing before the upload: `uv build --sdist` for the sdist.\n"
        "- Empty `dist/` before each build, so that no file of another version is there.\n"
        "- If a job of your CI failed, run it again, and collect all files in one folder.\n"
        "- To be sure, compare with the last release: `manyshim check dist/ --like previous/`.",
        allow="Yes, if you leave the file out on purpose. The glob is for the name of the missing "
        "file: `--allow 'INCOMPLETE_SET:*-cp39-*'`, or `--allow 'INCOMPLETE_SET:*.tar.gz'`. "
        "Warnings need none.",
    ),
}
