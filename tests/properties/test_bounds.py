"""Magnetisation is never made: bounds that hold for every cell, material and gradient.

    M du/dt = -A(g) u,    A(g) Hermitian and positive semi-definite,    S = 1^T M u / 1^T M rho

The norm of u never grows. A gradient can only dephase: |m(x, t)| is at most the magnetisation that
diffuses, permeates and relaxes without a gradient (Kato's inequality), so that |S(g)| <= S(0).
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.drawn import Drawn, echo_loss, examples, in_discs, in_layers, solve

from torrey.cell.material import Material
from torrey.cell.system import AffineSystem
from torrey.geometry import Disc, Discs, Layers
from torrey.gradients.protocol import Point
from torrey.gradients.waveforms import TrapezoidalPgse
from torrey.reference.full import mesh_signal, propagate

#: Of Krylov exponentials and rounding.
ROUNDING = 1e-9


def check_bounds(cell: Drawn, point: Point) -> None:
    result = solve(cell, point)
    assert abs(result.signal) <= 1.0 + ROUNDING
    still = solve(cell, replace(point, q=0.0))
    assert abs(result.signal) <= still.signal.real + result.error + still.error + ROUNDING
    losses = echo_loss(cell, point.waveform)[cell.weights > 0]
    assert abs(still.signal.imag) <= still.error + 1e-12
    # Water that crosses membranes relaxes at rates between the smallest and the largest.
    everywhere = echo_loss(cell, point.waveform)
    assert everywhere.min() * (1 - 1e-4) <= still.signal.real <= everywhere.max() * (1 + 1e-4)
    if point.permeability == 0.0:
        assert still.signal.real >= losses.min() * (1 - 1e-4)


@given(case=in_layers())
@examples(16)
def test_no_signal_exceeds_that_without_a_gradient_in_layers(case):
    check_bounds(*case)


@given(case=in_discs())
@examples(3)
def test_no_signal_exceeds_that_without_a_gradient_around_discs(case):
    check_bounds(*case)


@pytest.mark.slow
@given(case=in_layers(strongest=20.0))
@examples(25)
def test_no_signal_exceeds_that_without_a_gradient_in_many_layers(case):
    check_bounds(*case)


# ---- nothing is lost without a gradient ----


@given(case=in_layers(relaxes=False) | in_discs(relaxes=False), steps=st.integers(3, 12))
@examples(8)
def test_without_gradient_and_relaxation_nothing_is_lost(case, steps):
    cell, point = case
    still = replace(point, q=0.0)
    assert solve(cell, still).signal == 1.0
    # Also by all the steps in time that this shortcut leaves out, however few where water is
    # uniform: two states go through the first half of a symmetric waveform where it is not.
    uniform = replace(cell, material=replace(cell.material, density=()))
    for drawn, count, error in ((uniform, steps, 1e-9), (cell, 48, 1e-6)):
        system = AffineSystem.at(drawn.on(0), point.period, point.permeability, point.frame)
        assert mesh_signal(system, point.waveform, 0.0, count) == pytest.approx(1.0, abs=error)


def test_few_steps_lose_nothing_of_uneven_water_without_a_gradient():
    """Found by the property above: S(0) = 0.947 with 5 steps."""
    shape = Discs((Disc((0.26, 0.36), 0.1), Disc((0.73, 0.74), 0.14)))
    material = Material((1.247, 0.5586, 0.2232), density=(0.25, 1.0, 0.25))
    cell = Drawn(shape, material, 0.35, 0)
    system = AffineSystem.at(cell.on(0), 26.77, 14.13, (1.0, 0.0))
    result = mesh_signal(system, TrapezoidalPgse(20.0, 21.1, 1.0), 0.0, 5)
    assert result == pytest.approx(1.0, abs=1e-9)


# ---- the norm of the state ----


def check_norm(cell: Drawn, point: Point, steps: int) -> None:
    system = AffineSystem.at(cell.on(0), point.period, point.permeability, point.frame)
    M = system.operators.mass_matrix
    u = system.operators.rho.astype(complex)[:, None]
    norms = [float(np.vdot(u, M @ u).real)]
    for segment in point.waveform.segments:
        u = propagate(system, segment, point.q, u, steps)
        norms.append(float(np.vdot(u, M @ u).real))
    assert np.all(np.diff(np.sqrt(norms)) <= ROUNDING * np.sqrt(norms[0])), norms


@given(case=in_layers())
@examples(12)
def test_the_norm_of_a_state_never_grows_in_layers(case):
    check_norm(*case, steps=48)


@given(case=in_discs())
@examples(3)
def test_the_norm_of_a_state_never_grows_around_discs(case):
    check_norm(*case, steps=12)


@given(case=in_layers() | in_discs(), F=st.tuples(*[st.integers(-8, 8)] * 2))
@examples(14)
def test_the_operator_only_dissipates(case, F):
    cell, point = case
    system = AffineSystem.at(cell.on(0), point.period, point.permeability, point.frame)
    A = system.matrix(point.q * np.array(F[: len(point.frame)]) / 8.0).toarray()
    largest = np.abs(A).max()
    assert np.abs(A - A.conj().T).max() <= 1e-13 * largest
    assert np.linalg.eigvalsh(A).min() >= -1e-12 * largest


def test_water_that_vanishes_leaves_nothing_and_no_error():
    """After 80 ms at T2 = 0.05 ms the state is zero to the last digit: its rate is 0/0."""
    material = Material((1.247, 0.5586), T2=(0.05, 0.05), density=(1.0, 0.5))
    cell = Drawn(Layers((0.6, 0.4)), material, 0.35, 0)
    system = AffineSystem.at(cell.on(0), 5.0, 0.01, (1.0,))
    result = mesh_signal(system, TrapezoidalPgse(20.0, 60.0, 1.0), 0.05, 6)
    assert np.isfinite(result)
    assert abs(result) < 1e-100
