"""The first-order coupling G_1 of the homogenised models, which KL23 drops (remarks 4.2 and 4.3).

G_1 is imaginary and couples compartments whose membranes lie off the centre of what surrounds
them: <[omega]> is not zero there. Its square is real, so that it changes the real part of a signal
at second order in the period, and R2 without it falls back to order 2.
"""

from __future__ import annotations

import numpy as np
import pytest
from support.cells import ASYMMETRIC, DISC, FOUR_DISCS, Cell

from torrey.gradients.waveforms import Pgse
from torrey.models.evaluation import build_models
from torrey.models.rates import RateModel
from torrey.models.tensors import papers_tensors, rate_matrices
from torrey.reference.full import mesh_signal
from torrey.study.orders import local_orders

WAVEFORM = Pgse(5.0, 15.0)
Q = WAVEFORM.q_of_b(0.85)
SIGMA = 0.02
Y = (0.0, 1.0)
R012 = ("R0", "R1", "R2")


def signal(model: RateModel, periods: np.ndarray) -> np.ndarray:
    return model.signal(WAVEFORM, Q, periods, SIGMA)


def without_first_order(cell: Cell) -> RateModel:
    """R2 of KL23 (4.11), with a compartment per cell."""
    tensors = papers_tensors(cell.operators(0))
    return RateModel(rate_matrices(tensors, np.array(Y), first_order=False), tensors.measures)


@pytest.mark.parametrize("cell", [ASYMMETRIC, FOUR_DISCS], ids=["asymmetric", "four"])
def test_the_first_order_couples_different_compartments_alone(cell: Cell) -> None:
    # Each equation of KL23 (3.19) and (3.20) holds the gradient of the other compartment, so that
    # the first equation of (3.20), which prints that of M_1^e, should print that of M_1^c.
    (model,) = build_models(cell.operators(0), Y, ["R1"])
    (coefficient,) = (m for m in model.rates[1].values() if np.abs(m).max() > 1e-9)
    assert np.abs(np.diag(coefficient)).max() < 1e-12
    assert np.abs(coefficient).max() > 1e-3
    # Waves from e to c and back: G_1 is a jump of omega over each membrane.
    tensors = papers_tensors(cell.operators(0))
    jumps = tensors.omega_jump @ np.array(Y)
    np.testing.assert_allclose(
        np.abs(coefficient[0, 1:]),
        np.abs(jumps * tensors.interface_measures / tensors.measures[1:]),
        rtol=1e-7,
    )


def test_r1_is_r0_where_membranes_lie_at_centres_of_symmetry() -> None:
    periods = np.array([1.0, 10.0])
    r0, r1 = build_models(DISC.operators(0), Y, ["R0", "R1"])
    np.testing.assert_allclose(signal(r1, periods), signal(r0, periods), rtol=1e-12)


def test_elsewhere_r1_changes_the_real_part_at_second_order() -> None:
    # KL23 remark 4.3 takes the real part of R1 for that of R0.
    periods = np.array([0.75, 1.5, 3.0])
    r0, r1 = build_models(FOUR_DISCS.operators(0), Y, ["R0", "R1"])
    change = signal(r1, periods) - signal(r0, periods)
    assert np.abs(change.imag).max() < 1e-12  # of a mirror-symmetric waveform the signal is real
    assert local_orders(periods, np.abs(change.real)) == pytest.approx([2.0, 2.0], abs=0.01)
    assert change.real[2] > 1e-4 * signal(r0, periods)[2].real


def test_r2_without_it_has_order_two() -> None:
    # KL23 (4.11) beside the whole R2, in one finite-element space with the reference.
    periods = np.array([0.25, 0.35, 0.5])
    systems = [FOUR_DISCS.system(0, L, SIGMA * L, Y) for L in periods]
    exact = np.array([mesh_signal(system, WAVEFORM, Q, 64).real for system in systems])
    (whole,) = build_models(FOUR_DISCS.operators(0), Y, ["R2"])
    errors = np.abs(signal(without_first_order(FOUR_DISCS), periods).real - exact)
    assert local_orders(periods, errors) == pytest.approx([2.0, 2.0], abs=0.25)
    assert np.all(errors > 10 * np.abs(signal(whole, periods).real - exact))


def test_the_numbers_of_the_documents() -> None:
    # docs/papers.md and docs/theory.md print them: the four discs at 0.7, 1 and 3 um.
    periods = np.array([0.7, 1.0, 3.0])
    systems = [FOUR_DISCS.system(0, L, SIGMA * L, Y) for L in periods]
    exact = np.array([mesh_signal(system, WAVEFORM, Q, 64).real for system in systems])
    r0, r1, r2 = (signal(m, periods) for m in build_models(FOUR_DISCS.operators(0), Y, R012))
    without = np.abs(signal(without_first_order(FOUR_DISCS), periods).real - exact)
    whole = np.abs(r2 - exact)
    assert (without[1], whole[1]) == pytest.approx((1.33e-5, 3.46e-6), rel=0.01)
    assert local_orders(periods, without)[0] == pytest.approx(2.39, abs=0.01)
    assert local_orders(periods, whole)[0] == pytest.approx(3.98, abs=0.005)
    assert (r1 - r0).real[2] == pytest.approx(8.9e-5, rel=0.01)
    assert np.abs(r0 - exact)[2] == pytest.approx(1.3e-2, rel=0.02)
