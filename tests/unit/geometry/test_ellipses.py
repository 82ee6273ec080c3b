"""Ellipses: exact areas and lengths, nesting, membranes across the boundary, what is refused."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.special import ellipe

from torrey.base.errors import InputError
from torrey.cell.assembly import assemble
from torrey.geometry import Disc, Discs, Ellipse, Ellipses, MeshOptions
from torrey.geometry.checks import check_mesh
from torrey.geometry.meshing import build_meshes
from torrey.geometry.outlines.curves import EllipseCurve

OVAL = Ellipse((0.05, 0.9), (0.4, 0.15), 30.0)


def sides(shape: Ellipses) -> np.ndarray:
    return np.array([(m.outside, m.inside) for m in shape.membranes()])


def test_equal_axes_are_discs() -> None:
    cells = (((0.5, 0.5), 0.4), ((0.0, 0.0), 0.2))
    ellipses = Ellipses(tuple(Ellipse(c, (r, r), 17.0) for c, r in cells))
    discs = Discs(tuple(Disc(c, r) for c, r in cells))
    assert ellipses.measures() == pytest.approx(discs.measures(), rel=1e-15)
    assert ellipses.interface_measures() == pytest.approx(discs.interface_measures(), rel=1e-15)
    assert ellipses.compartment_names == discs.compartment_names
    assert ellipses.membranes() == discs.membranes()
    np.testing.assert_allclose(ellipses.membrane_radii(), discs.membrane_radii(), rtol=1e-14)


def test_area_and_length_converge_as_the_fourth_power_of_the_size() -> None:
    shape = Ellipses((OVAL,))
    area, length = math.pi * 0.4 * 0.15, 4 * 0.4 * ellipe(1 - (0.15 / 0.4) ** 2)
    assert shape.measures()[1] == pytest.approx(area, rel=1e-14)
    assert shape.interface_measures()[0] == pytest.approx(length, rel=1e-14)
    errors = []
    for mesh in build_meshes(shape, MeshOptions(0.2, 2)):
        check_mesh(mesh, shape)
        errors.append(abs(assemble(mesh, sides(shape)).measures()[1] - area))
    rates = np.log2(np.array(errors[:-1]) / errors[1:])
    assert np.all(rates > 3.7), rates


def test_nodes_lie_on_the_ellipse_and_places_are_moved_onto_it() -> None:
    shape = Ellipses((OVAL, Ellipse((0.5, 0.4), (0.1, 0.2))))
    (mesh,) = build_meshes(shape, MeshOptions(0.15, 0))
    nodes = mesh.points[mesh.membrane_outside]
    assert shape.surface_gaps(nodes, mesh.membrane).max() < 1e-12
    rng = np.random.default_rng(1)
    t = rng.uniform(0, 2 * math.pi, 200)
    curve = shape.curves[0]
    exact = curve.at(t)
    normal = curve.at(t, 1)[:, ::-1] * [1, -1] / np.linalg.norm(curve.at(t, 1), axis=1)[:, None]
    # Off the curve, and in another image of the cell.
    off = exact + rng.uniform(-0.02, 0.02, (200, 1)) * normal + rng.integers(-2, 3, (200, 2))
    moved = shape.on_membrane(off, np.zeros(200, dtype=int))
    apart = moved - exact
    np.testing.assert_allclose(apart - np.round(apart), 0, atol=1e-12)


def test_ellipses_in_each_other_have_a_membrane_between_their_insides() -> None:
    cells = (
        Ellipse((0.98, 0.02), (0.3, 0.2), 10.0),
        Ellipse((0.98, 0.02), (0.4, 0.3), 10.0, "axon"),
        Ellipse((0.95, 0.0), (0.05, 0.04)),
        Ellipse((0.5, 0.5), (0.1, 0.05)),
    )
    shape = Ellipses(cells)
    assert shape.compartment_names == ("outside", "cell_1", "axon", "cell_3", "cell_4")
    pairs = [(m.outside, m.inside) for m in shape.membranes()]
    assert pairs == [(2, 1), (0, 2), (1, 3), (0, 4)]
    areas = [math.pi * a * b for a, b in (cell.semi_axes for cell in cells)]
    exact = (1 - areas[1] - areas[3], areas[0] - areas[2], areas[1] - areas[0], *areas[2:])
    assert shape.measures() == pytest.approx(exact, rel=1e-14)
    (mesh,) = build_meshes(shape, MeshOptions(0.15, 0))
    np.testing.assert_allclose(assemble(mesh, sides(shape)).measures(), exact, rtol=2e-4)


def test_outlines_of_one_name_are_one_compartment() -> None:
    cells = (Ellipse((0.2, 0.2), (0.1, 0.05), name="a"), Ellipse((0.7, 0.7), (0.2, 0.1), name="a"))
    shape = Ellipses(cells)
    assert shape.compartment_names == ("outside", "a")
    assert [m.name for m in shape.membranes()] == ["membrane_1", "membrane_2"]
    assert shape.measures()[1] == pytest.approx(math.pi * 0.025)
    (mesh,) = build_meshes(shape, MeshOptions(0.2, 0))
    check_mesh(mesh, shape)


def test_a_cell_may_be_higher_than_wide_and_hold_obstacles() -> None:
    shape = Ellipses((Ellipse((0.1, 1.4), (0.3, 0.4)),), "obstacle", 1.5)
    assert shape.measures() == pytest.approx((1.5 - math.pi * 0.12,))
    (mesh,) = build_meshes(shape, MeshOptions(0.15, 0))
    check_mesh(mesh, shape)
    np.testing.assert_array_equal(mesh.lattice, [[1, 0], [0, 1.5]])


REFUSED = [
    (
        lambda: Ellipses((Ellipse((0.5, 0.5), (0.3, 0.2)), Ellipse((0.7, 0.7), (0.3, 0.1)))),
        r"cells: found cell_1 and cell_2 cross or touch at \(0\.\d+, 0\.\d+\), accepted: outlines",
    ),
    (
        lambda: Ellipses((Ellipse((0.2, 0.2), (0.1, 0.1)), Ellipse((0.40005, 0.2), (0.1, 0.1)))),
        r"cell_1 and cell_2 are 5e-05 apart at \(0\.3\d*, 0\.\d+\)",
    ),
    (
        lambda: Ellipses((Ellipse((0.2, 0.2), (0.51, 0.1)),)),
        r"cell_1 and its periodic image cross or touch",
    ),
    (
        lambda: Ellipses((Ellipse((0.5, 0.5), (0.4, 0.1)), Ellipse((0.5, 0.5), (0.4, 0.0995)))),
        r"cell_1 and cell_2 (are 0\.0\d+ apart|cross or touch)",
    ),
    (
        lambda: Ellipses(
            (Ellipse((0.5, 0.5), (0.4, 0.2)), Ellipse((0.5, 0.5), (0.1, 0.1))), "obstacle"
        ),
        r"cells\[1\]: found cell_2 inside cell_1, accepted: obstacles beside each other",
    ),
    (
        lambda: Ellipses(
            (Ellipse((0.5, 0.5), (0.4, 0.2), 0.0, "a"), Ellipse((0.5, 0.5), (0.1, 0.1), 0.0, "a"))
        ),
        r'cells\[1\].name: found "a" inside an outline of the same name',
    ),
    (
        lambda: Ellipses((Ellipse((0.5, 0.5), (0.4, 0.2), 0.0, "outside"),)),
        r'cells\[0\].name: found "outside", accepted: a name of letters',
    ),
    (
        lambda: Ellipses(
            (Ellipse((0.3, 0.5), (0.1, 0.1), 0.0, "cell_2"), Ellipse((0.7, 0.5), (0.1, 0.1)))
        ),
        r'cells\[0\].name: found "cell_2", which is that of outline 2, .*accepted: another name',
    ),
    (
        lambda: Ellipse((0.5, 0.5), (0.4, 0.1), "30 deg"),
        r'angle: found "30 deg", a text, accepted: a number in degree',
    ),
    (lambda: Ellipses((), height=0.01), r"height: found 0\.01, accepted: a height of 0\.05 to 20"),
    (lambda: Ellipses((Ellipse((0.5, 1.2), (0.1, 0.2)),)), r"cells\[0\].center\[1\]: found 1\.2"),
    (lambda: Ellipse((0.5, 0.5), (0.4, 0.01)), r"semi_axes: .* radius of 0\.00025, accepted: axes"),
    (lambda: Ellipse((0.5, 0.5), (0.4, -0.1)), r"semi_axes: .* accepted: two numbers above 0"),
    (lambda: Ellipse((0.5,), (0.4, 0.1)), r"center: found \[0\.5\], accepted: two numbers"),
    (lambda: Ellipse((0.5, math.nan), (0.4, 0.1)), r"center: .* accepted: two numbers"),
    (lambda: Ellipse((0.5, 0.5), (0.4, 0.1), math.inf), r"angle: found inf degrees"),
]


@pytest.mark.parametrize(("make", "message"), REFUSED)
def test_what_cannot_be_is_refused_with_its_place(make, message) -> None:
    with pytest.raises(InputError, match=message):
        make()


def test_the_nearest_point_is_the_nearest() -> None:
    curve = EllipseCurve((0.5, 0.5), (0.4, 0.1), 0.3)
    dense = curve.at(np.linspace(0, 2 * math.pi, 200_001))
    rng = np.random.default_rng(2)
    near = curve.at(rng.uniform(0, 6.3, 40)) + rng.uniform(-0.02, 0.02, (40, 2))
    start = curve.samples.parameters[
        np.linalg.norm(near[:, None] - curve.samples.places, axis=2).argmin(axis=1)
    ]
    found = np.linalg.norm(near - curve.at(curve.nearest(near, start)), axis=1)
    best = [np.linalg.norm(place - dense, axis=1).min() for place in near]
    # The places to compare with are 1e-5 apart, so that none of them is the nearest of all.
    assert np.all(found <= np.array(best) + 1e-14)
    np.testing.assert_allclose(found, best, atol=1e-7)


OVERLAPS = (1e-6, 1e-5, 1e-4, 1e-3, 2.7e-3, 1e-2, 0.05)


@pytest.mark.parametrize("overlap", OVERLAPS)
def test_curves_that_cross_at_a_small_angle_are_refused(overlap):
    """Whose narrowest place is far along both from where their samples are nearest."""
    own_image = (Ellipse((0.18, 0.38), (0.5 + overlap / 2, 0.5 + overlap / 2)),)
    beside = Ellipse((0.2, 0.4), (0.2, 0.2)), Ellipse((0.6, 0.4), (0.2 + overlap, 0.25))
    inside = Ellipse((0.5, 0.5), (0.4, 0.3)), Ellipse((0.5, 0.5), (0.38, 0.3 + overlap))
    for cells in (own_image, beside, inside):
        with pytest.raises(InputError, match="cross or touch"):
            Ellipses(cells, height=1.4)
