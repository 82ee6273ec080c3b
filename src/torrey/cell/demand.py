"""Operators on as many meshes as a tolerance needs: finer ones are made when they are asked for.

The meshes that are kept in files are few. Whoever climbs from mesh to mesh until the error is small
takes the others from here: each is a refinement of the one before, up to the limit of the cell and
to what the memory of this machine holds.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from torrey.base import artifacts
from torrey.base.lazy import Lazy
from torrey.base.memory import factor_bytes, in_gigabytes, memory_bytes
from torrey.cell.files import read_operators
from torrey.cell.material import Material
from torrey.cell.operators import BlochTorrey, CellOperators, bloch_torrey
from torrey.geometry.levels import finer_meshes, lazy_meshes, shape_and_options
from torrey.geometry.mesh import CellMesh
from torrey.geometry.shapes import MeshOptions, Shape

if TYPE_CHECKING:
    # Most jobs assemble nothing.
    from torrey.cell.radii import Slopes

_LOG = logging.getLogger(__name__)


class FinerCells(Lazy[CellOperators]):
    """Geometric operators by mesh, coarsest first: those that are kept, and those made on demand.

    Parameters
    ----------
    kept : sequence of CellOperators
        On the meshes that are kept; may be lazy.
    meshes : sequence of CellMesh
        The same meshes; only the finest is asked for.
    shape : callable
        Returns the shape, once a mesh is refined.
    options : MeshOptions
        Size of the coarsest elements, and how often they may be halved.

    Attributes
    ----------
    meshes : Lazy
        All meshes that may be had, finer ones on demand.
    end : str
        Why there is no finer mesh, and what would help.
    made : list of str
        What was made so far, in words.
    """

    def __init__(
        self,
        kept: Sequence[CellOperators],
        meshes: Sequence[CellMesh],
        shape: Callable[[], Shape],
        options: MeshOptions,
    ) -> None:
        self.n_kept = len(kept)
        self.made: list[str] = []
        self._kept, self._shape, self._options = kept, cache(shape), options
        count, self.end = _count(meshes[-1], self.n_kept, options)
        self.meshes = finer_meshes(meshes, self._shape, count)
        super().__init__([partial(self._cell, level) for level in range(count)])

    def slopes(self, level: int, material: Material) -> tuple[Slopes, ...]:
        """What each radius changes in the operators of a material on one mesh."""
        from torrey.cell.radii import radius_slopes

        return radius_slopes(self.meshes[level], self._shape(), material)

    @property
    def at_hand(self) -> Lazy[CellOperators]:
        """Those that are kept."""
        return self[: self.n_kept]

    def _cell(self, level: int) -> CellOperators:
        if level < self.n_kept:
            return self._kept[level]
        # Loaded by those who need it: most jobs take what is kept.
        from torrey.cell.assembly import assemble

        shape = self._shape()
        pairs = [(m.outside, m.inside) for m in shape.membranes()]
        sides = np.array(pairs, dtype=np.int64).reshape(-1, 2)
        cell = assemble(self.meshes[level], sides, shape.radial_centres())
        said = self._words(level, cell)
        self.made.append(said)
        _LOG.info("%s was made for a tolerance", said)
        return cell

    def describe(self, level: int) -> str:
        """Say how fine one of the meshes is."""
        return self._words(level, self[level])

    def _words(self, level: int, cell: CellOperators) -> str:
        size = self._options.coarsest(cell.dimension) / 2**level
        return f"mesh {level} (elements of size {size:.3g}, {cell.n_dofs:,} unknowns)"


class Levels(Lazy[BlochTorrey]):
    """Operators of a material by mesh, coarsest first, finer ones on demand.

    Parameters
    ----------
    cells : FinerCells
    material : Material

    Attributes
    ----------
    end : str
        See `FinerCells`.
    slopes : Lazy
        What each radius changes, by mesh: see `torrey.cell.radii`.
    """

    def __init__(self, cells: FinerCells, material: Material) -> None:
        self._cells = cells
        count = len(cells)
        self.slopes: Lazy[tuple[Slopes, ...]] = Lazy.of(
            partial(cells.slopes, material=material), count
        )
        super().__init__([partial(self._filled, level, material) for level in range(count)])

    def _filled(self, level: int, material: Material) -> BlochTorrey:
        return bloch_torrey(self._cells[level], material)

    @property
    def at_hand(self) -> Lazy[BlochTorrey]:
        """Those on meshes that are kept."""
        return self[: self._cells.n_kept]

    @property
    def meshes(self) -> Lazy[CellMesh]:
        """Meshes that the operators are on."""
        return self._cells.meshes

    @property
    def end(self) -> str:
        """Why there is no finer mesh, and what would help."""
        return self._cells.end

    def said(self, tolerance: float) -> list[str]:
        """Return what was made for a tolerance, in words."""
        return [f"{made} was made for the tolerance {tolerance:g}" for made in self._cells.made]

    def describe(self, level: int) -> dict[str, str]:
        """Say how fine the finest mesh is that a result needed, as an attribute of its file."""
        return {"finest_mesh": self._cells.describe(level)}


def read_levels(operators: str | Path, mesh: str | Path, material: Material) -> Levels:
    """Operators of the files of a cell, and on finer meshes than those of the files.

    Parameters
    ----------
    operators, mesh : path
        ``operators.nc`` and ``mesh.nc`` of the same cell.
    material : Material
    """
    shape, options = shape_and_options(mesh)
    count = len(artifacts.groups(operators))
    kept = Lazy.of(lambda level: read_operators(operators, level), count)
    return Levels(FinerCells(kept, lazy_meshes(mesh), shape, options), material)


def _count(finest: CellMesh, kept: int, options: MeshOptions) -> tuple[int, str]:
    """Number of meshes that may be had, and why there are no more."""
    d, limit = finest.dimension, options.limit(finest.dimension)
    unknowns, memory = _unknowns(finest), memory_bytes()
    for count in range(kept, limit + 1):
        unknowns *= 2**d
        needed = factor_bytes(d, unknowns)
        if needed > memory:
            return count, (
                f"mesh {count} would have about {unknowns:,} unknowns, whose factors take "
                f"{in_gigabytes(needed)} of memory, and this machine has {in_gigabytes(memory)}. "
                "What helps: a larger tolerance, or a larger machine"
            )
    return max(kept, limit + 1), (
        f"mesh.refinements allows no finer one ({limit}). What helps: a larger mesh.refinements or "
        "tolerance, or a smaller mesh.size"
    )


def _unknowns(mesh: CellMesh) -> int:
    """Degrees of freedom of a mesh, those that the periods make one counted once."""
    nodes: NDArray[np.int64] = np.arange(len(mesh.points))
    return int(np.sum(mesh.periodic == nodes))
