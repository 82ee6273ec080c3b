"""Fibres that are turned and directions all over the sphere, in a notebook."""

from __future__ import annotations

import numpy as np
import pytest

import torrey as tr
from torrey.gradients.orientations import Orientation

PGSE = tr.Pgse("5 ms", "25 ms")
AXIS = (0.48, 0.6, 0.64)
ALONG = np.array([[0.0, 0.0, 1.0], [0.6, 0.0, 0.8], [1.0, 0.0, 0.0]])


@pytest.fixture(scope="module")
def fibre() -> tr.Cell:
    """A fibre whose cross-section has no symmetry, so that its roll matters."""
    return tr.Cell(
        tr.Discs((tr.Disc((0.3, 0.4), 0.2), tr.Disc((0.7, 0.75), 0.15))),
        diffusivity={"outside": 3.0, "inside": 1.7},
        period=10.0,
        permeability=0.05,
        mesh=tr.MeshOptions(0.3, 1),
    )


def test_a_rotated_fibre_is_a_rotated_table(fibre):
    turned = fibre.signal(
        PGSE, b=1.0, direction=ALONG, model="R2", orientation={"axis": AXIS, "roll": "30 deg"}
    )
    table = ALONG @ Orientation(AXIS, 30.0).matrix
    expected = fibre.signal(PGSE, b=1.0, direction=table, model="R2")
    assert turned.values == pytest.approx(expected.values, rel=1e-11)
    rolled = fibre.signal(PGSE, b=1.0, direction=ALONG, model="R2", orientation={"axis": AXIS})
    assert np.abs(rolled - turned).max() > 1e-4
    assert turned.dims == ("direction",)
    assert turned.orientation_roll.item() == 30.0


def test_several_orientations_are_a_dimension(fibre):
    lies = [{"axis": AXIS, "roll": "30 deg"}, {"axis": (0, 0, 1)}]
    several = fibre.signal(PGSE, b=[0.5, 1.0], direction=(1, 0, 0), model="R2", orientation=lies)
    assert several.dims == ("orientation", "b")
    for number, one in enumerate(lies):
        single = fibre.signal(PGSE, b=[0.5, 1.0], direction=(1, 0, 0), model="R2", orientation=one)
        assert np.array_equal(several.values[number], single.values)
    assert several.fibre_angle.values == pytest.approx([np.degrees(np.arccos(0.48)), 90.0])


def test_the_mean_over_a_distribution_is_a_coordinate(fibre):
    watson = {"watson": {"kappa": 8, "axis": AXIS, "points": 18}}
    spread = fibre.signal(PGSE, b=[0.0, 1.0], direction=(1, 0), model=["R0"], orientation=watson)
    assert spread.dims == ("model", "orientation", "b")
    assert spread.dispersed_signal.dims == ("model", "b")
    weighted = (spread * spread.orientation_weight).sum("orientation")
    assert spread.dispersed_signal.values == pytest.approx(weighted.values)
    assert np.all(spread.dispersed_signal_error.isel(b=1) < 0.05)


def test_the_mean_over_the_sphere_is_a_coordinate(fibre):
    lies = [{"axis": AXIS}, {"axis": (0, 0, 1)}]
    powder = {"powder": np.int64(12)}
    found = fibre.signal(PGSE, b=[0.0, 1.0], direction=powder, model="R0", orientation=lies)
    assert found.dims == ("orientation", "b", "direction")
    assert found.spherical_mean.dims == ("orientation", "b")
    assert found.spherical_mean.isel(b=0).values == pytest.approx(1.0)
    weighted = (found * found.direction_weight).sum("direction")
    assert found.spherical_mean.values == pytest.approx(weighted.values)
    # Whatever the orientation, the mean over all directions is the same within its error.
    one, other = found.spherical_mean.isel(b=1).values
    assert abs(one - other) <= found.spherical_mean_error.isel(b=1).sum() < 0.5


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"orientation": (0, 0, 1)}, r"orientation=\.\.\.\)\[0\].*a list of such"),
        ({"orientation": {"axis": (1, 0)}}, "three numbers"),
        ({"orientation": {"axis": (0, 0, 0)}}, "length 0"),
        ({"orientation": {"axis": AXIS, "roll": "3 ms"}}, "an angle"),
        ({"orientation": []}, "an empty list"),
        ({"orientation": [{"axis": AXIS}] * 2}, "a second time"),
        ({"orientation": {"watson": {"kappa": -1}}}, "kappa.*from 0 to"),
        ({"orientation": {"watson": {"kappa": 1, "points": 3}}}, "points.*at least 18"),
        ({"orientation": {"watson": {"kappa": 1, "points": 10**7}}}, "points.*at most 10000"),
        ({"orientation": {"watson": {"kapa": 1}}}, "kapa"),
        ({"direction": {"powder": 3}}, "at least 10"),
        ({"direction": {"powder": 3000}}, "at most 1000"),
        ({"direction": {"powder": True}}, "{'powder': 60}"),
        ({"direction": {"lebedev": 13}}, "a degree of Lebedev"),
        ({"direction": {"sphere": 3}}, "{'powder': 60}"),
    ],
)
def test_what_is_refused(fibre, given, message):
    arguments = {"direction": (1, 0), **given}
    with pytest.raises(tr.InputError, match=message):
        fibre.signal(PGSE, b=1.0, model="R0", **arguments)
