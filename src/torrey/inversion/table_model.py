"""What a model of measured tables is: it gives signals for the rows of a protocol.

All are in equilibrium: of water whose share f is in the inner compartment, k f leaves the outside
and k (1 - f) the inside in 1 ms, with the exchange time t_ex = 1/k = 1/(eta_e + eta_c). Signals are
1 without gradients; amplitudes belong to the fit.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from torrey.base.errors import InputError
from torrey.inversion.measured import MeasuredProtocol, groups_of_columns

Array = NDArray[np.float64]


@dataclass(frozen=True)
class ModelParameter:
    """A parameter of a model.

    Parameters
    ----------
    name : str
    unit : str
        CF style.
    lower, upper : float
        Bounds of fits.
    description : str
    log : bool
        Whether fits move its logarithm.
    limits : pair of float
        Between which the model can be evaluated: no bounds or values that are given go beyond.
    """

    name: str
    unit: str
    lower: float
    upper: float
    description: str
    log: bool = False
    limits: tuple[float, float] = (-np.inf, np.inf)


class Evaluate(Protocol):
    """A model prepared for a protocol."""

    def __call__(self, x: Array, derivatives: bool = True) -> tuple[Array, Array | None]:
        """Signals (n, m) and, if wanted, derivatives (n, m, p) at parameters (n, p)."""


class TableModel(ABC):
    """A model of the signals of a table.

    Attributes
    ----------
    name, description : str
    parameters : tuple of ModelParameter
    powder : bool
        Whether its signals are means over all directions.
    """

    name: str
    description: str
    powder: bool = False

    @property
    @abstractmethod
    def parameters(self) -> tuple[ModelParameter, ...]:
        """In the order of the arrays."""

    @property
    def names(self) -> tuple[str, ...]:
        """Of the parameters."""
        return tuple(parameter.name for parameter in self.parameters)

    @abstractmethod
    def prepare(self, protocol: MeasuredProtocol) -> Evaluate:
        """What evaluates the model for a protocol.

        Raises
        ------
        InputError
            If the protocol has not what the model needs.
        """

    def amplitude_groups(self, protocol: MeasuredProtocol) -> NDArray[np.int64]:
        """Rows that share their signal without gradients, by number: those of one echo time."""
        return groups_of_columns([protocol.TE])

    def canonical(self, x: Array) -> Array:
        """The one of several equal sets of parameters that is reported, shape (n, p)."""
        return x


def diffusivity(name: str, meaning: str) -> ModelParameter:
    """A diffusivity with its bounds."""
    return ModelParameter(name, "um2 ms-1", 0.02, 3.5, meaning, limits=(0.0, np.inf))


def share(name: str, meaning: str) -> ModelParameter:
    """A share of the water with its bounds."""
    return ModelParameter(name, "1", 0.005, 0.995, meaning, limits=(0.0, 1.0))


def directions_of(protocol: MeasuredProtocol) -> Array:
    """Directions in space; zero where there is no gradient."""
    rows = np.flatnonzero(np.isnan(protocol.directions).any(axis=1) & (protocol.b > 0.0))
    if len(rows):
        raise InputError("a mean over directions", "a direction in each row", at=(int(rows[0]),))
    if any(waveform.n_components > 1 for waveform in protocol.waveforms):
        raise InputError("a gradient that turns", "gradients along one direction in each row")
    n = np.nan_to_num(protocol.directions)
    return np.pad(n, ((0, 0), (0, 3 - n.shape[1])))


def only_means(protocol: MeasuredProtocol, name: str) -> None:
    if not protocol.powder:
        raise InputError(
            "rows with directions",
            f"means over directions for {name}: see torrey.inversion.measured.powder_average",
        )
    if any(waveform.n_components > 1 for waveform in protocol.waveforms):
        raise InputError("a gradient that turns", "gradients along one direction in each row")
