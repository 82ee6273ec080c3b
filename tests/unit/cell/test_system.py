"""A(g) put together: on the mesh and on a basis, its slope, and the factors of its matrices."""

from __future__ import annotations

import numpy as np
import pytest

from torrey.cell.assembly import assemble
from torrey.cell.material import Material
from torrey.cell.operators import BlochTorrey, CellOperators, bloch_torrey
from torrey.cell.system import (
    AffineSystem,
    cell_factors,
    combine,
    family_factors,
    galerkin,
    gradient_factors,
)
from torrey.geometry import Disc, Discs, MeshOptions
from torrey.geometry.meshing import build_meshes
from torrey.models.projection import project_on

WRAPPING = Discs((Disc((0.0, 0.35), 0.21), Disc((0.72, 0.66), 0.17)))
TENSOR = ((2.0, 0.3), (0.3, 1.0))
T2 = (80.0, 40.0, np.inf)
AXES = np.array([[0.6, 0.8], [-0.8, 0.6]])


def operators(shape: Discs, size: float = 0.2) -> CellOperators:
    sides = np.array([(m.outside, m.inside) for m in shape.membranes()], dtype=np.int64)
    return assemble(build_meshes(shape, MeshOptions(size, 0))[0], sides)


@pytest.fixture(scope="module")
def cell() -> BlochTorrey:
    return bloch_torrey(operators(WRAPPING), Material((3.0, TENSOR, 1.7), T2=T2))


@pytest.fixture(scope="module")
def W(cell: BlochTorrey) -> np.ndarray:
    """Some M-orthonormal vectors, the constant one among them."""
    fields = np.random.default_rng(2).normal(size=(cell.cell.n_dofs, 6))
    fields[:, 0] = 1.0
    L = np.linalg.cholesky(fields.T @ (cell.mass_matrix @ fields))
    return np.linalg.solve(L, fields.T).T


@pytest.mark.parametrize("seed", range(3))
def test_a_of_g_is_hermitian_and_positive_semidefinite(seed: int) -> None:
    generator = np.random.default_rng(seed)
    system = bloch_torrey(operators(WRAPPING), Material((3.0, TENSOR, 1.7)))
    L, kappa, angle = generator.uniform(1, 20), generator.uniform(0, 1), generator.uniform(0, 6)
    scaled = AffineSystem.at(system, L, kappa, (np.cos(angle), np.sin(angle)))
    A = scaled.matrix(generator.uniform(0, 3, 1)).toarray()
    assert np.abs(A - A.conj().T).max() <= 1e-13 * np.abs(A).max()
    assert np.linalg.eigvalsh(A)[0] >= -1e-12 * np.abs(A).max()


def test_a_of_g_is_that_of_the_components_in_any_axes() -> None:
    system = bloch_torrey(operators(WRAPPING), Material((3.0, TENSOR, 1.7), T2=T2))
    axes = np.array([[0.6, 0.8], [-0.8, 0.6]])
    g = np.array([0.7, -0.3])
    turned = AffineSystem.at(system, 6.0, 0.08, axes).entries(g)
    plain = AffineSystem.at(system, 6.0, 0.08, np.eye(2)).entries(g @ axes)
    straight = AffineSystem.at(system, 6.0, 0.08, g @ axes).entries(np.linalg.norm(g)[None])
    np.testing.assert_allclose(turned, plain, atol=1e-14)
    np.testing.assert_allclose(turned, straight, atol=1e-14)
    rest = AffineSystem.at(system, 6.0, 0.08, axes).entries(np.zeros(2))
    np.testing.assert_allclose(rest, system.K / 36.0 + system.J * 0.08 / 6.0 + system.R)


@pytest.mark.parametrize("frame", [(0.6, 0.8), np.eye(2)])
def test_the_slope_of_a_is_its_derivative(frame: object) -> None:
    system = bloch_torrey(operators(WRAPPING), Material((3.0, TENSOR, 1.7)))
    scaled = AffineSystem.at(system, 6.0, 0.08, frame)
    g, rate = np.array([0.7, -0.3]), np.array([0.2, 0.5])
    g, rate = g[: len(scaled.C)], rate[: len(scaled.C)]
    # A is quadratic in g: a central difference is exact.
    difference = (scaled.entries(g + rate) - scaled.entries(g - rate)) / 2
    np.testing.assert_allclose(scaled.slope(g, rate).data, difference, atol=1e-14)


def test_a_of_g_has_the_signs_of_the_substitution() -> None:
    """u = M exp(i g.x): a constant M does not decay, and a constant u decays with D |g|^2."""
    shape = Discs((Disc((0.5, 0.5), 0.2),), "obstacle")
    free = bloch_torrey(operators(shape, 0.1), Material((2.0,)))
    L, g = 4.0, np.array([1e-3, -2e-3])
    A = AffineSystem.at(free, L, 0.0, np.eye(2)).matrix(g)
    ones = np.ones(free.cell.n_dofs)
    rate = 2.0 * (g @ g)
    assert ones @ (A @ ones) == pytest.approx(rate * (ones @ (free.mass_matrix @ ones)), rel=1e-12)
    # exp(i g.x) is not periodic: away from the faces of the cell that does not matter.
    y = free.cell.places - 0.5
    inner = np.all(np.abs(y) < 0.35, axis=1)
    right, wrong = (np.abs(A @ np.exp(sign * 1j * L * (y @ g)))[inner].max() for sign in (1, -1))
    assert right < 1e-3 * wrong


def test_a_of_g_is_written_out(cell: BlochTorrey) -> None:
    """Entry by entry, from the matrices of the cell."""
    L, kappa = 6.0, 0.08
    g = np.array([0.7, -0.3])
    expected = cell.K / L**2 + (kappa / L) * cell.J + cell.R
    expected = expected + (1j / L) * (g[0] * cell.C[0] + g[1] * cell.C[1])
    for j in range(2):
        for k in range(2):
            expected = expected + g[j] * g[k] * cell.N[j, k]
    found = AffineSystem.at(cell, L, kappa, np.eye(2)).entries(g)
    np.testing.assert_allclose(found, expected, rtol=0.0, atol=1e-14 * np.abs(expected).max())


def test_the_reduced_system_is_that_of_the_mesh_on_the_basis(cell: BlochTorrey, W) -> None:
    system = AffineSystem.at(cell, 6.0, 0.08, AXES)
    small = system.project(W)
    g, rate = np.array([0.7, -0.3]), np.array([0.2, 0.5])
    for found, whole in (
        (small.matrix(g), system.matrix(g)),
        (small.slope(g, rate), system.slope(g, rate)),
    ):
        expected = W.T @ (whole @ W)
        np.testing.assert_allclose(found, expected, atol=1e-13 * np.abs(expected).max())
        np.testing.assert_array_equal(found, found.conj().T)
    np.testing.assert_array_equal(small.C, -small.C.swapaxes(1, 2))


def test_the_family_on_a_basis_gives_the_same_system(cell: BlochTorrey, W) -> None:
    family = project_on(cell, AXES, W, (W.shape[1],))
    g = np.random.default_rng(4).normal(size=(5, 2))
    expected = AffineSystem.at(cell, 6.0, 0.08, AXES).project(W).matrix(g)
    found = family.matrix(g[:, None, :], np.full(5, 6.0), np.full(5, 0.08 / 6.0))
    np.testing.assert_allclose(found, expected, atol=1e-13 * np.abs(expected).max())


def test_many_gradients_at_once(cell: BlochTorrey, W) -> None:
    small = AffineSystem.at(cell, 6.0, 0.08, AXES).project(W)
    g = np.random.default_rng(5).normal(size=(3, 4, 2))
    every = small.matrix(g)
    assert every.shape == (3, 4, 6, 6)
    np.testing.assert_allclose(every[1, 2], small.matrix(g[1, 2]), atol=1e-13)
    # The mean of A over a time is that of g and of g g^T.
    mean = small.matrix(g.mean(axis=(0, 1)), gradient_factors(g)[1].mean(axis=(0, 1)))
    np.testing.assert_allclose(mean, every.mean(axis=(0, 1)), atol=1e-13)


def test_the_slope_of_the_reduced_system_is_its_derivative(cell: BlochTorrey, W) -> None:
    small = AffineSystem.at(cell, 6.0, 0.08, AXES).project(W)
    g, rate = np.array([0.7, -0.3]), np.array([0.2, 0.5])
    difference = (small.matrix(g + rate) - small.matrix(g - rate)) / 2
    np.testing.assert_allclose(small.slope(g, rate), difference, atol=1e-13)


def test_factors_of_the_matrices() -> None:
    of_K, of_J, of_R, of_T, of_C = cell_factors([2.0, 4.0], 0.3)
    np.testing.assert_allclose(of_K, [0.25, 0.0625])
    np.testing.assert_allclose(of_J, [0.3, 0.3])
    np.testing.assert_allclose(of_R, [1.0, 1.0])
    np.testing.assert_allclose(of_T, [0.5, 0.25])
    np.testing.assert_allclose(of_C, [0.5, 0.25])
    g, rate = np.array([2.0, -1.0]), np.array([0.5, 3.0])
    linear, quadratic = gradient_factors(g)
    np.testing.assert_array_equal(linear, g)
    np.testing.assert_array_equal(quadratic, [[4, -2], [-2, 1]])
    linear, quadratic = gradient_factors(g, rate)
    np.testing.assert_array_equal(linear, rate)
    np.testing.assert_array_equal(quadratic, [[2, 5.5], [5.5, -6]])


def test_factors_at_many_points() -> None:
    g, rate = np.array([[2.0, -1.0], [1.0, 0.0]]), np.array([[0.5, 3.0], [0.0, 1.0]])
    even, odd = family_factors(g, [2.0, 4.0], 0.3)
    still = [[1 / 4, 0.3, 1, 1 / 2], [1 / 16, 0.3, 1, 1 / 4]]
    np.testing.assert_allclose(even, np.hstack([still, [[4, -2, -2, 1], [1, 0, 0, 0]]]))
    np.testing.assert_allclose(odd, [[1.0, -0.5], [0.25, 0.0]])
    even, odd = family_factors(g, [2.0, 4.0], 0.3, rate)
    np.testing.assert_allclose(even, [[0] * 4 + [2, 5.5, 5.5, -6], [0] * 5 + [1, 1, 0]])
    np.testing.assert_allclose(odd, [[0.25, 1.5], [0.0, 0.25]])


def test_matrices_are_combined_with_i_before_the_antisymmetric_ones() -> None:
    X, Y = np.eye(2)[None], np.array([[[0.0, 1.0], [-1.0, 0.0]]])
    found = combine(np.array([2.0]), np.array([3.0]), X, Y)
    np.testing.assert_array_equal(found, [[2, 3j], [-3j, 2]])


def test_reduced_matrices_are_symmetric_or_antisymmetric(cell: BlochTorrey, W) -> None:
    N, C = galerkin(cell.cell, cell.N, W, 1), galerkin(cell.cell, cell.C, W, -1)
    assert N.shape == (2, 2, 6, 6)
    np.testing.assert_array_equal(N, N.swapaxes(-1, -2))
    np.testing.assert_array_equal(C, -C.swapaxes(-1, -2))
    np.testing.assert_allclose(N[0, 1], W.T @ (cell.cell.matrix(cell.N[0, 1]) @ W), atol=1e-13)
