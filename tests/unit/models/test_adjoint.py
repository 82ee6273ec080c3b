"""Derivatives by the adjoint, beside differences of signals that know nothing of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from _pytest.mark import ParameterSet

from torrey.cell.build import levels
from torrey.cell.material import Material
from torrey.cell.operators import BlochTorrey, bloch_torrey
from torrey.geometry import Disc, Discs, Layers, MeshOptions
from torrey.geometry.shapes import Shape
from torrey.gradients.waveforms import DoublePgse, Pgse, SampledWaveform, TrapezoidalPgse, Waveform
from torrey.models.adjoint import converged_steps
from torrey.models.integration import Points, projected_signal
from torrey.models.projection import ProjectedModel, project_on
from torrey.models.sensitivities import Derivatives, RegionForms, derivatives, region_forms
from torrey.reference.ladder import GrowingLadder

STEPS, RUNG = 32, 3
L, KAPPA, Q = 8.0, 0.06, np.array([0.15, 0.5, 1.0])
LAYERS, DISC = Layers((0.6, 0.4)), Discs((Disc((0.5, 0.5), 0.3),))
OBSTACLE = Discs((Disc((0.5, 0.5), 0.3), Disc((0.1, 0.1), 0.12)), interior="obstacle")
TURN = 0.7
PLANE = np.array([[np.cos(TURN), np.sin(TURN)], [-np.sin(TURN), np.cos(TURN)]])
PATH = ((0.0,), (1.0,), (-0.4,), (-0.9,), (0.0,))
SAMPLED = SampledWaveform("path", "wave_vector", (0.0, 2.0, 5.0, 9.0, 14.0), PATH)
CASES = {
    "layers, PGSE": (LAYERS, Pgse(4.0, 12.0)),
    "layers, sampled": (LAYERS, SAMPLED),
    "disc, PGSE": (DISC, Pgse(4.0, 12.0)),
    "disc, ramps": (DISC, TrapezoidalPgse(4.0, 12.0, 1.0)),
    "disc, two pairs": (DISC, DoublePgse(2.0, 8.0, 1.0, 90.0)),
    "obstacle, PGSE": (OBSTACLE, Pgse(4.0, 12.0)),
}


class Case:
    """A small projected model, not converged: derivatives are those of this model."""

    def __init__(self, shape: Shape, waveform: Waveform) -> None:
        self.waveform = waveform
        diffusivity = (2.0, 1.2)[: shape.n_compartments]
        self.material = Material(diffusivity)
        self.operators = filled(shape, self.material)
        d = shape.dimension
        self.ladder = GrowingLadder(self.operators, np.eye(d), RUNG)
        self.model = self.ladder.truncate(RUNG)
        self.frame = PLANE[: waveform.n_components] if d == 2 else np.eye(1)
        self.regions = region_forms(self.operators, self.ladder.basis(RUNG))

    def signal(
        self,
        q: np.ndarray = Q,
        period: float = L,
        kappa: float = KAPPA,
        frame: np.ndarray | None = None,
        model: ProjectedModel | None = None,
    ) -> np.ndarray:
        along = (model or self.model).along(self.frame if frame is None else frame)
        points = Points.of(q, period, kappa / period)
        return projected_signal(along, self.waveform, points, STEPS)

    def derivatives(self, q: np.ndarray = Q, kappa: float = KAPPA) -> Derivatives:
        points = Points.of(q, L, kappa / L)
        return derivatives(self.model, self.waveform, points, self.frame, STEPS, self.regions)

    def with_diffusivity(self, region: int, change: float) -> ProjectedModel:
        """The model of other diffusivities on the same basis, from operators made anew."""
        D = list(self.material.diffusivity)
        D[region] += change
        other = filled_again(self.operators, replace(self.material, diffusivity=tuple(D)))
        return project_on(other, self.model.frame, self.ladder.basis(RUNG), self.model.ranks)


def filled(shape: Shape, material: Material) -> BlochTorrey:
    return levels(shape, MeshOptions(0.2, 0), material)[0]


def filled_again(operators: BlochTorrey, material: Material) -> BlochTorrey:
    return bloch_torrey(operators.cell, material)


def slope(signal: Callable[[float], np.ndarray], step: float) -> np.ndarray:
    """Derivative at zero by central differences, improved once by Richardson."""

    def once(h: float) -> np.ndarray:
        return (signal(h) - signal(-h)) / (2.0 * h)

    return (16.0 * once(step / 2.0) - 4.0 * once(step)) / 12.0


SLOW = ("layers, sampled", "disc, two pairs", "disc, ramps")


def parameters() -> list[ParameterSet]:
    marks = {name: (pytest.mark.slow,) if name in SLOW else () for name in CASES}
    return [pytest.param(case, marks=marks[name], id=name) for name, case in CASES.items()]


@pytest.fixture(scope="module", params=parameters())
def case(request: pytest.FixtureRequest) -> Case:
    return Case(*request.param)


def same(found: np.ndarray, expected: np.ndarray) -> None:
    # The sign is part of it: the largest values are far from zero.
    assert np.abs(expected).max() > 1e-4
    np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-6 * np.abs(expected).max())


def test_signals_are_those_of_the_integration(case: Case) -> None:
    np.testing.assert_allclose(case.derivatives().signal, case.signal(), rtol=0, atol=1e-13)


def test_derivatives_are_the_limits_of_differences(case: Case) -> None:
    found = case.derivatives()
    same(found.kappa, slope(lambda e: case.signal(kappa=KAPPA + e), 2e-3))
    same(found.L, slope(lambda e: case.signal(period=L + e), 5e-2))
    same(found.q, slope(lambda e: case.signal(q=Q + e), 5e-3))
    np.testing.assert_allclose(found.q2, found.q / (2.0 * Q))
    for region in range(found.D.shape[1]):
        changed = slope(lambda e, r=region: case.signal(model=case.with_diffusivity(r, e)), 2e-2)
        same(found.D[:, region], changed)


def test_derivatives_by_the_frame_are_those_of_turns(case: Case) -> None:
    if case.frame.shape[1] == 1:
        return

    def turned(angle: float) -> np.ndarray:
        c, s = np.cos(angle), np.sin(angle)
        return case.signal(frame=case.frame @ np.array([[c, s], [-s, c]]))

    turn = case.frame @ np.array([[0.0, 1.0], [-1.0, 0.0]])
    found = np.einsum("pax,ax->p", case.derivatives().frame, turn)
    expected = slope(turned, 1e-2)
    scale = np.abs(case.derivatives().q * Q).max()
    np.testing.assert_allclose(found, expected, atol=1e-6 * scale)


def test_signs_are_those_of_physics() -> None:
    """More diffusion, more exchange of these, stronger gradients: less signal."""
    found = Case(DISC, Pgse(4.0, 12.0)).derivatives(Q[:2])
    assert np.all(found.q.real < 0.0)
    assert np.all(found.q2.real < 0.0)
    assert np.all(found.D[0].real < 0.0)
    assert np.all(found.kappa.real < 0.0)


def test_without_permeability_the_derivative_is_one_sided() -> None:
    case = Case(DISC, Pgse(4.0, 12.0))
    h = 2e-4
    few, more = (case.signal(kappa=x) for x in (h, 2.0 * h))
    expected = (4.0 * few - more - 3.0 * case.signal(kappa=0.0)) / (2.0 * h)
    np.testing.assert_allclose(case.derivatives(kappa=0.0).kappa, expected, rtol=1e-4)


def test_without_gradient_only_the_square_of_q_counts() -> None:
    case = Case(DISC, Pgse(4.0, 12.0))
    found = case.derivatives(np.zeros(1))
    for name in ("kappa", "L", "q", "D"):
        assert np.abs(getattr(found, name)).max() < 1e-9
    tiny = 1e-3
    expected = (case.signal(np.array([tiny])) - 1.0) / tiny**2
    np.testing.assert_allclose(found.q2, expected, rtol=1e-4)


def test_a_model_of_unequal_density_has_both_states(case: Case) -> None:
    """Two states go back, where the initial magnetisation is not uniform."""
    if case.operators.cell.n_compartments == 1:
        return
    uneven = replace(
        case.model, start=case.model.start * np.linspace(0.6, 1.4, len(case.model.start))
    )
    points = Points.of(Q, L, KAPPA / L)
    found = derivatives(uneven, case.waveform, points, case.frame, STEPS)
    expected = slope(lambda e: case.signal(q=Q + e, model=uneven), 5e-3)
    same(found.q, expected)
    same(found.kappa, slope(lambda e: case.signal(kappa=KAPPA + e, model=uneven), 2e-3))


def test_regions_add_up_to_the_operators(case: Case) -> None:
    D = np.array(case.material.diffusivity)
    forms: RegionForms = case.regions
    np.testing.assert_allclose(np.tensordot(D, forms.K, 1), case.model.K, atol=1e-9)
    np.testing.assert_allclose(np.tensordot(D, forms.C, 1), case.model.C, atol=1e-9)
    np.testing.assert_allclose(np.tensordot(D, forms.M, 1), case.model.N[0, 0], atol=1e-9)


def test_steps_are_doubled_until_signals_stand() -> None:
    case = Case(LAYERS, Pgse(4.0, 12.0))
    points = Points.of(Q, L, KAPPA / L)
    signals, steps = converged_steps(case.model, case.waveform, points, 1e-9)
    fine = projected_signal(case.model, case.waveform, points, 4 * steps)
    np.testing.assert_allclose(signals, fine, atol=1e-9)
