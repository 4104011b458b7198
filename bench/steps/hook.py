"""Build a wheel through a backend's hook in this process and print the CPU seconds that it took.

Importing the backend is counted. The compiler is another process and is not counted. If a wrapped
backend is also named, it is imported before the clock starts and the time of its hook is
subtracted: the rest is what the wrapping adds.
"""

from __future__ import annotations

import json
import os
import sys
from contextlib import suppress
from importlib import import_module
from time import process_time
from typing import Any


class _Clock:
    """Wraps a hook and adds up its CPU seconds."""

    def __init__(self, hook: Any) -> None:  # noqa: ANN401 (a hook of whatever signature)
        self.hook = hook
        self.spent = 0.0

    def __call__(self, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401
        before = process_time()
        try:
            return self.hook(*args, **kwargs)
        finally:
            self.spent += process_time() - before


def main() -> None:
    """Build a wheel; the arguments are backend, project, folder and maybe the wrapped backend."""
    backend, source, target, *wrapped = sys.argv[1:]
    os.chdir(source)
    clock = _Clock(None)
    for name in wrapped:
        module = import_module(name)
        with suppress(ImportError):
            # setuptools imports this module and its dependencies in every build of a wheel.
            import_module("setuptools.command.bdist_wheel")
        clock = _Clock(module.build_wheel)
        module.build_wheel = clock  # type: ignore[attr-defined]
    before = process_time()
    import_module(backend).build_wheel(target)
    amount = process_time() - before - clock.spent
    if wrapped and not clock.spent:
        sys.exit(f"{backend} did not call {wrapped[0]}")
    print("\n" + json.dumps({"amount": amount}))


if __name__ == "__main__":
    main()
