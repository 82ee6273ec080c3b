"""What leaves a signal as it is: names, places, units and directions that physics does not know.

    A(-g) = conj A(g) = A(g)^T

- The opposite gradient gives the conjugate; so does the waveform run backwards, in water of uniform
  density.
- Where the cell begins, in which order its compartments are listed and how many periods a cell
  holds play no part, nor do mirrors and quarter turns that take the gradient with them.
- (L, t) -> (s L, s^2 t) and (D, t) -> (c D, t / c), with all else that has lengths and times in it,
  are changes of units.

What stays on one mesh is the same to rounding; what changes it, within both error estimates.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from support.drawn import (
    Drawn,
    evenly,
    examples,
    in_discs,
    in_layers,
    layered,
    logarithmically,
    opposite,
    points_in,
    polygons,
    pulses,
    round_cells,
    slack,
    solve,
    stretch,
    turned,
)

from torrey.cell.material import Material
from torrey.cell.system import AffineSystem
from torrey.geometry import Disc, Discs, Layers
from torrey.gradients.protocol import Point
from torrey.gradients.waveforms import SampledWaveform
from torrey.reference.full import ReferenceSignal, mesh_signal

STEPS = 12


def on_one_mesh(cell: Drawn, point: Point, steps: int = STEPS) -> complex:
    """Signal without a tolerance."""
    system = AffineSystem.at(cell.on(0), point.period, point.permeability, point.frame)
    return mesh_signal(system, point.waveform, point.q, steps)


def same(a: ReferenceSignal, b: ReferenceSignal, tolerance: float = 1e-3) -> bool:
    """Whether two signals are the same within their errors."""
    return abs(a.signal - b.signal) <= slack(a, tolerance) + slack(b, tolerance) + 1e-10


# ---- the gradient reversed ----


@given(case=in_layers() | in_discs())
@examples(14)
def test_the_opposite_gradient_gives_the_conjugate(case):
    cell, point = case
    there, back = (on_one_mesh(cell, p) for p in (point, opposite(point)))
    assert back == pytest.approx(there.conjugate(), rel=1e-9, abs=1e-12)


@given(case=in_layers(strongest=20.0))
@examples(6)
def test_the_opposite_gradient_gives_the_conjugate_with_folds(case):
    cell, point = case
    there, back = (solve(cell, p) for p in (point, opposite(point)))
    assert back.signal == pytest.approx(there.signal.conjugate(), rel=1e-8, abs=1e-11)


def backwards(waveform: SampledWaveform) -> SampledWaveform:
    times = tuple(waveform.times[-1] - t for t in reversed(waveform.times))
    return replace(waveform, times=times, values=waveform.values[::-1])


@given(cell=layered(), point=points_in(1, polygons()))
@examples(12)
def test_a_waveform_run_backwards_gives_the_conjugate(cell, point):
    cell = replace(cell, material=replace(cell.material, density=()))
    there = solve(cell, point)
    back = solve(cell, replace(point, waveform=backwards(point.waveform)))
    assert same(there, replace(back, signal=back.signal.conjugate()))


# ---- the cell described in another way ----


def rotated(values: tuple, by: int) -> tuple:
    return values[by:] + values[:by]


def change_layers(cell: Drawn, change, membranes) -> Drawn:
    """The cell with the values of its layers, and those of its membranes, in another order."""
    m, shape = cell.material, cell.shape
    material = Material(
        change(m.diffusivity), change(m.T2), change(m.density), membranes(m.membranes)
    )
    return replace(cell, shape=Layers(change(shape.thicknesses)), material=material)


def check_order_of_layers(cell: Drawn, point: Point, by: int) -> None:
    here = solve(cell, point)
    moved = change_layers(cell, lambda x: rotated(x, by), lambda x: rotated(x, by))
    assert same(here, solve(moved, point))
    # Reversed, membrane i lies between layers n-1-i and n-2-i of the old order.
    mirrored = change_layers(cell, lambda x: x[::-1], lambda x: rotated(x[::-1], 1))
    assert same(here, solve(mirrored, opposite(point)))


@given(case=in_layers(), by=st.integers(1, 3))
@examples(12)
def test_where_the_layers_begin_and_which_side_is_left_does_not_matter(case, by):
    check_order_of_layers(*case, by)


@pytest.mark.slow
@given(case=in_layers(strongest=20.0), by=st.integers(1, 3))
@examples(30)
def test_where_many_layers_begin_and_which_side_is_left_does_not_matter(case, by):
    check_order_of_layers(*case, by)


@given(case=in_layers())
@examples(12)
def test_a_cell_of_two_periods_has_the_same_signal(case):
    cell, point = case
    m, halves = cell.material, tuple(x / 2 for x in cell.shape.thicknesses)
    twice = Material(m.diffusivity * 2, m.T2 * 2, m.density * 2, m.membranes * 2)
    double = replace(cell, shape=Layers(halves * 2), material=twice)
    assert same(solve(cell, point), solve(double, replace(point, period=2 * point.period)))


def with_discs(cell: Drawn, place, order: slice = slice(None)) -> Drawn:
    """The cell with every disc at another place, listed in another order."""
    m = cell.material
    discs = [Disc(place(*disc.center), disc.radius) for disc in cell.shape.cells][order]

    def listed(values: tuple) -> tuple:
        return values[:1] + values[1:][order]

    material = Material(listed(m.diffusivity), listed(m.T2), listed(m.density))
    return replace(cell, shape=Discs(tuple(discs)), material=material)


def quarter(x: float, y: float) -> tuple[float, float]:
    """Turned by 90 degrees to the left about the corner, back into the cell."""
    return (1.0 - y) % 1.0, x


def check_place_of_discs(cell: Drawn, point: Point, shift: float, tolerance: float) -> None:
    here = solve(cell, point, tolerance)
    # Along one axis: across one face at most.
    moved = with_discs(cell, lambda x, y: ((x + shift) % 1.0, y), slice(None, None, -1))
    assert same(here, solve(moved, point, tolerance), tolerance)
    x, y = point.direction
    spun = replace(point, direction=(-y, x))
    assert same(here, solve(with_discs(cell, quarter), spun, tolerance), tolerance)


@given(case=in_discs(), shift=evenly(0.05, 0.95, 18))
@examples(2)
def test_place_order_and_orientation_of_discs_do_not_matter(case, shift):
    check_place_of_discs(*case, shift, 1e-2)


@pytest.mark.slow
@given(case=in_discs(strongest=6.0), shift=evenly(0.0, 0.98, 49))
@examples(5)
def test_place_order_and_orientation_of_many_discs_do_not_matter(case, shift):
    check_place_of_discs(*case, shift, 3e-3)


@given(
    cell=layered(most=3),
    point=points_in(1, pulses(), 2.0),
    angle=st.sampled_from([0.0, 30.0, 45.0, 60.0, 120.0]),
)
@examples(4)
def test_strips_are_layers_whose_water_also_moves_along_them(cell, point, angle):
    """Across, the gradient n_x g; along, each layer alone loses exp(-b n_y^2 D)."""
    equal = (cell.material.diffusivity[0],) * len(cell.material.diffusivity)
    cell = replace(cell, material=replace(cell.material, diffusivity=equal))
    strips = replace(cell, shape=Layers(cell.shape.thicknesses, 2), size=0.35, refinements=2)
    across, along = turned(angle)
    flat = solve(cell, replace(point, q=point.q * across))
    both = solve(strips, replace(point, direction=(across, along)))
    factor = np.exp(-point.b * along**2 * equal[0])
    assert abs(both.signal - factor * flat.signal) <= slack(both) + factor * slack(flat) + 1e-10


# ---- other units ----


def scaled(cell: Drawn, point: Point, length: float, time: float) -> tuple[Drawn, Point]:
    """The same physics in units of length and time so much smaller."""
    m = cell.material
    D = tuple(x * length**2 / time for x in m.diffusivity)
    material = replace(m, diffusivity=D, T2=tuple(time * x for x in m.T2))
    there = replace(
        point,
        period=length * point.period,
        permeability=point.permeability * length / time,
        waveform=stretch(point.waveform, time),
        q=point.q / length,
    )
    return replace(cell, material=material), there


SCALES = logarithmically(0.05, 20.0)


@given(case=in_layers() | in_discs(), s=SCALES)
@examples(12)
def test_lengths_and_their_squares_in_time_scale(case, s):
    other = scaled(*case, length=s, time=s**2)
    assert other[0].material.diffusivity == pytest.approx(case[0].material.diffusivity, rel=1e-14)
    here, there = on_one_mesh(*case), on_one_mesh(*other)
    assert there == pytest.approx(here, rel=1e-9, abs=1e-12)


@given(case=in_layers(), length=SCALES, time=SCALES)
@examples(12)
def test_a_reference_knows_no_units(case, length, time):
    here, there = solve(*case), solve(*scaled(*case, length=length, time=time))
    assert (there.level, there.steps) == (here.level, here.steps)
    assert there.signal == pytest.approx(here.signal, rel=1e-8, abs=1e-11)
    assert there.error == pytest.approx(here.error, rel=1e-3, abs=1e-10)


@given(cell=round_cells(), point=points_in(2, polygons(2), 1.0), factor=evenly(0.25, 4.0, 15))
@examples(3)
def test_relaxation_that_is_the_same_everywhere_is_a_factor(cell, point, factor):
    T2 = factor * point.waveform.echo_time
    assume(T2 > 0.0)
    count = len(cell.material.diffusivity)
    without = replace(cell, material=replace(cell.material, T2=()))
    relaxing = replace(cell, material=replace(cell.material, T2=(T2,) * count))
    here, there = on_one_mesh(without, point, 24), on_one_mesh(relaxing, point, 24)
    assert there == pytest.approx(here * np.exp(-1.0 / factor), rel=1e-6, abs=1e-9)
