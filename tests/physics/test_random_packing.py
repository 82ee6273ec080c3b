"""A packing of 60 um as an ordinary cell: its reference keeps its tolerance."""

from __future__ import annotations

import numpy as np
import pytest

from torrey.cell import build
from torrey.cell.material import Material
from torrey.cell.system import AffineSystem
from torrey.geometry import MeshOptions, RadiusLaw, RandomPacking
from torrey.gradients.protocol import Point
from torrey.gradients.waveforms import Pgse
from torrey.reference.full import mesh_signal, reference_signal

TOLERANCE = 1e-4
PERIOD, KAPPA, D = 60.0, 1e-2, 3.0
SHAPE = RandomPacking(PERIOD, RadiusLaw(uniform=(1.0, 5.0)), fraction=0.29)
MATERIAL = Material((D,) * SHAPE.n_compartments)


@pytest.mark.slow
def test_a_reference_signal_of_a_packing_keeps_its_tolerance():
    assert 0.27 < SHAPE.placement.fraction < 0.31
    waveform = Pgse(20.0, 20.0)
    point = Point(PERIOD, KAPPA, waveform, waveform.q_of_b(1.0), (1.0, 0.0))
    found = reference_signal(build.levels(SHAPE, MeshOptions(0.1, 1), MATERIAL), point, TOLERANCE)
    assert found.error <= TOLERANCE * abs(found.signal)
    # Between free water and water that no membrane lets out of a disc of the largest radius.
    assert np.exp(-D) < abs(found.signal) < 1.0
    # A finer mesh of other elements, and twice the steps.
    fine = build.levels(SHAPE, MeshOptions(0.03, 1), MATERIAL)[1]
    system = AffineSystem.at(fine, PERIOD, KAPPA, (1.0, 0.0))
    exact = mesh_signal(system, waveform, point.q, 2 * found.steps)
    assert abs(found.signal - exact) <= found.error
