"""Models of measured tables by name, and that of filter exchange (Lasic et al. 2011)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from torrey.base.errors import InputError, either
from torrey.inversion.exchange_models import (
    KargerTable,
    KargerTensorTable,
    SticksAndSpheresTable,
    SticksTable,
)
from torrey.inversion.measured import MeasuredProtocol, groups_of_columns
from torrey.inversion.table_model import Evaluate, ModelParameter, TableModel, diffusivity

Array = NDArray[np.float64]


@dataclass(frozen=True)
class FilterExchangeTable(TableModel):
    """Apparent exchange rate: the filtered diffusivity comes back to that without filter."""

    name: str = "fexi-axr"
    description: str = "ADC'(t_m) = ADC (1 - sigma exp(-AXR t_m)) of filter exchange"

    @property
    def parameters(self) -> tuple[ModelParameter, ...]:
        """ADC, efficiency and rate."""
        return (
            diffusivity("ADC", "apparent diffusivity without filter"),
            ModelParameter("sigma", "1", 0.0, 1.0, "efficiency of the filter", limits=(0.0, 1.0)),
            ModelParameter("AXR", "ms-1", 1e-4, 1.0, "apparent exchange rate", log=True),
        )

    def prepare(self, protocol: MeasuredProtocol) -> Evaluate:
        """See `TableModel.prepare`; rows with the filter's b-value, zero or one other, and t_m."""
        if not protocol.filter_exchange:
            raise InputError("rows without b_filter or mixing_time", "both in every row")
        strengths = np.unique(np.round(protocol.b_filter[protocol.b_filter > 0.0], 6))
        if len(strengths) > 1:
            found = ", ".join(f"{value:g}" for value in strengths)
            raise InputError(
                f"filters of b = {found} ms/um^2",
                "one strength beside zero: the efficiency belongs to it",
            )
        b, filtered, time = protocol.b, protocol.b_filter > 0.0, protocol.mixing_time

        def evaluate(x: Array, derivatives: bool = True) -> tuple[Array, Array | None]:
            adc, sigma, rate = (x[:, i, None] for i in range(3))
            left = filtered * np.exp(-rate * time)
            signal = np.exp(-b * adc * (1.0 - sigma * left))
            if not derivatives:
                return signal, None
            slope = b * signal
            by = (
                -slope * (1.0 - sigma * left),
                slope * adc * left,
                -slope * adc * sigma * time * left,
            )
            return signal, np.stack(by, axis=-1)

        return evaluate

    def amplitude_groups(self, protocol: MeasuredProtocol) -> NDArray[np.int64]:
        """Rows of one filter, mixing time and echo time: the filter and T1 take signal too."""
        return groups_of_columns([protocol.b_filter, protocol.mixing_time, protocol.TE])


@dataclass(frozen=True)
class ModelKind:
    """An entry of the registry.

    Attributes
    ----------
    name, description : str
    build : callable
        Of the options, to the model.
    options : tuple of str
    """

    name: str
    description: str
    build: Callable[..., TableModel]
    options: tuple[str, ...] = ()


def _sticks(name: str, description: str, finite: bool) -> ModelKind:
    def build(anisotropic: bool = False) -> TableModel:
        return SticksTable(name, description, anisotropic, finite)

    return ModelKind(name, description, build, ("anisotropic",))


_KINDS: Final = (
    ModelKind("karger", KargerTable.description, KargerTable),
    ModelKind("karger-tensor", KargerTensorTable.description, KargerTensorTable),
    _sticks("nexi", "exchanging sticks, mean over directions, narrow pulses", finite=False),
    _sticks("smex", "exchanging sticks, mean over directions, finite pulses", finite=True),
    ModelKind(
        "sandix",
        SticksAndSpheresTable.description,
        SticksAndSpheresTable,
        ("anisotropic", "D_sphere"),
    ),
    ModelKind("fexi-axr", FilterExchangeTable.description, FilterExchangeTable),
)
MODELS: Final[dict[str, ModelKind]] = {kind.name: kind for kind in _KINDS}
"""Models of measured tables by name."""


def table_model(name: str, **options: bool | float) -> TableModel:
    """A model by its name.

    Parameters
    ----------
    name : str
        One of `MODELS`.
    **options
        ``anisotropic`` of nexi, smex and sandix: the outside has D_e_par and D_e_perp in the place
        of D_e. ``D_sphere`` of sandix: diffusivity in the spheres (um^2/ms), 3 by default.

    Raises
    ------
    InputError
        If there is no such model, or it has no such option.
    """
    if name not in MODELS:
        raise InputError(f'"{name}"', either(MODELS))
    kind = MODELS[name]
    for option in options:
        if option not in kind.options:
            accepted = either(kind.options) if kind.options else f"no options of {name}"
            raise InputError(f'the option "{option}"', accepted, at=(option,))
    return kind.build(**options)


def table_signals(
    model: TableModel | str, protocol: MeasuredProtocol, parameters: ArrayLike
) -> Array:
    """Signals of a model without amplitude.

    Parameters
    ----------
    model : TableModel or str
    protocol : MeasuredProtocol
    parameters : (n, p) or (p,) array_like
        In the order of the model's parameters.

    Returns
    -------
    (n, m) float
    """
    one = table_model(model) if isinstance(model, str) else model
    x = np.atleast_2d(np.asarray(parameters, dtype=float))
    if x.shape[1] != len(one.parameters):
        raise InputError(f"{x.shape[1]} parameters", f"{', '.join(one.names)}")
    return one.prepare(protocol)(x, derivatives=False)[0]
