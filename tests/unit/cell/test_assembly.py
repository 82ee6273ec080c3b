"""The integrals over elements against scikit-fem's own assembly, form by form."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from skfem import (
    Basis,
    BilinearForm,
    ElementLineP2,
    ElementTetP2,
    ElementTriP2,
    MeshLine,
    MeshTet2,
    MeshTri2,
)

from torrey.cell.assembly import QUADRATURE_ORDER, assemble
from torrey.cell.operators import CellOperators
from torrey.geometry import Disc, Discs, Layers, MeshOptions, Shape, Sphere, Spheres
from torrey.geometry.mesh import CellMesh
from torrey.geometry.meshing import build_meshes

OBLIQUE = ((1.0, 0.0), (0.5, 0.75**0.5))
CASES = {
    "layers": (Layers((0.3, 0.7)), 0.2),
    "crossing": (Discs((Disc((0.27, 0.4), 0.15), Disc((0.75, 0.93), 0.2))), 0.25),
    "coats": (Discs((Disc((0.3, 0.3), 0.15), Disc((0.75, 0.7), 0.15)), layer=0.05), 0.25),
    "obstacle": (Discs((Disc((0.5, 0.5), 0.3),), "obstacle"), 0.25),
    "oblique": (Discs((Disc((0.5, 0.5), 0.3),), lattice=OBLIQUE), 0.25),
    "sphere": (Spheres((Sphere((0.5, 0.5, 0.5), 0.3),)), 0.4),
}


def sides(shape: Shape) -> NDArray[np.int64]:
    pairs = [(m.outside, m.inside) for m in shape.membranes()]
    return np.array(pairs, dtype=np.int64).reshape(-1, 2)


def by_scikit_fem(mesh: CellMesh, cell: CellOperators, region: int, form: BilinearForm) -> NDArray:
    """A form over one region, on the unknowns of the cell by their places and compartments."""
    d = mesh.dimension
    vertices = np.unique(mesh.elements[:, : d + 1])
    order = np.concatenate([vertices, np.setdiff1d(np.arange(len(mesh.points)), vertices)])
    if d == 1:
        numbers = np.searchsorted(vertices, mesh.elements[:, :2])
        fem, element = MeshLine(mesh.points[vertices].T, numbers.T), ElementLineP2()
    else:
        elements = np.argsort(order)[mesh.elements]
        kind, element = (MeshTri2, ElementTriP2()) if d == 2 else (MeshTet2, ElementTetP2())
        # gmsh and scikit-fem list the last two edges of a tetrahedron differently.
        swapped = elements if d == 2 else elements[:, [*range(8), 9, 8]]
        fem = kind(mesh.points[order].T, swapped.T, sort_t=False)
    chosen = np.flatnonzero(mesh.region == region)
    basis = Basis(fem, element, intorder=QUADRATURE_ORDER)
    some = Basis(fem, element, intorder=QUADRATURE_ORDER, elements=chosen)
    inverse = np.linalg.inv(mesh.lattice)

    def keys(places: NDArray, compartment: NDArray) -> list[tuple[int, ...]]:
        parts = np.round((places @ inverse) % 1.0, 6) % 1.0
        return [tuple(k) for k in np.column_stack([np.round(parts * 1e6), compartment]).tolist()]

    number = {key: i for i, key in enumerate(keys(cell.places, cell.compartment))}
    owner = np.empty(basis.N, dtype=int)
    owner[basis.element_dofs] = mesh.compartment[None]
    to_cell = np.array([number[key] for key in keys(basis.doflocs.T, owner)])
    entries = form.assemble(some).tocoo()
    dense = np.zeros((cell.n_dofs,) * 2)
    np.add.at(dense, (to_cell[entries.row], to_cell[entries.col]), entries.data)
    return dense


@pytest.mark.parametrize("name", CASES)
def test_every_form_is_that_of_scikit_fem_in_every_region(name: str) -> None:
    shape, size = CASES[name]
    mesh = build_meshes(shape, MeshOptions(size, 0))[0]
    cell = assemble(mesh, sides(shape))
    d = mesh.dimension
    for region in range(cell.n_regions):
        alone = np.zeros(cell.n_regions)
        alone[region] = 1.0
        mass = cell.matrix(cell.weigh("mass", alone)).toarray()
        np.testing.assert_allclose(
            mass,
            by_scikit_fem(mesh, cell, region, BilinearForm(lambda u, v, _: u * v)),
            atol=1e-14,
        )
        j, l = 0, d - 1
        advection = cell.weigh("advection", alone[:, None] * np.ones(d))[j]
        np.testing.assert_allclose(
            cell.matrix(advection).toarray(),
            by_scikit_fem(mesh, cell, region, BilinearForm(lambda u, v, _: u.grad[0] * v)),
            atol=1e-13,
        )
        stiffness = cell.weigh("stiffness", alone[:, None, None] * np.ones((d, d)))[j, l]
        form = BilinearForm(lambda u, v, _: u.grad[l] * v.grad[0])  # noqa: B023
        np.testing.assert_allclose(
            cell.matrix(stiffness).toarray(),
            by_scikit_fem(mesh, cell, region, form),
            atol=1e-12,
        )
