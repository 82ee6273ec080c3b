"""Immobile water (dots) and water that moves along one axis (sticks).

Where D = 0 behind a membrane that lets nothing through, M = rho exp(-t/T2) whatever the gradient: a
cell with such water is the cell without it, an obstacle in its place, plus a constant. With
D = diag(0, 0, D_z) the signal of a compartment is exp(-b_zz D_z).
"""

from __future__ import annotations

import math

import numpy as np
import pytest

import torrey as tr

R = 0.35
SHARE = math.pi * R**2
PULSES = tr.Pgse("10 ms", "30 ms")
MESH = tr.MeshOptions(0.15, 2)
DISC = tr.Discs([tr.Disc((0.5, 0.5), R)])
MODELS = ["reference", "R0", "R2", "P3"]


@pytest.fixture(scope="module")
def stone():
    """The same cell without the water inside."""
    return tr.Cell(tr.Discs([tr.Disc((0.5, 0.5), R)], "obstacle"), 2.5, "8 um", mesh=MESH)


def dot(**given):
    D = {"outside": 2.5, "cell_1": 0}
    return tr.Cell(DISC, D, "8 um", mesh=MESH, **given)


def test_a_dot_adds_a_constant_to_every_model(stone):
    found = dot().signal(PULSES, b=1.0, direction=(1, 0), model=MODELS)
    without = stone.signal(PULSES, b=1.0, direction=(1, 0), model=MODELS)
    error = found.numerical_error + without.numerical_error
    assert np.all(np.abs(found - (1 - SHARE) * without - SHARE) < error + 1e-5)
    # The basis of P3 has more fields around an obstacle, whose surface may relax.
    assert float(np.abs(found[1:3] - (1 - SHARE) * without[1:3] - SHARE).max()) < 1e-6


def test_a_dot_relaxes_with_its_own_time_and_has_its_own_density(stone):
    T2, density = {"outside": 80, "inside": 40}, {"outside": 1, "inside": 0.7}
    strengths = [0.2, 0.6, 1.0, 1.4, 1.8]
    found = dot(T2=T2, density=density).signal(
        PULSES, b=strengths, direction=(1, 0), method="projected"
    )
    water = (1 - SHARE) * stone.with_(T2=80).signal(PULSES, b=strengths, direction=(1, 0))
    still = 0.7 * SHARE * math.exp(-40 / 40)
    expected = (water + still) / (1 - SHARE + 0.7 * SHARE)
    assert np.all(np.abs(found - expected) < 2e-4 * expected)


def test_cumulants_of_a_dot_are_those_of_the_rest(stone):
    found = dot().cumulants(PULSES, direction=(1, 0))
    rest = stone.cumulants(PULSES, direction=(1, 0))
    assert float(found.adc) == pytest.approx((1 - SHARE) * float(rest.adc), rel=2e-4)
    # <x^4> - 3 <x^2>^2 of a mixture with water that does not move.
    fourth = (1 - SHARE) * float(rest.adc) ** 2 * (float(rest.kurtosis) + 3.0)
    assert float(found.kurtosis) == pytest.approx(fourth / float(found.adc) ** 2 - 3.0, rel=1e-3)


def test_water_that_moves_along_the_axis_alone_is_free_along_it():
    D = {"outside": 2.5, "inside": np.diag((0.0, 0.0, 1.7))}
    cell = tr.Cell(DISC, D, "8 um", mesh=MESH, density={"outside": 0, "inside": 1})
    found = cell.signal(PULSES, b=1.0, direction=(0, 0.6, 0.8), model=["reference", "R0", "P2"])
    assert found.values == pytest.approx(math.exp(-1.7 * 0.64), abs=1e-8)


def test_a_cell_in_which_nothing_moves_only_relaxes():
    cell = tr.Cell(DISC, 0, "8 um", T2=80, mesh=MESH)
    found = cell.signal(PULSES, b=1.0, direction=(1, 0), model=["reference", "R0", "P2"])
    assert found.values == pytest.approx(math.exp(-0.5), abs=1e-9)


@pytest.mark.parametrize(
    ("ask", "said"),
    [
        (lambda: dot(permeability=0.01), "membrane_1, beside the immobile water of cell_1"),
        (lambda: dot().tensors(), "immobile water"),
        (lambda: dot().bands((1, 0)), "nothing moves along some axis"),
        (lambda: dot().spectrum((1, 0), gradient=0.01), "nothing moves along some axis"),
        (lambda: dot().signal(PULSES, b=1.0, direction=(1, 0), model="Pade"), "moves everywhere"),
        (lambda: dot().signal(PULSES, b=1.0, direction=(1, 0), model="lumped-R0"), "everywhere"),
        (
            lambda: tr.Cell(
                tr.Discs([tr.Disc((0.5, 0.5), 0.2)], layer=0.1),
                {"outside": 2, "inside": 0, "layer": 1},
                "8 um",
            ),
            "cell_1, immobile and continuous with other water",
        ),
    ],
)
def test_what_would_mean_nothing_is_refused(ask, said):
    with pytest.raises(ValueError, match=said):
        ask()


@pytest.mark.slow
def test_factors_of_zero_close_membranes_beside_a_dot():
    two = tr.Discs([tr.Disc((0.3, 0.5), 0.2), tr.Disc((0.75, 0.5), 0.2)])
    D = {"outside": 2.5, "inside": 1.0, "cell_2": 0}
    with pytest.raises(ValueError, match="membrane_2"):
        tr.Cell(two, D, "8 um", 0.02)
    cell = tr.Cell(two, D, "8 um", [0.02, 0.0], mesh=MESH)
    found = cell.signal(PULSES, b=1.0, direction=(0, 1), model=["reference", "R2", "P4"])
    # The second disc could be an obstacle; it is a pore of its own whose water is dense.
    moving = cell.with_(density={"outside": 1, "inside": 1, "cell_2": 0})
    rest = moving.signal(PULSES, b=1.0, direction=(0, 1))
    share = math.pi * 0.2**2
    assert float(found[0]) == pytest.approx((1 - share) * float(rest) + share, abs=2e-5)
    assert float(found[2]) == pytest.approx(float(found[0]), abs=1e-4)


def chords(radius, count=40):
    """Gauss-Legendre places across a disc and half lengths of its chords, with their weights."""
    x, w = np.polynomial.legendre.leggauss(count)
    angle = np.pi / 2 * x
    half = radius * np.cos(angle)
    weight = w * half**2
    return half, weight / weight.sum()


@pytest.mark.slow
def test_sticks_in_the_plane_are_layers_chord_by_chord():
    # Water in a disc that moves along x alone: chords of different lengths, each a pore in one
    # dimension. The mean over them is the signal of the disc.
    D = [[1.7, 0.0], [0.0, 0.0]]
    cell = tr.Cell(
        DISC, {"outside": 2.5, "inside": D}, "8 um", density={"outside": 0, "inside": 1}, mesh=MESH
    )
    found = cell.signal(PULSES, b=1.0, direction=(1, 0), tolerance=1e-3)
    half, weight = chords(8.0 * R, 16)
    values = []
    for length in 2 * half:
        pore = tr.Cell(tr.Layers((1.0,)), 1.7, float(length))
        values.append(float(pore.signal(PULSES, b=1.0, model="P4")))
    assert float(found) == pytest.approx(float(weight @ np.array(values)), abs=1e-4)
    across = cell.signal(PULSES, b=1.0, direction=(0, 1))
    assert float(across) == pytest.approx(1.0, abs=1e-9)


def test_sticks_in_the_plane_have_a_reference_alone():
    D = [[1.7, 0.0], [0.0, 0.0]]
    cell = tr.Cell(DISC, {"outside": 2.5, "inside": D}, "8 um", mesh=MESH)
    with pytest.raises(ValueError, match="moves along all axes"):
        cell.signal(PULSES, b=1.0, direction=(1, 0), model="R0")
    with pytest.raises(ValueError, match="sticks"):
        cell.medium.levels[0].stiffness_factor  # noqa: B018


@pytest.mark.slow
def test_cumulants_of_sticks_in_the_plane_are_means_over_chords():
    D = [[1.7, 0.0], [0.0, 0.0]]
    cell = tr.Cell(
        DISC, {"outside": 2.5, "inside": D}, "8 um", density={"outside": 0, "inside": 1}, mesh=MESH
    )
    found = cell.cumulants(PULSES, direction=(1, 0))
    half, weight = chords(8.0 * R, 16)
    pores = [tr.Cell(tr.Layers((1.0,)), 1.7, float(x)).cumulants(PULSES) for x in 2 * half]
    adc, kurtosis = (np.array([float(p[name]) for p in pores]) for name in ("adc", "kurtosis"))
    mean = float(weight @ adc)
    assert float(found.adc) == pytest.approx(mean, rel=1e-4)
    fourth = float(weight @ (adc**2 * (kurtosis + 3.0)))
    assert float(found.kurtosis) == pytest.approx(fourth / mean**2 - 3.0, abs=1e-3)
