"""Means of signals over directions and over orientations of fibres, with their errors.

The signal along -n is the conjugate of that along n: of waveforms of one component the mean over
the sphere is that of the real part over half of it.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from torrey.base.errors import InputError
from torrey.base.stored import Variable
from torrey.gradients.axes import MAY_OVERFLOW
from torrey.gradients.rules import (
    FEWEST_POINTS,
    Rule,
    count_harmonics,
    fit_harmonics,
    fitted_weights,
)
from torrey.gradients.sweep import Acquisition, Product, Sweep

Array = NDArray[np.float64]
Variables = dict[str, Variable]

#: Rows of one shell have b-values that differ by no more than this, relative to the largest.
_SAME_SHELL: Final = 0.02
#: Rows below this b (ms/um^2) have no direction.
_NO_GRADIENT: Final = 1e-3

_MEAN: Final = "mean of the real part of the signal over all directions of the gradient"
_BOUND: Final = "numerical error and estimated error of the quadrature, absolute"


def average_variables(
    sweep: Sweep,
    signal: NDArray[np.complex128],
    error: Array,
    meaningless: NDArray[np.bool_],
) -> Variables:
    """Spherical means, spherical harmonics and dispersed signals of the table of a study.

    Parameters
    ----------
    sweep : Sweep
    signal : (n_models, *sweep) complex
    error : (n_models, *sweep) float
        Numerical error, absolute.
    meaningless : (n_models, *sweep) bool
        Which signals say nothing: nor do means over them.
    """
    dims = ("model", *sweep.axes())
    signal, error = np.where(meaningless, np.nan, signal), np.where(meaningless, np.nan, error)
    protocol = sweep.protocol
    found: Variables = {}
    if isinstance(protocol, Acquisition):
        if protocol.n_axes == 3:
            found |= _of_shells(protocol, dims, signal.real, error)
            if sweep.harmonics:
                found |= _harmonics_of_shells(protocol, sweep.harmonics, dims, signal.real, error)
    elif protocol.n_axes == 3:
        found |= _over_directions(protocol, sweep.harmonics, dims, signal.real, error)
    if protocol.fibres is not None and protocol.fibres.watson is not None:
        rule = protocol.fibres.watson.rule
        found |= _over_orientations(rule, dims, signal, error)
    return found


def mean_with_error(
    rule: Rule, values: NDArray[np.generic], error: Array, axis: int
) -> tuple[NDArray[np.generic], Array]:
    """Weighted mean along an axis, and the error of values and quadrature.

    Parameters
    ----------
    rule : Rule
        With a weight for each value along the axis.
    values, error : array
        Values and their errors, absolute.
    axis : int
    """
    mean, apart = rule.mean(np.moveaxis(values, axis, -1))
    return mean, apart + np.moveaxis(error, axis, -1) @ np.abs(rule.weights)


def _over_directions(
    protocol: Product, degree: int, dims: tuple[str, ...], signal: Array, error: Array
) -> Variables:
    along = dims.index("direction")
    rest = dims[:along] + dims[along + 1 :]
    found: Variables = {}
    if protocol.sphere is not None:
        mean, bound = mean_with_error(protocol.sphere.rule, signal, error, along)
        found["spherical_mean"] = Variable(rest, mean, "1", _MEAN, MAY_OVERFLOW)
        found["spherical_mean_error"] = Variable(
            rest, bound, "1", f"error of the spherical mean: {_BOUND}", MAY_OVERFLOW
        )
    if degree:
        found |= _harmonics(direction_rule(protocol), degree, rest, signal, error, along)
    return found


def direction_rule(protocol: Product) -> Rule:
    """Directions of a product with their weights; equal ones where they are of no rule."""
    if protocol.sphere is not None:
        return protocol.sphere.rule
    points = np.array(protocol.directions)
    return Rule(points, np.full(len(points), 1.0 / len(points)), ())


def _harmonics(
    rule: Rule, degree: int, rest: tuple[str, ...], signal: Array, error: Array, along: int
) -> Variables:
    rows, degrees = fit_harmonics(rule, degree)
    signal, error = (np.moveaxis(values, along, -1) for values in (signal, error))
    return _harmonic_variables(
        (*rest, "harmonic"), degrees, signal @ rows.T, error @ np.abs(rows).T
    )


def _harmonic_variables(
    dims: tuple[str, ...], degrees: NDArray[np.int64], values: Array, error: Array
) -> Variables:
    text = "of the real part of the signal in real spherical harmonics of even degrees, orthonormal"
    return {
        "harmonic_degree": Variable(("harmonic",), degrees[:, 0], "1", "degree l of a harmonic"),
        "harmonic_order": Variable(("harmonic",), degrees[:, 1], "1", "order m of a harmonic"),
        "harmonics": Variable(dims, values, "1", f"coefficients {text}", MAY_OVERFLOW),
        "harmonics_error": Variable(
            dims,
            error,
            "1",
            "numerical error of the coefficients, absolute; not that of higher degrees left out",
            MAY_OVERFLOW,
        ),
    }


def shell_rules(protocol: Acquisition, degree: int) -> list[Rule | None]:
    """Directions of each shell with equal weights; None where they tell no harmonics to a degree.

    Raises
    ------
    InputError
        If no shell does: for what the largest one lacks.
    """
    rules: list[Rule | None] = []
    refusals: dict[int, InputError] = {}
    for rows in shells(protocol):
        points = np.array([protocol.rows[i].direction for i in rows])
        rule = Rule(points, _equal(len(rows)), ())
        try:
            fit_harmonics(rule, degree)
        except InputError as error:
            refusals[len(rows)] = error
            rules.append(None)
        else:
            rules.append(rule)
    if not any(rules):
        raise refusals[max(refusals)]
    return rules


def _harmonics_of_shells(
    protocol: Acquisition, degree: int, dims: tuple[str, ...], signal: Array, error: Array
) -> Variables:
    """Coefficients by shell, missing where its rows do not tell them."""
    groups, rules = shells(protocol), shell_rules(protocol, degree)
    count = count_harmonics(degree)
    values = np.full((*signal.shape[:-1], len(groups), count), np.nan)
    bounds = values.copy()
    for i, (rows, rule) in enumerate(zip(groups, rules, strict=True)):
        if rule is not None:
            fit, degrees = fit_harmonics(rule, degree)
            values[..., i, :] = signal[..., rows] @ fit.T
            bounds[..., i, :] = error[..., rows] @ np.abs(fit).T
    return _harmonic_variables((*dims[:-1], "shell", "harmonic"), degrees, values, bounds)


def _over_orientations(
    rule: Rule, dims: tuple[str, ...], signal: NDArray[np.complex128], error: Array
) -> Variables:
    along = dims.index("orientation")
    rest = dims[:along] + dims[along + 1 :]
    mean, bound = mean_with_error(rule, signal, error, along)
    text = "mean of the signal over the distribution of orientations"
    return {
        "dispersed_signal_real": Variable(
            rest, np.real(mean), "1", f"{text}, real part", MAY_OVERFLOW
        ),
        "dispersed_signal_imag": Variable(
            rest, np.imag(mean), "1", f"{text}, imaginary part", MAY_OVERFLOW
        ),
        "dispersed_signal_error": Variable(
            rest, bound, "1", f"error of the dispersed signal: {_BOUND}", MAY_OVERFLOW
        ),
    }


def shells(protocol: Acquisition) -> list[list[int]]:
    """Numbers of the rows of each shell: those of one waveform, and of one b but for 2 %."""
    plain = replace(protocol, fibres=None).measurements
    found: list[list[int]] = []
    for waveform in dict.fromkeys(m.waveform for m in plain):
        rows = [i for i, m in enumerate(plain) if m.waveform == waveform]
        rows.sort(key=lambda i: plain[i].b)
        groups: list[list[int]] = []
        for i in rows:
            b = plain[i].b
            same = groups and b - plain[groups[-1][0]].b <= max(_SAME_SHELL * b, _NO_GRADIENT)
            if same:
                groups[-1].append(i)
            else:
                groups.append([i])
        found += groups
    return found


def _of_shells(
    protocol: Acquisition, dims: tuple[str, ...], signal: Array, error: Array
) -> Variables:
    """Spherical means by shell; the error of one with too few directions is not known."""
    groups = shells(protocol)
    rest = (*dims[:-1], "shell")
    means, bounds = [], []
    for rows in groups:
        members = [protocol.rows[i] for i in rows]
        rule = Rule(np.array([m.direction for m in members]), _equal(len(rows)), ())
        mean, bound = mean_with_error(rule, signal[..., rows], error[..., rows], -1)
        if max(m.b for m in members) > _NO_GRADIENT:
            bound = bound + _missed(rule.points, signal[..., rows], mean)
        means.append(mean)
        bounds.append(bound)
    number = np.zeros(len(protocol.rows), dtype=np.int64)
    for i, rows in enumerate(groups):
        number[rows] = i
    b = [np.mean([protocol.rows[i].b for i in rows]) for rows in groups]
    return {
        "spherical_mean": Variable(
            rest,
            np.stack(means, axis=-1),
            "1",
            "mean of the real part of the signal over the rows of a shell, with equal weights",
            MAY_OVERFLOW,
        ),
        "spherical_mean_error": Variable(
            rest,
            np.stack(bounds, axis=-1),
            "1",
            f"error of the spherical mean: {_BOUND}; missing where a shell has fewer than "
            f"{FEWEST_POINTS} directions",
            {"allow_missing": True},
        ),
        "shell_b": Variable(("shell",), np.array(b), "ms um-2", "mean b-value of a shell"),
        "shell_size": Variable(
            ("shell",), np.array([len(rows) for rows in groups]), "1", "rows of a shell"
        ),
        "shell_of_measurement": Variable(
            ("measurement",), number, "1", "number of the shell of each row, from 0"
        ),
    }


def _equal(count: int) -> Array:
    return np.full(count, 1.0 / count)


def _missed(points: Array, signal: Array, mean: NDArray[np.generic]) -> Array:
    """What equal weights miss: against weights that are exact to some degree, and their error."""
    if len(points) < FEWEST_POINTS:
        return np.full(np.shape(mean), np.nan)
    better, apart = fitted_weights(points).mean(signal)
    missed: Array = np.abs(better - mean) + apart
    return missed
