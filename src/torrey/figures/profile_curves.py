"""Curves of profile likelihoods: what each value of a parameter costs in the fit of a voxel."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import xarray
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from torrey.base.stored import Variable
from torrey.figures import style
from torrey.inversion.problem import EACH

Array = NDArray[np.float64]

#: Of Okabe and Ito: so many voxels are told apart.
_COLOURS: Final = (
    "#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000", "#8C6D31",
)  # fmt: skip
_DASHES: Final = ("-", "--", "-.", ":")
#: Points of a smooth curve, and the highest deviance that is drawn, over that at the border.
_SMOOTH, _TOP = 81, 1.75
_MISSING: Final = {"allow_missing": True}


def has_curves(data: xarray.Dataset) -> bool:
    """Whether a fit has curves, of as many voxels as can be told apart."""
    name = str(data.parameter.values[0])
    return f"{name}_profile" in data and data.sizes["voxel"] <= len(_COLOURS)


def draw_curves(ax: Axes, data: xarray.Dataset, name: str, label: str) -> None:
    """Draw the curves of a parameter, one of each voxel that has an estimate of it."""
    for i, (x, y) in enumerate(zip(*_curves(data, name), strict=True)):
        known = np.isfinite(x) & np.isfinite(y)
        if known.sum() > 2:
            ax.plot(*_between(x[known], y[known]), **_look(i))
    ax.axhline(1.0, color=style.GREY, linewidth=0.8, linestyle=(0, (4, 3)), zorder=1.0)
    style.note(ax, 1.01, 1.0 / _TOP, "95 %", ha="left", va="center")
    ax.set(xlabel=label, ylabel="deviance", ylim=(0.0, _TOP))
    ax.xaxis.set_major_locator(MaxNLocator(5))
    ax.yaxis.set_major_locator(MaxNLocator(4))


def curve_samples(data: xarray.Dataset) -> list[Line2D]:
    """Which voxel each curve is of; nothing where there is one."""
    count = data.sizes["voxel"]
    if count == 1:
        return []
    names = data.voxel.values if "voxel" in data.coords else range(count)
    return [
        Line2D([], [], label=str(name).replace("_", " "), **_look(i))
        for i, name in enumerate(names)
    ]


def curve_group(data: xarray.Dataset, names: tuple[str, ...]) -> dict[str, Variable]:
    """The points of the curves, for the file beside a figure."""
    over = ("parameter", "voxel", "profile_point")
    curves = [_curves(data, name) for name in names]
    return {
        "profile": Variable(
            over, np.array([x for x, _ in curves]), EACH, "value that is held", _MISSING
        ),
        "deviance": Variable(
            over, np.array([y for _, y in curves]), "1", "deviance over that at 95 %", _MISSING
        ),
    }


def _curves(data: xarray.Dataset, name: str) -> tuple[Array, Array]:
    return data[f"{name}_profile"].values, data[f"{name}_deviance"].values


def _look(i: int) -> dict[str, Any]:
    """Colour and dashes of a voxel."""
    return {"color": _COLOURS[i], "linestyle": _DASHES[i % len(_DASHES)], "linewidth": 1.2}


def _between(x: Array, y: Array) -> tuple[Array, Array]:
    """A smooth curve: the root of a deviance, with the sign of the side, is nearly a line."""
    from scipy.interpolate import PchipInterpolator

    x, first = np.unique(x, return_index=True)
    root = np.sqrt(np.maximum(y[first], 0.0))
    root[: int(root.argmin())] *= -1.0
    fine = np.linspace(x[0], x[-1], _SMOOTH)
    return fine, np.asarray(PchipInterpolator(x, root)(fine)) ** 2
