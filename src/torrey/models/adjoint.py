"""Derivatives of the signals of projected models by everything A depends on, in one pass back.

With the adjoint z of the flow, -dz/dt = -A^H z, which ends as the weights of the signal,

    dS/dp = -int_0^{T_E} z^H (dA/dp) u dt

whatever p is. A depends on time by F alone: dA/dp is a sum of fixed matrices X times 1, F_a or
F_a F_b. So all derivatives are sums of few *moments*

    -int f(t) z^H X u dt,    f = 1, F_a, F_a F_b,

which cost two small products each, once u and z are known. They are exact for the signal as it is
computed: z is the adjoint of the very steps of Rodas5P that make u (`torrey.base.rosenbrock`), and
integrals over constant gradients are those of exponentials. The mean rates that a step takes out of
a state are held fixed, on which its result depends as little as on its length: derivatives and
differences of signals agree to the error in time.

Where a waveform is symmetric, half of it is crossed, as for the signal (`torrey.cell.symmetric`).
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from torrey.gradients.waveforms import Waveform
from torrey.models.densities import Densities, Run, contracted
from torrey.models.integration import Points, common_decay, projected_signal
from torrey.models.reduced import GalerkinSystem, IntegrationError, batch_size

Array = NDArray[np.float64]
ComplexArray = NDArray[np.complex128]

#: Steps on a change of F by one, and what doubling them gains at least: as in `integration`.
_FEWEST_STEPS, _MOST_STEPS, _GAIN = 6, 3072, 16.0


@dataclass(frozen=True)
class Forms:
    """Matrices that moments are wanted of, on the basis of a model.

    Attributes
    ----------
    still : (n_still, r, r) float
        Symmetric; parts of A that do not depend on the gradient.
    linear : (n_linear, r, r) float
        Antisymmetric; i times them, and times g_a, in A.
    quadratic : (n_quadratic, r, r) float
        Symmetric; times g_a g_b in A.
    """

    still: Array
    linear: Array
    quadratic: Array

    def with_more(self, still: Array, linear: Array, quadratic: Array) -> Forms:
        """The same, with further ones behind them."""
        pairs = ((self.still, still), (self.linear, linear), (self.quadratic, quadratic))
        return Forms(*(np.concatenate(pair) for pair in pairs))


@dataclass(frozen=True)
class Moments:
    """-int f(t) z^H X u dt for the matrices X of some forms, with the signals.

    Attributes
    ----------
    signal : (points,) complex
    still : (points, n_still) complex, ms
    linear : (points, c, n_linear) complex, ms
        Of i X F_a.
    quadratic : (points, c, c, n_quadratic) complex, ms
        Of X F_a F_b.
    """

    signal: ComplexArray
    still: ComplexArray
    linear: ComplexArray
    quadratic: ComplexArray

    def __sub__(self, other: Moments) -> Moments:
        """What the one has more than the other."""
        return Moments(*(getattr(self, f.name) - getattr(other, f.name) for f in fields(self)))

    def split(self, first: Forms) -> tuple[Moments, Moments]:
        """Those of the first forms, and those of the forms behind them."""
        names = [f.name for f in fields(Forms)]
        parts = [(getattr(self, name), len(getattr(first, name))) for name in names]
        before = Moments(self.signal, *(values[..., :count] for values, count in parts))
        return before, Moments(self.signal, *(values[..., count:] for values, count in parts))


def moments(
    model: GalerkinSystem, waveform: Waveform, points: Points, steps: int, forms: Forms
) -> Moments:
    """Signals as `integration.projected_signal` computes them, and moments for derivatives.

    Parameters
    ----------
    model : GalerkinSystem
        Along the axes of the waveform.
    waveform : Waveform
        Of c components.
    points : Points
    steps : int
        Per change of F by one.
    forms : Forms
    """
    count = max(1, -(-len(points) // batch_size(model)))
    parts = []
    with np.errstate(invalid="ignore", over="ignore"):
        for rows in np.array_split(np.arange(len(points)), count):
            found = Run(model.bare, waveform, points[rows], steps).solve()
            scale = common_decay(model.axial, waveform, points.q[rows])
            parts.append(_contract(found, forms, scale / float(model.start @ model.readout)))
    columns = [[getattr(part, f.name) for part in parts] for f in fields(Moments)]
    return Moments(*(np.concatenate(column) for column in columns))


def converged_steps(
    model: GalerkinSystem, waveform: Waveform, points: Points, tolerance: float | Array
) -> tuple[ComplexArray, int]:
    """Signals to an absolute tolerance, of all or of each, and the steps that they all took.

    Raises
    ------
    IntegrationError
        If no number of steps brings the error below the tolerance.
    """
    steps = _FEWEST_STEPS
    before = projected_signal(model, waveform, points, steps)
    while steps < _MOST_STEPS:
        steps *= 2
        signals = projected_signal(model, waveform, points, steps)
        with np.errstate(invalid="ignore"):
            done = np.abs(signals - before) <= _GAIN * tolerance
        if done.all():
            return signals, steps
        before = signals
    raise IntegrationError(
        f"{_MOST_STEPS} time steps per ramp do not bring the error below {np.min(tolerance):.1e}"
    )


def _contract(found: Densities, forms: Forms, scale: Array) -> Moments:
    def against(density: ComplexArray, matrices: Array, factor: complex) -> ComplexArray:
        value = contracted(density, matrices)
        by = scale.reshape(-1, *(1,) * (value.ndim - 1))
        return np.asarray(factor * by * value)

    return Moments(
        signal=scale * found.signal,
        still=against(found.still, forms.still, -1.0),
        linear=against(found.linear, forms.linear, -1.0j),
        quadratic=against(found.quadratic, forms.quadratic, -1.0),
    )
