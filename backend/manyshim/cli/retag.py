"""`manyshim retag`: writes each wheel under the tag that is proved for it."""

from __future__ import annotations

from functools import partial
from types import SimpleNamespace

from manyshim import retagging
from manyshim.cli.batch import over_wheels
from manyshim.cli.requests import refuse_file, writing_config


def run(options: SimpleNamespace) -> int:
    """Retag each wheel; return the exit code."""
    refuse_file(options.wheel_dir)
    config = writing_config(options)
    asked = retagging.Options(verbose=options.verbose, rebuild=options.rebuild_record)
    work = partial(retagging.retag, folder=options.wheel_dir, config=config, options=asked)
    return over_wheels(options, work)
