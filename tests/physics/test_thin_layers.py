"""Projected models in the thinnest layers that are accepted, beside the Bloch-Torrey equation.

Thinner layers stretch the correctors until rounding dominates the basis of the models: at a tenth
of `LEAST_THICKNESS` P4 without permeability is off by six times its estimate, at 1e-8 of the cell
P2 gives 0.55 where 0.92 is true.
"""

from __future__ import annotations

import numpy as np
import pytest

from torrey.cell.build import levels
from torrey.cell.material import Material
from torrey.geometry import Layers, MeshOptions
from torrey.geometry.layers import LEAST_THICKNESS
from torrey.gradients.protocol import Point
from torrey.gradients.sweep import Product, Sweep, WaveformGrid
from torrey.gradients.waveforms import Pgse
from torrey.models.evaluation import evaluate_models
from torrey.reference.full import reference_signal

PGSE = Pgse(4.0, 12.0)
GRID = WaveformGrid("pgse", (("delta", (4.0,)), ("Delta", (12.0,))))
B = 0.5


@pytest.mark.parametrize("thicknesses", [(1 - LEAST_THICKNESS, LEAST_THICKNESS)])
@pytest.mark.parametrize("diffusivity", [(2.0, 1.0), (1.0, 3.0)])
@pytest.mark.parametrize(("period", "kappa"), [(8.0, 0.05), (4.0, 0.0), (10.0, 1.0)])
def test_estimates_hold_in_the_thinnest_layers(thicknesses, diffusivity, period, kappa):
    cell = levels(Layers(thicknesses), MeshOptions(0.1, 2), Material(diffusivity))
    point = Point(period, kappa, PGSE, PGSE.q_of_b(B), (1.0,))
    reference = reference_signal(cell, point, 1e-5)
    sweep = Sweep((period,), "permeability", (kappa,), Product(GRID, "b", (B,), ((1.0,),)))
    table = evaluate_models(cell, sweep, ["P4", "P8", "P11"])
    lower, signal, higher = table.signal[:, -1].ravel()
    numerical = table.space_error().ravel()
    # The model converges: what a lower order misses, the difference to the next one tells.
    assert abs(signal - reference.signal) <= reference.error + numerical[1] + abs(higher - signal)
    assert abs(lower - reference.signal) <= 2 * abs(lower - higher) + reference.error
    # Rounding shows at 1e-6 in P4, and in its estimate.
    assert np.all(numerical < 1e-5)
