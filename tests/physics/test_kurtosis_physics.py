"""Diffusion kurtosis of impermeable cells (KHM19) against the Bloch-Torrey equation.

Water outside impermeable cells, one compartment, PGSE along e_y. The order-0 signal exp(-b D:nn)
errs by L^2, the order-2 signal and its Pade form by L^4 (KHM19 promises O(L^3); odd orders vanish
in the signal). The tensor W is the limit of the fourth cumulant: with

    ln S = -c_1 b + c_2 b^2 + O(b^3),    6 c_2 / (D_mean L)^2 -> W::nnnn / L^2   as L -> 0.

Signals and tensors live on one and the same mesh, whose error cancels.
"""

from __future__ import annotations

import numpy as np
import pytest
from support.cells import Cell, layers

from torrey.geometry import Disc, Discs
from torrey.gradients.waveforms import Pgse
from torrey.models.evaluation import build_models
from torrey.models.kurtosis import compartment_kurtosis, pade_models
from torrey.models.tensors import papers_tensors
from torrey.reference.full import mesh_signal
from torrey.study.orders import fit_order

WAVEFORM = Pgse(2.5, 5.0)
DIRECTION = (0.0, 1.0)
LEVEL = 0

ONE = Cell(Discs((Disc((0.5, 0.5), 0.2),), "obstacle"), (3.0,))
THREE = Cell(
    Discs(
        (Disc((0.27, 0.28), 0.18), Disc((0.73, 0.36), 0.22), Disc((0.45, 0.75), 0.2)), "obstacle"
    ),
    (3.0,),
)


def reference(cell: Cell, period: float, b: np.ndarray, steps: int) -> np.ndarray:
    system = cell.system(LEVEL, period, 0.0, DIRECTION)
    return np.array([mesh_signal(system, WAVEFORM, WAVEFORM.q_of_b(x), steps).real for x in b])


def signals(cell: Cell, periods: np.ndarray, b: float) -> dict[str, np.ndarray]:
    """Signals of the three models against the period."""
    q = WAVEFORM.q_of_b(b)
    models = build_models(cell.operators(LEVEL), DIRECTION, ["R0", "R2"])
    found = [model.signal(WAVEFORM, q, periods, 0.0).real for model in models]
    (model,) = pade_models(cell.operators(LEVEL), DIRECTION)
    pade = model.signal(WAVEFORM, q, periods, 0.0).real
    return {"order 0": found[0], "order 2": found[1], "Pade": pade}


@pytest.mark.parametrize("cell", [ONE, THREE], ids=["one", "three"])
def test_the_error_of_order_0_falls_as_l2_and_of_order_2_and_pade_as_l4(cell: Cell) -> None:
    periods, b = np.array([0.6, 0.85, 1.2, 1.7]), np.array([0.5])
    exact = np.array([reference(cell, L, b, 64)[0] for L in periods])
    missing = np.abs(exact - [reference(cell, L, b, 32)[0] for L in periods]) / 7.0
    for name, found in signals(cell, periods, b[0]).items():
        error = np.abs(found - exact)
        fit = fit_order(periods, error)
        print(name, *(f"{e:.2e}" for e in error), f"in time {missing.max():.1e}", fit.order)
        assert np.all(missing < 1e-2 * error)
        assert fit.order == pytest.approx(2.0 if name == "order 0" else 4.0, abs=0.15)


@pytest.mark.parametrize("cell", [ONE, THREE], ids=["one", "three"])
def test_the_pade_signal_decays_where_the_series_grows_above_one(cell: Cell) -> None:
    period, b = np.array([20.0]), 6.0
    found = signals(cell, period, b)
    assert found["order 2"][0] > 1.0
    assert found["order 0"][0] < found["Pade"][0] < 1.0
    assert reference(cell, float(period[0]), np.array([b]), 8)[0] < 1.0


@pytest.mark.parametrize("cell", [ONE, THREE], ids=["one", "three"])
def test_w_is_the_limit_of_the_fourth_cumulant(cell: Cell) -> None:
    kurtosis = compartment_kurtosis(papers_tensors(cell.operators(LEVEL)), WAVEFORM, 1.0)
    b = np.linspace(0.1, 0.6, 6)
    periods = np.array([1.0, 1.5, 2.0, 3.0])
    cumulants = []
    for L in periods:
        log = np.log(reference(cell, L, b, 16)) / b
        first, second = np.polynomial.Polynomial.fit(b, log, 4).convert().coef[:2]
        cumulants.append((-first, second / L**2))
    # What is left of both falls as L^2 or faster.
    limits = [
        np.polynomial.Polynomial.fit(periods**2, values, 2).convert().coef[0]
        for values in np.transpose(cumulants)
    ]
    D = kurtosis.apparent_diffusion(DIRECTION)
    assert limits[0] == pytest.approx(D, rel=1e-5)
    found = 6 * limits[1] / kurtosis.mean_diffusivity**2
    expected = kurtosis.apparent_kurtosis(DIRECTION) * (D / kurtosis.mean_diffusivity) ** 2
    print(f"W / L^2 = {expected:.8f}, from the signal {found:.8f}")
    assert found == pytest.approx(expected, rel=1e-3)


def test_along_layers_water_is_free_and_has_no_kurtosis() -> None:
    # B = 0 along the layers: all three models are the exact decay of each layer.
    cell = layers((0.4, 0.6), (2.0, 1.0), dimension=2)
    exact = 0.4 * np.exp(-2.0) + 0.6 * np.exp(-1.0)
    for found in signals(cell, np.array([5.0, 50.0]), 1.0).values():
        np.testing.assert_allclose(found, exact, rtol=1e-8)
