"""The problems of each kind of the gate, from the rows beside their rules.

Those of macOS and Windows are here, too.
"""

from __future__ import annotations

from typing import Tuple, Type

from manyshim.audit.findings import Problem
from manyshim.audit.gate.addresses import AddressProblem
from manyshim.audit.gate.completeness import SetProblem
from manyshim.audit.gate.entrypoints import EntryPointProblem
from manyshim.audit.gate.fields import FieldProblem
from manyshim.audit.gate.framing import FramingProblem
from manyshim.audit.gate.index import IndexProblem, RequestProblem
from manyshim.audit.gate.indextags import IndexTagProblem, UnusableTagProblem
from manyshim.audit.gate.metadata import MetadataProblem
from manyshim.audit.gate.names import NameProblem
from manyshim.audit.gate.paths import PathProblem
from manyshim.audit.gate.platforms import PlatformProblem
from manyshim.audit.gate.record import RecordProblem
from manyshim.audit.gate.sdist import SdistProblem
from manyshim.audit.gate.wheelfile import WheelFileProblem
from manyshim.audit.macos.libraries import LibraryProblem
from manyshim.audit.macos.slices import SliceProblem
from manyshim.audit.macos.versions import VersionProblem
from manyshim.audit.native import NativeProblem
from manyshim.audit.windows.libraries import DllProblem
from manyshim.audit.windows.modules import PythonProblem

_GROUPS: Tuple[Type[Problem], ...] = (
    NameProblem,
    IndexProblem,
    RequestProblem,
    IndexTagProblem,
    UnusableTagProblem,
    MetadataProblem,
    FieldProblem,
    AddressProblem,
    EntryPointProblem,
    FramingProblem,
    PathProblem,
    WheelFileProblem,
    RecordProblem,
    PlatformProblem,
    SdistProblem,
    SetProblem,
    VersionProblem,
    SliceProblem,
    LibraryProblem,
    DllProblem,
    PythonProblem,
    NativeProblem,
)


def problems(kind: str) -> Tuple[Problem, ...]:
    """Return the problems of a kind, in the order of their rows; empty for a kind of the audit."""
    return tuple(one for group in _GROUPS for one in group if one.value.kind == kind)
