"""What a configuration leaves out of its meshes, what they cost, and what is said of that."""

from __future__ import annotations

import pytest

from torrey.base.errors import InputError
from torrey.config.cells import cost_notes, estimated_elements
from torrey.config.domain import Geometry
from torrey.config.geometries import fit_mesh
from torrey.geometry import (
    Disc,
    Discs,
    Layers,
    MeshOptions,
    RadiusLaw,
    RandomPacking,
    Sphere,
    Spheres,
)
from torrey.geometry.meshing import build_meshes

BALL = Spheres((Sphere((0.5, 0.5, 0.5), 0.3),))
DISC = Discs((Disc((0.5, 0.5), 0.2),))


@pytest.mark.parametrize(
    ("shape", "size", "limit"),
    [(Layers((1.0,)), 0.1, 6), (DISC, 0.1, 4), (BALL, 0.2, 2), (DISC, 0.02, 3), (BALL, 0.05, 1)],
)
def test_the_usual_limit_leaves_room_for_the_finest_mesh(shape, size, limit):
    assert fit_mesh(shape, MeshOptions(size)) == MeshOptions(size, limit)
    finest = estimated_elements(shape, MeshOptions(size)) * 2 ** (shape.dimension * limit)
    assert finest <= 1_000_000


def test_many_discs_are_refined_less_often():
    crowd = RandomPacking(100.0, RadiusLaw(list=(2.0,)), count=250)
    assert fit_mesh(crowd, MeshOptions()) == MeshOptions(0.1, 2)
    # Who states a limit is taken at his word, or refused.
    assert fit_mesh(crowd, MeshOptions(refinements=3)) == MeshOptions(0.1, 3)
    with pytest.raises(InputError, match="size 0.1 with 4 refinements, about 3e\\+07 elements"):
        fit_mesh(BALL, MeshOptions(0.1, 4))


@pytest.mark.parametrize("shape", [DISC, BALL])
def test_elements_are_estimated_within_a_factor_of_two(shape):
    (mesh,) = build_meshes(shape, MeshOptions(refinements=0))
    assert 0.5 < len(mesh.elements) / estimated_elements(shape, MeshOptions()) < 2


def test_what_large_meshes_cost_is_said():
    assert cost_notes(Geometry("disc", DISC, MeshOptions(0.1, 4))) == ()
    (note,) = cost_notes(Geometry("ball", BALL, MeshOptions(0.2, 2)))
    assert note.startswith("the meshes of ball have about 20,000 unknowns: 0.4")
    assert "; on the finest that a tolerance may ask for, 160,000 unknowns: 5.4 GB" in note
    (note,) = cost_notes(Geometry("fine", DISC, MeshOptions(0.02, 2)))
    assert note.endswith(" of memory, and 0.94 s of one core for each of the factors of a signal")
