"""Random cells, waveforms and measurements for hypothesis, small enough to solve in a moment.

Numbers are drawn from short lists of round values, evenly spaced or evenly in their logarithm: a
failing case reads well and shrinks fast. Runs are the same every time.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from hypothesis import HealthCheck, reject, settings
from hypothesis import strategies as st

from torrey.cell.build import levels
from torrey.cell.material import Material
from torrey.cell.operators import BlochTorrey
from torrey.geometry import Disc, Discs, Layers, MeshOptions, Shape
from torrey.gradients.protocol import Point
from torrey.gradients.waveforms import (
    CosineOgse,
    DoublePgse,
    Pgse,
    SampledWaveform,
    SineOgse,
    TrapezoidalOgse,
    TrapezoidalPgse,
    Waveform,
)
from torrey.reference.full import ReferenceSignal, ToleranceError, reference_signal

Levels = Sequence[BlochTorrey]

EXCESS = 3.0
"""How far errors may exceed their estimates, where they are above `NEGLIGIBLE`: they do in a few of
a thousand layers."""

NEGLIGIBLE = 0.01
"""Share of the tolerance below which no estimate is tested here: see `test_errors`."""


def examples(count: int) -> settings:
    """So many examples, always the same."""
    # A fresh import of a mesher counts as slow drawing.
    checks = [HealthCheck.too_slow]
    return settings(
        derandomize=True,
        deadline=None,
        max_examples=count,
        suppress_health_check=checks,
    )


# ---- numbers ----


def evenly(low: float, high: float, parts: int = 40) -> st.SearchStrategy[float]:
    """Numbers from low to high, rounded to four digits."""
    return st.integers(0, parts).map(lambda i: _round(low + (high - low) * i / parts))


def logarithmically(low: float, high: float) -> st.SearchStrategy[float]:
    """Numbers from low to high, twenty in a decade, rounded to four digits."""
    parts = max(1, round(20 * math.log10(high / low)))
    return st.integers(0, parts).map(lambda i: _round(low * (high / low) ** (i / parts)))


def _round(value: float) -> float:
    return float(f"{value:.4g}")


# ---- waveforms ----


@st.composite
def pulses(draw: st.DrawFn) -> Pgse:
    delta = draw(logarithmically(0.2, 20.0))
    return Pgse(delta, delta + draw(st.just(0.0) | logarithmically(0.1, 40.0)))


@st.composite
def trapezoids(draw: st.DrawFn) -> TrapezoidalPgse:
    delta = draw(logarithmically(0.5, 20.0))
    rise = delta * draw(evenly(0.05, 1.0))
    return TrapezoidalPgse(delta, delta + rise + draw(logarithmically(0.1, 30.0)), rise)


@st.composite
def trains(draw: st.DrawFn) -> Waveform:
    delta, cycles = draw(logarithmically(1.0, 20.0)), draw(st.integers(1, 3))
    Delta = delta + draw(st.just(0.0) | logarithmically(0.1, 10.0))
    kind = draw(st.sampled_from([SineOgse, CosineOgse, TrapezoidalOgse]))
    if kind is TrapezoidalOgse:
        return TrapezoidalOgse(delta, Delta, cycles, draw(evenly(0.1, 1.0)) * delta / (6 * 3 + 1))
    return kind(delta, Delta, cycles)


@st.composite
def polygons(draw: st.DrawFn, components: int = 1) -> SampledWaveform:
    """Wave vectors on straight lines between a few samples, as a rule without symmetry."""
    steps = draw(st.lists(logarithmically(0.3, 10.0), min_size=2, max_size=4))
    times = tuple(float(t) for t in np.cumsum([0.0, *steps]))
    vector = st.tuples(*[evenly(-1.0, 1.0, 8)] * components)
    inner = [draw(vector) for _ in steps[1:]]
    # A wave vector that never leaves zero is no waveform.
    first = inner[0] if any(inner[0]) else (1.0,) * components
    zero = (0.0,) * components
    return SampledWaveform("polygon", "wave_vector", times, (zero, first, *inner[1:], zero))


@st.composite
def pairs(draw: st.DrawFn) -> DoublePgse:
    delta = draw(logarithmically(0.5, 8.0))
    Delta = delta + draw(st.just(0.0) | logarithmically(0.5, 15.0))
    mixing = draw(st.just(0.0) | logarithmically(0.5, 10.0))
    return DoublePgse(delta, Delta, mixing, draw(evenly(0.0, 180.0, 12)))


def lines() -> st.SearchStrategy[Waveform]:
    """Waveforms along one direction."""
    return pulses() | trapezoids() | trains() | polygons()


def planes() -> st.SearchStrategy[Waveform]:
    """Waveforms of one component or two."""
    return lines() | pairs() | polygons(2)


def stretch(waveform: Waveform, factor: float) -> Waveform:
    """The same waveform with all times multiplied by a factor."""
    if isinstance(waveform, SampledWaveform):
        return replace(waveform, times=tuple(factor * t for t in waveform.times))
    times = {"delta", "Delta", "rise_time", "mixing_time"} & set(waveform.parameters)
    return replace(waveform, **{name: factor * waveform.parameters[name] for name in times})


# ---- cells ----


@dataclass(frozen=True)
class Drawn:
    """A cell and its material."""

    shape: Shape
    material: Material
    size: float
    refinements: int

    def levels(self) -> Levels:
        """Operators by mesh, coarsest first."""
        return levels(self.shape, MeshOptions(self.size, self.refinements), self.material)

    def on(self, level: int) -> BlochTorrey:
        """Operators on one mesh."""
        return self.levels()[level]

    @property
    def weights(self) -> np.ndarray:
        """Share of each compartment in the initial magnetisation."""
        water = np.array(self.shape.measures()) * self.material.densities
        return np.asarray(water / water.sum())


@st.composite
def materials(draw: st.DrawFn, count: int, relaxes: bool = True, factors: int = 0) -> Material:
    """Materials of so many compartments; `factors` of membranes, at times.

    Relaxation and densities are there at times, as in use.
    """
    D = tuple(draw(logarithmically(0.1, 3.5)) for _ in range(count))
    T2: tuple[float, ...] = ()
    if relaxes and draw(st.booleans()):
        T2 = tuple(draw(st.just(math.inf) | logarithmically(5.0, 200.0)) for _ in range(count))
    density: tuple[float, ...] = ()
    if draw(st.booleans()):
        density = tuple(draw(evenly(0.0, 2.0, 8)) for _ in range(count))
        density = density if any(density) else (1.0,) * count
    membranes: tuple[float, ...] = ()
    if factors and draw(st.booleans()):
        membranes = tuple(draw(evenly(0.0, 3.0, 6)) for _ in range(factors))
    return Material(D, T2, density, membranes)


@st.composite
def layered(
    draw: st.DrawFn, relaxes: bool = True, most: int = 4, thinnest: int = 4, dimension: int = 1
) -> Drawn:
    """One to four layers, the thinnest a tenth or less of the thickest."""
    parts = draw(st.lists(st.integers(thinnest, 20), min_size=1, max_size=most))
    thicknesses = tuple(n / sum(parts) for n in parts)
    material = draw(materials(len(parts), relaxes, factors=len(parts)))
    size, refinements = (0.1, 4) if dimension == 1 else (0.35, 2)
    return Drawn(Layers(thicknesses, dimension), material, size, refinements)


@st.composite
def round_cells(draw: st.DrawFn, relaxes: bool = True, refinements: int = 1) -> Drawn:
    """One disc or two on coarse meshes, inside the cell."""
    shift = evenly(-0.06, 0.06, 6)
    if draw(st.booleans()):
        radius = draw(evenly(0.1, 0.35, 10))
        cells = [Disc((0.5 + draw(shift), 0.5 + draw(shift)), radius)]
    else:
        cells = [
            Disc((x + draw(shift), y + draw(shift)), draw(evenly(0.08, 0.18, 5)))
            for x, y in ((0.28, 0.3), (0.73, 0.68))
        ]
    material = draw(materials(len(cells) + 1, relaxes))
    return Drawn(Discs(tuple(cells)), material, 0.35, refinements)


def turned(degrees: float) -> tuple[float, float]:
    """The unit vector at an angle to the first axis."""
    return math.cos(math.radians(degrees)), math.sin(math.radians(degrees))


# ---- measurements ----


def sizes() -> st.SearchStrategy[float]:
    """Periods, um."""
    return logarithmically(0.5, 30.0)


def permeabilities() -> st.SearchStrategy[float]:
    """um/ms: impermeable, as in tissue, and far beyond."""
    return st.just(0.0) | logarithmically(1e-3, 1.0) | logarithmically(1.0, 100.0)


@st.composite
def points_in(
    draw: st.DrawFn, dimension: int, waveforms: st.SearchStrategy[Waveform], strongest: float = 4.0
) -> Point:
    """A measurement with b from 0.01 to `strongest` ms/um^2 in a cell of some size."""
    waveform = draw(waveforms)
    q = waveform.q_of_b(draw(logarithmically(0.01, strongest)))
    direction = (1.0,) if dimension == 1 else turned(draw(evenly(0.0, 360.0, 24)))
    return Point(draw(sizes()), draw(permeabilities()), waveform, q, direction)


@st.composite
def in_layers(draw: st.DrawFn, relaxes: bool = True, strongest: float = 4.0) -> tuple[Drawn, Point]:
    """Layers and a measurement across them."""
    return draw(layered(relaxes)), draw(points_in(1, lines(), strongest))


@st.composite
def in_discs(draw: st.DrawFn, relaxes: bool = True, strongest: float = 2.0) -> tuple[Drawn, Point]:
    """Discs and a measurement in their plane, of waveforms of one component or two."""
    return draw(round_cells(relaxes)), draw(points_in(2, planes(), strongest))


def opposite(point: Point) -> Point:
    """The same measurement with the gradient reversed."""
    return replace(point, direction=tuple(-x for x in point.direction))


def solve(cell: Drawn, point: Point, tolerance: float = 1e-3) -> ReferenceSignal:
    """Reference signal; a case that is refused says nothing about its property."""
    try:
        return reference_signal(cell.levels(), point, tolerance)
    except ToleranceError:
        reject()


def slack(result: ReferenceSignal, tolerance: float = 1e-3) -> float:
    """How far a signal may be from the truth."""
    return EXCESS * result.error + NEGLIGIBLE * tolerance * abs(result.signal)


def echo_loss(cell: Drawn, waveform: Waveform) -> np.ndarray:
    """What relaxation alone leaves of each compartment."""
    return np.exp(-waveform.echo_time * cell.material.relaxation)
