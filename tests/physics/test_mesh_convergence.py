"""Rates of convergence in space and time, measured on three meshes or step sizes and more.

    M du/dt = -A(g(t)) u,    S = 1^T M u(T_E) / 1^T M u(0)

- in space, quadratic elements with curved sides: lengths, areas and signals as h^4, against exact
  measures, the matrix formalism (an impermeable disc), the collocation (layers) and, where there
  is no exact solution, between one mesh and the next;
- in time, Rodas5P: order 5 on a smooth problem of a few unknowns, 4 or more on the full one, whose
  uniform initial state is not compatible with the membranes; against DOP853 of scipy;
- exponentials of the plateau: against `scipy.linalg.expm`.
"""

from __future__ import annotations

import signal as alarms
from collections.abc import Iterator

import numpy as np
import pytest
from scipy.integrate import solve_ivp
from scipy.linalg import expm
from scipy.sparse import csc_array
from support.cells import (
    ASYMMETRIC,
    D_C,
    D_E,
    DISC,
    FOUR_DISCS,
    LARGE_DISC,
    Cell,
    layers,
    pgse_signal,
)
from support.matrix_formalism import disc_signal
from support.spectral import LayeredCell

from torrey.base import rosenbrock
from torrey.cell.krylov import ConvergenceError, expm_form, expm_multiply
from torrey.cell.material import Material
from torrey.cell.operators import bloch_torrey
from torrey.cell.system import AffineSystem
from torrey.geometry import Discs, RadiusLaw, RandomPacking
from torrey.gradients.waveforms import Pgse
from torrey.reference.full import mesh_signal

WAVEFORM = Pgse(5.0, 15.0)
PACKED = RandomPacking(30.0, RadiusLaw(uniform=(1.0, 5.0)), count=5, gap=0.5)
PACKING = Cell(PACKED, (D_E,) + (D_C,) * 5, 0.2)


class WholePgse(Pgse):
    """The same pulses, taken from one end to the other as if they had no symmetry."""

    symmetry = 0


def rates(errors: np.ndarray) -> np.ndarray:
    """Orders between neighbours, each with half the size of the one before."""
    result = np.log2(np.abs(errors[:-1]) / np.abs(errors[1:]))
    print("errors", *(f"{e:.2e}" for e in np.abs(errors)), "rates", *(f"{r:.2f}" for r in result))
    return result


# ---- space ----


@pytest.mark.parametrize("cell", [DISC, LARGE_DISC, FOUR_DISCS, ASYMMETRIC, PACKING])
def test_areas_and_membranes_converge_with_order_four(cell):
    areas, lengths = [], []
    for level in range(3):
        geometry = cell.operators(level).cell
        areas.append(geometry.measures() - cell.shape.measures())
        outside = geometry.indicators[:, 0]
        each = np.eye(geometry.n_membranes)
        length = [outside @ (geometry.matrix(geometry.jump(m)) @ outside) for m in each]
        lengths.append(np.array(length) - cell.shape.interface_measures())
    for errors in (*np.transpose(areas), *np.transpose(lengths)):
        assert rates(errors) == pytest.approx(4, abs=0.05)
    assert np.abs(areas[0]).max() < 1e-4
    assert np.abs(lengths[0]).max() < 1e-4


CASES = [
    (DISC, 10.0, 0.2, 0.85, (0.0, 1.0)),
    (DISC, 2.5, 0.05, 2.5, (0.6, 0.8)),
    (LARGE_DISC, 10.0, 0.05, 4.0, (0.0, 1.0)),
    (FOUR_DISCS, 5.0, 0.1, 0.85, (0.0, 1.0)),
    (ASYMMETRIC, 5.0, 0.1, 0.85, (0.6, -0.8)),
]


def signals(case: tuple, levels: int) -> np.ndarray:
    """Signals on meshes with the same 12 steps: their error in time is the same, 1e-7 or less."""
    cell, period, permeability, b, direction = case
    return np.array(
        [
            pgse_signal(
                cell,
                level,
                period=period,
                permeability=permeability,
                b=b,
                waveform=WAVEFORM,
                direction=direction,
                steps=12,
            ).real
            for level in range(levels)
        ]
    )


@pytest.mark.parametrize("case", CASES)
def test_signals_of_permeable_discs_converge_with_order_four(case):
    assert rates(np.diff(signals(case, 3))) > 3.5


@pytest.mark.slow
@pytest.mark.parametrize("case", CASES)
def test_the_order_comes_closer_to_four_on_finer_meshes(case):
    first, second = rates(np.diff(signals(case, 4)))
    assert second == pytest.approx(4, abs=0.15)
    assert abs(second - 4) < abs(first - 4) or abs(first - 4) < 0.05


# Not between them: at 0.5 to 0.75 the error changes its sign with q, and a rate means nothing.
@pytest.mark.parametrize("q", [0.2, 1.0])
def test_the_signal_of_an_impermeable_disc_converges_to_the_exact_one_with_order_four(q):
    radius = 4.0
    exact = disc_signal(WAVEFORM, q, radius, D_C, 50.0).real
    errors = []
    for level in range(1, 4):
        alone = bloch_torrey(DISC.operators(level).cell.restrict([1]), Material((D_C,)))
        system = AffineSystem.at(alone, radius / 0.2, 0.0, (0.6, 0.8))
        errors.append(mesh_signal(system, WAVEFORM, q, 48).real - exact)
    assert (rates(np.array(errors)) > 3.8).all()


@pytest.mark.parametrize(
    ("thicknesses", "diffusivity"),
    [((1.0,), (2.0,)), ((0.4, 0.6), (2.0, 1.0)), ((0.3, 0.5, 0.2), (2.0, 1.0, 0.5))],
)
def test_the_signal_of_layers_converges_to_the_collocation_with_order_four(
    thicknesses, diffusivity
):
    # The coarsest elements are larger than the thinnest layers: each mesh must still halve all.
    cell = layers(thicknesses, diffusivity, size=0.4)
    exact = LayeredCell(thicknesses, diffusivity, 8.0, 0.05, points=16)
    expected = exact.signal(WAVEFORM, WAVEFORM.q_of_b(1.5)).real
    errors = np.array(
        [
            pgse_signal(
                cell,
                level,
                period=8.0,
                permeability=0.05,
                b=1.5,
                waveform=WAVEFORM,
                direction=(1.0,),
                steps=96,
            ).real
            - expected
            for level in range(4)
        ]
    )
    measured = rates(errors)
    assert (measured > 3.5).all()
    assert measured[-1] == pytest.approx(4, abs=0.1)


# ---- time ----


def test_one_rosenbrock_step_has_order_five():
    # M du/dt = -(A_0 + t A_1 + t^2 A_2) u with random Hermitian matrices, M and A_0 positive.
    rng = np.random.default_rng(7)
    n = 6

    def hermitian() -> np.ndarray:
        X = rng.standard_normal((n, n)) + 1j * rng.standard_normal((n, n))
        return (X + X.conj().T) / 4

    A0, A1, A2, M = hermitian(), hermitian(), hermitian(), hermitian().real
    A0, M = A0 @ A0 + np.eye(n), M @ M + np.eye(n)
    start = rng.standard_normal(n) + 1j * rng.standard_normal(n)

    def A(t: float) -> np.ndarray:
        return A0 + t * A1 + t**2 * A2

    exact = solve_ivp(
        lambda t, u: -np.linalg.solve(M, A(t) @ u),
        (0, 1),
        start,
        method="DOP853",
        rtol=1e-13,
        atol=1e-14,
    ).y[:, -1]

    errors = []
    for count in (8, 16, 32, 64):
        u, h = start, 1.0 / count
        for t in h * np.arange(count):
            inverse = np.linalg.inv(M / (rosenbrock.GAMMA * h) + A(t))
            u = rosenbrock.step(
                u,
                h,
                lambda v, inverse=inverse: inverse @ v,
                lambda v: M @ v,
                lambda s, v, t=t: A(t + s) @ v,
                (A1 + 2 * t * A2) @ u,
            )
        errors.append(np.abs(u - exact).max())
    measured = rates(np.array(errors))
    assert measured[-1] == pytest.approx(5, abs=0.1)
    assert (measured > 4.7).all()


@pytest.mark.slow
def test_ramp_steps_of_layers_converge_to_another_integrator():
    # One coarse mesh, so that the system is small: DOP853 integrates all of it to rounding.
    system = layers((0.3, 0.5, 0.2), (2.0, 1.0, 0.5)).system(0, 8.0, 0.05, (1.0,))
    q = WAVEFORM.q_of_b(2.0)
    M = system.operators.mass_matrix.toarray()
    inverse = np.linalg.inv(M)
    u = np.ones(len(M), dtype=complex)
    for segment in WAVEFORM.segments:
        ramp = solve_ivp(
            lambda t, v, s=segment: -inverse @ (system.matrix(q * s.jet(t, 0)[0]) @ v),
            (0, segment.duration),
            u,
            method="DOP853",
            rtol=1e-12,
            atol=1e-14,
        )
        u = ramp.y[:, -1]
    exact = complex(M.sum(axis=0) @ u / M.sum())
    assert abs(exact.imag) < 1e-10
    errors = np.array(
        [mesh_signal(system, WAVEFORM, q, steps).real - exact.real for steps in (6, 12, 24, 48)]
    )
    assert (rates(errors) > 3.5).all()
    assert abs(errors[-1]) < 1e-8 * exact.real


@pytest.mark.parametrize("case", [*CASES[:3], (FOUR_DISCS, 2.0, 0.5, 4.0, (0.0, 1.0))])
def test_ramp_steps_of_the_full_problem_converge_with_order_three_or_more(case):
    cell, period, permeability, b, direction = case
    system = cell.system(0, period, permeability, direction)
    results = [
        mesh_signal(system, WAVEFORM, WAVEFORM.q_of_b(b), steps).real
        for steps in (6, 12, 24, 48, 96)
    ]
    assert (rates(np.array(results[:-1]) - results[-1]) > 3).all()


# ---- exponentials ----


@pytest.fixture(scope="module")
def plateau() -> tuple[csc_array, csc_array, np.ndarray]:
    """M, A(q) and a state that is neither smooth nor small anywhere."""
    system = Cell(LARGE_DISC.shape, (3.0, 1.7), 0.3).system(0, 10.0, 0.05, (0.6, 0.8))
    M = system.operators.mass_matrix
    rng = np.random.default_rng(3)
    v = rng.standard_normal(M.shape[0]) + 1j * rng.standard_normal(M.shape[0])
    return M, system.matrix(np.array([0.4])), v


@pytest.mark.parametrize("tau", [0.01, 1.0, 20.0])
@pytest.mark.parametrize("tolerance", [1e-4, 1e-7, 1e-10])
def test_krylov_exponentials_keep_their_tolerance(plateau, tau, tolerance):
    M, A, v = plateau
    exact = expm(-tau * np.linalg.solve(M.toarray(), A.toarray())) @ v
    size = np.sqrt(np.vdot(exact, M @ exact).real)
    error = expm_multiply(M, A, v, tau, tolerance) - exact
    distance = np.sqrt(np.vdot(error, M @ error).real) / size
    form = np.vdot(v, M @ exact).real
    scatter = abs(expm_form(M, A, v, tau, tolerance) - form) / form
    print(f"tau {tau}, tolerance {tolerance:.0e}: vector {distance:.1e}, form {scatter:.1e}")
    assert distance <= tolerance
    assert scatter <= tolerance


@pytest.fixture
def ten_seconds() -> Iterator[None]:
    """Fail instead of running for ever."""

    def stop(_signal: int, _frame: object) -> None:
        raise TimeoutError("no end after ten seconds")

    before = alarms.signal(alarms.SIGALRM, stop)
    alarms.alarm(10)
    yield
    alarms.alarm(0)
    alarms.signal(alarms.SIGALRM, before)


@pytest.mark.usefixtures("ten_seconds")
def test_a_space_that_is_exhausted_gives_the_exact_exponential():
    M = csc_array(np.diag([1.0, 2.0, 3.0]))
    A = csc_array(np.array([[2.0, 1.0j, 0.0], [-1.0j, 2.0, 0.5], [0.0, 0.5, 1.0]]))
    v = np.array([1.0, 1.0j, -1.0])
    exact = expm(-0.7 * np.linalg.solve(M.toarray(), A.toarray())) @ v
    np.testing.assert_allclose(expm_multiply(M, A, v, 0.7, 1e-13), exact, rtol=1e-11)


@pytest.mark.usefixtures("ten_seconds")
def test_a_state_that_keeps_its_shape_only_fades():
    # Free water, the whole waveform: the Krylov space has one dimension.
    free = Cell(Discs(()), (2.0,))
    system = free.system(0, 5.0, 0.0, (1.0, 0.0))
    result = mesh_signal(system, WholePgse(5.0, 15.0), WAVEFORM.q_of_b(1.0), 24)
    assert result == pytest.approx(np.exp(-2.0), rel=1e-7)


@pytest.mark.usefixtures("ten_seconds")
def test_a_tolerance_below_rounding_is_refused(plateau):
    M, A, v = plateau
    with pytest.raises(ConvergenceError, match="120 Krylov vectors do not reach 1.0e-30"):
        expm_multiply(M, A, v, 1.0, 1e-30)
