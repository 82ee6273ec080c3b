"""Layers at membranes that two meshes miss alike do not count as a small error."""

from __future__ import annotations

import math

import numpy as np
import pytest
from support.voxels import small_medium, small_meshes

from torrey.geometry.balls.random_discs import place_discs
from torrey.gradients.waveforms import Pgse
from torrey.voxel.assembly import Properties
from torrey.voxel.layers import layers_of
from torrey.voxel.medium import DiscMedium
from torrey.voxel.results import VoxelError
from torrey.voxel.signals import Task, voxel_signal
from torrey.voxel.triangulation import triangulate

SIDE, FRACTION, COUNT = 16.0, 0.35, 12
SLOW = 1e-6
PULSES = Pgse(5.0, 15.0)


@pytest.fixture(scope="module")
def still():
    """Discs, and their coarsest mesh."""
    radii = np.full(COUNT, math.sqrt(FRACTION / COUNT / math.pi))
    placed = place_discs(radii, seed=2, gap=0.01)
    medium = DiscMedium(SIDE, placed.centres * SIDE, placed.radii * SIDE, 0.01 * SIDE)
    return medium, triangulate(medium, 6)


def task(medium: DiscMedium, permeability: float, tolerance: float) -> Task:
    """Fast water between discs in which it stands nearly still."""
    properties = Properties(1000.0, SLOW, permeability, (1.0, 0.0))
    return Task(medium, SIDE, properties, PULSES, PULSES.q_of_b(0.5), tolerance)


@pytest.mark.parametrize("permeability", [2e-2, 2e-3])
def test_the_error_holds_where_water_stands_still_in_the_discs(still, permeability):
    medium, mesh = still
    found = voxel_signal(mesh, task(medium, permeability, 0.1))
    # What is outside has no signal. Through membranes comes less than out of a half space whose
    # face is kept empty: 2 sqrt(D t / pi).
    most = FRACTION
    least = most * (1.0 - medium.surface * 2.0 * math.sqrt(SLOW * 20.0 / math.pi))
    assert least - found.error <= found.signal.real <= most + found.error


def test_what_cannot_be_told_is_refused_with_the_reason(still):
    medium, mesh = still
    with pytest.raises(VoxelError, match=r"within 0\.0045 um of membranes .* up to 0\.77 um"):
        voxel_signal(mesh, task(medium, 2e-3, 1e-2))


def test_layers_are_compared_with_elements_of_both_sides():
    medium, fine = small_medium(), small_meshes(1)[-1]

    def layers(outside: float, inside: float, kappa: float = 0.02):
        return layers_of(fine, medium, Properties(outside, inside, kappa, (1.0, 0.0)), 25.0)

    assert layers(3.0, 3.0).resolved
    assert layers(3.0, 3.0).missed == 0.0
    for thin in (layers(3.0, 0.1), layers(0.1, 3.0)):
        assert not thin.resolved
        assert thin.missed == 0.0
    assert layers(3.0, 1e-5).missed > 1e-3
    assert layers(1e-5, 3.0).missed > 1e-3
    assert layers(3.0, 1e-5, kappa=0.0).missed == 0.0
