"""The reference: the full finite-element Bloch-Torrey system, integrated to a tolerance.

    M du/dt = -A(g(t)) u,    S = 1^T M u(T_E) / 1^T M u(0),    u(0) = rho

Varying gradients are integrated with Rodas5P, constant stretches of g with a Krylov exponential. A
waveform with F(T_E - t) = F(t) needs half the work: A is Hermitian, so the second half of the
propagator is the adjoint of the first in the inner product of M, and with u, v = P rho, P 1 after
the first half S = v^H M E u / ..., E = exp(-A tau) over what is constant in the middle: real and
positive by construction where rho is uniform. Where F(T_E - t) = -F(t), it is the transpose.

Where a component |g_j| L exceeds 2 pi, g is folded back (`bloch.folding`): u stays as smooth as the
magnetisation, at any gradient strength, for an interpolation of u at each fold whose error is part
of the error in space.

The error comes with the signal. In space it is estimated from a mesh with elements of half the
size. In time, a mesh two refinements coarser is cheap and its time error is close to that of the
finer ones: it is integrated with as many steps as it takes, and what the fewer steps of the finer
mesh miss is corrected by what they miss on the coarser one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray

from torrey.base import rosenbrock
from torrey.base.errors import TorreyError
from torrey.base.stored import stored
from torrey.cell.folding import Stretch, Zone
from torrey.cell.krylov import expm_form, expm_multiply
from torrey.cell.operators import Array, BlochTorrey, factorise
from torrey.cell.system import GradientSystem
from torrey.gradients.protocol import Point
from torrey.gradients.waveforms import Segment, Waveform

#: The error in space falls like h^4, by 16 from one mesh to the next, that in time by 10 to 30 when
#: the steps are doubled. Differences of two results are divided by less, for a safe estimate.
_SPACE_DIVISOR = 5.0
_SPACE_RATIO = 16.0
_TIME_DIVISOR = 12.0
#: Change of the signal from the coarsest mesh to the next below which both count as resolved.
_RESOLVED = 0.02
#: Relative tolerance below which two meshes, which may agree by chance, do not end the search.
_LEAST_OF_TWO_MESHES = 1e-5
#: Elements within the length by which water diffuses until the echo, at least, for two meshes to
#: tell that they resolve the layers beside membranes.
_ELEMENTS_PER_LAYER = 3.0
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
#: Krylov exponentials are converged far below everything else.
_KRYLOV_TOLERANCE = 1e-11


#: Columns are states.
States = NDArray[np.complex128]


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


def signal(system: GradientSystem, waveform: Waveform, q: float, steps: int) -> complex:
    """Signal on one mesh with a given number of time steps.

    Parameters
    ----------
    system : GradientSystem
        For as many axes as the waveform has components.
    waveform : Waveform
    q : float, rad/um
        Largest |g(t)|.
    steps : int
        Steps for a change of F by one: those of a ramp.
    """
    plain = (0,) * system.operators.cell.dimension
    parts = [(Stretch(segment, plain),) for segment in waveform.segments]
    return _signal(system, parts, waveform.symmetry, q, steps)


def folded_signal(
    system: GradientSystem, zone: Zone, waveform: Waveform, frame: Array, q: float, steps: int
) -> complex:
    """The same signal with g kept within |g_j| L <= pi: for gradients of any strength.

    Parameters
    ----------
    system : GradientSystem
        For gradients along all axes of the cell.
    zone : Zone
        Of the same period and lattice.
    waveform, q, steps
        See `signal`.
    frame : (k, d) float
        Axes of the components of the waveform.
    """
    parts = zone.fold(waveform.segments, frame, q)
    return _signal(system, parts, waveform.symmetry, q, steps)


def _signal(
    system: GradientSystem,
    parts: Sequence[Sequence[Stretch]],
    symmetry: int,
    q: float,
    steps: int,
) -> complex:
    """Signal from the parts of each segment of a waveform."""
    M, rho = system.operators.mass_matrix, system.operators.rho
    readout = M @ np.ones(M.shape[0])
    half, odd = divmod(len(parts), 2)
    # A constant stretch is one part, and is entered without a fold.
    halved = symmetry != 0 and (not odd or parts[half][0].segment.constant)
    uniform = bool(np.all(rho == 1.0))
    columns = [rho] if uniform or not halved else [rho, np.ones_like(rho)]
    u = np.array(columns, dtype=complex).T
    for part in parts[:half] if halved else parts:
        for stretch in part:
            u = propagate(
                system, stretch.segment, q, stretch.enter(system.operators.cell, u), steps
            )
    total = float(readout @ rho)
    if not halved:
        return complex(readout @ u[:, 0]) / total
    middle = parts[half][0].segment if odd else None
    return _join(system, middle, symmetry, q, u) / total


def _join(
    system: GradientSystem, middle: Segment | None, symmetry: int, q: float, u: States
) -> complex:
    """The signal from the states in the middle of a symmetric waveform."""
    M = system.operators.mass_matrix
    right, left = u[:, 0], u[:, -1]
    if middle is not None:
        A = system.matrix(q * middle.start)
        if symmetry > 0 and u.shape[1] == 1:
            return complex(expm_form(M, A, right, middle.duration, _KRYLOV_TOLERANCE))
        right = expm_multiply(M, A, right, middle.duration, _KRYLOV_TOLERANCE)
    if symmetry > 0 and u.shape[1] == 1:
        return complex(np.vdot(left, M @ right).real)
    return complex((left.conj() if symmetry > 0 else left) @ (M @ right))


def propagate(system: GradientSystem, segment: Segment, q: float, u: States, steps: int) -> States:
    """States, the columns of u, after one segment of the waveform."""
    if segment.constant:
        A, M = system.matrix(q * segment.start), system.operators.mass_matrix
        after = [expm_multiply(M, A, column, segment.duration, _KRYLOV_TOLERANCE) for column in u.T]
        return np.array(after).T
    times = segment.grid(steps)
    for begin, end in zip(times[:-1], times[1:], strict=True):
        u = _step(system, segment, q, u, begin, end - begin)
    return u


def _step(
    system: GradientSystem, segment: Segment, q: float, u: States, begin: float, duration: float
) -> States:
    """One Rodas5P step under a varying gradient.

    The mean decay rate of the state is taken out exactly, as a factor: the steps then resolve how
    the state changes its shape, not how it fades. Of several states it is that of the slowest, so
    that none is made to grow.
    """
    cell, M = system.operators.cell, system.operators.mass_matrix
    g, rate = q * segment.jet(begin, 1)
    entries = system.entries(g)
    through, within = cell.matrix(entries) @ u, M @ u
    size = np.sum(u.conj() * within, axis=0).real
    rates = np.sum(u.conj() * through, axis=0).real / np.where(size > 0.0, size, 1.0)
    decay = min(float(rates.min()), 0.5 / (rosenbrock.GAMMA * duration))

    def shifted(t: float, v: States) -> States:
        now = system.entries(q * segment.jet(begin + t, 0)[0])
        return cell.matrix(now - decay * system.operators.M) @ v

    shift = 1.0 / (rosenbrock.GAMMA * duration) - decay
    lu = factorise(cell.matrix(entries + shift * system.operators.M))
    after = rosenbrock.step(
        u, duration, lu.solve, lambda v: M @ v, shifted, system.slope(g, rate) @ u
    )
    return np.exp(-decay * duration) * after


def reference_signal(
    levels: Sequence[BlochTorrey], point: Point, tolerance: float
) -> ReferenceSignal:
    """Signal of a point to a relative tolerance, with an estimate of its error.

    Parameters
    ----------
    levels : sequence of BlochTorrey
        By mesh, coarsest first; only those needed are asked for.
    point : Point
    tolerance : float
        Relative to |S|.

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
        raise ToleranceError(
            "one mesh gives no error estimate: allow mesh.refinements of 1 or more"
        )
    zone = Zone(levels[0].cell.lattice, point.period)
    reach = zone.reach(point.waveform.segments, point.frame, point.q)
    solver = _Solver(levels, point, tolerance, zone if reach > _REACH_OF_PLAIN else None)
    first = 1 if tolerance >= _LEAST_OF_TWO_MESHES else min(2, len(levels) - 1)
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
            f"{tolerance * abs(result.signal):.1e}: allow more mesh.refinements, choose a smaller "
            "mesh.size, or a larger tolerance"
        )
    return result


def resolves_layers(operators: BlochTorrey, period: ArrayLike, time: float) -> NDArray[np.bool_]:
    """Whether the elements of a mesh are small beside the layers of diffusion at membranes.

    Where they are not, two meshes may both miss a layer, and agree.

    Parameters
    ----------
    operators : BlochTorrey
        On that mesh.
    period : (...) float, um
    time : float, ms
        In which layers grow to sqrt(D t).
    """
    cell, d = operators.cell, operators.cell.dimension
    nodes = np.bincount(cell.compartment, minlength=len(cell.measures()))
    element = 2.0 * (cell.measures() / nodes) ** (1 / d)
    mean = np.trace(operators.diffusivity, axis1=1, axis2=2) / d
    # Coats within a compartment have elements of their own size; the rest of it counts.
    D = np.zeros(len(nodes))
    np.maximum.at(D, cell.region_compartment, mean)
    coarsest = float(np.max(_ELEMENTS_PER_LAYER * element / np.sqrt(D * time)))
    return np.asarray(coarsest * np.asarray(period, dtype=float) <= 1.0)


def _rounding(system: GradientSystem, time: float) -> float:
    """Bound on what the rounding of each flux adds to the signal until the echo.

    The sum of a row of A(0) without relaxation is zero but for the rounding of its diagonal.
    """
    cell = system.operators.cell
    fluxes = cell.matrix(system.static).diagonal().sum()
    return float(np.finfo(float).eps * fluxes * time / system.operators.mass_matrix.sum())


def space_error(
    values: Sequence[NDArray[np.complex128]] | NDArray[np.complex128],
    layers: NDArray[np.bool_] | bool = True,
) -> Array:
    """Estimate for the mesh of the last values, from the change that the last refinement made.

    If the change before was not much larger, the meshes do not resolve the field yet, and the
    error is closer to the change itself. If it was larger by more than the order of the elements
    explains, the last change is small by chance, and counts as what that order leaves.

    Parameters
    ----------
    values : (n_meshes, ...) complex
        Signals on a mesh and its refinements, two at least.
    layers : (...) bool
        Whether the second mesh resolves layers of diffusion (`resolves_layers`): two meshes that
        do not are not told to be resolved by a small change.
    """
    change = np.abs(values[-1] - values[-2])
    if len(values) == 2:
        resolved = (change <= _RESOLVED * np.abs(values[-1])) & layers
        return change / np.where(resolved, _SPACE_DIVISOR, 1.0)
    before = np.abs(values[-2] - values[-3])
    change = np.maximum(change, before / _SPACE_RATIO)
    with np.errstate(divide="ignore", invalid="ignore"):
        divisor = np.where(change > 0.0, before / change - 1.0, 1.0)
    estimate: Array = change / np.clip(divisor, 1.0, _SPACE_DIVISOR)
    return estimate


class _Solver:
    """Signals of one point by mesh and number of steps, each computed once."""

    def __init__(
        self,
        levels: Sequence[BlochTorrey],
        point: Point,
        tolerance: float,
        zone: Zone | None,
    ) -> None:
        self._levels = levels
        self._point = point
        self._tolerance = tolerance
        self._systems: dict[int, GradientSystem] = {}
        self._signals: dict[tuple[int, int], complex] = {}
        self._many: dict[int, int] = {}
        self._zone = zone

    def on_mesh(self, level: int) -> ReferenceSignal:
        """The signal on one mesh, with steps whose error is small beside that of the mesh."""
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
        time = self._time_error(low, steps)
        space += _rounding(self._system(level), self._point.waveform.echo_time)
        coarse, coarse_error = self._for_models() or (value, space + time)
        return ReferenceSignal(value, space, time, level, steps, coarse, coarse_error)

    def _for_models(self) -> tuple[complex, float] | None:
        """Signal on the coarsest mesh, as models on that mesh have it: without folding."""
        if self._zone is not None:
            waveform, frame = self._point.waveform, self._point.frame
            if self._zone.reach(waveform.segments, frame, self._point.q) > _REACH_OF_MODELS:
                return None
            plain = _Solver(self._levels, self._point, self._tolerance, None)
            return plain._for_models()
        steps = self._converge(0)
        rounding = _rounding(self._system(0), self._point.waveform.echo_time)
        return self._signal(0, steps), self._step_error(0, steps) + rounding

    def _converge(self, low: int) -> int:
        """Number of steps that makes the error in time negligible on a low mesh."""
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
            return signal(system, point.waveform, point.q, steps)
        return folded_signal(system, self._zone, point.waveform, point.frame, point.q, steps)

    def _system(self, level: int) -> GradientSystem:
        if level not in self._systems:
            p = self._point
            axes = p.frame if self._zone is None else np.eye(p.frame.shape[1])
            self._systems[level] = GradientSystem.at(
                self._levels[level], p.period, p.permeability, axes
            )
        return self._systems[level]
