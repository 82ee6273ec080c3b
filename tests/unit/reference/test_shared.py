"""Projected references that share the first pulse, beside those integrated step by step."""

from __future__ import annotations

import numpy as np
import pytest

from torrey.cell.build import levels
from torrey.cell.material import Material
from torrey.cell.operators import BlochTorrey
from torrey.geometry import Disc, Discs, Layers, MeshOptions
from torrey.gradients.waveforms import (
    CosineOgse,
    DoublePgse,
    Pgse,
    StimulatedEcho,
    TrapezoidalPgse,
    Waveform,
)
from torrey.models.integration import Points, common_decay, projected_signal
from torrey.models.openings import OpenedCell, opening_of
from torrey.models.projection import ProjectedModel
from torrey.reference.ladder import climb
from torrey.reference.projected import projected_signals
from torrey.reference.tables import Table, table_signals

#: Steps per ramp, of Rodas5P, whose doubling changes less than 1e-8.
FINE = 128
SLOW = pytest.mark.slow


def ladders_of(meshes: list[BlochTorrey], direction: tuple[float, ...], height: int):
    return [climb(operators, direction, height) for operators in meshes]


@pytest.fixture(scope="module")
def layers() -> list[ProjectedModel]:
    cells = levels(Layers((0.55, 0.45)), MeshOptions(0.05, 1), Material((2.0, 1.2)))
    return ladders_of(cells, (1.0,), 9)


@pytest.fixture(scope="module")
def dense_discs() -> list[ProjectedModel]:
    """No centre of symmetry, densities that differ, water that relaxes: S is not real."""
    shape = Discs((Disc((0.4, 0.55), 0.3), Disc((0.85, 0.1), 0.12)))
    material = Material((3.0, 1.7, 1.0), density=(1.0, 0.6, 0.3), T2=(80.0, 40.0, 30.0))
    return ladders_of(levels(shape, MeshOptions(0.25, 1), material), (0.6, 0.8), 7)


def opened(model: ProjectedModel, waveform: Waveform, L: float, sigma: float, q: np.ndarray):
    """Signals with an opening, to rounding."""
    opening, tau = opening_of(waveform)
    cell = OpenedCell(model.bare, opening, L, sigma, q)
    states, error = cell.states(1e-13, 28)
    values = cell.signals(states, np.array([tau]), 1e-12)[:, 0]
    return values * common_decay(model.axial, waveform, q), error


@pytest.mark.parametrize(
    "waveform",
    [
        Pgse(5.0, 20.0),
        Pgse(5.0, 5.0),
        TrapezoidalPgse(4.0, 12.0, 1.0),
        StimulatedEcho(3.0, 30.0, 3.0),
        pytest.param(CosineOgse(10.0, 15.0, 1.0), marks=SLOW),
    ],
    ids=lambda waveform: waveform.label,
)
@pytest.mark.parametrize(("L", "kappa"), [(2.0, 1.0), (8.0, 0.02), (20.0, 0.0)])
def test_signals_are_those_of_small_steps(layers, waveform, L, kappa):
    model = layers[0].truncate(5)
    q = np.array([waveform.q_of_b(b) for b in (0.0, 0.3, 2.0, 6.0)])
    found, _ = opened(model, waveform, L, kappa / L, q)
    steps = projected_signal(model, waveform, Points.of(q, L, kappa / L), FINE)
    np.testing.assert_allclose(found, steps, rtol=1e-6, atol=1e-11)


def test_signals_that_are_not_real(dense_discs):
    model, waveform = dense_discs[0].truncate(4), Pgse(6.0, 15.0)
    q = np.array([waveform.q_of_b(b) for b in (0.3, 3.0)])
    found, _ = opened(model, waveform, 6.0, 0.01, q)
    steps = projected_signal(model, waveform, Points.of(q, 6.0, 0.01), FINE)
    assert np.abs(steps.imag).min() > 1e-6
    np.testing.assert_allclose(found, steps, rtol=0.0, atol=1e-8)


@pytest.mark.parametrize("shortest", [1e-15, 1e-4, 0.01, 0.1])
def test_times_of_all_lengths_between_pulses(layers, shortest):
    """A shift for the shortest time alone once left others wrong by half, and certain of it."""
    model, accuracy = layers[0], 4e-5
    tau = np.array([60.0, shortest, 400.0, 0.0, 5.0])
    opening, _ = opening_of(Pgse(5.0, 20.0))
    q = np.array([Pgse(5.0, 65.0).q_of_b(b) for b in (0.5, 2.0, 6.0)])
    cell = OpenedCell(model.bare, opening, 10.0, 1e-4, q)
    states, _ = cell.states(1e-13, 20)
    found = cell.signals(states, tau, accuracy)
    rates, modes = cell.middle_modes
    weights = np.abs(states[:, 0][:, None] @ modes.conj())[:, 0] ** 2
    exact = (np.exp(-rates[:, None] * tau[:, None]) @ weights[..., None])[..., 0]
    exact /= model.start @ model.readout
    np.testing.assert_allclose(found, exact, rtol=accuracy)


def test_waveforms_without_mirrored_pulses_share_nothing():
    assert opening_of(DoublePgse(3.0, 10.0, 2.0, 90.0)) is None


def test_a_first_pulse_is_the_same_whatever_follows():
    for one, other in (
        (Pgse(5.0, 20.0), Pgse(5.0, 55.0)),
        (TrapezoidalPgse(4.0, 12.0, 1.0), TrapezoidalPgse(4.0, 40.0, 1.0)),
    ):
        assert opening_of(one)[0] == opening_of(other)[0]
        assert opening_of(one)[1] < opening_of(other)[1]


@pytest.mark.parametrize(
    ("kind", "L", "kappa", "tolerance"),
    [
        ("pgse", 8.0, 1.0, 1e-3),
        ("trapezoid", 20.0, 0.1, 1e-3),
        *(
            pytest.param(kind, L, kappa, tolerance, marks=SLOW)
            for kind in ("pgse", "trapezoid")
            for L, kappa in ((8.0, 1.0), (8.0, 0.0), (20.0, 0.1))
            for tolerance in (1e-4, 1e-5)
        ),
    ],
)
def test_tables_are_those_of_steps_within_their_errors(layers, kind, L, kappa, tolerance):
    waveforms = [
        Pgse(5.0, Delta) if kind == "pgse" else TrapezoidalPgse(4.0, Delta, 1.0)
        for Delta in (10.0, 30.0)
    ]
    b = np.concatenate([[0.0], np.geomspace(0.05, 10.0, 40)])
    compare(layers, waveforms, b, L, kappa, tolerance)


@SLOW
def test_tables_of_signals_that_are_not_real(dense_discs):
    b = np.concatenate([[0.0], np.linspace(0.05, 2.0, 30)])
    compare(dense_discs, [Pgse(5.0, 10.0), Pgse(5.0, 25.0)], b, 5.0, 0.02, 1e-3)


def compare(
    ladders: list[ProjectedModel],
    waveforms: list[Waveform],
    b: np.ndarray,
    L: float,
    kappa: float,
    tolerance: float,
) -> None:
    strengths = {w: np.sqrt(b / w.b_factor) for w in waveforms}
    count = len(b) * len(waveforms)
    resolved = np.ones(count, dtype=bool)
    table = Table.of(np.array([L]), np.array([kappa / L]), strengths, resolved)
    found = table_signals(ladders, table, tolerance)
    steps = [
        projected_signals(ladders, w, Points.of(q, L, kappa / L), tolerance)
        for w, q in strengths.items()
    ]
    signal, error, reached = (
        np.concatenate([getattr(one, name) for one in steps])
        for name in ("signal", "error", "reached")
    )
    # The same points, or nearly: some stand at the tolerance.
    assert np.sum(found.reached != reached) <= 0.03 * count
    both = found.reached & reached
    assert both.sum() >= 0.5 * count
    gap = np.abs(found.signal - signal)[both]
    assert np.all(gap <= (found.error + error)[both])
    assert np.all(gap <= tolerance * np.abs(signal[both]))
    # Nearly all shared the first pulse, and took no steps.
    assert np.mean(found.steps[found.reached] == 0) >= 0.9
    if not ladders[0].R.any():
        assert found.signal[0] == pytest.approx(1.0, abs=1e-12)
