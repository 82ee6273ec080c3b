"""D(t), K(t), D(omega) and exchange against exact series, laws of short times, and random barriers.

For the formulae see `torrey.bloch.dispersion`.
"""

from __future__ import annotations

import numpy as np
import pytest
from support import confined
from support.cells import DISC, LARGE_DISC, Cell, discs, layers

from torrey.bloch import dispersion
from torrey.bloch.dispersion import (
    Dispersion,
    exchange_rates,
    karger_rates,
    run_dispersion,
    wall_slope,
)
from torrey.cell.material import Material
from torrey.cell.operators import BlochTorrey, bloch_torrey
from torrey.geometry import Layers
from torrey.models.tensors import papers_tensors

ALONG_X = [np.array([1.0, 0.0])]


def run(
    levels: list[BlochTorrey], L: float, kappa: float, t: np.ndarray, f: np.ndarray
) -> Dispersion:
    n = np.eye(levels[0].cell.dimension)[:1]
    return run_dispersion(levels, L, kappa, list(n), list(t), list(f))


def of_cell(cell: Cell, L: float, kappa: float, t: np.ndarray, f: np.ndarray) -> Dispersion:
    return run([cell.operators(0), cell.operators(1)], L, kappa, t, f)


def test_water_between_walls_spreads_as_its_series_says():
    """<x^2> = a^2/6 (1 - 96/pi^4 sum over odd k of exp(-(pi k/a)^2 D t)/k^4) in an interval."""
    a, D = 5.0, 2.0
    cell = layers((0.5, 0.5), (D, D), size=0.02)
    t = np.geomspace(0.1, 300.0, 9)
    found = of_cell(cell, 2 * a, 0.0, t, np.array([0.01, 1.0]))
    k = np.arange(1, 400, 2)[:, None]
    fade = (np.exp(-((np.pi * k / a) ** 2) * D * t) / k**4).sum(axis=0)
    exact = a**2 / 6 * (1 - 96 / np.pi**4 * fade) / (2 * t)
    np.testing.assert_allclose(found.D_time[0], exact, rtol=1e-6)
    assert np.all(np.abs(found.D_time[0] - exact) <= found.D_time_error[0])
    assert abs(found.D_slow[0]) <= found.D_slow_error[0] + 1e-9
    # Two independent places, uniform on the interval.
    late = found.K_time[0, -1]
    assert late == pytest.approx(a**4 / 15 / (a**2 / 6) ** 2 - 3.0, abs=1e-6)


def test_water_in_a_disc_spreads_as_its_series_says():
    cell = discs((0.5, 0.5, 0.4), size=0.1)
    levels = [bloch_torrey(cell.operators(k).cell.restrict([1]), Material((1.7,))) for k in (1, 2)]
    t = np.geomspace(0.3, 100.0, 7)
    found = run(levels, 10.0, 0.0, t, np.array([0.01]))
    exact = confined.diffusivity_of_time(2, 4.0, 1.7, t)
    np.testing.assert_allclose(found.D_time[0], exact, atol=1e-6 * 1.7)
    assert np.all(np.abs(found.D_time[0] - exact) <= found.D_time_error[0] + 1e-9)
    assert found.D_fast[0] == pytest.approx(1.7, rel=1e-12)


@pytest.mark.parametrize(
    ("cell", "surface"),
    [
        (layers((0.4, 0.6), (2.0, 2.0), size=0.005), 2 * 2 / 12.0),
        pytest.param(discs((0.5, 0.5, 0.3), size=0.03), None, marks=pytest.mark.slow),
    ],
    ids=["walls", "disc"],
)
def test_short_times_see_the_surface(cell, surface):
    """D(t) = D_0 (1 - 4/(3 d sqrt(pi)) (S/V) sqrt(D_0 t)) for one D_0; per side otherwise."""
    L, d = 12.0, cell.operators(0).cell.dimension
    t = np.array([0.1, 0.2, 0.4]) if d == 1 else np.array([0.2, 0.4, 0.8])
    f = np.array([2.0, 4.0]) if d == 1 else np.array([0.4, 0.8])
    found = of_cell(cell, L, 0.0, t, f)
    slope = found.wall_slope
    if surface is not None:
        assert slope == pytest.approx(4 / (3 * np.sqrt(np.pi)) * surface * 2.0**1.5, rel=1e-9)
    else:
        area, shares = 2 * np.pi * 0.3 / L, (3.0**1.5 + 1.7**1.5)
        assert slope == pytest.approx(4 / (6 * np.sqrt(np.pi)) * area * shares, rel=1e-4)
    assert found.time_resolved.all()
    reduction = (found.D_fast[0] - found.D_time[0]) / (slope * np.sqrt(t))
    # Flat walls: exponentially exact. Round ones: the curvature comes with another sqrt(t).
    if d == 1:
        np.testing.assert_allclose(reduction, 1.0, atol=1e-4)
    else:
        orders = np.diff(np.log(1.0 - reduction)) / np.diff(np.log(t))
        assert 1.0 - reduction[0] < 0.04
        np.testing.assert_allclose(orders, 0.5, atol=0.05)
    gap = 3.0 * np.sqrt(np.pi / 2.0) / 4.0 / np.sqrt(2 * np.pi * f)
    ratio = (found.D_fast[0] - found.D_frequency[0]) / (slope * gap)
    np.testing.assert_allclose(ratio, 1.0, atol=0.001 if d == 1 else 0.03)


@pytest.mark.parametrize("kappa", [0.0, 0.05])
def test_long_times_and_low_frequencies_see_the_homogenised_cell(kappa):
    t, f = np.geomspace(1e2, 1e4, 3), np.array([1e-6, 1e-3])
    found = of_cell(LARGE_DISC, 10.0, kappa, t, f)
    tensors = papers_tensors(LARGE_DISC.operators(1))
    closed = float(tensors.measures @ tensors.D[:, 0, 0])
    if kappa == 0.0:
        assert found.D_slow[0] == pytest.approx(closed, rel=1e-7)
        D = tensors.D[:, 0, 0]
        variance = float(tensors.measures @ D**2) - closed**2
        assert found.K_time[0, -1] == pytest.approx(3 * variance / closed**2, rel=1e-3)
    else:
        assert found.D_slow[0] > 1.1 * closed
        assert found.K_time[0, -1] < 0.02
    assert found.D_frequency[0, 0] == pytest.approx(found.D_slow[0], rel=1e-7)
    # D(t) - D(0) falls like 1/t.
    gaps = found.D_time[0] - found.D_slow[0]
    np.testing.assert_allclose(gaps[:-1] / gaps[1:], 10.0, rtol=2e-3)


def test_layers_with_membranes_conduct_like_resistances_in_a_row():
    thicknesses, D, kappa, L = np.array([0.3, 0.7]), np.array([2.0, 1.0]), 0.05, 8.0
    cell = layers(tuple(thicknesses), tuple(D))
    found = of_cell(cell, L, kappa, np.array([1.0]), np.array([0.1]))
    resistance = L * (thicknesses / D).sum() + 2 / kappa
    assert found.D_slow[0] == pytest.approx(L / resistance, rel=1e-7)
    assert found.D_fast[0] == pytest.approx(thicknesses @ D, rel=1e-12)


def test_the_rate_of_exchange_tends_to_that_of_karger():
    """Relative difference of the order L^2 at fixed kappa/L; the exact rate is the smaller one."""
    operators = DISC.operators(1)
    sigma, periods = 0.01, np.array([1.0, 2.0, 4.0, 8.0])
    gaps = []
    for L in periods:
        found = run(
            [DISC.operators(0), operators], float(L), sigma * L, np.array([1.0]), np.array([0.1])
        )
        measures = operators.cell.measures()
        eta = sigma * 2 * np.pi * 0.2 / measures
        np.testing.assert_allclose(found.karger_rate, eta.sum(), rtol=1e-5)
        np.testing.assert_allclose(karger_rates(operators, float(L), sigma * L), found.karger_rate)
        assert found.rate_error[0] < 1e-4 * found.rate[0]
        gaps.append(1 - found.rate[0] / found.karger_rate[0])
    orders = np.diff(np.log(gaps)) / np.diff(np.log(periods))
    assert min(gaps) > 0
    np.testing.assert_allclose(orders, 2.0, atol=0.05)


def barriers(gaps: np.ndarray) -> Cell:
    """A line of D = 1 with membranes between intervals."""
    shares = tuple(gaps / gaps.sum())
    return Cell(Layers(shares, 1), (1.0,) * len(gaps), size=0.5)


@pytest.mark.slow
def test_random_barriers_leave_a_square_root_and_a_lattice_none():
    """Re D(omega) - D(0) goes with sqrt(omega) for barriers at random (Novikov et al. 2011)."""
    count, kappa = 400, 1.0
    # Slower than the time from barrier to barrier (1 ms), and much faster than through the cell.
    f, t = np.geomspace(8e-4, 5e-3, 6), np.array([1.0])
    random, found = np.random.default_rng(1), []
    for _ in range(16):
        gaps = 0.45 + random.exponential(0.55, count)
        found.append(of_cell(barriers(gaps), float(gaps.sum()), kappa, t, f))
        in_a_row = 1.0 / (1.0 + 1.0 / (kappa * gaps.mean()))
        assert found[-1].D_slow[0] == pytest.approx(in_a_row, rel=1e-6)
    excess = np.mean([x.D_frequency[0] - x.D_slow[0] for x in found], axis=0)
    assert np.polyfit(np.log(f), np.log(excess), 1)[0] == pytest.approx(0.5, abs=0.06)
    lattice = of_cell(barriers(np.ones(count)), float(count), kappa, t, f)
    regular = lattice.D_frequency[0] - lattice.D_slow[0]
    assert np.polyfit(np.log(f), np.log(regular), 1)[0] == pytest.approx(2.0, abs=0.05)


@pytest.mark.parametrize(("L", "kappa"), [(15.0, 0.0), (15.0, 0.05), (20.0, 0.005), (30.0, 0.0)])
def test_errors_hold_what_a_much_larger_basis_changes(L, kappa, monkeypatch):
    # One mesh twice changes nothing: what is left of the error is that of the basis.
    operators = layers((0.3, 0.7), (2.0, 1.0), size=0.02).operators(0)
    t, f = np.array([1.0, 3.0, 10.0, 30.0, 100.0]), np.array([1e-3, 1e-2, 0.1])
    found = run([operators] * 2, L, kappa, t, f)
    monkeypatch.setattr(dispersion, "_OF_D", dispersion._OF_D + 1)
    monkeypatch.setattr(dispersion, "_OF_K", dispersion._OF_K + 1)
    better = run([operators] * 2, L, kappa, t, f)
    for name in ("D_time", "K_time", "D_frequency", "D_slow"):
        change = np.abs(getattr(found, name) - getattr(better, name))
        assert np.all(change <= getattr(found, f"{name}_error") + 1e-9)
    assert found.time_resolved.sum() >= 2


def test_rates_of_exchange_are_found_once_for_all_directions(monkeypatch):
    calls = []

    def counted(*args):
        calls.append(args)
        return exchange_rates(*args)

    monkeypatch.setattr(dispersion, "exchange_rates", counted)
    levels, n = [DISC.operators(0), DISC.operators(1)], list(np.eye(2))
    found = run_dispersion(levels, 4.0, 0.05, n, [1.0], [0.1])
    assert len(calls) == 2
    assert found.rate.shape == found.rate_error.shape == (1,)
    assert found.D_slow[0] == pytest.approx(found.D_slow[1], rel=1e-4)


def test_what_the_mesh_does_not_resolve_is_said():
    t, f = np.array([1e-3, 1.0, 30.0]), np.array([1e-3, 100.0])
    found = of_cell(LARGE_DISC, 20.0, 0.05, t, f)
    assert found.time_resolved.tolist() == [0, 0, 1]
    assert found.frequency_resolved.tolist() == [1, 0]
    law = found.wall_slope * np.sqrt(t)
    assert np.all(found.D_time_error[0, :2] >= law[:2])
    assert found.D_time_error[0, 2] < 1e-3
    assert wall_slope(LARGE_DISC.operators(1), 20.0) == pytest.approx(found.wall_slope)
