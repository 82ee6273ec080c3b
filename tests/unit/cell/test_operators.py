"""The operators of a cell: symmetries, kernels, jumps, restriction, and three dimensions."""

from __future__ import annotations

from dataclasses import fields, replace

import numpy as np
import pytest
from skfem import MeshTet

from torrey.base.provenance import Provenance
from torrey.cell.assembly import assemble, assemble_levels
from torrey.cell.files import read_operators, write_operators
from torrey.cell.material import Material
from torrey.cell.operators import CellOperators, bloch_torrey
from torrey.geometry import Disc, Discs, Layers, MeshOptions, Shape
from torrey.geometry.mesh import CellMesh, Facets, MeshError, Piece, break_mesh
from torrey.geometry.meshing import build_meshes

WRAPPING = Discs((Disc((0.0, 0.35), 0.21), Disc((0.72, 0.66), 0.17)))
TENSOR = ((2.0, 0.3), (0.3, 1.0))
T2 = (80.0, 40.0, np.inf)


def sides(shape: Shape) -> np.ndarray:
    pairs = [(m.outside, m.inside) for m in shape.membranes()]
    return np.array(pairs, dtype=np.int64).reshape(-1, 2)


def operators(shape: Shape, size: float = 0.2) -> CellOperators:
    return assemble(build_meshes(shape, MeshOptions(size, 0))[0], sides(shape))


def test_operators_along_axes_are_those_of_the_cell_turned() -> None:
    system = bloch_torrey(operators(WRAPPING), Material((3.0, TENSOR, 1.7)))
    axes = np.array([[0.6, 0.8], [-0.8, 0.6]])
    both, one = system.along(2.5 * axes), system.along((3.0, 4.0))
    assert (both.C.shape, both.N.shape) == ((2, len(system.K)), (2, 2, len(system.K)))
    np.testing.assert_allclose(both.C, np.tensordot(axes, system.C, axes=1), atol=1e-15)
    expected = np.einsum("aj,bl,jlz->abz", axes, axes, system.N)
    np.testing.assert_allclose(both.N, expected, atol=1e-15)
    np.testing.assert_allclose(one.C, both.C[:1], atol=1e-15)
    np.testing.assert_allclose(one.N, both.N[:1, :1], atol=1e-15)


def test_the_kernel_of_k_is_the_compartments_and_c_is_antisymmetric() -> None:
    system = bloch_torrey(operators(WRAPPING), Material((3.0, 1.7, 1.1)))
    cell = system.cell
    K = cell.matrix(system.K).toarray()
    assert np.abs(K @ cell.indicators).max() < 1e-12
    assert np.sum(np.linalg.eigvalsh(K) < 1e-10) == cell.n_compartments == 3
    for C in system.C:
        dense = cell.matrix(C).toarray()
        assert np.abs(dense + dense.T).max() < 1e-14


def test_jumps_are_outside_minus_inside_on_each_membrane() -> None:
    cell = operators(WRAPPING, 0.1)
    u = cell.indicators @ np.array([2.0, 5.0, -1.0])
    lengths = 2 * np.pi * np.array([0.21, 0.17])
    for membrane, jump in ((0, 2.0 - 5.0), (1, 2.0 + 1.0)):
        J = cell.matrix(cell.jump(np.eye(2)[membrane]))
        assert u @ (J @ u) == pytest.approx(jump**2 * lengths[membrane], rel=1e-4)
    both = cell.matrix(cell.jump([1.0, 3.0]))
    assert u @ (both @ u) == pytest.approx(9.0 * lengths[0] + 27.0 * lengths[1], rel=1e-4)
    np.testing.assert_array_equal(cell.incidence, [[1, -1, 0], [1, 0, -1]])


RADIUS = 0.2


def errors_of_polynomials(whole: CellOperators) -> np.ndarray:
    """Relative errors of integrals over a disc and its membrane.

    Inside, with D = 1 and no flux, x_j - centre solves K w = -C_j 1 and lies in the space: this
    gives the coordinates of the degrees of freedom, and with them any quadratic function.
    """
    disc = bloch_torrey(whole.restrict([1]), Material((1.0,)))
    one = np.ones(disc.cell.n_dofs)
    M, K, *C = (disc.cell.matrix(data) for data in (disc.M, disc.K, *disc.C))
    x, y = (disc.stiffness_factor.solve(-(Cj @ one)) for Cj in C)
    J = whole.matrix(whole.jump([1.0]))

    def outside(within: np.ndarray) -> np.ndarray:
        """The number 3 outside and a function inside."""
        u = np.full(whole.n_dofs, 3.0)
        u[whole.compartment == 1] = within
        return u

    second, fourth = np.pi * RADIUS**4 / 4, np.pi * RADIUS**6 / 24  # of x^2 and of x^2 y^2
    length = 2 * np.pi * RADIUS
    pairs = [
        (x @ (M @ x), second),
        ((x * y) @ (M @ (x * y)), fourth),
        ((x**2) @ (M @ (x**2)), 3 * fourth),
        (x @ (K @ x), np.pi * RADIUS**2),
        ((x * y) @ (K @ (x * y)), 2 * second),
        # C_1 = int d_1 u v - u d_1 v.
        (one @ (C[0] @ x), np.pi * RADIUS**2),
        (x @ (C[0] @ (x**2)), second),
        # [u] = outside minus inside.
        (outside(x) @ (J @ outside(x)), 9 * length + np.pi * RADIUS**3),
        (outside(x * y) @ (J @ outside(x * y)), 9 * length + np.pi * RADIUS**5 / 4),
        (outside(x**2) @ (J @ outside(one)), 2 * (3 * length - np.pi * RADIUS**3)),
    ]
    found, exact = np.array(pairs).T
    return found / exact - 1


def test_polynomials_in_a_disc_and_on_its_membrane_have_their_exact_integrals() -> None:
    shape = Discs((Disc((0.5, 0.5), RADIUS),))
    meshes = build_meshes(shape, MeshOptions(0.1, 2))
    errors = np.array([errors_of_polynomials(assemble(mesh, sides(shape))) for mesh in meshes])
    assert np.abs(errors[-1]).max() < 1e-5
    # The membrane and the products of curved elements: order 4.
    rates = np.log2(np.abs(errors[:-1] / errors[1:]))
    assert (rates[-1] > 3.7).all()


def test_a_disc_across_the_boundary_is_one_compartment_of_its_area() -> None:
    cell = operators(WRAPPING, 0.1)
    np.testing.assert_allclose(cell.measures(), WRAPPING.measures(), rtol=2e-4)


@pytest.mark.parametrize(
    "disc", [Disc((0.9, 0.1), 0.1), Disc((0.2, 0.5), 0.2), Disc((0.0, 0.0), 0.4999 - 1e-3)]
)
def test_a_disc_that_touches_a_face_of_the_cell_is_meshed(disc: Disc) -> None:
    shape = Discs((disc,))
    np.testing.assert_allclose(operators(shape, 0.1).measures(), shape.measures(), rtol=2e-3)


@pytest.mark.parametrize("shape", [WRAPPING, Layers((0.3, 0.7), 2), Layers((1.0,), 2)])
def test_opposite_faces_and_membrane_sides_lie_at_the_same_places(shape: Shape) -> None:
    for mesh in build_meshes(shape, MeshOptions(0.2, 1)):
        shift = mesh.points - mesh.points[mesh.periodic]
        np.testing.assert_allclose(shift, np.round(shift), atol=1e-9)
        owner = mesh.node_compartment()
        np.testing.assert_array_equal(owner, owner[mesh.periodic])
        outside, inside = mesh.membrane_outside, mesh.membrane_inside
        np.testing.assert_allclose(mesh.points[outside], mesh.points[inside], atol=1e-12)
        assert not np.intersect1d(outside, inside).size


def test_the_same_input_gives_the_same_mesh() -> None:
    first, second = (build_meshes(WRAPPING, MeshOptions(0.2, 1))[1] for _ in range(2))
    assert first.points.tobytes() == second.points.tobytes()
    assert first.elements.tobytes() == second.elements.tobytes()


def test_restriction_keeps_the_operators_of_what_stays() -> None:
    cell = operators(WRAPPING)
    disc = cell.restrict([2])
    stay = cell.compartment == 2
    whole = cell.matrix(cell.mass).toarray()[np.ix_(stay, stay)]
    np.testing.assert_allclose(disc.matrix(disc.mass).toarray(), whole)
    assert disc.n_compartments == 1
    assert disc.n_membranes == 0
    np.testing.assert_allclose(cell.restrict([1, 0]).measures(), cell.measures()[[1, 0]])


def test_cell_problems_solve_with_zero_means_or_not_at_all() -> None:
    system = bloch_torrey(operators(WRAPPING), Material((3.0, 1.7, 1.1)))
    cell, factor = system.cell, system.stiffness_factor
    generator = np.random.default_rng(0)
    load = cell.matrix(system.K) @ generator.normal(size=cell.n_dofs)
    solution = factor.solve(load)
    np.testing.assert_allclose(cell.matrix(system.K) @ solution, load, atol=1e-11)
    means = cell.indicators.T @ (cell.matrix(cell.mass) @ solution)
    np.testing.assert_allclose(means, 0.0, atol=1e-13)
    with pytest.raises(ArithmeticError, match="not solvable"):
        factor.solve(load + cell.indicators[:, 1])


def test_operators_written_form_by_form_are_those_that_are_held(tmp_path) -> None:
    # Halves of the water outside share unknowns, and a disc may have a radial diffusivity.
    (mesh,) = build_meshes(WRAPPING, MeshOptions(0.2, 0))
    upper = (mesh.compartment == 0) & (mesh.points[mesh.elements].mean(axis=1)[:, 1] > 0.5)
    mesh = replace(mesh, region=np.where(upper, 3, mesh.region))
    rings = {1: np.array([0.0, 0.35])}
    held = assemble(mesh, sides(WRAPPING), rings)
    assert len(held.shared_position) > 0
    levels = assemble_levels([mesh], sides(WRAPPING), held.measures(), centres=rings)
    write_operators(tmp_path / "operators.nc", levels, Provenance("test"))
    found = read_operators(tmp_path / "operators.nc", 0)
    for one in fields(held):
        np.testing.assert_array_equal(getattr(found, one.name), getattr(held, one.name), one.name)


def test_a_mesh_that_misses_the_area_is_refused() -> None:
    meshes = build_meshes(WRAPPING, MeshOptions(0.2, 0))
    with pytest.raises(MeshError, match=r"compartment 1 measures .* smaller mesh.size"):
        list(assemble_levels(meshes, sides(WRAPPING), [0.7707, 0.15, 0.0908]))


def test_a_material_has_one_diffusivity_per_compartment() -> None:
    with pytest.raises(ValueError, match="2 diffusivities for a cell with 3"):
        bloch_torrey(operators(WRAPPING), Material((3.0, 1.7)))


def test_relaxation_is_the_mass_of_each_compartment_over_its_t2() -> None:
    system = bloch_torrey(operators(WRAPPING), Material((3.0, TENSOR, 1.7), T2=T2))
    cell = system.cell
    expected = np.zeros((cell.n_dofs, cell.n_dofs))
    for within, time in zip(cell.indicators.T, T2, strict=True):
        expected += np.diag(within) @ cell.matrix(cell.mass).toarray() @ np.diag(within) / time
    R = cell.matrix(system.R).toarray()
    np.testing.assert_allclose(R, expected, rtol=1e-14)
    totals = cell.indicators.T @ R @ cell.indicators
    np.testing.assert_allclose(totals, np.diag(cell.measures() / T2), atol=1e-15)
    assert not bloch_torrey(cell, Material((3.0, TENSOR, 1.7))).R.any()


@pytest.mark.parametrize("factors", [(1.0, 1.0), (1.0, 0.25), (0.0, 2.0)])
def test_membranes_are_weighted_by_their_factors(factors: tuple[float, float]) -> None:
    cell = operators(WRAPPING)
    each = [cell.jump(np.eye(2)[membrane]) for membrane in range(2)]
    J = bloch_torrey(cell, Material((3.0, 1.7, 1.1), membranes=factors)).J
    np.testing.assert_allclose(J, factors[0] * each[0] + factors[1] * each[1], rtol=1e-15)
    # The mean jump over a membrane: water of compartment 2 passes the second one only.
    passed = cell.indicators.T @ (cell.matrix(J) @ cell.indicators[:, 2])
    length = -cell.indicators[:, 0] @ (cell.matrix(each[1]) @ cell.indicators[:, 2])
    np.testing.assert_allclose(passed, factors[1] * length * np.array([-1, 0, 1]), atol=1e-14)


def test_a_material_without_factors_weighs_all_membranes_alike() -> None:
    cell = operators(WRAPPING)
    plain = bloch_torrey(cell, Material((3.0, 1.7, 1.1)))
    np.testing.assert_array_equal(plain.J, cell.jump([1.0, 1.0]))


@pytest.mark.parametrize("factors", [(1.0,), (1.0, 0.5, 0.0)])
def test_a_material_has_one_factor_per_membrane(factors: tuple[float, ...]) -> None:
    with pytest.raises(ValueError, match=f"{len(factors)} membrane factors for a cell with 2"):
        bloch_torrey(operators(WRAPPING), Material((3.0, 1.7, 1.1), membranes=factors))


def test_the_initial_density_is_that_of_the_compartments() -> None:
    cell = operators(WRAPPING)
    density = np.array([1.0, 0.0, 0.8])
    rho = bloch_torrey(cell, Material((3.0, 1.7, 1.1), density=tuple(density))).rho
    np.testing.assert_array_equal(rho, cell.indicators @ density)
    water = np.ones(cell.n_dofs) @ (cell.matrix(cell.mass) @ rho)
    assert water == pytest.approx(cell.measures() @ density)


@pytest.mark.parametrize("density", [(), (0.8, 0.8, 0.8)])
def test_a_uniform_density_is_one(density: tuple[float, ...]) -> None:
    cell = operators(WRAPPING)
    rho = bloch_torrey(cell, Material((3.0, 1.7, 1.1), density=density)).rho
    np.testing.assert_array_equal(rho, np.ones(cell.n_dofs))


def test_a_matrix_acts_on_the_rows_of_its_own_compartment() -> None:
    matrices = (TENSOR, ((1.0, -0.4), (-0.4, 3.0)), ((1.7, 0.0), (0.0, 1.7)))
    system = bloch_torrey(operators(WRAPPING), Material((*matrices[:2], 1.7)))
    cell, D = system.cell, np.array(matrices)
    K = np.zeros((cell.n_dofs, cell.n_dofs))
    B = np.zeros((2, cell.n_dofs, cell.n_dofs))
    for j in range(2):
        for l in range(2):
            rows = D[cell.compartment, j, l][:, None]
            K += rows * cell.matrix(cell.stiffness[j, l]).toarray()
            B[j] += rows * cell.matrix(cell.advection[l]).toarray()
            N = cell.matrix(system.N[j, l]).toarray()
            np.testing.assert_allclose(N, rows * cell.matrix(cell.mass).toarray(), rtol=1e-15)
        C = cell.matrix(system.C[j]).toarray()
        np.testing.assert_allclose(C, B[j] - B[j].T, atol=1e-15)
    np.testing.assert_allclose(cell.matrix(system.K).toarray(), K, atol=1e-14)


def test_linear_functions_feel_the_entries_of_the_matrix() -> None:
    inside = operators(WRAPPING).restrict([2])  # a disc that does not reach across the boundary
    simple = bloch_torrey(inside, Material((1.0,)))
    one = np.ones(inside.n_dofs)
    x = np.array([simple.stiffness_factor.solve(-(inside.matrix(C) @ one)) for C in simple.C])
    system = bloch_torrey(inside, Material((TENSOR,)))
    (area,) = inside.measures()
    # int D e_j . grad x_l, and int grad x_j . D grad x_l
    along = [[one @ (inside.matrix(C) @ x_l) for x_l in x] for C in system.C]
    np.testing.assert_allclose(along, area * np.array(TENSOR), rtol=1e-12)
    energies = x @ (inside.matrix(system.K) @ x.T)
    np.testing.assert_allclose(energies, area * np.array(TENSOR), rtol=1e-12)


# ---- three dimensions: nothing above the mesh changes ----


def box_with_slab(n: int = 2, at: float = 0.5) -> CellMesh:
    """Quadratic tetrahedra of the unit cube; a slab x in [0.25, 0.75] is compartment 1."""
    places = [np.linspace(0, 1, 2 * n + 1), np.linspace(0, 1, n + 1), np.linspace(0, 1, n + 1)]
    mesh = MeshTet.init_tensor(*places)
    vertices, tetrahedra = mesh.p.T, mesh.t.T
    edges = np.array([[0, 1], [1, 2], [2, 0], [3, 0], [2, 3], [1, 3]])  # gmsh's order
    pairs = np.sort(tetrahedra[:, edges].reshape(-1, 2), axis=1)
    unique, number = np.unique(pairs, axis=0, return_inverse=True)
    middles = vertices[unique].mean(axis=1)
    elements = np.column_stack([tetrahedra, len(vertices) + number.reshape(-1, 6)])
    points = np.vstack([vertices, middles])
    x = vertices[tetrahedra].mean(axis=1)[:, 0]
    parts = [x < 0.25, (x > 0.25) & (x < 0.75), x > 0.75]
    pieces = [
        Piece(elements[part], owner, np.full(part.sum(), owner))
        for part, owner in zip(parts, (0, 1, 0), strict=True)
    ]
    local = np.array(
        [[0, 1, 2, 4, 5, 6], [0, 1, 3, 4, 9, 7], [1, 2, 3, 5, 8, 9], [0, 2, 3, 6, 8, 7]]
    )
    facets = elements[:, local].reshape(-1, 6)
    membranes = []
    for place, outside in ((0.25, 0), (0.75, 2)):
        on = facets[np.all(np.abs(points[facets, 0] - place) < 1e-12, axis=1)]
        _, first = np.unique(np.sort(on, axis=1), axis=0, return_index=True)
        membranes.append(Facets(on[first], 0, outside, 1))
    return break_mesh(points, pieces, membranes, np.eye(3))


def test_three_dimensions_need_no_change_above_the_mesh() -> None:
    cell = assemble(box_with_slab(), np.array([[0, 1]]))
    assert cell.dimension == 3
    np.testing.assert_allclose(cell.measures(), [0.5, 0.5])
    one = cell.indicators[:, 0]
    assert one @ (cell.matrix(cell.jump([1.0])) @ one) == pytest.approx(2.0)  # two faces of area 1
    system = bloch_torrey(cell, Material((3.0, 1.7)))
    for direction, expected in (((1, 0, 0), 0.0), ((0, 1, 0), 1.0), ((0, 0, 1), 1.0)):
        along = system.along(direction)
        C, N = cell.matrix(along.C[0]), cell.matrix(along.N[0, 0])
        w = system.stiffness_factor.solve(C @ cell.indicators)
        D = cell.indicators.T @ (C @ w + N @ cell.indicators)
        laminate = expected * np.diag([3.0, 1.7]) * cell.measures()
        np.testing.assert_allclose(D, laminate, atol=1e-10)
