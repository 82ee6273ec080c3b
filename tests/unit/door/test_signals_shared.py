"""Signals of many strengths in one call."""

from __future__ import annotations

import numpy as np

import torrey as tr


def test_strengths_beyond_a_basis_that_fills_its_mesh() -> None:
    """The coarsest mesh of layers has few functions: fewer rungs than the strongest asks for."""
    cell = tr.Cell(tr.Layers((0.3, 0.68, 0.02)), [2.0, 1.0, 0.3], 10.0, "0.02 um/ms")
    b, pgse = list(np.linspace(0.0, 15.0, 60)), tr.Pgse(5.0, 5.0)
    found = cell.signal(pgse, b=b, tolerance=1e-2)
    one = cell.signal(pgse, b=b[-1], method="full", tolerance=1e-3)
    assert abs(found[-1] - one) <= found.numerical_error[-1] + one.numerical_error
