"""Meshes that no machine can make are refused before any work starts."""

from __future__ import annotations

import pytest

import torrey as tr

DISC = tr.Discs((tr.Disc((0.5, 0.5), 0.4),))
BALL = tr.Spheres((tr.Sphere((0.5, 0.5, 0.5), 0.4),))


@pytest.mark.parametrize(
    ("shape", "mesh"),
    [
        (DISC, 1e-9),
        (DISC, tr.MeshOptions(0.05, 6)),
        (BALL, 0.01),
        (tr.Layers((1.0,)), 1e-9),
    ],
)
def test_too_many_elements(shape, mesh):
    message = r"mesh=...\): found size .* elements, accepted: at most 1,000,000 elements: a size of"
    with pytest.raises(tr.InputError, match=message):
        tr.Cell(shape, 2, 10, mesh=mesh)
    with pytest.raises(tr.InputError, match=message):
        tr.Cell(shape, 2, 10).with_(mesh=mesh)


def test_a_mesh_of_the_plane_may_be_too_fine_in_space():
    cell = tr.Cell(DISC, 2, 10, mesh=0.02)
    with pytest.raises(tr.InputError, match=r"Cell.with_\(mesh=...\): found size 0.02"):
        cell.with_(shape=BALL)
