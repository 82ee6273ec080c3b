"""Models of measured tables, by name."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from torrey.inversion.measured import MeasuredProtocol

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
        Whether it is fitted by its logarithm.
    """

    name: str
    unit: str
    lower: float
    upper: float
    description: str
    log: bool = False


class Evaluate(Protocol):
    """A model prepared for a protocol."""

    def __call__(self, x: Array) -> tuple[Array, Array]:
        """Signals (n, m) and derivatives (n, m, p) at parameters (n, p); 1 without gradients."""


class TableModel(Protocol):
    """A model of the signals of a table.

    Attributes
    ----------
    name, description : str
    parameters : tuple of ModelParameter
    powder : bool
        Whether it is a function of means over directions alone.
    """

    name: str
    description: str
    parameters: tuple[ModelParameter, ...]
    powder: bool

    def prepare(self, protocol: MeasuredProtocol) -> Evaluate:
        """What evaluates the model for a protocol; raises InputError if it lacks a column."""

    def amplitude_groups(self, protocol: MeasuredProtocol) -> NDArray[np.int64]:
        """Which rows share their signal without gradients, shape (m,)."""


def table_model(name: str, **options: object) -> TableModel:
    """A model by its name: karger, karger-tensor, nexi, smex, sandix, fexi-axr.

    Options: `anisotropic: bool` (nexi, smex, sandix: the outside has D_e_par and D_e_perp),
    `D_sphere: float` (sandix).
    """
    raise NotImplementedError


def signals(model: TableModel | str, protocol: MeasuredProtocol, parameters: Array) -> Array:
    """Signals of a model, shape (n, m), at parameters (n, p)."""
    raise NotImplementedError
