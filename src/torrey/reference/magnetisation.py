"""m(t, x) over the cell at some times of one measurement: what pictures of it are made from.

The full system is solved as for the signal (`torrey.reference.full`), on the mesh that its
tolerance needs, with as many time steps as bring the signal at the echo within that tolerance; its
segments are cut at the times that are wanted. What is kept is the periodic field u of

    m(t, x) = u(t, x) exp(-i g(t).x),    |m| = |u|,

with the wave vector g folded where the reference folds it: u is smooth on the mesh at any gradient.
Of a cell in space the elements that a plane through its middle cuts are kept.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

from torrey.base.progress import Progress, Steps, untold
from torrey.base.stored import nested, stored
from torrey.bloch.fields import DrawnMesh, dof_of_node
from torrey.cell.folding import Stretch, part_of
from torrey.cell.operators import BlochTorrey
from torrey.cell.system import AffineSystem
from torrey.geometry.mesh import CellMesh
from torrey.gradients.protocol import Point
from torrey.gradients.waveforms import Segment
from torrey.gradients.waveforms.segments import moment
from torrey.reference.flow import count_factors, propagate
from torrey.reference.full import ReferenceSignal, ToleranceError, reference_signal, zone_of

Array = NDArray[np.float64]
ComplexArray = NDArray[np.complex128]

_FEWEST_STEPS: Final = 6
_MOST_STEPS: Final = 768
#: Instants of a segment at which its gradient is kept for a picture of the waveform.
_SHOWN: Final = 33
#: Parts of a segment that are shorter, of the echo time, are none.
_NOTHING: Final = 1e-7
#: How far from the middle of a cell the plane lies, in units of the cell: nodes are in the middle.
_ASIDE: Final = 1e-6


@dataclass(frozen=True)
class Gradient:
    """The gradient of a measurement against time; at a jump, the values on both sides of it."""

    instant: Array = field(metadata=stored(("instant",), "ms", "time"))
    gradient: Array = field(
        metadata=stored(("instant", "component"), "rad um-1 ms-1", "gradient gamma G")
    )


@dataclass(frozen=True)
class Magnetisation:
    """The magnetisation in a cell at some times, in units of that of water at rest."""

    time: Array = field(metadata=stored(("time",), "ms", "time"))
    u: ComplexArray = field(
        metadata=stored(("time", "node"), "1", "periodic field u = m exp(i g.x)", dtype=complex)
    )
    wave_vector: Array = field(
        metadata=stored(("time", "axis"), "rad um-1", "wave vector g, folded where u is")
    )
    signal: complex = field(metadata=stored((), "1", "mean of m at the echo", dtype=complex))
    signal_error: float = field(metadata=stored((), "1", "estimated error of the signal, absolute"))
    length: float = field(metadata=stored((), "um", "period L of the cell"))
    normal: int = field(
        metadata=stored((), "1", "axis normal to the plane that is kept; -1: none", dtype=np.int32)
    )
    height: float = field(
        metadata=stored((), "1", "place of the plane along this axis, in units of the cell")
    )
    region: NDArray[np.int64] = field(
        metadata=stored(("element",), "1", "region of the element", dtype=np.int32)
    )
    waveform: Gradient = field(metadata=nested())
    mesh: DrawnMesh = field(metadata=nested())


def solve_magnetisation(
    levels: Sequence[BlochTorrey],
    meshes: Sequence[CellMesh],
    point: Point,
    tolerance: float,
    times: Sequence[float],
    progress: Progress = untold,
) -> tuple[Magnetisation, int]:
    """The magnetisation at some times, and the number of the mesh that it is on.

    Parameters
    ----------
    levels : sequence of BlochTorrey
        By mesh, coarsest first; only those needed are asked for.
    meshes : sequence of CellMesh
        Those that the operators are on.
    point : Point
    tolerance : float
        Of the signal, relative: see `reference_signal`.
    times : sequence of float
        In ms, from 0 to the echo time, which is the last.
    progress : Progress
        Is told how much is done.

    Raises
    ------
    ToleranceError
        If the finest mesh, or 768 steps, do not meet the tolerance.
    """
    known = reference_signal(levels, point, tolerance, progress)
    operators, mesh = levels[known.level], meshes[known.level]
    u, g = _within(operators, point, tolerance, times, known, progress)
    u *= _decays(operators, point, times)[:, None]
    value = _mean(operators, u[-1])
    elements, normal, height = _kept(mesh, point.frame)
    nodes, inverse = np.unique(mesh.elements[elements], return_inverse=True)
    found = Magnetisation(
        time=np.asarray(times, dtype=float),
        u=u[:, dof_of_node(mesh, operators.cell)[nodes]],
        wave_vector=g[:, : mesh.dimension],
        signal=value,
        signal_error=known.error + abs(value - known.signal),
        length=point.period,
        normal=normal,
        height=height,
        region=mesh.region[elements],
        waveform=_gradient(point),
        mesh=DrawnMesh(
            mesh.points[nodes], inverse.reshape(-1, mesh.elements.shape[1]), mesh.lattice
        ),
    )
    return found, known.level


def _within(
    operators: BlochTorrey,
    point: Point,
    tolerance: float,
    times: Sequence[float],
    known: ReferenceSignal,
    progress: Progress,
) -> tuple[ComplexArray, Array]:
    """Fields and wave vectors with steps enough for the signal to be within the tolerance."""
    steps = max(known.steps, _FEWEST_STEPS)
    decay = _decays(operators, point, times[-1:])[0]
    while steps <= _MOST_STEPS:
        u, g = _solve(operators, point, times, steps, progress)
        missed = abs(decay * _mean(operators, u[-1]) - known.signal)
        if missed <= tolerance * abs(known.signal):
            return u, g
        steps *= 2
    raise ToleranceError(
        f"{_MOST_STEPS} time steps per ramp leave the magnetisation {missed:.1e} away from the "
        f"signal, the tolerance asks for {tolerance * abs(known.signal):.1e}"
    )


def _solve(
    operators: BlochTorrey, point: Point, times: Sequence[float], steps: int, progress: Progress
) -> tuple[ComplexArray, Array]:
    """Fields (n_times, n_dofs) without `axial`, and wave vectors (n_times, c) in rad/um."""
    zone, segments = zone_of(operators, point), point.waveform.segments
    if zone is None:
        axes = point.frame
        plain = (0,) * operators.cell.dimension
        stretches = [Stretch(segment, plain) for segment in segments]
    else:
        axes = np.eye(point.frame.shape[1])
        folded = zone.fold(segments, point.frame, point.q)
        stretches = [stretch for part in folded for stretch in part]
    system = AffineSystem.at(operators.bare, point.period, point.permeability, axes)
    pieces = list(_pieces(stretches, times))
    name = f"magnetisation with {operators.cell.n_dofs:,} unknowns, {steps} steps per ramp"
    told = Steps(progress, name, sum(count_factors(p.segment, steps) for p, _ in pieces))
    u = operators.rho.astype(complex)[:, None]
    at_rest = [t for t in times if t <= _NOTHING * point.waveform.echo_time]
    fields, vectors = [u[:, 0]] * len(at_rest), [np.zeros(len(axes))] * len(at_rest)
    for stretch, wanted in pieces:
        u = stretch.enter(operators.cell, u)
        u = propagate(system, stretch.segment, point.q, u, steps, after=told)
        if wanted:
            fields.append(u[:, 0])
            vectors.append(point.q * stretch.segment.end)
    told.end()
    if len(fields) != len(times):
        raise ValueError(f"{len(fields)} of the times {list(times)} lie within the waveform")
    return np.array(fields), np.array(vectors) @ axes


def _pieces(stretches: Sequence[Stretch], times: Sequence[float]) -> Iterator[tuple[Stretch, bool]]:
    """Cut stretches at the times inside them; and say which pieces end at one of the times."""
    begin, echo = 0.0, sum(stretch.segment.duration for stretch in stretches)
    least = _NOTHING * echo
    for stretch in stretches:
        segment, fold = stretch.segment, stretch.fold
        duration = segment.duration
        inside = [t - begin for t in times if least < t - begin < duration - least]
        at_end = any(abs(t - begin - duration) <= least for t in times)
        cuts = [0.0, *inside, duration]
        for i, (a, b) in enumerate(pairwise(cuts)):
            piece = part_of(segment, a, b, np.zeros(len(segment.start)))
            yield Stretch(piece, fold if i == 0 else (0,) * len(fold)), i < len(inside) or at_end
        begin += duration


def _mean(operators: BlochTorrey, u: ComplexArray) -> complex:
    """The signal of a field at the echo."""
    total = operators.mass_matrix.sum(axis=0)
    return complex(total @ u) / float(total @ operators.rho)


def _decays(operators: BlochTorrey, point: Point, times: Sequence[float]) -> Array:
    """What diffusion out of the cell that is the same everywhere leaves at some times."""
    n_axes = point.frame.shape[1]
    axial = operators.axial[:n_axes, :n_axes]
    if not axial.any():
        return np.ones(len(times))
    out = point.frame @ axial @ point.frame.T

    def rate(F: Array) -> Array:
        return np.einsum("na,ab,nb->n", F, out, F)

    plain = [Stretch(segment, ()) for segment in point.waveform.segments]
    weights, total = [0.0], 0.0
    for piece, wanted in _pieces(plain, times):
        total += float(moment([piece.segment], rate))
        weights += [total] if wanted else []
    return np.exp(-(point.q**2) * np.array(weights[-len(times) :]))


def _kept(mesh: CellMesh, frame: Array) -> tuple[NDArray[np.intp], int, float]:
    """Elements that are kept, the normal of the plane that cuts them, and where it lies.

    The gradients are as much within the plane as they can be in one along the axes.
    """
    if mesh.dimension < 3:
        return np.arange(len(mesh.elements)), -1, 0.0
    along = np.round(np.abs(frame).sum(axis=0), 9)
    normal = 2 - int(along[::-1].argmin())
    places = mesh.points[:, normal]
    height = 0.5 * float(places.min() + places.max()) + _ASIDE
    sides = places[mesh.elements]
    cut = (sides.min(axis=1) <= height) & (height <= sides.max(axis=1))
    return np.flatnonzero(cut), normal, height


def _gradient(point: Point) -> Gradient:
    """The gradient of a measurement against time."""
    instants, values, begin = [], [], 0.0
    for segment in point.waveform.segments:
        inner = _instants(segment)
        instants.append(begin + inner)
        values.append(point.q * segment.jet(inner, 1)[:, 1])
        begin += segment.duration
    return Gradient(np.concatenate(instants), np.concatenate(values))


def _instants(segment: Segment) -> Array:
    count = 2 if segment.linear else _SHOWN
    if segment.wave is not None:
        count += round(8 * segment.wave.omega * segment.duration)
    return np.linspace(0.0, segment.duration, count)
