"""Reference signals made with another finite-element program (P2, extrapolated, below 1e-6).

PGSE with delta = 5 ms along y; one disc of D_c = 1.7 in D_e = 3 um^2/ms.
"""

from __future__ import annotations

import pytest
from support.cells import DISC, LARGE_DISC, Cell

from torrey.gradients.protocol import Point
from torrey.gradients.waveforms import Pgse
from torrey.reference.full import reference_signal

#: Cell, period (um), kappa (um/ms), Delta (ms), b (ms/um^2), signal.
PUBLISHED = [
    (DISC, 10.0, 0.2, 15.0, 0.85, 0.14749731),
    (DISC, 10.0, 0.2, 30.0, 2.5, 0.0068344186),
    (DISC, 2.5, 0.05, 30.0, 2.5, 0.0091995445),
    (LARGE_DISC, 10.0, 0.05, 25.0, 1.0, 0.43298055),
    (LARGE_DISC, 10.0, 0.05, 25.0, 4.0, 0.17872234),
]


@pytest.mark.parametrize(("cell", "period", "kappa", "Delta", "b", "published"), PUBLISHED)
def test_signals_of_another_program(
    cell: Cell, period: float, kappa: float, Delta: float, b: float, published: float
) -> None:
    waveform = Pgse(5.0, Delta)
    point = Point(period, kappa, waveform, waveform.q_of_b(b), (0.0, 1.0))
    result = reference_signal(cell.levels(4), point, 1e-5)
    assert abs(result.signal - published) <= result.error <= 1e-5 * published
    assert result.signal.imag == 0.0
