"""Derivatives of reference signals and their errors, beside the full system and finer bases."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from torrey.cell.build import levels
from torrey.cell.material import Material
from torrey.cell.system import AffineSystem
from torrey.geometry import Disc, Discs, Layers, MeshOptions
from torrey.gradients.waveforms import Pgse
from torrey.models.integration import Points
from torrey.models.sensitivities import derivatives, region_forms
from torrey.reference.derivatives import (
    SensitiveLadder,
    signal_derivatives,
    tangents,
    turning_ladders,
    within_reach,
)
from torrey.reference.full import mesh_signal
from torrey.reference.ladder import GrowingLadder
from torrey.reference.ladder_levels import climb_meshes
from torrey.reference.outcome import ProjectedSignals
from torrey.reference.projected import projected_signals

WAVEFORM = Pgse(4.0, 16.0)
L, KAPPA = 8.0, 0.05


def test_errors_bound_what_finer_meshes_and_bases_change() -> None:
    shape, one = Layers((0.6, 0.4)), np.eye(1)
    operators = levels(shape, MeshOptions(0.02, 2), Material((2.0, 1.0)))
    ladders = [SensitiveLadder(GrowingLadder(level, one, 7)) for level in operators]
    points = Points.of(np.array([0.0, 0.2, 0.4, 0.6]), L, KAPPA / L)
    signals = projected_signals([x.along(one) for x in ladders], WAVEFORM, points, 1e-4)
    assert signals.reached.all()
    found = signal_derivatives(ladders, WAVEFORM, points, np.ones(1), signals, 1e-4, turns=False)
    best = ladders[-1]
    expected = derivatives(best.model(7), WAVEFORM, points, one, 96, best.regions(7))
    for name in ("kappa", "L", "q", "q2", "D"):
        error = np.abs(found[name].value - getattr(expected, name))
        assert np.all(error <= found[name].error + 1e-9), name
        scale = np.abs(getattr(expected, name)).max()
        assert found[name].error.max() < 1e-2 * scale
        assert error.max() < 1e-3 * scale


def test_points_of_other_methods_are_looked_for_or_have_none() -> None:
    one = np.eye(1)
    operators = levels(Layers((0.6, 0.4)), MeshOptions(0.1, 4), Material((2.0, 1.0)))
    ladders = [SensitiveLadder(GrowingLadder(level, one, 7)) for level in operators]
    points = Points.of(np.array([0.3, 0.5]), L, KAPPA / L)
    unsolved = ProjectedSignals.unsolved(2)
    none = signal_derivatives(ladders, WAVEFORM, points, np.ones(1), unsolved, 1e-4, turns=False)
    assert np.isnan(none["kappa"].value).all()
    assert np.isinf(none["D"].error).all()
    again = within_reach(ladders, one, WAVEFORM, points, unsolved, 1e-4)
    found = signal_derivatives(ladders, WAVEFORM, points, np.ones(1), again, 1e-4, turns=False)
    assert np.isfinite(found["kappa"].error).all()


def test_rungs_that_only_the_coarsest_mesh_has_are_replaced_on_the_others() -> None:
    n = np.array([0.0, 1.0])
    operators = levels(Discs((Disc((0.5, 0.5), 0.3),)), MeshOptions(0.3, 1), Material((3.0, 1.7)))
    ladders = [SensitiveLadder(ladder) for ladder in climb_meshes(operators, n, 7)]
    assert ladders[0].reaches(7)
    assert not ladders[1].reaches(6)
    points = Points.of(np.array([0.2, 0.4]), L, KAPPA / L)
    signals = projected_signals([x.along(n[None]) for x in ladders], WAVEFORM, points, 1e-2)
    assert signals.reached.all()
    highest = replace(signals, rung=np.full(2, 6), level=np.ones(2, dtype=int))
    found = signal_derivatives(ladders, WAVEFORM, points, n, highest, 1e-2, turns=False)
    best = [SensitiveLadder(GrowingLadder(level, n, 8)) for level in operators]
    expected = signal_derivatives(best, WAVEFORM, points, n, highest, 1e-2, turns=False)
    for name in ("kappa", "L", "q", "D"):
        error = np.abs(found[name].value - expected[name].value)
        assert np.all(error <= found[name].error + expected[name].error), name
        assert np.all(np.isfinite(found[name].error)), name


def test_forms_of_the_whole_space_are_not_those_of_lower_rungs() -> None:
    operators = levels(Layers((0.6, 0.4)), MeshOptions(0.1, 2), Material((2.0, 1.0)))
    ladder = climb_meshes(operators, (1.0,), 7)[0]
    sensitive = SensitiveLadder(ladder)
    expected = region_forms(operators[0], ladder.basis(4))
    whole = sensitive.regions(ladder.order).K
    assert whole.shape[-1] == operators[0].cell.n_dofs
    np.testing.assert_allclose(sensitive.regions(4).K, expected.K, atol=1e-12)
    np.testing.assert_array_equal(sensitive.regions(ladder.order).K, whole)


@pytest.mark.slow
def test_turns_need_fields_beside_the_gradient() -> None:
    angle, q = 0.6, 0.55
    operators = levels(Discs((Disc((0.5, 0.5), 0.4),)), MeshOptions(0.1, 0), Material((3.0, 1.7)))
    n, points = np.array([np.cos(angle), np.sin(angle)]), Points.of([q], L, KAPPA / L)
    across = np.array([-n[1], n[0]])

    def full(e: float) -> complex:
        axis = np.array([[np.cos(angle + e), np.sin(angle + e)]])
        return mesh_signal(AffineSystem.at(operators[0], L, KAPPA, axis), WAVEFORM, q, 64)

    def once(h: float) -> complex:
        return (full(h) - full(-h)) / (2.0 * h)

    expected = (4.0 * once(0.01) - once(0.02)) / 3.0
    ladder = SensitiveLadder(turning_ladders([operators[0]], n, 9)[0])
    along = [ladder.along(n[None])] * 2
    signals = projected_signals(along, WAVEFORM, points, 1e-4)
    found = signal_derivatives([ladder] * 2, WAVEFORM, points, n, signals, 1e-4)["direction"]
    assert abs(found.value[0] @ across - expected) <= found.error[0] @ np.abs(across) + 1e-7
    assert abs(found.value[0] @ across - expected) < 1e-2 * abs(expected)
    assert abs(found.value[0] @ n) < 1e-12


@pytest.mark.parametrize("n", [(1.0,), (0.6, 0.8), (0.0, 0.6, -0.8)])
def test_tangents_are_orthonormal(n: tuple[float, ...]) -> None:
    axes = np.concatenate([np.array([n]), tangents(np.array(n))])
    np.testing.assert_allclose(axes @ axes.T, np.eye(len(n)), atol=1e-12)
