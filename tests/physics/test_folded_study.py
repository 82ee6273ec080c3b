"""Projected references at gradients beyond every ladder: small systems that fold.

Compared with the full system on the same meshes, which is integrated in time and space on its own.
"""

from __future__ import annotations

import numpy as np
import pytest

from torrey.cell.build import levels
from torrey.cell.material import Material
from torrey.geometry import Disc, Discs, MeshOptions
from torrey.gradients.protocol import Point
from torrey.gradients.waveforms import Pgse
from torrey.reference.folded import solve_folded
from torrey.reference.full import reference_signal
from torrey.reference.outcome import ProjectedSignals

TOLERANCE = 2e-3
WAVEFORM = Pgse(2.0, 4.0)
OBSTACLE = Discs((Disc((0.5, 0.5), 0.4),), "obstacle")
PERMEABLE = Discs((Disc((0.5, 0.5), 0.35),))
CELLS = {
    "obstacle": (OBSTACLE, Material((2.0,)), 0.0),
    "permeable": (PERMEABLE, Material((2.0, 1.0)), 0.02),
    "in space": (PERMEABLE, Material((2.0, 1.0), in_space=True), 0.02),
}


def points_at(kappa: float, direction: tuple[float, ...], qs=(1.5, 2.5, 3.0, 4.0)) -> list[Point]:
    """At |g| L from 15 to 40."""
    return [Point(10.0, kappa, WAVEFORM, q, direction) for q in qs]


OFF_LATTICE = (0.9, float(np.sqrt(0.19)))


@pytest.mark.slow
@pytest.mark.parametrize("name", ["obstacle", "permeable"])
def test_points_in_any_direction_train_a_system_for_the_others(name):
    shape, material, kappa = CELLS[name]
    points = points_at(kappa, OFF_LATTICE, tuple(np.linspace(1.5, 4.0, 12).tolist()))
    found = solve(name, points)
    assert found.reached.all()
    assert set(found.method) == {"folded"}
    # One that was not computed in full, and the strongest.
    for row in (3, 11):
        full = reference_signal(
            levels(shape, MeshOptions(0.12, 3), material), points[row], TOLERANCE / 4
        )
        assert abs(found.signal[row] - full.signal) <= found.error[row] + full.error
    assert np.all(found.basis_error > 0.0)


def test_few_points_in_any_direction_are_left_to_the_full_system():
    _, _, kappa = CELLS["obstacle"]
    found = solve("obstacle", points_at(kappa, OFF_LATTICE))
    assert not found.reached.any()


def solve(name: str, points: list[Point]) -> ProjectedSignals:
    shape, material, _ = CELLS[name]
    cell = levels(shape, MeshOptions(0.15, 2), material)
    return solve_folded(points, TOLERANCE, cell, ProjectedSignals.unsolved(len(points)), fewest=4)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "direction"),
    [
        ("obstacle", (1.0, 0.0)),
        ("obstacle", (np.sqrt(0.5), np.sqrt(0.5))),
        ("permeable", (0.0, 1.0)),
        ("in space", (0.96, 0.0, 0.28)),
    ],
)
def test_folded_signals_agree_with_the_full_system(name, direction):
    shape, material, kappa = CELLS[name]
    points = points_at(kappa, direction)
    found = solve(name, points)
    assert found.reached.all()
    for row in np.flatnonzero(found.reached)[[0, -1]]:
        assert found.method[row] == "folded"
        full = reference_signal(
            levels(shape, MeshOptions(0.12, 2), material), points[row], TOLERANCE
        )
        assert abs(found.signal[row] - full.signal) <= found.error[row] + full.error


def test_few_points_are_left_to_the_full_system():
    points = points_at(0.0, (1.0, 0.0))[:3]
    assert not solve("obstacle", points).reached.any()


def test_directions_off_the_lattice_are_left_to_the_full_system():
    points = points_at(0.0, (np.cos(0.3), np.sin(0.3)))
    assert not solve("obstacle", points).reached.any()
