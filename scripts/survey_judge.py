"""The second and third step of the survey: the verdicts on a wheel.

The tools are called in this process, as their command lines are: to start each for each wheel
takes longer than what they do. survey.py gives each wheel a process of its own.
"""

from __future__ import annotations

import io
import json
import sys
import traceback
from collections.abc import Callable, Sequence
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any, NamedTuple

from auditwheel.main import main as auditwheel_main
from elftools.common.exceptions import ELFError

from manyshim.cli.main import main as manyshim_main
from survey_oracle import judge as second_opinion


class _Done(NamedTuple):
    """What a command returned and printed; `code` is None if it ended with a traceback."""

    code: int | None
    out: str
    err: str


def judge(path: Path) -> dict[str, Any]:
    """Return manyshim's verdict and our second one on a wheel, as JSON can hold them."""
    return {
        "wheel": path.name,
        "show": _manyshim(path, "show"),
        "check": _manyshim(path, "check"),
        "oracle": _oracle(path),
    }


def checked(path: Path) -> dict[str, Any]:
    """Return what `manyshim check` says of a file."""
    return _manyshim(path, "check")


def auditwheel(path: Path) -> dict[str, Any]:
    """Return auditwheel's verdict: `tag`, or `error` with the last line of a failure.

    It takes longer than all the others.
    """
    done = _call(auditwheel_main, ("auditwheel", "show", "--json", str(path)))
    try:
        printed = json.loads(done.out)
    except json.JSONDecodeError:
        return {"tag": "", "error": _last_line(done.err), "crashed": done.code is None}
    tag = printed.get("overall_tag", "")
    return {"tag": tag, "error": printed.get("error", ""), "crashed": False, "printed": printed}


def _manyshim(path: Path, command: str) -> dict[str, Any]:
    done = _call(manyshim_main, ("manyshim", command, "--json", str(path)))
    try:
        data = json.loads(done.out)
        (found,) = data["wheels"] + data.get("sdists", [])
    except (json.JSONDecodeError, ValueError):
        return {"code": done.code, "error": _last_line(done.err)}
    return {"code": done.code, **found}


def _oracle(path: Path) -> dict[str, Any]:
    try:
        opinion = second_opinion(path)
    except (ELFError, ValueError, KeyError, IndexError, StopIteration) as error:
        return {"tag": "", "reasons": [f"{type(error).__name__}: {error}"]}
    return {"tag": opinion.tag, "reasons": list(opinion.reasons)}


def _call(main: Callable[[], int | None], command: Sequence[str]) -> _Done:
    out, err = (io.TextIOWrapper(io.BytesIO(), encoding="utf-8") for _ in range(2))
    before, sys.argv = sys.argv, list(command)
    code: int | None = None
    with redirect_stdout(out), redirect_stderr(err):
        try:
            code = main() or 0
        except SystemExit as ended:
            code = ended.code if isinstance(ended.code, int) else 1
        except Exception:  # noqa: BLE001 (a traceback is a result)
            traceback.print_exc()
        finally:
            sys.argv = before
    return _Done(code, *(_text(stream) for stream in (out, err)))


def _text(stream: io.TextIOWrapper) -> str:
    stream.seek(0)
    return stream.read()


def _last_line(text: str) -> str:
    return (text.strip().splitlines() or [""])[-1]
