"""Derivatives of the signals of many strengths and diffusion times that share their first pulse.

As for the signals (`torrey.models.openings`), u = sum_n (-i q)^n v_n when the gradient ends. What a
parameter p changes in A,

    dA/dp = S + i g C' + g^2 N',    g = q F,

gives du/dp = sum_n (-i q)^n w_n the same road, whose loads have the fields v of the signal in them:

    dw_n/dt = -A(0) w_n + F C w_(n-1) + F^2 N w_(n-2) - S v_n + F C' v_(n-1) + F^2 N' v_(n-2)

One series per parameter serves all strengths. With E = exp(-tau A(q F)) between the pulses,

    dS/dp = (dl/dp)^H E u + l^H E du/dp - int_0^tau l^H exp(-(tau - s) A) dA/dp exp(-s A) u ds,

where the integral is one of exponentials in the eigenvectors of A(q F).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from torrey.models.densities import contracted, overlaps
from torrey.models.openings import MOST_POWERS, OpenedCell, Piece

Array = NDArray[np.float64]
ComplexArray = NDArray[np.complex128]

#: Points whose densities are kept at once (bytes).
_BATCH = 2**25


@dataclass(frozen=True)
class Changes:
    """dA/dp = still + i g linear + g^2 quadratic for P parameters, on the basis of a model.

    Attributes
    ----------
    still, linear, quadratic : (P, r, r) float
        um and ms, per unit of p.
    """

    still: Array
    linear: Array
    quadratic: Array

    def __len__(self) -> int:
        return len(self.still)

    def turned(self, modes: Array, strength: float) -> Array:
        """All of them for g = `strength` in other coordinates, (3 P r, r)."""
        by = zip(
            (1.0, strength, strength**2), (self.still, self.linear, self.quadratic), strict=True
        )
        every = [factor * (modes.T @ X @ modes) for factor, X in by]
        return np.concatenate(every).reshape(-1, len(modes))


@dataclass(frozen=True)
class Slopes:
    """Signals of pairs of a strength and a time between the pulses, and their derivatives.

    Attributes
    ----------
    signal : (n,) complex
    value : (n, P) complex
    change : (n, P) complex
        By how much they are not those of fewer nodes in time, about.
    """

    signal: ComplexArray
    value: ComplexArray
    change: ComplexArray


class SlopedCell(OpenedCell):
    """A projected model of one cell at pairs of a strength and a time, with derivatives."""

    def slopes(
        self, changes: Changes, tau: Array, accuracy: float, nodes: int, fewer: int | None = None
    ) -> Slopes:
        """Signals and derivatives of the strengths of this cell, each with its own time.

        Parameters
        ----------
        changes : Changes
        tau : (m,) float, ms
            Between the pulses, for each of the strengths.
        accuracy : float
            Absolute, of what is left out of the series in q.
        nodes : int
            Of collocation on each segment.
        fewer : int, optional
            How many tell the error in time; without, it is not told.
        """
        states, moved = self._with_slopes(changes, accuracy, nodes)
        rough, rough_moved = states, moved
        if fewer is not None:
            rough, rough_moved = self._with_slopes(changes, accuracy, fewer)
        size = max(1, _BATCH // (16 * states.shape[-1] ** 2))
        parts: list[tuple[ComplexArray, ComplexArray, ComplexArray]] = []
        for rows in np.array_split(np.arange(len(tau)), max(1, -(-len(tau) // size))):
            between = _Between(self, rows, tau[rows])
            signal = between.form(states[rows, -1], states[rows, 0])
            there = between.ramps(states[rows], moved[rows])
            here = between.middle(states[rows], changes)
            less = between.ramps(rough[rows], rough_moved[rows])
            share = np.linalg.norm(rough[rows] - states[rows], axis=2).max(axis=1)
            share = 2.0 * share / np.linalg.norm(states[rows], axis=2).min(axis=1)
            parts.append((signal, there + here, there - less + share[:, None] * here))
        total = float(self._model.start @ self._model.readout)
        columns = [
            np.asarray(np.concatenate([part[k] for part in parts]) / total, dtype=np.complex128)
            for k in range(3)
        ]
        if states.shape[1] == 1:
            columns = [column.real.astype(complex) for column in columns]
        return Slopes(*columns)

    def _with_slopes(
        self, changes: Changes, accuracy: float, nodes: int
    ) -> tuple[ComplexArray, ComplexArray]:
        """States when the gradient ends (m, states, r), and their changes (m, P, states, r)."""
        terms, moved = self._both_series(changes, accuracy, nodes)
        powers = np.arange(len(terms))
        factors = (-1j) ** (powers % 4) * (self._q[:, None] / self._strongest) ** powers
        ends = (factors @ terms.reshape(len(terms), -1)).reshape(-1, *terms.shape[1:])
        slopes = (factors @ moved.reshape(len(terms), -1)).reshape(-1, *moved.shape[1:])
        return ends, slopes

    def _both_series(self, changes: Changes, accuracy: float, nodes: int) -> tuple[Array, Array]:
        """Terms of u (n, states, r) and of du/dp (n, P, states, r) for the strongest gradient."""
        r, P, starts = len(self._rates), len(changes), self._starts()
        m = len(starts)
        through = changes.turned(self._modes, self._strongest)
        rates = np.maximum(self._rates, 0.0)
        pieces = [Piece(segment, rates, nodes) for segment in self._opening.segments]
        zero = [np.zeros((count, m, nodes)) for count in (2 * r, 2 * P * r)]
        none, least = np.zeros((2 * r, P * m, nodes)), accuracy / (2.0 * np.sqrt(r))
        # Products of the last two terms on each segment: C v and N v, C' v and N' v, C w and N w.
        products = [[(zero[0], zero[1], none)] * 2 for _ in pieces]
        terms: list[Array] = []
        moved: list[Array] = []
        last, largest = np.full((2, P + 1), np.inf), np.zeros(P + 1)
        while len(terms) < MOST_POWERS and np.any(last > least * largest):
            state = None if terms else starts.T
            change: Array | None = None
            for piece, known in zip(pieces, products, strict=True):
                (C_v, C_p, C_w), (N_v, N_p, N_w) = known
                inside = piece.inside(state, C_v[:r], N_v[r:])
                by = (through @ inside.reshape(r, -1)).reshape(3, P, r, m, nodes)
                load = piece.loads(C_p[: P * r], N_p[P * r :]).reshape(P, r, m, nodes) - by[0]
                own = np.ascontiguousarray(load.transpose(1, 0, 2, 3)).reshape(r, P * m, nodes)
                apart = piece.inside(change, C_w[:r], N_w[r:], own)
                state, change = inside[:, :, -1], apart[:, :, -1]
                now = (
                    (self._through @ inside.reshape(r, -1)).reshape(2 * r, m, nodes),
                    by[1:].reshape(2 * P * r, m, nodes),
                    (self._through @ apart.reshape(r, -1)).reshape(2 * r, P * m, nodes),
                )
                known[:] = [now, known[0]]
            assert state is not None
            assert change is not None
            terms.append(state.T)
            moved.append(change.reshape(r, P, m).transpose(1, 2, 0))
            # Changes count beside their largest terms; states are of the size of one.
            sizes = [np.abs(state).max(), *np.abs(moved[-1]).max(axis=(1, 2))]
            last, largest = np.array([last[1], sizes]), np.maximum(largest, sizes)
            largest[0] = 1.0
        return np.array(terms) @ self._modes.T, np.array(moved) @ self._modes.T


class _Between:
    """Eigenvectors of A(q F) between the pulses at some strengths, and times there."""

    def __init__(self, cell: SlopedCell, rows: NDArray[np.intp], tau: Array) -> None:
        rates, modes = cell.middle_modes
        self._rates, self._modes, self._tau = rates[rows], modes[rows], tau
        self._g = cell.middle_strength[rows]
        self._decays = np.exp(-self._rates * tau[:, None])

    def form(self, left: ComplexArray, right: ComplexArray) -> ComplexArray:
        """left^H E right."""
        found: ComplexArray = np.sum(self._over(left).conj() * right, axis=1)
        return found

    def ramps(self, states: ComplexArray, moved: ComplexArray) -> ComplexArray:
        """What the states at the ends change, (n, P)."""
        right, left = self._over(states[:, 0]), self._over(states[:, -1])
        from_left = np.einsum("npr,nr->np", moved[:, :, -1].conj(), right)
        found: ComplexArray = from_left + np.einsum("nr,npr->np", left.conj(), moved[:, :, 0])
        return found

    def middle(self, states: ComplexArray, changes: Changes) -> ComplexArray:
        """What the time between the pulses changes, (n, P)."""
        if not self._tau.any():
            return np.zeros((len(self._tau), len(changes)), dtype=complex)
        right, left = (self._amplitudes(states[:, k]) for k in (0, -1))
        inner = (
            overlaps(self._rates, self._tau[:, None, None])
            * left.conj()[:, :, None]
            * right[:, None, :]
        )
        density = self._modes.conj() @ inner @ self._modes.swapaxes(1, 2)
        every = np.concatenate([changes.still, changes.linear, changes.quadratic])
        by = contracted(density, every).reshape(len(density), 3, len(changes))
        g = self._g[:, None]
        found: ComplexArray = -(by[:, 0] + 1j * g * by[:, 1] + g**2 * by[:, 2])
        return found

    def _amplitudes(self, states: ComplexArray) -> ComplexArray:
        found: ComplexArray = (states[:, None, :] @ self._modes.conj())[:, 0]
        return found

    def _over(self, states: ComplexArray) -> ComplexArray:
        """E times states."""
        by = (self._amplitudes(states) * self._decays)[:, None, :]
        found: ComplexArray = (by @ self._modes.swapaxes(1, 2))[:, 0]
        return found
