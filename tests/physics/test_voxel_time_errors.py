"""The estimated error in time of a voxel's signal against steps that are short on both meshes."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import pytest

from torrey.geometry.balls.packing_files import StoredPacking
from torrey.geometry.balls.radius_laws import RadiusLaw
from torrey.geometry.balls.random_packing import RandomPacking
from torrey.gradients.protocol import Point
from torrey.gradients.waveforms import Pgse
from torrey.voxel import signals
from torrey.voxel.medium import DiscMedium
from torrey.voxel.signals import task_of, voxel_signal
from torrey.voxel.triangulation import triangulate

#: As dense as 20,000 discs in 1.5 mm.
BOX, COUNT = 42.4, 16
LONG, SHORT, NARROW = Pgse(80.0, 80.0), Pgse(5.0, 20.0), Pgse(1.0, 40.0)


def voxel(seed: int):
    law = RadiusLaw(uniform=(1.0, 5.0))
    shape = RandomPacking(box=BOX, radius=law, count=COUNT, gap=0.2, seed=seed)
    medium = DiscMedium.of(StoredPacking.of(shape))
    return medium, triangulate(medium)


@pytest.mark.slow
@pytest.mark.parametrize(("seed", "tolerance"), [(1, 1e-3), (4, 2e-3)])
def test_the_error_in_time_is_below_its_estimate(monkeypatch, seed, tolerance):
    medium, mesh = voxel(seed)
    # The errors in space, which need finer meshes, do not matter here.
    monkeypatch.setattr(signals, "_check", lambda *given: None)
    usual = signals._runs
    for waveform, b, inside in product((LONG, SHORT, NARROW), (0.25, 2.0), (3.0, 0.5)):
        point = Point(BOX, 0.01, waveform, waveform.q_of_b(b), (1.0, 0.0))
        task = task_of(medium, point, (3.0, inside), BOX * 2 / 3, tolerance)
        found = voxel_signal(mesh, task)
        with monkeypatch.context() as patch:
            patch.setattr(signals, "_runs", lambda *given: shorter(usual(*given)))
            exact = voxel_signal(mesh, task)
        error = abs(found.signal - exact.signal)
        assert error < found.time_error, (waveform, b, inside)
        assert found.time_error < 0.75 * tolerance


def shorter(runs):
    """All steps twice as exact as the short ones, on the fine mesh its own."""
    coarse, exact, fine = runs
    tolerance = exact.tolerance / 2
    own = replace(fine, tolerance=tolerance, like="")
    return replace(coarse, tolerance=tolerance), replace(exact, tolerance=tolerance), own
