"""The Bloch-Torrey spectrum: isolated intervals, obstacles, and free space, which has none."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.optimize import brentq
from support.cells import Cell, layers

from torrey.bloch import laws
from torrey.bloch.branches import follow
from torrey.bloch.eigenmodes import eigenmode, product
from torrey.bloch.folded_basis import folded_models, road
from torrey.bloch.shared_bands import folded_bands
from torrey.bloch.spectrum import Crossing, bands, solver, spectrum, wrap
from torrey.bloch.spectrum_runs import run_modes
from torrey.geometry import Disc, Discs

WALL = layers((1.0,), (1.0,), size=0.1)
OBSTACLE = Cell(Discs((Disc((0.5, 0.5), 0.4),), interior="obstacle"), (1.0,), 0.12)
FREE = Cell(Discs(()), (1.0,), 0.2)
UNEVEN = Cell(
    Discs((Disc((0.35, 0.5), 0.3), Disc((0.85, 0.6), 0.12)), interior="obstacle"), (1.0,), 0.15
)


@cache
def tools(cell, k=(1, 0), count=60, offset=None, period=1.0, levels=(0, 1)):
    operators = [cell.operators(level) for level in levels]
    return solver(operators, period, 0.0, k, count, offset)


def interval(gradient, size=40):
    """Eigenvalues of -d^2/dx^2 - i G x between walls at +-1/2, in cosines."""
    n = np.arange(size)
    odd = (n[:, None] + n) % 2 == 1
    difference = np.where(odd, n[:, None] - n, 1.0)
    total = np.where(odd, n[:, None] + n, 1.0)
    x = np.where(odd, -2.0 / np.pi**2 * (difference**-2.0 + total**-2.0), 0.0)
    norm = np.where(n == 0, np.sqrt(0.5), 1.0)
    values = np.linalg.eigvals(np.diag((np.pi * n) ** 2) - 1j * gradient * x * np.outer(norm, norm))
    return values[np.argsort(values.real)]


@pytest.mark.parametrize("gradient", [5.0, 18.2, 60.0])
def test_walls_that_nothing_passes_have_the_spectrum_of_an_interval(gradient):
    found = tools(WALL, (1,), 30, levels=(1, 2)).confirmed(gradient)
    # The interval lies between the centres of two cells: half a step away.
    exact = interval(gradient) + 0.5j * gradient
    for mu, error in zip(found.eigenvalues[:4], [2e-4, 2e-4, 2e-3, 2e-3], strict=False):
        apart = np.abs(wrap(exact - mu, found.step)).min()
        assert apart < error * max(1.0, abs(mu.real))


def test_branching_point_of_an_interval_is_located_to_three_digits():
    def gap(gradient):
        values = interval(gradient)[:2]
        return ((values[0] - values[1]) ** 2).real

    exact = brentq(gap, 15.0, 20.0)
    found = follow(tools(WALL, (1,), 30, levels=(1, 2)), np.linspace(10.0, 30.0, 9), 2)
    (point,) = found.points
    print(exact, point)
    assert point.gradient == pytest.approx(exact, rel=2e-4)


def test_modes_two_and_three_of_the_obstacle_branch_between_two_gradients():
    """MMG20 figures 8 and 10: at l_g / a = 0.3 and 0.2."""
    before, after = (tools(OBSTACLE).confirmed(length**-3) for length in (0.3, 0.2))
    first, second = before.eigenvalues[1:3]
    assert second.real - first.real > 5.0
    # The mesh is not symmetric.
    assert np.abs([first.imag, second.imag]).max() < 1e-3
    first, second = after.eigenvalues[1:3]
    assert first == pytest.approx(np.conj(second), rel=1e-4)
    assert abs(first.imag) > 10.0


@pytest.mark.slow
def test_a_pair_has_the_same_numbers_in_both_figures():
    """MMG20 4.5 (ii): v_2 is on the left of the obstacle, so that Im mu_2 = -G <x> > 0."""
    found = follow(tools(OBSTACLE), [40.0, 55.0, 70.0], 3)
    assert [point.branches for point in found.points] == [(1, 2)]
    first, second = found.eigenvalues[1:, -1]
    assert first == pytest.approx(np.conj(second), rel=1e-3)
    levels = [OBSTACLE.operators(level) for level in (0, 1)]
    modes = run_modes(levels, OBSTACLE.mesh(1), 1.0, 0.0, (1, 0), [70.0, 230.0], 4, reach=0)
    assert_allclose(found.eigenvalues[1:, -1], modes.eigenvalue[0, 1:3], rtol=1e-3)
    # Here others are lower.
    first_of_pair, second_of_pair = modes.eigenvalue[1, 2:]
    assert first_of_pair == pytest.approx(np.conj(second_of_pair), rel=1e-3)
    assert first_of_pair.imag > 60.0
    assert first.imag > 5.0
    # Numbers do not change where branches do not meet.
    assert found.eigenvalues[1, 0].real < found.eigenvalues[2, 0].real - 5.0


def test_two_eigenvalues_part_like_a_square_root():
    """MMG20 appendix C: (C.6), (C.7), and the eigenvectors that become one."""
    solve = tools(OBSTACLE)
    (point,) = (p for p in follow(solve, np.linspace(40.0, 55.0, 7), 4).points)
    found = []
    for x in (0.02, 0.01, 0.005):
        for sign in (-1.0, 1.0):
            at = spectrum(solve.crossing, point.gradient * (1.0 + sign * x))
            near = np.argsort(np.abs(wrap(at.eigenvalues - point.eigenvalue, at.step)))[:2]
            first, second = at.eigenvalues[near]
            overlap = abs(np.vdot(at.right[:, near[0]], at.right[:, near[1]]))
            found.append(((first - second) ** 2 / (sign * x), (1.0 - overlap**2) / x))
    slopes, angles = np.array(found).T
    # d(g) crosses zero with a slope: twice the difference is real before and imaginary after.
    assert np.all(slopes.real < 0.0)
    assert_allclose(slopes.imag, 0.0, atol=2e-2 * abs(slopes).max())
    means = slopes.real.reshape(3, 2).mean(axis=1)
    assert_allclose(means[1:], means[0], rtol=1e-3)
    # The sine of the angle between both falls like the square root too.
    assert_allclose(angles.real.reshape(3, 2)[1:], angles.real[:2][None].repeat(2, 0), rtol=0.1)


@pytest.mark.parametrize("gradient", [60.0, 300.0])
def test_narrow_pulses_change_all_eigenvalues_by_one_factor(gradient):
    """By (2 pi^3 / 3) / P^2 (l_g / a)^3, 20.7 times what MMG20 (46) prints."""
    solve = tools(OBSTACLE)
    crossing = Crossing(solve.crossing.model, (1, 0), steps=64)
    exact = spectrum(crossing, gradient).eigenvalues[:4]
    tau = 2.0 * np.pi / gradient
    printed = np.array([P**-2.0 / gradient for P in (12, 24, 48)])
    changes = []
    for P in (12, 24, 48):
        sets = folded_bands(crossing.model, OBSTACLE.operators(1), 0.0, (1, 0), P)
        T = np.eye(crossing.model.rank, dtype=complex)
        for p in sets.line.width * (np.arange(P) / P - 0.5):
            rates, y = sets.eigenpairs(p)
            T = (y * np.exp(-tau / P * rates)) @ (y.conj().T @ T)
        values = np.linalg.eigvals(crossing.fold @ T)
        mu = np.conj(-np.log(values[np.argsort(-np.abs(values))][:20])) / tau
        apart = wrap(mu[None] - exact[:, None], gradient)
        apart = np.take_along_axis(apart, np.abs(apart).argmin(axis=1)[:, None], axis=1)[:, 0]
        changes.append(-np.expm1(-tau * apart))
    factors = np.real(changes) / printed[:, None]
    law = laws.eigenvalue_error(48, gradient ** (-1 / 3), 1.0) / printed[-1]
    assert law == pytest.approx(2 * np.pi**3 / 3, rel=1e-3)
    assert_allclose(factors[-1], law, rtol=0.06)
    assert np.all(np.abs(factors[0] / law - 1.0) < 0.15)


@pytest.mark.slow
def test_branching_points_do_not_depend_on_the_mesh():
    coarse, fine = (
        follow(tools(OBSTACLE, levels=levels), np.linspace(10.0, 230.0, 23), 9).points
        for levels in ((0, 1), (1, 2))
    )
    print(coarse, fine)
    assert len(fine) >= 3
    assert_allclose([p.gradient for p in coarse], [p.gradient for p in fine], rtol=1e-3)


def test_eigenvalues_tend_to_the_means_of_the_bands():
    """MMG20 (58)."""
    solve = tools(OBSTACLE)
    _, _, means = bands(solve.crossing, 2)
    gradients = np.array([0.25, 0.5, 1.0])
    fine = Crossing(solve.crossing.model, (1, 0), steps=128)
    lowest = np.array([spectrum(fine, g).eigenvalues[0].real for g in gradients])
    gaps = lowest - means[0]
    print(gaps, means[0])
    assert abs(gaps[0]) < 1e-3 * means[0]
    # The approach is quadratic in the gradient.
    assert_allclose(gaps[1:] / gaps[:-1], 4.0, rtol=0.1)


@pytest.mark.parametrize("gradient", [1.0, 10.0, 37.0, 60.0, 125.0, 300.0, 1000.0])
def test_free_space_has_no_spectrum(gradient):
    found = tools(FREE, levels=(1, 2), count=50).confirmed(gradient)
    assert len(found.eigenvalues) == 0


@pytest.mark.slow
def test_free_space_has_no_spectrum_along_a_diagonal_either():
    solve = tools(FREE, (1, 1), 50, levels=(1, 2))
    assert all(len(solve.confirmed(g).eigenvalues) == 0 for g in (5.0, 50.0, 200.0))


def test_the_operator_dissipates_and_no_eigenvalue_lies_above_the_floor():
    for gradient in (3.0, 40.0, 400.0):
        found = tools(OBSTACLE).confirmed(gradient)
        assert len(found.eigenvalues)
        assert found.eigenvalues.real.min() >= 0.0
        assert found.eigenvalues.real.max() <= found.floor


@pytest.mark.slow
def test_the_spectrum_does_not_depend_on_the_pseudo_periodicity():
    """MMG20 after (45): another p moves the place where the wave vector is folded."""
    solve = tools(OBSTACLE, levels=(1, 2))
    operators = OBSTACLE.operators(2)
    shifted = tuple((s, 0.0) for s in (-0.25, -0.05, 0.15, 0.35, 0.55, 0.75))
    model, _ = folded_models(operators, 1.0, 0.0, shifted, 60, [(1, 0)])
    other = Crossing(model, (1, 0), (0.25, 0.0))
    for gradient in (15.0, 125.0):
        known = solve.confirmed(gradient).eigenvalues[:4]
        found = spectrum(other, gradient)
        apart = np.abs(wrap(known[:, None] - found.eigenvalues[None], found.step)).min(axis=1)
        print(apart)
        assert np.all(apart < 2e-4 * np.abs(known.real))


def test_the_wave_number_across_the_gradient_does_matter():
    """MMG20 (41): the spectrum is made of bands in p_y."""
    operators = OBSTACLE.operators(1)
    model, _ = folded_models(operators, 1.0, 0.0, road((1, 0), (0.0, 0.3)), 60, [(1, 0)])
    turned = spectrum(Crossing(model, (1, 0), (0.0, 0.3)), 40.0).eigenvalues[0].real
    straight = spectrum(tools(OBSTACLE).crossing, 40.0).eigenvalues[0].real
    assert turned > straight + 0.1


@pytest.mark.slow
def test_the_spectrum_scales_with_the_period():
    """mu L^2 / D is a function of (L / l_g)^3."""
    small = tools(OBSTACLE).confirmed(80.0).eigenvalues[:4]
    large = tools(OBSTACLE, period=2.0).confirmed(10.0).eigenvalues[:4]
    assert_allclose(4.0 * np.sort(large.real), np.sort(small.real), rtol=1e-6)


@pytest.mark.parametrize("cell", [OBSTACLE, UNEVEN], ids=["symmetric", "uneven"])
def test_true_modes_obey_the_sum_rules(cell):
    """MMG20 (38)-(40), on modes with the normalisation that propagation gives."""
    solve, gradient = tools(cell), 125.0
    found = solve.confirmed(gradient)
    operators = cell.operators(1)
    weights = operators.mass_matrix @ np.ones(operators.cell.n_dofs)
    shifts = np.array([(i, 0) for i in range(-6, 7)])
    x = shifts[:, :1] + operators.cell.places[:, 0] - 0.5
    modes = [eigenmode(solve.crossing, found, i) for i in range(4)]
    for mode in modes:
        v = mode.values(operators.cell.places, np.arange(len(weights)), shifts)
        density = np.abs(v) ** 2 * weights
        assert density.sum() == pytest.approx(1.0, rel=1e-3)
        # Localised: nothing is left some cells away.
        assert density[np.abs(shifts[:, 0]) > 3].sum() < 1e-7
        assert mode.dissipation() == pytest.approx(mode.eigenvalue.real, rel=2e-4)
        mean = (x * density).sum()
        assert -mode.eigenvalue.imag / gradient == pytest.approx(mean, abs=2e-3)
    for i, first in enumerate(modes):
        for second in modes[:i]:
            assert abs(product(solve.crossing, first.parts, second.parts)) < 1e-4


@pytest.mark.slow
def test_a_cell_without_symmetry_has_no_branching_points():
    found = follow(tools(UNEVEN), np.linspace(20.0, 150.0, 14), 3)
    assert np.isfinite(found.eigenvalues[:2]).all()
    assert found.points == ()
