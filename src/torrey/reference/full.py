"""The reference: the full finite-element Bloch-Torrey system, integrated to a tolerance.

    M du/dt = -A(g(t)) u,    S = 1^T M u(T_E) / 1^T M u(0),    u(0) = rho

Varying gradients are integrated with Rodas5P, constant stretches of g with a Krylov exponential. A
waveform with F(T_E - t) = F(t) or -F(t) needs half the work (`cell.symmetric`): S is real and
positive by construction where F comes back as it went and rho is uniform.

Where a component |g_j| L exceeds 2 pi, g is folded back (`cell.folding`): u stays as smooth as the
magnetisation, at any gradient strength, for an interpolation of u at each fold whose error is part
of the error in space.

The error comes with the signal. In space it is estimated from a mesh with elements of half the
size. In time, a mesh two refinements coarser is cheap and its time error is close to that of the
finer ones: it is integrated with as many steps as it takes, and what the fewer steps of the finer
mesh miss is corrected by what they miss on the coarser one.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final

import numpy as np
from numpy.typing import NDArray

from torrey.base.errors import TorreyError
from torrey.base.memory import factor_seconds
from torrey.base.progress import Progress, Steps, untold
from torrey.base.stored import stored
from torrey.cell.folding import Stretch, Zone
from torrey.cell.krylov import expm_form
from torrey.cell.operators import Array, BlochTorrey
from torrey.cell.refinement import ONE_MESH, end_of
from torrey.cell.symmetric import symmetric_signal
from torrey.cell.system import AffineSystem, CellSystem
from torrey.gradients.protocol import Point
from torrey.gradients.waveforms import Waveform
from torrey.reference.estimates import resolves_layers, rounding, space_error
from torrey.reference.flow import KRYLOV_TOLERANCE, States, count_factors, propagate

#: The error in time falls by 10 to 30 when the steps are doubled. Differences of two results are
#: divided by less, for a safe estimate.
_TIME_DIVISOR = 12.0
#: Relative tolerance below which two meshes, which may agree by chance, do not end the search. Two
#: of layers never do: they agree by chance more often, and a third costs next to nothing.
_LEAST_OF_TWO_MESHES = 1e-5
#: Time errors on two meshes differ by 2 to 16 % in tests: how much of a correction to distrust.
_TRANSFER = 0.3

_ROUNDING = 1e-9

_FEWEST_STEPS = 6
_MOST_STEPS = 768

#: Shares of the tolerance: for the steps on the coarsest mesh, and for the transfer of its error.
_COARSE_SHARE = 0.01
_TRANSFER_SHARE = 0.2
#: Largest |g_j| L (rad) that folding gains nothing at, as the mesh resolves the field, and at which
#: models on a mesh, which do not fold, still do.
_REACH_OF_PLAIN, _REACH_OF_MODELS = 2.0 * np.pi, 4.0 * np.pi

LARGE_IN_SPACE: Final = 50_000
"""Unknowns of a mesh in space beyond which the full system takes minutes, and says so."""

#: Seconds of a time step in the plane beyond which a signal takes minutes.
_LONG_STEP: Final = 0.3

_LOG = logging.getLogger(__name__)


class ToleranceError(TorreyError, ArithmeticError):
    """The tolerance cannot be met with the meshes or the steps at hand."""


@dataclass(frozen=True)
class ReferenceSignal:
    """A signal and what is known of its error.

    The coarse signal is converged in time and without folding: what a model on the coarsest mesh is
    compared with, free of the error in space that both share. Where |g_j| L exceeds 4 pi no such
    model resolves the field, and it is the signal itself.
    """

    signal: complex = field(metadata=stored((), "1", "normalised signal", dtype=complex))
    space_error: float = field(metadata=stored((), "1", "estimated error of the mesh, absolute"))
    time_error: float = field(
        metadata=stored((), "1", "estimated error of the time steps, absolute")
    )
    level: int = field(metadata=stored((), "1", "mesh, 0 is the coarsest", dtype=np.int32))
    steps: int = field(metadata=stored((), "1", "time steps per ramp", dtype=np.int32))
    coarse_signal: complex = field(
        metadata=stored((), "1", "signal on the coarsest mesh", dtype=complex)
    )
    coarse_time_error: float = field(
        metadata=stored((), "1", "estimated error of the time steps on the coarsest mesh, absolute")
    )

    @property
    def error(self) -> float:
        """Absolute estimate of the whole numerical error."""
        return self.space_error + self.time_error


def mesh_signal(
    system: CellSystem, waveform: Waveform, q: float, steps: int, progress: Progress = untold
) -> complex:
    """Signal on one mesh with a given number of time steps.

    Parameters
    ----------
    system : CellSystem
        For as many axes as the waveform has components.
    waveform : Waveform
    q : float, rad/um
        Largest |g(t)|.
    steps : int
        Steps for a change of F by one: those of a ramp.
    progress : Progress
        Is told how much is done.
    """
    plain = (0,) * system.operators.cell.dimension
    parts = [(Stretch(segment, plain),) for segment in waveform.segments]
    return _signal(system, parts, waveform.symmetry, q, steps, progress)


def folded_signal(
    system: CellSystem,
    zone: Zone,
    waveform: Waveform,
    frame: Array,
    q: float,
    steps: int,
    progress: Progress = untold,
) -> complex:
    """The same signal with g kept within |g_j| L <= pi: for gradients of any strength.

    Parameters
    ----------
    system : CellSystem
        For gradients along all axes of the cell.
    zone : Zone
        Of the same period and lattice.
    waveform, q, steps, progress
        See `mesh_signal`.
    frame : (k, d) float
        Axes of the components of the waveform.
    """
    parts = zone.fold(waveform.segments, frame, q)
    return _signal(system, parts, waveform.symmetry, q, steps, progress)


def _signal(
    system: CellSystem,
    parts: Sequence[Sequence[Stretch]],
    symmetry: int,
    q: float,
    steps: int,
    progress: Progress,
) -> complex:
    """Signal from the parts of each segment of a waveform."""
    operators = system.operators
    M, rho = operators.mass_matrix, operators.rho
    counts = (count_factors(stretch.segment, steps) for part in parts for stretch in part)
    name = f"full system with {operators.cell.n_dofs:,} unknowns, {steps} steps per ramp"
    told = Steps(progress, name, sum(counts) / (2 if symmetry else 1))

    def advance(u: States, part: Sequence[Stretch]) -> States:
        for stretch in part:
            u = stretch.enter(operators.cell, u)
            u = propagate(system, stretch.segment, q, u, steps, after=told)
        return u

    def product(left: States, right: States) -> complex:
        return complex(left @ (M @ right))

    def form(u: States, part: Sequence[Stretch]) -> complex:
        # A number takes fewer Krylov vectors than a state.
        segment = part[0].segment
        A = system.during(segment).matrix(q * segment.start)
        return complex(expm_form(M, A, u, segment.duration, KRYLOV_TOLERANCE))

    sources = np.stack([rho, np.ones_like(rho)], axis=1).astype(complex)
    # A constant stretch is one part, and is entered without a fold.
    value = symmetric_signal(
        parts, symmetry, sources, advance, product, lambda part: part[0].segment.constant, form
    )
    told.end()
    return value / float(M.sum(axis=0) @ rho)


def reference_signal(
    levels: Sequence[BlochTorrey], point: Point, tolerance: float, progress: Progress = untold
) -> ReferenceSignal:
    """Signal of a point to a relative tolerance, with an estimate of its error.

    Parameters
    ----------
    levels : sequence of BlochTorrey
        By mesh, coarsest first; only those needed are asked for.
    point : Point
    tolerance : float
        Relative to |S|.
    progress : Progress
        Is told how much is done of the system on each mesh; how many are needed, nobody knows.

    Raises
    ------
    ToleranceError
        If the finest mesh, or 768 steps, do not meet the tolerance.
    ArithmeticError
        If a signal is not finite or exceeds 1.
    """
    if point.q == 0.0 and levels[0].conserves(point.permeability):
        return ReferenceSignal(1.0, 0.0, 0.0, 0, 0, 1.0, 0.0)
    if len(levels) < 2:
        raise ToleranceError(ONE_MESH)
    solver = _Solver(levels, point, tolerance, zone_of(levels[0], point), progress)
    by_two = tolerance >= _LEAST_OF_TWO_MESHES and levels[0].cell.dimension > 1
    first = 1 if by_two else min(2, len(levels) - 1)
    result = solver.on_mesh(first)
    for level in range(first + 1, len(levels)):
        if result.error <= tolerance * abs(result.signal):
            break
        result = solver.on_mesh(level)
    if abs(result.signal) > 1.0 + result.error + _ROUNDING:
        raise ArithmeticError(f"the signal {abs(result.signal):.9g} exceeds 1: the mesh is broken")
    if result.error > tolerance * abs(result.signal):
        raise ToleranceError(
            f"the finest mesh (number {result.level}) gives S = {abs(result.signal):.6g} with an "
            f"estimated error of {result.error:.1e}, the tolerance asks for "
            f"{tolerance * abs(result.signal):.1e}: {end_of(levels)}"
        )
    return result


def zone_of(operators: BlochTorrey, point: Point) -> Zone | None:
    """Where the wave vector of a point is folded to; None where it need not be folded."""
    zone = Zone(operators.cell.lattice, point.period)
    reach = zone.reach(point.waveform.segments, point.frame, point.q)
    return zone if reach > _REACH_OF_PLAIN else None


def is_large(operators: BlochTorrey) -> bool:
    """Whether the full system on a mesh takes minutes: one in space with many unknowns."""
    return operators.cell.dimension == 3 and operators.cell.n_dofs > LARGE_IN_SPACE


class _Solver:
    """Signals of one point by mesh and number of steps, each computed once."""

    def __init__(
        self,
        levels: Sequence[BlochTorrey],
        point: Point,
        tolerance: float,
        zone: Zone | None,
        progress: Progress,
    ) -> None:
        self._progress = progress
        self._levels = levels
        self._point = point
        self._tolerance = tolerance
        self._systems: dict[int, CellSystem] = {}
        self._signals: dict[tuple[int, int], complex] = {}
        self._many: dict[int, int] = {}
        self._zone = zone

    def on_mesh(self, level: int) -> ReferenceSignal:
        """The signal on one mesh, with steps whose error is small beside that of the mesh."""
        if self._levels[0].cell.dimension == 1:
            return self._on_line(level)
        low = max(0, level - 2)
        many = self._converge(low)
        scale = self._tolerance * abs(self._signal(low, many))
        steps = _FEWEST_STEPS
        while self._time_error(low, steps) > _TRANSFER_SHARE * scale:
            steps *= 2
        space = self._space_error(level, steps)
        # Errors of one size may cancel and leave the estimate far above the truth.
        while self._time_error(low, steps) > max(0.3 * space, 1e-3 * scale) and steps < many:
            steps *= 2
            space = self._space_error(level, steps)
        value = self._signal(level, steps) + self._missed(low, steps)
        return self._found(value, space, self._time_error(low, steps), level, steps)

    def _on_line(self, level: int) -> ReferenceSignal:
        """The signal of layers: their finest mesh is small enough to converge in time itself."""
        # One of fewer steps may be right by chance, and make the next one seem right as well.
        steps = max(self._converge(level), 4 * _FEWEST_STEPS)
        space, time = self._space_error(level, steps), self._step_error(level, steps)
        return self._found(self._signal(level, steps), space, time, level, steps)

    def _found(
        self, value: complex, space: float, time: float, level: int, steps: int
    ) -> ReferenceSignal:
        space += rounding(self._system(level), self._point.waveform.echo_time)
        coarse, coarse_error = self._for_models() or (value, space + time)
        return ReferenceSignal(value, space, time, level, steps, coarse, coarse_error)

    def _for_models(self) -> tuple[complex, float] | None:
        """Signal on the coarsest mesh, as models on that mesh have it: without folding."""
        if self._zone is not None:
            waveform, frame = self._point.waveform, self._point.frame
            if self._zone.reach(waveform.segments, frame, self._point.q) > _REACH_OF_MODELS:
                return None
            plain = _Solver(self._levels, self._point, self._tolerance, None, self._progress)
            return plain._for_models()
        steps = self._converge(0)
        lost = rounding(self._system(0), self._point.waveform.echo_time)
        return self._signal(0, steps), self._step_error(0, steps) + lost

    def _converge(self, low: int) -> int:
        """Number of steps that makes the error in time negligible on a mesh."""
        if low not in self._many:
            steps = 2 * _FEWEST_STEPS
            share = _COARSE_SHARE * self._tolerance
            while self._step_error(low, steps) > share * abs(self._signal(low, steps)):
                steps *= 2
                if steps > _MOST_STEPS:
                    raise ToleranceError(
                        f"{_MOST_STEPS} time steps per ramp do not bring the error below "
                        f"{share:.1e} of the signal: choose a larger tolerance"
                    )
            self._many[low] = steps
        return self._many[low]

    def _step_error(self, level: int, steps: int) -> float:
        """Estimate for the time steps on one mesh, from the changes that two doublings made."""
        change = abs(self._signal(level, steps) - self._signal(level, steps // 2))
        before = abs(self._signal(level, steps // 2) - self._signal(level, steps // 4))
        divisor = min((before / change - 1.0) / 2.0, _TIME_DIVISOR) if change > 0.0 else 1.0
        return change / max(divisor, 1.0)

    def _missed(self, low: int, steps: int) -> complex:
        """What so few steps miss, measured on a low mesh."""
        return self._signal(low, self._converge(low)) - self._signal(low, steps)

    def _time_error(self, low: int, steps: int) -> float:
        """Estimate for a signal that is corrected by what its steps miss on a low mesh."""
        missed = abs(self._missed(low, steps))
        return _TRANSFER * missed + self._step_error(low, self._converge(low))

    def _space_error(self, level: int, steps: int) -> float:
        """Estimate for the mesh."""
        values = [self._signal(k, steps) for k in range(max(0, level - 2), level + 1)]
        return float(space_error(np.array(values), self._layers))

    @cached_property
    def _decay(self) -> float:
        """What diffusion out of the cell that is the same everywhere makes of the signal."""
        axial, n_axes = self._levels[0].axial, self._point.frame.shape[1]
        return self._point.measurement.free_signal(axial[:n_axes, :n_axes])

    @cached_property
    def _layers(self) -> NDArray[np.bool_]:
        """Whether the second mesh resolves layers of diffusion."""
        point = self._point
        return resolves_layers(self._levels[1], point.period, point.waveform.echo_time)

    def _signal(self, level: int, steps: int) -> complex:
        if (level, steps) not in self._signals:
            value = self._compute(level, steps)
            if not np.isfinite(value):
                raise ArithmeticError(f"the signal on mesh {level} with {steps} steps is {value}")
            self._signals[level, steps] = value
        return self._signals[level, steps]

    def _compute(self, level: int, steps: int) -> complex:
        point, system = self._point, self._system(level)
        if self._zone is None:
            value = mesh_signal(system, point.waveform, point.q, steps, self._progress)
        else:
            args = self._zone, point.waveform, point.frame, point.q, steps, self._progress
            value = folded_signal(system, *args)
        return value * self._decay

    def _system(self, level: int) -> CellSystem:
        if level not in self._systems:
            self._say_cost(level)
            p = self._point
            axes = p.frame if self._zone is None else np.eye(p.frame.shape[1])
            self._systems[level] = AffineSystem.at(
                self._levels[level].bare, p.period, p.permeability, axes
            )
        return self._systems[level]

    def _say_cost(self, level: int) -> None:
        """Say what the full system costs on a large mesh, before it is entered."""
        cell = self._levels[level].cell
        seconds = factor_seconds(cell.dimension, cell.n_dofs)
        if is_large(self._levels[level]) or (cell.dimension == 2 and seconds > _LONG_STEP):
            _LOG.warning(
                "the full system is solved on mesh %d, with %s unknowns: each time step takes "
                "about %.2g s of one core. A larger tolerance, or smaller mesh.refinements, "
                "needs no such mesh",
                level,
                f"{cell.n_dofs:,}",
                seconds,
            )
