"""A kind of model in one file: exp(-b D), with D the mean diffusivity of the cell."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from torrey.cell.operators import BlochTorrey
from torrey.gradients.waveforms import Waveform
from torrey.models.model import TIME_TOLERANCE, ComplexArray, Stability
from torrey.models.registry import ModelKind, StudyFacts


@dataclass(frozen=True)
class Gauss:
    """Water of one diffusivity (um^2/ms) along the gradients."""

    diffusivity: float

    def signal(
        self,
        waveform: Waveform,
        q: ArrayLike,
        period: ArrayLike,
        sigma: ArrayLike,
        tolerance: float = TIME_TOLERANCE,
    ) -> ComplexArray:
        """exp(-b D), wherever the membranes are."""
        q, _, _ = np.broadcast_arrays(np.asarray(q, dtype=float), period, sigma)
        return np.exp(-(q**2) * waveform.b_factor * self.diffusivity).astype(complex)

    def taylor(self, waveform: Waveform, period: ArrayLike, sigma: ArrayLike) -> ComplexArray:
        """Coefficients of exp(-q^2 beta D), wherever the membranes are."""
        exponent = waveform.b_factor * self.diffusivity
        shape = np.broadcast_shapes(np.shape(period), np.shape(sigma))
        series = np.array([1.0, 0.0, -exponent, 0.0, exponent**2 / 2.0], dtype=complex)
        return np.broadcast_to(series, (*shape, 5))

    def stability(
        self, waveform: Waveform, q: ArrayLike, period: ArrayLike, sigma: ArrayLike
    ) -> Stability:
        """It can only lose signal."""
        return Stability.dissipative(q, period, sigma)


def build(operators: BlochTorrey, frame: ArrayLike, orders: Sequence[int]) -> list[Gauss]:
    cell = operators.cell
    total = cell.matrix(operators.along(frame).N[0, 0]).sum()
    return [Gauss(float(total / cell.measures().sum()))] * len(orders)


def refuse(facts: StudyFacts, _order: int) -> str | None:
    if facts.dimension != 2 or not facts.membranes:
        return "R0: Gauss is for cells in the plane"
    return None


KIND = ModelKind(
    "Gauss",
    about="water of the mean diffusivity, for tests",
    build=build,
    refuses=refuse,
    label=r"$e^{-b \langle D \rangle}$",
    is_system=False,
)
