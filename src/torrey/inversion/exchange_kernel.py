"""Two exchanging Gaussian compartments for many diffusivities, fractions and times at once.

In equilibrium, with f the share of the second compartment and k = eta_e + eta_c, the rates are
eta_e = k f and eta_c = k (1 - f). Along one direction the masses follow

    dm/dt = -(q^2 F(t)^2 diag(d_e, d_c) + k [[f, f - 1], [-f, 1 - f]]) m.

What d_c takes from both is exp(-b d_c). The rest depends on x = b (d_e - d_c), k and f alone, and
is a product of exponentials of 2 x 2 matrices in closed form: one of a plateau, two of each step
where F changes (the commutator-free scheme of order 4, Blanes and Moan 2006, by moments of F^2).
Narrow pulses are a single step. Detailed balance makes the second half of a symmetric waveform the
mirror of the first.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from torrey.base.errors import InputError
from torrey.gradients.waveforms import Segment, Waveform
from torrey.inversion.measured import MeasuredProtocol

Array = NDArray[np.float64]

#: Steps on a path of F from 0 to 1; waveforms of more segments have this many steps in all.
_STEPS, _MANY, _UNIFORM = 4, 12, 96
#: Numbers in one array of intermediate results, so that they stay in the cache.
BLOCK = 16_384


@dataclass(frozen=True)
class Steps:
    """Exponentials of each row, in the order of time.

    Attributes
    ----------
    durations : (m, j) float
        In ms; steps of no duration change nothing.
    parts : (m, j) float
        Of b.
    mirrored : bool
        Whether the steps are the first half of symmetric waveforms.
    """

    durations: Array
    parts: Array
    mirrored: bool

    def rows(self, keep: Array) -> Steps:
        """Of some of the rows."""
        return Steps(self.durations[keep], self.parts[keep], self.mirrored)


def narrow_steps(protocol: MeasuredProtocol) -> Steps:
    """Narrow pulses: all of b during Delta - delta/3.

    Raises
    ------
    InputError
        If a row has no delta and Delta.
    """
    time = protocol.Delta - protocol.delta / 3.0
    lost = np.flatnonzero(np.isnan(time) & (protocol.b > 0.0))
    if len(lost):
        raise InputError(
            "a row without delta and Delta", "pulsed gradients with both", at=(int(lost[0]),)
        )
    time = np.nan_to_num(time)[:, None] / 2.0
    return Steps(time, np.full(time.shape, 0.5), True)


def finite_steps(protocol: MeasuredProtocol) -> Steps:
    """The waveforms as they are.

    Raises
    ------
    InputError
        If a row has no waveform.
    """
    lost = np.flatnonzero((protocol.which < 0) & (protocol.b > 0.0))
    if len(lost):
        raise InputError(
            "a row without timings", "delta and Delta, or a waveform", at=(int(lost[0]),)
        )
    mirrored = all(abs(w.symmetry) == 1 for w in protocol.waveforms)
    each = [_steps_of(w, mirrored) for w in protocol.waveforms]
    longest = max((len(times) for times, _ in each), default=1)
    # The last one, of no duration, is that of rows without a waveform.
    durations, parts = np.zeros((2, len(each) + 1, longest))
    for i, (times, shares) in enumerate(each):
        durations[i, : len(times)], parts[i, : len(times)] = times, shares
    return Steps(durations[protocol.which], parts[protocol.which], mirrored)


def exchange_signals(
    steps: Steps, x: Array, k: Array, f: Array, derivatives: bool = True
) -> tuple[Array, Array | None]:
    """What exchange makes of the signal: 1 for x = 0.

    Parameters
    ----------
    steps : Steps
        Of m rows.
    x : (n, m, c) float
        b (d_e - d_c), for c directions of each row.
    k, f : (n,) float
        Rate of exchange eta_e + eta_c (1/ms), share of the second compartment.
    derivatives : bool

    Returns
    -------
    signals : (n, m, c) float
    derivatives : (3, n, m, c) float or None
        By x, k (ms) and f.
    """
    shape = x.shape
    k, f = (np.broadcast_to(a[:, None, None], (len(x), 1, 1)) for a in (k, f))
    state = (np.ones(shape), np.ones(shape))
    change = [(np.zeros(shape), np.zeros(shape)) for _ in range(3)] if derivatives else []
    for j in range(steps.durations.shape[1]):
        h, part = steps.durations[:, j, None], steps.parts[:, j, None]
        state, change = _advance(state, change, x, k, f, h, part)
    outside, inside = state
    if steps.mirrored:
        signal = (1.0 - f) * outside**2 + f * inside**2
        slopes = [2.0 * ((1.0 - f) * outside * de + f * inside * dc) for de, dc in change]
        by_share = inside**2 - outside**2
    else:
        signal = (1.0 - f) * outside + f * inside
        slopes = [(1.0 - f) * de + f * dc for de, dc in change]
        by_share = inside - outside
    if not derivatives:
        return signal, None
    slopes[2] += by_share
    return signal, np.array(slopes)


def _advance(
    state: tuple[Array, Array],
    change: Sequence[tuple[Array, Array]],
    x: Array,
    k: Array,
    f: Array,
    h: Array,
    part: Array,
) -> tuple[tuple[Array, Array], list[tuple[Array, Array]]]:
    """Apply exp(-B) to the water of each compartment, relative to equilibrium, and differentiate.

    B = m + [[p, -u], [-w, -p]], so that exp(-B) = exp(-m) (cosh r - sinh r / r [[p, -u], [-w, -p]])
    with r^2 = p^2 + u w.
    """
    e, c = state
    u, w = k * f * h, k * (1.0 - f) * h
    half = 0.5 * part * x
    p = half + 0.5 * (u - w)
    square = p * p + u * w
    r = np.sqrt(square)
    mean = half + 0.5 * (u + w)
    slow, fast = np.exp(r - mean), np.exp(-r - mean)
    even = 0.5 * (slow + fast)
    small = r < 1e-3
    safe = np.where(small, 1.0, r)
    odd = np.where(small, even * (1.0 - square / 3.0), 0.5 * (slow - fast) / safe)
    pe, pc = p * e - u * c, w * e + p * c
    after = (even * e - odd * pe, even * c + odd * pc)
    if not change:
        return after, []
    third = np.where(small, even * (1.0 - 0.4 * square) / 3.0, (even - odd) / (safe * safe))
    product = u * w
    by: tuple[
        tuple[Array | float, ...], ...
    ] = (  # of the mean, of p, of half the product u w, of u and of w
        (0.5 * part, 0.5 * part, 0.0, 0.0, 0.0),
        (0.5 * h, (f - 0.5) * h, product / k, f * h, (1.0 - f) * h),
        (0.0, k * h, 0.5 * (k * h) ** 2 * (1.0 - 2.0 * f), k * h, -k * h),
    )
    moved = []
    for (de, dc), (dm, dp, dproduct, du, dw) in zip(change, by, strict=True):
        g = p * dp + dproduct
        deven = odd * g - even * dm
        dodd = third * g - odd * dm
        moved.append(
            (
                even * de - odd * (p * de - u * dc + dp * e - du * c) + deven * e - dodd * pe,
                even * dc + odd * (w * de + p * dc + dw * e + dp * c) + deven * c + dodd * pc,
            )
        )
    return after, moved


def _steps_of(waveform: Waveform, mirrored: bool) -> tuple[Array, Array]:
    """Durations and parts of b of the exponentials of a waveform, or of its first half."""
    edges, plain = _edges(waveform)
    if mirrored:
        middle = waveform.echo_time / 2.0
        near = np.abs(edges - middle) < 1e-9 * waveform.echo_time
        edges = np.concatenate([edges[(edges < middle) & ~near], [middle]])
        plain = plain[: len(edges) - 1]
    zeroth, first = _moments(waveform, edges)
    durations, parts = [], []
    for h, a, b, flat in zip(np.diff(edges), zeroth, first, plain, strict=True):
        durations += [h] if flat else [h / 2.0, h / 2.0]
        parts += [a] if flat else [a / 2.0 - 2.0 * b, a / 2.0 + 2.0 * b]
    return np.array(durations), np.array(parts) / waveform.b_factor


def _edges(waveform: Waveform) -> tuple[Array, NDArray[np.bool_]]:
    """Ends of the steps, and on which of them F stands still."""
    if len(waveform.segments) > _MANY:
        edges = np.linspace(0.0, waveform.echo_time, _UNIFORM + 1)
        return edges, np.zeros(_UNIFORM, dtype=bool)
    pieces, flat = [0.0], []
    for segment in waveform.segments:
        count = 1 if segment.constant else max(1, math.ceil(_STEPS * segment.variation() - 1e-9))
        begin = pieces[-1]
        pieces += (begin + segment.duration * np.arange(1, count + 1) / count).tolist()
        flat += [segment.constant] * count
    return np.array(pieces), np.array(flat)


def _moments(waveform: Waveform, edges: Array) -> tuple[Array, Array]:
    """Integrals over each step of |F|^2, and of |F|^2 (t - middle) / h (ms)."""
    zeroth, first = np.zeros((2, len(edges) - 1))
    begin = 0.0
    nodes, weights = np.polynomial.legendre.leggauss(8)
    for segment in waveform.segments:
        end = begin + segment.duration
        inner = edges[(edges > begin) & (edges < end)]
        cuts = np.concatenate([[begin], inner, [end]])
        for low, high in zip(cuts[:-1], cuts[1:], strict=True):
            middle = (low + high) / 2.0
            step = int(np.searchsorted(edges, middle)) - 1
            if not 0 <= step < len(zeroth) or high - low <= 0.0:
                continue
            t = middle + (high - low) / 2.0 * nodes
            size = _square(segment, t - begin) * weights * (high - low) / 2.0
            h = edges[step + 1] - edges[step]
            zeroth[step] += size.sum()
            first[step] += (size * (t - (edges[step] + edges[step + 1]) / 2.0)).sum() / h
        begin = end
    return zeroth, first


def _square(segment: Segment, t: Array) -> Array:
    return np.asarray((segment.jet(t, 0)[:, 0] ** 2).sum(axis=1))
