"""Orders of the model error |S_ref - S_model| in the period L, in one finite-element space.

With sigma = kappa/L fixed and a mirror-symmetric waveform S is real and even in L: R0 has order 2,
R2 order 4, in cells with a centre of symmetry and without. Reference and model live on the same
mesh, so that its error cancels; the reference is integrated until its error in time is below a
thousandth of the smallest model error.
"""

from __future__ import annotations

import math

import numpy as np
import pytest
from support.cells import ASYMMETRIC, D_E, DISC, FOUR_DISCS, Cell, discs

from torrey.geometry import Discs
from torrey.gradients.waveforms import Pgse
from torrey.models.evaluation import build_models
from torrey.reference.full import mesh_signal
from torrey.study.orders import fit_order, local_orders

WAVEFORM = Pgse(5.0, 15.0)
Q = WAVEFORM.q_of_b(0.85)
SIGMA = 0.02
DIRECTION = (0.0, 1.0)
LEVEL = 0


def reference(cell: Cell, periods: np.ndarray, steps: int) -> np.ndarray:
    systems = [cell.system(LEVEL, L, SIGMA * L, DIRECTION) for L in periods]
    return np.array([mesh_signal(system, WAVEFORM, Q, steps).real for system in systems])


def model_errors(cell: Cell, periods: np.ndarray, *names: str) -> dict[str, np.ndarray]:
    """|S_ref - S_model| for each model, with a reference converged in time."""
    exact = reference(cell, periods, 64)
    missing = np.abs(exact - reference(cell, periods, 32)) / 7.0  # order 3 at least
    models = build_models(cell.operators(LEVEL), DIRECTION, names)
    errors = {
        name: np.abs(model.signal(WAVEFORM, Q, periods, SIGMA) - exact)
        for name, model in zip(names, models, strict=True)
    }
    for name, error in errors.items():
        print(name, *(f"{e:.2e}" for e in error), "in time", f"{missing.max():.1e}")
        assert np.all(missing < 2e-3 * error)
    return errors


@pytest.mark.parametrize("cell", [DISC, FOUR_DISCS, ASYMMETRIC], ids=["disc", "four", "asymmetric"])
def test_r0_has_order_two_and_r2_order_four_from_3_um_to_1_um(cell: Cell) -> None:
    periods = np.array([1.0, 1.5, 2.0, 3.0])
    errors = model_errors(cell, periods, "R0", "R2")
    assert fit_order(periods, errors["R0"]).order == pytest.approx(2.0, abs=0.1)
    assert fit_order(periods, errors["R2"]).order == pytest.approx(4.0, abs=0.2)


def test_the_orders_between_5_and_3_5_um_are_the_known_ones() -> None:
    periods = np.array([3.5, 5.0])
    errors = model_errors(DISC, periods, "R0", "R2")
    assert local_orders(periods, errors["R0"])[0] == pytest.approx(1.89, abs=0.01)
    assert local_orders(periods, errors["R2"])[0] == pytest.approx(3.90, abs=0.02)


def test_lumping_cells_of_different_size_stalls() -> None:
    # Cells exchange at different rates, so that their mean is not a compartment: the error stays.
    periods = np.array([0.1, 0.2])
    errors = model_errors(FOUR_DISCS, periods, "R0", "lumped-R0")
    assert local_orders(periods, errors["R0"])[0] > 1.9
    assert local_orders(periods, errors["lumped-R0"])[0] < 0.5
    assert errors["lumped-R0"][0] > 5 * errors["R0"][0]


def test_free_water_is_exact_in_every_model() -> None:
    free = Cell(Discs(()), (2.0,))
    for model in build_models(free.operators(0), DIRECTION, ["R0", "R1", "R2"]):
        found = model.signal(WAVEFORM, Q, np.array([0.5, 20.0]), SIGMA)
        np.testing.assert_allclose(found, np.exp(-0.85 * 2.0), rtol=1e-9)


def test_r0_without_exchange_is_the_water_between_obstacles_and_still_water_inside() -> None:
    # Conductivity of the square array of insulating discs at a small area fraction f (Perrins,
    # McKenzie and McPhedran 1979): |Y_e| D^e = D_e x conductivity; the water inside is confined.
    f = math.pi * 0.2**2
    conductivity = 1 - 2 * f / (1 + f - 0.305827 * f**4 / (1 - 1.402958 * f**8) - 0.013362 * f**8)
    expected = (1 - f) * math.exp(-0.85 * D_E * conductivity / (1 - f)) + f
    (model,) = build_models(DISC.operators(2), DIRECTION, ["R0"])
    found = model.signal(WAVEFORM, Q, np.array([1.0, 7.0]), 0.0)
    np.testing.assert_allclose(found, expected, rtol=1e-6)
    # The Bloch-Torrey equation comes there as the period shrinks.
    periods = np.array([1.0, 2.0])
    systems = [DISC.system(2, L, 0.0, DIRECTION) for L in periods]
    errors = [mesh_signal(system, WAVEFORM, Q, 12).real - expected for system in systems]
    assert local_orders(periods, errors)[0] == pytest.approx(2.0, abs=0.05)


def test_equal_cells_lumped_are_the_same_model() -> None:
    # Two discs that a translation of the lattice exchanges: their water does the same.
    same = discs((0.2, 0.3, 0.15), (0.7, 0.8, 0.15))
    plain, lumped = build_models(same.operators(0), DIRECTION, ["R0", "lumped-R0"])
    found, expected = (
        model.signal(WAVEFORM, Q, np.array([1.0, 4.0]), SIGMA) for model in (lumped, plain)
    )
    np.testing.assert_allclose(found, expected, rtol=1e-5)


def test_one_cell_lumped_is_the_same_model() -> None:
    periods = np.array([1.0, 4.0])
    plain, lumped = build_models(DISC.operators(LEVEL), DIRECTION, ["R2", "lumped-R2"])
    np.testing.assert_allclose(
        plain.signal(WAVEFORM, Q, periods, SIGMA),
        lumped.signal(WAVEFORM, Q, periods, SIGMA),
        rtol=1e-9,
    )
