"""`manyshim release`: builds the sdist and all wheels of a release, and checks them."""

from __future__ import annotations

import os
import time
from functools import partial
from types import SimpleNamespace
from typing import Any, Callable, List, Mapping, Optional, Sequence

from manyshim import __version__, pyproject
from manyshim.audit.tags import parse_platform
from manyshim.cli import check
from manyshim.cli.accepted import accepted
from manyshim.cli.formats import print_json
from manyshim.cli.reading import read
from manyshim.cli.releaselines import (
    Progress,
    failure_lines,
    release_data,
    summary_line,
    unfinished_lines,
    untested_lines,
)
from manyshim.cli.screen import Screen, notice
from manyshim.cli.wrongfiles import project as project_mistake
from manyshim.errors import ConfigError
from manyshim.formatters.json import JSON_VERSION
from manyshim.inputs import other_names
from manyshim.release import emulation, frontend, local, matrix, prepare, systems, table
from manyshim.release import sdist as sdists
from manyshim.release.children import Children
from manyshim.release.frontend import Frontend
from manyshim.release.interrupts import ended_by_signals
from manyshim.release.ledger import Ledger
from manyshim.release.matrix import Cell
from manyshim.release.places import Places
from manyshim.release.run import Release, Result, Work
from manyshim.release.testing import Setup, Tester
from manyshim.toolchain.target import resolve
from manyshim.workspace import private_folder


def run(options: SimpleNamespace) -> int:
    """Build a release, and check it; return the exit code."""
    refused = project_mistake(options.folder, "release")
    if refused:
        raise refused
    options.out_dir = options.out_dir or os.path.join(options.folder, "dist")
    document = pyproject.read(options.folder)
    wanted = table.read(document)
    cells = matrix.only(matrix.cells(wanted), options.only)
    if options.shard:
        cells = matrix.shard(cells, *options.shard)
    if options.matrix:
        print_json({"version": JSON_VERSION, "include": matrix.jobs(cells)})
        return 0
    prepare.verify_backend(document)
    if options.like is not None:
        other_names(options.like)  # a mistake must not cost the time of all builds
    if options.dry_run:
        return _dry_run(options, cells)
    tool = frontend.find(os.environ)
    places = _places(options, wanted, tool)
    with ended_by_signals(), prepare.only_one(options.out_dir):
        try:
            return _Run(options, document, wanted, tool, places).build(cells)
        except KeyboardInterrupt:
            notice(f"stopped; the wheels that are finished are in {options.out_dir}")
            raise


def _dry_run(options: SimpleNamespace, cells: Sequence[Cell]) -> int:
    """Print the matrix, and which wheels are there; the sdist is not built."""
    ledger = Ledger(options.out_dir)
    made = ((one.name, ledger.cells.get(one.name)) for one in cells)
    rows = [
        (name, own.name if own is not None and ledger.is_unchanged(own.name) else "")
        for name, own in made
    ]
    if options.json:
        print_json(
            {
                "version": JSON_VERSION,
                "wheels": [{"cell": name, "file": wheel or None} for name, wheel in rows],
            }
        )
        return 0
    Screen().table(("wheel", "there"), [(name, wheel or "-") for name, wheel in rows])
    return 0


class _Run:
    """One run of the command."""

    def __init__(
        self,
        options: SimpleNamespace,
        document: Mapping[str, Any],
        wanted: table.Table,
        tool: Frontend,
        places: Optional[Places],
    ) -> None:
        self._options = options
        self._document = document
        self._table = wanted
        self._everything = matrix.cells(wanted)
        self._tool = tool
        self._children = Children()
        self._ledger = Ledger(options.out_dir)
        self._places = places
        self._screen = Screen(plain=options.json)

    def build(self, cells: Sequence[Cell]) -> int:
        """Build, test and check; return the exit code."""
        began = time.monotonic()
        with private_folder(os.path.abspath(self._options.out_dir)) as private:
            try:
                work = self._work(private)
                results = self._results(work, cells)
            except BaseException:
                self._children.end_all()
                raise
        seconds = time.monotonic() - began
        if not self._options.json:
            lines = (*failure_lines(results), *untested_lines(results))
            self._screen.print_lines([*lines, summary_line(results, seconds)])
        checked = self._check(cells)
        if not self._options.json:
            self._screen.print_lines(list(unfinished_lines(results)))
        code = max([checked.code, *(int(one.has_failed) for one in results)])
        if self._options.json:
            print_json({**release_data(work.sdist, results, seconds), "check": checked.data})
        return code

    def _work(self, private: str) -> Work:
        """Make the sdist, and what all builds share."""
        options, own, tool = self._options, self._table, self._tool
        environ: Mapping[str, str] = os.environ
        if options.sdist:
            found = sdists.read(options.sdist)
        else:
            place = os.path.abspath(options.folder), private, tool, self._children, environ
            found = prepare.build_sdist(*place)
        prepare.verify_folder(options.out_dir, found.path, self._ledger, self._everything)
        prepare.verify_project(self._document, found.path)
        found = prepare.adopt_sdist(found, options.out_dir, private, self._ledger)
        environ = prepare.environment(environ, found)
        name = prepare.project_name(found.path)
        settings = partial(prepare.settings, project=name, own=own.settings)

        def recipe(cell: Cell) -> str:
            return prepare.recipe(settings(cell), __version__, environ)

        return Work(
            os.path.abspath(options.folder),
            options.out_dir,
            private,
            found,
            tool,
            environ,
            settings,
            recipe,
            partial(_refusal, settings=settings),
        )

    def _results(self, work: Work, cells: Sequence[Cell]) -> List[Result]:
        jobs = self._options.jobs or os.cpu_count() or 1
        with Progress(self._screen, len(cells), plain=self._options.json) as progress:
            release = Release(work, self._ledger, self._children, progress.watch)
            results = release.run(cells, self._everything, jobs)
        tester = self._tester(work)
        if tester is None:
            return results
        count = sum(bool(one.wheel) for one in results)
        with Progress(self._screen, count, plain=self._options.json) as progress:
            release = Release(work, self._ledger, self._children, progress.watch)
            return release.test(results, tester.test, jobs)

    def _tester(self, work: Work) -> Optional[Tester]:
        if self._places is None or self._table.tests is None:
            return None
        uv = work.frontend.uv
        places, pip = self._places, local.pip_python
        given = work.project, work.private, os.environ, places, uv, pip
        setup = Setup(self._table.tests, *given, content=work.sdist.content)
        return Tester(setup, self._children, self._ledger)

    def _check(self, cells: Sequence[Cell]) -> check.Checked:
        """Check all files of the folder; a part of a release may be incomplete."""
        options = self._options
        words = ["check", options.out_dir, *(["--json"] if options.json else [])]
        words += ["--like", options.like] if options.like else []
        words += accepted(self._document, self._table, cells)
        complete = len(cells) == len(self._everything)
        asked = read(words).options
        asked.command = "check"
        return check.verify(asked, complete=complete)


def _places(options: SimpleNamespace, wanted: table.Table, tool: Frontend) -> Optional[Places]:
    """Return where wheels are tested; None if they are not. Raises ConfigError."""
    if options.systems is not None and (wanted.tests is None or options.no_test):
        lack = "--no-test is given" if options.no_test else f"{table.TABLE} has no test-command"
        raise ConfigError(f"--systems has no effect: {lack}")
    if wanted.tests is None or options.no_test:
        return None
    found = systems.find(options.systems) if options.systems is not None else []
    native = partial(local.native_python, uv=tool.uv)
    return Places(emulation.this_machine(), native, found, emulation.runner)


def _refusal(cell: Cell, settings: Callable[[Cell], table.Settings]) -> str:
    """Return why zig cannot compile for a cell; "" if it can, or if it is not asked to."""
    tag = parse_platform(cell.platform)
    if settings(cell)["manyshim.compiler"] == "zig" and tag is not None:
        try:
            resolve(tag, tag.arch, tag.libc)
        except ConfigError as error:
            return str(error)
    return ""
