"""What every model of a cell and material offers: signals, and whether it makes states grow."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, Protocol, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from torrey.gradients.waveforms import Segment, Waveform

Array = NDArray[np.float64]
ComplexArray = NDArray[np.complex128]

TIME_TOLERANCE: Final = 1e-10
"""Absolute tolerance of the integration of a model in time, where no other is asked for."""

LARGEST_FACTOR: Final = 1e6
"""The amplification of a model that makes a state grow so much, or more."""


@dataclass(frozen=True)
class Stability:
    """How states of a model grow over a waveform, in the energy norm of the fields it stands for.

    The exact flow contracts this norm: see `torrey.models.stability`.

    Attributes
    ----------
    growth : (...) float, 1/ms
        The largest rate at which the norm of some state grows at some instant: not above zero
        where the model dissipates throughout.
    amplification : (...) float
        The largest factor by which the norm of some state grows between two instants, to 1e-3: 1
        of a model that dissipates, `LARGEST_FACTOR` at most.
    """

    growth: Array
    amplification: Array

    @classmethod
    def dissipative(cls, q: ArrayLike, period: ArrayLike, sigma: ArrayLike) -> Stability:
        """Of a model that can only lose signal, in the shape that the points have together."""
        shape = np.broadcast_shapes(np.shape(q), np.shape(period), np.shape(sigma))
        return cls(np.zeros(shape), np.ones(shape))


class Model(Protocol):
    """A model of one cell and material, for gradients along one direction or some axes."""

    def signal(
        self,
        waveform: Waveform,
        q: ArrayLike,
        period: ArrayLike,
        sigma: ArrayLike,
        tolerance: float = TIME_TOLERANCE,
    ) -> ComplexArray:
        """Signals for one waveform and any number of points at once.

        Parameters
        ----------
        waveform : Waveform
            Of as many components as the model has axes.
        q : array_like, rad/um
            Largest |g(t)|.
        period : array_like, um
            L.
        sigma : array_like, 1/ms
            kappa / L. The three broadcast to one shape (...). A model of impermeable cells takes
            no notice of it.
        tolerance : float
            Absolute, for the integration in time, wherever the state stays below its initial
            value. A model in closed form takes no notice of it.

        Returns
        -------
        (...) complex
            Normalised to the initial magnetisation. A truncated series may be unstable at a point:
            its signal is then large, or infinite (see `stability`).

        Raises
        ------
        IntegrationError
            If a projected model does not reach the tolerance.
        """

    def stability(
        self, waveform: Waveform, q: ArrayLike, period: ArrayLike, sigma: ArrayLike
    ) -> Stability:
        """How states of the model grow over the waveform, at any number of points at once.

        Parameters and shape as for `signal`. A model that can only lose signal returns
        `Stability.dissipative`.
        """

    def taylor(self, waveform: Waveform, period: ArrayLike, sigma: ArrayLike) -> ComplexArray:
        """Coefficients of q^0 ... q^4 in the signal: what cumulants are made of.

        Parameters as for `signal`.

        Returns
        -------
        (..., 5) complex, um^n
            Normalised to the initial magnetisation; see `torrey.models.cumulants`.
        """


class SmallModel(Model, Protocol):
    """A model that is a linear system dw/dt = -G w of a few unknowns, which its signal sums."""

    @property
    def start(self) -> Array:
        """Initial state, shape (k,)."""

    @property
    def readout(self) -> Array:
        """Weights of the signal, shape (k,)."""

    @property
    def n_derivatives(self) -> int:
        """Highest derivative of g that G depends on."""

    def matrix(self, jet: ArrayLike, period: ArrayLike, sigma: ArrayLike) -> ComplexArray:
        """G, shape (..., k, k), in 1/ms."""

    def jump(
        self,
        before: ArrayLike | None,
        after: ArrayLike,
        period: ArrayLike,
        sigma: ArrayLike,
        since: Any = None,
    ) -> ComplexArray | None:
        """What multiplies the state where derivatives of g jump; None for nothing.

        ``since`` is the model before the jump, where that is another one: see `during`.
        """

    def during(self, segment: Segment) -> Self:
        """The model on a segment of a waveform: another one while magnetisation is stored.

        Raises
        ------
        InputError
            If it is not known how stored magnetisation relaxes.
        """
