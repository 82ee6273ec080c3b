"""Permeability and diffusivities from signals, by models of any accuracy.

The rate matrices of order 0 to 2 are sums of 1, D_a and 1/D_a; a projected model is affine in the
diffusivities. Both are compared with models that are built anew at other diffusivities.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from support.cells import FOUR_DISCS, LARGE_DISC, Cell

from torrey.base.errors import InputError
from torrey.cell.material import Material
from torrey.cell.operators import bloch_torrey
from torrey.gradients.protocol import Measurement, Point
from torrey.gradients.waveforms import Pgse
from torrey.inversion.fit import fit, identify
from torrey.inversion.physical import PhysicalProblem, parametric_model, physical_problem
from torrey.inversion.study import Options, fit_physical
from torrey.models.evaluation import build_models
from torrey.reference.full import reference_signal

X = (1.0, 0.0)
TRUTH = {"kappa": 0.05, "D_e": 3.0, "D_c": 1.7}
POINTS = tuple(
    Measurement(waveform, waveform.q_of_b(b), X)
    for waveform in (Pgse(5.0, 15.0), Pgse(5.0, 30.0))
    for b in (0.4, 1.2, 2.4)
)


def material(cell: Cell) -> Material:
    return Material((3.0,) + (1.7,) * (len(cell.diffusivity) - 1))


def problem(
    model: str, *names: str, cell: Cell = LARGE_DISC, period: float = 5.0
) -> PhysicalProblem:
    operators = cell.operators(0)
    names = names or ("kappa", "D_e", "D_c")
    return physical_problem(operators, material(cell), POINTS, period, model, TRUTH, names)


def signals(model: str, period: float, sigma: float) -> np.ndarray:
    (built,) = build_models(LARGE_DISC.operators(0), np.array([X]), [model])
    return np.array([built.signal(m.waveform, m.q, period, sigma, 1e-11).real for m in POINTS])


@pytest.mark.parametrize("cell", [LARGE_DISC, FOUR_DISCS], ids=["one", "four"])
@pytest.mark.parametrize("name", ["R0", "R1", "R2"])
def test_rates_at_other_diffusivities_are_those_of_a_new_expansion(cell, name):
    operators = cell.operators(0)
    frame = np.array([[0.6, 0.8]])
    D_e, D_c = 2.2, 0.7
    found = parametric_model(operators, material(cell), frame, name).at(D_e, D_c)
    other = bloch_torrey(
        operators.cell, Material((D_e,) + (D_c,) * (operators.cell.n_compartments - 1))
    )
    (expected,) = build_models(other, frame, [name])
    jet = np.array([[0.7], [0.3]])
    at = jet, 4.0, 0.03
    np.testing.assert_allclose(found.matrix(*at), expected.matrix(*at), rtol=0.0, atol=1e-9)


@pytest.mark.parametrize("name", ["R2", "P2"])
def test_stored_magnetisation_that_relaxes_otherwise_is_refused(name):
    relaxing = replace(material(LARGE_DISC), T1=(1000.0, 300.0))
    with pytest.raises(InputError, match="a material with T1"):
        parametric_model(LARGE_DISC.operators(0), relaxing, np.array([X]), name)


def test_projected_models_at_other_diffusivities_agree_with_new_ones_to_their_accuracy():
    operators = LARGE_DISC.operators(0)
    frame = np.array([X])
    D_e, D_c = 2.2, 0.7
    other = bloch_torrey(operators.cell, Material((D_e, D_c)))
    waveform = Pgse(5.0, 15.0)
    at = waveform, np.array([waveform.q_of_b(b) for b in (0.5, 2.0)]), 5.0, 0.01, 1e-10
    errors = []
    exact = build_models(other, frame, ["P6"])[0].signal(*at)
    for order in (2, 3, 4, 5):
        model = parametric_model(operators, material(LARGE_DISC), frame, f"P{order}")
        errors.append(np.abs(model.at(D_e, D_c).signal(*at) - exact).max())
    assert np.all(np.diff(errors) < 0.0)
    assert errors[-1] < 1e-5


@pytest.mark.parametrize("name", ["R2", "P3"])
def test_derivatives_are_those_of_smaller_steps(name):
    one = problem(name)
    x = np.array([0.05, 3.0, 1.7])
    _, jacobian = one.evaluate(x)
    for i in range(3):
        step = np.zeros(3)
        step[i] = 1e-2 * x[i]
        near, far = (one.signals(np.array([x + s * step, x - s * step])) for s in (1.0, 2.0))
        difference = (8 * (near[0] - near[1]) - (far[0] - far[1])) / (12 * step[i])
        np.testing.assert_allclose(jacobian[:, i] * x[i], difference * x[i], rtol=0.0, atol=1e-6)


def test_a_projected_model_recovers_what_made_the_reference():
    cell = LARGE_DISC
    data = np.array(
        [
            reference_signal(cell.levels(2), Point(5.0, 0.05, m.waveform, m.q, X), 1e-4).signal.real
            for m in POINTS
        ]
    )
    result = fit_physical(
        [cell.operators(1)], material(cell), POINTS, 5.0, [0.05], data[None],
        ["R0", "R2", "P4"], ["kappa"], Options(seed=4),
    )  # fmt: skip
    error = np.abs(result.estimate[:, 0, 0] / 0.05 - 1.0)
    assert error[2] < 1e-3 < 1e-2 < error[1] < error[0]
    assert result.misfit[2, 0] < 1e-4
    assert np.isnan(result.truncation[:2]).all()


@pytest.mark.slow
def test_all_three_parameters_are_recovered_from_the_signals_of_the_same_model():
    one = problem("P3")
    x = np.array([0.05, 3.0, 1.7])
    found = fit(one, one.evaluate(x)[0], 1.15 * x, tolerance=1e-9)
    np.testing.assert_allclose(found.estimate, x, rtol=1e-4)


@pytest.mark.parametrize(("name", "order"), [("R0", 2.0), ("R2", 4.0)])
def test_the_bias_of_kappa_has_the_order_of_the_model(name, order):
    # sigma = kappa/L fixed.
    periods, sigma = np.array([2.0, 1.4, 1.0]), 0.01
    biases = []
    for period in periods:
        one = problem(name, "kappa", period=period)
        data = signals("P5", period, sigma)
        found = fit(one, data, np.array([1.2 * sigma * period]), tolerance=1e-12)
        biases.append(abs(found.estimate[0] / (sigma * period) - 1.0))
    orders = np.diff(np.log(biases)) / np.diff(np.log(periods))
    assert orders[-1] == pytest.approx(order, abs=0.2)


def test_order_0_does_not_know_the_diffusivity_of_closed_cells():
    one = problem("R0")
    assert one.hidden.shape == (3, 1)
    x = np.array([0.05, 3.0, 1.7])
    found = fit(one, one.evaluate(x)[0], np.array([0.06, 2.5, 1.2]))
    np.testing.assert_allclose(found.estimate, [0.05, 3.0, 1.2], rtol=1e-6)
    known = identify(one, found.estimate, found.jacobian)
    np.testing.assert_array_equal(known.identifiable, [True, True, False])
    assert problem("R2").hidden.shape == (3, 0)


@pytest.mark.parametrize("name", ["R4", "lumped-R0"])
def test_models_without_terms_for_any_diffusivity_are_refused(name):
    with pytest.raises(InputError, match="R0, R1, R2"):
        problem(name)


def test_unknown_parameters_are_refused():
    with pytest.raises(InputError, match="kappa, D_e, D_c"):
        problem("R0", "radius")


def test_an_unstable_model_has_no_result_and_does_not_stop_the_others():
    # R2 of a large period: its masses grow without end.
    cell = LARGE_DISC
    result = fit_physical(
        [cell.operators(0)], material(cell), POINTS, 200.0, [1.0],
        np.full((1, len(POINTS)), 0.3), ["R2", "R0"], ["kappa"], Options(),
    )  # fmt: skip
    assert np.isnan(result.estimate[0]).all()
    assert np.isfinite(result.estimate[1]).all()
