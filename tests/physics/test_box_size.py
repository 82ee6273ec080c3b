"""The unit of the periodicity box does not matter: KL23 section 6 and KHM19 remark 1.

A box Y' = rho Y with the period L/rho is the same medium. Boxes that are larger than the unit
square are lattices here; the mesh is scaled with them.
"""

from __future__ import annotations

import numpy as np
import pytest
from support.cells import D_C, D_E, Cell

from torrey.geometry import Disc, Discs
from torrey.gradients.waveforms import Pgse
from torrey.models.evaluation import build_models
from torrey.models.tensors import papers_tensors
from torrey.reference.full import mesh_signal

RHO = 2.0
CENTRES = ((0.27, 0.4, 0.15), (0.75, 0.6, 0.2))
WAVEFORM = Pgse(5.0, 15.0)
Q = WAVEFORM.q_of_b(0.85)
Y = (0.0, 1.0)


def box(scale: float) -> Cell:
    """The same two discs in a box of some size: radii are lengths, centres shares of its sides."""
    shape = Discs(
        tuple(Disc((x, y), r * scale) for x, y, r in CENTRES),
        lattice=((scale, 0.0), (0.0, scale)),
    )
    return Cell(shape, (D_E, D_C, D_C), 0.1 * scale)


def test_tensors_scale_as_their_units_say() -> None:
    small, large = (papers_tensors(box(scale).operators(1)) for scale in (1.0, RHO))
    powers = {"D": 0, "S": 2, "T": 2, "B": 2, "I": 1, "Z": 1, "eta": -1, "psi_jump": 1}
    for name, power in (powers | {"omega_jump": 1}).items():
        before, after = getattr(small, name), getattr(large, name)
        scale = np.abs(before).max()
        np.testing.assert_allclose(after / RHO**power, before, atol=2e-4 * scale, err_msg=name)


@pytest.mark.parametrize("name", ["R0", "R2", "P2"])
def test_models_do_not_notice_it(name: str) -> None:
    signals = []
    for scale in (1.0, RHO):
        (model,) = build_models(box(scale).operators(1), Y, [name])
        L, kappa = 5.0 / scale, 0.05
        signals.append(complex(model.signal(WAVEFORM, Q, L, kappa / L)))
    assert signals[1] == pytest.approx(signals[0], abs=2e-6)


def test_the_reference_does_not_notice_it() -> None:
    found = [
        mesh_signal(box(scale).system(1, 5.0 / scale, 0.05, Y), WAVEFORM, Q, 16)
        for scale in (1.0, RHO)
    ]
    assert found[1] == pytest.approx(found[0], abs=2e-6)
