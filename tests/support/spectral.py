"""Layers across the gradient, solved a second way: strong form, collocation, physical units.

    dM/dt = D M'' - i G(t) x M    in each layer,    M = U exp(-i g x),  g' = G

With U periodic this is dU/dt = D (d/dx - i g)^2 U, and on a membrane the flux J = D (d/dx - i g) U
is continuous, with J = kappa [U] (U after the membrane minus U before it). A component g_y of g
along the layers adds -D g_y^2 U. Chebyshev points in each layer, ends included: the values at the
ends follow from those within by the interface conditions, which leaves an ordinary differential
equation within. It is integrated by the exponential of a dense matrix where g is constant, and else
by polynomials in time as well, on intervals that double from the start of a segment on, where
layers form at the membranes; of two degrees, which have to agree. Nothing here is shared with the
finite-element code.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, cached_property

import numpy as np
from numpy.polynomial import chebyshev
from scipy.linalg import block_diag, expm

from torrey.gradients.waveforms import Segment, Waveform

#: Degrees of the polynomials in time, and how closely they have to agree.
DEGREES, AGREE = (9, 12), 1e-8
#: The first interval of a segment, as a part of it, and the longest, also in radians of a wave.
FIRST, LONGEST, RADIANS = 2.0**-14, 0.25, 0.75


@dataclass(frozen=True)
class LayeredCell:
    """Layers in the order of the package; where the first one begins does not matter.

    Attributes
    ----------
    thicknesses : tuple of float
        Units of the cell.
    diffusivity : tuple of float
        um^2/ms.
    period : float
        um.
    permeability : float
        um/ms; infinite for a continuous magnetisation.
    direction : tuple of two floats
        Components of the gradient's unit vector across and along the layers.
    points : int
        Chebyshev points per layer.
    """

    thicknesses: tuple[float, ...]
    diffusivity: tuple[float, ...]
    period: float
    permeability: float
    direction: tuple[float, float] = (1.0, 0.0)
    points: int = 14

    def signal(self, waveform: Waveform, q: float, rho: tuple[float, ...] | None = None) -> complex:
        """int M(T_E) / int rho: from one end of the waveform to the other, no symmetry used."""
        start = np.repeat(rho or (1.0,) * len(self.thicknesses), self.points).astype(complex)
        u = self._after(waveform.segments, q, start[self._within])
        return complex(self._weights @ self._extend(0.0, u) / (self._weights @ start))

    def moduli(self, segments: Sequence[Segment], q: float) -> np.ndarray:
        """Mean of |M| over each layer after some segments, from M = 1 on."""
        u = self._after(segments, q, np.ones(len(self._within), dtype=complex))
        g = q * float(segments[-1].end[0]) * self.direction[0]
        sums = (self._weights * np.abs(self._extend(g, u))).reshape(-1, self.points).sum(axis=1)
        return np.asarray(sums / self._widths)

    def _after(self, segments: Sequence[Segment], q: float, u: np.ndarray) -> np.ndarray:
        """U after some segments."""
        for segment in segments:
            if segment.constant:
                u = expm(segment.duration * self._generator(segment, q, 0.0)) @ u
            else:
                u = self._through(segment, q, u)
        return u

    def _through(self, segment: Segment, q: float, u: np.ndarray) -> np.ndarray:
        """U after a segment in which g changes."""
        waves = segment.wave.omega * segment.duration if segment.wave else 0.0
        longest = min(LONGEST, RADIANS / max(waves, RADIANS))
        edges = [0.0, FIRST]
        while edges[-1] < 1.0:
            edges.append(min(edges[-1] + min(edges[-1], longest), 1.0))
        times = np.array(edges) * segment.duration
        rough, fine = (self._collocated(segment, q, u, times, degree) for degree in DEGREES)
        assert np.abs(fine - rough).max() < AGREE, (self, segment, np.abs(fine - rough).max())
        return fine

    def _collocated(
        self, segment: Segment, q: float, u: np.ndarray, times: np.ndarray, degree: int
    ) -> np.ndarray:
        """The equation holds at the Chebyshev points of each interval but the first of them."""
        nodes, slope = chebyshev_derivative(degree + 1)
        for begin, end in zip(times[:-1], times[1:], strict=True):
            half = (end - begin) / 2
            at = begin + half * (1 + nodes[1:])
            system = np.kron(slope[1:, 1:], np.eye(len(u))).astype(complex)
            system -= block_diag(*(half * self._generator(segment, q, t) for t in at))
            u = np.linalg.solve(system, -np.kron(slope[1:, 0], u))[-len(u) :]
        return u

    def _generator(self, segment: Segment, q: float, t: float) -> np.ndarray:
        (F,) = segment.jet(t, 0)[0]
        return self._rate(q * F, np.eye(len(self._within)))

    def _rate(self, g: float, within: np.ndarray) -> np.ndarray:
        """dU/dt within the layers, for the columns of values within; g is the length of g(t)."""
        across = g * self.direction[0]
        u = self._extend(across, within)
        du = self._derivative @ u
        spread = self._derivative @ du - 2j * across * du - g**2 * u
        return (self._D * spread.reshape(len(u), -1))[self._within].reshape(within.shape)

    def _extend(self, g: float, within: np.ndarray) -> np.ndarray:
        """Values at all points from those within, by the interface conditions."""
        before, after = self._membranes
        ends = np.concatenate(self._membranes)
        flux_before, flux_after, jump = self._interfaces
        through = flux_before - 1j * g * self._at(before)
        rows = np.vstack([through - flux_after + 1j * g * self._at(after), jump])
        if math.isfinite(self.permeability):
            rows[len(before) :] = through - self.permeability * jump
        full = np.zeros((len(self._D), *within.shape[1:]), dtype=complex)
        full[self._within] = within
        full[ends] = -np.linalg.solve(rows[:, ends], rows[:, self._within] @ within)
        return full

    def _at(self, nodes: np.ndarray) -> np.ndarray:
        """D times the value at some points, as rows."""
        return self._D[nodes] * np.eye(len(self._D))[nodes]

    @cached_property
    def _interfaces(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """D d/dx before and after each membrane, and the jump, as rows."""
        before, after = self._membranes
        flux = self._D * self._derivative
        eye = np.eye(len(self._D))
        return flux[before], flux[after], eye[after] - eye[before]

    @cached_property
    def _membranes(self) -> tuple[np.ndarray, np.ndarray]:
        """Points before and after each membrane."""
        first = self.points * np.arange(len(self.thicknesses))
        return first + self.points - 1, np.roll(first, -1)

    @cached_property
    def _within(self) -> np.ndarray:
        return np.setdiff1d(np.arange(len(self._D)), np.concatenate(self._membranes))

    @cached_property
    def _D(self) -> np.ndarray:
        return np.repeat(self.diffusivity, self.points)[:, None]

    @cached_property
    def _widths(self) -> np.ndarray:
        return np.array(self.thicknesses) * self.period

    @cached_property
    def _derivative(self) -> np.ndarray:
        _, reference = chebyshev_derivative(self.points)
        return block_diag(*(reference * 2 / width for width in self._widths))

    @cached_property
    def _weights(self) -> np.ndarray:
        """Clenshaw-Curtis weights over the whole cell, um."""
        integrals = [0.0 if k % 2 else 2.0 / (1 - k * k) for k in range(self.points)]
        values = chebyshev.chebvander(chebyshev_derivative(self.points)[0], self.points - 1)
        return np.kron(self._widths / 2, np.linalg.solve(values.T, integrals))


@cache
def chebyshev_derivative(points: int) -> tuple[np.ndarray, np.ndarray]:
    """The Chebyshev points of [-1, 1], and the derivative there from the values there."""
    degree = points - 1
    x = -np.cos(np.pi * np.arange(points) / degree)
    slopes = [chebyshev.chebval(x, chebyshev.chebder(row)) for row in np.eye(points)]
    return x, np.column_stack(slopes) @ np.linalg.inv(chebyshev.chebvander(x, degree))
