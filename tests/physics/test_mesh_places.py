"""One medium has one signal wherever the cell is cut: S(r_c + s) = S(r_c) for any shift s.

A disc that covers a corner of the cell leaves four pieces around it, one of which is L-shaped and
has its centre of mass inside the disc: what is inside and what is outside must not be read off it.
"""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

from torrey.cell.build import levels
from torrey.cell.material import Material
from torrey.geometry import Disc, Discs, MeshOptions, Sphere, Spheres
from torrey.gradients.protocol import Point
from torrey.gradients.waveforms import Pgse
from torrey.models.tensors import papers_tensors
from torrey.reference.full import ReferenceSignal, reference_signal

MATERIAL = Material((3.0, 1.7))
PGSE = Pgse(delta=5.0, Delta=25.0)
#: In the middle of the cell, with an error of 4e-6.
IN_THE_MIDDLE = 0.182941


@cache
def of_disc(x: float, y: float) -> ReferenceSignal:
    cell = levels(Discs((Disc((x, y), 0.4083),)), MeshOptions(0.1), MATERIAL)
    point = Point(10.0, 0.05, PGSE, PGSE.q_of_b(4.0), (0.0, 1.0))
    return reference_signal(cell, point, 1e-4)


def test_a_disc_in_the_middle_keeps_its_signal() -> None:
    found = of_disc(0.5, 0.5)
    assert abs(found.signal - IN_THE_MIDDLE) <= found.error + 5e-7


def assert_signal_of_the_middle(x: float, y: float) -> None:
    middle, moved = of_disc(0.5, 0.5), of_disc(x, y)
    assert abs(moved.signal - middle.signal) <= moved.error + middle.error


@pytest.mark.parametrize("center", [(0.3003, 0.2506), (0.4184, 0.0)])
def test_the_signal_of_a_disc_does_not_depend_on_its_place(center: tuple[float, float]) -> None:
    assert_signal_of_the_middle(*center)


@pytest.mark.slow
@pytest.mark.parametrize("center", [(0.0, 0.0), (0.4083, 0.5), (0.36, 0.36), (0.999999, 0.71)])
def test_nor_does_it_at_other_places(center: tuple[float, float]) -> None:
    assert_signal_of_the_middle(*center)


@pytest.mark.slow
@pytest.mark.parametrize("center", [(0.0, 0.0, 0.0), (0.553, 0.996, 0.793), (0.3, 0.5, 0.5)])
def test_the_diffusivity_of_spheres_does_not_depend_on_their_place(
    center: tuple[float, float, float],
) -> None:
    found, errors = [], []
    for place in ((0.5, 0.5, 0.5), center):
        cell = levels(Spheres((Sphere(place, 0.3),)), MeshOptions(0.25, 1), MATERIAL)
        coarse, fine = (papers_tensors(operators).D[0] for operators in cell)
        found.append(fine)
        errors.append(np.abs(fine - coarse).max())
    assert max(errors) < 5e-3
    assert np.abs(found[1] - found[0]).max() <= sum(errors)
