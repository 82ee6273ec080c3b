"""Projected models against the full system on the same mesh: size, accuracy, stability, estimates.

M du/dt = -A(g) u    against    dw/dt = -W^T A(g) W w
"""

from __future__ import annotations

import numpy as np
import pytest
from support.cells import Cell, discs

from torrey.gradients.waveforms import Pgse
from torrey.models.expansion import expand
from torrey.models.integration import Points, projected_signal
from torrey.models.projection import ProjectedModel, project
from torrey.reference.full import mesh_signal
from torrey.reference.ladder import climb
from torrey.reference.projected import projected_signals

DIRECTION = (0.0, 1.0)
DISC_020 = discs((0.5, 0.5, 0.2), size=0.1)
DISC_040 = discs((0.5, 0.5, 0.4), size=0.1)
FOUR = discs(
    (0.28, 0.30, 0.24), (0.75, 0.28, 0.18), (0.72, 0.72, 0.21), (0.25, 0.78, 0.14), size=0.1
)
#: Period (um), permeability (um/ms), sequence and b (ms/um^2), from figures 4, 6 and 8 of KL23.
IN_SMALL_DISC = [
    (L, 0.02 * L, Pgse(5.0, Delta), b)
    for L in (1.0, 3.0, 10.0)
    for Delta, b in ((15.0, 0.85), (30.0, 2.5), (30.0, 4.0))
]
IN_LARGE_DISC = [
    (10.0, kappa, Pgse(5.0, Delta), b)
    for kappa in (0.05, 0.1)
    for Delta in (25.0, 50.0)
    for b in (1.0, 4.0)
]
IN_FOUR_DISCS = [
    (2.0, kappa, Pgse(5.0, Delta), b)
    for kappa in (0.3, 0.6)
    for Delta in (5.0, 15.0)
    for b in (2.0, 4.0)
]


def worst(cell: Cell, model: ProjectedModel, points: list) -> float:
    """Largest relative difference from the full system."""
    differences = []
    for period, kappa, waveform, b in points:
        q = waveform.q_of_b(b)
        full = mesh_signal(cell.system(0, period, kappa, DIRECTION), waveform, q, 96).real
        found = projected_signal(model, waveform, Points.of(q, period, kappa / period), 96)
        differences.append(abs(found[0] - full) / full)
    return max(differences)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("cell", "points", "rung", "most"),
    [(DISC_020, IN_SMALL_DISC, 6, 50), (DISC_040, IN_LARGE_DISC, 6, 50)],
)
def test_fifty_vectors_are_enough_for_one_cell(cell, points, rung, most):
    model = climb(cell.operators(0), DIRECTION, rung)
    assert len(model.start) <= most
    assert worst(cell, model, points) <= 1e-6


@pytest.mark.slow
def test_130_vectors_are_enough_for_four_cells():
    for model in (
        project(FOUR.operators(0), DIRECTION, 6),
        climb(FOUR.operators(0), DIRECTION, 6),
    ):
        assert len(model.start) <= 130
        assert worst(FOUR, model, IN_FOUR_DISCS) <= 1e-6


def random_points(count: int, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """L from 0.5 to 50 um, kappa from 0 to 1e-3 m/s, b to 10,000 s/mm^2."""
    rng = np.random.default_rng(seed)
    L = np.exp(rng.uniform(np.log(0.5), np.log(50.0), count))
    kappa = np.where(rng.random(count) < 0.1, 0.0, 10 ** rng.uniform(-4.0, 0.0, count))
    return L, kappa, rng.uniform(0.0, 10.0, count)


def test_no_norm_ever_grows():
    # projected_signal is infinite where a norm has grown in a step.
    waveform = Pgse(5.0, 25.0)
    L, kappa, b = random_points(1000, seed=2)
    q = np.sqrt(b / waveform.b_factor)
    operators = DISC_040.operators(0)
    points = Points.of(q, L, kappa / L)
    r2 = expand(operators, DIRECTION, 2).model
    unstable = r2.stability(waveform, q, L, kappa / L).amplification > 1.01
    assert unstable.sum() > 250
    for order in (2, 4):
        found = projected_signal(project(operators, DIRECTION, order), waveform, points, 48)
        assert np.all(np.isfinite(found))
        assert np.all(np.abs(found) <= 1.0)
    far = np.flatnonzero(unstable)[:5]
    r2 = expand(operators, DIRECTION, 2).model
    signals = r2.signal(waveform, q[far] * 3, 20.0, kappa[far] / 20.0)
    assert not np.all(np.abs(signals) <= 1.0)


@pytest.mark.slow
def test_estimates_hold_at_random_points():
    waveform = Pgse(2.0, 20.0)
    L, kappa, b = random_points(36, seed=8)
    q = np.sqrt(b / waveform.b_factor)
    ladder = climb(DISC_040.operators(0), DIRECTION, 11)
    # The same ladder twice: no error in space, as on the one mesh of the full system.
    found = projected_signals([ladder] * 2, waveform, Points.of(q, L, kappa / L), 1e-4)
    within = []
    for i in np.flatnonzero(found.reached):
        system = DISC_040.system(0, L[i], kappa[i], DIRECTION)
        rough, full = (mesh_signal(system, waveform, q[i], steps).real for steps in (32, 64))
        error = abs(found.signal[i] - full)
        assert error <= 1e-4 * full
        within.append(error <= found.error[i] + abs(full - rough) / 5)
    assert len(within) > 27
    assert all(within)
