"""Geometric operators of a cell on one mesh, for unit diffusivity.

What they are: see `torrey.cell.operators`, which fills them with a material.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import csc_array

from torrey.base.stored import stored

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
    radial_position, radial_stiffness, radial_advection, radial_mass : (..., n_radial), optional
        Integrals for radial diffusivities, where a region may have one: see `torrey.cell.radial`.
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
    radial_position: NDArray[np.int64] | None = field(
        default=None,
        metadata=stored(("radial",), "1", "position of an entry in a ring or shell"),
    )
    radial_stiffness: Array | None = field(
        default=None, metadata=stored(("radial",), "1", "int (r.grad u) (r.grad v)")
    )
    radial_advection: Array | None = field(
        default=None, metadata=stored(("axis", "radial"), "1", "int r_j (r.grad u) v")
    )
    radial_mass: Array | None = field(
        default=None, metadata=stored(("axis", "axis_of_u", "radial"), "1", "int r_j r_l u v")
    )

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
        axes = np.broadcast_shapes(factor.shape[:-1], whole.shape[:-1])
        factor, whole, shared = (
            np.broadcast_to(x, (*axes, x.shape[-1])) for x in (factor, whole, shared)
        )
        entries: Array = np.zeros((*axes, len(self.region)))
        first = self.region[self.shared_position]
        # Tensors of weights are mostly zeros, which memory is not spent on.
        for at in np.ndindex(*axes):
            if factor[at].any():
                entries[at] = factor[at][self.region] * whole[at]
                other = factor[at][self.shared_region] - factor[at][first]
                # A position may have shares in several regions.
                np.add.at(entries[at], self.shared_position, other * shared[at])
        return entries

    def jump(self, weights: ArrayLike) -> Array:
        """Entries of sum_i w_i int_{Gamma_i} [u][v]; weights of shape (n_membranes,)."""
        factor = np.asarray(weights, dtype=float)[self.jump_membrane]
        entries: Array = np.zeros(len(self.indices))
        np.add.at(entries, self.jump_position, factor * self.jump_value)
        return entries

    @cached_property
    def columns(self) -> NDArray[np.int64]:
        """Column of each entry of the pattern, shape (nnz,)."""
        return np.repeat(np.arange(self.n_dofs), np.diff(self.indptr))

    @cached_property
    def _crosses(self) -> NDArray[np.bool_]:
        """Whether row and column of a jump entry lie on two sides of the membrane, (n_jump,)."""
        row, column = self.indices[self.jump_position], self.columns[self.jump_position]
        differ = self.compartment[row] != self.compartment[column]
        sides = self.membranes.reshape(-1, 2)[self.jump_membrane]
        # A membrane of one compartment with itself: only on one side do they share an element.
        volume = np.abs(self.stiffness[..., self.jump_position]).sum(axis=(0, 1))
        apart = volume + np.abs(self.mass[self.jump_position]) == 0.0
        return np.where(sides[:, 0] == sides[:, 1], apart, differ)

    def trace(self, weights: ArrayLike) -> Array:
        """Entries of sum_i w_i int_{Gamma_i} u v on both sides, weights (n_membranes,)."""
        factor = np.asarray(weights, dtype=float)[self.jump_membrane]
        entries: Array = np.zeros(len(self.indices))
        np.add.at(
            entries, self.jump_position, np.where(self._crosses, 0.0, factor * self.jump_value)
        )
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
        anew = np.cumsum(stay) - 1
        place = self.radial_position
        radial = None if place is None else stay[place]
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
            shared_position=anew[self.shared_position[shared]],
            shared_region=np.searchsorted(regions, self.shared_region[shared]),
            shared_mass=self.shared_mass[shared],
            shared_advection=self.shared_advection[:, shared],
            shared_stiffness=self.shared_stiffness[:, :, shared],
            jump_position=np.empty(0, dtype=np.int64),
            jump_membrane=np.empty(0, dtype=np.int64),
            jump_value=np.empty(0),
            places=self.places[keep],
            lattice=self.lattice,
            radial_position=None if place is None else anew[place[radial]],
            radial_stiffness=_part(self.radial_stiffness, radial),
            radial_advection=_part(self.radial_advection, radial),
            radial_mass=_part(self.radial_mass, radial),
        )


def _part(entries: Array | None, chosen: NDArray[np.bool_] | None) -> Array | None:
    """Some of the entries, where there are any."""
    return None if entries is None else entries[..., chosen]
