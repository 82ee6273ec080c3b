"""Runs of spectra: Bloch-Torrey eigenvalues against the gradient, and eigenmodes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from torrey.base.progress import Progress, each, untold
from torrey.base.stored import nested, stored
from torrey.bloch.branches import follow, is_pair
from torrey.bloch.eigenmodes import eigenmode
from torrey.bloch.fields import DrawnMesh, Scales, dof_of_node
from torrey.bloch.spectrum import Solver, Spectrum, bands, solver
from torrey.cell.operators import BlochTorrey
from torrey.geometry.mesh import CellMesh

Array = NDArray[np.float64]
ComplexArray = NDArray[np.complex128]

#: Bands of the basis per branch that is followed.
_BANDS_PER_BRANCH = 5
_FEWEST_BANDS = 60
_SHOWN_BANDS = 2
#: How far from half a step an imaginary part may be, in steps, to be that of a mode between cells.
_BETWEEN = 5e-4

_AT = ("branch", "gradient")
_MODE = ("gradient", "mode")


@dataclass(frozen=True)
class SpectrumRun:
    """Branches of the spectrum against the gradient, their meeting points, bands and floor."""

    gradient: Array = field(metadata=stored(("gradient",), "rad um-1 ms-1", "gradient G"))
    eigenvalue: ComplexArray = field(
        metadata=stored(
            _AT,
            "ms-1",
            (
                "eigenvalue mu, real part",
                "eigenvalue mu, smallest imaginary part modulo imaginary_step",
            ),
            dtype=complex,
            allow_missing=True,
        )
    )
    imaginary_step: Array = field(
        metadata=stored(("gradient",), "ms-1", "step of the imaginary part, one per cell")
    )
    floor: Array = field(
        metadata=stored(("gradient",), "ms-1", "real part above which rounding hides eigenvalues")
    )
    branching_gradient: Array = field(
        metadata=stored(
            ("branching_point",), "rad um-1 ms-1", "gradient at which two branches coalesce"
        )
    )
    branching_eigenvalue: ComplexArray = field(
        metadata=stored(("branching_point",), "ms-1", "eigenvalue there", dtype=complex)
    )
    branching_pair: NDArray[np.int64] = field(
        metadata=stored(
            ("branching_point", "two"),
            "1",
            "branches that coalesce, counted from 0",
            dtype=np.int32,
        )
    )
    wave_number: Array = field(
        metadata=stored(
            ("wave_number",), "1", "wave number p of the bands in turns, along the gradient"
        )
    )
    band: Array = field(
        metadata=stored(("wave_number", "band"), "ms-1", "eigenvalues of the Laplacian, G = 0")
    )
    band_mean: Array = field(metadata=stored(("band",), "ms-1", "mean of the band over p"))
    scales: Scales = field(metadata=nested())


@dataclass(frozen=True)
class ModesRun:
    """First eigenmodes at some gradients, on the nodes of a mesh and of its neighbour cells."""

    gradient: Array = field(
        metadata=stored(("gradient",), "rad um-1 ms-1", "gradient G", dtype=float)
    )
    mode: ComplexArray = field(
        metadata=stored((*_MODE, "cell", "node"), "um-1", "eigenmode", dtype=complex)
    )
    eigenvalue: ComplexArray = field(metadata=stored(_MODE, "ms-1", "eigenvalue mu", dtype=complex))
    shift: NDArray[np.int64] = field(
        metadata=stored(("cell", "axis"), "1", "place of the cell, in periods", dtype=np.int32)
    )
    mesh: DrawnMesh = field(metadata=nested())
    scales: Scales = field(metadata=nested())


def run_spectrum(
    levels: Sequence[BlochTorrey],
    period: float,
    permeability: float,
    k: tuple[int, ...],
    gradients: ArrayLike,
    count: int,
) -> SpectrumRun:
    """Branches of the spectrum against the gradient, their meeting points, bands and floor.

    Parameters
    ----------
    levels : sequence of BlochTorrey
        Operators on two meshes, the coarser one first.
    period : float, um
    permeability : float, um/ms
    k : tuple of int
        The gradient points along B k, an axis of the cell for (1, 0).
    gradients : array_like, rad/um/ms
    count : int
        Branches to follow, the lowest ones.
    """
    n_bands = max(_FEWEST_BANDS, _BANDS_PER_BRANCH * count)
    tools = solver(levels, period, permeability, k, n_bands)
    found = follow(tools, gradients, count)
    places, rates, means = bands(tools.crossing, max(count, _SHOWN_BANDS))
    points = found.points
    return SpectrumRun(
        gradient=found.gradients,
        eigenvalue=found.eigenvalues,
        imaginary_step=found.steps,
        floor=found.floors,
        branching_gradient=np.array([point.gradient for point in points], dtype=float),
        branching_eigenvalue=np.array([point.eigenvalue for point in points], dtype=complex),
        branching_pair=np.array([point.branches for point in points], dtype=int).reshape(-1, 2),
        wave_number=places,
        band=rates,
        band_mean=means,
        scales=Scales.of(levels[0], period),
    )


def run_modes(
    levels: Sequence[BlochTorrey],
    mesh: CellMesh,
    period: float,
    permeability: float,
    k: tuple[int, ...],
    gradients: Sequence[float],
    count: int,
    reach: int = 1,
    progress: Progress = untold,
) -> ModesRun:
    """First eigenmodes at some gradients, on the nodes of a mesh and of its neighbour cells.

    Parameters
    ----------
    levels, period, permeability, k
        See `run_spectrum`; ``mesh`` belongs to the last level.
    mesh : CellMesh
    gradients : sequence of float, rad/um/ms
    count : int
    reach : int
        Neighbour cells on each side along the gradient.
    progress : Progress
        Is told at how many gradients the modes are known.

    Raises
    ------
    ArithmeticError
        If fewer eigenvalues than that are known at a gradient.
    """
    tools = solver(levels, period, permeability, k, max(_FEWEST_BANDS, _BANDS_PER_BRANCH * count))
    dofs = dof_of_node(mesh, levels[-1].cell)
    shifts = np.multiply.outer(np.arange(-reach, reach + 1), np.sign(k))
    values, eigenvalues = [], []
    for gradient in each(gradients, progress, f"eigenmodes along {k}"):
        found = _lowest(tools, gradient, count)
        modes = [eigenmode(tools.crossing, found, i) for i in range(count)]
        values.append([mode.values(mesh.points, dofs, shifts) for mode in modes])
        eigenvalues.append(found.eigenvalues)
    return ModesRun(
        gradient=np.asarray(gradients, dtype=float),
        mode=np.array(values),
        eigenvalue=np.array(eigenvalues),
        shift=shifts,
        mesh=DrawnMesh.of(mesh),
        scales=Scales.of(levels[0], period),
    )


def _lowest(tools: Solver, gradient: float, count: int) -> Spectrum:
    """The lowest eigenvalues; of a pair of conjugates the one above the axis first.

    That is the mode on the left, v_2 in MMG20 4.5 (ii): Im mu = -G <x> (40). A mode between two
    cells is that on the right, at x = a/2.
    """
    found = tools.confirmed(gradient)
    if len(found.eigenvalues) < count:
        raise ArithmeticError(
            f"{len(found.eigenvalues)} eigenvalues are known at G = {gradient:g} rad/um/ms, "
            f"the floor is at {found.floor:.4g} /ms: found no {count}"
        )
    mu = found.eigenvalues
    order = np.argsort(mu.real, kind="stable")
    for i in range(len(order) - 1):
        # The mesh has no mirror symmetry: which of a pair decays faster is its error.
        first, second = mu[order[i : i + 2]]
        if is_pair(first, second, found.step) and first.imag < second.imag:
            order[i : i + 2] = order[[i + 1, i]]
    between = mu.imag > (0.5 - _BETWEEN) * found.step
    settled = replace(found, eigenvalues=np.where(between, mu - 1j * found.step, mu))
    return settled.select(order[:count])
