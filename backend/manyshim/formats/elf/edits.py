"""The changes of an ELF file, as values."""

from __future__ import annotations

from typing import Optional, Tuple

from manyshim.audit.facts import ElfFile
from manyshim.values import NamedTuple


class Patch(NamedTuple):
    """What to change in one ELF file; empty fields change nothing.

    `replace_needed` are pairs of an old and a new name. `rpath` becomes the only DT_RPATH; an empty
    text removes RPATH and RUNPATH, None keeps both. `plain_stack` clears the executable bit of
    PT_GNU_STACK.
    """

    replace_needed: Tuple[Tuple[str, str], ...] = ()
    remove_needed: Tuple[str, ...] = ()
    soname: Optional[str] = None
    rpath: Optional[str] = None
    plain_stack: bool = False

    def applied(self, elf: ElfFile) -> ElfFile:
        """Predict the facts of the patched file."""
        new = dict(self.replace_needed)
        kept = (name for name in elf.needed if name not in self.remove_needed)
        rpath = (
            elf.rpath if self.rpath is None else tuple(self.rpath.split(":") if self.rpath else ())
        )
        return elf._replace(
            needed=tuple(new.get(name, name) for name in kept),
            versions_needed=tuple(
                need._replace(library=new.get(need.library, need.library))
                for need in elf.versions_needed
            ),
            soname=self.soname or elf.soname,
            rpath=rpath,
            runpath=elf.runpath if self.rpath is None else (),
            executable_stack=False if self.plain_stack else elf.executable_stack,
        )
