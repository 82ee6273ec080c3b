"""Geometric operators of a cell, and the Bloch-Torrey operators of a material in it.

On the unit cell, for functions u, v that are periodic and may jump across membranes::

    K     int D grad u . grad v                              symmetric
    C_j   int D e_j . grad u v - int D u e_j . grad v        antisymmetric
    N_jl  int D_jl u v                                       symmetric
    M     int u v                                            mass
    J     sum_i w_i int_{Gamma_i} [u][v]                     [u] = outside minus inside
    R     int u v / T2                                       relaxation; u v / T1 while stored
    T     sum_i rho_i int_{Gamma_i} u v                      on both sides: membranes that relax

    M du/dt = -A(g) u,    u(0) = rho
    A(g) = K/L^2 + (i/L) sum_j g_j C_j + sum_jl g_j g_l N_jl + (kappa/L) J + R + T/L

(KL23 (5.1), CHL14 (3.25), KHM19 (18) and MMG20 (11) after U = M exp(+i g.x).) Of gradients in space
j and l run over three axes whatever the dimension d of the cell: grad has d components, and C_z is
zero unless D couples the cell to its axis z. A(g) is Hermitian and positive semi-definite for every
g. All matrices share one sparsity pattern, so that A(g) is a sum of arrays; and each entry knows
its region, so that a diffusivity or 1/T2 is a factor on entries. A surface that relaxes
magnetisation is a membrane with nothing behind it: [u] = u there, and its relaxivity stands in the
place of kappa (MMG20 (2)). So it does where no membrane lets water through: J is the form of T then
(`Material.walls`). Degrees of freedom are numbered by nested dissection: factorise in
natural order.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import csc_array

from torrey.base.errors import InputError
from torrey.cell.cell_operators import Array as Array
from torrey.cell.cell_operators import CellOperators as CellOperators
from torrey.cell.corners import has_corners
from torrey.cell.factors import PinnedFactor
from torrey.cell.material import NO_CELL_PROBLEM, Material
from torrey.geometry.membranes import NOTHING

#: Relative to the largest diffusivity: nothing moves along an axis below it.
_ROUNDING: Final = 1e-9


@dataclass(frozen=True)
class BlochTorrey:
    """The operators of one material in one cell: everything but period, permeability, gradient.

    Attributes
    ----------
    cell : CellOperators
    diffusivity : (n_regions, c, c) float, um^2/ms
        Of c axes: d, or three for gradients in space. A mean where it is radial.
    axes_of_motion : (n_regions,) int
        Number of axes within the cell along which water moves.
    K : (nnz,) float, um^2/ms
    B : (c, nnz) float, um^2/ms
        int D e_j . grad u v; C_j = B_j - B_j^T.
    C : (c, nnz) float, um^2/ms
    N : (c, c, nnz) float, um^2/ms
    M, J : (nnz,) float
        Membranes are weighted in J by the factors of the material.
    R : (nnz,) float, 1/ms
        Zero without relaxation.
    rho : (n_dofs,) float
        Initial density at the nodes; 1 if all compartments have the same.
    R_stored : (nnz,) float, optional, 1/ms
        What stands in the place of R while magnetisation is stored; None if T1 is not given.
    T : (nnz,) float, optional, um/ms
        None where no membrane relaxes magnetisation beside letting water through.

    Entries are on the common pattern; lengths in units of the cell.
    """

    cell: CellOperators
    diffusivity: Array
    axes_of_motion: NDArray[np.int64]
    K: Array
    B: Array
    C: Array
    N: Array
    M: Array
    J: Array
    R: Array
    rho: Array
    R_stored: Array | None = None
    T: Array | None = None

    @property
    def n_axes(self) -> int:
        """Number of axes c of the gradients: that of the cell's dimensions, or three."""
        return len(self.C)

    @property
    def inner_diffusivity(self) -> Array:
        """The diffusivity within the dimensions of the cell, shape (n_regions, d, d)."""
        d = self.cell.dimension
        return self.diffusivity[:, :d, :d]

    @cached_property
    def has_corners(self) -> bool:
        """Whether water turns around corners, where fields are singular: see `corners`."""
        return has_corners(self.cell)

    @cached_property
    def axial(self) -> Array:
        """Diffusivity out of the cell that all regions share, shape (c, c), in um^2/ms.

        A(g) - g.axial g M is positive semi-definite as A(g) is: what the common part makes of a
        signal is one exact factor.
        """
        d, common = self.cell.dimension, np.zeros((self.n_axes,) * 2)
        if self.n_axes > d:
            inner, mixed = self.inner_diffusivity, self.diffusivity[:, :d, d:]
            # A semi-definite D couples no axis to one along which nothing moves.
            across = np.linalg.pinv(inner, rcond=1e-9, hermitian=True) @ mixed
            out = self.diffusivity[:, d:, d:] - mixed.swapaxes(1, 2) @ across
            least = float(np.linalg.eigvalsh(out).min())
            largest = float(np.abs(self.diffusivity).max(initial=0.0))
            if least > _ROUNDING * largest:
                common[d:, d:] = least * np.eye(self.n_axes - d)
        return common

    @cached_property
    def bare(self) -> BlochTorrey:
        """The same without `axial`."""
        if not self.axial.any():
            return self
        return replace(self, N=self.N - self.axial[:, :, None] * self.M)

    @cached_property
    def mass_matrix(self) -> csc_array:
        """M as a sparse matrix."""
        return self.cell.matrix(self.M)

    def conserves(self, permeability: float) -> bool:
        """Whether magnetisation is lost to gradients alone.

        It is not where there is relaxation, or surfaces take it, whose relaxivity stands in the
        place of the permeability.
        """
        relaxes = any(X is not None and X.any() for X in (self.R, self.R_stored, self.T))
        # What a membrane lets through stays: the jump of a constant is zero.
        lost = self.cell.matrix(self.J) @ np.ones(self.cell.n_dofs)
        surfaces = bool(np.abs(lost).max() > _ROUNDING * np.abs(self.J).max(initial=0.0))
        return not (relaxes or (surfaces and permeability > 0.0))

    @property
    def stored(self) -> BlochTorrey | None:
        """The operators of stored magnetisation; None where they are the same, or not known."""
        if self.R_stored is None or np.array_equal(self.R, self.R_stored):
            return None
        return replace(self, R=self.R_stored)

    @cached_property
    def immobile(self) -> NDArray[np.bool_]:
        """Compartments in which nothing diffuses within the cell, shape (n_compartments,)."""
        moves = np.zeros(self.cell.n_compartments, dtype=bool)
        moves[self.cell.region_compartment[self.axes_of_motion > 0]] = True
        return ~moves

    @cached_property
    def stiffness_factor(self) -> PinnedFactor:
        """K factorised with one pinned degree of freedom per compartment.

        Raises
        ------
        InputError
            If water moves along some axes of the cell alone: K has a kernel beyond the indicators,
            and the cell problems have no unique solution.
        """
        moving = self.axes_of_motion
        if np.any((moving > 0) & (moving < self.cell.dimension)):
            raise InputError(*NO_CELL_PROBLEM)
        cell = self.cell
        return PinnedFactor.of(
            cell.matrix(self.K), self.mass_matrix, cell.compartment, self.immobile
        )

    def along(self, frame: ArrayLike) -> Along:
        """C and N for gradients along some axes.

        Parameters
        ----------
        frame : (d,) or (k, d), or (c,) or (k, c) array_like
            One direction, or the orthogonal axes of a waveform's components; normalised here.

        Raises
        ------
        ValueError
            If there are components along other axes than those of the operators.
        """
        axes = np.atleast_2d(np.asarray(frame, dtype=float))
        if axes.shape[1] not in (self.cell.dimension, self.n_axes):
            raise ValueError(
                f"gradients of {axes.shape[1]} components for operators along {self.n_axes} axes"
            )
        axes = np.pad(axes, ((0, 0), (0, self.n_axes - axes.shape[1])))
        axes = axes / np.linalg.norm(axes, axis=1, keepdims=True)
        return Along(
            C=np.einsum("cj,jz->cz", axes, self.C),
            N=np.einsum("aj,bl,jlz->abz", axes, axes, self.N),
            axial=axes @ self.axial @ axes.T,
        )


@dataclass(frozen=True)
class Along:
    """Operators for gradients along k axes n_a: entries on the common pattern, um^2/ms.

    Attributes
    ----------
    C : (k, nnz) float
        n_a.C.
    N : (k, k, nnz) float
        n_a n_b:N.
    axial : (k, k) float
        The same of `BlochTorrey.axial`.
    """

    C: Array
    N: Array
    axial: Array


def bloch_torrey(cell: CellOperators, material: Material) -> BlochTorrey:
    """Operators of a material in a cell.

    Parameters
    ----------
    cell : CellOperators
    material : Material
        Of as many regions as the cell has and, if it has factors for membranes, membranes.

    Raises
    ------
    ValueError
        If the numbers of regions or membranes differ, the density does within a compartment, or
        water is immobile in a part of a compartment.
    """
    D, stored_rates = material.tensors(cell.dimension), material.stored_relaxation
    if len(D) != cell.n_regions:
        raise ValueError(f"{len(D)} diffusivities for a cell with {cell.n_regions} regions")
    for noun, values in (("factors", material.membranes), ("relaxivities", material.relaxivity)):
        if len(values) not in (0, cell.n_membranes):
            raise ValueError(
                f"{len(values)} membrane {noun} for a cell with {cell.n_membranes} membranes"
            )
    still = _immobile(cell, material)
    transposed = _transposition(cell)
    # A gradient of a field has components along the axes of the cell alone.
    d = cell.dimension
    base, excess = D.copy(), material.excess
    base[:, :d, :d] -= excess[:, None, None] / d * np.eye(d)
    B = cell.weigh("advection", base[:, :, :d]).sum(axis=1)
    K = cell.weigh("stiffness", base[:, :d, :d]).sum(axis=(0, 1))
    N = cell.weigh("mass", base)
    if excess.any():
        _add_radial(cell, excess, K, B, N)
    return BlochTorrey(
        cell=cell,
        diffusivity=D,
        axes_of_motion=material.axes_of_motion(d),
        K=K,
        B=B,
        C=B - B[:, transposed],
        N=N,
        M=cell.mass,
        J=_passing(cell, material, still),
        R=cell.weigh("mass", material.relaxation),
        rho=_density(cell, material)[cell.compartment],
        R_stored=None if stored_rates is None else cell.weigh("mass", stored_rates),
        T=cell.trace(material.relaxivity) if any(material.relaxivity) else None,
    )


def _add_radial(cell: CellOperators, excess: Array, K: Array, B: Array, N: Array) -> None:
    """Add what diffusivities are more along the radius, in place; see `torrey.cell.radial`."""
    position, d = cell.radial_position, cell.dimension
    stiffness, advection, mass = cell.radial_stiffness, cell.radial_advection, cell.radial_mass
    if position is None or stiffness is None or advection is None or mass is None:
        raise ValueError("a radial diffusivity in a cell without rings or shells")
    factor = excess[cell.region[position]]
    K[position] += factor * stiffness
    B[:d, position] += factor * advection
    N[:d, :d, position] += factor * mass


def _immobile(cell: CellOperators, material: Material) -> NDArray[np.bool_]:
    """Compartments whose water is immobile within the cell, shape (n_compartments,)."""
    still = material.axes_of_motion(cell.dimension) == 0
    result = np.zeros(cell.n_compartments, dtype=bool)
    result[cell.region_compartment[still]] = True
    if np.any(result[cell.region_compartment] != still):
        raise ValueError("a compartment holds immobile water beside other water")
    return result


def _passing(cell: CellOperators, material: Material, still: NDArray[np.bool_]) -> Array:
    """J: what kappa multiplies, which is a relaxivity where membranes are walls."""
    weights = np.array(material.membranes or np.ones(cell.n_membranes), dtype=float)
    sides = cell.membranes.reshape(-1, 2)
    # Nothing passes to immobile water, nor from it.
    weights[np.any(still[sides] & (sides != NOTHING), axis=1)] = 0.0
    if material.walls:
        return cell.trace(weights)
    surfaces = sides[:, 1] == NOTHING
    if not surfaces.all():
        weights[surfaces] = 0.0  # kappa is that of the other membranes
    return cell.jump(weights)


def _density(cell: CellOperators, material: Material) -> Array:
    """Initial density of each compartment."""
    if material.is_uniform:
        # Equal densities other than 1 would only scale what a normalised signal divides by.
        return np.ones(cell.n_compartments)
    density = np.empty(cell.n_compartments)
    density[cell.region_compartment] = material.densities
    if np.any(density[cell.region_compartment] != material.densities):
        raise ValueError("regions of one compartment have different initial densities")
    return density


def _transposition(cell: CellOperators) -> NDArray[np.int64]:
    """Position of the entry (j, i) for each entry (i, j) of the symmetric pattern."""
    # Row by row the entries come in the order of those of the transposed matrix column by column.
    return np.asarray(cell.matrix(np.arange(len(cell.indices))).tocsr().data)
