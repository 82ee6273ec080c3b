"""Dispersive diffusivity: D(t) and K(t) of narrow pulses, D(omega), and the rates of exchange.

With c = C 1 / L along a direction and <D> the mean of the diffusivity over the water,

    D(omega) = <D> - (1/|Y|) Re c^T (A(0) + i omega M)^-1 c
    D(t)     = <D> - (1/|Y|) sum_n (c.v_n)^2 (1 - (1 - exp(-lambda_n t)) / (lambda_n t)) / lambda_n

where lambda_n, v_n are the eigenpairs of A(0): D(t) is the mean square displacement over 2 t, that
of two narrow pulses t apart. D(0) is the homogenised diffusivity of the whole cell with exchange,
D(infinity) is <D>, and D(t) goes from <D> to D(0). The kurtosis K(t) of the displacement is of
order q^4 (`torrey.models.moments`). All follow from the eigenpairs of a projected A(0), whose basis
holds the resolvents of c between the rates of the times and frequencies that are asked for. The
lowest eigenvalues of A(0) above zero are the exact rates of exchange, which those of Karger's model
(eta_e + eta_c of two compartments) approximate to order L^2.

At short times and high frequencies layers of the depth sqrt(D t) at membranes decide (Mitra et al.
1992, PRL 68:3555; Novikov and Kiselev 2011 for D(omega)), from S/V per side, for walls that point
in all directions alike,

    D(t)     = <D> - 4/(3 d sqrt(pi)) sum_a D_a^(3/2) (S_a/V) sqrt(t)
    D(omega) = <D> - 1/d sum_a D_a^(3/2) (S_a/V) sqrt(1/(2 omega))

Where they are thinner than the elements resolve, the error is what the walls change by that law.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.sparse.linalg import LinearOperator, eigsh

from torrey.base.stored import stored
from torrey.cell.factors import factorise
from torrey.cell.layers import layer_time
from torrey.cell.operators import Array, BlochTorrey
from torrey.cell.system import AffineSystem
from torrey.models.cumulants import cumulants_of
from torrey.models.expansion import expand
from torrey.models.moments import RestingSystem, taylor_of_narrow_pulses
from torrey.models.projection import ProjectedModel
from torrey.models.resolvents import resolvent_model, shifts_between

#: Shifts reach so far beyond the rates that are asked for.
_BEYOND: Final = 3.0
#: Doublings of the number of shifts: for what is of order q^2 and q^4, and one less tells errors.
_OF_D, _OF_K = 4, 3
#: An error that a smaller basis makes is so many times that of the larger one, at least.
_GAIN: Final = 2.0
#: Of the rate of diffusion through the cell: below it A(0) is as good as singular.
_SLOW: Final = 1e-4
#: Factor of the law of D(omega), over 1/sqrt(omega), to that of D(t), over sqrt(t).
_OF_FREQUENCY: Final = 3.0 * float(np.sqrt(np.pi / 2.0)) / 4.0
#: Rounding: of eigenvalues, relative to the largest, and of differences, relative to <D>.
_ROUNDING: Final = 1e-12
#: Rates of exchange that are looked for, at most.
_MOST_RATES: Final = 12

#: Names of curves that have an error of the basis.
_WITH_ERROR: Final = ("of_time", "of_frequency", "slow", "kurtosis")

_T, _W = ("line", "time"), ("line", "frequency")


@dataclass(frozen=True)
class Dispersion:
    """Diffusivity and kurtosis of a cell against time and frequency, along some directions."""

    direction: Array = field(metadata=stored(("line", "axis"), "1", "direction of the gradient"))
    time: Array = field(metadata=stored(("time",), "ms", "time between the narrow pulses"))
    frequency: Array = field(metadata=stored(("frequency",), "ms-1", "frequency, omega / (2 pi)"))
    D_time: Array = field(
        metadata=stored(_T, "um2 ms-1", "D(t), mean square displacement over 2 t")
    )
    D_time_error: Array = field(metadata=stored(_T, "um2 ms-1", "numerical error of D(t)"))
    K_time: Array = field(
        metadata=stored(_T, "1", "K(t), kurtosis of the displacement", allow_missing=True)
    )
    K_time_error: Array = field(
        metadata=stored(_T, "1", "numerical error of K(t)", allow_missing=True)
    )
    D_frequency: Array = field(metadata=stored(_W, "um2 ms-1", "D(omega), real part"))
    D_frequency_error: Array = field(metadata=stored(_W, "um2 ms-1", "numerical error of D(omega)"))
    time_resolved: NDArray[np.int8] = field(
        metadata=stored(("time",), "1", "1 where the mesh resolves the layers at membranes")
    )
    frequency_resolved: NDArray[np.int8] = field(
        metadata=stored(("frequency",), "1", "1 where the mesh resolves the layers at membranes")
    )
    D_slow: Array = field(
        metadata=stored(("line",), "um2 ms-1", "D(omega = 0), homogenised with exchange")
    )
    D_slow_error: Array = field(metadata=stored(("line",), "um2 ms-1", "numerical error of D(0)"))
    D_fast: Array = field(metadata=stored(("line",), "um2 ms-1", "mean diffusivity <D>"))
    wall_slope: float = field(
        metadata=stored(
            (), "um2 ms-1.5", "short times: D(t) = <D> - wall_slope sqrt(t)", allow_missing=True
        )
    )
    rate: Array = field(
        metadata=stored(("mode",), "ms-1", "lowest eigenvalues of A(0) above that of equilibrium")
    )
    rate_error: Array = field(metadata=stored(("mode",), "ms-1", "numerical error of the rates"))
    karger_rate: Array = field(
        metadata=stored(("mode",), "ms-1", "the same of Karger's model, eta_e + eta_c of two")
    )
    period: float = field(metadata=stored((), "um", "period L of the cell"))
    permeability: float = field(metadata=stored((), "um ms-1", "permeability of the membranes"))


def run_dispersion(
    levels: Sequence[BlochTorrey],
    period: float,
    permeability: float,
    directions: Sequence[Array],
    times: Sequence[float],
    frequencies: Sequence[float],
) -> Dispersion:
    """Diffusivity and kurtosis against time and frequency, with their errors.

    Parameters
    ----------
    levels : sequence of BlochTorrey
        Two meshes, the coarser one first, without relaxation.
    period, permeability : float
        um, um/ms.
    directions : sequence of (d,) float
        Unit vectors.
    times : sequence of float, ms
    frequencies : sequence of float, 1/ms
        omega / (2 pi).
    """
    t, f = (np.sort(np.asarray(x, dtype=float)) for x in (times, frequencies))
    coarse, fine = (
        [_curves(operators, period, permeability, n, t, f) for n in directions]
        for operators in levels
    )
    slope, fast = wall_slope(levels[-1], period), np.array([one.fast for one in fine])
    # What walls change by the law, or at most where the law is not known.
    most = float(np.max(fast - _all(fine, "slow")))
    t_ok, lost_t = _unresolved(levels[-1], period, slope * np.sqrt(t), most, t)
    omega = 2.0 * np.pi * f
    f_ok, lost_f = _unresolved(
        levels[-1], period, slope * _OF_FREQUENCY / np.sqrt(omega), most, 1.0 / omega
    )
    errors = {name: _change(coarse, fine, name) for name in _WITH_ERROR}
    return Dispersion(
        direction=np.array(directions),
        time=t,
        frequency=f,
        D_time=_all(fine, "of_time"),
        D_time_error=errors["of_time"] + lost_t + _ROUNDING * fast[:, None],
        K_time=_all(fine, "kurtosis"),
        # A change of the diffusivity in a part of the water, at most.
        K_time_error=errors["kurtosis"] + 6.0 * lost_t / fast[:, None],
        D_frequency=_all(fine, "of_frequency"),
        D_frequency_error=errors["of_frequency"] + lost_f + _ROUNDING * fast[:, None],
        time_resolved=t_ok,
        frequency_resolved=f_ok,
        D_slow=_all(fine, "slow"),
        D_slow_error=errors["slow"] + _ROUNDING * fast,
        D_fast=fast,
        wall_slope=slope,
        rate=fine[0].rates,
        rate_error=np.abs(fine[0].rates - coarse[0].rates),
        karger_rate=karger_rates(levels[-1], period, permeability),
        period=period,
        permeability=permeability,
    )


def _unresolved(
    operators: BlochTorrey, period: float, law: Array, most: float, times: Array
) -> tuple[NDArray[np.int8], Array]:
    """1 where layers of so many ms are resolved, and elsewhere what the mesh may not know."""
    resolved = times >= layer_time(operators, period)
    return resolved.astype(np.int8), np.where(resolved, 0.0, np.nan_to_num(law, nan=most))


def diffusivity_of_time(system: RestingSystem, times: Array) -> Array:
    """D(t) of a system along one direction, shape (n,)."""
    weights, volume = _weights(system)
    x = np.multiply.outer(times, system.rates)
    # (1 - (1 - exp(-x))/x)/lambda, whose limit at lambda = 0 is t/2.
    small = x < 1e-4
    safe = np.where(small, 1.0, x)
    shape = np.where(small, x / 2.0 - x**2 / 6.0, 1.0 + np.expm1(-safe) / safe)
    rates = np.where(system.rates > 0.0, system.rates, 1.0)
    kernel = np.where(system.rates > 0.0, shape / rates, times[:, None] / 2.0)
    return np.asarray(mean_diffusivity(system) - kernel @ weights / volume)


def diffusivity_of_frequency(system: RestingSystem, frequencies: Array) -> Array:
    """Re D(omega) of a system along one direction, for omega/(2 pi) (1/ms), shape (n,)."""
    weights, volume = _weights(system)
    omega = 2.0 * np.pi * np.asarray(frequencies, dtype=float)[:, None]
    kernel = system.rates / (system.rates**2 + omega**2)
    return np.asarray(mean_diffusivity(system) - kernel @ weights / volume)


def slow_diffusivity(system: RestingSystem) -> float:
    """D(0): what is left after all times."""
    weights, volume = _weights(system)
    moving = system.rates > _ROUNDING * system.rates[-1]
    return mean_diffusivity(system) - float(weights[moving] @ (1.0 / system.rates[moving])) / volume


def mean_diffusivity(system: RestingSystem) -> float:
    """<D> over the water, along the direction of the system."""
    return float(system.readout @ system.N[0, 0] @ system.start / (system.readout @ system.start))


def wall_slope(operators: BlochTorrey, period: float) -> float:
    """4/(3 d sqrt(pi)) sum_a D_a^(3/2) S_a/V (um^2/ms^(3/2)), each side of a wall for itself.

    Not a number where a membrane has the same compartment on both sides.
    """
    cell = operators.cell
    if np.any(~cell.incidence.any(axis=1)):
        return float("nan")
    walls = cell.matrix(cell.jump(np.ones(cell.n_membranes)))
    surface = np.einsum("na,na->a", cell.indicators, walls @ cell.indicators)
    mean = np.trace(operators.inner_diffusivity, axis1=1, axis2=2) / cell.dimension
    D = np.zeros(cell.n_compartments)
    np.maximum.at(D, cell.region_compartment, mean)
    total = float(surface @ D**1.5) / (float(cell.measures().sum()) * period)
    return 4.0 / (3.0 * cell.dimension * np.sqrt(np.pi)) * total


def exchange_rates(operators: BlochTorrey, period: float, permeability: float) -> Array:
    """Lowest eigenvalues of A(0) above that of equilibrium (1/ms), ascending.

    As many as there are compartments less one, and twelve at most.
    """
    cell = operators.cell
    count = min(cell.n_compartments - 1, _MOST_RATES, cell.n_dofs - 3)
    if count < 1:
        return np.empty(0)
    system = AffineSystem.at(operators, period, permeability, np.eye(cell.dimension)[0])
    A, M = cell.matrix(system.static), operators.mass_matrix
    shift = _SLOW * float(np.abs(operators.diffusivity).max()) / period**2
    inverse = LinearOperator(A.shape, factorise((A + shift * M).tocsc()).solve, dtype=float)
    # A start that is the same in every run and has a part of every mode.
    start = np.cos(np.arange(cell.n_dofs) ** 2)
    values = eigsh(
        A, count + 1, M, sigma=-shift, OPinv=inverse, v0=start, return_eigenvectors=False
    )
    return np.maximum(np.sort(values)[1:], 0.0)


def karger_rates(operators: BlochTorrey, period: float, permeability: float) -> Array:
    """Rates of exchange of the model of lowest order, ascending, without that of equilibrium."""
    axis = np.eye(operators.cell.dimension)[0]
    model = expand(operators, axis, 0).model
    still = np.zeros((model.n_derivatives + 1, 1))
    G = model.matrix(still, period, permeability / period)
    return np.sort(np.linalg.eigvals(G).real)[1 : _MOST_RATES + 1]


@dataclass(frozen=True)
class _Curves:
    """What one mesh says, with what a smaller basis changes."""

    of_time: Array
    of_frequency: Array
    kurtosis: Array
    slow: Array
    rates: Array
    of_time_error: Array
    of_frequency_error: Array
    kurtosis_error: Array
    slow_error: Array
    fast: float


def _curves(
    operators: BlochTorrey, period: float, permeability: float, n: Array, t: Array, f: Array
) -> _Curves:
    diffusing = float(np.abs(operators.diffusivity).max()) / period**2
    asked = [1.0 / t[0], 1.0 / t[-1], 2.0 * np.pi * f[0], 2.0 * np.pi * f[-1]]
    # Nothing on the mesh is faster than what its layers resolve.
    most = min(_BEYOND * max(asked), 10.0 / layer_time(operators, period))
    of_D = shifts_between(_SLOW * diffusing, max(most, 100.0 * diffusing), _OF_D)
    least = min(1.0 / t[-1], diffusing) / _BEYOND
    of_K = shifts_between(least, max(most, 100.0 * least), _OF_K)

    def second(model: ProjectedModel) -> list[Array]:
        system = RestingSystem.of(model, period, permeability / period)
        return [
            diffusivity_of_time(system, t),
            diffusivity_of_frequency(system, f),
            np.array(slow_diffusivity(system)),
        ]

    def fourth(model: ProjectedModel) -> Array:
        system = RestingSystem.of(model, period, permeability / period)
        return cumulants_of(taylor_of_narrow_pulses(system, list(t)), t).kurtosis

    wide = resolvent_model(operators, n, period, permeability, of_D, depth=1)
    deep = resolvent_model(operators, n, period, permeability, of_K)
    values = [*second(wide), fourth(deep)]
    fewer = [*second(wide.truncate(_fewer(_OF_D))), fourth(deep.truncate(_fewer(_OF_K)))]
    errors = [np.abs(a - b) / _GAIN for a, b in zip(values, fewer, strict=True)]
    given = dict(zip(_WITH_ERROR, values, strict=True))
    given |= {f"{name}_error": error for name, error in zip(_WITH_ERROR, errors, strict=True)}
    system = RestingSystem.of(wide.truncate(0), period, permeability / period)
    rates = exchange_rates(operators, period, permeability)
    return _Curves(**given, rates=rates, fast=mean_diffusivity(system))


def _fewer(doublings: int) -> int:
    """Rung of the shifts before the last doubling and a half of it."""
    return 2 ** (doublings - 1) + 1 + 2 ** (doublings - 2)


def _weights(system: RestingSystem) -> tuple[Array, float]:
    """(c.v_n)^2 of each mode, and the volume of the water."""
    c = system.C[0] @ system.start
    return c**2, float(system.readout @ system.start)


def _change(coarse: Sequence[_Curves], fine: Sequence[_Curves], name: str) -> Array:
    """What the finer mesh and the larger basis change."""
    return np.abs(_all(fine, name) - _all(coarse, name)) + _all(fine, f"{name}_error")


def _all(curves: Sequence[_Curves], name: str) -> Array:
    return np.array([getattr(one, name) for one in curves])
