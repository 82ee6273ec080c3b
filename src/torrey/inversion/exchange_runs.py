"""Models of measured tables fitted to signals of cells whose exchange is known: their bias."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from torrey.base.progress import Progress, each, untold
from torrey.base.stored import Group, group_of, stored
from torrey.cell.files import lazy_levels
from torrey.cell.material import Material
from torrey.gradients.sweep import Sweep
from torrey.inversion.exact_rates import ExactExchange, exact_exchange
from torrey.inversion.files import PathLike
from torrey.inversion.fit_settings import FitSettings
from torrey.inversion.study_signals import signals_of_study
from torrey.inversion.study_tables import table_of_sweep
from torrey.inversion.table_models import table_model
from torrey.inversion.voxel_fit import TableFit, fit_table

Array = NDArray[np.float64]

#: Parameters whose truth is that of the medium, whatever the model.
_TIME: Final = "t_ex"
_RATE: Final = "AXR"
_SHARE: Final = "f"
_OF: Final = ("cell", "parameter")
_EACH: Final = "1"


@dataclass(frozen=True)
class ExchangeReport:
    """Fits of one model to the signals of cells, each beside the truth."""

    model: str = field(metadata=stored((), "", "model that was fitted", name="model"))
    data: str = field(metadata=stored((), "", "signals that were fitted", name="data"))
    powder: bool = field(
        metadata=stored((), "1", "1 if means over directions were fitted", dtype=np.int8)
    )
    snr: float = field(
        metadata=stored(
            (),
            "1",
            "S(b = 0) over the noise of one signal behind the standard errors; missing where the "
            "misfit of each fit is taken",
            allow_missing=True,
        )
    )
    study: tuple[str, ...] = field(metadata=stored(("cell",), "", "study of the cell"))
    dimension: NDArray[np.int64] = field(
        metadata=stored(("cell",), "1", "dimension of the cell", dtype=np.int8)
    )
    period: Array = field(metadata=stored(("cell",), "um", "physical size of the cell"))
    permeability: Array = field(metadata=stored(("cell",), "um ms-1", "membrane permeability"))
    diffusivity_outside: Array = field(
        metadata=stored(("cell",), "um2 ms-1", "diffusivity outside, mean over all axes")
    )
    diffusivity_inside: Array = field(
        metadata=stored(("cell",), "um2 ms-1", "diffusivity in the first cell, mean over all axes")
    )
    fraction: Array = field(metadata=stored(("cell",), "1", "share of the water inside the cells"))
    exchange_time: Array = field(
        metadata=stored(
            ("cell",), "ms", "exact exchange time, 1 over the slowest rate of exchange of A(0)"
        )
    )
    exchange_time_error: Array = field(
        metadata=stored(
            ("cell",), "ms", "numerical error of the exact exchange time", allow_missing=True
        )
    )
    karger_exchange_time: Array = field(
        metadata=stored(("cell",), "ms", "1/(eta_e + eta_c) of the homogenised model")
    )
    fitted_exchange_time: Array = field(
        metadata=stored(
            ("cell",),
            "ms",
            "exchange time of the fit; missing where the signals do not tell it",
            allow_missing=True,
        )
    )
    fitted_exchange_time_error: Array = field(
        metadata=stored(
            ("cell",),
            "ms",
            "standard error of the exchange time of the fit; missing on a bound",
            allow_missing=True,
        )
    )
    exchange_time_bias: Array = field(
        metadata=stored(
            ("cell",), "ms", "exchange time of the fit minus the exact one", allow_missing=True
        )
    )
    parameters: tuple[str, ...] = field(
        metadata=stored(("parameter",), "", "parameter", name="parameter")
    )
    units: tuple[str, ...] = field(
        metadata=stored(("parameter",), "", "unit of the parameter", name="parameter_unit")
    )
    truth: Array = field(
        metadata=stored(
            _OF,
            _EACH,
            "true parameter; missing where the medium has no such number; see parameter_unit",
            allow_missing=True,
        )
    )
    estimate: Array = field(
        metadata=stored(
            _OF,
            _EACH,
            "estimate; missing where the signals do not tell it; see parameter_unit",
            allow_missing=True,
        )
    )
    standard_error: Array = field(
        metadata=stored(
            _OF, _EACH, "standard error; missing on a bound; see parameter_unit", allow_missing=True
        )
    )
    bias: Array = field(
        metadata=stored(_OF, _EACH, "estimate minus truth; see parameter_unit", allow_missing=True)
    )
    identifiable: NDArray[np.bool_] = field(
        metadata=stored(_OF, "1", "1 if the signals say where it lies", dtype=np.int8)
    )
    at_bound: NDArray[np.bool_] = field(
        metadata=stored(_OF, "1", "1 if it lies on a bound", dtype=np.int8)
    )
    misfit: Array = field(
        metadata=stored(("cell",), "1", "root mean square of the misfit", allow_missing=True)
    )
    numerical_error: Array = field(
        metadata=stored(
            ("cell",),
            "1",
            "root mean square of the numerical errors of the signals",
            allow_missing=True,
        )
    )
    status: NDArray[np.int64] = field(
        metadata=stored(
            ("cell",),
            "1",
            "0 fitted, 1 with parameters on a bound or not identified, 2 no minimum, 3 signals "
            "that cannot be used",
            dtype=np.int8,
        )
    )


def run_exchange(
    text: str,
    sweeps: Sequence[Sweep],
    material: Material,
    signals: Sequence[PathLike],
    operators: Sequence[PathLike],
    progress: Progress = untold,
) -> Group:
    """Fit a model to the signals of studies, each cell for itself, and compare with the truth.

    Parameters
    ----------
    text : str
        The inversion as JSON.
    sweeps : sequence of Sweep
        Of the studies.
    material : Material
        Of all of them.
    signals, operators : sequence of path
        ``signals.nc`` of each study, ``operators.nc`` of its cell.
    progress : Progress
        Is told how many studies are done, and how many cells of each are fitted.
    """
    plain = json.loads(text)
    settings = FitSettings.from_json(plain["settings"])
    studies = list(zip(plain["names"], sweeps, signals, operators, strict=True))
    reports = [
        _of_study(plain, settings, material, progress, one)
        for one in each(studies, progress, "studies")
    ]
    first = reports[0]
    cells: dict[str, Any] = {
        key: np.concatenate([report[key] for report in reports])
        for key, value in first.items()
        if isinstance(value, np.ndarray)
    }
    cells["study"] = tuple(name for report in reports for name in report["study"])
    return group_of(ExchangeReport(**{**first, **cells}))


def _of_study(
    plain: dict[str, Any],
    settings: FitSettings,
    material: Material,
    progress: Progress,
    study: tuple[str, Sweep, PathLike, PathLike],
) -> dict[str, Any]:
    """What `ExchangeReport` holds of the cells of one study."""
    name, sweep, signals, operators = study
    model = table_model(settings.model, **settings.options)
    protocol = table_of_sweep(sweep, model.powder)
    signal, error = signals_of_study(signals, sweep, plain["signals"], model.powder)
    fit = fit_table(
        model,
        protocol,
        signal,
        1.0 / plain["snr"] if plain["snr"] else None,
        fixed=settings.fixed,
        bounds=settings.bounds,
        starts=settings.starts,
        seed=settings.seed,
        progress=progress,
    )
    levels = lazy_levels(operators, material)
    cells = list(sweep.cells())
    exact = exact_exchange(levels, cells)
    tensors = material.tensors(levels[-1].cell.dimension)
    outside, inside, *_ = np.trace(tensors, axis1=1, axis2=2) / tensors.shape[-1]
    truth = truth_of(fit.names, exact)
    return {
        "model": settings.model,
        "data": plain["signals"],
        "powder": model.powder,
        "snr": plain["snr"] or np.nan,
        "study": (name,) * len(cells),
        "dimension": np.full(len(cells), levels[-1].cell.dimension),
        "period": np.array([period for period, _ in cells]),
        "permeability": np.array([kappa for _, kappa in cells]),
        "diffusivity_outside": np.full(len(cells), outside),
        "diffusivity_inside": np.full(len(cells), inside),
        "fraction": np.array([one.fraction for one in exact]),
        "parameters": fit.names,
        "units": fit.units,
        "truth": truth,
        "bias": fit.estimate - truth,
        "numerical_error": np.sqrt(np.mean(error**2, axis=1)),
        **{
            key: getattr(fit, key)
            for key in (
                "estimate",
                "standard_error",
                "identifiable",
                "at_bound",
                "misfit",
                "status",
            )
        },
        **_times(fit, exact),
    }


def truth_of(names: Sequence[str], exact: Sequence[ExactExchange]) -> Array:
    """True values of parameters, shape (n_cells, n_parameters).

    Exchange time, apparent rate of exchange and share of the water inside; not a number for others:
    diffusivities of the models are effective ones.
    """
    known = {
        _TIME: [one.time for one in exact],
        _RATE: [1.0 / one.time for one in exact],
        _SHARE: [one.fraction for one in exact],
    }
    missing = [np.nan] * len(exact)
    return np.array([known.get(name, missing) for name in names], dtype=float).T


def _times(fit: TableFit, exact: Sequence[ExactExchange]) -> dict[str, Array]:
    """Exchange times: the exact ones and that of the fit, from its rate where it has that."""
    true = np.array([one.time for one in exact])
    time = error = np.full(len(exact), np.nan)
    if _TIME in fit.names:
        at = fit.names.index(_TIME)
        time, error = fit.estimate[:, at], fit.standard_error[:, at]
    elif _RATE in fit.names:
        at = fit.names.index(_RATE)
        rate = fit.estimate[:, at]
        time, error = 1.0 / rate, fit.standard_error[:, at] / rate**2
    return {
        "exchange_time": true,
        "exchange_time_error": np.array([one.error for one in exact]),
        "karger_exchange_time": np.array([one.karger_time for one in exact]),
        "fitted_exchange_time": time,
        "fitted_exchange_time_error": error,
        "exchange_time_bias": time - true,
    }
