"""Geometric operators of a cell, and the Bloch-Torrey operators of a material in it.

On the unit cell, for functions u, v that are periodic and may jump across membranes::

    K     int D grad u . grad v                              symmetric
    C_j   int D e_j . grad u v - int D u e_j . grad v        antisymmetric
    N_jl  int D_jl u v                                       symmetric
    M     int u v                                            mass
    J     sum_i w_i int_{Gamma_i} [u][v]                     [u] = outside minus inside
    R     int u v / T2                                       relaxation; u v / T1 while stored

    M du/dt = -A(g) u,    u(0) = rho
    A(g) = K/L^2 + (i/L) sum_j g_j C_j + sum_jl g_j g_l N_jl + (kappa/L) J + R

(KL23 (5.1), CHL14 (3.25), KHM19 (18) and MMG20 (11) after U = M exp(+i g.x).) Of gradients in space
j and l run over three axes whatever the dimension d of the cell: grad has d components, and C_z is
zero unless D couples the cell to its axis z. A(g) is Hermitian and positive semi-definite for every
g. All matrices share one sparsity pattern, so that A(g) is a sum of arrays; and each entry knows
its region, so that a diffusivity or 1/T2 is a factor on entries. A surface that relaxes
magnetisation is a membrane with nothing behind it: [u] = u there, and its relaxivity stands in the
place of kappa (MMG20 (2)). Degrees of freedom are numbered by nested dissection: factorise in
natural order.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import csc_array

from torrey.base.stored import stored
from torrey.cell.factors import PinnedFactor
from torrey.cell.material import Material
from torrey.geometry.membranes import NOTHING

Array = NDArray[np.float64]


@dataclass(frozen=True)
class CellOperators:
    """Geometry of one cell on one mesh, for unit diffusivity; entries are [row of v, column of u].

    An entry belongs to the region in which its integral runs. Where regions share nodes, an entry
    between them has a share in each: `region` is one of them, and the others' shares stand apart.

    Attributes
    ----------
    compartment : (n,) int
    region_compartment : (n_regions,) int
    membranes : (n_membranes, 2) int
        `NOTHING` inside where the membrane is the surface of an obstacle.
    indptr, indices : int
        The common pattern, compressed by columns, rows sorted.
    region : (nnz,) int
    mass : (nnz,) float
    advection : (d, nnz) float
    stiffness : (d, d, nnz) float
    shared_position, shared_region : (n_shared,) int
    shared_mass, shared_advection, shared_stiffness : (..., n_shared) float
    jump_position, jump_membrane, jump_value : (n_jump,)
        [u] is u on the surface of an obstacle.
    places : (n, d) float
        One of the periodic images of each.
    lattice : (d, d) float
        The unit vectors for a square or cubic cell.
    """

    compartment: NDArray[np.int64] = field(
        metadata=stored(("dof",), "1", "compartment of the degree of freedom")
    )
    region_compartment: NDArray[np.int64] = field(
        metadata=stored(("region",), "1", "compartment of the region")
    )
    membranes: NDArray[np.int64] = field(
        metadata=stored(("membrane", "side"), "1", "compartments outside and inside, -1 for none")
    )
    indptr: NDArray[np.int64] = field(
        metadata=stored(("column_end",), "1", "column pointers of the pattern")
    )
    indices: NDArray[np.int64] = field(
        metadata=stored(("entry",), "1", "rows of the entries of the pattern")
    )
    region: NDArray[np.int64] = field(
        metadata=stored(("entry",), "1", "region of the entry, the first if several")
    )
    mass: Array = field(metadata=stored(("entry",), "1", "int u v"))
    advection: Array = field(metadata=stored(("axis", "entry"), "1", "int d_j u v"))
    stiffness: Array = field(
        metadata=stored(("axis", "axis_of_u", "entry"), "1", "int d_l u d_j v at [j, l]")
    )
    shared_position: NDArray[np.int64] = field(
        metadata=stored(("shared",), "1", "position of an entry with a share elsewhere")
    )
    shared_region: NDArray[np.int64] = field(
        metadata=stored(("shared",), "1", "region of that share")
    )
    shared_mass: Array = field(metadata=stored(("shared",), "1", "share of int u v"))
    shared_advection: Array = field(
        metadata=stored(("axis", "shared"), "1", "share of int d_j u v")
    )
    shared_stiffness: Array = field(
        metadata=stored(("axis", "axis_of_u", "shared"), "1", "share of int d_l u d_j v at [j, l]")
    )
    jump_position: NDArray[np.int64] = field(
        metadata=stored(("jump",), "1", "position of a jump entry in the pattern")
    )
    jump_membrane: NDArray[np.int64] = field(
        metadata=stored(("jump",), "1", "membrane of a jump entry")
    )
    jump_value: Array = field(metadata=stored(("jump",), "1", "int_{Gamma_i} [u][v]"))
    places: Array = field(
        metadata=stored(("dof", "axis"), "1", "place of the degree of freedom in units of the cell")
    )
    lattice: Array = field(metadata=stored(("period", "axis"), "1", "periods of the cell, by rows"))

    @property
    def dimension(self) -> int:
        """Number of space dimensions d."""
        return len(self.advection)

    @property
    def n_dofs(self) -> int:
        """Number of degrees of freedom."""
        return len(self.compartment)

    @property
    def n_compartments(self) -> int:
        """Number of compartments."""
        return int(self.compartment.max()) + 1

    @property
    def n_regions(self) -> int:
        """Number of regions: one per compartment, unless materials differ within one."""
        return len(self.region_compartment)

    @property
    def n_membranes(self) -> int:
        """Number of membranes."""
        return len(self.membranes)

    @cached_property
    def indicators(self) -> Array:
        """Indicator function of each compartment, shape (n, n_compartments)."""
        return np.eye(self.n_compartments)[self.compartment]

    @cached_property
    def incidence(self) -> Array:
        """Jump [1_a] on each membrane, shape (n_membranes, n_compartments).

        +1 for the compartment outside, -1 for the one inside; 0 for a membrane within one
        compartment.
        """
        # The row for NOTHING is the last.
        eye = np.eye(self.n_compartments + 1, self.n_compartments)
        sides = self.membranes.reshape(-1, 2)
        return eye[sides[:, 0]] - eye[sides[:, 1]]

    def matrix(self, data: NDArray) -> csc_array:
        """Sparse matrix with this pattern and the given entries."""
        n = self.n_dofs
        return csc_array((data, self.indices, self.indptr), shape=(n, n))

    def weigh(self, name: Literal["mass", "advection", "stiffness"], weights: Array) -> Array:
        """Entries of a form whose integrand has a factor in each region.

        Parameters
        ----------
        name : str
            ``mass`` (), ``advection`` (d,) or ``stiffness`` (d, d).
        weights : (n_regions, ...) float
            Multiplied with the form entry by entry, their axes aligned from the last on.

        Returns
        -------
        (..., nnz) float
        """
        whole, shared = getattr(self, name), getattr(self, f"shared_{name}")
        factor = np.moveaxis(weights, 0, -1)
        entries: Array = factor[..., self.region] * whole
        other = factor[..., self.shared_region] - factor[..., self.region[self.shared_position]]
        # A position may have shares in several regions.
        np.add.at(
            np.moveaxis(entries, -1, 0), self.shared_position, np.moveaxis(other * shared, -1, 0)
        )
        return entries

    def jump(self, weights: ArrayLike) -> Array:
        """Entries of sum_i w_i int_{Gamma_i} [u][v]; weights of shape (n_membranes,)."""
        factor = np.asarray(weights, dtype=float)[self.jump_membrane]
        entries: Array = np.zeros(len(self.indices))
        np.add.at(entries, self.jump_position, factor * self.jump_value)
        return entries

    def measures(self) -> Array:
        """|Y_a| of each compartment on this mesh, shape (n_compartments,)."""
        total = self.matrix(self.mass) @ np.ones(self.n_dofs)
        return np.asarray(np.bincount(self.compartment, total, self.n_compartments), dtype=float)

    def restrict(self, compartments: Sequence[int]) -> CellOperators:
        """The same cell with water in some compartments only, behind impermeable membranes.

        The compartments kept are numbered anew in the order given; all membranes are dropped.
        """
        keep = np.isin(self.compartment, compartments)
        renumber = np.cumsum(keep) - 1
        columns = np.repeat(np.arange(self.n_dofs), np.diff(self.indptr))
        stay = keep[columns] & keep[self.indices]
        counts = np.bincount(renumber[columns[stay]], minlength=int(keep.sum()))
        order = {a: i for i, a in enumerate(compartments)}
        regions = np.flatnonzero(np.isin(self.region_compartment, compartments))
        shared = stay[self.shared_position]
        return CellOperators(
            compartment=np.array([order[a] for a in self.compartment[keep]], dtype=np.int64),
            region_compartment=np.array([order[a] for a in self.region_compartment[regions]]),
            membranes=np.empty((0, 2), dtype=np.int64),
            indptr=np.concatenate([[0], np.cumsum(counts)]),
            indices=renumber[self.indices[stay]],
            region=np.searchsorted(regions, self.region[stay]),
            mass=self.mass[stay],
            advection=self.advection[:, stay],
            stiffness=self.stiffness[:, :, stay],
            shared_position=(np.cumsum(stay) - 1)[self.shared_position[shared]],
            shared_region=np.searchsorted(regions, self.shared_region[shared]),
            shared_mass=self.shared_mass[shared],
            shared_advection=self.shared_advection[:, shared],
            shared_stiffness=self.shared_stiffness[:, :, shared],
            jump_position=np.empty(0, dtype=np.int64),
            jump_membrane=np.empty(0, dtype=np.int64),
            jump_value=np.empty(0),
            places=self.places[keep],
            lattice=self.lattice,
        )


@dataclass(frozen=True)
class BlochTorrey:
    """The operators of one material in one cell: everything but period, permeability, gradient.

    Attributes
    ----------
    cell : CellOperators
    diffusivity : (n_regions, c, c) float, um^2/ms
        Of c axes: d, or three for gradients in space.
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

    Entries are on the common pattern; lengths in units of the cell.
    """

    cell: CellOperators
    diffusivity: Array
    K: Array
    B: Array
    C: Array
    N: Array
    M: Array
    J: Array
    R: Array
    rho: Array
    R_stored: Array | None = None

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
    def axial(self) -> Array:
        """Diffusivity out of the cell that all regions share, shape (c, c), in um^2/ms.

        A(g) - g.axial g M is positive semi-definite as A(g) is: what the common part makes of a
        signal is one exact factor.
        """
        d, common = self.cell.dimension, np.zeros((self.n_axes,) * 2)
        if self.n_axes > d:
            inner, mixed = self.inner_diffusivity, self.diffusivity[:, :d, d:]
            across = np.linalg.solve(inner, mixed)
            out = self.diffusivity[:, d:, d:] - mixed.swapaxes(1, 2) @ across
            common[d:, d:] = np.linalg.eigvalsh(out).min() * np.eye(self.n_axes - d)
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
        surfaces = bool(np.any(self.cell.membranes == NOTHING))
        relaxes = self.R.any() or (self.R_stored is not None and self.R_stored.any())
        return not (relaxes or (surfaces and permeability > 0.0))

    @property
    def stored(self) -> BlochTorrey | None:
        """The operators of stored magnetisation; None where they are the same, or not known."""
        if self.R_stored is None or np.array_equal(self.R, self.R_stored):
            return None
        return replace(self, R=self.R_stored)

    @cached_property
    def stiffness_factor(self) -> PinnedFactor:
        """K factorised with one pinned degree of freedom per compartment."""
        return PinnedFactor.of(self.cell.matrix(self.K), self.mass_matrix, self.cell.compartment)

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
        If the numbers of regions or membranes differ, or the density does within a compartment.
    """
    D, stored_rates = material.tensors(cell.dimension), material.stored_relaxation
    if len(D) != cell.n_regions:
        raise ValueError(f"{len(D)} diffusivities for a cell with {cell.n_regions} regions")
    if len(material.membranes) not in (0, cell.n_membranes):
        raise ValueError(
            f"{len(material.membranes)} membrane factors for a cell with "
            f"{cell.n_membranes} membranes"
        )
    transposed = _transposition(cell)
    # A gradient of a field has components along the axes of the cell alone.
    d = cell.dimension
    B = cell.weigh("advection", D[:, :, :d]).sum(axis=1)
    return BlochTorrey(
        cell=cell,
        diffusivity=D,
        K=cell.weigh("stiffness", D[:, :d, :d]).sum(axis=(0, 1)),
        B=B,
        C=B - B[:, transposed],
        N=cell.weigh("mass", D),
        M=cell.mass,
        J=cell.jump(material.membranes or np.ones(cell.n_membranes)),
        R=cell.weigh("mass", material.relaxation),
        rho=_density(cell, material)[cell.compartment],
        R_stored=None if stored_rates is None else cell.weigh("mass", stored_rates),
    )


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
