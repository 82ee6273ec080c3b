"""Meshes of voxels: closed, conforming, and as good as curved quadratic elements are."""

from __future__ import annotations

import numpy as np
import pytest
from support.voxels import SIDE, small_medium, small_meshes

from torrey.geometry.balls.random_discs import place_discs
from torrey.geometry.mesh import MeshError
from torrey.voxel.arcs import place_arcs
from torrey.voxel.assembly import Properties, number
from torrey.voxel.medium import DiscMedium
from torrey.voxel.quadratic import quadratic
from torrey.voxel.spaces import nested_spaces
from torrey.voxel.triangulation import _Draft, triangulate
from torrey.voxel.window import window_weights

WATER = Properties(3.0, 2.0, 0.05, (1.0, 0.0))


def test_a_triangulation_closes_to_a_torus_and_its_refinement_too():
    for mesh in small_meshes(2):
        assert len(mesh.vertex) == 2 * mesh.n_vertices
        edges = np.sort(np.stack([mesh.vertex, np.roll(mesh.vertex, -1, axis=1)], 2), axis=2)
        _, uses = np.unique(edges.reshape(-1, 2), axis=0, return_counts=True)
        assert np.all(uses == 2)


def test_every_circle_has_an_arc_from_both_sides():
    medium = small_medium()
    elements = quadratic(small_meshes(0)[0], medium)
    sides = [
        np.sort(elements.node[:, 3:][elements.arc & (elements.inside[:, None] == inside)])
        for inside in (False, True)
    ]
    assert np.array_equal(*sides)
    assert len(sides[0]) >= 6 * len(medium.radii)


def test_areas_and_lengths_converge_like_h_to_the_fourth():
    medium = small_medium()
    errors = []
    for level in range(3):
        spaces = nested_spaces(small_meshes(2)[: level + 1], medium, WATER)
        weights = spaces.operators[0].weights
        inside = weights[spaces.inside].sum() / SIDE**2
        assert weights.sum() == pytest.approx(SIDE**2, rel=1e-12)
        jump = spaces.inside.astype(float)
        surface = jump @ spaces.operators[0].pattern.whole(spaces.operators[0].K) @ jump / 0.05
        exact = 2 * np.pi * medium.radii.sum()
        errors.append([abs(inside / medium.fraction - 1), abs(surface / exact - 1)])
    rates = np.log2(np.array(errors[:-1]) / np.array(errors[1:]))
    assert np.all(rates > 3.7)
    assert np.all(np.array(errors[-1]) < 1e-5)


def test_arcs_are_short_where_circles_are_close():
    radii, gap = np.array([4.0, 4.0]), 0.1
    centres = np.array([[10.0, 20.0], [18.0 + gap, 20.0]])
    arcs = place_arcs(DiscMedium(40.0, centres, radii, gap), 6)
    widths = np.diff(np.sort(arcs.angle[arcs.disc == 0]))
    assert widths.min() * 4.0 <= np.sqrt(2 * 4.0 * 2 * gap)
    assert widths.max() == pytest.approx(np.pi / 3)


def test_a_window_cut_out_of_elements_has_its_area_and_its_moments():
    medium = small_medium()
    elements = quadratic(small_meshes(0)[0], medium)
    numbering = number(elements)
    low, high = 9.3, 31.1
    weights = window_weights(elements, numbering, SIDE, low, high)
    assert weights.sum() == pytest.approx((high - low) ** 2, rel=1e-5)
    place = np.empty((len(weights), 2))
    place[numbering.of(elements.node, elements.inside)] = elements.places
    # In the window, no node is beyond a face.
    moment = weights @ place[:, 0]
    assert moment == pytest.approx((high - low) ** 2 * (high + low) / 2, rel=1e-5)


@pytest.mark.parametrize("seed", [2, 6, 8])
def test_elements_beyond_a_face_count_where_their_images_touch_the_window(seed):
    side, radii = 42.4, np.linspace(2.0, 2.2, 16)
    placed = place_discs(radii / side, seed, gap=0.2 / side)
    medium = DiscMedium(side, placed.centres * side, placed.radii * side, 0.2)
    elements = quadratic(triangulate(medium), medium)
    numbering = number(elements)
    for part in (0.9, 1.0):
        low, high = side * (1 - part) / 2, side * (1 + part) / 2
        weights = window_weights(elements, numbering, side, low, high)
        assert weights.sum() == pytest.approx((high - low) ** 2, rel=2e-5)
    # The whole box needs no window.
    whole = nested_spaces((triangulate(medium),), medium, WATER).operators[0].weights
    assert np.abs(weights - whole).max() < 1e-4 * whole.max()


def test_too_few_discs_are_no_voxel():
    medium = small_medium()
    few = DiscMedium(SIDE, medium.centres[:3], medium.radii[:3], 0.3)
    with pytest.raises(MeshError, match="3 discs"):
        triangulate(few)


def test_discs_that_overlap_are_refused_before_they_are_meshed():
    medium = small_medium()
    centres = medium.centres.copy()
    # Beyond a face: the images overlap.
    centres[0], centres[1] = (0.5, 20.0), (SIDE - 0.5, 20.0)
    with pytest.raises(MeshError, match=r"discs \d+ and \d+ overlap by [\d.]+ um"):
        triangulate(DiscMedium(SIDE, centres, medium.radii, 0.3))


def test_a_circle_that_never_becomes_whole_ends_the_meshing(monkeypatch):
    medium = small_medium()
    drafts = []

    def count(draft, arcs):
        drafts.append(len(arcs.disc))
        return np.array([0])

    monkeypatch.setattr(_Draft, "broken", count)
    with pytest.raises(MeshError, match=r"after \d rounds 1 circles are not whole .* arcs on a"):
        triangulate(medium)
    assert len(drafts) < 10
    assert max(drafts) < 5_000


def test_the_inner_square_drops_and_counts_what_collides():
    medium = small_medium(200, 160.0)
    inner = medium.inner(100.0)
    own = np.all(np.abs(medium.centres - 80.0) < 50.0, axis=1).sum()
    assert len(inner.radii) + inner.dropped == own
    assert inner.side == 100.0
    apart = inner.centres[:, None] - inner.centres
    apart -= 100.0 * np.round(apart / 100.0)
    gaps = np.hypot(*np.moveaxis(apart, -1, 0)) - inner.radii[:, None] - inner.radii
    assert gaps[~np.eye(len(gaps), dtype=bool)].min() >= 0.3 * (1 - 1e-5)
