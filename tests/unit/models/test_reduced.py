"""The flow of a projected model: products, inverses, steps and batches."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.integrate import solve_ivp
from scipy.linalg import expm

from torrey.cell.build import levels
from torrey.cell.material import Material
from torrey.geometry import Disc, Discs, MeshOptions
from torrey.gradients.waveforms import Pgse
from torrey.gradients.waveforms.segments import constant, ramp
from torrey.models.integration import Points, projected_signal
from torrey.models.projection import ProjectedModel, project
from torrey.models.reduced import Flow, IntegrationError, batch_size, inverses

Q, PERIOD, SIGMA = (np.array(x) for x in ((0.3, 0.5, 0.9), (4.0, 7.0, 5.0), (0.01, 0.0, 0.05)))


@pytest.fixture(scope="module")
def model() -> ProjectedModel:
    shape = Discs((Disc((0.4, 0.5), 0.3),))
    material = Material((3.0, 1.7), T2=(80.0, 40.0))
    return project(levels(shape, MeshOptions(0.2, 0), material)[0], np.eye(2), 2)


@pytest.fixture(scope="module")
def states(model: ProjectedModel) -> np.ndarray:
    generator = np.random.default_rng(3)
    shape = (len(Q), 2, len(model.start))
    return generator.normal(size=shape) + 1j * generator.normal(size=shape)


def matrices(model: ProjectedModel, F: np.ndarray) -> np.ndarray:
    return model.matrix((Q[:, None] * F)[:, None, :], PERIOD, SIGMA)


def test_matrix_and_products_are_those_of_the_model(model, states):
    F = np.array([0.6, -0.7])
    flow, A = Flow(model, Q, PERIOD, SIGMA), matrices(model, F)
    np.testing.assert_allclose(flow.matrix(flow.factors(F)), A, atol=1e-12 * np.abs(A).max())
    expected = np.einsum("pij,pmj->pmi", A, states)
    found = flow.apply(flow.factors(F), states)
    np.testing.assert_allclose(found, expected, atol=1e-12 * np.abs(expected).max())


def test_the_slope_is_the_derivative_of_the_matrix(model):
    F, change = np.array([0.6, -0.7]), np.array([0.2, 0.5])
    flow = Flow(model, Q, PERIOD, SIGMA)
    # A is quadratic in F: a central difference is exact.
    expected = matrices(model, F + change / 2) - matrices(model, F - change / 2)
    found = flow.matrix(flow.slopes(F, change))
    np.testing.assert_allclose(found, expected, atol=1e-11 * np.abs(expected).max())


def test_points_of_one_cell_are_solved_as_those_of_many(model):
    waveform = Pgse(5.0, 20.0)
    along = model.along(np.array([[0.6, 0.8]]))
    points = Points.of(Q, 6.0, 0.02)
    together = projected_signal(along, waveform, points, 8)
    mixed = Points.of([*Q, 0.4], [6.0, 6.0, 6.0, 3.0], [0.02, 0.02, 0.02, 0.1])
    np.testing.assert_allclose(
        projected_signal(along, waveform, mixed, 8)[:-1], together, rtol=1e-12
    )


def test_batches_do_not_show(model):
    waveform, along = Pgse(5.0, 20.0), model.along(np.array([[1.0, 0.0]]))
    count = 2 * batch_size(along) + 1
    points = Points.of(np.linspace(0.0, 0.8, count), 6.0, 0.02)
    found = projected_signal(along, waveform, points, 6)
    for i in (0, count // 2, count - 1):
        alone = projected_signal(along, waveform, points[np.array([i])], 6)
        assert found[i] == pytest.approx(alone[0], rel=1e-12)


def test_a_constant_gradient_takes_an_exponential(model, states):
    segment = constant(7.0, (0.6, -0.7))
    flow = Flow(model, Q, PERIOD, SIGMA)
    found = flow.across(segment, states, 6)
    for A, before, after in zip(matrices(model, segment.start), states, found, strict=True):
        np.testing.assert_allclose(after.T, expm(-7.0 * A) @ before.T, atol=1e-10)


def test_steps_on_a_ramp_have_order_five(model):
    segment = ramp(5.0, (0.0, 0.0), (0.6, -0.7))
    # Steps resolve all rates: in a smaller cell the order is that of stiff systems, about four.
    q, period, sigma = Q[0], 20.0, 0.01
    flow = Flow(model, np.array([q]), np.array([period]), np.array([sigma]))
    start = model.start.astype(complex)

    def rate(t: float, w: np.ndarray) -> np.ndarray:
        return -(model.matrix(q * segment.jet(t, 0), period, sigma) @ w)

    options = {"method": "DOP853", "rtol": 1e-12, "atol": 1e-14}
    exact = solve_ivp(rate, (0.0, 5.0), start, **options).y[:, -1]
    errors = [
        np.linalg.norm(flow.across(segment, start[None, None], steps)[0, 0] - exact)
        for steps in (8, 16, 32)
    ]
    orders = np.log2(np.array(errors[:-1]) / errors[1:])
    print(errors, orders)
    assert np.all(orders > 4.5)


def test_inverses_are_those_of_general_matrices(model):
    A = matrices(model, np.array([0.6, -0.7])) + np.eye(len(model.start))
    np.testing.assert_allclose(inverses(A), np.linalg.inv(A), atol=1e-12)
    with pytest.raises(IntegrationError, match="not positive definite"):
        inverses(A - 1e3 * np.eye(len(model.start)))
