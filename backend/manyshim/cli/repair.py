"""`manyshim repair`: copies external libraries into each wheel, and retags it."""

from __future__ import annotations

import os
from functools import partial
from types import SimpleNamespace

from manyshim import retagging
from manyshim.cli.batch import over_wheels
from manyshim.cli.requests import parsed, refuse_file, writing_config


def run(options: SimpleNamespace) -> int:
    """Repair each wheel; return the exit code."""
    refuse_file(options.wheel_dir or os.curdir)
    bundle = ("*",) if options.bundle is None else parsed("bundle", options.bundle)
    config = writing_config(options)._replace(
        mode="repair",
        bundle=bundle,
        library_path=parsed("library-path", options.library_path),
        sysroot=options.sysroot,
        sbom=not options.no_sbom,
    )
    asked = retagging.Options(options.dry_run, options.verbose, options.rebuild_record)
    work = partial(retagging.retag, folder=options.wheel_dir, config=config, options=asked)
    return over_wheels(options, work)
