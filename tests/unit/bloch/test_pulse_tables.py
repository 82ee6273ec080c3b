"""Tables of pulses all at once, beside the same signals one by one; and their smaller systems."""

from __future__ import annotations

import numpy as np
import pytest

from torrey.bloch.folded_basis import FoldedModel, folded_models, road
from torrey.bloch.folded_signals import (
    FoldingError,
    Propagator,
    converged_signal,
    decay,
    folded_signal,
)
from torrey.bloch.pulse_tables import Pulses, Road, converged_table
from torrey.bloch.visited import FEWEST_SIGNALS, Case, SignalTable, thinned
from torrey.cell.build import levels
from torrey.cell.material import Material
from torrey.geometry import Disc, Discs, MeshOptions
from torrey.gradients.waveforms import Pgse, TrapezoidalPgse

SHAPE = Discs((Disc((0.5, 0.45), 0.3),))
VECTORS = ((1, 1), (0, -1))
#: Weak ones fold never, strong ones several times; some end at a fold, some on a step.
TURNS = np.array([0.0, 0.2, 0.25, 0.5, 0.5625, 0.9, 1.0, 1.5, 2.13, 3.7])


@pytest.fixture(scope="module", params=VECTORS, ids=str)
def models(request: pytest.FixtureRequest) -> tuple[tuple[int, int], FoldedModel, FoldedModel]:
    k = request.param
    (cell,) = levels(SHAPE, MeshOptions(0.15, 0), Material((2.0, 1.0)))
    return k, *folded_models(cell, 3.0, 0.05, road(k), 20, [k])


def pulses_of(k: tuple[int, int], model: FoldedModel) -> tuple[Pulses, list[Pgse], np.ndarray]:
    width = float(np.linalg.norm(model.zone.vector(k)))
    waveforms = [Pgse(1.0 + 0.1 * i, 1.0 + 0.1 * i + 0.4 * (i % 3)) for i in range(len(TURNS))]
    found = Pulses.of(waveforms, width * TURNS)
    assert found is not None
    return found, waveforms, width * TURNS


@pytest.mark.parametrize("steps", [4, 16])
def test_all_at_once_they_are_what_they_are_one_by_one(models, steps: int) -> None:
    k, model, _ = models
    pulses, waveforms, q = pulses_of(k, model)
    vector = model.zone.vector(k)
    frame = (vector / np.linalg.norm(vector))[None]
    assert Road.fits(model, k, [frame])
    assert not Road.fits(model, k, [frame, -frame])
    found = Road(model, k).signals(pulses, steps)
    alone = Propagator(model)
    expected = [
        folded_signal(alone, w, frame, strength, steps)[0]
        for w, strength in zip(waveforms[1:], q[1:], strict=True)
    ]
    np.testing.assert_allclose(found[1:], np.real(expected), rtol=1e-10)
    assert found[0] == pytest.approx(1.0, abs=1e-12)
    assert found[-1] < 0.5


def test_without_gradient_relaxation_is_left() -> None:
    material = Material((2.0, 1.0), T2=(80.0, 80.0))
    (cell,) = levels(SHAPE, MeshOptions(0.15, 0), material)
    model, _ = folded_models(cell, 3.0, 0.05, road((1, 0)), 20, [(1, 0)])
    pulses = Pulses.of([Pgse(4.0, 10.0)] * 2, [0.0, 1e-3])
    assert pulses is not None
    found = Road(model, (1, 0)).signals(pulses, 4)
    np.testing.assert_allclose(found, np.exp(-14.0 / 80.0), rtol=1e-4)
    assert found[0] == pytest.approx(np.exp(-14.0 / 80.0), rel=1e-10)


def test_doubled_steps_tell_the_error_of_the_steps(models) -> None:
    k, fine, coarse = models
    pulses, _, _ = pulses_of(k, fine)
    found = converged_table(Road(fine, k), Road(coarse, k), pulses, 1e-5)
    better = Road(fine, k).signals(pulses, 128)
    assert np.all(np.abs(found.signal - better) <= found.time_error + 1e-12)
    assert np.all(found.time_error <= 1e-5 * np.abs(found.signal))
    assert np.all(found.basis_error >= 0.0)


def test_weak_gradients_have_steps_enough(models) -> None:
    """A pulse that turns the wave vector by less than a step is not one step."""
    k, fine, coarse = models
    width = float(np.linalg.norm(fine.zone.vector(k)))
    turns = np.array([0.01, 0.03, 0.05, 0.087, 0.113, 0.12, 0.15, 0.18, 0.3])
    waveforms = [Pgse(6.0, 7.0)] * len(turns)
    pulses = Pulses.of(waveforms, width * turns)
    assert pulses is not None
    found = converged_table(Road(fine, k), Road(coarse, k), pulses, 1e-4)
    better = Road(fine, k).signals(pulses, 128)
    assert np.all(np.abs(found.signal - better) <= found.time_error + 1e-12)
    assert np.all(found.time_error > 0.0)
    vector = fine.zone.vector(k)
    frame = (vector / np.linalg.norm(vector))[None]
    propagators = Propagator(fine), Propagator(coarse)
    for row in (1, 7):
        q = float(pulses.q[row])
        one = converged_signal(*propagators, waveforms[row], frame, q, 1e-4)
        assert abs(one.signal - better[row]) <= one.time_error + 1e-12


@pytest.mark.parametrize("order", [1, -1])
def test_tables_of_several_durations_learn_from_all_of_them(models, order: int) -> None:
    k, model, _ = models
    width = float(np.linalg.norm(model.zone.vector(k)))
    q = width * np.repeat([1.2, 1.7, 2.2, 2.6], 8)
    delta = np.resize(np.linspace(1.0, 29.0, 8)[::order], 32)
    pulses = Pulses.of([Pgse(float(d), float(d) + 1.0) for d in delta], q)
    assert pulses is not None
    whole = Road(model, k)
    for tolerance in (1e-3, 1e-4):
        found = thinned(whole, pulses, tolerance)
        for steps in (16, 32):
            missed = np.abs(found.road.signals(pulses, steps) / whole.signals(pulses, steps) - 1.0)
            assert missed.max() <= max(found.error, 1e-9)


@pytest.mark.parametrize("tolerance", [1e-3, 1e-5])
def test_a_smaller_system_misses_what_it_says(models, tolerance: float) -> None:
    k, model, _ = models
    width = float(np.linalg.norm(model.zone.vector(k)))
    q = width * np.linspace(0.05, 2.5, 40)
    pulses = Pulses.of([Pgse(1.0, 1.5)] * 40, q)
    assert pulses is not None
    whole = Road(model, k)
    found = thinned(whole, pulses, tolerance)
    assert found.road.model.rank < 0.8 * model.rank
    missed = np.abs(found.road.signals(pulses, 16) / whole.signals(pulses, 16) - 1.0)
    assert missed.max() <= max(found.error, tolerance)
    few = Pulses(pulses.delta[:5], pulses.pause[:5], pulses.q[:5])
    assert len(few.q) < FEWEST_SIGNALS
    assert thinned(whole, few, tolerance).road is whole


def test_other_waveforms_take_the_way_of_single_signals(models) -> None:
    k, fine, coarse = models
    vector = fine.zone.vector(k)
    frame, width = (vector / np.linalg.norm(vector))[None], float(np.linalg.norm(vector))
    trapezoids = [Case(TrapezoidalPgse(1.0, 2.0, 0.2), frame, width * s) for s in (0.3, 1.2)]
    pulses = [Case(Pgse(1.0, 2.0), frame, width * s) for s in (0.3, 1.2)]
    assert Pulses.of([case.waveform for case in trapezoids], [1.0, 2.0]) is None
    for cases in (trapezoids, pulses):
        table = SignalTable(fine, coarse, k, cases, 1e-4)
        found = table.converged()
        again, change = table.again(found.steps)
        np.testing.assert_allclose(again, found.signal, rtol=1e-12)
        np.testing.assert_allclose(change, found.basis_error, rtol=1e-9, atol=1e-15)
        for case, signal in zip(cases, found.signal, strict=True):
            single = folded_signal(Propagator(fine), case.waveform, frame, case.q, 32)[0]
            assert abs(signal - single) < 2e-4 * abs(single)


def test_what_no_basis_resolves_is_refused(models) -> None:
    k, _, _ = models
    (cell,) = levels(SHAPE, MeshOptions(0.15, 0), Material((2.0, 1.0)))
    poor, _ = folded_models(cell, 3.0, 0.05, road(k), 4, [k])
    width = float(np.linalg.norm(poor.zone.vector(k)))
    pulses = Pulses.of([Pgse(1e-3, 2e-3)], [4.0 * width])
    assert pulses is not None
    with pytest.raises(FoldingError, match="a fold changes the norm"):
        Road(poor, k).signals(pulses, 8)


@pytest.mark.parametrize("duration", [0.0, 1e-4, 1e-2, 1.0, 50.0])
def test_decays_without_eigenvectors(duration: float) -> None:
    rng = np.random.default_rng(5)
    X = rng.standard_normal((30, 30)) + 1j * rng.standard_normal((30, 30))
    A, c = X @ X.conj().T, rng.standard_normal((30, 2)) + 0j
    values, vectors = np.linalg.eigh(A)
    expected = vectors @ (np.exp(-duration * values)[:, None] * (vectors.conj().T @ c))
    np.testing.assert_allclose(decay(A, duration, c), expected, atol=1e-12)
