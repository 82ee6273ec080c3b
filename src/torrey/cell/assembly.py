"""Assembly of the geometric operators of a cell with scikit-fem."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pymetis
from numpy.typing import NDArray
from scipy.sparse import coo_array, csc_array
from skfem import (
    Basis,
    BilinearForm,
    ElementLineP2,
    ElementTetP2,
    ElementTriP2,
    Mesh,
    MeshLine,
    MeshTet2,
    MeshTri2,
)
from skfem.quadrature import get_quadrature

from torrey.cell.operators import CellOperators
from torrey.geometry.membranes import NOTHING
from torrey.geometry.mesh import CellMesh, MeshError

#: Exact for the products of P2 functions on straight elements; curved ones lose nothing in order.
QUADRATURE_ORDER = 4

_P2 = {1: ElementLineP2, 2: ElementTriP2, 3: ElementTetP2}


def _mass() -> BilinearForm:
    return BilinearForm(lambda u, v, _: u * v)


def _advection(j: int) -> BilinearForm:
    return BilinearForm(lambda u, v, _: u.grad[j] * v)


def _stiffness(j: int, l: int) -> BilinearForm:
    return BilinearForm(lambda u, v, _: u.grad[l] * v.grad[j])


def assemble(mesh: CellMesh, membranes: NDArray[np.int64]) -> CellOperators:
    """Operators of a cell on one mesh.

    Parameters
    ----------
    mesh : CellMesh
    membranes : (n_membranes, 2) int
        Compartments outside and inside of each membrane.

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
    fem = _fem_mesh(mesh)
    basis = Basis(fem, _P2[mesh.dimension](), intorder=QUADRATURE_ORDER)
    _check_orientation(basis)
    node_of_dof = _node_of_dof(mesh, basis)
    d = mesh.dimension
    jump = _jump_entries(mesh)

    free, number = np.unique(mesh.periodic, return_inverse=True)
    order = _nested_dissection(_pattern(number[mesh.elements], jump, number))
    number = np.argsort(order)[number]
    pattern = _pattern(number[mesh.elements], jump, number)
    to_free = number[node_of_dof]

    data, region, shared = _volumes(mesh, fem, basis, pattern, number, to_free)
    where, which, value = _reduce_jump(pattern, jump, number, len(membranes))
    compartment = np.empty(len(free), dtype=np.int64)
    compartment[number] = mesh.node_compartment()
    places = np.empty((len(free), d))
    places[number[free]] = mesh.points[free]
    return CellOperators(
        compartment=compartment,
        region_compartment=mesh.region_compartment(),
        membranes=np.asarray(membranes, dtype=np.int64).reshape(-1, 2),
        indptr=pattern.indptr.astype(np.int32),
        indices=pattern.indices.astype(np.int32),
        region=region,
        mass=data[0],
        advection=data[1 : 1 + d],
        stiffness=data[1 + d :].reshape(d, d, -1),
        shared_position=shared.position,
        shared_region=shared.region,
        shared_mass=shared.data[0],
        shared_advection=shared.data[1 : 1 + d],
        shared_stiffness=shared.data[1 + d :].reshape(d, d, -1),
        jump_position=where,
        jump_membrane=which,
        jump_value=value,
        places=places,
        lattice=mesh.lattice,
    )


def _volumes(
    mesh: CellMesh,
    fem: Mesh,
    basis: Basis,
    pattern: csc_array,
    number: NDArray[np.int64],
    to_free: NDArray[np.int64],
) -> tuple[NDArray[np.float64], NDArray[np.int64], _Shared]:
    """Entries of all volume integrals, the region of each, and what regions share."""
    owner = mesh.region_compartment()
    if len(owner) == len(np.unique(owner)):
        # Regions in the order of compartments.
        region = np.argsort(owner)[_row_compartment(mesh, pattern, number)]
        return _volume(basis, pattern, to_free), region, _Shared.none(mesh.dimension)
    element = _P2[mesh.dimension]()
    parts = [
        Basis(fem, element, intorder=QUADRATURE_ORDER, elements=np.flatnonzero(mesh.region == r))
        for r in range(len(owner))
    ]
    return _by_region([_volume(part, pattern, to_free) for part in parts])


def _volume(basis: Basis, pattern: csc_array, to_free: NDArray[np.int64]) -> NDArray[np.float64]:
    """Mass, advection and stiffness on the pattern, shape (1 + d + d^2, nnz)."""
    d = basis.mesh.dim()
    forms = [_mass()] + [_advection(j) for j in range(d)]
    forms += [_stiffness(j, l) for j in range(d) for l in range(d)]
    matrices = [form.assemble(basis).tocoo() for form in forms]
    return np.array([_entries(pattern, to_free[a.row], to_free[a.col], a.data) for a in matrices])


@dataclass(frozen=True)
class _Shared:
    """Entries with a share in another region than their own."""

    position: NDArray[np.int64]
    region: NDArray[np.int64]
    data: NDArray[np.float64]

    @classmethod
    def none(cls, dimension: int) -> _Shared:
        nothing = np.empty(0, dtype=np.int64)
        return cls(nothing, nothing, np.empty((1 + dimension + dimension**2, 0)))


def _by_region(
    parts: list[NDArray[np.float64]],
) -> tuple[NDArray[np.float64], NDArray[np.int64], _Shared]:
    """Sum of the entries of all regions, the first region of each entry, and what others share."""
    touched = np.array([np.any(part != 0.0, axis=0) for part in parts])
    region = np.argmax(touched, axis=0)
    other = touched & (np.arange(len(parts))[:, None] != region)
    which, position = np.nonzero(other)
    data = np.column_stack([parts[r][:, here] for r, here in zip(which, position, strict=True)])
    return np.sum(parts, axis=0), region, _Shared(position, which, data)


def _row_compartment(
    mesh: CellMesh, pattern: csc_array, number: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Compartment of the row of each entry; what couples two compartments belongs to J alone."""
    compartment = np.empty(pattern.shape[0], dtype=np.int64)
    compartment[number] = mesh.node_compartment()
    return compartment[pattern.indices]


def _check_orientation(basis: Basis) -> None:
    """Curved elements must not fold over."""
    determinant = basis.mapping.detDF(basis.X, basis.tind)
    flipped = np.any(determinant <= 0.0, axis=1) & np.any(determinant >= 0.0, axis=1)
    if np.any(flipped):
        raise MeshError(
            f"{int(flipped.sum())} curved elements fold over: this mesh is not one of "
            "geometry.meshing.build_meshes, which mends them"
        )


def assemble_levels(
    meshes: Sequence[CellMesh],
    membranes: NDArray[np.int64],
    measures: Sequence[float],
    tolerance: float = 0.01,
) -> list[CellOperators]:
    """Operators on each mesh of a cell, whose compartments must measure what they should.

    Parameters
    ----------
    meshes : sequence of CellMesh
    membranes : (n_membranes, 2) int
    measures : (n_compartments,) float
        Exact measures of the compartments.
    tolerance : float
        Relative.

    Raises
    ------
    MeshError
        If a compartment is off by more than the tolerance.
    """
    levels = [assemble(mesh, membranes) for mesh in meshes]
    for cell in levels:
        for a, (found, exact) in enumerate(zip(cell.measures(), measures, strict=True)):
            if abs(found - exact) > tolerance * exact:
                raise MeshError(
                    f"compartment {a} measures {found:.6g} on the mesh, {exact:.6g} in truth: "
                    "choose a smaller mesh.size"
                )
    return levels


def _fem_mesh(mesh: CellMesh) -> Mesh:
    """The scikit-fem mesh; its degrees of freedom are the nodes, in another order."""
    if mesh.dimension == 1:
        vertices, local = np.unique(mesh.elements[:, :2], return_inverse=True)
        return MeshLine(mesh.points[vertices].T, local.reshape(-1, 2).T)
    # Vertices must come first.
    vertices = np.unique(mesh.elements[:, : mesh.n_vertices_per_element])
    others = np.setdiff1d(np.arange(len(mesh.points)), vertices)
    order = np.concatenate([vertices, others])
    number = np.empty(len(order), dtype=np.int64)
    number[order] = np.arange(len(order))
    elements = number[mesh.elements]
    if mesh.dimension == 3:
        # gmsh lists the last two edges of a tetrahedron the other way round.
        elements = elements[:, [0, 1, 2, 3, 4, 5, 6, 7, 9, 8]]
    kind = MeshTri2 if mesh.dimension == 2 else MeshTet2
    return kind(mesh.points[order].T, elements.T, sort_t=False)


def _node_of_dof(mesh: CellMesh, basis: Basis) -> NDArray[np.int64]:
    """Node of each degree of freedom of P2, found by place element by element."""
    dofs = basis.element_dofs.T
    here = basis.doflocs.T[dofs]
    there = mesh.points[mesh.elements]
    nearest = np.linalg.norm(here[:, :, None] - there[:, None], axis=-1)
    local = nearest.argmin(axis=2)
    if nearest.min(axis=2).max() > 1e-9:
        raise MeshError("the degrees of freedom do not lie on the nodes of the mesh")
    node = np.empty(basis.N, dtype=np.int64)
    node[dofs] = np.take_along_axis(mesh.elements, local, axis=1)
    return node


Triplets = tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]


def _jump_entries(mesh: CellMesh) -> Triplets:
    """(row, column, membrane, value) of int_{Gamma_i} [u][v]; rows and columns are nodes."""
    trace = _facet_mass(mesh.points, mesh.membrane_outside)
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


def _facet_mass(points: NDArray[np.float64], facets: NDArray[np.int64]) -> NDArray[np.float64]:
    """int u v over each curved quadratic facet, shape (n_facets, n_nodes, n_nodes)."""
    dimension = points.shape[1] - 1
    if dimension == 0:
        return np.ones((len(facets), 1, 1))
    element = _P2[dimension]()
    where, weight = get_quadrature(element, QUADRATURE_ORDER + 2)
    shape, slope = zip(*(element.lbasis(where, i) for i in range(facets.shape[1])), strict=True)
    value, gradient = np.array(shape), np.array(slope)
    tangents = np.einsum("fna,ndz->fzad", points[facets], gradient)
    metric = np.einsum("fzad,fzae->fzde", tangents, tangents)
    measure = np.sqrt(np.linalg.det(metric)) * weight
    return np.einsum("mz,nz,fz->fmn", value, value, measure)


def _pattern(elements: NDArray[np.int64], jump: Triplets, number: NDArray[np.int64]) -> csc_array:
    """Common pattern of all matrices: who shares an element, or a facet across a membrane."""
    n_local = elements.shape[1]
    rows = np.concatenate([np.repeat(elements, n_local, axis=1).ravel(), number[jump[0]]])
    columns = np.concatenate([np.tile(elements, n_local).ravel(), number[jump[1]]])
    n = int(number.max()) + 1
    pattern = coo_array((np.ones(len(rows)), (rows, columns)), shape=(n, n)).tocsc()
    pattern.sort_indices()
    return pattern


def _nested_dissection(pattern: csc_array) -> NDArray[np.int64]:
    """Order of the degrees of freedom that keeps the factors of the matrices sparse."""
    columns = np.repeat(np.arange(pattern.shape[0]), np.diff(pattern.indptr))
    off = pattern.indices != columns
    counts = np.bincount(columns[off], minlength=pattern.shape[0])
    starts = np.concatenate([[0], np.cumsum(counts)])
    adjacency = pymetis.CSRAdjacency(starts.tolist(), pattern.indices[off].tolist())
    order, _ = pymetis.nested_dissection(adjacency=adjacency)
    return np.asarray(order, dtype=np.int64)


def _positions(
    pattern: csc_array, rows: NDArray[np.int64], columns: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Where entries (row, column) stand in the pattern."""
    n = pattern.shape[0]
    stored = np.repeat(np.arange(n), np.diff(pattern.indptr)) * n + pattern.indices
    where = np.searchsorted(stored, columns * n + rows)
    assert np.array_equal(stored[where], columns * n + rows), "an entry outside the pattern"
    return where


def _entries(
    pattern: csc_array,
    rows: NDArray[np.int64],
    columns: NDArray[np.int64],
    values: NDArray[np.float64],
) -> NDArray[np.float64]:
    total = np.zeros(len(pattern.indices))
    np.add.at(total, _positions(pattern, rows, columns), values)
    return total


def _reduce_jump(
    pattern: csc_array, jump: Triplets, number: NDArray[np.int64], n_membranes: int
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
    """Sum the jump entries at the same position of the same membrane."""
    row, column, membrane, value = jump
    where = _positions(pattern, number[row], number[column])
    key, index = np.unique(where * max(n_membranes, 1) + membrane, return_inverse=True)
    total = np.zeros(len(key))
    np.add.at(total, index, value)
    return key // max(n_membranes, 1), key % max(n_membranes, 1), total
