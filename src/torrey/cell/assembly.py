"""Assembly of the geometric operators of a cell: one pass over its elements for all forms.

What an element gives to the entries of a form is computed in batches (`torrey.cell.quadrature`),
and added where the entries stand in the common pattern, which is found once. A further form over
the elements is a function of a `Batch`, as `volume_forms` is, and rows more in `_Sums`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from torrey.cell.operators import CellOperators
from torrey.cell.pattern import Pattern, Whole
from torrey.cell.quadrature import QUADRATURE_ORDER, batches, facet_mass, volume_forms
from torrey.cell.radial import RadialForms, radial_forms
from torrey.geometry.membranes import NOTHING
from torrey.geometry.mesh import CellMesh, MeshError

__all__ = ["QUADRATURE_ORDER", "assemble", "assemble_levels"]

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
    d, jump = mesh.dimension, _jump_entries(mesh)
    free, number = np.unique(mesh.periodic, return_inverse=True)
    order = _pattern(mesh, jump, number).nested_dissection()
    number = np.argsort(order)[number]
    pattern = _pattern(mesh, jump, number)

    compartment = np.empty(len(free), dtype=np.int64)
    compartment[number] = mesh.node_compartment()
    places = np.empty((len(free), d))
    places[number[free]] = mesh.points[free]
    homes = _Homes.of(mesh, pattern, number[mesh.elements], compartment)
    total, shared = _integrate(mesh, homes, len(pattern.indices))
    where, which, value = _reduce_jump(pattern, jump, number, len(membranes))
    return CellOperators(
        compartment=compartment,
        region_compartment=mesh.region_compartment(),
        membranes=np.asarray(membranes, dtype=np.int64).reshape(-1, 2),
        indptr=pattern.indptr,
        indices=pattern.indices,
        region=homes.region,
        mass=total[0],
        advection=total[1 : 1 + d],
        stiffness=total[1 + d :].reshape(d, d, -1),
        shared_position=homes.shared_position,
        shared_region=homes.shared_region,
        shared_mass=shared[0],
        shared_advection=shared[1 : 1 + d],
        shared_stiffness=shared[1 + d :].reshape(d, d, -1),
        jump_position=where,
        jump_membrane=which,
        jump_value=value,
        places=places,
        lattice=mesh.lattice,
        **_prefixed(radial_forms(mesh, homes.position, centres or {})),
    )


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
        shape = (*elements.shape, elements.shape[1])
        rows = np.broadcast_to(elements[:, :, None], shape)
        position = pattern.positions(rows, np.broadcast_to(elements[:, None], shape))
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
        share = np.full(shape, -1, dtype=np.int32)
        share[other] = index
        return cls(position, region, share, found % len(region), found // len(region))


def _integrate(mesh: CellMesh, homes: _Homes, n_entries: int) -> tuple[Array, Array]:
    """Volume integrals as entries of the pattern, and those of what regions share.

    Returns
    -------
    total : (1 + d + d d, n_entries) float
        See `volume_forms`.
    shared : (1 + d + d d, n_shared) float
    """
    n_forms = 1 + mesh.dimension + mesh.dimension**2
    total = np.zeros((n_forms, n_entries))
    shared = np.zeros((n_forms, len(homes.shared_position)))
    folded = 0
    for batch in batches(mesh):
        folded += int(batch.is_folded.sum())
        if folded:
            continue
        values = volume_forms(batch)
        _add(total, homes.position[batch.chosen], values)
        if homes.share is not None:
            share = homes.share[batch.chosen]
            _add(shared, share[share >= 0], values[:, share >= 0])
    if folded:
        raise MeshError(
            f"{folded} curved elements fold over: this mesh is not one of "
            "geometry.meshing.build_meshes, which mends them"
        )
    return total, shared


def _add(total: Array, where: Whole, values: Array) -> None:
    """Add the values of each form to its entries, in place."""
    places = where.ravel().astype(np.intp)
    for sums, form in zip(total, values, strict=True):
        np.add.at(sums, places, form.ravel())


def assemble_levels(
    meshes: Sequence[CellMesh],
    membranes: NDArray[np.int64],
    measures: Sequence[float],
    tolerance: float = 0.01,
    centres: Mapping[int, Array] | None = None,
) -> Iterator[CellOperators]:
    """Yield the operators on each mesh of a cell, whose compartments must measure what they should.

    Parameters
    ----------
    meshes : sequence of CellMesh
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
        cell = assemble(mesh, membranes, centres)
        for a, (found, exact) in enumerate(zip(cell.measures(), measures, strict=True)):
            if abs(found - exact) > tolerance * exact:
                raise MeshError(
                    f"compartment {a} measures {found:.6g} on the mesh, {exact:.6g} in truth: "
                    "choose a smaller mesh.size"
                )
        yield cell
        del cell


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
