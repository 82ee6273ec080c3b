"""Operators of a cell as a NetCDF file, one group per mesh."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

from torrey.base import artifacts
from torrey.base.lazy import Lazy
from torrey.base.provenance import Provenance
from torrey.base.stored import Variable, group_of, object_of
from torrey.cell.material import Material
from torrey.cell.operators import BlochTorrey, CellOperators, bloch_torrey

if TYPE_CHECKING:
    from torrey.cell.assembly import Assembly


def write_operators(
    path: str | Path, levels: Iterable[CellOperators | Assembly], provenance: Provenance
) -> None:
    """Write the operators on each mesh, coarsest first; each is let go before the next is made."""
    # No loop whose variable would hold a mesh's operators while the next are made.
    groups = map(lambda i, cell: (f"level{i}", _group(cell)), count(), levels)
    artifacts.write(path, {}, provenance, groups=groups, compress=False)


def _group(cell: CellOperators | Assembly) -> dict[str, Variable]:
    return group_of(cell) if isinstance(cell, CellOperators) else cell.group()


def read_operators(path: str | Path, level: int) -> CellOperators:
    """Operators on one mesh."""
    return object_of(CellOperators, artifacts.read(path, f"level{level}"))


def lazy_levels(path: str | Path, material: Material) -> Lazy[BlochTorrey]:
    """Bloch-Torrey operators by mesh; each is read when first asked for."""

    def operators(level: int) -> BlochTorrey:
        return bloch_torrey(read_operators(path, level), material)

    return Lazy.of(operators, len(artifacts.groups(path)))
