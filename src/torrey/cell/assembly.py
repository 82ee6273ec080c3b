"""Assembly of the geometric operators of a cell: one pass over its elements for all forms.

What an element gives to the entries of a form is computed in batches (`torrey.cell.quadrature`),
and added where the entries stand in the common pattern, which is found once. A further form over
the elements is a function of a `Batch`, as `volume_forms` is, and rows more in `_Sums`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from torrey.base.stored import Variable, group_of
from torrey.cell.operators import CellOperators
from torrey.cell.pattern import Pattern, Whole
from torrey.cell.quadrature import QUADRATURE_ORDER, batches, facet_mass, volume_forms
from torrey.cell.radial import RadialForms, radial_forms
from torrey.geometry.membranes import NOTHING
from torrey.geometry.mesh import CellMesh, MeshError

__all__ = ["QUADRATURE_ORDER", "Assembly", "assemble", "assemble_levels"]

Array = NDArray[np.float64]
Integers = NDArray[np.int64]


def assemble(
    mesh: CellMesh, membranes: NDArray[np.int64], centres: Mapping[int, Array] | None = None
) -> CellOperators:
    """Operators of a cell on one mesh.

    Parameters
    ----------
    mesh : CellMesh
    membranes : (n_membranes, 2) int
        Compartments outside and inside of each membrane.
    centres : mapping of int to (d,) float, optional
        Of regions that may have a radial diffusivity; see `Shape.radial_centres`.

    Returns
    -------
    CellOperators
        On the periodic functions that may jump across membranes: the Galerkin reduction P^T A P,
        with P the map from free degrees of freedom to nodes.

    Raises
    ------
    MeshError
        If a curved element folds over.
    """
    return Assembly.of(mesh, membranes, centres).operators()


@dataclass(frozen=True)
class Assembly:
    """The operators of a cell on one mesh but for the volume integrals, which fill the memory.

    `operators` computes and holds them all, `group` one form after the other, for a file.

    Attributes
    ----------
    mesh : CellMesh
    number : (n_nodes,) int
        Degree of freedom of each node.
    homes : _Homes
    known : mapping of str to Any
        All other fields of `CellOperators`.
    """

    mesh: CellMesh
    number: Integers
    homes: _Homes
    known: Mapping[str, Any]

    @classmethod
    def of(
        cls,
        mesh: CellMesh,
        membranes: NDArray[np.int64],
        centres: Mapping[int, Array] | None = None,
    ) -> Assembly:
        """Number the unknowns, and find the pattern and what stands where; see `assemble`."""
        jump = _jump_entries(mesh)
        free, number = np.unique(mesh.periodic, return_inverse=True)
        order = _pattern(mesh, jump, number).nested_dissection()
        number = np.argsort(order)[number]
        pattern = _pattern(mesh, jump, number)

        compartment = np.empty(len(free), dtype=np.int64)
        compartment[number] = mesh.node_compartment()
        places = np.empty((len(free), mesh.dimension))
        places[number[free]] = mesh.points[free]
        homes = _Homes.of(mesh, pattern, number[mesh.elements], compartment)
        where, which, value = _reduce_jump(pattern, jump, number, len(membranes))
        known = {
            "compartment": compartment,
            "region_compartment": mesh.region_compartment(),
            "membranes": np.asarray(membranes, dtype=np.int64).reshape(-1, 2),
            "indptr": pattern.indptr,
            "indices": pattern.indices,
            "region": homes.region,
            "shared_position": homes.shared_position,
            "shared_region": homes.shared_region,
            "jump_position": where,
            "jump_membrane": which,
            "jump_value": value,
            "places": places,
            "lattice": mesh.lattice,
            **_by_form(_integrate_shares(mesh, homes), mesh.dimension, "shared_"),
            **_prefixed(radial_forms(mesh, homes.position, centres or {})),
        }
        return cls(mesh, number, homes, known)

    def operators(self) -> CellOperators:
        """Compute all of it."""
        total = _integrate(self.mesh, self.homes, slice(None))
        return CellOperators(**self.known, **_by_form(total, self.mesh.dimension))

    def measures(self) -> Array:
        """|Y_a| of each compartment on this mesh, shape (n_compartments,)."""
        owner: Integers = self.known["compartment"]
        (mass,) = _integrate(self.mesh, self.homes, slice(0, 1))
        rows = np.bincount(self.known["indices"], mass, len(owner))
        return np.asarray(np.bincount(owner, rows), dtype=float)

    def group(self) -> dict[str, Variable]:
        """Variables of a file, those of `operators`; volume integrals are computed when written."""
        d, nothing = self.mesh.dimension, np.empty(0)
        forms = {
            "mass": _Later(self.mesh, self.homes, slice(0, 1), ()),
            "advection": _Later(self.mesh, self.homes, slice(1, 1 + d), (d,)),
            "stiffness": _Later(self.mesh, self.homes, slice(1 + d, None), (d, d)),
        }
        empty: dict[str, Any] = dict.fromkeys(forms, nothing)
        group = group_of(CellOperators(**self.known, **empty))
        return group | {name: replace(group[name], values=form) for name, form in forms.items()}


@dataclass(frozen=True)
class _Later:
    """Entries of some forms as an array of some axes, computed when NumPy asks for it."""

    mesh: CellMesh
    homes: _Homes
    forms: slice
    axes: tuple[int, ...]

    def __array__(self, dtype: DTypeLike | None = None, copy: bool | None = None) -> Array:
        found = _integrate(self.mesh, self.homes, self.forms)
        return found.reshape(*self.axes, -1).astype(dtype or float, copy=False)


def _by_form(values: Array, d: int, prefix: str = "") -> dict[str, Any]:
    """`volume_forms` by the names of their fields."""
    return {
        f"{prefix}mass": values[0],
        f"{prefix}advection": values[1 : 1 + d],
        f"{prefix}stiffness": values[1 + d :].reshape(d, d, -1),
    }


def _prefixed(radial: RadialForms | None) -> dict[str, Any]:
    """Fields of `CellOperators` that hold the radial forms; None without them."""
    return {f"radial_{f.name}": getattr(radial, f.name, None) for f in fields(RadialForms)}


@dataclass(frozen=True)
class _Homes:
    """Where the entries of each element stand.

    Attributes
    ----------
    position : (n_elements, m, m) int
        In the pattern: [element, row of v, column of u].
    region : (nnz,) int
        Of each entry: the first one that has a share in it.
    share : (n_elements, m, m) int or None
        Among the entries with a share in another region than their own, -1 for others; None if
        there are none.
    shared_position, shared_region : (n_shared,) int
    """

    position: Whole
    region: Whole
    share: Whole | None
    shared_position: Integers
    shared_region: Integers

    @classmethod
    def of(
        cls, mesh: CellMesh, pattern: Pattern, elements: Integers, compartment: Integers
    ) -> _Homes:
        """Find the entries of each element, by its unknowns."""
        position = pattern.of_elements(elements)
        owner = mesh.region_compartment()
        # What couples two compartments belongs to J alone, and has no share in any region.
        first = np.full(int(owner.max()) + 1, -1, dtype=np.int32)
        first[owner[::-1]] = np.arange(len(owner), dtype=np.int32)[::-1]
        region = first[compartment[pattern.indices]]
        nothing = np.empty(0, dtype=np.int64)
        if len(owner) == len(np.unique(owner)):
            return cls(position, region, None, nothing, nothing)
        # Of several regions the first is written last.
        last_to_first = np.argsort(-mesh.region, kind="stable")
        region[position[last_to_first]] = mesh.region[last_to_first, None, None]
        other = region[position] != mesh.region[:, None, None]
        keys = mesh.region[np.nonzero(other)[0]] * len(region) + position[other]
        found, index = np.unique(keys, return_inverse=True)
        share = np.full(position.shape, -1, dtype=np.int32)
        share[other] = index
        return cls(position, region, share, found % len(region), found // len(region))


def _integrate(mesh: CellMesh, homes: _Homes, forms: slice) -> Array:
    """Compute some of `volume_forms` as entries of the pattern, shape (n_forms, nnz)."""
    n_forms = len(range(*forms.indices(1 + mesh.dimension + mesh.dimension**2)))
    total = np.zeros((n_forms, len(homes.region)))
    folded = 0
    for batch in batches(mesh):
        folded += int(batch.is_folded.sum())
        if not folded:
            _add(total, homes.position[batch.chosen], volume_forms(batch)[forms])
    if folded:
        raise MeshError(
            f"{folded} curved elements fold over: this mesh is not one of "
            "geometry.meshing.build_meshes, which mends them"
        )
    return total


def _integrate_shares(mesh: CellMesh, homes: _Homes) -> Array:
    """Compute `volume_forms` of what regions share, shape (1 + d + d d, n_shared)."""
    total = np.zeros((1 + mesh.dimension + mesh.dimension**2, len(homes.shared_position)))
    if homes.share is None:
        return total
    for batch in batches(mesh):
        share = homes.share[batch.chosen]
        # Of a folded element there is no more to say than `_integrate` does.
        if not batch.is_folded.any():
            _add(total, share[share >= 0], volume_forms(batch)[:, share >= 0])
    return total


def _add(total: Array, where: Whole, values: Array) -> None:
    """Add the values of each form to its entries, in place."""
    places = where.ravel().astype(np.intp)
    for sums, form in zip(total, values, strict=True):
        np.add.at(sums, places, form.ravel())


def assemble_levels(
    meshes: Iterable[CellMesh],
    membranes: NDArray[np.int64],
    measures: Sequence[float],
    tolerance: float = 0.01,
    centres: Mapping[int, Array] | None = None,
) -> Iterator[Assembly]:
    """Yield the operators on each mesh of a cell, whose compartments must measure what they should.

    Parameters
    ----------
    meshes : iterable of CellMesh
        One is held at a time.
    membranes : (n_membranes, 2) int
    measures : (n_compartments,) float
        Exact measures of the compartments.
    tolerance : float
        Relative.
    centres : mapping of int to (d,) float, optional
        See `assemble`.

    Raises
    ------
    MeshError
        If a compartment is off by more than the tolerance.
    """
    for mesh in meshes:
        cell = Assembly.of(mesh, membranes, centres)
        for a, (found, exact) in enumerate(zip(cell.measures(), measures, strict=True)):
            if abs(found - exact) > tolerance * exact:
                raise MeshError(
                    f"compartment {a} measures {found:.6g} on the mesh, {exact:.6g} in truth: "
                    "choose a smaller mesh.size"
                )
        yield cell
        # Nothing of one mesh is held while the next is read and assembled.
        del cell, mesh


Triplets = tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]


def _jump_entries(mesh: CellMesh) -> Triplets:
    """(row, column, membrane, value) of int_{Gamma_i} [u][v]; rows and columns are nodes."""
    trace = facet_mass(mesh.points, mesh.membrane_outside)
    sides = ((mesh.membrane_outside, 1.0), (mesh.membrane_inside, -1.0))
    membrane = np.broadcast_to(mesh.membrane[:, None, None], trace.shape)
    rows, columns, membranes, values = [], [], [], []
    for v, sign_v in sides:
        for u, sign_u in sides:
            there = (v[:, 0] != NOTHING) & (u[:, 0] != NOTHING)
            rows.append(np.broadcast_to(v[:, :, None], trace.shape)[there].ravel())
            columns.append(np.broadcast_to(u[:, None, :], trace.shape)[there].ravel())
            membranes.append(membrane[there].ravel())
            values.append(sign_u * sign_v * trace[there].ravel())
    return (
        np.concatenate(rows),
        np.concatenate(columns),
        np.concatenate(membranes),
        np.concatenate(values),
    )


def _pattern(mesh: CellMesh, jump: Triplets, number: Integers) -> Pattern:
    return Pattern.of(number[mesh.elements], number[jump[0]], number[jump[1]])


def _reduce_jump(
    pattern: Pattern, jump: Triplets, number: NDArray[np.int64], n_membranes: int
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
    """Sum the jump entries at the same position of the same membrane."""
    row, column, membrane, value = jump
    where = pattern.positions(number[row], number[column]).astype(np.int64)
    key, index = np.unique(where * max(n_membranes, 1) + membrane, return_inverse=True)
    total = np.zeros(len(key))
    np.add.at(total, index, value)
    return key // max(n_membranes, 1), key % max(n_membranes, 1), total
