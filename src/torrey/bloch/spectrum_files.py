"""Spectra and eigenmodes of the Bloch-Torrey operator as variables of NetCDF files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from torrey.base.stored import Group, Variable
from torrey.bloch.branches import follow
from torrey.bloch.eigenmodes import eigenmode
from torrey.bloch.fields import dof_of_node
from torrey.bloch.spectrum import Solver, Spectrum, bands, solver, wrap
from torrey.cell.operators import BlochTorrey
from torrey.geometry.mesh import CellMesh

Array = NDArray[np.float64]

#: Bands of the basis per branch that is followed.
_BANDS_PER_BRANCH = 5
_FEWEST_BANDS = 60
_SHOWN_BANDS = 2

_MISSING: Mapping[str, bool] = {"allow_missing": True}


def spectrum_variables(
    levels: Sequence[BlochTorrey],
    period: float,
    permeability: float,
    k: tuple[int, ...],
    gradients: ArrayLike,
    count: int,
) -> Group:
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
    at = ("branch", "gradient")
    points = found.points
    meeting = np.array([point.eigenvalue for point in points], dtype=complex)
    return {
        "gradient": Variable(("gradient",), found.gradients, "rad um-1 ms-1", "gradient G"),
        "eigenvalue_real": Variable(
            at, found.eigenvalues.real, "ms-1", "eigenvalue mu, real part", _MISSING
        ),
        "eigenvalue_imag": Variable(
            at,
            found.eigenvalues.imag,
            "ms-1",
            "eigenvalue mu, smallest imaginary part modulo imaginary_step",
            _MISSING,
        ),
        "imaginary_step": Variable(
            ("gradient",), found.steps, "ms-1", "step of the imaginary part, one per cell"
        ),
        "floor": Variable(
            ("gradient",), found.floors, "ms-1", "real part above which rounding hides eigenvalues"
        ),
        "branching_gradient": Variable(
            ("branching_point",),
            np.array([point.gradient for point in points], dtype=float),
            "rad um-1 ms-1",
            "gradient at which two branches coalesce",
        ),
        "branching_eigenvalue_real": Variable(
            ("branching_point",), meeting.real, "ms-1", "eigenvalue there, real part"
        ),
        "branching_eigenvalue_imag": Variable(
            ("branching_point",), meeting.imag, "ms-1", "eigenvalue there, imaginary part"
        ),
        "branching_pair": Variable(
            ("branching_point", "two"),
            np.array([p.branches for p in points], dtype=np.int32).reshape(-1, 2),
            "1",
            "branches that coalesce, counted from 0",
        ),
        "wave_number": Variable(
            ("wave_number",), places, "1", "wave number p of the bands in turns, along the gradient"
        ),
        "band": Variable(
            ("wave_number", "band"), rates, "ms-1", "eigenvalues of the Laplacian, G = 0"
        ),
        "band_mean": Variable(("band",), means, "ms-1", "mean of the band over p"),
        **scales(levels[0], period),
    }


def modes_variables(
    levels: Sequence[BlochTorrey],
    mesh: CellMesh,
    period: float,
    permeability: float,
    k: tuple[int, ...],
    gradients: Sequence[float],
    count: int,
    reach: int = 1,
) -> Group:
    """First eigenmodes at some gradients, on the nodes of a mesh and of its neighbour cells.

    Parameters
    ----------
    levels, period, permeability, k
        See `spectrum_variables`; ``mesh`` belongs to the last level.
    mesh : CellMesh
    gradients : sequence of float, rad/um/ms
    count : int
    reach : int
        Neighbour cells on each side along the gradient.

    Raises
    ------
    ArithmeticError
        If fewer eigenvalues than that are known at a gradient.
    """
    tools = solver(levels, period, permeability, k, max(_FEWEST_BANDS, _BANDS_PER_BRANCH * count))
    dofs = dof_of_node(mesh, levels[-1].cell)
    shifts = np.multiply.outer(np.arange(-reach, reach + 1), np.sign(k))
    values, eigenvalues = [], []
    for gradient in gradients:
        found = _lowest(tools, gradient, count)
        modes = [eigenmode(tools.crossing, found, i) for i in range(count)]
        values.append([mode.values(mesh.points, dofs, shifts) for mode in modes])
        eigenvalues.append(found.eigenvalues)
    fields, mu = np.array(values), np.array(eigenvalues)
    at, each = ("gradient", "mode", "cell", "node"), ("gradient", "mode")
    return {
        "gradient": Variable(
            ("gradient",), np.asarray(gradients, dtype=float), "rad um-1 ms-1", "gradient G"
        ),
        "mode_real": Variable(at, fields.real, "um-1", "eigenmode, real part"),
        "mode_imag": Variable(at, fields.imag, "um-1", "eigenmode, imaginary part"),
        "eigenvalue_real": Variable(each, mu.real, "ms-1", "eigenvalue mu, real part"),
        "eigenvalue_imag": Variable(each, mu.imag, "ms-1", "eigenvalue mu, imaginary part"),
        "shift": Variable(
            ("cell", "axis"), shifts.astype(np.int32), "1", "place of the cell, in periods"
        ),
        **mesh_variables(mesh),
        **scales(levels[0], period),
    }


def _lowest(tools: Solver, gradient: float, count: int) -> Spectrum:
    """The lowest eigenvalues; of a pair of conjugates the one above the axis first."""
    found = tools.confirmed(gradient)
    if len(found.eigenvalues) < count:
        raise ArithmeticError(
            f"{len(found.eigenvalues)} eigenvalues are known at G = {gradient:g} rad/um/ms, "
            f"the floor is at {found.floor:.4g} /ms: found no {count}"
        )
    mu = found.eigenvalues
    height = np.where(np.abs(wrap(mu - mu.conj(), found.step)) < 1e-6 * np.abs(mu), 0.0, mu.imag)
    order = np.lexsort((-height, np.round(mu.real / mu.real.max(), 9)))
    return found.select(order[:count])


def mesh_variables(mesh: CellMesh) -> Group:
    """Nodes and elements, as far as pictures of fields need them."""
    return {
        "place": Variable(
            ("node", "axis"),
            mesh.points.astype(float),
            "1",
            "place of the node in units of the cell",
        ),
        "element_node": Variable(
            ("element", "element_node"),
            mesh.elements.astype(np.int32),
            "1",
            "nodes of each quadratic element, vertices first",
        ),
        "lattice": Variable(("period", "axis"), mesh.lattice, "1", "periods of the cell, by rows"),
    }


def outside_diffusivity(operators: BlochTorrey) -> float:
    """Mean diffusivity of the first region (um^2/ms): the D of l_g and l_delta."""
    return float(np.trace(operators.diffusivity[0])) / operators.cell.dimension


def scales(operators: BlochTorrey, period: float) -> Group:
    """Scalars that make quantities dimensionless."""
    D = outside_diffusivity(operators)
    return {
        "length": Variable((), period, "um", "period L of the cell"),
        "water": Variable(
            (), float(operators.cell.measures().sum()), "1", "measure of the water in the unit cell"
        ),
        "diffusivity": Variable((), D, "um2 ms-1", "diffusivity of the first compartment"),
    }
