"""Cells that several tests share; meshes and operators are made once per session."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, partial

import numpy as np

from torrey.base.lazy import Lazy
from torrey.cell.assembly import assemble
from torrey.cell.material import Material
from torrey.cell.operators import BlochTorrey, bloch_torrey
from torrey.cell.system import AffineSystem
from torrey.geometry import Disc, Discs, Layers, MeshOptions, Shape
from torrey.geometry.mesh import CellMesh
from torrey.geometry.meshing import build_meshes
from torrey.gradients.waveforms import Pgse
from torrey.reference.full import mesh_signal

#: Diffusivities of most cells, um^2/ms: outside and inside.
D_E, D_C = 3.0, 1.7


@dataclass(frozen=True)
class Cell:
    """A shape, the diffusivity of each compartment (um^2/ms) and the coarsest mesh size."""

    shape: Shape
    diffusivity: tuple[float, ...]
    size: float = 0.2

    def operators(self, level: int) -> BlochTorrey:
        """Operators on the mesh that was refined ``level`` times."""
        return _operators(self, level)

    def levels(self, count: int) -> Lazy[BlochTorrey]:
        """What `reference_signal` takes: operators by mesh."""
        return Lazy.of(partial(_operators, self), count)

    def mesh(self, level: int) -> CellMesh:
        """The mesh that was refined ``level`` times."""
        return _meshes(self.shape, self.size, level)[level]

    def system(
        self, level: int, period: float, permeability: float, direction: tuple[float, ...]
    ) -> AffineSystem:
        """Operators scaled to a period (um) and a permeability (um/ms)."""
        return AffineSystem.at(self.operators(level), period, permeability, direction)


def discs(*cells: tuple[float, float, float], size: float = 0.2) -> Cell:
    """Discs (x, y, radius) of D_C in a background of D_E."""
    shape = Discs(tuple(Disc((x, y), radius) for x, y, radius in cells))
    return Cell(shape, (D_E,) + (D_C,) * len(cells), size)


def layers(
    thicknesses: tuple[float, ...],
    diffusivity: tuple[float, ...],
    dimension: int = 1,
    size: float = 0.2,
) -> Cell:
    """Layers with a membrane at each change."""
    return Cell(Layers(thicknesses, dimension), diffusivity, size)


DISC = discs((0.5, 0.5, 0.2))
LARGE_DISC = discs((0.5, 0.5, 0.4))
#: The cell of several discs in the configuration that comes with the project.
FOUR_DISCS = discs((0.28, 0.30, 0.24), (0.75, 0.28, 0.18), (0.72, 0.72, 0.21), (0.25, 0.78, 0.14))
#: Two discs and no centre of symmetry; the second one reaches across the boundary.
ASYMMETRIC = Cell(Discs((Disc((0.27, 0.4), 0.15), Disc((0.75, 0.93), 0.2))), (D_E, D_C, 1.1))


def pgse_signal(
    cell: Cell,
    level: int,
    *,
    period: float,
    permeability: float,
    b: float,
    waveform: Pgse,
    direction: tuple[float, ...],
    steps: int,
) -> complex:
    """Signal on one mesh with a given number of steps per ramp."""
    system = cell.system(level, period, permeability, direction)
    return mesh_signal(system, waveform, waveform.q_of_b(b), steps)


def membrane_sides(shape: Shape) -> np.ndarray:
    """Compartments outside and inside of each membrane, shape (n_membranes, 2)."""
    sides = [(m.outside, m.inside) for m in shape.membranes()]
    return np.array(sides, dtype=np.int64).reshape(-1, 2)


@cache
def _meshes(shape: Shape, size: float, refinements: int) -> tuple[CellMesh, ...]:
    return build_meshes(shape, MeshOptions(size, refinements))


@cache
def _operators(cell: Cell, level: int) -> BlochTorrey:
    geometry = assemble(cell.mesh(level), membrane_sides(cell.shape))
    return bloch_torrey(geometry, Material(cell.diffusivity))
