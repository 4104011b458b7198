"""`manyshim policies`: the policies of each architecture, oldest first."""

from __future__ import annotations

from types import SimpleNamespace

from manyshim.audit.policy import policies_of
from manyshim.audit.tags import ARCHES, GLIBC, MUSL
from manyshim.cli.formats import print_json
from manyshim.cli.screen import Screen
from manyshim.formatters.json import JSON_VERSION


def run(options: SimpleNamespace) -> int:
    """List the policies; return the exit code."""
    rows = [
        (str(policy.without_arch), " ".join(policy.aliases), arch)
        for arch in ([options.arch] if options.arch else sorted(ARCHES))
        for libc in (GLIBC, MUSL)
        for policy in policies_of(libc, arch).listed
    ]
    if options.json:
        listed = [
            {"policy": name, "aliases": alias.split(), "arch": arch} for name, alias, arch in rows
        ]
        print_json({"version": JSON_VERSION, "policies": listed})
    else:
        Screen().table(("policy", "alias", "architecture"), rows)
    return 0
