"""Derivatives beside signals: values, errors, names and units, and what is refused."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import xarray

import torrey as tr
from torrey.base.errors import InputError

PGSE = tr.Pgse("5 ms", "15 ms")
ASKED = {"b": [0.0, 0.5, 1.0], "direction": [0.6, 0.8], "tolerance": 1e-4}
UNITS = {
    "kappa": "ms um-1",
    "L": "um-1",
    "D_outside": "ms um-2",
    "D_cell_1": "ms um-2",
    "b": "um2 ms-1",
    "direction_x": "1",
    "direction_y": "1",
}


@pytest.fixture(scope="module")
def found(cell: tr.Cell) -> xarray.DataArray:
    return cell.signal(PGSE, **ASKED, derivatives=True)


def slope(signal: Callable[[float], np.ndarray], step: float) -> np.ndarray:
    def once(h: float) -> np.ndarray:
        return (signal(h) - signal(-h)) / (2.0 * h)

    return (4.0 * once(step / 2.0) - once(step)) / 3.0


def test_signals_are_the_same_with_derivatives(cell: tr.Cell, found: xarray.DataArray) -> None:
    alone = cell.signal(PGSE, **ASKED)
    # A basis that has grown since is the same but for rounding.
    np.testing.assert_allclose(found.values, alone.values, rtol=1e-12, atol=0.0)
    assert not [name for name in alone.coords if str(name).startswith("dS")]


def test_each_has_a_unit_and_an_error(found: xarray.DataArray) -> None:
    names = {str(name) for name in found.coords if str(name).startswith("dS_d")}
    assert names == {f"dS_d{by}{end}" for by in UNITS for end in ("", "_error")}
    for by, unit in UNITS.items():
        for name in (f"dS_d{by}", f"dS_d{by}_error"):
            assert found[name].dims == found.dims
            assert found[name].attrs["units"] == unit
        assert np.isfinite(found[f"dS_d{by}_error"]).all()


@pytest.mark.slow
def test_they_are_the_limits_of_differences(cell: tr.Cell, found: xarray.DataArray) -> None:
    def near(name: str, expected: np.ndarray, noise: float) -> None:
        error = np.abs(found[name].values - expected)
        assert np.all(error <= found[f"{name}_error"].values + noise), name
        assert np.abs(expected).max() > 100 * noise

    def with_(**change: object) -> np.ndarray:
        return cell.with_(**change).signal(PGSE, **ASKED).values

    near("dS_dkappa", slope(lambda e: with_(permeability=0.05 + e), 5e-3), 2e-4)
    near("dS_dL", slope(lambda e: with_(period=10.0 + e), 0.4), 5e-6)
    near("dS_dD_cell_1", slope(lambda e: with_(diffusivity=[3.0, 1.7 + e]), 0.2), 2e-5)
    turned = np.array([0.8, -0.6]) @ [found[f"dS_ddirection_{axis}"].values for axis in "xy"]
    along = np.array([0.6, 0.8]) @ [found[f"dS_ddirection_{axis}"].values for axis in "xy"]
    np.testing.assert_allclose(along, 0.0, atol=1e-12)

    def at_angle(e: float) -> np.ndarray:
        n = np.array([0.6, 0.8]) * np.cos(e) + np.array([0.8, -0.6]) * np.sin(e)
        return cell.signal(PGSE, **{**ASKED, "direction": n}).values

    expected = slope(at_angle, 0.05)
    # Differences of signals to 1e-4 over small turns are no better; without fields beside the
    # gradient it would be 2 per cent of q dS/dq.
    assert np.abs(turned - expected).max() < 1e-4
    assert np.abs(expected).max() > 1e-2


def test_without_gradient_the_slope_by_b_is_the_diffusivity(
    cell: tr.Cell, found: xarray.DataArray
) -> None:
    expected = -cell.cumulants(PGSE, direction=[0.6, 0.8]).adc.item()
    assert found.dS_db.values[0] == pytest.approx(expected, rel=1e-4)
    assert np.all(found.dS_db.values < 0.0)
    assert np.all(found.dS_dD_outside.values[1:] < 0.0)


def disc(radius: float) -> tr.Cell:
    return tr.Cell(tr.Discs([tr.Disc((0.5, 0.5), radius)]), [3.0, 1.7], "10 um", "5e-5 m/s")


def obstacle(radius: float) -> tr.Cell:
    """Its surface relaxes, and the volume of the water changes."""
    shape = tr.Discs([tr.Disc((0.1, 0.5), radius)], interior="obstacle")
    return tr.Cell(shape, 2.0, "10 um", surface_relaxivity="1e-5 m/s")


def myelin(radius: float) -> tr.Cell:
    """The outside of the coat stays where it is."""
    shape = tr.Discs([tr.Disc((0.1, 0.9), radius)], coat=0.35 - radius)
    D = {"outside": 2.0, "inside": 1.5, "coat": {"radial": 0.1, "tangential": 0.5}}
    T2 = {"outside": "80 ms", "inside": "60 ms", "coat": "20 ms"}
    return tr.Cell(shape, D, "10 um", "1e-5 m/s", T2=T2)


def sphere(radius: float) -> tr.Cell:
    shape = tr.Spheres([tr.Sphere((0.5, 0.5, 0.5), radius)])
    return tr.Cell(shape, [2.0, 1.0], "10 um", "3e-5 m/s", mesh=0.4)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("cell", "radius", "tolerance", "close"),
    [(disc, 0.4, 1e-5, 1e-5), (obstacle, 0.3, 1e-4, 2e-5), (myelin, 0.25, 1e-4, 1e-5),
     (sphere, 0.35, 1e-3, 1e-3)],
)  # fmt: skip
def test_by_a_radius_they_are_the_limits_of_differences(
    cell: Callable[[float], tr.Cell], radius: float, tolerance: float, close: float
) -> None:
    """Cells of other radii are meshed anew: what meshes change in signals is the noise."""
    d = cell(radius).shape.dimension
    asked = {"b": [0.0, 0.5, 2.0], "direction": [0.6, 0.8, 0.0][:d], "tolerance": tolerance}
    found = cell(radius).signal(PGSE, **asked, derivatives="R")

    def near(change: float) -> np.ndarray:
        return cell(radius + change).signal(PGSE, **asked).values

    expected = slope(near, 0.03) / 10.0
    error = np.abs(found.dS_dR_cell_1.values - expected)
    assert np.all(error <= found.dS_dR_cell_1_error.values + close)
    assert np.abs(expected).max() > 20 * close
    assert error.max() < 3 * close


def test_by_radii_they_are_asked_for_by_name(cell: tr.Cell) -> None:
    coated = tr.Cell(tr.Discs([tr.Disc((0.5, 0.5), 0.3)], coat=0.1), 1.0, 5.0, 0.01, mesh=0.3)
    found = coated.signal(PGSE, b=[0.0, 1.0], direction=[1, 0], derivatives=["R"], tolerance=1e-2)
    names = {str(name) for name in found.coords if str(name).startswith("dS_d")}
    parts = ("cell_1", "coat_1")
    assert names == {f"dS_dR_{part}{end}" for part in parts for end in ("", "_error")}
    assert found.dS_dR_coat_1.attrs["units"] == "um-1"
    # A larger ball takes in water of the same density: without gradient nothing is lost.
    assert abs(found.dS_dR_coat_1.values[0]) <= found.dS_dR_coat_1_error.values[0] < 1e-8
    assert abs(found.dS_dR_coat_1.values[1]) > found.dS_dR_coat_1_error.values[1]
    both = cell.signal(PGSE, b=1.0, direction=[1, 0], model="P1", derivatives=["R", "kappa"])
    assert np.isnan(both.dS_dR_cell_1)
    assert np.isfinite(both.dS_dkappa)


def test_some_may_be_asked_for(cell: tr.Cell) -> None:
    found = cell.signal(PGSE, q=0.3, direction=[1, 0], derivatives=["q", "kappa"])
    names = {str(name) for name in found.coords if str(name).startswith("dS_d")}
    assert names == {"dS_dq", "dS_dkappa", "dS_dq_error", "dS_dkappa_error"}
    assert found.attrs["method"] == "projected"


def test_projected_models_have_those_that_their_basis_serves(cell: tr.Cell) -> None:
    found = cell.signal(PGSE, b=1.0, direction=[1, 0], model="P1", derivatives=True)
    expected = slope(
        lambda e: cell.signal(PGSE, b=1.0 + e, direction=[1, 0], model="P1").values, 0.02
    )
    assert found.dS_db.item() == pytest.approx(float(expected), rel=1e-6)
    assert np.isnan(found.dS_dD_outside)
    assert np.isinf(found.dS_ddirection_y_error)


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"derivatives": "radius"}, "some of kappa, D, L, b, direction"),
        ({"derivatives": ["q"]}, "some of kappa, D, L, b, direction, R"),
        ({"derivatives": True, "model": "R2"}, "projected models such as P4"),
        ({"derivatives": True, "method": "full"}, "projected models"),
    ],
)
def test_what_has_no_derivatives_is_refused(cell: tr.Cell, asked: dict, message: str) -> None:
    with pytest.raises(InputError, match=message):
        cell.signal(PGSE, b=1.0, direction=[1, 0], **asked)


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ({"shape": tr.Layers((0.6, 0.4))}, "no discs or spheres"),
        (
            {"shape": tr.Discs([tr.Disc((0.5, 0.5), 0.3)], layer=0.1), "permeability": 0.0},
            "no discs or spheres",
        ),
        ({"density": {"outside": 1.0, "inside": 0.5}}, "water of another density"),
        ({"T2": "50 ms", "T1": "1 s"}, "there is a T1 beside T2"),
    ],
)
def test_without_radii_that_may_grow_there_are_none_by_them(
    cell: tr.Cell, given: dict, why: str
) -> None:
    other = cell.with_(diffusivity=2.0, **given)
    n = [1.0, 0.0][: other.shape.dimension]
    with pytest.raises(InputError, match=f'"R", accepted: True, or some of .*: .*{why}'):
        other.signal(PGSE, b=1.0, direction=n, derivatives="R")


def test_rungs_that_change_nothing_by_symmetry_are_no_sign_of_accuracy() -> None:
    """Every other rung leaves the derivative by the layer in the middle as it is."""
    cell = tr.Cell(tr.Layers((0.3, 0.68, 0.02)), [2.0, 1.0, 0.3], 40.0)
    near, exact = (
        cell.signal(tr.Pgse(5.0, 20.0), b=[0.3, 1, 3], derivatives="D", tolerance=tolerance)
        for tolerance in (1e-3, 1e-5)
    )
    gap = np.abs(near.dS_dD_layer_0 - exact.dS_dD_layer_0).values
    assert np.all(gap <= (near.dS_dD_layer_0_error + exact.dS_dD_layer_0_error).values)


def test_layers_at_a_weak_and_a_strong_gradient_do_not_disturb_each_other():
    layers = tr.Cell(tr.Layers((0.6, 0.4)), [2.0, 1.0], 10.0, 0.02)
    names = ["dS_dD_layer_0", "dS_dD_layer_1"]
    first = layers.signal(PGSE, q=[0.3], tolerance=1e-6, derivatives=["D"])
    again = layers.signal(PGSE, q=[0.0, 0.3], tolerance=1e-2, derivatives=["D"])
    for name in names:
        errors = first[f"{name}_error"].values + again[f"{name}_error"].values
        assert abs(again[name].values[0]) <= again[f"{name}_error"].values[0]
        assert abs(again[name].values[1] - first[name].values[0]) <= errors[1]
        assert errors[1] < 0.1 * abs(first[name].values[0])
