"""Signals with folded wave vectors: against exact solutions, and against the unfolded system."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
from support.cells import ASYMMETRIC, Cell, layers
from support.intervals import interval_signal
from support.spectral import LayeredCell

from torrey.bloch.folded_basis import everywhere, folded_models, road
from torrey.bloch.folded_signals import (
    FoldingError,
    Propagator,
    converged_signal,
    folded_signal,
    magnetisation,
)
from torrey.cell.folding import Zone
from torrey.cell.system import AffineSystem
from torrey.geometry import Disc, Discs
from torrey.gradients.protocol import Point
from torrey.gradients.waveforms import CosineOgse, DoublePgse, Pgse
from torrey.reference.full import folded_signal as full_signal
from torrey.reference.full import mesh_signal, reference_signal

LAYERS = layers((0.4, 0.6), (2.0, 1.0), size=0.25)
STRIPS = layers((0.3, 0.5, 0.2), (2.0, 1.0, 0.5), dimension=2, size=0.25)
WALL = layers((1.0,), (1.0,), size=0.1)
OBSTACLE = Cell(Discs((Disc((0.5, 0.5), 0.4),), interior="obstacle"), (1.0,), 0.12)
FREE = Cell(Discs(()), (1.0,), 0.2)


def folded_on(cell, level, point, steps):
    operators = cell.operators(level)
    zone = Zone(operators.cell.lattice, point.period)
    system = AffineSystem.at(
        operators, point.period, point.permeability, np.eye(operators.cell.dimension)
    )
    return full_signal(system, zone, point.waveform, point.frame, point.q, steps)


def plain_on(cell, level, point, steps):
    system = AffineSystem.at(cell.operators(level), point.period, point.permeability, point.frame)
    return mesh_signal(system, point.waveform, point.q, steps)


@pytest.mark.slow
@pytest.mark.parametrize("gamma", [20.0, 60.0])
def test_folded_signals_converge_with_order_four_where_unfolded_ones_have_not_begun(gamma):
    period, waveform = 5.0, Pgse(0.2, 0.6)
    point = Point(period, 0.05, waveform, gamma / period, (1.0,))
    exact = LayeredCell((0.4, 0.6), (2.0, 1.0), period, 0.05, points=30).signal(waveform, point.q)
    errors = [abs(folded_on(LAYERS, level, point, 48) / exact - 1) for level in (1, 2, 3)]
    plain = abs(plain_on(LAYERS, 3, point, 48) / exact - 1)
    print(errors, plain)
    assert errors[-1] < 2e-4
    assert plain > 30 * errors[-1]
    orders = np.log2(np.array(errors[:-1]) / errors[1:])
    assert np.all(orders > 3.7)


@pytest.mark.parametrize(
    ("waveform", "gamma"),
    [
        (Pgse(1.0, 3.0), 10.0),
        pytest.param(CosineOgse(2.0, 2.5, 1), 9.0, marks=pytest.mark.slow),
        pytest.param(DoublePgse(0.5, 1, 0.3, 70), 8.0, marks=pytest.mark.slow),
    ],
    ids=["pgse", "ogse", "double"],
)
def test_folded_signals_agree_with_exact_ones_for_any_waveform_and_direction(waveform, gamma):
    period = 5.0
    point = Point(period, 0.05, waveform, gamma / period, (0.8, 0.6))
    if waveform.n_components == 1:
        cell = LayeredCell((0.3, 0.5, 0.2), (2.0, 1.0, 0.5), period, 0.05, (0.8, 0.6), 24)
        exact = cell.signal(waveform, point.q)
    else:
        exact = plain_on(STRIPS, 2, point, 48)
    errors = [abs(folded_on(STRIPS, level, point, 48) - exact) for level in (0, 1)]
    print(abs(exact), errors)
    assert errors[1] < 2e-4 * abs(exact)
    assert errors[1] < errors[0] / 6


@pytest.mark.slow
@pytest.mark.parametrize("gamma", [8.0, 10.0])
def test_the_reference_is_the_same_with_and_without_folding(gamma):
    point = Point(4.0, 0.1, Pgse(1.0, 2.5), gamma / 4.0, (0.6, -0.8))
    result = reference_signal(ASYMMETRIC.levels(3), point, 1e-4)
    fine, finer = (plain_on(ASYMMETRIC, level, point, 48) for level in (1, 2))
    unfolded = finer + (finer - fine) / 15.0
    print(result, abs(result.signal - unfolded))
    assert abs(result.signal - unfolded) <= result.error
    assert result.error <= 1e-4 * abs(result.signal)
    # What models on the coarsest mesh are compared with is not folded.
    assert abs(result.coarse_signal - plain_on(ASYMMETRIC, 0, point, 96)) < 1e-6


def test_a_reference_with_uniform_density_is_real_with_folds():
    point = Point(1.0, 0.0, Pgse(0.25, 0.25), 16.0, (1.0, 0.0))
    result = reference_signal(OBSTACLE.levels(3), point, 1e-3)
    assert complex(result.signal).imag == 0.0
    # MMG20 figure 4, top row.
    assert result.signal.real == pytest.approx(0.0514203, rel=1e-3)


@cache
def models(cell, level, k, count, period=1.0, permeability=0.0):
    fine, coarse = folded_models(cell.operators(level), period, permeability, road(k), count, [k])
    return Propagator(fine), Propagator(coarse)


@pytest.mark.parametrize("gamma", [2.0, 20.0])
def test_free_diffusion_is_exact_but_for_the_mesh(gamma):
    waveform, frame = Pgse(0.002, 0.003), np.array([[1.0, 0.0]])
    exact = np.exp(-waveform.b_value(gamma))
    errors = []
    for level in (1, 2):
        fine, coarse = models(FREE, level, (1, 0), 70)
        found = converged_signal(fine, coarse, waveform, frame, gamma, 1e-7)
        errors.append(abs(found.signal - exact))
    print(exact, errors)
    # Without folds the state is a constant, which every mesh holds.
    assert errors[1] < (1e-4 if gamma > np.pi else 1e-7)
    assert gamma < np.pi or errors[1] < errors[0] / 8


def test_a_fold_that_loses_the_state_is_refused():
    fine, _ = models(FREE, 1, (1, 0), 20)
    with pytest.raises(FoldingError, match="changes the norm of the state"):
        folded_signal(fine, Pgse(0.01, 0.012), np.array([[1.0, 0.0]]), 60.0, 16)


@pytest.mark.parametrize("gamma", [12.0, 40.0])
def test_small_systems_reproduce_restricted_diffusion(gamma):
    fine, coarse = models(WALL, 2, (1,), 30)
    found = converged_signal(fine, coarse, Pgse(0.02, 0.05), np.array([[1.0]]), gamma, 1e-6)
    G = gamma / 0.02
    exact = interval_signal(1.0, 1.0, [(0.02, G), (0.03, 0.0), (0.02, -G)], degree=40)
    print(found, exact, abs(found.signal - exact))
    assert abs(found.signal - exact) <= found.basis_error + found.time_error + 2e-4 * abs(exact)
    assert abs(found.signal - exact) < 1e-3 * abs(exact)


@pytest.mark.parametrize(
    ("k", "direction"),
    [((1, 0), (1.0, 0.0)), ((1, 1), (np.sqrt(0.5), np.sqrt(0.5)))],
    ids=["x", "diagonal"],
)
def test_small_systems_reproduce_the_full_one_on_the_same_mesh(k, direction):
    fine, coarse = models(OBSTACLE, 1, k, 60)
    waveform, G = Pgse(0.04, 0.04), 1000.0  # l_g = 0.1, l_delta = 0.2
    frame = np.array([direction])
    found = converged_signal(fine, coarse, waveform, frame, G * 0.04, 1e-5)
    full = folded_on(OBSTACLE, 1, Point(1.0, 0.0, waveform, G * 0.04, direction), 48)
    print(found, full, abs(found.signal / full - 1))
    assert abs(found.signal - full) <= 1e-3 * abs(full)
    assert abs(found.signal - full) <= 2 * (found.basis_error + found.time_error)
    assert 0 < found.loss < 0.01


def test_steps_converge_with_order_four():
    fine, _ = models(OBSTACLE, 1, (1, 0), 60)
    waveform, frame = Pgse(0.04, 0.05), np.array([[1.0, 0.0]])
    values = [folded_signal(fine, waveform, frame, 40.0, n)[0].real for n in (8, 16, 32, 64)]
    changes = np.abs(np.diff(values))
    print(np.log2(changes[:-1] / changes[1:]))
    assert np.log2(changes[-2] / changes[-1]) > 3.3


@pytest.mark.slow
def test_permeable_cells_and_relaxing_compartments_fold_too():
    period, kappa = 4.0, 0.1
    operators = ASYMMETRIC.operators(1)
    fine, coarse = folded_models(operators, period, kappa, everywhere(2), 30)
    point = Point(period, kappa, Pgse(1.0, 2.5), 8.0 / period, (0.6, -0.8))
    found = converged_signal(
        Propagator(fine), Propagator(coarse), point.waveform, point.frame, point.q, 1e-4
    )
    full = plain_on(ASYMMETRIC, 1, point, 48)
    print(found, full)
    assert abs(found.signal - full) < 2e-3 * abs(full)


def test_the_map_of_the_magnetisation_integrates_to_the_signal():
    fine, _ = models(OBSTACLE, 1, (1, 0), 60)
    waveform, frame = Pgse(0.04, 0.04), np.array([[1.0, 0.0]])
    m = magnetisation(fine, waveform, frame, 40.0, 16)
    M = OBSTACLE.operators(1).mass_matrix
    total = np.ones(len(m)) @ (M @ m) / (np.ones(len(m)) @ (M @ np.ones(len(m))))
    halved, _ = folded_signal(fine, waveform, frame, 40.0, 16)
    assert abs(total - halved) < 1e-3 * abs(halved)
