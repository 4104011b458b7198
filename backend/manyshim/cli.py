"""The command line: `manyshim show | check | retag | repair | policies`."""

from __future__ import annotations

import argparse
import os
import sys
from contextlib import suppress
from functools import partial
from typing import Any, Callable, Dict, Iterator, List, Optional, Sequence

from manyshim import __version__, pipeline, terminal
from manyshim.audit.policy import ladder
from manyshim.audit.report import Line, failure
from manyshim.audit.tags import ARCHES, GLIBC, MUSL
from manyshim.config import Config, epoch
from manyshim.errors import ManyshimError, ToolError
from manyshim.options import BY_KEY
from manyshim.pipeline import Outcome

# Several processes cost more than they save on less than this, in bytes.
_WORTH_A_PROCESS = 8 << 20


def main(arguments: Optional[Sequence[str]] = None) -> int:
    """Run the command line; return the exit code, the highest over all wheels."""
    # A name that the terminal's encoding lacks is escaped, and no error.
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    try:
        given = sys.argv[1:] if arguments is None else list(arguments)
        options = _parser(given).parse_args(given)
        code: int = options.run(options)
        sys.stdout.flush()
    except ManyshimError as error:
        print(f"manyshim: error: {error}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        # Whoever read the output has seen enough; the interpreter must not try to flush it again.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except OSError as error:
        with suppress(OSError):
            print(f"manyshim: error: cannot write the output: {error.strerror}", file=sys.stderr)
        return ToolError.exit_code
    return code


def _parser(given: List[str]) -> argparse.ArgumentParser:
    """Make the parser of the command that is asked for, or of all: each takes a millisecond."""
    parser = argparse.ArgumentParser(
        prog="manyshim",
        description="Audit Linux wheels and give them the manylinux or musllinux tag that they "
        "have earned.",
        epilog="exit codes: 0 yes; 1 a wheel says no; 2 bad usage; 3 a wheel that cannot be read; "
        "4 a tool or the disk; the highest over all wheels wins",
    )
    parser.add_argument("--version", action="version", version=f"manyshim {__version__}")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    known = {
        "show": (_show, "say which tag each wheel has earned, and what stands before"),
        "check": (_check, "prove that each wheel may carry the tags in its name"),
        "retag": (_retag, "write each wheel under the tag that it has earned"),
        "repair": (_repair, "copy the external libraries into each wheel, then retag it"),
        "policies": (_policies, "list the policies, oldest first"),
    }
    asked = next((word for word in given if not word.startswith("-")), "")
    for name in [asked] if asked in known else known:
        run, summary = known[name]
        command = commands.add_parser(name, help=summary, description=summary)
        command.set_defaults(run=run)
        command.add_argument("--json", action="store_true", help="for machines")
        if run is _policies:
            command.add_argument("--arch", choices=sorted(ARCHES), help="of one architecture")
            continue
        _wheels(command)
        if run in (_retag, _repair):
            _writing(command, needed="--dry-run" not in given)
        if run is _repair:
            _repairing(command)
    return parser


def _wheels(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("wheels", nargs="+", metavar="WHEEL")
    parser.add_argument("--platform", default="auto", metavar="P", help="the policy asked for")
    parser.add_argument(
        "--exclude", action="append", default=[], metavar="GLOB",
        help="a library that the wheel's environment provides",
    )  # fmt: skip
    parser.add_argument(
        "--allow", action="append", default=[], metavar="KIND:GLOB", help="an accepted error"
    )
    parser.add_argument(
        "--naming", choices=("listed", "exact"), default="listed", help="policies to choose from"
    )
    parser.add_argument("--strict", action="store_true", help="take likely crashes for errors")
    parser.add_argument("--jobs", type=int, default=0, metavar="N", help="processes at once")
    parser.add_argument("-v", "--verbose", action="store_true", help="say what is mere information")


def _writing(parser: argparse.ArgumentParser, *, needed: bool) -> None:
    parser.add_argument("-w", "--wheel-dir", metavar="DIR", required=needed, help="where to write")
    parser.add_argument(
        "--fix", action="append", default=[], metavar="NAME",
        help="mend ELF files: execstack, rpath, musl-soname",
    )  # fmt: skip
    parser.add_argument(
        "--strip", choices=("none", "debug", "all"), default="none", help="strip the ELF files"
    )
    parser.add_argument(
        "--compression-level", default="6", metavar="0-9", help="for the members that change"
    )


def _repairing(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--bundle", action="append", metavar="GLOB", help="a library that may be copied; all may"
    )
    parser.add_argument(
        "--library-path", action="append", default=[], metavar="DIR",
        help="where libraries are searched first",
    )  # fmt: skip
    parser.add_argument("--sysroot", metavar="DIR", help="the target's system, not this one")
    parser.add_argument("--no-sbom", action="store_true", help="write no SBOM of what was copied")
    parser.add_argument("--dry-run", action="store_true", help="print the plan, and write nothing")


def _config(options: argparse.Namespace) -> Config:
    return Config(
        platform=_parsed("platform", options.platform),
        exclude=_parsed("exclude", options.exclude),
        allow=_parsed("allow", options.allow),
        strict=options.strict,
        naming=options.naming,
        epoch=epoch(os.environ),
    )


def _parsed(key: str, value: object) -> Any:  # noqa: ANN401 (what the option holds)
    option = BY_KEY[key]
    return option.parse(option, value)


def _show(options: argparse.Namespace) -> int:
    request = _config(options).request
    return _over(options, partial(pipeline.show, request=request, verbose=options.verbose))


def _check(options: argparse.Namespace) -> int:
    request = _config(options).request
    return _over(options, partial(pipeline.check, request=request, verbose=options.verbose))


def _retag(options: argparse.Namespace) -> int:
    config = _written(options)
    work = partial(pipeline.retag, folder=options.wheel_dir, config=config, verbose=options.verbose)
    return _over(options, work)


def _repair(options: argparse.Namespace) -> int:
    bundle = ("*",) if options.bundle is None else _parsed("bundle", options.bundle)
    config = _written(options)._replace(
        mode="repair",
        bundle=bundle,
        library_path=_parsed("library-path", options.library_path),
        sysroot=options.sysroot,
        sbom=not options.no_sbom,
    )
    work = partial(
        pipeline.retag,
        folder=options.wheel_dir,
        config=config,
        dry_run=options.dry_run,
        verbose=options.verbose,
    )
    return _over(options, work)


def _written(options: argparse.Namespace) -> Config:
    return _config(options)._replace(
        fix=_parsed("fix", options.fix),
        strip=options.strip,
        compression_level=_parsed("compression-level", options.compression_level),
    )


def _over(options: argparse.Namespace, work: Callable[[str], Outcome]) -> int:
    """Do the work on each wheel, and say each outcome in the order that was given."""
    wheels: List[str] = options.wheels
    screen = terminal.Screen(plain=options.json)
    code, data = 0, []
    for outcome in screen.progress(
        _outcomes(partial(_guarded, work), wheels, options.jobs), wheels
    ):
        code = max(code, outcome.code)
        data.append(outcome.data)
        if not options.json:
            screen.say(outcome.lines)
        elif outcome.data["error"]:
            print(f"manyshim: error: {outcome.data['error']}", file=sys.stderr)
    if options.json:
        _print_json({"version": 1, "wheels": data})
    return code


def _guarded(work: Callable[[str], Outcome], wheel: str) -> Outcome:
    """Keep the error of one wheel from ending the work on the others."""
    try:
        return work(wheel)
    except ManyshimError as error:
        line = Line(f"manyshim: error: {error}", "failure")
        return Outcome(error.exit_code, [line], failure(os.path.basename(wheel), str(error)))


def _outcomes(work: Callable[[str], Outcome], wheels: List[str], jobs: int) -> Iterator[Outcome]:
    size = sum(os.path.getsize(wheel) for wheel in wheels if os.path.isfile(wheel))
    jobs = min(jobs or os.cpu_count() or 1, len(wheels))
    if jobs < 2 or size < _WORTH_A_PROCESS:
        yield from map(work, wheels)
        return
    from concurrent.futures import ProcessPoolExecutor  # noqa: PLC0415 (one wheel needs none)

    with ProcessPoolExecutor(jobs) as pool:
        yield from pool.map(work, wheels)


def _policies(options: argparse.Namespace) -> int:
    rows = [
        (str(rung.without_arch), " ".join(rung.aliases), arch)
        for arch in ([options.arch] if options.arch else sorted(ARCHES))
        for libc in (GLIBC, MUSL)
        for rung in ladder(libc, arch).rungs
    ]
    if options.json:
        listed = [
            {"policy": name, "aliases": alias.split(), "arch": arch} for name, alias, arch in rows
        ]
        _print_json({"version": 1, "policies": listed})
    else:
        terminal.Screen().table(("policy", "alias", "architecture"), rows)
    return 0


def _print_json(data: Dict[str, Any]) -> None:
    import json  # noqa: PLC0415 (only here)

    print(json.dumps(data, indent=1))
