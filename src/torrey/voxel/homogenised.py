"""A packing as the homogenised models see it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csc_array
from scipy.sparse.linalg import splu

from torrey.base.progress import Progress, untold
from torrey.cell.build import levels
from torrey.cell.material import Material
from torrey.geometry.balls.discs import Disc, Discs
from torrey.geometry.shapes import MeshOptions
from torrey.models.tensors import papers_tensors
from torrey.reference.estimates import space_error
from torrey.voxel.assembly import Properties
from torrey.voxel.blocks import crew
from torrey.voxel.exchange import Homogenised
from torrey.voxel.medium import DiscMedium
from torrey.voxel.multigrid import Multigrid
from torrey.voxel.quadratic import refine
from torrey.voxel.spaces import Spaces, nested_spaces
from torrey.voxel.triangulation import Triangles

Array = NDArray[np.float64]

#: The cell problem is solved as M + c K with a large c (ms), and corrected until D stands still.
_LARGE = 1e4
_CORRECTIONS, _STILL = 20, 1e-8
_TOLERANCE = 1e-3
#: Classes of radii, each with as many discs as the others; of fewer discs some stay empty.
_CLASSES = 16
_CARICATURE = MeshOptions(size=0.06, refinements=1)


def homogenise(
    coarsest: Triangles,
    medium: DiscMedium,
    properties: Properties,
    threads: int = 1,
    progress: Progress = untold,
) -> Homogenised:
    """Homogenise a packing, and the square cell of one disc that has its fraction and surface.

    Parameters
    ----------
    coarsest : Triangles
        Of the medium; D is that of its refinement, and the difference tells the error.
    medium : DiscMedium
    properties : Properties
    threads : int
    progress : Progress
        Is told of each mesh, as it begins and as it is done.
    """
    meshes = (coarsest, refine(coarsest, medium))
    values = []
    for some in (meshes[:1], meshes):
        part = f"cell problem on a mesh with {len(some[-1].vertex):,} elements"
        progress(0.0, part)
        values.append(homogenised_diffusivity(some, medium, properties, threads))
        progress(1.0, part)
    theta, surface = medium.fraction, medium.surface
    fractions, surfaces = _classes(medium)
    radius = 2.0 / surface
    period = radius * float(np.sqrt(np.pi / theta))
    eta = properties.permeability * surface
    return Homogenised(
        fraction=theta,
        surface=surface,
        eta_c=eta,
        eta_e=eta * theta / (1.0 - theta),
        D=values[1],
        D_error=float(space_error(np.array(values, dtype=complex))),
        class_fraction=fractions,
        class_surface=surfaces,
        cell_period=period,
        cell_radius=radius,
        cell_D=_square_cell(radius / period, properties.outside),
    )


def _classes(medium: DiscMedium) -> tuple[Array, Array]:
    """Fraction of the area, and |Gamma|/|Y_c|, of each class of radii; 0 of an empty one."""
    groups = np.array_split(np.sort(medium.radii), _CLASSES)
    areas = np.array([np.sum(r**2) for r in groups])
    lengths = np.array([2.0 * np.sum(r) for r in groups])
    surfaces = np.divide(lengths, areas, out=np.zeros(_CLASSES), where=areas > 0.0)
    return np.pi * areas / medium.side**2, surfaces


def _square_cell(radius: float, outside: float) -> float:
    """Homogenised diffusivity around a disc in the unit cell."""
    cell = levels(Discs((Disc((0.5, 0.5), radius),)), _CARICATURE, Material((outside, outside)))
    return float(papers_tensors(cell[1]).D[0, 0, 0])


def homogenised_diffusivity(
    meshes: Sequence[Triangles], medium: DiscMedium, properties: Properties, threads: int = 1
) -> float:
    """Diffusivity of the room between the discs along the gradient, a mean over it (um^2/ms).

    On the last of some meshes. The least of (1/|Y_e|) int_{Y_e} D |n + grad w|^2 over all periodic
    w, which an inexact w overestimates by the square of its error.
    """
    closed = Properties(properties.outside, properties.inside, 0.0, properties.direction)
    spaces = nested_spaces(meshes, medium, closed)
    fine, outside = spaces.operators[0], ~spaces.inside
    K = fine.pattern.whole(fine.K)
    # C 1 = -int D n.grad(phi): see the conventions in `torrey.cell.operators`.
    load = np.where(outside, fine.pattern.whole(fine.C) @ np.ones(fine.size), 0.0)
    area = float(fine.weights[outside].sum())
    with crew(threads) as workers:
        plain = Multigrid.of(workers, spaces.operators, spaces.interpolations, 0.0)
        plain.form(_LARGE, 0.0)
        solver = Multigrid(workers, plain.levels, plain.up, plain.down, _direct(spaces))
        w = np.zeros(fine.size)
        before = np.inf
        for _ in range(_CORRECTIONS):
            rest = load - K @ w
            scale = float(np.linalg.norm(rest)) or 1.0
            change, _ = solver.solve((_LARGE / scale * rest).astype(np.complex64), 0.0, _TOLERANCE)
            w += scale * change.real
            D = properties.outside + float(w @ (K @ w) - 2 * w @ load) / area
            if abs(before - D) < _STILL * properties.outside:
                break
            before = D
    return D


def _direct(spaces: Spaces) -> Callable[[NDArray[np.complex64]], NDArray[np.complex64]]:
    """Solve M + c K on the coarsest space by a factorisation."""
    coarse = spaces.operators[-1]
    matrix = csc_array(coarse.pattern.whole(coarse.M + _LARGE * coarse.K))
    factor = splu(
        matrix,
        permc_spec="MMD_AT_PLUS_A",
        diag_pivot_thresh=0.0,
        options={"SymmetricMode": True},
    )

    def solve(b: NDArray[np.complex64]) -> NDArray[np.complex64]:
        return np.asarray(factor.solve(b.real.astype(float)), dtype=np.complex64)

    return solve
