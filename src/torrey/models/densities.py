"""States of projected models on the way there, and their adjoints on the way back.

    int f(t) z* u^T dt,    f = 1, F_a, F_a F_b

as matrices on the basis: what changes of A are contracted with, see `torrey.models.adjoint`. The
steps are those of `torrey.models.reduced.Flow`, and z is their adjoint. Constant gradients are
crossed by eigenvectors, on which the integral is one of exponentials.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from torrey.base import rosenbrock
from torrey.gradients.waveforms import Segment, Waveform
from torrey.models.integration import Points
from torrey.models.reduced import Factors, Flow, GalerkinSystem, inverses

Array = NDArray[np.float64]
ComplexArray = NDArray[np.complex128]
#: How each state of a point counts: see `Run._add`.
Conjugate: TypeAlias = tuple[bool | None, ...]

#: Matrices of a batch that are kept for the way back (bytes); beyond, they are made again.
_KEPT = 2**28


@dataclass(frozen=True)
class Densities:
    """int f(t) z* u^T dt as matrices, before they meet any X; see `adjoint.Moments`."""

    signal: ComplexArray
    still: ComplexArray
    linear: ComplexArray
    quadratic: ComplexArray


@dataclass(frozen=True)
class _Step:
    """One step of Rodas5P on the way there; see `reduced.Flow`."""

    duration: float
    begin: Factors
    slope: Factors
    later: Factors
    decay: Array
    inverse: ComplexArray | None
    start: ComplexArray
    stages: rosenbrock.Stages


@dataclass(frozen=True)
class _Crossing:
    """A segment on the way there: its eigenvectors, or its steps.

    Attributes
    ----------
    end : (points, m, r) complex
        States after it.
    F, slopes : (n, c), (n, c) float
        F at all stages, and dF/dt at the beginnings of the steps; F alone where it is constant.
    """

    segment: Segment
    flow: Flow
    start: ComplexArray
    end: ComplexArray
    F: Array
    slopes: Array
    rates: Array | None = None
    modes: ComplexArray | None = None
    steps: tuple[_Step, ...] = ()


class Run:
    """The states of some points on the way there, and their adjoints on the way back."""

    def __init__(
        self, model: GalerkinSystem, waveform: Waveform, points: Points, steps: int
    ) -> None:
        self._model, self._waveform, self._points, self._steps = model, waveform, points, steps
        self._flows: dict[bool, Flow] = {}
        c, r, n = waveform.n_components, len(model.start), len(points)
        self._still = np.zeros((n, r, r), dtype=complex)
        self._linear = np.zeros((n, c, r, r), dtype=complex)
        self._quadratic = np.zeros((n, c, c, r, r), dtype=complex)
        varying = [s for s in waveform.segments if not s.constant]
        size = 16 * r * r * n * sum(len(s.grid(steps)) - 1 for s in varying)
        self._keep = size <= _KEPT

    def solve(self) -> Densities:
        """Signals (not normalised) and densities."""
        parts, symmetry = self._waveform.segments, self._waveform.symmetry
        half, odd = divmod(len(parts), 2)
        halved = symmetry != 0 and (not odd or parts[half].constant)
        both = np.array([self._model.start, self._model.readout], dtype=complex)
        sources = np.repeat(both[None], len(self._points), axis=0)
        single = not halved or np.array_equal(both[0], both[1])
        states, crossed = sources[:, :1] if single else sources, []
        for part in parts[:half] if halved else parts:
            crossed.append(self._cross(part, states))
            states = crossed[-1].end
        if not halved:
            value = _product(sources[:, 1], states[:, 0])
            self._back(crossed, sources[:, 1:], (False,))
            return self._densities(value)
        right, left = states[:, :1], states[:, -1:]
        weights = left.conj() if symmetry > 0 else left
        if odd:
            middle = self._cross(parts[half], right)
            value = _product(weights[:, 0], middle.end[:, 0])
            after, weights = middle.end, self._over(middle, weights, (False,))
        else:
            value, after = _product(weights[:, 0], right[:, 0]), right
        conjugate: Conjugate
        if symmetry > 0:
            # The change of the left state counts conjugated.
            value = value.real.astype(complex) if single else value
            conjugate = (None,) if single else (False, True)
            pair = weights if single else np.concatenate([weights, after.conj()], axis=1)
        elif single:
            pair, conjugate = weights + after, (False,)
        else:
            pair, conjugate = np.concatenate([weights, after], axis=1), (False, False)
        self._back(crossed, pair, conjugate)
        return self._densities(value)

    def _densities(self, value: ComplexArray) -> Densities:
        return Densities(value, self._still, self._linear, self._quadratic)

    def _back(
        self,
        crossed: Sequence[_Crossing],
        weights: ComplexArray,
        conjugate: Conjugate,
    ) -> None:
        for crossing in reversed(crossed):
            weights = self._over(crossing, weights, conjugate)

    # On the way there.

    def _cross(self, segment: Segment, w: ComplexArray) -> _Crossing:
        flow = self._flow(segment)
        if segment.constant:
            F = segment.start[None]
            rates, modes = np.linalg.eigh(flow.matrix(flow.factors(F[0])))
            rates = np.maximum(rates, 0.0)
            decays = np.exp(-segment.duration * rates)[:, None]
            end = ((w @ modes.conj()) * decays) @ modes.swapaxes(1, 2)
            return _Crossing(segment, flow, w, end, F, np.zeros_like(F), rates, modes)
        times = segment.grid(self._steps)
        lengths = np.diff(times)
        jets = segment.jet(times[:-1], 1)
        begins, slopes = flow.factors(jets[:, 0]), flow.slopes(jets[:, 0], jets[:, 1])
        at = times[:-1, None] + np.multiply.outer(lengths, rosenbrock.TIMES)
        F = segment.jet(at, 0)[:, :, 0]
        later, start, steps = flow.factors(F), w, []
        for n, duration in enumerate(lengths):
            factors = [(even[n], odd[n]) for even, odd in (begins, slopes, later)]
            steps.append(self._step(flow, factors, w, float(duration)))
            w = np.exp(-steps[-1].decay * duration) * steps[-1].stages.end
        return _Crossing(segment, flow, start, w, F, jets[:, 1], steps=tuple(steps))

    def _step(self, flow: Flow, factors: list[Factors], w: ComplexArray, duration: float) -> _Step:
        begin, slope, later = factors
        first = flow.apply(begin, w)
        decay = flow.mean_decay(w, first, duration)
        inverse = _inverse(flow, begin, decay, duration)

        def rate(stage: int, v: ComplexArray) -> ComplexArray:
            through = first if stage == 0 else flow.apply(_stage(later, stage), v)
            return through - decay * v

        stages = rosenbrock.recorded_step(
            w, duration, lambda load: load @ inverse, rate, flow.apply(slope, w)
        )
        kept = inverse if self._keep else None
        return _Step(duration, begin, slope, later, decay, kept, w, stages)

    def _flow(self, segment: Segment) -> Flow:
        if segment.stored not in self._flows:
            now, p = self._model.during(segment), self._points
            self._flows[segment.stored] = Flow(now, p.q, p.period, p.sigma)
        return self._flows[segment.stored]

    # On the way back.

    def _over(
        self, crossing: _Crossing, weights: ComplexArray, conjugate: Conjugate
    ) -> ComplexArray:
        """Weights (points, m, r) before a segment from those after it; its densities are added."""
        if crossing.rates is not None:
            return self._over_constant(crossing, weights, conjugate)
        loads = []
        for step in reversed(crossing.steps):
            weights, load = _back_step(crossing.flow, step, weights)
            loads.append(load)
        self._add_steps(crossing, np.array(loads[::-1]), conjugate)
        return weights

    def _over_constant(
        self, crossing: _Crossing, weights: ComplexArray, conjugate: Conjugate
    ) -> ComplexArray:
        rates, modes = crossing.rates, crossing.modes
        assert rates is not None
        assert modes is not None
        duration, F = crossing.segment.duration, crossing.F[0]
        here, there = crossing.start @ modes.conj(), weights @ modes
        weight = overlaps(rates, duration)[:, None]
        inner = weight * there[..., :, None] * here[..., None, :]
        density = modes.conj()[:, None] @ inner @ modes.swapaxes(1, 2)[:, None]
        self._add(density, None, None, conjugate)
        if F.any():
            c = len(F)
            self._add(None, [F[a] * density for a in range(c)], None, conjugate)
            pairs = {(a, b): F[a] * F[b] * density for a in range(c) for b in range(a, c)}
            self._add(None, None, pairs, conjugate)
        decays = np.exp(-duration * rates)[:, None]
        before: ComplexArray = (there * decays) @ modes.conj().swapaxes(1, 2)
        return before

    def _add_steps(self, crossing: _Crossing, loads: ComplexArray, conjugate: Conjugate) -> None:
        """Add the densities of all steps of a segment.

        Parameters
        ----------
        crossing : _Crossing
        loads : (n_steps, n_stages, points, m, r) complex
            Weights of what the stages solve for.
        conjugate
            See `_add`.
        """
        steps = crossing.steps
        at = np.array([step.stages.arguments for step in steps])
        inc = np.array([step.stages.increments for step in steps])
        first = np.array([step.start for step in steps])[:, None]
        lengths = np.array([step.duration for step in steps])
        slopes = lengths[:, None] * rosenbrock.slope_weights()
        left = _flat(loads).swapaxes(-1, -2)

        def density(of_at: Array, of_inc: Array, of_first: Array) -> ComplexArray:
            """With factors (n_steps, n_stages) of arguments, increments and beginnings."""
            f, g, h = (x[:, :, None, None, None] for x in (of_at, of_inc, of_first))
            product: ComplexArray = left @ _flat(f * at + g * inc + h * first)
            return product

        one = np.ones(loads.shape[:2])
        self._add(left @ _flat(at + inc), None, None, conjugate)
        F, F0 = crossing.F, np.repeat(crossing.F[:, :1], loads.shape[1], axis=1)
        rate, c = crossing.slopes[:, None], F.shape[-1]
        linear = [density(F[..., a], F0[..., a], slopes * rate[..., a] * one) for a in range(c)]
        self._add(None, linear, None, conjugate)
        pairs = {}
        for a in range(c):
            for b in range(a, c):
                change = rate[..., a] * F0[..., b] + F0[..., a] * rate[..., b]
                by = F[..., a] * F[..., b], F0[..., a] * F0[..., b], slopes * change
                pairs[a, b] = density(*by)
        self._add(None, None, pairs, conjugate)

    def _add(
        self,
        still: ComplexArray | None,
        linear: Sequence[ComplexArray] | None,
        quadratic: dict[tuple[int, int], ComplexArray] | None,
        conjugate: Conjugate,
    ) -> None:
        """Add densities (points, m, r, r), of each state as it counts.

        A state counts as it is (False), conjugated (True), or as the sum of both (None): X is real,
        and i X changes its sign.
        """
        if still is not None:
            self._still += _counted(still, conjugate, 1.0)
        for a, density in enumerate(linear or ()):
            self._linear[:, a] += _counted(density, conjugate, -1.0)
        for (a, b), density in (quadratic or {}).items():
            value = _counted(density, conjugate, 1.0)
            self._quadratic[:, a, b] += value
            if a != b:
                self._quadratic[:, b, a] += value


def overlaps(rates: Array, duration: float | Array) -> Array:
    """int exp(-(tau - s) l_i - s l_j) ds over a time tau, (n, r, r).

    Parameters
    ----------
    rates : (n, r) float, 1/ms
        l, at least zero.
    duration : float or (n, 1, 1) float, ms
        tau.
    """
    apart = duration * np.abs(rates[:, :, None] - rates[:, None, :])
    least = np.minimum(rates[:, :, None], rates[:, None, :])
    safe = np.where(apart > 0.0, apart, 1.0)
    share = np.where(apart > 0.0, -np.expm1(-safe) / safe, 1.0)
    found: Array = duration * np.exp(-duration * least) * share
    return found


def contracted(density: ComplexArray, matrices: Array) -> ComplexArray:
    """Sums of the products of densities (..., r, r) with real matrices (m, r, r), (..., m)."""
    r = density.shape[-1]
    flat, X = density.reshape(-1, r * r), matrices.reshape(-1, r * r).T
    # Real matrices: two real products.
    found: ComplexArray = (flat.real @ X) + 1j * (flat.imag @ X)
    return found.reshape(*density.shape[:-2], len(matrices))


def _counted(density: ComplexArray, conjugate: Conjugate, sign: float) -> ComplexArray:
    total: ComplexArray = np.zeros(density[:, 0].shape, dtype=complex)
    for m, how in enumerate(conjugate):
        if how is not True:
            total += density[:, m]
        if how is not False:
            total += sign * density[:, m].conj()
    return total


def _flat(values: ComplexArray) -> ComplexArray:
    """(n_steps, n_stages, points, m, r) as (points, m, n_steps n_stages, r)."""
    steps, stages, points, m, r = values.shape
    result: ComplexArray = np.ascontiguousarray(values.transpose(2, 3, 0, 1, 4))
    return result.reshape(points, m, steps * stages, r)


def _back_step(flow: Flow, step: _Step, weights: ComplexArray) -> tuple[ComplexArray, ComplexArray]:
    """Weights before a step, and those of what its stages solve for."""
    inverse = step.inverse
    if inverse is None:
        inverse = _inverse(flow, step.begin, step.decay, step.duration)
    # A is Hermitian: its transpose is its conjugate.
    solve = inverse.conj()

    def rate(stage: int, v: ComplexArray) -> ComplexArray:
        return flow.apply(_conjugate(_stage(step.later, stage)), v) - step.decay * v

    def slope(v: ComplexArray) -> ComplexArray:
        return flow.apply(_conjugate(step.slope), v)

    weights = np.exp(-step.decay * step.duration) * weights
    return rosenbrock.adjoint_step(weights, step.duration, lambda v: v @ solve, rate, slope)


def _inverse(flow: Flow, begin: Factors, decay: Array, duration: float) -> ComplexArray:
    """What rows of loads are multiplied with: the transposed inverse of the matrix of a step."""
    matrix = flow.matrix(begin)
    diagonal = np.einsum("pii->pi", matrix)
    diagonal += 1.0 / (rosenbrock.GAMMA * duration) - decay[:, 0]
    result: ComplexArray = inverses(matrix).swapaxes(1, 2)
    return result


def _stage(factors: Factors, stage: int) -> Factors:
    even, odd = factors
    return even[stage], odd[stage]


def _conjugate(factors: Factors) -> Factors:
    even, odd = factors
    return even, -odd


def _product(left: ComplexArray, right: ComplexArray) -> ComplexArray:
    result: ComplexArray = np.einsum("zi,zi->z", left, right)
    return result
