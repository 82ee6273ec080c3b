"""The strictest references of config/default.yaml are within reach of the meshes it allows."""

from __future__ import annotations

from pathlib import Path

import pytest

import torrey as tr
from torrey.config import load
from torrey.reference.full import reference_signal

CONFIG = Path(__file__).parents[2] / "config" / "default.yaml"
#: Studies of signals whose tolerance asks for the finest meshes; points of projected ones are
#: checked in full.
STRICT = sorted(
    name
    for name, study in load([CONFIG]).studies.items()
    if not study.cumulants and study.tolerance <= 5e-6
)


def test_there_are_strict_studies():
    assert STRICT


@pytest.mark.slow
@pytest.mark.parametrize("name", STRICT)
def test_the_full_system_meets_the_tolerance_at_the_largest_gradients(name):
    """A point that missed it by a tenth stopped the figures; a reference out of reach raises."""
    study = tr.load_study(CONFIG, name)
    levels, tolerance = study.cell().medium.finer, study.definition.tolerance
    points = list(study.definition.points().values())
    strongest = max(points, key=lambda point: point.q)
    steepest = max(points, key=lambda point: point.q * point.period)
    for point in {strongest, steepest}:
        found = reference_signal(levels, point, tolerance)
        assert found.error <= tolerance * abs(found.signal)
