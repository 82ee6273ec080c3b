"""Signals of a sequence of narrow pulses, from products of small matrices (MMG20 2.2-2.5, A).

Between two pulses the magnetisation is pseudo-periodic and decays band by band; a pulse changes the
wave vector p and nothing else in the periodic part w, which is projected on the bands of the new p:

    M = exp(-tau_N Lambda_N) G_{N-1 -> N} ... G_{1 -> 2} exp(-tau_1 Lambda_1) M_0
    S = M_0^H M / M_0^H M_0                                    MMG20 (17), (18), (26)

p stays in the first Brillouin zone: beyond its boundary w is multiplied by exp(-i G.x).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike

from torrey.bloch.bands import BandSet, ComplexArray
from torrey.bloch.sampling import Plateaus, Rule, Steps, sample
from torrey.cell.operators import Array
from torrey.cell.symmetric import symmetric_signal
from torrey.gradients.waveforms import Waveform

#: p beyond the boundary of the zone by less than this, in units of its width, is on it.
_ON_BOUNDARY = 1e-9
#: By how much rounding may carry a signal above 1.
_ROUNDING = 1e-6


@dataclass(frozen=True)
class PulsedSignal:
    """What a sequence of narrow pulses leaves.

    Attributes
    ----------
    signal : complex
        S, normalised to the initial magnetisation.
    state : (r,) complex
        Magnetisation at the echo on the basis of the bands: see `magnetisation`.
    steps : Steps
        The sequence.
    """

    signal: complex
    state: ComplexArray
    steps: Steps


def pulsed_signal(
    bands: BandSet,
    waveform: Waveform,
    q: float,
    rule: Rule = "round",
    plateaus: Plateaus = "explicit",
) -> PulsedSignal:
    """Signal of a waveform along the line of the bands, sampled at the multiples of their pulse.

    Parameters
    ----------
    bands : BandSet
    waveform : Waveform
        With one component.
    q : float, rad/um
        Largest |g(t)|.
    rule, plateaus
        See `sampling.sample`.

    Raises
    ------
    ValueError
        If the waveform has several components.
    ArithmeticError
        If the signal is not finite or exceeds 1.
    """
    return evolve(bands, sample(waveform, q, bands.pulse, rule, plateaus))


def evolve(bands: BandSet, steps: Steps) -> PulsedSignal:
    """Signal of a sequence of steps; see `pulsed_signal`."""
    plateaus, state = _plateaus(bands, steps), bands.basis.start
    for plateau in plateaus:
        state = _diffuse(bands, state, plateau)
    # The wave number at the echo is zero.
    state = _fold(bands, state, -sum(plateau.folds for plateau in plateaus))
    signal = complex(bands.basis.readout @ state) / _total(bands)
    return PulsedSignal(_checked(signal), state, steps)


def signal_of(bands: BandSet, steps: Steps) -> complex:
    """The signal alone: half the work where the steps are their own mirror image."""
    start, readout = bands.basis.start, bands.basis.readout
    if not (steps.symmetric and np.array_equal(start, readout)):
        return evolve(bands, steps).signal

    def advance(states: ComplexArray, plateau: _Plateau) -> ComplexArray:
        return _diffuse(bands, states[:, 0], plateau)[:, None]

    def product(left: ComplexArray, right: ComplexArray) -> complex:
        return complex(left @ right)

    def form(state: ComplexArray, plateau: _Plateau) -> complex:
        # The square of a norm: positive, however small.
        half = _diffuse(bands, state, replace(plateau, duration=plateau.duration / 2))
        return complex(np.vdot(half, half))

    plateaus = _plateaus(bands, steps)
    sources = np.stack([start, readout], axis=1)
    value = symmetric_signal(plateaus, 1, sources, advance, product, lambda _: True, form)
    return _checked(value / _total(bands))


def magnetisation(bands: BandSet, state: ComplexArray) -> ComplexArray:
    """Magnetisation at the echo at the degrees of freedom of the cell, shape (n_dofs,).

    It is periodic there: all spins have been refocused.
    """
    field: ComplexArray = bands.basis.vectors @ state
    return field


def short_pulse_states(bands: BandSet, q: ArrayLike, Delta: ArrayLike) -> ComplexArray:
    """States at the echo after two infinitely narrow pulses +q and -q (MMG20 appendix A).

    Parameters
    ----------
    bands : BandSet
    q : (n_q,) array_like, rad/um
        Multiples of the pulse of the bands are looked up, others cost an eigenvalue problem each.
    Delta : (n_Delta,) array_like, ms
        Time between the pulses.

    Returns
    -------
    (n_q, n_Delta, r) complex
        For `magnetisation` with `zone_of` (q), see `short_pulse_magnetisation`.

    Raises
    ------
    ArithmeticError
        If the bands do not reach the wave number.
    """
    weights, times = np.atleast_1d(q).astype(float), np.atleast_1d(Delta).astype(float)
    return np.array([_blurred(bands, float(weight), times) for weight in weights])


def short_pulse_signals(bands: BandSet, q: ArrayLike, Delta: ArrayLike) -> ComplexArray:
    """S of two infinitely narrow pulses, the sum over bands of MMG20 (27).

    Parameters
    ----------
    bands, q, Delta
        See `short_pulse_states`.

    Returns
    -------
    (n_q, n_Delta) complex

    Raises
    ------
    ArithmeticError
        If the bands do not reach the wave number, or a signal exceeds 1.
    """
    states = short_pulse_states(bands, q, Delta)
    signals = np.empty(states.shape[:2], dtype=complex)
    for i, weight in enumerate(np.atleast_1d(q).astype(float)):
        signals[i] = states[i] @ _wave(bands, bands.basis.reads, zone_of(bands, weight)).conj()
    signals /= _total(bands)
    for signal in signals.flat:
        _checked(complex(signal))
    return signals


def short_pulse_magnetisation(bands: BandSet, q: float, Delta: float) -> ComplexArray:
    """Magnetisation at the degrees of freedom after two infinitely narrow pulses, shape (n_dofs,).

    It is periodic. See `short_pulse_states`.
    """
    (state,) = short_pulse_states(bands, [q], [Delta])[0]
    basis, zone = bands.basis, zone_of(bands, q)
    turns = basis.places @ bands.line.direction * (bands.line.width * basis.period)
    field: ComplexArray = np.exp(1j * zone * turns) * (basis.vectors @ state)
    return field


def zone_of(bands: BandSet, q: float) -> int:
    """Number j of the reciprocal lattice vector j G nearest to a wave number."""
    return round(q / bands.line.width)


def _blurred(bands: BandSet, q: float, times: Array) -> ComplexArray:
    """Periodic parts after a pulse q and some times, relative to the nearest j G."""
    zone = zone_of(bands, q)
    values, y = bands.eigenpairs(q - zone * bands.line.width)
    c = y.conj().T @ _wave(bands, bands.basis.waves, zone)
    states: ComplexArray = (np.exp(-np.multiply.outer(times, values)) * c) @ y.T
    return states


def _wave(bands: BandSet, waves: ComplexArray, zone: int) -> ComplexArray:
    """exp(-i j G.x) on the basis."""
    along = waves[bands.number]
    if abs(zone) >= len(along):
        raise ArithmeticError(
            f"bands up to {bands.basis.bound:g} /ms do not reach {abs(zone)} periods of the "
            "reciprocal lattice: choose a smaller resolution length"
        )
    wave: ComplexArray = along[zone] if zone >= 0 else along[-zone].conj()
    return wave


def _total(bands: BandSet) -> float:
    """Initial magnetisation: the part of the basis, which holds 1 and rho, is all of it."""
    return float((bands.basis.readout @ bands.basis.start).real)


@dataclass(frozen=True)
class _Plateau:
    """A stretch of constant wave number.

    Attributes
    ----------
    folds : int
        Zones by which the state moves up before it.
    p : float, rad/um
        Wave number within the zone.
    duration : float, ms
    """

    folds: int
    p: float
    duration: float


def _plateaus(bands: BandSet, steps: Steps) -> list[_Plateau]:
    """The steps within the zones."""
    width, zone, found = bands.line.width, 0, []
    for level, duration in zip(steps.levels, steps.durations, strict=True):
        before = zone
        # The old zone where both would do.
        while level - zone * width > (0.5 + _ON_BOUNDARY) * width:
            zone += 1
        while level - zone * width < -(0.5 + _ON_BOUNDARY) * width:
            zone -= 1
        found.append(_Plateau(zone - before, float(level) - zone * width, float(duration)))
    return found


def _fold(bands: BandSet, state: ComplexArray, zones: int) -> ComplexArray:
    """The state, moved up by some zones."""
    fold = bands.basis.folds[bands.number]
    for _ in range(abs(zones)):
        state = (fold if zones > 0 else fold.conj().T) @ state
    return state


def _diffuse(bands: BandSet, state: ComplexArray, plateau: _Plateau) -> ComplexArray:
    """The state after a plateau: folded into its zone, then exp(-duration A(p)), band by band."""
    state = _fold(bands, state, plateau.folds)
    values, y = bands.eigenpairs(abs(plateau.p))
    # A(-p) is the conjugate of A(p); written so that no eigenvectors are copied.
    before = state if plateau.p >= 0.0 else state.conj()
    after: ComplexArray = y @ (np.exp(-plateau.duration * values) * (before.conj() @ y).conj())
    return after if plateau.p >= 0.0 else after.conj()


def _checked(signal: complex) -> complex:
    if not np.isfinite(signal) or abs(signal) > 1.0 + _ROUNDING:
        raise ArithmeticError(f"a signal of {signal}, accepted: at most 1")
    return signal
