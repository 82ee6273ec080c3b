"""What a protocol tells about parameters, and the measurements of many that tell most.

Of signals S_i with independent normal noise sigma_i the Fisher information about parameters p is

    I = sum_i (dS_i/dp) (dS_i/dp)^T / sigma_i^2

and no unbiased estimate has a covariance below I^-1 (the bound of Cramer and Rao). A protocol is
good where that bound is small. `choose` takes measurements one after the other, each the one that
makes the bound smallest, or leaves out of all of them what is missed least; and then exchanges them
one by one as long as that helps.

Derivatives are those of `Cell.signal(..., derivatives=True)`, or a `Problem.evaluate`. Parameters
differ in size: scale each column, for example by the value of the parameter, where the criterion
is of several of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from torrey.base.errors import InputError
from torrey.inversion.design_settings import MOST_DROPPED

Array = NDArray[np.float64]
Rows = NDArray[np.int64]
Criterion = Literal["D", "A"]

#: An eigenvalue this small, relative to the largest, means that nothing is known.
_SINGULAR: Final = 1e-13
#: Of the information that stands for what is known before the first measurements.
_PRIOR: Final = 1e-9
#: An exchange that gains less than this is rounding.
_GAIN: Final = 1e-9
_MOST_EXCHANGES: Final = 1000


def information(dS: ArrayLike, sigma: ArrayLike) -> Array:
    """Fisher information of signals about parameters.

    Parameters
    ----------
    dS : (n, n_parameters) array_like
        Derivatives of each signal, real. Those of a complex signal are two rows.
    sigma : (n,) array_like, or float
        Standard deviation of the noise of each signal, above zero.

    Returns
    -------
    (n_parameters, n_parameters) float
        In the inverse units of the parameters, pair by pair.

    Raises
    ------
    InputError
        If derivatives are missing, or the noise is none.
    """
    weighted = _weighted(dS, sigma)
    return np.asarray(weighted.T @ weighted)


def cramer_rao(dS: ArrayLike, sigma: ArrayLike) -> Array:
    """Least standard deviation of an unbiased estimate of each parameter, all unknown.

    Parameters
    ----------
    dS, sigma
        See `information`.

    Returns
    -------
    (n_parameters,) float
        In the units of the parameters; infinite where signals do not tell a parameter from others.
    """
    return np.asarray(np.sqrt(np.diag(_covariance(information(dS, sigma)))))


def bound_error(dS: ArrayLike, error: ArrayLike, sigma: ArrayLike) -> Array:
    """How far errors of derivatives may move the bounds of `cramer_rao`, to the first order.

    The sum over all derivatives, each off by its error in the direction that moves a bound most:
    of C = I^-1 changes dC = -C dI C.

    Parameters
    ----------
    dS, sigma
        See `information`.
    error : (n, n_parameters) array_like
        Absolute error of each derivative.

    Returns
    -------
    (n_parameters,) float
        In the units of the parameters; infinite where the bound is.
    """
    rows, off = _weighted(dS, sigma), _weighted(error, sigma)
    covariance = _covariance(rows.T @ rows)
    told = np.isfinite(np.diag(covariance))
    C = np.where(np.isfinite(covariance), covariance, 0.0)
    change = np.sum(np.abs(rows @ C) * (np.abs(off) @ np.abs(C)), axis=0)
    return np.where(told, change / np.sqrt(np.where(told, np.diag(C), 1.0)), np.inf)


def choose(
    candidates: ArrayLike,
    n: int,
    criterion: Criterion = "D",
    of: int | Sequence[int] | None = None,
    sigma: ArrayLike = 1.0,
    repeated: bool = False,
) -> Rows:
    """Measurements of many that bound some parameters best.

    Greedy, with exchanges afterwards: no exchange of one measurement makes it better, which is not
    to say that none of several does.

    Parameters
    ----------
    candidates : (n_candidates, n_parameters) or (n_candidates, n_signals, n_parameters) array_like
        Derivatives dS of the signal of each, or of its signals: both parts of a complex one.
    n : int
        How many, with as many signals as there are parameters at least.
    criterion : {"D", "A"}
        The determinant of the bound of the covariance, or its trace. The trace adds squares of
        parameters: scale them first.
    of : int, or sequence of int, optional
        Columns of the parameters that count; the others are unknown, too, but need not be known
        well. All by default.
    sigma : (n_candidates,) array_like, or float
        Noise of each.
    repeated : bool
        Whether a measurement may be chosen several times.

    Returns
    -------
    (n,) int
        Rows of the candidates, ascending.

    Raises
    ------
    InputError
        If the arguments cannot be used, or no choice tells the parameters apart.
    """
    rows = _grouped(candidates, sigma)
    count, signals, width = rows.shape
    columns = _columns(of, width)
    if criterion not in ("D", "A"):
        raise InputError(f"{criterion!r}", "D or A", at=("criterion",))
    if n * signals < width or (not repeated and n > count):
        most = "" if repeated else f", and at most {count}, the candidates"
        least = -(-width // signals)
        raise InputError(f"n = {n}", f"at least {least}, for {width} parameters{most}", at=("n",))
    search = _Search(rows, columns, criterion, repeated)
    starts = [search.greedy(n)]
    if not repeated and count <= MOST_DROPPED:
        starts.append(search.dropping(n))
    found = min((search.exchange(start) for start in starts), key=search.value)
    if not np.isfinite(bound(rows[found].reshape(-1, width), 1.0, criterion, columns)):
        raise InputError("candidates that do not tell the parameters apart", "others, or fewer of")
    return np.sort(found)


def ranked(
    candidates: ArrayLike,
    chosen: Rows,
    criterion: Criterion = "D",
    of: int | Sequence[int] | None = None,
    sigma: ArrayLike = 1.0,
) -> Rows:
    """Chosen measurements in the order in which each tells most beside those before it.

    Parameters
    ----------
    candidates, criterion, of, sigma
        See `choose`.
    chosen : (n,) int
        Rows of the candidates.
    """
    rows = _grouped(candidates, sigma)[chosen]
    search = _Search(rows, _columns(of, rows.shape[-1]), criterion, repeated=False)
    return np.asarray(chosen)[search.greedy(len(rows))]


def bound(
    dS: ArrayLike,
    sigma: ArrayLike,
    criterion: Criterion = "D",
    of: int | Sequence[int] | None = None,
) -> float:
    """What `choose` makes small: log det (D) or trace (A) of the bound of the covariance.

    Parameters
    ----------
    dS, sigma
        See `information`.
    criterion, of
        See `choose`.
    """
    fisher = information(dS, sigma)
    return _value(fisher, _columns(of, len(fisher)), criterion)


class _Search:
    """Sums of r r^T over the rows r of candidates, and which make their criterion smallest."""

    def __init__(
        self, rows: Array, columns: Sequence[int], criterion: Criterion, repeated: bool
    ) -> None:
        self._rows, self._columns = rows, columns
        self._criterion, self._repeated = criterion, repeated
        self._squares = np.einsum("nsi,nsj->nij", rows, rows)
        largest = self._squares.sum(axis=0).diagonal()
        #: The first measurements tell nothing apart: a little is taken to be known.
        self._prior = np.diag(_PRIOR * np.where(largest > 0.0, largest, 1.0))

    def greedy(self, n: int) -> Rows:
        """One after the other, each the best beside those before."""
        chosen: list[int] = []
        fisher = self._prior.copy()
        for _ in range(n):
            best, _ = self._best(fisher, chosen)
            chosen.append(best)
            fisher = fisher + self._squares[best]
        return np.array(chosen, dtype=np.int64)

    def dropping(self, n: int) -> Rows:
        """All, without one after the other, each the one that is missed least."""
        chosen = list(range(len(self._rows)))
        fisher = self._prior + self._squares.sum(axis=0)
        while len(chosen) > n:
            values = self._values(fisher - self._squares[chosen])
            row = chosen.pop(int(np.argmin(values)))
            fisher = fisher - self._squares[row]
        return np.array(chosen, dtype=np.int64)

    def value(self, chosen: Rows) -> float:
        """The criterion of a choice."""
        return float(self._values((self._prior + self._squares[chosen].sum(axis=0))[None])[0])

    def exchange(self, chosen: Rows) -> Rows:
        """Replace measurements, one at a time, as long as that makes the bound smaller."""
        chosen = chosen.copy()
        value = self.value(chosen)
        for _ in range(_MOST_EXCHANGES):
            better = False
            for place in range(len(chosen)):
                others = np.delete(chosen, place)
                without = self._prior + self._squares[others].sum(axis=0)
                row, new = self._best(without, others)
                if new < value - _GAIN * max(abs(value), 1.0 if self._criterion == "D" else 0.0):
                    chosen[place], value, better = row, new, True
            if not better:
                break
        return chosen

    def _best(self, fisher: Array, chosen: Sequence[int] | Rows) -> tuple[int, float]:
        values = self._values(fisher + self._squares)
        if not self._repeated:
            values[np.asarray(chosen, dtype=np.int64)] = np.inf
        best = int(np.argmin(values))
        return best, float(values[best])

    def _values(self, fishers: Array) -> Array:
        """The criterion of several informations, shape (m, k, k): with what is taken to be known
        none is singular."""
        size = np.sqrt(np.einsum("mii->mi", fishers))
        units = size[:, :, None] * size[:, None, :]
        at = np.ix_(range(len(fishers)), self._columns, self._columns)
        covariance = (np.linalg.inv(fishers / units) / units)[at]
        if self._criterion == "A":
            return np.asarray(np.einsum("mii->m", covariance))
        sign, logarithm = np.linalg.slogdet(covariance)
        return np.where(sign > 0.0, logarithm, np.inf)


def _value(fisher: Array, columns: Sequence[int], criterion: Criterion) -> float:
    covariance = _covariance(fisher)[np.ix_(columns, columns)]
    if not np.all(np.isfinite(covariance)):
        return float("inf")
    if criterion == "A":
        return float(np.trace(covariance))
    sign, logarithm = np.linalg.slogdet(covariance)
    return float(logarithm) if sign > 0.0 else float("inf")


def _covariance(fisher: Array) -> Array:
    """I^-1, with infinite rows of parameters about which nothing is known."""
    size = np.sqrt(np.diag(fisher))
    known = np.flatnonzero(size > 0.0)
    result = np.full(fisher.shape, np.inf)
    # In units in which each parameter alone is known to one: what is small is small for its size.
    scaled = fisher[np.ix_(known, known)] / np.outer(size[known], size[known])
    values, vectors = np.linalg.eigh(scaled)
    null = values <= _SINGULAR * values.max(initial=0.0)
    hidden = np.any(np.abs(vectors[:, null]) > np.sqrt(_SINGULAR), axis=1)
    inverse = (vectors[:, ~null] / values[~null]) @ vectors[:, ~null].T
    told = known[~hidden]
    part = inverse[np.ix_(~hidden, ~hidden)] / np.outer(size[told], size[told])
    result[np.ix_(told, told)] = part
    return result


def _weighted(dS: ArrayLike, sigma: ArrayLike) -> Array:
    """Derivatives in units of the noise, checked."""
    table = np.asarray(dS)
    if np.iscomplexobj(table):
        raise InputError("complex derivatives", "real ones: those of a complex signal are two rows")
    table = np.asarray(table, dtype=float)
    if table.ndim != 2 or not table.size:
        raise InputError(f"derivatives of shape {table.shape}", "one row per signal", at=("dS",))
    if not np.all(np.isfinite(table)):
        rows = np.flatnonzero(~np.isfinite(table).all(axis=1))
        raise InputError(f"derivatives that are not known, in row {rows[0]}", "numbers", at=("dS",))
    noise = np.asarray(sigma, dtype=float)
    if noise.ndim > 1 or (noise.ndim and len(noise) != len(table)) or not np.all(noise > 0.0):
        accepted = f"one number above zero, or {len(table)} of them"
        raise InputError(f"noise {sigma!r}", accepted, at=("sigma",))
    weighted: Array = table / np.broadcast_to(noise, len(table))[:, None]
    return weighted


def _grouped(candidates: ArrayLike, sigma: ArrayLike) -> Array:
    """Derivatives of each signal of each candidate in units of the noise, checked."""
    table, noise = np.asarray(candidates), np.asarray(sigma)
    signals = table.shape[1] if table.ndim == 3 else 1
    if table.ndim == 3:
        table = table.reshape(-1, table.shape[-1])
        noise = np.repeat(noise, signals) if noise.ndim else noise
    rows = _weighted(table, noise)
    return rows.reshape(-1, signals, rows.shape[-1])


def _columns(of: int | Sequence[int] | None, width: int) -> list[int]:
    if of is None:
        return list(range(width))
    columns = [int(of)] if isinstance(of, int | np.integer) else [int(i) for i in of]
    if not columns or len(set(columns)) < len(columns) or not set(columns) <= set(range(width)):
        raise InputError(f"of = {of!r}", f"different columns from 0 to {width - 1}", at=("of",))
    return columns
