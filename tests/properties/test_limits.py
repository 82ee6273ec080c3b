"""Membranes that close and membranes that vanish.

- kappa = 0: the signal is the sum of those of the compartments, each alone, in the shares of their
  water. A layer is a slab between reflecting walls (`intervals`), the inside of a disc has an exact
  solution (`matrix_formalism`), and the outside of discs is the cell with obstacles in their place.
- kappa -> infinity: water of one kind everywhere is free, S = exp(-b D), and the difference falls
  as 1/kappa.
"""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from support.drawn import (
    Drawn,
    echo_loss,
    examples,
    in_layers,
    layered,
    lines,
    points_in,
    polygons,
    pulses,
    round_cells,
    slack,
    solve,
)
from support.intervals import interval_signal
from support.matrix_formalism import disc_signal

from torrey.cell.material import Material
from torrey.geometry import Discs
from torrey.gradients.protocol import Point
from torrey.gradients.waveforms import Waveform

# ---- closed ----


def gradient_pieces(waveform: Waveform, q: float) -> list:
    """The gradient q dF/dt of a waveform, piece by piece."""
    assert all(segment.linear for segment in waveform.segments), "pieces of constant gradient"
    return [(segment.duration, q * segment.jet(0.0, 1)[1, 0]) for segment in waveform.segments]


def check_slabs(cell: Drawn, point: Point, tolerance: float) -> None:
    result = solve(cell, point, tolerance)
    gradient = gradient_pieces(point.waveform, point.q)
    slabs = [
        interval_signal(point.period * width, D, gradient, degree=24)
        for width, D in zip(cell.shape.thicknesses, cell.material.diffusivity, strict=True)
    ]
    exact = cell.weights @ (echo_loss(cell, point.waveform) * slabs)
    error = abs(result.signal - exact)
    assert error <= slack(result, tolerance) + 1e-9
    assert error <= tolerance * abs(result.signal) + 1e-9


@given(cell=layered(), point=points_in(1, pulses() | polygons()))
@examples(12)
def test_closed_layers_are_slabs_between_reflecting_walls(cell, point):
    check_slabs(cell, replace(point, permeability=0.0), 1e-3)


@pytest.mark.slow
@given(cell=layered(), point=points_in(1, pulses() | polygons()))
@examples(25)
def test_many_closed_layers_are_slabs_between_reflecting_walls(cell, point):
    check_slabs(cell, replace(point, permeability=0.0), 1e-4)


@given(case=in_layers())
@examples(6)
def test_factors_of_zero_close_membranes(case):
    cell, point = case
    count = cell.shape.n_compartments
    shut = replace(cell, material=replace(cell.material, membranes=(0.0,) * count))
    a, b = solve(shut, point), solve(cell, replace(point, permeability=0.0))
    assert a.signal == pytest.approx(b.signal, rel=1e-10, abs=1e-13)


def check_discs(cell: Drawn, point: Point, tolerance: float) -> None:
    result = solve(cell, point, tolerance)
    m = cell.material
    outside = replace(
        cell,
        shape=Discs(cell.shape.cells, "obstacle"),
        material=Material(m.diffusivity[:1], m.T2[:1]),
    )
    around = solve(outside, point, tolerance)
    insides = [
        disc_signal(point.waveform, point.q, point.period * disc.radius, D, highest=25.0)
        for disc, D in zip(cell.shape.cells, m.diffusivity[1:], strict=True)
    ]
    shares = cell.weights * np.array([1.0, *echo_loss(cell, point.waveform)[1:]])
    exact = shares @ [around.signal, *insides]
    error = abs(result.signal - exact)
    assert error <= slack(result, tolerance) + shares[0] * slack(around, tolerance) + 1e-8
    assert error <= tolerance * (abs(result.signal) + shares[0] * abs(around.signal)) + 1e-8


@given(cell=round_cells(), point=points_in(2, pulses(), 1.0))
@examples(2)
def test_closed_discs_and_the_water_around_them_add_up(cell, point):
    check_discs(cell, replace(point, permeability=0.0), 3e-3)


@pytest.mark.slow
@given(cell=round_cells(), point=points_in(2, pulses() | polygons(), 2.0))
@examples(5)
def test_many_closed_discs_and_the_water_around_them_add_up(cell, point):
    check_discs(cell, replace(point, permeability=0.0), 1e-3)


# ---- vanishing ----


def check_free(cell: Drawn, point: Point, tolerance: float) -> None:
    """Errors at kappa and at ten times that, beside numerical ones."""
    D = cell.material.diffusivity[0]
    same = replace(cell, material=Material((D,) * cell.shape.n_compartments))
    free = math.exp(-point.b * D)
    # Few per mille of the resistance of the water itself.
    kappa = 1e3 * D / point.period
    at = [solve(same, replace(point, permeability=k), tolerance) for k in (kappa, 10 * kappa)]
    near, nearer = (x.signal - free for x in at)
    rounding = slack(at[0], tolerance) + slack(at[1], tolerance) + 1e-9
    assert abs(nearer - near / 10) <= 0.05 * abs(near) / 10 + rounding
    # Water that meets resistance is slower.
    assert near.real >= -rounding


@given(cell=layered(), point=points_in(1, lines(), 2.0))
@examples(12)
def test_water_behind_ever_more_permeable_layers_is_free(cell, point):
    check_free(cell, point, 1e-5)


@pytest.mark.slow
@given(cell=round_cells(), point=points_in(2, pulses(), 1.0))
@examples(3)
def test_water_around_ever_more_permeable_discs_is_free(cell, point):
    check_free(cell, point, 1e-3)


@pytest.mark.slow
@given(cell=layered(), point=points_in(1, lines(), 4.0))
@examples(30)
def test_water_behind_many_ever_more_permeable_layers_is_free(cell, point):
    check_free(cell, point, 1e-5)
