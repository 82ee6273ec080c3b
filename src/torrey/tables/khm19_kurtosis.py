"""W of Kchaou, Haddar and Moakher 2019 at several Delta, beside the exact kurtosis.

The paper's point is that the diffusion kurtosis tensor W depends on the waveform, for rectangular
pulses through its form (27). Along a direction n, (25) says of the kurtosis of one compartment

    K = W::nnnn (Tr D / d)^2 / (D:nn)^2 = -6 L^2 int F^4 / (int F^2)^2 B::nnnn / (D:nn)^2

which is the first term of a series in L. Its next term, of order L^4, is the integral of F^3 F',
which is zero; so the exact kurtosis differs by a share of order L^4.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields
from itertools import product
from typing import Final

import numpy as np
import xarray

from torrey.base import artifacts
from torrey.gradients.sweep import REFERENCE
from torrey.gradients.waveforms import Pgse
from torrey.models.kurtosis import CONFINED, fourth_moment
from torrey.tables.writing import Column, Table, TableFiles


@dataclass(frozen=True)
class _Row:
    box: str
    delta: float
    Delta: float
    period: float
    adc: float
    of_tensors: float
    exact: float
    error: float
    share: float
    order: float


def table_kurtosis(files: TableFiles) -> Table:
    """Kurtosis of (25), (27) and exact, for every box, time between the pulses and period.

    Raises
    ------
    ValueError
        If a study has several compartments, directions or permeabilities, no reference, or pulses
        that are not rectangular.
    """
    pairs = zip(files.files["cumulants"].items(), files.files["tensors"].values(), strict=True)
    cells = files.cells()
    rows = [
        row
        for (study, path), tensors in pairs
        for row in _rows(study, path, tensors, cells.get(study, study))
    ]
    labels = {
        "box": ("box", ""),
        "delta": ("delta", "ms"),
        "Delta": ("Delta", "ms"),
        "period": ("L", "um"),
        "adc": ("exact ADC", "um2 ms-1"),
        "of_tensors": ("kurtosis of (25), (27)", "1"),
        "exact": ("exact kurtosis", "1"),
        "error": ("its numerical error", "1"),
        "share": ("relative difference", "1"),
        "order": ("its order in L", "1"),
    }
    columns = []
    for one in fields(_Row):
        label, unit = labels[one.name]
        values = [getattr(row, one.name) for row in rows]
        texts = [f"{x:.1e}" for x in values] if one.name == "error" else ()
        columns.append(Column(one.name, label, values, unit, texts))
    return Table("W of KHM19 against exact kurtoses", tuple(columns), _NOTES)


#: Kurtoses below this are rounding.
_ROUNDING: Final = 1e-12

_NOTES = (
    "The kurtosis of (25) grows like L^2, and depends on Delta through int F^4 / (int F^2)^2 "
    "(27). The exact one is that of the Bloch-Torrey equation at b -> 0, without a fit.",
    "Their relative difference falls like L^4: the next term of the series has the factor "
    "int F^3 F' = 0. The order is that between a period and the next smaller one.",
    "Both kurtoses are of one mesh and share its error, so that their difference is known better "
    "than either. There is none where the kurtosis of (25) is no larger than the numerical error.",
)


def _rows(study: str, path: str, tensors: str, box: str) -> Iterator[_Row]:
    """Rows of one box, in words: Delta by Delta, each with all periods."""
    table, data = _checked(study, path), artifacts.read(tensors)
    n = table.direction_vector.values.squeeze()
    (D,), (B,) = (data[name] for name in "DB")
    along, fourth = n @ D @ n, np.einsum("ijkl,i,j,k,l->", B, n, n, n, n)
    if len(data["compartment"]) != 1 or along <= CONFINED:
        raise ValueError(f"study {study}: W is of one compartment that is not confined")
    for delta, Delta in product(table.delta.values, table.Delta.values):
        waveform = Pgse(float(delta), float(Delta))
        form = -6.0 * fourth_moment(waveform) / waveform.b_factor**2 * fourth / along**2
        before = (np.nan, np.nan)
        for period in np.sort(table.period.values):
            point = table.sel(delta=delta, Delta=Delta, period=period)
            exact, of_tensors = float(point.kurtosis), float(form * period**2)
            error = float(point.kurtosis_error)
            share = order = np.nan
            if abs(of_tensors) > max(error, _ROUNDING):
                share = exact / of_tensors - 1.0
            if share and before[1]:
                order = float(np.log(abs(share / before[1])) / np.log(period / before[0]))
            before = (float(period), share)
            yield _Row(
                box,
                float(delta),
                float(Delta),
                float(period),
                float(point.adc),
                of_tensors,
                exact,
                error,
                share,
                order,
            )


def _checked(study: str, path: str) -> xarray.Dataset:
    """The reference of a study with one direction and permeability, and rectangular pulses."""
    table = artifacts.open_dataset(path)
    extra = set(table.dims) - {"model", "period", "delta", "Delta", "direction", "axis"}
    others = {str(dim) for dim in extra} - {"permeability", "sigma0", "surface_relaxivity"}
    several = [str(dim) for dim in (*extra, "direction") if table.sizes.get(dim, 0) > 1]
    if several or others or not {"period", "delta", "Delta", "direction"} <= set(table.dims):
        raise ValueError(
            f"study {study}: found {', '.join(several) or list(table.dims)}, accepted: periods and "
            "times of rectangular pulses (pgse) along one direction"
        )
    if REFERENCE not in table.model.values:
        raise ValueError(f"study {study}: found no reference, accepted: a study with one")
    table = table.sel(model=REFERENCE).isel({dim: 0 for dim in (*extra, "direction")})
    return table
