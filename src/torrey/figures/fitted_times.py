"""Bias of fitted exchange times over a grid of cells, as a line in maps of other errors."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import xarray
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from numpy.typing import NDArray
from scipy import ndimage

from torrey.base import artifacts
from torrey.base.stored import Group, Variable

Array = NDArray[np.float64]

#: Relative bias at the line, and the range of what is interpolated.
BIAS: Final = 0.1
_RANGE: Final = (1e-3, 1e2)
_LINE: Final[dict[str, Any]] = {"colors": "#0072B2", "linestyles": "--", "linewidths": 1.2}
#: Parts into which the way from cell to cell is cut, evenly in logarithms.
_REFINED: Final = 8
_MODELS: Final = {"karger": "Karger's exchange time"}


def read_bias(path: str) -> xarray.DataArray:
    """Relative bias of the exchange time over periods and permeabilities; infinite without a value.

    Raises
    ------
    ValueError
        If the inversion is not of a grid of both.
    """
    data = artifacts.open_dataset(path)
    time = data.fitted_exchange_time
    # On a bound the fit has found no value, and none where the signals do not tell it.
    found = np.isfinite(data.fitted_exchange_time_error.values)
    bias = np.where(found, np.abs(time / data.exchange_time - 1.0), np.inf)
    periods, permeabilities = np.unique(data.period), np.unique(data.permeability)
    shape = len(periods), len(permeabilities)
    if min(shape) < 2 or np.prod(shape) != data.sizes["cell"]:
        raise ValueError(f"{path}: the figure shows fits of several periods and permeabilities")
    order = np.lexsort((data.permeability, data.period))
    return xarray.DataArray(
        bias[order].reshape(shape),
        {"period": periods, "permeability": permeabilities},
        ("period", "permeability"),
        attrs={"model": str(data.model.values), "snr": float(data.snr)},
    )


def draw_bias(ax: Axes, bias: xarray.DataArray, product: float, diffusivity: float) -> None:
    """Draw where the bias is a tenth, against delta D / L^2 and kappa L / D.

    Parameters
    ----------
    ax : Axes
    bias : DataArray
        See `read_bias`.
    product, diffusivity : float
        delta D (um^2) and D (um^2/ms) of the map.
    """
    period, kappa = xarray.broadcast(bias.period, bias.permeability)
    x, y = _refined(product / period**2), _refined(kappa * period / diffusivity)
    level = np.log10(_refined(bias.clip(*_RANGE)))
    limits = ax.get_xlim(), ax.get_ylim()
    ax.contour(x, y, level, levels=[np.log10(BIAS)], zorder=4.0, **_LINE)
    ax.set(xlim=limits[0], ylim=limits[1])


def explained_bias(bias: xarray.DataArray) -> Line2D:
    """What the line means."""
    model = str(bias.attrs["model"])
    words = _MODELS.get(model, f"the exchange time of {model}")
    text = f"{100 * BIAS:g} % bias of {words}, less on its right"
    return Line2D([], [], color=_LINE["colors"], linestyle="--", linewidth=1.2, label=text)


def bias_group(bias: xarray.DataArray) -> Group:
    """Variables of the line, on periods and permeabilities of their own."""
    along = ("fitted_period", "fitted_permeability")
    texts = (("um", "period of the fitted cells"), ("um ms-1", "permeability of the fitted cells"))
    group = {
        name: Variable((name,), axis.values, *text)
        for name, axis, text in zip(along, (bias.period, bias.permeability), texts, strict=True)
    }
    said = "relative bias of the fitted exchange time; infinite where no value is found"
    group["exchange_time_bias"] = Variable(along, bias.values, "1", said, {"allow_missing": True})
    return group


def _refined(values: xarray.DataArray) -> Array:
    table = np.log10(values.transpose("period", "permeability").values)
    factors = [((n - 1) * _REFINED + 1) / n for n in table.shape]
    return np.asarray(10.0 ** ndimage.zoom(table, factors, order=1))
