"""The reference: the full finite-element Bloch-Torrey system, integrated to a tolerance.

    M du/dt = -A(g(t)) u,    S = 1^T M u(T_E) / 1^T M u(0),    u(0) = rho

Ramps of g are integrated with Rodas5P, constant stretches with a Krylov exponential. A waveform
with F(T_E - t) = F(t) needs half the work: A is Hermitian, so the second half of the propagator is
the adjoint of the first in the inner product of M, and with v = P u(0) of the first pulse
S = v^H M E v / ..., E = exp(-A tau) over the plateau: real and positive by construction.

The error comes with the signal. In space it is estimated from a mesh with elements of half the
size. In time, a mesh two refinements coarser is cheap and its time error is close to that of the
finer ones: it is integrated with as many steps as it takes, and what the fewer steps of the finer
mesh miss is corrected by what they miss on the coarser one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csc_array

from torrey import rosenbrock
from torrey.cell.operators import Array, BlochTorrey, factorise
from torrey.errors import TorreyError
from torrey.krylov import Vector, expm_form, expm_multiply
from torrey.protocol import Point
from torrey.waveforms import Segment, Waveform

#: The error in space falls like h^4, by 16 from one mesh to the next, that in time by 10 to 30 when
#: the steps are doubled. Differences of two results are divided by less, for a safe estimate.
_SPACE_DIVISOR = 5.0
_TIME_DIVISOR = 12.0
#: Change of the signal from the coarsest mesh to the next below which both count as resolved.
_RESOLVED = 0.02
#: Time errors on two meshes differ by 2 to 16 % in tests: how much of a correction to distrust.
_TRANSFER = 0.3

#: Steps on a ramp lie closer at its beginning, where the state leaves equilibrium.
_GRADING = 1.25
_FEWEST_STEPS = 6
_MOST_STEPS = 768

#: Shares of the tolerance: for the steps on the coarsest mesh, and for the transfer of its error.
_COARSE_SHARE = 0.01
_TRANSFER_SHARE = 0.2
#: Krylov exponentials are converged far below everything else.
_KRYLOV_TOLERANCE = 1e-11


class ToleranceError(TorreyError, ArithmeticError):
    """The tolerance cannot be met with the meshes or the steps at hand."""


@dataclass(frozen=True)
class ReferenceSignal:
    """A signal and what is known of its error.

    Attributes
    ----------
    signal : complex
        S, normalised to the initial magnetisation.
    space_error, time_error : float
        Absolute estimates for mesh and time steps.
    level : int
        Mesh of the signal (0 is the coarsest).
    steps : int
        Time steps per ramp on that mesh.
    coarse_signal : complex
        Signal on the coarsest mesh, converged in time: what a model on that mesh is compared with,
        free of the error in space that both share.
    coarse_time_error : float
        Absolute estimate of its error in time.
    """

    signal: complex
    space_error: float
    time_error: float
    level: int
    steps: int
    coarse_signal: complex
    coarse_time_error: float

    @property
    def error(self) -> float:
        """Absolute estimate of the whole numerical error."""
        return self.space_error + self.time_error


@dataclass(frozen=True)
class GradientSystem:
    """A(g) = static + (i g/L) C + g^2 N for one period, permeability and gradient direction."""

    operators: BlochTorrey
    static: Array
    C: Array
    N: Array

    @classmethod
    def at(
        cls,
        operators: BlochTorrey,
        period: float,
        permeability: float,
        direction: Sequence[float],
    ) -> GradientSystem:
        """Operators scaled to a period (um) and a permeability (um/ms)."""
        along = operators.along(direction)
        return cls(
            operators=operators,
            static=operators.K / period**2 + (permeability / period) * operators.J,
            C=along.C / period,
            N=along.N,
        )

    def matrix(self, g: float) -> csc_array:
        """A(g); g in rad/um."""
        return self.operators.cell.matrix(self.entries(g))

    def entries(self, g: float) -> NDArray[np.complex128]:
        """Entries of A(g) on the common pattern."""
        return self.static + g**2 * self.N + (1j * g) * self.C

    def slope(self, g: float, rate: float) -> csc_array:
        """dA/dt at g, where dg/dt = rate."""
        return self.operators.cell.matrix((2 * g * rate) * self.N + (1j * rate) * self.C)


def signal(
    system: GradientSystem, waveform: Waveform, q: float, steps: int, rho: Array | None = None
) -> complex:
    """Signal on one mesh with a given number of time steps per ramp.

    Parameters
    ----------
    system : GradientSystem
    waveform : Waveform
    q : float, rad/um
        Largest |g(t)|.
    steps : int
        Steps per ramp.
    rho : (n_dofs,) float, optional
        Initial magnetisation; uniform by default.
    """
    M = system.operators.mass_matrix
    ones = np.ones(M.shape[0])
    start = (ones if rho is None else rho).astype(complex)
    total = float(ones @ (M @ start.real))
    if rho is None and waveform.mirror_symmetric:
        return _mirror_signal(system, waveform, q, steps, start) / total
    u = start
    for segment in waveform.segments():
        u = propagate(system, segment, q, u, steps)
    return complex(ones @ (M @ u)) / total


def _mirror_signal(
    system: GradientSystem, waveform: Waveform, q: float, steps: int, start: Vector
) -> complex:
    """S = v^H M exp(-A tau) v from the first half of a symmetric waveform."""
    M = system.operators.mass_matrix
    segments = waveform.segments()
    half, odd = divmod(len(segments), 2)
    v = start
    for segment in segments[:half]:
        v = propagate(system, segment, q, v, steps)
    if not odd:
        return complex(np.vdot(v, M @ v).real)
    middle = segments[half]
    A = system.matrix(q * middle.start)
    return complex(expm_form(M, A, v, middle.duration, _KRYLOV_TOLERANCE))


def propagate(system: GradientSystem, segment: Segment, q: float, u: Vector, steps: int) -> Vector:
    """State after one linear piece of the waveform."""
    if segment.slope == 0.0:
        A = system.matrix(q * segment.start)
        M = system.operators.mass_matrix
        return expm_multiply(M, A, u, segment.duration, _KRYLOV_TOLERANCE)
    times = segment.duration * (np.arange(steps + 1) / steps) ** _GRADING
    for begin, end in zip(times[:-1], times[1:], strict=True):
        g = q * (segment.start + segment.slope * begin)
        u = _ramp_step(system, g, q * segment.slope, end - begin, u)
    return u


def _ramp_step(system: GradientSystem, g: float, rate: float, duration: float, u: Vector) -> Vector:
    """One Rodas5P step while g grows at a constant rate.

    The mean decay rate of the state is taken out exactly, as a factor: the steps then resolve how
    the state changes its shape, not how it fades.
    """
    cell, M = system.operators.cell, system.operators.mass_matrix
    A = system.matrix(g)
    decay = float(np.vdot(u, A @ u).real / np.vdot(u, M @ u).real)
    decay = min(decay, 0.5 / (rosenbrock.GAMMA * duration))

    def shifted(t: float, v: Vector) -> Vector:
        return cell.matrix(system.entries(g + rate * t) - decay * system.operators.M) @ v

    shift = 1.0 / (rosenbrock.GAMMA * duration) - decay
    lu = factorise(cell.matrix(system.entries(g) + shift * system.operators.M))
    after = rosenbrock.step(
        u, duration, lu.solve, lambda v: M @ v, shifted, system.slope(g, rate) @ u
    )
    return np.exp(-decay * duration) * after


def reference_signal(
    levels: Sequence[Callable[[], BlochTorrey]], point: Point, tolerance: float
) -> ReferenceSignal:
    """Signal of a point to a relative tolerance, with an estimate of its error.

    Parameters
    ----------
    levels : sequence of callables
        ``levels[k]()`` gives the operators on mesh k, coarsest first; only those needed are asked
        for.
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
    if point.q == 0.0:
        return ReferenceSignal(1.0, 0.0, 0.0, 0, 0, 1.0, 0.0)
    if len(levels) < 2:
        raise ToleranceError(
            "one mesh gives no error estimate: allow mesh.refinements of 1 or more"
        )
    solver = _Solver(levels, point, tolerance)
    result = solver.on_mesh(1)
    for level in range(2, len(levels)):
        if result.error <= tolerance * abs(result.signal):
            break
        result = solver.on_mesh(level)
    if abs(result.signal) > 1.0 + result.error:
        raise ArithmeticError(f"the signal {abs(result.signal):.9g} exceeds 1: the mesh is broken")
    if result.error > tolerance * abs(result.signal):
        raise ToleranceError(
            f"the finest mesh (number {result.level}) gives S = {abs(result.signal):.6g} with an "
            f"estimated error of {result.error:.1e}, the tolerance asks for "
            f"{tolerance * abs(result.signal):.1e}: allow more mesh.refinements, choose a smaller "
            "mesh.size, or a larger tolerance"
        )
    return result


class _Solver:
    """Signals of one point by mesh and number of steps, each computed once."""

    def __init__(
        self, levels: Sequence[Callable[[], BlochTorrey]], point: Point, tolerance: float
    ) -> None:
        self._levels = levels
        self._point = point
        self._tolerance = tolerance
        self._systems: dict[int, GradientSystem] = {}
        self._signals: dict[tuple[int, int], complex] = {}
        self._many: dict[int, int] = {}

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
        coarse = self._converge(0)
        return ReferenceSignal(
            signal=self._signal(level, steps) + self._missed(low, steps),
            space_error=space,
            time_error=self._time_error(low, steps),
            level=level,
            steps=steps,
            coarse_signal=self._signal(0, coarse),
            coarse_time_error=self._step_error(0, coarse),
        )

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
        """Estimate for the mesh, from the change that the last refinement made.

        If the change before was not much larger, the meshes do not resolve the field yet, and
        the error is closer to the change itself.
        """
        change = abs(self._signal(level, steps) - self._signal(level - 1, steps))
        if level == 1:
            resolved = change <= _RESOLVED * abs(self._signal(level, steps))
            return change / (_SPACE_DIVISOR if resolved else 1.0)
        before = abs(self._signal(level - 1, steps) - self._signal(level - 2, steps))
        divisor = min(before / change - 1.0, _SPACE_DIVISOR) if change > 0.0 else 1.0
        return change / max(divisor, 1.0)

    def _signal(self, level: int, steps: int) -> complex:
        if (level, steps) not in self._signals:
            value = signal(self._system(level), self._point.waveform, self._point.q, steps)
            if not np.isfinite(value):
                raise ArithmeticError(f"the signal on mesh {level} with {steps} steps is {value}")
            self._signals[level, steps] = value
        return self._signals[level, steps]

    def _system(self, level: int) -> GradientSystem:
        if level not in self._systems:
            p = self._point
            self._systems[level] = GradientSystem.at(
                self._levels[level](), p.period, p.permeability, p.direction
            )
        return self._systems[level]
