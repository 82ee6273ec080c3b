"""Diffusion and kurtosis tensors of impermeable cells, and the signals that they give (KHM19).

In one compartment that nothing leaves, the second-order model is solved by (22), (23)::

    -ln S = K,    K = b D:nn + L^2 q^4 (int F^4) B::nnnn

with B::nnnn <= 0, and written as diffusion kurtosis imaging does (24)::

    K = b D:nn - (b D_mean)^2 W::nnnn / 6,    D_mean = Tr D / d

K falls below zero at large q. The Pade form agrees with it to order L^4 and stays positive::

    K~ = (b D:nn)^2 / (b D:nn - L^2 q^4 (int F^4) B::nnnn)

The paper prints D_mean = Tr D / 3 for d = 2 and 3, and leaves open what its computations in the
plane use. The choice scales W alone; no signal and no apparent kurtosis depends on it. In the plane
the printed form is 9/4 of the W given here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import permutations
from typing import Final

import numpy as np
from numpy.typing import ArrayLike

from torrey.cell.operators import Array, BlochTorrey
from torrey.gradients.waveforms import Waveform
from torrey.gradients.waveforms.segments import moment
from torrey.models.expansion import expand
from torrey.models.model import TIME_TOLERANCE, ComplexArray, Stability
from torrey.models.moments import TAYLOR_ORDER
from torrey.models.rates import RateModel
from torrey.models.tensors import Tensors

#: In the order of DIPY's kurtosis tensors; those of the plane in the order that is left of it.
COMPONENTS: Final = {
    1: ("xxxx",),
    2: ("xxxx", "yyyy", "xxxy", "xyyy", "xxyy"),
    3: tuple(
        [
            "xxxx",
            "yyyy",
            "zzzz",
            "xxxy",
            "xxxz",
            "xyyy",
            "yyyz",
            "xzzz",
            "yzzz",
            "xxyy",
            "xxzz",
            "yyzz",
            "xxyz",
            "xyyz",
            "xyzz",
        ]
    ),
}

#: Of B::nnnn over the diffusivity: what curved elements make of a zero.
_OF_MESH: Final = 1e-4
#: Below this (um^2/ms) water is confined, and its diffusivity rounding.
CONFINED: Final = 1e-9


@dataclass(frozen=True)
class DiffusionKurtosis:
    """Diffusivity and kurtosis of a cell or a compartment, for one waveform and period.

    Attributes
    ----------
    D : (d, d) float, um^2/ms
    W : (d, d, d, d) float
        ln S = -b D:nn + (b D_mean)^2 W::nnnn / 6 up to order b^2 (KHM19 (24)). Only its fully
        symmetric part enters.
    """

    D: Array
    W: Array

    @property
    def mean_diffusivity(self) -> float:
        """D_mean = Tr D / d, um^2/ms."""
        return float(np.trace(self.D)) / len(self.D)

    def apparent_diffusion(self, direction: ArrayLike) -> Array:
        """D:nn (um^2/ms) for directions (..., d): shape (...)."""
        n = _unit(direction)
        return np.asarray(np.einsum("ij,...i,...j->...", self.D, n, n))

    def apparent_kurtosis(self, direction: ArrayLike) -> Array:
        """D_mean^2 W::nnnn / (D:nn)^2 for directions (..., d): shape (...)."""
        n = _unit(direction)
        W = np.einsum("ijkl,...i,...j,...k,...l->...", self.W, n, n, n, n)
        return np.asarray(W * (self.mean_diffusivity / self.apparent_diffusion(n)) ** 2)

    def exponent(self, b: ArrayLike, direction: ArrayLike, order: int = 2) -> Array:
        """K of KHM19 (23): b D:nn, and with order 2 the term in b^2.

        Parameters
        ----------
        b : array_like, ms/um^2
        direction : (d,) array_like
        order : {0, 2}
        """
        first = np.asarray(b, dtype=float) * self.apparent_diffusion(direction)
        return first - self._second(first, direction) if order else first

    def pade_exponent(self, b: ArrayLike, direction: ArrayLike) -> Array:
        """K~ of KHM19, section 4, with parameters as for `exponent`."""
        first = np.asarray(b, dtype=float) * self.apparent_diffusion(direction)
        return pade(first, self._second(first, direction))

    def _second(self, first: Array, direction: ArrayLike) -> Array:
        return np.asarray(first**2 * self.apparent_kurtosis(direction) / 6.0)


def kurtosis_tensor(
    tensors: Tensors, waveform: Waveform, period: float, compartment: int = 0
) -> Array:
    """Diffusion kurtosis tensor W of the water in one impermeable compartment: KHM19 (25).

    W = -6 L^2 int F^4 / (D_mean int F^2)^2 B, for -ln S = b D:nn - b^2 D_mean^2 W::nnnn / 6. The
    mean diffusivity D_mean is Tr D / d: the papers' Tr D / 3 in three dimensions.

    Parameters
    ----------
    tensors : Tensors
    waveform : Waveform
        With rectangular pulses, int F^4 / (int F^2)^2 is KHM19 (27).
    period : float, um
        L.
    compartment : int

    Returns
    -------
    (d, d, d, d) float
        W::nnnn is not negative.

    Raises
    ------
    ValueError
        If the compartment is bounded in every direction: its mean diffusivity is zero.
    """
    D = tensors.D[compartment]
    mean = np.trace(D) / len(D)
    # A bounded compartment has D = 0 up to rounding.
    if mean <= 1e-9 * np.abs(tensors.diffusivity[compartment]).max():
        raise ValueError(f"compartment {compartment} is bounded: its mean diffusivity is zero")
    fourth = moment(waveform.segments, lambda F: F[:, 0] ** 4)
    return -6 * period**2 * fourth / (mean * waveform.b_factor) ** 2 * tensors.B[compartment]


def compartment_kurtosis(
    tensors: Tensors, waveform: Waveform, period: float, compartment: int = 0
) -> DiffusionKurtosis:
    """Diffusivity and kurtosis of the water in one impermeable compartment: KHM19 (25).

    Parameters
    ----------
    tensors : Tensors
    waveform : Waveform
        Along one direction. With rectangular pulses W is (27).
    period : float, um
        L.
    compartment : int

    Raises
    ------
    ValueError
        If the compartment is bounded in every direction: its diffusivity is zero, W has no meaning.
    """
    _require_one_direction(waveform)
    W = kurtosis_tensor(tensors, waveform, period, compartment)
    return DiffusionKurtosis(tensors.D[compartment], W)


def cell_kurtosis(
    tensors: Tensors, waveform: Waveform, period: float, density: ArrayLike | None = None
) -> DiffusionKurtosis:
    """Diffusivity and kurtosis of all the water of a cell whose membranes let nothing through.

    The signal is the sum of its compartments', S = sum_a f_a exp(-K_a), whose logarithm gives::

        D = sum_a f_a D^a
        W = [3 sym(sum_a f_a D^a (x) D^a - D (x) D) - 6 L^2 int F^4 / (int F^2)^2 sum_a f_a B^a]
            / D_mean^2

    with f_a the share of the water in compartment a. KHM19 treats one compartment, for which this
    is (25): the first term, of order L^0, is the variance between compartments. Confined water has
    D^a = 0 and B^a::nnnn = 0 and counts by its share alone.

    Parameters
    ----------
    tensors : Tensors
    waveform : Waveform
    period : float, um
    density : (k+1,) array_like, optional
        Spin density of each compartment; uniform if not given.

    Raises
    ------
    ValueError
        If all water is confined in every direction.
    """
    weight = tensors.measures * (1.0 if density is None else np.asarray(density, dtype=float))
    share = weight / weight.sum()
    D = np.einsum("a,aij->ij", share, tensors.D)
    mean = np.trace(D) / len(D)
    if mean <= CONFINED:
        raise ValueError("all water is confined: its mean diffusivity is zero")
    between = np.einsum("a,aij,akl->ijkl", share, tensors.D, tensors.D)
    between -= np.einsum("ij,kl->ijkl", D, D)
    within = np.einsum("a,aijkl->ijkl", share, tensors.B)
    fourth = fourth_moment(waveform) / waveform.b_factor**2
    W = (3.0 * symmetric_part(between) - 6.0 * period**2 * fourth * within) / mean**2
    return DiffusionKurtosis(D, W)


def symmetric_part(tensor: Array) -> Array:
    """Mean over all permutations of the indices: the part that directions see."""
    orders = list(permutations(range(tensor.ndim)))
    total: Array = np.sum([tensor.transpose(order) for order in orders], axis=0) / len(orders)
    return total


def unique_components(tensor: Array) -> dict[str, float]:
    """Components of the symmetric part of a tensor of fourth order, by name.

    Parameters
    ----------
    tensor : (d, d, d, d) float

    Returns
    -------
    dict of str to float
        In three dimensions the 15 elements of a kurtosis tensor in DIPY's order, xxxx yyyy zzzz
        xxxy xxxz xyyy yyyz xzzz yzzz xxyy xxzz yyzz xxyz xyyz xyzz; in the plane xxxx yyyy xxxy
        xyyy xxyy. DIPY divides by the square of Tr D / 3, too.
    """
    symmetric = symmetric_part(tensor)
    return {
        name: float(symmetric[tuple("xyz".index(axis) for axis in name)])
        for name in COMPONENTS[len(tensor)]
    }


def fourth_moment(waveform: Waveform) -> float:
    """The integral of F^4 over a waveform along one direction (ms).

    Raises
    ------
    ValueError
        If the gradients do not lie along one direction.
    """
    _require_one_direction(waveform)
    return float(moment(waveform.segments, lambda F: F[:, 0] ** 4))


def pade(first: ArrayLike, second: ArrayLike) -> Array:
    """K~ of K = first - second: first^2 / (first + second), and zero where first is zero."""
    first, second = np.broadcast_arrays(np.asarray(first, dtype=float), second)
    value: Array = np.zeros(first.shape)
    np.divide(first**2, first + second, out=value, where=first > 0.0)
    return value


def second_order_limits(
    diffusion: ArrayLike, burnett: ArrayLike, waveform: Waveform
) -> tuple[Array, Array]:
    """Where the exponent K of order two falls to zero, and where states begin to grow before.

    K > 0 is the domain that KHM19 section 4 gives. The rate D g^2 + L^2 g^4 B falls below zero
    first where |g| is largest, at a smaller b: from there on the model lets a state grow.

    Parameters
    ----------
    diffusion, burnett : (...) array_like, um^2/ms
        D:nn and B::nnnn on the unit cell.
    waveform : Waveform
        Along one direction.

    Returns
    -------
    positive, dissipative : (...) float, ms
        Largest b L^2 with K > 0, and without growth; infinite where B is zero.
    """
    with np.errstate(divide="ignore"):
        ratio = np.asarray(diffusion, dtype=float) / np.maximum(0.0, -np.asarray(burnett))
    dissipative = ratio * waveform.b_factor
    return dissipative * waveform.b_factor / fourth_moment(waveform), dissipative


@dataclass(frozen=True)
class PadeModel:
    """Compartments without exchange, each with the exponent K~ of KHM19.

    Attributes
    ----------
    diffusion : (k,) float, um^2/ms
        D^a:nn; zero where water is confined.
    burnett : (k,) float, um^2/ms
        B^a::nnnn on the unit cell, not above zero.
    start : (k,) float
        Initial masses.
    """

    diffusion: Array
    burnett: Array
    start: Array

    @classmethod
    def of(cls, model: RateModel) -> PadeModel:
        """Take D^a:nn and B^a::nnnn from a model of second order along one direction.

        Raises
        ------
        ValueError
            If the model has more than one direction, no second order or relaxation; or if some
            B^a::nnnn is positive, which it cannot be.
        """
        if model.n_components > 1 or model.order < 2:
            raise ValueError("the Pade form needs a model of second order along one direction")
        if model.stored or any((0, 0, 0) in rates for rates in model.rates[:3]):
            raise ValueError("the Pade form knows nothing of relaxation")
        # What is zero in all compartments, such as D of pores, has no entry.
        none = np.zeros((len(model.start),) * 2)
        diffusion = -np.diag(model.rates[0].get((2, 0, 0), none))
        burnett = np.diag(model.rates[2].get((4, 0, 0), none))
        confined = diffusion <= CONFINED
        diffusion, burnett = (np.where(confined, 0.0, x) for x in (diffusion, burnett))
        # Of water that is confined but along the axis of the cell it is zero but for the mesh.
        if np.any(burnett > _OF_MESH * diffusion.max(initial=0.0)):
            raise ValueError(f"B::nnnn = {burnett.max():.2e} um^2/ms is positive")
        return cls(diffusion, np.minimum(burnett, 0.0), model.start)

    def signal(
        self,
        waveform: Waveform,
        q: ArrayLike,
        period: ArrayLike,
        sigma: ArrayLike,
        tolerance: float = TIME_TOLERANCE,
    ) -> ComplexArray:
        """Signals of any number of points at once: see `torrey.models.model.Model.signal`.

        All membranes are taken as impermeable: sigma counts by its shape alone.
        """
        q, period, _ = np.broadcast_arrays(np.asarray(q, dtype=float), period, sigma)
        first = np.multiply.outer(q**2 * waveform.b_factor, self.diffusion)
        fourth = period**2 * q**4 * fourth_moment(waveform)
        decay = np.exp(-pade(first, np.multiply.outer(fourth, -self.burnett)))
        return np.asarray(decay @ self.start / self.start.sum(), dtype=np.complex128)

    def taylor(self, waveform: Waveform, period: ArrayLike, sigma: ArrayLike) -> ComplexArray:
        """Series of the signal in q, in closed form: see `torrey.models.model.Model.taylor`.

        K~ = first - second + O(q^6), as K.
        """
        period, _ = np.broadcast_arrays(np.asarray(period, dtype=float), sigma)
        share = self.start / self.start.sum()
        first = waveform.b_factor * self.diffusion
        second = np.multiply.outer(period**2 * fourth_moment(waveform), -self.burnett)
        series: ComplexArray = np.zeros((*period.shape, TAYLOR_ORDER + 1), dtype=complex)
        series[..., 0] = 1.0
        series[..., 2] = -share @ first
        series[..., 4] = (first**2 / 2.0 + second) @ share
        return series

    def stability(
        self, waveform: Waveform, q: ArrayLike, period: ArrayLike, sigma: ArrayLike
    ) -> Stability:
        """Exponents K~ are never negative: see `torrey.models.model.Model.stability`."""
        return Stability.dissipative(q, period, sigma)


def pade_models(
    operators: BlochTorrey, frame: ArrayLike, orders: Sequence[int] = (0,)
) -> list[PadeModel]:
    """The Pade form for gradients along one direction, once for each entry of ``orders``."""
    model = PadeModel.of(expand(operators, frame, 2).model)
    return [model for _ in orders]


def _require_one_direction(waveform: Waveform) -> None:
    if waveform.n_components > 1:
        raise ValueError("the kurtosis needs gradients along one direction")


def _unit(direction: ArrayLike) -> Array:
    n = np.asarray(direction, dtype=float)
    length = np.linalg.norm(n, axis=-1, keepdims=True)
    if not np.all(np.isfinite(length) & (length > 0)):
        raise ValueError("a direction is not a vector with a length")
    unit: Array = n / length
    return unit
