"""Explanations of what the interpreter asks of a wheel: tags, modules, the stable ABI."""

from __future__ import annotations

from typing import Dict

from manyshim.audit.explanations.explanation import NOT_NEEDED, Explanation
from manyshim.audit.findings import Evidence, finding

_MODULE = "demo/_fast.cpython-311-x86_64-linux-gnu.so"
_CLEAN = (
    "- Build from a clean folder: delete `build/`, or build the wheel from the sdist, as "
    "`uv build` does.\n"
)

EXPLANATIONS: Dict[str, Explanation] = {
    "ABI3": Explanation(
        summary="uses a name that is newer than the abi3 tag promises, or one that no stable ABI "
        "has (a warning, unless strict)",
        meaning="The wheel is tagged abi3, so one file serves every later CPython. But the file "
        "uses a function that the oldest CPython of the tag does not have. Or it uses one that is "
        "not in the stable ABI at all: this is a warning, and an error with `strict`.",
        example=finding(
            "ABI3",
            "demo/_fast.abi3.so",
            "PyType_GetName",
            required=(3, 11),
            details=("3.9",),
        )._replace(symbols=("PyType_GetName",)),
        why="On an older CPython the import fails: `undefined symbol: PyType_GetName`. A function "
        "outside of the stable ABI may vanish or change in the next CPython, and then the module "
        "crashes.",
        fix="- Define `Py_LIMITED_API` as the oldest version when you compile, for example "
        "`0x03090000`. The compiler then refuses newer functions.\n"
        "- Or raise the Python tag to that version: `py_limited_api = cp311` below "
        "`[bdist_wheel]` in `setup.cfg`.\n"
        "- Or build a wheel for each Python, without abi3.",
        allow="Rarely: if an older Python never imports this file. "
        '`allow = ["ABI3:demo/_new.abi3.so"]` accepts it.',
    ),
    "UNUSABLE_TAG": Explanation(
        summary="no interpreter accepts the Python and ABI tags, or pip no platform tag (an error "
        "in `check`)",
        meaning="The file name has a pair of Python and ABI tags that no interpreter accepts, for "
        "example abi3 with a Python tag of PyPy. It is an error in `check` and with `strict`. "
        "`check` also finds platform tags that pip never makes, for example `macosx_10_9_arm64`.",
        example=finding("UNUSABLE_TAG", "", "cp311-cp312"),
        why="No installer ever chooses the wheel. Users get the sdist instead, or an error.",
        fix="- Do not set the tags by hand: remove `python_tag`, `py_limited_api` and similar keys "
        "from the settings of the wrapped backend.\n"
        "- For a module of the stable ABI, the tags are `cp311-abi3`, with the oldest CPython.\n"
        "- For files that ctypes or cffi opens, they are `py3-none`.",
        allow="Rarely: for an interpreter that manyshim does not know. "
        '`allow = ["UNUSABLE_TAG:*"]` accepts it.',
    ),
    "NO_INIT": Explanation(
        summary="is named like an extension module, and exports no init function",
        meaning="Python imports a file of this name by calling its function `PyInit_NAME`. The "
        "file does not export one. It is an info if no module of the wheel has such a function, "
        "and none uses Python: then the package opens them with ctypes or cffi.",
        example=finding("NO_INIT", _MODULE, ""),
        why="The import fails: `dynamic module does not define module export function`.",
        fix="- Mark the function with `PyMODINIT_FUNC`. It exports the function, also with "
        "`-fvisibility=hidden`.\n"
        "- The name behind `PyInit_` must be the last part of the module's name. If you rename "
        "the file, rename the function.\n"
        "- In a linker's version script, list `PyInit_*` as global.\n"
        "- If ctypes opens the file, give it the plain suffix `.so`, with a name such as "
        "`libdemo.so`.",
        allow=NOT_NEEDED,
    ),
    "SUFFIX": Explanation(
        summary="has a suffix that an interpreter of the tags does not load (an error in `check`)",
        meaning="The end of a module's file name tells which Python and which system loads it. "
        "This one does not fit the tags of the wheel. In `check`, with `strict` and with zig it is "
        "an error, if the import surely fails. "
        "It is an info if another file of the same module is loaded instead.",
        example=finding(
            "SUFFIX",
            "demo/_fast.cpython-312-x86_64-linux-gnu.so",
            "cpython-312",
            evidence=Evidence.OTHER_INTERPRETER,
            details=("CPython 3.11",),
        ),
        why="Python does not see the file: `ModuleNotFoundError`. Often the file is left from a "
        "build for another Python.",
        fix=_CLEAN + "- Build the wheel with the Python that it is for.\n"
        "- For a module of the stable ABI, the suffix is `.abi3.so`.\n"
        "- For another architecture, use `-C manyshim.compiler=zig`, which sets the suffix of the "
        "target.",
        allow="Rarely: if your package finds and opens the file by itself. "
        '`allow = ["SUFFIX:demo/plugins/*"]` accepts it.',
    ),
    "NO_MODULE": Explanation(
        summary="an extension that was to be built is not in the wheel",
        meaning='With `compiler = "zig"`, manyshim sees which extensions setuptools starts to '
        "build. This one is not in the finished wheel. With `strict` it is an error.",
        example=finding("NO_MODULE", "", "demo/_fast.cpython-311-aarch64-linux-gnu.so"),
        why="Users get a slower package, or one whose import fails. An extension with "
        "`optional=True` fails silently.",
        fix="- Find the error of the compiler in the output of the build: `uv build -v`, or "
        "`pip wheel -v`.\n"
        "- If a library or header of the target is missing, name its system: "
        "`-C manyshim.sysroot=FOLDER`.\n"
        "- Remove `optional=True`, so that the next failure stops the build.",
        allow="Yes, if this target cannot have the extension, and the package works without it. "
        '`allow = ["NO_MODULE:*"]` accepts it.',
    ),
    "NO_ELF": Explanation(
        summary="the wheel has no machine code for a processor, though it is tagged for Linux, a "
        "compiler ran, or a build asks for it",
        meaning="The wheel has no compiled file, but something shows that it should. Its tag is "
        "for Linux, or zig was called, or you asked for a tag with `strict` or `platform`. "
        "With `strict`, or if zig was called, it is an error.",
        example=finding(
            "NO_ELF",
            "",
            "demo-1.0-cp311-cp311-linux_x86_64.whl",
            evidence=Evidence.TAGGED_FOR_LINUX,
        ),
        why="An extension is probably missing: optional extensions can fail silently. Or the wheel "
        "is pure, and would serve every system with the tag `any`.",
        fix="- Find the error of the compiler in the output of the build: `uv build -v`.\n"
        "- If the package is pure, remove what makes the wheel a platform wheel, for example "
        "`has_ext_modules` in `setup.py`.\n"
        "- If the wheel has data for one system only, keep its tag and accept the finding.",
        allow="Yes, if your project also builds pure wheels, or the wheel has no machine code on "
        'purpose. `allow = ["NO_ELF:*"]` accepts it.',
    ),
    "ELF_IN_PURE_WHEEL": Explanation(
        summary="is machine code in a wheel with the tag `any`; in a root or folder for pure "
        "Python, a warning",
        meaning="The wheel says that it is for every system, but the file is machine code for one. "
        "It is a warning if only the folder, or Root-Is-Purelib in WHEEL, says that the file is "
        "pure.",
        example=finding(
            "ELF_IN_PURE_WHEEL",
            "demo/_fast.so",
            Evidence.ANY_TAG.value,
            evidence=Evidence.ANY_TAG,
        ),
        why="Installers take the wheel on Windows, macOS and every other processor, and there the "
        "import fails. On systems with separate folders for pure code, the file may be in the "
        "wrong one.",
        fix="- Declare the extension to the build backend (`ext_modules` of setuptools), instead "
        "of adding a finished file as data. The wheel then gets a platform tag.\n"
        "- With hatchling, set `pure_python` to false and `infer_tag` to true in the build hook.\n"
        "- If a file was left in the source folder by an editable installation, delete it.\n"
        "- `manyshim retag` corrects Root-Is-Purelib.",
        allow="Yes, if the file is only data, for example a program for another machine that your "
        'package sends there. `allow = ["ELF_IN_PURE_WHEEL:demo/payload/*"]` accepts it.',
    ),
}
