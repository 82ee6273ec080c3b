"""A packing of 60 um by the solver for voxels and by the ordinary reference."""

from __future__ import annotations

import pytest

from torrey.cell.build import levels
from torrey.cell.material import Material
from torrey.geometry.balls.packing_files import StoredPacking
from torrey.geometry.balls.radius_laws import RadiusLaw
from torrey.geometry.balls.random_packing import RandomPacking
from torrey.geometry.shapes import MeshOptions
from torrey.gradients.protocol import Point
from torrey.gradients.waveforms import Pgse
from torrey.reference.full import reference_signal
from torrey.voxel.medium import DiscMedium
from torrey.voxel.signals import task_of, voxel_signal
from torrey.voxel.triangulation import triangulate


@pytest.mark.slow
def test_a_packing_of_60_um_agrees_with_the_ordinary_reference_to_1e_4():
    shape = RandomPacking(box=60.0, radius=RadiusLaw(uniform=(2.0, 5.0)), count=25, seed=1, gap=0.2)
    waveform = Pgse(80.0, 80.0)
    point = Point(60.0, 0.01, waveform, waveform.q_of_b(0.5), (1.0, 0.0))
    material = Material((3.0,) * len(shape.region_names))
    expected = reference_signal(levels(shape, MeshOptions(0.05, 1), material), point, 1e-4)
    medium = DiscMedium.of(StoredPacking.of(shape))
    found = []
    for refinements, tolerance in ((1, 3e-3), (2, 3e-4)):
        task = task_of(medium, point, (3.0, 3.0), 60.0, tolerance)
        found.append(voxel_signal(triangulate(medium), task, refinements=refinements))
    errors = [abs(each.signal - expected.signal) for each in found]
    assert errors[-1] < 1e-4
    # What each says of its error is true, and not far from it.
    for error, each in zip(errors, found, strict=True):
        assert error < each.error + expected.error
    assert found[-1].error < 2e-4
