"""Models: what their forms promise for every cell, material and gradient.

P models are Galerkin systems of the full one: Hermitian, positive semi-definite, never above 1. R0
is Karger's model: diffusion and exchange, which dissipate too; at b -> 0 its signal falls with the
mean of the compartments' tensors, D_aa = n.D_a n |Y_a| between zero and that of free water. As the
period goes to zero at a fixed kappa/L, R0 is the truth, and its error falls as L^2.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.drawn import (
    Drawn,
    evenly,
    examples,
    in_discs,
    in_layers,
    lines,
    logarithmically,
    opposite,
    points_in,
    round_cells,
    turned,
)

from torrey.cell.system import AffineSystem
from torrey.gradients.protocol import Point
from torrey.models.expansion import expand
from torrey.models.model import SmallModel
from torrey.models.projection import project
from torrey.models.reduced import Flow
from torrey.reference.full import mesh_signal

ROUNDING = 1e-9


def modelled(model: SmallModel, point: Point) -> complex:
    """Signal of a model at a point."""
    return complex(model.signal(point.waveform, point.q, point.period, point.sigma))


ORDERS = st.integers(0, 4)


@given(case=in_layers() | in_discs(), order=ORDERS, F=st.tuples(*[evenly(-1.0, 1.0, 8)] * 2))
@examples(16)
def test_matrices_of_projected_models_are_positive_semidefinite(case, order, F):
    cell, point = case
    model = project(cell.on(0), point.frame, order)
    jet = point.q * np.array([F[: len(point.frame)]])
    A = model.matrix(jet, point.period, point.sigma)
    largest = np.abs(A).max()
    assert np.abs(A - A.conj().T).max() <= 1e-12 * largest
    assert np.linalg.eigvalsh(A).min() >= -1e-11 * largest


@given(case=in_layers() | in_discs(), order=ORDERS)
@examples(8)
def test_signals_of_projected_models_never_exceed_one(case, order):
    cell, point = case
    model = project(cell.on(0), point.frame, order)
    assert abs(modelled(model, point)) <= 1.0 + ROUNDING


@given(case=in_layers() | in_discs(), order=ORDERS)
@examples(8)
def test_states_of_projected_models_never_grow(case, order):
    cell, point = case
    model = project(cell.on(0), point.frame, order)
    q, period, sigma = (np.array([x]) for x in (point.q, point.period, point.sigma))
    flow = Flow(model, q, period, sigma)
    w = model.start.astype(complex)[None, None]
    for segment in point.waveform.segments:
        before = np.linalg.norm(w)
        w = flow.across(segment, w, 96)
        assert np.linalg.norm(w) <= before * (1 + ROUNDING)


@given(case=in_layers() | in_discs())
@examples(12)
def test_the_model_of_order_zero_never_grows(case):
    cell, point = case
    model = expand(cell.on(0), point.frame, 0).model
    at = (point.waveform, point.q, point.period, point.sigma)
    found = model.stability(*at)
    assert found.growth <= 1e-10 * max(1.0, point.sigma)
    assert found.amplification == 1.0
    assert abs(modelled(model, point)) <= 1.0 + ROUNDING


@given(case=in_layers(relaxes=False) | in_discs(relaxes=False), order=ORDERS)
@examples(12)
def test_models_conserve_water_without_a_gradient(case, order):
    cell, point = case
    still = replace(point, q=0.0)
    for model in (project(cell.on(0), point.frame, order), homogenised(cell, point, order)):
        if steady(model, still):
            assert modelled(model, still) == pytest.approx(1.0, abs=1e-8)


def steady(model: SmallModel, point: Point) -> bool:
    """Whether a model does not grow: truncated series may, far from where they hold."""
    at = point.waveform, point.q, point.period, point.sigma
    return bool(model.stability(*at).growth <= 1e-9)


def projected(cell: Drawn, point: Point, order: int) -> SmallModel:
    return project(cell.on(0), point.frame, order)


def homogenised(cell: Drawn, point: Point, order: int) -> SmallModel:
    return expand(cell.on(0), point.frame, order).model


@given(case=in_layers() | in_discs(), order=ORDERS)
@examples(6)
def test_the_opposite_gradient_gives_the_conjugate(case, order):
    cell, point = case
    back = opposite(point)
    for build in (homogenised, projected):
        model = build(cell, point, order)
        if steady(model, point):
            expected = modelled(model, point).conjugate()
            assert modelled(build(cell, back, order), back) == pytest.approx(expected, abs=1e-8)


@given(
    cell=round_cells(),
    waveform=lines(),
    degrees=evenly(0.0, 360.0, 24),
    b=logarithmically(1e-5, 1e-3),
)
@examples(8)
def test_weak_gradients_see_the_mean_diffusivity(cell, waveform, degrees, b):
    """Impermeable discs hold their water: the signal falls as the outside alone diffuses."""
    D_e = cell.material.diffusivity[0]
    material = replace(cell.material, T2=(), density=())
    cell = replace(cell, material=material)
    n = turned(degrees)
    point = Point(5.0, 0.0, waveform, waveform.q_of_b(b), n)
    model = expand(cell.on(0), n, 0).model
    outside = cell.shape.measures()[0]
    mean = (1.0 - modelled(model, point).real) / b
    assert 0.0 < mean <= outside * D_e * (1 + 1e-6)
    # The same number from the rates at g = 1, by their sum over compartments.
    rates = model.matrix(np.array([[1.0], [0.0]]), 5.0, 0.0).real
    assert mean == pytest.approx(
        rates.sum(axis=0) @ model.start / model.start.sum(), rel=3 * b * D_e + 1e-4
    )


@given(cell=round_cells(), point=points_in(2, lines(), 1.0), sigma=logarithmically(0.01, 1.0))
@examples(2)
def test_small_cells_have_the_signal_of_order_zero(cell, point, sigma):
    def error(period: float) -> float:
        there = replace(point, period=period, permeability=sigma * period)
        system = AffineSystem.at(cell.on(0), period, there.permeability, there.frame)
        full = mesh_signal(system, there.waveform, there.q, 48)
        return abs(modelled(expand(cell.on(0), there.frame, 0).model, there) - full)

    small, smaller = error(0.02), error(0.01)
    assert smaller <= 0.3 * small + 1e-6
    assert smaller <= 1e-3


@pytest.mark.slow
@given(case=in_layers(strongest=20.0) | in_discs(), order=ORDERS)
@examples(25)
def test_signals_of_projected_models_never_exceed_one_under_strong_gradients(case, order):
    cell, point = case
    model = project(cell.on(0), point.frame, order)
    assert abs(modelled(model, point)) <= 1.0 + ROUNDING
